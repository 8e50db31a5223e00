"""From a query to compiled functions: the one place where generated source is run.

Owns the order in which the parts of a query are generated, which is the walk order of `shape`. The whole loop over rows is generated, not
a closure per node. The source is kept in `source`, for explain and for people. Must not know where rows come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from holdall.query import functions
from holdall.query.compiled import CompiledCondition, CompiledSelect, Params, Rows
from holdall.query.generate import Code, Function, Row, Source, function_text
from holdall.query.grouping import aggregates_in, group_slots, operands
from holdall.query.nodes import Column, Condition, Expr, Order
from holdall.query.select import Assignment, Select
from holdall.schema import Entity


def compile_condition(entity: Entity, condition: Condition, timed: bool) -> CompiledCondition:
    """Generate and compile both forms of a condition."""
    source = Source(timed=timed)
    function = Function(source)
    both = function.condition(condition, Row("r", entity))
    live = function.live("r", entity)
    for name, test in (("true", both.true), ("false", both.false)):
        source.functions.append(_filter(name, function.head, " and ".join(filter(None, (live, test)))))
    text, made = build(source)
    return CompiledCondition(text, frozenset(source.entities), made["true"], made["false"])


def compile_assignments(
    entity: Entity, assignments: Sequence[Assignment], count_version: bool
) -> Callable[[Rows, Params], list[tuple[Any, ...]]]:
    """Generate and compile the function from rows to changed rows."""
    source = Source()
    function = Function(source)
    row = Row("r", entity)
    parts = [f"r[{field.position}]" for field in entity.fields]
    version = entity.version_field
    if version is not None and count_version:
        parts[version.position] = f"fn.int_add(r[{version.position}], 1)"
    for assignment in assignments:
        field = entity.fields[assignment.position]
        text = function.expr(assignment.expr, row).text
        if field.type.kind == "decimal":
            text = f"{source.constant(functions.fitter(field), 'fit')}({text})"
        parts[assignment.position] = text
    source.functions.append(function_text("assign", "rows, p", function.head, [f"return [({', '.join(parts)},) for r in rows]"]))
    _, made = build(source)
    assign: Callable[[Rows, Params], list[tuple[Any, ...]]] = made["assign"]
    return assign


def compile_select(select: Select) -> CompiledSelect:
    """Generate and compile the functions of a select; QueryError where an aggregate or ungrouped field stands in a wrong place."""
    source = Source(timed=select.now is not None)
    source.constants["itemgetter"] = itemgetter
    row = Row("r", select.entity)
    function = Function(source)
    test = function.condition(select.where, row).true
    test = " and ".join(filter(None, (function.live("r", select.entity), test if test != "True" else "")))
    if test:
        source.functions.append(_filter("where", function.head, test))
    columns = select.columns
    aggregated = bool(select.group_by) or any(aggregates_in(column.expr) for column in columns or ())
    slots: dict[Expr, int] | None = None
    if aggregated:
        if columns is None:
            columns = tuple(Column(str(place), expr) for place, expr in enumerate(select.group_by))
        slots = group_slots(source, select, columns, row)
    if columns is not None:
        _project(Function(source, slots), columns, row)
    source.operand += sum(operands(expr) for expr in select.group_by)
    function = Function(source, slots)
    having = function.condition(select.having, row).true
    if having != "True":
        source.functions.append(_filter("having", function.head, having))
    if select.order:
        _order(Function(source, slots), select.order, row)
    limit_at = source.operand if select.limit is not None else None
    offset_at = source.operand + (limit_at is not None) if select.offset else None
    text, made = build(source)
    return CompiledSelect(
        text,
        frozenset(source.entities),
        made.get("where"),
        made.get("order"),
        made.get("project"),
        made.get("group"),
        made.get("having"),
        _distinct(columns) if select.distinct and columns is not None else None,
        limit_at,
        offset_at,
    )


def build(source: Source) -> tuple[str, dict[str, Any]]:
    """The whole source and the functions it defines."""
    text = "\n\n".join(source.functions) + "\n"
    made = dict(source.constants)
    exec(compile(text, f"<holdall query {abs(hash(text)):x}>", "exec"), made)  # noqa: S102  only our own source: operands stay outside
    return text, made


def _filter(name: str, head: list[str], test: str) -> str:
    return function_text(name, "rows, p, t", head, [f"return [r for r in rows if {test}]" if test != "True" else "return list(rows)"])


def _project(function: Function, columns: tuple[Column, ...], row: Row) -> None:
    parts = [function.expr(column.expr, row).text for column in columns]
    body = f"return [({', '.join(parts)},) for r in rows]"
    function.source.functions.append(function_text("project", "rows, p, t", function.head, [body]))


def _distinct(columns: tuple[Column, ...]) -> Callable[[list[tuple[Any, ...]]], list[tuple[Any, ...]]]:
    if all(functions.hashable(column.expr.type) for column in columns):
        return lambda rows: list(dict.fromkeys(rows))
    freeze = [functions.freezer(column.expr.type) for column in columns]

    def distinct(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        seen: dict[Any, tuple[Any, ...]] = {}
        for row in rows:
            seen.setdefault(tuple([part(value) for part, value in zip(freeze, row, strict=True)]), row)
        return list(seen.values())

    return distinct


def _order(function: Function, orders: tuple[Order, ...], row: Row) -> None:
    """Stable passes from the last order to the first; neighbours of one direction that are never null make one pass."""
    passes: list[tuple[list[Code], bool, bool | None]] = []
    for order in orders:
        code = function.expr(order.expr, row)
        if code.type.kind == "uuid":
            first, later = (code.text, code.text) if code.simple else (f"(u := {code.text})", "u")
            text = f"{code.text}.int" if not code.nullable else f"(None if {first} is None else {later}.int)"
            code = Code(text, code.type, code.nullable, simple=False)
        nulls = order.nulls_first if code.nullable else None
        if passes and nulls is None and passes[-1][2] is None and passes[-1][1] == order.descending:
            passes[-1][0].append(code)
        else:
            passes.append(([code], order.descending, nulls))
    body = ["rows = list(rows)"]
    for number, (codes, _, _) in enumerate(passes):
        places = [code.text.removeprefix("r[").removesuffix("]") for code in codes]
        if all(place.isdigit() for place in places):
            body.append(f"key{number} = itemgetter({', '.join(places)})")
        else:
            text = ", ".join(code.text for code in codes)
            body.append(f"key{number} = lambda r: {text if len(codes) == 1 else f'({text})'}")
    _, descending, nulls = passes[0]
    body += ["if keep is not None:", f"    rows = ag.cut_pass(rows, key0, {descending}, {nulls}, keep)"]
    for number, (_, descending, nulls) in reversed(list(enumerate(passes))):
        body.append(f"rows = ag.sort_pass(rows, key{number}, {descending}, {nulls})")
    function.source.functions.append(function_text("order", "rows, p, t, keep", function.head, [*body, "return rows"]))
