"""E2: null, JSON null and missing are three states: in filters, in paths, in what is read and in what is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from holdall.errors import QueryError
from holdall.query import agg, contains, is_not_null, is_null, is_same, not_, not_one_of, one_of
from holdall.schema import JSON_NULL
from holdall.testing.case import case
from holdall.testing.cases.making import how_many, ids, made
from holdall.testing.kit import Kit
from holdall.testing.models.json_values import Box, Document, Size

EXTRA = cast("Any", Document).extra  # a term: never None, whatever the annotation says
NOTES_TERM, SIZE_TERM = cast("Any", Box).notes, cast("Any", Box).size
STATES: dict[int, Any] = {
    1: None,
    2: JSON_NULL,
    3: {},
    4: {"a": None},
    5: {"a": 1},
    6: {"a": {"b": None}},
    7: {"a": [None, 2]},
    8: [],
    9: "a",
}

# What each condition finds among STATES.
CONDITIONS: dict[str, tuple[Callable[[], Any], list[int]]] = {
    "the field is null": (lambda: is_null(EXTRA), [1]),
    "the field is not null": (lambda: is_not_null(EXTRA), [2, 3, 4, 5, 6, 7, 8, 9]),
    "the field is JSON null": (lambda: EXTRA == JSON_NULL, [2]),
    "the field is not JSON null": (lambda: EXTRA != JSON_NULL, [3, 4, 5, 6, 7, 8, 9]),
    "the same as null": (lambda: is_same(EXTRA, None), [1]),
    "the same as JSON null": (lambda: is_same(EXTRA, JSON_NULL), [2]),
    "not the same as null": (lambda: not_(is_same(EXTRA, None)), [2, 3, 4, 5, 6, 7, 8, 9]),
    "one of JSON null and empty": (lambda: one_of(EXTRA, [JSON_NULL, {}]), [2, 3]),
    "none of JSON null and empty": (lambda: not_one_of(EXTRA, [JSON_NULL, {}]), [4, 5, 6, 7, 8, 9]),
    "an object with null": (lambda: EXTRA == {"a": None}, [4]),
    "a place is missing or the field null": (lambda: is_null(EXTRA["a"]), [1, 2, 3, 8, 9]),
    "a place is there": (lambda: is_not_null(EXTRA["a"]), [4, 5, 6, 7]),
    "a place is JSON null": (lambda: EXTRA["a"] == JSON_NULL, [4]),
    "a place is there and not JSON null": (lambda: EXTRA["a"] != JSON_NULL, [5, 6, 7]),
    "a place is the same as nothing": (lambda: is_same(EXTRA["a"], None), [1, 2, 3, 8, 9]),
    "a place is the same as JSON null": (lambda: is_same(EXTRA["a"], JSON_NULL), [4]),
    "a place is 1": (lambda: EXTRA["a"] == 1, [5]),
    "a place is not 1": (lambda: EXTRA["a"] != 1, [4, 6, 7]),
    "not that a place is 1": (lambda: not_(EXTRA["a"] == 1), [4, 6, 7]),
    "a place is one of JSON null and 1": (lambda: one_of(EXTRA["a"], [JSON_NULL, 1]), [4, 5]),
    "a place is none of 1": (lambda: not_one_of(EXTRA["a"], [1]), [4, 6, 7]),
    "a place below is JSON null": (lambda: EXTRA["a"]["b"] == JSON_NULL, [6]),
    "a place below is missing": (lambda: is_null(EXTRA["a"]["b"]), [1, 2, 3, 4, 5, 7, 8, 9]),
    "an item is JSON null": (lambda: EXTRA["a"][0] == JSON_NULL, [7]),
    "an item is missing": (lambda: is_null(EXTRA["a"][2]), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    "an item is there": (lambda: is_not_null(EXTRA["a"][1]), [7]),
    "a list holds JSON null": (lambda: contains(EXTRA["a"], JSON_NULL), [7]),
    "a list holds None, which is JSON null": (lambda: contains(EXTRA["a"], None), [7]),
    "a place below 1 is greater": (lambda: EXTRA["a"] > 0, [5]),
    "a place has no order with JSON null": (lambda: not_(EXTRA["a"] > 1), [5]),
}  # fmt: skip


@case("E2", each=CONDITIONS)
async def conditions_tell_the_three_states_apart(k: Kit, condition: Callable[[], Any], found: list[int]) -> None:
    await made(k, Document, *({"id": number, "extra": value} for number, value in STATES.items()))
    assert await ids(k.store[Document].where(condition())) == found


LOOKUPS: dict[str, tuple[dict[str, Any], list[int]]] = {
    "extra__is_null": ({"extra__is_null": True}, [1]),
    "extra__a__is_null": ({"extra__a__is_null": True}, [1, 2, 3, 8, 9]),
    "extra__a__is_null false": ({"extra__a__is_null": False}, [4, 5, 6, 7]),
    "extra__a__in": ({"extra__a__in": [JSON_NULL]}, [4]),
    "extra__a": ({"extra__a": JSON_NULL}, [4]),
    "extra__a__0": ({"extra__a__0": JSON_NULL}, [7]),
    "extra__a__b__ne": ({"extra__a__b__ne": 1}, [6]),
}


@case("E2", each=LOOKUPS)
async def keywords_tell_the_three_states_apart(k: Kit, lookups: dict[str, Any], found: list[int]) -> None:
    await made(k, Document, *({"id": number, "extra": value} for number, value in STATES.items()))
    assert await ids(k.store[Document].where(**lookups)) == found


@case("E2", each={f"{value!r}": value for value in STATES.values()})
async def each_state_comes_back(k: Kit, value: Any) -> None:
    await k.store[Document].create(id=1, extra=value)
    read = (await k.store[Document].get(1)).extra
    assert (read, type(read)) == (value, type(value))
    (row,) = await k.store[Document].query().values("extra")
    assert (row["extra"], type(row["extra"])) == (value, type(value))


@case("E2")
async def places_come_back_in_three_states(k: Kit) -> None:
    await made(k, Document, *({"id": number, "extra": value} for number, value in STATES.items()))
    rows = await k.store[Document].query().order_by("id").values("id", a=EXTRA["a"])
    found = {row["id"]: row["a"] for row in rows}
    assert found == {1: None, 2: None, 3: None, 4: JSON_NULL, 5: 1, 6: {"b": None}, 7: [None, 2], 8: None, 9: None}
    assert found[4] is JSON_NULL


MOVES: dict[str, tuple[Any, Any]] = {
    "null to JSON null": (None, JSON_NULL),
    "JSON null to null": (JSON_NULL, None),
    "null to empty": (None, {}),
    "empty to null": ({}, None),
    "missing to null inside": ({}, {"a": None}),
    "null inside to missing": ({"a": None}, {}),
    "JSON null to false": (JSON_NULL, False),
    "zero to JSON null": (0, JSON_NULL),
}


@case("E2", each=MOVES)
async def a_move_between_states_is_written(k: Kit, before: Any, after: Any) -> None:
    document = await k.store[Document].create(id=1, extra=before)
    document.extra = after
    await k.store[Document].save(document)
    read = (await k.store[Document].get(1)).extra
    assert (read, type(read)) == (after, type(after))
    assert await ids(k.store[Document].where(is_same(EXTRA, after))) == [1]


@case("E2", each=MOVES, needs="set_writes")
async def an_update_by_query_moves_between_states(k: Kit, before: Any, after: Any) -> None:
    await k.store[Document].create(id=1, extra=before)
    assert await k.store[Document].where(is_same(EXTRA, before)).update(extra=after) == 1
    assert await ids(k.store[Document].where(is_same(EXTRA, after))) == [1]
    assert await ids(k.store[Document].where(is_same(EXTRA, before))) == []


@case("E2", each=MOVES)
async def an_upsert_moves_between_states(k: Kit, before: Any, after: Any) -> None:
    await k.store[Document].create(id=1, extra=before)
    assert (await k.store[Document].upsert(id=1, extra=after)).extra == after
    read = (await k.store[Document].get(1)).extra
    assert (read, type(read)) == (after, type(after))


@case("E2")
async def where_null_is_no_value_none_is_json_null(k: Kit) -> None:
    """A JSON field that is not optional holds JSON null, and is never null."""
    documents = k.store[Document]
    await documents.create(id=1, data=None)
    await documents.create(id=2, data=JSON_NULL)
    assert [(await documents.get(number)).data for number in (1, 2)] == [None, None]
    assert await ids(documents.where(Document.data == JSON_NULL)) == [1, 2]
    assert await how_many(documents.where(is_null(Document.data))) == 0
    document = await documents.get(1)
    document.extra = 1
    await documents.save(document)
    assert await ids(documents.where(Document.data == JSON_NULL)) == [1, 2]


@case("E2")
async def comparing_with_none_is_refused(k: Kit) -> None:
    """It could mean any of the three."""
    for term in (EXTRA, EXTRA["a"], NOTES_TERM["a"]):
        with k.refused(QueryError, says="null"):
            k.store[Document].where(term == None)
        with k.refused(QueryError, says="null"):
            k.store[Document].where(term != None)


@case("E2", needs="aggregates")
async def json_null_is_counted_as_a_value(k: Kit) -> None:
    await made(k, Document, *({"id": number, "extra": value} for number, value in STATES.items()))
    (row,) = await k.store[Document].query().values(all=agg.count(), extra=agg.count(EXTRA), a=agg.count(EXTRA["a"]))
    assert row == {"all": 9, "extra": 8, "a": 4}


NOTES: dict[int, Any] = {1: None, 2: {}, 3: {"a": None}, 4: {"a": "x"}, 5: {"a": ""}}
NOTE_CONDITIONS: dict[str, tuple[Callable[[], Any], list[int]]] = {
    "no dict": (lambda: is_null(Box.notes), [1]),
    "an empty dict": (lambda: Box.notes == {}, [2]),
    "a key with null": (lambda: Box.notes == {"a": None}, [3]),
    "a key that is there": (lambda: contains(Box.notes, "a"), [3, 4, 5]),
    "a value": (lambda: NOTES_TERM["a"] == "x", [4]),
    "another value": (lambda: NOTES_TERM["a"] != "x", [5]),
    "no value": (lambda: is_null(NOTES_TERM["a"]), [1, 2, 3]),
}


@case("E2", each=NOTE_CONDITIONS)
async def in_a_dict_null_and_missing_are_both_no_value(k: Kit, condition: Callable[[], Any], found: list[int]) -> None:
    """A dict field has no JSON null; whole dicts with and without the key still differ."""
    await made(k, Box, *({"id": number, "notes": value} for number, value in NOTES.items()))
    assert await ids(k.store[Box].where(condition())) == found


@case("E2", each={repr(value): value for value in NOTES.values()})
async def a_dict_keeps_null_and_missing_apart(k: Kit, value: Any) -> None:
    await k.store[Box].create(id=1, notes=value)
    assert (await k.store[Box].get(1)).notes == value
    assert await ids(k.store[Box].where(is_same(Box.notes, value))) == [1]


@case("E2")
async def a_part_that_is_null_is_not_a_record_that_is_null(k: Kit) -> None:
    await made(k, Box, {"id": 1}, {"id": 2, "size": Size(1)}, {"id": 3, "size": Size(1, "")})
    boxes = k.store[Box]
    assert await ids(boxes.where(is_null(Box.size))) == [1]
    assert await ids(boxes.where(is_null(SIZE_TERM.note))) == [1, 2]
    assert await ids(boxes.where(size__note="")) == [3]
    assert await ids(boxes.where(size__width=1)) == [2, 3]
