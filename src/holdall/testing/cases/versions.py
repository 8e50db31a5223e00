"""F10: a version is compared and set: a stale write raises VersionMismatch and changes nothing; one winner per version."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from holdall.backends import Delete, Patch
from holdall.errors import NotFound, TransactionConflict, VersionMismatch
from holdall.query import Value
from holdall.query.terms import INT
from holdall.testing.case import case
from holdall.testing.cases.making import how_many, ids, made
from holdall.testing.kit import Kit, assignments
from holdall.testing.models.records import Item, Revised, Seat, Versioned

ENTITY = Versioned.__entity__


async def _two(k: Kit) -> tuple[Any, Any]:
    """The same record, read twice."""
    await k.store[Versioned].create(id=1, text="a")
    return await k.store[Versioned].get(1), await k.store[Versioned].get(1)


async def _stored(k: Kit, number: int = 1) -> tuple[str, int, int]:
    record = await k.store[Versioned].get(number)
    return record.text, record.number, record.version


# Counting.


@case("F10")
async def a_version_begins_at_1_and_counts_writes(k: Kit) -> None:
    record = await k.store[Versioned].create(id=1, text="a")
    versions = [record.version]
    for text in ("b", "c", "d"):
        record.text = text
        await k.store[Versioned].save(record)
        versions.append(record.version)
    assert versions == [1, 2, 3, 4]
    assert await _stored(k) == ("d", 0, 4)


@case("F10", each={"a given version": {"version": 7}, "none": {}})
async def the_store_sets_the_first_version(k: Kit, given: dict[str, Any]) -> None:
    record = await k.store[Versioned].create(id=1, **given)
    assert record.version == 1
    assert (await _stored(k))[2] == 1


@case("F10", needs="atomic_batch")
async def records_made_together_begin_at_1(k: Kit) -> None:
    records = await k.store[Versioned].create_many([{"id": n} for n in (1, 2, 3)])
    assert [record.version for record in records] == [1, 1, 1]


@case("F10")
async def saving_no_change_counts_nothing(k: Kit) -> None:
    record, _ = await _two(k)
    record.text = "a"
    await k.store[Versioned].save(record)
    await k.store[Versioned].save(record)
    assert await _stored(k) == ("a", 0, 1)


@case("F10")
async def a_version_set_by_hand_is_not_what_is_compared(k: Kit) -> None:
    """What counts is the version that was read."""
    one, two = await _two(k)
    one.text = "b"
    await k.store[Versioned].save(one)
    two.version = 2
    two.text = "c"
    with k.refused(VersionMismatch):
        await k.store[Versioned].save(two)
    assert await _stored(k) == ("b", 0, 2)


@case("F10", needs="set_writes")
async def an_update_by_query_counts_each_record(k: Kit) -> None:
    await made(k, Versioned, {"id": 1}, {"id": 2}, {"id": 3})
    record = await k.store[Versioned].get(2)
    record.text = "b"
    await k.store[Versioned].save(record)
    assert await k.store[Versioned].where(Versioned.id >= 2).update(number=Versioned.number + 1) == 2
    assert await k.store[Versioned].query().order_by("id").column(Versioned.version) == [1, 3, 2]


@case("F10", needs="set_writes")
async def an_update_by_query_that_changes_nothing_counts(k: Kit) -> None:
    """It matched: somebody wrote, and who read before must look again."""
    record, _ = await _two(k)
    assert await k.store[Versioned].query().update(text="a") == 1
    record.text = "b"
    with k.refused(VersionMismatch):
        await k.store[Versioned].save(record)
    assert await _stored(k) == ("a", 0, 2)


# Stale writes. Each way of writing in between makes each way of writing stale.


async def _by_save(k: Kit) -> None:
    record = await k.store[Versioned].get(1)
    record.note = "theirs"
    await k.store[Versioned].save(record)


async def _by_query(k: Kit) -> None:
    await k.store[Versioned].where(id=1).update(note="theirs")


async def _by_upsert(k: Kit) -> None:
    await k.store[Versioned].upsert(id=1, note="theirs")


async def _by_another_store(k: Kit) -> None:
    other = k.another_store()
    record = await other[Versioned].get(1)
    record.note = "theirs"
    await other[Versioned].save(record)


BETWEEN: dict[str, tuple[Callable[[Kit], Awaitable[None]]]] = {
    "a save": (_by_save,),
    "an upsert": (_by_upsert,),
    "another store": (_by_another_store,),
}


@case("F10", each=BETWEEN)
async def a_stale_save_is_refused(k: Kit, between: Callable[[Kit], Awaitable[None]]) -> None:
    """Though it changes another field."""
    record, _ = await _two(k)
    record.text = "mine"
    await between(k)
    with k.refused(VersionMismatch) as caught:
        await k.store[Versioned].save(record)
    assert (caught.error.retry, caught.error.effect) == ("transaction", "none")
    read = await k.store[Versioned].get(1)
    assert (read.text, read.note, read.version) == ("a", "theirs", 2)


@case("F10", each=BETWEEN)
async def a_stale_delete_is_refused(k: Kit, between: Callable[[Kit], Awaitable[None]]) -> None:
    record, _ = await _two(k)
    await between(k)
    with k.refused(VersionMismatch):
        await k.store[Versioned].delete(record)
    assert await ids(k.store[Versioned].where(note="theirs")) == [1]


@case("F10", each={**BETWEEN, "an update by query": (_by_query,)}, needs="set_writes")
async def a_refreshed_record_is_saved(k: Kit, between: Callable[[Kit], Awaitable[None]]) -> None:
    record, _ = await _two(k)
    await between(k)
    await k.store[Versioned].refresh(record)
    assert (record.note, record.version) == ("theirs", 2)
    record.text = "mine"
    await k.store[Versioned].save(record)
    read = await k.store[Versioned].get(1)
    assert (read.text, read.note, read.version) == ("mine", "theirs", 3)


@case("F10", needs="set_writes")
async def a_save_after_an_update_by_query_is_stale(k: Kit) -> None:
    record, other = await _two(k)
    await _by_query(k)
    record.text = "mine"
    with k.refused(VersionMismatch):
        await k.store[Versioned].save(record)
    with k.refused(VersionMismatch):
        await k.store[Versioned].delete(other)
    assert await _stored(k) == ("a", 0, 2)


@case("F10")
async def a_record_that_lost_stays_as_it_was(k: Kit) -> None:
    """Its changes and its version are those from before: it can be refreshed, and is refused again until then."""
    one, two = await _two(k)
    one.text, two.text = "one", "two"
    await k.store[Versioned].save(one)
    for _ in range(2):
        with k.refused(VersionMismatch):
            await k.store[Versioned].save(two)
        assert (two.text, two.version) == ("two", 1)
    await k.store[Versioned].refresh(two)
    two.text = "two"
    await k.store[Versioned].save(two)
    assert await _stored(k) == ("two", 0, 3)


@case("F10")
async def writing_what_is_gone_is_no_mismatch(k: Kit) -> None:
    one, two = await _two(k)
    await k.store[Versioned].delete(one)
    two.text = "b"
    with k.refused(NotFound):
        await k.store[Versioned].save(two)
    with k.refused(NotFound):
        await k.store[Versioned].delete(two)


@case("F10")
async def a_record_made_anew_has_a_version_of_its_own(k: Kit) -> None:
    """Version 1 again: who holds version 1 of the old one cannot tell them apart; who holds version 2 can."""
    one, _ = await _two(k)
    one.text = "b"
    await k.store[Versioned].save(one)
    old = await k.store[Versioned].get(1)
    await k.store[Versioned].delete(one)
    await k.store[Versioned].create(id=1, text="new")
    old.text = "old"
    with k.refused(VersionMismatch):
        await k.store[Versioned].save(old)
    assert await _stored(k) == ("new", 0, 1)


@case("F10")
async def deleting_the_version_that_was_read_works(k: Kit) -> None:
    one, _ = await _two(k)
    one.text = "b"
    await k.store[Versioned].save(one)
    await k.store[Versioned].delete(one)
    assert await how_many(k.store[Versioned]) == 0


@case("F10")
async def a_key_of_two_parts_has_a_version_too(k: Kit) -> None:
    await made(k, Seat, {"row": "A", "number": 1}, {"row": "A", "number": 2})
    one, two = await k.store[Seat].get(("A", 1)), await k.store[Seat].get(("A", 1))
    one.guest, two.guest = "one", "two"
    await k.store[Seat].save(one)
    with k.refused(VersionMismatch):
        await k.store[Seat].save(two)
    rows = await k.store[Seat].query().order_by("number").values("guest", "version")
    assert [tuple(row.values()) for row in rows] == [("one", 2), (None, 1)]


@case("F10")
async def a_field_of_any_name_is_the_version(k: Kit) -> None:
    first = await k.store[Revised].create(id=1, text="a")
    other = await k.store[Revised].get(1)
    first.text = "b"
    await k.store[Revised].save(first)
    assert first.revision == 2
    other.text = "c"
    with k.refused(VersionMismatch):
        await k.store[Revised].save(other)


# One winner.


@case("F10", each=[2, 5])
async def one_of_many_wins_each_version(k: Kit, writers: int) -> None:
    await k.store[Versioned].create(id=1)
    for version in (1, 2, 3):
        read = [await k.store[Versioned].get(1) for _ in range(writers)]
        won = 0
        for number, record in enumerate(read):
            record.number += 1
            record.text = str(number)
            try:
                await k.store[Versioned].save(record)
                won += 1
            except VersionMismatch:
                pass
        assert won == 1
        assert await _stored(k) == ("0", version, version + 1)


@case("F10", needs="transactions")
async def one_of_two_transactions_wins(k: Kit) -> None:
    """The other is told so, by its version or by a conflict, and what it wrote is undone."""
    await _two(k)
    open_now: list[tuple[str, Any]] = []
    won: list[str] = []
    for text in ("one", "two"):
        try:
            open_now.append((text, await k.begin()))
        except TransactionConflict as error:  # where only one may write at a time
            assert error.retry == "transaction"
    for text, tx in open_now:
        try:
            await k.apply(Patch(ENTITY, 1, assignments(ENTITY, text=text, version=2), 1), tx=tx)
            await k.commit(tx)
            won.append(text)
        except (TransactionConflict, VersionMismatch) as error:
            assert error.retry == "transaction"
            await k.rollback(tx)
    assert len(won) <= 1
    assert await _stored(k) == ((won[0], 0, 2) if won else ("a", 0, 1))


@case("F10", needs="transactions")
async def a_stale_save_dooms_its_transaction(k: Kit) -> None:
    one, two = await _two(k)
    one.text, two.text = "one", "two"
    await k.store[Versioned].save(one)
    with k.refused(VersionMismatch):
        async with k.store.transaction():
            await k.store[Item].create(id=1)
            await k.store[Versioned].save(two)
    assert await how_many(k.store[Item]) == 0
    assert await _stored(k) == ("one", 0, 2)


@case("F10", needs=("transactions", "atomic_batch"))
async def save_all_is_undone_by_one_stale_record(k: Kit) -> None:
    one, two = await _two(k)
    other = await k.store[Versioned].create(id=2, text="other")
    one.text = "one"
    await k.store[Versioned].save(one)
    other.text, two.text = "changed", "two"
    with k.refused(VersionMismatch):
        await k.store.save_all([other, two, Item(id=1)])
    assert await _stored(k, 2) == ("other", 0, 1)
    assert other.version == 1
    await k.store[Versioned].save(other)
    assert await _stored(k, 2) == ("changed", 0, 2)


# At the port.

PORT: dict[str, Callable[[int | None, bool], Any]] = {
    "patch": lambda version, required: Patch(ENTITY, 1, assignments(ENTITY, text="b"), version, required),
    "delete": lambda version, required: Delete(ENTITY, 1, version, required),
}


@case("F10", each=PORT)
async def the_port_compares_the_version_it_is_given(k: Kit, write: Callable[[int | None, bool], Any]) -> None:
    await _two(k)
    before = await k.rows(ENTITY)
    for version in (0, 2, -1):
        with k.refused(VersionMismatch):
            await k.apply(write(version, True))
        assert await k.apply(write(version, False)) == [0]
    assert await k.rows(ENTITY) == before
    assert await k.apply(write(1, True)) == [1]
    assert await k.rows(ENTITY) != before


@case("F10", each=PORT)
async def the_port_compares_nothing_when_not_told(k: Kit, write: Callable[[int | None, bool], Any]) -> None:
    await _two(k)
    assert await k.apply(write(None, True)) == [1]


@case("F10", each=PORT)
async def the_port_tells_absent_from_stale(k: Kit, write: Callable[[int | None, bool], Any]) -> None:
    await k.ready(Versioned)
    with k.refused(NotFound):
        await k.apply(write(1, True))
    assert await k.apply(write(1, False)) == [0]


@case("F10")
async def the_port_counts_only_what_it_is_told(k: Kit) -> None:
    """A patch sets the version if the store says so; only writes by query and upserts count by themselves."""
    await _two(k)
    assert await k.patch(ENTITY, 1, text="b") == 1
    assert await k.value(ENTITY, 1, "version") == 1
    await k.apply(Patch(ENTITY, 1, assignments(ENTITY, version=Value(5, INT)), 1))
    assert await k.value(ENTITY, 1, "version") == 5
    status, row = await k.upsert(ENTITY, (1, "c", 0, None, 1), ["id"], ["text"])
    assert (status, row[4]) == ("updated", 6)
