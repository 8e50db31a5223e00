"""Effects of the memory backend: everything its programs ask for, one request each.

Owns the requests as frozen data. Must not do anything. (msgspec structs: a frozen dataclass takes ten times as long to make, and one is
made for every call.)
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from holdall.backends.capabilities import Isolation
from holdall.backends.port import Atomicity, Key, Native, Write
from holdall.program import Effect, Role
from holdall.query import Lock
from holdall.schema import Entity


class Fetch(Effect, msgspec.Struct, frozen=True, gc=False):
    """Rows by key, in order; None for absent or expired ones."""

    role: ClassVar[Role] = "read"
    entity: Entity
    keys: Sequence[Key]
    tx: Any
    now: dt.datetime | None
    lock: Lock | None


class Query(Effect, msgspec.Struct, frozen=True, gc=False):
    """All rows of a plan."""

    role: ClassVar[Role] = "read"
    plan: Native
    tx: Any


class Page(Effect, msgspec.Struct, frozen=True, gc=False):
    """One page of rows of a plan, in order of their keys, after `cursor`."""

    role: ClassVar[Role] = "read"
    plan: Native
    cursor: Any
    page_rows: int
    tx: Any


class Apply(Effect, msgspec.Struct, frozen=True, gc=False):
    """A batch of writes."""

    role: ClassVar[Role] = "write"
    batch: Sequence[Write]
    atomicity: Atomicity
    tx: Any
    now: dt.datetime | None


class Register(Effect, msgspec.Struct, frozen=True, gc=False):
    """Make room for these entities."""

    role: ClassVar[Role] = "write"
    entities: Sequence[Entity]


class Clear(Effect, msgspec.Struct, frozen=True, gc=False):
    """Remove all rows of these entities; with `forget` the entities too."""

    role: ClassVar[Role] = "write"
    entities: Sequence[Entity]
    forget: bool = False


class Close(Effect, msgspec.Struct, frozen=True, gc=False):
    """Roll back what is open."""


class Begin(Effect, msgspec.Struct, frozen=True, gc=False):
    """Open a transaction."""

    role: ClassVar[Role] = "begin"
    isolation: Isolation
    read_only: bool
    timeout_s: float | None


class Commit(Effect, msgspec.Struct, frozen=True, gc=False):
    """Check a transaction against what others committed, and make it theirs."""

    role: ClassVar[Role] = "commit"
    tx: Any


class Rollback(Effect, msgspec.Struct, frozen=True, gc=False):
    """Forget a transaction."""

    role: ClassVar[Role] = "rollback"
    tx: Any


class Mark(Effect, msgspec.Struct, frozen=True, gc=False):
    """Make a savepoint."""

    tx: Any


class Release(Effect, msgspec.Struct, frozen=True, gc=False):
    """Forget a savepoint, keep what was done since."""

    tx: Any
    mark: Any


class Undo(Effect, msgspec.Struct, frozen=True, gc=False):
    """Undo what was done since a savepoint, and forget it."""

    tx: Any
    mark: Any
