"""The generated fast lane and Pydantic's slow lane give the same answers, and rows come back as they were (Hypothesis)."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdall import Email, Field, Json, Key, LocalDateTime, Model, ValidationError
from holdall.model import row_builder
from holdall.model.codegen import _loose_decimal, _scaled_decimal
from holdall.schema import BadOperand, Type, canonical_decimal


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Wide(Model):
    id: UUID = Key()
    text: str = Field(max_length=5, min_length=1)
    number: int = Field(ge=-5, lt=10**6)
    money: Decimal = Field(max_digits=6, decimal_places=2, ge=-10)
    exact: Decimal
    ratio: float = Field(gt=-1000)
    flag: bool
    raw: bytes = Field(max_length=4)
    at: dt.datetime
    local: LocalDateTime
    day: dt.date
    hour: dt.time
    span: dt.timedelta
    color: Color
    kind: Literal["a", "b"]
    email: Email
    meta: Json
    words: list[str] = Field(max_length=3)
    numbers: set[int]
    table: dict[str, bool]
    note: str | None = None
    maybe: Decimal | None = Field(default=None, decimal_places=1)


# The same model, but a validator of the user's sends every value through Pydantic.
class Slow(Wide, table="slow"):
    def __post_init__(self) -> None:
        pass


zones = st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=-3)), None])
scalars: Any = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.floats(),
    st.decimals(),
    st.sampled_from([Decimal("1E+3"), Decimal("-0"), Decimal("1.10"), Decimal("NaN"), Decimal("-0.00"), Decimal("1E-40")]),
    st.text(max_size=7),
    st.sampled_from(["\x00", "\ud800", "a", "ada@EXAMPLE.com", "ß"]),
    st.binary(max_size=5),
    st.datetimes(timezones=zones),
    st.dates(),
    st.times(timezones=st.sampled_from([dt.UTC, None])),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from(Color),
)
anything: Any = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
) | st.sets(st.integers(), max_size=3)

GOOD: dict[str, Any] = {
    "text": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=5),
    "number": st.integers(-5, 10**6 - 1),
    "money": st.decimals(-10, 9999, places=2) | st.sampled_from([Decimal(1), Decimal("-0.0"), Decimal("1E+2")]),
    "exact": st.decimals(allow_nan=False, allow_infinity=False).filter(
        lambda value: abs(value.adjusted()) < 20 and len(value.as_tuple().digits) < 18
    ),
    "ratio": st.floats(min_value=-999, allow_nan=False, allow_infinity=False),
    "flag": st.booleans(),
    "raw": st.binary(max_size=4),
    "at": st.datetimes(min_value=dt.datetime(2, 1, 1), max_value=dt.datetime(9998, 1, 1), timezones=st.sampled_from([dt.UTC])),  # noqa: DTZ001
    "local": st.datetimes(),
    "day": st.dates(),
    "hour": st.times(),
    "span": st.timedeltas(),
    "color": st.sampled_from(Color),
    "kind": st.sampled_from(["a", "b"]),
    "email": st.sampled_from(["a@b.cd", "A@B.cd"]),
    "meta": st.recursive(
        st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | st.sampled_from(["", "x", "é"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
        max_leaves=5,
    ),
    "words": st.lists(st.sampled_from(["", "a", "ö"]), max_size=3),
    "numbers": st.sets(st.integers(-(2**63), 2**63 - 1), max_size=3),
    "table": st.dictionaries(st.sampled_from(["", "k"]), st.booleans()),
    "note": st.none() | st.sampled_from(["", "x"]),
    "maybe": st.none() | st.decimals(-99, 99, places=1),
}
FIXED: dict[str, Any] = {
    "id": UUID(int=1), "text": "a", "number": 1, "money": Decimal(1), "exact": Decimal(1), "ratio": 1.0, "flag": True, "raw": b"",
    "at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC), "local": dt.datetime(2026, 1, 1), "day": dt.date(2026, 1, 1), "hour": dt.time(1),  # noqa: DTZ001
    "span": dt.timedelta(1), "color": Color.RED, "kind": "a", "email": "a@b.cd", "meta": {}, "words": [], "numbers": set(), "table": {},
}  # fmt: skip


def outcome(model: Any, values: dict[str, Any]) -> Any:
    """The row and the object's values, or the problems."""
    try:
        made = model(**values)
    except ValidationError as error:
        return error.problems
    row = model.__freeze__(made)
    return shown(row), shown(vars(made).values())


def shown(values: Any) -> list[str]:
    """Values with their types and digits, as 1 == 1.0 == True and 1.0 == 1.00; sets in order."""
    return [repr(sorted(value, key=repr)) if isinstance(value, set | frozenset) else repr(value) for value in values]


def saved(model: Any, values: dict[str, Any]) -> Any:
    """As above, for values that were assigned and not given to the constructor."""
    made = model(**FIXED)
    vars(made).update(values)
    try:
        return shown(model.__freeze__(made))
    except ValidationError as error:
        return error.problems


def test_the_lanes_are_what_they_claim() -> None:
    assert not Wide.__shape__.custom
    assert Slow.__shape__.custom
    assert "_slow_freeze" in Wide.__shape__.source


@settings(max_examples=400, deadline=None)
@given(name=st.sampled_from(sorted(GOOD)), value=anything)
def test_both_lanes_judge_alike(name: str, value: Any) -> None:
    values = FIXED | {name: value}
    assert outcome(Wide, values) == outcome(Slow, values)
    assert saved(Wide, {name: value}) == saved(Slow, {name: value})


@settings(max_examples=150, deadline=None)
@given(values=st.fixed_dictionaries(GOOD))
def test_rows_come_back_as_they_were(values: dict[str, Any]) -> None:
    made = Wide(**values)
    row = Wide.__freeze__(made)
    assert outcome(Wide, values | {"id": made.id}) == outcome(Slow, values | {"id": made.id})
    for again in (Wide.__build__(row), Wide.__build_many__([row])[0], row_builder(Wide)(row)):
        assert again == made
        assert shown(Wide.__freeze__(again)) == shown(row)
        assert Wide.__changes__(again, row) == ()


@settings(max_examples=400, deadline=None)
@given(
    value=st.decimals()
    | st.builds(lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
                st.integers(0, 1), st.lists(st.integers(0, 9), min_size=1, max_size=45), st.integers(-60, 60)),
    places=st.none() | st.integers(0, 38),
)  # fmt: skip
def test_the_quick_decimal_is_the_slow_one(value: Decimal, places: int | None) -> None:
    type_ = Type("decimal", places=places)
    made = (_loose_decimal if places is None else _scaled_decimal)(type_)(value)
    if isinstance(made, Decimal):
        try:
            wanted = canonical_decimal(type_, value)
        except BadOperand:
            # Out of digits: the generated bounds refuse it next.
            assert places is not None
            return
        assert str(made or abs(made)) == str(wanted)


@pytest.mark.parametrize("name", ["type", "len", "str", "self", "row", "Decimal", "value", "cls", "v0", "isinstance"])
def test_a_field_may_be_named_like_anything(name: str) -> None:
    body = {"__annotations__": {"id": UUID, name: list[str], "size": int}, "id": Key(), "__module__": __name__}
    model: Any = type(Model)("Thing", (Model,), body)
    made = model(**{name: ["x"], "size": 3})
    assert model.__build__(model.__freeze__(made)) == made
    with pytest.raises(ValidationError):
        model(**{name: [3], "size": 3})
