"""Canonical types: what a value of a field is between the model and a backend.

Owns the closed list of kinds, the canonical form of each, and the typing of operands (`check` for Python values, `parse` for text from
URLs and the command line). Must not know model classes, Pydantic or engines.

Canonical form of each kind, as it stands in a row tuple and in a query's operands:

    kind            Python type           rules
    str             str                   no U+0000, no lone surrogates
    int             int                   64-bit signed; never bool
    float           float                 finite; -0.0 becomes 0.0
    decimal         Decimal               finite, at most 38 digits; with `places` always exactly that scale, else without trailing
                                          zeros or exponent; -0 becomes 0
    bool            bool
    bytes           bytes
    datetime        datetime              tzinfo is datetime.timezone.utc
    local_datetime  datetime              naive
    date, time      date, time            time is naive
    timedelta       timedelta
    uuid            uuid.UUID
    json            None bool int float str list dict (str keys); no NaN; integral floats within 2^53 become int; 100 levels deep
    list            tuple of canonical items
    set             frozenset of canonical items
    dict            dict of str to canonical items
    record          dict of field name to canonical value (a nested dataclass or Model value)

Canonical values are never changed in place by anybody. JSON null inside a nullable json field is `JSON_NULL`, so that it differs
from null (None).
"""

from __future__ import annotations

import datetime as dt
import enum
import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from types import UnionType
from typing import Any, Literal, Protocol

from holdall.schema.jsontext import JSON_NESTING_MAX, BadOperand, decode_json

Kind = Literal[
    "str", "int", "float", "decimal", "bool", "bytes", "datetime", "local_datetime", "date", "time", "timedelta", "uuid",
    "json", "list", "set", "dict", "record",
]  # fmt: skip

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
DECIMAL_DIGITS_MAX = 38
UTC = dt.UTC
CONTAINERS: frozenset[str] = frozenset({"json", "list", "set", "dict", "record"})
NUMBERS: frozenset[str] = frozenset({"int", "float", "decimal"})
_STANDARD_BASE64 = str.maketrans("-_", "+/")
# For isinstance: a value of type Any stays Any, where `list` would make it a list of unknown items.
_BYTES: tuple[type[Any], ...] = (bytes, bytearray, memoryview)
_LISTS: tuple[type[Any], ...] = (list, tuple)
_COLLECTIONS: tuple[type[Any], ...] = (set, frozenset, list, tuple)
_MAPPING: type[Any] = Mapping


class _JsonNull:
    """The JSON value null, as opposed to no value (None)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "JSON_NULL"

    def __bool__(self) -> bool:
        return False

    def __copy__(self) -> _JsonNull:
        return self

    def __deepcopy__(self, memo: object) -> _JsonNull:
        return self

    def __reduce__(self) -> str:
        return "JSON_NULL"


JSON_NULL = _JsonNull()


class Codec(Protocol):
    """How a Python type that is not canonical (an Enum, an IP address, your own class) becomes canonical and back.

    `base` is the canonical type stored; `python_type` the type users see. `encode` may raise ValueError for a value that it cannot take.
    """

    @property
    def python_type(self) -> Any: ...
    def encode(self, value: Any, /) -> Any: ...
    def decode(self, value: Any, /) -> Any: ...


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """The type of one field: its kind, its limits, its parts.

    `choices` are the allowed canonical values of an Enum or Literal. `codec` translates a user type to this canonical type and back.
    `item` is the element type of list, set and dict. `fields` are the parts of a record. `python_name` is what users call the type.
    """

    kind: Kind
    python_name: str = ""
    max_length: int | None = None
    digits: int | None = None
    places: int | None = None
    choices: tuple[Any, ...] | None = None
    item: Type | None = None
    item_nullable: bool = False
    fields: tuple[tuple[str, Type, bool], ...] = ()  # name, type, nullable
    codec: Codec | None = None

    @property
    def name(self) -> str:
        """What error messages call the type."""
        return self.python_name or _PYTHON_NAMES.get(self.kind, self.kind)

    @property
    def orderable(self) -> bool:
        """Whether values can be compared by < and sorted (E3: containers cannot)."""
        return self.kind not in CONTAINERS

    @property
    def groupable(self) -> bool:
        """Whether values can be grouped, made distinct or unique."""
        return self.kind not in CONTAINERS

    def check(self, value: Any) -> Any:
        """The canonical form of an operand given in Python; BadOperand if it is of another type. None is not accepted."""
        if self.codec is not None and self.codec.python_type is not None:
            python_type = self.codec.python_type
            if isinstance(python_type, type | UnionType) and isinstance(value, python_type):
                try:
                    value = self.codec.encode(value)
                except (ValueError, TypeError) as error:
                    raise BadOperand(str(error)) from None
        checked = _CHECKS[self.kind](self, value)
        if self.choices is not None and checked not in self.choices:
            raise BadOperand(f"{value!r} is not one of {', '.join(map(repr, self.choices))}")
        return checked

    def parse(self, text: str) -> Any:
        """The canonical form of an operand given as text (URL, command line, CSV); BadOperand if it does not read as one."""
        parser = _PARSERS.get(self.kind)
        if parser is None:
            return self.check(_parse_json(self, text))
        try:
            value = parser(text)
        except (ValueError, InvalidOperation, OverflowError):
            raise BadOperand(f"{text[:60]!r} is not {_article(self.name)}") from None
        return self.check(value)


_PYTHON_NAMES = {"decimal": "Decimal", "local_datetime": "LocalDateTime", "uuid": "UUID", "json": "Json"}


def _article(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeio" else f"a {name}"


def _wrong(type_: Type, value: object) -> BadOperand:
    return BadOperand(f"{_short(value)} is {_article(type(value).__name__)}, not {_article(type_.name)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def canonical_str(value: str) -> str:
    """The text itself; BadOperand if it holds U+0000 or a lone surrogate (A7)."""
    if "\x00" in value:
        raise BadOperand("text holds the character U+0000, which no store is allowed to keep")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadOperand("text holds a lone surrogate, which is not valid Unicode") from None
    return value


def canonical_decimal(type_: Type, value: Decimal) -> Decimal:
    """Exact, at most 38 digits, at the declared scale; excess scale is refused, never rounded (C2)."""
    if not value.is_finite():
        raise BadOperand(f"{value} is not finite")
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    zeros = 0
    while zeros < -exponent and zeros < len(digits) and digits[-1 - zeros] == 0:
        zeros += 1
    digits, exponent = digits[: len(digits) - zeros], exponent + zeros
    if not any(digits):
        sign, digits, exponent = 0, (0,), 0
    if exponent > DECIMAL_DIGITS_MAX or -exponent > DECIMAL_DIGITS_MAX:
        raise BadOperand(f"{value} needs more than {DECIMAL_DIGITS_MAX} digits")
    if exponent > 0:
        digits, exponent = digits + (0,) * exponent, 0
    places = type_.places
    if places is not None:
        if -exponent > places:
            raise BadOperand(f"{value} has more than {places} decimal places")
        digits, exponent = digits + (0,) * (places + exponent), -places
    written = len("".join(map(str, digits)).lstrip("0")) or 1  # a zero of 38 places is written with 39 digits, and is 0 all the same
    limit = type_.digits or DECIMAL_DIGITS_MAX
    if written > limit or max(written, -exponent) > DECIMAL_DIGITS_MAX:
        raise BadOperand(f"{value} has more than {limit} digits")
    return Decimal((sign, digits, exponent))


def _check_str(type_: Type, value: Any) -> Any:
    if type(value) is not str:
        if isinstance(value, str) and not isinstance(value, enum.Enum):
            value = str(value)
        else:
            raise _wrong(type_, value)
    return canonical_str(value)


def _check_int(type_: Type, value: Any) -> Any:
    if type(value) is not int:
        raise _wrong(type_, value)
    if not INT_MIN <= value <= INT_MAX:
        raise BadOperand(f"{_short(value)} is outside the range of a 64-bit integer")
    return value


def _check_float(type_: Type, value: Any) -> Any:
    if type(value) is int and -(2**53) <= value <= 2**53:
        value = float(value)
    if type(value) is not float:
        raise _wrong(type_, value)
    if not math.isfinite(value):
        raise BadOperand(f"{value} is not finite")
    return value + 0.0


def _check_decimal(type_: Type, value: Any) -> Any:
    if type(value) is int:
        value = Decimal(value)
    if type(value) is float:
        raise BadOperand(f"{value!r} is a float, which is not exact; pass Decimal('{value}')")
    if type(value) is not Decimal:
        raise _wrong(type_, value)
    # An operand may have more places than the field: 1.005 > 1.00 is a fair question. Only range and finiteness are checked. One that
    # fits gets the field's places: inside a container it is compared as text.
    loose = canonical_decimal(_LOOSE_DECIMAL, value)
    if type_.places is None:
        return loose
    try:
        return canonical_decimal(Type("decimal", places=type_.places), loose)
    except BadOperand:
        return loose


def _check_exact(python_type: type) -> Callable[[Type, Any], Any]:
    def check(type_: Type, value: Any) -> Any:
        if type(value) is not python_type:
            raise _wrong(type_, value)
        return value

    return check


def _check_bytes(type_: Type, value: Any) -> Any:
    if not isinstance(value, _BYTES):
        raise _wrong(type_, value)
    return bytes(value)


def _check_datetime(type_: Type, value: Any) -> Any:
    if not isinstance(value, dt.datetime):
        raise _wrong(type_, value)
    if value.utcoffset() is None:
        raise BadOperand(f"{value.isoformat()} has no time zone; pass an aware datetime")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise BadOperand(f"{value.isoformat()} is outside the range of datetime in UTC") from None


def _check_local_datetime(type_: Type, value: Any) -> Any:
    if not isinstance(value, dt.datetime):
        raise _wrong(type_, value)
    if value.tzinfo is not None:
        raise BadOperand(f"{value.isoformat()} has a time zone; this field holds local time without one")
    return value.replace(fold=0)


def _check_date(type_: Type, value: Any) -> Any:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise _wrong(type_, value)
    return value


def _check_time(type_: Type, value: Any) -> Any:
    if not isinstance(value, dt.time):
        raise _wrong(type_, value)
    if value.tzinfo is not None:
        raise BadOperand(f"{value.isoformat()} has a time zone; time fields hold none")
    return value.replace(fold=0)


def canonical_json(value: Any, levels: int = JSON_NESTING_MAX) -> Any:
    """A canonical, private copy of a JSON value (E1); BadOperand for what JSON cannot hold exactly, or more than so many levels deep."""
    if value is None or value is JSON_NULL or value is True or value is False:
        return None if value is JSON_NULL else value
    if type(value) is str:
        return canonical_str(value)
    if type(value) is int:
        return _check_int(_INT, value)
    if type(value) is float:
        if not math.isfinite(value):
            raise BadOperand(f"{value} is not finite")
        return int(value) if value.is_integer() and abs(value) <= 2**53 else value
    if not levels and isinstance(value, (*_LISTS, _MAPPING)):
        raise BadOperand(f"the value is nested deeper than {JSON_NESTING_MAX} levels")
    if isinstance(value, _LISTS):
        return [canonical_json(item, levels - 1) for item in value]
    if isinstance(value, _MAPPING):
        if not all(isinstance(key, str) for key in value):
            raise BadOperand("the keys of a JSON object must be text")
        return {canonical_str(key): canonical_json(item, levels - 1) for key, item in value.items()}
    raise BadOperand(f"{_short(value)} is {_article(type(value).__name__)}, which JSON cannot hold")


def _check_json(type_: Type, value: Any) -> Any:
    checked = canonical_json(value)
    return JSON_NULL if checked is None else checked


def _check_item(type_: Type, value: Any) -> Any:
    assert type_.item is not None
    if value is None and type_.item_nullable:
        return None
    return type_.item.check(value)


def _check_list(type_: Type, value: Any) -> Any:
    if not isinstance(value, _LISTS):
        raise _wrong(type_, value)
    return tuple(_check_item(type_, item) for item in value)


def _check_set(type_: Type, value: Any) -> Any:
    if not isinstance(value, _COLLECTIONS):
        raise _wrong(type_, value)
    return frozenset(_check_item(type_, item) for item in value)


def _check_dict(type_: Type, value: Any) -> Any:
    if not isinstance(value, _MAPPING):
        raise _wrong(type_, value)
    return {_check_str(_STR, key): _check_item(type_, item) for key, item in value.items()}


def _check_record(type_: Type, value: Any) -> Any:
    if not isinstance(value, _MAPPING):
        raise _wrong(type_, value)
    names = {name for name, _, _ in type_.fields}
    unknown = set(value) - names
    if unknown:
        raise BadOperand(f"{type_.name} has no field {min(map(str, unknown))!r}")
    result: dict[str, Any] = {}
    for name, part, nullable in type_.fields:
        item = value.get(name)
        if item is None and not nullable and (part.kind != "json" or name not in value):
            raise BadOperand(f"{type_.name}.{name} is missing")
        result[name] = None if item is None and nullable else part.check(item)
    return result


_CHECKS: dict[str, Callable[[Type, Any], Any]] = {
    "str": _check_str,
    "int": _check_int,
    "float": _check_float,
    "decimal": _check_decimal,
    "bool": _check_exact(bool),
    "bytes": _check_bytes,
    "datetime": _check_datetime,
    "local_datetime": _check_local_datetime,
    "date": _check_date,
    "time": _check_time,
    "timedelta": _check_exact(dt.timedelta),
    "uuid": _check_exact(uuid.UUID),
    "json": _check_json,
    "list": _check_list,
    "set": _check_set,
    "dict": _check_dict,
    "record": _check_record,
}

_STR = Type("str")
_INT = Type("int")
_LOOSE_DECIMAL = Type("decimal")


def _parse_bool(text: str) -> bool:
    lowered = text.lower()
    if lowered in ("true", "1"):
        return True
    if lowered in ("false", "0"):
        return False
    raise ValueError(text)


def _parse_int(text: str) -> int:
    if len(text) > 40 or not text.isascii() or "_" in text:
        raise ValueError(text)
    return int(text)


def _parse_number(make: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        if len(text) > 400 or not text.isascii() or "_" in text:
            raise ValueError(text)
        return make(text)

    return parse


def _parse_datetime(text: str) -> dt.datetime:
    # '+' in an unescaped query string arrives as a blank; taking '… 02:00' back as '…+02:00' spares users the percent sign.
    if len(text) > 6 and text[-6] == " " and text[-3] == ":":
        text = text[:-6] + "+" + text[-5:]
    return dt.datetime.fromisoformat(text)


def _parse_timedelta(text: str) -> dt.timedelta:
    from pydantic import TypeAdapter  # the well-kept ISO 8601 duration parser; loaded only when a duration is read from text

    return dt.timedelta(seconds=0) + TypeAdapter(dt.timedelta).validate_python(text)


def _parse_base64(text: str) -> bytes:
    import base64

    # Either alphabet; anything else is refused, which b64decode would leave out without a word.
    return base64.b64decode(text.translate(_STANDARD_BASE64) + "=" * (-len(text) % 4), validate=True)


_PARSERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": _parse_int,
    "float": _parse_number(float),
    "decimal": _parse_number(Decimal),
    "bool": _parse_bool,
    "bytes": _parse_base64,
    "datetime": _parse_datetime,
    "local_datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": _parse_timedelta,
    "uuid": uuid.UUID,
}


def _parse_json(type_: Type, text: str) -> Any:
    try:
        return _from_json(type_, decode_json(text))
    except BadOperand:
        raise
    except (ValueError, InvalidOperation):
        raise BadOperand(f"{text[:60]!r} is not the JSON form of {_article(type_.name)}") from None


def _from_json(type_: Type, value: Any) -> Any:
    """Text inside decoded JSON becomes the canonical type of its place (a UUID in a list of UUIDs)."""
    if type_.kind == "json":
        return JSON_NULL if value is None else value
    if type_.kind in ("list", "set") and isinstance(value, _LISTS):
        assert type_.item is not None
        return [None if item is None else _from_json(type_.item, item) for item in value]
    if type_.kind == "dict" and isinstance(value, _MAPPING):
        assert type_.item is not None
        return {key: None if item is None else _from_json(type_.item, item) for key, item in value.items()}
    if type_.kind == "record" and isinstance(value, _MAPPING):
        parts = {name: part for name, part, _ in type_.fields}
        return {k: _from_json(parts[k], v) if k in parts and v is not None else v for k, v in value.items()}
    if isinstance(value, str) and type_.kind in _PARSERS and type_.kind != "str":
        return _PARSERS[type_.kind](value)
    return value


@dataclass(frozen=True, slots=True, eq=False)
class SimpleCodec:
    """A codec made of two functions; see `Codec`."""

    python_type: Any
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    schema: Any = field(default=None)
