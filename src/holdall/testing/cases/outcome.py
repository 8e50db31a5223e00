"""G3: a reply that is lost makes the outcome unknown only where it may be, and leaves nothing open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from holdall.errors import OutcomeUnknown, SerializationFailure, Unavailable
from holdall.testing.case import case
from holdall.testing.cases.transactions import for_each_write
from holdall.testing.faults import CANCELLED, Faults, Passing
from holdall.testing.kit import Kit
from holdall.testing.models.accounts import HEARD, Account, Watched, heard
from holdall.testing.operations import OPERATIONS, START, Operation, begin, unit, values


async def faulty(k: Kit, *models: Any) -> tuple[Faults, Any]:
    """A store on the same data whose effects can be disturbed."""
    faults = Faults(k.backend)
    store = k.another_store(faults)
    await store.ensure_schema(*(models or (Account,)))
    return faults, store


def final(passing: Passing) -> bool:
    """Whether what passes makes a write final: a commit, or a write outside transactions."""
    return passing.role == "commit" or (passing.role == "write" and passing.alone)


async def still_works(store: Any, *, expected: Any) -> None:
    """Nothing is open and nothing locked: one more transaction and one more write are done."""
    async with store.transaction():
        await store[Account].create(id=100, value=1)
    await store[Account].create(id=101, value=2)
    assert await values(store) == {**expected, 100: 1, 101: 2}


@for_each_write("G3")
async def a_lost_reply_to_a_commit_is_unknown(k: Kit, operation: Operation) -> None:
    """What was committed is there; the error tells nothing else, and is not to be retried blindly."""
    await begin(k.store)
    faults, store = await faulty(k)
    with k.refused(OutcomeUnknown, retry="never", effect="unknown"), faults.at("commit", "lose") as watch:
        async with store.transaction():
            await operation.do(store)
    assert len(watch.struck) == 1, watch.roles
    assert await values(k.store) == operation.after
    await still_works(store, expected=operation.after)


@for_each_write("G3")
async def a_commit_that_was_not_done_undoes_all(k: Kit, operation: Operation) -> None:
    """The engine was not reached: nothing is unknown, and nothing stays open."""
    await begin(k.store)
    faults, store = await faulty(k)
    with k.refused(Unavailable, retry="operation", effect="none"), faults.at("commit", "fail"):
        async with store.transaction():
            await operation.do(store)
    assert await values(k.store) == START
    await still_works(store, expected=START)


@for_each_write("G3")
async def an_unknown_outcome_that_was_none_leaves_nothing_open(k: Kit, operation: Operation) -> None:
    """A driver may not know either when nothing was done."""
    await begin(k.store)
    faults, store = await faulty(k)
    with k.refused(OutcomeUnknown), faults.at("commit", "fail", error=OutcomeUnknown("as if the reply were lost")):
        async with store.transaction():
            await operation.do(store)
    assert await values(k.store) == START
    await still_works(store, expected=START)


@for_each_write("G3")
async def a_write_alone_is_whole_or_not_at_all(k: Kit, operation: Operation) -> None:
    """Each effect of it, one after the other: failed and with its reply lost; unknown only where the write became final."""
    faults, store = await faulty(k)
    plain = k.another_store()
    await plain.ensure_schema(Account)
    for fault in ("fail", "lose"):
        for number in range(1, 100):
            await plain.clear(Account)
            await begin(plain)
            raised: BaseException | None = None
            with faults.at(number, fault) as watch:
                try:
                    await operation.do(store)
                except (Unavailable, OutcomeUnknown) as error:
                    raised = error
            found = await values(plain)
            if not watch.struck:
                assert raised is None
                break
            unknown = fault == "lose" and final(watch.struck[0])
            assert isinstance(raised, OutcomeUnknown) == unknown, f"{fault} of effect {number}, {watch.roles}: {raised!r}"
            states = stages(operation)
            assert found in states, f"{fault} of effect {number}, {watch.roles}: {found}"
            if unknown:
                assert found in states[1:], "what was done is there"
        else:
            raise AssertionError("there was no end of effects")
    await plain.clear(Account)
    await begin(plain)
    await still_works(store, expected=START)


def stages(operation: Operation) -> list[Any]:
    """The states between the operation's calls, which are several for some."""
    between: dict[str, list[Any]] = {
        "delete and create": [{1: 10, 3: 30}],
        "upsert, ignoring": [dict(START)],
    }
    return [dict(START), *between.get(operation.name, []), dict(operation.after)]


@case("G3", needs="transactions", each={operation.name: operation for operation in OPERATIONS if not operation.needs})
async def a_lost_reply_inside_a_transaction_is_not_unknown(k: Kit, operation: Operation) -> None:
    """Nothing was final yet: whatever the engine did goes with the transaction."""
    faults, store = await faulty(k)
    await begin(k.store)
    with faults.watch() as seen:
        async with store.transaction():
            await operation.do(store)
    for number, role in enumerate(seen.roles, 1):
        if role == "commit":
            continue
        await k.store.clear(Account)
        await begin(k.store)
        with k.refused(Unavailable), faults.at(number, "lose"):
            async with store.transaction():
                await operation.do(store)
        assert await values(k.store) == START, f"after the lost reply to effect {number}, {role}"


READS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "get": lambda store: store[Account].get(1),
    "get_many": lambda store: store[Account].get_many([1, 2, 9]),
    "all": lambda store: store[Account].query().all(),
    "first": lambda store: store[Account].query().order_by(Account.value).first(),
    "exists": lambda store: store[Account].where(Account.value == 10).exists(),
    "page": lambda store: store[Account].query().page(2),
}


COUNTS: dict[str, Callable[[Any], Awaitable[Any]]] = {"count": lambda store: store[Account].count()}


@case("G3", needs="aggregates", each=COUNTS)
@case("G3", each=READS)
async def a_read_is_never_unknown(k: Kit, read: Callable[[Any], Awaitable[Any]]) -> None:
    """A lost reply to a read is Unavailable: asking again is safe."""
    await begin(k.store)
    faults, store = await faulty(k)
    for fault in ("fail", "lose"):
        with k.refused(Unavailable, retry="operation"), faults.at("read", fault) as watch:
            await read(store)
        assert watch.struck
    await read(store)
    assert await values(store) == START


@case("G3", needs="transactions")
async def handlers_do_not_run_after_an_unknown_outcome(k: Kit) -> None:
    """Neither those of the block nor those of the model: nobody knows that it was committed."""
    faults, store = await faulty(k, Watched)
    HEARD.clear()
    told: list[str] = []
    with k.refused(OutcomeUnknown), faults.at("commit", "lose"):
        async with store.transaction() as tx:
            tx.after_commit(told.append, "committed")
            await store[Watched].create(id=1, value=1)
    assert told == []
    assert heard("after_create") == [1]
    assert heard("after_create_commit") == []


@case("G3", needs="transactions")
async def a_unit_does_not_run_again_when_its_outcome_is_unknown(k: Kit) -> None:
    faults, store = await faulty(k)
    runs: list[int] = []

    @unit(store, retries=3)
    async def work() -> None:
        runs.append(len(runs))
        await store[Account].create(id=len(runs), value=1)

    with k.refused(OutcomeUnknown), faults.at("commit", "lose") as watch:
        await work()
    assert len(runs) == len(watch.struck), "one run for each commit"
    assert await values(k.store) == {len(runs): 1}


CANCELS: dict[str, tuple[str, Any, bool]] = {
    "the beginning, before": ("begin", "before", False),
    "the beginning, after": ("begin", "after", False),
    "a write, before": ("write", "before", False),
    "a write, after": ("write", "after", False),
    "the commit, before": ("commit", "before", False),
    "the commit, after": ("commit", "after", True),
}


@case("G3", needs="transactions", each=CANCELS)
async def a_cancelled_transaction_is_whole(k: Kit, role: Any, when: Any, kept: bool) -> None:
    """And nothing stays open."""
    await begin(k.store)
    faults, store = await faulty(k)
    cancelled = False
    with faults.at(role, "cancel", when=when, times=1):
        try:
            async with store.transaction():
                await store[Account].create(id=4, value=40)
                await store[Account].create(id=5, value=50)
        except CANCELLED:
            cancelled = True
    assert cancelled
    expected = {**START, 4: 40, 5: 50} if kept else dict(START)
    assert await values(k.store) == expected
    await still_works(store, expected=expected)


@case("G3", needs="transactions")
async def a_failing_rollback_does_not_hide_the_error(k: Kit) -> None:
    await begin(k.store)
    faults, store = await faulty(k)
    with k.refused(SerializationFailure), faults.at("rollback", "fail") as watch:
        async with store.transaction():
            await store[Account].create(id=4, value=40)
            raise SerializationFailure("as if another had won")
    assert len(watch.struck) == 1
    assert await values(k.store) == START
    await still_works(store, expected=START)
