"""Views: what a call sees and changes, with or without a transaction.

Owns the two views, with one face, on which all reads and writes are written: `Live` is the latest committed state, changed in place and
undone from a journal; `Transaction` is a state of the past plus its own writes, both kept aside from the tables. Must not know constraints
or plans; takes no locks: the engine calls it under its own.

Multi-version: tables hold the latest committed rows only. While a transaction is open, every commit leaves what it replaced in the log;
a transaction reads the log on from where it stands before it does anything, and keeps what others replaced since it began (`before`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from holdall.backends.capabilities import Isolation
from holdall.backends.memory.indexes import Row
from holdall.backends.memory.table import Layout, Positions, Table, with_article
from holdall.errors import SerializationFailure
from holdall.schema import Entity

AGAIN = "The transaction is rolled back; run all of it again (store.unit does)."
Change = tuple[Table, Any, Row | None]  # what a row was before: table, ik, old row or None


class Rows(Protocol):
    """The rows of one entity as a view sees them."""

    layout: Layout

    def get(self, ik: Any) -> Row | None:
        """The row with this key."""
        ...

    def unique(self, positions: Positions, value: Any) -> Row | None:
        """The row with this value in the fields of a unique constraint."""
        ...

    def having(self, positions: Positions, value: Any) -> list[Row]:
        """The rows with this value in some fields."""
        ...

    def put(self, ik: Any, new: Row | None) -> None:
        """Set or remove a row."""
        ...

    def fresh(self, iks: list[Any], rows: list[Row]) -> bool:
        """Whether all these keys and unique values are new and different."""
        ...

    def put_many(self, iks: list[Any], rows: list[Row]) -> None:
        """Add rows known to be fresh."""
        ...


class View(Protocol):
    """The rows of all entities, also as the evaluator's Tables."""

    def of(self, entity: Entity) -> Rows:
        """The rows of an entity."""
        ...

    def one(self, entity: Entity, positions: Positions) -> Callable[[Any], Row | None]:
        """As in Tables."""
        ...

    def many(self, entity: Entity, positions: Positions) -> Callable[[Any], Iterable[Row]]:
        """As in Tables."""
        ...

    def mark(self) -> int:
        """A point to which `undo` can return."""
        ...

    def undo(self, mark: int) -> None:
        """Take back what was done since the mark."""
        ...

    def note_key(self, entity: Entity, ik: Any) -> None:
        """A decision was taken on whether a row with this key exists, or on its values."""
        ...


def _fresh(table: Table, iks: list[Any], rows: list[Row]) -> bool:
    if len(iks) > 1 and len(set(iks)) != len(iks):
        return False
    if not table.rows.keys().isdisjoint(iks):
        return False
    for positions in table.layout.uniques:
        index = table.unique(positions)
        values = [value for value in map(index.value_of, rows) if value is not None]
        if len(set(values)) != len(values) or not index.rows.keys().isdisjoint(values):
            return False
    return True


class LiveRows:
    """The committed rows of one entity, changed in place."""

    __slots__ = ("journal", "layout", "table")

    def __init__(self, table: Table, journal: list[Change]) -> None:
        self.table = table
        self.layout = table.layout
        self.journal = journal

    def get(self, ik: Any) -> Row | None:
        return self.table.rows.get(ik)

    def unique(self, positions: Positions, value: Any) -> Row | None:
        return self.table.unique(positions).rows.get(value)

    def having(self, positions: Positions, value: Any) -> list[Row]:
        return list(self.table.finder(positions)(value))

    def put(self, ik: Any, new: Row | None) -> None:
        table = self.table
        self.journal.append((table, ik, table.rows.get(ik)))
        table.put(ik, new)

    def fresh(self, iks: list[Any], rows: list[Row]) -> bool:
        return _fresh(self.table, iks, rows)

    def put_many(self, iks: list[Any], rows: list[Row]) -> None:
        table = self.table
        self.journal.extend([(table, ik, None) for ik in iks])
        table.put_many(iks, rows)


class Live:
    """The latest committed state. What was done since the journal was last emptied can be undone."""

    def __init__(self) -> None:
        self.journal: list[Change] = []
        self._rows: dict[Entity, LiveRows] = {}

    def add(self, table: Table) -> None:
        """Make a table known."""
        self._rows[table.layout.entity] = LiveRows(table, self.journal)

    def of(self, entity: Entity) -> LiveRows:
        return self._rows[entity]

    def one(self, entity: Entity, positions: Positions) -> Callable[[Any], Row | None]:
        return self._rows[entity].table.getter(positions)

    def many(self, entity: Entity, positions: Positions) -> Callable[[Any], Iterable[Row]]:
        return self._rows[entity].table.finder(positions)

    def mark(self) -> int:
        return len(self.journal)

    def undo(self, mark: int) -> None:
        journal = self.journal
        while len(journal) > mark:
            table, ik, old = journal.pop()
            table.put(ik, old)

    def note_key(self, entity: Entity, ik: Any) -> None:
        """Nothing to remember: a call without a transaction is over before anybody else can write."""


class Overlay:
    """The rows of one entity as a transaction sees them, where they differ from the committed ones.

    `delta` has the visible row (None: none) for each key that differs, and hides the committed row; `own` are the keys that this
    transaction wrote; `before` has what others replaced since it began. `local` holds the rows of `delta`, for their indexes.
    """

    __slots__ = ("before", "delta", "journal", "layout", "local", "own", "table")

    def __init__(self, table: Table, journal: list[tuple[Overlay, Any, bool, Row | None]]) -> None:
        self.table = table
        self.layout = table.layout
        self.journal = journal
        self.local = Table(table.layout)
        self.delta: dict[Any, Row | None] = {}
        self.before: dict[Any, Row | None] = {}
        self.own: dict[Any, None] = {}

    def get(self, ik: Any) -> Row | None:
        delta = self.delta
        return delta[ik] if ik in delta else self.table.rows.get(ik)

    def unique(self, positions: Positions, value: Any) -> Row | None:
        found = self.local.unique(positions).rows.get(value) if self.local.rows else None
        if found is None:
            found = self.table.unique(positions).rows.get(value)
            if found is not None and self.delta and self.layout.row_ik(found) in self.delta:
                return None
        return found

    def visible(self, rows: Iterable[Row]) -> Iterable[Row]:
        """Those committed rows that this transaction sees as they are."""
        delta, row_ik = self.delta, self.layout.row_ik
        return [row for row in rows if row_ik(row) not in delta] if delta else rows

    def having(self, positions: Positions, value: Any) -> list[Row]:
        found = list(self.visible(self.table.finder(positions)(value)))
        if self.local.rows:
            found += self.local.finder(positions)(value)
        return found

    def first(self, positions: Positions, value: Any) -> Row | None:
        """A row with this value in some fields."""
        if positions in self.layout.uniques:
            return self.unique(positions, value)
        return next(iter(self.having(positions, value)), None)

    def put(self, ik: Any, new: Row | None) -> None:
        if ik in self.before:
            raise SerializationFailure(f"Another transaction wrote {with_article(self.layout.entity)} that is written here.", hint=AGAIN)
        self.journal.append((self, ik, ik in self.own, self.get(ik)))
        self.own[ik] = None
        self.delta[ik] = new
        self.local.put(ik, new)

    def fresh(self, iks: list[Any], rows: list[Row]) -> bool:
        return self.delta.keys().isdisjoint(iks) and _fresh(self.table, iks, rows) and _fresh(self.local, iks, rows)

    def put_many(self, iks: list[Any], rows: list[Row]) -> None:
        self.journal.extend([(self, ik, False, None) for ik in iks])
        self.own.update(dict.fromkeys(iks))
        self.delta.update(zip(iks, rows, strict=True))
        self.local.put_many(iks, rows)

    def restore(self, ik: Any, own: bool, row: Row | None) -> None:
        """Take one write back."""
        if own or ik in self.before:
            self.delta[ik] = row
        else:
            del self.delta[ik]
            row = None
        if not own:
            del self.own[ik]
        self.local.put(ik, row)

    def replaced(self, ik: Any, old: Row | None) -> None:
        """Another transaction replaced this committed row."""
        if ik not in self.before:
            self.before[ik] = old
            if ik not in self.own:
                self.delta[ik] = old
                self.local.put(ik, old)


class Transaction:
    """A state of the past and what was written on top of it. `position` is how far it has read the log.

    Under SERIALIZABLE all that was read is kept, to be checked at the commit: keys, values looked up, and conditions of scans; under
    SNAPSHOT only keys whose rows were asked for with a lock.
    """

    def __init__(self, tables: Mapping[Entity, Table], isolation: Isolation, read_only: bool, position: int) -> None:
        self.tables = tables
        self.isolation = isolation
        self.serializable = isolation is Isolation.SERIALIZABLE
        self.read_only = read_only
        self.position = position
        self.deadline: float | None = None
        self.ended: str = ""
        self.journal: list[tuple[Overlay, Any, bool, Row | None]] = []
        self.overlays: dict[Entity, Overlay] = {}
        self.keys: dict[Entity, set[Any]] = {}
        self.values: dict[tuple[Entity, Positions], set[Any]] = {}
        self.scans: list[tuple[Entity, Callable[[Iterable[Row]], list[Row]] | None]] = []
        self.noted: object = None  # the plan of the scan whose pages are being read

    def of(self, entity: Entity) -> Overlay:
        overlay = self.overlays.get(entity)
        if overlay is None:
            overlay = self.overlays[entity] = Overlay(self.tables[entity], self.journal)
        return overlay

    def one(self, entity: Entity, positions: Positions) -> Callable[[Any], Row | None]:
        overlay = self.of(entity)
        get: Callable[[Any], Row | None] = overlay.get if positions == overlay.layout.key else partial(overlay.first, positions)
        return self._noting(entity, positions, get) if self.serializable else get

    def many(self, entity: Entity, positions: Positions) -> Callable[[Any], Iterable[Row]]:
        overlay = self.of(entity)
        find = partial(overlay.having, positions)
        return self._noting(entity, positions, find) if self.serializable else find

    def _noting(self, entity: Entity, positions: Positions, get: Callable[[Any], Any]) -> Callable[[Any], Any]:
        seen = self.values.setdefault((entity, positions), set())

        def noting(value: Any) -> Any:
            seen.add(value)
            return get(value)

        return noting

    def mark(self) -> int:
        return len(self.journal)

    def undo(self, mark: int) -> None:
        journal = self.journal
        while len(journal) > mark:
            overlay, ik, own, row = journal.pop()
            overlay.restore(ik, own, row)

    def note_key(self, entity: Entity, ik: Any) -> None:
        if self.serializable:
            self.keys.setdefault(entity, set()).add(ik)

    def note_lock(self, entity: Entity, ik: Any) -> None:
        """The row with this key was asked for with a lock."""
        self.keys.setdefault(entity, set()).add(ik)

    def read_on(self, log: list[Change], start: int) -> None:
        """Take in what others committed; `start` is the position of the log's first entry."""
        for table, ik, old in log[self.position - start :]:
            entity = table.layout.entity
            overlay = self.overlays.get(entity)
            if overlay is None:  # made of the log's own table: it may have been dropped since
                overlay = self.overlays[entity] = Overlay(table, self.journal)
            overlay.replaced(ik, old)
        self.position = start + len(log)

    # Checks at the commit

    def conflict(self) -> str:
        """What makes a commit impossible, in words; '' if nothing does. All that others committed has been read."""
        for entity, overlay in self.overlays.items():
            if not overlay.before:
                continue
            if not overlay.before.keys().isdisjoint(overlay.own):
                return f"{with_article(entity)} written here was written by another transaction"
            keys = self.keys.get(entity)
            if keys is not None and not overlay.before.keys().isdisjoint(keys):
                return f"{with_article(entity)} read here was written by another transaction"
            if self.serializable and self._read_changed(entity, overlay):
                return f"what a query on {entity.name} read here was changed by another transaction"
        return ""

    def _read_changed(self, entity: Entity, overlay: Overlay) -> bool:
        latest = overlay.table.rows
        changed = [row for row in overlay.before.values() if row is not None]
        changed += [row for ik in overlay.before if (row := latest.get(ik)) is not None]
        for (read, positions), values in self.values.items():
            if read is entity and values:
                value_of = overlay.layout.value_of(positions)
                if any(value_of(row) in values for row in changed):
                    return True
        return any(read is entity and (test is None or test(changed)) for read, test in self.scans)


def next_rows(table: Table, overlay: Overlay | None, after: Any, count: int) -> tuple[list[Row], Any]:
    """The next visible rows in order of their keys, and the entry of the last one (None at the end)."""
    index = table.ordered(table.layout.key)
    entries = index.entries()
    start = 0 if after is None else entries.bisect_right(after)
    rows = list(index.between(start, start + count))
    more = start + count < len(entries)
    last = index.entry_of(rows[-1]) if more else None
    if overlay is None or not overlay.delta:
        return rows, last
    local = overlay.local.ordered(table.layout.key)
    own = local.entries()
    low = 0 if after is None else own.bisect_right(after)
    high = len(own) if last is None else own.bisect_right(last)
    merged = [*overlay.visible(rows), *local.between(low, high)]
    merged.sort(key=index.entry_of)
    return merged, last
