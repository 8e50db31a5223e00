"""The functions that Holdall adds to every SQLite connection, where SQLite's own would not mean what the contract means.

Owns the functions, their registration, and arrays as parameters. They work on stored values (see the table in `dialect`); None is SQL's
NULL and gives NULL unless said. All are deterministic. Errors raised in them abort the statement and reach the caller as they are.

    holdall_casefold(text)                       Python's casefold (A4); SQLite's lower() knows ASCII only
    holdall_json_str(json)                       the text of a JSON string; NULL for another JSON value
    holdall_part(text, path)                     canonical JSON text of a part of a document; NULL when missing
    holdall_scalar(text, path, kind)             a part of a document in the stored form of its kind; NULL when missing or null
    holdall_json_order(a, b)                     -1, 0, 1 between two JSON numbers or two JSON strings, else NULL
    holdall_holds(text, items, mode, kind)       1 or 0: whether a container holds all or any of a JSON list of items
    holdall_int_arith(op, a, b)                  exact, within 64 bit; SQLite's own would turn into a float
    holdall_decimal(number, places)              a scaled integer as decimal text
    holdall_decimal_arith(op, a, b)              exact, on decimal text
    holdall_fit_scaled(text, digits, places)     decimal text as a scaled integer of a field; SizeLimit
    holdall_fit_decimal(text, digits, places)    decimal text checked against a field; SizeLimit
    holdall_number_order(a, tag, b, tag)         -1, 0, 1 between numbers that are stored differently
    holdall_int_sum(high, low)                   high * 2**32 + low: the exact sum of 64-bit integers
    holdall_scaled_sum(high, low, places)        the same as decimal text
    holdall_int_avg(high, low, count, places)    the exact average as decimal text
    holdall_decimal_sum(total, places)           a total as the sum of a field of that scale; SizeLimit
  aggregates
    holdall_int_total(x)                         the exact sum as text, for sums of distinct values: feeds the three above
    holdall_decimal_total(x), holdall_decimal_avg(x)
    holdall_float_sum(x), holdall_float_avg(x)   correctly rounded, whatever the order of rows
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import Any

import apsw

from holdall.backends.sql.formats import Format
from holdall.backends.sqlite import coding, decimals
from holdall.errors import SizeLimit
from holdall.query import functions, reductions
from holdall.schema import DECIMAL_DIGITS_MAX, JSON_NULL, BadOperand, Type, canonical_decimal, from_plain

_carray: Any = vars(apsw)["carray"]
_LOW = 2**32
_AVERAGE = Context(prec=DECIMAL_DIGITS_MAX, rounding=ROUND_HALF_EVEN)


def array_of(values: Sequence[Any], storage: str) -> Any:
    """One parameter that stands for many values of one storage class, for `IN carray(?)`. At least one value."""
    if storage == "INTEGER":
        # A float here is coding.NEVER: equal to no stored integer, so it is left out; the least integer is no scaled Decimal either.
        whole = [value for value in values if value.__class__ is not float]
        return _carray(array("q", whole or [-(2**63)]))
    return _carray(array("d", values) if storage == "REAL" else tuple(values))


# Text and documents.


@lru_cache(maxsize=512)
def _path(text: str) -> tuple[str | int, ...]:
    return tuple(coding.from_json(text))


def _casefold(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _json_str(text: str | None) -> str | None:
    value = None if text is None else coding.from_json(text)
    return value if value.__class__ is str else None


def _part(text: str | None, path: str) -> str | None:
    value = None if text is None else functions.json_path(coding.from_json(text), _path(path))
    if value is None:
        return None
    return "null" if value is JSON_NULL else coding.to_json(value).decode()


def _scalar(text: str | None, path: str, kind: str) -> Any:
    value = None if text is None else functions.json_path(coding.from_json(text), _path(path))
    if value is None or value is JSON_NULL:
        return None
    format_, type_ = _kind(kind)
    value = from_plain(type_, value)
    return value if format_.encode is None else format_.encode(value)


@lru_cache(maxsize=64)
def _kind(kind: str) -> tuple[Format, Type]:
    type_ = Type(kind)  # type: ignore[arg-type]  # a constant of the SQL text
    return coding.make_format(type_), type_


def _json_order(left: str | None, right: str | None) -> int | None:
    if left is None or right is None:
        return None
    one, other = coding.from_json(left), coding.from_json(right)
    if functions.json_lt(one, other):
        return -1
    if functions.json_gt(one, other):
        return 1
    return 0 if functions.json_lte(one, other) else None


@lru_cache(maxsize=512)
def _item_texts(items: str) -> frozenset[bytes]:
    return frozenset([coding.to_json(item) for item in coding.from_json(items)])


def _holds(text: str | None, items: str, mode: str, kind: str) -> int | None:
    if text is None:
        return None
    value = coding.from_json(text)
    if kind == "json" and value.__class__ is not list:
        return 0
    held = [coding.to_json(item) for item in value]  # of a dict: its keys
    wanted = _item_texts(items)
    return int(wanted.issubset(held) if mode == "all" else not wanted.isdisjoint(held))


# Numbers.

_INT_ARITH = {"add": functions.int_add, "sub": functions.int_sub, "mul": functions.int_mul}
_DECIMAL_ARITH = {"add": functions.decimal_add, "sub": functions.decimal_sub, "mul": functions.decimal_mul}


def _int_arith(op: str, left: int | None, right: int | None) -> int | None:
    return _INT_ARITH[op](left, right)


def _decimal(number: int | None, places: int) -> str | None:
    return None if number is None else decimals.encode(Decimal(number).scaleb(-places, context=functions.EXACT))


def _decimal_arith(op: str, left: str | None, right: str | None) -> str | None:
    if left is None or right is None:
        return None
    result = _DECIMAL_ARITH[op](decimals.decode(left), decimals.decode(right))
    return None if result is None else decimals.encode(result)


def _fitted(text: str, digits: int, places: int | None) -> Decimal:
    value = decimals.decode(text)
    try:
        return canonical_decimal(_limits(digits, places), value)
    except BadOperand as error:
        raise SizeLimit(f"The field cannot take the result: {error}. Nothing was changed.") from None


@lru_cache(maxsize=256)
def _limits(digits: int, places: int | None) -> Type:
    return Type("decimal", digits=digits, places=places)


def _fit_scaled(text: str | None, digits: int, places: int) -> int | None:
    if text is None:
        return None
    return int(_fitted(text, digits, places).scaleb(places, context=functions.EXACT))


def _fit_decimal(text: str | None, digits: int, places: int | None) -> str | None:
    return None if text is None else decimals.encode(_fitted(text, digits, places))


def _number(value: Any, tag: str) -> Any:
    if tag == "decimal":
        return decimals.decode(value)
    if tag.startswith("scaled"):
        return Decimal(value).scaleb(-int(tag.split(":")[1]), context=functions.EXACT)
    return value


def _number_order(left: Any, left_tag: str, right: Any, right_tag: str) -> int | None:
    if left is None or right is None:
        return None
    one: Any
    other: Any
    one, other = _number(left, left_tag), _number(right, right_tag)
    return int(one > other) - int(one < other)


def _total(high: Any, low: Any) -> int | None:
    return None if high is None else int(high) * (1 if high.__class__ is str else _LOW) + int(low)


def _int_sum(high: Any, low: Any) -> int | None:
    total = _total(high, low)
    return None if total is None else reductions.sum_int([total])


def _scaled_sum(high: Any, low: Any, places: int) -> str | None:
    total = _total(high, low)
    if total is None:
        return None
    value = reductions.decimal_summer(_limits(0, places))([Decimal(total).scaleb(-places, context=functions.EXACT)])
    return None if value is None else decimals.encode(value)


def _decimal_sum(total: str | None, places: int | None) -> str | None:
    if total is None:
        return None
    value = reductions.decimal_summer(_limits(0, places))([decimals.decode(total)])
    return None if value is None else decimals.encode(value)


def _int_avg(high: Any, low: Any, count: int, places: int) -> str | None:
    total = _total(high, low)
    if total is None:
        return None
    return decimals.encode(_average(Decimal(total).scaleb(-places, context=functions.EXACT), count))


def _average(total: Decimal, count: int) -> Decimal:
    return reductions.normal(_AVERAGE.divide(total, Decimal(count)))


class _IntTotal:
    def __init__(self) -> None:
        self.total: int | None = None

    def step(self, value: int | None) -> None:
        if value is not None:
            self.total = value + (self.total or 0)

    def final(self) -> str | None:
        return None if self.total is None else str(self.total)


class _Decimals:
    def __init__(self) -> None:
        self.total = Decimal(0)
        self.count = 0

    def step(self, value: str | None) -> None:
        if value is not None:
            self.total = functions.EXACT.add(self.total, decimals.decode(value))
            self.count += 1


class _DecimalTotal(_Decimals):
    def final(self) -> str | None:
        return decimals.encode(self.total) if self.count else None


class _DecimalAvg(_Decimals):
    def final(self) -> str | None:
        return decimals.encode(_average(self.total, self.count)) if self.count else None


class _Floats:
    def __init__(self) -> None:
        self.values = array("d")

    def step(self, value: float | None) -> None:
        if value is not None:
            self.values.append(value)


class _FloatSum(_Floats):
    def final(self) -> float | None:
        return reductions.sum_float(self.values)


class _FloatAvg(_Floats):
    def final(self) -> float | None:
        return reductions.avg_float(self.values)


_SCALARS: tuple[tuple[str, Any, int], ...] = (
    ("holdall_casefold", _casefold, 1),
    ("holdall_json_str", _json_str, 1),
    ("holdall_part", _part, 2),
    ("holdall_scalar", _scalar, 3),
    ("holdall_json_order", _json_order, 2),
    ("holdall_holds", _holds, 4),
    ("holdall_int_arith", _int_arith, 3),
    ("holdall_decimal", _decimal, 2),
    ("holdall_decimal_arith", _decimal_arith, 3),
    ("holdall_fit_scaled", _fit_scaled, 3),
    ("holdall_fit_decimal", _fit_decimal, 3),
    ("holdall_number_order", _number_order, 4),
    ("holdall_int_sum", _int_sum, 2),
    ("holdall_scaled_sum", _scaled_sum, 3),
    ("holdall_int_avg", _int_avg, 4),
    ("holdall_decimal_sum", _decimal_sum, 2),
)
_AGGREGATES: tuple[tuple[str, Any, int], ...] = (
    ("holdall_int_total", _IntTotal, 1),
    ("holdall_decimal_total", _DecimalTotal, 1),
    ("holdall_decimal_avg", _DecimalAvg, 1),
    ("holdall_float_sum", _FloatSum, 1),
    ("holdall_float_avg", _FloatAvg, 1),
)


def register(connection: Any) -> None:
    """Add all functions to a connection."""
    for name, function, arguments in _SCALARS:
        connection.create_scalar_function(name, function, arguments, deterministic=True)
    for name, factory, arguments in _AGGREGATES:
        connection.create_aggregate_function(name, factory, arguments, flags=apsw.SQLITE_DETERMINISTIC)
