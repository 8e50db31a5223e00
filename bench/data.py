"""The ten-field record that every contestant stores, and a generator of such records that gives the same ones on every run.

Owns the plain dataclass `Plain` (what hand-written code builds) and the canonical order of the fields. Knows no store.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

Row = tuple[UUID, str, str, int, Decimal, bool, datetime, list[str], str | None, float]
"""A record in the order of `FIELDS`."""

FIELDS = ("id", "name", "city", "rank", "price", "active", "seen_at", "tags", "note", "score")

PER_CITY = 100
"""Records that share a city, at every size: 1 % of 10,000. So an equality filter has the same answer size however large the store is."""

_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_RANK_STEP = 7_368_787
"""A prime that divides no power of ten, so `index * step % size` visits every rank once, in a scattered order."""


@dataclass
class Plain:
    """What hand-written code builds: an ordinary dataclass, not frozen, without slots, as most programs write it."""

    id: UUID
    name: str
    city: str
    rank: int
    price: Decimal
    active: bool
    seen_at: datetime
    tags: list[str]
    note: str | None
    score: float


def stream(size: int, start: int = 0) -> Iterator[Row]:
    """Yield `size` rows; `size` is a power of ten when `start` is 0, so that ranks are a permutation of 0…size-1.

    Rows that are added later (`start` > 0) have ranks from `start` upwards, by which a contestant can remove them again. Keys are shaped
    as UUIDv7: they grow with time, as Holdall's own do, for every contestant.
    """
    source = random.Random(20_250_101 + start)
    cities = max(1, size // PER_CITY)
    for index in range(start, start + size):
        stamp = 1_735_689_600_000 + index
        key = UUID(int=(stamp << 80) | (7 << 76) | (2 << 62) | source.getrandbits(62))
        yield (
            key,
            f"Customer number {index}",
            f"city-{index % cities:06d}",
            index if start else index * _RANK_STEP % size,
            Decimal(source.randrange(10_000_000)).scaleb(-2),
            source.random() < 0.5,
            _EPOCH + timedelta(microseconds=source.randrange(10**13)),
            ["alpha", f"tag-{index % 17}"],
            None if index % 3 else f"note {index}",
            source.random(),
        )


def rows(size: int, start: int = 0) -> list[Row]:
    """Give the rows of `stream` as a list."""
    return list(stream(size, start))


def as_dicts(records: Sequence[Row]) -> list[dict[str, Any]]:
    """Give the records as dictionaries by field name; lists are copied, so that contestants share nothing mutable."""
    return [{**dict(zip(FIELDS, row, strict=True)), "tags": list(row[7])} for row in records]


def some_keys(records: Sequence[Row], count: int) -> list[UUID]:
    """Pick `count` keys evenly at random; the same keys for the same records."""
    return random.Random(7).sample([row[0] for row in records], count)
