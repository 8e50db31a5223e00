"""B4: what aggregates of nothing are, what nulls do to them, and the types of their results."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from holdall.errors import QueryError, SizeLimit, Unsupported
from holdall.query import agg, is_null
from holdall.testing.case import case
from holdall.testing.cases.kinship import JOINED, family
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.kin import DOG, PERSON, Dog, Person
from holdall.testing.models.samples import EVERY, ORDERABLE, SAMPLE, Sample, Shade

NUMBERS = ("whole", "money", "exact", "real")


async def _hold(k: Kit, name: str, *values: Any) -> None:
    """Records from 1 on with these values in one field."""
    await fill(k.store[Sample], [{"id": number, name: value} for number, value in enumerate(values, 1)])


@case("B4", needs="aggregates", each={name: name for name in ORDERABLE})
async def aggregates_of_nothing_are_null(k: Kit, name: str) -> None:
    """No records, no matching records, and records with nothing but null: counts 0, the others null."""
    term = getattr(SAMPLE, name)
    samples = k.store[Sample]
    columns: dict[str, Any] = {"n": agg.count(), "known": agg.count(term), "different": agg.count(term, distinct=True)}
    columns |= {"least": agg.min(term), "greatest": agg.max(term)}
    if name in NUMBERS:
        columns |= {"total": agg.sum(term), "mean": agg.avg(term), "total_once": agg.sum(term, distinct=True)}
    nothing = {alias: 0 if alias in ("n", "known", "different") else None for alias in columns}
    assert await samples.query().values(**columns) == [nothing]
    await _hold(k, name, None, None)
    assert await samples.where(SAMPLE.id == 9).values(**columns) == [nothing]
    assert await samples.query().values(**columns) == [{**nothing, "n": 2}]
    assert (await samples.query().min(term), await samples.query().max(term)) == (None, None)


@case("B4", needs="aggregates", each={name: name for name in ORDERABLE})
async def least_and_greatest_leave_nulls_out(k: Kit, name: str) -> None:
    """And have the type of the field, with every value as it was stored."""
    low, high = ORDERABLE[name]
    await _hold(k, name, None, high, low, high, None)
    query = k.store[Sample].query()
    for value, expected in ((await query.min(getattr(SAMPLE, name)), low), (await query.max(getattr(SAMPLE, name)), high)):
        assert value == expected
        assert type(value) is type(expected)
    grouped = await query.group_by(SAMPLE.address).values(low=agg.min(getattr(SAMPLE, name)), high=agg.max(getattr(SAMPLE, name)))
    assert grouped == [{"low": low, "high": high}]


@case("B4", needs="aggregates", each={name: name for name in EVERY})
async def count_of_a_field_leaves_nulls_out(k: Kit, name: str) -> None:
    """Of every type, containers too; empty containers and zero are values."""
    low, high = EVERY[name]
    await _hold(k, name, None, low, high, low, None)
    term = getattr(SAMPLE, name)
    assert await k.store[Sample].query().values(n=agg.count(), known=agg.count(term)) == [{"n": 5, "known": 3}]
    assert await k.store[Sample].where(is_null(term)).count() == 2


@case("B4", needs="aggregates", each={name: name for name in ORDERABLE})
async def count_of_different_values(k: Kit, name: str) -> None:
    """Null is none of them."""
    low, high = ORDERABLE[name]
    await _hold(k, name, None, low, high, low, None, high, high)
    assert await k.store[Sample].query().values(n=agg.count(getattr(SAMPLE, name), distinct=True)) == [{"n": 2}]


SUMS: dict[str, tuple[str, list[Any], Any]] = {
    "int": ("whole", [1, None, 2, -5], -2),
    "int, beyond 2^53": ("whole", [2**53, 1, None, 2**60], 2**53 + 2**60 + 1),
    "int, to the edge": ("whole", [2**63 - 2, 1], 2**63 - 1),
    "int, over the edge and back": ("whole", [2**63 - 1, 5, -6], 2**63 - 2),
    "Decimal with a scale": ("money", [Decimal("0.10"), Decimal("0.20"), None], Decimal("0.30")),
    "Decimal, many digits": ("exact", [Decimal("1e20"), Decimal("1e-10"), None], Decimal("100000000000000000000.0000000001")),
    "Decimal, to zero": ("exact", [Decimal("0.1"), Decimal("0.2"), Decimal("-0.3")], Decimal(0)),
    "float": ("real", [0.5, None, 0.25], 0.75),
    "float, exactly rounded": ("real", [0.1] * 10, 1.0),
    "float, great and small": ("real", [1e16, 1.0, -1e16], 1.0),
}


@case("B4", needs="aggregates", each=SUMS)
async def sums_are_exact_and_of_the_fields_type(k: Kit, name: str, values: list[Any], expected: Any) -> None:
    """Whatever the order in which an engine adds."""
    await _hold(k, name, *values)
    term = getattr(SAMPLE, name)
    total = await k.store[Sample].query().sum(term)
    assert (total, type(total)) == (expected, type(expected))
    ((row),) = await k.store[Sample].query().group_by(SAMPLE.text).values("text", total=agg.sum(term))
    assert (row["total"], type(row["total"])) == (expected, type(expected))
    if isinstance(expected, Decimal):
        assert str(total) == str(expected)


MEANS: dict[str, tuple[str, list[Any], Any]] = {
    "int": ("whole", [1, 2], Decimal("1.5")),
    "int, whole": ("whole", [1, None, 3], Decimal(2)),
    "int, a third": ("whole", [1, 0, 0], Decimal("0." + "3" * 38)),
    "int, two thirds": ("whole", [1, 1, 0], Decimal("0." + "6" * 37 + "7")),
    "int, beyond 2^53": ("whole", [2**53, 2**53 + 1], Decimal("9007199254740992.5")),
    "int, greatest": ("whole", [2**63 - 1, 2**63 - 1], Decimal(2**63 - 1)),
    "int, negative": ("whole", [-1, -2, None], Decimal("-1.5")),
    "Decimal with a scale": ("money", [Decimal("0.01"), Decimal("0.02")], Decimal("0.015")),
    "Decimal": ("exact", [Decimal("0.1"), Decimal("0.2")], Decimal("0.15")),
    "Decimal, a third": ("exact", [Decimal(100), Decimal(0), Decimal(0)], Decimal("33." + "3" * 36)),
    "float": ("real", [0.5, None, 0.25], 0.375),
    "float, exactly rounded": ("real", [0.1] * 10, 0.1),
    "float, great and small": ("real", [1e16, 3.0, -1e16], 1.0),
}


@case("B4", needs="aggregates", each=MEANS)
async def averages_have_a_fixed_type_and_are_exact(k: Kit, name: str, values: list[Any], expected: Any) -> None:
    """int and Decimal give Decimal, correctly rounded at 38 digits; float gives float. Nulls count for nothing."""
    await _hold(k, name, *values)
    term = getattr(SAMPLE, name)
    mean = await k.store[Sample].query().avg(term)
    assert (mean, type(mean)) == (expected, type(expected))
    ((row),) = await k.store[Sample].query().group_by(SAMPLE.text).values("text", mean=agg.avg(term))
    assert (row["mean"], type(row["mean"])) == (expected, type(expected))


ONCE: dict[str, tuple[Callable[[], Any], Any]] = {
    "count": (lambda: agg.count(SAMPLE.whole, distinct=True), 2),
    "sum": (lambda: agg.sum(SAMPLE.whole, distinct=True), 5),
    "avg": (lambda: agg.avg(SAMPLE.whole, distinct=True), Decimal("2.5")),
    "sum of Decimal": (lambda: agg.sum(SAMPLE.exact, distinct=True), Decimal("2.6")),
    "count of Decimal": (lambda: agg.count(SAMPLE.exact, distinct=True), 2),
    "sum of float": (lambda: agg.sum(SAMPLE.real, distinct=True), 0.75),
    "avg of float": (lambda: agg.avg(SAMPLE.real, distinct=True), 0.375),
}


@case("B4", needs="aggregates", each=ONCE)
async def distinct_aggregates_take_each_value_once(k: Kit, make: Callable[[], Any], expected: Any) -> None:
    """1.10 and 1.1 are one value."""
    rows = [(1, Decimal("1.10"), 0.5), (4, Decimal("1.1"), 0.25), (1, Decimal("1.5"), 0.5), (None, None, None)]
    await fill(k.store[Sample], [{"id": n, "whole": whole, "exact": exact, "real": real} for n, (whole, exact, real) in enumerate(rows)])
    ((row),) = await k.store[Sample].query().values(found=make())
    assert (row["found"], type(row["found"])) == (expected, type(expected))


OVER: dict[str, tuple[str, list[Any]]] = {
    "int": ("whole", [2**63 - 1, 1]),
    "int, downwards": ("whole", [-(2**63), -1]),
    "Decimal": ("exact", [Decimal("9" * 38), Decimal(1)]),
    "Decimal, too many digits": ("exact", [Decimal("1e30"), Decimal("1e-30")]),
}


@case("B4", needs="aggregates", each=OVER)
async def a_sum_that_does_not_fit_is_an_error(k: Kit, name: str, values: list[Any]) -> None:
    """Never a float, never cut. The average of the same values is fine where it fits, and so is their count."""
    await _hold(k, name, *values)
    with k.refused(SizeLimit):
        await k.store[Sample].query().sum(getattr(SAMPLE, name))
    with k.refused(SizeLimit):
        await k.store[Sample].query().group_by(SAMPLE.text).values("text", total=agg.sum(getattr(SAMPLE, name)))
    assert await k.store[Sample].count() == 2
    assert await k.store[Sample].query().max(getattr(SAMPLE, name)) == max(values)


@case("B4", needs="aggregates")
async def groups_have_their_own_nulls(k: Kit) -> None:
    """A group of nothing but null is there, with counts 0 and null aggregates; no records give no groups."""
    rows = [("a", 1), ("a", None), ("b", None), (None, 5), (None, None)]
    query = k.store[Sample].query().group_by(SAMPLE.text).order_by("text")
    columns = {"n": agg.count(), "known": agg.count(SAMPLE.whole), "total": agg.sum(SAMPLE.whole), "mean": agg.avg(SAMPLE.whole)}
    assert await query.values("text", **columns) == []
    await fill(k.store[Sample], [{"id": number, "text": text, "whole": whole} for number, (text, whole) in enumerate(rows)])
    assert [tuple(row.values()) for row in await query.values("text", **columns)] == [
        ("a", 2, 1, 1, Decimal(1)),
        ("b", 1, 0, None, None),
        (None, 2, 1, 5, Decimal(5)),
    ]


@case("B4", needs="aggregates", each={name: name for name in ORDERABLE})
async def groups_by_every_type(k: Kit, name: str) -> None:
    """One group for each value and one for null; values come back as they were stored."""
    low, high = ORDERABLE[name]
    await _hold(k, name, high, None, low, None, high, high)
    found = await k.store[Sample].query().group_by(getattr(SAMPLE, name)).order_by(name).values(name, n=agg.count())
    assert [(row[name], row["n"]) for row in found] == [(low, 1), (high, 3), (None, 2)]
    assert type(found[0][name]) is type(low)
    limited = await k.store[Sample].query().group_by(getattr(SAMPLE, name)).order_by(name).offset(1).limit(1).values(name, n=agg.count())
    assert [(row[name], row["n"]) for row in limited] == [(high, 3)]


@case("B4", needs="aggregates")
async def groups_of_several_fields(k: Kit) -> None:
    """Null beside a value is a group of its own."""
    rows = [("a", 1), ("a", None), ("a", 1), (None, None), (None, 1), (None, None)]
    await fill(k.store[Sample], [{"id": number, "text": text, "whole": whole} for number, (text, whole) in enumerate(rows)])
    found = (
        await k.store[Sample].query().group_by(SAMPLE.text, SAMPLE.whole).order_by("text", "whole").values("text", "whole", n=agg.count())
    )
    assert [tuple(row.values()) for row in found] == [("a", 1, 2), ("a", None, 1), (None, 1, 1), (None, None, 2)]


HAVING: dict[str, tuple[Callable[[], tuple[Any, ...]], list[Any]]] = {
    "count": (lambda: (agg.count() > 1,), ["a", None]),
    "two conditions": (lambda: (agg.count() > 1, agg.sum(SAMPLE.whole) == 3), ["a"]),
    "sum of nothing": (lambda: (is_null(agg.sum(SAMPLE.whole)),), ["b"]),
    "avg": (lambda: (agg.avg(SAMPLE.whole) == Decimal("1.5"),), ["a"]),
    "least and greatest": (lambda: (agg.min(SAMPLE.whole) < agg.max(SAMPLE.whole),), ["a"]),
    "nothing": (lambda: (agg.count() > 99,), []),
}


@case("B4", needs="aggregates", each=HAVING)
async def having_looks_at_groups(k: Kit, make: Callable[[], tuple[Any, ...]], expected: list[Any]) -> None:
    """After the records were filtered and grouped, before the groups are cut."""
    rows = [("a", 1), ("a", 2), ("b", None), (None, 5), (None, 5), ("c", 7)]
    await fill(k.store[Sample], [{"id": number, "text": text, "whole": whole} for number, (text, whole) in enumerate(rows)])
    query = k.store[Sample].where(SAMPLE.id < 5).group_by(SAMPLE.text).having(*make()).order_by("text")
    assert [row["text"] for row in await query.values("text", n=agg.count())] == expected
    assert [row["text"] for row in await query.limit(1).values("text")] == expected[:1]


@case("B4", needs="aggregates")
async def aggregates_of_arithmetic(k: Kit) -> None:
    """A record whose operand is null counts for nothing; the result has the type of the arithmetic."""
    await fill(k.store[Sample], [{"id": 1, "whole": 2, "exact": Decimal("1.5")}, {"id": 2, "whole": 3}, {"id": 3, "exact": 1}])
    ((row),) = (
        await k.store[Sample]
        .query()
        .values(product=agg.sum(SAMPLE.whole * SAMPLE.exact), double=agg.max(SAMPLE.whole * 2), n=agg.count(SAMPLE.whole + 1))
    )
    assert row == {"product": Decimal(3), "double": 6, "n": 2}
    assert (type(row["product"]), type(row["double"])) == (Decimal, int)


@case("B4", needs="aggregates")
async def several_aggregates_at_once(k: Kit) -> None:
    """Each over its own field, in one answer, with user types."""
    day, uid = dt.date(2026, 1, 1), UUID(int=5)
    await fill(k.store[Sample], [{"id": 1, "day": day, "shade": Shade.LIGHT}, {"id": 2, "uid": uid, "shade": Shade.DARK}, {"id": 3}])
    ((row),) = (
        await k.store[Sample]
        .query()
        .values(n=agg.count(), day=agg.min(SAMPLE.day), uid=agg.max(SAMPLE.uid), shade=agg.min(SAMPLE.shade), ids=agg.sum(SAMPLE.id))
    )
    assert row == {"n": 3, "day": day, "uid": uid, "shade": Shade.DARK, "ids": 6}


@case("B4", needs=("aggregates", *JOINED))
async def aggregates_through_relations(k: Kit) -> None:
    """Each record counts once, with what its relation leads to; nowhere counts for nothing."""
    await family(k)
    assert await k.store[Dog].query().sum(DOG.owner.age) == 120
    assert await k.store[Person].query().sum(PERSON.parent.age) == 60
    assert await k.store[Person].query().values(n=agg.count(), houses=agg.count(PERSON.house.number)) == [{"n": 3, "houses": 1}]
    found = await k.store[Dog].query().group_by(DOG.owner.name).order_by(DOG.owner.name).values("owner.name", kilos=agg.sum(DOG.weight))
    assert [tuple(row.values()) for row in found] == [("Ann", 40), ("Bob", None)]


WRONG: dict[str, Callable[[Any], Any]] = {
    "sum of text": lambda query: query.sum(SAMPLE.text),
    "avg of a date": lambda query: query.avg(SAMPLE.day),
    "sum of bool": lambda query: query.sum(SAMPLE.flag),
    "min of a list": lambda query: query.min(SAMPLE.items),
    "max of JSON": lambda query: query.max(SAMPLE.data),
    "distinct lists": lambda query: query.values(n=agg.count(SAMPLE.items, distinct=True)),
    "a cut query": lambda query: query.limit(1).sum(SAMPLE.whole),
    "an offset": lambda query: query.offset(1).max(SAMPLE.whole),
    "a field without a group": lambda query: query.values("text", n=agg.count()),
    "a field beside its group": lambda query: query.group_by(SAMPLE.whole).values("text", n=agg.count()),
    "an order that no group has": lambda query: query.group_by(SAMPLE.text).order_by("whole").values("text"),
    "groups of lists": lambda query: query.group_by(SAMPLE.items).values(n=agg.count()),
    "an aggregate of an aggregate": lambda query: query.values(n=agg.sum(agg.count())),
    "records of groups": lambda query: query.group_by(SAMPLE.text).all(),
}


@case("B4", needs="aggregates", each=WRONG)
async def aggregates_without_a_meaning_are_refused(k: Kit, ask: Callable[[Any], Any]) -> None:
    """When the query is built, before any I/O."""
    await _hold(k, "whole", 1, 2)
    with k.refused(QueryError):
        await ask(k.store[Sample].query())


@case("B4", needs="aggregates")
async def counts_take_limit_and_offset_into_account(k: Kit) -> None:
    """count() counts what all() would give."""
    await _hold(k, "whole", 1, None, 3, None, 5)
    for limit in (None, 0, 1, 3, 5, 6):
        for offset in (0, 1, 4, 5, 9):
            query = k.store[Sample].query().offset(offset)
            query = query if limit is None else query.limit(limit)
            assert await query.count() == len(await query.all()), (limit, offset)
            assert await query.exists() is bool(await query.all()), (limit, offset)


READS: dict[str, Callable[[Any], Any]] = {
    "count": lambda query: query.count(),
    "sum": lambda query: query.sum(SAMPLE.whole),
    "avg": lambda query: query.avg(SAMPLE.whole),
    "min": lambda query: query.min(SAMPLE.text),
    "values": lambda query: query.values(n=agg.count()),
    "groups": lambda query: query.group_by(SAMPLE.text).values("text"),
}


@case("B4", absent="aggregates", each=READS)
async def aggregates_are_refused_where_they_are_absent(k: Kit, ask: Callable[[Any], Any]) -> None:
    """With a remedy; other reads are answered."""
    await _hold(k, "whole", 1)
    with k.refused(Unsupported, says="aggregates"):
        await ask(k.store[Sample].query())
    assert await k.store[Sample].query().exists() is True
