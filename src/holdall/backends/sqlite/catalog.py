"""The catalog: the stored schema of any SQLite database, read from SQLite itself.

Owns the reading of tables, views, columns, keys, uniques, indexes and references as plain data. Must not know entities.
"""

from __future__ import annotations

from typing import Any

from holdall.backends.sql import effects
from holdall.errors import HoldallError
from holdall.program import Program

Table = dict[str, Any]

_TABLES = """
SELECT l.name, l.type, l.wr, l.strict, s.sql FROM pragma_table_list l LEFT JOIN sqlite_schema s ON s.name = l.name
WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual') AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY l.name
"""
_COLUMNS = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid'
_REFERENCES = 'SELECT id, seq, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq'
_INDEXES = """
SELECT l.name, l."unique", l.origin, l.partial, x.name, x.coll, x.desc FROM pragma_index_list(?) l, pragma_index_xinfo(l.name) x
WHERE x.key = 1 ORDER BY l.seq, x.seqno
"""
_CHILDREN = """
SELECT s.name, f.id, f."from", f."to", f.on_delete FROM sqlite_schema s, pragma_foreign_key_list(s.name) f
WHERE s.type = 'table' AND f."table" = ? COLLATE NOCASE ORDER BY s.name, f.id, f.seq
"""


def read_tables(tx: Any, names: frozenset[str] | None = None) -> Program[list[Table]]:
    """Every table and view (or those of these names), by name, in the shape that SQLiteBackend.inspect_schema documents."""
    listed = yield effects.Read(tx, _TABLES, (), list)
    tables: list[Table] = []
    for name, kind, without_rowid, strict, sql in listed:
        if names is not None and name.casefold() not in names:
            continue
        table: Table = {
            "name": name, "kind": kind, "strict": bool(strict), "without_rowid": bool(without_rowid), "sql": sql,
            "columns": [], "foreign_keys": [], "uniques": [], "indexes": [], "problem": None,
        }  # fmt: skip
        try:
            yield from _fill(tx, table)
        except HoldallError as error:  # a view over a table that is gone, a virtual table whose module is absent
            table["problem"] = str(error)
        tables.append(table)
    return tables


def _fill(tx: Any, table: Table) -> Program[None]:
    name = table["name"]
    columns = yield effects.Read(tx, _COLUMNS, (name,), list)
    table["columns"] = [
        {
            "name": column, "type": declared, "nullable": not notnull and not (pk and _implied_not_null(table, declared, pk, columns)),
            "default": default, "pk": pk, "generated": {2: "virtual", 3: "stored"}.get(hidden),
        }
        for column, declared, notnull, default, pk, hidden in columns if hidden != 1
    ]  # fmt: skip
    references: dict[int, dict[str, Any]] = {}
    for id_, _, target, local, remote, on_update, on_delete in (yield effects.Read(tx, _REFERENCES, (name,), list)):
        found = references.setdefault(
            id_, {"columns": [], "target": target, "target_columns": [], "on_delete": on_delete, "on_update": on_update}
        )
        found["columns"].append(local)
        found["target_columns"].append(remote)
    for found in references.values():
        if None in found["target_columns"]:  # REFERENCES parent, without columns: its primary key
            keys = yield effects.Read(tx, _COLUMNS, (found["target"],), list)
            found["target_columns"] = [row[0] for row in sorted((row for row in keys if row[4]), key=lambda row: row[4])]
        table["foreign_keys"].append(found)
    indexes: dict[str, dict[str, Any]] = {}
    for index, unique, origin, partial, column, collation, descending in (yield effects.Read(tx, _INDEXES, (name,), list)):
        found = indexes.setdefault(
            index, {"name": index, "unique": bool(unique), "origin": origin, "partial": bool(partial), "columns": [], "collations": [],
                    "descending": []}
        )  # fmt: skip
        found["columns"].append(column)
        found["collations"].append(collation)
        found["descending"].append(bool(descending))
    for found in indexes.values():
        if found["unique"] and found["origin"] != "pk" and not found["partial"] and None not in found["columns"]:
            table["uniques"].append({"name": found["name"], "columns": found["columns"]})
        if found["origin"] == "c":
            table["indexes"].append(found)


def _implied_not_null(table: Table, declared: str, pk: int, columns: list[tuple[Any, ...]]) -> bool:
    """Whether a key column holds no null though it does not say NOT NULL: the row id, and all of a WITHOUT ROWID or STRICT table's key."""
    alone = sum(1 for column in columns if column[4]) == 1
    return bool(table["without_rowid"] or table["strict"] or (alone and declared.upper() == "INTEGER"))


def read_children(tx: Any, table: str) -> Program[list[dict[str, Any]]]:
    """The references of other tables to this one: table, columns, target_columns (None: its key), on_delete."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for child, id_, local, remote, on_delete in (yield effects.Read(tx, _CHILDREN, (table,), list)):
        one = found.setdefault((child, id_), {"table": child, "columns": [], "target_columns": [], "on_delete": on_delete})
        one["columns"].append(local)
        one["target_columns"].append(remote)
    return list(found.values())
