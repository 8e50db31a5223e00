"""G4: units of work run again after a conflict: how often, after what, and what of the lost runs is left (nothing)."""

from __future__ import annotations

from typing import Any

from holdall.backends import Isolation
from holdall.errors import (
    DeadlineExceeded,
    Deadlock,
    HoldallError,
    LockTimeout,
    NotFound,
    OutcomeUnknown,
    ProgrammingError,
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
from holdall.testing.cases.outcome import faulty
from holdall.testing.cases.transactions import Undone
from holdall.testing.kit import Kit
from holdall.testing.models.accounts import HEARD, Account, Versioned, Watched, heard
from holdall.testing.operations import START, begin, size, unit, values

LOST: dict[str, HoldallError] = {
    "serialization": SerializationFailure("as if another had won"),
    "deadlock": Deadlock("as if two had waited"),
    "lock": LockTimeout("as if another held it"),
    "version": VersionMismatch("as if another had saved it"),
}


@case("G4", needs="transactions", each={f"{name}, {times}": (error, times) for name, error in LOST.items() for times in (1, 3)})
async def a_unit_runs_again_until_it_does_not_lose(k: Kit, error: HoldallError, times: int) -> None:
    """Nothing of the lost runs is left."""
    await begin(k.store)
    runs: list[int] = []

    @unit(k.store, retries=3)
    async def work(add: int) -> str:
        runs.append(add)
        account = await k.store[Account].get(1)
        account.value += add
        await k.store[Account].save(account)
        await k.store[Account].create(id=10 * len(runs), value=1)
        if len(runs) <= times:
            raise error
        return "done"

    assert await work(5) == "done"
    assert len(runs) > times
    assert await values(k.store) == {**START, 1: 15, 10 * len(runs): 1}


@case("G4", needs="transactions", each=(0, 1, 2, 4))
async def a_unit_gives_up_after_its_last_retry(k: Kit, retries: int) -> None:
    """With the conflict of the last run."""
    await begin(k.store)
    runs: list[SerializationFailure] = []

    @unit(k.store, retries=retries)
    async def work() -> None:
        await k.store[Account].create(id=9, value=9)
        runs.append(SerializationFailure(f"run {len(runs)}"))
        raise runs[-1]

    with k.refused(SerializationFailure) as caught:
        await work()
    assert len(runs) == retries + 1
    assert caught.error is runs[-1]
    assert await values(k.store) == START


@case("G4", needs="transactions")
async def a_unit_without_a_conflict_runs_once(k: Kit) -> None:
    runs: list[int] = []

    @unit(k.store)
    async def work(key: int) -> int:
        runs.append(key)
        await k.store[Account].create(id=key, value=1)
        return key

    assert await work(3) == 3
    assert await work(4) == 4
    assert sorted(set(runs)) == [3, 4]
    assert await values(k.store) == {3: 1, 4: 1}


NOT_RETRIED: dict[str, BaseException] = {
    "taken": UniqueViolation("as if it were taken"),
    "absent": NotFound("as if it were gone"),
    "unavailable": Unavailable("as if the engine were gone"),
    "unknown": OutcomeUnknown("as if the reply were lost"),
    "too late": DeadlineExceeded("as if the time were over"),
    "too many": Throttled("as if there were too many"),
    "invalid": ValidationError("Account", []),
    "unsupported": Unsupported("as if it could not"),
    "misused": ProgrammingError("as if it were wrong"),
    "doomed": TransactionDoomed("by nothing that can be retried"),
    "of the application": Undone(),
}


@case("G4", needs="transactions", each=NOT_RETRIED)
async def a_unit_does_not_run_again_for_other_errors(k: Kit, error: BaseException) -> None:
    await begin(k.store)
    runs: list[int] = []

    @unit(k.store, retries=3)
    async def work() -> None:
        runs.append(1)
        await k.store[Account].create(id=9, value=9)
        raise error

    with k.refused(type(error)):
        await work()
    assert runs == [1]
    assert await values(k.store) == START


TOLD: dict[str, tuple[Any, HoldallError]] = {
    f"{role}, {name}": (role, error) for role in ("begin", "write", "commit") for name, error in LOST.items()
}


@case("G4", needs="transactions", each=TOLD)
async def a_conflict_that_the_engine_tells_runs_the_unit_again(k: Kit, role: Any, error: HoldallError) -> None:
    """At the beginning, at a write and at the commit."""
    await begin(k.store)
    faults, store = await faulty(k)
    runs: list[int] = []

    @unit(store, retries=3)
    async def work() -> None:
        runs.append(1)
        await store[Account].create(id=9, value=9)

    with faults.at(role, "fail", error=error, times=2) as watch:
        await work()
    assert len(watch.struck) == 2
    assert len(runs) >= 3
    assert await values(k.store) == {**START, 9: 9}


@case("G4", needs=("transactions", "savepoints"))
async def a_nested_unit_is_a_savepoint(k: Kit) -> None:
    """Its error undoes only it."""

    @unit(k.store)
    async def part(key: int, fails: bool) -> None:
        await k.store[Account].create(id=key, value=1)
        if fails:
            raise Undone

    @unit(k.store)
    async def whole() -> None:
        await part(1, False)
        with k.refused(Undone):
            await part(2, True)
        await part(3, False)

    await whole()
    assert await values(k.store) == {1: 1, 3: 1}


@case("G4", needs=("transactions", "savepoints"), each=LOST)
async def a_conflict_in_a_nested_unit_runs_the_outer_one_again(k: Kit, error: HoldallError) -> None:
    """The inner one is not run again by itself: what it read would still be old."""
    runs: list[str] = []

    @unit(k.store, retries=3)
    async def part() -> None:
        runs.append("part")
        await k.store[Account].create(id=2, value=1)
        if runs.count("part") < 3:
            raise error

    @unit(k.store, retries=3)
    async def whole() -> None:
        runs.append("whole")
        await k.store[Account].create(id=1, value=1)
        await part()

    await whole()
    assert len(runs) >= 6
    assert runs == ["whole", "part"] * (len(runs) // 2)
    assert await values(k.store) == {1: 1, 2: 1}


@case("G4", needs=("transactions", "savepoints"), each={"serialization": LOST["serialization"], "deadlock": LOST["deadlock"]})
async def a_conflict_of_the_engine_in_a_nested_block_runs_the_unit_again(k: Kit, error: HoldallError) -> None:
    """Also when the engine has rolled the whole transaction back, savepoints and all, or the outer block caught it."""
    faults, store = await faulty(k)
    runs: list[bool] = []

    @unit(store, retries=3)
    async def work() -> None:
        runs.append(True)
        await store[Account].create(id=1, value=1)
        try:
            async with store.transaction():
                await store[Account].create(id=2, value=1)
        except type(error):
            if len(runs) == 1:
                raise

    with faults.at(lambda passing: passing.role == "write" and not passing.alone and len(runs) < 3, "fail", error=error):
        await work()
    assert len(runs) >= 3
    assert await values(k.store) == {1: 1, 2: 1}


@case("G4", needs=("transactions", "isolation.snapshot", "set_writes"))
async def a_unit_that_really_loses_runs_again(k: Kit) -> None:
    """Another store changes what the unit has read; the unit wins with the other's value, or the other was refused."""
    await k.store[Account].create(id=1, value=1)
    other = k.another_store()
    await other.ensure_schema(Account)
    added: list[int] = []

    @unit(k.store, retries=5, isolation=Isolation.SNAPSHOT)
    async def work() -> None:
        account = await k.store[Account].get(1)
        if not added:
            try:
                await other[Account].where(Account.id == 1).update(value=100)
                added.append(100)
            except LockTimeout:
                added.append(0)
        account.value += 1
        await k.store[Account].save(account)

    await work()
    assert await values(k.store) == {1: 101 if added[0] else 2}


@case("G4", needs=("transactions", "savepoints"))
async def handlers_run_once_after_the_run_that_won(k: Kit) -> None:
    await k.store.ensure_schema(Watched)
    HEARD.clear()
    told: list[int] = []
    runs: list[int] = []

    @unit(k.store, retries=3)
    async def work() -> None:
        runs.append(1)
        record = await k.store[Watched].create(id=len(runs), value=1)
        async with k.store.transaction() as tx:
            tx.after_commit(told.append, record.id)
        if len(runs) < 3:
            raise SerializationFailure("as if another had won")

    await work()
    assert told == [len(runs)]
    assert heard("after_create") == list(range(1, len(runs) + 1))
    assert heard("after_create_commit") == [len(runs)]


@case("G4", needs=("transactions", "savepoints"))
async def an_error_after_the_commit_does_not_run_the_unit_again(k: Kit) -> None:
    """Even one that says that something else lost: this unit has been committed."""

    def handler() -> None:
        raise SerializationFailure("of something that the handler did")

    @unit(k.store, retries=3)
    async def work() -> None:
        async with k.store.transaction(read_only=True) as tx:
            tx.after_commit(handler)
        await k.store[Account].create(id=1, value=1)

    with k.refused(SerializationFailure, says="handler did"):
        await work()
    assert await values(k.store) == {1: 1}


@case("G4", needs="transactions")
async def records_of_lost_runs_can_be_used_by_the_next(k: Kit) -> None:
    """A record that a lost run saved counts as not saved, and keeps the version that it had."""
    record = await k.store[Versioned].create(id=1, value=0)
    fresh = Versioned(id=2, value=0)
    runs: list[int] = []

    @unit(k.store, retries=3)
    async def work() -> None:
        runs.append(1)
        record.value += 1
        await k.store[Versioned].save(record)
        await k.store[Versioned].save(fresh)
        if len(runs) < 3:
            raise SerializationFailure("as if another had won")

    await work()
    found = await k.store[Versioned].get_many([1, 2])
    assert [(item.value, item.version) for item in found] == [(len(runs), 2), (0, 1)]


@case("G1", needs=("transactions", "savepoints", "isolation.snapshot", "isolation.serializable"))
async def a_nested_unit_is_not_given_less_isolation_than_it_asks_for(k: Kit) -> None:
    await k.store.ensure_schema(Account)

    @unit(k.store, isolation=Isolation.SERIALIZABLE)
    async def strict() -> None:
        await k.store[Account].create(id=1, value=1)

    @unit(k.store, isolation=Isolation.SNAPSHOT)
    async def plain() -> None:
        await k.store[Account].create(id=2, value=2)

    async with k.store.transaction(isolation=Isolation.SNAPSHOT):
        with k.refused(ProgrammingError, says="SERIALIZABLE"):
            await strict()
        await plain()
    async with k.store.transaction(isolation=Isolation.SERIALIZABLE):
        await strict()
    assert await values(k.store) == {1: 1, 2: 2}


@case("G4", absent="transactions")
async def a_unit_is_refused_without_transactions(k: Kit) -> None:
    """Before its function is called."""
    runs: list[int] = []

    @unit(k.store)
    async def work() -> None:
        runs.append(1)
        await k.store[Account].create(id=1, value=1)

    with k.refused(Unsupported, says="transactions") as caught:
        await work()
    assert caught.error.hint
    assert runs == []
    assert await size(k.store) == 0
