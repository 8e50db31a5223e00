"""Lines: threads that run one at a time and are switched between the lines of chosen modules, as a chooser says.

Real threads, real code: a trace function stops each thread before every line (before every instruction where that is asked for) and
hands over to whom the chooser names. What they lock is replaced by a lock that knows this, so nobody waits outside. A choice of switches
is a schedule that can be played again. Must not know what the threads do.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

Pick = Callable[[Sequence[int], int], int]  # who may run, who runs -> who runs next


class Stuck(Exception):
    """All threads wait for each other."""


class Baton:
    """Held by the one thread that runs. `steps` counts the places at which it could have gone to another."""

    def __init__(self, pick: Pick, count: int) -> None:
        self.pick = pick
        self.turns = [threading.Semaphore(0) for _ in range(count)]
        self.ready = list(range(count))
        self.blocked: set[int] = set()
        self.steps = 0
        self.stuck = False

    def point(self, me: int) -> None:
        """A place at which another thread may go on."""
        self.steps += 1
        if len(self.ready) > 1:
            other = self.pick(self.ready, me)
            if other != me:
                self._hand(me, other)

    def _hand(self, me: int, other: int) -> None:
        self.turns[other].release()
        self.turns[me].acquire()
        if self.stuck:
            raise Stuck

    def block(self, me: int) -> None:
        """This thread cannot go on until somebody calls `unblock`."""
        self.ready.remove(me)
        self.blocked.add(me)
        if not self.ready:
            self._give_up(me)
            raise Stuck
        self._hand(me, self.pick(self.ready, me))

    def unblock(self) -> None:
        """Those who were blocked may try again."""
        self.ready = sorted({*self.ready, *self.blocked})
        self.blocked.clear()

    def _give_up(self, me: int) -> None:
        self.stuck = True
        for other, turn in enumerate(self.turns):
            if other != me:
                turn.release()

    def finish(self, me: int) -> None:
        """This thread has ended."""
        if self.stuck:
            return
        self.ready.remove(me)
        if self.ready:
            self.turns[self.pick(self.ready, me)].release()
        elif self.blocked:
            self._give_up(me)


class BatonLock:
    """A reentrant lock among threads that share a baton."""

    def __init__(self, here: threading.local) -> None:
        self.here = here
        self.owner: int | None = None
        self.count = 0

    def __enter__(self) -> None:
        baton, me = getattr(self.here, "who", (None, -1))
        while baton is not None and self.owner not in (None, me):
            baton.block(me)
        self.owner = me
        self.count += 1

    def __exit__(self, *exc: object) -> None:
        self.count -= 1
        if not self.count:
            self.owner = None
            baton = getattr(self.here, "who", (None, -1))[0]
            if baton is not None:
                baton.unblock()


def run_lines(
    calls: Sequence[Callable[[], Any]], pick: Pick, here: threading.local, traced: frozenset[str], closely: frozenset[str]
) -> tuple[list[Any], list[BaseException], int]:
    """Run the calls, each in its thread, switched between lines of the files `traced` (instructions in functions named in `closely`).

    Gives their results, their errors, and how many places there were to switch.
    """
    baton = Baton(pick, len(calls))
    results: list[Any] = [None] * len(calls)
    errors: list[BaseException] = []

    def body(me: int) -> None:
        def local(frame: FrameType, event: str, arg: Any) -> Any:
            if event == "opcode" or (event == "line" and not frame.f_trace_opcodes):
                baton.point(me)
            return local

        def trace(frame: FrameType, event: str, arg: Any) -> Any:
            code = frame.f_code
            if code.co_filename not in traced:
                return None
            if code.co_name in closely:
                frame.f_trace_opcodes = True
            return local

        baton.turns[me].acquire()
        here.who = (baton, me)
        sys.settrace(trace)
        try:
            results[me] = calls[me]()
        except BaseException as error:  # noqa: BLE001  the proof says whether a call may fail
            errors.append(error)
        finally:
            sys.settrace(None)
            baton.finish(me)

    threads = [threading.Thread(target=body, args=(me,), daemon=True) for me in range(len(calls))]
    for thread in threads:
        thread.start()
    baton.turns[pick(baton.ready, 0)].release()
    for thread in threads:
        thread.join()
    return results, errors, baton.steps
