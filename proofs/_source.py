"""Trees as the Python text that makes them: what a script shows for a condition, an expression or an order.

`eval` of the text, with the models and IMPORTS of _models, gives the same tree again. Must not know chance or stores.
"""

from __future__ import annotations

from typing import Any

from holdall.query import (
    Aggregate,
    And,
    Arith,
    Compare,
    FieldRef,
    Holds,
    IsNull,
    Match,
    Membership,
    Not,
    Or,
    Order,
    Related,
    Value,
)
from proofs._models import literal

_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "add": "+", "sub": "-", "mul": "*"}
_QUANTIFIERS = {"any": "each", "every": "every", "none": "none"}


def source(node: Any, root: str | None = None) -> str:
    """The text of a node. `root` stands for the entity it is about: the model's name, or each(…) inside a quantified relation."""
    return _MAKERS[type(node)](node, root)


def _value(node: Value, root: str | None) -> str:
    return literal(node.value)


def _ref(node: FieldRef, root: str | None) -> str:
    path = ".".join([root or node.entity.name, *(step.name for step in node.steps), node.field.name])
    return path + "".join(f"[{key!r}]" for key in node.keys)


def _arith(node: Arith, root: str | None) -> str:
    return f"({source(node.left, root)} {_SIGNS[node.op]} {source(node.right, root)})"


def _aggregate(node: Aggregate, root: str | None) -> str:
    if node.expr is None:
        return "agg.count()"
    return f"agg.{node.fn}({source(node.expr, root)}{', distinct=True' if node.distinct else ''})"


def _compare(node: Compare, root: str | None) -> str:
    if node.op == "same":
        return f"is_same({source(node.left, root)}, {source(node.right, root)})"
    return f"({source(node.left, root)} {_SIGNS[node.op]} {source(node.right, root)})"


def _membership(node: Membership, root: str | None) -> str:
    values = [*node.values, *([None] if node.with_null else [])]
    return f"{'not_one_of' if node.negated else 'one_of'}({source(node.left, root)}, {literal(values)})"


def _match(node: Match, root: str | None) -> str:
    if node.op in ("startswith", "endswith"):
        return f"{source(node.left, root)}.{node.op}({node.text!r})"
    return f"{node.op}({source(node.left, root)}, {node.text!r})"


def _null(node: IsNull, root: str | None) -> str:
    return f"{'is_not_null' if node.negated else 'is_null'}({source(node.left, root)})"


def _holds(node: Holds, root: str | None) -> str:
    return f"contains_{node.mode}({source(node.left, root)}, {literal(list(node.items))})"


def _related(node: Related, root: str | None) -> str:
    owner = (node.steps[0] if node.steps else node.relation).owner.entity.name
    path = ".".join([root or owner, *(step.name for step in node.steps), node.relation.name])
    return source(node.inner, f"{_QUANTIFIERS[node.quantifier]}({path})")


def _and(node: And, root: str | None) -> str:
    return "(" + " & ".join(source(item, root) for item in node.items) + ")"


def _or(node: Or, root: str | None) -> str:
    return "(" + " | ".join(source(item, root) for item in node.items) + ")"


def _not(node: Not, root: str | None) -> str:
    return f"not_({source(node.item, root)})"


def _order(node: Order, root: str | None) -> str:
    nulls = ', nulls="first"' if node.nulls_first else ""
    return f"{'desc' if node.descending else 'asc'}({source(node.expr, root)}{nulls})"


_MAKERS: dict[type, Any] = {
    Value: _value, FieldRef: _ref, Arith: _arith, Aggregate: _aggregate, Compare: _compare, Membership: _membership, Match: _match,
    IsNull: _null, Holds: _holds, Related: _related, And: _and, Or: _or, Not: _not, Order: _order,
}  # fmt: skip
