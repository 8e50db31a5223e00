"""Column formats: every canonical value comes back as it was, and sorts as it should."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from decimal import Decimal
from typing import Any

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdall.backends.sqlite import coding, decimals
from holdall.errors import SizeLimit
from holdall.schema import UTC, Type, canonical_decimal
from holdall.schema.types import INT_MAX, INT_MIN

text = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
SCALED, LONG = Type("decimal", digits=18, places=3), Type("decimal", places=4)
ANY = Type("decimal")


@st.composite
def numbers(draw: Any, type_: Type = ANY) -> Decimal:
    """A canonical Decimal of the type."""
    limit = type_.digits or 38
    places = draw(st.integers(0, limit)) if type_.places is None else type_.places
    return canonical_decimal(type_, Decimal(draw(st.integers(-(10**limit) + 1, 10**limit - 1))).scaleb(-places, context=decimals_context))


decimals_context = __import__("decimal").Context(prec=100)
VALUES: dict[str, tuple[Type, st.SearchStrategy[Any]]] = {
    "str": (Type("str"), text),
    "int": (Type("int"), st.integers(INT_MIN, INT_MAX)),
    "bool": (Type("bool"), st.booleans()),
    "float": (Type("float"), st.floats(allow_nan=False, allow_infinity=False).map(lambda v: v + 0.0)),
    "bytes": (Type("bytes"), st.binary()),
    "datetime": (Type("datetime"), st.datetimes(timezones=st.just(UTC))),
    "local_datetime": (Type("local_datetime"), st.datetimes()),
    "date": (Type("date"), st.dates()),
    "time": (Type("time"), st.times()),
    "timedelta": (Type("timedelta"), st.timedeltas()),
    "uuid": (Type("uuid"), st.uuids()),
    "scaled": (SCALED, numbers(SCALED)),
    "long": (LONG, numbers(LONG)),
    "decimal": (ANY, numbers()),
}
CONTAINERS: dict[str, tuple[Type, st.SearchStrategy[Any]]] = {
    "list": (Type("list", item=Type("str")), st.lists(text).map(tuple)),
    "list of null": (Type("list", item=Type("int"), item_nullable=True), st.lists(st.none() | st.integers(INT_MIN, INT_MAX)).map(tuple)),
    "set": (Type("set", item=Type("int")), st.frozensets(st.integers(INT_MIN, INT_MAX))),
    "dict": (Type("dict", item=Type("float")), st.dictionaries(text, st.floats(allow_nan=False, allow_infinity=False))),
    "uuids": (Type("list", item=Type("uuid")), st.lists(st.uuids()).map(tuple)),
    "decimals": (Type("dict", item=ANY), st.dictionaries(text, numbers())),
    "json": (
        Type("json"),
        st.recursive(st.booleans() | st.integers(INT_MIN, INT_MAX) | text, lambda p: st.lists(p) | st.dictionaries(text, p)),
    ),
}
CONNECTION = apsw.Connection(":memory:")


def through_sqlite(format_: Any, *values: Any) -> list[Any]:
    """The stored forms after a STRICT column, in its order."""
    CONNECTION.execute("DROP TABLE IF EXISTS t")
    CONNECTION.execute(f"CREATE TABLE t (n INTEGER, v {format_.storage.get_col_spec()}) STRICT")
    CONNECTION.executemany("INSERT INTO t VALUES (?, ?)", [(n, encode(format_, value)) for n, value in enumerate(values)])
    return CONNECTION.execute("SELECT n, v FROM t ORDER BY v, n").fetchall()


def encode(format_: Any, value: Any) -> Any:
    return value if format_.encode is None else format_.encode(value)


def decode(format_: Any, value: Any) -> Any:
    return value if format_.decode is None else format_.decode(value)


@pytest.mark.parametrize("name", VALUES)
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_values_come_back_and_sort(name: str, data: Any) -> None:
    type_, strategy = VALUES[name]
    format_ = coding.make_format(type_)
    values = data.draw(st.lists(strategy, min_size=1, max_size=5))
    stored = through_sqlite(format_, *values)
    for n, value in stored:
        back = decode(format_, value)
        assert back == values[n]
        assert type(back) is type(values[n])
        if isinstance(back, Decimal):
            assert back.as_tuple() == values[n].as_tuple()
    keys = [(value.encode() if isinstance(value, str) else value, n) for n, value in enumerate(values)]
    assert [n for n, _ in stored] == [n for _, n in sorted(keys)]


@pytest.mark.parametrize("name", CONTAINERS)
@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_containers_come_back(name: str, data: Any) -> None:
    type_, strategy = CONTAINERS[name]
    format_ = coding.make_format(type_)
    value = data.draw(strategy)
    ((_, stored),) = through_sqlite(format_, value)
    back = decode(format_, stored)
    assert back == value
    assert type(back) is type(value)


@given(numbers(SCALED), numbers())
@settings(max_examples=300, deadline=None)
def test_operands_with_more_places_compare_exactly(held: Decimal, operand: Decimal) -> None:
    format_ = coding.make_format(SCALED)
    for op, sign, expected in [("gt", ">", held > operand), ("gte", ">=", held >= operand), ("lt", "<", held < operand),
                               ("lte", "<=", held <= operand), ("eq", "=", held == operand), ("ne", "<>", held != operand)]:  # fmt: skip
        coder = format_.operand_coder(op)
        assert coder is not None
        ((found,),) = CONNECTION.execute(f"SELECT ? {sign} ?", (encode(format_, held), coder(operand))).fetchall()
        assert bool(found) is expected, (op, held, operand)


def test_extremes() -> None:
    day = coding.make_format(Type("timedelta"))
    for value in (dt.timedelta.min, dt.timedelta.max, dt.timedelta(0)):
        assert decode(day, encode(day, value)) == value
    assert len(encode(day, dt.timedelta.min)) == len(encode(day, dt.timedelta.max)) == 21
    instant = coding.make_format(Type("datetime"))
    for value in (dt.datetime.min.replace(tzinfo=UTC), dt.datetime.max.replace(tzinfo=UTC)):
        assert decode(instant, encode(instant, value)) == value
        assert len(encode(instant, value)) == 32


@pytest.mark.parametrize(
    ("type_", "stored"),
    [
        (Type("uuid"), b"short"), (Type("bool"), 2), (Type("datetime"), "2013-01-01T05:00:00+01:00"), (Type("datetime"), "2013-02-30"),
        (Type("local_datetime"), "2013-01-01T05:00:00+00:00"), (Type("date"), "x"), (Type("timedelta"), "12"), (ANY, "12.5"),
        (ANY, "p0312"), (ANY, "pxx"), (ANY, ""), (Type("list", item=Type("str")), "[1]"), (Type("json"), "{"), (Type("time"), "25:00"),
        (Type("list", item=Type("uuid")), '["x"]'), (ANY, "m"), (ANY, "m98"),
    ],
)  # fmt: skip
def test_what_holdall_did_not_write_is_not_read(type_: Type, stored: Any) -> None:
    with pytest.raises((ValueError, KeyError)):
        decode(coding.make_format(type_), stored)


def test_decimal_text_is_as_documented() -> None:
    assert [decimals.encode(Decimal(t)) for t in ("12.5", "-12.5", "0", "0.05", "-0.05", "1E+2")] == [
        "p0212.5", "m9787.4~", "p00", "p00.05", "m99.94~", "p03100",
    ]  # fmt: skip


def test_a_scaled_column_takes_no_more_places() -> None:
    with pytest.raises(SizeLimit):
        encode(coding.make_format(SCALED), Decimal("0.0001"))


@given(text, text)
def test_prefix_ranges(prefix: str, value: str) -> None:
    query = "SELECT ? >= ? AND ? < ?"
    ((found,),) = CONNECTION.execute(query, (value, prefix, value, coding.text_after_prefix(prefix))).fetchall()
    assert bool(found) is value.startswith(prefix)


@given(st.text(st.sampled_from("a\U0010ffff\ud7ff\ue000é")), st.text(st.sampled_from("ab\U0010ffff\ud7ff\ue000é")))
def test_prefix_ranges_at_the_edges(prefix: str, value: str) -> None:
    test_prefix_ranges.hypothesis.inner_test(prefix, value)  # type: ignore[attr-defined]


@given(st.text(st.sampled_from("a%_\\*?[]^é")), st.text(st.sampled_from("a%_\\*?[]^é")))
@settings(max_examples=500)
def test_like_as_glob(pattern: str, value: str) -> None:
    from holdall.query.functions import like

    ((found,),) = CONNECTION.execute("SELECT ? GLOB ?", (value, coding.glob_of_like(pattern))).fetchall()
    assert bool(found) is (like(pattern)(value) is not None)


def test_too_long_a_pattern() -> None:
    with pytest.raises(SizeLimit):
        coding.glob_of_like("a" * 60_000)


def test_uuids_are_whole() -> None:
    made = coding.uuid_of_bytes(bytes(16))
    assert made == uuid.UUID(int=0)
    assert made.is_safe is uuid.SafeUUID.unknown
    assert hash(made) == hash(uuid.UUID(int=0))
    assert str(made) == str(uuid.UUID(int=0))


def test_float_literals_are_exact() -> None:
    from holdall.backends.sql.formats import sql_literal

    for value in (5e-324, 1.7976931348623157e308, 0.1, -math.pi, 1e22, 123456789.123456789):
        assert CONNECTION.execute(f"SELECT {sql_literal(value)}").fetchall() == [(value,)]
