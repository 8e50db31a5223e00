"""C3: float is a finite double, exact to the bit; NaN and infinities are refused; -0.0 becomes 0.0."""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from holdall.errors import QueryError, SizeLimit, UniqueViolation
from holdall.query import agg, between, contains, contains_any, desc, is_same, not_one_of, one_of
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import numbers, unique_numbers
from holdall.testing.models.numbers import Part
from holdall.testing.steps import found, never_begun, put, watched, whole
from holdall.testing.ways import WRITES, refuses_filters, refuses_writes

# To type checkers a field is a plain value; here it stands for a term of a query.
Crate: Any = numbers.Crate
Measure: Any = numbers.Measure
Serial: Any = unique_numbers.Serial

MOST, LEAST, TINY = sys.float_info.max, sys.float_info.min, 5e-324


def bits(value: float) -> str:
    """The eight bytes of a double."""
    return struct.pack(">d", value).hex()


EXACT: dict[str, float] = {
    "nothing": 0.0,
    "a tenth": 0.1,
    "sum of tenths": 0.1 + 0.2,
    "a third": 1 / 3,
    "pi": math.pi,
    "next above one": math.nextafter(1.0, 2.0),
    "next below one": math.nextafter(1.0, 0.0),
    "greatest": MOST,
    "next to the greatest": math.nextafter(MOST, 0.0),
    "least": -MOST,
    "smallest normal": LEAST,
    "greatest denormal": math.nextafter(LEAST, 0.0),
    "smallest denormal": TINY,
    "smallest denormal below nothing": -TINY,
    "a denormal": 2.2250738585072011e-308,
    "above 2**53": 2.0**53 + 2,
    "2**53": 2.0**53,
    "2**63": 2.0**63,
    "2**64": 2.0**64,
    "a large whole one": 1e22,
    "one that prints in 17 digits": 5e-310 + 1.2345678901234567,
    "one near a power of ten": 9007199254740993e-1,
    "hard to read": 2.2250738585072014e-308 * 3,
    "hard to print": 9.5e-7,
    "negative": -1.5,
    "whole": 3.0,
}


@case("C3", each=EXACT)
async def floats_are_exact_to_the_bit(k: Kit, number: float) -> None:
    """As a field, an item, a value and a part of a record; found by their value and by no neighbour of it."""
    await put(k, Measure, {"id": 1, "x": number, "indexed": number, "maybe": number})
    await put(k, Crate, {"id": 1, "floats": [number], "part": Part(0, Decimal(0), number)})
    record, crate = await k.store[Measure].get(1), await k.store[Crate].get(1)
    for value in (record.x, record.indexed, record.maybe, crate.floats[0], crate.part.x):
        assert (type(value), bits(value)) == (float, bits(number))
    beside = [math.nextafter(number, side) for side in (-math.inf, math.inf)]
    beside = [value for value in beside if math.isfinite(value)]
    for term in (Measure.x, Measure.indexed, Measure.maybe):
        assert await found(k, Measure, term == number) == [1]
        assert await found(k, Measure, one_of(term, [number])) == [1]
        assert await found(k, Measure, one_of(term, beside)) == []
        assert await found(k, Measure, not_one_of(term, beside)) == [1]
        for value in beside:
            assert await found(k, Measure, term == value) == []
            assert await found(k, Measure, term != value) == [1]
            assert await found(k, Measure, term < value) == ([1] if number < value else [])
            assert await found(k, Measure, term > value) == ([1] if number > value else [])
    for term in (Crate.floats[0], Crate.part.x):
        assert await found(k, Crate, term == number) == [1], str(term)
        for value in beside:
            assert await found(k, Crate, term == value) == [], str(term)
            assert await found(k, Crate, term < value) == ([1] if number < value else []), str(term)
    assert await found(k, Crate, contains(Crate.floats, number)) == [1]
    assert await found(k, Crate, contains_any(Crate.floats, beside)) == []


@case("C3", each=EXACT)
async def doubles_in_json_are_exact(k: Kit, number: float) -> None:
    """A number in JSON is the same double; a whole one up to 2**53 is an int, which is equal."""
    await put(k, Crate, {"id": 1, "data": {"x": number, "l": [number]}})
    crate = await k.store[Crate].get(1)
    kind = int if number.is_integer() and abs(number) <= 2**53 else float
    for value in (crate.data["x"], crate.data["l"][0]):
        assert (type(value), bits(float(value))) == (kind, bits(number))
    assert await found(k, Crate, Crate.data["x"] == number) == [1]
    assert await found(k, Crate, contains(Crate.data["l"], number)) == [1]
    for side in (-math.inf, math.inf):
        value = math.nextafter(number, side)
        if math.isfinite(value):
            assert await found(k, Crate, Crate.data["x"] == value) == []
            assert await found(k, Crate, Crate.data["x"] < value) == ([1] if number < value else [])


@case(
    "C3",
    each={
        f"{name} by {way}": (field, way)
        for name, field in (("a field", "x"), ("an index", "indexed"), ("one that may be null", "maybe"))
        for way in WRITES
    },
)
async def minus_nothing_becomes_nothing(k: Kit, field: str, way: str) -> None:
    """-0.0 is stored as 0.0 by every way of writing, and equals it as an operand."""
    measures = k.store[Measure]
    old = await measures.create(id=1, x=1.0, indexed=1.0, maybe=1.0)
    if way == "create":
        await measures.create(id=2, **{field: -0.0})
    elif way == "create_many":
        await measures.create_many([{"id": 2, field: -0.0}])
    elif way == "save of a new one":
        await measures.save(Measure(id=2, **{field: -0.0}))
    elif way == "upsert of a new one":
        await measures.upsert(id=2, **{field: -0.0})
    elif way == "upsert":
        await measures.upsert(id=1, **{field: -0.0})
    else:
        setattr(old, field, -0.0)
        await measures.save(old)
    key = 1 if way in ("upsert", "save") else 2
    assert bits(getattr(await measures.get(key), field)) == bits(0.0)
    term = getattr(Measure, field)
    for operand in (0.0, -0.0, 0):
        assert key in await found(k, Measure, term == operand)
        assert key not in await found(k, Measure, term < operand)
        assert key in await found(k, Measure, is_same(term, operand))


@case("C3")
async def minus_nothing_becomes_nothing_inside_values(k: Kit) -> None:
    """In JSON, lists and records."""
    await put(k, Crate, {"id": 1, "data": {"x": -0.0}, "floats": [-0.0, 1.5], "part": Part(0, Decimal("-0"), -0.0)})
    crate = await k.store[Crate].get(1)
    assert [bits(value) for value in (crate.data["x"], crate.floats[0], crate.part.x)] == [bits(0.0)] * 3
    assert str(crate.part.d) == "0"
    assert await found(k, Crate, contains(Crate.floats, 0.0), Crate.data["x"] == 0) == [1]
    assert await found(k, Crate, Crate.floats == [0.0, 1.5], Crate.part.x == -0.0) == [1]


@case("C3", needs="set_writes")
async def minus_nothing_becomes_nothing_in_updates_by_query(k: Kit) -> None:
    """update() with -0.0."""
    await put(k, Measure, {"id": 1, "x": 1.0, "indexed": 1.0, "maybe": 1.0})
    assert await k.store[Measure].query().allow_scan().update(x=-0.0, indexed=-0.0, maybe=-0.0) == 1
    record = await k.store[Measure].get(1)
    assert [bits(value) for value in (record.x, record.indexed, record.maybe)] == [bits(0.0)] * 3


WRONG: dict[str, Any] = {
    "nan": math.nan,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "nan with a payload": struct.unpack(">d", bytes.fromhex("fff8000000000001"))[0],
}


@case(
    "C3",
    each={
        f"{name} by {way}": (field, value, way)
        for (name, value), field in zip(WRONG.items(), ("x", "indexed", "maybe", "x"), strict=True)
        for way in WRITES
    },
)
async def what_is_not_finite_is_refused(k: Kit, field: str, value: float, way: str) -> None:
    """NaN and the infinities, by every way of writing; the backend is not asked."""
    await refuses_writes(k, Measure, field, value, way)


@case("C3", needs="set_writes", each=WRONG)
async def what_is_not_finite_is_refused_in_updates_by_query(k: Kit, value: float) -> None:
    """update() with such a value."""
    await refuses_writes(k, Measure, "x", value, "update")


@case("C3", each=WRONG)
async def what_is_not_finite_is_no_operand(k: Kit, value: float) -> None:
    """Refused when the query is built, where NaN would compare with nothing."""
    await refuses_filters(k, Measure, "x", value)


PLACES: dict[str, tuple[str, Callable[[float], Any]]] = {
    "JSON": ("data", lambda value: value),
    "a member of an object": ("data", lambda value: {"a": [value]}),
    "an item of a list": ("floats", lambda value: [1.0, value]),
    "a part of a record": ("part", lambda value: Part(0, Decimal(0), value)),
}


@case("C3", each={f"{name} as {place}": (place, WRONG[name]) for name in ("nan", "infinity") for place in PLACES})
async def what_is_not_finite_is_refused_inside_values(k: Kit, place: str, value: float) -> None:
    """JSON, lists and records are looked through, in values and in operands."""
    field, make = PLACES[place]
    for way in ("create", "save", "upsert"):
        await refuses_writes(k, Crate, field, make(value), way)
    store, watch = await watched(k, Crate)
    for act in (
        lambda: store[Crate].where(Crate.data["a"] == value),
        lambda: store[Crate].where(contains(Crate.data, value)),
        lambda: store[Crate].where(Crate.floats[0] > value),
        lambda: store[Crate].where(contains(Crate.floats, value)),
        lambda: store[Crate].where(Crate.part.x == value),
    ):
        await never_begun(watch, QueryError, act)


@case("C3", each={f"{number} as {field}": (field, number) for number in (2**53 + 1, -(2**53) - 1, 10**400) for field in ("x", "maybe")})
async def an_int_that_is_no_double_is_refused(k: Kit, field: str, number: int) -> None:
    """An int is taken for a float only where it is exact, as value and as operand."""
    await refuses_writes(k, Measure, field, number, "create")
    await refuses_writes(k, Measure, field, number, "save")
    await refuses_filters(k, Measure, field, number)
    for exact in (2**53, -(2**53), 0, 1):
        await k.store[Measure].upsert(id=7, **{field: exact})
        record = await k.store[Measure].get(7)
        assert (type(getattr(record, field)), getattr(record, field)) == (float, exact)
        assert 7 in await found(k, Measure, getattr(Measure, field) == exact)


ORDERED = sorted({*EXACT.values(), -MOST, -1.0, -LEAST, -0.1, 1.0, 2.0, 10.0, 9.0, 1e16, 1e15})


@case("C3", each=("x", "indexed", "maybe"))
async def floats_are_sorted_as_numbers(k: Kit, field: str) -> None:
    """The whole order in both directions, its beginning, ranges, and pages over neighbouring doubles."""
    await put(k, Measure, *({"id": at, field: value} for at, value in enumerate(ORDERED[::-1])))
    term = getattr(Measure, field)
    query = k.store[Measure].query().order_by(term).allow_scan()
    assert [getattr(record, field) for record in await query.all()] == ORDERED
    assert [
        getattr(record, field) for record in await k.store[Measure].query().order_by(desc(term)).allow_scan().limit(4).all()
    ] == ORDERED[:-5:-1]
    seen: list[float] = []
    page = await query.page(3)
    while True:
        seen += [getattr(record, field) for record in page]
        if page.next_cursor is None:
            break
        page = await query.page(3, page.next_cursor)
    assert [bits(value) for value in seen] == [bits(value) for value in ORDERED]
    low, high = ORDERED[7], ORDERED[-4]
    assert await found(k, Measure, between(term, low, high)) == [at for at, value in enumerate(ORDERED[::-1]) if low <= value <= high]


SUMS: dict[str, tuple[tuple[float, ...], float]] = {
    "tenths": ((0.1,) * 10, 1.0),
    "large cancels": ((1e16, 1.0, -1e16), 1.0),
    "large cancels, otherwise": ((1.0, 1e100, 1.0, -1e100), 2.0),
    "many small beside a large": ((1e16, *(1.0,) * 9), 1e16 + 9 + 0.0),
    "denormals": ((TINY, TINY), 2 * TINY),
    "to nothing": ((0.1, -0.1), 0.0),
    "one": ((0.1,), 0.1),
    "passes the greatest on its way": ((MOST, 1.0, -MOST), 1.0),
}


@case("C3", needs="aggregates", each=SUMS)
async def sums_are_rounded_once(k: Kit, values: tuple[float, ...], total: float) -> None:
    """The nearest double of the exact sum, whatever the order of the rows; of all, of groups, and in averages."""
    total = math.fsum(values) + 0.0 if total not in (1.0, 2.0) else total
    await put(k, Measure, *({"id": at, "x": value, "indexed": value, "maybe": value, "group": 0} for at, value in enumerate(values)))
    await put(
        k, Measure, *({"id": 100 + at, "x": value, "indexed": value, "maybe": value, "group": 1} for at, value in enumerate(values[::-1]))
    )
    for term in (Measure.x, Measure.indexed, Measure.maybe):
        for group in (0, 1):
            query = k.store[Measure].where(group=group).allow_scan()
            summed, average = await query.sum(term), await query.avg(term)
            assert (type(summed), bits(summed)) == (float, bits(total))
            assert (type(average), bits(average)) == (float, bits(total / len(values) + 0.0))
        rows = await k.store[Measure].query().allow_scan().group_by(Measure.group).values(s=agg.sum(term))
        assert [bits(row["s"]) for row in rows] == [bits(total)] * 2


@case("C3", needs="aggregates", each={"above": (MOST, MOST), "below": (-MOST, -MOST)})
async def a_sum_beyond_the_doubles_is_an_error(k: Kit, one: float, other: float) -> None:
    """It does not become infinite."""
    await put(k, Measure, {"id": 1, "x": one}, {"id": 2, "x": other})
    with k.refused(SizeLimit):
        await k.store[Measure].query().allow_scan().sum(Measure.x)


@case("C3", needs="aggregates")
async def floats_are_grouped_by_their_bits(k: Kit) -> None:
    """Neighbours are groups of their own; -0.0 and 0.0 are one. The extremes come back exactly."""
    values = [0.0, -0.0, 0.1, math.nextafter(0.1, 1), TINY, MOST, 0.1]
    await put(k, Measure, *({"id": at, "x": value, "indexed": value} for at, value in enumerate(values)))
    for term in (Measure.x, Measure.indexed):
        query = k.store[Measure].query().allow_scan()
        rows = await query.group_by(term).order_by(term).values(x=term, n=agg.count())
        assert [(bits(row["x"]), row["n"]) for row in rows] == [
            (bits(value), n) for value, n in ((0.0, 2), (TINY, 1), (0.1, 2), (math.nextafter(0.1, 1), 1), (MOST, 1))
        ]
        assert len(await query.distinct().values(x=term)) == 5
        assert await query.values(n=agg.count(term, distinct=True)) == [{"n": 5}]
        assert (await query.min(term), await query.max(term)) == (0.0, MOST)


@case("C3", needs="unique")
async def unique_floats_are_compared_by_their_bits(k: Kit) -> None:
    """Neighbours are two values, -0.0 and 0.0 one."""
    values = (0.0, TINY, 0.1, math.nextafter(0.1, 1), MOST)
    await put(k, Serial, *({"id": at, "x": value} for at, value in enumerate(values)))
    for value in (*values, -0.0):
        with k.refused(UniqueViolation, fields=("x",)):
            await k.store[Serial].create(id=100, x=value)
    await k.store[Serial].upsert(by="x", id=100, x=-0.0, rank=1)
    assert [record.rank for record in await whole(k, Serial)] == [1, 0, 0, 0, 0]
