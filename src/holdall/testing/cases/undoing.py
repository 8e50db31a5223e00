"""G2, F3, G5, G7: what is undone is undone in full, also twice changed; what a transaction made itself counts inside it."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from unittest.mock import patch

from holdall.errors import ForeignKeyViolation, OutcomeUnknown, ProgrammingError, TransactionDoomed, UniqueViolation
from holdall.testing.case import case
from holdall.testing.cases.outcome import faulty
from holdall.testing.kit import Kit
from holdall.testing.models.accounts import Account
from holdall.testing.models.references import Follower, Forgetful, Region, Strict

ACCOUNT: Any = Account
State = dict[int, int]


async def state(store: Any) -> State:
    """The values by key."""
    return {item.id: item.value for item in await store[Account].all()}


async def change(store: Any, key: int, value: int) -> None:
    """Change one record."""
    record = await store[Account].get(key)
    record.value = value
    await store[Account].save(record)


async def remove(store: Any, key: int) -> None:
    """Remove one record."""
    await store[Account].delete(await store[Account].get(key))


async def _twice(store: Any) -> None:
    await change(store, 1, 11)
    await change(store, 1, 12)


async def _gone_and_back(store: Any) -> None:
    await remove(store, 1)
    await store[Account].create(id=1, value=13)
    await change(store, 1, 14)


async def _come_and_gone(store: Any) -> None:
    await store[Account].create(id=9, value=90)
    await change(store, 9, 91)
    await remove(store, 9)


async def _by_query(store: Any) -> None:
    await store[Account].where(ACCOUNT.value > 0).update(value=ACCOUNT.value + 1)
    await store[Account].where(ACCOUNT.value > 0).update(value=ACCOUNT.value + 1)
    await store[Account].where(ACCOUNT.id == 1).delete()


MUCH: dict[str, Callable[[Any], Awaitable[None]]] = {
    "changed twice": _twice,
    "removed, made again and changed": _gone_and_back,
    "made, changed and removed": _come_and_gone,
}


async def _much_is_undone(k: Kit, much: Callable[[Any], Awaitable[None]]) -> None:
    accounts = k.store[Account]
    await accounts.create_many([{"id": 1, "value": 10}, {"id": 2, "value": 20}])
    async with k.store.transaction():
        await change(k.store, 2, 21)
        for _ in range(2):
            with k.refused(UniqueViolation):
                async with k.store.transaction():
                    await much(k.store)
                    await accounts.create(id=2, value=0)
            assert await state(k.store) == {1: 10, 2: 21}
            assert [item.id for item in await accounts.where(ACCOUNT.value == 10).all()] == [1]
        await change(k.store, 1, 15)
    assert await state(k.store) == {1: 15, 2: 21}


@case("G2", needs=("transactions", "savepoints", "atomic_batch"), each=MUCH)
async def much_is_undone(k: Kit, much: Callable[[Any], Awaitable[None]]) -> None:
    """A nested block that fails leaves each record as the outer one had it, whatever it did to it."""
    await _much_is_undone(k, much)


@case("G2", needs=("transactions", "savepoints", "atomic_batch", "set_writes"))
async def much_by_query_is_undone(k: Kit) -> None:
    await _much_is_undone(k, _by_query)


@case("G2", needs=("transactions", "savepoints"))
async def what_an_undone_block_put_off_is_not_done(k: Kit) -> None:
    """after_commit of a nested block that failed; that of one that did not is done."""
    done: list[str] = []
    await k.store.ensure_schema(Account)
    async with k.store.transaction() as outer:
        outer.after_commit(done.append, "outer")
        with k.refused(UniqueViolation):
            async with k.store.transaction() as inner:
                inner.after_commit(done.append, "undone")
                await k.store[Account].create(id=1, value=1)
                await k.store[Account].create(id=1, value=1)
        async with k.store.transaction() as inner:
            inner.after_commit(done.append, "inner")
            await k.store[Account].create(id=2, value=2)
        assert done == []
    assert done == ["outer", "inner"]


@case("G2", needs=("transactions", "savepoints"))
async def records_of_a_nested_block_go_with_the_outer_one(k: Kit) -> None:
    """A record made in a nested block that ended well is not stored once the outer block is undone: saving it makes it."""
    await k.store.ensure_schema(Account)
    record = Account(id=1, value=1)
    with k.refused(UniqueViolation):
        async with k.store.transaction():
            async with k.store.transaction():
                await k.store[Account].save(record)
            await k.store[Account].create(id=2, value=2)
            await k.store[Account].create(id=2, value=2)
    assert await state(k.store) == {}
    await k.store[Account].save(record)
    assert await state(k.store) == {1: 1}


@case("G3", needs="transactions")
async def a_record_of_an_unknown_commit_may_be_stored(k: Kit) -> None:
    """It was: changing it afterwards changes it, and does not make it once more."""
    faults, store = await faulty(k)
    record = Account(id=1, value=1)
    with k.refused(OutcomeUnknown), faults.at("commit", "lose"):
        async with store.transaction():
            await store[Account].save(record)
    assert await state(k.store) == {1: 1}
    record.value = 2
    await store[Account].save(record)
    assert await state(k.store) == {1: 2}


@case("G5", needs=("transactions", "row_locks"))
async def a_lock_outside_a_transaction_is_refused(k: Kit) -> None:
    await k.store[Account].create(id=1, value=1)
    with k.refused(ProgrammingError, says="transaction"):
        await k.store[Account].where(ACCOUNT.id == 1).lock().all()


@case("G7", needs="transactions")
async def an_ended_transaction_is_refused_where_it_is_remembered(k: Kit) -> None:
    """A context that was copied inside the block still has it as the open one."""
    await k.store.ensure_schema(Account)
    async with k.store.transaction():
        await k.store[Account].create(id=1, value=1)
        inside = contextvars.copy_context()
    with k.refused(ProgrammingError, says="already ended"):
        inside.run(k.store[Account].create(id=2, value=2).send, None)
    assert await state(k.store) == {1: 1}


@case("G7", needs="transactions")
async def a_transaction_of_another_process_is_refused(k: Kit) -> None:
    await k.store.ensure_schema(Account)
    async with k.store.transaction():
        await k.store[Account].create(id=1, value=1)
        with patch.object(os, "getpid", return_value=-1), k.refused(ProgrammingError, says="process"):
            await k.store[Account].create(id=2, value=2)
    assert await state(k.store) == {1: 1}


@case("G7", needs="transactions")
async def an_ended_transaction_of_the_port_takes_nothing(k: Kit) -> None:
    """Neither a write nor a read gets through with a handle that was committed or rolled back."""
    await k.ready(Account)
    entity = Account.__entity__
    for end in (k.commit, k.rollback):
        tx = await k.begin()
        await k.insert(entity, (1, 1, None), tx=tx)
        await end(tx)
        before = await k.rows(entity)
        refused = 0
        for call in (partial(k.insert, entity, (2, 2, None)), partial(k.rows, entity)):
            try:
                await call(tx=tx)
            except (TransactionDoomed, ProgrammingError):
                refused += 1
        assert refused == 2, "a handle that has ended was taken"
        assert await k.rows(entity) == before
        await k.do(k.backend.reset([entity]))


@case("F3", needs=("transactions", "references"))
async def a_transactions_own_children_count(k: Kit) -> None:
    """Children made in the same transaction restrict the delete of their parent, go with it, or forget it, as the rule says."""
    await k.store.ensure_schema(Region, Strict, Follower, Forgetful)
    for number in (1, 2, 3):
        await k.store[Region].create(id=number)
    with k.refused(ForeignKeyViolation):
        async with k.store.transaction():
            await k.store[Strict].create(id=1, region_id=1)
            await k.store[Region].delete(await k.store[Region].get(1))
    async with k.store.transaction():
        await k.store[Follower].create(id=2, region_id=2)
        await k.store[Region].delete(await k.store[Region].get(2))
        assert await k.store[Follower].count() == 0
    async with k.store.transaction():
        await k.store[Forgetful].create(id=3, region_id=3)
        await k.store[Region].delete(await k.store[Region].get(3))
    assert [item.region_id for item in await k.store[Forgetful].all()] == [None]
    assert [item.id for item in await k.store[Region].all()] == [1]


@case("F3", needs="references")
async def every_child_forgets(k: Kit) -> None:
    """All records that refer to a deleted one are set to null, and no other."""
    await k.store[Region].create(id=1)
    await k.store[Region].create(id=2)
    for number in range(1, 8):
        await k.store[Forgetful].create(id=number, region_id=1 + number % 2)
    await k.store[Region].delete(await k.store[Region].get(1))
    assert {item.id: item.region_id for item in await k.store[Forgetful].all()} == {
        number: None if number % 2 == 0 else 2 for number in range(1, 8)
    }
