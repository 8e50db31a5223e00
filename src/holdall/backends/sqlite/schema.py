"""The schema: creating what entities need, and comparing what is there already.

Owns the programs of ensure_schema and the differences in words. Must not know connections. Nothing that exists is ever changed or removed:
missing tables and missing indexes are created, anything else that does not fit is refused with all differences.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from holdall.backends.sql import effects
from holdall.backends.sql.checks import check_texts
from holdall.backends.sql.dialect import Dialect
from holdall.backends.sql.tables import columns_of, definition, indexes_of, uniques_of
from holdall.backends.sqlite.catalog import Table, read_tables
from holdall.errors import DeclarationError, SchemaMismatch
from holdall.program import Program
from holdall.schema import Entity

_CHECK = re.compile(r"CONSTRAINT (\w+|\"[^\"]+\") CHECK", re.IGNORECASE)
_COLLATE = re.compile(r"\bCOLLATE\s+(?!BINARY\b)(\w+)", re.IGNORECASE)


def missing(entities: Sequence[Entity], dialect: Dialect, tx: Any) -> Program[list[str]]:
    """The statements that would complete the schema; SchemaMismatch if something stands in the way."""
    tables = yield from read_tables(tx, frozenset(entity.table.casefold() for entity in entities))
    found = {table["name"].casefold(): table for table in tables}
    statements: list[str] = []
    indexes: list[str] = []
    differences: list[str] = []
    for entity in entities:
        _check_generated(entity)
        table = found.get(entity.table.casefold())
        checks = check_texts(entity, dialect)
        whole = definition(entity, dialect, checks)
        if table is None:
            statements.append(str(CreateTable(whole).compile(dialect=dialect.engine)).strip())
        else:
            differences += [f"table {entity.table}: {line}" for line in compare(entity, table, dialect, checks)]
        held: set[tuple[Any, ...]] = (
            set() if table is None else {tuple(index["columns"]) for index in table["indexes"] if not index["partial"]}
        )
        for name, fields in indexes_of(entity):
            columns = columns_of(entity, fields)
            if columns not in held:
                index = sa.Index(name, *(whole.c[column] for column in columns))
                indexes.append(str(CreateIndex(index).compile(dialect=dialect.engine)).strip())
    if differences:
        raise SchemaMismatch(
            "The database has tables that do not fit the models; nothing was changed:", differences,
            hint="Change the model, migrate the table, or use another database.",
        )  # fmt: skip
    return statements + indexes


def ensure(entities: Sequence[Entity], dialect: Dialect, in_transaction: Any) -> Program[None]:
    """Create what is missing, in one transaction; only reads if nothing is."""
    if not (yield from missing(entities, dialect, None)):
        return

    def create(session: Any) -> Program[None]:
        for statement in (yield from missing(entities, dialect, session)):  # again: another process may have been faster
            yield effects.Control(session, statement)

    yield from in_transaction(create)


def _check_generated(entity: Entity) -> None:
    if entity.generated_field is not None and len(entity.key) > 1:
        raise DeclarationError(
            f"{entity.name}: SQLite cannot number '{entity.generated_field.name}', which is only a part of the key.",
            hint="Make it the whole key, or set it yourself.",
        )


def compare(entity: Entity, table: Table, dialect: Dialect, checks: Sequence[tuple[str, str]]) -> list[str]:
    """What of a table does not fit an entity, one sentence each."""
    if table["kind"] != "table":
        return [f"it is a {table['kind']}, not a table"]
    differences = [*_columns(entity, table, dialect), *_keys(entity, table), *_references(entity, table)]
    sql = str(table["sql"])
    collation = _COLLATE.search(sql)
    if collation is not None:
        differences.append(f"it compares text by COLLATE {collation.group(1)}, not by code point")
    declared = {name for name, _ in checks}
    differences += [f"it does not have the check '{n}': {text}" for n, text in checks if f"CONSTRAINT {n} CHECK ({text})" not in sql]
    unknown = [found for found in _CHECK.findall(sql) if found.strip('"') not in declared]
    return differences + [f"it has a check '{found}' that the model does not know" for found in unknown]


def _columns(entity: Entity, table: Table, dialect: Dialect) -> list[str]:
    differences: list[str] = []
    stored = {column["name"].casefold(): column for column in table["columns"]}
    for field in entity.fields:
        column = stored.pop(field.column.casefold(), None)
        wanted = dialect.format(field.type).storage.get_col_spec()
        if column is None:
            differences.append(f"column {field.column} ({wanted}) is missing")
            continue
        held = _storage(column["type"], strict=table["strict"])
        if held != wanted:
            differences.append(
                f"column {field.column} is {column['type'] or 'without a type'}, and {field.type.name} is stored as {wanted}"
            )
        if column["generated"]:
            differences.append(f"column {field.column} is computed by the database")
        if column["nullable"] != field.nullable:
            may, must = ("may be null", "not") if column["nullable"] else ("is NOT NULL", "may")
            differences.append(f"column {field.column} {may}, and {entity.name}.{field.name} may{' not' if must == 'not' else ''}")
    needed = [c["name"] for c in stored.values() if not c["nullable"] and c["default"] is None and not c["generated"]]
    return differences + [f"column {name} is unknown to the model, NOT NULL, and has no default" for name in needed]


def _storage(declared: str, *, strict: bool) -> str:
    """The storage class that a declared type gives (https://www.sqlite.org/datatype3.html, 3.1)."""
    upper = declared.upper()
    if strict:
        return "INTEGER" if upper == "INT" else upper
    if "INT" in upper:
        return "INTEGER"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if not upper or "BLOB" in upper:
        return "BLOB"
    if any(word in upper for word in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def _keys(entity: Entity, table: Table) -> list[str]:
    differences: list[str] = []
    wanted_key = columns_of(entity, entity.key)
    keyed = sorted((column for column in table["columns"] if column["pk"]), key=lambda column: column["pk"])
    held_key = tuple(column["name"] for column in keyed)
    if {name.casefold() for name in held_key} != {name.casefold() for name in wanted_key}:
        differences.append(f"its key is ({', '.join(held_key)}), not ({', '.join(wanted_key)})")
    elif entity.generated_field is not None and keyed[0]["type"].upper() != "INTEGER":
        differences.append(f"column {held_key[0]} must be INTEGER PRIMARY KEY to be numbered by SQLite")
    wanted = {frozenset(columns_of(entity, fields)) for _, fields in uniques_of(entity)} - {frozenset(wanted_key)}
    held = {frozenset(unique["columns"]) for unique in table["uniques"]} - {frozenset(held_key)}
    differences += [f"({', '.join(sorted(columns))}) is not unique" for columns in wanted - held]
    differences += [f"({', '.join(sorted(columns))}) is unique, which the model does not say" for columns in held - wanted]
    return differences


def _references(entity: Entity, table: Table) -> list[str]:
    wanted: set[Any] = set()
    for reference in entity.references:
        target = reference.target.entity
        pairs = zip(columns_of(entity, reference.fields), columns_of(target, reference.target_fields), strict=True)
        wanted.add((frozenset(pairs), target.table.casefold(), reference.on_delete))
    held: set[Any] = set()
    for key in table["foreign_keys"]:
        action = {"CASCADE": "cascade", "SET NULL": "set_null", "SET DEFAULT": "set_default"}.get(key["on_delete"], "restrict")
        held.add((frozenset(zip(key["columns"], key["target_columns"], strict=True)), key["target"].casefold(), action))
    differences = [f"it lacks {_described(reference)}" for reference in wanted - held]
    return differences + [f"it has {_described(reference)}, which the model does not declare" for reference in held - wanted]


def _described(reference: Any) -> str:
    pairs, target, action = reference
    names = ", ".join(sorted(local for local, _ in pairs))
    return f"the reference of ({names}) to {target} with on_delete '{action}'"
