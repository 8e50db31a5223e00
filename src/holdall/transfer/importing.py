"""Importing: the rows of a file into a store, all or none, or all good ones.

Owns the transaction around an import and what happens to bad rows. Must not know formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Generic, Literal, TypeVar

from holdall.errors import BadRow, HoldallError, ProgrammingError
from holdall.model import Model
from holdall.store import Store
from holdall.transfer.batches import Progress, problems_of, write_batch
from holdall.transfer.delimited import check_delimiter
from holdall.transfer.files import Source, open_input
from holdall.transfer.rejects import Rejects, rejects_target
from holdall.transfer.rows import RawRow, Reader
from holdall.transfer.selfrefs import parents_first, refers_to_itself

M = TypeVar("M", bound=Model)
OnError = Literal["stop", "skip"]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did: rows read from the file, written to the store, rejected, by the store's clock in `seconds`.

    `rejects` is the path of the rejects file, None if there is none.
    """

    read: int
    written: int
    rejected: int
    seconds: float
    rejects: str | None = None


def import_rows(
    store: Store,
    model: type[M],
    source: Source,
    *,
    format: str | None = None,
    on_error: OnError = "stop",
    rejects: Source | None = None,
    null: Iterable[str] = ("",),
    rename: Mapping[str, str | None] | None = None,
    delimiter: str = ",",
    encoding: str | None = None,
    batch_rows: int = 1000,
    progress: Progress | None = None,
) -> ImportResult:
    """Insert the rows of a CSV, JSON or NDJSON file, in one transaction.

    source: a path, '-' for standard input, or a file opened in binary mode; may be gzipped, or a zip archive of one file. format: 'csv',
    'json' (a list of objects) or 'ndjson'; by extension if not given. on_error: with 'stop' a bad row ends the import and nothing of the
    file is kept; with 'skip' it goes to `rejects` (by default beside the source: people.rejects.csv) and the good rows are kept. null: the
    words that mean null in an unquoted CSV cell. rename: {column: field}, or None for a column to be left out. batch_rows: how many rows
    are written at a time; a CSV or NDJSON file of any size needs memory for that many. progress: called with the rows done and their
    total, if known. Values for keys, versions and times that the file gives are kept as they are.

    BadRow (row, line, all problems of the row) with 'stop'; BadFile if the file cannot be read, or its columns do not fit: nothing is kept
    then either. ProgrammingError for an option that cannot be meant.
    """
    if on_error not in ("stop", "skip"):
        raise ProgrammingError(f"on_error is 'stop' or 'skip', not {on_error!r}.")
    if batch_rows < 1:
        raise ProgrammingError(f"batch_rows is at least 1, not {batch_rows}.")
    if rejects is not None and on_error == "stop":
        raise ProgrammingError("rejects= goes with on_error='skip'.", hint="With 'stop', the first bad row ends the import.")
    check_delimiter(delimiter)
    target = rejects_target(rejects, source) if on_error == "skip" else None
    begun = store.now()
    with open_input(source, format, encoding) as file:
        reader = Reader(file, model, frozenset(null), rename or {}, delimiter)
        rows = reader.rows()
        first = next(rows, None)  # whether the columns fit is known before anything is begun
        store.ensure_schema(model)
        with ExitStack() as stack:
            refused = None if target is None else stack.enter_context(Rejects(target, file.format, reader.header, delimiter))
            job = _Job(store, reader, refused, batch_rows, progress)
            with store.transaction():
                job.run(rows if first is None else chain((first,), rows))
    name = str(target) if refused is not None and refused.count and isinstance(target, str | Path) else None
    return ImportResult(job.read, job.written, job.read - job.written, (store.now() - begun).total_seconds(), name)


class _Job(Generic[M]):
    """One import under way."""

    def __init__(self, store: Store, reader: Reader[M], rejects: Rejects | None, batch_rows: int, progress: Progress | None) -> None:
        self.read = 0
        self.written = 0
        self._store = store
        self._reader = reader
        self._rejects = rejects
        self._batch_rows = batch_rows
        self._progress = progress
        self._bad: BadRow | None = None

    def run(self, rows: Iterable[RawRow]) -> None:
        entity = self._reader.model.__entity__
        records: Iterable[tuple[RawRow, M]] = self._taken(rows)
        if refers_to_itself(entity):
            records = parents_first(entity, records)  # type: ignore[assignment]  # the same items, in another order
        batch: list[tuple[RawRow, M]] = []
        for item in records:
            batch.append(item)
            if len(batch) == self._batch_rows:
                self._write(batch)
                batch = []
        if batch:
            self._write(batch)
        if self._bad is not None:
            raise self._bad
        if self._progress is not None:
            self._progress(self.read, self.read)

    def _taken(self, rows: Iterable[RawRow]) -> Iterator[tuple[RawRow, M]]:
        take = self._reader.take
        for row in rows:
            self.read += 1
            try:
                record = take(row)
            except BadRow as error:
                if self._rejects is None:
                    self._bad = error  # raised when the rows before it are written, one of which may be bad as well
                    return
                self._rejects.add(row, error)
            else:
                yield row, record

    def _write(self, batch: list[tuple[RawRow, M]]) -> None:
        self.written += write_batch(self._store, self._reader.model, batch, self._reader.take, self._refused)
        if self._progress is not None:
            self._progress(self.read, None)

    def _refused(self, row: RawRow, error: HoldallError) -> None:
        bad = BadRow(self._reader.file.name, row.number, row.line, problems_of(error))
        if self._rejects is None:
            raise bad from error
        self._rejects.add(row, bad)
