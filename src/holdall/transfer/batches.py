"""Batches: many new records into a store at once, and if the store refuses the batch, which of them is to blame.

Owns the fallback from a batch to single records. Must not know where records come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from holdall.errors import ConstraintViolation, HoldallError, Problem, SizeLimit, ValidationError
from holdall.model import Model
from holdall.store import Store

T = TypeVar("T")
M = TypeVar("M", bound=Model)
Progress = Callable[[int, int | None], None]

# What is wrong with one record, and not with the store.
_OF_A_RECORD = (ConstraintViolation, ValidationError, SizeLimit)


def write_batch(
    store: Store, model: type[M], batch: Sequence[tuple[T, M]], remake: Callable[[T], M], refused: Callable[[T, HoldallError], None]
) -> int:
    """Insert the records of a batch inside the open transaction; gives how many were.

    batch: pairs of a place and the record that comes from there. If the batch is refused, each record is made anew (handlers may have
    changed it) and tried alone; `refused` is called with the place and error of each bad one, and may raise to end it all.
    """
    try:
        with store.transaction():
            store.run("insert_given", model, [record for _, record in batch])
    except _OF_A_RECORD:
        written = 0
        for place, _ in batch:
            try:
                with store.transaction():
                    store.run("insert_given", model, [remake(place)])
            except _OF_A_RECORD as error:
                refused(place, error)
            else:
                written += 1
        return written
    return len(batch)


def problems_of(error: HoldallError) -> list[Problem]:
    """What an error says about a record."""
    if isinstance(error, ValidationError):
        return list(error.problems)
    fields: tuple[Any, ...] = error.fields if isinstance(error, ConstraintViolation) else ()
    return [Problem((", ".join(fields),) if fields else (), error.code, error.message)]
