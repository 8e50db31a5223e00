"""Making rows one by one, for cases that must run where batches are not offered. Holds no cases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from holdall.errors import PartialBatch, TransactionConflict
from holdall.testing.kit import Kit


class Undone(Exception):
    """What ends a transaction's block, so that it is undone: raised in it, suppressed around it."""


async def made(k: Kit, model: Any, *rows: dict[str, Any]) -> list[Any]:
    """Create these records, each alone."""
    return [await k.store[model].create(**row) for row in rows]


async def numbered(k: Kit, model: Any, name: str, values: Sequence[Any]) -> list[Any]:
    """Create records 1, 2, … with these values in one field, the last one first."""
    for number in range(len(values), 0, -1):
        await k.store[model].create(id=number, **{name: values[number - 1]})
    return list(values)


async def ids(query: Any) -> list[Any]:
    """The ids of what a query finds: in its order if it has one, else sorted."""
    found = [record.id for record in await query.all()]
    return found if query.select.order else sorted(found)


def at(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0, fold: int = 0
) -> dt.datetime:
    """An instant in UTC."""
    return dt.datetime(year, month, day, hour, minute, second, microsecond, dt.UTC, fold=fold)


def local(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0, fold: int = 0
) -> dt.datetime:
    """A local time."""
    return at(year, month, day, hour, minute, second, microsecond, fold).replace(tzinfo=None)


async def how_many(source: Any) -> int:
    """How many records a collection or a query has, read rather than counted: counting needs aggregates."""
    return len(await source.all())


async def partial_batch(k: Kit, model: Any, items: list[Any]) -> PartialBatch:
    """The error of a batch item by item, of which some must fail."""
    with k.refused(PartialBatch) as caught:
        await k.store[model].create_many(items, atomicity="per_item")
    error: PartialBatch = caught.error
    for result in error.results:
        if isinstance(result, TransactionConflict):
            raise result  # lost against others: the case runs again
    assert len(error.results) == len(error.records) == len(items)
    return error
