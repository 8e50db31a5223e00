"""C4, B4: results of as many digits as a Decimal may have, which an engine that counts with fewer would round; averages in having."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from holdall.query import agg
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.numbers import Amount
from holdall.testing.models.samples import SAMPLE, Sample

AMOUNT: Any = Amount
LONG: dict[str, tuple[str, Callable[[], Any], str]] = {
    "a sum of 37 digits": (
        "1234567890123456789012345678901234567",
        lambda: AMOUNT.free + 1,
        "1234567890123456789012345678901234568",
    ),
    "a sum with 30 places": ("1.000000000000000000000000000001", lambda: AMOUNT.free + Decimal("0.5"), "1.500000000000000000000000000001"),
    "a difference of 37 digits": (
        "1234567890123456789012345678901234567",
        lambda: AMOUNT.free - 2,
        "1234567890123456789012345678901234565",
    ),
    "a product of 37 digits": (
        "1234567890123456789012345678901234567",
        lambda: AMOUNT.free * 3,
        "3703703670370370367037037036703703701",
    ),
    "a product of many places": (
        "1.00000000000001",
        lambda: AMOUNT.free * Decimal("1.000000000000000000001"),
        "1.00000000000001000000100000000000001",
    ),
}


@case("C4", needs="set_writes", each=LONG)
async def long_results_are_not_rounded(k: Kit, start: str, make: Callable[[], Any], wanted: str) -> None:
    await k.store[Amount].create(id=1, free=Decimal(start))
    assert await k.store[Amount].where(AMOUNT.id == 1).update(free=make()) == 1
    assert (await k.store[Amount].get(1)).free == Decimal(wanted)


@case("C4", each=LONG)
async def long_results_are_compared_exactly(k: Kit, start: str, make: Callable[[], Any], wanted: str) -> None:
    await k.store[Amount].create(id=1, free=Decimal(start))
    assert len(await k.store[Amount].where(make() == Decimal(wanted)).allow_scan().all()) == 1
    assert await k.store[Amount].where(make() > Decimal(wanted)).allow_scan().all() == []
    assert await k.store[Amount].where(make() < Decimal(wanted)).allow_scan().all() == []


@case("B4", needs="aggregates")
async def averages_are_compared_as_what_they_are(k: Kit) -> None:
    """In having the average of floats is a float, that of integers a Decimal."""
    for number, (text, real, whole) in enumerate((("a", 1.0, 1), ("a", 2.0, 2), ("b", 0.5, 5)), 1):
        await k.store[Sample].create(id=number, text=text, real=real, whole=whole)
    groups = k.store[Sample].query().group_by(SAMPLE.text)
    assert await groups.having(agg.avg(SAMPLE.real) > 1.25).values(SAMPLE.text) == [{"text": "a"}]
    assert await groups.having(agg.avg(SAMPLE.real) <= 0.5).values(SAMPLE.text) == [{"text": "b"}]
    assert await groups.having(agg.avg(SAMPLE.whole) == Decimal("1.5")).values(SAMPLE.text) == [{"text": "a"}]
    assert await groups.having(agg.avg(SAMPLE.whole) > 4).values(SAMPLE.text) == [{"text": "b"}]
