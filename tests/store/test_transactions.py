"""Transactions on every backend, both colours: commit, undo, savepoints, doom, isolation, retries, ownership, cancellation."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import Any

import pytest
from tests.store.shop import Customer, Employee, Product

from holdall import (
    Isolation,
    ProgrammingError,
    Store,
    TransactionDoomed,
    UniqueViolation,
    Unsupported,
)


async def test_commit_and_undo(s: Any) -> None:
    async with s.transaction():
        await s[Product].create(name="pen", price=Decimal(1))
        assert await s[Product].count() == 1
    with pytest.raises(RuntimeError):
        async with s.transaction():
            await s[Product].create(name="ink", price=Decimal(1))
            raise RuntimeError
    assert await s[Product].query().column(Product.name) == ["pen"]


async def test_nested_blocks_are_savepoints(s: Any) -> None:
    async with s.transaction():
        await s[Product].create(name="pen", price=Decimal(1))
        with pytest.raises(UniqueViolation):
            async with s.transaction():
                await s[Product].create(name="ink", price=Decimal(1))
                await s[Product].create(name="pen", price=Decimal(1))
        async with s.transaction():
            await s[Product].create(name="pad", price=Decimal(1))
    assert sorted(await s[Product].query().column(Product.name)) == ["pad", "pen"]


async def test_an_error_dooms_the_transaction(s: Any) -> None:
    await s[Product].create(name="pen", price=Decimal(1))
    with pytest.raises(TransactionDoomed):
        async with s.transaction():
            await s[Product].create(name="ink", price=Decimal(1))
            with pytest.raises(UniqueViolation):
                await s[Product].create(name="pen", price=Decimal(1))
            with pytest.raises(TransactionDoomed):
                await s[Product].count()
    assert await s[Product].count() == 1


async def test_asking_for_an_absent_level_is_refused(s: Any) -> None:
    with pytest.raises(Unsupported, match="READ_COMMITTED"):
        s.transaction(isolation=Isolation.READ_COMMITTED)
    async with s.transaction(isolation=Isolation.SERIALIZABLE):
        with pytest.raises(ProgrammingError, match="outermost"):
            s.transaction(isolation=Isolation.SERIALIZABLE)


async def test_what_cannot_be_kept_is_refused(s: Any) -> None:
    with pytest.raises(ProgrammingError, match="lock"):
        await s[Product].query().lock().all()
    async with s.transaction():
        assert await s[Product].query().lock().all() == []
    with pytest.raises(ProgrammingError, match="timeout_s"):
        s.transaction(timeout_s=-1)


async def test_a_read_only_transaction_writes_nothing(s: Any) -> None:
    await s[Product].create(name="pen", price=Decimal(1))
    with pytest.raises((Unsupported, ProgrammingError)):
        async with s.transaction(read_only=True):
            assert await s[Product].count() == 1
            await s[Product].create(name="ink", price=Decimal(1))
    assert await s[Product].count() == 1


async def test_units_are_run_again_after_a_conflict(s: Any, store: Store) -> None:
    await s[Employee].create(name="counter", boss_id=None)
    runs = 0

    @s.unit(retries=3)
    async def rename() -> str:
        nonlocal runs
        runs += 1
        employee = await s[Employee].query().one()
        if runs == 1:
            from holdall import SerializationFailure

            raise SerializationFailure("as if another had won")
        employee.name = "renamed"
        await s[Employee].save(employee)
        return "done"

    assert await rename() == "done"
    assert runs == 2
    assert (await s[Employee].query().one()).name == "renamed"


async def test_after_commit_waits_for_the_outermost_commit(s: Any) -> None:
    seen: list[str] = []
    async with s.transaction() as outer:
        async with s.transaction() as inner:
            await s[Product].create(name="pen", price=Decimal(1))
            inner.after_commit(seen.append, "inner")
        outer.after_commit(seen.append, "outer")
        assert seen == []
    assert seen == ["inner", "outer"]
    with pytest.raises(RuntimeError):
        async with s.transaction() as undone:
            undone.after_commit(seen.append, "never")
            raise RuntimeError
    assert seen == ["inner", "outer"]


def test_a_transaction_stays_in_its_thread(store: Store) -> None:
    import contextvars

    errors: list[BaseException] = []
    store[Product].create(name="pen", price=Decimal(1))
    with store.transaction():
        context = contextvars.copy_context()

        def elsewhere() -> None:
            try:
                context.run(store[Product].count)
            except ProgrammingError as error:
                errors.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert len(errors) == 1


async def test_a_transaction_stays_in_its_task(store: Store) -> None:
    aio = store.aio
    await aio[Product].create(name="pen", price=Decimal(1))
    async with aio.transaction():
        await aio[Product].count()
        with pytest.raises(ProgrammingError, match="task"):
            await asyncio.create_task(aio[Product].count())


async def test_cancelling_a_task_leaves_no_open_transaction(store: Store) -> None:
    aio = store.aio
    await aio[Product].create(name="pen", price=Decimal(1))
    inside = asyncio.Event()

    async def work() -> None:
        async with aio.transaction():
            await aio[Product].create(name="ink", price=Decimal(1))
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await aio[Product].query().column(Product.name) == ["pen"]
    async with aio.transaction():
        await aio[Product].create(name="pad", price=Decimal(1))
    assert await aio[Product].count() == 2


async def test_cancelling_at_any_moment_is_whole(store: Store) -> None:
    """Cancel after n turns of the loop, for growing n: the two writes are both there or both not."""
    aio = store.aio
    await aio.ensure_schema(Product)
    completed = 0
    for turns in range(40):
        await aio.clear(Product)

        async def work() -> None:
            async with aio.transaction():
                await aio[Product].create(name="pen", price=Decimal(1))
                await aio[Product].create(name="ink", price=Decimal(1))

        task = asyncio.create_task(work())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
            completed += 1
        except asyncio.CancelledError:
            pass
        assert await aio[Product].count() in (0, 2)
    assert completed or turns


def test_threads_lose_no_update(store: Store) -> None:
    store[Customer].create(email="n@example.com", name="0")

    @store.unit(retries=200)
    def count_up() -> None:
        customer = store[Customer].query().one()
        customer.name = str(int(customer.name) + 1)
        store[Customer].save(customer)

    def work() -> None:
        for _ in range(10):
            count_up()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store[Customer].query().one().name == "40"
