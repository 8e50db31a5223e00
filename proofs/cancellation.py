"""Cancellation: every operation, interrupted at every effect, in every way (proof 13).

Afterwards no transaction is open, no connection is poisoned, and what is stored is the state before or the one after, never half of one.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from holdall import OutcomeUnknown, Store, TransactionDoomed, Unavailable
from holdall.store import core as store_core
from holdall.testing import CANCELLED, COLOURS, Colour, Faults, Passing
from holdall.testing.colours import coloured, finish
from holdall.testing.models.accounts import Account
from proofs._concurrency.insides import amiss
from proofs._interrupted import CATALOGUE, MODELS, Interrupted
from proofs.harness import Budget, Finding, Outcome, Part, Proof

WAIT_S = 5.0  # for what a cancelled task leaves a worker thread to finish
PROBE = 1_000_000  # an id that no operation uses


@dataclass(frozen=True)
class Way:
    """One way to interrupt: a fault as `Faults.at` takes it, and whether the struck effect is done all the same."""

    name: str
    fault: Any
    when: Any = "before"
    done: bool = False
    raises: tuple[type[BaseException], ...] = (Unavailable,)


WAYS = (
    Way("fail", "fail"),
    Way("lose the reply", "lose", "after", True),
    Way("cancel before it", "cancel", "before", False, CANCELLED),
    Way("cancel after it", "cancel", "after", True, CANCELLED),
)
# With real tasks: how the hook, which is called as the effect passes, has the task cancelled.
REAL_WAYS = ("before it is begun", "while it waits", "a little later", "after it, at the next wait", "twice", "in a delay before it")


def final(passing: Passing) -> bool:
    """Whether an effect makes writes final: a commit, or a write outside transactions."""
    return passing.role == "commit" or (passing.role == "write" and passing.alone)


@dataclass
class Bench:
    """One store in one colour, behind Faults, on which operations are interrupted."""

    engine: str
    colour: Colour
    url: str
    wait_s: float = WAIT_S
    plant: Callable[[Any], None] | None = None
    runner: asyncio.Runner | None = None
    faults: Any = None
    home: Any = None
    store: Any = None
    roles: Counter[str] = field(default_factory=Counter[str])

    def open(self) -> None:
        """Make the store, with all tables."""
        self.faults = Faults(self.url)
        if self.plant is not None:
            self.plant(self.faults.inner)
        self.home = Store(self.faults)
        self.store = coloured(self.home, self.colour)
        self.runner = asyncio.Runner() if self.colour == "async" else None
        self.do(lambda: self.store.ensure_schema(*MODELS))

    def close(self) -> None:
        """Close it, and its event loop."""
        self.do(self.store.close)
        if self.runner is not None:
            self.runner.close()

    def do(self, call: Callable[[], Awaitable[Any]]) -> Any:
        """What call() gives, in the bench's colour."""

        async def body() -> Any:
            return await call()

        return finish(body()) if self.runner is None else self.runner.run(body())

    async def prepare(self, operation: Interrupted) -> Any:
        """The state before, made anew."""
        await self.store.clear(*operation.models)
        await operation.prepare(self.store)
        return await operation.state(self.store)

    async def dry(self, operation: Interrupted) -> tuple[Any, Any, list[Passing]]:
        """The state before and after, and the effects on the way."""
        before = await self.prepare(operation)
        with self.faults.watch() as watch:
            await operation.do(self.store)
        return before, await operation.state(self.store), list(watch.seen)

    async def judge(self, operation: Interrupted, allowed: list[Any]) -> str:
        """What is wrong now, in words; '' if nothing: state, open transactions, connections, the next operations."""
        wrong = await self._open()
        if wrong:
            return wrong
        try:
            found = await operation.state(self.store)
            if not any(found == state for state in allowed):
                return f"the state is {found}, not {' or '.join(map(str, allowed))}"
            async with self.store.transaction():
                await self.store[Account].create(id=PROBE, value=1)
                async with self.store.transaction():
                    await self.store[Account].create(id=PROBE + 1, value=1)
            await self.store[Account].delete(await self.store[Account].get(PROBE))
            await self.store[Account].where(Account.id == PROBE + 1).delete()
            if await self.store[Account].get(PROBE) is not None:
                return "what was deleted is still there"
        except Exception as error:  # noqa: BLE001 - the next operations must work
            return f"the next operations fail: {error!r}"
        return await self._open()

    async def _open(self) -> str:
        """What is open in the backend that nobody uses; '' if nothing, at the latest after a while."""
        if self.engine == "memory":
            gc.collect(0)
            return amiss(self.faults.inner)
        wrong = self._sqlite()
        for _ in range(int(self.wait_s / 0.005)):
            if not wrong or self.colour == "sync":
                break
            await asyncio.sleep(0.005)
            wrong = self._sqlite()
        return wrong

    def _sqlite(self) -> str:
        performer = self.faults.inner._performer
        if performer._sessions:
            return f"{len(performer._sessions)} transactions are open"
        for name, gate, permits in (
            ("writing", performer._writing, 1),
            ("room", performer._room, 64),
            ("threads", performer._async_room, 8),
        ):
            if gate._free != permits:
                return f"the gate of {name} has {gate._free} of {permits} permits"
        for lane in list(performer._idle):
            connection = lane.connection
            if connection.in_transaction:
                return "an idle connection is in a transaction"
            state = tuple(connection.pragma(name) for name in ("foreign_keys", "query_only", "defer_foreign_keys"))
            if state != (1, 0, 0):
                return f"an idle connection has foreign_keys, query_only, defer_foreign_keys = {state}"
            if lane._stopping or lane._deadline is not None:
                return "an idle connection is still to be interrupted"
        return ""


@contextmanager
def benches(
    engines: tuple[str, ...] = ("memory", "sqlite"), colours: tuple[Colour, ...] = COLOURS, wait_s: float = WAIT_S
) -> Generator[list[Bench]]:
    """A bench for each engine and colour, in a temporary folder. `wait_s`: how long one waits for what should be there soon."""
    with tempfile.TemporaryDirectory() as folder:
        made: list[Bench] = []
        try:
            for engine, colour in itertools.product(engines, colours):
                file = Path(folder) / f"{colour}.db"
                url = "memory:" if engine == "memory" else f"sqlite:///{file}?synchronous=off&busy_timeout_s={wait_s}"
                bench = Bench(engine, colour, url, wait_s)
                bench.open()
                made.append(bench)
            yield made
        finally:
            for bench in made:
                bench.close()


Plan = tuple[Bench, Interrupted, int, Any]


def planned(made: list[Bench], ways: tuple[Any, ...], budget: Budget) -> Iterator[Plan]:
    """Every effect of every operation in every way; a share of them, chosen by the seed, if the budget is smaller."""
    plans: list[Plan] = []
    for bench in made:
        for operation in CATALOGUE:
            _, _, seen = bench.do(lambda bench=bench, operation=operation: bench.dry(operation))  # type: ignore[misc]  # bound in the loop
            plans += [(bench, operation, number, way) for number in range(1, len(seen) + 1) for way in ways]
    budget.random("plans").shuffle(plans)
    yield from plans


def interrupted(budget: Budget, ways: tuple[Any, ...], one: Callable[..., Awaitable[str]], made: list[Bench]) -> Outcome:
    """Interrupt as often as the budget allows."""
    outcome = Outcome(0)
    total = 0
    by_role: Counter[str] = Counter()
    plans = list(planned(made, ways, budget))
    total = len(plans)
    for bench, operation, number, way in plans[: budget.count]:
        if budget.over():
            break
        wrong = bench.do(lambda: one(bench, operation, number, way))  # noqa: B023 - called at once
        outcome.done += 1
        by_role[f"{bench.engine}, {bench.colour}"] += 1
        if wrong:
            outcome.found += 1
            name = way.name if isinstance(way, Way) else way
            what = f"{bench.engine}, {bench.colour}: '{operation.name}', effect {number}, {name}: {wrong}"
            if len(outcome.findings) < 10:
                outcome.findings.append(Finding(what, budget.seed))
            bench.close()
            bench.open()  # whatever is wrong with it would be found again and again
    outcome.figures = {"operations": len(CATALOGUE), "all there are": total, "exhaustive": outcome.done == total, **by_role}
    return outcome


async def injected(bench: Bench, operation: Interrupted, number: int, way: Way) -> str:
    """One fault at one effect; what is wrong afterwards."""
    before, after, seen = await bench.dry(operation)
    before = await bench.prepare(operation)
    raised: BaseException | None = None
    with bench.faults.at(number, way.fault, **({} if way.fault in ("fail", "lose") else {"when": way.when})) as watch:
        try:
            await operation.do(bench.store)
        except (*CANCELLED, Exception) as error:  # noqa: BLE001 - it is looked at below
            raised = error
    if not watch.struck:
        return f"there was no such effect, but {watch.roles}"
    struck = watch.struck[0]
    lost = way.fault == "lose" and final(struck)
    expected = (OutcomeUnknown,) if lost else way.raises
    if isinstance(raised, TransactionDoomed):  # the operation catches errors on the way: what ended it is the cause
        raised = raised.__cause__
    if raised is None or not isinstance(raised, expected):
        return f"{struck.role} raised {raised!r}, not {' or '.join(kind.__name__ for kind in expected)}"
    if isinstance(raised, OutcomeUnknown) != lost:
        return f"{struck.role} raised {raised!r}"
    finals = [passing.number for passing in seen if final(passing)]
    if len(finals) > 1:
        allowed = [before, after]  # several calls, each whole by itself
    else:
        kept = bool(finals) and (number > finals[0] or (number == finals[0] and way.done))
        allowed = [after if kept else before]
    return await bench.judge(operation, allowed)


async def really(bench: Bench, operation: Interrupted, number: int, way: str) -> str:
    """One real task, really cancelled at one effect; what is wrong afterwards."""
    _, after, _ = await bench.dry(operation)
    before = await bench.prepare(operation)
    loop = asyncio.get_running_loop()
    done = False

    async def work() -> None:
        nonlocal done
        await operation.do(bench.store)
        done = True

    task = asyncio.ensure_future(work())

    def hook(passing: Passing) -> None:
        if way == "while it waits":
            loop.call_soon(task.cancel)
        elif way == "a little later":
            loop.call_later(0.0005, task.cancel)
        elif way == "twice":
            loop.call_soon(task.cancel)
            loop.call_later(0.0002, task.cancel)
        else:
            task.cancel()

    with bench.faults.at(number, hook, when="after" if way.startswith("after") else "before", times=1):
        if way == "in a delay before it":
            with bench.faults.at(number, "delay", seconds=0.002):
                raised = await _ended(task)
        else:
            raised = await _ended(task)
    if raised is None and not done:
        return "the task ended without doing its work, and without an error"
    if raised is not None and not isinstance(raised, asyncio.CancelledError):
        return f"the task ended with {raised!r}"
    return await bench.judge(operation, [after] if done else [before, after])


async def _ended(task: asyncio.Future[None]) -> BaseException | None:
    try:
        await task
    except (asyncio.CancelledError, Exception) as error:  # noqa: BLE001 - it is looked at by the caller
        return error
    return None


def everywhere(budget: Budget) -> Outcome:
    """Faults at every effect, on every backend in both colours."""
    with benches() as made:
        return interrupted(budget, WAYS, injected, made)


def with_tasks(budget: Budget) -> Outcome:
    """Real cancellations at every effect, on real connections and their threads."""
    with benches(("sqlite", "memory"), ("async",)) as made:
        return interrupted(budget, REAL_WAYS, really, made)


# Controls: the same with a planted fault.


def forgetful(budget: Budget) -> Outcome:
    """A driver that does not roll back what a cancelled caller left."""
    rolled_back = store_core._rolled_back

    def planted(scope: Any, error: BaseException) -> Any:
        if isinstance(error, CANCELLED):
            return
        yield from rolled_back(scope, error)

    with mock.patch.object(store_core, "_rolled_back", planted), benches(("sqlite",), wait_s=0.05) as made:
        return interrupted(budget, WAYS[2:], injected, made)


def overconfident(budget: Budget) -> Outcome:
    """A driver that calls a lost reply to a commit a failure."""
    way = Way("lose the reply, and say that it failed", "lose", "after", True)

    async def one(bench: Bench, operation: Interrupted, number: int, way: Way) -> str:
        with mock.patch("holdall.testing.faults.OutcomeUnknown", Unavailable):
            return await injected(bench, operation, number, way)

    with benches(("memory",)) as made:
        return interrupted(budget, (way,), one, made)


def half_a_write(budget: Budget) -> Outcome:
    """A backend whose transactions commit each write by itself."""
    with benches(("memory",), ("sync",)) as made:
        for bench in made:
            bench.close()
            bench.plant = _ignoring_transactions
            bench.open()
        return interrupted(budget, WAYS, injected, made)


def _ignoring_transactions(backend: Any) -> None:
    apply = backend.apply
    backend.apply = lambda batch, atomicity, tx, now: apply(batch, atomicity, None, now)  # noqa: ARG005 - that is the fault


PROOF = Proof(
    13,
    "Cancellation at the k-th effect, for every k",
    "the states before and after the operation; the backend's own books of what is open",
    "no open transaction, no poisoned connection, never half of a state",
    (
        Part("faults at every effect", everywhere, "interruptions", 20_000, 300, 900.0),
        Part("real tasks cancelled at every effect", with_tasks, "cancellations", 20_000, 150, 900.0),
        Part("no rollback after a cancellation", forgetful, "interruptions", 300, 15, 120.0, control=True),
        Part("lost commits reported as failed", overconfident, "interruptions", 300, 100, 120.0, control=True),
        Part("transactions that commit each write", half_a_write, "interruptions", 1_000, 200, 120.0, control=True),
    ),
    notes="An effect is one round trip at most; a rollback is always carried out, as engines do when a connection breaks.",
)
