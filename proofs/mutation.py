"""Row 3: how many planted faults the conformance kit finds.

A fault is a small change of the source of the memory backend, of the evaluator, or of the rooms in which the contract is kept for every
backend. With one fault in it, the library runs the kit until a case fails: that case killed the fault. One that no case kills shows a case
that is missing. The control are changes that are no faults: they must survive.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib import import_module
from itertools import groupby
from pathlib import Path
from pkgutil import iter_modules
from queue import SimpleQueue
from typing import Any

from holdall.testing import COLOURS, PROMISES, all_cases
from proofs import faults
from proofs._mutation_plant import Misplanted, Plant, source_of
from proofs.harness import Budget, Finding, Outcome, Part, Proof

WORKERS = 2
KILLERS = Path(__file__).parent / "faults" / "killers.json"


def all_plants(*, harmless: bool = False) -> list[Plant]:
    """Every fault (or every change that is none), by module and in the order listed."""
    found: list[Plant] = []
    for module in iter_modules(faults.__path__):
        if (module.name == "harmless") == harmless:
            made = import_module(f"proofs.faults.{module.name}")
            for bed in made.BEDS:
                found += bed.plants
    return found


def misplanted(plants: Sequence[Plant]) -> list[str]:
    """What is wrong with the list itself: text that is gone, ids twice, promises that there are not."""
    wrong = [f"{plant.id} is listed twice" for place, plant in enumerate(plants) if plant.id in {other.id for other in plants[:place]}]
    wrong += [f"{plant.id}: no promise {name}" for plant in plants for name in plant.promises if name not in PROMISES]
    for plant in plants:
        try:
            plant.changed(source_of(plant.module))
        except Misplanted as error:
            wrong.append(str(error))
    return wrong


Group = tuple[str, list[str]]  # a module of cases, and the ids of those to run


def groups_for(plant: Plant, killer: str = "", skip: Sequence[str] = (), *, near: bool = False) -> list[Group]:
    """All cases in the order in which they are most likely to find the fault: the one that did before, those of its promises, the rest.

    Within a module the first parameters of all cases come before the second ones. `near` leaves out the rest.
    """
    left_out = set(skip)
    turns: dict[str, int] = {}
    ranked: list[tuple[bool, str, int, str]] = []
    cases = {case.id: case for case in all_cases() if case.id not in left_out}
    for case in cases.values():
        turn = turns[case.name] = turns.get(case.name, -1) + 1
        if near and case.promise not in plant.promises:
            continue
        ranked.append((case.promise not in plant.promises, case.module, turn, case.id))
    groups: list[Group] = [(cases[killer].module, [killer])] if killer in cases else []
    for (_, module), items in groupby(sorted(ranked), key=lambda item: item[:2]):
        groups.append((module, [item[3] for item in items]))
    return groups


class _Worker:
    """A process that tries one plant after the other."""

    def __init__(self) -> None:
        tree = Path(__file__).parents[1]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tree / "src"), str(tree)])}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "proofs._mutation_worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=tree,
        )  # fmt: skip

    def ask(self, plant: Plant, groups: Sequence[Group], *, whole: bool = False) -> dict[str, Any]:
        """What became of one plant under these cases; `whole` runs on after a failure."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"plant": asdict(plant), "groups": groups, "whole": whole}) + "\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def failing(on: str) -> list[str]:
    """The cases that fail on a store without any fault: none, unless the library or the case is at fault."""
    worker = _Worker()
    try:
        plant = Plant("nothing", (), "nothing is changed", "holdall.errors", "", "The error tree", "The error tree", COLOURS, on)
        found = worker.ask(plant, groups_for(plant), whole=True)
    finally:
        worker.close()
    if "failed" not in found:
        raise RuntimeError(f"The kit cannot be run at all: {found}")
    return sorted(set(found["failed"]))


def known_killers() -> dict[str, str]:
    """The case that killed each plant when it was last tried, from beside the plants: whether it still does is seen by trying it first."""
    return dict(json.loads(KILLERS.read_text(encoding="utf-8"))) if KILLERS.exists() else {}


def try_all(
    plants: Sequence[Plant],
    over: Callable[[], bool] = bool,
    told: Callable[[Plant, dict[str, Any]], None] | None = None,
    skip: Mapping[str, Sequence[str]] | None = None,
    killers: Mapping[str, str] | None = None,
    near: bool = False,
) -> list[tuple[Plant, dict[str, Any]]]:
    """What became of each plant, in their order; those not begun when the time is over are left out."""
    free: SimpleQueue[_Worker] = SimpleQueue()
    workers = [_Worker() for _ in range(min(WORKERS, len(plants)))]
    for worker in workers:
        free.put(worker)

    def one(plant: Plant) -> tuple[Plant, dict[str, Any]] | None:
        if over():
            return None
        worker = free.get()
        try:
            result = worker.ask(plant, groups_for(plant, (killers or {}).get(plant.id, ""), (skip or {}).get(plant.on, ()), near=near))
            result["first"] = result.get("killed_by", "").partition(".")[0] in plant.promises
        finally:
            free.put(worker)
        if told is not None:
            told(plant, result)
        return plant, result

    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            return [found for found in pool.map(one, plants) if found is not None]
    finally:
        for worker in workers:
            worker.close()


def _sample(plants: list[Plant], budget: Budget) -> list[Plant]:
    return plants if budget.count >= len(plants) else budget.random("plants").sample(plants, budget.count)


def score(budget: Budget) -> Outcome:
    """Every fault must be killed."""
    plants = all_plants()
    wrong = misplanted(plants)
    if wrong:
        return Outcome(len(plants), len(wrong), [Finding(text, budget.seed) for text in wrong])
    # The tests run the kit without any fault anyway.
    broken = {on: failing(on) for on in {plant.on for plant in plants}} if budget.count >= len(plants) else {}
    results = try_all(_sample(plants, budget), budget.over, skip=broken, killers=known_killers())
    findings = [Finding(f"{case} fails on {on} without any fault", budget.seed) for on, cases in broken.items() for case in cases]
    findings += [
        Finding(_survived(plant, result), budget.seed, f"python -m proofs.mutation {plant.id}")
        for plant, result in results
        if not result.get("killed_by")
    ]
    return Outcome(
        len(results),
        len(findings),
        findings,
        {
            "plants": [_told(plant, result) for plant, result in results],
            "killed by a case of a promise that the fault breaks": sum(bool(result.get("first")) for _, result in results),
        },
    )


def _survived(plant: Plant, result: dict[str, Any]) -> str:
    if "error" in result:
        return f"{plant.id} could not be tried ({plant.what}):\n{result['error']}"
    return f"{plant.id} survived {result['ran']} cases: {plant.what} ({', '.join(plant.promises)})\n{_changed(plant)}"


def _changed(plant: Plant) -> str:
    return f"{plant.module} {plant.where}:\n- {plant.old}\n+ {plant.new}"


def _told(plant: Plant, result: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": plant.id,
        "promise": ", ".join(plant.promises),
        "what": plant.what,
        "killed_by": result.get("killed_by", ""),
    }


def control(budget: Budget) -> Outcome:
    """Changes that are no faults must survive: a kit that kills them fails whatever it is given.

    In the share that the tests run, the cases of the promise next to the change must do.
    """
    plants = all_plants(harmless=True)
    wrong = misplanted(plants)
    share = budget.count < len(plants)
    results = [] if wrong else try_all(_sample(plants, budget), budget.over, near=share)
    killed = [f"{plant.id}: {result.get('killed_by') or result.get('error')}" for plant, result in results if result.get("killed_by") != ""]
    if wrong or killed:
        return Outcome(max(1, len(results)), 0, [Finding(text, budget.seed) for text in [*wrong, *killed]])
    return Outcome(
        len(results), len(results), [Finding(f"{plant.id} survived, as it must: {plant.what}", budget.seed) for plant, _ in results]
    )


PROOF = Proof(
    number=3,
    title="mutation score of the kit",
    oracle="faults planted in the memory backend, the evaluator and the rooms that keep the contract for all",
    aim="≥ 200 faults, all killed",
    parts=[
        Part("planted faults are killed", score, "faults", len(all_plants()), fast=12, seconds=3600, fast_seconds=40, engine="memory"),
        Part(
            "changes that are no faults survive", control, "changes", len(all_plants(harmless=True)), fast=1, seconds=900, fast_seconds=40,
            control=True, engine="memory",
        ),
    ],
    notes="Each fault is a change of a few characters of source, put in by an import hook in a process of its own; the kit runs on memory "
    "until a case fails. docs/proof-mutations.md lists every fault with the case that killed it.",
)  # fmt: skip


def main() -> None:
    """python -m proofs.mutation [ID …]: try these plants (or all, or all whose id begins so) and tell what became of each.

    --baseline: leave out cases that fail without any fault, and tell them. --again: only those that nothing is known to kill.
    --near: by cases of the promises that they break only. --remember: keep the killers, to be tried first from then on.
    """
    wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
    every = [*all_plants(), *all_plants(harmless=True)]
    for text in misplanted(every):
        print("WRONG", text)
    killers = known_killers()
    chosen = [plant for plant in every if not wanted or any(plant.id.startswith(name) for name in wanted)]
    if "--again" in sys.argv:
        chosen = [plant for plant in chosen if plant.id not in killers]

    def told(plant: Plant, result: dict[str, Any]) -> None:
        killer = result.get("killed_by", "")
        if "--remember" in sys.argv:
            killers.pop(plant.id, None)
            if killer:
                killers[plant.id] = killer.removesuffix(" (hangs)").rpartition(" [")[0]
            KILLERS.write_text(json.dumps(dict(sorted(killers.items())), indent=1) + "\n", encoding="utf-8")
        where = "" if result.get("first") else " (elsewhere)"
        print(f"{plant.id:45} {killer + where if killer else 'SURVIVED ' + str(result.get('error', ''))}", flush=True)

    broken = {on: failing(on) for on in {plant.on for plant in chosen}} if "--baseline" in sys.argv else {}
    print(f"failing without any fault: {broken}", flush=True)
    results = try_all(
        [plant for plant in chosen if not misplanted([plant])], told=told, skip=broken, killers=killers, near="--near" in sys.argv
    )
    survivors = [(plant, result) for plant, result in results if not result.get("killed_by")]
    for plant, result in survivors:
        print(_survived(plant, result))
    print(f"{len(results)} tried, {len(survivors)} survived")


if __name__ == "__main__":
    main()
