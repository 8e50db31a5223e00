"""G: what concurrent transactions must not do to each other beyond the catalogue of anomalies: refusals, pages, locks, schemas."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from holdall.backends import Isolation
from holdall.errors import ForeignKeyViolation, Unsupported
from holdall.query import Select
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.rivalry import Crew, Remark, Sailor
from holdall.testing.rivals import Rival, one_wins

CREW, SAILOR, REMARK = Crew.__entity__, Sailor.__entity__, Remark.__entity__
SERIALIZABLE = Isolation.SERIALIZABLE


async def _decide(k: Kit, rival: Rival, refused: Callable[[Any], Awaitable[None]]) -> None:
    """Notes, as a remark, whether a call was refused."""

    async def call(tx: Any) -> None:
        mark = await k.do(k.backend.savepoint(tx))
        try:
            await refused(tx)
        except ForeignKeyViolation:
            await k.do(k.backend.rollback_to(tx, mark))
            await k.insert(REMARK, (1, 1), tx=tx)

    await rival.do(call)


async def _dissolve(k: Kit, tx: Any) -> None:
    await k.delete(CREW, 1, tx=tx)


async def _renumber(k: Kit, tx: Any) -> None:
    await k.patch(CREW, 1, tx=tx, id=2)


async def _refused_for_a_sailor(k: Kit, act: Callable[[Kit, Any], Awaitable[None]], go: Callable[[Any], Awaitable[int]]) -> None:
    """One notes that `act` on a crew is refused for its sailor; the other lets the sailor `go` because nobody noted anything."""
    await k.ready(Crew, Sailor, Remark)
    await k.insert(CREW, (1, ""))
    await k.insert(SAILOR, (1, 1))
    one, two = Rival(k, SERIALIZABLE), Rival(k, SERIALIZABLE)
    await one.begin()
    await two.begin()
    await _decide(k, one, partial(act, k))

    async def leave(tx: Any) -> None:
        if await k.fetch(REMARK, 1, tx=tx) == [None]:
            await go(tx)

    await two.finish(leave)
    await one.finish()
    assert await one_wins(one, two) in (one, two)


@case("G1", needs=("isolation.serializable", "savepoints", "references"))
async def a_refused_removal_is_something_read(k: Kit) -> None:
    """One notes that a crew cannot be removed for its sailor; the other removes the sailor because nobody noted anything. One loses."""
    await _refused_for_a_sailor(k, _dissolve, lambda tx: k.delete(SAILOR, 1, tx=tx))


@case("G1", needs=("isolation.serializable", "savepoints", "references"))
async def a_refused_change_of_a_key_is_something_read(k: Kit) -> None:
    """The same when the key of the crew cannot change for its sailor."""
    await _refused_for_a_sailor(k, _renumber, lambda tx: k.patch(SAILOR, 1, tx=tx, crew_id=None))


@case("G1", needs=("isolation.serializable", "scan", "references"))
async def a_later_page_is_something_read(k: Kit) -> None:
    """A scan that goes on in a transaction, from a cursor made before it began, is read as a whole by it."""
    await k.ready(Remark)
    await k.insert(REMARK, (1, 10), (2, 10), (3, 10))
    plan = k.plan(Select(REMARK))
    _, cursor = await k.do(k.backend.scan(plan, None, 1, None))
    assert cursor is not None
    one, two = Rival(k, SERIALIZABLE), Rival(k, SERIALIZABLE)
    await one.begin()
    await two.begin()

    async def scan(tx: Any) -> None:
        rows: list[Any] = []
        rest = cursor
        while rest is not None:
            page, rest = await k.do(k.backend.scan(plan, rest, 1, tx))
            rows += page
        await k.insert(REMARK, (100 + len(rows), 0), tx=tx)

    await one.do(scan)
    await two.finish(lambda tx: _count_and_insert(k, tx))
    await one.finish()
    assert await one_wins(one, two) in (one, two)


async def _count_and_insert(k: Kit, tx: Any) -> None:
    """Inserts a row that a scan would find, if nothing was noted yet."""
    if await k.fetch(REMARK, 102, tx=tx) == [None]:
        await k.insert(REMARK, (4, 10), tx=tx)


@case("G1", needs=("transactions", "row_locks", "references"))
async def a_read_only_transaction_locks_nothing(k: Kit) -> None:
    """Reads that lock rows are refused in it, by key and by query; it can go on."""
    await k.ready(Remark)
    await k.insert(REMARK, (1, 10))
    tx = await k.begin(read_only=True)
    with k.refused(Unsupported, says="read-only"):
        await k.fetch(REMARK, 1, tx=tx, lock="update")
    with k.refused(Unsupported, says="read-only"):
        await k.select(Select(REMARK, lock="update"), tx)
    assert await k.fetch(REMARK, 1, tx=tx) == [(1, 10)]
    await k.commit(tx)


@case("G1", needs=("transactions", "reads_beside_writes", "references"))
async def a_snapshot_outlives_tables_that_are_dropped(k: Kit) -> None:
    """Dropping the table of one model does nothing to a transaction that reads another one."""
    await k.ready(Crew, Remark)
    await k.insert(CREW, (1, "a"))
    await k.insert(REMARK, (1, 1))
    tx = await k.begin(read_only=True)
    assert await k.fetch(CREW, 1, tx=tx) == [(1, "a")]
    try:
        await k.do(k.backend.drop([REMARK]))
        await k.patch(CREW, 1, note="b")
        assert await k.fetch(CREW, 1, tx=tx) == [(1, "a")]
        await k.commit(tx)
    finally:
        await k.do(k.backend.ensure_schema([REMARK]))
    assert await k.fetch(CREW, 1) == [(1, "b")]
    assert await k.fetch(REMARK, 1) == [None]
