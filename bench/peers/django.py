"""Django's ORM on the standard library's sqlite3, configured for this process without a project.

Its documentation's advice for speed is followed: `bulk_create` with a batch size, everything in one `atomic()`, `save(force_insert=True)`,
which saves the UPDATE that a given key would try first. USE_TZ gives aware times; Decimals pass through its SQLite converters.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import django  # type: ignore[import-untyped]
from django.conf import settings  # type: ignore[import-untyped]

settings.configure(
    INSTALLED_APPS=[],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": ":memory:",
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"},
            "CONN_MAX_AGE": None,
        }
    },
    USE_TZ=True,
    TIME_ZONE="UTC",
)
django.setup()

from django.db import connection, models, transaction  # type: ignore[import-untyped]  # noqa: E402 - only importable once settings are configured

BATCH = 1_000


class DjangoRecord(models.Model):  # type: ignore[misc]
    """The ten-field record."""

    id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=80)
    city = models.CharField(max_length=80)
    rank = models.IntegerField()
    price = models.DecimalField(max_digits=12, decimal_places=2)
    active = models.BooleanField()
    seen_at = models.DateTimeField()
    tags = models.JSONField()
    note = models.CharField(max_length=80, null=True)
    score = models.FloatField()

    class Meta:
        """Where it is kept."""

        app_label = "bench"
        db_table = "record"


_objects: Any = DjangoRecord.objects  # pyright: ignore[reportAttributeAccessIssue]  # no types without a plugin
_atomic: Any = transaction.atomic


class Peer:
    """Django behind the protocol."""

    name = "Django"

    def __init__(self, folder: Path) -> None:
        connection.close()
        connection.settings_dict["NAME"] = str(folder / "django.db")
        with connection.schema_editor() as editor:
            editor.create_model(DjangoRecord)

    def get(self, key: UUID) -> object:
        """`objects.get(pk=…)`."""
        return _objects.get(pk=key)

    def read_all(self) -> Sequence[object]:
        """`list(objects.all())`."""
        return list(_objects.all())

    def insert_many(self, values: Sequence[dict[str, Any]]) -> None:
        """`bulk_create` in one transaction."""
        with _atomic():
            _objects.bulk_create([DjangoRecord(**each) for each in values], batch_size=BATCH)

    def insert_singly(self, values: Sequence[dict[str, Any]]) -> None:
        """`save(force_insert=True)` for each, in one transaction."""
        with _atomic():
            for each in values:
                DjangoRecord(**each).save(force_insert=True)

    def remove_from(self, rank: int) -> None:
        """Delete what inserts added."""
        _objects.filter(rank__gte=rank).delete()

    def close(self) -> None:
        """Close the connection."""
        connection.close()
