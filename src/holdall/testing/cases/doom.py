"""G2 and G5: an error inside a transaction ends it, a harmless one does not, and nothing runs outside it by accident."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from holdall.errors import (
    CheckViolation,
    DeadlineExceeded,
    Deadlock,
    ForeignKeyViolation,
    HoldallError,
    LockTimeout,
    MultipleFound,
    NotFound,
    NotLoaded,
    ProgrammingError,
    QueryError,
    SerializationFailure,
    Throttled,
    TransactionDoomed,
    Unavailable,
    UniqueViolation,
    Unsupported,
    ValidationError,
    VersionMismatch,
)
from holdall.testing.case import case
from holdall.testing.cases.transactions import for_each_write
from holdall.testing.faults import Faults
from holdall.testing.kit import Kit
from holdall.testing.models.account_checks import Span
from holdall.testing.models.account_codes import Coded
from holdall.testing.models.account_family import Owner, Tenant, Thing
from holdall.testing.models.accounts import Account, Versioned, Watched
from holdall.testing.models.plain import Word
from holdall.testing.operations import START, Operation, begin, size, values

Fails = Callable[[Kit], Awaitable[Any]]


# Errors that end a transaction: what makes them, their class, the models and what they need.


async def _taken_key(k: Kit) -> None:
    await k.store[Account].create(id=1, value=5)


async def _taken_keys(k: Kit) -> None:
    await k.store[Account].create_many([{"id": 7, "value": 1}, {"id": 1, "value": 5}])


async def _taken_code(k: Kit) -> None:
    await k.store[Coded].create(id=1, code="a")
    await k.store[Coded].create(id=2, code="a")


async def _no_parent(k: Kit) -> None:
    await k.store[Tenant].create(id=1, owner_id=99)


async def _children(k: Kit) -> None:
    owner = await k.store[Owner].create(id=1, name="ada")
    await k.store[Tenant].create(id=1, owner_id=1)
    await k.store[Owner].delete(owner)


async def _check(k: Kit) -> None:
    await k.store[Span].create(id=1, low=1, high=2)
    await k.store[Span].where(Span.id == 1).update(low=3)


async def _gone(k: Kit) -> None:
    account = await k.store[Account].get(1)
    await k.store[Account].where(Account.id == 1).delete()
    await k.store[Account].delete(account)


async def _stale(k: Kit) -> None:
    await k.store[Versioned].create(id=1, value=1)
    mine, yours = await k.store[Versioned].get(1), await k.store[Versioned].get(1)
    mine.value, yours.value = 2, 3
    await k.store[Versioned].save(mine)
    await k.store[Versioned].save(yours)


async def _overflow(k: Kit) -> None:
    await k.store[Versioned].create(id=1, value=2**63 - 1)
    await k.store[Versioned].query().update(value=Versioned.value + 1)


async def _handler(k: Kit) -> None:
    await k.store[Watched].create(id=1, value=13)


async def _raw(k: Kit) -> None:
    await k.store.sql("this is no statement in any language")


Doom = tuple[Fails, type[BaseException]]
DOOMS: dict[str, tuple[Doom, tuple[str, ...]]] = {
    "a taken key": ((_taken_key, UniqueViolation), ()),
    "a taken key in a batch": ((_taken_keys, UniqueViolation), ("atomic_batch",)),
    "a taken unique value": ((_taken_code, UniqueViolation), ("unique",)),
    "a missing parent": ((_no_parent, ForeignKeyViolation), ("references",)),
    "a parent with children": ((_children, ForeignKeyViolation), ("references",)),
    "a broken check": ((_check, CheckViolation), ("checks", "set_writes")),
    "a record that is gone": ((_gone, NotFound), ("set_writes",)),
    "a stale version": ((_stale, VersionMismatch), ()),
    "an error of a handler": ((_handler, ValueError), ()),
    "an overflow": ((_overflow, HoldallError), ("set_writes",)),
    "a statement of its own": ((_raw, HoldallError), ("raw",)),
}
MODELS = {"unique": (Coded,), "references": (Owner, Tenant), "checks": (Span,)}


def for_each_doom(*needs: str) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]:
    """Register a case once for each error that ends a transaction, with what making that error needs."""

    def register(body: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        for name, (doom, more) in DOOMS.items():
            models = [Account, Versioned, Watched, *(model for need in more for model in MODELS.get(need, ()))]
            case("G2", needs=("transactions", *needs, *more), each={name: (*doom, models)})(body)
        return body

    return register


async def _prepared(k: Kit, models: list[Any]) -> None:
    await k.store.ensure_schema(*models)
    await begin(k.store)


async def _fail(fails: Fails, k: Kit, kind: type[BaseException]) -> None:
    try:
        await fails(k)
    except kind:
        return
    raise AssertionError(f"no {kind.__name__} was raised")


@for_each_doom()
async def an_error_that_leaves_the_block_undoes_it(k: Kit, fails: Fails, kind: type[BaseException], models: list[Any]) -> None:
    """And it is the error that comes out."""
    await _prepared(k, models)
    came: BaseException | None = None
    try:
        async with k.store.transaction():
            await k.store[Account].create(id=9, value=9)
            await fails(k)
    except kind as error:
        came = error
    assert isinstance(came, kind)
    assert not isinstance(came, TransactionDoomed)
    assert await values(k.store) == START


@for_each_doom()
async def after_an_error_nothing_more_is_done(k: Kit, fails: Fails, kind: type[BaseException], models: list[Any]) -> None:
    """Reads and writes are refused, and the block that goes on to its end is undone and says so."""
    await _prepared(k, models)
    with k.refused(TransactionDoomed) as caught:
        async with k.store.transaction():
            await k.store[Account].create(id=9, value=9)
            await _fail(fails, k, kind)
            with k.refused(TransactionDoomed):
                await size(k.store)
            with k.refused(TransactionDoomed):
                await k.store[Account].create(id=8, value=8)
    assert isinstance(caught.error.__cause__, kind)
    assert caught.error.hint
    assert await values(k.store) == START


@for_each_doom("savepoints")
async def an_error_in_a_block_of_its_own_ends_only_that(k: Kit, fails: Fails, kind: type[BaseException], models: list[Any]) -> None:
    await _prepared(k, models)
    async with k.store.transaction():
        await k.store[Account].create(id=8, value=8)
        try:
            async with k.store.transaction():
                await k.store[Account].create(id=9, value=9)
                await fails(k)
        except kind:
            pass
        else:
            raise AssertionError(f"no {kind.__name__} was raised")
        assert await values(k.store) == {**START, 8: 8}
        await k.store[Account].create(id=9, value=10)
    assert await values(k.store) == {**START, 8: 8, 9: 10}


@for_each_doom("savepoints")
async def an_error_caught_inside_a_block_of_its_own_undoes_that(k: Kit, fails: Fails, kind: type[BaseException], models: list[Any]) -> None:
    """The inner block says so at its end; the outer one goes on."""
    await _prepared(k, models)
    async with k.store.transaction():
        with k.refused(TransactionDoomed):
            async with k.store.transaction():
                await k.store[Account].create(id=9, value=9)
                await _fail(fails, k, kind)
        await k.store[Account].create(id=8, value=8)
    assert await values(k.store) == {**START, 8: 8}


# Errors that end nothing


async def _invalid(k: Kit) -> None:
    await k.store[Account].create(id=5, value="many")


async def _too_much(k: Kit) -> None:
    await k.store[Account].create(id=5, value=2**63)


async def _too_long(k: Kit) -> None:
    account = await k.store[Account].get(1)
    account.note = "x" * 21
    await k.store[Account].save(account)


async def _unknown_field(k: Kit) -> None:
    await k.store[Account].where(amount=1).all()


async def _wrong_type(k: Kit) -> None:
    await k.store[Account].where(value="1").all()


async def _negative(k: Kit) -> None:
    await k.store[Account].query().limit(-1).all()


async def _several(k: Kit) -> None:
    await k.store[Account].where(Account.value >= 20).one()


async def _clear(k: Kit) -> None:
    await k.store.clear(Account)


async def _saved_before(k: Kit) -> None:
    account = await k.store[Account].get(1)
    await k.store[Account].create_many([account])


async def _own(k: Kit) -> None:
    raise LookupError("of the application's own")


HARMLESS: dict[str, Doom] = {
    "a value of the wrong type": (_invalid, ValidationError),
    "a value out of range": (_too_much, ValidationError),
    "a text that is too long": (_too_long, ValidationError),
    "an unknown field": (_unknown_field, QueryError),
    "an operand of the wrong type": (_wrong_type, QueryError),
    "a negative limit": (_negative, HoldallError),
    "several where one is asked for": (_several, MultipleFound),
    "clear() inside": (_clear, ProgrammingError),
    "create_many of a saved one": (_saved_before, ProgrammingError),
    "an error of the application": (_own, LookupError),
}


@case("G2", needs="transactions", each=HARMLESS)
async def an_error_before_the_store_is_asked_ends_nothing(k: Kit, fails: Fails, kind: type[BaseException]) -> None:
    await begin(k.store)
    async with k.store.transaction():
        await k.store[Account].create(id=8, value=8)
        await _fail(fails, k, kind)
        assert await values(k.store) == {**START, 8: 8}
        await k.store[Account].create(id=9, value=9)
    assert await values(k.store) == {**START, 8: 8, 9: 9}


@case("G2", needs=("transactions", "references"))
async def touching_what_was_not_loaded_ends_nothing(k: Kit) -> None:
    await k.store.ensure_schema(Owner, Thing)
    async with k.store.transaction():
        await k.store[Owner].create(id=1, name="ada")
        owner = await k.store[Owner].get(1)
        with k.refused(NotLoaded):
            list(owner.things)
        await k.store[Owner].create(id=2, name="bob")
    assert await size(k.store, Owner) == 2


@case("F8", needs="transactions")
async def a_model_that_is_not_ready_is_refused_in_a_transaction(k: Kit) -> None:
    """It would change the schema; the transaction goes on."""
    await k.store.ensure_schema(Account)
    other = k.another_store()
    await other.ensure_schema(Account)
    async with other.transaction():
        await other[Account].create(id=1, value=1)
        with k.refused(Unsupported, says="first time inside a transaction") as caught:
            await other[Word].create(id=1, text="a")
        assert "ensure_schema" in caught.error.hint
        await other[Account].create(id=2, value=2)
    assert await values(k.store) == {1: 1, 2: 2}


# G5: nothing outside the transaction by accident


BEGINNINGS: dict[str, HoldallError] = {
    "the engine is gone": Unavailable("as if the engine were gone"),
    "a lock": LockTimeout("as if somebody else were writing"),
    "too many": Throttled("as if there were too many"),
    "the time is over": DeadlineExceeded("as if it had waited too long"),
}


async def _faulty(k: Kit) -> tuple[Faults, Any]:
    faults = Faults(k.backend)
    store = k.another_store(faults)
    await store.ensure_schema(Account)
    return faults, store


@case("G5", needs="transactions", each=BEGINNINGS)
async def after_a_failed_beginning_nothing_is_written(k: Kit, error: HoldallError) -> None:
    """Neither by the call that should have begun it, nor by later ones in the block, which would stand alone."""
    await begin(k.store)
    faults, store = await _faulty(k)
    with k.refused(TransactionDoomed), faults.at("begin", "fail", error=error, times=1) as watch:
        async with store.transaction():
            with k.refused(type(error)):
                await store[Account].create(id=4, value=40)
            with k.refused(TransactionDoomed):
                await store[Account].create(id=5, value=50)
    assert watch.roles == ["begin"], watch.roles
    assert await values(k.store) == START


@case("G5", needs="transactions")
async def a_beginning_whose_reply_was_lost_leaves_nothing_open(k: Kit) -> None:
    await begin(k.store)
    faults, store = await _faulty(k)
    with k.refused(Unavailable), faults.at("begin", "lose", times=1):
        async with store.transaction():
            await store[Account].create(id=4, value=40)
    assert await values(k.store) == START
    async with store.transaction():
        await store[Account].create(id=5, value=50)
    assert await values(k.store) == {**START, 5: 50}


@for_each_write("G5")
async def a_doomed_transaction_writes_nothing(k: Kit, operation: Operation) -> None:
    """Whatever the write, it reaches nothing: neither in the transaction nor beside it."""
    await begin(k.store)
    faults, store = await _faulty(k)
    with k.refused(TransactionDoomed):
        async with store.transaction():
            with k.refused(UniqueViolation):
                await store[Account].create(id=1, value=1)
            with faults.watch() as watch, k.refused(TransactionDoomed):
                await operation.do(store)
            assert watch.count == 0, watch.roles
    assert await values(k.store) == START


@for_each_write("G5")
async def a_write_whose_transaction_could_not_begin_does_nothing(k: Kit, operation: Operation) -> None:
    await begin(k.store)
    faults, store = await _faulty(k)
    with k.refused(Unavailable), faults.at("begin", "fail"):
        async with store.transaction():
            await operation.do(store)
    assert await values(k.store) == START
    async with store.transaction():
        await operation.do(store)
    assert await values(k.store) == operation.after


CONFLICTS: dict[str, HoldallError] = {
    "serialization": SerializationFailure("as if another had won"),
    "deadlock": Deadlock("as if two had waited"),
    "lock": LockTimeout("as if another held it"),
}


@case("G5", needs=("transactions", "savepoints"), each=CONFLICTS)
async def a_conflict_in_a_nested_block_ends_the_whole_transaction(k: Kit, error: HoldallError) -> None:
    """Caught by the outer block or not: nothing of it is kept, and nothing more is written."""
    await begin(k.store)
    faults, store = await _faulty(k)
    with k.refused(TransactionDoomed):
        async with store.transaction():
            await store[Account].create(id=8, value=8)
            with k.refused(type(error)), faults.at("write", "fail", error=error):
                async with store.transaction():
                    await store[Account].create(id=9, value=9)
            with k.refused(TransactionDoomed):
                await store[Account].create(id=7, value=7)
    assert await values(k.store) == START


@case("G5", needs="transactions", each=("commit", "rollback"))
async def a_transaction_that_has_ended_does_nothing(k: Kit, how: str) -> None:
    """On the port: reads, writes and commits are refused; a rollback is not, it is what cleaning up does."""
    entity = Account.__entity__
    await k.ready(Account)
    await k.insert(entity, (1, 10, None))
    tx = await k.begin()
    await k.insert(entity, (2, 20, None), tx=tx)
    await (k.commit(tx) if how == "commit" else k.rollback(tx))
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "insert": lambda: k.insert(entity, (3, 30, None), tx=tx),
        "patch": lambda: k.patch(entity, 1, tx=tx, value=11),
        "delete": lambda: k.delete(entity, 1, tx=tx),
        "upsert": lambda: k.upsert(entity, (4, 40, None), ["id"], ["value"], tx=tx),
        "fetch": lambda: k.fetch(entity, 1, tx=tx),
        "rows": lambda: k.rows(entity, tx=tx),
        "commit": lambda: k.commit(tx),
    }
    for name, call in calls.items():
        try:
            await call()
        except (TransactionDoomed, ProgrammingError):
            continue
        raise AssertionError(f"{name} was done in a transaction that had ended")
    await k.rollback(tx)
    assert [row[:2] for row in await k.rows(entity)] == ([(1, 10), (2, 20)] if how == "commit" else [(1, 10)])
