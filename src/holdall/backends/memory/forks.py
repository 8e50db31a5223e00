"""Forks: a child gets memory stores that are whole, with locks that are free.

Owns the wait before a fork. Must not know what the locks protect.
"""

from __future__ import annotations

import os
import weakref
from typing import Any

_owners: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()
_held: list[Any] = []


def whole_at_forks(owner: Any, lock: Any) -> None:
    """Fork only while no other thread holds this lock, for as long as `owner` lives."""
    _owners[owner] = lock


def _before() -> None:
    for lock in list(_owners.values()):
        lock.acquire()
        _held.append(lock)


def _after() -> None:
    while _held:
        _held.pop().release()


os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
