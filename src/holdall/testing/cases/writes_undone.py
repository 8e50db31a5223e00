"""F4: nothing of an undone transaction stays, neither in the store nor in what its records hold for stored."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from holdall.errors import NotFound, VersionMismatch
from holdall.testing.case import case
from holdall.testing.cases.making import Undone, how_many, ids
from holdall.testing.kit import Kit
from holdall.testing.models.records import Item, Versioned

Read = Callable[[Any, Any], Any]


async def _by_key(items: Any, known: Any) -> Any:
    return await items.get(1)


async def _by_keys(items: Any, known: Any) -> Any:
    return (await items.get_many([9, 1]))[1]


async def _by_query(items: Any, known: Any) -> Any:
    return await items.where(id=1).one()


async def _by_page(items: Any, known: Any) -> Any:
    return (await items.query().page(1)).items[0]


async def _by_stream(items: Any, known: Any) -> Any:
    return await anext(aiter(items.query().stream()))


async def _again(items: Any, known: Any) -> Any:
    return await items.refresh(known)


READS: dict[str, Read] = {
    "by key": _by_key, "by keys": _by_keys, "by query": _by_query, "by page": _by_page, "by stream": _by_stream, "again": _again,
}  # fmt: skip


async def _undone_read(k: Kit, read: Read) -> Any:
    """Item 1 as it was read in a transaction that had changed it before, and was undone."""
    found: Any = None
    items = k.store[Item]
    known = await items.create(id=1, name="kept", amount=1)
    with suppress(Undone):
        async with k.store.transaction():
            writer = await items.get(1)
            writer.name, writer.amount = "undone", 2
            await items.save(writer)
            found = await read(items, known)
            assert (found.name, found.amount) == ("undone", 2)
            raise Undone
    assert (await items.get(1)).name == "kept"
    return found


@case("F4", needs="transactions", each=READS)
async def what_was_read_after_an_undone_write_is_written_when_saved(k: Kit, read: Read) -> None:
    """It holds values that the store never kept: saving it must not take them for stored."""
    found = await _undone_read(k, read)
    await k.store[Item].save(found)
    item = await k.store[Item].get(1)
    assert (item.name, item.amount) == ("undone", 2)


def _pickled(record: Any) -> Any:
    return pickle.loads(pickle.dumps(record))  # noqa: S301  made here


@case("F4", needs="transactions", each={"copied": copy.copy, "pickled": _pickled})
async def a_copy_of_what_was_undone_is_written_too(k: Kit, copied: Any) -> None:
    found = copied(await _undone_read(k, _by_key))
    await k.store[Item].save(found)
    assert (await k.store[Item].get(1)).name == "undone"


@case("F4", needs="transactions")
async def once_saved_only_changes_are_written_again(k: Kit) -> None:
    found = await _undone_read(k, _by_key)
    await k.store[Item].save(found)
    other = await k.store[Item].get(1)
    other.name = "theirs"
    await k.store[Item].save(other)
    found.amount = 5
    await k.store[Item].save(found)
    item = await k.store[Item].get(1)
    assert (item.name, item.amount) == ("theirs", 5)


@case("F4", needs="transactions")
async def once_refreshed_it_is_as_any_other(k: Kit) -> None:
    found = await _undone_read(k, _by_key)
    await k.store[Item].refresh(found)
    assert (found.name, found.amount) == ("kept", 1)
    other = await k.store[Item].get(1)
    other.name = "theirs"
    await k.store[Item].save(other)
    await k.store[Item].save(found)
    assert (await k.store[Item].get(1)).name == "theirs"


@case("F4", needs=("transactions", "set_writes"))
async def what_was_read_after_an_undone_update_by_query_is_written(k: Kit) -> None:
    found: Any = None
    await k.store[Item].create(id=1, name="kept")
    with suppress(Undone):
        async with k.store.transaction():
            await k.store[Item].query().update(name="undone")
            found = await k.store[Item].get(1)
            raise Undone
    await k.store[Item].save(found)
    assert (await k.store[Item].get(1)).name == "undone"


@case("F4", needs="transactions")
async def what_was_read_of_an_undone_record_is_not_there(k: Kit) -> None:
    found: Any = None
    with suppress(Undone):
        async with k.store.transaction():
            await k.store[Item].create(id=1, name="undone")
            found = await k.store[Item].get(1)
            raise Undone
    with k.refused(NotFound):
        await k.store[Item].save(found)
    assert await how_many(k.store[Item]) == 0


@case("F4", needs="transactions")
async def what_was_read_of_an_undone_version_is_stale(k: Kit) -> None:
    found: Any = None
    record = await k.store[Versioned].create(id=1, text="kept")
    with suppress(Undone):
        async with k.store.transaction():
            record.text = "undone"
            await k.store[Versioned].save(record)
            found = await k.store[Versioned].get(1)
            assert found.version == 2
            raise Undone
    with k.refused(VersionMismatch):
        await k.store[Versioned].save(found)
    assert record.version == 1
    await k.store[Versioned].save(record)
    read = await k.store[Versioned].get(1)
    assert (read.text, read.version) == ("undone", 2)


@case("F4", needs="transactions")
async def what_was_read_before_any_write_stays_as_it_was(k: Kit) -> None:
    """It was read from what the store keeps: only changes are written."""
    found: Any = None
    await k.store[Item].create(id=1, name="kept", amount=1)
    with suppress(Undone):
        async with k.store.transaction():
            found = await k.store[Item].get(1)
            await k.store[Item].create(id=2)
            raise Undone
    other = await k.store[Item].get(1)
    other.name = "theirs"
    await k.store[Item].save(other)
    found.amount = 5
    await k.store[Item].save(found)
    item = await k.store[Item].get(1)
    assert (item.name, item.amount) == ("theirs", 5)


@case("F4", needs="savepoints")
async def what_was_read_in_an_undone_savepoint_is_written(k: Kit) -> None:
    found: Any = None
    items = k.store[Item]
    await items.create(id=1, name="kept")
    async with k.store.transaction():
        with suppress(Undone):
            async with k.store.transaction():
                writer = await items.get(1)
                writer.name = "undone"
                await items.save(writer)
                found = await items.get(1)
                raise Undone
        assert (await items.get(1)).name == "kept"
        await items.save(found)
    assert (await items.get(1)).name == "undone"


@case("F4", needs="savepoints")
async def what_was_read_in_a_savepoint_is_undone_with_the_outer_write(k: Kit) -> None:
    """The savepoint was kept; the transaction around it, which had written, was not."""
    found: Any = None
    items = k.store[Item]
    writer = await items.create(id=1, name="kept")
    with suppress(Undone):
        async with k.store.transaction():
            writer.name = "undone"
            await items.save(writer)
            async with k.store.transaction():
                found = await items.get(1)
            raise Undone
    await items.save(found)
    assert (await items.get(1)).name == "undone"


@case("F4", needs="transactions")
async def what_was_saved_twice_and_undone_is_in_doubt_again(k: Kit) -> None:
    found = await _undone_read(k, _by_key)
    with suppress(Undone):
        async with k.store.transaction():
            await k.store[Item].save(found)
            raise Undone
    assert (await k.store[Item].get(1)).name == "kept"
    await k.store[Item].save(found)
    assert (await k.store[Item].get(1)).name == "undone"


# What was written itself.


@case("F4", needs="transactions")
async def an_undone_create_is_created_again(k: Kit) -> None:
    item = Item(id=1, name="a")
    with suppress(Undone):
        async with k.store.transaction():
            await k.store[Item].save(item)
            raise Undone
    assert await how_many(k.store[Item]) == 0
    await k.store[Item].save(item)
    assert await ids(k.store[Item].query()) == [1]


@case("F4", needs="transactions")
async def an_undone_change_is_written_again(k: Kit) -> None:
    item = await k.store[Item].create(id=1, name="a")
    with suppress(Undone):
        async with k.store.transaction():
            item.name = "b"
            await k.store[Item].save(item)
            item.amount = 5
            await k.store[Item].save(item)
            raise Undone
    await k.store[Item].save(item)
    read = await k.store[Item].get(1)
    assert (read.name, read.amount) == ("b", 5)


@case("F4", needs="transactions")
async def an_undone_delete_leaves_a_saved_record(k: Kit) -> None:
    item = await k.store[Item].create(id=1, name="a")
    with suppress(Undone):
        async with k.store.transaction():
            await k.store[Item].delete(item)
            raise Undone
    item.name = "b"
    await k.store[Item].save(item)
    assert (await k.store[Item].get(1)).name == "b"
    await k.store[Item].delete(item)
    assert await how_many(k.store[Item]) == 0


@case("F4", needs="transactions")
async def an_undone_upsert_is_written_again(k: Kit) -> None:
    item: Any = None
    with suppress(Undone):
        async with k.store.transaction():
            item = await k.store[Item].upsert(id=1, name="a")
            raise Undone
    assert await how_many(k.store[Item]) == 0
    await k.store[Item].save(item)
    assert (await k.store[Item].get(1)).name == "a"


@case("F4", needs="transactions")
async def an_undone_version_is_counted_anew(k: Kit) -> None:
    record = await k.store[Versioned].create(id=1)
    with suppress(Undone):
        async with k.store.transaction():
            for text in ("a", "b"):
                record.text = text
                await k.store[Versioned].save(record)
            assert record.version == 3
            raise Undone
    assert record.version == 1
    await k.store[Versioned].save(record)
    assert (await k.store[Versioned].get(1)).version == 2


@case("F4", needs="transactions")
async def everything_of_an_undone_transaction_is_undone(k: Kit) -> None:
    items = k.store[Item]
    one, _ = await items.create(id=1, name="a"), await items.create(id=2, name="b")
    with suppress(Undone):
        async with k.store.transaction():
            await items.create(id=3)
            one.name = "x"
            await items.save(one)
            await items.delete(await items.get(2))
            await items.upsert(id=4, name="y")
            assert await ids(items.query()) == [1, 3, 4]
            raise Undone
    assert [(item.id, item.name) for item in await items.query().order_by("id").all()] == [(1, "a"), (2, "b")]
