"""Shapes: what stays the same when a query is asked again with other operands.

Owns the walk that splits a query into a hashable key (its shape) and the flat list of its operands (its parameters). Whoever generates
code or SQL does so once per key and then only binds. Must not know engines or how anything is run.

The walk is prefix order, and the only order there is: generators must visit nodes in the same order, or use the same functions, so that
the n-th parameter they meet is `params[n]`:

    node               in the key                                                    parameters
    Value              its type; null or not; for json the Python class of the value  the value (none for null)
    FieldRef           entity, field, steps, keys, type                               none
    Arith, Aggregate   class, op or fn, distinct, type, then its parts                those of its parts
    Compare            class, op, then left, right                                    those of its parts
    Membership         class, type, negated, with_null, empty or not, then left       left's, then the whole tuple of values (if not empty)
    Match              class, op, then left                                           left's, then the text
    Holds              class, mode, type, the number of items, then left              left's, then the whole tuple of items (if not empty)
    IsNull             class, negated, then left                                      left's
    Related            class, quantifier, relation, steps, then inner                 inner's
    And, Or            class, the number of items, then the items                     theirs
    Not, Constant      class, then the item (or the value)                            its own
    Select             entity, flags, where, columns, group_by, having, order         theirs, then limit, offset, now: each if present

Limit is present unless None, offset unless 0, now unless None. Includes are not part of a shape: the store loads them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from holdall.query.nodes import (
    Aggregate,
    And,
    Arith,
    Compare,
    Condition,
    Constant,
    Expr,
    FieldRef,
    Holds,
    IsNull,
    Match,
    Membership,
    Not,
    Or,
    Related,
    Value,
)
from holdall.query.select import Assignment, Select

ShapeKey = tuple[Hashable, ...]
T = TypeVar("T")


class ShapeCache(Generic[T]):
    """What was made once per shape. Bounded, because paths into JSON, and so shapes, can come from outside; safe under threads."""

    def __init__(self, entries_max: int = 1024) -> None:
        self._made: dict[Hashable, T] = {}
        self._entries_max = entries_max
        self.get = self._made.get  # key -> what was made, or None

    def put(self, key: Hashable, made: T) -> T:
        """Keep it, in place of the oldest entry if there are too many; gives it back."""
        if len(self._made) >= self._entries_max:
            for oldest in list(self._made)[: self._entries_max // 8]:
                self._made.pop(oldest, None)
        self._made[key] = made
        return made


def shape(select: Select) -> tuple[ShapeKey, list[Any]]:
    """The key and the parameters of a select; two selects with equal keys differ in parameters only."""
    key: list[Any] = [select.entity]
    params: list[Any] = []
    _walk(select.where, key, params)
    columns = select.columns
    if columns is None:
        key.append(None)
    else:
        key.append(len(columns))
        for column in columns:
            key.append(column.alias)
            _walk(column.expr, key, params)
    if select.group_by:
        key.append(len(select.group_by))
        for expr in select.group_by:
            _walk(expr, key, params)
        if any(expr.__class__ is Arith for expr in select.group_by):
            # Whether a column is a grouped expression depends on the operands in both: such queries share nothing.
            key.append(repr((select.group_by, columns, select.having, select.order)))
        _walk(select.having, key, params)
    else:
        key.append(None)
        _walk(select.having, key, params)
    for order in select.order:
        key.append((order.descending, order.nulls_first))
        _walk(order.expr, key, params)
    limited, moved, timed = select.limit is not None, select.offset != 0, select.now is not None
    key.append((limited, moved, timed, select.distinct, select.allow_scan, select.consistency, select.lock))
    if limited:
        params.append(select.limit)
    if moved:
        params.append(select.offset)
    if timed:
        params.append(select.now)
    return tuple(key), params


def condition_shape(condition: Condition) -> tuple[ShapeKey, list[Any]]:
    """The key and the parameters of a condition alone."""
    key: list[Any] = []
    params: list[Any] = []
    _walk(condition, key, params)
    return tuple(key), params


def assignments_shape(assignments: Sequence[Assignment]) -> tuple[ShapeKey, list[Any]]:
    """The key and the parameters of the assignments of a write, in their order."""
    key: list[Any] = []
    params: list[Any] = []
    for assignment in assignments:
        key.append(assignment.position)
        _walk(assignment.expr, key, params)
    return tuple(key), params


def _walk(node: Condition | Expr, key: list[Any], params: list[Any]) -> None:
    _WALKERS[node.__class__](node, key, params)


def _value(node: Value, key: list[Any], params: list[Any]) -> None:
    value = node.value
    if value is None:
        key += (Value, node.type, None)
        return
    key += (Value, node.type, value.__class__ if node.type.kind == "json" else True)
    params.append(value)


def _field(node: FieldRef, key: list[Any], params: list[Any]) -> None:
    key += (node.entity, node.field, node.steps, node.keys, node.type)


def _arith(node: Arith, key: list[Any], params: list[Any]) -> None:
    key += (Arith, node.op, node.type)
    _walk(node.left, key, params)
    _walk(node.right, key, params)


def _aggregate(node: Aggregate, key: list[Any], params: list[Any]) -> None:
    key += (Aggregate, node.fn, node.distinct, node.type, node.expr is None)
    if node.expr is not None:
        if node.expr.__class__ is Arith:
            key.append(node.expr)  # whether two aggregates are the same one depends on their operands
        _walk(node.expr, key, params)


def _compare(node: Compare, key: list[Any], params: list[Any]) -> None:
    left, right = node.left, node.right
    if isinstance(left, FieldRef) and isinstance(right, Value):  # most conditions by far: two calls saved
        key += (Compare, node.op, left.entity, left.field, left.steps, left.keys, left.type)
        _value(right, key, params)
        return
    key += (Compare, node.op)
    _walk(left, key, params)
    _walk(right, key, params)


def _membership(node: Membership, key: list[Any], params: list[Any]) -> None:
    key += (Membership, node.type, node.negated, node.with_null, not node.values)
    _walk(node.left, key, params)
    if node.values:
        params.append(node.values)


def _match(node: Match, key: list[Any], params: list[Any]) -> None:
    key += (Match, node.op)
    _walk(node.left, key, params)
    params.append(node.text)


def _holds(node: Holds, key: list[Any], params: list[Any]) -> None:
    key += (Holds, node.mode, node.type, len(node.items))
    _walk(node.left, key, params)
    if node.items:
        params.append(node.items)


def _is_null(node: IsNull, key: list[Any], params: list[Any]) -> None:
    key += (IsNull, node.negated)
    _walk(node.left, key, params)


def _related(node: Related, key: list[Any], params: list[Any]) -> None:
    key += (Related, node.quantifier, node.relation, node.steps)
    _walk(node.inner, key, params)


def _items(node: And | Or, key: list[Any], params: list[Any]) -> None:
    key += (node.__class__, len(node.items))
    for item in node.items:
        _walk(item, key, params)


def _not(node: Not, key: list[Any], params: list[Any]) -> None:
    key.append(Not)
    _walk(node.item, key, params)


def _constant(node: Constant, key: list[Any], params: list[Any]) -> None:
    key += (Constant, node.value)


_WALKERS: dict[type, Callable[[Any, list[Any], list[Any]], None]] = {
    Value: _value,
    FieldRef: _field,
    Arith: _arith,
    Aggregate: _aggregate,
    Compare: _compare,
    Membership: _membership,
    Match: _match,
    Holds: _holds,
    IsNull: _is_null,
    Related: _related,
    And: _items,
    Or: _items,
    Not: _not,
    Constant: _constant,
}
