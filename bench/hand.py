"""Hand-written code: what a good engineer writes for exactly this record, on the raw driver (apsw) and in plain Python.

One cursor, constant statements (apsw keeps them prepared), columns decoded positionally to the Python types of the record, and `Plain`
built positionally. Storage: key as 16 bytes, Decimal as text, datetime as ISO 8601 text in UTC, list as JSON text (msgspec), bool as 0/1.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw
import msgspec

from bench.data import FIELDS, Plain, Row, as_dicts

_CREATE = (
    "CREATE TABLE record (id BLOB PRIMARY KEY NOT NULL, name TEXT NOT NULL, city TEXT NOT NULL, rank INTEGER NOT NULL, "
    "price TEXT NOT NULL, active INTEGER NOT NULL, seen_at TEXT NOT NULL, tags TEXT NOT NULL, note TEXT, score REAL NOT NULL)"
)
_COLUMNS = ", ".join(FIELDS)
_ONE = f"SELECT {_COLUMNS} FROM record WHERE id = ?"
_ALL = f"SELECT {_COLUMNS} FROM record"
_INSERT = f"INSERT INTO record ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

_tags = msgspec.json.Decoder(list[str]).decode
_json = msgspec.json.Encoder().encode


def _bind(it: Plain) -> tuple[Any, ...]:
    """Encode one object for the driver."""
    return (
        it.id.bytes,
        it.name,
        it.city,
        it.rank,
        str(it.price),
        it.active,
        it.seen_at.isoformat(),
        _json(it.tags).decode(),
        it.note,
        it.score,
    )


class HandSqlite:
    """The raw driver on a file, or on `:memory:` when no folder is given. No validation: that is the point of a lower bound."""

    name = "hand-written apsw"

    def __init__(self, folder: Path | None) -> None:
        self._connection = apsw.Connection(":memory:" if folder is None else str(folder / "hand.db"))
        self._cursor = self._connection.cursor()
        if folder is not None:
            self._cursor.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL").fetchall()
        self._cursor.execute(_CREATE)

    def get(self, key: UUID) -> Plain | None:
        """Read one record; the loop runs the statement to its end, so that no read transaction is left open."""
        found = None
        for raw, name, city, rank, price, active, seen_at, tags, note, score in self._cursor.execute(_ONE, (key.bytes,)):
            found = Plain(
                UUID(bytes=raw), name, city, rank, Decimal(price), active == 1, datetime.fromisoformat(seen_at), _tags(tags), note, score
            )
        return found

    def read_all(self) -> list[Plain]:
        """Read the whole table, decoding inline: a call per row would cost a tenth."""
        return [
            Plain(UUID(bytes=key), name, city, rank, Decimal(price), active == 1, datetime.fromisoformat(seen_at), _tags(tags), note, score)
            for key, name, city, rank, price, active, seen_at, tags, note, score in self._cursor.execute(_ALL)
        ]

    def insert_many(self, values: Sequence[dict[str, Any]]) -> None:
        """One executemany in one transaction, over objects."""
        objects = [Plain(**each) for each in values]
        self._cursor.execute("BEGIN IMMEDIATE")
        self._cursor.executemany(_INSERT, [_bind(it) for it in objects])
        self._cursor.execute("COMMIT")

    def insert_singly(self, values: Sequence[dict[str, Any]]) -> None:
        """One execute for each object, in one transaction."""
        execute = self._cursor.execute
        execute("BEGIN IMMEDIATE")
        for each in values:
            execute(_INSERT, _bind(Plain(**each)))
        execute("COMMIT")

    def begin(self) -> None:
        """Open a read transaction."""
        self._cursor.execute("BEGIN")

    def end(self) -> None:
        """End the transaction `begin` opened."""
        self._cursor.execute("ROLLBACK")

    def remove_from(self, rank: int) -> None:
        """Delete what inserts added."""
        self._cursor.execute("DELETE FROM record WHERE rank >= ?", (rank,))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class HandMemory:
    """Plain Python over the same records: the loops that the memory targets are stated against.

    `dicts` are the records as dictionaries, `tuples` as tuples. The `scan_*` methods look at every record.
    """

    name = "hand-written Python"

    def __init__(self, records: Sequence[Row]) -> None:
        self.tuples = list(records)
        self.by_key = {row[0]: row for row in records}

    @cached_property
    def dicts(self) -> list[dict[str, Any]]:
        """The records as dictionaries, made when first needed: the large growth scenario never needs them."""
        return as_dicts(self.tuples)

    def get_copy(self, key: UUID) -> Plain:
        """A dictionary look-up, and a new object, so that the caller cannot change what is kept."""
        return Plain(*self.by_key[key])

    def in_city_dicts(self, city: str) -> list[dict[str, Any]]:
        """List comprehension over dictionaries; gives the stored dictionaries themselves."""
        return [each for each in self.dicts if each["city"] == city]

    def lowest_dicts(self, low: int, limit: int) -> list[dict[str, Any]]:
        """Scan, sort all that matched, cut; gives the stored dictionaries themselves."""
        return sorted([each for each in self.dicts if each["rank"] >= low], key=itemgetter("rank"))[:limit]

    def lowest_heap(self, low: int, limit: int) -> list[dict[str, Any]]:
        """The same without sorting everything: what a careful engineer writes. Shown; the target is stated against scan and sort."""
        return heapq.nsmallest(limit, [each for each in self.dicts if each["rank"] >= low], key=itemgetter("rank"))

    def scan_tuples(self, low: float) -> list[Plain]:
        """List comprehension over tuples, building a `Plain` positionally for each match: reads field 9, `score`."""
        return [Plain(*row) for row in self.tuples if row[9] >= low]

    def scan_tuples_as_they_are(self, low: float) -> list[Row]:
        """The same scan giving the stored tuples themselves: nothing is built, nothing is protected."""
        return [row for row in self.tuples if row[9] >= low]
