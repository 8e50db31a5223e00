"""Sessions: open transactions, and which process they belong to.

Owns the handle that `tx` is. Must not know how one is ended.
"""

from __future__ import annotations

import os
from typing import Any

from holdall.backends.sqlite.perform.lane import Lane, Mode

_forks = 0  # counted up in every child


def _forked() -> None:
    global _forks  # noqa: PLW0603  it is about the process itself
    _forks += 1


os.register_at_fork(after_in_child=_forked)


def forks() -> int:
    """How often this process's line was forked since the first import."""
    return _forks


class Session:
    """An open transaction: what `tx` is. `open` is False once it has been committed or rolled back; `deadline` is by time.monotonic."""

    __slots__ = ("__weakref__", "deadline", "forks", "lane", "mode", "open", "owner", "read_only", "savepoints")

    def __init__(self, owner: Any, lane: Lane, mode: Mode, deadline: float | None) -> None:
        self.owner = owner
        self.lane = lane
        self.mode: Mode = mode
        self.read_only = mode == "read"
        self.open = True
        self.deadline = deadline
        self.forks = forks()
        self.savepoints = 0

    def __del__(self) -> None:
        # Nobody can end it any more: its thread or event loop is gone. A collector may run at any moment, so this only leaves a note.
        if self.open and self.forks == forks():
            self.owner.abandoned.append((self.lane, self.mode))
