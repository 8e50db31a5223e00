"""The operations that the proof of cancellation interrupts, each from a known state, and what is stored, read by names.

Owns the catalogue. Must not know faults.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from holdall.testing.cases.kinds import KINDS, family
from holdall.testing.cases.kinds import state as family_state
from holdall.testing.models.account_codes import Coded
from holdall.testing.models.account_family import Guest, Mark, Owner, Tenant, Thing
from holdall.testing.models.account_numbers import Numbered
from holdall.testing.models.accounts import HEARD, Account, Versioned, Watched
from holdall.testing.operations import OPERATIONS, START, begin, unit, values

Body = Callable[[Any], Awaitable[Any]]
ACCOUNTS = (Account, Versioned, Watched)
FAMILY = (Thing, Guest, Tenant, Mark, Owner)


@dataclass(frozen=True)
class Interrupted:
    """One operation. `models` are emptied before `prepare`; `state` is what the proof compares."""

    name: str
    models: tuple[type[Any], ...]
    prepare: Body
    do: Body
    state: Body


class _OfStore:
    """Enough of a kit for the cases' own preparations."""

    def __init__(self, store: Any) -> None:
        self.store = store


async def _family(store: Any) -> None:
    await family(_OfStore(store))  # type: ignore[arg-type]  # it only uses the kit's store


async def _watched(store: Any) -> None:
    HEARD.clear()
    await store[Watched].create_many([{"id": key, "value": value} for key, value in START.items()])


async def _watched_state(store: Any) -> Any:
    return sorted((record.id, record.value) for record in await store[Watched].all())


async def _numbered_state(store: Any) -> Any:
    found = await store[Numbered].all()
    assert len({record.id for record in found}) == len(found)
    return sorted(record.value for record in found)


async def _coded_state(store: Any) -> Any:
    return sorted((record.id, record.code) for record in await store[Coded].all())


async def _versioned_state(store: Any) -> Any:
    return sorted((record.id, record.value, record.version) for record in await store[Versioned].all())


async def _numbers(store: Any) -> None:
    await store[Numbered].create_many([{"value": 1}, {"value": 2}])


async def _codes(store: Any) -> None:
    await store[Coded].create_many([{"id": 1, "code": "a"}, {"id": 2, "code": "b"}])


async def _versions(store: Any) -> None:
    await store[Versioned].create_many([{"id": 1, "value": 1}, {"id": 2, "value": 2}])


def _inside(body: Body) -> Body:
    async def do(store: Any) -> None:
        async with store.transaction():
            await body(store)

    return do


def _nested(body: Body) -> Body:
    async def do(store: Any) -> None:
        async with store.transaction():
            await store[Account].create(id=7, value=7)
            async with store.transaction():
                await body(store)
                async with store.transaction():
                    await store[Account].create(id=8, value=8)
            await store[Account].create(id=9, value=9)

    return do


def _unit(body: Body) -> Body:
    async def do(store: Any) -> None:
        @unit(store, retries=2)
        async def work() -> None:
            await body(store)

        await work()

    return do


async def _caught(store: Any) -> None:
    """A block that is undone on the way to a commit."""
    async with store.transaction():
        await store[Account].create(id=7, value=7)
        try:
            async with store.transaction():
                await store[Account].create(id=8, value=8)
                raise LookupError  # noqa: TRY301 - the error of the block
        except LookupError:
            pass
        await store[Account].create(id=9, value=9)


async def _read_only(store: Any) -> None:
    async with store.transaction(read_only=True):
        await values(store)
        await store[Account].get_many([1, 2, 9])


async def _empty(store: Any) -> None:
    async with store.transaction():
        pass


async def _clear(store: Any) -> None:
    await store.clear(Account)


async def _watched_change(store: Any) -> None:
    record = await store[Watched].get(1)
    record.value = 11
    await store[Watched].save(record)


async def _watched_delete(store: Any) -> None:
    await store[Watched].delete(await store[Watched].get(1))


async def _version(store: Any) -> None:
    record = await store[Versioned].get(1)
    record.value = 5
    await store[Versioned].save(record)


async def _by_code(store: Any) -> None:
    await store[Coded].upsert(id=9, code="a", by="code", on_conflict="ignore")
    await store[Coded].upsert(id=3, code="c", by="code")


async def _included(store: Any) -> None:
    await store[Owner].query().include(Owner.things, Owner.guests).order_by(Owner.id).all()


async def _page(store: Any) -> None:
    page = await store[Account].query().order_by(Account.id).page(2)
    await store[Account].query().order_by(Account.id).page(2, page.next_cursor)


async def _stream(store: Any) -> None:
    async for _ in store[Account].query().stream(1):
        pass


def _on_accounts(name: str, do: Body) -> Interrupted:
    return Interrupted(name, ACCOUNTS, begin, do, values)


CATALOGUE: tuple[Interrupted, ...] = (
    *(_on_accounts(operation.name, operation.do) for operation in OPERATIONS if not operation.name.startswith("delete and")),
    *(_on_accounts(f"{operation.name}, in a transaction", _inside(operation.do)) for operation in OPERATIONS),
    *(_on_accounts(f"{operation.name}, three blocks deep", _nested(operation.do)) for operation in OPERATIONS),
    *(_on_accounts(f"{operation.name}, in a unit", _unit(operation.do)) for operation in OPERATIONS),
    *(Interrupted(name, FAMILY, _family, do, family_state) for name, (do, _, _) in KINDS.items()),
    *(Interrupted(f"{name}, in a transaction", FAMILY, _family, _inside(do), family_state) for name, (do, _, _) in KINDS.items()),
    _on_accounts("an inner block that is undone", _caught),
    _on_accounts("a read-only transaction", _read_only),
    _on_accounts("an empty transaction", _empty),
    _on_accounts("clear", _clear),
    _on_accounts("get", lambda store: store[Account].get(1)),
    _on_accounts("get_many", lambda store: store[Account].get_many([1, 2, 9])),
    _on_accounts("count", lambda store: store[Account].count()),
    _on_accounts("sum", lambda store: store[Account].query().sum(Account.value)),
    _on_accounts("two pages", _page),
    _on_accounts("stream", _stream),
    Interrupted("included relations", FAMILY, _family, _included, family_state),
    Interrupted("create with handlers", ACCOUNTS, _watched, lambda store: store[Watched].create(id=4, value=40), _watched_state),
    Interrupted("save with handlers", ACCOUNTS, _watched, _watched_change, _watched_state),
    Interrupted("delete with handlers", ACCOUNTS, _watched, _watched_delete, _watched_state),
    Interrupted("save with a version", ACCOUNTS, _versions, _version, _versioned_state),
    Interrupted("create with a number", (Numbered,), _numbers, lambda store: store[Numbered].create(value=3), _numbered_state),
    Interrupted("upsert by a unique value", (Coded,), _codes, _by_code, _coded_state),
)
MODELS = (*ACCOUNTS, *FAMILY, Numbered, Coded)
