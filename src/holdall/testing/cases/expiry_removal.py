"""H6: what becomes of expired records that an engine removes on its own."""

from __future__ import annotations

import datetime as dt

from holdall.testing.case import case
from holdall.testing.kit import START, Kit
from holdall.testing.models.expiring import Pass


@case("H6", needs=("expiry", "atomic_batch"))
async def records_that_are_left_stay_when_expired_ones_are_removed(k: Kit) -> None:
    """However an engine gets rid of hundreds of expired records, it removes no other."""
    for turn in range(6):
        gone = [{"id": f"gone {turn} {number}", "until": START + dt.timedelta(hours=turn)} for number in range(120)]
        stay = [{"id": f"stay {turn} {number}", "until": START + dt.timedelta(days=9)} for number in range(3)]
        ever = [{"id": f"ever {turn} {number}"} for number in range(3)]
        await k.store[Pass].create_many([*gone, *stay, *ever])
        k.clock.forward(hours=1)
    assert await k.store[Pass].count() == 36
    found = {record.id for record in await k.store[Pass].all()}
    assert found == {f"{word} {turn} {number}" for word in ("stay", "ever") for turn in range(6) for number in range(3)}
    assert await k.store[Pass].get("gone 5 1") is None
