"""Select and Change: a whole query as frozen data, and what `prepare` makes of it before a backend sees it.

Owns defaults that every backend must share: default filters, the tie-break by key, keyset positions. Must not know models or engines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal

import msgspec

from holdall.errors import QueryError
from holdall.query.nodes import (
    TRUE,
    And,
    Column,
    Compare,
    Condition,
    Expr,
    FieldRef,
    IsNull,
    Not,
    Or,
    Order,
    Related,
    Value,
    all_of,
    any_of,
    as_condition,
)
from holdall.schema import Entity, Relation

replace = msgspec.structs.replace  # a changed copy of a node: dataclasses.replace for structs
Consistency = Literal["strong", "eventual"]
Lock = Literal["update", "share"]


class Include(msgspec.Struct, frozen=True):
    """Load `relation` with the records. `select` restricts and orders a to-many side (its limit is per parent)."""

    relation: Relation
    children: tuple[Include, ...] = ()
    select: Select | None = None


class Select(msgspec.Struct, frozen=True):
    """A query. Rows of `entity` that meet `where`, sorted, cut, and either whole (`columns` None) or as tuples of columns.

    `without` names default filters that are switched off ('*' for all). `now` is the instant from which rows with an earlier or equal
    expiry are invisible, on every entity that the query touches (H6); the store sets it. `prepared` is set by `prepare`.
    """

    entity: Entity
    where: Condition = TRUE
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
    columns: tuple[Column, ...] | None = None
    distinct: bool = False
    group_by: tuple[Expr, ...] = ()
    having: Condition = TRUE
    includes: tuple[Include, ...] = ()
    without: frozenset[str] = frozenset()
    allow_scan: bool = False
    consistency: Consistency = "strong"
    lock: Lock | None = None
    now: dt.datetime | None = None
    prepared: bool = False

    @property
    def aggregated(self) -> bool:
        """Whether the result is about groups of rows (grouped, or any column is an aggregate)."""
        from holdall.query.nodes import Aggregate

        return bool(self.group_by) or any(isinstance(column.expr, Aggregate) for column in self.columns or ())


class Assignment(msgspec.Struct, frozen=True):
    """Field `position` of the entity becomes `expr`: a Value (whose value may be None), or arithmetic on the row's own fields."""

    position: int
    expr: Expr


def prepare(select: Select, now: dt.datetime | None) -> Select:
    """The query as backends get it: default filters added, key tie-break added to an order (H1), `now` set. Idempotent."""
    if select.prepared:
        return select if now is None else replace(select, now=now)
    if now is None and not select.order and not select.entity.default_filters:
        return select  # nothing to add
    where = select.where
    for name, condition in select.entity.default_filters.items():
        if name not in select.without and "*" not in select.without:
            where = all_of(where, as_condition(condition()))
    order = select.order
    if order and select.columns is None:
        order = with_key_order(select.entity, order)
    # dataclasses.replace costs four times as much, and every query comes through here.
    return Select(
        select.entity, where, order, select.limit, select.offset, select.columns, select.distinct, select.group_by, select.having,
        select.includes, select.without, select.allow_scan, select.consistency, select.lock, now, True,
    )  # fmt: skip


def with_key_order(entity: Entity, order: tuple[Order, ...]) -> tuple[Order, ...]:
    """The order followed by the key fields that it does not name yet, ascending."""
    named = {item.expr.field.name for item in order if isinstance(item.expr, FieldRef) and not item.expr.steps and not item.expr.keys}
    return order + tuple(_key_order(entity, name) for name in entity.key if name not in named)


@lru_cache(maxsize=4096)
def _key_order(entity: Entity, name: str) -> Order:
    return Order(key_ref(entity, name))


def key_ref(entity: Entity, name: str) -> FieldRef:
    """The expression for a field of the entity itself."""
    field = entity.by_name[name]
    return FieldRef(entity, (), field, (), field.type)


def key_condition(entity: Entity, key: Any) -> Condition:
    """The condition that the row has this key (a bare value, or a tuple for a composite key)."""
    values = (key,) if len(entity.key) == 1 else tuple(key)
    return all_of(*(equals(key_ref(entity, name), value) for name, value in zip(entity.key, values, strict=True)))


def equals(ref: FieldRef, value: Any) -> Condition:
    """ref = value for a canonical value that is not None."""
    return Compare(ref, "eq", Value(value, ref.type))


def after(order: tuple[Order, ...], values: tuple[Any, ...]) -> Condition:
    """The condition that a row comes after the one with these values of the order's expressions (None for null)."""
    alternatives: list[Condition] = []
    same: list[Condition] = []
    for item, value in zip(order, values, strict=True):
        beyond = _beyond(item, value)
        if beyond is not None:
            alternatives.append(all_of(*same, beyond))
        same.append(IsNull(item.expr) if value is None else Compare(item.expr, "eq", Value(value, _type(item.expr))))
    return any_of(*alternatives)


def _beyond(item: Order, value: Any) -> Condition | None:
    """Rows strictly after `value` in this one order term; None if there are none."""
    if value is None:
        return IsNull(item.expr, negated=True) if item.nulls_first else None
    further = Compare(item.expr, "lt" if item.descending else "gt", Value(value, _type(item.expr)))
    nullable = not isinstance(item.expr, FieldRef) or item.expr.nullable
    return further if item.nulls_first or not nullable else any_of(further, IsNull(item.expr))


def reverse(order: tuple[Order, ...]) -> tuple[Order, ...]:
    """The opposite order, nulls included."""
    return tuple(Order(item.expr, not item.descending, not item.nulls_first) for item in order)


def _type(expr: Expr) -> Any:
    return expr.type


def references(node: Condition | Expr) -> Iterator[FieldRef | Related]:
    """Every field reference and quantified relation in a condition or expression, outermost first; not into a Related's inner side."""
    if isinstance(node, FieldRef | Related):
        yield node
    elif isinstance(node, And | Or):
        for item in node.items:
            yield from references(item)
    elif isinstance(node, Not):
        yield from references(node.item)
    else:
        for name in ("left", "right", "expr"):
            part = getattr(node, name, None)
            if part is not None:
                yield from references(part)


def check_limits(limit: int | None, offset: int | None) -> None:
    """QueryError for a limit or offset that is not a whole number of at least 0 (H2)."""
    for name, value in (("limit", limit), ("offset", offset)):
        if value is None:
            continue
        if type(value) is not int:
            raise QueryError(f"{name} must be an int, not {value!r}.", name=name, kind="bad_value")
        if value < 0:
            raise QueryError(f"{name} must not be negative, got {value}.", name=name, kind="bad_value", hint="0 gives no rows.")
