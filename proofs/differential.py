"""Differential sequences: random programs on random models, played on memory and on SQLite, must be seen to do the same.

After every write, all rows of all models are compared, and after every step its result or its error. What a read on memory says is also
held against a third voice, which shares no code with the evaluator. A program that shows a difference is shrunk, and printed as a test.
Two ways to draw programs: seeded and fast, by the thousand on one schema; and by Hypothesis, which shrinks by itself.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from holdall import Store
from holdall.backends.registry import backend_for
from holdall.program import arun, run
from holdall.testing.colours import Colour, finish
from proofs._faults import FAULTS, Fault
from proofs._models import Schema, random_schema
from proofs._play import Clock, Play, Stage, difference, play, script, third_script
from proofs._programs import Program, Programs, count_steps
from proofs._shrink import shrink
from proofs.harness import Budget, Finding, Outcome, Part, Proof

PROGRAM_STEPS = 30
PROGRAMS_PER_SCHEMA = 1000
FORMS = 25  # of reads, updates and deletes, for each model
THIRD_VOICE_EVERY = 8  # programs
SHRINK_SECONDS = 15.0
FINDINGS_MAX = 3

Make = Callable[[], Any]  # a backend
Difference = tuple[str, bool]  # what differs, and whether it was the third voice that said so


class Pair:
    """Two stores of one schema that play the same programs, one after the other, each time emptied before."""

    def __init__(self, stage: Stage, makes: tuple[Make, Make], colour: Colour) -> None:
        self.stage = stage
        self.makes = makes
        self.colour: Colour = colour
        self.runner = asyncio.Runner() if colour == "async" else None
        self.clocks = (Clock(), Clock())
        self.stores: list[Store] = []
        self.done = 0
        self.asked = self.told_differently = 0

    def do(self, coroutine: Any) -> Any:
        return finish(coroutine) if self.runner is None else self.runner.run(coroutine)

    def open(self) -> None:
        """Open both stores, with their tables."""
        models = tuple(self.stage.schema.classes.values())
        for make, clock in zip(self.makes, self.clocks, strict=True):
            store = Store(make(), clock=clock)
            if self.runner is None:
                store.ensure_schema(*models)
            else:
                self.runner.run(store.aio.ensure_schema(*models))
            self.stores.append(store)

    def close(self) -> None:
        """Close both."""
        for store in self.stores:
            if self.runner is None:
                store.close()
            else:
                self.runner.run(store.aio.close())
        self.stores = []

    def end(self) -> None:
        """Close everything."""
        self.close()
        if self.runner is not None:
            self.runner.close()

    def compare(self, program: Program, third: bool) -> Difference | None:
        """What differs between the stores when they play the program; None: nothing does."""
        if not self.stores:
            self.open()
        plays = [self.do(self._play(place, program, third and place == 0)) for place in range(2)]
        self.done += plays[0].played
        self.asked += plays[0].asked
        found = told(*plays)
        self.told_differently += plays[0].told_differently
        if found is not None:
            self.close()  # whatever it is, it may have left something behind
        return found

    async def _play(self, place: int, program: Program, third: bool) -> Play:
        store, clock = self.stores[place], self.clocks[place]
        clock.__init__()  # type: ignore[misc]  # every program begins at the same instant
        core = store._core
        if self.runner is None:
            run(core.backend.reset(self.stage.entities), core.perform)
        else:
            await arun(core.backend.reset(self.stage.entities), core.aperform)
        return await Play(self.stage, store, clock, self.colour, third).run(program)


def told(one: Play, other: Play) -> Difference | None:
    """The first difference between two plays, in words."""
    found = difference(one, other)
    if found is not None:
        return found[1], False
    if one.differs:
        _, said, expected = one.differs[0]
        return f"the store says {said!r}\n  but a plain reading of the contract gives\n{expected!r}", True
    return None


def differs(schema: Schema, program: Program, makes: tuple[Make, Make], colour: Colour = "sync", third: bool = False) -> Difference | None:
    """What differs when two new stores play a program."""
    stage = Stage(schema)
    plays = [play(stage, program, lambda clock, make=make: Store(make(), clock=clock), colour, third) for make in makes]
    return told(*plays)


def shrunk(
    schema: Schema,
    program: Program,
    makes: tuple[Make, Make],
    found: Difference,
    seed: int,
    seconds: float = SHRINK_SECONDS,
    colour: Colour = "sync",
) -> Finding:
    """The finding of a program that differs, with the shortest script that there is time for."""
    third = found[1]

    def fails(tried_schema: Schema, tried: Program) -> bool:
        try:
            again = differs(tried_schema, tried, makes, colour, third)
        except Exception:  # noqa: BLE001 - what cannot be played is not smaller
            return False
        return again is not None and again[1] == third

    if not fails(schema, program):
        return Finding(f"{found[0]}\n(not when it is played alone)", seed, script(schema, program, said=found[0]))
    schema, program = shrink(schema, program, fails, seconds)
    again = differs(schema, program, makes, colour, third) or found
    return Finding(again[0], seed, _third(schema, program, again) if third else script(schema, program, said=again[0]))


def _third(schema: Schema, program: Program, found: Difference) -> str:
    stage = Stage(schema)
    played = play(stage, program, lambda clock: Store(memory(), clock=clock), third=True)
    if not played.differs:
        return script(schema, program, said=found[0])
    step, _, expected = played.differs[0]
    return third_script(stage, program, step, expected, found[0])


def sequences(makes: tuple[Make, Make], colour: Colour, budget: Budget, *salt: Any, third_every: int = THIRD_VOICE_EVERY) -> Outcome:
    """`budget.count` steps of programs drawn from the seed."""
    outcome = Outcome(0)
    schemas = programs = asked = otherwise = 0
    while outcome.done < budget.count and not budget.over():
        random = budget.random(*salt, colour, schemas)
        schema = random_schema(random).make()
        schemas += 1
        pair = Pair(Stage(schema), makes, colour)
        drawing = Programs(schema, FORMS)
        try:
            for number in range(PROGRAMS_PER_SCHEMA if budget.count > 100_000 else 12):
                program = drawing.draw(random, PROGRAM_STEPS)
                before = pair.done
                found = pair.compare(program, third=number % third_every == 0)
                outcome.done += pair.done - before
                programs += 1
                if found is not None:
                    outcome.found += 1
                    if len(outcome.findings) < FINDINGS_MAX:
                        outcome.findings.append(shrunk(schema, program, makes, found, budget.seed, colour=colour))
                if outcome.done >= budget.count or budget.over():
                    break
        finally:
            asked += pair.asked
            otherwise += pair.told_differently
            pair.end()
    outcome.figures = {"schemas": schemas, "programs": programs, "reads held against the third voice": asked,
                       "violations of which each store told another": otherwise}  # fmt: skip
    return outcome


# By Hypothesis


def searched(makes: tuple[Make, Make], budget: Budget) -> Outcome:
    """`budget.count` steps of programs drawn by Hypothesis, which shrinks one that differs; then it is shrunk over models too."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    known = [random_schema(budget.random("schema", number), 3).make() for number in range(4)]
    drawings = [Programs(schema) for schema in known]
    pairs = [Pair(Stage(schema), makes, "sync") for schema in known]
    outcome = Outcome(0)
    last: list[tuple[Schema, Program, Difference]] = []

    @seeded(budget.seed)
    @settings(
        max_examples=max(budget.count // 15, 1),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        phases=(Phase.generate, Phase.shrink),
    )
    @given(st.integers(0, len(known) - 1), st.integers(5, 25), st.randoms(use_true_random=False))
    def agree(place: int, size: int, random: Random) -> None:
        program = drawings[place].draw(random, size)  # also when the time is over: what is drawn must not depend on it
        if budget.over():
            return
        before = pairs[place].done
        found = pairs[place].compare(program, third=True)
        outcome.done += pairs[place].done - before
        if found is not None:
            last.append((known[place], program, found))
            raise AssertionError(found[0])

    try:
        agree()
    except AssertionError:
        schema, program, found = min(last, key=lambda item: count_steps(item[1]))
        outcome.found = 1
        outcome.findings.append(shrunk(schema, program, makes, found, budget.seed))
    finally:
        for pair in pairs:
            pair.end()
    return outcome


# Parts


@contextmanager
def second(engine: str) -> Iterator[Make]:
    """How to make the store that memory is compared with."""
    if engine == "sqlite, in memory":
        yield lambda: backend_for("sqlite:?synchronous=off")
        return
    with tempfile.TemporaryDirectory(prefix="holdall-differential-") as folder:
        numbers = iter(range(1_000_000))
        yield lambda: backend_for(f"sqlite:///{Path(folder) / f'{next(numbers)}.db'}?synchronous=off")


def memory() -> Any:
    """The first store's backend."""
    return backend_for("memory:")


def _sequences(engine: str, colour: Colour) -> Callable[[Budget], Outcome]:
    def part(budget: Budget) -> Outcome:
        with second(engine) as other:
            return sequences((memory, other), colour, budget, engine)

    return part


def _searched(budget: Budget) -> Outcome:
    with second("sqlite, in memory") as other:
        return searched((memory, other), budget)


def _planted(budget: Budget) -> Outcome:
    """Each fault is to be found by seeded programs; its script must fail where the fault is, and pass where it is not. A fast share tries
    some of them."""
    outcome = Outcome(0)
    faults = FAULTS if budget.count >= 500_000 else budget.random("faults").sample([fault for fault in FAULTS if not fault.rare], 4)
    missed: list[str] = []
    lengths: list[int] = []
    with second("sqlite, in memory") as other:
        for place, fault in enumerate(sorted(faults, key=lambda item: item.rare)):  # what is found fast leaves its time to the others
            left = budget.seconds - (time.monotonic() - budget.started)
            share = Budget(budget.seed, budget.count // len(faults), left / (len(faults) - place))
            found = _hunted(fault, other, share)
            outcome.done += found.done
            if found.found and (why := _script_is_wrong(found.findings[0].script, fault, other)):
                found.found, found.findings = 0, []
                missed.append(f"{fault.name} ({why})")
            elif not found.found:
                missed.append(fault.name)
            for item in found.findings:
                outcome.found += 1
                lengths.append(item.script.count("\n    try:"))
                outcome.findings.append(Finding(f"{fault.name}: {item.what}", item.seed, item.script))
    outcome.figures = {
        "planted": len(faults),
        "found": outcome.found,
        "steps in the scripts": f"{min(lengths, default=0)} to {max(lengths, default=0)}",
    }
    if missed:
        outcome.found, outcome.findings = 0, [Finding(f"Not found: {', '.join(missed)}", budget.seed)]
    return outcome


def _script_is_wrong(text: str, fault: Fault, other: Make) -> str:
    """'' if the script fails with the fault and passes without it; else what it does."""
    names: dict[str, Any] = {"__name__": f"proofs_script_{next(_scripts)}"}
    exec(compile(text, "<script>", "exec", dont_inherit=True), names)
    names["stores"] = lambda clock: [Store(make(), models=names["MODELS"], clock=clock) for make in (lambda: fault.over(memory()), other)]
    with fault.plant():
        try:
            names["test_found"]()
        except AssertionError:
            pass
        else:
            return "the script passes with the fault"
    names["stores"] = lambda clock: [Store(make(), models=names["MODELS"], clock=clock) for make in (memory, other)]
    try:
        names["test_found"]()
    except AssertionError:
        return "the script fails without the fault"
    return ""


_scripts = count()  # each is a module of its own: models of one module may mean each other


def _hunted(fault: Fault, other: Make, budget: Budget) -> Outcome:
    """Programs until one finds the fault, shrunk."""
    outcome = Outcome(0)
    makes = (lambda: fault.over(memory()), other)
    numbers = count()
    while not outcome.found and outcome.done < budget.count and not budget.over():
        random = budget.random(fault.name, next(numbers))
        drawn = random_schema(random, 3)
        if not re.search(fault.shows_on, drawn.source()):
            continue
        schema = drawn.make()
        pair, drawing = Pair(Stage(schema), makes, "sync"), Programs(schema, FORMS)
        with fault.plant():
            try:
                for _ in range(40):
                    program = drawing.draw(random, PROGRAM_STEPS)
                    found = pair.compare(program, third=False)
                    if found is not None:
                        outcome.found = 1
                        outcome.findings.append(shrunk(schema, program, makes, found, budget.seed, min(3.0, budget.seconds / 20)))
                        break
            finally:
                outcome.done += pair.done
                pair.end()
    return outcome


_MEMORY, _FILE = "sqlite, in memory", "sqlite, file"
PROOF = Proof(
    number=5,
    title="differential sequences",
    oracle="the memory store (the evaluator) and a plain reading of the contract that shares no code with it; whole state after each write",
    aim="10 M steps against SQLite, Hypothesis to shrink",
    parts=[
        Part(f"memory against {_MEMORY}", _sequences(_MEMORY, "sync"), "steps", 10_000_000, 1500, seconds=4000, engine=_MEMORY),
        Part(f"memory against {_FILE}", _sequences(_FILE, "sync"), "steps", 1_000_000, 800, seconds=1500, engine=_FILE),
        Part(f"memory against {_MEMORY}, awaited", _sequences(_MEMORY, "async"), "steps", 500_000, 400, seconds=1200, engine=_MEMORY),
        Part(f"memory against {_FILE}, awaited", _sequences(_FILE, "async"), "steps", 500_000, 400, seconds=1200, engine=_FILE),
        Part("by Hypothesis", _searched, "steps", 100_000, 400, seconds=900, engine=_MEMORY),
        Part("planted faults", _planted, "steps", 1_000_000, 100_000, seconds=900, fast_seconds=100, control=True, engine="memory"),
    ],
)
