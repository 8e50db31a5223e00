"""G1: the levels that are offered, those that are not, what a snapshot shows, and how long a transaction may take."""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from holdall.backends import Isolation
from holdall.errors import DeadlineExceeded, ProgrammingError, TransactionDoomed, Unsupported
from holdall.query import Aggregate, Column, Related, Select, key_ref
from holdall.testing.case import case
from holdall.testing.cases.conflicts import now, same
from holdall.testing.cases.outcome import faulty, still_works
from holdall.testing.cases.transactions import Undone
from holdall.testing.kit import Kit
from holdall.testing.models.account_family import Owner, Thing
from holdall.testing.models.accounts import Account
from holdall.testing.operations import START, begin, size, unit, values
from holdall.testing.rivals import between

ACCOUNT, OWNER, THING = Account.__entity__, Owner.__entity__, Thing.__entity__


def for_each_level(*needs: str, levels: tuple[Isolation, ...] = tuple(Isolation), promise: str = "G1") -> Callable[[Any], Any]:
    """Register a case once for each level that the backend may have."""

    def register(body: Any) -> Any:
        for level in levels:
            case(promise, needs=("transactions", f"isolation.{level.value}", *needs), each={level.value: level})(body)
        return body

    return register


@for_each_level()
async def a_level_that_is_offered_is_given(k: Kit, level: Isolation) -> None:
    await begin(k.store)
    async with k.store.transaction(isolation=level) as tx:
        assert tx.isolation is level
        await k.store[Account].create(id=4, value=40)

    @unit(k.store, isolation=level)
    async def work() -> None:
        await k.store[Account].create(id=5, value=50)

    await work()
    handle = await k.begin(level)
    await k.insert(ACCOUNT, (6, 60, None), tx=handle)
    await k.commit(handle)
    assert await values(k.store) == {**START, 4: 40, 5: 50, 6: 60}


async def refused(k: Kit, level: Isolation) -> None:
    """A level that is absent is refused before anything is done, and the error names those that there are."""
    await k.ready(Account)
    with k.refused(Unsupported) as caught:
        async with k.store.transaction(isolation=level):
            await k.store[Account].create(id=1, value=1)
    for offered in k.capabilities.isolation:
        assert offered.name in str(caught.error) or not k.capabilities.support("transactions")

    @unit(k.store, isolation=level)
    async def work() -> None:
        await k.store[Account].create(id=2, value=2)

    with k.refused(Unsupported):
        await work()
    assert await size(k.store) == 0


async def refused_by_the_port(k: Kit, level: Isolation) -> None:
    """The port itself refuses a level that it does not declare."""
    await k.ready(Account)
    with k.refused(Unsupported):
        await k.begin(level)


for _level in Isolation:
    case("G1", absent=f"isolation.{_level.value}", each={_level.value: _level})(refused)
    case("G1", needs="transactions", absent=f"isolation.{_level.value}", each={_level.value: _level})(refused_by_the_port)


@case("G1", needs="transactions")
async def the_default_level_is_one_of_those_offered(k: Kit) -> None:
    assert k.capabilities.default_isolation in k.capabilities.isolation


@case("G1", needs=("transactions", "savepoints"), each={level.value: level for level in Isolation})
async def a_nested_block_has_no_level_of_its_own(k: Kit, level: Isolation) -> None:
    await k.ready(Account)
    async with k.store.transaction():
        await k.store[Account].create(id=1, value=1)
        with k.refused(ProgrammingError, says="outermost"):
            async with k.store.transaction(isolation=level):
                await k.store[Account].create(id=2, value=2)
    assert await values(k.store) == {1: 1}


@case("G1", needs=("transactions", "savepoints"))
async def a_nested_block_has_no_time_of_its_own(k: Kit) -> None:
    await k.ready(Account)
    async with k.store.transaction():
        with k.refused(ProgrammingError, says="outermost"):
            async with k.store.transaction(timeout_s=1.0):
                await k.store[Account].create(id=2, value=2)
    assert await values(k.store) == {}


@case("G1", needs=("transactions", "savepoints"))
async def a_nested_block_can_be_read_only(k: Kit) -> None:
    """In a block that writes, and in one that is read-only itself."""
    await k.ready(Account)
    async with k.store.transaction():
        await k.store[Account].create(id=1, value=1)
        async with k.store.transaction(read_only=True):
            assert await values(k.store) == {1: 1}
            with k.refused(ProgrammingError, says="read-only"):
                await k.store[Account].create(id=2, value=2)
            async with k.store.transaction():
                with k.refused(ProgrammingError, says="read-only"):
                    await k.store[Account].create(id=3, value=3)
        await k.store[Account].create(id=4, value=4)
    assert await values(k.store) == {1: 1, 4: 4}


@case("G1", needs="transactions", each={"none": 0.0, "less than none": -1.0, "no number": math.nan})
async def a_time_that_is_none_is_refused(k: Kit, timeout_s: float) -> None:
    await k.ready(Account)
    with k.refused(ProgrammingError, says="timeout_s"):
        async with k.store.transaction(timeout_s=timeout_s):
            await k.store[Account].create(id=1, value=1)
    assert await values(k.store) == {}


@case("G1", needs="transactions")
async def a_read_only_transaction_of_the_port_refuses_writes(k: Kit) -> None:
    await k.ready(Account)
    await k.insert(ACCOUNT, (1, 10, None))
    writes: list[Callable[[Any], Awaitable[Any]]] = [
        lambda tx: k.insert(ACCOUNT, (2, 20, None), tx=tx),
        lambda tx: k.patch(ACCOUNT, 1, tx=tx, value=11),
        lambda tx: k.delete(ACCOUNT, 1, tx=tx),
        lambda tx: k.upsert(ACCOUNT, (1, 12, None), ["id"], ["value"], tx=tx),
    ]
    for write in writes:
        tx = await k.begin(read_only=True)
        assert await now(k, tx) == {1: 10}
        with k.refused(ProgrammingError):
            await write(tx)
        await k.rollback(tx)
    assert await now(k) == {1: 10}


# Snapshots


SNAPSHOTS = (Isolation.SNAPSHOT, Isolation.SERIALIZABLE)


async def _three(k: Kit) -> None:
    await k.ready(Account)
    await k.insert(ACCOUNT, *((key, value, None) for key, value in START.items()))


@for_each_level("reads_beside_writes", levels=SNAPSHOTS)
async def a_snapshot_stays_as_it_was(k: Kit, level: Isolation) -> None:
    """Whatever others change, remove, insert again and empty."""
    await _three(k)
    reader = await k.begin(level, read_only=True)
    assert await now(k, reader) == START
    for value in (5, 6):
        await k.patch(ACCOUNT, 1, value=value)
    await k.delete(ACCOUNT, 2)
    await k.insert(ACCOUNT, (4, 40, None), (2, 99, None))
    assert await now(k, reader) == START
    assert [row and row[1] for row in await k.fetch(ACCOUNT, 1, 2, 4, tx=reader)] == [10, 20, None]
    assert await k.rows(ACCOUNT, between(ACCOUNT, "value", 35, 100), reader) == []
    assert [row[0] for row in await k.rows(ACCOUNT, tx=reader, order=["-value"])] == [3, 2, 1]
    await k.do(k.backend.reset([ACCOUNT]))
    assert await now(k, reader) == START
    await k.commit(reader)
    assert await now(k) == {}


@for_each_level("reads_beside_writes", "aggregates", levels=SNAPSHOTS)
async def aggregates_are_of_the_snapshot(k: Kit, level: Isolation) -> None:
    await _three(k)
    value = key_ref(ACCOUNT, "value")
    totals = Select(
        ACCOUNT, columns=(Column("n", Aggregate("count", None, False, value.type)), Column("s", Aggregate("sum", value, False, value.type)))
    )
    reader = await k.begin(level, read_only=True)
    assert await k.select(totals, reader) == [(3, 60)]
    await k.patch(ACCOUNT, 1, value=1000)
    await k.insert(ACCOUNT, (4, 40, None))
    assert await k.select(totals, reader) == [(3, 60)]
    await k.commit(reader)
    assert await k.select(totals) == [(4, 1090)]


@for_each_level("reads_beside_writes", levels=SNAPSHOTS)
async def a_writer_sees_its_own_writes_on_its_snapshot(k: Kit, level: Isolation) -> None:
    """Beside a reader that sees none of them, until after the commit."""
    await _three(k)
    reader = await k.begin(level, read_only=True)
    assert await now(k, reader) == START
    writer = await k.begin(level)
    await k.patch(ACCOUNT, 1, tx=writer, value=11)
    await k.delete(ACCOUNT, 2, tx=writer)
    await k.insert(ACCOUNT, (4, 40, None), tx=writer)
    assert await now(k, writer) == {1: 11, 3: 30, 4: 40}
    assert await now(k, reader) == START
    assert await now(k) == START
    await k.commit(writer)
    assert await now(k, reader) == START
    assert await now(k) == {1: 11, 3: 30, 4: 40}
    await k.commit(reader)


@for_each_level("reads_beside_writes", "references", "joins", levels=SNAPSHOTS)
async def relations_are_seen_as_of_the_snapshot(k: Kit, level: Isolation) -> None:
    await k.ready(Owner, Thing)
    await k.insert(OWNER, (1, "ada"))
    pen = uuid.UUID(int=1)
    await k.insert(THING, (pen, 1, "pen"))
    having = Related((), OWNER.relations["things"], "any", same(THING, "name", "pen"))
    reader = await k.begin(level, read_only=True)
    assert len(await k.rows(OWNER, having, reader)) == 1
    await k.patch(THING, pen, name="pad")
    assert len(await k.rows(OWNER, having)) == 0
    assert len(await k.rows(OWNER, having, reader)) == 1
    await k.rollback(reader)
    writer = await k.begin(level)
    await k.insert(THING, (uuid.UUID(int=2), 1, "pen"), tx=writer)
    assert len(await k.rows(OWNER, having, writer)) == 1
    assert len(await k.rows(OWNER, having)) == 0
    await k.rollback(writer)
    assert len(await k.rows(OWNER, having)) == 0


@for_each_level(levels=SNAPSHOTS)
async def an_insert_and_a_removal_leave_nothing(k: Kit, level: Isolation) -> None:
    await _three(k)
    tx = await k.begin(level)
    await k.insert(ACCOUNT, (4, 40, None), tx=tx)
    await k.delete(ACCOUNT, 4, tx=tx)
    await k.delete(ACCOUNT, 1, tx=tx)
    await k.insert(ACCOUNT, (1, 17, None), tx=tx)
    await k.commit(tx)
    assert await now(k) == {**START, 1: 17}


# Time


LATE: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "a write": lambda store: store[Account].create(id=9, value=9),
    "a read": lambda store: store[Account].query().all(),
    "a read by key": lambda store: store[Account].get(1),
}


@case("G1", needs="transactions", each=LATE)
async def a_transaction_that_takes_too_long_is_undone(k: Kit, call: Callable[[Any], Awaitable[Any]]) -> None:
    """What comes after its time is refused, and nothing stays open."""
    await begin(k.store)
    faults, store = await faulty(k)
    with k.refused(DeadlineExceeded, effect="none"):
        async with store.transaction(timeout_s=0.25):
            await store[Account].create(id=4, value=40)
            with faults.at(1, "delay", seconds=0.3):
                await call(store)
    assert await values(k.store) == START
    await still_works(store, expected=START)


@case("G1", needs="transactions")
async def a_commit_that_comes_too_late_is_undone(k: Kit) -> None:
    await begin(k.store)
    faults, store = await faulty(k)
    with k.refused(DeadlineExceeded), faults.at("commit", "delay", seconds=0.3):
        async with store.transaction(timeout_s=0.25):
            await store[Account].create(id=4, value=40)
    assert await values(k.store) == START
    await still_works(store, expected=START)


@case("G1", needs="transactions")
async def a_transaction_in_time_is_kept(k: Kit) -> None:
    await begin(k.store)
    async with k.store.transaction(timeout_s=60.0):
        await k.store[Account].create(id=4, value=40)
    assert await values(k.store) == {**START, 4: 40}


@case("G2", needs="transactions")
async def the_end_of_its_time_dooms_a_transaction(k: Kit) -> None:
    await begin(k.store)
    faults, store = await faulty(k)
    with k.refused(TransactionDoomed):
        async with store.transaction(timeout_s=0.25):
            await store[Account].create(id=4, value=40)
            with faults.at(1, "delay", seconds=0.3), k.refused(DeadlineExceeded):
                await size(store)
            with k.refused(TransactionDoomed):
                await store[Account].create(id=5, value=50)
    assert await values(k.store) == START


# Batches and size


@case("G6", needs=("transactions", "atomic_batch"), each=(1, 99, 1000))
async def a_big_unit_is_kept_or_undone_whole(k: Kit, count: int) -> None:
    items = [{"id": number, "value": number} for number in range(count)]
    with k.refused(Undone):
        async with k.store.transaction():
            await k.store[Account].create_many(items)
            assert await size(k.store) == count
            raise Undone
    assert await size(k.store) == 0
    async with k.store.transaction():
        await k.store[Account].create_many(items)
    assert await size(k.store) == count


@case("G6", needs=("atomic_batch", "limit.batch_items_max"), absent="transactions")
async def a_batch_over_the_limit_is_refused_before_any_write(k: Kit) -> None:
    """One record more than what the engine takes whole: nothing is written."""
    from holdall.errors import SizeLimit

    most = k.capabilities.batch_items_max
    assert most is not None
    items = [{"id": number, "value": number} for number in range(most + 1)]
    with k.refused(SizeLimit) as caught:
        await k.store[Account].create_many(items)
    assert str(most) in str(caught.error)
    assert await size(k.store) == 0
    await k.store[Account].create_many(items[:most])
    assert await size(k.store) == most
