"""E1: JSON values: what they are equal to, what comes back, and what is no JSON."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from holdall.errors import QueryError, ValidationError
from holdall.query import contains, contains_all, contains_any, one_of
from holdall.query.lookups import json_condition, text_lookup
from holdall.testing.case import case
from holdall.testing.cases.making import how_many, ids, made
from holdall.testing.kit import Kit
from holdall.testing.models.json_values import Document, Mixed


def deep(levels: int, inner: Any = 1, key: str = "") -> Any:
    """A value inside so many lists, or objects with one key."""
    value = inner
    for _ in range(levels):
        value = {key: value} if key else [value]
    return value


# What is read is equal to what was written, and of the same types.
VALUES: dict[str, Any] = {
    "empty object": {},
    "empty list": [],
    "empty text": "",
    "zero": 0,
    "true": True,
    "false": False,
    "largest int": 2**63 - 1,
    "least int": -(2**63),
    "beyond doubles": 2**53 + 1,
    "fraction": 0.1,
    "large float": 1.7976931348623157e308,
    "smallest float": 5e-324,
    "float beyond 2**53": 1e300,
    "seventeen digits": 0.30000000000000004,
    "digits as text": "1",
    "number as text": "1.0",
    "true as text": "true",
    "null as text": "null",
    "time as text": "2024-01-01T00:00:00Z",
    "date as text": "2024-01-01",
    "uuid as text": "0199f1c2-0000-7000-8000-000000000000",
    "base64 as text": "AAEC/w==",
    "JSON as text": '{"a": 1}',
    "quotes": "\"'\\/`",
    "controls": "\x01\b\t\n\r\x1f\x7f",
    "line separators": "\u2028\u2029\x85",
    "beyond the plane": "\U0001f600\uffff",
    "empty key": {"": 1},
    "odd keys": {"a.b": 1, "a[0]": 2, "$": 3, '"': 4, "__eq": 5, " ": 6, "a'b": 7, "%": 8},
    "unicode keys": {"\u00e9": 1, "e\u0301": 2, "\U0001f600": 3, "\u00df": 4, "ss": 5},
    "keys that are numbers": {"0": "a", "1": "b", "-1": "c"},
    "keys apart by case": {"a": 1, "A": 2},
    "nulls inside": {"a": None, "b": [None, None], "c": {"d": None}},
    "all types in a list": [None, True, 1, 1.5, "a", [], {}],
    "equal items": [1, 1, {"a": 1}, {"a": 1}],
    "deep lists": deep(99),
    "deep objects": deep(99, key="k"),
    "wide": {f"k{n}": n for n in range(300)},
}


@case("E1", each=VALUES)
async def json_comes_back(k: Kit, value: Any) -> None:
    documents = k.store[Document]
    await documents.create(id=1, data=value, extra=value)
    read = await documents.get(1)
    for found in (read.data, read.extra):
        assert _typed(found) == _typed(value)
    assert await ids(documents.where(Document.data == value)) == [1]
    assert _typed((await documents.query().values("extra"))[0]["extra"]) == _typed(value)


def _typed(value: Any) -> Any:
    """The value with the class of every part, so that True is not 1; without the order of keys."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]  # any JSON
    if isinstance(value, list):
        return [_typed(item) for item in value]  # pyright: ignore[reportUnknownVariableType]  # any JSON
    return type(value), value


SAME: dict[str, tuple[Any, Any]] = {
    "order of keys": ({"a": 1, "b": 2, "c": 3}, {"c": 3, "b": 2, "a": 1}),
    "order of keys inside": ([{"a": {"x": 1, "y": 2}}], [{"a": {"y": 2, "x": 1}}]),
    "1 and 1.0": (1, 1.0),
    "1 and 1.0 inside": ({"a": [1, {"b": -3}]}, {"a": [1.0, {"b": -3.0}]}),
    "large integral": (2**53, float(2**53)),
    "zeros": (0, -0.0),
    "zeros inside": ([0.0], [-0.0]),
    "tuple and list": ([1, [2]], (1, (2,))),
    "exponent": (100, 1e2),
}


@case("E1", each=SAME)
async def equal_json_is_found(k: Kit, one: Any, other: Any) -> None:
    documents = k.store[Document]
    await made(k, Document, {"id": 1, "data": one}, {"id": 2, "data": other}, {"id": 3, "data": {"other": "x"}})
    for value in (one, other):
        assert await ids(documents.where(Document.data == value)) == [1, 2]
        assert await ids(documents.where(Document.data != value)) == [3]
        assert await ids(documents.where(one_of(Document.data, [value, 77]))) == [1, 2]
    first, second = (await documents.get(1)).data, (await documents.get(2)).data
    assert _typed(first) == _typed(second), "one value has one form"


@case("E1", each=SAME)
async def equal_json_is_no_change(k: Kit, one: Any, other: Any) -> None:
    """Saving writes what changed; another writer's value stays."""
    documents = k.store[Document]
    mine = await documents.create(id=1, data=one)
    theirs = await documents.get(1)
    theirs.data = "theirs"
    await documents.save(theirs)
    mine.data = other
    mine.extra = "mine"
    await documents.save(mine)
    read = await documents.get(1)
    assert (read.data, read.extra) == ("theirs", "mine")


@case("E1", each=SAME)
async def equal_json_is_found_inside(k: Kit, one: Any, other: Any) -> None:
    documents = k.store[Document]
    await made(k, Document, {"id": 1, "data": {"in": [one]}}, {"id": 2, "data": {"in": [other]}}, {"id": 3, "data": {"in": ["x"]}})
    for value in (one, other):
        assert await ids(documents.where(Document.data["in"][0] == value)) == [1, 2]
        assert await ids(documents.where(contains(Document.data["in"], value))) == [1, 2]
        assert await ids(documents.where(contains_any(Document.data["in"], [value, "y"]))) == [1, 2]


DIFFERENT: dict[str, tuple[Any, Any]] = {
    "true and 1": (True, 1),
    "false and 0": (False, 0),
    "true and 1.0": (True, 1.0),
    "true and 1 inside": ({"a": [True]}, {"a": [1]}),
    "number and text": (1, "1"),
    "bool and text": (True, "true"),
    "null and text": ({"a": None}, {"a": "null"}),
    "empty text and list": ("", []),
    "list and object": ([], {}),
    "zero and empty": (0, ""),
    "false and null": ({"a": False}, {"a": None}),
    "null and missing": ({"a": None}, {}),
    "null and missing beside": ({"a": 1, "b": None}, {"a": 1}),
    "order of items": ([1, 2], [2, 1]),
    "number of items": ([1], [1, 1]),
    "item and list": (1, [1]),
    "list of null and empty": ([None], []),
    "case": ("a", "A"),
    "case of keys": ({"a": 1}, {"A": 1}),
    "trailing space": ("a", "a "),
    "composed": ("\u00e9", "e\u0301"),
    "composed keys": ({"\u00e9": 1}, {"e\u0301": 1}),
    "digits beyond doubles": (2**53, 2**53 + 1),
    "last digit": (0.1, 0.10000000000000002),
    "tiny and zero": (5e-324, 0),
    "depth": ([[1]], [1]),
}


@case("E1", each=DIFFERENT)
async def different_json_is_kept_apart(k: Kit, one: Any, other: Any) -> None:
    documents = k.store[Document]
    await made(k, Document, {"id": 1, "data": one}, {"id": 2, "data": other})
    assert await ids(documents.where(Document.data == one)) == [1]
    assert await ids(documents.where(Document.data == other)) == [2]
    assert await ids(documents.where(Document.data != one)) == [2]
    assert await ids(documents.where(one_of(Document.data, [other]))) == [2]


@case("E1", each=DIFFERENT)
async def a_change_to_different_json_is_written(k: Kit, one: Any, other: Any) -> None:
    """Python holds True and 1 for equal; the store does not."""
    document = await k.store[Document].create(id=1, data=one)
    document.data = other
    await k.store[Document].save(document)
    assert _typed((await k.store[Document].get(1)).data) == _typed(int(other) if type(other) is float and other == 1 else other)


@case("E1", each=DIFFERENT)
async def different_json_is_kept_apart_inside(k: Kit, one: Any, other: Any) -> None:
    documents = k.store[Document]
    await made(k, Document, {"id": 1, "data": {"in": [one]}}, {"id": 2, "data": {"in": [other]}})
    assert await ids(documents.where(Document.data["in"][0] == one)) == [1]
    assert await ids(documents.where(contains(Document.data["in"], other))) == [2]
    assert await ids(documents.where(contains_all(Document.data["in"], [one, one]))) == [1]


NO_JSON: dict[str, Any] = {
    "NaN": float("nan"),
    "infinity": float("inf"),
    "negative infinity": float("-inf"),
    "NaN inside": {"a": [1, float("nan")]},
    "int beyond 64 bits": 2**63,
    "int below 64 bits": {"a": -(2**63) - 1},
    "bytes": b"a",
    "Decimal": Decimal(1),
    "datetime": dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
    "UUID inside": [uuid.UUID(int=1)],
    "set": {1},
    "a key that is a number": {1: "a"},
    "a key that is None": {"a": {None: 1}},
    "NUL": "a\x00b",
    "NUL in a key": {"a\x00": 1},
    "lone surrogate": ["\ud800"],
    "lone surrogate in a key": {"\udfff": 1},
    "too deep": deep(101),
    "far too deep": deep(5000, key="k"),
}


@case("E1", each=NO_JSON)
async def what_is_no_json_is_refused(k: Kit, value: Any) -> None:
    documents = k.store[Document]
    document = await documents.create(id=1, data="good")
    makes: list[Callable[[], Any]] = [
        lambda: documents.create(id=2, data=value),
        lambda: documents.create(id=2, extra=value),
        lambda: documents.upsert(id=1, data=value),
    ]
    for make in makes:
        with k.refused(ValidationError) as caught:
            await make()
        assert {problem.path[0] for problem in caught.error.problems} <= {"data", "extra"}
    document.data = value
    with k.refused(ValidationError):
        await documents.save(document)
    with k.refused(QueryError):
        documents.where(Document.data == value)
    with k.refused(QueryError):
        documents.where(Document.data["a"] != value)
    assert await documents.query().values("id", "data", "extra") == [{"id": 1, "data": "good", "extra": None}]


@case("E1", each=NO_JSON, needs="set_writes")
async def an_update_by_query_with_what_is_no_json_is_refused(k: Kit, value: Any) -> None:
    await k.store[Document].create(id=1, data="good")
    with k.refused(ValidationError):
        await k.store[Document].query().update(data=value)
    assert (await k.store[Document].get(1)).data == "good"


@case("E1")
async def a_value_that_holds_itself_is_refused(k: Kit) -> None:
    loop: list[Any] = []
    loop.append(loop)
    with k.refused(ValidationError):
        await k.store[Document].create(id=1, data=loop)
    assert await how_many(k.store[Document]) == 0


DOUBLE = {"at the top": '{"a": 1, "a": 2}', "inside": '{"b": [{"a": 1, "a": 1}]}', "escaped": '{"a": 1, "\\u0061": 2}'}


@case("E1", each=DOUBLE)
async def text_that_names_a_key_twice_is_refused(k: Kit, text: str) -> None:
    """One of the two would be lost without a word."""
    await k.store[Document].create(id=1, data={"a": 2})
    for name in ("data", "data__b", "data__in"):
        with k.refused(QueryError):
            k.store[Document].where(text_lookup(Document.__entity__, name, f"[{text}]" if name.endswith("in") else text))
    assert await ids(k.store[Document].where(text_lookup(Document.__entity__, "data", '{"a": 2}'))) == [1]


TEXTS: dict[str, tuple[str, Any]] = {
    "a number": ("1", 1),
    "a number with a fraction of zero": ("1.0", 1),
    "true": ("true", True),
    "an object": ('{"b": 1, "a": [null]}', {"a": [None], "b": 1}),
    "text in quotes": ('"1"', "1"),
    "text without quotes": ("Oslo", "Oslo"),
    "broken JSON is text": ('{"a": ', '{"a": '),
    "NaN is text": ("NaN", "NaN"),
}


@case("E1", each=TEXTS)
async def text_reads_as_the_json_that_it_is(k: Kit, text: str, value: Any) -> None:
    documents = k.store[Document]
    await made(k, Document, {"id": 1, "data": value}, {"id": 2, "data": ["other"]})
    assert await ids(documents.where(text_lookup(Document.__entity__, "data", text))) == [1]
    assert await ids(documents.where(json_condition(Document.__entity__, {"data": {"eq": value}}))) == [1]


@case("E1")
async def what_was_handed_over_is_not_kept(k: Kit) -> None:
    """Neither changing the value that was given nor the one that was read changes the store."""
    given: dict[str, Any] = {"a": [1]}
    record = await k.store[Document].create(id=1, data=given)
    given["a"].append(2)
    record.data["b"] = 1
    (await k.store[Document].get(1)).data["a"].append(3)
    (await k.store[Document].query().values("data"))[0]["data"]["a"].append(4)
    assert (await k.store[Document].get(1)).data == {"a": [1]}


CHANGES: dict[str, Any] = {
    "a key is set": {"a": [1], "c": {"d": 1}, "b": 2},
    "a key is removed": {"c": {"d": 1}},
    "a list inside grows": {"a": [1, 2], "c": {"d": 1}},
    "a value inside becomes null": {"a": [1], "c": {"d": None}},
    "an int becomes a bool": {"a": [True], "c": {"d": 1}},
}


@case("E1", each=CHANGES)
async def a_change_inside_is_written(k: Kit, wanted: dict[str, Any]) -> None:
    """Made in place, without assigning the field."""
    record = await k.store[Document].create(id=1, data={"a": [1], "c": {"d": 1}})
    for key in list(record.data):
        if key not in wanted:
            del record.data[key]
        elif isinstance(record.data[key], dict):
            record.data[key].update(wanted[key])
        else:
            record.data[key][:] = wanted[key]
    record.data.update({key: value for key, value in wanted.items() if key not in record.data})
    await k.store[Document].save(record)
    assert _typed((await k.store[Document].get(1)).data) == _typed(record.data)


@case("E1")
async def lists_of_json_are_canonical_too(k: Kit) -> None:
    await made(k, Mixed, {"id": 1, "anything": [{"a": 1.0, "b": None}, True]}, {"id": 2, "anything": [{"b": None, "a": 1}, 1]})
    assert await ids(k.store[Mixed].where(Mixed.anything == [{"b": None, "a": 1}, True])) == [1]
    assert await ids(k.store[Mixed].where(contains(Mixed.anything, 1.0))) == [2]
    assert await ids(k.store[Mixed].where(contains(Mixed.anything, {"a": 1, "b": None}))) == [1, 2]
