"""C1: int has 64 bits with a sign, checked before any I/O, exact everywhere."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from holdall.errors import QueryError, SizeLimit, UniqueViolation
from holdall.query import agg, asc, between, contains, contains_all, desc, not_one_of, one_of
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import numbers, unique_numbers
from holdall.testing.models.numbers import Part
from holdall.testing.samples import INT_MAX, INT_MIN, INTS
from holdall.testing.steps import found, never_begun, put, watched, whole
from holdall.testing.ways import WRITES, refuses_filters, refuses_writes

# To type checkers a field is a plain value; here it stands for a term of a query.
Count: Any = numbers.Count
Crate: Any = numbers.Crate
Serial: Any = unique_numbers.Serial

BEYOND = {"one above": INT_MAX + 1, "one below": INT_MIN - 1, "as unsigned": 2**64 - 1, "far above": 10**40, "far below": -(10**40)}

# Neighbours that become the same number in a double, or in 32 bits.
NEIGHBOURS = {
    "above 2**53": (2**53, 2**53 + 1),
    "below -2**53": (-(2**53) - 1, -(2**53)),
    "the greatest": (INT_MAX - 1, INT_MAX),
    "the least": (INT_MIN, INT_MIN + 1),
    "middle of 2**62": (2**62, 2**62 + 1),
    "same low word": (1, 2**32 + 1),
    "sign of 32 bits": (-(2**31), 2**31),
    "around nothing": (-1, 0),
}


async def _fill(k: Kit, *numbers: int) -> None:
    await put(k, Count, *({"id": at, "n": number, "indexed": number, "maybe": number} for at, number in enumerate(numbers)))


@case("C1", each=INTS)
async def every_integer_comes_back_exactly(k: Kit, number: int) -> None:
    """As a field, a key, an item, a value and in JSON; found by its value, and by no other."""
    await put(k, Count, {"id": number, "n": number, "indexed": number, "maybe": number})
    row = {"data": {"n": number, "l": [number]}, "ints": [number], "numbers": {number}, "named": {"n": number}, "part": Part(number)}
    await put(k, Crate, {"id": number, **row})
    record = await k.store[Count].get(number)
    assert (record.id, record.n, record.indexed, record.maybe) == (number,) * 4
    assert {type(value) for value in (record.id, record.n, record.indexed, record.maybe)} == {int}
    crate = await k.store[Crate].get(number)
    assert {name: getattr(crate, name) for name in row} == row
    assert {
        type(value) for value in (crate.data["n"], crate.data["l"][0], crate.ints[0], *crate.numbers, crate.named["n"], crate.part.n)
    } == {int}
    for term in (Count.id, Count.n, Count.indexed, Count.maybe):
        assert await found(k, Count, term == number) == [number], str(term)
    for term in (Crate.data["n"], Crate.data["l"][0], Crate.ints[0], Crate.named["n"], Crate.part.n):
        assert await found(k, Crate, term == number) == [number], str(term)
    for term in (Crate.ints, Crate.numbers, Crate.data["l"]):
        assert await found(k, Crate, contains(term, number)) == [number], str(term)


@case("C1", each=NEIGHBOURS)
async def neighbours_are_two_numbers(k: Kit, less: int, greater: int) -> None:
    """Equality, order, membership and ranges keep apart what a double or a shorter integer would not."""
    await _fill(k, greater, less)
    for term in (Count.n, Count.indexed, Count.maybe):
        assert await found(k, Count, term == less) == [1]
        assert await found(k, Count, term != less) == [0]
        assert await found(k, Count, term < greater) == [1]
        assert await found(k, Count, term <= less) == [1]
        assert await found(k, Count, term > less) == [0]
        assert await found(k, Count, term >= greater) == [0]
        assert await found(k, Count, between(term, less, less)) == [1]
        assert await found(k, Count, one_of(term, [greater, 7])) == [0]
        assert await found(k, Count, not_one_of(term, [greater, 7])) == [1]
        assert [record.n for record in await k.store[Count].query().order_by(term).allow_scan().all()] == [less, greater]
        assert [record.n for record in await k.store[Count].query().order_by(desc(term)).allow_scan().all()] == [greater, less]


@case("C1", each=NEIGHBOURS)
async def neighbours_inside_values_are_two_numbers(k: Kit, less: int, greater: int) -> None:
    """The same for places inside JSON, lists, dicts and records, and for items."""
    for at, number in ((1, greater), (2, less)):
        row = {"data": {"n": number, "l": [number]}, "ints": [number], "numbers": {number}, "named": {"n": number}, "part": Part(number)}
        await put(k, Crate, {"id": at, **row})
    for term in (Crate.data["n"], Crate.ints[0], Crate.named["n"], Crate.part.n):
        assert await found(k, Crate, term == less) == [2], str(term)
        assert await found(k, Crate, term < greater) == [2], str(term)
        assert await found(k, Crate, term > less) == [1], str(term)
        assert await found(k, Crate, one_of(term, [greater])) == [1], str(term)
    for term in (Crate.data["l"], Crate.ints, Crate.numbers):
        assert await found(k, Crate, contains(term, less)) == [2], str(term)
        assert await found(k, Crate, contains_all(term, [less, greater])) == [], str(term)
    assert await found(k, Crate, Crate.ints == [greater]) == [1]
    assert await found(k, Crate, Crate.data == {"n": less, "l": [less]}) == [2]


@case("C1", each=NEIGHBOURS)
async def neighbours_are_two_keys(k: Kit, less: int, greater: int) -> None:
    """Getting, removing and upserting by key."""
    await put(k, Count, {"id": greater, "n": 1}, {"id": less, "n": 2})
    assert [record.n for record in await k.store[Count].get_many([less, greater])] == [2, 1]
    await k.store[Count].upsert(id=less, n=3)
    await k.store[Count].delete(await k.store[Count].get(greater))
    assert await k.store[Count].get(greater) is None
    assert [(record.id, record.n) for record in await whole(k, Count)] == [(less, 3)]


@case("C1", needs="unique", each=NEIGHBOURS)
async def neighbours_are_two_unique_values(k: Kit, less: int, greater: int) -> None:
    """Both are taken in, each once; an upsert meets its own."""
    await put(k, Serial, {"id": 1, "n": less}, {"id": 2, "n": greater})
    with k.refused(UniqueViolation, fields=("n",)):
        await k.store[Serial].create(id=3, n=greater)
    await k.store[Serial].upsert(by="n", id=9, n=greater, rank=5)
    assert [(record.id, record.n, record.rank) for record in await whole(k, Serial)] == [(1, less, 0), (2, greater, 5)]


@case("C1", each={"ascending": (False,), "descending": (True,)})
async def integers_are_sorted_as_numbers(k: Kit, descending: bool) -> None:
    """The whole order, its beginning, and pages over it."""
    await _fill(k, *INTS[::-1])
    wanted = sorted(INTS, reverse=descending)
    for term in (Count.n, Count.indexed, Count.maybe):
        query = k.store[Count].query().order_by(desc(term) if descending else asc(term)).allow_scan()
        assert [record.n for record in await query.all()] == wanted
        assert [record.n for record in await query.limit(4).all()] == wanted[:4]
        seen: list[int] = []
        page = await query.page(4)
        while True:
            seen += [record.n for record in page]
            if page.next_cursor is None:
                break
            page = await query.page(4, page.next_cursor)
        assert seen == wanted


@case("C1")
async def keys_are_sorted_as_numbers(k: Kit) -> None:
    """Not as text, and with the sign."""
    await put(k, Count, *({"id": number} for number in INTS))
    page = await k.store[Count].query().allow_scan().page(100)
    assert [record.id for record in page] == sorted(INTS)
    assert (await k.store[Count].query().allow_scan().last()).id == INT_MAX
    assert await found(k, Count, Count.id > 2**53) == [number for number in INTS if number > 2**53]


@case(
    "C1",
    each={
        f"{name} by {way}": (field, number, way)
        for name, number in BEYOND.items()
        for field, way in zip(("n", "indexed", "maybe", "n", "indexed", "maybe"), WRITES, strict=True)
    },
)
async def integers_beyond_64_bits_are_refused(k: Kit, field: str, number: int, way: str) -> None:
    """By no way of writing do they get in, and the backend is not asked."""
    await refuses_writes(k, Count, field, number, way)


@case("C1", needs="set_writes", each=BEYOND)
async def integers_beyond_64_bits_are_refused_in_updates_by_query(k: Kit, number: int) -> None:
    """update() with such a value, and with such a number to add."""
    await refuses_writes(k, Count, "n", number, "update")


@case("C1", each=BEYOND)
async def integers_beyond_64_bits_are_no_operands(k: Kit, number: int) -> None:
    """Every comparison with one is refused when the query is built."""
    await refuses_filters(k, Count, "n", number)


@case("C1", each=BEYOND)
async def integers_beyond_64_bits_are_no_keys(k: Kit, number: int) -> None:
    """Nor can they be asked for."""
    store, watch = await watched(k, Count)
    await never_begun(watch, QueryError, lambda: store[Count].get(number))
    await never_begun(watch, QueryError, lambda: store[Count].get_many([1, number]))
    await refuses_writes(k, Count, "maybe", number, "create")


PLACES: dict[str, tuple[str, Callable[[int], Any]]] = {
    "JSON": ("data", lambda number: number),
    "a member of an object": ("data", lambda number: {"a": number}),
    "deep inside JSON": ("data", lambda number: [[{"a": [number]}]]),
    "an item of a list": ("ints", lambda number: [1, number]),
    "an item of a set": ("numbers", lambda number: {1, number}),
    "a value of a dict": ("named", lambda number: {"a": number}),
    "a part of a record": ("part", Part),
}


@case("C1", each={f"{name} as {place}": (place, BEYOND[name]) for name in ("one above", "one below") for place in PLACES})
async def integers_beyond_64_bits_are_refused_inside_values(k: Kit, place: str, number: int) -> None:
    """JSON, lists, sets, dicts and records are looked through."""
    field, make = PLACES[place]
    for way in ("create", "save", "upsert"):
        await refuses_writes(k, Crate, field, make(number), way)


@case("C1", each=BEYOND)
async def integers_beyond_64_bits_are_no_operands_inside_values(k: Kit, number: int) -> None:
    """Items, and places inside JSON, lists, dicts and records."""
    store, watch = await watched(k, Crate)
    for act in (
        lambda: store[Crate].where(Crate.data["n"] == number),
        lambda: store[Crate].where(Crate.data == [number]),
        lambda: store[Crate].where(contains(Crate.data, number)),
        lambda: store[Crate].where(contains(Crate.ints, number)),
        lambda: store[Crate].where(contains(Crate.numbers, number)),
        lambda: store[Crate].where(Crate.ints == [number]),
        lambda: store[Crate].where(Crate.ints[0] < number),
        lambda: store[Crate].where(Crate.named["n"] >= number),
        lambda: store[Crate].where(Crate.part.n == number),
    ):
        await never_begun(watch, QueryError, act)


@case("C1", needs="aggregates")
async def sums_are_exact(k: Kit) -> None:
    """A sum that is within 64 bits, though it was not on the way; of all and of groups."""
    await _fill(k, INT_MAX, INT_MAX, INT_MIN, INT_MIN, 5)
    query = k.store[Count].query().allow_scan()
    for term in (Count.n, Count.indexed, Count.maybe):
        total = await query.sum(term)
        assert (total, type(total)) == (3, int)
        assert await k.store[Count].where(term > 5).allow_scan().avg(term) == Decimal(INT_MAX)
        assert await query.avg(term) == Decimal("0.6")
        assert (await query.min(term), await query.max(term)) == (INT_MIN, INT_MAX)
        rows = await query.values(s=agg.sum(term, distinct=True), n=agg.count(term, distinct=True))
        assert rows == [{"s": 4, "n": 3}]
    await _fill_more(k, (10, 2**53), (11, 1), (12, 2**53), (13, 1))
    assert await k.store[Count].where(Count.id >= 10).allow_scan().sum(Count.n) == 2**54 + 2
    rows = await k.store[Count].where(Count.id >= 10).allow_scan().group_by(Count.n).order_by(Count.n).values(n=Count.n, s=agg.sum(Count.n))
    assert rows == [{"n": 1, "s": 2}, {"n": 2**53, "s": 2**54}]


async def _fill_more(k: Kit, *pairs: tuple[int, int]) -> None:
    await put(k, Count, *({"id": at, "n": number, "indexed": number} for at, number in pairs))


@case("C1", needs="aggregates", each={"above": (INT_MAX, 1), "below": (INT_MIN, -1), "far above": (INT_MAX, INT_MAX)})
async def a_sum_beyond_64_bits_is_an_error(k: Kit, one: int, other: int) -> None:
    """It neither wraps around nor becomes a float; the average of the same numbers is exact."""
    await _fill(k, one, other)
    query = k.store[Count].query().allow_scan()
    for term in (Count.n, Count.indexed, Count.maybe):
        with k.refused(SizeLimit):
            await query.sum(term)
        with k.refused(SizeLimit):
            await query.group_by(Count.version).values(s=agg.sum(term))
        assert await query.avg(term) == (Decimal(one) + Decimal(other)) / 2


@case(
    "C1",
    needs="aggregates",
    each={
        "thirds": ((1, 0, 0), "0." + "3" * 38),
        "two thirds": ((1, 1, 0), "0." + "6" * 37 + "7"),
        "exact": ((1, 2), "1.5"),
        "large": ((INT_MAX, INT_MAX - 1), "9223372036854775806.5"),
        "negative": ((-1, 0), "-0.5"),
        "whole": ((2, 4), "3"),
        "nothing": ((-1, 1), "0"),
    },
)
async def averages_are_decimals(k: Kit, numbers: tuple[int, ...], wanted: str) -> None:
    """To 38 digits, half to even, without zeros at the end."""
    await _fill(k, *numbers)
    for term in (Count.n, Count.indexed, Count.maybe):
        average = await k.store[Count].query().allow_scan().avg(term)
        assert (type(average), str(average)) == (Decimal, wanted)


@case("C1", needs="aggregates")
async def integers_are_grouped_exactly(k: Kit) -> None:
    """Neighbours are groups of their own, and count once as distinct values."""
    numbers = sorted({number for pair in NEIGHBOURS.values() for number in pair})
    await _fill(k, *numbers, *numbers)
    for term in (Count.n, Count.indexed, Count.maybe):
        rows = await k.store[Count].query().allow_scan().group_by(term).order_by(term).values(n=term, times=agg.count())
        assert rows == [{"n": number, "times": 2} for number in numbers]
        assert await k.store[Count].query().allow_scan().distinct().order_by(term).values(n=term) == [{"n": number} for number in numbers]
