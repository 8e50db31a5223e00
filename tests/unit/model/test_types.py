"""Every field type: what it takes from Python and from JSON, what a row holds, and that it comes back the same."""

from __future__ import annotations

import datetime as dt
import enum
import json
from dataclasses import dataclass, field
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Any, Literal, NewType
from uuid import UUID, uuid4

import annotated_types
import pydantic
import pytest

from holdall import JSON_NULL, Email, Field, IPAddress, Json, Key, LocalDateTime, Model, Phone, Url, ValidationError, codec

UTC = dt.UTC
NOON = dt.datetime(2026, 1, 2, 12, tzinfo=UTC)
EAST = dt.timezone(dt.timedelta(hours=5))
ID = UUID(int=7)
UserId = NewType("UserId", int)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Rank(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass(frozen=True)
class Geo:
    x: float
    y: float

    def __str__(self) -> str:
        return f"{self.x},{self.y}"

    @staticmethod
    def parse(text: str) -> Geo:
        x, y = text.split(",")
        return Geo(float(x), float(y))


Point = Annotated[Geo, codec(encode=str, decode=Geo.parse)]


@dataclass
class Address:
    street: str
    since: dt.date | None = None
    tags: list[str] = field(default_factory=list)
    color: Color = Color.RED


class Inner(Model):
    id: UUID = Key()
    size: int


def model_of(annotation: Any, **options: Any) -> Any:
    """A model with a key and the field `it`."""
    body: dict[str, Any] = {"__annotations__": {"id": UUID, "it": annotation}, "id": Key(), "__module__": __name__}
    if options:
        body["it"] = Field(**options)
    return type(Model)("Thing", (Model,), body)


INNER = Inner(id=ID, size=3)
INNER_PARTS = {"id": ID, "size": 3}

# annotation, Python value, what a row holds, what an object holds (None: the same value), JSON input
GOOD: list[tuple[Any, Any, Any, Any, Any]] = [
    (str, "a b", "a b", None, "a b"),
    (str, "", "", None, ""),
    (int, 2**63 - 1, 2**63 - 1, None, 2**63 - 1),
    (int, -(2**63), -(2**63), None, -(2**63)),
    (UserId, 3, 3, None, 3),
    (float, 1.5, 1.5, None, 1.5),
    (float, 2, 2.0, None, 2),
    (float, -0.0, 0.0, None, -0.0),
    (Decimal, Decimal("1.50"), Decimal("1.5"), None, "1.50"),
    (Decimal, 3, Decimal(3), Decimal(3), 3),
    (Decimal, Decimal("1E+2"), Decimal(100), None, 100.0),
    (bool, True, True, None, True),
    (bytes, b"\x00\xff", b"\x00\xff", None, "AP8="),
    (bytes, b"", b"", None, ""),
    (dt.datetime, NOON, NOON, None, "2026-01-02T12:00:00Z"),
    (dt.datetime, NOON.astimezone(EAST), NOON, None, "2026-01-02T17:00:00+05:00"),
    (LocalDateTime, dt.datetime(2026, 1, 2, 3), dt.datetime(2026, 1, 2, 3), None, "2026-01-02T03:00:00"),  # noqa: DTZ001
    (dt.date, dt.date(2026, 1, 2), dt.date(2026, 1, 2), None, "2026-01-02"),
    (dt.time, dt.time(1, 2, 3, 4), dt.time(1, 2, 3, 4), None, "01:02:03.000004"),
    (dt.timedelta, dt.timedelta(days=1), dt.timedelta(days=1), None, "P1D"),
    (UUID, ID, ID, None, str(ID)),
    (Color, Color.BLUE, "blue", None, "blue"),
    (Rank, Rank.HIGH, 2, None, 2),
    (Literal["a", "b"], "b", "b", None, "b"),
    (Literal[1, 2], 2, 2, None, 2),
    (Email, "ada@EXAMPLE.com", "ada@example.com", "ada@example.com", "ada@EXAMPLE.com"),
    (Phone, "+49 30 901820", "+4930901820", "+4930901820", "+49 30 901820"),
    (Url, "https://Example.com/a?b", "https://Example.com/a?b", None, "https://Example.com/a?b"),
    (IPAddress, IPv4Address("1.2.3.4"), "1.2.3.4", None, "1.2.3.4"),
    (IPAddress, IPv6Address("::1"), "::1", None, "::1"),
    (IPv4Address, IPv4Address("1.2.3.4"), "1.2.3.4", None, "1.2.3.4"),
    (Json, {"a": [1, 2.0, None, True, "x"]}, {"a": [1, 2, None, True, "x"]}, None, {"a": [1, 2.0, None, True, "x"]}),
    (Json, None, JSON_NULL, None, None),
    (Json | None, None, None, None, None),
    (Json | None, JSON_NULL, JSON_NULL, None, ...),
    (list[str], ["b", "a"], ("b", "a"), None, ["b", "a"]),
    (list[int | None], [1, None], (1, None), None, [1, None]),
    (list[Decimal], [Decimal("1.0")], (Decimal(1),), None, ["1.0"]),
    (list[Color], [Color.RED], ("red",), None, ["red"]),
    (list[list[int]], [[1], []], ((1,), ()), None, [[1], []]),
    (list[UUID], [ID], (ID,), None, [str(ID)]),
    (list[Email], ["a@B.cd"], ("a@b.cd",), ["a@b.cd"], ["a@B.cd"]),
    (list[Point], [Geo(1.0, 2.0)], ("1.0,2.0",), None, ["1,2"]),
    (set[str], {"a", "b"}, frozenset({"a", "b"}), None, ["a", "b"]),
    (set[Color], {Color.RED}, frozenset({"red"}), None, ["red"]),
    (dict[str, int], {"a": 1}, {"a": 1}, None, {"a": 1}),
    (dict[str, dt.datetime], {"a": NOON.astimezone(EAST)}, {"a": NOON}, None, {"a": "2026-01-02T12:00:00Z"}),
    (dict[str, Json], {"a": None, "b": [1]}, {"a": JSON_NULL, "b": [1]}, None, {"a": None, "b": [1]}),
    (Point, Geo(1.0, 2.0), "1.0,2.0", None, "1,2"),
    (Geo, Geo(1.0, 2.0), {"x": 1.0, "y": 2.0}, None, {"x": 1, "y": 2}),
    (
        Address,
        Address("x", dt.date(2026, 1, 2), ["t"], Color.BLUE),
        {"street": "x", "since": dt.date(2026, 1, 2), "tags": ("t",), "color": "blue"},
        None,
        {"street": "x", "since": "2026-01-02", "tags": ["t"], "color": "blue"},
    ),
    (list[Address], [Address("x")], ({"street": "x", "since": None, "tags": (), "color": "red"},), None, [{"street": "x"}]),
    (Inner, INNER, INNER_PARTS, None, {"id": str(ID), "size": 3}),
    (str | None, None, None, None, None),
    (Address | None, None, None, None, None),
    (Annotated[int, annotated_types.Ge(3)], 3, 3, None, 3),
    (Annotated[str, pydantic.StringConstraints(to_lower=True)], "AB", "ab", "ab", "AB"),
]


@pytest.mark.parametrize(("annotation", "value", "row", "held", "text"), GOOD, ids=lambda item: str(item)[:40])
def test_a_value_goes_there_and_back(annotation: Any, value: Any, row: Any, held: Any, text: Any) -> None:
    thing = model_of(annotation)
    made = thing(it=value)
    wanted = value if held is None else held
    assert made.it == wanted
    frozen = thing.__freeze__(made)
    assert frozen[1] == row
    assert type(frozen[1]) is type(row)
    again = thing.__build__(frozen)
    assert again == made
    assert type(again.it) is type(made.it)
    assert again._row is frozen
    assert thing.__freeze__(again) == frozen
    assert thing.__build_many__([frozen, frozen]) == [made, made]
    if text is not ...:
        assert thing.__from_json__({"id": str(made.id), "it": text}) == made
        assert thing.__check_json__({"it": text}) == {"it": wanted}
        assert thing.__from_json__(json.loads(pydantic.TypeAdapter(thing).dump_json(made))) == made


# annotation, options, what Python must not give, what JSON must not give (...: the same), the problem's path below the field
BAD: list[tuple[Any, dict[str, Any], Any, Any]] = [
    (str, {}, 3, ...),
    (str, {}, "a\x00b", ...),
    (str, {}, "\ud800", ...),
    (str, {}, b"x", ...),
    (str, {"max_length": 2}, "abc", ...),
    (str, {"min_length": 2}, "a", ...),
    (str, {"pattern": "^a+$"}, "ab", ...),
    (int, {}, "3", ...),
    (int, {}, True, ...),
    (int, {}, 3.0, 3.5),
    (int, {}, 2**63, ...),
    (int, {"ge": 3}, 2, ...),
    (int, {"gt": 3}, 3, ...),
    (int, {"le": 3}, 4, ...),
    (int, {"lt": 3}, 3, ...),
    (float, {}, "3", ...),
    (float, {}, True, ...),
    (float, {}, float("nan"), ...),
    (float, {}, float("inf"), ...),
    (float, {}, 2**53 + 1, ...),
    (Decimal, {}, 0.1, 0.12345678901234567),
    (Decimal, {}, True, ...),
    (Decimal, {}, "1", "one"),
    (Decimal, {}, Decimal("NaN"), "NaN"),
    (Decimal, {}, Decimal("1E-39"), "1E-39"),
    (Decimal, {"max_digits": 4, "decimal_places": 2}, Decimal("1.005"), "1.005"),
    (Decimal, {"max_digits": 4, "decimal_places": 2}, Decimal(100), 100),
    (Decimal, {"decimal_places": 2}, Decimal("Infinity"), "Infinity"),
    (Decimal, {"ge": 0}, Decimal("-0.01"), "-0.01"),
    (bool, {}, 1, ...),
    (bool, {}, "true", ...),
    (bytes, {}, "abc", "a"),
    (bytes, {"max_length": 1}, b"ab", "YWI="),
    (dt.datetime, {}, dt.datetime(2026, 1, 1), "2026-01-01T00:00:00"),  # noqa: DTZ001
    (dt.datetime, {}, "2026-01-01T00:00:00Z", "yesterday"),
    (LocalDateTime, {}, NOON, "2026-01-01T00:00:00Z"),
    (dt.date, {}, NOON, "2026-13-01"),
    (dt.time, {}, dt.time(1, tzinfo=UTC), "01:00:00Z"),
    (dt.timedelta, {}, 3, "soon"),
    (UUID, {}, str(ID), "x"),
    (Color, {}, "red", "green"),
    (Rank, {}, 2, 3),
    (Literal["a"], {}, "b", ...),
    (Literal[1], {}, True, ...),
    (Email, {}, "ada", ...),
    (Phone, {}, "12", ...),
    (Phone, {}, "+4912", ...),
    (Url, {}, "example.com", ...),
    (Url, {}, "https://exam ple.com", ...),
    (IPAddress, {}, "1.2.3.4", "1.2.3"),
    (Json, {}, object(), ...),
    (Json, {}, float("nan"), ...),
    (Json, {}, {1: 2}, ...),
    (Json, {}, [2**64], ...),
    (list[str], {}, ["a", 1], ...),
    (list[str], {}, ("a",), "a"),
    (list[str], {}, ["\x00"], ...),
    (list[int], {}, [None], ...),
    (list[int], {"max_length": 1}, [1, 2], ...),
    (set[int], {}, [1], {"a": 1}),
    (dict[str, int], {}, {1: 1}, {"a": "1"}),
    (dict[str, str], {}, {"a\x00": "x"}, ...),
    (Point, {}, "1,2", "1"),
    (Geo, {}, {"x": 1.0, "y": 2.0}, {"x": 1.0}),
    (Geo, {}, Geo("a", 2.0), {"x": "a", "y": 1}),  # type: ignore[arg-type]
    (Address, {}, Address("x", tags=[3]), {"street": "x", "tags": [3]}),  # type: ignore[list-item]
    (Address, {}, Address("x\x00"), {"street": "x\x00"}),
    (Inner, {}, INNER_PARTS, {"id": str(ID)}),
    (str, {}, None, ...),
    (Annotated[int, annotated_types.Ge(3)], {}, 2, ...),
]


@pytest.mark.parametrize(("annotation", "options", "value", "text"), BAD, ids=lambda item: str(item)[:40])
def test_a_wrong_value_is_a_problem_everywhere(annotation: Any, options: dict[str, Any], value: Any, text: Any) -> None:
    thing = model_of(annotation, **options)
    with pytest.raises(ValidationError) as caught:
        thing(it=value)
    assert caught.value.problems
    assert {problem.path[0] for problem in caught.value.problems} == {"it"}
    assert caught.value.model == "Thing"
    held = thing.__new__(thing)
    held.id, held.it, held._row = ID, value, None
    with pytest.raises(ValidationError) as at_save:
        thing.__freeze__(held)
    assert at_save.value.problems == caught.value.problems
    with pytest.raises(ValidationError) as partly:
        thing.__canonical__({"it": value})
    assert {problem.path[0] for problem in partly.value.problems} == {"it"}
    json_value = value if text is ... else text
    with pytest.raises(ValidationError) as from_json:
        thing.__from_json__({"it": json_value})
    assert {problem.path[0] for problem in from_json.value.problems} == {"it"}
    with pytest.raises(ValidationError) as some:
        thing.__check_json__({"it": json_value})
    assert {problem.path for problem in some.value.problems} == {problem.path for problem in from_json.value.problems}


def test_decimals_have_exactly_their_places() -> None:
    thing = model_of(Decimal, max_digits=5, decimal_places=2)
    for given in (Decimal("1.5"), Decimal("1.50"), Decimal("1.500"), Decimal("15E-1")):
        made = thing(it=given)
        assert str(made.it) == "1.50"
        assert str(thing.__freeze__(made)[1]) == "1.50"
    assert str(thing(it=Decimal("-0")).it) == "0.00"
    assert str(thing(it=Decimal("999.99")).it) == "999.99"


def test_json_numbers_become_exact_decimals_or_none() -> None:
    thing = model_of(Decimal)
    assert thing.__from_json__({"it": 0.1}).it == Decimal("0.1")
    assert thing.__from_json__({"it": 123456789.123456}).it == Decimal("123456789.123456")
    assert thing.__from_json__({"it": "12345678901234567890.123456789"}).it == Decimal("12345678901234567890.123456789")
    with pytest.raises(ValidationError, match="send it as text"):
        thing.__from_json__({"it": 12345678901234567890.5})


def test_what_an_object_holds_is_its_own() -> None:
    thing = model_of(dict[str, Json])
    given = {"a": [1, {"b": 2}]}
    made = thing(it=given)
    row = thing.__freeze__(made)
    given["a"].append(3)
    assert made.it == {"a": [1, {"b": 2}]}
    made.it["a"].append(4)
    assert row[1] == {"a": [1, {"b": 2}]}
    built = thing.__build__(row)
    built.it["a"][1]["b"] = 5
    assert row[1] == {"a": [1, {"b": 2}]}


def test_saving_leaves_containers_the_objects_that_they_are() -> None:
    thing = model_of(list[float])
    made = thing(it=[1.0])
    held = made.it
    thing.__freeze__(made)
    assert made.it is held


def test_saving_puts_canonical_values_into_the_object() -> None:
    thing = model_of(dt.datetime)
    made = thing(it=NOON)
    made.it = NOON.astimezone(EAST)
    thing.__freeze__(made)
    assert made.it.tzinfo is UTC


def test_changes_are_by_meaning() -> None:
    thing = model_of(Json)
    made = thing.__build__((uuid4(), {"a": 1}))
    for value, changed in (({"a": 1.0}, ()), ({"a": True}, (1,)), ({"a": 1, "b": None}, (1,)), (None, (1,))):
        made.it = value
        assert thing.__changes__(made, thing.__freeze__(made)) == changed
    plain = model_of(Decimal)
    other = plain.__build__((uuid4(), Decimal(1)))
    other.it = Decimal("1.00")
    assert plain.__changes__(other, plain.__freeze__(other)) == ()
    assert plain.__changes__(plain(it=Decimal(1)), (ID, Decimal(1))) == (0, 1)


def test_operands_of_queries_are_typed() -> None:
    thing = model_of(Email)
    assert (thing.it == "ada@EXAMPLE.com").right.value == "ada@example.com"  # type: ignore[attr-defined]
    assert (thing.it >= "m").right.value == "m"
    colored = model_of(Color)
    assert (colored.it == Color.RED).right.value == "red"  # type: ignore[attr-defined]
    address = model_of(IPAddress)
    assert (address.it == IPv4Address("1.2.3.4")).right.value == "1.2.3.4"  # type: ignore[attr-defined]
