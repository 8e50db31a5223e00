"""Coders: canonical values to and from what SQLite stores, one `Format` per type; see the table in `dialect`.

Owns the pure functions. Must not know SQL or connections.
"""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Callable
from decimal import Context, Decimal
from functools import partial
from typing import Any

import msgspec

from holdall.backends.sql.formats import Coder, Format, Storage
from holdall.backends.sqlite import decimals
from holdall.errors import SizeLimit
from holdall.schema import CONTAINERS, INT_MAX, INT_MIN, JSON_NULL, Type, container_text, container_value, plain

INTEGER, REAL, TEXT, BLOB = Storage("INTEGER"), Storage("REAL"), Storage("TEXT"), Storage("BLOB")
SCALED_DIGITS_MAX = 18  # ten to this power fits 64 bit
NEVER = 0.5  # equal to no integer: stands for an operand with more places than the column
PATTERN_BYTES_MAX = 50_000  # SQLITE_MAX_LIKE_PATTERN_LENGTH
INT = Type("int")
_EXACT = Context(prec=120)
_TIMEDELTA_BASE = 10**20
_MICROSECOND = dt.timedelta(microseconds=1)

to_json = msgspec.json.Encoder(order="deterministic").encode
from_json = msgspec.json.Decoder().decode


def make_format(type_: Type) -> Format:
    """The format of a type."""
    kind = type_.kind
    if kind == "decimal":
        if type_.places is not None and type_.digits is not None and type_.digits <= SCALED_DIGITS_MAX:
            return _scaled_format(type_.places)
        return decimal_text_format(type_.places)
    if kind in CONTAINERS:
        return Format(kind, TEXT, _container_encoder(type_), _container_decoder(type_))
    return _SIMPLE[kind]


# uuid: the slots are filled directly, because UUID.__init__ takes six times as long.

_new, _int_of_bytes = object.__new__, int.from_bytes
_set_int: Callable[[uuid.UUID, int], None] = vars(uuid.UUID)["int"].__set__
_set_safe: Callable[[uuid.UUID, uuid.SafeUUID], None] = vars(uuid.UUID)["is_safe"].__set__
_UNKNOWN = uuid.SafeUUID.unknown


def uuid_of_bytes(value: bytes) -> uuid.UUID:
    """The UUID of 16 bytes; ValueError for any other number of bytes."""
    if len(value) != 16:
        raise ValueError(f"{len(value)} bytes are no UUID")
    made = _new(uuid.UUID)
    _set_int(made, _int_of_bytes(value))
    _set_safe(made, _UNKNOWN)
    return made


def bytes_of_uuid(value: uuid.UUID) -> bytes:
    """The 16 bytes."""
    return value.int.to_bytes(16)


# Times.


def text_of_datetime(value: dt.datetime) -> str:
    """Fixed width text of a datetime in UTC; isoformat() would take half as long again."""
    parts = (value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
    return "%04d-%02d-%02dT%02d:%02d:%02d.%06d+00:00" % parts  # noqa: UP031  twice as fast as an f-string


def datetime_of_text(value: str) -> dt.datetime:
    """The UTC instant; ValueError for text of another form."""
    made = dt.datetime.fromisoformat(value)
    if made.tzinfo is not dt.UTC:
        raise ValueError(f"{value!r} is not in UTC")
    return made


def local_datetime_of_text(value: str) -> dt.datetime:
    """The naive datetime; ValueError for text of another form."""
    made = dt.datetime.fromisoformat(value)
    if made.tzinfo is not None:
        raise ValueError(f"{value!r} has a time zone")
    return made


def text_of_timedelta(value: dt.timedelta) -> str:
    """21 digits that sort as the durations do."""
    return f"{value // _MICROSECOND + _TIMEDELTA_BASE:021d}"


def timedelta_of_text(value: str) -> dt.timedelta:
    """The duration; ValueError for text of another form."""
    if len(value) != 21:
        raise ValueError(f"{value!r} is not a stored duration")
    return dt.timedelta(microseconds=int(value) - _TIMEDELTA_BASE)


_SIMPLE: dict[str, Format] = {
    "str": Format("str", TEXT),
    "int": Format("int", INTEGER),
    "bool": Format("bool", INTEGER, int, {0: False, 1: True}.__getitem__),
    "float": Format("float", REAL),
    "bytes": Format("bytes", BLOB),
    "datetime": Format("datetime", TEXT, text_of_datetime, datetime_of_text),
    "local_datetime": Format("local_datetime", TEXT, lambda v: v.isoformat(timespec="microseconds"), local_datetime_of_text),
    "date": Format("date", TEXT, dt.date.isoformat, dt.date.fromisoformat),
    "time": Format("time", TEXT, lambda v: v.isoformat(timespec="microseconds"), dt.time.fromisoformat),
    "timedelta": Format("timedelta", TEXT, text_of_timedelta, timedelta_of_text),
    "uuid": Format("uuid", BLOB, bytes_of_uuid, uuid_of_bytes),
}


# Decimals.


def decimal_text_format(places: int | None) -> Format:
    """The TEXT format; the tag is the same for all scales, because equal numbers have equal text."""
    return Format("decimal", TEXT, decimals.encode, decimals.decoder(places))


DECIMAL_TEXT = decimal_text_format(None)


def _scaled_format(places: int) -> Format:
    step, exponent, scaleb = Decimal((0, (1,), -places)), Decimal(places), _EXACT.scaleb

    def encode(value: Decimal) -> int:
        scaled = scaleb(value, exponent)
        number = int(scaled)
        if number != scaled:
            raise SizeLimit(f"{value} has more than {places} decimal places.")
        return number

    def operand(op: str) -> Coder:
        rounding = _ROUNDING.get(op)

        def encode_operand(value: Decimal) -> int | float:
            scaled = scaleb(value, exponent)
            number = int(scaled)
            if number != scaled:
                if rounding is None:
                    return NEVER
                number = rounding(scaled)
            if INT_MIN <= number <= INT_MAX:
                return number
            return NEVER if rounding is None else (INT_MAX if number > 0 else INT_MIN)

        return encode_operand

    return Format(f"scaled:{places}", INTEGER, encode, partial(_EXACT.multiply, step), operand)


# column > 1.005 is column > floor, column >= 1.005 is column >= ceil; equality with more places than the column has is never true.
_ROUNDING: dict[str, Callable[[Decimal], int]] = {"gt": math.floor, "lte": math.floor, "gte": math.ceil, "lt": math.ceil}


# Containers: a typed msgspec decoder where it gives the canonical value itself, else schema.container_value.

_PLAIN_ITEMS: dict[str, Any] = {"str": str, "int": int, "float": float, "bool": bool}


def _container_decoder(type_: Type) -> Coder:
    item = type_.item
    if type_.kind == "json":
        return _json_of_text
    part: Any = _PLAIN_ITEMS.get(item.kind) if item is not None else None
    if part is not None and item is not None and item.codec is None:
        part = part | None if type_.item_nullable else part
        shapes: dict[str, Any] = {"list": tuple[part, ...], "set": frozenset[part], "dict": dict[str, part]}
        if type_.kind in shapes:
            return msgspec.json.Decoder(shapes[type_.kind]).decode
    return partial(container_value, type_)


def _json_of_text(text: str) -> Any:
    value = from_json(text)
    return JSON_NULL if value is None else value


def _container_encoder(type_: Type) -> Coder:
    item = type_.item
    if type_.kind in ("list", "dict") and item is not None and item.kind in _PLAIN_ITEMS:
        return lambda value: to_json(value).decode()
    return partial(container_text, type_)


def items_coder(item_type: Type) -> Coder:
    """Encodes the items of Holds: a JSON list of their plain forms."""

    def encode(items: tuple[Any, ...]) -> str:
        return to_json([plain(item_type, item) for item in items]).decode()

    return encode


def path_text(keys: tuple[str | int, ...]) -> str:
    """The keys of a path as a JSON list."""
    return to_json(list(keys)).decode()


# Text.


def text_after_prefix(prefix: str) -> str | bytes:
    """The least value above every text that starts with `prefix`: the next prefix of the same length, or a BLOB if there is none."""
    while prefix:
        point = ord(prefix[-1]) + 1
        if point == 0xD800:
            point = 0xE000  # the code points between are no characters
        if point <= 0x10FFFF:
            return prefix[:-1] + chr(point)
        prefix = prefix[:-1]
    return b""


def after_folded(prefix: str) -> str | bytes:
    """`text_after_prefix` of the casefolded prefix."""
    return text_after_prefix(prefix.casefold())


_WILDCARDS = {"%": "*", "_": "?"}


def glob_of_like(pattern: str) -> str:
    """The GLOB pattern that means what the LIKE pattern means here: case-sensitive, % any text, _ one code point, \\ escapes."""
    result: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character in _WILDCARDS:
            result.append(_WILDCARDS[character])
            continue
        literal = next(characters, "\\") if character == "\\" else character
        result.append(f"[{literal}]" if literal in "*?[" else literal)
    glob = "".join(result)
    if len(glob.encode()) > PATTERN_BYTES_MAX:
        raise SizeLimit(f"The pattern is longer than {PATTERN_BYTES_MAX} bytes.", hint="Use contains(…) for long literal text.")
    return glob
