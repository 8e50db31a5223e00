"""Exporting: the records of a model or query into a file, the same ones always as the same bytes.

Owns order and choice of columns. Must not know how files are opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from holdall.errors import ProgrammingError, QueryError, Unsupported, near_name
from holdall.model import Model, Query
from holdall.schema import Entity, Field
from holdall.store import Store
from holdall.transfer.batches import Progress
from holdall.transfer.columns import column_of
from holdall.transfer.delimited import check_delimiter, record_writer
from holdall.transfer.files import FORMATS, Format, Source, check_format, format_of, open_output
from holdall.transfer.forms import json_writer, sorted_json, text_writer

M = TypeVar("M", bound=Model)
Row = tuple[Any, ...]
PAGE_ROWS = 2000


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What an export did: rows written, by the store's clock in `seconds`; `left_out` names secret fields that were not written."""

    written: int
    seconds: float
    left_out: tuple[str, ...] = ()


def export_rows(
    store: Store,
    what: type[M] | Query[M],
    target: Source,
    *,
    format: str | None = None,
    columns: Sequence[str] | None = None,
    secrets: bool = False,
    delimiter: str = ",",
    progress: Progress | None = None,
) -> ExportResult:
    """Write the records of a model, or those that a query finds, as CSV, JSON or NDJSON.

    what: a model (all its records, also those that its default filters hide) or a query on this store (as it is; its includes are not
    written). target: a path, which appears only when all is written, '-' for standard output, or a file opened in binary mode. format: by
    extension if not given. columns: the fields to write, in this order; all if not given. secrets: also write fields declared secret,
    which are left out otherwise. progress: called with the rows done.

    Rows are in the order of the query, else of the key, and are read at one instant. `import_rows` reads all of it back exactly; in CSV an
    empty cell is null and "" is empty text. QueryError for an unknown column, BadFile if the target cannot be written.
    """
    query = store[what].query().unfiltered() if isinstance(what, type) else what
    model = query.model
    chosen = check_format(format) if format is not None else _format_of(target)
    fields, left_out = _fields(model.__entity__, columns, secrets)
    encode = _csv(fields, check_delimiter(delimiter)) if chosen == "csv" else _json(model, fields)
    begun = store.now()
    store.ensure_schema(model)
    written = 0
    with open_output(target) as stream, store.transaction(read_only=True):
        write = stream.write
        if chosen != "ndjson":
            write(encode(None) if chosen == "csv" else b"[")
        for row in _rows(query):
            if chosen == "json":
                write(b",\n" if written else b"\n")
            write(encode(row))
            if chosen == "ndjson":
                write(b"\n")
            written += 1
            if progress is not None and written % PAGE_ROWS == 0:
                progress(written, None)
        if chosen == "json":
            write(b"\n]\n")
    if progress is not None:
        progress(written, written)
    return ExportResult(written, (store.now() - begun).total_seconds(), left_out)


def _format_of(target: Source) -> Format:
    found = None if target == "-" else format_of(str(target))
    if found is None:
        raise ProgrammingError(
            "The format of the export cannot be told from its target.", hint=f"Pass format= with one of {', '.join(FORMATS)}."
        )
    return found


def _fields(entity: Entity, columns: Sequence[str] | None, secrets: bool) -> tuple[list[Field], tuple[str, ...]]:
    if columns is None:
        hidden = () if secrets else tuple(field.name for field in entity.fields if field.secret)
        return [field for field in entity.fields if field.name not in hidden], hidden
    chosen: list[Field] = []
    for name in columns:
        field = entity.by_name.get(name)
        if field is None:
            raise QueryError(f"{entity.name} has no field '{name}'.", hint=near_name(name, entity.by_name), name=name, kind="unknown_field")
        if field.secret and not secrets:
            raise QueryError(f"{entity.name}.{name} is secret.", hint="Pass secrets=True to write it.", name=name)
        if field in chosen:
            raise QueryError(f"The column '{name}' is named twice.", name=name)
        chosen.append(field)
    if not chosen:
        raise QueryError("An export needs at least one column.", hint=near_name("", entity.by_name))
    return chosen, ()


def _rows(query: Query[M]) -> Iterator[Row]:
    select = query.select
    if select.distinct or select.group_by or select.columns is not None:
        raise QueryError("distinct() and group_by() go with values(), not with an export.")
    records: Iterable[M] = query.stream(PAGE_ROWS)
    for record in records:
        row = record._row
        assert row is not None
        yield row


def _csv(fields: Sequence[Field], delimiter: str) -> Callable[[Row | None], bytes]:
    """A function from a row (None: the header) to a line."""
    line = record_writer(delimiter)
    writers = [(field.position, text_writer(field.type)) for field in fields]

    def encode(row: Row | None) -> bytes:
        if row is None:
            return line([field.name for field in fields])
        cells: list[str | None] = []
        for position, write in writers:
            value = row[position]
            cells.append(value if value is None or write is None else write(value))
        return line(cells)

    return encode


def _json(model: type[Model], fields: Sequence[Field]) -> Callable[[Row | None], bytes]:
    """A function from a row to a JSON object; its keys are in the order of the columns."""
    writers = [(field, b"," + sorted_json(field.name) + b":", json_writer(field.type), column_of(model, field)) for field in fields]

    def encode(row: Row | None) -> bytes:
        assert row is not None
        parts: list[bytes] = []
        for field, name, write, column in writers:
            value = row[field.position]
            if value is None and column.kind == "json":
                if not column.absent_is_null:
                    raise Unsupported(
                        f"{model.__name__}.{field.name} is null in one record; JSON cannot tell this from its own null or the default.",
                        hint="Export as CSV, or leave the column out.",
                    )
                continue
            parts.append(name)
            parts.append(sorted_json(value if value is None or write is None else write(value)))
        if not parts:
            return b"{}"
        parts[0] = parts[0][1:]
        return b"{" + b"".join(parts) + b"}"

    return encode
