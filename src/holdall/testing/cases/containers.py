"""E3, E4: lists, sets, dicts and records: what differs, what keeps its order, and what has none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from holdall.errors import DeclarationError, QueryError, ValidationError
from holdall.model import Field, Json, Key, Model
from holdall.query import agg, between, contains, contains_all, contains_any, desc, is_null, is_same, one_of
from holdall.testing.case import case
from holdall.testing.cases.making import at, how_many, ids, made
from holdall.testing.kit import Kit
from holdall.testing.models.json_values import Box, Document, Mixed, Parcel, Shade, Size
from holdall.testing.models.naming import named

# E3: no order.

UNORDERED: dict[str, tuple[Any, str, Any]] = {
    "json": (Document, "data", {}),
    "optional json": (Document, "extra", 1),
    "list": (Box, "numbers", [1]),
    "optional list": (Box, "texts", ["a"]),
    "set": (Box, "tags", {"a"}),
    "dict": (Box, "counts", {"a": 1}),
    "record": (Box, "size", Size(1)),
}


@case("E3", each=UNORDERED)
async def ordering_by_what_has_parts_is_refused(k: Kit, model: Any, name: str, value: Any) -> None:
    """When the query is built, in every spelling."""
    await k.store[model].create(id=1, **{name: value})
    term = getattr(model, name)
    doors: list[Callable[[], Any]] = [
        lambda: k.store[model].query().order_by(term),
        lambda: k.store[model].query().order_by(desc(term)),
        lambda: k.store[model].query().order_by(name),
        lambda: k.store[model].query().order_by("id", f"-{name}"),
    ]
    for door in doors:
        with k.refused(QueryError):
            door()
    assert await how_many(k.store[model]) == 1


@case("E3", each=UNORDERED)
async def comparing_what_has_parts_by_order_is_refused(k: Kit, model: Any, name: str, value: Any) -> None:
    term = getattr(model, name)
    doors: list[Callable[[], Any]] = [
        lambda: term < value,
        lambda: term <= value,
        lambda: term > value,
        lambda: term >= value,
        lambda: between(term, value, value),
        lambda: k.store[model].where(**{f"{name}__gt": value}),
    ]
    for door in doors:
        with k.refused(QueryError):
            door()


@case("E3", each=UNORDERED, needs="aggregates")
async def extremes_and_groups_of_what_has_parts_are_refused(k: Kit, model: Any, name: str, value: Any) -> None:
    await k.store[model].create(id=1, **{name: value})
    term = getattr(model, name)
    doors: list[Callable[[], Any]] = [
        lambda: agg.min(term),
        lambda: agg.max(term),
        lambda: agg.count(term, distinct=True),
        lambda: k.store[model].query().group_by(term),
    ]
    for door in doors:
        with k.refused(QueryError):
            door()
    with k.refused(QueryError):
        await k.store[model].query().distinct().values(name)


@case("E3", each={"json": ("data", "n"), "json item": ("data", 0), "json below": ("extra", "a")})
async def a_place_inside_json_has_no_order(k: Kit, name: str, key: Any) -> None:
    """It may hold anything. Comparing it with a number or a text is a filter, not an order."""
    term = getattr(Document, name)[key]
    with k.refused(QueryError):
        k.store[Document].query().order_by(term)
    with k.refused(QueryError):
        k.store[Document].query().group_by(term)
    with k.refused(QueryError):
        agg.max(term)


@case("E3")
async def comparing_inside_json_keeps_types_apart(k: Kit) -> None:
    values: list[Any] = [1, 2.5, "1", "b", True, None, [3], {"n": 3}]
    await made(k, Document, *({"id": number, "data": {"n": value}} for number, value in enumerate(values)))
    documents, place = k.store[Document], Document.data["n"]
    assert await ids(documents.where(place > 1)) == [1]
    assert await ids(documents.where(place >= 1)) == [0, 1]
    assert await ids(documents.where(place > "1")) == [3]
    assert await ids(documents.where(place < "z")) == [2, 3]


@case("E3")
async def a_part_of_one_type_has_an_order(k: Kit) -> None:
    await made(k, Box, {"id": 1, "size": Size(10)}, {"id": 2, "size": Size(9)}, {"id": 3}, {"id": 4, "counts": {"a": 5}})
    boxes = k.store[Box]
    assert await ids(boxes.query().order_by("size.width", "id")) == [2, 1, 3, 4]
    assert await ids(boxes.query().order_by("-counts.a", "id")) == [4, 1, 2, 3]
    assert await ids(boxes.where(size__width__gt=9)) == [1]


def _key() -> type[Model]:
    class ListKey(Model, table=named("e_list_key")):
        id: list[int] = Key()

    return ListKey


def _unique() -> type[Model]:
    class UniqueSet(Model, table=named("e_unique_set")):
        id: int = Key(generated=False)
        tags: set[str] = Field(unique=True)

    return UniqueSet


def _index() -> type[Model]:
    class IndexedJson(Model, table=named("e_indexed_json")):
        id: int = Key(generated=False)
        data: Json = Field(index=True)

    return IndexedJson


def _composite() -> type[Model]:
    class UniqueDict(Model, table=named("e_unique_dict"), unique=[("a", "b")]):
        id: int = Key(generated=False)
        a: int
        b: dict[str, int]

    return UniqueDict


@case("E3", each={"key": _key, "unique": _unique, "index": _index, "unique with others": _composite})
async def what_has_parts_is_no_key(k: Kit, declare: Callable[[], type[Model]]) -> None:
    with k.refused(DeclarationError):
        declare()


# E4: what differs.

BOXES: dict[str, tuple[str, Any]] = {
    "list empty": ("numbers", []),
    "list of one": ("numbers", [0]),
    "list unsorted": ("numbers", [3, 1, 2]),
    "list with repeats": ("numbers", [1, 1, 1]),
    "list of extremes": ("numbers", [2**63 - 1, -(2**63), 2**53 + 1]),
    "list of many": ("numbers", list(range(1000, 0, -1))),
    "optional list null": ("texts", None),
    "optional list empty": ("texts", []),
    "list of empty text": ("texts", [""]),
    "list of odd texts": ("texts", ["a,b", '"', "[]", "null", "\u2028", "\U0001f600", "e\u0301"]),
    "list of null": ("gaps", [None]),
    "list with gaps": ("gaps", [1, None, 0, None]),
    "set empty": ("tags", set()),
    "set": ("tags", {"b", "a", "B", ""}),
    "optional set null": ("ranks", None),
    "optional set empty": ("ranks", set()),
    "set of numbers": ("ranks", {10, 9, -1}),
    "dict empty": ("counts", {}),
    "dict": ("counts", {"b": 1, "a": 0, "": 2, "a.b": 3}),
    "optional dict null": ("notes", None),
    "optional dict empty": ("notes", {}),
    "dict with null": ("notes", {"a": None, "b": ""}),
    "record null": ("size", None),
    "record": ("size", Size(0, "")),
    "record with null": ("size", Size(-1)),
    "record of records": ("parcel", Parcel(Size(1), ["a"], [Size(2), Size(3, "x")], Decimal("1.10"), at(2024, 1, 1, 1, 1, 1, 1))),
    "record of empty lists": ("parcel", Parcel(Size(1))),
}


@case("E4", each=BOXES)
async def containers_come_back(k: Kit, name: str, value: Any) -> None:
    boxes = k.store[Box]
    await boxes.create(id=1, **{name: value})
    read = getattr(await boxes.get(1), name)
    assert (read, type(read)) == (value, type(value))
    (row,) = await boxes.query().values(name)
    assert (row[name], type(row[name])) == (value, type(value))
    assert await ids(boxes.where(is_same(getattr(Box, name), value))) == [1]


MIXED: dict[str, tuple[str, Any]] = {
    "Decimals": ("prices", [Decimal("1.10"), Decimal(0), Decimal("-99999999999999999999999999999999999.999")]),
    "instants": ("instants", [at(2024, 1, 1, 0, 0, 0, 1), at(1, 1, 1), at(9999, 12, 31, 23, 59, 59, 999999)]),
    "dates": ("days", {dt.date.min, dt.date.max, dt.date(2024, 2, 29)}),
    "times": ("clocks", [dt.time.max, dt.time.min]),
    "durations": ("spans", {"least": dt.timedelta.min, "most": dt.timedelta.max, "tick": dt.timedelta(microseconds=1)}),
    "UUIDs": ("ids", {UUID(int=0), UUID(int=2**128 - 1)}),
    "bytes": ("blobs", [b"", b"\x00", b"\xff\x00\xff"]),
    "bools": ("flags", [True, False, True]),
    "floats": ("floats", [0.1, 5e-324, 1.7976931348623157e308, 1.0]),
    "enums": ("shades", [Shade.DARK, Shade.LIGHT, Shade.DARK]),
    "literals": ("sides", {"left"}),
    "lists in lists": ("nested", [[], [1], [2, 1]]),
    "lists in dicts": ("by_name", {"a": [], "b": ["x", "x"]}),
    "JSON": ("anything", [None, True, 1, {"a": [None]}]),
}


@case("E4", each=MIXED)
async def containers_hold_what_json_lacks(k: Kit, name: str, value: Any) -> None:
    mixed = k.store[Mixed]
    await mixed.create(id=1, **{name: value})
    read = getattr(await mixed.get(1), name)
    assert read == value
    if name not in ("days", "ids", "sides"):  # which are sets
        assert list(map(type, read)) == list(map(type, value))
    assert await ids(mixed.where(getattr(Mixed, name) == value)) == [1]


@case("E4", each=MIXED)
async def items_that_json_lacks_are_found(k: Kit, name: str, value: Any) -> None:
    await made(k, Mixed, {"id": 1, name: value}, {"id": 2})
    for item in value:
        assert await ids(k.store[Mixed].where(contains(getattr(Mixed, name), item))) == [1], item


EMPTIES: dict[str, tuple[str, Any]] = {"list": ("texts", []), "set": ("ranks", set[int]()), "dict": ("notes", {})}


@case("E4", each=EMPTIES)
async def empty_is_not_null(k: Kit, name: str, empty: Any) -> None:
    await made(k, Box, {"id": 1, name: empty}, {"id": 2, name: None}, {"id": 3})
    boxes, term = k.store[Box], getattr(Box, name)
    assert await ids(boxes.where(term == empty)) == [1]
    assert await ids(boxes.where(is_null(term))) == [2, 3]
    assert await ids(boxes.where(term != empty)) == [], "null is unknown"
    assert await ids(boxes.where(**{f"{name}__is_null": False})) == [1]


@case("E4", each=EMPTIES)
async def a_move_between_empty_and_null_is_written(k: Kit, name: str, empty: Any) -> None:
    box = await k.store[Box].create(id=1, **{name: empty})
    for value in (None, empty, None):
        setattr(box, name, value)
        await k.store[Box].save(box)
        assert getattr(await k.store[Box].get(1), name) == value


ORDERED: dict[str, tuple[str, Any, Any]] = {
    "order": ("numbers", [1, 2], [2, 1]),
    "repeats": ("numbers", [1, 2], [1, 2, 2]),
    "prefix": ("numbers", [1], [1, 2]),
    "gap": ("gaps", [1, None], [1]),
    "gap and zero": ("gaps", [0], [None]),
    "order inside": ("parcel", Parcel(Size(1), ["a", "b"]), Parcel(Size(1), ["b", "a"])),
    "a part": ("parcel", Parcel(Size(1)), Parcel(Size(1, ""))),
    "key of a dict": ("counts", {"a": 1}, {"A": 1}),
    "value of a dict": ("counts", {"a": 1}, {"a": 2}),
    "more keys": ("counts", {"a": 1}, {"a": 1, "b": 1}),
    "item of a set": ("tags", {"a"}, {"a", "b"}),
    "case of a set": ("tags", {"a"}, {"A"}),
}


@case("E4", each=ORDERED)
async def different_containers_are_kept_apart(k: Kit, name: str, one: Any, other: Any) -> None:
    boxes, term = k.store[Box], getattr(Box, name)
    first, _ = await made(k, Box, {"id": 1, name: one}, {"id": 2, name: other})
    assert await ids(boxes.where(term == one)) == [1]
    assert await ids(boxes.where(term != one)) == [2]
    assert await ids(boxes.where(one_of(term, [other]))) == [2]
    setattr(first, name, other)
    await boxes.save(first)
    assert await ids(boxes.where(term == other)) == [1, 2]


UNSORTED: dict[str, tuple[str, Any, Any]] = {
    "set from lists": ("tags", ["b", "a", "b"], {"a", "b"}),
    "order of keys": ("counts", {"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "numbers in a set": ("ranks", {9, 10, 2}, {10, 2, 9}),
}


@case("E4", each=UNSORTED)
async def what_has_no_order_is_equal_in_any(k: Kit, name: str, one: Any, other: Any) -> None:
    boxes, term = k.store[Box], getattr(Box, name)
    given = type(other)(one)
    await made(k, Box, {"id": 1, name: given}, {"id": 2, name: other})
    assert await ids(boxes.where(term == one)) == [1, 2]
    assert await ids(boxes.where(term == other)) == [1, 2]


@case("E4")
async def sets_of_one_content_are_no_change(k: Kit) -> None:
    """Saving writes what changed; another writer's set stays."""
    mine = await k.store[Box].create(id=1, tags={"a", "b"})
    theirs = await k.store[Box].get(1)
    theirs.tags = {"c"}
    await k.store[Box].save(theirs)
    mine.tags = {"b", "a"}
    mine.numbers = [1]
    await k.store[Box].save(mine)
    read = await k.store[Box].get(1)
    assert (read.tags, read.numbers) == ({"c"}, [1])


HOLDING: dict[str, tuple[Callable[[], Any], list[int]]] = {
    "an item of a list": (lambda: contains(Box.numbers, 2), [1, 2]),
    "an item of no list": (lambda: contains(Box.numbers, 9), []),
    "all of some": (lambda: contains_all(Box.numbers, [2, 1]), [1]),
    "all of repeats": (lambda: contains_all(Box.numbers, [2, 2]), [1, 2]),
    "all of none": (lambda: contains_all(Box.numbers, []), [1, 2, 3]),
    "any of some": (lambda: contains_any(Box.numbers, [1, 9]), [1]),
    "any of none": (lambda: contains_any(Box.numbers, []), []),
    "an item of a set": (lambda: contains(Box.tags, "a"), [1]),
    "case counts": (lambda: contains(Box.tags, "A"), [2]),
    "a part is no item": (lambda: contains(Box.tags, "b"), []),
    "any of a set": (lambda: contains_any(Box.tags, ["a", "A"]), [1, 2]),
    "a key of a dict": (lambda: contains(Box.counts, "x"), [1, 2]),
    "all keys": (lambda: contains_all(Box.counts, ["x", "y"]), [2]),
    "an optional list": (lambda: contains(Box.texts, "t"), [1]),
}


@case("E4", each=HOLDING)
async def containers_hold_items(k: Kit, condition: Callable[[], Any], found: list[int]) -> None:
    await made(
        k,
        Box,
        {"id": 1, "numbers": [1, 2, 2], "tags": {"a", "bb"}, "counts": {"x": 1}, "texts": ["t"], "gaps": [0]},
        {"id": 2, "numbers": [2], "tags": {"A"}, "counts": {"x": 0, "y": 2}, "texts": [], "gaps": [None]},
        {"id": 3},
    )
    assert await ids(k.store[Box].where(condition())) == found


@case("E4", each={"list with gaps": "gaps", "list": "numbers", "set": "tags", "dict": "counts"})
async def asking_for_null_as_an_item_is_refused(k: Kit, name: str) -> None:
    """Null is unknown, also as an item: no container is known to hold it."""
    with k.refused(QueryError):
        contains(getattr(Box, name), None)
    with k.refused(QueryError):
        k.store[Box].where(**{f"{name}__any": [None]})


CHANGES: dict[str, tuple[str, Any, str, Any]] = {
    "append": ("numbers", [1], "append", 2),
    "insert before": ("numbers", [1], "extend", [0, 0]),
    "remove": ("numbers", [1, 2], "remove", 1),
    "add": ("tags", {"a"}, "add", "b"),
    "discard": ("tags", {"a"}, "discard", "a"),
    "update": ("counts", {"a": 1}, "update", {"b": 2}),
    "pop": ("counts", {"a": 1}, "pop", "a"),
}


@case("E4", each=CHANGES)
async def a_change_in_place_is_written(k: Kit, name: str, before: Any, method: str, argument: Any) -> None:
    box = await k.store[Box].create(id=1, **{name: before})
    box = await k.store[Box].get(1)
    getattr(getattr(box, name), method)(argument)
    assert getattr(await k.store[Box].get(1), name) == before, "not before it is saved"
    await k.store[Box].save(box)
    assert getattr(await k.store[Box].get(1), name) == getattr(box, name) != before


@case("E4")
async def a_change_inside_a_record_is_written(k: Kit) -> None:
    await k.store[Box].create(id=1, parcel=Parcel(Size(1), ["a"]))
    box = await k.store[Box].get(1)
    box.parcel.size.note = "n"
    box.parcel.labels.append("b")
    await k.store[Box].save(box)
    assert (await k.store[Box].get(1)).parcel == Parcel(Size(1, "n"), ["a", "b"])


@case("E4")
async def defaults_are_not_shared(k: Kit) -> None:
    one, two = await made(k, Box, {"id": 1}, {"id": 2})
    one.numbers.append(1)
    one.tags.add("a")
    await k.store[Box].save(one)
    assert (two.numbers, two.tags) == ([], set())
    assert (await k.store[Box].create(id=3)).numbers == []


WRONG: dict[str, tuple[str, Any]] = {
    "text in a list of numbers": ("numbers", ["1"]),
    "a bool in a list of numbers": ("numbers", [True]),
    "null in a list of numbers": ("numbers", [None]),
    "a number beyond 64 bits": ("numbers", [2**63]),
    "text for a list": ("texts", "ab"),
    "a set for a list": ("numbers", {1}),
    "NUL in a set": ("tags", {"\x00"}),
    "a key that is no text": ("counts", {1: 1}),
    "null in a dict": ("counts", {"a": None}),
    "a record without a part": ("size", {"note": "x"}),
    "a part of another type": ("size", Size("1")),  # type: ignore[arg-type]  # what the case is about
    "a naive time in a record": ("parcel", Parcel(Size(1), sent=at(2024, 1, 1).replace(tzinfo=None))),
}


@case("E4", each=WRONG)
async def items_of_a_wrong_type_are_refused(k: Kit, name: str, value: Any) -> None:
    box = await k.store[Box].create(id=1)
    with k.refused(ValidationError) as caught:
        await k.store[Box].create(id=2, **{name: value})
    assert {problem.path[0] for problem in caught.error.problems} == {name}
    before = getattr(box, name)
    setattr(box, name, value)
    with k.refused(ValidationError):
        await k.store[Box].save(box)
    assert getattr(await k.store[Box].get(1), name) == before
    assert await how_many(k.store[Box]) == 1
