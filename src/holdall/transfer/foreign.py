"""Foreign: reading databases that Holdall did not make, through the Inspection and Raw groups of a backend.

Owns the exact conversion from what such a database stores to the types of a model. Nothing is rounded, cut or guessed: a value that does
not fit is an error with its row. Must not know drivers.

    field            stored as                          becomes
    int              integer; text of one               the number
    Decimal          integer; text; real                its shortest decimal form, refused if it has more places than the field
    float            real; integer up to 2**53          the number
    bool             0, 1; 'true', 'false'
    str              text; integer                      the text; its digits
    bytes            blob
    LocalDateTime    'YYYY-MM-DD[ T]HH:MM:SS[.ffffff]'  refused with a time zone
    datetime         the same with a time zone          refused without one
    date             'YYYY-MM-DD', also with 00:00:00
    time             'HH:MM:SS[.ffffff]'
    UUID             text; 16 bytes
    Json, list, …    JSON text
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar, cast
from urllib.parse import urlsplit

from holdall.backends import Backend, Inspection, Raw, Transactions
from holdall.backends.registry import backend_for
from holdall.errors import BadRow, HoldallError, Problem, ProgrammingError, SchemaMismatch, Unsupported, ValidationError, near_name
from holdall.model import Model, thawer
from holdall.program import run
from holdall.schema import CONTAINERS, BadOperand, Entity, Field, Type
from holdall.store import Store
from holdall.transfer.batches import Progress, problems_of, write_batch
from holdall.transfer.forms import Convert, text_reader
from holdall.transfer.naming import snake
from holdall.transfer.selfrefs import parents_first, refers_to_itself

M = TypeVar("M", bound=Model)
Table = Mapping[str, Any]
PAGE_ROWS = 1000


class _Foreign(Backend, Inspection, Raw, Transactions, Protocol):
    """A backend of which everything can be asked that reading a foreign database needs."""


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a copy did: rows written by model name, in the order of writing, by the store's clock in `seconds`."""

    written: Mapping[str, int]
    seconds: float


def read_schema(url: str) -> list[Table]:
    """What the backend of a URL tells about its tables; Unsupported if it tells nothing, Unavailable if it cannot be opened."""
    with _opened(url) as (backend, _):
        return list(run(backend.inspect_schema(), backend.perform))


def read_table(url: str, model: type[M], *, table: str | None = None) -> Iterator[M]:
    """The rows of a table of a foreign database as new, unsaved records, in the order of its key, in constant memory.

    url: of the database, which is opened for reading only. table: its name there; the model's table if not given. Columns are matched by
    the stored names of the fields, else by their names. SchemaMismatch if the table or columns are missing; BadRow, with all problems of
    the row, for a value that the model cannot hold exactly.
    """
    with _opened(url) as (backend, tx):
        for item in _read(backend, tx, run(backend.inspect_schema(), backend.perform), model, table):
            yield item.make()


def copy_foreign(
    url: str, store: Store, models: Sequence[type[Model]], *, batch_rows: int = PAGE_ROWS, progress: Progress | None = None
) -> CopyResult:
    """Copy the tables of a foreign database into a store, parents first, keys as they are, all or nothing.

    models: what to copy, such as `holdall inspect` writes. progress: called with the rows done and None. Errors as read_table; a row that
    the store refuses is a BadRow, too.
    """
    if batch_rows < 1:
        raise ProgrammingError(f"batch_rows is at least 1, not {batch_rows}.")
    begun = store.now()
    written: dict[str, int] = {}
    with _opened(url) as (backend, tx):
        tables = run(backend.inspect_schema(), backend.perform)
        for model in models:  # what cannot be read is known before anything is written
            _plan(tables, model, None)
        store.ensure_schema(*models)
        with store.transaction():
            for model in parents_before_children(models):
                written[model.__name__] = 0
                for count in _copied(store, model, _read(backend, tx, tables, model, None), batch_rows):
                    written[model.__name__] += count
                    if progress is not None:
                        progress(sum(written.values()), None)
    return CopyResult(written, (store.now() - begun).total_seconds())


def _copied(store: Store, model: type[M], rows: Iterator[_Stored[M]], batch_rows: int) -> Iterator[int]:
    items: Iterator[tuple[_Stored[M], M]] = ((row, row.make()) for row in rows)
    if refers_to_itself(model.__entity__):
        items = cast("Iterator[tuple[_Stored[M], M]]", parents_first(model.__entity__, items))
    batch: list[tuple[_Stored[M], M]] = []

    def refused(row: _Stored[M], error: HoldallError) -> None:
        raise BadRow(row.source, row.number, None, problems_of(error)) from error

    for item in items:
        batch.append(item)
        if len(batch) == batch_rows:
            yield write_batch(store, model, batch, lambda row: row.make(), refused)
            batch = []
    if batch:
        yield write_batch(store, model, batch, lambda row: row.make(), refused)


def parents_before_children(models: Sequence[type[Model]]) -> list[type[Model]]:
    """The models in an order in which each comes after those it refers to; ProgrammingError if they refer to each other in a circle."""
    left = list(dict.fromkeys(models))
    done: list[type[Model]] = []
    while left:
        names = {model.__entity__ for model in left}
        free = [model for model in left if not _parents(model.__entity__) & names]
        if not free:
            circle = ", ".join(model.__name__ for model in left)
            raise ProgrammingError(
                f"{circle} refer to each other in a circle, so none can be copied first.", hint="Make one reference a plain field."
            )
        done += free
        left = [model for model in left if model not in free]
    return done


def _parents(entity: Entity) -> set[Entity]:
    return {reference.target.entity for reference in entity.references} - {entity}


@contextmanager
def _opened(url: str) -> Generator[tuple[_Foreign, Any]]:
    """The backend of a foreign database, and a transaction in which all is read."""
    backend = backend_for(_for_reading(url))
    if not (isinstance(backend, Inspection) and isinstance(backend, Raw) and isinstance(backend, Transactions)):
        raise Unsupported(f"{backend.name} has no tables of others to read.", hint="For example sqlite:///chinook.sqlite.")
    foreign = cast("_Foreign", backend)
    try:
        run(backend.open(), backend.perform)
        isolation = backend.describe().default_isolation
        assert isolation is not None
        tx = run(backend.begin(isolation, True, None), backend.perform)
        try:
            yield foreign, tx
        finally:
            run(backend.rollback(tx), backend.perform)
    finally:
        run(backend.close(), backend.perform)


def _for_reading(url: str) -> str:
    """The URL with mode=ro, unless it says otherwise: a file opened for writing gets another journal, which would change it."""
    parts = urlsplit(url)
    if parts.scheme != "sqlite" or not parts.path.strip("/") or "mode=" in parts.query:
        return url
    return f"{url}{'&' if parts.query else '?'}mode=ro"


# Rows.


@dataclass(frozen=True, slots=True)
class _Reading(Generic[M]):
    """How the rows of one table become records of a model."""

    model: type[M]
    table: str
    text: str  # SELECT … FROM …
    key: tuple[str, ...]
    key_places: tuple[int, ...]
    readers: tuple[tuple[str, Convert], ...]


@dataclass(slots=True)
class _Stored(Generic[M]):
    """One stored row."""

    reading: _Reading[M]
    number: int
    values: tuple[Any, ...]

    @property
    def source(self) -> str:
        """What messages call the place."""
        return f"table {self.reading.table}"

    def make(self) -> M:
        """A new record; BadRow with all problems."""
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for (name, read), value in zip(self.reading.readers, self.values, strict=False):
            try:
                values[name] = None if value is None else read(value)
            except BadOperand as error:
                problems.append(Problem((name,), "value", str(error)))
        failed = {problem.path[0] for problem in problems}
        try:
            made = self.reading.model(**values)
        except ValidationError as error:
            problems += [item for item in error.problems if not (item.code == "missing" and item.path and item.path[0] in failed)]
        else:
            if not problems:
                return made
        raise BadRow(self.source, self.number, None, problems)


def _read(backend: _Foreign, tx: Any, tables: Sequence[Table], model: type[M], table: str | None) -> Iterator[_Stored[M]]:
    """The rows, a page at a time, by the table's own key."""
    reading = _plan(tables, model, table)
    keys = ", ".join(_quote(name) for name in reading.key)
    number, last = 0, None
    while True:
        where, parameters = "", ()
        if last is not None:
            where, parameters = f" WHERE ({keys}) > ({', '.join('?' * len(last))})", last
        text = f"{reading.text}{where} ORDER BY {keys} LIMIT {PAGE_ROWS}"
        _, rows = run(backend.raw(text, parameters, tx), backend.perform)
        for row in rows:
            number += 1
            yield _Stored(reading, number, row)
        if len(rows) < PAGE_ROWS:
            return
        last = tuple(rows[-1][place] for place in reading.key_places)


def _plan(tables: Sequence[Table], model: type[M], name: str | None) -> _Reading[M]:
    """Match a table with a model; SchemaMismatch if it cannot be."""
    entity = model.__entity__
    wanted = name or entity.table
    table = next((item for item in tables if item["name"].casefold() == wanted.casefold()), None)
    if table is None and name is None:
        table = next((item for item in tables if snake(item["name"]) == wanted), None)
    if table is None:
        raise SchemaMismatch(
            f"{model.__name__} cannot be read:",
            [f"there is no table '{wanted}'"],
            hint=near_name(wanted, [item["name"] for item in tables]),
        )
    columns = [column["name"] for column in table["columns"]]
    key = tuple(c["name"] for c in sorted((c for c in table["columns"] if c["pk"]), key=lambda c: c["pk"]))
    found = [(field, _column_of(field, columns)) for field in entity.fields]
    declared = model.__shape__.by_name
    missing = [
        f"there is no column '{field.column}' for {model.__name__}.{field.name}"
        for field, column in found
        if column is None and declared[field.name].required
    ]
    if missing:
        raise SchemaMismatch(
            f"{model.__name__} cannot be read from the table {table['name']}:", missing, hint=f"It has: {', '.join(columns)}."
        )
    present = [(field, column) for field, column in found if column is not None]
    if not key:
        key = tuple(column for field, column in present if field.name in entity.key)
    selected = [column for _, column in present]
    selected += [column for column in key if column not in selected]
    listed = ", ".join(_quote(column) for column in selected)
    return _Reading(
        model,
        table["name"],
        f"SELECT {listed} FROM {_quote(table['name'])}",  # noqa: S608 - names are quoted
        key,
        tuple(selected.index(column) for column in key),
        tuple((field.name, _reader(field)) for field, _ in present),
    )


def _column_of(field: Field, columns: Sequence[str]) -> str | None:
    if field.column in columns:
        return field.column
    near = [column for column in columns if column.casefold() == field.column.casefold()]
    near += [column for column in columns if snake(column) == field.name]
    return near[0] if near else None


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# Values.


def _reader(field: Field) -> Convert:
    """From a stored value (not null) to what the model's constructor takes; BadOperand."""
    type_ = field.type
    convert = _canonical(type_)
    thaw = thawer(type_, field.nullable)
    if thaw is None:
        return convert

    def read(value: Any) -> Any:
        made = convert(value)
        try:
            return thaw(made)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:  # a codec of the user's own
            raise BadOperand(str(error)) from None

    return read


def _canonical(type_: Type) -> Convert:
    kind, parse = type_.kind, text_reader(type_)
    special = {"decimal": _decimal, "date": _date, "bool": _bool, "uuid": _uuid}.get(kind)
    if kind == "str":
        return lambda value: type_.check(str(value) if type(value) is int else value)

    def convert(value: Any) -> Any:
        if special is not None:
            value = special(type_, value)
        if type(value) is str and kind != "bytes":
            return parse(value)
        if kind in CONTAINERS:
            raise BadOperand(f"{value!r} is not JSON text")
        return type_.check(value)

    return convert


def _decimal(type_: Type, value: Any) -> Any:
    if type(value) is not float:
        return value
    exact = Decimal(repr(value))
    exponent = exact.normalize().as_tuple().exponent
    if type_.places is not None and isinstance(exponent, int) and -exponent > type_.places:
        raise BadOperand(f"{value!r} is stored as a real number with more than {type_.places} decimal places; it would have to be rounded")
    return exact


def _date(type_: Type, value: Any) -> Any:
    if type(value) is str and len(value) > 10:
        try:
            whole = dt.datetime.fromisoformat(value)
        except ValueError:
            return value
        if whole.tzinfo is None and whole.time() == dt.time():
            return value[:10]
    return value


def _bool(type_: Type, value: Any) -> Any:
    return bool(value) if type(value) is int and value in (0, 1) else value


def _uuid(type_: Type, value: Any) -> Any:
    from uuid import UUID

    return UUID(bytes=value) if type(value) is bytes and len(value) == 16 else value
