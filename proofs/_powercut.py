"""Power cuts: a Holdall store is recorded at work, then the power is cut after every operation, in every way the disk allows.

Owns recordings, the sweep over their cuts, and its report. What is written and how it is judged is in `_crash_work`, what a disk may
lose in `_disk`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from holdall import Durability, Store
from holdall.testing.colours import coloured, finish
from proofs._crash_work import MODELS, CrashItem, Found, History, Plan, Verdict, judge, look, perform
from proofs._disk import MODELS as LOSSES
from proofs._disk import SURVIVED, Disk, Images
from proofs._vfs import Op, Recorder

NAME = "crash.db"
DRAWN = ("killed", "none", "names", "contents", "torn", "subset", "subset", "sectors", "sectors", "sectors", "grown", "grown")


@dataclass(frozen=True)
class Setting:
    """How the store is opened."""

    journal: str
    synchronous: str

    def __str__(self) -> str:
        return f"{self.journal}, {self.synchronous}"

    def url(self, folder: Path, **more: Any) -> str:
        options = {"journal_mode": self.journal, "synchronous": self.synchronous, **more}
        return f"sqlite:///{folder / NAME}?" + "&".join(f"{name}={value}" for name, value in options.items())

    @property
    def declared(self) -> Durability:
        """What the backend says that such a store survives."""
        return Store(self.url(Path("/nowhere"))).describe().durability


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder, in memory where there is such a thing."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="holdall-crash-", dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


@contextlib.contextmanager
def every_connection(autocheckpoint: int, page_size: int) -> Iterator[None]:
    """SQLite's own defaults need thousands of writes until a checkpoint: a small one comes often."""

    def configure(connection: Any) -> None:
        connection.wal_autocheckpoint(autocheckpoint)
        connection.pragma("page_size", page_size)  # of a file that is yet to be made

    apsw.connection_hooks.append(configure)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(configure)


@dataclass
class Recording:
    """What was done to the files, with marks ('start' or 'ack', writer, unit), and the states the writers went through. `before` is what
    was there already, surely, and `known` how many units of each writer were."""

    setting: Setting
    ops: list[Op]
    histories: dict[int, History]
    before: Images = field(default_factory=dict)
    known: dict[int, int] = field(default_factory=dict)
    how: str = ""


def record(setting: Setting, seed: object, units: int, place: Path) -> Recording:
    """One store, one writer, from a file that is not there yet: its tables are unit 0. It closes and opens the store now and then."""
    chance = random.Random(repr(seed))
    shape = {"autocheckpoint": chance.choice((4, 12, 40)), "page_size": chance.choice((4096, 4096, 1024))}
    more = {"cache_mib": 0.03} if chance.random() < 0.4 else {}  # so small that pages are written before the commit
    colour = chance.choice(("sync", "async"))
    recorder, plan, history = Recorder(), Plan((seed, "plan"), 0), History.begin()

    async def write() -> None:
        left = units
        while left:
            store = Store(setting.url(place, **more), models=MODELS)
            face = coloured(store, colour)
            recorder.mark("start", 0, 0)
            await face.ensure_schema()
            recorder.mark("ack", 0, 0)
            for _ in range(chance.randrange(5, 30)):
                if not left:
                    break
                left -= 1
                unit = plan.next()
                history.add(unit)
                recorder.mark("start", 0, unit.seq)
                await perform(face, unit)
                recorder.mark("ack", 0, unit.seq)
            await face.close()

    with every_connection(**shape), recorder:
        if colour == "sync":
            finish(write())
        else:
            asyncio.run(write())
    return Recording(setting, recorder.ops, {0: history}, how=f"{colour}, {shape | more}")


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

    def __init__(self, recording: Recording, scratch: Path, seed: object, tally: Tally, draws: int) -> None:
        self._recording = recording
        self._scratch = scratch
        self._chance = random.Random(repr(seed))
        self._tally = tally
        self._draws = draws
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
                self._state(self._chance.choice(DRAWN))

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


def put(images: Images, place: Path) -> None:
    """Make the folder hold these files and no others of the database's."""
    for name in (NAME, f"{NAME}-journal", f"{NAME}-wal", f"{NAME}-shm"):
        content = images.get(name)
        if content is None:
            (place / name).unlink(missing_ok=True)
        else:
            (place / name).write_bytes(content)


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


def sweep_many(settings: list[Setting], seed: int, count: int, over: Any, *, units: int = 40, draws: int = 10) -> Tally:
    """Recordings of the settings in turn, all their cuts, until `count` states were judged."""
    tally, number = Tally(), 0
    while tally.states < count and not over():
        setting = settings[number % len(settings)]
        with folder() as place:
            recording = record(setting, (seed, str(setting), number), units, place)
        with folder() as scratch:
            Sweep(recording, scratch, (seed, number), tally, draws).run(count)
        number += 1
    return tally
