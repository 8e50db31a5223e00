"""The few methods a contestant offers, so that scenarios treat all of them alike. `get` and its like are attributes that hold a callable:
a library's own bound method can stand there with no wrapper in between.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from uuid import UUID

OURS = "Holdall"

PACKAGES = {
    "clearskies": "clear-skies",
    "django": "django",
    "peewee": "peewee",
    "pydantic": "pydantic",
    "sqlalchemy": "sqlalchemy>=2.1",
    "sqlmodel": "sqlmodel",
    "tinydb": "tinydb",
}
"""Module of `bench.peers` to what pip installs for it."""


class PeerMissing(Exception):
    """A peer's package is not installed. The message names what to install; a run without its peers would prove nothing."""


class SqlContestant(Protocol):
    """A library on a SQLite file of its own. Every one of them runs in WAL mode with synchronous=FULL."""

    name: str
    get: Callable[[UUID], object]
    """Read one record by key, as an object, in a transaction of its own."""
    read_all: Callable[[], Sequence[object]]
    """Read all records as objects."""
    insert_many: Callable[[Sequence[dict[str, Any]]], object]
    """Build an object from each dictionary and insert all of them in one transaction, the way meant for many."""
    insert_singly: Callable[[Sequence[dict[str, Any]]], object]
    """In one transaction: build an object, insert it, then the next, one statement each."""

    def remove_from(self, rank: int) -> None:
        """Delete the records with at least this rank: what inserts added."""
        ...

    def close(self) -> None: ...


class MemoryContestant(Protocol):
    """A library that keeps records in memory, filled when it is made."""

    name: str
    get: Callable[[UUID], object]
    in_city: Callable[[str], Sequence[object]]
    """Records whose city is the given one."""
    lowest: Callable[[int, int], Sequence[object]]
    """Records with at least the given rank, in order of rank, no more than the given number."""

    def close(self) -> None: ...


def load_peer(module: str) -> Any:
    """Import `bench.peers.<module>`; PeerMissing names what to install when its package is absent."""
    try:
        return importlib.import_module(f"bench.peers.{module}")
    except ModuleNotFoundError as error:
        raise PeerMissing(
            f"The peer {module!r} cannot be compared with: no module named {error.name!r}. Install it: pip install '{PACKAGES[module]}' "
            "(all peers: pip install -r bench/requirements.txt)."
        ) from error


def load_ours() -> tuple[Any, str]:
    """Import `bench.ours`. Gives (module, "") or, while Holdall lacks something the bench needs, (None, reason).

    A missing Holdall side is shown in every table, makes its targets `missing` and the command exit with 1.
    """
    try:
        return importlib.import_module("bench.ours"), ""
    except ImportError as error:
        return None, str(error).partition(" (")[0]  # what follows is a path of this machine
