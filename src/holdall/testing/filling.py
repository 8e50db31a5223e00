"""Filling: records written one by one, for cases that must run where batches are not offered. Must not know cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


async def fill(collection: Any, items: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Create these records in a collection (k.store[Model]), each alone; the records."""
    return [await collection.create(**item) for item in items]
