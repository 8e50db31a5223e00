"""each, every and none: the records of a relation to many, in a condition. Typed so that checkers see one record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from holdall.query.operators import quantified

T = TypeVar("T")


def each(relation: Iterable[T]) -> type[T]:
    """Any record of the relation: Customer.where(each(Customer.orders).total >= 3)."""
    found: Any = quantified(relation, "any")
    return found  # type: ignore[no-any-return]  # a term that stands for the class


def every(relation: Iterable[T]) -> type[T]:
    """All records of the relation, which holds for none at all."""
    found: Any = quantified(relation, "every")
    return found  # type: ignore[no-any-return]  # as above


def none(relation: Iterable[T]) -> type[T]:
    """No record of the relation: Customer.where(none(Customer.orders).total >= 3)."""
    found: Any = quantified(relation, "none")
    return found  # type: ignore[no-any-return]  # as above
