"""G1: what a transaction keeps, undoes and shows: every kind of write, by itself and for others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.accounts import Account, Versioned
from holdall.testing.operations import OPERATIONS, START, Operation, begin, size, values

Body = Callable[..., Awaitable[None]]


class Undone(Exception):
    """What a case raises to undo a block."""


def for_each_write(promise: str, *needs: str) -> Callable[[Body], Body]:
    """Register a case once for each kind of write, with what that kind needs."""

    def register(body: Body) -> Body:
        for operation in OPERATIONS:
            case(promise, needs=("transactions", *needs, *operation.needs), each={operation.name: operation})(body)
        return body

    return register


@for_each_write("G1")
async def a_write_is_kept_by_the_commit(k: Kit, operation: Operation) -> None:
    await begin(k.store)
    async with k.store.transaction():
        await operation.do(k.store)
    assert await values(k.store) == operation.after


@for_each_write("G1")
async def a_write_is_undone_by_an_error(k: Kit, operation: Operation) -> None:
    await begin(k.store)
    with k.refused(Undone):
        async with k.store.transaction():
            await operation.do(k.store)
            raise Undone
    assert await values(k.store) == START
    assert [account and account.value for account in await k.store[Account].get_many([1, 2, 3, 4, 5])] == [10, 20, 30, None, None]


@for_each_write("G1")
async def an_undone_write_can_be_done_again(k: Kit, operation: Operation) -> None:
    await begin(k.store)
    for _ in range(2):
        with k.refused(Undone):
            async with k.store.transaction():
                await operation.do(k.store)
                raise Undone
    async with k.store.transaction():
        await operation.do(k.store)
    assert await values(k.store) == operation.after


@for_each_write("G1")
async def a_transaction_sees_its_own_write(k: Kit, operation: Operation) -> None:
    """By key, by many keys, by a condition, by existence and by count."""
    await begin(k.store)
    accounts = k.store[Account]
    async with k.store.transaction():
        await operation.do(k.store)
        assert await values(k.store) == operation.after
        for key in (1, 2, 3, 4, 5):
            found = await accounts.get(key)
            assert (found and found.value) == operation.after.get(key), f"by key: {found}"
            assert await accounts.where(Account.id == key).exists() == (key in operation.after), f"by existence: {key}"
        many = await accounts.get_many([1, 2, 3, 4, 5])
        assert {account.id: account.value for account in many if account is not None} == operation.after
        assert await size(k.store) == len(operation.after)
        high = await accounts.where(Account.value >= 21).all()
        assert {account.id for account in high} == {key for key, value in operation.after.items() if value >= 21}


@for_each_write("G1", "aggregates")
async def aggregates_see_own_writes(k: Kit, operation: Operation) -> None:
    await begin(k.store)
    async with k.store.transaction():
        await operation.do(k.store)
        assert await k.store[Account].query().sum(Account.value) == sum(operation.after.values())
        assert await k.store[Account].query().max(Account.value) == max(operation.after.values())


@for_each_write("G1", "reads_beside_writes")
async def nobody_sees_a_write_before_the_commit(k: Kit, operation: Operation) -> None:
    """Neither by key, nor by a query, nor in a transaction that began meanwhile."""
    await begin(k.store)
    other = k.another_store()
    await other.ensure_schema(Account)
    async with k.store.transaction():
        await operation.do(k.store)
        assert await values(other) == START
        assert [account and account.value for account in await other[Account].get_many([1, 2, 3, 4])] == [10, 20, 30, None]
        async with other.transaction(read_only=True):
            assert await values(other) == START
    assert await values(other) == operation.after


@for_each_write("G1", "savepoints")
async def a_write_is_undone_with_its_savepoint(k: Kit, operation: Operation) -> None:
    await begin(k.store)
    async with k.store.transaction():
        await k.store[Account].create(id=9, value=9)
        with k.refused(Undone):
            async with k.store.transaction():
                await operation.do(k.store)
                raise Undone
        assert await values(k.store) == {**START, 9: 9}
    assert await values(k.store) == {**START, 9: 9}


@for_each_write("G1", "savepoints")
async def a_write_in_a_savepoint_is_kept_with_the_transaction(k: Kit, operation: Operation) -> None:
    await begin(k.store)
    async with k.store.transaction():
        async with k.store.transaction():
            await operation.do(k.store)
        assert await values(k.store) == operation.after
    assert await values(k.store) == operation.after


@for_each_write("G1", "savepoints")
async def a_write_in_a_savepoint_is_undone_with_the_transaction(k: Kit, operation: Operation) -> None:
    await begin(k.store)
    with k.refused(Undone):
        async with k.store.transaction():
            async with k.store.transaction():
                await operation.do(k.store)
            raise Undone
    assert await values(k.store) == START


@for_each_write("G1")
async def a_read_only_transaction_refuses_writes(k: Kit, operation: Operation) -> None:
    """Before anything is done; reads go on, and the block ends well."""
    from holdall.errors import ProgrammingError

    await begin(k.store)
    async with k.store.transaction(read_only=True):
        assert await values(k.store) == START
        with k.refused(ProgrammingError, says="read-only"):
            await operation.do(k.store)
        assert await values(k.store) == START
    assert await values(k.store) == START


# Records go back with what was undone


async def _created(k: Kit) -> Any:
    return await k.store[Account].create(id=4, value=40)


async def _saved(k: Kit) -> Any:
    return await k.store[Account].save(Account(id=4, value=40))


async def _batched(k: Kit) -> Any:
    (account,) = await k.store[Account].create_many([Account(id=4, value=40)])
    return account


async def _upserted(k: Kit) -> Any:
    return await k.store[Account].upsert(id=4, value=40)


MAKERS = {"create": _created, "save": _saved, "create_many": _batched, "upsert": _upserted}


@case("G1", needs="transactions", each=MAKERS)
async def a_record_of_an_undone_block_can_be_saved_again(k: Kit, make: Callable[[Kit], Awaitable[Any]]) -> None:
    """It counts as not saved: saving it writes all of it."""
    made: list[Any] = []
    with k.refused(Undone):
        async with k.store.transaction():
            made.append(await make(k))
            raise Undone
    assert await k.store[Account].get(4) is None
    await k.store[Account].save(made[0])
    assert await values(k.store) == {4: 40}


@case("G1", needs=("transactions", "savepoints"), each=MAKERS)
async def a_record_of_an_undone_savepoint_can_be_saved_again(k: Kit, make: Callable[[Kit], Awaitable[Any]]) -> None:
    made: list[Any] = []
    async with k.store.transaction():
        with k.refused(Undone):
            async with k.store.transaction():
                made.append(await make(k))
                raise Undone
        assert await size(k.store) == 0
        await k.store[Account].save(made[0])
    assert await values(k.store) == {4: 40}


@case("G1", needs="transactions")
async def a_change_that_was_undone_is_written_by_the_next_save(k: Kit) -> None:
    await begin(k.store)
    account = await k.store[Account].get(1)
    with k.refused(Undone):
        async with k.store.transaction():
            account.value = 11
            await k.store[Account].save(account)
            raise Undone
    await k.store[Account].save(account)
    assert await values(k.store) == {**START, 1: 11}


@case("G1", needs="transactions")
async def a_record_whose_removal_was_undone_is_there(k: Kit) -> None:
    """It can be changed and removed as before."""
    await begin(k.store)
    account = await k.store[Account].get(1)
    with k.refused(Undone):
        async with k.store.transaction():
            await k.store[Account].delete(account)
            raise Undone
    account.value = 11
    await k.store[Account].save(account)
    assert await values(k.store) == {**START, 1: 11}
    await k.store[Account].delete(account)
    assert await values(k.store) == {2: 20, 3: 30}


@case("G1", needs="transactions")
async def a_version_goes_back_with_what_was_undone(k: Kit) -> None:
    record = await k.store[Versioned].create(id=1, value=1)
    with k.refused(Undone):
        async with k.store.transaction():
            for value in (2, 3):
                record.value = value
                await k.store[Versioned].save(record)
            assert record.version == 3
            raise Undone
    record.value = 4
    await k.store[Versioned].save(record)
    found = await k.store[Versioned].get(1)
    assert (found.value, found.version) == (4, 2)
