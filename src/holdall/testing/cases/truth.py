"""C6: True is not 1."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from holdall.errors import QueryError, ValidationError
from holdall.query import agg, contains, contains_all, contains_any, desc, is_null, is_same, not_, not_one_of, one_of
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import numbers
from holdall.testing.steps import found, never_begun, put, watched, whole
from holdall.testing.ways import WRITES, refuses_filters, refuses_writes

D = Decimal

# To type checkers a field is a plain value; here it stands for a term of a query.
Amount: Any = numbers.Amount
Bounded: Any = numbers.Bounded
Count: Any = numbers.Count
Crate: Any = numbers.Crate
Measure: Any = numbers.Measure
Part: Any = numbers.Part
Switch: Any = numbers.Switch

FIELDS: dict[str, tuple[Any, str, Any]] = {
    "True as int": (Count, "n", True),
    "False as int": (Count, "n", False),
    "True as an indexed int": (Count, "indexed", True),
    "False as an int that may be null": (Count, "maybe", False),
    "True as Decimal": (Amount, "free", True),
    "False as Decimal": (Amount, "money", False),
    "True as float": (Measure, "x", True),
    "False as an indexed float": (Measure, "indexed", False),
    "True as a choice of ints": (Bounded, "level", True),
    "1 as bool": (Switch, "on", 1),
    "0 as bool": (Switch, "on", 0),
    "1 as an indexed bool": (Switch, "indexed", 1),
    "0 as a bool that may be null": (Switch, "maybe", 0),
    "1.0 as bool": (Switch, "on", 1.0),
    "text as bool": (Switch, "on", "true"),
}


@case("C6", each={f"{name} by {way}": (*row, way) for name, row in FIELDS.items() for way in ("create", "save", "upsert")})
async def truth_values_and_numbers_are_not_written_for_each_other(k: Kit, model: Any, field: str, value: Any, way: str) -> None:
    """Refused before the backend is asked."""
    await refuses_writes(k, model, field, value, way)


@case(
    "C6",
    each={
        f"{name} by {way}": (*FIELDS[name], way)
        for name in ("True as int", "1 as bool")
        for way in WRITES
        if way not in ("create", "save", "upsert")
    },
)
async def no_way_of_writing_takes_them_for_each_other(k: Kit, model: Any, field: str, value: Any, way: str) -> None:
    """The other ways of writing."""
    await refuses_writes(k, model, field, value, way)


@case("C6", needs="set_writes", each=FIELDS)
async def updates_by_query_do_not_take_them_for_each_other(k: Kit, model: Any, field: str, value: Any) -> None:
    """update() with such a value."""
    await refuses_writes(k, model, field, value, "update")


@case("C6", each=FIELDS)
async def truth_values_and_numbers_are_not_compared(k: Kit, model: Any, field: str, value: Any) -> None:
    """Refused when the query is built."""
    await refuses_filters(k, model, field, value)


@case("C6")
async def true_is_not_the_key_one(k: Kit) -> None:
    """Though they hash alike, a truth value is no key, and none is found or written under it."""
    await put(k, Count, {"id": 1}, {"id": 0})
    store, watch = await watched(k, Count)
    for value in (True, False):
        await never_begun(watch, QueryError, lambda value=value: store[Count].get(value))
        await never_begun(watch, QueryError, lambda value=value: store[Count].get_many([1, value]))
        await never_begun(watch, QueryError, lambda value=value: store[Count].where(Count.id == value))
        await never_begun(watch, ValidationError, lambda value=value: store[Count].create(id=value))
        await never_begun(watch, ValidationError, lambda value=value: store[Count].upsert(id=value))
    assert [record.id for record in await whole(k, Count)] == [0, 1]


@case("C6", each=(True, False))
async def truth_values_come_back_as_such(k: Kit, value: bool) -> None:
    """From every place where they can stand, also where the engine has only numbers."""
    await put(k, Switch, {"id": 1, "on": value, "indexed": value, "maybe": value}, {"id": 2, "on": not value, "indexed": not value})
    await put(k, Crate, {"id": 1, "data": {"v": value, "l": [value]}, "flags": [value, not value], "part": Part(0, D(0), 0.0, value)})
    record, crate = await k.store[Switch].get(1), await k.store[Crate].get(1)
    for kept in (record.on, record.indexed, record.maybe, crate.data["v"], crate.data["l"][0], crate.flags[0], crate.part.flag):
        assert kept is value
    for term in (Switch.on, Switch.indexed):
        assert await found(k, Switch, term == value) == [1]
        assert await found(k, Switch, term != value) == [2]
        assert await found(k, Switch, is_same(term, value)) == [1]
        assert await found(k, Switch, one_of(term, [value])) == [1]
    rows = await k.store[Switch].query().order_by("id").allow_scan().values("on", "maybe")
    assert [(row["on"], row["maybe"]) for row in rows] == [(value, value), (not value, None)]
    assert {type(row["on"]) for row in rows} == {bool}
    assert await found(k, Crate, Crate.data["v"] == value, Crate.flags[0] == value, Crate.part.flag == value) == [1]
    assert await found(k, Crate, contains(Crate.data["l"], value), contains_all(Crate.flags, [True, False])) == [1]


@case("C6")
async def a_truth_field_is_a_condition(k: Kit) -> None:
    """By itself, negated and combined; null is neither."""
    await put(k, Switch, {"id": 1, "on": True, "maybe": True}, {"id": 2, "on": False, "maybe": False}, {"id": 3, "on": True, "maybe": None})
    assert await found(k, Switch, Switch.on) == [1, 3]
    assert await found(k, Switch, not_(Switch.on)) == [2]
    assert await found(k, Switch, Switch.maybe) == [1]
    assert await found(k, Switch, not_(Switch.maybe)) == [2]
    assert await found(k, Switch, is_null(Switch.maybe)) == [3]
    assert await found(k, Switch, Switch.on & not_(Switch.maybe)) == []
    assert await found(k, Switch, Switch.maybe | is_null(Switch.maybe)) == [1, 3]


@case("C6")
async def false_is_before_true(k: Kit) -> None:
    """Truth values have an order, in sorting and in comparing; null is last."""
    await put(
        k, Switch, *({"id": at, "on": bool(at % 2), "indexed": bool(at % 2), "maybe": (None, True, False)[at % 3]} for at in range(6))
    )
    for term in (Switch.on, Switch.indexed):
        records = await k.store[Switch].query().order_by(term).allow_scan().all()
        assert [record.id for record in records] == [0, 2, 4, 1, 3, 5]
        assert await found(k, Switch, term < True) == [0, 2, 4]
        assert await found(k, Switch, term >= True) == [1, 3, 5]
    for term, wanted in (
        (Switch.maybe, [False, False, True, True, None, None]),
        (desc(Switch.maybe), [True, True, False, False, None, None]),
    ):
        assert [record.maybe for record in await k.store[Switch].query().order_by(term).allow_scan().all()] == wanted


@case("C6", needs="aggregates")
async def groups_of_truth_values_are_truth_values(k: Kit) -> None:
    """Groups, distinct values and extremes come back as bool."""
    await put(k, Switch, *({"id": at, "on": at > 1, "indexed": at > 1, "n": at} for at in range(5)))
    for term in (Switch.on, Switch.indexed):
        query = k.store[Switch].query().allow_scan()
        rows = await query.group_by(term).order_by(term).values(v=term, n=agg.count(), s=agg.sum(Switch.n))
        assert rows == [{"v": False, "n": 2, "s": 1}, {"v": True, "n": 3, "s": 9}]
        assert rows[0]["v"] is False
        assert rows[1]["v"] is True
        assert (await query.min(term), await query.max(term)) == (False, True)
        assert type(await query.min(term)) is bool
        assert [row["v"] for row in await query.distinct().order_by(term).values(v=term)] == [False, True]


# JSON values that Python takes for equal, and what each is equal to here.
JSONS = (True, 1, 1.0, False, 0, -0.0, "true", "1", None, [True], [1], {"a": True}, {"a": 1}, [[True]], [[1]], {"a": [False]}, {"a": [0]})
GROUPS = ((0,), (1, 2), (3,), (4, 5), (6,), (7,), (9,), (10,), (11,), (12,), (13,), (14,), (15,), (16,))


@case("C6", each={repr(JSONS[group[0]]): (group,) for group in GROUPS})
async def truth_values_and_numbers_differ_in_json(k: Kit, group: tuple[int, ...]) -> None:
    """At a place in JSON, as the whole value, as an item and deep inside; 1 is 1.0 all the same."""
    await put(k, Crate, *({"id": at, "data": {"v": value}} for at, value in enumerate(JSONS)))
    await put(k, Crate, *({"id": 100 + at, "data": [value, "x"]} for at, value in enumerate(JSONS)))
    others = [at for at in range(len(JSONS)) if at not in group]
    for at in group:
        operand = JSONS[at]
        assert await found(k, Crate, Crate.data["v"] == operand) == list(group)
        assert await found(k, Crate, Crate.data["v"] != operand) == others
        assert await found(k, Crate, one_of(Crate.data["v"], [operand, "nothing"])) == list(group)
        assert await found(k, Crate, not_one_of(Crate.data["v"], [operand])) == others
        assert await found(k, Crate, Crate.data == {"v": operand}) == list(group)
        assert await found(k, Crate, Crate.data == [operand, "x"]) == [100 + each for each in group]
        assert await found(k, Crate, contains(Crate.data, operand)) == [100 + each for each in group]
        assert await found(k, Crate, contains_any(Crate.data, [operand, "nothing"])) == [100 + each for each in group]
        assert await found(k, Crate, Crate.id >= 100, not_(contains(Crate.data, operand))) == [100 + each for each in others]


PLACES: dict[str, tuple[str, Any]] = {
    "True in a list of ints": ("ints", [1, True]),
    "False in a set of ints": ("numbers", {2, False}),
    "True in a dict of ints": ("named", {"a": True}),
    "True in a list of Decimals": ("decimals", [True]),
    "False in a list of floats": ("floats", [0.5, False]),
    "1 in a list of truth values": ("flags", [True, 1]),
    "0 in a list of truth values": ("flags", [0]),
    "True as a number of a record": ("part", Part(True)),
    "1 as the truth value of a record": ("part", Part(1, D(0), 0.0, 1)),
    "True as the Decimal of a record": ("part", Part(0, True)),
    "False as the float of a record": ("part", Part(0, D(0), False)),
}


@case("C6", each={f"{name} by {way}": (*row, way) for name, row in PLACES.items() for way in ("create", "upsert")})
async def containers_keep_truth_values_and_numbers_apart(k: Kit, field: str, value: Any, way: str) -> None:
    """Items and parts are held to their sort, also if an equal one of the right sort is there."""
    await refuses_writes(k, Crate, field, value, way)


@case("C6")
async def containers_are_not_asked_for_the_other(k: Kit) -> None:
    """Operands that are looked for in containers are held to the items' sort."""
    store, watch = await watched(k, Crate)
    for act in (
        lambda: store[Crate].where(contains(Crate.ints, True)),
        lambda: store[Crate].where(contains_any(Crate.numbers, [0, False])),
        lambda: store[Crate].where(contains_all(Crate.flags, [1])),
        lambda: store[Crate].where(Crate.ints[0] == True),
        lambda: store[Crate].where(Crate.flags[0] == 1),
        lambda: store[Crate].where(Crate.named["a"] == False),
        lambda: store[Crate].where(Crate.part.n == True),
        lambda: store[Crate].where(Crate.part.flag == 0),
        lambda: store[Crate].where(Crate.ints == [True]),
        lambda: store[Crate].where(Crate.flags == [1, 0]),
    ):
        await never_begun(watch, QueryError, act)


CHANGES: dict[str, tuple[Any, Any]] = {
    "1 to True": (1, True),
    "True to 1": (True, 1),
    "0 to False": (0, False),
    "False to 0": (False, 0),
    "1 to text": (1, "1"),
    "null to False": (None, False),
}


@case("C6", each=CHANGES)
async def a_truth_value_in_place_of_a_number_is_a_change(k: Kit, before: Any, after: Any) -> None:
    """Saving and upserting JSON write it, though Python calls the two equal."""
    await put(k, Crate, {"id": 1, "data": {"v": before, "l": [[before]]}}, {"id": 2, "data": [before]}, {"id": 3, "data": before})
    crates = k.store[Crate]
    first, second = await crates.get(1), await crates.get(2)
    first.data = {"v": after, "l": [[before]]}
    second.data[0] = after
    await crates.save(first)
    await crates.save(second)
    await crates.upsert(id=3, data=after)
    kept = [record.data for record in await whole(k, Crate)]
    assert json.dumps(kept, sort_keys=True) == json.dumps([{"v": after, "l": [[before]]}, [after], after], sort_keys=True)
    assert await found(k, Crate, Crate.data["v"] == after) == [1]
    assert await found(k, Crate, Crate.data == [after]) == [2]


@case("C6")
async def a_truth_value_is_no_number_of_rows(k: Kit) -> None:
    """limit, offset and the size of a page."""
    store, watch = await watched(k, Count)
    for value in (True, False):
        await never_begun(watch, QueryError, lambda value=value: store[Count].query().limit(value))
        await never_begun(watch, QueryError, lambda value=value: store[Count].query().offset(value))
        await never_begun(watch, QueryError, lambda value=value: store[Count].query().page(value))


@case("C6", needs="set_writes")
async def truth_values_are_set_by_query(k: Kit) -> None:
    """To a value and to another truth field; they come back as bool, and an index knows them."""
    await put(k, Switch, {"id": 1, "on": True}, {"id": 2, "on": False}, {"id": 3, "on": True, "maybe": True})
    assert await k.store[Switch].query().allow_scan().update(indexed=Switch.on) == 3
    assert await found(k, Switch, Switch.indexed == True) == [1, 3]
    assert await k.store[Switch].where(Switch.indexed).allow_scan().update(on=False, maybe=False) == 2
    records = await whole(k, Switch)
    assert [(record.on, record.indexed, record.maybe) for record in records] == [
        (False, True, False),
        (False, False, None),
        (False, True, False),
    ]
    assert {type(value) for record in records for value in (record.on, record.indexed)} == {bool}
