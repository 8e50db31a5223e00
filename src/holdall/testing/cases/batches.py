"""F4: batches: all or nothing, or each item for itself; and what becomes of records that were undone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from holdall.backends import Delete, Insert, Patch, Upsert
from holdall.errors import (
    HoldallError,
    NotFound,
    ProgrammingError,
    QueryError,
    UniqueViolation,
    Unsupported,
    ValidationError,
    VersionMismatch,
)
from holdall.testing.case import case
from holdall.testing.cases.making import Undone, how_many, ids, made, partial_batch
from holdall.testing.kit import Kit, assignments
from holdall.testing.models.binary import Tag
from holdall.testing.models.generated import Numbered
from holdall.testing.models.records import Item, Revised, Versioned
from holdall.testing.models.unique_records import Member

ENTITY = Item.__entity__


def row(number: int, name: str = "", amount: int = 0) -> tuple[Any, ...]:
    """An item at the port."""
    return (number, name, amount, None, (), {})


# At the store, all or nothing.

PLACES = {"first": 0, "middle": 1, "last": 2}


@case("F4", needs="atomic_batch", each=PLACES)
async def one_taken_key_undoes_the_batch(k: Kit, place: int) -> None:
    await k.store[Item].create(id=100, name="there")
    items = [{"id": n} for n in (1, 2, 3)]
    items[place] = {"id": 100}
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[Item].create_many(items)
    assert await ids(k.store[Item].query()) == [100]
    assert (await k.store[Item].get(100)).name == "there"


@case("F4", needs="atomic_batch")
async def two_items_with_one_key_undo_the_batch(k: Kit) -> None:
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[Item].create_many([{"id": 1}, {"id": 2}, {"id": 1}])
    assert await how_many(k.store[Item]) == 0


@case("F4", each=PLACES)
async def one_invalid_item_keeps_the_batch_from_being_written(k: Kit, place: int) -> None:
    items: list[dict[str, Any]] = [{"id": n} for n in (1, 2, 3)]
    items[place]["amount"] = "many"
    with k.refused(ValidationError):
        await k.store[Item].create_many(items)
    assert await how_many(k.store[Item]) == 0


@case("F4", needs="atomic_batch")
async def records_of_a_failed_batch_are_new_still(k: Kit) -> None:
    await k.store[Item].create(id=2)
    records = [Item(id=n, name="a") for n in (1, 2, 3)]
    with k.refused(UniqueViolation):
        await k.store[Item].create_many(records)
    records[1].id = 20
    assert await k.store[Item].create_many(records) == records
    assert await ids(k.store[Item].query()) == [1, 2, 3, 20]


@case("F4", needs="atomic_batch")
async def a_batch_takes_records_and_values(k: Kit) -> None:
    record = Item(id=1, name="record")
    found = await k.store[Item].create_many([record, {"id": 2, "name": "values"}])
    assert found[0] is record
    assert [item.name for item in found] == ["record", "values"]
    assert await k.store[Item].create_many([]) == []
    assert await ids(k.store[Item].query()) == [1, 2]


@case("F4", needs="atomic_batch")
async def a_saved_record_is_no_item_of_a_batch(k: Kit) -> None:
    record = await k.store[Item].create(id=1)
    for options in ({}, {"atomicity": "per_item"}):
        with k.refused(ProgrammingError, says="saved before"):
            await k.store[Item].create_many([{"id": 2}, record], **options)
    assert await ids(k.store[Item].query()) == [1]


@case("F4", needs="atomic_batch", each=[1, 2, 999, 3000])
async def a_batch_of_any_size_is_whole(k: Kit, size: int) -> None:
    """Also where the engine takes fewer values in one statement."""
    await k.store[Item].create_many([{"id": n, "name": str(n), "amount": n} for n in range(size)])
    assert await how_many(k.store[Item]) == size
    with k.refused(UniqueViolation):
        await k.store[Item].create_many([{"id": n + size} for n in range(size)] + [{"id": 0}])
    assert await how_many(k.store[Item]) == size


@case("F4", needs=("transactions", "atomic_batch"))
async def a_batch_in_an_undone_transaction_is_undone(k: Kit) -> None:
    records = [Item(id=n) for n in (1, 2)]
    with suppress(Undone):
        async with k.store.transaction():
            await k.store[Item].create_many(records)
            raise Undone
    assert await how_many(k.store[Item]) == 0
    await k.store[Item].create_many(records)
    assert await ids(k.store[Item].query()) == [1, 2]


@case("F4", absent="atomic_batch")
async def a_batch_is_refused_where_it_would_not_be_whole(k: Kit) -> None:
    with k.refused(Unsupported, says="atomic_batch") as caught:
        await k.store[Item].create_many([{"id": 1}, {"id": 2}])
    assert caught.error.hint
    assert await how_many(k.store[Item]) == 0
    await k.store[Item].create_many([{"id": 1}])
    assert await ids(k.store[Item].query()) == [1]


# At the store, each for itself.


@case("F4", each=PLACES)
async def item_by_item_the_others_are_saved(k: Kit, place: int) -> None:
    await k.store[Item].create(id=100)
    items = [{"id": n, "name": "new"} for n in (1, 2, 3)]
    items[place] = {"id": 100, "name": "new"}
    error = await partial_batch(k, Item, items)
    assert [type(result) for result in error.results] == [UniqueViolation if n == place else type(None) for n in range(3)]
    failed = error.results[place]
    assert isinstance(failed, UniqueViolation)
    assert failed.fields == ("id",)
    assert (error.retry, error.effect) == ("never", "applied")
    assert await ids(k.store[Item].where(name="new")) == [n + 1 for n in range(3) if n != place]


@case("F4")
async def item_by_item_all_may_succeed(k: Kit) -> None:
    record = Item(id=1)
    found = await k.store[Item].create_many([record, {"id": 2}], atomicity="per_item")
    assert found[0] is record
    assert [item.id for item in found] == [1, 2]
    assert await ids(k.store[Item].query()) == [1, 2]
    assert await k.store[Item].create_many([], atomicity="per_item") == []
    record.name = "saved as any other"
    await k.store[Item].save(record)
    assert (await k.store[Item].get(1)).name == "saved as any other"


@case("F4")
async def item_by_item_all_may_fail(k: Kit) -> None:
    await made(k, Item, {"id": 1}, {"id": 2})
    error = await partial_batch(k, Item, [{"id": 1}, {"id": 2}])
    assert error.records == (None, None)
    assert error.effect == "none"
    assert await ids(k.store[Item].query()) == [1, 2]


@case("F4")
async def item_by_item_an_invalid_item_is_one_that_failed(k: Kit) -> None:
    error = await partial_batch(k, Item, [{"id": 1}, {"id": 2, "amount": "many"}, {"id": 3, "nmae": "x"}, {"id": 4}])
    assert [type(result) for result in error.results] == [type(None), ValidationError, ValidationError, type(None)]
    assert await ids(k.store[Item].query()) == [1, 4]


@case("F4")
async def item_by_item_the_second_of_two_with_one_key_fails(k: Kit) -> None:
    error = await partial_batch(k, Item, [{"id": 1, "name": "first"}, {"id": 1, "name": "second"}])
    assert error.results[0] is None
    assert (await k.store[Item].get(1)).name == "first"


@case("F4")
async def item_by_item_what_failed_is_new_still(k: Kit) -> None:
    await k.store[Item].create(id=2)
    records = [Item(id=1, name="a"), Item(id=2, name="a")]
    error = await partial_batch(k, Item, records)
    assert error.records == (records[0], None)
    records[1].id = 3
    for record in records:
        await k.store[Item].save(record)
    assert await ids(k.store[Item].where(name="a")) == [1, 3]


@case("F4", needs="unique")
async def item_by_item_unique_values_are_told(k: Kit) -> None:
    await k.store[Member].create(id=1, email="a@example.com", team="x", number=1)
    error = await partial_batch(
        k,
        Member,
        [
            {"id": 2, "email": "a@example.com"},
            {"id": 3, "email": "b@example.com", "team": "x", "number": 1},
            {"id": 4, "email": "c@example.com"},
            {"id": 5, "email": "no address"},
        ],
    )
    assert [getattr(result, "fields", None) for result in error.results] == [("email",), ("team", "number"), None, None]
    assert isinstance(error.results[3], ValidationError)
    assert await ids(k.store[Member].query()) == [1, 4]


@case("F4", needs="generated_int")
async def item_by_item_the_store_numbers_what_is_saved(k: Kit) -> None:
    taken = await k.store[Numbered].create(text="taken")
    error = await partial_batch(k, Numbered, [{"text": "a"}, {"id": taken.id, "text": "b"}, {"text": "c"}])
    saved = [record for record in error.records if record is not None]
    assert {record.id: record.text for record in [taken, *saved]} == {record.id: record.text for record in await k.store[Numbered].all()}
    assert len(saved) == 2


@case("F4")
async def item_by_item_records_are_stamped(k: Kit) -> None:
    await k.store[Revised].create(id=1)
    error = await partial_batch(k, Revised, [{"id": 1}, {"id": 2}])
    read = await k.store[Revised].get(2)
    assert read == error.records[1]
    assert (read.revision, read.by, read.created_at, read.updated_at) == (1, "somebody", k.clock(), k.clock())


@case("F4")
async def client_made_keys_are_there_after_a_partial_batch(k: Kit) -> None:
    tag = await k.store[Tag].create(name="there")
    error = await partial_batch(k, Tag, [{"name": "a"}, {"id": tag.id, "name": "b"}, {"name": "c"}])
    assert [record and record.name for record in error.records] == ["a", None, "c"]
    assert await k.store[Tag].query().order_by("name").column(Tag.name) == ["a", "c", "there"]


@case("F4", needs="transactions")
async def item_by_item_is_refused_inside_a_transaction(k: Kit) -> None:
    """There, any error undoes everything."""
    await k.store[Item].create(id=1)
    async with k.store.transaction():
        with k.refused(ProgrammingError, says="per_item"):
            await k.store[Item].create_many([{"id": 2}], atomicity="per_item")
        await k.store[Item].create(id=3)
    assert await ids(k.store[Item].query()) == [1, 3]


@case("F4", needs="transactions")
async def item_by_item_handlers_see_each_record(k: Kit) -> None:
    """An error of a handler fails its item alone."""
    seen: list[str] = []

    def before(item: Item) -> None:
        if item.name == "bad":
            raise ProgrammingError("not this one")
        seen.append(f"before {item.id}")

    def after(item: Item) -> None:
        seen.append(f"after {item.id}")

    k.store.on("before_create", Item)(before)
    k.store.on("after_create_commit", Item)(after)
    await k.store[Item].create(id=3)
    seen.clear()
    error = await partial_batch(k, Item, [{"id": 1}, {"id": 2, "name": "bad"}, {"id": 3}, {"id": 4}])
    assert [type(result) for result in error.results] == [type(None), ProgrammingError, UniqueViolation, type(None)]
    assert await ids(k.store[Item].query()) == [1, 3, 4]
    assert seen == ["before 1", "after 1", "before 3", "before 4", "after 4"]


@case("F4")
async def a_batch_says_one_of_two(k: Kit) -> None:
    with k.refused(QueryError, says="atomicity"):
        await k.store[Item].create_many([{"id": 1}], atomicity="sometimes")
    assert await how_many(k.store[Item]) == 0


# At the port.

FAILING: dict[str, tuple[Any, type[HoldallError]]] = {
    "a taken key": (Insert(ENTITY, [row(3), row(1)]), UniqueViolation),
    "a patch of nothing": (Patch(ENTITY, 9, assignments(ENTITY, name="x")), NotFound),
    "a delete of nothing": (Delete(ENTITY, 9), NotFound),
}
# Of another model than the rest of the batch. A store without transactions may refuse a batch over two models.
FAILING_ELSEWHERE: dict[str, tuple[Any, type[HoldallError]]] = {
    "a stale patch": (Patch(Versioned.__entity__, 1, assignments(Versioned.__entity__, text="x"), 7), VersionMismatch),
    "a stale delete": (Delete(Versioned.__entity__, 1, 7), VersionMismatch),
}


async def _prepared(k: Kit) -> None:
    await k.store[Item].create(id=1, name="a")
    await k.store[Item].create(id=2, name="b")
    await k.store[Versioned].create(id=1, text="v")


async def _state(k: Kit) -> tuple[list[Any], list[Any]]:
    return [found[:3] for found in await k.rows(ENTITY)], [found[:2] for found in await k.rows(Versioned.__entity__)]


@case("F4", needs="atomic_batch", each=FAILING)
@case("F4", needs=("atomic_batch", "transactions"), each=FAILING_ELSEWHERE)
async def the_port_undoes_a_batch_that_fails(k: Kit, failing: Any, kind: type[HoldallError]) -> None:
    await _prepared(k)
    before = await _state(k)
    good = [Insert(ENTITY, [row(5)]), Patch(ENTITY, 1, assignments(ENTITY, name="x")), Delete(ENTITY, 2), Insert(ENTITY, [row(2, "again")])]
    for batch in ([failing, *good], [*good, failing], [*good[:2], failing, *good[2:]]):
        with k.refused(kind):
            await k.apply(*batch)
        assert await _state(k) == before
    assert await k.apply(*good) == [[5], 1, 1, [2]]
    assert (await _state(k))[0] == [(1, "x", 0), (2, "again", 0), (5, "", 0)]


@case("F4", each={**FAILING, **FAILING_ELSEWHERE})
async def the_port_keeps_the_rest_item_by_item(k: Kit, failing: Any, kind: type[HoldallError]) -> None:
    await _prepared(k)
    results = await k.apply(
        Insert(ENTITY, [row(5)]),
        failing,
        Patch(ENTITY, 1, assignments(ENTITY, name="x")),
        Upsert(ENTITY, row(2, "u"), ("id",), (1,)),
        atomicity="per_item",
    )
    assert results[0] == [5]
    assert type(results[1]) is kind
    assert results[2] == 1
    assert results[3][0] == "updated"
    assert (await _state(k))[0] == [(1, "x", 0), (2, "u", 0), (5, "", 0)], "an item is whole or not at all"


@case("F4")
async def the_port_keeps_nothing_that_was_handed_over(k: Kit) -> None:
    await k.ready(Item)
    rows = [row(1), row(2)]
    await k.apply(Insert(ENTITY, rows))
    rows.clear()
    (await k.rows(ENTITY)).clear()
    assert [found[0] for found in await k.rows(ENTITY)] == [1, 2]
