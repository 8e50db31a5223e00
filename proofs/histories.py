"""Histories: random transactions on lists and sets, in every mode and level, and the search for cycles in what they saw (proof 8)."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from holdall.backends import Isolation
from holdall.program import run
from proofs._concurrency.appending import Plan, client, final, prepare_rows
from proofs._concurrency.faults import FAULTS, broken
from proofs._concurrency.modes import Mode, modes_of, performing, pool, together
from proofs._concurrency.targets import HOSTILE, MEMORY, TARGETS, Place, Target
from proofs._concurrency.words import Port
from proofs._cycles import Anomaly, Txn, check, forbidden, tally
from proofs.harness import Budget, Finding, Outcome, Part, Proof

CLIENTS_MAX = 6
PROCESSES = 3


def record(place: Place, mode: Mode, plan: Plan, workers: Any = None) -> list[Txn]:
    """One history: all its transactions, and the last one that reads everything."""
    port = Port(place.made[0])
    run(prepare_rows(port, plan), port.backend.perform)
    if mode == "processes":
        jobs = [workers.apply_async(_elsewhere, (place.url, plan, number)) for number in range(plan.clients)]
        found = [job.get(120) for job in jobs]
        tick: Callable[[], int] = time.monotonic_ns
    else:
        counter = itertools.count()
        tick = time.monotonic_ns if mode in ("threads", "tasks") else lambda: next(counter)
        rng = random.Random(f"{plan.seed}/schedule")
        found = together(mode, place, lambda port, number: client(port, plan, number, tick), plan.clients, rng, plan.transactions * 5)
    history = [txn for txns in found for txn in txns]
    history.append(run(final(port, plan, tick), port.backend.perform))
    return history


_elsewhere_open: dict[str, Place] = {}


def _elsewhere(url: str, plan: Plan, number: int) -> list[Txn]:
    """A client in a process of its own, which keeps its connection for the next history."""
    place = _elsewhere_open.get(url)
    if place is None:
        for other in _elsewhere_open.values():
            other.close()
        _elsewhere_open.clear()
        place = _elsewhere_open[url] = Place(url, shared=False)
        place.connect()
    port = Port(place.made[0])
    return run(client(port, plan, number, time.monotonic_ns), performing(port.backend))


def plan_of(seed: int, level: Isolation | None, mode: Mode, size: int) -> Plan:
    """A history's plan, from its seed; `size` transactions at most, and no more than 120 where schedules are free."""
    rng = random.Random(f"{seed}/plan")
    clients = rng.choice((2, 3, 4, CLIENTS_MAX)) if mode != "processes" else PROCESSES
    size = min(size, 120) if mode.startswith("schedule") else size
    return Plan(
        seed, clients, size // clients, level,
        lists=rng.choice((0.0, 0.6, 0.6, 1.0)),
        # Who writes back what he read loses updates under READ_COMMITTED, as that level allows; then lists tell nothing about the rest.
        blind=1.0 if level is Isolation.READ_COMMITTED else rng.choice((0.0, 0.5, 1.0)),
    )  # fmt: skip


def again(name: str, mode: Mode, level: str | None, seed: int, size: int, fault: str = "") -> None:
    """Run one history again, and print its anomalies; by schedule it is the same one."""
    (target,) = (item for item in (*TARGETS, HOSTILE) if item.name == name)
    isolation = None if level is None else Isolation(level)
    scheduled = mode.startswith("schedule")
    with ExitStack() as stack:
        place = stack.enter_context(target.place(scheduled=scheduled))
        if not scheduled:
            place.connect()
        if fault:
            broken(place.made[0], fault)
        workers = stack.enter_context(pool(PROCESSES)) if mode == "processes" else None
        for anomaly in check(record(place, mode, plan_of(seed, isolation, mode, size), workers)):
            print(anomaly)


class _Tally:
    """What a part's histories came to."""

    def __init__(self) -> None:
        self.transactions = 0
        self.histories = 0
        self.outcomes: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.modes: Counter[str] = Counter()
        self.found = 0
        self.findings: list[Finding] = []
        self.lasted = 0.0

    def add(self, history: list[Txn], found: list[Anomaly], mode: Mode) -> None:
        self.histories += 1
        self.transactions += len(history) - 1
        self.outcomes.update(txn.outcome for txn in history[:-1])
        self.kinds.update(tally(found))
        self.modes[mode] += len(history) - 1

    def wrong(self, what: str, seed: int, script: str) -> None:
        self.found += 1
        if len(self.findings) < 5:
            self.findings.append(Finding(what, seed, script))

    def outcome(self) -> Outcome:
        figures = {
            "histories": self.histories, "committed": self.outcomes["ok"], "rolled back or lost": self.outcomes["fail"],
            "transactions by mode": dict(self.modes), "anomalies that the level allows": dict(sorted(self.kinds.items())),
        }  # fmt: skip
        return Outcome(self.transactions, self.found, self.findings, figures)


def _explore(budget: Budget, target: Target, level: Isolation | None, judge: Callable[..., None], fault: str = "") -> _Tally:
    """Histories in all modes, in turns, until the budget's transactions are done. (Without transactions, threads are wild enough.)"""
    told = _Tally()
    seeds = itertools.count(budget.seed)
    modes = modes_of(target)
    if fault:
        modes = tuple(mode for mode in modes if mode.startswith("schedule"))
    elif level is None:
        modes = tuple(mode for mode in modes if mode != "processes")
    size = min(480, max(60, budget.count // (2 * len(modes))))
    with ExitStack() as stack:
        workers = None
        while told.transactions < budget.count and not budget.over():
            for scheduled in (True, False):  # places differ: in a schedule nobody may wait
                turns = [mode for mode in modes if mode.startswith("schedule") == scheduled]
                if not turns:
                    continue
                with target.place(scheduled=scheduled) as place:
                    if not scheduled:
                        place.connect()
                    if fault:
                        broken(place.made[0], fault)
                    rounds = max(1, min(20, budget.count // (8 * size)))
                    for mode in turns * rounds * (4 if scheduled else 1):  # a schedule's histories are shorter
                        if mode == "processes" and workers is None:
                            workers = stack.enter_context(pool(PROCESSES))  # leaving it terminates them
                        if not budget.over():
                            seed = next(seeds)
                            _one(told, target, place, mode, plan_of(seed, level, mode, size), workers, judge, fault)
    return told


def _one(told: _Tally, target: Target, place: Place, mode: Mode, plan: Plan, workers: Any, judge: Callable[..., None], fault: str) -> None:
    level = None if plan.level is None else plan.level.value
    arguments = f"{target.name!r}, {mode!r}, {level!r}, {plan.seed}, {plan.clients * plan.transactions}, {fault!r}"
    script = f'python -c "from proofs.histories import again; again({arguments})"'
    try:
        history = record(place, mode, plan, workers)
    except Exception as error:  # noqa: BLE001  nothing but conflicts may happen to a client
        told.wrong(f"{mode}: {type(error).__name__}: {error}", plan.seed, script)
        return
    found = check(history)
    told.add(history, found, mode)
    judge(told, plan, mode, found, script)


def _keeps(target: Target, level: Isolation) -> Callable[[Budget], Outcome]:
    def judge(told: _Tally, plan: Plan, mode: Mode, found: list[Anomaly], script: str) -> None:
        for anomaly in forbidden(level, found, realtime=True):
            told.wrong(f"{mode}: {anomaly}", plan.seed, script)

    return lambda budget: _explore(budget, target, level, judge).outcome()


def _shows(target: Target, level: Isolation | None, kinds: frozenset[str], fault: str = "") -> Callable[[Budget], Outcome]:
    """A control: each of these kinds must be found, else nothing counts as found."""

    def judge(told: _Tally, plan: Plan, mode: Mode, found: list[Anomaly], script: str) -> None:
        for anomaly in found:
            if anomaly.kind in kinds and told.kinds[anomaly.kind] <= 1:
                told.findings.append(Finding(f"{mode}: {anomaly}", plan.seed, script))

    def part(budget: Budget) -> Outcome:
        outcome = (told := _explore(budget, target, level, judge, fault)).outcome()
        shown = dict(sorted(told.kinds.items()))
        outcome.figures.pop("anomalies that the level allows")
        outcome.figures["anomalies"] = shown
        missing = kinds - shown.keys()
        outcome.found = 0 if missing else sum(shown.values())
        if missing:
            outcome.figures["not found"] = sorted(missing)
        return outcome

    return part


WEAK = frozenset({"G1a", "G1b", "lost-append", "G-single", "G1c"})


def _parts() -> list[Part]:
    parts: list[Part] = []
    for target in TARGETS:
        parts += [
            Part(
                f"{target.name}, {level.name}", _keeps(target, level), "transactions", 100_000, 2_500 if target is MEMORY else 1_500,
                engine=target.engine,
            )
            for level in target.levels
        ]  # fmt: skip
        parts.append(
            Part(
                f"{target.name} without transactions", _shows(target, None, WEAK), "transactions", 20_000,
                4_000 if target is MEMORY else 2_000, control=True, engine=target.engine,
            )
        )  # fmt: skip
    parts += [
        Part(f"{HOSTILE.name}, {level.name}", _keeps(HOSTILE, level), "transactions", 50_000, 800, engine=HOSTILE.engine)
        for level in HOSTILE.levels
    ]
    skew = frozenset({"G2", "G2-item"})
    parts.append(
        Part(
            "memory, SNAPSHOT: write skew and phantoms, which it allows", _shows(MEMORY, Isolation.SNAPSHOT, skew), "transactions", 20_000,
            6_000, control=True, engine=MEMORY.engine,
        )
    )  # fmt: skip
    for name, (level, kinds, _) in FAULTS.items():
        parts.append(
            Part(
                f"memory, broken: {name}",
                _shows(MEMORY, level, kinds, name),
                "transactions",
                20_000,
                4_000,
                control=True,
                engine=MEMORY.engine,
            )
        )
    return parts


PROOF = Proof(
    8,
    "list-append histories, cycle search",
    "the dependency graph of what was read: no cycle that the level forbids, anomalies found where a level allows them",
    "100 k transactions per level and backend",
    _parts(),
    "Lists (blind appends and read-modify-write) and sets (queries, so phantoms), with savepoints, rollbacks and locks; by schedule "
    "(deterministic, every other one by priorities), in threads, and where there are connections in tasks and processes. Real time counts: "
    "SNAPSHOT is held to strong snapshots, SERIALIZABLE to strict serializability.",
)
