"""Units: units of work of the store, run again after conflicts, by many clients at once, in threads, tasks or processes.

Owns the workload: each client moves money between few accounts and counts, in a row that all share, that it did. Must not know proofs.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

from holdall.errors import TransactionConflict
from holdall.store import Store
from proofs._concurrency.models import Account
from proofs._concurrency.modes import Mode, in_threads, loop
from proofs._concurrency.targets import Place

ACCOUNTS, START, COUNTER = 3, 100, 0
RETRIES = 50


def _amounts(seed: int, number: int, count: int) -> list[tuple[int, int, int]]:
    rng = random.Random(f"{seed}/{number}")
    return [(*rng.sample(range(1, ACCOUNTS + 1), 2), rng.randint(1, 9)) for _ in range(count)]  # type: ignore[misc]  # two and one


def client(store: Store, seed: int, number: int, count: int, careful: bool) -> tuple[int, int]:
    """Transfers, blocking: how many units were done, and how often `after_commit` was called. `careful`: in units of work."""
    done = told = 0

    def tell() -> None:
        nonlocal told
        told += 1

    def transfer(one: int, other: int, amount: int) -> None:
        accounts = store[Account]
        source, target, counter = accounts.get(one), accounts.get(other), accounts.get(COUNTER)
        assert source is not None
        assert target is not None
        assert counter is not None
        source.balance -= amount
        target.balance += amount
        counter.balance += 1
        for record in (source, target, counter):
            accounts.save(record)
        if careful:
            with store.transaction() as inner:
                inner.after_commit(tell)

    run: Callable[..., None] = store.unit(retries=RETRIES)(transfer) if careful else transfer
    for amounts in _amounts(seed, number, count):
        try:
            run(*amounts)
        except TransactionConflict:
            continue
        done += 1
    return done, told if careful else done


async def aclient(store: Store, seed: int, number: int, count: int, careful: bool) -> tuple[int, int]:
    """The same, awaited."""
    done = told = 0

    def tell() -> None:
        nonlocal told
        told += 1

    async def transfer(one: int, other: int, amount: int) -> None:
        accounts = store.aio[Account]
        source, target = await accounts.get(one), await accounts.get(other)
        await asyncio.sleep(0)
        counter = await accounts.get(COUNTER)
        assert source is not None
        assert target is not None
        assert counter is not None
        source.balance -= amount
        target.balance += amount
        counter.balance += 1
        for record in (source, target, counter):
            await accounts.save(record)
        if careful:
            async with store.aio.transaction() as inner:
                inner.after_commit(tell)

    run: Callable[..., Any] = store.unit(retries=RETRIES)(transfer) if careful else transfer
    for amounts in _amounts(seed, number, count):
        try:
            await run(*amounts)
        except TransactionConflict:
            continue
        done += 1
    return done, told if careful else done


_elsewhere_open: dict[str, Store] = {}


def _elsewhere(url: str, seed: int, number: int, count: int, careful: bool) -> tuple[int, int]:
    store = _elsewhere_open.get(url)
    if store is None:
        for other in _elsewhere_open.values():
            other.close()
        _elsewhere_open.clear()
        store = _elsewhere_open[url] = Store(url)
    return client(store, seed, number, count, careful)


def play(place: Place, mode: Mode, seed: int, clients: int, count: int, workers: Any, careful: bool = True) -> str:
    """Let the clients work; what is wrong afterwards, '' if nothing."""
    stores = [Store(place.made[at % len(place.made)]) for at in range(clients)]
    first = stores[0]
    first.clear(Account)
    first[Account].create_many([{"id": key, "balance": START if key else 0, "branch": 1} for key in range(ACCOUNTS + 1)])
    if mode == "threads":
        results = in_threads([lambda number=number: client(stores[number], seed, number, count, careful) for number in range(clients)])  # type: ignore[misc]  # bound in the loop
    elif mode == "processes":
        jobs = [workers.apply_async(_elsewhere, (place.url, seed, number, count, careful)) for number in range(clients)]
        results = [job.get(120) for job in jobs]
    else:

        async def together() -> list[Any]:
            return await asyncio.gather(*[aclient(stores[number], seed, number, count, careful) for number in range(clients)])

        results = loop().run(together())
    done, told = sum(done for done, _ in results), sum(told for _, told in results)
    rows = {account.id: account.balance for account in first[Account].all()}
    counted, total = rows.pop(COUNTER), sum(rows.values())
    if counted != done:
        return f"{done} units were done, but {counted} are counted"
    if total != ACCOUNTS * START:
        return f"the sum of all accounts is {total}, not {ACCOUNTS * START}: {rows}"
    if told != done:
        return f"{done} units were done, but {told} were told of their commit"
    return ""
