"""The performer: effects on a pool of lanes, in both colours.

Owns the pool, sessions (open transactions), the turn to write, and what a forked child may touch. Must not know SQL.

A statement without a session borrows the lane used last, on the calling thread or, for an event loop, on the lane's own thread; a session
keeps its lane until its end. Writers of this process queue at a gate (SQLite would let them poll); other processes are met by SQLite's
busy handler. Whoever waits for the gate holds no lane, so nobody waits for someone who waits for him.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import apsw

from holdall.backends.sql import effects
from holdall.backends.sqlite.perform.failures import failure
from holdall.backends.sqlite.perform.gate import Gate
from holdall.backends.sqlite.perform.lane import Lane, Mode, Settings
from holdall.backends.sqlite.perform.session import Session, forks
from holdall.backends.sqlite.perform.worker import Worker
from holdall.errors import DeadlineExceeded, HoldallError, LockTimeout, ProgrammingError, TransactionDoomed, Unsupported

IDLE_LANES_MAX = 8  # kept open for the next caller
ASYNC_LANES_MAX = 8  # threads that serve statements without a session
SESSIONS_MAX = 64

_performers: WeakSet[Performer] = WeakSet()


def _forked() -> None:
    """In a child: the parent's connections must not be used, and not even be closed, which would drop the parent's locks."""
    for performer in list(_performers):
        performer.disown()


os.register_at_fork(after_in_child=_forked)


class Performer:
    """Does effects on one database."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closed = False
        self._orphan = False
        self.verified = False
        self._start()
        _performers.add(self)
        self._sync: dict[type, Callable[[Any], Any]] = {
            effects.Read: self._read,
            effects.ReadMany: self._read_many,
            effects.Write: self._write,
            effects.WriteReturning: self._write_returning,
            effects.WriteMany: self._write_many,
            effects.Control: self._control,
            effects.Dangling: self._dangling,
            effects.Begin: self._begin,
            effects.Commit: self._commit,
            effects.Rollback: self._rollback,
            effects.Native: self._native,
            effects.Open: self._open,
            effects.Close: self._close,
        }

    def _start(self) -> None:
        self._idle: list[Lane] = []
        self._sessions: WeakSet[Session] = WeakSet()  # weak: one that nobody holds is undone, see `abandoned`
        self.abandoned: deque[tuple[Lane, Mode]] = deque()
        self._writing = Gate(1)
        self._room = Gate(SESSIONS_MAX)
        self._async_room = Gate(ASYNC_LANES_MAX)
        self._own = threading.local()
        self._natives: list[Lane] = []
        self._anchor: Lane | None = None
        self._opener: Worker | None = None

    # The pool.

    def lease(self) -> Lane:
        """A lane for the caller alone, until `give_back`."""
        if self.abandoned:
            self._reap()
        try:
            lane = self._idle.pop()
            while lane.closed:  # given back by its thread when its transaction, which nobody held any more, was undone
                lane = self._idle.pop()
        except IndexError:
            return self._opened()
        return lane

    def _opened(self) -> Lane:
        if self._orphan:
            raise ProgrammingError(
                "This in-memory database belongs to the process that was forked; the child cannot see it.",
                hint="Make the store in the child, or keep it in a file.",
            )
        if self._closed:
            raise ProgrammingError("The store is closed.", hint="Open it again, or keep it open for as long as it is used.")
        if self.settings.memory and self._anchor is None:
            self._anchor = Lane(self.settings)  # an in-memory database lives as long as one connection to it
        lane = Lane(self.settings)
        self.verified = True
        return lane

    def give_back(self, lane: Lane) -> None:
        """Return a leased lane."""
        if self._closed or len(self._idle) >= IDLE_LANES_MAX:
            lane.close()
        else:
            self._idle.append(lane)

    def _reap(self) -> None:
        """Undo the transactions that nobody holds any more."""
        while True:
            try:
                lane, mode = self.abandoned.popleft()
            except IndexError:
                return
            with suppress(apsw.Error):
                lane.close()  # it may have been collected with its transaction, which ended its thread; closing it undoes what is open
            if mode != "read":
                self._writing.release()
            self._room.release()

    def __del__(self) -> None:
        opener = getattr(self, "_opener", None)
        if opener is not None:  # the thread must not outlive a store that nobody closed
            opener.stop()

    def disown(self) -> None:
        """In a forked child: start anew, and make the parent's connections immortal, so that nothing closes them here."""
        lanes = [*self._idle, *(session.lane for session in self._sessions), *self._natives, self._anchor]
        lanes += [lane for lane, _ in self.abandoned]
        for lane in lanes:
            if lane is not None:
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(lane.connection))
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(lane.cursor))
        self._orphan = self._orphan or self._anchor is not None
        self._start()

    def session_lane(self, session: Session) -> Lane:
        """The lane of an open session."""
        if session.forks != forks():
            raise ProgrammingError(
                "The transaction was begun in another process, before a fork.", hint="Begin it in the process that uses it."
            )
        if not session.open:
            raise TransactionDoomed("The transaction has ended.", hint="Begin a new one.")
        if session.deadline is not None and time.monotonic() > session.deadline:
            self.rollback(session)
            raise DeadlineExceeded("The transaction took longer than it was allowed to; it is rolled back.", hint="Allow it more time.")
        lane = session.lane
        try:
            lane.require_transaction()
        except apsw.Error as error:  # two threads at once
            raise failure(error) from error
        return lane

    # Blocking.

    def perform(self, effect: Any) -> Any:
        """Do one effect on the calling thread."""
        return self._sync[effect.__class__](effect)

    def _read(self, effect: effects.Read) -> Any:
        tx = effect.tx
        if tx is not None:
            return self.session_lane(tx).read(effect.text, effect.params, effect.decode)
        lane = self.lease()
        try:
            return lane.read(effect.text, effect.params, effect.decode)
        finally:
            self.give_back(lane)

    def _read_many(self, effect: effects.ReadMany) -> Any:
        if effect.tx is not None:
            return self.session_lane(effect.tx).read_many(effect.text, effect.rows, effect.decode)
        lane = self.lease()
        try:
            return lane.read_many(effect.text, effect.rows, effect.decode)
        finally:
            self.give_back(lane)

    def _write(self, effect: effects.Write) -> int:
        if effect.tx is not None:
            return self.session_lane(effect.tx).write(effect.text, effect.params, effect.entity)
        return self._alone(Lane.write, effect.text, effect.params, effect.entity)  # type: ignore[no-any-return]  # a method given by name

    def _write_returning(self, effect: effects.WriteReturning) -> Any:
        if effect.tx is not None:
            return self.session_lane(effect.tx).write_returning(effect.text, effect.params, effect.entity, effect.decode)
        return self._alone(Lane.write_returning, effect.text, effect.params, effect.entity, effect.decode)

    def _write_many(self, effect: effects.WriteMany) -> Any:
        return self.session_lane(effect.tx).write_many(effect.text, effect.rows, effect.entity)

    def _control(self, effect: effects.Control) -> None:
        return self.session_lane(effect.tx).control(effect.text)

    def _dangling(self, effect: effects.Dangling) -> bool:
        return self.session_lane(effect.tx).dangling()

    def _native(self, effect: effects.Native) -> Any:
        if effect.tx is not None:
            lane = self.session_lane(effect.tx)
            reply = lane.native(effect.text, effect.params)
            lane.require_transaction()
            return reply
        return self._alone(_native_alone, effect.text, effect.params)

    def _alone(self, method: Callable[..., Any], *args: Any) -> Any:
        """A statement that is a transaction of its own, in its turn to write."""
        self._take_turn(self.settings.busy_timeout_s)
        try:
            lane = self.lease()
            try:
                return lane.alone(method, *args)
            finally:
                self.give_back(lane)
        finally:
            self._writing.release()

    def _take_turn(self, wait_s: float) -> None:
        self._take(self._writing, wait_s, _turn_timeout)

    def _take(self, gate: Gate, wait_s: float, error: Callable[[float], LockTimeout]) -> None:
        """A permit; it may be held by a transaction that nobody holds, also by one that was left while this waited."""
        for _ in range(2):
            if self.abandoned:
                self._reap()
            if gate.acquire(wait_s):
                return
            if not self.abandoned:
                break
        raise error(wait_s)

    async def _take_async(self, gate: Gate, wait_s: float, error: Callable[[float], LockTimeout]) -> None:
        for _ in range(2):
            if self.abandoned:
                self._reap()
            if await gate.acquire_async(wait_s):
                return
            if not self.abandoned:
                break
        raise error(wait_s)

    def _begin(self, effect: effects.Begin) -> Session:
        deadline, wait_s = self._times(effect)
        self._take(self._room, wait_s, _room_timeout)
        turn = False
        try:
            if not effect.read_only:
                self._take_turn(wait_s)
                turn = True
            return self._begun(self.lease(), _mode(effect), wait_s, deadline)
        except BaseException:
            if turn:
                self._writing.release()
            self._room.release()
            raise

    def _begun(self, lane: Lane, mode: Mode, wait_s: float, deadline: float | None) -> Session:
        try:
            lane.begin(mode, wait_s, deadline)
        except BaseException:
            self.give_back(lane)
            raise
        session = Session(self, lane, mode, deadline)
        self._sessions.add(session)
        return session

    def _times(self, effect: effects.Begin) -> tuple[float | None, float]:
        """When the transaction must have ended (None: whenever), and how long it may wait to begin."""
        if effect.timeout_s is None:
            return None, self.settings.busy_timeout_s
        return time.monotonic() + effect.timeout_s, min(self.settings.busy_timeout_s, effect.timeout_s)

    def _commit(self, effect: effects.Commit) -> None:
        session = effect.tx
        lane = self.session_lane(session)
        try:
            lane.commit(session.mode)
        finally:
            self._end(session)

    def _rollback(self, effect: effects.Rollback) -> None:
        self.rollback(effect.tx)

    def rollback(self, session: Session) -> None:
        """Undo a session; one that has ended, or that belongs to the process before a fork, is left alone."""
        if not session.open or session.forks != forks():
            return
        try:
            session.lane.rollback(session.mode)
        except apsw.ThreadingViolationError as error:  # another thread is using it right now: it stays open
            raise failure(error) from error
        except apsw.Error:
            # Nothing more can be done with this connection; closing it undoes the transaction too.
            session.lane.close()
        self._end(session)

    def _end(self, session: Session) -> None:
        session.open = False
        self._sessions.discard(session)
        if not session.lane.closed:
            self.give_back(session.lane)
        if not session.read_only:
            self._writing.release()
        self._room.release()

    def _open(self, effect: effects.Open) -> None:  # noqa: ARG002  as its neighbours
        self._closed = False
        self.give_back(self.lease())

    def _close(self, effect: effects.Close) -> None:  # noqa: ARG002  as its neighbours
        self._closed = True
        self._reap()
        for session in list(self._sessions):
            session.lane.connection.interrupt()
            self._patiently(lambda one=session: self.rollback(one))  # type: ignore[misc]  # bound in the loop
        lanes = self._idle[:]
        self._idle.clear()
        if self._anchor is not None:
            lanes.append(self._anchor)
            self._anchor = None
        lanes += self._natives
        self._natives.clear()
        self._own = threading.local()
        for lane in lanes:
            self._patiently(lane.close)
        if self._opener is not None:
            self._opener.stop()
            self._opener = None

    @staticmethod
    def _patiently(call: Callable[[], None]) -> None:
        """A connection that another thread is using cannot be rolled back until its interrupted statement has returned."""
        for _ in range(100):
            with suppress(apsw.ThreadingViolationError, HoldallError):
                call()
                return
            time.sleep(0.01)

    def native(self) -> Any:
        """A connection for the calling thread's own use, the same one every time."""
        lane = getattr(self._own, "lane", None)
        if lane is None or lane.closed:
            lane = self._own.lane = self.lease()
            self._natives.append(lane)
        return lane.connection

    # For event loops: the same calls, on the lanes' threads.

    async def aperform(self, effect: Any) -> Any:
        """Do one effect; blocking work is done by a lane's thread."""
        kind = effect.__class__
        if kind is effects.Begin:
            return await self._begin_async(effect)
        tx = getattr(effect, "tx", None)
        if tx is not None:
            return await self._in_session(effect, tx)
        if kind is effects.Close:
            return self._close(effect)
        if kind in (effects.Read, effects.ReadMany, effects.Open):
            return await self._on_any_lane(effect, None)
        await self._take_async(self._writing, self.settings.busy_timeout_s, _turn_timeout)
        return await self._on_any_lane(effect, self._writing)

    async def _in_session(self, effect: Any, session: Session) -> Any:
        if not session.open or session.forks != forks():
            return self.perform(effect)  # an error, or nothing to do
        lane = session.lane
        stop = None if effect.__class__ in (effects.Commit, effects.Rollback) else lane.stop
        return await lane.worker.call(self.perform, effect, after=lane.go_on, stop=stop)

    async def _on_any_lane(self, effect: Any, held: Gate | None) -> Any:
        """Do an effect without a session; the gate `held` is released when it has ended, also if nobody waits for it any more."""
        wait_s = self.settings.busy_timeout_s
        gates = [] if held is None else [held]
        try:
            await self._take_async(self._async_room, wait_s, _room_timeout)
            gates.append(self._async_room)
            lane = await self._lease_async()
        except BaseException:
            for gate in gates:
                gate.release()
            raise

        def after() -> None:
            lane.go_on()
            self.give_back(lane)
            for gate in gates:
                gate.release()

        if effect.__class__ is effects.Open:
            return after()
        return await lane.worker.call(_on_lane, lane, effect, after=after, stop=lane.stop)

    async def _lease_async(self) -> Lane:
        """A lane; opening one reads the file, so a thread does it."""
        if self.abandoned:
            self._reap()
        if self._idle:
            return self.lease()
        if self._opener is None:
            self._opener = Worker()
        return await self._opener.call(self.lease, undo=self.give_back)

    async def _begin_async(self, effect: effects.Begin) -> Session:
        deadline, wait_s = self._times(effect)
        await self._take_async(self._room, wait_s, _room_timeout)
        turn = False
        try:
            if not effect.read_only:
                await self._take_async(self._writing, wait_s, _turn_timeout)
                turn = True
            lane = await self._lease_async()
        except BaseException:
            if turn:
                self._writing.release()
            self._room.release()
            raise

        def begin() -> Session:
            try:
                return self._begun(lane, _mode(effect), wait_s, deadline)
            except BaseException:
                if not effect.read_only:
                    self._writing.release()
                self._room.release()
                raise

        return await lane.worker.call(begin, undo=self.rollback)


def _mode(effect: effects.Begin) -> Mode:
    return "read" if effect.read_only else "unchecked" if effect.unchecked else "write"


def _on_lane(lane: Lane, effect: Any) -> Any:
    kind = effect.__class__
    if kind is effects.Read:
        return lane.read(effect.text, effect.params, effect.decode)
    if kind is effects.ReadMany:
        return lane.read_many(effect.text, effect.rows, effect.decode)
    if kind is effects.Write:
        return lane.alone(Lane.write, effect.text, effect.params, effect.entity)
    if kind is effects.WriteReturning:
        return lane.alone(Lane.write_returning, effect.text, effect.params, effect.entity, effect.decode)
    if kind is effects.Native:
        return lane.alone(_native_alone, effect.text, effect.params)
    raise ProgrammingError(f"{kind.__name__} needs a transaction.")


def _native_alone(lane: Lane, text: str, params: Any) -> Any:
    reply = lane.native(text, params)
    if lane.connection.in_transaction:
        lane.rollback("write")
        raise Unsupported(
            "The statement began a transaction that nobody would end; it was rolled back.", hint="Use the store's transaction()."
        )
    return reply


def _turn_timeout(wait_s: float) -> LockTimeout:
    return LockTimeout(
        f"Another transaction of this process was still writing after {wait_s:g} s.",
        hint="SQLite has one writer at a time: keep transactions short, or allow more with ?busy_timeout_s=….",
    )


def _room_timeout(wait_s: float) -> LockTimeout:
    return LockTimeout(
        f"{SESSIONS_MAX} transactions are open already, and none ended within {wait_s:g} s.", hint="Keep transactions short."
    )
