"""Containers as canonical text, and back: one form shared by engines, exports and equality.

Owns the JSON form of json, list, set, dict and record values. Text is compact JSON with sorted keys; scalars that JSON lacks are written
as text: Decimal digits, ISO dates and times, UUID text, base64 bytes, microseconds of a timedelta. Sets are sorted by their text. Two
canonical values of a type are equal exactly if their texts are.
"""

from __future__ import annotations

import base64
import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from holdall.schema.jsontext import BadOperand
from holdall.schema.types import JSON_NULL, UTC, Type

_encode = msgspec.json.Encoder(order="deterministic").encode
_MICROSECOND = dt.timedelta(microseconds=1)


def container_text(type_: Type, value: Any) -> str:
    """The canonical text of a container value (never None)."""
    return _encode(plain(type_, value)).decode()


def container_value(type_: Type, text: str | bytes) -> Any:
    """The canonical value of a text made by `container_text`; BadOperand if it is not one."""
    try:
        return from_plain(type_, msgspec.json.decode(text))
    except (msgspec.DecodeError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadOperand(f"stored text is not a {type_.name}: {error}") from None


def plain(type_: Type, value: Any) -> Any:
    """The value in terms of JSON: None bool int float str list dict."""
    if value is None or value is JSON_NULL:
        return None
    kind = type_.kind
    if kind == "json":
        return value
    if kind == "list":
        return [plain(_item(type_), item) for item in value]
    if kind == "set":
        return sorted((plain(_item(type_), item) for item in value), key=_encode)
    if kind == "dict":
        return {key: plain(_item(type_), item) for key, item in value.items()}
    if kind == "record":
        return {name: plain(part, value[name]) for name, part, _ in type_.fields}
    make = _TO_TEXT.get(kind)
    return value if make is None else make(value)


def from_plain(type_: Type, value: Any) -> Any:
    """The canonical value of what `plain` gave."""
    kind = type_.kind
    if value is None:
        return JSON_NULL if kind == "json" else None
    if kind == "json":
        return value
    if kind == "list":
        return tuple([from_plain(_item(type_), item) for item in value])
    if kind == "set":
        return frozenset([from_plain(_item(type_), item) for item in value])
    if kind == "dict":
        return {key: from_plain(_item(type_), item) for key, item in value.items()}
    if kind == "record":
        return {name: from_plain(part, value[name]) for name, part, _ in type_.fields}
    make = _FROM_TEXT.get(kind)
    return value if make is None else make(value)


def _item(type_: Type) -> Type:
    assert type_.item is not None
    return type_.item


_TO_TEXT: dict[str, Callable[[Any], Any]] = {
    "decimal": str,
    "uuid": str,
    "bytes": lambda value: base64.b64encode(value).decode(),
    "datetime": lambda value: value.isoformat(timespec="microseconds"),
    "local_datetime": lambda value: value.isoformat(timespec="microseconds"),
    "date": dt.date.isoformat,
    "time": lambda value: value.isoformat(timespec="microseconds"),
    "timedelta": lambda value: str(value // _MICROSECOND),
}

_FROM_TEXT: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "decimal": Decimal,
    "uuid": uuid.UUID,
    "bytes": lambda text: base64.b64decode(text, validate=True),
    "datetime": lambda text: dt.datetime.fromisoformat(text).astimezone(UTC),
    "local_datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "timedelta": lambda text: dt.timedelta(microseconds=int(text)),
}
