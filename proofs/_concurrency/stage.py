"""Stage: one place on which scenarios are played again and again, in every mode, and judged by their oracles.

Must not know which scenarios, nor how many.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from holdall.backends import Isolation, memory
from holdall.backends.registry import backend_for
from holdall.program import run
from proofs._concurrency.insides import amiss
from proofs._concurrency.lines import Pick, run_lines
from proofs._concurrency.models import ENTITIES
from proofs._concurrency.modes import Mode, loop, performing, together
from proofs._concurrency.scenarios import LOST, Oracle, Scenario, State, Unit, broken_rules, restore, restored, stored, unit_program
from proofs._concurrency.schedule import Choose, Client, play_async, play_sync
from proofs._concurrency.steps import NOW
from proofs._concurrency.targets import Place
from proofs._concurrency.words import Port

_MEMORY = Path(memory.__file__).parent
TRACED = frozenset(str(_MEMORY / name) for name in ("backend.py", "perform.py", "views.py", "table.py"))
CLOSELY = frozenset({"read"})  # the reads that take no lock: between any two instructions


class Alone:
    """Runs units one at a time on a memory store of its own: what the oracles are made of."""

    def __init__(self) -> None:
        backend = backend_for("memory:")
        run(backend.ensure_schema(ENTITIES), backend.perform)
        self.port = Port(backend, NOW)

    def __call__(self, state: State, unit: Unit) -> tuple[Any, State]:
        perform = self.port.backend.perform
        run(restore(Port(self.port.backend), state), perform)
        results = run(unit_program(self.port, unit), perform)
        return results, run(stored(self.port), perform)


class Stage:
    """One place on which scenarios are played, again and again."""

    def __init__(self, place: Place, colour: str = "sync") -> None:
        self.place = place
        self.colour = colour
        self.port = Port(place.made[0], NOW)
        self.keeper = Port(place.made[0])  # sees what is expired
        self.perform = self.port.backend.perform
        self.lost: Counter[bool] = Counter()
        self.there: State | None = None

    def _prepare(self, scenario: Scenario) -> None:
        there, self.there = self.there, None
        state, expired = scenario.state, scenario.expired
        run(restore(self.keeper, state, expired) if there is None else restored(self.keeper, there, state, expired), self.perform)

    def scheduled(self, oracle: Oracle, choose: Choose) -> str:
        """Play one schedule; what is wrong with what came of it, '' if nothing."""
        scenario = oracle.scenario
        self._prepare(scenario)
        events: list[tuple[str, int]] = []
        clients: list[Client] = []
        for number, unit in enumerate(scenario.units):
            log = lambda what, number=number: events.append((what, number))  # noqa: E731  one line
            clients.append(Client(number, self.port.backend, unit_program(self.port, unit, log)))
        if self.colour == "sync":
            play_sync(clients, choose)
        else:
            loop().run(play_async(clients, choose))
        for client in clients:
            if client.error is not None:
                return f"client {client.number} failed: {client.error!r}"
        return self._judged(oracle, [client.result for client in clients], events)

    def mixed(self, oracle: Oracle, mode: Mode, rng: random.Random, workers: Any) -> str:
        """Play a scenario once, its clients in threads, tasks or processes; what is wrong with what came of it."""
        units = oracle.scenario.units
        self._prepare(oracle.scenario)
        try:
            if mode == "processes":
                jobs = [workers.apply_async(_elsewhere, (self.place.url, unit)) for unit in units]
                results = [job.get(60) for job in jobs]
            else:
                results = together(
                    mode, self.place, lambda port, number: unit_program(Port(port.backend, NOW), units[number]), len(units), rng, 0
                )
        except Exception as error:  # noqa: BLE001  nothing but conflicts may happen to a client
            return f"a client failed: {error!r}"
        return self._judged(oracle, results, None)

    def _judged(self, oracle: Oracle, results: list[Any], events: list[tuple[str, int]] | None) -> str:
        self.lost.update(result == LOST for result in results)
        final = run(stored(self.port), self.perform)
        wrong = broken_rules(final)
        levels = {unit.level for unit in oracle.scenario.units} - {None}
        if not wrong and levels <= {Isolation.SERIALIZABLE}:
            wrong = oracle.serializable(results, final)
        if not wrong and events is not None:
            wrong = oracle.snapshot(results, final, events) if Isolation.SNAPSHOT in levels else ""
        if not wrong and self.place.shared:
            wrong = amiss(self.port.backend)
        self.there = None if wrong else final  # what went wrong may have broken anything
        return wrong

    def by_lines(self, oracle: Oracle, pick: Pick, here: threading.local) -> tuple[str, int]:
        """Play a scenario with threads that are switched inside the engine; what is wrong, and how many places to switch there were."""
        self._prepare(oracle.scenario)
        backend = self.port.backend
        calls = [lambda unit=unit: run(unit_program(Port(backend, NOW), unit), self.perform) for unit in oracle.scenario.units]
        results, errors, steps = run_lines(calls, pick, here, TRACED, CLOSELY)
        if errors:
            return f"a client failed: {errors[0]!r}", steps
        return self._judged(oracle, results, None), steps


_elsewhere_open: dict[str, Place] = {}


def _elsewhere(url: str, unit: Unit) -> Any:
    """A client in a process of its own, which keeps its connection for the next scenario."""
    place = _elsewhere_open.get(url)
    if place is None:
        for other in _elsewhere_open.values():
            other.close()
        _elsewhere_open.clear()
        place = _elsewhere_open[url] = Place(url, shared=False)
        place.connect()
    port = Port(place.made[0], NOW)
    return run(unit_program(port, unit), performing(port.backend))


class Recorded:
    """A chooser that remembers its choices."""

    def __init__(self, inner: Choose) -> None:
        self.inner = inner
        self.choices: list[int] = []

    def __call__(self, able: Any, last: Any) -> int:
        choice = self.inner(able, last)
        self.choices.append(choice)
        return choice


def replay(choices: list[int]) -> Choose:
    """The schedule with these choices."""
    given = iter(choices)
    return lambda able, _: min(next(given, 0), len(able) - 1)
