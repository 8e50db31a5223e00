"""Hermitage: the catalogue of anomalies, each in its own interleaving and in many others, at every level that a backend declares (proof 7).

In its own interleaving the anomaly is told by what the catalogue says. In others (all schedules of its transactions' effects up to some
preemptions, by chance, in threads, tasks and processes) what came of it is judged as in the proof of races.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from holdall.backends import Isolation
from holdall.store import Store
from holdall.testing.anomalies import ROWS, SCENARIOS
from holdall.testing.anomalies import Scenario as Anomaly
from holdall.testing.colours import COLOURS, Colour, finish
from holdall.testing.kit import Clock, Kit
from holdall.testing.rivals import play
from proofs._concurrency.faults import broken
from proofs._concurrency.models import Hermit
from proofs._concurrency.modes import chooser, loop, modes_of, pool
from proofs._concurrency.scenarios import Oracle, Scenario, Unit
from proofs._concurrency.schedule import Exhaustive
from proofs._concurrency.stage import Alone, Recorded, Stage
from proofs._concurrency.steps import Step
from proofs._concurrency.targets import MEMORY, TARGETS, Place, Target
from proofs.harness import Budget, Finding, Outcome, Part, Proof

HERMIT = Hermit.__entity__
ALL_MAX = 400  # schedules of one anomaly that are played one after the other
CODES = tuple(dict.fromkeys(anomaly.code for anomaly in SCENARIOS))


@contextmanager
def kits(place: Place) -> Iterator[dict[Colour, Kit]]:
    """The words of the conformance kit, in both colours, on a place."""
    backend = place.made[0]
    store = Store(backend)
    yield {colour: Kit(store, backend, colour, Clock(), None) for colour in COLOURS}


def shown(kit: Kit, anomaly: Anomaly, level: Isolation | None) -> str:
    """Play an anomaly's own interleaving; the history if the anomaly is in it, else ''. `level` None: every call stands alone."""

    async def whole() -> Any:
        await kit.do(kit.backend.reset([HERMIT]))
        await kit.insert(HERMIT, *ROWS.items())
        return await play(kit, anomaly, dict.fromkeys(anomaly.parties, level), HERMIT, lambda key, value: (key, value))  # type: ignore[arg-type]  # None is a level here

    history = finish(whole()) if kit.colour == "sync" else loop().run(whole())
    return str(history) if anomaly.shows(history) else ""


def clients(anomaly: Anomaly, level: Isolation) -> Scenario:
    """The anomaly's transactions without its interleaving; each call of a caller alone is a client of its own."""
    steps: dict[str, list[Step]] = {}
    undone: set[str] = set()
    for number, step in enumerate(anomaly.steps):
        if step.does == "rollback":
            undone.add(step.by)
        elif step.does != "commit":
            steps.setdefault(step.by or f" {number}", []).append(_step(step.does, step.args))
    units = tuple(
        Unit(None if name.startswith(" ") else level, tuple(made), name in anomaly.readers, name in undone) for name, made in steps.items()
    )
    return Scenario((tuple((key, value, 1) for key, value in ROWS.items()), (), (), ()), units)


def _step(does: str, args: tuple[int, ...]) -> Step:
    if does == "read":
        return ("fetch", 0, *args)
    if does == "put":
        return ("patch", 0, args[0], "balance", args[1])
    if does == "insert":
        return ("insert", 0, (*args, 1))
    if does == "delete":
        return ("delete", 0, *args)
    return (does, *args)


class _Tally:
    def __init__(self) -> None:
        self.done = self.found = 0
        self.findings: list[Finding] = []
        self.ways: Counter[str] = Counter()

    def add(self, way: str, wrong: str, seed: int, script: str) -> None:
        self.done += 1
        self.ways[way] += 1
        if wrong:
            self.found += 1
            if len(self.findings) < 5:
                self.findings.append(Finding(f"{way}: {wrong}", seed, script))


def _keeps(target: Target, level: Isolation) -> Callable[[Budget], Outcome]:
    """No anomaly that the level forbids, in any way of playing it."""

    def part(budget: Budget) -> Outcome:
        told, alone = _Tally(), Alone()
        short = budget.count < 2_000  # starting processes would take longer than all the rest
        modes = [mode for mode in modes_of(target) if not mode.startswith("schedule") and not (short and mode == "processes")]
        anomalies = [anomaly for anomaly in SCENARIOS if level in anomaly.prevented_by]
        with ExitStack() as stack:
            workers = stack.enter_context(pool(3)) if "processes" in modes else None
            crowd = stack.enter_context(target.place())
            crowd.connect()
            mixed = Stage(crowd)
            own = None if target.quick is None else stack.enter_context(target.place(scheduled=True))
            words = stack.enter_context(kits(own or crowd))
            for turn in itertools.count():
                for number, anomaly in enumerate(anomalies):
                    if (told.done >= budget.count and turn) or budget.over():
                        return _told(told, anomalies)
                    if not turn:
                        for colour, kit in words.items():
                            told.add(f"its own order, {colour}", shown(kit, anomaly, level), budget.seed, anomaly.id)
                    rng = budget.random(anomaly.id, turn)
                    scenario = clients(anomaly, level)
                    oracle = Oracle(scenario, alone)
                    if own is not None:
                        _schedules(told, Stage(own, COLOURS[(turn + number) % 2]), oracle, rng, turn, budget)
                    mode = modes[(turn + number) % len(modes)]
                    told.add(mode, mixed.mixed(oracle, mode, rng, workers), budget.seed, f"{scenario!r}")
        raise AssertionError("it ends inside")

    return part


def _schedules(told: _Tally, stage: Stage, oracle: Oracle, rng: random.Random, turn: int, budget: Budget) -> None:
    """Schedules of one anomaly's transactions: all of them in the second turn, some by chance in the others."""
    steps = sum(3 + 2 * len(unit.steps) for unit in oracle.scenario.units)
    every = itertools.islice(Exhaustive(2), ALL_MAX)
    some = (chooser(rng, len(oracle.scenario.units), steps) for _ in range(10))
    for choose in every if turn == 1 else some:
        recorded = Recorded(choose)
        wrong = stage.scheduled(oracle, recorded)
        told.add(f"schedule, {stage.colour}", wrong, budget.seed, f"{oracle.scenario!r}\nchoices {recorded.choices}")


def _told(told: _Tally, anomalies: list[Anomaly]) -> Outcome:
    figures = {"interleavings": len(anomalies), "anomalies": len({anomaly.code for anomaly in anomalies}), "played": dict(told.ways)}
    return Outcome(told.done, told.found, told.findings, figures)


def _shows(target: Target, level: Isolation | None, fault: str = "") -> Callable[[Budget], Outcome]:
    """A control: every anomaly that may be seen is seen in its own interleaving, in both colours; else nothing counts as found."""

    def part(budget: Budget) -> Outcome:
        seen: Counter[str] = Counter()
        unseen: list[str] = []
        done = 0
        findings: list[Finding] = []
        with target.place(scheduled=target.quick is not None) as place, kits(place) as words:
            if fault:
                broken(place.made[0], fault)
            for anomaly in SCENARIOS:
                if level in anomaly.prevented_by:
                    continue
                for colour, kit in words.items():
                    done += 1
                    history = shown(kit, anomaly, level)
                    if history:
                        seen[anomaly.code] += 1
                        findings.append(Finding(f"{anomaly.id}, {colour}: {history}", budget.seed, anomaly.id))
                    else:
                        unseen.append(f"{anomaly.id}, {colour}")
        expected = {anomaly.code for anomaly in SCENARIOS if level not in anomaly.prevented_by}
        found = sum(seen.values()) if expected <= seen.keys() else 0
        return Outcome(done, found, findings[:5], {"seen": dict(seen), "not seen": unseen})

    return part


def _parts() -> list[Part]:
    parts: list[Part] = []
    for target in TARGETS:
        for level in target.levels:
            count, fast = (50_000, 1_900) if target.shared else (10_000, 400)
            parts.append(Part(f"{target.name}, {level.name}", _keeps(target, level), "plays", count, fast, engine=target.engine))
        count = 2 * len(SCENARIOS)
        parts.append(
            Part(f"{target.name} without transactions", _shows(target, None), "plays", count, count, control=True, engine=target.engine)
        )
    skew = 2 * sum(Isolation.SNAPSHOT not in anomaly.prevented_by for anomaly in SCENARIOS)
    name = "memory, SNAPSHOT: write skew and phantoms, which it allows"
    parts.append(Part(name, _shows(MEMORY, Isolation.SNAPSHOT), "plays", skew, skew, control=True, engine=MEMORY.engine))
    return parts


PROOF = Proof(
    7,
    "isolation cases (Hermitage)",
    "the catalogue's own interleavings, and what the transactions could do one after the other (SERIALIZABLE) or each on its snapshot",
    f"{len(CODES)} anomalies × levels × engines × sync, async",
    _parts(),
    f"The anomalies are {', '.join(CODES)}, in {len(SCENARIOS)} interleavings. The controls must show every one of them.",
)
