"""Aggregates for `values`, `having` and `order_by`: agg.count(), agg.sum(Order.total), agg.avg(…), agg.min(…), agg.max(…).

Nulls are left out; over nothing count is 0 and the others are None. sum(int) is int, sum(Decimal) Decimal, avg of both Decimal, of
float float. Typed as Any, because a term stands where a value is expected.
"""

from __future__ import annotations

from typing import Any

from holdall.query.operators import aggregate

__all__ = ["avg", "count", "max", "min", "sum"]


def count(term: Any = None, *, distinct: bool = False) -> Any:
    """How many records of the group, or how many have a value (or how many different values) in a field."""
    return aggregate("count", term, distinct=distinct)


def sum(term: Any, *, distinct: bool = False) -> Any:
    """The sum of a number field; SizeLimit when it is beyond 64 bits or 38 digits."""
    return aggregate("sum", term, distinct=distinct)


def avg(term: Any, *, distinct: bool = False) -> Any:
    """The average of a number field."""
    return aggregate("avg", term, distinct=distinct)


def min(term: Any) -> Any:
    """The least value."""
    return aggregate("min", term)


def max(term: Any) -> Any:
    """The greatest value."""
    return aggregate("max", term)
