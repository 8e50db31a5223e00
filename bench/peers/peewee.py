"""Peewee on the standard library's sqlite3.

Its documentation's advice for speed is followed: all inserts in one `atomic()`, `bulk_create` in batches, `iterator()` for reading many.
Its DateTimeField keeps naive times only; DecimalField passes through float's column affinity; lists are its JSONField.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from peewee import (
    BooleanField,
    DateTimeField,
    DecimalField,
    FloatField,
    IntegerField,
    JSONField,
    Model,
    SqliteDatabase,
    TextField,
    UUIDField,
)

_database = SqliteDatabase(None, pragmas={"journal_mode": "wal", "synchronous": "full"})

BATCH = 1_000
"""Rows for each INSERT: ten values each, below SQLite's limit of 32,766 parameters."""


class PeeweeRecord(Model):
    """The ten-field record."""

    id = UUIDField(primary_key=True)
    name = TextField()
    city = TextField()
    rank = IntegerField()
    price = DecimalField(max_digits=12, decimal_places=2)
    active = BooleanField()
    seen_at = DateTimeField()
    tags = JSONField()
    note = TextField(null=True)
    score = FloatField()

    class Meta:
        """Where it is kept."""

        database = _database
        table_name = "record"


def _naive(values: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the values with naive times. The scenarios call this before the clock starts: see `prepared`."""
    return [{**each, "seen_at": each["seen_at"].replace(tzinfo=None)} for each in values]


class Peer:
    """Peewee behind the protocol."""

    name = "Peewee"
    prepared = staticmethod(_naive)

    def __init__(self, folder: Path) -> None:
        _database.init(str(folder / "peewee.db"))
        _database.connect()
        _database.create_tables([PeeweeRecord])

    def get(self, key: UUID) -> object:
        """`get_by_id`."""
        return PeeweeRecord.get_by_id(key)

    def read_all(self) -> Sequence[object]:
        """`select().iterator()`: without the result cache."""
        return list(PeeweeRecord.select().iterator())

    def insert_many(self, values: Sequence[dict[str, Any]]) -> None:
        """`bulk_create` in one transaction."""
        with _database.atomic():
            PeeweeRecord.bulk_create([PeeweeRecord(**each) for each in values], batch_size=BATCH)

    def insert_singly(self, values: Sequence[dict[str, Any]]) -> None:
        """`save(force_insert=True)` for each, in one transaction."""
        with _database.atomic():
            for each in values:
                PeeweeRecord(**each).save(force_insert=True)

    def remove_from(self, rank: int) -> None:
        """Delete what inserts added."""
        PeeweeRecord.delete().where(PeeweeRecord.rank >= rank).execute()

    def close(self) -> None:
        """Close the connection."""
        _database.close()
