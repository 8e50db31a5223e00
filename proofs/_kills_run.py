"""kill -9, again and again: forks writers of one file, kills them at a random moment or at an exact operation, and judges the file.

It runs in a process of its own that has no threads and has imported everything (`_crash_run`), so that a writer costs one fork. The parent
knows what a writer does from its plan; the writer tells only that a unit returned, by one byte on a pipe.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import select
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import apsw

from holdall import Store
from holdall.testing.colours import COLOURS, coloured, finish
from proofs._crash_record import NAME, Setting, every_connection, folder
from proofs._crash_work import KINDS, MODELS, CrashItem, History, Plan, State, Unit, Verdict, judge, look, perform

ROUNDS_PER_FILE = 40
UNITS_MAX = 500  # a writer that nobody kills ends
PATIENCE_S = 20.0  # that long a living writer may do nothing
ACKNOWLEDGED, FAILED = b"a", b"!"


@dataclass
class Asked:
    """What is to be done. `writers` at most at once; `fault`: '' or a planted one, see `_Writer`."""

    seed: int
    kills: int
    seconds: float
    writers: int
    settings: list[list[str]]
    fault: str = ""


@dataclass
class Told:
    """What came of it."""

    kills: int = 0
    rounds: int = 0
    acknowledged: int = 0
    found: int = 0
    examples: list[tuple[str, str]] = field(default_factory=list)
    kept_unacknowledged: int = 0  # committed, but killed before it could say so
    undone: int = 0  # killed with a journal or a log that had something to undo or to keep
    at_operations: int = 0  # killed before, in or after an exact operation of SQLite on its files
    integrity_checks: int = 0
    seconds: float = 0.0


@dataclass
class _Child:
    """A writer, as its parent knows it."""

    pid: int
    owner: int
    pipe: int
    plan: Plan
    history: History
    states: list[State]
    acknowledged: int = 0
    said: bytes = b""
    ended: bool = False

    def up_to(self, index: int) -> None:
        """Make the history reach the unit with this index."""
        while len(self.history.states) <= index:
            unit = self.plan.next()
            self.history.add(unit)
            self.states.append(unit.after)


class Runner:
    """Rounds of killing on one file after the other."""

    def __init__(self, asked: Asked, place: Path) -> None:
        self._asked = asked
        self._place = place
        self._told = Told()
        self._chance = random.Random(asked.seed)

    def run(self) -> Told:
        """Until all kills are done or the time is over."""
        self._warm()
        started, number = time.monotonic(), 0
        while self._told.kills < self._asked.kills and time.monotonic() - started < self._asked.seconds:
            setting = Setting(*self._asked.settings[number % len(self._asked.settings)])
            _File(self._asked, setting, self._place / str(number), self._told, self._chance).run(started)
            shutil.rmtree(self._place / str(number))
            number += 1
        self._told.seconds = time.monotonic() - started
        return self._told

    def _warm(self) -> None:
        """Import and compile here what every child would import and compile anew."""
        place = self._place / "warm"
        place.mkdir()
        for colour in COLOURS:
            store = coloured(Store(Setting("wal", "full").url(place), models=MODELS), colour)
            work = _warm_units(store, Plan(colour, COLOURS.index(colour)))
            finish(work) if colour == "sync" else asyncio.run(work)
        look(place / NAME)
        shutil.rmtree(place)
        while threading.active_count() > 1:  # those of the asynchronous store are ending; who forks must have none
            time.sleep(0.001)
        gc.collect()
        gc.freeze()


async def _warm_units(store: Any, plan: Plan) -> None:
    kinds: set[str] = set()
    while len(kinds) < len(KINDS):
        unit = plan.next()
        kinds.add(unit.kind)
        await perform(store, unit)
    await store.close()


class _File:
    """One file, that each round's writers take over as the last ones left it."""

    def __init__(self, asked: Asked, setting: Setting, place: Path, told: Told, chance: random.Random) -> None:
        self.asked = asked
        self.setting = setting
        self.place = place
        self._told = told
        self._chance = chance
        self._known: dict[int, tuple[State, int, tuple[int, ...]]] = {}  # by writer: its state, its last unit, its tickets
        self._ready = False
        self._children: list[_Child] = []

    def run(self, started: float) -> None:
        """All rounds, or until something is wrong."""
        self.place.mkdir()
        for number in range(ROUNDS_PER_FILE):
            if self._told.kills >= self.asked.kills or time.monotonic() - started > self.asked.seconds:
                return
            how = self._round(number)
            said = self._judge(number)
            if said:
                self._told.found += 1
                if len(self._told.examples) < 5:
                    story = f"{self.setting}, file of seed {self.asked.seed}, round {number}: {how}"
                    self._told.examples.append((said, story))
                return

    # Killing.

    def _round(self, number: int) -> str:
        chance = self._chance
        count = chance.randrange(1 if self.asked.writers < 3 else 2, self.asked.writers + 1)
        way = chance.choice(("moment", "moment", "early", "operation", "operation"))
        self._children = []
        for owner in range(count):
            operation = chance.randrange(1, 120) if way == "operation" and owner == 0 else 0
            self._children.append(self._start(owner, number, operation))
        victim = self._children[0]
        if way == "early":
            time.sleep(chance.random() * 0.012)
        elif way == "moment":
            wanted = chance.randrange(7)
            self._listen(lambda: victim.ended or victim.acknowledged >= wanted)
            time.sleep(chance.random() * 0.002)
        else:
            self._listen(lambda: victim.ended)
            self._told.at_operations += 1
        rest = self._children[1:]
        if rest and chance.random() < 0.5:
            self._kill(victim)
            seen = {child.pid: child.acknowledged for child in rest}
            self._listen(lambda: all(child.ended or child.acknowledged > seen[child.pid] + 1 for child in rest))
        for child in self._children:
            self._kill(child)
        self._told.rounds += 1
        return f"{count} writers, killed by {way}; acknowledged {[child.acknowledged for child in self._children]}"

    def _start(self, owner: int, number: int, operation: int) -> _Child:
        state, base, tickets = self._known.get(owner, (State(), 0, ()))
        seed = f"{self.asked.seed}/{self.place.name}/{number}/{owner}"
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            for child in self._children:
                os.close(child.pipe)
            os.close(ours)
            _Writer(self, Plan(seed, owner, state, base), theirs, operation, random.Random(f"{seed}/writer")).live()
        os.close(theirs)
        os.set_blocking(ours, False)
        plan = Plan(seed, owner, state, base)
        return _Child(pid, owner, ours, plan, History.begin(state, base, tickets), [state])

    def _listen(self, enough: Callable[[], bool]) -> None:
        """Hear what the writers say until it is enough, or it takes too long."""
        poll = select.poll()
        by_pipe = {child.pipe: child for child in self._children if not child.ended}
        for pipe in by_pipe:
            poll.register(pipe, select.POLLIN | select.POLLHUP)
        until = time.monotonic() + PATIENCE_S
        while not enough():
            heard = poll.poll(max(0.0, until - time.monotonic()) * 1000)
            if not heard:
                waiting = [child.owner for child in by_pipe.values() if not child.ended]
                self._children[0].said += FAILED + f"writers {waiting} did not go on within {PATIENCE_S} s".encode()
                return
            for pipe, _ in heard:
                self._hear(by_pipe[pipe])
                if by_pipe[pipe].ended:
                    poll.unregister(pipe)

    def _hear(self, child: _Child) -> None:
        while True:
            try:
                data = os.read(child.pipe, 65536)
            except BlockingIOError:
                break
            if not data:
                child.ended = True
                break
            child.said += data
        child.acknowledged = len(child.said.partition(FAILED)[0])

    def _kill(self, child: _Child) -> None:
        if child.pid == 0:
            return
        os.kill(child.pid, signal.SIGKILL)
        _, status = os.waitpid(child.pid, 0)
        if os.WIFSIGNALED(status):
            self._told.kills += 1
        self._hear(child)
        os.close(child.pipe)
        child.pid = 0

    # Judging.

    def _judge(self, number: int) -> str:
        """What is wrong, or ''. Half of the time a copy is looked at, so that the next writers find the file as it was left."""
        acknowledged = {child.owner: child.acknowledged for child in self._children}
        self._told.acknowledged += sum(acknowledged.values())
        for child in self._children:
            _, failed, why = child.said.partition(FAILED)
            if failed:
                return f"writer {child.owner}: {why.decode(errors='replace')}"
            child.up_to(child.acknowledged + 1)
        place = self.place
        self._told.undone += any(
            (place / f"{NAME}{end}").exists() and (place / f"{NAME}{end}").stat().st_size for end in ("-wal", "-journal")
        )
        if number % 2:
            place = self.place / "copy"
            shutil.copytree(self.place, place, ignore=lambda *_: ["copy"])
        full = self._told.rounds % 10 == 0
        self._told.integrity_checks += full
        found = look(place / NAME, check="integrity_check" if full else "quick_check", alone=False)
        said = self._verdict(found, acknowledged) or (self._reread(place, found) if found.ready and full else "")
        if place != self.place:
            shutil.rmtree(place)
        return said

    def _verdict(self, found: Any, acknowledged: dict[int, int]) -> str:
        if not found.ready and not found.problem:
            return "nothing is there any more" if self._ready or any(acknowledged.values()) else ""
        self._ready = True
        histories = {child.owner: child.history for child in self._children}
        for owner, (state, base, tickets) in self._known.items():  # those who did not write in this round must be as they were
            histories.setdefault(owner, History.begin(state, base, tickets))
        most = {owner: len(histories[owner].states) - 1 for owner in histories}
        verdict: Verdict = judge(found, histories, acknowledged, most)
        if verdict.kind != "ok":
            return f"{verdict.kind}: {verdict.text}"
        for child in self._children:
            at = verdict.at[child.owner]
            self._told.kept_unacknowledged += at > child.acknowledged
            state, base, _ = self._known.get(child.owner, (State(), 0, ()))
            self._known[child.owner] = (child.states[at], base + at, child.history.tickets_at(at))
        return ""

    def _reread(self, place: Path, found: Any) -> str:
        """The same through Holdall."""
        store = Store(self.setting.url(place), models=MODELS)
        read = tuple((item.id, item.owner, item.seq, item.value, item.text) for item in store[CrashItem].where().order_by("id").all())
        store.close()
        return "" if read == found.items else "Holdall reads other records than SQLite"


class _Writer:
    """The child. `fault` 'early': it acknowledges before the unit is done; 'loose': it writes batches one by one."""

    def __init__(self, file: _File, plan: Plan, pipe: int, operation: int, chance: random.Random) -> None:
        self._fault = file.asked.fault
        self._setting = file.setting
        self._place = file.place
        self._plan = plan
        self._pipe = pipe
        self._operation = operation
        self._chance = chance

    def live(self) -> None:
        """Write until killed; never returns."""
        try:
            colour = self._chance.choice(("sync", "async"))
            with every_connection(self._chance.choice((4, 12, 1000)), 4096):
                vfs = _Killer(self._operation, self._chance) if self._operation else None
                finish(self._write("sync")) if colour == "sync" else asyncio.run(self._write("async"))
            del vfs
        except BaseException:  # noqa: BLE001  the parent reports it
            os.write(self._pipe, FAILED + traceback.format_exc()[-3000:].encode())
        os.kill(os.getpid(), signal.SIGKILL)

    async def _write(self, colour: Any) -> None:
        done = 0
        while done < UNITS_MAX:
            more = {"cache_mib": 0.03} if self._chance.random() < 0.3 else {}
            face = coloured(Store(self._setting.url(self._place, busy_timeout_s=PATIENCE_S / 2, **more), models=MODELS), colour)
            for _ in range(self._chance.randrange(3, 20)):
                done += 1
                await self._unit(face, self._plan.next())
            await face.close()

    async def _unit(self, face: Any, unit: Unit) -> None:
        if self._fault == "early":
            os.write(self._pipe, ACKNOWLEDGED)
        if self._fault == "loose" and unit.kind == "batch":
            for item in unit.args["items"]:
                await face[CrashItem].create(**item)
        else:
            await perform(face, unit)
        if self._fault != "early":
            os.write(self._pipe, ACKNOWLEDGED)


class _Killer(apsw.VFS):
    """Kills this process before, in or after the n-th operation on its files, locks included."""

    def __init__(self, operation: int, chance: random.Random) -> None:
        self.left = operation
        self.chance = chance
        super().__init__("killing", "unix", makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  apsw's name, here and below
        return _KillingFile(self, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802
        self.do(lambda: super(_Killer, self).xDelete(name, syncdir))

    def do(self, call: Callable[[], None], half: Callable[[], None] | None = None) -> None:
        self.left -= 1
        if self.left:
            call()
            return
        when = self.chance.choice(("before", "in", "after"))
        if when == "in" and half is not None:
            half()
        elif when != "before":
            call()
        os.kill(os.getpid(), signal.SIGKILL)


class _KillingFile(apsw.VFSFile):
    def __init__(self, killer: _Killer, name: Any, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._killer = killer

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        base = super().xWrite
        self._killer.do(lambda: base(data, offset), lambda: base(data[: self._killer.chance.randrange(len(data))], offset))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        base = super().xTruncate
        self._killer.do(lambda: base(newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        base = super().xSync
        self._killer.do(lambda: base(flags))

    def xLock(self, level: int) -> None:  # noqa: N802
        base = super().xLock
        self._killer.do(lambda: base(level))

    def xUnlock(self, level: int) -> None:  # noqa: N802
        base = super().xUnlock
        self._killer.do(lambda: base(level))


def run_kills(asked: dict[str, Any]) -> dict[str, Any]:
    """`Asked` to `Told`, as JSON has them."""
    with folder() as place:
        return asdict(Runner(Asked(**asked), place).run())
