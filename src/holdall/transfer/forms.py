"""Forms: what a value looks like in a file, and the functions from there to canonical values and back, one for each type.

Owns the table below. Must not know files, rows or stores. Containers are JSON, also inside a CSV cell.

    kind                       in a CSV cell                    in JSON
    str                        the text                         string
    int, float                 digits                           number
    decimal                    digits, never an exponent        string (a number is read exactly, too)
    bool                       true, false                      true, false
    bytes                      base64                           string of the same
    datetime                   2013-01-01T05:00:00Z             string of the same
    local_datetime, date, time ISO 8601                         string of the same
    timedelta                  P1DT2.5S, -P1D (ISO 8601)        string of the same
    uuid                       with hyphens                     string of the same
    json, list, set, dict,     JSON, keys and sets sorted       JSON, keys and sets sorted
    record
    null                       empty, not quoted                null; for Json | None, whose null is a value: left out
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import msgspec

from holdall.schema import CONTAINERS, JSON_NULL, BadOperand, Type

Convert = Callable[[Any], Any]

sorted_json = msgspec.json.Encoder(order="deterministic").encode


# From files.


class _Refused(ValueError):
    """What the JSON decoder takes, but we do not."""


def _pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) != len(items):
        seen: set[str] = set()
        twice = next(name for name, _ in items if name in seen or seen.add(name))  # type: ignore[func-returns-value]  # it is false
        raise _Refused(f"the key {twice!r} is given twice in one object")
    return found


def _constant(name: str) -> Any:
    raise _Refused(f"{name} is not JSON")


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise _Refused(f"the number {text[:40]} is out of range") from None


def _integer(text: str) -> int:
    if len(text) > 400:
        raise _Refused(f"the number {text[:20]}… has {len(text)} digits")
    return int(text)


# Numbers with a fraction or exponent arrive as Decimal, so that none of their digits is lost before the field's type is known.
decoder = json.JSONDecoder(object_pairs_hook=_pairs, parse_float=_fraction, parse_int=_integer, parse_constant=_constant)


def decode_json(text: str) -> Any:
    """The JSON value of a text, fractions as Decimal; BadOperand if it is none, or holds duplicate keys or NaN."""
    try:
        return decoder.decode(text)
    except _Refused as error:
        raise BadOperand(f"is not JSON: {error}") from None
    except json.JSONDecodeError as error:
        raise BadOperand(f"is not JSON: {error.msg} (character {error.pos + 1})") from None
    except RecursionError:
        raise BadOperand("is nested too deeply") from None


def text_reader(type_: Type) -> Convert:
    """The function from the text of a CSV cell to the canonical value; it raises BadOperand. Repeated texts cost next to nothing."""
    kind = type_.kind
    if kind in CONTAINERS:
        read = json_reader(type_)
        return lambda text: read(decode_json(text))
    if kind == "str":
        return type_.check
    parse = {"int": _int, "decimal": _decimal, "float": _float, "timedelta": _duration, "bytes": _bytes}.get(kind)
    if parse is None:
        parse_ = type_.parse

        def parsed(text: str) -> Any:
            return parse_(text.strip())

        return lru_cache(8192)(parsed)
    check, name = type_.check, type_.name

    def convert(text: str) -> Any:
        try:
            return check(parse(text.strip()))
        except BadOperand:
            raise
        except (ValueError, ArithmeticError):
            raise BadOperand(f"{text[:60]!r} is not {'an' if name[:1].lower() in 'aeiou' else 'a'} {name}") from None

    return lru_cache(8192)(convert)


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,10})W)?(?:(\d{1,10})D)?(?:T(?=\d)(?:(\d{1,12})H)?(?:(\d{1,14})M)?(?:(\d{1,16})(?:[.,](\d{1,6})0*)?S)?)?", re.ASCII
)


def _int(text: str) -> int:
    if _INTEGER.fullmatch(text) is None:
        raise ValueError(text)
    return int(text)


def _decimal(text: str) -> Decimal:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(text)
    return Decimal(text)


def _float(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(text)  # nan, inf, 1_000
    return float(text)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.translate(_STANDARD) + "=" * (-len(text) % 4), validate=True)


_STANDARD = str.maketrans("-_", "+/")


def _duration(text: str) -> dt.timedelta:
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith(("P", "T")):
        raise ValueError(text)
    sign, weeks, days, hours, minutes, seconds, fraction = found.groups()
    size = dt.timedelta(
        days=int(days or 0) + 7 * int(weeks or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=int(seconds or 0),
        microseconds=int((fraction or "").ljust(6, "0")),
    )
    return -size if sign == "-" else size


def json_reader(type_: Type) -> Convert:
    """The function from a decoded JSON value (not null, unless the kind is json) to the canonical one; it raises BadOperand."""
    kind = type_.kind
    if kind == "json":
        return lambda value: type_.check(_floats(value))
    if kind in ("list", "set", "dict"):
        return _items_reader(type_)
    if kind == "record":
        return _record_reader(type_)
    if kind in ("str", "int", "bool"):
        return lambda value: type_.check(float(value) if type(value) is Decimal else value)
    if kind == "float":
        return lambda value: type_.check(float(value) if type(value) is Decimal else value)
    read = text_reader(type_)
    if kind == "decimal":
        return lambda value: read(value) if type(value) is str else type_.check(value)
    return lambda value: read(value) if type(value) is str else type_.check(float(value) if type(value) is Decimal else value)


def _items_reader(type_: Type) -> Convert:
    item = type_.item
    assert item is not None
    read, nullable = json_reader(item), type_.item_nullable
    plain = replace(type_, codec=None)

    def one(value: Any) -> Any:
        if value is None and (nullable or item.kind != "json"):
            if not nullable:
                raise BadOperand(f"{type_.name} does not hold null")
            return None
        return read(value)

    def convert(value: Any) -> Any:
        if type_.kind == "dict":
            return plain.check({key: one(part) for key, part in value.items()} if is_object(value) else value)
        return plain.check([one(part) for part in value] if is_list(value) else value)

    return convert


def _record_reader(type_: Type) -> Convert:
    parts = {name: json_reader(part) for name, part, _ in type_.fields}
    plain = replace(type_, codec=None)

    def convert(value: Any) -> Any:
        if not is_object(value):
            return plain.check(value)
        return plain.check({key: item if item is None or key not in parts else parts[key](item) for key, item in value.items()})

    return convert


def _floats(value: Any) -> Any:
    """A JSON value with plain floats."""
    if type(value) is Decimal:
        return float(value)
    if is_list(value):
        return [_floats(item) for item in value]
    if is_object(value):
        return {key: _floats(item) for key, item in value.items()}
    return value


def is_object(value: Any) -> bool:
    """Whether it is a JSON object."""
    return type(value) is dict


def is_list(value: Any) -> bool:
    """Whether it is a JSON list."""
    return type(value) is list


# To files.


def text_writer(type_: Type) -> Convert | None:
    """The function from a canonical value (not None) to the text of a CSV cell; None if it is the text."""
    kind = type_.kind
    if kind == "str":
        return None
    if kind in CONTAINERS:
        write = json_writer(type_)
        return lambda value: sorted_json(value if write is None else write(value)).decode()
    if kind == "bool":
        return lambda value: "true" if value else "false"
    return _SCALARS.get(kind, str if kind != "float" else repr)


def json_writer(type_: Type) -> Convert | None:
    """The function from a canonical value (not None) to what msgspec writes as JSON; None if it is the same. Sets are sorted."""
    kind = type_.kind
    if kind == "json":
        return lambda value: None if value is JSON_NULL else value
    if kind in ("list", "set", "dict"):
        assert type_.item is not None
        write = json_writer(type_.item) or _same
        if kind == "dict":
            return lambda value: {key: None if item is None else write(item) for key, item in value.items()}
        if kind == "set":
            return lambda value: sorted([None if item is None else write(item) for item in value], key=sorted_json)
        return lambda value: [None if item is None else write(item) for item in value]
    if kind == "record":
        parts = [(name, json_writer(part) or _same) for name, part, _ in type_.fields]
        return lambda value: {name: None if value[name] is None else write(value[name]) for name, write in parts}
    return _SCALARS.get(kind)


def _same(value: Any) -> Any:
    return value


def _duration_text(value: dt.timedelta) -> str:
    total = value // dt.timedelta(microseconds=1)
    days, rest = divmod(abs(total), 86_400_000_000)
    seconds, micros = divmod(rest, 1_000_000)
    fraction = f".{micros:06d}".rstrip("0") if micros else ""
    time = f"T{seconds}{fraction}S" if rest or not days else ""
    return f"{'-' if total < 0 else ''}P{f'{days}D' if days else ''}{time}"


_SCALARS: dict[str, Convert] = {
    "decimal": lambda value: format(value, "f"),
    "bytes": lambda value: base64.b64encode(value).decode(),
    "datetime": lambda value: value.replace(tzinfo=None).isoformat() + "Z",
    "local_datetime": lambda value: value.isoformat(),
    "date": lambda value: value.isoformat(),
    "time": lambda value: value.isoformat(),
    "timedelta": _duration_text,
    "uuid": str,
}
