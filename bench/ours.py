"""Holdall's side of every race: the one module here that imports Holdall. Written against the public API only, except the row builder.

Importing this module fails with ImportError while Holdall lacks something it needs; the harness then shows `missing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.data import Row, as_dicts
from bench.protocols import OURS
from holdall import Field, Key, Model, Store


class Record(Model):
    """The ten-field record with the indexes the memory scenarios ask for: equality on `city`, range and order on `rank`.

    `score` has no index on purpose: it is what the scan scenario filters on.
    """

    id: UUID = Key()
    name: str = Field(max_length=80)
    city: str = Field(index=True)
    rank: int = Field(index=True)
    price: Decimal = Field(max_digits=12, decimal_places=2)
    active: bool
    seen_at: datetime
    tags: list[str]
    note: str | None = None
    score: float


class Stored(Model):
    """The same record for the SQLite scenarios: no index but the key's, as in every other contestant's table there."""

    id: UUID = Key()
    name: str = Field(max_length=80)
    city: str
    rank: int
    price: Decimal = Field(max_digits=12, decimal_places=2)
    active: bool
    seen_at: datetime
    tags: list[str]
    note: str | None = None
    score: float


def builder() -> Callable[[Row], object]:
    """The generated function that makes an instance from a row of a backend, without validation."""
    return Record.__build__


def construct(values: dict[str, Any]) -> object:
    """Validated construction, as a program writes it."""
    return Record(**values)


class OursMemory:
    """The memory backend, through the collection held explicitly. Every call builds its query anew, as a program does."""

    name = OURS

    def __init__(self, records: Sequence[Row]) -> None:
        self._store = Store("memory:")
        self._records = self._store[Record]
        for start in range(0, len(records), 10_000):
            self._records.create_many([Record(**each) for each in as_dicts(records[start : start + 10_000])])
        self.get: Callable[[UUID], object] = self._records.get

    def in_city(self, city: str) -> list[Record]:
        """Equality on the indexed city."""
        return self._records.where(Record.city == city).all()

    def lowest(self, low: int, limit: int) -> list[Record]:
        """Range and order on the indexed rank, with a limit."""
        return self._records.where(Record.rank >= low).order_by(Record.rank).limit(limit).all()

    def scan(self, low: float) -> list[Record]:
        """Range on score, which has no index."""
        return self._records.where(Record.score >= low).all()

    def close(self) -> None:
        """Release the store."""
        self._store.close()


class OursSqlite:
    """The SQLite backend on a file, with its defaults: WAL, synchronous=FULL."""

    name = OURS

    def __init__(self, folder: Path) -> None:
        self._store = Store(f"sqlite:///{folder / 'holdall.db'}")
        self._records = self._store[Stored]
        self._open: Any = None
        self.get: Callable[[UUID], object] = self._records.get

    def read_all(self) -> list[Stored]:
        """All records, validated no more: they come from the store's own rows."""
        return self._records.all()

    def insert_many(self, values: Sequence[dict[str, Any]]) -> None:
        """Objects, built and validated, then create_many."""
        self._records.create_many([Stored(**each) for each in values])

    def insert_singly(self, values: Sequence[dict[str, Any]]) -> None:
        """create, one by one, in one transaction."""
        create = self._records.create
        with self._store.transaction():
            for each in values:
                create(**each)

    def begin(self) -> None:
        """Open a transaction."""
        self._open = self._store.transaction()
        self._open.__enter__()

    def end(self) -> None:
        """End the transaction `begin` opened."""
        self._open.__exit__(None, None, None)

    def remove_from(self, rank: int) -> None:
        """Delete what inserts added."""
        self._records.where(Stored.rank >= rank).delete()

    def close(self) -> None:
        """Release the store."""
        self._store.close()
