"""The port: what a backend is, as protocols. See docs/write-your-own-backend for a worked example.

A backend turns plans and writes into programs (generators of its own effects) and performs those effects, in `perform` (blocking) and
`aperform` (awaiting), nowhere else. Programs hold no I/O, so one copy of the logic serves both. Backends see entities, rows and query
trees, never model classes.

Rows are tuples of canonical values (holdall.schema.types) in the order of `entity.fields`. Keys are bare values for one key field, tuples
for several. Every call takes `tx`: the handle of an open transaction, or None for a call that stands alone (and is atomic by itself).
Drivers' errors become holdall.errors in `perform`/`aperform`, completely, once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from holdall.backends.capabilities import Capabilities, Isolation
from holdall.program import Program
from holdall.query import Assignment, Condition, Lock, Select
from holdall.schema import Entity

Row = tuple[Any, ...]
Key = Any
Atomicity = Literal["atomic", "per_item"]


# Writes. A batch is a list of these; `apply` gives one result per item.


class Insert(msgspec.Struct, frozen=True):
    """New rows of one entity. A generated int key that is None is made by the store. UniqueViolation if a key or unique is taken.

    Result: the list of keys, in order, with generated ones filled in.
    """

    entity: Entity
    rows: Sequence[Row]


class Upsert(msgspec.Struct, frozen=True):
    """Insert `row`, or change the existing row that has the same values in the fields `by` (the key, or one unique constraint).

    `update` are the positions to take over from `row` into the existing one; none: leave it as it is. Any violation of another
    constraint is raised (F6). A version field of an existing row is counted up when something is updated. Result: (status, row as
    stored afterwards) with status 'inserted', 'updated' or 'ignored'.
    """

    entity: Entity
    row: Row
    by: tuple[str, ...]
    update: tuple[int, ...]


class Patch(msgspec.Struct, frozen=True):
    """Change the row with this key. `version`, when not None, must equal the row's version field (F10).

    `required`: raise NotFound if the row is absent or expired, VersionMismatch if its version differs. Otherwise the result tells.
    Result: 1 if a row matched, else 0.
    """

    entity: Entity
    key: Key
    assignments: tuple[Assignment, ...]
    version: int | None = None
    required: bool = True


class Delete(msgspec.Struct, frozen=True):
    """Remove the row with this key, following the on_delete rules of references to it. As Patch otherwise."""

    entity: Entity
    key: Key
    version: int | None = None
    required: bool = True


class UpdateWhere(msgspec.Struct, frozen=True):
    """Change every row that `select.where` matches (order, limit and offset are not set). Result: matched rows (F1).

    A version field is counted up on each. Changing a unique field or key by expression is refused before (F7).
    """

    select: Select
    assignments: tuple[Assignment, ...]


class DeleteWhere(msgspec.Struct, frozen=True):
    """Remove every row that `select.where` matches. Result: the number of rows matched (cascaded ones not counted)."""

    select: Select


Write = Insert | Upsert | Patch | Delete | UpdateWhere | DeleteWhere


# Plans.


class Native(msgspec.Struct, frozen=True):
    """The backend answers the whole select. `prepared` is its own (compiled text, chosen index); `steps` say it to people."""

    select: Select
    prepared: Any
    steps: tuple[str, ...]


class Split(msgspec.Struct, frozen=True):
    """The backend answers `native`; the store keeps of its rows those that meet `residual`, then sorts, cuts and projects as `select`."""

    select: Select
    native: Native
    residual: Condition
    steps: tuple[str, ...]


class Refuse(msgspec.Struct, frozen=True):
    """The backend cannot answer; becomes Unsupported(reason, hint=remedy)."""

    reason: str
    remedy: str


Plan = Native | Split | Refuse


@runtime_checkable
class Backend(Protocol):
    """A store's engine. Constructors do no I/O and take the URL's parts; see backends.registry."""

    @property
    def name(self) -> str:
        """Short name as in the URL scheme: memory, sqlite, …"""
        ...

    def describe(self) -> Capabilities:
        """What is kept and how; after `open` complete with engine and version."""
        ...

    def perform(self, effect: Any) -> Any:
        """Do one effect, blocking. All I/O of the synchronous side is in here."""
        ...

    async def aperform(self, effect: Any) -> Any:
        """Do one effect, awaiting."""
        ...

    def open(self) -> Program[None]:
        """Connect and verify; Unavailable if it cannot be reached. Idempotent; also called on first use."""
        ...

    def close(self) -> Program[None]:
        """Release everything; idempotent. Open transactions are rolled back."""
        ...

    def ping(self) -> Program[None]:
        """One round trip; Unavailable if it fails."""
        ...

    def plan(self, select: Select) -> Plan:
        """How a prepared select would be answered. Pure: no I/O, no state but caches."""
        ...

    def fetch(self, entity: Entity, keys: Sequence[Key], tx: Any, now: dt.datetime | None, lock: Lock | None) -> Program[list[Row | None]]:
        """Rows by key in the order asked, None for absent or expired ones."""
        ...

    def select(self, plan: Native, tx: Any) -> Program[list[Row]]:
        """All rows (or column tuples) of a native plan."""
        ...

    def scan(self, plan: Native, cursor: Any, page_rows: int, tx: Any) -> Program[tuple[list[Row], Any]]:
        """One page of whole rows of an unordered, unlimited plan, and the opaque cursor of the next page (None at the end)."""
        ...

    def apply(self, batch: Sequence[Write], atomicity: Atomicity, tx: Any, now: dt.datetime | None) -> Program[list[Any]]:
        """The only write. One result per item, see each Write. 'atomic': all, or an error and nothing. 'per_item': a failed item's
        result is its error. Within `tx` an error leaves the transaction to be rolled back by the caller."""
        ...

    def ensure_schema(self, entities: Sequence[Entity]) -> Program[None]:
        """Create what is missing; SchemaMismatch with the differences if what exists does not fit. Idempotent."""
        ...

    def reset(self, entities: Sequence[Entity]) -> Program[None]:
        """Remove all rows of these entities, whatever references them."""
        ...

    def drop(self, entities: Sequence[Entity]) -> Program[None]:
        """Remove these entities with everything that `ensure_schema` made for them, rows included, whatever references them. What is not
        there is passed over. Refused inside a transaction by the caller (F8)."""
        ...


@runtime_checkable
class Transactions(Protocol):
    """Optional group: interactive transactions with savepoints."""

    def begin(self, isolation: Isolation, read_only: bool, timeout_s: float | None) -> Program[Any]:
        """A handle, to be given as `tx`."""
        ...

    def commit(self, tx: Any) -> Program[None]:
        """All or nothing; SerializationFailure (fully rolled back) on conflict; OutcomeUnknown if the reply was lost."""
        ...

    def rollback(self, tx: Any) -> Program[None]:
        """Undo all; never fails for a reason that leaves the transaction open."""
        ...

    def savepoint(self, tx: Any) -> Program[Any]:
        """Mark a point to which `rollback_to` can return."""
        ...

    def release(self, tx: Any, savepoint: Any) -> Program[None]:
        """Forget the mark and keep what was done since."""
        ...

    def rollback_to(self, tx: Any, savepoint: Any) -> Program[None]:
        """Undo what was done since the mark, and forget it."""
        ...


@runtime_checkable
class Inspection(Protocol):
    """Optional group: reading the stored schema of any database of this engine, ours or not."""

    def inspect_schema(self) -> Program[Sequence[Mapping[str, Any]]]:
        """One description per table; the shape is defined by holdall.transfer.inspect."""
        ...


@runtime_checkable
class Raw(Protocol):
    """Optional group: the engine's own language."""

    def raw(self, text: str, parameters: Sequence[Any], tx: Any) -> Program[tuple[list[str], list[Row]]]:
        """Column names and rows of engine values, undecoded."""
        ...

    def native(self) -> Any:
        """The raw connection or client of the calling thread; non-portable."""
        ...
