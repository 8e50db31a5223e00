"""What is exported and imported again is the same, for every field type, in every format, and always as the same bytes."""

from __future__ import annotations

import csv
import datetime as dt
import enum
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.transfer.conftest import URLS

from holdall import JSON_NULL, CreatedAt, Email, Field, IPAddress, Json, Key, LocalDateTime, Model, Store, UpdatedAt, Url, Version, codec
from holdall.transfer import export_rows, import_rows


class Colour(enum.Enum):
    RED = "red"
    BLUE = 'bl"ue'


class Size(enum.IntEnum):
    S = 1
    L = 9


@dataclass
class Place:
    lat: float
    at: dt.datetime | None
    tags: list[str]


@dataclass(frozen=True)
class Point:
    x: int
    y: int

    def __str__(self) -> str:
        return f"{self.x},{self.y}"

    @classmethod
    def parse(cls, text: str) -> Point:
        x, y = text.split(",")
        return cls(int(x), int(y))


class Everything(Model):
    id: UUID = Key()
    text: str
    text_or_none: str | None
    number: int
    number_or_none: int | None
    real: float
    amount: Decimal = Field(max_digits=12, decimal_places=2)
    exact: Decimal | None
    flag: bool | None
    blob: bytes
    blob_or_none: bytes | None
    instant: dt.datetime
    local: LocalDateTime | None
    day: dt.date
    clock: dt.time
    span: dt.timedelta
    colour: Colour
    size: Size | None
    choice: Literal["a", "", "b"]
    email: Email | None
    url: Url | None
    ip: IPAddress | None
    point: Annotated[Point, codec(encode=str, decode=Point.parse)] | None
    document: Json
    document_or_none: Json | None
    names: list[str]
    numbers: set[int] | None
    prices: dict[str, Decimal]
    ids: list[UUID | None]
    place: Place | None
    version: int = Version()
    created: dt.datetime = CreatedAt()
    updated: dt.datetime = UpdatedAt()


awkward = ["", '"', ",", "\n", "\r\n", " x ", "NA", "null", "\r"]
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8) | st.sampled_from(awkward)
ints = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20)
amounts = st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**9), max_value=10**9)
instants = st.datetimes(timezones=st.just(dt.UTC))
documents = st.recursive(
    st.none() | st.booleans() | ints | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


everything = st.fixed_dictionaries(
    {
        "id": st.uuids(),
        "text": texts,
        "text_or_none": maybe(texts),
        "number": ints,
        "number_or_none": maybe(ints),
        "real": floats,
        "amount": amounts,
        "exact": maybe(decimals),
        "flag": maybe(st.booleans()),
        "blob": st.binary(max_size=5),
        "blob_or_none": maybe(st.binary(max_size=5)),
        "instant": instants,
        "local": maybe(st.datetimes()),
        "day": st.dates(),
        "clock": st.times(),
        "span": st.timedeltas(),
        "colour": st.sampled_from(Colour),
        "size": maybe(st.sampled_from(Size)),
        "choice": st.sampled_from(["a", "", "b"]),
        "email": maybe(st.just("ada@example.com")),
        "url": maybe(st.just("https://example.com/?a=1,2")),
        "ip": maybe(st.ip_addresses()),
        "point": maybe(st.builds(Point, st.integers(0, 9), st.integers(0, 9))),
        "document": documents,
        "document_or_none": maybe(documents.map(lambda value: JSON_NULL if value is None else value)),
        "names": st.lists(texts, max_size=3),
        "numbers": maybe(st.sets(ints, max_size=3)),
        "prices": st.dictionaries(texts, decimals, max_size=2),
        "ids": st.lists(maybe(st.uuids()), max_size=2),
        "place": maybe(st.builds(Place, floats.map(lambda value: value + 0.0), maybe(instants), st.lists(texts, max_size=2))),
        "version": st.integers(1, 100),
        "created": instants,
        "updated": instants,
    }
)


@pytest.fixture(scope="module", params=URLS)
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Store]]:
    stores = Store(request.param, models=[Everything]), Store(request.param, models=[Everything])
    yield stores
    for store in stores:
        store.close()


@pytest.mark.parametrize("format_", ["csv", "json", "ndjson"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=st.lists(everything, max_size=3, unique_by=lambda row: row["id"]))
def test_export_and_import_give_the_same(pair: tuple[Store, Store], format_: str, rows: list[dict[str, Any]]) -> None:
    first, second = pair
    for store in pair:
        store.ensure_schema(Everything)
        store.clear(Everything)
    with first.transaction():
        first.run("insert_given", Everything, [Everything(**row) for row in rows])
    out, again = io.BytesIO(), io.BytesIO()
    assert export_rows(first, Everything, out, format=format_).written == len(rows)
    result = import_rows(second, Everything, io.BytesIO(out.getvalue()), format=format_)
    assert (result.read, result.written, result.rejected) == (len(rows), len(rows), 0)
    before = {record.id: record for record in first[Everything].all()}
    after = {record.id: record for record in second[Everything].all()}
    assert before == after
    assert [row["version"] for row in rows] == [after[row["id"]].version for row in rows]
    assert [row["updated"] for row in rows] == [after[row["id"]].updated for row in rows]
    assert [repr(after[row["id"]].real) for row in rows] == [repr(row["real"] + 0.0) for row in rows]
    export_rows(second, Everything, again, format=format_)
    assert again.getvalue() == out.getvalue()


def row(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "text": "", "text_or_none": None, "number": 1, "number_or_none": None, "real": 0.1, "amount": Decimal("12.5"),
        "exact": Decimal("1E-10"), "flag": None, "blob": b"", "blob_or_none": None, "instant": dt.datetime(2013, 1, 1, 5, tzinfo=dt.UTC),
        "local": None, "day": dt.date(2013, 1, 1), "clock": dt.time(5), "span": dt.timedelta(days=-1, microseconds=1),
        "colour": Colour.BLUE, "size": None, "choice": "", "email": None, "url": None, "ip": IPv4Address("10.0.0.1"), "point": Point(1, 2),
        "document": None, "document_or_none": None, "names": ["a"], "numbers": {10, 9}, "prices": {"b": Decimal(1), "a": Decimal("0.10")},
        "ids": [None], "place": None,
    }  # fmt: skip
    return values | changes


def test_the_documented_forms_of_csv(store: Store) -> None:
    store[Everything].create(**row(id=UUID(int=1)))
    out = io.BytesIO()
    export_rows(store, Everything, out, format="csv", columns=list(row()))
    header, line = out.getvalue().decode().splitlines()
    cells = next(csv.reader([line]))
    found = dict(zip(header.split(","), cells, strict=True))
    assert line.startswith('"",,1,')  # '' and null
    assert (found["amount"], found["exact"], found["span"]) == ("12.50", "0.0000000001", "-PT86399.999999S")
    assert (found["instant"], found["clock"], found["colour"]) == ("2013-01-01T05:00:00Z", "05:00:00", 'bl"ue')
    assert (found["document"], found["document_or_none"], found["point"]) == ("null", "", "1,2")
    assert (found["names"], found["numbers"], found["ids"]) == ('["a"]', "[10,9]", "[null]")
    assert found["prices"] == '{"a":"0.1","b":"1"}'


def test_null_and_json_null_differ_in_json_by_being_left_out(store: Store) -> None:
    store[Everything].create(**row(id=UUID(int=1)))
    store[Everything].create(**row(id=UUID(int=2), document_or_none=JSON_NULL))
    out = io.BytesIO()
    export_rows(store, Everything, out, format="ndjson", columns=["document", "document_or_none"])
    assert out.getvalue() == b'{"document":null}\n{"document":null,"document_or_none":null}\n'


def test_minus_zero_is_zero(store: Store) -> None:
    made = store[Everything].create(**row(real=-0.0))
    assert math.copysign(1, made.real) == 1
