"""Transactions that the kit's cases cannot say: real tasks that are cancelled, threads that meet, stores that are closed."""

from __future__ import annotations

import asyncio
import threading
from decimal import Decimal
from typing import Any

import pytest
from tests.store.shop import Customer, Product

from holdall import HoldallError, Store


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


async def test_closing_a_store_undoes_what_is_open(s: Any) -> None:
    block = s.transaction()
    await s.ensure_schema(Product)
    await block.__aenter__()
    await s[Product].create(name="pen", price=Decimal(1))
    await s.close()
    with pytest.raises(HoldallError):
        await block.__aexit__(None, None, None)
