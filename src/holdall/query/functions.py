"""What generated code calls: the parts of the meaning that are more than one Python operator.

Owns JSON paths and comparisons, equality of containers, like-patterns, exact arithmetic, and the lookup form of values. Must not know
nodes, entities' rows or engines. Each function takes canonical values; None is null, and only functions that say so accept it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Context, Decimal, Inexact, InvalidOperation, localcontext
from functools import lru_cache
from typing import Any

from holdall.errors import SizeLimit
from holdall.schema import (
    CONTAINERS,
    DECIMAL_DIGITS_MAX,
    INT_MAX,
    INT_MIN,
    JSON_NULL,
    BadOperand,
    Field,
    Type,
    canonical_decimal,
    container_text,
)

_JSON = Type("json")
_DECIMAL = Type("decimal")
# Wide enough for any product of two 38-digit numbers and any sum of 10**24 values; a result that would need rounding is a bug here.
EXACT = Context(prec=200, traps=[InvalidOperation, Inexact])


# Text


@lru_cache(maxsize=512)
def like(pattern: str) -> Callable[[str], Any]:
    """The matcher of a like-pattern: % is any text, _ one code point, \\ makes the next character literal (A3)."""
    segments, position, length = [""], 0, len(pattern)
    while position < length:
        character = pattern[position]
        if character == "\\" and position + 1 < length:
            position += 1
            segments[-1] += re.escape(pattern[position])
        elif character == "%":
            segments.append("")
        else:
            segments[-1] += "." if character == "_" else re.escape(character)
        position += 1
    first, last = segments[0], segments[-1]
    if len(segments) == 1:
        return re.compile(first, re.DOTALL).fullmatch
    # The first place of a middle segment is as good as any later one, so what an atomic group found is never tried again:
    # with plain .* a short pattern such as %a%a%a%a%b takes time without end on a text of many a.
    middle = "".join(f"(?>.*?{segment})" for segment in segments[1:-1] if segment)
    return re.compile(f"{first}{middle}.*{last}", re.DOTALL).fullmatch


# JSON: Python's own == would make True equal 1, so classes are compared first.


def json_path(value: Any, keys: tuple[str | int, ...]) -> Any:
    """The JSON value that `keys` lead to from a JSON value or None; None (null) when missing, JSON_NULL for a JSON null (E2)."""
    for key in keys:
        kind = value.__class__
        if kind is dict and key.__class__ is str:
            if key not in value:
                return None
            value = value[key]
        elif kind is list and isinstance(key, int):
            if not 0 <= key < len(value):
                return None
            value = value[key]
        else:
            return None
        if value is None:
            value = JSON_NULL
    return value


def part_path(value: Any, keys: tuple[str | int, ...]) -> Any:
    """The value that `keys` lead to from a dict, record or list value or None; None when missing."""
    for key in keys:
        kind = value.__class__
        if kind is dict:
            value = value.get(key)
        elif kind is tuple and isinstance(key, int):
            value = value[key] if 0 <= key < len(value) else None
        else:
            return None
    return value


def json_eq(left: Any, right: Any) -> bool:
    """Whether two JSON values (not None) are the same value of the same JSON type."""
    kind = left.__class__
    if kind is not right.__class__:
        return left in _NULLS and right in _NULLS if left is None or right is None else False
    if kind is dict:
        return len(left) == len(right) and all(key in right and json_eq(item, right[key]) for key, item in left.items())
    if kind is list:
        return len(left) == len(right) and all(map(json_eq, left, right))
    return bool(left == right)


_NULLS = (None, JSON_NULL)
_TEXT, _NUMBER = "text", "number"
_CLASSES = {str: _TEXT, int: _NUMBER, float: _NUMBER}


def _comparable(left: Any, right: Any) -> bool:
    kind = _CLASSES.get(left.__class__)
    return kind is not None and kind is _CLASSES.get(right.__class__)


def json_lt(left: Any, right: Any) -> bool:
    """left < right for two numbers or two texts; false for anything else (None included), which is unknown."""
    return _comparable(left, right) and left < right


def json_lte(left: Any, right: Any) -> bool:
    """left <= right, as json_lt."""
    return _comparable(left, right) and left <= right


def json_gt(left: Any, right: Any) -> bool:
    """left > right, as json_lt."""
    return _comparable(left, right) and left > right


def json_gte(left: Any, right: Any) -> bool:
    """left >= right, as json_lt."""
    return _comparable(left, right) and left >= right


def json_str(value: Any) -> str | None:
    """The value if it is text, else None: a text test of another JSON type is unknown."""
    return value if value.__class__ is str else None


def json_text(value: Any) -> str:
    """The canonical text of a JSON value."""
    return container_text(_JSON, value)


def json_texts(values: Iterable[Any]) -> frozenset[str]:
    """The canonical texts of JSON values."""
    return frozenset([container_text(_JSON, value) for value in values])


def json_holds_all(value: Any, texts: frozenset[str]) -> bool:
    """Whether a JSON value is a list that holds values with all these texts."""
    return value.__class__ is list and texts.issubset([container_text(_JSON, item) for item in value])


def json_holds_any(value: Any, texts: frozenset[str]) -> bool:
    """Whether a JSON value is a list that holds a value with one of these texts."""
    return value.__class__ is list and not texts.isdisjoint([container_text(_JSON, item) for item in value])


# Containers


def plain_equality(left: Type, right: Type) -> bool:
    """Whether Python's == of canonical values of these types is the contract's equality."""
    if left.kind not in CONTAINERS and right.kind not in CONTAINERS:
        return True
    return left is right and not _holds_json(left)


def hashable(type_: Type) -> bool:
    """Whether canonical values of the type can stand in a set, with Python's == being the contract's equality."""
    if type_.kind in ("list", "set"):
        return type_.item is not None and hashable(type_.item)
    return type_.kind not in CONTAINERS


def _holds_json(type_: Type) -> bool:
    if type_.kind == "json" or (type_.item is not None and _holds_json(type_.item)):
        return True
    return any(_holds_json(part) for _, part, _ in type_.fields)


def freezer(type_: Type) -> Callable[[Any], Any]:
    """A function from a value or None to something hashable that is equal exactly if the values are."""
    if hashable(type_):
        return _same
    return lambda value: None if value is None else container_text(type_, value)


def _same(value: Any) -> Any:
    return value


def texts_of(type_: Type) -> Callable[[Iterable[Any]], frozenset[str]]:
    """A function from containers to the set of their canonical texts."""
    return lambda values: frozenset([container_text(type_, value) for value in values])


# Arithmetic (C4): exact or refused. Null if a side is null.


def _fit_int(value: int) -> int:
    if INT_MIN <= value <= INT_MAX:
        return value
    raise SizeLimit(f"The result {value} is outside the range of a 64-bit integer; nothing was changed.")


def _fit_decimal(value: Decimal) -> Decimal:
    try:
        return canonical_decimal(_DECIMAL, value)
    except BadOperand:
        raise SizeLimit(f"The result {value} has more than {DECIMAL_DIGITS_MAX} digits; nothing was changed.") from None


def int_add(left: int | None, right: int | None) -> int | None:
    """left + right within 64 bits; SizeLimit beyond."""
    return None if left is None or right is None else _fit_int(left + right)


def int_sub(left: int | None, right: int | None) -> int | None:
    """left - right within 64 bits; SizeLimit beyond."""
    return None if left is None or right is None else _fit_int(left - right)


def int_mul(left: int | None, right: int | None) -> int | None:
    """left * right within 64 bits; SizeLimit beyond."""
    return None if left is None or right is None else _fit_int(left * right)


def decimal_add(left: Decimal | int | None, right: Decimal | int | None) -> Decimal | None:
    """left + right, exact, without trailing zeros; SizeLimit beyond 38 digits."""
    return None if left is None or right is None else _fit_decimal(EXACT.add(left, right))


def decimal_sub(left: Decimal | int | None, right: Decimal | int | None) -> Decimal | None:
    """left - right, exact, without trailing zeros; SizeLimit beyond 38 digits."""
    return None if left is None or right is None else _fit_decimal(EXACT.subtract(left, right))


def decimal_mul(left: Decimal | int | None, right: Decimal | int | None) -> Decimal | None:
    """left * right, exact, without trailing zeros; SizeLimit beyond 38 digits."""
    return None if left is None or right is None else _fit_decimal(EXACT.multiply(left, right))


def fitter(field: Field) -> Callable[[Any], Any]:
    """A function that makes the result of an assignment canonical for its field; SizeLimit if it does not fit. None stays None."""

    def fit(value: Any) -> Any:
        if value is None:
            return None
        try:
            return canonical_decimal(field.type, value if value.__class__ is Decimal else Decimal(value))
        except BadOperand as error:
            raise SizeLimit(f"{field.name} cannot take the result: {error}. Nothing was changed.") from None

    return fit


def exact_sum(values: Iterable[Decimal]) -> Decimal:
    """The sum without any rounding."""
    with localcontext(EXACT):
        return sum(values, Decimal(0))


# Lookups: uuid.UUID hashes and compares in Python code, about four times slower than its int.


def lookup_code(values: list[tuple[str, Type, bool]]) -> str:
    """Source of the lookup form of some values, given as (source, type, nullable): see `Tables`."""
    parts = [f"{source}.int" if type_.kind == "uuid" else source for source, type_, _ in values]
    whole = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
    guards = [source for source, type_, nullable in values if nullable and (len(parts) > 1 or type_.kind == "uuid")]
    if not guards:
        return whole
    return f"({whole} if {' and '.join(f'{source} is not None' for source in guards)} else None)"
