"""Linearizable: compare-and-set by version, through the store, by many clients at once (proof 9)."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from holdall.backends import Patch
from holdall.errors import TransactionConflict, VersionMismatch
from holdall.program import Program, run
from holdall.store import Store
from holdall.store.store import OPERATIONS
from holdall.testing.proxy import Through, through
from proofs._concurrency.models import Cell
from proofs._concurrency.modes import Mode, modes_of, performing, pool, together
from proofs._concurrency.targets import MEMORY, TARGETS, Place, Target
from proofs._concurrency.words import PAUSE, Port
from proofs._linear import Call, explained
from proofs.harness import Budget, Finding, Outcome, Part, Proof

CLIENTS, OPERATIONS_EACH, KEYS, PROCESSES = 8, 200, 4, 3
CELL = Cell.__entity__
START = (1, 0)


def client(port: Port, seed: int, number: int, count: int, tick: Callable[[], int]) -> Program[list[Call]]:
    """One client: reads, writes, and saves of records that it read before, which may be stale by then."""
    rng = random.Random(f"{seed}/{number}")
    store = Store(port.backend)
    core = store._core
    held: dict[int, Any] = {}
    done: list[Call] = []
    for at in range(count):
        key = rng.randrange(KEYS)
        value = (number + 1) * 100_000 + at
        yield PAUSE
        does = rng.random()
        record = held.get(key)
        if record is not None and does < 0.5:
            call = Call(number, key, "cas", (record.version, value), tick())
            record.value = value
            try:
                yield from OPERATIONS["save"](core, None, Cell, record)
                call.result = True
            except VersionMismatch:
                call.result = False
                del held[key]
        elif does < 0.6:
            query = store[Cell].where(Cell.id == key)
            call = Call(number, key, "write", (value,), tick())
            matched = yield from OPERATIONS["update_where"](core, None, Cell, query._select, {"value": value})
            assert matched == 1, f"the write matched {matched} records"
        else:
            call = Call(number, key, "read", (), tick())
            record = yield from OPERATIONS["get"](core, None, Cell, key)
            call.result = (record.version, record.value)
            held[key] = record
        call.ended = tick()
        done.append(call)
    return done


def record(place: Place, mode: Mode, seed: int, count: int, workers: Any = None) -> list[Call]:
    """One history."""
    port = Port(place.made[0])
    run(port.reset(CELL), port.backend.perform)
    run(port.insert(CELL, *[(key, START[1], START[0]) for key in range(KEYS)]), port.backend.perform)
    clients = PROCESSES if mode == "processes" else CLIENTS
    if mode == "processes":
        jobs = [workers.apply_async(_elsewhere, (place.url, seed, number, count)) for number in range(clients)]
        found = [job.get(120) for job in jobs]
    else:
        counter = itertools.count()
        tick = time.monotonic_ns if mode in ("threads", "tasks") else lambda: next(counter)
        rng = random.Random(f"{seed}/schedule")
        found = together(mode, place, lambda port, number: client(port, seed, number, count, tick), clients, rng, count * clients * 2)
    return [call for calls in found for call in calls]


_elsewhere_open: dict[str, Place] = {}


def _elsewhere(url: str, seed: int, number: int, count: int) -> list[Call]:
    """A client in a process of its own."""
    place = _elsewhere_open.get(url)
    if place is None:
        for other in _elsewhere_open.values():
            other.close()
        _elsewhere_open.clear()
        place = _elsewhere_open[url] = Place(url, shared=False)
        place.connect()
    port = Port(place.made[0])
    return run(client(port, seed, number, count, time.monotonic_ns), performing(port.backend))


def judged(history: Sequence[Call]) -> str:
    """What is wrong with a history, key by key; '' if nothing."""
    for key in range(KEYS):
        wrong = explained([call for call in history if call.key == key], START)
        if wrong:
            return f"key {key}: {wrong}"
    return ""


# Controls


class _AnyVersion(Through):
    """A store that does not compare versions."""

    def apply(self, batch: Sequence[Any], *args: Any) -> Any:
        """Every patch, whatever its version."""
        loose = [Patch(item.entity, item.key, item.assignments, None, item.required) if isinstance(item, Patch) else item for item in batch]
        return self.inner.apply(loose, *args)


class _Stale(Through):
    """A store whose reads by key come from a cache that is now and then too old."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.cache: dict[Any, Any] = {}
        self.asked = 0

    def fetch(self, entity: Any, keys: Any, *args: Any) -> Program[Any]:
        """Every tenth read is answered from the cache."""
        self.asked += 1
        known = self.cache.get(tuple(keys))
        if known is not None and self.asked % 10 == 0:
            yield from ()
            return known
        rows = self.cache[tuple(keys)] = yield from self.inner.fetch(entity, keys, *args)
        return rows


CONTROLS: dict[str, type[Through]] = {"versions are not compared": _AnyVersion, "reads may be stale": _Stale}


def again(name: str, mode: Mode, seed: int, count: int) -> None:
    """Run one history again, and print what is wrong; by schedule it is the same one."""
    (target,) = (item for item in TARGETS if item.name == name)
    with ExitStack() as stack:
        place = stack.enter_context(target.place(scheduled=mode.startswith("schedule")))
        workers = stack.enter_context(pool(PROCESSES)) if mode == "processes" else None
        print(judged(record(place, mode, seed, count, workers)) or "nothing is wrong")


def _part(target: Target, control: type[Through] | None = None) -> Callable[[Budget], Outcome]:
    def part(budget: Budget) -> Outcome:
        modes = modes_of(target) if control is None else ("schedule, sync", "schedule, async")
        seeds = itertools.count(budget.seed)
        findings: list[Finding] = []
        kinds: Counter[str] = Counter()
        ways: Counter[str] = Counter()
        found = done = 0
        count = OPERATIONS_EACH if budget.count >= 20 else OPERATIONS_EACH // 4
        with ExitStack() as stack:
            workers = stack.enter_context(pool(PROCESSES)) if "processes" in modes else None
            places = {scheduled: stack.enter_context(target.place(scheduled=scheduled)) for scheduled in (True, False)}
            places[False].connect()
            if control is not None:
                places[True].made[:] = [through(control, places[True].made[0])]
            for mode in itertools.cycle(modes):
                if done >= budget.count or budget.over():
                    break
                seed = next(seeds)
                try:
                    history = record(places[mode.startswith("schedule")], mode, seed, count, workers)
                    wrong = judged(history)
                except TransactionConflict as error:  # of a single call: it lost on every try, or waited too long
                    history, wrong = [], f"{type(error).__name__}: {error}"
                done += 1
                ways[mode] += 1
                kinds.update(f"{call.does}{'' if call.does != 'cas' else ' won' if call.result else ' lost'}" for call in history)
                if wrong:
                    found += 1
                    script = (
                        f'python -c "from proofs.linearizable import again; again({target.name!r}, {mode!r}, {seed}, {OPERATIONS_EACH})"'
                    )
                    if len(findings) < 3:
                        findings.append(Finding(f"{mode}: {wrong}", seed, script))
        return Outcome(done, found, findings, {"operations": dict(sorted(kinds.items())), "histories by mode": dict(ways)})

    return part


PROOF = Proof(
    9,
    "single-key compare-and-set",
    "linearizability by search (Wing and Gong), partitioned by key",
    f"1,000 histories × {CLIENTS} clients × {OPERATIONS_EACH} operations",
    [
        *[
            Part(target.name, _part(target), "histories", 1_000, 4 if target.shared else 5, 900.0, engine=target.engine)
            for target in TARGETS
        ],
        *[
            Part(f"memory, broken: {name}", _part(MEMORY, control), "histories", 20, 2, control=True, engine=MEMORY.engine)
            for name, control in CONTROLS.items()
        ],
    ],
    "Reads, writes and saves of records read before, through the store, on four keys; by schedule, in threads, and where there are "
    f"connections in tasks and in {PROCESSES} processes.",
)
