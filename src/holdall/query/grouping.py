"""From groups and aggregates to Python source.

Owns how rows become groups: one tuple per group, first the grouped values, then the aggregates. Columns, having and order then read that
tuple. Must not run anything.
"""

from __future__ import annotations

from holdall.query import functions, reductions
from holdall.query.generate import Function, Row, Source, function_text
from holdall.query.nodes import (
    Aggregate,
    And,
    Arith,
    Column,
    Compare,
    Condition,
    Expr,
    Holds,
    IsNull,
    Match,
    Membership,
    Not,
    Or,
    Value,
)
from holdall.query.select import Select
from holdall.schema import Type


def group_slots(source: Source, select: Select, columns: tuple[Column, ...], row: Row) -> dict[Expr, int]:
    """Generate `group`; gives the place of each grouped and aggregated expression. Does not move the operand count."""
    start = source.operand
    function = Function(source)
    slots: dict[Expr, int] = {}
    found: list[Aggregate] = []
    parts: list[str] = []
    for column in columns:
        _collect(function, column.expr, row, found, parts)
    keys = [function.expr(expr, row).text for expr in select.group_by]
    for expr in select.group_by:
        slots.setdefault(expr, select.group_by.index(expr))
    _collect_in(function, select.having, row, found, parts)
    for order in select.order:
        _collect(function, order.expr, row, found, parts)
    source.operand = start
    for number, aggregate in enumerate(found):
        slots.setdefault(aggregate, len(keys) + number)
    if not keys:
        body = ["rows = rows if rows.__class__ is list else list(rows)", f"return [({', '.join(parts)},)]"]
    else:
        key = keys[0] if len(keys) == 1 else f"({', '.join(keys)})"
        first = "k," if len(keys) == 1 else "*k,"
        body = [
            "groups = {}",
            "find = groups.get",
            "for r in rows:",
            f"    k = {key}",
            "    group = find(k)",
            "    if group is None:",
            "        groups[k] = [r]",
            "    else:",
            "        group.append(r)",
            f"return [({' '.join([first, *(f'{part},' for part in parts)])}) for k, rows in groups.items()]",
        ]
    source.functions.append(function_text("group", "rows, p, t", function.head, body))
    return slots


def _collect(function: Function, expr: Expr, row: Row, found: list[Aggregate], parts: list[str]) -> None:
    """Add the aggregates in an expression, counting operands as the walk does."""
    if isinstance(expr, Aggregate):
        found.append(expr)
        parts.append(_aggregate(function, expr, row))
    elif isinstance(expr, Arith):
        _collect(function, expr.left, row, found, parts)
        _collect(function, expr.right, row, found, parts)
    elif isinstance(expr, Value):
        function.source.operand += expr.value is not None


def _collect_in(function: Function, condition: Condition, row: Row, found: list[Aggregate], parts: list[str]) -> None:
    """Add the aggregates in a condition, counting operands as the walk does."""
    if isinstance(condition, And | Or):
        for item in condition.items:
            _collect_in(function, item, row, found, parts)
    elif isinstance(condition, Not):
        _collect_in(function, condition.item, row, found, parts)
    elif isinstance(condition, Compare | Membership | Match | Holds | IsNull):
        _collect(function, condition.left, row, found, parts)
        if isinstance(condition, Compare):
            _collect(function, condition.right, row, found, parts)
        elif isinstance(condition, Match):
            function.source.operand += 1
        elif isinstance(condition, Membership):
            function.source.operand += bool(condition.values)
        elif isinstance(condition, Holds):
            function.source.operand += bool(condition.items)


def _aggregate(function: Function, node: Aggregate, row: Row) -> str:
    """Source of an aggregate over the list `rows`."""
    if node.expr is None:
        return "len(rows)"
    code = function.expr(node.expr, row)
    if code.nullable:
        first, later = (code.text, code.text) if code.simple else (f"(value := {code.text})", "value")
        values = f"[{later} for r in rows if {first} is not None]"
    else:
        values = f"[{code.text} for r in rows]"
    if node.distinct:
        if functions.hashable(code.type):
            values = f"set({values})"
        else:
            values = f"{function.source.constant(functions.texts_of(code.type), 'texts')}({values})"
    if node.fn == "count":
        return "len(rows)" if not code.nullable and not node.distinct else f"len({values})"
    if node.fn in ("min", "max"):
        return f"ag.{'smallest' if node.fn == 'min' else 'greatest'}({values})"
    return f"{_summing(function, node.fn, code.type)}({values})"


def _summing(function: Function, fn: str, type_: Type) -> str:
    kind = type_.kind
    if fn == "sum" and kind == "decimal":
        return function.source.constant(reductions.decimal_summer(type_), "sum_decimal")
    return f"ag.{fn}_{kind}"


def aggregates_in(expr: Expr) -> bool:
    """Whether an expression holds an aggregate."""
    return isinstance(expr, Aggregate) or (isinstance(expr, Arith) and (aggregates_in(expr.left) or aggregates_in(expr.right)))


def operands(expr: Expr) -> int:
    """How many operands an expression has."""
    if isinstance(expr, Value):
        return int(expr.value is not None)
    if isinstance(expr, Arith):
        return operands(expr.left) + operands(expr.right)
    if isinstance(expr, Aggregate) and expr.expr is not None:
        return operands(expr.expr)
    return 0
