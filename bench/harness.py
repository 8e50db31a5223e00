"""How a race is timed. Owns the clock, the core, the garbage collector and the order of rounds; knows no contestant.

A race runs its contestants in turns (A B C, A B C, …) so that a slow spell of the machine touches all of them, and reports medians. One
slice of a round repeats a contestant until it lasts at least `min_slice_s`; how often is found once, in the warm-up. The collector is off
inside every slice and run before it, for all contestants alike; what exists when the race begins is frozen, so that collecting costs the
same however large a contestant's store is.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure: rounds per race, least seconds per slice, and whether the run is the quick one with smaller data."""

    rounds: int
    min_slice_s: float
    quick: bool

    @property
    def large(self) -> int:
        """Records of the large store in the growth scenario."""
        return 100_000 if self.quick else 1_000_000


FULL = Pace(rounds=15, min_slice_s=0.03, quick=False)
QUICK = Pace(rounds=3, min_slice_s=0.01, quick=True)


@dataclass(frozen=True, slots=True)
class Contestant:
    """Something to time.

    `run` performs `operations` operations; results are per operation. With `prepare`, each slice is a single call of `run`, and
    `prepare` is called before it, untimed. `run` is None when the contestant could not be set up; `missing` then says why.
    """

    name: str
    run: Callable[[], object] | None
    operations: int = 1
    prepare: Callable[[], None] | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds per operation of one contestant: each round's, in order."""

    rounds_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """The median over the rounds: what every ratio is made from."""
        return statistics.median(self.rounds_s)


@dataclass(slots=True)
class Result:
    """One race's outcome: timings by contestant in the order they ran, and what could not run, with the reason."""

    scenario: str
    title: str
    reference: str
    timings: dict[str, Timing] = field(default_factory=dict[str, Timing])
    missing: dict[str, str] = field(default_factory=dict[str, str])


def pin() -> str:
    """Keep this process and its children on one core, where the system allows it; say what was done."""
    if not hasattr(os, "sched_setaffinity"):
        return "not pinned: this system has no sched_setaffinity"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"pinned to core {core}"


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Switch the cyclic collector off, with all that exists now out of its sight; put everything back afterwards."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def _slice(contestant: Contestant, repeats: int) -> float:
    """Time one slice and give the seconds per operation."""
    run = contestant.run
    assert run is not None
    if contestant.prepare is not None:
        contestant.prepare()
    gc.collect()
    turns = range(repeats)
    started = time.perf_counter()
    for _ in turns:
        run()
    return (time.perf_counter() - started) / (repeats * contestant.operations)


def _repeats(contestant: Contestant, pace: Pace) -> int:
    """Warm a contestant up and find how many calls fill a slice."""
    _slice(contestant, 1)
    if contestant.prepare is not None:
        return 1
    repeats = 1
    while True:
        lasted = _slice(contestant, repeats) * repeats * contestant.operations
        if lasted >= pace.min_slice_s:
            return repeats
        repeats = max(repeats * 2, int(repeats * 1.2 * pace.min_slice_s / max(lasted, 1e-7)))


def race(scenario: str, title: str, reference: str, contestants: Sequence[Contestant], pace: Pace) -> Result:
    """Time all contestants in interleaved rounds; those without `run` are listed as missing."""
    result = Result(scenario, title, reference)
    result.missing = {each.name: each.missing for each in contestants if each.run is None}
    able = [each for each in contestants if each.run is not None]
    with _quiet_collector():
        repeats = {each.name: _repeats(each, pace) for each in able}
        rounds: dict[str, list[float]] = {each.name: [] for each in able}
        for _ in range(pace.rounds):
            for each in able:
                rounds[each.name].append(_slice(each, repeats[each.name]))
    result.timings = {name: Timing(tuple(values)) for name, values in rounds.items()}
    return result
