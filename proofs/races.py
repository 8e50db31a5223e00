"""Races: a few clients at once, in every order that a scheduler can make, judged by what they would do alone (proof 14).

Memory is run under a deterministic scheduler that switches clients between effects (by chance, by priorities, and all orders of small
scenarios), and in threads whose internals are switched line by line. SQLite is run by schedule, in threads, tasks and processes.
"""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from holdall.backends import Isolation
from proofs._concurrency import units
from proofs._concurrency.faults import LINES, RACES, broken
from proofs._concurrency.lines import BatonLock, Pick
from proofs._concurrency.modes import chooser, modes_of, pool
from proofs._concurrency.scenarios import CORPUS, ONE, Oracle, Scenario, Unit, a_scenario, corpus
from proofs._concurrency.schedule import Choose, Exhaustive
from proofs._concurrency.stage import Alone, Recorded, Stage, replay
from proofs._concurrency.targets import MEMORY, TARGETS, Place, Target
from proofs.harness import Budget, Finding, Outcome, Part, Proof

SCHEDULES = 30  # of one scenario, by chance
SMALL = 300  # schedules at most of a scenario of which all are played
PREEMPTIONS = 2
UNIT_CLIENTS, UNITS = 3, 20
MANY = 100_000  # schedules from which on they are played in several processes, and seeds between these
PLAYS = 25  # of one scenario in threads switched between lines


# Schedules of one scenario


def schedules(rng: random.Random, scenario: Scenario, exhaustively: bool, most: int) -> Iterator[Choose]:
    """Schedules of a scenario: all of them, or all with at most `PREEMPTIONS` preemptions, but no more than `most`; or SCHEDULES by chance
    and priority."""
    if exhaustively:
        long = sum(len(unit.steps) for unit in scenario.units) > 3
        return itertools.islice(Exhaustive(PREEMPTIONS if long else None), most)
    steps = sum(3 + 2 * len(unit.steps) for unit in scenario.units)
    return (chooser(rng, len(scenario.units), steps) for _ in range(SCHEDULES))


def shrunk(stage: Stage, oracle: Oracle) -> tuple[Scenario, list[int], str] | None:
    """The smallest scenario found, by leaving out units and steps, that still goes wrong; with its schedule and what is wrong."""

    def fails(candidate: Oracle) -> tuple[list[int], str] | None:
        for choose in itertools.islice(Exhaustive(PREEMPTIONS), SMALL):
            recorded = Recorded(choose)
            wrong = stage.scheduled(candidate, recorded)
            if wrong:
                return recorded.choices, wrong
        return None

    best: tuple[Scenario, list[int], str] | None = None
    smaller = True
    while smaller:
        smaller = False
        units = oracle.scenario.units
        candidates = [(at, None) for at in range(len(units)) if len(units) > 1]
        candidates += [(at, step) for at, unit in enumerate(units) for step in range(len(unit.steps)) if len(unit.steps) > 1]  # type: ignore[misc]  # None or int
        for at, step in candidates:
            candidate = oracle.without(at, step)
            found = fails(candidate)
            if found is not None:
                oracle, best, smaller = candidate, (candidate.scenario, *found), True
                break
    return best


def again(url: str, scenario: Scenario, choices: list[int]) -> str:
    """Play one schedule again; gives (and prints) what is wrong."""
    place = Place(url, shared=url == "memory:")
    place.connect()
    wrong = Stage(place).scheduled(Oracle(scenario, Alone()), replay(choices))
    place.close()
    print(wrong or "nothing is wrong")
    return wrong


def _script(url: str, scenario: Scenario, choices: list[int]) -> str:
    return (
        "import datetime\nfrom holdall.backends import Isolation\n"
        "from proofs._concurrency.scenarios import Scenario, Unit\nfrom proofs.races import again\n"
        f"again({url!r}, {scenario!r}, {choices})"
    )


# Parts


class _Tally:
    def __init__(self) -> None:
        self.done = self.found = self.scenarios = self.systematic = 0
        self.findings: list[Finding] = []
        self.modes: Counter[str] = Counter()
        self.lost: Counter[bool] = Counter()

    def wrong(self, what: str, seed: int, script: str) -> None:
        self.found += 1
        if len(self.findings) < 5:
            self.findings.append(Finding(what, seed, script))

    def outcome(self) -> Outcome:
        figures = {
            "scenarios": self.scenarios, "systematically": self.systematic, "clients that lost": self.lost[True],
            "clients that were done": self.lost[False], "by mode": dict(self.modes),
        }  # fmt: skip
        return Outcome(self.done, self.found, self.findings, figures)


def _scenario(seed: int, level: Isolation, number: int, known: bool = False) -> tuple[random.Random, Scenario, bool]:
    """The number-th scenario: every other one of the corpus while it lasts (`known`: those first), the rest by chance."""
    rng = random.Random(f"{seed}/scenario")
    place, turn = (number, 0) if known else divmod(number, 2)
    if not turn and place < len(CORPUS):
        return rng, corpus(place, level), True
    exhaustively = rng.random() < 0.3
    units, steps = rng.choice(((2, 2), (2, 3), (3, 1))) if exhaustively else (rng.choice((2, 3, 3, 4)), 4)
    return rng, a_scenario(rng, level, units, steps), exhaustively


def _side_by_side(target: Target, level: Isolation) -> Callable[[Budget], Outcome]:
    """Schedules on every core, when there are many to be played."""

    def part(budget: Budget) -> Outcome:
        cores = os.cpu_count() or 1
        if budget.count < MANY or cores == 1:
            return _by_schedule(target, level)(budget)
        with pool(cores) as workers:
            shares = [(target.name, level, budget.seed + at * MANY, -(-budget.count // cores), budget.seconds) for at in range(cores)]
            outcomes = workers.starmap(_share, shares)
        told = Outcome(0)
        for outcome in outcomes:
            told.done += outcome.done
            told.found += outcome.found
            told.findings += outcome.findings
            for name, figure in outcome.figures.items():
                if isinstance(figure, dict):
                    told.figures[name] = dict(Counter(told.figures.get(name, {})) + Counter(figure))
                else:
                    told.figures[name] = told.figures.get(name, 0) + figure
        return told

    return part


def _share(name: str, level: Isolation, seed: int, count: int, seconds: float) -> Outcome:
    """One process's share of a part."""
    (target,) = (item for item in TARGETS if item.name == name)
    return _by_schedule(target, level)(Budget(seed, count, seconds))


def _by_schedule(target: Target, level: Isolation, fault: str = "") -> Callable[[Budget], Outcome]:
    def part(budget: Budget) -> Outcome:
        told, alone = _Tally(), Alone()
        most = SMALL if fault else min(SMALL, max(30, budget.count // 80))
        with target.place(scheduled=True) as place:
            if fault:
                broken(place.made[0], fault)
            blocking, awaited = Stage(place), Stage(place, "async")
            for number, seed in enumerate(itertools.count(budget.seed)):
                if told.done >= budget.count or budget.over():
                    break
                rng, scenario, exhaustively = _scenario(seed, level, number, known=bool(fault))
                oracle = Oracle(scenario, alone)
                stage = awaited if rng.random() < 0.2 else blocking
                stage.there = None
                played = 0
                for choose in schedules(rng, scenario, exhaustively, most):
                    recorded = Recorded(choose)
                    wrong = stage.scheduled(oracle, recorded)
                    played += 1
                    if wrong:
                        # A faulty engine may be in any state now, so what follows is played on a new one.
                        small = _smallest(target, oracle, fault) if len(told.findings) < 2 else None
                        scenario, choices, wrong = small or (scenario, recorded.choices, wrong)
                        told.wrong(wrong, seed, _script("memory:" if place.shared else place.url, scenario, choices))
                        break
                    if told.done + played >= budget.count:
                        break
                told.done += played
                told.scenarios += 1
                told.systematic += exhaustively and played < most
                told.modes[f"schedule, {stage.colour}"] += played
                if told.found and fault:
                    break
            for stage in (blocking, awaited):
                told.lost.update(stage.lost)
        return told.outcome()

    return part


def _smallest(target: Target, oracle: Oracle, fault: str) -> tuple[Scenario, list[int], str] | None:
    with target.place(scheduled=True) as place:
        if fault:
            broken(place.made[0], fault)
        return shrunk(Stage(place), oracle)


def _mixed(target: Target) -> Callable[[Budget], Outcome]:
    """The same scenarios in threads, tasks and processes, each several times."""

    def part(budget: Budget) -> Outcome:
        told, alone = _Tally(), Alone()
        modes = [mode for mode in modes_of(target) if not mode.startswith("schedule")]
        with ExitStack() as stack:
            place = stack.enter_context(target.place())
            place.connect()
            workers = stack.enter_context(pool(3)) if "processes" in modes else None
            stage = Stage(place)
            for number, seed in enumerate(itertools.count(budget.seed)):
                if told.done >= budget.count or budget.over():
                    break
                rng, scenario, _ = _scenario(seed, target.levels[number % len(target.levels)], number)
                oracle = Oracle(scenario, alone)
                told.scenarios += 1
                for mode in modes * 4:
                    wrong = stage.mixed(oracle, mode, rng, workers)
                    told.done += 1
                    told.modes[mode] += 1
                    if wrong:
                        told.wrong(f"{mode}: {wrong}", seed, f"{scenario!r}")
            told.lost.update(stage.lost)
        return told.outcome()

    return part


def _units(target: Target, careful: bool) -> Callable[[Budget], Outcome]:
    """Units of work of the store in threads, tasks and processes; not `careful`: the same without transactions."""

    def part(budget: Budget) -> Outcome:
        told = _Tally()
        modes = dict.fromkeys((*(mode for mode in modes_of(target) if not mode.startswith("schedule")), "tasks"))
        if not careful or budget.count < 20:
            modes.pop("processes", None)  # starting them takes longer than all the rest
        with ExitStack() as stack:
            place = stack.enter_context(target.place())
            place.connect()
            workers = stack.enter_context(pool(UNIT_CLIENTS)) if "processes" in modes else None
            for mode, seed in zip(itertools.cycle(modes), itertools.count(budget.seed)):
                if told.done >= budget.count or budget.over():
                    break
                wrong = units.play(place, mode, seed, UNIT_CLIENTS, UNITS, workers, careful)
                told.done += 1
                told.modes[mode] += UNIT_CLIENTS * UNITS
                if wrong:
                    told.wrong(f"{mode}: {wrong}", seed, "")
        figures = {"units of work by mode": dict(told.modes)}
        return Outcome(told.done, told.found, told.findings, figures)

    return part


def switches(rng: random.Random, steps: int) -> Pick:
    """Goes on with the same thread, but for one to four switches at random places."""
    at = {rng.randrange(max(1, steps)) for _ in range(rng.randrange(1, 5))}
    step = 0

    def pick(ready: Sequence[int], me: int) -> int:
        nonlocal step
        step += 1
        if me not in ready:
            return rng.choice(ready)
        if step in at:
            return rng.choice([other for other in ready if other != me])
        return me

    return pick


def _by_lines(fault: str = "") -> Callable[[Budget], Outcome]:
    """Scenarios in threads that are switched between the lines of the memory engine."""

    def part(budget: Budget) -> Outcome:
        told, alone = _Tally(), Alone()
        here = threading.local()
        switchable = 0
        with MEMORY.place() as place:
            engine = place.made[0]._engine
            engine._lock = BatonLock(here)
            if fault:
                broken(place.made[0], fault)
            stage = Stage(place)
            for number, seed in enumerate(itertools.count(budget.seed)):
                if told.done >= budget.count or budget.over() or (fault and told.found):
                    break
                rng = random.Random(f"{seed}/lines")
                if number < len(PAIRS):
                    scenario = Scenario(ONE, PAIRS[number])
                else:
                    rng, scenario, _ = _scenario(seed, Isolation.SERIALIZABLE, number - len(PAIRS))
                oracle = Oracle(scenario, alone)
                told.scenarios += 1
                steps = 500
                for _ in range(PLAYS):
                    wrong, steps = stage.by_lines(oracle, switches(rng, steps), here)
                    told.done += 1
                    switchable += steps
                    if wrong:
                        told.wrong(wrong, seed, f"{scenario!r}")
                        break
            told.modes["threads, by lines"] = told.done
            told.lost.update(stage.lost)
        outcome = told.outcome()
        outcome.figures["places to switch"] = switchable
        return outcome

    return part


# One changes several rows at once, another one reads them without a transaction, by key (which takes no lock) or by query.
PAIRS: tuple[tuple[Unit, ...], ...] = tuple(
    (Unit(None, (write,)), Unit(Isolation.SERIALIZABLE, (("transfer", 1, 2, 1),)), Unit(None, (read,)), Unit(None, (read,)))
    for write in (("interest", 1), ("delete_where", 0, "balance", "lt", 8), ("delete", 2, 2))
    for read in (("fetch", 0, 1, 2), ("accounts", "branch", "eq", 1), ("accounts", "id", "lte", 2), ("fetch", 3, 1, 2))
)


def _parts() -> list[Part]:
    parts: list[Part] = []
    for target in TARGETS:
        many = target.shared
        for level in target.levels:
            name = f"{target.name}, {level.name}"
            if target.quick is not None:
                count, fast = (500_000, 4_000) if many else (50_000, 600)
                parts.append(
                    Part(f"{name}, by schedule", _side_by_side(target, level), "schedules", count, fast, 900, engine=target.engine)
                )
        count, fast = (40_000, 800) if many else (12_000, 150)
        kind = "in threads" if many else "in threads, tasks and processes"
        parts.append(Part(f"{target.name}, {kind}", _mixed(target), "schedules", count, fast, engine=target.engine))
        name = f"{target.name}, units of work run again after conflicts"
        parts.append(Part(name, _units(target, True), "crowds", 200, 6, engine=target.engine))
        name = f"{target.name}, the same work without transactions"
        parts.append(Part(name, _units(target, False), "crowds", 20, 4, control=True, engine=target.engine))
    parts.append(Part("memory, threads switched between lines", _by_lines(), "schedules", 50_000, 300, engine=MEMORY.engine))
    for fault, (level, _) in RACES.items():
        run_it = _by_schedule(MEMORY, level, fault)
        parts.append(Part(f"memory, broken: {fault}", run_it, "schedules", 100_000, 20_000, control=True, engine=MEMORY.engine))
    for fault in LINES:
        name = f"memory, broken: {fault}"
        parts.append(Part(name, _by_lines(fault), "schedules", 20_000, 5_000, control=True, engine=MEMORY.engine))
    return parts


PROOF = Proof(
    14,
    "races: threads, processes, tasks",
    "SERIALIZABLE: what the clients would do one after the other, in some order; SNAPSHOT: what each would do alone on the state in which "
    "it began, and no row written by two; always: constraints hold, indexes equal rows, nothing is left of transactions that ended",
    "memory: a deterministic scheduler, 1 M schedules",
    _parts(),
    "A schedule is one interleaving of the effects of two to four clients: by chance, by priority (PCT), or all of a small scenario's with "
    "at most two preemptions. Threads switched between lines run the engine's own code, stopped before each line (before each instruction "
    "of the reads that take no lock).",
)
