"""Foreign databases: values become exactly the model's types, or are refused; nothing is rounded."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw
import pytest

from holdall import Field, Json, Key, LocalDateTime, Model, Store
from holdall.errors import BadRow, ProgrammingError, SchemaMismatch, Unsupported
from holdall.transfer import copy_foreign, read_table


class Thing(Model, table="thing"):
    id: int = Key()
    price: Decimal | None = Field(default=None, max_digits=10, decimal_places=2)
    any_price: Decimal | None = None
    made: LocalDateTime | None = None
    instant: dt.datetime | None = None
    day: dt.date | None = None
    clock: dt.time | None = None
    name: str | None = Field(default=None, max_length=5)
    flag: bool | None = None
    real: float | None = None
    number: int | None = None
    blob: bytes | None = None
    uid: UUID | None = None
    data: Json | None = None


class Part(Model, table="part"):
    id: int = Key()
    whole_id: int | None = Field(references="Part", default=None)
    thing_id: int | None = Field(references=Thing, default=None)


@pytest.fixture
def database(tmp_path: Path) -> apsw.Connection:
    connection = apsw.Connection(str(tmp_path / "foreign.db"))
    connection.execute(
        "CREATE TABLE Thing (id INTEGER PRIMARY KEY, price NUMERIC(10,2), any_price, made DATETIME, instant TEXT, Day TEXT, clock TEXT,"
        " name NVARCHAR(5), flag, real, number, blob, uid, data, extra)"
    )
    connection.execute("CREATE TABLE part (id INTEGER PRIMARY KEY, whole_id INTEGER, thing_id INTEGER)")
    return connection


def url(connection: apsw.Connection) -> str:
    return f"sqlite:///{connection.filename}"


@pytest.mark.parametrize(
    ("column", "stored", "expected"),
    [
        ("price", 0.99, Decimal("0.99")),
        ("price", 1, Decimal("1.00")),
        ("price", "12.5", Decimal("12.50")),
        ("any_price", 0.1, Decimal("0.1")),
        ("any_price", "0.10000000000000000000000001", Decimal("0.10000000000000000000000001")),
        ("made", "2009-01-01 00:00:00", dt.datetime(2009, 1, 1)),  # noqa: DTZ001 - local times are what is tested
        ("made", "2009-01-01T10:20:30.5", dt.datetime(2009, 1, 1, 10, 20, 30, 500000)),  # noqa: DTZ001
        ("instant", "2009-01-01 02:00:00+02:00", dt.datetime(2009, 1, 1, tzinfo=dt.UTC)),
        ("day", "2009-01-31", dt.date(2009, 1, 31)),
        ("day", "2009-01-31 00:00:00", dt.date(2009, 1, 31)),
        ("clock", "10:20", dt.time(10, 20)),
        ("name", "abc", "abc"),
        ("flag", 1, True),
        ("flag", "false", False),
        ("real", 2, 2.0),
        ("number", "42", 42),
        ("blob", b"\0x", b"\0x"),
        ("uid", b"\1" * 16, UUID(bytes=b"\1" * 16)),
        ("uid", "01010101-0101-0101-0101-010101010101", UUID(bytes=b"\1" * 16)),
        ("data", '{"a":[1,2.5]}', {"a": [1, 2.5]}),
        ("data", None, None),
    ],
)
def test_values_become_exactly_what_the_model_says(database: apsw.Connection, column: str, stored: Any, expected: Any) -> None:
    database.execute(f"INSERT INTO thing (id, {column}) VALUES (1, ?)", (stored,))
    (thing,) = read_table(url(database), Thing)
    value = getattr(thing, column)
    assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("column", "stored", "said"),
    [
        ("price", 0.1 + 0.2, "rounded"),
        ("price", 0.999, "rounded"),
        ("price", "abc", "Decimal"),
        ("price", float("inf"), "not finite"),
        ("made", "yesterday", "LocalDateTime"),
        ("made", 1230768000, "LocalDateTime"),
        ("made", "2009-01-01 00:00:00+00:00", "time zone"),
        ("instant", "2009-01-01 00:00:00", "no time zone"),
        ("day", "2009-01-31 10:00:00", "date"),
        ("day", "2009-02-30", "date"),
        ("name", "too long", "at most 5"),
        ("name", "a\0b", "U+0000"),
        ("flag", 2, "bool"),
        ("number", 1.5, "int"),
        ("blob", "text", "bytes"),
        ("uid", b"short", "UUID"),
        ("data", "{", "JSON"),
    ],
)
def test_values_that_do_not_fit_are_refused_with_their_row(database: apsw.Connection, column: str, stored: Any, said: str) -> None:
    database.execute("INSERT INTO thing (id) VALUES (1)")
    database.execute(f"INSERT INTO thing (id, {column}) VALUES (2, ?)", (stored,))
    with pytest.raises(BadRow, match=f"(?s)table Thing, row 2: 1 problem.*{column}.*{said.replace('+', '.')}"):
        list(read_table(url(database), Thing))


def test_all_problems_of_a_row_at_once(database: apsw.Connection) -> None:
    database.execute("INSERT INTO thing (id, price, name, flag) VALUES (1, 0.999, 'too long', 7)")
    with pytest.raises(BadRow) as caught:
        list(read_table(url(database), Thing))
    assert {problem.path for problem in caught.value.problems} == {("price",), ("name",), ("flag",)}


def test_reading_in_pages_by_key(database: apsw.Connection) -> None:
    with database:
        database.executemany("INSERT INTO part (id) VALUES (?)", [(number * 3 - 4000,) for number in range(2500)])
    assert [part.id for part in read_table(url(database), Part)] == [number * 3 - 4000 for number in range(2500)]


def test_copy_orders_parents_first_within_and_between_tables(database: apsw.Connection, store: Store) -> None:
    database.execute("INSERT INTO thing (id) VALUES (7)")
    database.execute("INSERT INTO part VALUES (1, 3, 7), (2, 2, NULL), (3, 4, NULL), (4, NULL, 7)")
    seen: list[int] = []
    result = copy_foreign(url(database), store, [Part, Thing], progress=lambda done, total: seen.append(done))
    assert dict(result.written) == {"Thing": 1, "Part": 4}
    assert seen == [1, 5]
    assert [(part.id, part.whole_id) for part in store[Part].query()] == [(1, 3), (2, 2), (3, 4), (4, None)]


def test_a_row_that_the_store_refuses_undoes_the_copy(database: apsw.Connection, store: Store) -> None:
    database.execute("INSERT INTO thing (id) VALUES (7)")
    database.execute("INSERT INTO part VALUES (1, NULL, 7), (2, NULL, 8)")
    with pytest.raises(BadRow, match="table part, row 2") as caught:
        copy_foreign(url(database), store, [Thing, Part])
    assert caught.value.problems[0].code == "foreign_key"
    assert (store[Thing].count(), store[Part].count()) == (0, 0)


def test_what_is_not_there(database: apsw.Connection, store: Store) -> None:
    class Missing(Model, table="things"):
        id: int = Key()

    class Wider(Model, table="part"):
        id: int = Key()
        weight: int

    with pytest.raises(SchemaMismatch, match="Did you mean 'Thing'"):
        list(read_table(url(database), Missing))
    with pytest.raises(SchemaMismatch, match="no column 'weight'"):
        copy_foreign(url(database), store, [Wider])
    with pytest.raises(Unsupported):
        list(read_table("memory:", Thing))


class Egg(Model):
    id: int = Key()
    hen_id: int | None = Field(references="Hen", default=None)


class Hen(Model):
    id: int = Key()
    egg_id: int | None = Field(references=Egg, default=None)


def test_models_in_a_circle_are_refused(database: apsw.Connection, store: Store) -> None:
    database.execute("CREATE TABLE eggs (id INTEGER PRIMARY KEY, hen_id); CREATE TABLE hens (id INTEGER PRIMARY KEY, egg_id)")
    with pytest.raises(ProgrammingError, match="circle"):
        copy_foreign(url(database), store, [Egg, Hen])
