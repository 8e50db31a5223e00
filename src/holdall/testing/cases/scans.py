"""H3 and H6 below the store: pages of a scan, and expired records that are removed on the way."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.query import TRUE, Compare, Select, Value, key_ref
from holdall.testing.case import case
from holdall.testing.kit import START, Kit
from holdall.testing.models.expiring import Pass
from holdall.testing.models.plain import Word

WORD = Word.__entity__


async def scanned(k: Kit, size: int, where: Any = TRUE, tx: Any = None) -> list[list[int]]:
    """The keys of all pages of a scan."""
    plan = k.plan(Select(WORD, where, allow_scan=True))
    pages: list[list[int]] = []
    cursor = None
    for _ in range(100):
        rows, cursor = await k.do(k.backend.scan(plan, cursor, size, tx))
        assert len(rows) <= size
        pages.append([row[0] for row in rows])
        if cursor is None:
            return pages
    raise AssertionError("the scan never ends")


def words(*numbers: int) -> list[tuple[Any, ...]]:
    """Rows of these keys; odd ones have their number as number."""
    return [(number, f"w{number}", None, number if number % 2 else None) for number in numbers]


@case("H3", needs="atomic_batch", each=[1, 2, 3, 7, 100])
async def a_scan_gives_each_row_once(k: Kit, size: int) -> None:
    """Whole, and by a condition that leaves holes."""
    await k.ready(Word)
    await k.insert(WORD, *words(*range(1, 8)))
    assert sorted(key for page in await scanned(k, size) for key in page) == list(range(1, 8))
    number = key_ref(WORD, "number")
    assert sorted(key for page in await scanned(k, size, Compare(number, "gt", Value(1, number.type))) for key in page) == [3, 5, 7]
    assert [key for page in await scanned(k, size, Compare(number, "gt", Value(99, number.type))) for key in page] == []


@case("H3", needs=("atomic_batch", "transactions"), each=[1, 2, 3, 100])
async def a_scan_in_a_transaction_gives_what_that_sees(k: Kit, size: int) -> None:
    """Its own rows among the others, each once; what it changed as it is now; not what it removed."""
    await k.ready(Word)
    await k.insert(WORD, *words(2, 4, 6, 8))
    tx = await k.begin()
    await k.insert(WORD, *words(1, 3, 5, 9), tx=tx)
    await k.delete(WORD, 4, tx=tx)
    await k.patch(WORD, 6, tx=tx, number=66)
    assert sorted(key for page in await scanned(k, size, tx=tx) for key in page) == [1, 2, 3, 5, 6, 8, 9]
    number = key_ref(WORD, "number")
    assert sorted(key for page in await scanned(k, size, Compare(number, "gt", Value(4, number.type)), tx) for key in page) == [5, 6, 9]
    await k.rollback(tx)
    assert sorted(key for page in await scanned(k, size) for key in page) == [2, 4, 6, 8]


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
