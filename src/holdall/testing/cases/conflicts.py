"""G4: who meets whom: conflicts are marked, undo everything, and at least one party wins."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from holdall.backends import Isolation
from holdall.errors import TransactionConflict, TransactionDoomed, UniqueViolation, Unsupported
from holdall.query import TRUE, Compare, Condition, Related, Select, Value, key_ref
from holdall.schema import Entity
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.account_codes import Coded
from holdall.testing.models.account_family import Owner, Tenant, Thing
from holdall.testing.models.accounts import Account
from holdall.testing.operations import START
from holdall.testing.rivals import Rival, between, one_wins, race

ACCOUNT, OWNER, TENANT, THING, CODED = (model.__entity__ for model in (Account, Owner, Tenant, Thing, Coded))
SNAPSHOT, SERIALIZABLE = Isolation.SNAPSHOT, Isolation.SERIALIZABLE
Call = Callable[[Any], Awaitable[Any]]


def for_each_level(*needs: str, levels: tuple[Isolation, ...] = (SNAPSHOT, SERIALIZABLE)) -> Callable[[Any], Any]:
    """Register a case of G4 once for each level that the backend may have."""

    def register(body: Any) -> Any:
        for level in levels:
            case("G4", needs=("transactions", f"isolation.{level.value}", *needs), each={level.value: level})(body)
        return body

    return register


async def three(k: Kit) -> None:
    """The accounts of START, by the port."""
    await k.ready(Account)
    await k.insert(ACCOUNT, *((key, value, None) for key, value in START.items()))


async def now(k: Kit, tx: Any = None) -> dict[int, int]:
    """The values by id, as a query gives them."""
    return {row[0]: row[1] for row in await k.rows(ACCOUNT, tx=tx)}


def put(k: Kit, key: int, value: int) -> Call:
    """A change of one row."""
    return lambda tx: k.patch(ACCOUNT, key, tx=tx, value=value)


def new(k: Kit, key: int, value: int = 0) -> Call:
    """An insert of one row."""
    return lambda tx: k.insert(ACCOUNT, (key, value, None), tx=tx)


def get(k: Kit, *keys: int) -> Call:
    """A read by keys."""
    return lambda tx: k.fetch(ACCOUNT, *keys, tx=tx)


def find(k: Kit, low: int, high: int) -> Call:
    """A read by a condition."""
    return lambda tx: k.rows(ACCOUNT, between(ACCOUNT, "value", low, high), tx)


def same(entity: Entity, name: str, value: Any) -> Condition:
    """name = value."""
    ref = key_ref(entity, name)
    return Compare(ref, "eq", Value(value, ref.type))


def told(rival: Rival) -> None:
    """A conflict says that the whole unit is to be run again, and that it did nothing."""
    error = rival.error
    assert isinstance(error, TransactionConflict), error
    assert (error.retry, error.effect) == ("transaction", "none")


# Two who write the same


async def _both_patch(k: Kit) -> tuple[Call, Call]:
    return put(k, 1, 11), put(k, 1, 12)


async def _patch_and_delete(k: Kit) -> tuple[Call, Call]:
    return put(k, 1, 11), lambda tx: k.delete(ACCOUNT, 1, tx=tx)


async def _both_delete(k: Kit) -> tuple[Call, Call]:
    return (lambda tx: k.delete(ACCOUNT, 1, tx=tx)), (lambda tx: k.delete(ACCOUNT, 1, tx=tx))


async def _both_upsert(k: Kit) -> tuple[Call, Call]:
    return tuple(lambda tx, value=value: k.upsert(ACCOUNT, (1, value, None), ["id"], ["value"], tx=tx) for value in (11, 12))  # type: ignore[return-value]  # two


SAME_ROW: dict[str, Callable[[Kit], Awaitable[tuple[Call, Call]]]] = {
    "both change it": _both_patch,
    "one removes it": _patch_and_delete,
    "both remove it": _both_delete,
    "both upsert it": _both_upsert,
}


@for_each_level()
async def one_of_two_who_change_a_row_wins(k: Kit, level: Isolation) -> None:
    """In every way to change it: the loser is told so that the runner can run it again, and the row is the winner's."""
    for how, make in SAME_ROW.items():
        await k.ready(Account)
        await k.do(k.backend.reset([ACCOUNT]))
        await three(k)
        writes = await make(k)
        rivals = await race(k, level, get(k, 1), *writes)
        winner = await one_wins(*rivals)
        loser = next(rival for rival in rivals if rival is not winner)
        told(loser)
        assert set(await now(k)) >= {2, 3}, how


@for_each_level()
async def the_loser_is_undone_whole(k: Kit, level: Isolation) -> None:
    """Also what it wrote that nobody contested."""
    await three(k)
    one, other = Rival(k, level), Rival(k, None)
    await one.begin()
    await one.do(get(k, 1))
    await other.finish(put(k, 1, 15))
    await one.do(new(k, 9, 9))
    await one.do(put(k, 3, 31))
    await one.finish(put(k, 1, 16))
    winner = await one_wins(one, other)
    assert await now(k) == ({1: 16, 2: 20, 3: 31, 9: 9} if winner is one else {**START, 1: 15})


@for_each_level()
async def a_lost_transaction_does_nothing_more(k: Kit, level: Isolation) -> None:
    """It can only be rolled back."""
    await three(k)
    one, other = Rival(k, level), Rival(k, None)
    await one.begin()
    await one.do(get(k, 1))
    await other.finish(put(k, 1, 15))
    await one.finish(put(k, 1, 16))
    if one.ended == "conflict" and one.tx is not None:
        for call in (get(k, 1), put(k, 2, 21), new(k, 9), k.commit):
            with k.refused(TransactionDoomed):
                await call(one.tx)
        await k.rollback(one.tx)
        assert await now(k) == {**START, 1: 15}
    else:
        assert (await one_wins(one, other)).ended == "done"


@for_each_level()
async def those_who_do_not_meet_both_win(k: Kit, level: Isolation) -> None:
    """One after the other, also on the same rows."""
    await three(k)
    for key, value in ((1, 11), (2, 21), (1, 12)):
        tx = await k.begin(level)
        await k.patch(ACCOUNT, key, tx=tx, value=value)
        await k.commit(tx)
    assert await now(k) == {1: 12, 2: 21, 3: 30}


@for_each_level()
async def one_of_two_who_insert_a_key_wins(k: Kit, level: Isolation) -> None:
    """The other one has a conflict, or is told that the key is taken."""
    await three(k)
    one, other = Rival(k, level), Rival(k, level)
    for rival in (one, other):
        await rival.begin()
        await rival.do(get(k, 9))
    for rival, value in ((one, 1), (other, 2)):
        await taken_or(rival, new(k, 9, value))
    winner = await one_wins(one, other)
    assert await now(k) == {**START, 9: 1 if winner is one else 2}


async def taken_or(rival: Rival, write: Call) -> None:
    """Write and commit; that the value is taken is one more way to lose."""
    try:
        await rival.finish(write)
    except UniqueViolation as error:
        rival.ended, rival.error = "conflict", error
        if rival.tx is not None:
            await rival.k.rollback(rival.tx)


@for_each_level("unique")
async def a_unique_value_is_taken_once(k: Kit, level: Isolation) -> None:
    await k.ready(Coded)
    one, other = Rival(k, level), Rival(k, level)
    for rival in (one, other):
        await rival.begin()
        await rival.do(lambda tx: k.fetch(CODED, 1, tx=tx))
    await taken_or(one, lambda tx: k.insert(CODED, (1, "x"), tx=tx))
    await taken_or(other, lambda tx: k.insert(CODED, (2, "x"), tx=tx))
    await one_wins(one, other)
    assert len(await k.rows(CODED, same(CODED, "code", "x"))) == 1


@for_each_level("unique")
async def a_unique_value_taken_beside_a_transaction(k: Kit, level: Isolation) -> None:
    await k.ready(Coded)
    one, other = Rival(k, level), Rival(k, None)
    await one.begin()
    await one.do(lambda tx: k.fetch(CODED, 1, tx=tx))
    await other.finish(lambda _: k.insert(CODED, (2, "x")))
    await taken_or(one, lambda tx: k.insert(CODED, (3, "x"), tx=tx))
    await one_wins(one, other)
    assert len(await k.rows(CODED)) == 1


@for_each_level("references")
async def a_parent_removed_beside_a_transaction(k: Kit, level: Isolation) -> None:
    """There is no child without its parent, whoever wins."""
    await k.ready(Owner, Tenant)
    await k.insert(OWNER, (1, "ada"))
    one, other = Rival(k, level), Rival(k, None)
    await one.begin()
    await one.do(lambda tx: k.rows(OWNER, tx=tx))
    await other.finish(lambda _: k.delete(OWNER, 1))
    await one.finish(lambda tx: k.insert(TENANT, (1, 1), tx=tx))
    winner = await one_wins(one, other)
    assert (len(await k.rows(OWNER)), len(await k.rows(TENANT))) == ((1, 1) if winner is one else (0, 0))


@for_each_level("references")
async def a_child_made_beside_a_transaction(k: Kit, level: Isolation) -> None:
    await k.ready(Owner, Tenant)
    await k.insert(OWNER, (1, "ada"))
    one, other = Rival(k, level), Rival(k, None)
    await one.begin()
    await one.do(lambda tx: k.rows(OWNER, tx=tx))
    await other.finish(lambda _: k.insert(TENANT, (1, 1)))
    await one.finish(lambda tx: k.delete(OWNER, 1, tx=tx))
    winner = await one_wins(one, other)
    assert (len(await k.rows(OWNER)), len(await k.rows(TENANT))) == ((0, 0) if winner is one else (1, 1))


@for_each_level("set_writes", levels=(SERIALIZABLE,))
async def set_writes_meet_what_they_would_have_found(k: Kit, level: Isolation) -> None:
    """Each misses what the other one writes: whichever came first, the other would have found its row."""
    await three(k)
    rivals = await race(
        k,
        level,
        get(k, 1),
        lambda tx: _raise_and_add(k, tx),
        lambda tx: _remove_and_add(k, tx),
    )
    await one_wins(*rivals)


async def _raise_and_add(k: Kit, tx: Any) -> None:
    await k.update_where(ACCOUNT, between(ACCOUNT, "value", 100, 999), tx=tx, value=200)
    await k.insert(ACCOUNT, (8, 50, None), tx=tx)


async def _remove_and_add(k: Kit, tx: Any) -> None:
    await k.delete_where(ACCOUNT, between(ACCOUNT, "value", 50, 60), tx=tx)
    await k.insert(ACCOUNT, (9, 100, None), tx=tx)


@for_each_level("references", "joins", levels=(SERIALIZABLE,))
async def what_is_found_through_a_relation_is_something_read(k: Kit, level: Isolation) -> None:
    await k.ready(Owner, Thing)
    await k.insert(OWNER, (1, "ada"), (2, "bob"))
    without = Related((), OWNER.relations["things"], "none", TRUE)
    rivals = await race(
        k,
        level,
        lambda tx: k.rows(OWNER, without, tx),
        lambda tx: k.insert(THING, (uuid.UUID(int=1), 1, "pen"), tx=tx),
        lambda tx: k.insert(THING, (uuid.UUID(int=2), 2, "pad"), tx=tx),
    )
    await one_wins(*rivals)


# Locks


LOCKED: dict[str, Callable[[Kit], Call]] = {
    "by key": lambda k: lambda tx: k.fetch(ACCOUNT, 1, tx=tx, lock="update"),
    "by a query": lambda k: lambda tx: k.select(Select(ACCOUNT, between(ACCOUNT, "value", 0, 15), lock="update"), tx),
}


@case("G4", needs=("transactions", "row_locks", "isolation.snapshot"), each=LOCKED)
async def a_locked_row_is_not_changed_by_another(k: Kit, lock: Callable[[Kit], Call]) -> None:
    """Who has locked a row, and writes another one because of it, cannot commit beside one who changed it."""
    await three(k)
    one, other = Rival(k, SNAPSHOT), Rival(k, SNAPSHOT)
    await one.begin()
    await other.begin()
    await one.do(lock(k))
    await other.finish(put(k, 1, 11))
    await one.finish(put(k, 2, 21))
    winner = await one_wins(one, other)
    assert await now(k) == ({**START, 2: 21} if winner is one else {**START, 1: 11})


@case("G4", needs=("transactions", "row_locks", "isolation.snapshot"), each=LOCKED)
async def a_row_locked_by_two_is_changed_by_one(k: Kit, lock: Callable[[Kit], Call]) -> None:
    await three(k)
    one, other = Rival(k, SNAPSHOT), Rival(k, SNAPSHOT)
    for rival in (one, other):
        await rival.begin()
        await rival.do(lock(k))
    await other.finish(put(k, 1, 11))
    await one.finish(put(k, 2, 21))
    await one_wins(one, other)


@case("G4", needs=("transactions", "row_locks"))
async def a_lock_lasts_until_the_transaction_ends(k: Kit) -> None:
    """After it, others change the row."""
    await three(k)
    tx = await k.begin()
    await k.fetch(ACCOUNT, 1, tx=tx, lock="update")
    await k.patch(ACCOUNT, 1, tx=tx, value=11)
    await k.commit(tx)
    await k.patch(ACCOUNT, 1, value=12)
    assert await now(k) == {**START, 1: 12}


@case("G4", needs=("transactions", "row_locks"))
async def locked_rows_are_read_as_they_are(k: Kit) -> None:
    """Through the store: lock() changes nothing of what is found."""
    accounts = k.store[Account]
    await accounts.create_many([{"id": key, "value": value} for key, value in START.items()])
    async with k.store.transaction():
        found = await accounts.where(Account.value >= 20).order_by(Account.id).lock().all()
        assert [account.id for account in found] == [2, 3]
        found[0].value += 1
        await accounts.save(found[0])
    assert await now(k) == {**START, 2: 21}


@case("G4", needs=("transactions", "row_locks"))
async def a_lock_outside_a_transaction_is_refused(k: Kit) -> None:
    from holdall.errors import ProgrammingError

    await k.ready(Account)
    with k.refused(ProgrammingError, says="lock()") as caught:
        await k.store[Account].query().lock().all()
    assert caught.error.hint


@case("G4", needs="transactions", absent="row_locks")
async def locks_are_refused_where_there_are_none(k: Kit) -> None:
    """The transaction goes on."""
    await k.ready(Account)
    async with k.store.transaction():
        await k.store[Account].create(id=1, value=1)
        with k.refused(Unsupported, says="lock()") as caught:
            await k.store[Account].query().lock().all()
        assert caught.error.hint
        await k.store[Account].create(id=2, value=2)
    assert await now(k) == {1: 1, 2: 2}


@case("G4", needs="transactions", absent="reads_beside_writes")
async def a_reader_beside_a_writer_loses_or_sees_what_was_committed(k: Kit) -> None:
    """It never sees half of a transaction; if it cannot wait, it is told so as a conflict."""
    await three(k)
    writer, reader = Rival(k, k.capabilities.default_isolation), Rival(k, None)
    await writer.do(put(k, 1, 11))
    await writer.do(put(k, 2, 21))
    found = await reader.do(lambda _: k.fetch(ACCOUNT, 1, 2))
    if reader.ended == "conflict":
        told(reader)
    else:
        assert [row[1] for row in found] == [10, 20]
    assert await writer.finish() == "done"
    assert await now(k) == {1: 11, 2: 21, 3: 30}


@case("G4", needs=("transactions", "reads_beside_writes"), each=(1, 5, 20))
async def readers_do_not_stop_a_writer(k: Kit, readers: int) -> None:
    """However many have read what it writes; and each goes on to see what it saw."""
    await three(k)
    open_ = [await k.begin(read_only=True) for _ in range(readers)]
    for tx in open_:
        assert await now(k, tx) == START
    writer = await k.begin()
    await k.patch(ACCOUNT, 1, tx=writer, value=11)
    await k.commit(writer)
    await k.delete(ACCOUNT, 2)
    for tx in open_:
        assert await now(k, tx) == START
        await k.commit(tx)
    assert await now(k) == {1: 11, 3: 30}
