"""Creating, comparing and inspecting schemas."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.port.entities import ALL, AUTHOR, BOOK, EMPLOYEE, LABEL, SESSION, fields
from tests.unit.sqlite.conftest import Sync

from holdall.backends import Insert
from holdall.backends.capabilities import Durability, Isolation
from holdall.backends.registry import parse_url
from holdall.backends.sqlite import SQLiteBackend, from_url
from holdall.errors import CheckViolation, DeclarationError, SchemaMismatch
from holdall.query import Compare, FieldRef, Value, key_ref
from holdall.schema import Check, Entity, EntityRef, Index, Reference, Type, Unique

STR, INT = Type("str"), Type("int")
CHINOOK = Path(os.environ.get("HOLDALL_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data") / "chinook" / "chinook.sqlite"


def opened(path: str, **options: str) -> Sync:
    return Sync(SQLiteBackend(path, options))


def statements(path: str) -> list[str]:
    connection = apsw.Connection(path)
    found = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")]
    connection.close()
    return found


def test_created_once_and_kept(path: str) -> None:
    store = opened(path)
    store.ensure_schema(ALL)
    before = statements(path)
    store.apply(Insert(LABEL, [("x", 1)]))
    store.ensure_schema(ALL)
    other = opened(path)
    other.ensure_schema(ALL)
    assert statements(path) == before
    assert other.get(LABEL, "x") == ("x", 1)
    store.close()
    other.close()


def test_indexes(path: str) -> None:
    store = opened(path)
    store.ensure_schema(ALL)
    names = {sql.split()[2] for sql in statements(path) if sql.startswith("CREATE INDEX")}
    assert {"ix_books_pages", "books_in_print_price", "ix_books_editor_id", "ix_sessions_until", "ix_reviews_book_id"} <= names
    assert "ix_books_author_id" not in names  # the unique on author and title serves it
    store.raw("DROP INDEX ix_books_pages", (), None)
    store.ensure_schema(ALL)
    assert "CREATE INDEX ix_books_pages ON books (pages)" in statements(path)
    (step,) = [row[3] for row in store.raw("EXPLAIN QUERY PLAN SELECT * FROM books WHERE pages > 3", (), None)[1]]
    assert "ix_books_pages" in step
    store.close()


def test_equal_names_of_indexes_do_not_collide(path: str) -> None:
    store = opened(path)
    two = [
        Entity(name, table, fields(("id", INT), ("name", STR)), ("id",), indexes=(Index("by_name", ("name",)),))
        for name, table in (("A", "as_"), ("B", "bs"))
    ]
    store.ensure_schema(two)
    assert len([sql for sql in statements(path) if sql.startswith("CREATE INDEX")]) == 2
    store.close()


WANTED = Entity(
    "Thing", "things",
    fields(("id", INT, {"generated": "int"}), ("name", STR), ("kind", STR, {"nullable": True}), ("size", Type("float")), ("owner_id", INT)),
    ("id",), uniques=(Unique("things_name", ("name",)),),
    references=(Reference(("owner_id",), EntityRef("Author", lambda: AUTHOR), ("id",), "cascade"),),
)  # fmt: skip
GOOD = ("CREATE TABLE things (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE, kind TEXT, size DOUBLE NOT NULL, "
        "owner_id BIGINT NOT NULL REFERENCES authors ON DELETE CASCADE{more}){options}")  # fmt: skip


def differences(path: str, sql: str, entity: Entity = WANTED) -> list[str]:
    store = opened(path)
    store.ensure_schema([AUTHOR])
    store.raw(sql, (), None)
    before = statements(path)
    try:
        store.ensure_schema([LABEL, entity])
    except SchemaMismatch as error:
        assert statements(path) == before, "nothing half done"
        return [line.removeprefix("table things: ") for line in error.differences]
    finally:
        store.close()
    return []


def test_tables_made_by_others_may_fit(path: str) -> None:
    assert differences(path, GOOD.format(more=", extra TEXT, extra2 INTEGER NOT NULL DEFAULT 3", options="")) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("kind TEXT, ", "", "column kind (TEXT) is missing"),
        ("kind TEXT", "kind INTEGER", "column kind is INTEGER, and str is stored as TEXT"),
        ("kind TEXT", "kind", "column kind is without a type, and str is stored as TEXT"),
        ("kind TEXT", "kind TEXT NOT NULL", "column kind is NOT NULL, and Thing.kind may"),
        ("name VARCHAR(80) NOT NULL", "name VARCHAR(80)", "column name may be null, and Thing.name may not"),
        ("size DOUBLE", "size NUMERIC", "column size is NUMERIC, and float is stored as REAL"),
        (" UNIQUE", "", "(name) is not unique"),
        ("kind TEXT", "kind TEXT UNIQUE", "(kind) is unique, which the model does not say"),
        (" REFERENCES authors ON DELETE CASCADE", "", "it lacks the reference of (owner_id) to authors with on_delete 'cascade'"),
        ("ON DELETE CASCADE", "ON DELETE SET NULL", "it lacks the reference of (owner_id) to authors with on_delete 'cascade'"),
        ("id INTEGER PRIMARY KEY", "id INT PRIMARY KEY NOT NULL", "column id must be INTEGER PRIMARY KEY to be numbered by SQLite"),
        ("{more}", ", extra TEXT NOT NULL", "column extra is unknown to the model, NOT NULL, and has no default"),
        ("{more}", ", PRIMARY KEY (name, kind)", "its key is (name, kind), not (id)"),
        ("kind TEXT", "kind TEXT COLLATE NOCASE", "it compares text by COLLATE NOCASE, not by code point"),
        ("kind TEXT", "kind TEXT AS (name) STORED", "column kind is computed by the database"),
        ("{more}", ", CONSTRAINT old CHECK (size > 3)", "it has a check 'old' that the model does not know"),
    ],
)  # fmt: skip
def test_differences(path: str, old: str, new: str, expected: str) -> None:
    sql = GOOD.replace(old, new)
    if "PRIMARY KEY (" in new:
        sql = sql.replace("id INTEGER PRIMARY KEY", "id INTEGER NOT NULL")
    assert expected in differences(path, sql.format(more="", options=""))


def test_all_differences_are_told_at_once(path: str) -> None:
    found = differences(path, "CREATE TABLE things (id TEXT PRIMARY KEY, name INTEGER)")
    assert len(found) >= 6


def test_a_view_in_the_way(path: str) -> None:
    assert differences(path, "CREATE VIEW things AS SELECT 1 AS id") == ["it is a view, not a table"]


def test_a_check_that_changed(path: str) -> None:
    store = opened(path)
    store.ensure_schema([AUTHOR])
    store.close()
    checked = Entity("Author", "authors", AUTHOR.fields, ("id",), AUTHOR.uniques, checks=(Check("named", lambda: _named("x")),))
    with pytest.raises(SchemaMismatch, match="does not have the check 'named'"):
        opened(path).ensure_schema([checked])


def _named(value: str) -> Any:
    return Compare(key_ref(AUTHOR, "name"), "ne", Value(value, STR))


def test_a_check_may_not_look_at_other_records(path: str) -> None:
    name = FieldRef(BOOK, (BOOK.relations["author"],), AUTHOR.by_name["name"], (), STR)
    wrong = Entity("Book", "books", BOOK.fields, ("id",), checks=(Check("no", lambda: Compare(name, "eq", Value("x", STR))),))
    with pytest.raises(DeclarationError, match="own fields"):
        opened(path).ensure_schema([wrong])


def test_quotes_in_checks(path: str) -> None:
    checked = Entity("Label", "labels", LABEL.fields, ("name",), checks=(
        Check("quoted", lambda: Compare(key_ref(LABEL, "name"), "ne", Value("it's ':x' %s ?", STR))),
    ))  # fmt: skip
    store = opened(path)
    store.ensure_schema([checked])
    store.ensure_schema([checked])
    store.apply(Insert(checked, [("its", 1)]))
    with pytest.raises(CheckViolation) as caught:
        store.apply(Insert(checked, [("it's ':x' %s ?", 1)]))
    assert (caught.value.entity, caught.value.fields, caught.value.constraint) == ("Label", ("name",), "quoted")
    store.close()


def test_a_number_for_a_part_of_a_key_is_refused(path: str) -> None:
    entity = Entity("Part", "parts", fields(("a", INT, {"generated": "int"}), ("b", INT)), ("a", "b"))
    with pytest.raises(DeclarationError, match="part of the key"):
        opened(path).ensure_schema([entity])


# Inspection.

ODD = """
CREATE TABLE "odd table" (
  "select" INTEGER PRIMARY KEY, "two words" TEXT DEFAULT 'it''s',
  half REAL GENERATED ALWAYS AS ("select" / 2.0) VIRTUAL, boss REFERENCES "odd table"
);
CREATE TABLE pair (a TEXT, b INT NOT NULL, c BLOB, PRIMARY KEY (b, a)) WITHOUT ROWID;
CREATE TABLE child (
  x INT, y TEXT, z TEXT UNIQUE, FOREIGN KEY (x, y) REFERENCES pair (b, a) ON DELETE SET NULL, UNIQUE (x, y)
);
CREATE UNIQUE INDEX some ON child (z) WHERE x > 3;
CREATE INDEX expressions ON child (lower(z), y DESC);
CREATE TABLE strict_one (id INTEGER PRIMARY KEY, v ANY) STRICT;
CREATE VIEW seen AS SELECT x, y AS why FROM child;
CREATE VIEW broken AS SELECT * FROM nowhere;
CREATE VIRTUAL TABLE words USING fts5(body);
"""


def test_inspection_of_odd_databases(path: str) -> None:
    connection = apsw.Connection(path)
    connection.execute(ODD)
    connection.close()
    found = {table["name"]: table for table in opened(path).inspect_schema()}
    assert {name: table["kind"] for name, table in found.items()} == {
        "odd table": "table", "pair": "table", "child": "table", "strict_one": "table", "seen": "view",
        "broken": "view", "words": "virtual",
    }  # fmt: skip
    odd = found["odd table"]
    assert [(c["name"], c["type"], c["nullable"], c["default"], c["pk"], c["generated"]) for c in odd["columns"]] == [
        ("select", "INTEGER", False, None, 1, None), ("two words", "TEXT", True, "'it''s'", 0, None),
        ("half", "REAL", True, None, 0, "virtual"), ("boss", "", True, None, 0, None),
    ]  # fmt: skip
    assert odd["foreign_keys"] == [
        {"columns": ["boss"], "target": "odd table", "target_columns": ["select"], "on_delete": "NO ACTION", "on_update": "NO ACTION"}
    ]
    pair = found["pair"]
    assert pair["without_rowid"]
    assert [(c["name"], c["nullable"], c["pk"]) for c in pair["columns"]] == [("a", False, 2), ("b", False, 1), ("c", True, 0)]
    child = found["child"]
    assert child["foreign_keys"][0]["columns"] == ["x", "y"]
    assert child["foreign_keys"][0]["target_columns"] == ["b", "a"]
    assert child["foreign_keys"][0]["on_delete"] == "SET NULL"
    assert sorted(unique["columns"] for unique in child["uniques"]) == [["x", "y"], ["z"]]
    assert {index["name"]: (index["columns"], index["partial"], index["unique"]) for index in child["indexes"]} == {
        "some": (["z"], True, True), "expressions": ([None, "y"], False, False),
    }  # fmt: skip
    assert found["strict_one"]["strict"]
    assert [c["name"] for c in found["seen"]["columns"]] == ["x", "why"]
    assert "nowhere" in found["broken"]["problem"]
    assert all(table["problem"] is None for name, table in found.items() if name != "broken")


def test_inspection_of_ours(store: Sync) -> None:
    found = {table["name"]: table for table in store.inspect_schema()}
    assert sorted(found) == sorted(entity.table for entity in ALL)
    assert found["book_labels"]["columns"][0]["pk"] == 1
    assert found["employees"]["foreign_keys"][0]["target"] == "employees"


@pytest.mark.skipif(not CHINOOK.exists(), reason="the shared data are not here")
def test_inspection_of_chinook() -> None:
    store = opened(str(CHINOOK), mode="ro")
    found = {table["name"]: table for table in store.inspect_schema()}
    assert len(found) == 11
    assert [c["name"] for c in found["PlaylistTrack"]["columns"] if c["pk"]] == ["PlaylistId", "TrackId"]
    assert found["Employee"]["foreign_keys"][0]["target"] == "Employee"
    with pytest.raises(SchemaMismatch):
        store.ensure_schema([Entity("Artist", "Artist", fields(("ArtistId", STR), ("Name", INT)), ("ArtistId",))])
    store.close()


# Options and capabilities.


@pytest.mark.parametrize(
    "options",
    [{"journal": "wal"}, {"journal_mode": "fast"}, {"synchronous": "1"}, {"busy_timeout_s": "x"}, {"busy_timeout_s": "-1"}, {"mode": "w"},
     {"cache_mib": "nan"}],
)  # fmt: skip
def test_wrong_options(options: dict[str, str]) -> None:
    with pytest.raises(DeclarationError):
        SQLiteBackend(None, options)


def test_a_near_option_is_named() -> None:
    with pytest.raises(DeclarationError, match="Did you mean 'journal_mode'"):
        SQLiteBackend(None, {"journal_modes": "wal"})


def test_urls(tmp_path: Path) -> None:
    assert from_url(parse_url("sqlite:///shop.db"))._settings.path == "shop.db"
    assert from_url(parse_url("sqlite:////tmp/shop.db?synchronous=normal"))._settings.path == "/tmp/shop.db"
    assert from_url(parse_url("sqlite:"))._settings.memory
    assert from_url(parse_url("sqlite:///:memory:"))._settings.memory
    with pytest.raises(DeclarationError, match="three slashes"):
        from_url(parse_url("sqlite://shop.db"))
    store = Sync(from_url(parse_url(f"sqlite:///{tmp_path}/with%20blank.db")))
    store.open()
    store.close()
    assert (tmp_path / "with blank.db").exists()


def test_defaults_are_safe(path: str) -> None:
    store = opened(path)
    store.open()
    pragma = store.backend.native().pragma
    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)
    assert (pragma("application_id"), pragma("user_version")) == (0, 0)
    told = store.backend.describe()
    assert told.durability is Durability.POWER_LOSS
    assert told.isolation == {Isolation.SNAPSHOT, Isolation.SERIALIZABLE}
    assert told.version == apsw.sqlite_lib_version()
    assert "foreign_keys is on" in told.verified
    store.close()


@pytest.mark.parametrize(
    ("options", "expected"),
    [({"synchronous": "normal"}, Durability.PROCESS_CRASH), ({"synchronous": "off"}, Durability.PROCESS_CRASH),
     ({"journal_mode": "delete"}, Durability.POWER_LOSS), ({"journal_mode": "delete", "synchronous": "full"}, Durability.PROCESS_CRASH),
     ({"journal_mode": "truncate"}, Durability.POWER_LOSS),
     ({"journal_mode": "truncate", "synchronous": "normal"}, Durability.PROCESS_CRASH),
     ({"journal_mode": "persist"}, Durability.POWER_LOSS),
     ({"journal_mode": "persist", "synchronous": "normal"}, Durability.PROCESS_CRASH),
     ({"journal_mode": "memory"}, Durability.NONE)],
)  # fmt: skip
def test_durability(path: str, options: dict[str, str], expected: Durability) -> None:
    store = opened(path, **options)
    store.open()
    assert store.backend.native().pragma("journal_mode") == options.get("journal_mode", "wal")
    usual = "extra" if options.get("journal_mode") == "delete" else "full"
    levels = ["off", "normal", "full", "extra"]
    assert levels[store.backend.native().pragma("synchronous")] == options.get("synchronous", usual)
    assert store.backend.describe().durability is expected
    store.close()


def test_a_store_without_a_journal_is_refused() -> None:
    """SQLite cannot roll back without one: a transaction that was undone left a damaged file."""
    with pytest.raises(DeclarationError, match="journal_mode cannot be 'off'"):
        SQLiteBackend("x.db", {"journal_mode": "off"})


def test_in_memory_databases_are_private() -> None:
    one, other = Sync(SQLiteBackend(None)), Sync(SQLiteBackend(":memory:"))
    for store in (one, other):
        store.ensure_schema([LABEL, SESSION, EMPLOYEE])
    one.apply(Insert(LABEL, [("x", 1)]))
    assert other.get(LABEL, "x") is None
    assert one.backend.describe().durability is Durability.NONE
    one.close()
    other.close()
