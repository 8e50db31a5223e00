"""Recordings: Holdall stores at work on files whose every operation is written down.

By one process, by several at once, and while a store recovers from an earlier crash. Must not know what is made of a recording.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import random
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from holdall import Durability, Store
from holdall.testing.colours import coloured, finish
from proofs._crash_work import MODELS, History, Plan, perform
from proofs._disk import Disk, Images
from proofs._vfs import Op, Recorder

NAME = "crash.db"
ENGINE = f"SQLite {apsw.sqlite_lib_version()} through apsw {apsw.apsw_version()}"


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


SETTINGS = [
    Setting(journal, level)
    for journal in ("wal", "delete", "truncate", "persist", "memory")
    for level in ("off", "normal", "full", "extra")
]


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
    return _checked(Recording(setting, recorder.ops, {0: history}, how=f"{colour}, {shape | more}"), place)


def record_many(setting: Setting, seed: object, units: int, writers: int, place: Path) -> Recording:
    """Several processes, each with a store of its own on the same file, whose tables are there. Call it in a process without threads."""
    with closing(Store(setting.url(place), models=MODELS)) as store:
        store.ensure_schema()
    before = {path.name: path.read_bytes() for path in place.iterdir() if not path.name.endswith("-shm")}
    recorder = Recorder()
    children = [_forked(recorder, setting, (seed, owner), owner, units, place) for owner in range(writers)]
    for child in children:
        _, status = os.waitpid(child, 0)
        if status:
            raise RuntimeError(f"a writer ended with {status}")
    ops: list[Op] = []
    for owner in range(writers):
        ops += pickle.loads((place / f"ops-{owner}").read_bytes())
    plans = [Plan((seed, owner), owner) for owner in range(writers)]
    histories = {owner: History.begin() for owner in range(writers)}
    for owner, plan in enumerate(plans):
        for _ in range(units):
            histories[owner].add(plan.next())
    ops.sort(key=lambda op: op.number)
    return _checked(Recording(setting, ops, histories, before, dict.fromkeys(histories, 0), f"{writers} processes"), place)


def _forked(recorder: Recorder, setting: Setting, seed: object, owner: int, units: int, place: Path) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        chance = random.Random(repr(seed))
        colour = chance.choice(("sync", "async"))
        with every_connection(chance.choice((4, 12, 40)), 4096), recorder:
            face = coloured(Store(setting.url(place, busy_timeout_s=30), models=MODELS), colour)
            work = _units(face, recorder, Plan(seed, owner), units)
            finish(work) if colour == "sync" else asyncio.run(work)
        (place / f"ops-{owner}").write_bytes(pickle.dumps(recorder.ops))
        status = 0
    except BaseException:  # noqa: BLE001  the parent sees the status
        traceback.print_exc()
    os._exit(status)


async def _units(face: Any, recorder: Recorder, plan: Plan, units: int) -> None:
    for _ in range(units):
        unit = plan.next()
        recorder.mark("start", plan.owner, unit.seq)
        await perform(face, unit)
        recorder.mark("ack", plan.owner, unit.seq)
    await face.close()


def record_recovery(setting: Setting, images: Images, owner: int, history: History, seed: object, place: Path) -> Recording:
    """A store opens what a crash left, and another writer does some units. `history` is of the crashed one, whose state must stay."""
    put(images, place)
    recorder, plan = Recorder(), Plan(seed, owner + 1)
    mine = History.begin()
    with every_connection(12, 4096), recorder:
        finish(_units(coloured(Store(setting.url(place), models=MODELS), "sync"), recorder, plan, 4))
    again = Plan(seed, owner + 1)
    for _ in range(4):
        mine.add(again.next())
    histories = {owner: history, owner + 1: mine}
    return _checked(Recording(setting, recorder.ops, histories, images, dict.fromkeys(histories, 0), "after an earlier crash"), place)


def _checked(recording: Recording, place: Path) -> Recording:
    """The recording, if following it makes the very files that are there: nothing was done that was not seen."""
    disk = Disk(recording.before)
    for op in recording.ops:
        disk.do(op)
    made = disk.images("all", random.Random(0))
    real = {path.name: path.read_bytes() for path in place.glob(f"{NAME}*") if not path.name.endswith("-shm")}
    if made != real:
        raise RuntimeError(f"the recording made {_sizes(made)}, but there is {_sizes(real)}")
    return recording


def _sizes(images: Images) -> dict[str, int]:
    return {name: len(content) for name, content in images.items()}


def put(images: Images, place: Path) -> None:
    """Make the folder hold these files and no others of the database's."""
    for name in (NAME, f"{NAME}-journal", f"{NAME}-wal", f"{NAME}-shm"):
        content = images.get(name)
        if content is None:
            (place / name).unlink(missing_ok=True)
        else:
            (place / name).write_bytes(content)
