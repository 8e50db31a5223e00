"""B2: a null in every comparison, of every type. Where a comparison is unknown, so is its opposite."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from holdall.query import (
    between,
    contains,
    contains_all,
    contains_any,
    icontains,
    iendswith,
    iexact,
    is_not_null,
    is_null,
    is_same,
    istartswith,
    like,
    not_,
    not_one_of,
    one_of,
)
from holdall.testing.case import case
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.samples import EVERY, ORDERABLE, SAMPLE, Indexed, Sample, Size

Make = Callable[[Any, Any, Any], Any]

# Records 1 and 2 hold the lower and the higher value, record 3 holds null. For each condition: which records meet it.
EQUALITY: dict[str, tuple[Make, set[int]]] = {
    "eq": (lambda f, low, high: f == low, {1}),
    "eq, denied": (lambda f, low, high: not_(f == low), {2}),
    "ne": (lambda f, low, high: f != low, {2}),
    "ne, denied": (lambda f, low, high: not_(f != low), {1}),
    "eq, denied twice": (lambda f, low, high: not_(not_(f == low)), {1}),
}
ORDER: dict[str, tuple[Make, set[int]]] = {
    "lt": (lambda f, low, high: f < high, {1}),
    "lt, denied": (lambda f, low, high: not_(f < high), {2}),
    "lt the least": (lambda f, low, high: f < low, set()),
    "lte": (lambda f, low, high: f <= low, {1}),
    "lte, denied": (lambda f, low, high: not_(f <= low), {2}),
    "gt": (lambda f, low, high: f > low, {2}),
    "gt, denied": (lambda f, low, high: not_(f > low), {1}),
    "gt the greatest": (lambda f, low, high: f > high, set()),
    "gte": (lambda f, low, high: f >= high, {2}),
    "gte, denied": (lambda f, low, high: not_(f >= high), {1}),
    "between": (lambda f, low, high: between(f, low, high), {1, 2}),
    "between, denied": (lambda f, low, high: not_(between(f, low, high)), set()),
    "between, turned round": (lambda f, low, high: between(f, high, low), set()),
    "between, turned round and denied": (lambda f, low, high: not_(between(f, high, low)), {1, 2}),
}
MEMBERSHIP: dict[str, tuple[Make, set[int]]] = {
    "in": (lambda f, low, high: one_of(f, [low]), {1}),
    "in both": (lambda f, low, high: one_of(f, [low, high]), {1, 2}),
    "in, denied": (lambda f, low, high: not_(one_of(f, [low])), {2}),
    "in with null": (lambda f, low, high: one_of(f, [low, None]), {1}),
    "in with null, denied": (lambda f, low, high: not_(one_of(f, [low, None])), set()),
    "not in": (lambda f, low, high: not_one_of(f, [low]), {2}),
    "not in, denied": (lambda f, low, high: not_(not_one_of(f, [low])), {1}),
    "not in with null": (lambda f, low, high: not_one_of(f, [low, None]), set()),
    "not in with null, denied": (lambda f, low, high: not_(not_one_of(f, [low, None])), {1}),
    "in null alone": (lambda f, low, high: one_of(f, [None]), set()),
    "not in null alone": (lambda f, low, high: not_one_of(f, [None]), set()),
    "in null alone, denied": (lambda f, low, high: not_(one_of(f, [None])), set()),
}
NULL_SAFE: dict[str, tuple[Make, set[int]]] = {
    "is null": (lambda f, low, high: is_null(f), {3}),
    "is null, denied": (lambda f, low, high: not_(is_null(f)), {1, 2}),
    "is not null": (lambda f, low, high: is_not_null(f), {1, 2}),
    "is not null, denied": (lambda f, low, high: not_(is_not_null(f)), {3}),
    "same": (lambda f, low, high: is_same(f, low), {1}),
    "same, denied": (lambda f, low, high: not_(is_same(f, low)), {2, 3}),
    "same as null": (lambda f, low, high: is_same(f, None), {3}),
    "same as null, denied": (lambda f, low, high: not_(is_same(f, None)), {1, 2}),
}
ITSELF: dict[str, tuple[Make, set[int]]] = {
    "eq itself": (lambda f, low, high: f == f, {1, 2}),
    "ne itself": (lambda f, low, high: f != f, set()),
    "eq itself, denied": (lambda f, low, high: not_(f == f), set()),
    "same as itself": (lambda f, low, high: is_same(f, f), {1, 2, 3}),
    "same as itself, denied": (lambda f, low, high: not_(is_same(f, f)), set()),
}


async def three(k: Kit, model: Any, name: str, low: Any, high: Any) -> None:
    """Records 1, 2 and 3: the lower value, the higher one, null."""
    await fill(k.store[model], [{"id": 1, name: low}, {"id": 2, name: high}, {"id": 3}])


async def hold(k: Kit, model: Any, name: str, values: tuple[Any, Any], table: dict[str, tuple[Make, set[int]]]) -> None:
    """Every condition of the table finds what it says, and nothing else."""
    low, high = values
    await three(k, model, name, low, high)
    for said, (make, expected) in table.items():
        found = await k.store[model].where(make(getattr(model, name), low, high)).all()
        assert {item.id for item in found} == expected, f"{name} {said}: {sorted(item.id for item in found)}"
        assert len(found) == len(expected), f"{name} {said}: a record came twice"


def each_of(names: Iterable[str]) -> dict[str, str]:
    """Parameters that are their own ids."""
    return {name: name for name in names}


@case("B2", each=each_of(EVERY))
async def equality_with_null_is_unknown(k: Kit, name: str) -> None:
    """== and != find no null, and neither do their opposites."""
    await hold(k, Sample, name, EVERY[name], EQUALITY)


@case("B2", each=each_of(ORDERABLE))
async def order_with_null_is_unknown(k: Kit, name: str) -> None:
    """<, <=, >, >= and between find no null, and neither do their opposites."""
    await hold(k, Sample, name, ORDERABLE[name], ORDER)


@case("B2", each=each_of(EVERY))
async def membership_with_null_is_unknown(k: Kit, name: str) -> None:
    """A null is in no list and out of none; a list that holds a null is left by nothing."""
    await hold(k, Sample, name, EVERY[name], MEMBERSHIP)


@case("B2", each=each_of(EVERY))
async def null_tests_are_never_unknown(k: Kit, name: str) -> None:
    """is_null and is_same know null; each record meets either the test or its opposite."""
    await hold(k, Sample, name, EVERY[name], NULL_SAFE)


@case("B2", each=each_of(name for name in EVERY if name != "data"))
async def a_field_compared_with_itself(k: Kit, name: str) -> None:
    """Null is not equal to itself, nor different; but it is the same."""
    await hold(k, Sample, name, EVERY[name], ITSELF)


@case("B2", each=each_of(["text", "whole", "at", "uid"]))
async def an_index_knows_nulls_as_a_scan_does(k: Kit, name: str) -> None:
    """All conditions again, where an engine may answer from an index."""
    for table in (EQUALITY, ORDER, MEMBERSHIP, NULL_SAFE, ITSELF):
        await hold(k, Indexed, name, ORDERABLE[name], table)
        await k.store.clear(Indexed)


TWO_FIELDS: dict[str, tuple[Callable[[], Any], set[int]]] = {
    "eq": (lambda: SAMPLE.whole == SAMPLE.exact, {1}),
    "ne": (lambda: SAMPLE.whole != SAMPLE.exact, {2}),
    "lt": (lambda: SAMPLE.whole < SAMPLE.exact, {2}),
    "lte": (lambda: SAMPLE.whole <= SAMPLE.exact, {1, 2}),
    "gt": (lambda: SAMPLE.whole > SAMPLE.exact, set()),
    "gt, denied": (lambda: not_(SAMPLE.whole > SAMPLE.exact), {1, 2}),
    "same": (lambda: is_same(SAMPLE.whole, SAMPLE.exact), {1, 5}),
    "same, denied": (lambda: not_(is_same(SAMPLE.whole, SAMPLE.exact)), {2, 3, 4}),
}


@case("B2", each=TWO_FIELDS)
async def two_fields_compared(k: Kit, make: Callable[[], Any], expected: set[int]) -> None:
    """A null on either side, or on both, is unknown; only is_same knows it."""
    values = [(1, 5, 5), (2, 5, 6), (3, 5, None), (4, None, 5), (5, None, None)]
    await fill(k.store[Sample], [{"id": id_, "whole": whole, "exact": exact} for id_, whole, exact in values])
    found = await k.store[Sample].where(make()).all()
    assert sorted(item.id for item in found) == sorted(expected)


ARITHMETIC: dict[str, tuple[Callable[[], Any], set[int]]] = {
    "sum": (lambda: SAMPLE.whole + 1 == 6, {1, 2}),
    "sum, denied": (lambda: not_(SAMPLE.whole + 1 == 6), set()),
    "sum of both": (lambda: SAMPLE.whole + SAMPLE.exact >= 0, {1}),
    "difference of both, denied": (lambda: not_(SAMPLE.whole - SAMPLE.exact > 100), {1}),
    "nothing times zero": (lambda: SAMPLE.exact * 0 == 0, {1, 3}),
    "nothing is nothing": (lambda: is_null(SAMPLE.whole * SAMPLE.exact), {2, 3, 4}),
}


@case("B2", each=ARITHMETIC)
async def arithmetic_with_null_is_null(k: Kit, make: Callable[[], Any], expected: set[int]) -> None:
    """A null operand makes the result null, whatever the other one is."""
    values = [(1, 5, 2), (2, 5, None), (3, None, 2), (4, None, None)]
    await fill(k.store[Sample], [{"id": id_, "whole": whole, "exact": exact} for id_, whole, exact in values])
    found = await k.store[Sample].where(make()).all()
    assert sorted(item.id for item in found) == sorted(expected)


TEXTS: dict[str, Callable[[str], Any]] = {
    "contains": lambda text: contains(SAMPLE.text, text),
    "icontains": lambda text: icontains(SAMPLE.text, text),
    "startswith": lambda text: SAMPLE.text.startswith(text),
    "istartswith": lambda text: istartswith(SAMPLE.text, text),
    "endswith": lambda text: SAMPLE.text.endswith(text),
    "iendswith": lambda text: iendswith(SAMPLE.text, text),
    "iexact": lambda text: iexact(SAMPLE.text, text),
    "like": lambda text: like(SAMPLE.text, text),
}


@case("B2", each=TEXTS)
async def text_tests_of_null_are_unknown(k: Kit, make: Callable[[str], Any]) -> None:
    """Neither the test nor its opposite finds a null, and the empty text is no null."""
    await fill(k.store[Sample], [{"id": 1, "text": "ab"}, {"id": 2, "text": "xy"}, {"id": 3, "text": None}, {"id": 4, "text": ""}])
    found = await k.store[Sample].where(make("ab")).all()
    assert [item.id for item in found] == [1]
    found = await k.store[Sample].where(not_(make("ab"))).all()
    assert sorted(item.id for item in found) == [2, 4]


HELD: dict[str, tuple[Callable[[], Any], set[int]]] = {
    "list": (lambda: contains(SAMPLE.items, "a"), {1}),
    "list, denied": (lambda: not_(contains(SAMPLE.items, "a")), {2}),
    "list, any": (lambda: contains_any(SAMPLE.items, ["a", "b"]), {1}),
    "list, any of nothing": (lambda: contains_any(SAMPLE.items, []), set()),
    "list, any of nothing, denied": (lambda: not_(contains_any(SAMPLE.items, [])), {1, 2}),
    "list, all": (lambda: contains_all(SAMPLE.items, ["a", "z"]), set()),
    "list, all of nothing": (lambda: contains_all(SAMPLE.items, []), {1, 2}),
    "set": (lambda: contains(SAMPLE.marks, 1), {1}),
    "set, denied": (lambda: not_(contains(SAMPLE.marks, 1)), {2}),
    "dict": (lambda: contains(SAMPLE.counts, "a"), {1}),
    "dict, denied": (lambda: not_(contains(SAMPLE.counts, "a")), {2}),
    "dict's item": (lambda: SAMPLE.counts["a"] == 1, {1}),
    "dict's item, denied": (lambda: not_(SAMPLE.counts["a"] == 1), set()),
    "nested": (lambda: SAMPLE.size.note == "x", {1}),
    "nested, denied": (lambda: not_(SAMPLE.size.note == "x"), set()),
    "nested null": (lambda: is_null(SAMPLE.size.note), {2, 3}),
    "nested, its neighbour": (lambda: not_(SAMPLE.size.width == 9), {1, 2}),
}


@case("B2", each=HELD)
async def containers_that_are_null_hold_nothing_and_lack_nothing(k: Kit, make: Callable[[], Any], expected: set[int]) -> None:
    """A test of what a null container holds is unknown; an empty container is known to hold nothing."""
    full: dict[str, Any] = {"items": ["a"], "marks": {1}, "counts": {"a": 1}, "size": Size(1, "x")}
    empty: dict[str, Any] = {"items": [], "marks": set[int](), "counts": {}, "size": Size(2)}
    await fill(k.store[Sample], [{"id": 1, **full}, {"id": 2, **empty}, {"id": 3}])
    found = await k.store[Sample].where(make()).all()
    assert sorted(item.id for item in found) == sorted(expected)


JSON: dict[str, tuple[Callable[[Any], Any], set[int]]] = {
    "eq": (lambda n: n == 1, {1}),
    "eq, denied": (lambda n: not_(n == 1), {2, 3, 4}),
    "lt": (lambda n: n < 5, {1}),
    "lt, denied": (lambda n: not_(n < 5), {2}),
    "in": (lambda n: one_of(n, [1, 9]), {1, 2}),
    "not in": (lambda n: not_one_of(n, [1]), {2, 3, 4}),
    "not in with null": (lambda n: not_one_of(n, [1, None]), set()),
    "is null": (lambda n: is_null(n), {5, 6}),
    "is null, denied": (lambda n: not_(is_null(n)), {1, 2, 3, 4}),
}


@case("B2", each=JSON)
async def what_json_lacks_is_unknown(k: Kit, make: Callable[[Any], Any], expected: set[int]) -> None:
    """A missing member is null, and so is every member of a null field. Values of other JSON types are different, and unordered."""
    values: list[Any] = [{"n": 1}, {"n": 9}, {"n": "1"}, {"n": None}, {}, None]
    await fill(k.store[Sample], [{"id": number, "data": value} for number, value in enumerate(values, 1)])
    found = await k.store[Sample].where(make(SAMPLE.data["n"])).all()
    assert sorted(item.id for item in found) == sorted(expected)
