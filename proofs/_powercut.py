"""Power cuts: the power is cut after every operation of a recording, in every way the disk allows, and what is left is judged.

Owns the sweep over the cuts and its report. What is written and how it is judged is in `_crash_work`, what a disk may lose in `_disk`.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdall import Store
from proofs._crash_record import NAME, Recording, Setting, folder, put, record, record_recovery
from proofs._crash_work import MODELS, CrashItem, Found, History, Verdict, judge, look
from proofs._disk import MODELS as LOSSES
from proofs._disk import SURVIVED, Disk, Images

DRAWN = ("killed", "none", "names", "contents", "torn", "subset", "subset", "sectors", "sectors", "sectors", "grown", "grown")


@dataclass
class Tally:
    """What a sweep came to. States are different from each other in their files or in what had been acknowledged."""

    states: int = 0
    cuts: int = 0
    lost: int = 0
    broken: int = 0
    lost_survived: int = 0  # of these, states that a killed process leaves behind
    broken_survived: int = 0
    reopened: int = 0
    recordings: int = 0
    worst: int = 0  # the most units lost at once
    examples: list[tuple[str, str]] = field(default_factory=list)  # what is wrong, and how it came about

    def bad(self) -> int:
        return self.lost + self.broken


class Sweep:
    """All cuts of one recording."""

    def __init__(self, recording: Recording, scratch: Path, seed: object, tally: Tally, draws: int, drawn: Sequence[str] = DRAWN) -> None:
        self._recording = recording
        self._scratch = scratch
        self._chance = random.Random(repr(seed))
        self._tally = tally
        self._draws = draws
        self._drawn = drawn
        self._disk = Disk(recording.before)
        self._looked: dict[Any, Found] = {}
        self._judged: set[Any] = set()
        self._acknowledged: dict[int, int] = dict(recording.known)
        self._started: dict[int, int] = dict(recording.known)
        self._at = 0

    def run(self, most: int) -> None:
        """Cut after every op until `most` states are judged in all."""
        for at, op in enumerate(self._recording.ops):
            self._at = at
            changed = self._disk.do(op)
            if op.kind == "mark":
                what, owner, seq = op.data
                marks = self._started if what == "start" else self._acknowledged
                marks[owner] = max(seq, marks.get(owner, -1))
                changed = what == "ack"
            if changed:
                self._cut()
            if self._tally.states >= most:
                return
        self._tally.recordings += 1

    def _cut(self) -> None:
        self._tally.cuts += 1
        self._state("all")
        if self._disk.waiting():
            for _ in range(self._draws):
                self._state(self._chance.choice(self._drawn))

    def _state(self, model: str) -> None:
        images = self._disk.images(model, self._chance)
        key = tuple(sorted((name, hash(content)) for name, content in images.items()))
        given = (key, tuple(self._acknowledged.items()))
        if given in self._judged:
            return
        self._judged.add(given)
        found = self._looked.get(key)
        if found is None:
            put(images, self._scratch)
            found = self._looked[key] = look(self._scratch / NAME)
        verdict = self._judge(found)
        self._tally.states += 1
        if verdict.kind == "ok" and self._tally.states % 50 == 0:
            put(images, self._scratch)
            said = reopen(self._recording.setting, self._scratch, found)
            self._tally.reopened += 1
            if said:
                verdict = Verdict("broken", f"a new store does not go on: {said}")
        if verdict.kind != "ok":
            self._note(model, images, verdict)

    def _judge(self, found: Found) -> Verdict:
        if not found.ready and not found.problem:
            lost = bool(self._acknowledged)
            return Verdict("lost", f"nothing is there, although {self._acknowledged} were acknowledged") if lost else Verdict("ok")
        if not self._started:
            return Verdict("broken", found.problem or "there is something before anything was begun")
        return judge(found, self._recording.histories, self._acknowledged, self._started)

    def _note(self, model: str, images: Images, verdict: Verdict) -> None:
        tally = self._tally
        survived = model in SURVIVED
        if verdict.kind == "lost":
            tally.lost += 1
            tally.lost_survived += survived
            tally.worst = max([tally.worst, *(self._acknowledged[owner] - at for owner, at in verdict.at.items())])
        else:
            tally.broken += 1
            tally.broken_survived += survived
        if len([text for text, _ in tally.examples if text.startswith(verdict.kind)]) < 5:
            ops = self._recording.ops[max(0, self._at - 14) : self._at + 1]
            found = {name: len(content) for name, content in sorted(images.items())}
            lines = [f"{self._recording.setting}; {self._recording.how}", *map(str, ops), "power cut", self._disk.told()]
            lines += [f"what is there, by the model '{model}' ({LOSSES[model][0].__doc__ or 'as it says'}): {found}"]
            tally.examples.append((f"{verdict.kind}: {verdict.text}", "\n".join(lines)))


def reopen(setting: Setting, place: Path, found: Found) -> str:
    """What is wrong when Holdall opens the file, reads all of it, and writes on; '' if nothing is."""
    store = Store(setting.url(place), models=MODELS)
    try:
        read = tuple((item.id, item.owner, item.seq, item.value, item.text) for item in store[CrashItem].where().order_by("id").all())
        if read != found.items:
            return "it reads other records"
        store[CrashItem].create(id="~", owner=-1, seq=0, value=0, text="")
    finally:
        store.close()
    again = look(place / NAME, alone=False)
    if again.problem:
        return again.problem
    return "" if again.items == (*found.items, ("~", -1, 0, 0, "")) else "what it wrote is not there"


def sweep_many(
    settings: list[Setting],
    seed: int,
    count: int,
    over: Callable[[], bool],
    *,
    units: int = 40,
    draws: int = 10,
    only_survived: bool = False,
) -> Tally:
    """Recordings of the settings in turn, all their cuts, until `count` states were judged.

    `only_survived`: no power is cut, processes are killed.
    """
    tally, number = Tally(), 0
    draws, drawn = (3, SURVIVED) if only_survived else (_draws(count), DRAWN)
    while tally.states < count and not over():
        setting = settings[number % len(settings)]
        with folder() as place:
            recording = record(setting, (seed, str(setting), number), units, place)
        with folder() as scratch:
            Sweep(recording, scratch, (seed, number), tally, draws, drawn).run(count)
        number += 1
    return tally


def _draws(count: int) -> int:
    """How many chances each cut gets: few where little is to be done, so that the whole of a recording is seen."""
    return 3 if count < 5_000 else 12


def sweep_processes(setting: Setting, seed: int, count: int, over: Callable[[], bool], *, units: int) -> Tally:
    """As `sweep_many`, for recordings of two to four processes that write the same file."""
    tally, number = Tally(), 0
    while tally.states < count and not over():
        with folder() as place:
            asked = {"journal": setting.journal, "synchronous": setting.synchronous, "seed": f"{seed}/{number}", "units": units}
            in_own_process("record", {**asked, "writers": 2 + number % 3, "place": str(place)})
            recording = pickle.loads((place / "recording").read_bytes())
        with folder() as scratch:
            Sweep(recording, scratch, (seed, number), tally, _draws(count)).run(count)
        number += 1
    return tally


def sweep_recovery(settings: list[Setting], seed: int, count: int, over: Callable[[], bool], *, units: int = 25, draws: int = 4) -> Tally:
    """The power is cut, a store recovers and goes on, and the power is cut again."""
    tally, number = Tally(), 0
    while tally.states < count and not over():
        setting = settings[number % len(settings)]
        chance = random.Random(f"{seed}/{number}")
        with folder() as place:
            first = record(setting, (seed, str(setting), number), units, place)
        for images in _left_behind(first, chance, 12):
            with folder() as place, folder() as scratch:
                put(images, scratch)
                found = look(scratch / NAME)
                if not found.ready:
                    continue
                history = first.histories[0]
                at = judge(found, first.histories, {}, {0: len(history.states)}).at[0]
                stays = History([history.states[at]], [False], [""], earlier=history.tickets_at(at))
                second = record_recovery(setting, images, 0, stays, (seed, number), place)
                Sweep(second, scratch, (seed, number), tally, draws).run(count)
            if tally.states >= count or over():
                break
        number += 1
    return tally


def _left_behind(recording: Recording, chance: random.Random, how_many: int) -> list[Images]:
    """What some power cuts leave behind, most of them in the midst of writing."""
    disk, left = Disk(recording.before), []
    cuts = set(chance.sample(range(len(recording.ops)), min(how_many, len(recording.ops))))
    for at, op in enumerate(recording.ops):
        disk.do(op)
        if at in cuts:
            left.append(disk.images(chance.choice(("all", "subset", "sectors", "names")), chance))
    return left


def in_own_process(what: str, asked: dict[str, Any]) -> str:
    """Let `_crash_run` do something in a new process, that may fork because it has no threads; what it printed."""
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "proofs._crash_run", what, json.dumps(asked)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": paths}, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{what} failed:\n{done.stderr[-4000:]}")
    return done.stdout
