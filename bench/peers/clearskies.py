"""clear-skies with its MemoryBackend, filled through the documented binding `memory_backend_default_data`.

It has no Decimal column, so the price is a Float; every look-up, by key too, is a scan; its models decode a value only when it is read,
which is less work than building the whole record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import clearskies
from clearskies import columns

from bench.data import Row, as_dicts

Di: Any = clearskies.di.Di
_backend: Any = clearskies.backends.MemoryBackend()


class SkiesRecord(clearskies.Model):
    """The ten-field record."""

    id_column_name = "id"
    backend = _backend

    id = columns.Uuid()
    name = columns.String()
    city = columns.String()
    rank = columns.Integer()
    price = columns.Float()
    active = columns.Boolean()
    seen_at = columns.Datetime()
    tags = columns.Json()
    note = columns.String()
    score = columns.Float()


def _stored(each: dict[str, Any]) -> dict[str, Any]:
    """The values as its backend keeps them."""
    return {**each, "id": str(each["id"]), "price": float(each["price"]), "seen_at": each["seen_at"].strftime("%Y-%m-%d %H:%M:%S")}


class Peer:
    """clear-skies behind the protocol."""

    name = "clear-skies"

    def __init__(self, records: Sequence[Row]) -> None:
        known = [{"model_class": SkiesRecord, "records": [_stored(each) for each in as_dicts(records)]}]
        container = Di(classes=[SkiesRecord], bindings={"memory_backend_default_data": known})
        self._records: Any = container.build(SkiesRecord)

    def get(self, key: UUID) -> object:
        """`find` by key: the first that matches."""
        return self._records.find(SkiesRecord.id.equals(str(key)))

    def in_city(self, city: str) -> Sequence[object]:
        """`where`, iterated."""
        return list(self._records.where(SkiesRecord.city.equals(city)))

    def lowest(self, low: int, limit: int) -> Sequence[object]:
        """`where`, `sort_by`, `limit`, iterated."""
        return list(self._records.where(f"rank>={low}").sort_by("rank", "asc").limit(limit))

    def close(self) -> None:
        """Forget the records."""
        _backend.clear_table_cache()
