"""F8: schema changes inside a transaction are refused: a model that a store meets there for the first time too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.errors import ProgrammingError, TransactionDoomed, Unsupported
from holdall.model import Key, Model
from holdall.testing.case import case
from holdall.testing.cases.making import how_many, ids, made
from holdall.testing.kit import Kit
from holdall.testing.models.naming import named
from holdall.testing.models.records import Item, Seat


def _unknown() -> Any:
    """A model that no store has met."""

    class Newcomer(Model, table=named("f_newcomers")):
        id: int = Key(generated=False)
        name: str = ""

    return Newcomer


USES: dict[str, Callable[[Any, Any], Any]] = {
    "reading": lambda store, model: store[model].all(),
    "getting": lambda store, model: store[model].get(1),
    "creating": lambda store, model: store[model].create(id=1),
    "saving": lambda store, model: store[model].save(model(id=1)),
    "upserting": lambda store, model: store[model].upsert(id=1),
    "ensuring its schema": lambda store, model: store.ensure_schema(model),
}


@case("F8", needs="transactions", each=USES)
async def a_model_met_inside_a_transaction_is_refused(k: Kit, use: Callable[[Any, Any], Any]) -> None:
    """With what to do about it; the transaction goes on."""
    model = _unknown()
    await k.ready(Item)
    async with k.store.transaction():
        await k.store[Item].create(id=1)
        with k.refused(Unsupported, says="schema changes are refused") as caught:
            await use(k.store, model)
        assert "ensure_schema" in caught.error.hint
        await k.store[Item].create(id=2)
    assert await ids(k.store[Item].query()) == [1, 2]
    await k.store.ensure_schema(model)
    assert await k.store[model].all() == []


@case("F8", needs="transactions")
async def a_model_made_ready_before_is_used_inside(k: Kit) -> None:
    model = _unknown()
    await k.store.ensure_schema(Item, model)
    async with k.store.transaction():
        await k.store[model].create(id=1, name="a")
        await k.store.ensure_schema(model)
        assert await ids(k.store[model].query()) == [1]
    assert (await k.store[model].get(1)).name == "a"


@case("F8", needs="transactions")
async def a_model_met_before_the_first_call_of_a_transaction_is_made_ready(k: Kit) -> None:
    """A transaction begins with its first call: until then nothing is in it."""
    model = _unknown()
    async with k.store.transaction():
        await k.store[model].create(id=1)
        await k.store[model].create(id=2)
    assert await ids(k.store[model].query()) == [1, 2]


@case("F8", needs="savepoints")
async def a_model_met_inside_a_savepoint_is_refused(k: Kit) -> None:
    model = _unknown()
    await k.ready(Item)
    async with k.store.transaction():
        await k.store[Item].create(id=1)
        async with k.store.transaction():
            with k.refused(Unsupported):
                await k.store[model].create(id=1)
            await k.store[Item].create(id=2)
    assert await ids(k.store[Item].query()) == [1, 2]


@case("F8", needs="transactions")
async def emptying_a_store_inside_a_transaction_is_refused(k: Kit) -> None:
    await made(k, Item, {"id": 1})
    async with k.store.transaction():
        await k.store[Item].create(id=2)
        with k.refused(ProgrammingError, says="transaction"):
            await k.store.clear(Item)
    assert await ids(k.store[Item].query()) == [1, 2]


@case("F8")
async def making_a_schema_ready_twice_keeps_the_rows(k: Kit) -> None:
    await made(k, Item, {"id": 1})
    await k.store.ensure_schema(Item)
    await k.store.ensure_schema(Item, Seat)
    await k.do(k.backend.ensure_schema([Item.__entity__]))
    assert await ids(k.store[Item].query()) == [1]


@case("F8")
async def another_store_finds_the_schema_that_is_there(k: Kit) -> None:
    await made(k, Item, {"id": 1})
    other = k.another_store()
    assert await ids(other[Item].query()) == [1]
    await other[Item].create(id=2)
    assert await ids(k.store[Item].query()) == [1, 2]


@case("F8")
async def clearing_takes_the_rows_and_leaves_the_schema(k: Kit) -> None:
    await made(k, Item, {"id": 1})
    await made(k, Seat, {"row": "A", "number": 1})
    await k.store.clear(Item)
    assert (await how_many(k.store[Item]), await how_many(k.store[Seat])) == (0, 1)
    await k.store[Item].create(id=1)
    assert await ids(k.store[Item].query()) == [1]


@case("F8", needs="transactions")
async def a_doomed_transaction_makes_no_schema(k: Kit) -> None:
    model = _unknown()
    await made(k, Item, {"id": 1})
    with k.refused(TransactionDoomed):
        async with k.store.transaction():
            try:
                await k.store[Item].create(id=1)
            except Exception:  # noqa: BLE001  any error dooms it
                with k.refused(TransactionDoomed):
                    await k.store[model].all()
    assert await k.store[model].all() == []
