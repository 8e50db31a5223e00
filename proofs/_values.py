"""Values by chance for every type of schema.types, biased to the edges that docs and engines disagree about.

Also what "the same value" means to a proof: the same Python type and every bit, not only `==`. Must not know models or stores.
"""

from __future__ import annotations

import datetime as dt
import math
import random
import string
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from holdall.schema import INT_MAX, INT_MIN, JSON_NULL, UTC, BadOperand, Type

Maker = Callable[[random.Random], Any]

TEXTS = (
    "", " ", "a", "A", "a ", " a", "aa", "é", "e\u0301", "É", "ß", "ss", "SS", "İ", "i\u0307", "\u0131", "ﬁ", "Σ", "ς", "\u00ad", "\ufeff",
    "\uffff", "\ue000", "😀", "\U0010ffff", "\ud7ff", "%", "_", "\\", "\\%", "a\\_s", "'", '"', "''", "; --", "NULL", "null", "0", "-1",
    "1e3", "0x1", "nan", "2020-01-01", "\n", "\r\n", "\t", "\x01", "\x7f", "\x80", "\u2028", "x" * 300, "é" * 130, "日本語", "أ", "👩‍👩‍👧",
    "[]", "{}", "a\x01b",
)  # fmt: skip
INTS = (
    0, 1, -1, 2, 9, 10, 127, 128, 255, 256, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**32, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1,
    2**62, INT_MAX, INT_MAX - 1, INT_MIN, INT_MIN + 1, 10**18, -(10**18),
)  # fmt: skip
FLOATS = (
    0.0, 1.0, -1.0, 0.1, 0.1 + 0.2, 1 / 3, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, 1e16,
    1e15, 123456789012345680.0, 2.0**53, 2.0**53 + 2, 2.0**63, -(2.0**63), 1e-7, 1e22, 1e23, 4.35, math.pi, 0.5, 1.5, 9007199254740993.0,
)  # fmt: skip
BYTES = (b"", b"\x00", b"\x00\x00", b"a", b"a\x00", b"\xff", b"\xfe\xff", bytes(range(256)), b"'", b"\n", b"\xc3\x28", b"x" * 300)
DAYS = (dt.date.min, dt.date.max, dt.date(1, 1, 2), dt.date(999, 12, 31), dt.date(1582, 10, 15), dt.date(1900, 3, 1), dt.date(1969, 12, 31),
        dt.date(1970, 1, 1), dt.date(2000, 2, 29), dt.date(2024, 2, 29), dt.date(2026, 3, 29))  # fmt: skip
TIMES = (dt.time.min, dt.time.max, dt.time(0, 0, 0, 1), dt.time(0, 0, 1), dt.time(12), dt.time(23, 59, 59), dt.time(23, 59, 59, 999000),
         dt.time(1, 2, 3, 100), dt.time(1, 2, 3, 120000))  # fmt: skip
DELTAS = (dt.timedelta(0), dt.timedelta.min, dt.timedelta.max, dt.timedelta(microseconds=1), dt.timedelta(microseconds=-1),
          dt.timedelta(days=-1, microseconds=1), dt.timedelta(seconds=86399), dt.timedelta(106751991, 14454, 775807),
          dt.timedelta(106751991, 14454, 775808), dt.timedelta(-106751992, 71945, 224192),
          dt.timedelta(days=365000, microseconds=3))  # fmt: skip
UUIDS = tuple(uuid.UUID(int=n) for n in (0, 1, 255, 256, 2**63, 2**64 - 1, 2**64, 2**127, 2**128 - 1, 0x0100 << 112, 0x00FF << 112))
_DAYS_MAX = dt.date.max.toordinal()
_MICROSECONDS_MAX = dt.timedelta.max // dt.timedelta(microseconds=1)
_KEYS = ("", "a", "b", "A", "a.b", "$", "é", "0", "key with space", '"', "\\")


def maker(type_: Type) -> Maker:
    """A function that makes canonical values of a type (never None)."""
    if type_.choices is not None:
        choices = type_.choices
        return lambda r: r.choice(choices)
    if type_.kind in _SCALARS:
        return _SCALARS[type_.kind]
    return _MAKERS[type_.kind](type_)


def _text(r: random.Random) -> str:
    kind = r.random()
    if kind < 0.35:
        return r.choice(TEXTS)
    if kind < 0.5:
        return r.choice(TEXTS) + r.choice(TEXTS)
    if kind < 0.8:
        return "".join(r.choices(string.printable, k=r.randrange(1, 12)))
    return "".join(chr(_code_point(r)) for _ in range(r.randrange(1, 8)))


def _code_point(r: random.Random) -> int:
    point = r.randrange(1, 0x110000 - 0x800)
    return point + 0x800 if point >= 0xD800 else point  # without the surrogates


def _int(r: random.Random) -> int:
    kind = r.random()
    if kind < 0.3:
        return r.choice(INTS)
    return r.getrandbits(64) + INT_MIN if kind < 0.6 else r.getrandbits(r.randrange(1, 63)) * r.choice((1, -1))


def _float(r: random.Random) -> float:
    kind = r.random()
    if kind < 0.25:
        return r.choice(FLOATS)
    if kind < 0.5:
        return round(r.uniform(-1000, 1000), r.randrange(6)) + 0.0
    while True:
        found: float = struct.unpack("<d", r.getrandbits(64).to_bytes(8, "little"))[0]
        if math.isfinite(found):
            return found + 0.0


def _bytes(r: random.Random) -> bytes:
    return r.choice(BYTES) if r.random() < 0.3 else r.getrandbits(8 * 12).to_bytes(12, "little")[: r.randrange(13)]


def _date(r: random.Random) -> dt.date:
    return r.choice(DAYS) if r.random() < 0.3 else dt.date.fromordinal(r.randrange(1, _DAYS_MAX + 1))


def _time(r: random.Random) -> dt.time:
    if r.random() < 0.3:
        return r.choice(TIMES)
    return dt.time(
        r.randrange(24), r.randrange(60), r.randrange(60), r.choice((0, 1, 10, 999999, r.randrange(1_000_000), r.randrange(1000) * 1000))
    )


def _local(r: random.Random) -> dt.datetime:
    return dt.datetime.combine(_date(r), _time(r))


def _instant(r: random.Random) -> dt.datetime:
    return dt.datetime.combine(_date(r), _time(r), UTC)


def _delta(r: random.Random) -> dt.timedelta:
    kind = r.random()
    if kind < 0.3:
        return r.choice(DELTAS)
    if kind < 0.6:
        return dt.timedelta(r.randrange(-40, 40), r.randrange(86400), r.randrange(1_000_000))
    return dt.timedelta(microseconds=r.randrange(-_MICROSECONDS_MAX // 2, _MICROSECONDS_MAX))


def _uuid(r: random.Random) -> uuid.UUID:
    return r.choice(UUIDS) if r.random() < 0.2 else uuid.UUID(int=r.getrandbits(128))


def _decimals(type_: Type) -> Maker:
    places = type_.places
    digits = type_.digits or 38

    def fixed(r: random.Random) -> Decimal:
        assert places is not None
        kind = r.random()
        if kind < 0.2:
            number = r.choice((0, 1, -1, 10**digits - 1, 1 - 10**digits, 10**places, 10 ** (digits - 1)))
        else:
            number = r.randrange(10 ** r.randrange(1, digits + 1)) * r.choice((1, -1))
        return Decimal((int(number < 0), tuple(map(int, str(abs(number)))), -places))

    def free(r: random.Random) -> Decimal:
        number = (
            r.choice((0, 1, -1, 10**38 - 1, 1 - 10**38)) if r.random() < 0.1 else r.randrange(10 ** r.randrange(1, 39)) * r.choice((1, -1))
        )
        text = str(abs(number))
        scale = r.choice((0, 0, 1, 2, r.randrange(39)))
        made = Decimal((int(number < 0), tuple(map(int, text)), -scale))
        found: Decimal = type_.check(made)
        return found

    return free if places is None else fixed


def _json(r: random.Random, depth: int = 3) -> Any:
    kind = r.randrange(10 if depth else 8)
    if kind == 0:
        return None
    if kind == 1:
        return r.random() < 0.5
    if kind in (2, 3):
        return _int(r)
    if kind == 4:
        found = _float(r)
        return int(found) if found.is_integer() and abs(found) <= 2**53 else found
    if kind in (5, 6, 7):
        return _text(r)
    size = r.choice((0, 1, 1, 2, 3))
    if kind == 8:
        return [_json(r, depth - 1) for _ in range(size)]
    return {_key(r): _json(r, depth - 1) for _ in range(size)}


def _key(r: random.Random) -> str:
    return r.choice(_KEYS) if r.random() < 0.7 else _text(r)


def _jsons(type_: Type) -> Maker:
    def make(r: random.Random) -> Any:
        found = _json(r)
        return JSON_NULL if found is None else found

    return make


def _items(type_: Type) -> Callable[[random.Random], list[Any]]:
    assert type_.item is not None
    item, nullable = maker(type_.item), type_.item_nullable

    def make(r: random.Random) -> list[Any]:
        return [None if nullable and r.random() < 0.2 else item(r) for _ in range(r.choice((0, 1, 1, 2, 3, 5)))]

    return make


def _lists(type_: Type) -> Maker:
    items = _items(type_)
    return lambda r: tuple(items(r))


def _sets(type_: Type) -> Maker:
    items = _items(type_)
    return lambda r: frozenset(items(r))


def _dicts(type_: Type) -> Maker:
    items = _items(type_)
    return lambda r: {_key(r): value for value in items(r)}


def _records(type_: Type) -> Maker:
    parts = [(name, maker(part), nullable) for name, part, nullable in type_.fields]
    return lambda r: {name: None if nullable and r.random() < 0.3 else make(r) for name, make, nullable in parts}


_SCALARS: dict[str, Maker] = {
    "str": _text, "int": _int, "float": _float, "bool": lambda r: r.random() < 0.5, "bytes": _bytes, "datetime": _instant,
    "local_datetime": _local, "date": _date, "time": _time, "timedelta": _delta, "uuid": _uuid,
}  # fmt: skip
_MAKERS: dict[str, Callable[[Type], Maker]] = {
    "decimal": _decimals, "json": _jsons, "list": _lists, "set": _sets, "dict": _dicts, "record": _records,
}  # fmt: skip


def exact(value: Any) -> Any:
    """The value in a form in which `==` means: the same types and every bit. Sets and objects of JSON have no order in it."""
    if isinstance(value, dict):
        return ("dict", sorted((key, exact(item)) for key, item in value.items()))
    if isinstance(value, frozenset | set):
        return (type(value).__name__, sorted(map(repr, map(exact, value))))
    if isinstance(value, list | tuple):
        return (type(value).__name__, [exact(item) for item in value])
    return repr(value) if type(value) is not bool else value


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same, types and bits included. (repr tells all scalars apart, and is fast.)"""
    return repr(one) == repr(other) or bool(exact(one) == exact(other))


def fits(type_: Type, value: Any) -> bool:
    """Whether a value is canonical: what `check` makes of it is itself. For the tests of this module."""
    try:
        return same(type_.check(value), value)
    except BadOperand:
        return False
