"""Workers: threads that run blocking calls for event loops.

Owns the hand-over of results and what happens to them when the waiting task is cancelled. Must not know SQLite. One hand-over costs about
30 µs, half of what apsw's own asynchronous connections take per statement, and these threads do not keep the interpreter from ending.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Worker:
    """One thread that runs calls one after the other."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._run, name="holdall sqlite", daemon=True).start()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call  # do not keep the last result alive while waiting

    def stop(self) -> None:
        """End the thread when it has done what it was given."""
        self._calls.put(None)

    def post(self, call: Callable[[], None]) -> None:
        """Run a call that raises nothing, after those before it."""
        self._calls.put(call)

    async def call(
        self,
        function: Callable[..., T],
        *args: Any,
        after: Callable[[], object] | None = None,
        undo: Callable[[T], object] | None = None,
        stop: Callable[[], object] | None = None,
    ) -> T:
        """The result of function(*args), run in the thread; `after` is called there when it has ended, whatever came of it.

        When the waiting task is cancelled, `stop` is called to hurry the function up (never after it has ended), and `undo` gets the
        result that nobody will see, in the thread, as soon as there is one.
        """
        job: _Job[T] = _Job(asyncio.get_running_loop(), function, args, after, undo)
        self.post(job.run)
        try:
            await job.future
        except BaseException:
            if not job.abandon(stop):
                self.post(job.dispose)
            raise
        if job.error is not None:
            raise job.error
        return job.result


class _Job(Generic[T]):
    __slots__ = ("abandoned", "after", "args", "error", "function", "future", "lock", "loop", "over", "result", "undo")
    result: T

    def __init__(self, loop: asyncio.AbstractEventLoop, function: Callable[..., T], args: tuple[Any, ...], after: Any, undo: Any) -> None:
        self.loop = loop
        self.future: asyncio.Future[None] = loop.create_future()
        self.function = function
        self.args = args
        self.after = after
        self.undo = undo
        self.lock = threading.Lock()
        self.error: BaseException | None = None
        self.over = self.abandoned = False

    def run(self) -> None:
        try:
            self.result = self.function(*self.args)
        except BaseException as error:  # noqa: BLE001  it is raised where the result is awaited
            self.error = error
        with self.lock:
            self.over = True
            abandoned = self.abandoned
        if self.after is not None:
            self.after()
        if abandoned:
            self.dispose()
            return
        try:
            self.loop.call_soon_threadsafe(_wake, self.future)
        except RuntimeError:  # the event loop is closed: nobody will see the result
            self.dispose()

    def abandon(self, stop: Callable[[], object] | None) -> bool:
        """Nobody waits any more. True if `run` will dispose of the result, False if it has ended already."""
        with self.lock:
            self.abandoned = True
            if not self.over and stop is not None:
                stop()
            return not self.over

    def dispose(self) -> None:
        """Undo a result that nobody sees, once."""
        undo, self.undo = self.undo, None
        if undo is not None and self.error is None:
            undo(self.result)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
