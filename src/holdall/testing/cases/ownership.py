"""G7: a transaction stays with the thread, task and store that began it, and in its block."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from holdall.errors import ProgrammingError, TransactionDoomed, Unsupported
from holdall.testing.case import case
from holdall.testing.cases.transactions import Undone
from holdall.testing.elsewhere import PLACES, Place, elsewhere
from holdall.testing.kit import Kit
from holdall.testing.models.accounts import HEARD, Account, Watched, heard
from holdall.testing.operations import OPERATIONS, START, begin, size, unit, values

Use = Callable[[Any], Awaitable[Any]]


async def _block(store: Any) -> None:
    async with store.transaction():
        await size(store)


async def _unit(store: Any) -> None:
    @unit(store)
    async def work() -> None:
        await size(store)

    await work()


USES: dict[str, Use] = {
    "get": lambda store: store[Account].get(1),
    "query": lambda store: store[Account].where(Account.value >= 1).all(),
    "exists": lambda store: store[Account].where(Account.value == 10).exists(),
    "save all": lambda store: store.save_all([Account(id=9, value=9)]),
    **{operation.name: operation.do for operation in OPERATIONS if operation.name in ("create", "upsert a new one")},
}


NESTED: dict[str, Use] = {"a nested block": _block, "a unit": _unit}


def _everywhere(uses: dict[str, Use]) -> dict[str, tuple[Use, Place]]:
    return {f"{name}, {place}": (use, place) for name, use in uses.items() for place in PLACES}


@case("G7", needs=("transactions", "savepoints"), each=_everywhere(NESTED))
@case("G7", needs="transactions", each=_everywhere(USES))
async def a_transaction_is_refused_elsewhere(k: Kit, use: Use, place: Place) -> None:
    """And goes on where it began, as if nothing had been tried."""
    await begin(k.store)
    async with k.store.transaction():
        await k.store[Account].create(id=4, value=40)
        with k.refused(ProgrammingError, says="outside the thread, task or process") as caught:
            await elsewhere(k.colour, place, lambda: use(k.store))
        assert caught.error.hint
        assert await values(k.store) == {**START, 4: 40}
        await k.store[Account].create(id=5, value=50)
    assert await values(k.store) == {**START, 4: 40, 5: 50}


@case("G7", needs="transactions", each=PLACES)
async def after_the_block_the_store_works_elsewhere(k: Kit, place: Place) -> None:
    await begin(k.store)
    async with k.store.transaction():
        await k.store[Account].create(id=4, value=40)
    assert await elsewhere(k.colour, place, lambda: values(k.store)) == {**START, 4: 40}


@case("G7", needs="transactions", each=PLACES)
async def a_block_that_is_left_elsewhere_is_undone(k: Kit, place: Place) -> None:
    """Nothing of it stays open."""
    await begin(k.store)
    block = k.store.transaction()

    async def enter() -> None:
        await block.__aenter__()
        await k.store[Account].create(id=4, value=40)

    async def leave() -> None:
        await block.__aexit__(None, None, None)

    await elsewhere(k.colour, place, enter)
    with k.refused(ProgrammingError, says="undone"):
        await leave()
    assert await values(k.store) == START
    async with k.store.transaction():
        await k.store[Account].create(id=5, value=50)
    assert await values(k.store) == {**START, 5: 50}


@case("G7", needs="transactions")
async def a_block_is_entered_once(k: Kit) -> None:
    await k.store.ensure_schema(Account)
    block = k.store.transaction()
    async with block:
        await k.store[Account].create(id=1, value=1)
    with k.refused(ProgrammingError, says="used before"):
        async with block:
            await k.store[Account].create(id=2, value=2)
    assert await values(k.store) == {1: 1}


@case("G7", needs=("transactions", "reads_beside_writes"))
async def each_store_has_its_own_transaction(k: Kit) -> None:
    """A block of one store is none of another's, however they are nested."""
    await begin(k.store)
    other = k.another_store()
    await other.ensure_schema(Account)
    with k.refused(Undone):
        async with other.transaction(read_only=True):
            await size(other)
            async with k.store.transaction():
                assert await values(other) == START
                with k.refused(ProgrammingError, says="read-only"):
                    await other[Account].create(id=8, value=8)
                await size(k.store)
            raise Undone
    assert await values(k.store) == START


@case("G7", needs="transactions")
async def handlers_cannot_be_added_outside_the_block(k: Kit) -> None:
    """They would never be called."""
    told: list[int] = []
    block = k.store.transaction()
    with k.refused(ProgrammingError, says="after_commit"):
        block.after_commit(told.append, 1)
    async with block:
        block.after_commit(told.append, 2)
    with k.refused(ProgrammingError, says="after_commit"):
        block.after_commit(told.append, 3)
    assert told == [2]


# Handlers after the commit


@case("G1", needs="transactions")
async def handlers_wait_for_the_commit(k: Kit) -> None:
    """They see what was committed, and are called in the order in which they were added."""
    await begin(k.store)
    told: list[str] = []
    async with k.store.transaction() as tx:
        tx.after_commit(told.append, "first")
        await k.store[Account].create(id=4, value=40)
        tx.after_commit(told.append, "second")
        assert told == []
    assert told == ["first", "second"]


@case("G1", needs="transactions")
async def handlers_of_an_undone_block_are_not_called(k: Kit) -> None:
    told: list[str] = []
    with k.refused(Undone):
        async with k.store.transaction() as tx:
            tx.after_commit(told.append, "never")
            raise Undone
    assert told == []


@case("G1", needs="transactions")
async def handlers_of_a_doomed_block_are_not_called(k: Kit) -> None:
    from holdall.errors import UniqueViolation

    await begin(k.store)
    told: list[str] = []
    with k.refused(TransactionDoomed):
        async with k.store.transaction() as tx:
            tx.after_commit(told.append, "never")
            with k.refused(UniqueViolation):
                await k.store[Account].create(id=1, value=1)
    assert told == []


@case("G1", needs=("transactions", "savepoints"))
async def handlers_of_nested_blocks_wait_for_the_outermost_commit(k: Kit) -> None:
    """In the order of the blocks' ends; those of undone ones are dropped."""
    told: list[str] = []
    async with k.store.transaction() as outer:
        outer.after_commit(told.append, "outer, first")
        async with k.store.transaction() as inner:
            inner.after_commit(told.append, "inner")
            with k.refused(Undone):
                async with k.store.transaction() as undone:
                    undone.after_commit(told.append, "never")
                    raise Undone
        assert told == []
        outer.after_commit(told.append, "outer, last")
    assert told == ["outer, first", "inner", "outer, last"]


@case("G1", needs="transactions")
async def handlers_after_a_failing_one_are_called(k: Kit) -> None:
    """What was committed stays so; the error comes out."""
    await begin(k.store)
    told: list[str] = []

    def fails() -> None:
        raise Undone

    with k.refused(Undone):
        async with k.store.transaction() as tx:
            await k.store[Account].create(id=4, value=40)
            tx.after_commit(told.append, "first")
            tx.after_commit(fails)
            tx.after_commit(told.append, "last")
    assert told == ["first", "last"]
    assert await values(k.store) == {**START, 4: 40}


@case("G1", needs="transactions")
async def handlers_of_models_are_told_after_the_commit(k: Kit) -> None:
    await k.store.ensure_schema(Watched)
    HEARD.clear()
    async with k.store.transaction():
        record = await k.store[Watched].create(id=1, value=1)
        record.value = 2
        await k.store[Watched].save(record)
        await k.store[Watched].delete(record)
        assert [name for name, _ in HEARD] == ["before_create", "after_create"]
    assert [name for name, _ in HEARD][2:] == ["after_create_commit", "after_update_commit", "after_delete_commit"]
    assert heard("after_create_commit") == [1]


@case("G1", needs="transactions")
async def an_error_of_a_handler_undoes_a_single_call(k: Kit) -> None:
    """A call alone is a transaction with its handlers."""
    await k.store.ensure_schema(Watched)
    HEARD.clear()
    with k.refused(ValueError, says="13"):
        await k.store[Watched].create_many([{"id": 1, "value": 1}, {"id": 2, "value": 13}])
    assert await size(k.store, Watched) == 0
    assert heard("after_create_commit") == []


@case("G7", absent="transactions")
async def a_block_is_refused_without_transactions(k: Kit) -> None:
    """With a reason and a remedy, before anything in it is done."""
    with k.refused(Unsupported, says="transactions") as caught:
        async with k.store.transaction():
            await k.store[Account].create(id=1, value=1)
    assert caught.error.hint
    assert await size(k.store) == 0


@case("G7", absent="transactions")
async def handlers_are_refused_without_transactions(k: Kit) -> None:
    """What they do could not be undone with the write."""
    HEARD.clear()
    with k.refused(Unsupported, says="transactions"):
        await k.store[Watched].create(id=1, value=1)
    assert HEARD == []
    assert await size(k.store, Watched) == 0
