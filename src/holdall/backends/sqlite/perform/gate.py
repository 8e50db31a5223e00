"""Gate: a first-come-first-served limit that threads and tasks can wait at together.

SQLite lets one connection write at a time and makes the others sleep and try again, in no order. Waiting here first costs no sleeping,
is fair, and blocks no worker thread of the asynchronous side. Must not know SQLite.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress


class _Waiter:
    __slots__ = ("gone", "granted", "wake")

    def __init__(self, wake: Callable[[], object]) -> None:
        self.wake = wake
        self.granted = False
        self.gone = False


class Gate:
    """At most `permits` holders at a time."""

    def __init__(self, permits: int) -> None:
        self._lock = threading.Lock()
        self._free = permits
        self._waiters: deque[_Waiter] = deque()

    def _try(self) -> bool:
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            return False

    def _join(self, wake: Callable[[], object]) -> _Waiter | None:
        """A place in the queue; None if a permit was free and is now held."""
        with self._lock:
            if self._free:
                self._free -= 1
                return None
            waiter = _Waiter(wake)
            self._waiters.append(waiter)
            return waiter

    def _leave(self, waiter: _Waiter) -> bool:
        """Give up waiting; True if the permit was granted meanwhile (and is held)."""
        with self._lock:
            waiter.gone = True
            return waiter.granted

    def acquire(self, timeout_s: float) -> bool:
        """Hold a permit; False if none was free within that many seconds."""
        if self._try():
            return True
        signal = threading.Lock()
        signal.acquire()
        waiter = self._join(signal.release)
        if waiter is None or signal.acquire(timeout=min(timeout_s, threading.TIMEOUT_MAX)):
            return True
        return self._leave(waiter)

    async def acquire_async(self, timeout_s: float) -> bool:
        """As acquire, without blocking the event loop; a cancelled wait holds nothing."""
        if self._try():
            return True
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        waiter = self._join(lambda: loop.call_soon_threadsafe(_done, future))
        if waiter is None:
            return True
        try:
            await asyncio.wait({future}, timeout=timeout_s)
        except BaseException:
            if self._leave(waiter):
                self.release()
            raise
        return waiter.granted or self._leave(waiter)

    def release(self) -> None:
        """Give the permit to the one who has waited longest, or back."""
        while True:
            with self._lock:
                waiter = self._waiters.popleft() if self._waiters else None
                if waiter is None:
                    self._free += 1
                    return
                if waiter.gone:
                    continue
                waiter.granted = True
            with suppress(RuntimeError):  # its event loop is closed: nobody will come
                waiter.wake()
                return


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
