"""Client-made keys: UUID version 7 (RFC 9562), rising within a process.

Owns the generator and its state: the only clock and lock of the model layer. Must not know models.

    bits   48               4     12       2     62
           unix time, ms    0111  random   10    random, rising

Within one millisecond the last 62 bits rise by a random step of up to 32 bits (RFC 9562, 6.2, method 2); they start with a zero bit, so
that about 2**29 keys fit. Random bits come from the operating system, a block at a time, because one system call a key would cost
more than all the rest.
"""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Iterator
from uuid import UUID, SafeUUID

_BLOCK = struct.Struct("1024I")
_RISING = (1 << 62) - 1
_set = object.__setattr__
_new = object.__new__
_unknown = SafeUUID.unknown
_now_ns = time.time_ns


class _Generator:
    """The state of a process: the last millisecond, the last key, the last that fits, random numbers not used yet."""

    __slots__ = ("key", "last_ms", "lock", "most", "random")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.last_ms = 0
        self.key = self.most = 0
        self.random: Iterator[int] = iter(())

    def next(self) -> int:
        """The next key as a number; call it with the lock held."""
        now_ms = _now_ns() // 1_000_000
        if now_ms > self.last_ms:
            return self._start(now_ms)
        try:
            self.key += next(self.random) + 1
        except StopIteration:
            self.key += self._refill() + 1
        if self.key > self.most:
            return self._start(self.last_ms + 1)  # borrowed from the future, so that order is kept
        return self.key

    def _start(self, ms: int) -> int:
        self.last_ms = ms
        bits = int.from_bytes(os.urandom(10), "big")
        head = ms << 80 | 0x7000 << 64 | (bits >> 68) << 64 | 2 << 62
        self.most = head | _RISING
        self.key = head | bits & (_RISING >> 1)
        return self.key

    def _refill(self) -> int:
        self.random = iter(_BLOCK.unpack(os.urandom(_BLOCK.size)))
        return next(self.random)


_state = _Generator()


def uuid7() -> UUID:
    """A new UUIDv7, greater than every one made before in this process."""
    state = _state
    with state.lock:
        number = state.next()
    made = _new(UUID)  # UUID(int=…) checks what is known here, and takes three times as long
    _set(made, "int", number)
    _set(made, "is_safe", _unknown)
    return made


def _start_again() -> None:
    """After a fork the child has a state of its own; the lock may have been held by another thread."""
    global _state  # noqa: PLW0603 - one generator for a process, and this is another process
    _state = _Generator()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_again)
