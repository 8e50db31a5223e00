"""Models written from a schema that tries to break them: names, types, references, and the layout of the source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import apsw
import pytest

from holdall import Model, Store
from holdall.errors import HoldallError, Unsupported
from holdall.transfer import inspect_models
from holdall.transfer.columntypes import ColumnType, column_type, python_default
from holdall.transfer.naming import camel, free, plural, singular, snake

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("inspect") / "odd.db"
    connection = apsw.Connection(str(path))
    connection.execute((Path(__file__).parent / "schema.sql").read_text(encoding="utf-8"))
    connection.close()
    return inspect_models(f"sqlite:///{path}")


@pytest.fixture(scope="module")
def module(source: str) -> ModuleType:
    made = ModuleType("inspected_odd")
    sys.modules["inspected_odd"] = made
    exec(compile(source, "inspected_odd.py", "exec"), made.__dict__)
    return made


def entity(module: ModuleType, name: str) -> Any:
    return getattr(module, name).__entity__


def test_the_models_work_in_every_store(module: ModuleType, store: Store) -> None:
    found = [item for item in vars(module).values() if isinstance(item, type) and issubclass(item, Model) and item is not Model]
    assert len(found) == 14
    store.ensure_schema(*found)
    person = store[module.People].create()
    store[module.Profile].create(person=person, bio="x")
    artist = store[module.Artist].create(id=1)
    store[module.Likes].create(person=person, artist=artist)
    again = store[module.People].query().include("profile", "likes").one()
    assert (again.profile.bio, len(again.likes)) == ("x", 1)


@pytest.mark.parametrize("width", ["88", "140"])
def test_the_layout_is_the_formatters(source: str, tmp_path: Path, width: str) -> None:
    path = tmp_path / "models.py"
    path.write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", width, "--diff", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    done = subprocess.run(
        [*command[:3], "check", "--isolated", "--select", "E,F,I,N,UP", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_source_is_typed(source: str, tmp_path: Path) -> None:
    path = tmp_path / "models.py"
    path.write_text(source, encoding="utf-8")
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = True\nfollow_imports = silent\ncache_dir = {tmp_path}/cache\n")
    environment = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "mypy", "--config-file", str(tmp_path / "mypy.ini"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert [line for line in done.stdout.splitlines() if "models.py" in line] == []


def test_names(module: ModuleType) -> None:
    details = entity(module, "OrderDetails")
    assert [field.name for field in details.fields] == [
        "id", "class_", "unit_price", "field_2nd", "dt_", "date", "str_", "flag", "big", "a_b", "query_", "save_", "note", "uid", "r",
        "price", "at", "memo", "nasty",
    ]  # fmt: skip
    assert details.by_name["class_"].column == "class"
    assert (entity(module, "Teams2").table, entity(module, "Teams22").table) == ("Teams2", "teams_2")
    assert entity(module, "ModelRecord").table == "Model"


def test_relations(module: ModuleType) -> None:
    def kinds(name: str) -> dict[str, str]:
        return {relation.name: relation.kind for relation in entity(module, name).relations.values()}

    assert kinds("People") == {
        "boss": "belongs_to", "team": "belongs_to", "reports_to_person": "belongs_to", "artist": "belongs_to", "artists": "has_many",
        "badge": "has_one", "likes": "has_many", "matches": "has_many", "boss_of": "has_many", "reports": "has_many", "profile": "has_one",
        "artists_2": "many_to_many",
    }  # fmt: skip
    assert kinds("Teams") == {"home_matches": "has_many", "away_matches": "has_many", "people": "has_many"}
    assert kinds("ModelRecord") == {"parent": "belongs_to", "children": "has_many"}
    rules = {reference.fields: reference.on_delete for reference in entity(module, "People").references}
    assert rules == {("boss_id",): "set_null", ("team_id",): "restrict", ("reports_to",): "restrict", ("artist_id",): "restrict"}
    assert entity(module, "Matches").key == ("home_id", "away_id", "day")


def test_defaults_uniques_and_indexes(module: ModuleType) -> None:
    made = module.OrderDetails(class_="x", date=None, memo=None)
    assert (str(made.unit_price), made.str_, made.flag, made.r, str(made.price), made.nasty) == (
        "1.50",
        "it's",
        False,
        2.0,
        "0.5",
        'a"b\\c',
    )
    details = entity(module, "OrderDetails")
    assert [index.fields for index in details.indexes] == [("dt_", "flag")]
    assert (details.by_name["uid"].unique, details.by_name["field_2nd"].index) == (True, True)
    assert [unique.fields for unique in entity(module, "ModelRecord").uniques] == [("id", "parent_id")]


@pytest.mark.parametrize(
    "comment",
    [
        "# Column 'geom' is left out (GEOMETRY: no field type for it).",
        "# Column 'total' is left out (computed by the database).",
        "# Index 'ix4' is left out (with a condition).",
        "# Table 'nokey': it has no key",
        "# View 'v': only tables become models.",
        "# FOREIGN KEY (x) REFERENCES missing",
        "# FOREIGN KEY (b, c) REFERENCES lines (a, b) is left out",
        "# the database's default is CURRENT_DATE",
    ],
)
def test_what_is_left_out_is_said(source: str, comment: str) -> None:
    assert comment in source


def test_stores_without_a_schema_and_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="sqlite:///"):
        inspect_models("memory:")
    (tmp_path / "text.db").write_text("this is not a database, but long enough to be looked at as one" * 20)
    for name in ("text.db", "missing.db"):
        with pytest.raises(HoldallError, match=name):
            inspect_models(f"sqlite:///{tmp_path / name}")
    assert [path.name for path in tmp_path.iterdir()] == ["text.db"]


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ("NVARCHAR(160)", ColumnType("str", (("max_length", 160),))),
        ("numeric( 10 , 2 )", ColumnType("Decimal", (("max_digits", 10), ("decimal_places", 2)))),
        ("DECIMAL(5)", ColumnType("Decimal", (("max_digits", 5), ("decimal_places", 0)))),
        ("DECIMAL(99,2)", ColumnType("Decimal")),
        ("TINYINT(1)", ColumnType("bool")),
        ("BIGINT(20) UNSIGNED", ColumnType("int")),
        ("DATETIME", ColumnType("LocalDateTime")),
        ("double precision", ColumnType("float")),
        ("TIMESTAMP WITH TIME ZONE", ColumnType("dt.datetime")),
        ("", None),
        ("POINT((", None),
    ],
)
def test_declared_types(declared: str, expected: ColumnType | None) -> None:
    assert column_type(declared) == expected


def test_defaults_that_are_no_literals_of_the_type() -> None:
    assert python_default("CURRENT_TIMESTAMP", ColumnType("str")) is None
    assert python_default("1.005", ColumnType("Decimal", (("max_digits", 5), ("decimal_places", 2)))) is None
    assert python_default("99999999999999999999", ColumnType("int")) is None
    assert python_default("NULL", ColumnType("int")) is None
    assert python_default("'7'", ColumnType("int")) == "7"


def test_words() -> None:
    assert [snake(name) for name in ("BillingPostalCode", "customerID", "HTTPServer", "a  b", "class", "1st", "ünï", "")] == [
        "billing_postal_code", "customer_id", "http_server", "a_b", "class_", "field_1st", "ünï", "field",
    ]  # fmt: skip
    assert [camel(name) for name in ("playlist_track", "PlaylistTrack", "order details", "None", "2x", "")] == [
        "PlaylistTrack", "PlaylistTrack", "OrderDetails", "NoneRecord", "Table2x", "Table",
    ]  # fmt: skip
    assert [plural(name) for name in ("album", "category", "day", "box", "albums", "home_match", "person", "status")] == [
        "albums", "categories", "days", "boxes", "albums", "home_matches", "people", "statuses",
    ]  # fmt: skip
    assert [singular(name) for name in ("albums", "categories", "boxes", "status", "bus", "people", "address")] == [
        "album", "category", "box", "status", "bus", "person", "address",
    ]  # fmt: skip
    assert free("Name", ["name", "NAME2"]) == "Name3"
