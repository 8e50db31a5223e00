"""Indexes of one table: by value and by order, kept in step with its rows.

Owns the three kinds of index. Must not know queries, constraints or transactions. Keys are internal keys (`ik`): a UUID as its int, for
its hash and comparison are written in Python; values are in the lookup form of `holdall.query.Tables`, None where a part is null.

    UniqueIndex    value -> row
    HashIndex      value -> {ik: row}, and {ik: row} of the rows with a null
    OrderedIndex   sorted tuples (value of each field…, ik), or (key…) for the key's own; a nullable field as (False, value) or
                   (True, None), so that nulls come last
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from sortedcontainers import SortedList

Row = tuple[Any, ...]
Rows = dict[Any, Row]


class Top:
    """Greater than everything: ends a range that includes its bound."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True


TOP = Top()
NULLS = (True,)  # before all nulls, after all values of a nullable field


class Index(Protocol):
    """What a table tells its indexes."""

    def change(self, ik: Any, old: Row | None, new: Row | None) -> None:
        """A row came (old None), went (new None) or changed under the same key."""
        ...

    def add_many(self, rows: Iterable[tuple[Any, Row]]) -> None:
        """Rows came under new keys."""
        ...


class UniqueIndex:
    """At most one row per value."""

    __slots__ = ("rows", "value_of")

    def __init__(self, value_of: Callable[[Row], Any], rows: Rows) -> None:
        self.value_of = value_of
        self.rows: Rows = {}
        self.add_many(rows.items())

    def change(self, ik: Any, old: Row | None, new: Row | None) -> None:  # noqa: ARG002  as in Index
        if old is not None:
            value = self.value_of(old)
            if value is not None and self.rows.get(value) is old:
                del self.rows[value]
        if new is not None:
            value = self.value_of(new)
            if value is not None:
                self.rows[value] = new

    def add_many(self, rows: Iterable[tuple[Any, Row]]) -> None:
        value_of, found = self.value_of, self.rows
        for _, row in rows:
            value = value_of(row)
            if value is not None:
                found[value] = row


class HashIndex:
    """Any number of rows per value."""

    __slots__ = ("buckets", "nulls", "value_of")

    def __init__(self, value_of: Callable[[Row], Any], rows: Rows) -> None:
        self.value_of = value_of
        self.buckets: dict[Any, Rows] = {}
        self.nulls: Rows = {}
        self.add_many(rows.items())

    def change(self, ik: Any, old: Row | None, new: Row | None) -> None:
        value_of, buckets = self.value_of, self.buckets
        after = value_of(new) if new is not None else None
        if old is not None:
            before = value_of(old)
            if before is None:
                del self.nulls[ik]
            else:
                bucket = buckets[before]
                del bucket[ik]
                if not bucket:
                    del buckets[before]
        if new is not None:
            if after is None:
                self.nulls[ik] = new
            else:
                buckets.setdefault(after, {})[ik] = new

    def add_many(self, rows: Iterable[tuple[Any, Row]]) -> None:
        value_of, buckets, nulls = self.value_of, self.buckets, self.nulls
        for ik, row in rows:
            value = value_of(row)
            if value is None:
                nulls[ik] = row
                continue
            bucket = buckets.get(value)
            if bucket is None:
                buckets[value] = {ik: row}
            else:
                bucket[ik] = row


class OrderedIndex:
    """Rows by the order of some fields, then of their keys. Changes wait in a list until the index is next read."""

    __slots__ = ("_entries", "_pending", "entry_of", "ik_of", "rows")

    def __init__(self, entry_of: Callable[[Row], tuple[Any, ...]], ik_of: Callable[[tuple[Any, ...]], Any] | None, rows: Rows) -> None:
        self.entry_of = entry_of
        self.ik_of = ik_of  # None: the last part of an entry
        self.rows = rows  # the table's own rows, read only
        self._entries: Any = None
        self._pending: dict[tuple[Any, ...], bool] = {}  # entry -> whether it comes or goes

    def change(self, ik: Any, old: Row | None, new: Row | None) -> None:  # noqa: ARG002  as in Index
        if self._entries is None:
            return
        before = None if old is None else self.entry_of(old)
        after = None if new is None else self.entry_of(new)
        if before == after:
            return
        if before is not None:
            self._wait(before, False)
        if after is not None:
            self._wait(after, True)

    def _wait(self, entry: tuple[Any, ...], comes: bool) -> None:
        pending = self._pending
        if pending.get(entry, comes) is not comes:
            del pending[entry]  # came and went, or went and came back
            return
        pending[entry] = comes
        if len(pending) > 1000 + len(self._entries):
            self._entries = None  # sorting anew is cheaper than so many changes
            pending.clear()

    def add_many(self, rows: Iterable[tuple[Any, Row]]) -> None:
        for ik, row in rows:
            if self._entries is None:
                return
            self.change(ik, None, row)

    def entries(self) -> Any:
        """The sorted entries, brought up to date."""
        entries = self._entries
        if entries is None:
            self._pending.clear()
            entries = self._entries = SortedList(map(self.entry_of, self.rows.values()))
        elif self._pending:
            for entry, comes in self._pending.items():
                if not comes:
                    entries.remove(entry)
            entries.update([entry for entry, comes in self._pending.items() if comes])
            self._pending.clear()
        return entries

    def place(self, bound: tuple[Any, ...]) -> int:
        """How many entries are before the bound."""
        place: int = self.entries().bisect_left(bound)
        return place

    def between(self, start: int, end: int, reverse: bool = False) -> list[Row]:
        """The rows at these places, in order or in reverse."""
        rows, ik_of = self.rows, self.ik_of
        entries = self.entries().islice(start, end, reverse)
        if ik_of is None:
            return [rows[entry[-1]] for entry in entries]
        return [rows[ik_of(entry)] for entry in entries]
