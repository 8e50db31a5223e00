"""F4: handlers of events are part of the write: what they do is written with it, and their errors undo it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from holdall.errors import DeclarationError, UniqueViolation, Unsupported, ValidationError, VersionMismatch
from holdall.testing.case import case
from holdall.testing.cases.making import Undone, how_many, ids, made
from holdall.testing.kit import Kit
from holdall.testing.models.records import Item, Live, Versioned

BEFORE = ("before_create", "before_update", "before_delete")
AFTER = ("after_create", "after_update", "after_delete")
COMMIT = tuple(f"{event}_commit" for event in AFTER)


def _listen(k: Kit, *events: str, model: Any = Item) -> list[str]:
    """What the handlers of these events were told, in order."""
    told: list[str] = []

    def listener(event: str) -> Callable[[Any], None]:
        return lambda record: told.append(f"{event} {record.id}")

    for event in events:
        k.store.on(event, model)(listener(event))
    return told


@case("F4", needs="transactions")
async def each_write_tells_before_and_after(k: Kit) -> None:
    told = _listen(k, *BEFORE, *AFTER, *COMMIT)
    item = await k.store[Item].create(id=1)
    item.name = "a"
    await k.store[Item].save(item)
    await k.store[Item].delete(item)
    assert told == [f"{when}_{what}{commit} 1" for what in ("create", "update", "delete")
                    for when, commit in (("before", ""), ("after", ""), ("after", "_commit"))]  # fmt: skip


@case("F4", needs="transactions")
async def no_change_tells_nothing(k: Kit) -> None:
    item = await k.store[Item].create(id=1, name="a")
    told = _listen(k, *BEFORE, *AFTER, *COMMIT)
    item.name = "a"
    await k.store[Item].save(item)
    assert told == []


@case("F4", needs="transactions")
async def handlers_hear_of_their_model_only(k: Kit) -> None:
    told = _listen(k, "after_create")
    everything = _listen(k, "after_create", model=None)
    await k.store[Item].create(id=1)
    await k.store[Live].create(id=2)
    assert (told, everything) == (["after_create 1"], ["after_create 1", "after_create 2"])


@case("F4", needs=("transactions", "atomic_batch"))
async def records_made_together_are_told_each(k: Kit) -> None:
    told = _listen(k, "before_create", "after_create", "after_create_commit")
    await k.store[Item].create_many([{"id": 1}, {"id": 2}])
    assert sorted(told) == sorted(f"{event} {n}" for event in ("before_create", "after_create", "after_create_commit") for n in (1, 2))


@case("F4", needs="transactions", each=[*BEFORE, *AFTER])
async def an_error_of_a_handler_undoes_the_write(k: Kit, event: str) -> None:
    item = await k.store[Item].create(id=1, name="kept")

    def refuse(record: Any) -> None:
        raise Undone

    k.store.on(event, Item)(refuse)
    with suppress(Undone):
        if event.endswith("create"):
            await k.store[Item].create(id=2)
        elif event.endswith("update"):
            item.name = "changed"
            await k.store[Item].save(item)
        else:
            await k.store[Item].delete(item)
        raise AssertionError("the handler's error was lost")
    assert [(found.id, found.name) for found in await k.store[Item].all()] == [(1, "kept")]


@case("F4", needs="transactions")
async def what_a_handler_changes_before_is_written(k: Kit) -> None:
    def fill(item: Any) -> None:
        item.note = f"{item.name}!"

    k.store.on("before_create", Item)(fill)
    k.store.on("before_update", Item)(fill)
    item = await k.store[Item].create(id=1, name="a")
    assert (await k.store[Item].get(1)).note == "a!"
    item.name = "b"
    await k.store[Item].save(item)
    assert (await k.store[Item].get(1)).note == "b!"


@case("F4", needs="transactions")
async def what_a_handler_makes_invalid_is_refused(k: Kit) -> None:
    def spoil(item: Any) -> None:
        item.amount = "many"

    k.store.on("before_create", Item)(spoil)
    with k.refused(ValidationError):
        await k.store[Item].create(id=1)
    assert await how_many(k.store[Item]) == 0


@case("F4", needs="transactions")
async def handlers_after_a_commit_wait_for_it(k: Kit) -> None:
    told = _listen(k, "after_create", "after_create_commit")
    async with k.store.transaction():
        await k.store[Item].create(id=1)
        assert told == ["after_create 1"]
    assert told == ["after_create 1", "after_create_commit 1"]


@case("F4", needs="transactions")
async def an_undone_write_is_told_to_no_handler_after_a_commit(k: Kit) -> None:
    told = _listen(k, *COMMIT)
    item = await k.store[Item].create(id=1)
    told.clear()
    with suppress(Undone):
        async with k.store.transaction():
            await k.store[Item].create(id=2)
            item.name = "x"
            await k.store[Item].save(item)
            await k.store[Item].delete(item)
            raise Undone
    assert told == []


@case("F4", needs="transactions")
async def a_write_that_fails_tells_nothing_after(k: Kit) -> None:
    await k.store[Item].create(id=1)
    told = _listen(k, *AFTER, *COMMIT)
    with k.refused(UniqueViolation):
        await k.store[Item].create(id=1)
    await k.store[Versioned].create(id=1)
    stale, other = await k.store[Versioned].get(1), await k.store[Versioned].get(1)
    other.text = "theirs"
    await k.store[Versioned].save(other)
    versioned = _listen(k, *AFTER, *COMMIT, model=Versioned)
    stale.text = "mine"
    with k.refused(VersionMismatch):
        await k.store[Versioned].save(stale)
    assert (told, versioned) == ([], [])


@case("F4", needs=("transactions", "set_writes"))
async def writes_by_query_tell_nothing(k: Kit) -> None:
    await made(k, Item, {"id": 1}, {"id": 2})
    told = _listen(k, *BEFORE, *AFTER, *COMMIT)
    await k.store[Item].query().update(name="x")
    await k.store[Item].query().delete()
    assert told == []


@case("F4")
async def an_event_that_there_is_not_is_refused(k: Kit) -> None:
    with k.refused(DeclarationError, says="Did you mean"):
        k.store.on("before_creat", Item)


@case("F4", absent="transactions")
async def handlers_are_refused_where_they_cannot_undo(k: Kit) -> None:
    """A handler's error must undo the write: without transactions nothing is written."""
    told = _listen(k, "before_create", "after_create")
    with k.refused(Unsupported, says="transactions") as caught:
        await k.store[Item].create(id=1)
    assert caught.error.hint
    assert told == []
    assert await ids(k.store[Item].query()) == []
