"""Client-made keys: UUID version 7 (RFC 9562), rising within a process.

Owns the generator and its state: the only clock and lock of the model layer. Must not know models.

    bits   48               4     12             2     30            32
           unix time, ms    0111  counter, high  10    counter, low  random

The 42-bit counter starts at a random number in each new millisecond and counts up within it (RFC 9562, 6.2, method 1, as in CPython 3.14).
"""

from __future__ import annotations

import os
import threading
import time
from uuid import SafeUUID, UUID

_COUNTER_MAX = (1 << 42) - 1
_lock = threading.Lock()
_last_ms = 0
_counter = 0
_set = object.__setattr__


def uuid7() -> UUID:
    """A new UUIDv7, greater than every one made before in this process."""
    global _last_ms, _counter  # noqa: PLW0603 - the state of the generator; a class would only hide it
    now_ms = time.time_ns() // 1_000_000
    with _lock:
        if now_ms > _last_ms:
            _last_ms = now_ms
            _counter = int.from_bytes(os.urandom(6), "big") & (_COUNTER_MAX >> 1)  # upper half stays free to count into
        elif _counter == _COUNTER_MAX:
            _last_ms += 1  # borrowed from the future, so that order is kept
            _counter = int.from_bytes(os.urandom(6), "big") & (_COUNTER_MAX >> 1)
        else:
            _counter += 1
        ms, counter = _last_ms, _counter
    number = (
        (ms & 0xFFFF_FFFF_FFFF) << 80
        | 0x7 << 76
        | (counter >> 30) << 64
        | 0x2 << 62
        | (counter & 0x3FFF_FFFF) << 32
        | int.from_bytes(os.urandom(4), "big")
    )
    made = UUID.__new__(UUID)  # UUID(int=…) checks what is known here, and takes three times as long
    _set(made, "int", number)
    _set(made, "is_safe", SafeUUID.unknown)
    return made


def _reseed() -> None:
    """After a fork, the child starts a counter of its own; the lock may have been held by another thread."""
    global _last_ms, _lock  # noqa: PLW0603 - as above
    _last_ms = 0
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_reseed) if hasattr(os, "register_at_fork") else None
