"""Sums, averages and sorting: what generated code does with many values at once.

Owns the aggregates of B4 and the order of B1. Must not know nodes, rows or engines. Values are canonical and never None unless said.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from heapq import nlargest, nsmallest
from typing import Any

from holdall.errors import SizeLimit
from holdall.query.functions import EXACT, exact_sum
from holdall.schema import DECIMAL_DIGITS_MAX, INT_MAX, INT_MIN, BadOperand, Type, canonical_decimal

_AVERAGE = Context(prec=DECIMAL_DIGITS_MAX, rounding=ROUND_HALF_EVEN)


def sum_int(values: Collection[int]) -> int | None:
    """The sum; None for no values; SizeLimit beyond 64 bits."""
    if not values:
        return None
    total = sum(values)
    if not INT_MIN <= total <= INT_MAX:
        raise SizeLimit(f"The sum {total} is outside the range of a 64-bit integer.", hint="Average it, or keep it as a Decimal.")
    return total


def sum_float(values: Collection[float]) -> float | None:
    """The correctly rounded sum, whatever the order; None for no values; SizeLimit beyond the range of a double."""
    if not values:
        return None
    try:
        return math.fsum(values) + 0.0
    except OverflowError:
        raise SizeLimit("The sum is outside the range of a double-precision number.") from None


def decimal_summer(type_: Type) -> Callable[[Collection[Decimal]], Decimal | None]:
    """A function giving the exact sum, canonical for the type's places; None for no values; SizeLimit beyond 38 digits."""
    wide = Type("decimal", places=type_.places)

    def sum_decimal(values: Collection[Decimal]) -> Decimal | None:
        if not values:
            return None
        total = exact_sum(values)
        try:
            return canonical_decimal(wide, total)
        except BadOperand:
            raise SizeLimit(f"The sum {total} has more than {DECIMAL_DIGITS_MAX} digits.") from None

    return sum_decimal


def avg_int(values: Collection[int]) -> Decimal | None:
    """The exact sum divided by the number, to 38 digits, half to even, without trailing zeros; None for no values."""
    return normal(_AVERAGE.divide(Decimal(sum(values)), Decimal(len(values)))) if values else None


def avg_decimal(values: Collection[Decimal]) -> Decimal | None:
    """As avg_int, of Decimals."""
    return normal(_AVERAGE.divide(exact_sum(values), Decimal(len(values)))) if values else None


def avg_float(values: Collection[float]) -> float | None:
    """The correctly rounded sum divided by the number; None for no values."""
    total = sum_float(values)
    return None if total is None else total / len(values)


def normal(value: Decimal) -> Decimal:
    """The same number without trailing zeros after the point and without a positive exponent."""
    if not value:
        return Decimal(0)
    value = value.normalize(EXACT)
    exponent = value.as_tuple().exponent
    return value.quantize(Decimal(1), context=EXACT) if isinstance(exponent, int) and exponent > 0 else value


def smallest(values: Iterable[Any]) -> Any:
    """The least value; None for none."""
    return min(values, default=None)


def greatest(values: Iterable[Any]) -> Any:
    """The greatest value; None for none."""
    return max(values, default=None)


# Sorting. Several orders are several stable passes, the last first.


def sort_pass(rows: list[Any], key: Callable[[Any], Any], descending: bool, nulls_first: bool | None) -> list[Any]:
    """The rows stably sorted by key; `nulls_first` is None where the key is never None. `rows` is the caller's own and may be changed."""
    if nulls_first is None:
        rows.sort(key=key, reverse=descending)
        return rows
    nulls = [row for row in rows if key(row) is None]
    if not nulls:
        rows.sort(key=key, reverse=descending)
        return rows
    valued = [row for row in rows if key(row) is not None]
    valued.sort(key=key, reverse=descending)
    return nulls + valued if nulls_first else valued + nulls


def cut_pass(rows: list[Any], key: Callable[[Any], Any], descending: bool, nulls_first: bool | None, keep: int) -> list[Any]:
    """The rows that can be among the first `keep` once sorted by key first; spares sorting those that cannot."""
    if keep <= 0:
        return []
    if keep * 8 > len(rows):
        return rows
    keys = [key(row) for row in rows]
    if nulls_first is not None:
        valued = [value for value in keys if value is not None]
        nulls = len(keys) - len(valued)
        if nulls:
            if nulls_first:
                if nulls >= keep:
                    return [row for row, value in zip(rows, keys, strict=True) if value is None]
                keep -= nulls
            elif len(valued) < keep:
                return rows
            edge = (nlargest if descending else nsmallest)(keep, valued)[-1]
            return _within(rows, keys, edge, descending, nulls_first)
    edge = (nlargest if descending else nsmallest)(keep, keys)[-1]
    if descending:
        return [row for row, value in zip(rows, keys, strict=True) if value >= edge]
    return [row for row, value in zip(rows, keys, strict=True) if value <= edge]


def _within(rows: list[Any], keys: list[Any], edge: Any, descending: bool, nulls: bool) -> list[Any]:
    """The rows whose key is not beyond the edge; those with None if `nulls`."""
    pairs = zip(rows, keys, strict=True)
    if descending:
        return [row for row, value in pairs if (nulls if value is None else value >= edge)]
    return [row for row, value in pairs if (nulls if value is None else value <= edge)]
