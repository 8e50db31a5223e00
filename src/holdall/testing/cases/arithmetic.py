"""C4: arithmetic on int and Decimal is exact; what does not fit is an error that changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from holdall.errors import CheckViolation, NotNullViolation, QueryError, SizeLimit, Unsupported
from holdall.query import Arith, Value, agg, asc, between, desc, key_ref, one_of
from holdall.schema import Entity, Type
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import checked_numbers, numbers
from holdall.testing.samples import INT_MAX, INT_MIN
from holdall.testing.steps import found, never_begun, put, watched, whole
from holdall.testing.ways import WRITES, refuses_writes

D = Decimal

# To type checkers a field is a plain value; here it stands for a term of a query.
Stock: Any = checked_numbers.Stock
Amount: Any = numbers.Amount
Bounded: Any = numbers.Bounded
Count: Any = numbers.Count
Measure: Any = numbers.Measure
Sorts: Any = numbers.Sorts
Switch: Any = numbers.Switch

NINES = "9" * 38

# An expression over n (plain), indexed and maybe of a record, and what it is for them.
WHOLE: dict[str, tuple[Callable[[], Any], Callable[[int, int], int]]] = {
    "plus": (lambda: Count.n + 1, lambda n, _: n + 1),
    "plus from the left": (lambda: 1 + Count.n, lambda n, _: n + 1),
    "plus a negative": (lambda: Count.n + -3, lambda n, _: n - 3),
    "minus": (lambda: Count.n - 5, lambda n, _: n - 5),
    "minus from the left": (lambda: 5 - Count.n, lambda n, _: 5 - n),
    "times": (lambda: Count.n * 3, lambda n, _: n * 3),
    "times from the left": (lambda: -2 * Count.n, lambda n, _: n * -2),
    "times nothing": (lambda: Count.n * 0, lambda n, _: n * 0),
    "two fields": (lambda: Count.n + Count.indexed, lambda n, m: n + m),
    "difference of fields": (lambda: Count.indexed - Count.n, lambda n, m: m - n),
    "product of fields": (lambda: Count.n * Count.indexed, lambda n, m: n * m),
    "square": (lambda: Count.n * Count.n, lambda n, _: n * n),
    "nested": (lambda: (Count.n + 2) * (Count.indexed - 3), lambda n, m: (n + 2) * (m - 3)),
    "precedence": (lambda: Count.n + Count.indexed * 2, lambda n, m: n + m * 2),
    "grouped to the right": (lambda: Count.n - (Count.indexed - 4), lambda n, m: n - (m - 4)),
    "grouped to the left": (lambda: Count.n - Count.indexed - 4, lambda n, m: n - m - 4),
    "above 2**53": (lambda: Count.n + (2**53 + 1), lambda n, _: n + 2**53 + 1),
    "the field itself": (lambda: Count.indexed, lambda _, m: m),
}
ROWS = ((7, 3), (-7, 3), (0, 0), (2**31, -2), (-(2**31), 2**20))


@case("C4", needs="set_writes", each=WHOLE)
async def integers_are_computed_exactly(k: Kit, make: Callable[[], Any], wanted: Callable[[int, int], int]) -> None:
    """In an update, into a plain and an indexed field, where the new values are found; each record counts one version."""
    await put(k, Count, *({"id": at, "n": n, "indexed": m} for at, (n, m) in enumerate(ROWS)))
    assert await k.store[Count].query().allow_scan().update(n=make(), indexed=make()) == len(ROWS)
    expected = [wanted(n, m) for n, m in ROWS]
    records = await whole(k, Count)
    assert [record.n for record in records] == [record.indexed for record in records] == expected
    assert {type(record.n) for record in records} == {int}
    assert {record.version for record in records} == {2}
    for value in set(expected):
        assert await found(k, Count, Count.indexed == value) == [at for at, each in enumerate(expected) if each == value]


@case("C4", each=WHOLE)
async def integers_are_computed_in_questions(k: Kit, make: Callable[[], Any], wanted: Callable[[int, int], int]) -> None:
    """The same in conditions, orders and columns, where nothing is written."""
    await put(k, Count, *({"id": at, "n": n, "indexed": m} for at, (n, m) in enumerate(ROWS)))
    expected = [wanted(n, m) for n, m in ROWS]
    for pivot in (0, 4, expected[0], expected[-1]):
        assert await found(k, Count, make() == pivot) == [at for at, value in enumerate(expected) if value == pivot]
        assert await found(k, Count, make() > pivot) == [at for at, value in enumerate(expected) if value > pivot]
        assert await found(k, Count, make() <= Count.n) == [at for at, value in enumerate(expected) if value <= ROWS[at][0]]
    assert await found(k, Count, between(make(), -100, 100)) == [at for at, value in enumerate(expected) if -100 <= value <= 100]
    assert await found(k, Count, one_of(make(), [expected[0], 10**9])) == [
        at for at, value in enumerate(expected) if value in (expected[0], 10**9)
    ]
    rows = await k.store[Count].query().order_by(Count.id).allow_scan().values("id", value=make())
    assert [row["value"] for row in rows] == expected
    ordered = await k.store[Count].query().order_by(desc(make()), asc(Count.id)).allow_scan().all()
    assert [record.id for record in ordered] == sorted(range(len(ROWS)), key=lambda at: (-expected[at], at))


@case("C4", needs="aggregates", each=WHOLE)
async def integers_are_computed_in_aggregates(k: Kit, make: Callable[[], Any], wanted: Callable[[int, int], int]) -> None:
    """Sums and extremes of expressions."""
    rows = (*ROWS[:3], (1000, 2000), (-1, 2**40))
    await put(k, Count, *({"id": at, "n": n, "indexed": m} for at, (n, m) in enumerate(rows)))
    expected = [wanted(n, m) for n, m in rows]
    query = k.store[Count].query().allow_scan()
    assert await query.values(s=agg.sum(make()), least=agg.min(make()), most=agg.max(make())) == [
        {"s": sum(expected), "least": min(expected), "most": max(expected)}
    ]
    assert await query.avg(make()) == D(sum(expected)) / len(expected)


EXACT: dict[str, tuple[str, Callable[[], Any], tuple[str, str, int], str]] = {
    # the field, an expression, what (free, money, n) are, and the result
    "plus": ("free", lambda: Amount.free + D("0.2"), ("0.1", "0", 0), "0.3"),
    "plus an int": ("free", lambda: Amount.free + 1, ("0.1", "0", 0), "1.1"),
    "minus": ("money", lambda: Amount.money - D("0.01"), ("0", "0", 0), "-0.01"),
    "minus from the left": ("money", lambda: D(1) - Amount.money, ("0", "0.01", 0), "0.99"),
    "times": ("money", lambda: Amount.money * D("1.5"), ("0", "0.10", 0), "0.15"),
    "times that loses no place": ("money", lambda: Amount.money * D("0.1"), ("0", "0.10", 0), "0.01"),
    "times an int": ("money", lambda: 3 * Amount.money, ("0", "33.33", 0), "99.99"),
    "with an int field": ("money", lambda: Amount.money * Amount.n, ("0", "0.07", 100), "7.00"),
    "an int field in a decimal": ("free", lambda: Amount.n - D("0.5"), ("0", "0", 2**62), "4611686018427387903.5"),
    "two scales": ("free", lambda: Amount.free * Amount.money, ("0.123", "0.01", 0), "0.00123"),
    "38 digits": ("free", lambda: Amount.free - 1, (NINES, "0", 0), NINES[:-1] + "8"),
    "a sum of 38 digits": ("free", lambda: Amount.free + D("0.1"), ("1" * 37, "0", 0), "1" * 37 + ".1"),
    "a product of 38 digits": (
        "free",
        lambda: Amount.free * D("9876543210987654321"),
        ("1234567890123456789", "0", 0),
        "12193263113702179522374638011112635269",
    ),
    "a product of 38 places": (
        "free",
        lambda: Amount.free * D("0.3333333333333333333"),
        ("0.1111111111111111111", "0", 0),
        "0.03703703703703703702962962962962962963",
    ),
    "38 places": ("free", lambda: Amount.free + D("1E-38"), ("0", "0", 0), "1E-38"),
    "to nothing": ("money", lambda: Amount.money - Amount.money, ("0", "5.55", 0), "0.00"),
    "minus nothing": ("free", lambda: Amount.free * -1, ("0", "0", 0), "0"),
    "zeros at the end": ("free", lambda: Amount.free + D("0.5"), ("1.5", "0", 0), "2"),
    "into another scale": ("money", lambda: Amount.free, ("1.5", "0", 0), "1.50"),
    "out of another scale": ("free", lambda: Amount.money, ("0", "1.50", 0), "1.5"),
    "an int field as it is": ("money", lambda: Amount.n, ("0", "0", 12), "12.00"),
    "an int expression": ("money", lambda: Amount.n + 1, ("0", "0", 12), "13.00"),
    "into the index": ("indexed", lambda: Amount.free + Amount.money, ("1.25", "0.25", 0), "1.5"),
}


@case("C4", needs="set_writes", each=EXACT)
async def decimals_are_computed_exactly(k: Kit, target: str, make: Callable[[], Any], given: tuple[str, str, int], wanted: str) -> None:
    """The result has the form of its field, and is found by its value."""
    row = {"free": D(given[0]), "money": D(given[1]), "n": given[2]}
    await put(k, Amount, {"id": 1, **row}, {"id": 2, "free": D("77.7"), "money": D("77.7"), "indexed": D("77.7")})
    assert await k.store[Amount].where(id=1).update(**{target: make()}) == 1
    value = getattr(await k.store[Amount].get(1), target)
    assert (type(value), str(value)) == (D, wanted)
    assert await found(k, Amount, getattr(Amount, target) == D(wanted)) == [1]


@case("C4", each={name: row for name, row in EXACT.items() if name not in ("an int field as it is", "an int expression")})
async def decimals_are_computed_in_questions(
    k: Kit, target: str, make: Callable[[], Any], given: tuple[str, str, int], wanted: str
) -> None:
    """In conditions and columns the result is the same number."""
    assert target
    await put(k, Amount, {"id": 1, "free": D(given[0]), "money": D(given[1]), "n": given[2]})
    assert await found(k, Amount, make() == D(wanted)) == [1]
    assert await found(k, Amount, make() >= D(wanted)) == [1]
    assert await found(k, Amount, make() != D(wanted)) == []
    assert await found(k, Amount, make() < D(wanted)) == []
    (row,) = await k.store[Amount].query().allow_scan().values(value=make())
    assert row["value"] == D(wanted)
    assert type(row["value"]) is D


# Expressions that do not fit for the first of the rows below.
TOO_MUCH: dict[str, Callable[[], Any]] = {
    "one above": lambda: Count.n + 1,
    "far above": lambda: Count.n * Count.n,
    "a product far beyond": lambda: Count.n * INT_MAX,
    "one below": lambda: -2 - Count.n,
    "below": lambda: 0 - Count.n - Count.n,
    "on the way only": lambda: (Count.n + 1) - 1,
    "on the way in a product": lambda: Count.n * 2 * 0,
}


@case("C4", needs="set_writes", each=TOO_MUCH)
async def an_overflow_changes_nothing(k: Kit, make: Callable[[], Any]) -> None:
    """One record of three overflows: all stay as they are, versions and indexes included."""
    await put(k, Count, {"id": 1, "n": 1, "indexed": 1}, {"id": 2, "n": INT_MAX, "indexed": 2}, {"id": 3, "n": 3, "indexed": 3})
    before = await whole(k, Count)
    for target in ("n", "indexed", "maybe"):
        with k.refused(SizeLimit, effect="none"):
            await k.store[Count].query().allow_scan().update(**{target: make()})
    assert await whole(k, Count) == before
    assert [record.version for record in await whole(k, Count)] == [1, 1, 1]
    assert await found(k, Count, Count.indexed >= 2) == [2, 3]


@case("C4", each=TOO_MUCH)
async def an_overflow_in_a_question_is_an_error(k: Kit, make: Callable[[], Any]) -> None:
    """It neither wraps around nor goes on as a float, in conditions, orders and columns."""
    await put(k, Count, {"id": 1, "n": INT_MAX})
    with k.refused(SizeLimit):
        await k.store[Count].where(make() > 0).allow_scan().all()
    with k.refused(SizeLimit):
        await k.store[Count].query().order_by(make()).allow_scan().all()
    with k.refused(SizeLimit):
        await k.store[Count].query().allow_scan().values(value=make())


@case("C4", needs="set_writes", each={"greatest": (INT_MAX - 1, 1, INT_MAX), "least": (INT_MIN + 1, -1, INT_MIN)})
async def results_at_the_edge_fit(k: Kit, start: int, step: int, wanted: int) -> None:
    """The greatest and the least integer are results like any other."""
    await put(k, Count, {"id": 1, "n": start, "indexed": start})
    assert await k.store[Count].query().allow_scan().update(n=Count.n + step, indexed=step + Count.indexed) == 1
    record = await k.store[Count].get(1)
    assert (record.n, record.indexed) == (wanted, wanted)
    with k.refused(SizeLimit):
        await k.store[Count].query().allow_scan().update(n=Count.n + step)


UNFIT: dict[str, tuple[str, Callable[[], Any]]] = {
    "a third place": ("money", lambda: Amount.money * D("0.1")),
    "too many digits": ("money", lambda: Amount.money * 10**9),
    "places of another field": ("money", lambda: Amount.free),
    "a place in a wide one": ("wide", lambda: Amount.money),
    "digits of another field": ("fine", lambda: Amount.money),
    "39 digits": ("free", lambda: Amount.wide + 1),
    "39 digits by places": ("free", lambda: Amount.wide + D("0.1")),
    "39 digits on the way": ("free", lambda: Amount.wide * 10 - Amount.wide * 10),
    "39 places": ("free", lambda: Amount.fine * D("0.1")),
    "an int beyond the field": ("fine", lambda: Amount.n),
}


@case("C4", needs="set_writes", each=UNFIT)
async def a_result_that_does_not_fit_changes_nothing(k: Kit, target: str, make: Callable[[], Any]) -> None:
    """Nothing is rounded or cut; one record of three is enough to stop all."""
    plain = {"free": D(1), "money": D(0), "wide": D(1), "fine": D(0), "n": 0}
    await put(k, Amount, {"id": 1, **plain}, {"id": 3, **plain})
    await put(k, Amount, {"id": 2, "free": D("0.001"), "money": D("12.34"), "wide": D(NINES), "fine": D("1E-38"), "n": 5})
    before = await whole(k, Amount)
    with k.refused(SizeLimit, effect="none"):
        await k.store[Amount].query().allow_scan().update(**{target: make()})
    assert await whole(k, Amount) == before


@case("C4", needs="set_writes")
async def all_assignments_read_the_old_record(k: Kit) -> None:
    """Two fields are swapped by one update, whatever the order in which they are written."""
    await put(k, Count, {"id": 1, "n": 1, "indexed": 10, "maybe": 100}, {"id": 2, "n": 2, "indexed": 20, "maybe": 200})
    assert await k.store[Count].query().allow_scan().update(n=Count.indexed, indexed=Count.n) == 2
    assert [(record.n, record.indexed) for record in await whole(k, Count)] == [(10, 1), (20, 2)]
    assert (
        await k.store[Count].where(Count.n > Count.indexed).allow_scan().update(indexed=Count.n + 1, n=0, maybe=Count.n + Count.indexed)
        == 2
    )
    assert [(record.n, record.indexed, record.maybe) for record in await whole(k, Count)] == [(0, 11, 11), (0, 21, 22)]


@case(
    "C4",
    needs="set_writes",
    each={
        "plus": (lambda: Count.maybe + 1,),
        "times nothing": (lambda: Count.maybe * 0,),
        "from the left": (lambda: 1 - Count.maybe,),
        "of two": (lambda: Count.n + Count.maybe,),
        "as it is": (lambda: Count.maybe,),
    },
)
async def null_in_arithmetic_is_null(k: Kit, make: Callable[[], Any]) -> None:
    """It stays null where that is allowed; where it is not, nothing is changed."""
    await put(k, Count, {"id": 1, "n": 1, "maybe": 5}, {"id": 2, "n": 2})
    assert await found(k, Count, make() >= -1000) == [1]
    before = await whole(k, Count)
    with k.refused(NotNullViolation, fields=("n",)):
        await k.store[Count].query().allow_scan().update(n=make())
    assert await whole(k, Count) == before
    assert await k.store[Count].query().allow_scan().update(maybe=make()) == 2
    records = await whole(k, Count)
    assert records[0].maybe is not None
    assert records[1].maybe is None


BOUNDS: dict[str, tuple[str, int, bool]] = {
    "at least, met": ("pieces", 0, True),
    "at least, missed": ("pieces", -1, False),
    "at most, met": ("most", 10, True),
    "at most, missed": ("most", 11, False),
    "more than, met": ("price", 1, True),
    "more than, missed": ("price", 0, False),
    "less than, met": ("under", 9, True),
    "less than, missed": ("under", 10, False),
}


@case("C4", needs=("set_writes", "checks"), each=BOUNDS)
async def bounds_are_as_declared(k: Kit, field: str, value: int, fits: bool) -> None:
    """The same number is taken or refused as a value and as a result."""
    term = getattr(Stock, field)
    await put(k, Stock, {"id": 1})
    start = getattr(await k.store[Stock].get(1), field)
    if not fits:
        for way in (*WRITES, "update"):
            await refuses_writes(k, Stock, field, value, way)
        with k.refused(CheckViolation):
            await k.store[Stock].query().allow_scan().update(**{field: term + int(value - start)})
        assert getattr(await k.store[Stock].get(1), field) == start
        return
    await k.store[Stock].create(id=2, **{field: value})
    assert await k.store[Stock].where(id=1).update(**{field: term + int(value - start)}) == 1
    assert [getattr(record, field) for record in await whole(k, Stock)] == [value, value]


@case("C4", needs=("set_writes", "checks"))
async def bounds_are_kept_by_arithmetic(k: Kit) -> None:
    """A result below the declared bound is refused, and nothing is changed."""
    await put(k, Stock, {"id": 1, "pieces": 5, "price": D(2)}, {"id": 2, "pieces": 4, "price": D(1)})
    for values in ({"pieces": Stock.pieces - 5}, {"price": Stock.price - 1}, {"price": Stock.price * Stock.pieces - 8}):
        with k.refused(CheckViolation):
            await k.store[Stock].query().allow_scan().update(**values)
    assert [(record.pieces, record.price) for record in await whole(k, Stock)] == [(5, D(2)), (4, D(1))]
    assert await k.store[Stock].query().allow_scan().update(pieces=Stock.pieces - 4, price=Stock.price - D("0.5")) == 2
    assert [(record.pieces, record.price) for record in await whole(k, Stock)] == [(1, D("1.5")), (0, D("0.5"))]


@case(
    "C4",
    needs="set_writes",
    each={"its own": (lambda: Bounded.level + 1,), "another field": (lambda: Bounded.n,), "a sum": (lambda: Bounded.n - 1,)},
)
async def choices_are_not_computed(k: Kit, make: Callable[[], Any]) -> None:
    """A field that may have some values only is not set to a number that need not be one of them."""
    await put(k, Bounded, {"id": 1, "level": 2, "n": 9})
    store, watch = await watched(k, Bounded)
    await never_begun(watch, QueryError, lambda: store[Bounded].query().update(level=make()))
    assert await store[Bounded].query().allow_scan().update(n=Bounded.level * 2, level=Bounded.level) == 1
    assert [(record.level, record.n) for record in await whole(k, Bounded)] == [(2, 4)]


REFUSED: dict[str, Callable[[], Any]] = {
    "division": lambda: Count.n / 2,
    "division from the left": lambda: 2 / Count.n,
    "whole division": lambda: Count.n // 2,
    "the rest of a division": lambda: Count.n % 2,
    "a power": lambda: Count.n**2,
    "division of a Decimal": lambda: Amount.free / D(2),
    "plus a float": lambda: Count.n + 1.5,
    "times a float": lambda: Amount.free * 0.5,
    "plus text": lambda: Count.n + "1",
    "text and number": lambda: "a" + Count.n,
    "plus a truth value": lambda: Count.n + True,
    "times a truth value": lambda: False * Count.n,
    "plus nothing": lambda: Count.n + None,
    "plus NaN": lambda: Amount.free + D("NaN"),
    "plus infinity": lambda: Amount.free - D("Infinity"),
    "plus a number of 39 digits": lambda: Amount.free + D("1" * 39),
    "a float field": lambda: Measure.x + 1,
    "two float fields": lambda: Measure.x * Measure.indexed,
    "a text field": lambda: Sorts.text + "a",
    "a truth field": lambda: Switch.on + 1,
    "a date": lambda: Sorts.day + 1,
    "a duration": lambda: Sorts.span * 2,
    "JSON": lambda: Sorts.data["n"] + 1,
    "a list": lambda: Sorts.texts + Sorts.labels,
    "a list, repeated": lambda: Sorts.ints * 2,
}


@case("C4", each=REFUSED)
async def arithmetic_that_is_not_defined_is_refused(k: Kit, make: Callable[[], Any]) -> None:
    """When the expression is built, where engines would disagree about its result."""
    _, watch = await watched(k, Count)
    await never_begun(watch, QueryError, make)


WRONG_TARGETS: dict[str, tuple[str, Callable[[], Any]]] = {
    "a Decimal into an int": ("whole", lambda: Sorts.exact),
    "a sum with a Decimal into an int": ("whole", lambda: Sorts.whole + D(1)),
    "an int into a float": ("real", lambda: Sorts.whole),
    "a Decimal into a float": ("real", lambda: Sorts.exact * 2),
    "a float into a Decimal": ("exact", lambda: Sorts.real),
    "text into an int": ("whole", lambda: Sorts.text),
    "an int into text": ("text", lambda: Sorts.whole + 1),
    "a truth value into an int": ("whole", lambda: Sorts.flag),
    "an int into a truth value": ("flag", lambda: Sorts.whole),
    "an int into a choice": ("size", lambda: Sorts.whole),
    "text into a choice": ("colour", lambda: Sorts.text),
    "a word into another choice": ("colour", lambda: Sorts.word),
    "a list of another sort": ("texts", lambda: Sorts.ints),
    "a set into a list": ("texts", lambda: Sorts.labels),
    "JSON into a list": ("ints", lambda: Sorts.data),
    "a time into a date": ("day", lambda: Sorts.at),
    "local time into an instant": ("at", lambda: Sorts.local),
}


@case("C4", needs="set_writes", each=WRONG_TARGETS)
async def an_update_keeps_the_sort_of_its_field(k: Kit, target: str, make: Callable[[], Any]) -> None:
    """A field is set only to expressions whose every value it takes; nothing reaches the backend."""
    await put(k, Sorts, {"id": 1})
    store, watch = await watched(k, Sorts)
    error = await never_begun(watch, QueryError, lambda: store[Sorts].query().update(**{target: make()}))
    assert error.name == target
    assert await whole(k, Sorts) == [Sorts(id=1)]


@case("C4", needs="set_writes")
async def a_key_or_a_version_is_not_computed(k: Kit) -> None:
    """They are not set by update() at all."""
    await put(k, Count, {"id": 1})
    store, watch = await watched(k, Count)
    await never_begun(watch, QueryError, lambda: store[Count].query().update(id=Count.id + 1))
    await never_begun(watch, QueryError, lambda: store[Count].query().update(version=Count.version + 1))
    await never_begun(watch, QueryError, lambda: store[Count].query().update(id=5))
    assert [(record.id, record.version) for record in await whole(k, Count)] == [(1, 1)]


# The port: a change of one row may compute, though the store never asks for it.


def _computed(entity: Entity, op: Any, name: str, operand: Any) -> Arith:
    """The field `name` op the operand; of the kind that both have."""
    left = key_ref(entity, name)
    return Arith(op, left, Value(operand, left.type), left.type)


@case("C4")
async def a_patch_computes_exactly(k: Kit) -> None:
    """One row, changed by expressions over its old values."""
    await k.ready(Amount)
    entity: Entity = Amount.__entity__
    await put(k, Amount, {"id": 1, "money": D("1.10"), "n": 10, "free": D("0.1")}, {"id": 2, "n": 1})
    assert await k.patch(entity, 1, money=_computed(entity, "add", "money", D("0.4")), n=_computed(entity, "mul", "n", 3)) == 1
    assert await k.patch(entity, 1, free=key_ref(entity, "money"), maybe=_computed(entity, "sub", "n", 1)) == 1
    record = await k.store[Amount].get(1)
    assert [str(value) for value in (record.money, record.n, record.free, record.maybe)] == ["1.50", "30", "1.5", "29"]
    assert (await k.store[Amount].get(2)).n == 1


@case(
    "C4",
    each={
        "an integer beyond 64 bits": ("n", "add", INT_MAX),
        "a product beyond 64 bits": ("n", "mul", 2**62),
        "a third place": ("money", "mul", D("0.1")),
        "too many digits": ("money", "mul", D(10) ** 9),
        "39 digits": ("wide", "add", D(1)),
    },
)
async def a_patch_that_does_not_fit_changes_nothing(k: Kit, name: str, op: str, operand: Any) -> None:
    """The other fields of the row stay as well."""
    await k.ready(Amount)
    entity: Entity = Amount.__entity__
    await put(k, Amount, {"id": 1, "money": D("123.45"), "n": 10, "wide": D(NINES)})
    before = await whole(k, Amount)
    changes: dict[str, Any] = {"free": Value(D(5), Type("decimal")), name: _computed(entity, op, name, operand)}
    with k.refused(SizeLimit):
        await k.patch(entity, 1, **changes)
    assert await whole(k, Amount) == before


@case("C4", absent="set_writes")
async def without_set_writes_updates_by_expression_are_refused(k: Kit) -> None:
    """With reason and remedy, and nothing is changed; expressions in questions go on."""
    await put(k, Count, {"id": 1, "n": 1})
    with k.refused(Unsupported, says="set_writes") as caught:
        await k.store[Count].query().update(n=Count.n + 1)
    assert caught.error.hint
    assert [(record.n, record.version) for record in await whole(k, Count)] == [(1, 1)]
    assert await found(k, Count, Count.n + 1 == 2) == [1]
