"""The SQLite backend: the port on top of `backends.sql`, for one database file or one in-memory database.

Owns options, capabilities, transactions, inspection, and what only SQLite needs when writing. Must not know connections or threads; those
are behind `perform`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from holdall.backends.capabilities import ABSENT, NATIVE, Capabilities, Durability, Isolation, Support, emulated
from holdall.backends.port import Row
from holdall.backends.sql import effects
from holdall.backends.sql.writes import Writes
from holdall.backends.sqlite.catalog import read_children, read_tables
from holdall.backends.sqlite.dialect import SQLiteDialect
from holdall.backends.sqlite.perform import ENGINE_VERSION, PARAMETERS_MAX, VALUE_BYTES_MAX, Performer, Settings, in_memory, on_file
from holdall.backends.sqlite.schema import ensure
from holdall.backends.url import StoreURL
from holdall.errors import (
    ConstraintViolation,
    DeclarationError,
    ForeignKeyViolation,
    HoldallError,
    NotNullViolation,
    Unsupported,
    near_name,
)
from holdall.program import Program
from holdall.schema import Entity

_JOURNALS = ("wal", "delete", "truncate", "persist", "memory")  # without a journal SQLite cannot roll back: 'off' would damage the file
_SYNCHRONOUS = ("full", "extra", "normal", "off")
_OPTIONS = {
    "journal_mode": "one of " + ", ".join(_JOURNALS),
    "synchronous": "one of "
    + ", ".join(_SYNCHRONOUS)
    + "; without it what survives a power cut: extra with journal_mode=delete, else full",
    "busy_timeout_s": "how long to wait for another writer, in seconds",
    "cache_mib": "memory for pages, per connection",
    "mode": "'rw' (default) or 'ro' to open the file for reading only",
}


class SQLiteBackend(Writes):
    """A store in SQLite. `path` None or ':memory:' is an in-memory database of its own, shared by all threads of the store."""

    name = "sqlite"

    def __init__(self, path: str | None, options: Mapping[str, str] | None = None) -> None:
        super().__init__(SQLiteDialect())
        self._settings = _settings(path, dict(options or {}))
        self._performer = Performer(self._settings)
        self.perform = self._performer.perform
        self.aperform = self._performer.aperform

    # Life.

    def open(self) -> Program[None]:
        """Connect and verify: readable, UTF-8, journal mode, foreign keys."""
        yield effects.Open()

    def close(self) -> Program[None]:
        """Close all connections; open transactions are rolled back."""
        yield effects.Close()

    def ping(self) -> Program[None]:
        """Read the database's header."""
        yield effects.Read(None, "PRAGMA schema_version", (), list)

    def describe(self) -> Capabilities:
        """What SQLite keeps and how."""
        settings = self._settings
        concurrent = not settings.memory and settings.journal_mode == "wal"
        features: dict[str, Support] = {
            "transactions": NATIVE,
            "savepoints": NATIVE,
            "atomic_batch": NATIVE,
            "set_writes": NATIVE,
            "aggregates": emulated("sum and avg of Decimals and floats are functions registered by Holdall, exact"),
            "joins": NATIVE,
            "unique": NATIVE,
            "references": NATIVE,
            "checks": emulated("CHECK constraints; conditions SQL cannot say call functions registered by Holdall"),
            "expiry": emulated("expired rows are left out of every statement and removed when they are in the way"),
            "generated_int": NATIVE,
            "scan": NATIVE,
            "deferred_unique": ABSENT,
            "reads_beside_writes": NATIVE
            if concurrent
            else Support("absent", "readers and a writer wait for each other: only a file in WAL has both"),
            "row_locks": emulated("a writing transaction locks the whole database"),
            "read_your_writes": NATIVE,
            "schema_inspection": NATIVE,
            "raw": NATIVE,
        }
        verified = ["text is UTF-8 and sorts by code point", "foreign_keys is on"]
        if not settings.memory:
            verified.append(f"journal_mode is {settings.journal_mode}")
        return Capabilities(
            backend="sqlite",
            engine="SQLite",
            version=ENGINE_VERSION,
            durability=_durability(settings),
            isolation=frozenset({Isolation.SNAPSHOT, Isolation.SERIALIZABLE}),
            default_isolation=Isolation.SNAPSHOT,
            consistency=frozenset({"strong", "eventual"}),
            features=features,
            parameters_max=PARAMETERS_MAX,
            item_bytes_max=VALUE_BYTES_MAX,
            verified=tuple(verified) if self._performer.verified else (),
        )

    # Schema.

    def ensure_schema(self, entities: Sequence[Entity]) -> Program[None]:
        """Create missing tables and indexes in one transaction; SchemaMismatch, listing all differences, for what does not fit."""
        self.know(entities)
        yield from ensure(entities, self.dialect, self.in_transaction)

    def reset(self, entities: Sequence[Entity]) -> Program[None]:
        """Remove all rows of these entities; references to them are not looked at."""

        session = yield effects.Begin(unchecked=True)
        try:
            for entity in entities:
                yield effects.Write(session, self.statements.delete_all(entity), (), entity)
            yield effects.Commit(session)
        except BaseException:
            yield effects.Rollback(session)
            raise

    def drop(self, entities: Sequence[Entity]) -> Program[None]:
        """Drop the tables of these entities, with their indexes, in one transaction; references to them are not looked at."""
        session = yield effects.Begin(unchecked=True)
        try:
            for entity in entities:
                yield effects.Control(session, self.statements.drop(entity))
            yield effects.Commit(session)
        except BaseException:
            yield effects.Rollback(session)
            raise
        self.forget(entities)

    def inspect_schema(self) -> Program[list[Mapping[str, Any]]]:
        """Every table and view of the database, ours or not, by name. Each is a mapping:

        name             as stored
        kind             'table', 'view' or 'virtual' (full text and other modules)
        strict           whether types are enforced
        without_rowid    whether the table is kept in the order of its key
        sql              the statement that made it
        columns          list of: name, type (as declared, '' if not), nullable, default (SQL text or None), pk (place in the key from 1,
                         or 0), generated ('virtual', 'stored' or None)
        foreign_keys     list of: columns, target (table), target_columns, on_delete, on_update (as SQLite says: 'NO ACTION', …)
        uniques          list of: name, columns; from constraints and unique indexes without conditions, the key not included
        indexes          list of: name, unique, origin ('c'), partial, columns (None for an expression), collations, descending
        problem          None, or why SQLite cannot describe it (a view of a table that is gone)
        """
        session = yield effects.Begin(read_only=True)
        try:
            return (yield from read_tables(session))  # type: ignore[return-value]  # a Table is a Mapping
        finally:
            yield effects.Rollback(session)

    # Transactions.

    def begin(self, isolation: Isolation, read_only: bool, timeout_s: float | None) -> Program[Any]:
        """A transaction. SQLite has one writer at a time, so both levels are serializable. LockTimeout after `timeout_s` of waiting."""
        if isolation not in (Isolation.SNAPSHOT, Isolation.SERIALIZABLE):
            raise Unsupported(f"SQLite has no isolation level {isolation.value}.", hint="It has SNAPSHOT and SERIALIZABLE.")
        return (yield effects.Begin(read_only, timeout_s))

    def commit(self, tx: Any) -> Program[None]:
        """All or nothing; OutcomeUnknown when SQLite cannot tell which."""
        yield effects.Commit(tx)

    def rollback(self, tx: Any) -> Program[None]:
        """Undo all; a transaction that has ended is left alone."""
        yield effects.Rollback(tx)

    # Raw.

    def raw(self, text: str, parameters: Sequence[Any], tx: Any) -> Program[tuple[list[str], list[Row]]]:
        """Column names and rows of a SQL statement, as SQLite stores them (see the table in `dialect`)."""
        return (yield effects.Native(tx, text, tuple(parameters)))  # type: ignore[no-any-return]  # an effect's reply is Any

    def native(self) -> Any:
        """The calling thread's own apsw.Connection."""
        return self._performer.native()

    # Failures.

    def deferring(self, body: Program[Any], tx: Any, entity: Entity) -> Program[Any]:
        """SQLite looks at references row by row unless told to put that off."""
        if not entity.references:
            return (yield from body)
        yield effects.Control(tx, "PRAGMA defer_foreign_keys = ON")
        try:
            reply = yield from body
            dangling = yield effects.Dangling(tx)
        except HoldallError:
            with suppress(HoldallError):  # the transaction may be over
                yield effects.Control(tx, "PRAGMA defer_foreign_keys = OFF")
            raise
        yield effects.Control(tx, "PRAGMA defer_foreign_keys = OFF")
        if dangling:
            raise ForeignKeyViolation("", entity=entity.name)
        return reply

    def refuse_null_keys(self, entity: Entity, rows: Sequence[Row]) -> None:
        """SQLite numbers every INTEGER PRIMARY KEY that is null."""
        if entity.generated_field is None and len(entity.key) == 1:
            (position,) = entity.key_positions
            if entity.fields[position].type.kind in ("int", "bool") and any(row[position] is None for row in rows):
                raise NotNullViolation(f"{entity.name}.{entity.key[0]} must have a value.", entity=entity.name, fields=entity.key)

    def referred(
        self, entity: Entity, key: Any, tx: Any, error: ConstraintViolation, rules: frozenset[str], but_itself: bool = False
    ) -> Program[ConstraintViolation]:
        """SQLite only says that there are some: which other rows refer to the row?"""
        for child in (yield from read_children(tx, entity.table)):
            if child["on_delete"] not in rules:
                continue
            if key is not None and not (yield from self._has_child(entity, key, child, tx, but_itself)):
                continue
            other = self.entities.get(child["table"].casefold())
            by_column: dict[str, str] = {} if other is None else {field.column: field.name for field in other.fields}
            columns: list[str] = child["columns"]
            fields = [by_column.get(column, column) for column in columns]
            name = child["table"] if other is None else other.name
            what = f"{entity.name} {key!r} is" if key is not None else f"Some of these {entity.name} records are"
            return ForeignKeyViolation(
                f"{what} still referred to by {name}.{', '.join(fields)}.", entity=name, fields=fields,
                hint="Delete or change those first, or declare on_delete.",
            )  # fmt: skip
        return error

    def _has_child(self, entity: Entity, key: Any, child: Mapping[str, Any], tx: Any, but_itself: bool) -> Program[bool]:
        parts = (key,) if len(entity.key) == 1 else key
        values = {
            field.column: value if (encode := self.dialect.format(field.type).encode) is None else encode(value)
            for field, value in zip((entity.by_name[name] for name in entity.key), parts, strict=True)
        }
        columns = [entity.by_name[name].column for name in entity.key] if None in child["target_columns"] else child["target_columns"]
        if not set(columns) <= set(values):
            return False
        quote = self.dialect.engine.identifier_preparer.quote_identifier
        where = " AND ".join(f"{quote(column)} = ?" for column in child["columns"])
        params = [values[column] for column in columns]
        if but_itself and child["table"].casefold() == entity.table.casefold():
            where += " AND NOT (" + " AND ".join(f"{quote(column)} = ?" for column in values) + ")"
            params += values.values()
        text = f"SELECT 1 FROM {quote(child['table'])} WHERE {where} LIMIT 1"  # noqa: S608  names are quoted, values bound
        return bool((yield effects.Read(tx, text, tuple(params), list)))


def from_url(url: StoreURL) -> SQLiteBackend:
    """The backend of 'sqlite:///path?option=value'; 'sqlite:' and 'sqlite:///:memory:' are in-memory databases."""
    if url.host or url.user:
        raise DeclarationError(
            f"A SQLite store is a file here, but its URL names the host '{url.host}'.", hint="Write three slashes: sqlite:///shop.db."
        )
    return SQLiteBackend(url.path or None, url.options)


def _settings(path: str | None, options: dict[str, str]) -> Settings:
    for name in options:
        if name not in _OPTIONS:
            raise DeclarationError(f"SQLite stores have no option '{name}'.", hint=near_name(name, _OPTIONS))
    memory = path is None or path == ":memory:"
    journal = _one_of(options, "journal_mode", _JOURNALS)
    # Only 'extra' syncs the folder: with 'full' a deleted journal may be back after a power cut, and would undo the commit.
    synchronous = _one_of(options, "synchronous", _SYNCHRONOUS, "extra" if journal == "delete" else "full")
    mode = _one_of(options, "mode", ("rw", "ro"))
    wait_s = _number(options, "busy_timeout_s", 5.0)
    cache = _number(options, "cache_mib", 0.0)
    make = in_memory if memory else on_file
    return make(
        path or "", read_only=mode == "ro", journal_mode=journal, synchronous=synchronous, busy_timeout_s=wait_s,
        cache_kib=int(cache * 1024) or None,
    )  # fmt: skip


def _one_of(options: Mapping[str, str], name: str, known: Sequence[str], default: str = "") -> str:
    value = options.get(name, default or known[0]).lower()
    if value not in known:
        raise DeclarationError(f"The option {name} cannot be '{value}'.", hint=f"It is {_OPTIONS[name]}.")
    return value


def _number(options: Mapping[str, str], name: str, default: float) -> float:
    text = options.get(name)
    try:
        value = default if text is None else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise DeclarationError(f"The option {name} cannot be '{text}'.", hint=f"It is {_OPTIONS[name]}.")
    return value


# What a commit survives in a file, as proofs/powercut.py measures it; every pair that is not here survives that the process is killed.
# With less than these a power cut loses commits, or (normal without WAL, off) even damages the file.
_SURVIVES_POWER_LOSS = {
    ("wal", "full"), ("wal", "extra"), ("delete", "extra"),
    ("truncate", "full"), ("truncate", "extra"), ("persist", "full"), ("persist", "extra"),
}  # fmt: skip


def _durability(settings: Settings) -> Durability:
    if settings.memory or settings.journal_mode == "memory":
        return Durability.NONE
    strong = (settings.journal_mode, settings.synchronous) in _SURVIVES_POWER_LOSS
    return Durability.POWER_LOSS if strong else Durability.PROCESS_CRASH
