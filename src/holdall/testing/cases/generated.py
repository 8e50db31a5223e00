"""E7: keys that the store numbers, and keys that the client makes."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from holdall.errors import UniqueViolation, Unsupported
from holdall.testing.case import case
from holdall.testing.cases.making import Undone, how_many, made
from holdall.testing.kit import Kit
from holdall.testing.models.binary import Given, Tag
from holdall.testing.models.generated import Numbered
from holdall.testing.models.plain import Word

NUMBERS = ("generated_int", "atomic_batch")


async def _all(k: Kit) -> dict[int, str]:
    """What the store holds, by key."""
    return {record.id: record.text for record in await k.store[Numbered].query().all()}


@case("E7", needs="generated_int")
async def the_store_numbers_a_record(k: Kit) -> None:
    record: Any = Numbered(text="a")
    assert [record.id] == [None]
    await k.store[Numbered].save(record)
    assert type(record.id) is int
    assert (await k.store[Numbered].get(record.id)).text == "a"
    record.text = "b"
    await k.store[Numbered].save(record)
    assert await _all(k) == {record.id: "b"}


@case("E7", needs="generated_int")
async def numbers_are_unique_one_by_one(k: Kit) -> None:
    records = await made(k, Numbered, *({"text": str(n)} for n in range(20)))
    assert len({record.id for record in records}) == 20
    assert await _all(k) == {record.id: record.text for record in records}


@case("E7", needs=NUMBERS, each=[2, 10, 1000])
async def numbers_are_unique_in_a_batch(k: Kit, many: int) -> None:
    """And each record has the number of its own row, though a number says nothing of the order."""
    records = await k.store[Numbered].create_many([{"text": str(n)} for n in range(many)])
    assert len({record.id for record in records}) == many
    assert await _all(k) == {record.id: record.text for record in records}


@case("E7", needs=NUMBERS)
async def records_and_batches_share_their_numbers(k: Kit) -> None:
    seen: list[int] = []
    for n in range(4):
        seen.append((await k.store[Numbered].create(text="one")).id)
        seen += [record.id for record in await k.store[Numbered].create_many([{"text": str(n)}, {"text": "y"}])]
    assert len(set(seen)) == len(seen)


EXPLICIT: dict[str, int] = {"ahead": 50, "far ahead": 2**40, "zero": 0, "negative": -5}


@case("E7", needs="generated_int", each=EXPLICIT)
async def a_number_that_was_given_is_kept(k: Kit, number: int) -> None:
    first = await k.store[Numbered].create(text="first")
    given = await k.store[Numbered].create(id=number, text="given")
    later = await made(k, Numbered, {"text": "later"}, {"text": "last"})
    assert given.id == number
    assert len({first.id, number, *(record.id for record in later)}) == 4
    assert (await _all(k))[number] == "given"


@case("E7", needs="generated_int")
async def the_next_number_is_not_one_that_was_given(k: Kit) -> None:
    """Somebody gives the numbers that the store would have given next."""
    first = await k.store[Numbered].create(text="first")
    for step in (1, 2, 3, 4):
        await k.store[Numbered].create(id=first.id + step, text="given")
    records = await made(k, Numbered, *({"text": "later"} for _ in range(5)))
    assert len({record.id for record in records} | {first.id + step for step in range(5)}) == 10
    assert await how_many(k.store[Numbered]) == 10


@case("E7", needs=NUMBERS)
async def a_batch_may_mix_given_and_made_numbers(k: Kit) -> None:
    records = await k.store[Numbered].create_many([{"text": "a"}, {"id": 77, "text": "b"}, {"text": "c"}, {"id": 5, "text": "d"}])
    assert [record.id for record in records][1::2] == [77, 5]
    assert len({record.id for record in records}) == 4
    assert await _all(k) == {record.id: record.text for record in records}


@case("E7", needs="generated_int")
async def a_given_number_that_is_taken_is_refused(k: Kit) -> None:
    first = await k.store[Numbered].create(text="first")
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[Numbered].create(id=first.id, text="again")
    later = await k.store[Numbered].create(text="later")
    assert await _all(k) == {first.id: "first", later.id: "later"}


@case("E7", needs="generated_int")
async def after_deletes_numbers_are_unique_among_what_is_there(k: Kit) -> None:
    """Whether the number of a deleted record comes again is not promised."""
    records = await made(k, Numbered, *({"text": str(n)} for n in range(5)))
    for record in (records[0], records[4]):
        await k.store[Numbered].delete(record)
    more = await made(k, Numbered, {"text": "x"}, {"text": "y"})
    assert await _all(k) == {record.id: record.text for record in [*records[1:4], *more]}
    assert await how_many(k.store[Numbered]) == 5


@case("E7", needs="generated_int")
async def a_deleted_record_is_new_again(k: Kit) -> None:
    record = await k.store[Numbered].create(text="a")
    await k.store[Numbered].delete(record)
    await k.store[Numbered].save(record)
    assert await _all(k) == {record.id: "a"}


@case("E7", needs=("generated_int", "transactions"))
async def a_number_of_an_undone_transaction_is_not_kept(k: Kit) -> None:
    """The record is new again: it gets a number when it is saved again, and so does everybody else."""
    first = await k.store[Numbered].create(text="first")
    undone: Any = Numbered(text="undone")
    with suppress(Undone):
        async with k.store.transaction():
            await k.store[Numbered].save(undone)
            assert [undone.id] != [None]
            raise Undone
    assert [undone.id] == [None]
    later = await k.store[Numbered].create(text="later")
    await k.store[Numbered].save(undone)
    assert await _all(k) == {first.id: "first", later.id: "later", undone.id: "undone"}


@case("E7", needs=(*NUMBERS, "transactions"))
async def numbers_in_a_transaction_are_unique(k: Kit) -> None:
    before = await k.store[Numbered].create(text="before")
    async with k.store.transaction():
        inside = [await k.store[Numbered].create(text="in"), *await k.store[Numbered].create_many([{"text": "in"}] * 3)]
        assert len({record.id for record in inside} | {before.id}) == 5
    after = await k.store[Numbered].create(text="after")
    assert len({before.id, after.id, *(record.id for record in inside)}) == await how_many(k.store[Numbered]) == 6


@case("E7", needs=("generated_int", "savepoints"))
async def numbers_after_an_undone_savepoint_are_unique(k: Kit) -> None:
    async with k.store.transaction():
        first = await k.store[Numbered].create(text="first")
        with suppress(Undone):
            async with k.store.transaction():
                await k.store[Numbered].create(text="undone")
                raise Undone
        second = await k.store[Numbered].create(text="second")
    assert await _all(k) == {first.id: "first", second.id: "second"}
    assert first.id != second.id


@case("E7", needs="generated_int")
async def two_stores_on_one_place_share_their_numbers(k: Kit) -> None:
    other = k.another_store()
    records = [await (k.store, other)[n % 2][Numbered].create(text=str(n)) for n in range(6)]
    assert len({record.id for record in records}) == 6
    assert await _all(k) == {record.id: record.text for record in records}


@case("E7", needs="generated_int")
async def a_failed_record_takes_no_ones_number(k: Kit) -> None:
    first = await k.store[Numbered].create(text="first")
    with k.refused(UniqueViolation):
        await k.store[Numbered].create(id=first.id)
    with k.refused(UniqueViolation):
        await k.insert(Numbered.__entity__, (None, "port"), (first.id, "taken"))
    second = await k.store[Numbered].create(text="second")
    assert await _all(k) == {first.id: "first", second.id: "second"}


@case("E7", needs="generated_int")
async def the_port_fills_in_numbers_in_order(k: Kit) -> None:
    """Keys come back in the order of the rows; what is not given is filled in."""
    await k.ready(Numbered)
    entity = Numbered.__entity__
    keys = await k.insert(entity, (None, "a"), (None, "b"), (50, "c"), (None, "d"))
    assert keys[2] == 50
    assert len(set(keys)) == 4
    assert [type(key) for key in keys] == [int] * 4
    assert [row[1] for row in await k.fetch(entity, *keys)] == ["a", "b", "c", "d"]
    assert (await k.insert(entity, (None, "e")))[0] not in keys
    status, row = await k.upsert(entity, (None, "f"), ["id"], ["text"])
    assert status == "inserted"
    assert row[0] not in keys


@case("E7", needs="generated_int")
async def an_upsert_without_a_number_inserts(k: Kit) -> None:
    one = await k.store[Numbered].upsert(text="a")
    two = await k.store[Numbered].upsert(text="a")
    three = await k.store[Numbered].upsert(id=one.id, text="b")
    assert three.id == one.id != two.id
    assert await _all(k) == {one.id: "b", two.id: "a"}


@case("E7", absent="generated_int")
async def numbering_is_refused_where_it_is_absent(k: Kit) -> None:
    with k.refused(Unsupported, says="generated_int") as caught:
        await k.store[Numbered].create(text="a")
    assert caught.error.hint
    with k.refused(Unsupported):
        await k.store[Numbered].all()
    await k.store[Word].create(id=1, text="others go on")


@case("E7")
async def the_default_key_is_made_by_the_client(k: Kit) -> None:
    """A UUIDv7: it is there before the record is saved, and saving does not change it."""
    tag = Tag(name="a")
    made_key = tag.id
    assert (made_key.version, made_key.variant) == (7, uuid.RFC_4122)
    await k.store[Tag].save(tag)
    assert tag.id == made_key
    assert (await k.store[Tag].get(made_key)).name == "a"


@case("E7")
async def default_keys_rise(k: Kit) -> None:
    """So that records stand in the order in which their objects were made."""
    tags = [Tag(name=str(n)) for n in range(50)]
    assert sorted(tag.id for tag in tags) == [tag.id for tag in tags]
    for tag in reversed(tags):
        await k.store[Tag].save(tag)
    assert await k.store[Tag].query().order_by("id").column(Tag.name) == [str(n) for n in range(50)]


@case("E7", needs="atomic_batch")
async def default_keys_are_unique_in_a_batch(k: Kit) -> None:
    tags = await k.store[Tag].create_many([{"name": str(n)} for n in range(500)])
    assert len({tag.id for tag in tags}) == await how_many(k.store[Tag]) == 500


@case("E7")
async def a_default_key_may_be_given(k: Kit) -> None:
    given = uuid.UUID(int=7)
    assert (await k.store[Tag].create(id=given)).id == given
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[Tag].create(id=given)


@case("E7")
async def a_key_that_is_not_generated_must_be_given(k: Kit) -> None:
    made_by_case: Any = Given(id=uuid.UUID(int=1))
    await k.store[Given].save(made_by_case)
    assert await k.store[Given].get(uuid.UUID(int=1)) == made_by_case
