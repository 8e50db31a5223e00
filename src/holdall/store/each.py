"""Batches item by item (F4): each record for itself, and one result for each.

Owns what becomes of the items. Must not know how one record is written, nor colours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from holdall.backends import Insert
from holdall.errors import HoldallError, PartialBatch, ProgrammingError, ValidationError
from holdall.model import Model
from holdall.program import Program
from holdall.store.core import Core, Scope, make_ready
from holdall.store.writes import insert, inserted, stamp

M = TypeVar("M", bound=Model)


class Items(Generic[M]):
    """The items of a batch, made into records; `results` has None, or why that item was not saved."""

    def __init__(self, model: type[M], items: Sequence[Mapping[str, Any] | M]) -> None:
        self.model = model
        self.records: list[M | None] = []
        self.results: list[HoldallError | None] = []
        for item in items:
            record: M | None = None
            result: HoldallError | None = None
            try:
                record = item if isinstance(item, model) else model(**item)  # type: ignore[arg-type]  # else a mapping
            except ValidationError as error:
                result = error
            if record is not None and record._row is not None:
                raise ProgrammingError(f"create_many() got a {model.__name__} that was saved before.", hint="Use save() for it.")
            self.records.append(record)
            self.results.append(result)

    def valid(self) -> list[tuple[int, M]]:
        """The records to be saved, each with its place."""
        return [(place, record) for place, record in enumerate(self.records) if record is not None]

    def failed(self, place: int, error: HoldallError) -> None:
        """This item was not saved."""
        self.records[place], self.results[place] = None, error

    def outcome(self) -> list[M]:
        """The records, if all were saved; PartialBatch otherwise."""
        saved = [record for record in self.records if record is not None]
        if len(saved) == len(self.records):
            return saved
        place, first = next((place, error) for place, error in enumerate(self.results) if error is not None)
        raise PartialBatch(
            f"{len(self.records) - len(saved)} of {len(self.records)} {self.model.__name__} could not be created; item {place}: {first}",
            self.results,
            self.records,
            hint="The error's results tell what became of each.",
        )


def create_each(core: Core, scope: Scope | None, model: type[M], items: Sequence[Mapping[str, Any] | M]) -> Program[list[M]]:
    """Make and save many records, each for itself. With event handlers, the store saves them one by one instead."""
    if scope is not None:
        raise ProgrammingError(
            "create_many(…, atomicity='per_item') cannot be part of a transaction, where an error undoes everything.",
            hint="Call it outside, or save each record in a nested transaction.",
        )
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    batch: Items[M] = Items(model, items)
    valid = batch.valid()
    if any(record.__links__() for _, record in valid):
        for place, record in valid:
            try:
                yield from insert(core, None, record)
            except HoldallError as error:
                batch.failed(place, error)
        return batch.outcome()
    rows: list[tuple[int, M, Any]] = []
    for place, record in valid:
        stamp(core, record)
        try:
            rows.append((place, record, record.__freeze__(record)))
        except ValidationError as error:
            batch.failed(place, error)
    if rows:
        writes = [Insert(model.__entity__, (row,)) for _, _, row in rows]
        results = yield from core.backend.apply(writes, "per_item", None, core.visible_at())
        for (place, record, row), result in zip(rows, results, strict=True):
            if isinstance(result, HoldallError):
                batch.failed(place, result)
            else:
                inserted(None, record, row, result[0])
    return batch.outcome()
