"""Queries as text for people: for explain, messages, and the fingerprint that binds a cursor to its query.

Equal queries give equal text. Must not be parsed back.
"""

from __future__ import annotations

from typing import Any

from holdall.query.nodes import (
    TRUE,
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
    Order,
    Related,
)
from holdall.query.select import Select

_SIGNS = {"eq": "=", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "same": "is same as", "not_same": "is not same as"}
_ARITHMETIC = {"add": "+", "sub": "-", "mul": "*"}


def expr_text(expr: Expr) -> str:
    """customer.name, data.city, data['a.b'], data[0], total + 1, sum(total), 'Ada'."""
    if isinstance(expr, FieldRef):
        names = [*(step.name for step in expr.steps), expr.field.name]
        return ".".join(names) + "".join(map(_key_text, expr.keys))
    if isinstance(expr, Arith):
        return f"({expr_text(expr.left)} {_ARITHMETIC[expr.op]} {expr_text(expr.right)})"
    if isinstance(expr, Aggregate):
        inner = "" if expr.expr is None else expr_text(expr.expr)
        return f"{expr.fn}({'distinct ' if expr.distinct else ''}{inner})"
    return _value_text(expr.value)


def _key_text(key: str | int) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"


def _value_text(value: object) -> str:
    """repr, with the members of sets and dicts in an order that is the same in every process."""
    items: Any = value
    if isinstance(value, frozenset):
        return "{" + ", ".join(sorted(map(_value_text, items))) + "}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {_value_text(items[name])}" for name in sorted(items)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value_text, items)) + "]"
    return repr(value)


def condition_text(condition: Condition) -> str:
    """total >= 3 and not (name like 'A%')."""
    match condition:
        case And(items):
            return " and ".join(_grouped(item) for item in items)
        case Or(items):
            return " or ".join(_grouped(item) for item in items)
        case Not(item):
            return f"not ({condition_text(item)})"
        case Constant(value):
            return "everything" if value else "nothing"
        case Compare(left, op, right):
            return f"{expr_text(left)} {_SIGNS[op]} {expr_text(right)}"
        case Membership(left, values, _, with_null, negated):
            shown = [*sorted(map(_value_text, values)), *(["null"] if with_null else [])]
            return f"{expr_text(left)} {'not in' if negated else 'in'} ({', '.join(shown)})"
        case Match(left, op, text):
            return f"{expr_text(left)} {op} {text!r}"
        case IsNull(left, negated):
            return f"{expr_text(left)} is {'not ' if negated else ''}null"
        case Holds(left, items, mode, _):
            return f"{expr_text(left)} holds {mode} of ({', '.join(sorted(map(_value_text, items)))})"
        case Related(steps, relation, quantifier, inner):
            path = ".".join([*(step.name for step in steps), relation.name])
            return f"{quantifier} of {path}: ({condition_text(inner)})"
        case _:
            return repr(condition)


def _grouped(item: Condition) -> str:
    return f"({condition_text(item)})" if isinstance(item, And | Or) else condition_text(item)


def order_text(order: tuple[Order, ...]) -> str:
    """-placed_at, name nulls first."""
    return ", ".join(
        f"{'-' if item.descending else ''}{expr_text(item.expr)}{' nulls first' if item.nulls_first else ''}" for item in order
    )


def select_text(select: Select) -> str:
    """One line that says the whole query, without limit and position."""
    parts = [select.entity.name]
    if select.where != TRUE:
        parts.append(f"where {condition_text(select.where)}")
    if select.order:
        parts.append(f"order by {order_text(select.order)}")
    if select.columns is not None:
        parts.append("columns " + ", ".join(f"{column.alias}={expr_text(column.expr)}" for column in select.columns))
    if select.group_by:
        parts.append("group by " + ", ".join(map(expr_text, select.group_by)))
    if select.having != TRUE:
        parts.append(f"having {condition_text(select.having)}")
    if select.distinct:
        parts.append("distinct")
    if select.without:
        parts.append("without filters " + ", ".join(sorted(select.without)))
    return "; ".join(parts)


def fingerprint(select: Select) -> str:
    """A short digest of `select_text`: equal for the same query with another limit or position."""
    import hashlib  # here, because loading it takes as long as half of this package

    return hashlib.blake2b(select_text(select).encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()
