"""JSON forms: how canonical values look in JSON, and how JSON texts are read.

    kind                    JSON
    str, Email, Enum, …     string
    int                     number (64 bit; JavaScript is exact up to 2^53 only)
    float                   number
    decimal                 string of digits, exact; a number is taken too and is read from its digits, never through a float
    bool                    true, false
    bytes                   string, base64
    datetime                string, ISO 8601 in UTC with Z
    local_datetime          string, ISO 8601 without offset
    date, time              string, ISO 8601
    timedelta               string, ISO 8601 duration (P1DT2H)
    uuid                    string
    json                    the value
    list                    array
    set                     array, sorted by the JSON text of the items
    dict, record            object

Null is null; JSON null in a nullable json field is null too. Owns both directions. Must not know requests or models.
"""

from __future__ import annotations

import datetime as dt
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, TypeGuard
from urllib.parse import quote

import msgspec

from holdall.http.problems import Fault, HttpError
from holdall.schema import JSON_NULL, Type

Write = Callable[[Any], Any]

NESTING_MAX = 60
NUMBER_CHARACTERS_MAX = 400  # no number that any field can hold needs more


def _null(value: Any) -> None:
    if value is not JSON_NULL:
        raise TypeError(f"{type(value).__name__} has no JSON form")


encode = msgspec.json.Encoder(enc_hook=_null, decimal_format="string").encode
_item_order = msgspec.json.Encoder(enc_hook=_null, order="deterministic").encode


def writer(type_: Type) -> Write | None:
    """The function from a canonical value (not None) to what `encode` writes in the right form; None if that is the value itself."""
    kind = type_.kind
    if kind == "decimal":
        return _decimal_text
    if kind in ("list", "set", "dict"):
        assert type_.item is not None
        return _items_writer(kind, writer(type_.item))
    if kind == "record":
        parts = [(name, writer(part)) for name, part, _ in type_.fields]
        return lambda value: {name: _written(write, value[name]) for name, write in parts}
    return None


def _written(write: Write | None, value: Any) -> Any:
    return value if write is None or value is None else write(value)


def _decimal_text(value: Decimal) -> str:
    text = str(value)
    return format(value, "f") if "E" in text else text


def _items_writer(kind: str, write: Write | None) -> Write | None:
    if kind == "set":
        return lambda value: sorted((_written(write, item) for item in value), key=_item_order)
    if write is None:
        return None
    if kind == "list":
        return lambda value: [_written(write, item) for item in value]
    return lambda value: {key: _written(write, item) for key, item in value.items()}


def plain_form(type_: Type, value: Any) -> Any:
    """A canonical value as plain JSON data (null bool number string array object): what a client would have sent for it."""
    if value is None:
        return None
    written = _written(writer(type_), value)
    return msgspec.to_builtins(written, builtin_types=(), enc_hook=_null, str_keys=True)


def key_text(type_: Type, value: Any) -> str:
    """A key value as one percent-encoded part of a path; `Type.parse` reads it back."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, bytes):
        text = urlsafe_b64encode(value).decode().rstrip("=")
    elif isinstance(value, dt.datetime | dt.timedelta | dt.date | dt.time):
        text = msgspec.json.encode(value).decode().strip('"')
    else:
        text = str(value)
    return quote(text, safe="")


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether decoded JSON is an object."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Whether decoded JSON is an array."""
    return isinstance(value, list)


def is_container(value: Any) -> TypeGuard[dict[str, Any] | list[Any]]:
    """Whether decoded JSON is an object or an array."""
    return isinstance(value, dict | list)


# Reading


def _number(text: str) -> Decimal:
    if len(text) > NUMBER_CHARACTERS_MAX:
        raise ValueError(f"a number of {len(text)} characters is longer than any field can hold")
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"the number {text} is outside any range") from None


_decode = msgspec.json.Decoder(float_hook=_number).decode


def read_json(text: bytes, *, parameter: str | None = None) -> Any:
    """The value of a JSON text, numbers with a fraction or exponent as exact Decimals; HttpError 400 if it is not strictly JSON.

    `parameter` is the parameter of the URL that it was in, if it was not the body.
    """
    try:
        value = _decode(text)
    except RecursionError:
        raise _too_deep(parameter) from None
    except UnicodeDecodeError:
        raise _malformed("it is not UTF-8", parameter) from None
    except (msgspec.DecodeError, ValueError) as error:
        raise _malformed(str(error), parameter) from None
    if is_container(value):
        _check_nesting(value, parameter)
        _check_members(text, parameter)
    return value


def _malformed(why: str, parameter: str | None) -> HttpError:
    what = f"The parameter '{parameter}'" if parameter else "The body"
    detail = f"{what} is not JSON: {why[:200].rstrip('.')}."
    return HttpError(400, "malformed_json", detail, errors=[Fault("malformed_json", detail, parameter=parameter)])


def _too_deep(parameter: str | None) -> HttpError:
    detail = f"The JSON is nested deeper than {NESTING_MAX} levels."
    return HttpError(400, "too_deep", detail, errors=[Fault("too_deep", detail, parameter=parameter)])


def _check_nesting(value: Any, parameter: str | None) -> None:
    level = [value]
    for _ in range(NESTING_MAX):
        below: list[Any] = []
        for item in level:
            below += [part for part in (item.values() if is_object(item) else item) if is_container(part)]
        if not below:
            return
        level = below
    raise _too_deep(parameter)


def _check_members(text: bytes, parameter: str | None) -> None:
    """HttpError if an object names a member twice: one of them would be lost."""

    def pairs(items: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in items:
            if name in seen:
                detail = f"An object has two members named '{name[:60]}'."
                fault = Fault("duplicate_member", detail, "Leave one of them out.", parameter)
                raise HttpError(400, "duplicate_member", detail, "Leave one of them out.", [fault])
            seen.add(name)

    # msgspec keeps the last of two members without a word; the standard library lets us look at them.
    json.loads(text, object_pairs_hook=pairs, parse_int=_skip, parse_float=_skip)


def _skip(text: str) -> None:
    """Numbers are of no interest when only names are looked at."""


def settle(type_: Type, value: Any) -> Any:
    """Decoded JSON as the model layer wants it: exact Decimals stay only where the field is decimal, elsewhere they become floats."""
    kind = type_.kind
    if isinstance(value, Decimal):
        return value if kind == "decimal" else float(value)
    if not is_container(value):
        return value
    if kind in ("list", "set", "dict") and type_.item is not None:
        if is_array(value):
            return [settle(type_.item, item) for item in value]
        if is_object(value):
            return {name: settle(type_.item, item) for name, item in value.items()}
    if kind == "record" and is_object(value):
        parts = {name: part for name, part, _ in type_.fields}
        return {name: settle(parts[name], item) if name in parts else floats(item) for name, item in value.items()}
    return floats(value)


def floats(value: Any) -> Any:
    """The value with every Decimal in it as a float."""
    if isinstance(value, Decimal):
        return float(value)
    if is_array(value):
        return [floats(item) for item in value]
    if is_object(value):
        return {name: floats(item) for name, item in value.items()}
    return value


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: `patch` applied to `target`."""
    if not is_object(patch):
        return patch
    merged: dict[str, Any] = dict(target) if is_object(target) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


__all__ = [
    "encode",
    "floats",
    "is_array",
    "is_container",
    "is_object",
    "key_text",
    "merge_patch",
    "plain_form",
    "read_json",
    "settle",
    "writer",
]
