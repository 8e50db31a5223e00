"""Operations: one of every kind of write, on three accounts, for cases and proofs that are about all of them.

Owns what each does to which rows. Must not know cases.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from holdall.testing.models.accounts import Account

F = TypeVar("F", bound=Callable[..., Any])

START: Mapping[int, int] = {1: 10, 2: 20, 3: 30}  # id: value, before the operation


@dataclass(frozen=True, slots=True)
class Operation:
    """One kind of write: `do` takes a store (of either colour, awaited); afterwards the accounts are `after`."""

    name: str
    do: Callable[[Any], Awaitable[Any]]
    after: Mapping[int, int]
    needs: tuple[str, ...] = ()


def unit(store: Any, **options: Any) -> Callable[[F], F]:
    """store.unit(…) for stores of either colour, whose types the cases do not know."""
    made: Callable[[F], F] = store.unit(**options)
    return made


async def begin(store: Any) -> None:
    """Make the accounts of START, and nothing else."""
    for key, value in START.items():
        await store[Account].create(id=key, value=value)


async def values(store: Any) -> dict[int, int]:
    """The accounts' values by id, as a query gives them."""
    found = await store[Account].query().all()
    return {account.id: account.value for account in sorted(found, key=lambda account: account.id)}


async def size(store: Any, model: Any = Account) -> int:
    """How many records there are; counted here, so that it needs no aggregates."""
    return len(await store[model].query().all())


async def _create(store: Any) -> None:
    await store[Account].create(id=4, value=40)


async def _create_many(store: Any) -> None:
    await store[Account].create_many([{"id": 4, "value": 40}, {"id": 5, "value": 50}])


async def _save_new(store: Any) -> None:
    await store[Account].save(Account(id=4, value=40))


async def _save_changed(store: Any) -> None:
    account = await store[Account].get(1)
    account.value = 11
    await store[Account].save(account)


async def _save_all(store: Any) -> None:
    account = await store[Account].get(2)
    account.value = 21
    await store.save_all([Account(id=4, value=40), account])


async def _upsert_new(store: Any) -> None:
    await store[Account].upsert(id=4, value=40)


async def _upsert_old(store: Any) -> None:
    await store[Account].upsert(id=3, value=31)


async def _upsert_ignored(store: Any) -> None:
    await store[Account].upsert(id=3, value=31, on_conflict="ignore")
    await store[Account].upsert(id=4, value=40, on_conflict="ignore")


async def _delete(store: Any) -> None:
    await store[Account].delete(await store[Account].get(2))


async def _delete_and_create(store: Any) -> None:
    await store[Account].delete(await store[Account].get(2))
    await store[Account].create(id=2, value=22)


async def _update_where(store: Any) -> None:
    await store[Account].where(Account.value >= 20).update(value=Account.value + 1)


async def _delete_where(store: Any) -> None:
    await store[Account].where(Account.value >= 20).delete()


OPERATIONS: tuple[Operation, ...] = (
    Operation("create", _create, {**START, 4: 40}),
    Operation("create many", _create_many, {**START, 4: 40, 5: 50}, ("atomic_batch",)),
    Operation("save a new one", _save_new, {**START, 4: 40}),
    Operation("save a change", _save_changed, {**START, 1: 11}),
    Operation("save all", _save_all, {**START, 2: 21, 4: 40}),
    Operation("upsert a new one", _upsert_new, {**START, 4: 40}),
    Operation("upsert an old one", _upsert_old, {**START, 3: 31}),
    Operation("upsert, ignoring", _upsert_ignored, {**START, 4: 40}),
    Operation("delete", _delete, {1: 10, 3: 30}),
    Operation("delete and create", _delete_and_create, {1: 10, 2: 22, 3: 30}),
    Operation("update where", _update_where, {1: 10, 2: 21, 3: 31}, ("set_writes",)),
    Operation("delete where", _delete_where, {1: 10}, ("set_writes",)),
)
