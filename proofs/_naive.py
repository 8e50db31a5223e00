"""A slow, plain reading of the contract: three-valued logic by True, False and None. Shares no code with the evaluator."""

from __future__ import annotations

import json
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

from holdall.query import (
    Aggregate,
    And,
    Arith,
    Compare,
    Constant,
    FieldRef,
    Holds,
    IsNull,
    Match,
    Membership,
    Not,
    Or,
    Related,
    Select,
    Value,
)
from holdall.schema import JSON_NULL, Entity, container_text

Data = dict[Entity, list[tuple[Any, ...]]]


class Naive:
    def __init__(self, data: Data, now: Any = None) -> None:
        self.data, self.now = data, now

    def rows(self, entity: Entity) -> list[tuple[Any, ...]]:
        field = entity.expiry_field
        if field is None or self.now is None:
            return self.data[entity]
        return [r for r in self.data[entity] if r[field.position] is None or r[field.position] > self.now]

    def related(self, relation: Any, row: Any) -> list[tuple[Any, ...]]:
        def match(entity: Entity, names: Any, values: Any) -> list[Any]:
            if None in values:
                return []
            return [r for r in self.rows(entity) if [r[entity.by_name[n].position] for n in names] == values]

        owner = relation.owner.entity
        values = [row[owner.by_name[n].position] for n in relation.local]
        if relation.through is None:
            return match(relation.target.entity, relation.remote, values)
        link = relation.through.entity
        found = []
        for item in match(link, relation.through_local, values):
            found += match(relation.target.entity, relation.remote, [item[link.by_name[n].position] for n in relation.through_remote])
        return found

    def follow(self, steps: Any, row: Any) -> Any:
        for step in steps:
            found = self.related(step, row)
            if not found:
                return None
            row = found[0]
        return row

    def value(self, node: Any, row: Any) -> Any:  # noqa: PLR0912  plainness before elegance
        if isinstance(node, Value):
            return node.value
        if isinstance(node, Arith):
            a, b = self.value(node.left, row), self.value(node.right, row)
            if a is None or b is None:
                return None
            return {"add": a + b, "sub": a - b, "mul": a * b}[node.op]
        assert isinstance(node, FieldRef)
        row = self.follow(node.steps, row)
        if row is None:
            return None
        value, at = row[node.field.position], node.field.type
        for key in node.keys:
            if value is None or value is JSON_NULL:
                return None
            inside = at.kind == "json"
            try:
                if isinstance(value, list | tuple):
                    if not isinstance(key, int) or key < 0:
                        return None
                    value = value[key]
                elif isinstance(value, dict) and isinstance(key, str):
                    value = value[key]
                else:
                    return None
            except (KeyError, IndexError):
                return None
            if inside:
                value = JSON_NULL if value is None else value
            else:
                at = at.item if at.item is not None else {n: t for n, t, _ in at.fields}[key]
        return value

    def equal(self, a: Any, ta: Any, b: Any, tb: Any) -> bool:
        if ta.kind in ("json", "list", "set", "dict", "record"):
            return json.loads(container_text(ta, a)) == json.loads(container_text(tb, b)) and container_text(ta, a) == container_text(tb, b)
        return bool(a == b)

    def compare(self, node: Compare, row: Any) -> bool | None:
        a, b = self.value(node.left, row), self.value(node.right, row)
        ta, tb = node.left.type, node.right.type
        if node.op in ("same", "not_same"):
            same = (a is None and b is None) or (a is not None and b is not None and self.equal(a, ta, b, tb))
            return same if node.op == "same" else not same
        if a is None or b is None:
            return None
        if node.op in ("eq", "ne"):
            return self.equal(a, ta, b, tb) == (node.op == "eq")
        if ta.kind == "json":
            numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b))
            if not numbers and not all(isinstance(v, str) for v in (a, b)):
                return None
        return {"lt": lambda: a < b, "lte": lambda: a <= b, "gt": lambda: a > b, "gte": lambda: a >= b}[node.op]()

    def match(self, node: Match, row: Any) -> bool | None:
        a = self.value(node.left, row)
        if a is None or not isinstance(a, str):
            return None
        text, op = node.text, node.op
        if op == "like":
            return like(a, text)
        if op.startswith("i"):
            a, text, op = a.casefold(), text.casefold(), op[1:]
        return {
            "contains": text in a,
            "startswith": a[: len(text)] == text,
            "endswith": text == "" or a[-len(text) :] == text,
            "exact": a == text,
        }[op]

    def holds(self, node: Holds, row: Any) -> bool | None:
        a = self.value(node.left, row)
        if a is None:
            return None
        kind = node.left.type.kind
        if kind == "json":
            if not isinstance(a, list):
                return False
            have = {container_text(node.left.type, item) for item in a}
            want = [container_text(node.left.type, item) for item in node.items]
        else:
            have, want = set(a), list(node.items)
        hits = [item in have for item in want]
        return all(hits) if node.mode == "all" else any(hits)

    def test(self, node: Any, row: Any) -> bool | None:
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, Not):
            inner = self.test(node.item, row)
            return None if inner is None else not inner
        if isinstance(node, And | Or):
            results = [self.test(item, row) for item in node.items]
            strong = isinstance(node, Or)
            if strong in results:
                return strong
            return None if None in results else not strong
        if isinstance(node, Compare):
            return self.compare(node, row)
        if isinstance(node, Match):
            return self.match(node, row)
        if isinstance(node, Holds):
            return self.holds(node, row)
        if isinstance(node, IsNull):
            return (self.value(node.left, row) is None) != node.negated
        if isinstance(node, Membership):
            return self.member(node, row)
        assert isinstance(node, Related)
        row = self.follow(node.steps, row)
        found = [] if row is None else self.related(node.relation, row)
        hits = [self.test(node.inner, item) is True for item in found]
        return {"any": any(hits), "every": all(hits), "none": not any(hits)}[node.quantifier]

    def member(self, node: Membership, row: Any) -> bool | None:
        a = self.value(node.left, row)
        result: bool | None
        if not node.values and not node.with_null:
            result = False
        elif a is None:
            result = None
        elif any(self.equal(a, node.left.type, b, node.type) for b in node.values):
            result = True
        else:
            result = None if node.with_null else False
        return result if result is None or not node.negated else not result

    # whole selects

    def ordered(self, rows: list[Any], orders: Any, value: Any) -> list[Any]:
        def order(x: Any, y: Any) -> int:
            for item in orders:
                a, b = value(item.expr, x), value(item.expr, y)
                if a is None or b is None:
                    if a is None and b is None:
                        continue
                    first = (a is None) == item.nulls_first
                    return -1 if first else 1
                if a != b:
                    return (1 if item.descending else -1) if a < b else (-1 if item.descending else 1)
            return 0

        return sorted(rows, key=cmp_to_key(order))

    def select(self, select: Select) -> list[Any]:
        rows = [r for r in self.rows(select.entity) if self.test(select.where, r) is True]
        if select.aggregated:
            return self.grouped(select, rows)
        rows = self.ordered(rows, select.order, self.value)
        if select.columns is not None:
            rows = [tuple(self.value(c.expr, r) for c in select.columns) for r in rows]
        return self.cut(select, rows)

    def cut(self, select: Select, rows: list[Any]) -> list[Any]:
        if select.distinct:
            unique: list[Any] = []
            for item in rows:
                if item not in unique:
                    unique.append(item)
            rows = unique
        rows = rows[select.offset :]
        return rows if select.limit is None else rows[: select.limit]

    def grouped(self, select: Select, rows: list[Any]) -> list[Any]:
        groups: list[tuple[Any, list[Any]]] = []
        if not select.group_by:
            groups = [((), rows)]
        for row in rows if select.group_by else []:
            key = tuple(self.value(e, row) for e in select.group_by)
            for known, members in groups:
                if known == key:
                    members.append(row)
                    break
            else:
                groups.append((key, [row]))

        def value(expr: Any, group: Any) -> Any:
            if expr in select.group_by:
                return group[0][select.group_by.index(expr)]
            if isinstance(expr, Value):
                return expr.value
            if isinstance(expr, Arith):
                a, b = value(expr.left, group), value(expr.right, group)
                return None if a is None or b is None else {"add": a + b, "sub": a - b, "mul": a * b}[expr.op]
            return self.aggregate(expr, group[1])

        naive = Naive(self.data, self.now)
        naive.value = value  # type: ignore[method-assign]
        groups = [g for g in groups if naive.test(select.having, g) is True]
        groups = self.ordered(groups, select.order, value)
        assert select.columns is not None
        return self.cut(select, [tuple(value(c.expr, g) for c in select.columns) for g in groups])

    def aggregate(self, node: Aggregate, rows: list[Any]) -> Any:
        if node.expr is None:
            return len(rows)
        values = [v for v in (self.value(node.expr, r) for r in rows) if v is not None]
        if node.distinct:
            values = [v for i, v in enumerate(values) if v not in values[:i]]
        if node.fn == "count":
            return len(values)
        if not values:
            return None
        if node.fn in ("min", "max"):
            return {"min": min, "max": max}[node.fn](values)
        from fractions import Fraction

        total = sum(map(Fraction, values))
        kind = node.expr.type.kind
        if node.fn == "sum":
            if kind == "decimal" and node.type.places is not None:
                return _decimal(total).quantize(Decimal((0, (1,), -node.type.places)))
            return int(total) if kind == "int" else float(total) if kind == "float" else _decimal(total)
        return float(total) / len(values) if kind == "float" else _decimal(total / len(values))


def _decimal(value: Any) -> Decimal:
    from decimal import Context

    return Context(prec=38).divide(Decimal(value.numerator), Decimal(value.denominator))


def like(text: str, pattern: str) -> bool:
    """By plain recursion."""
    if not pattern:
        return not text
    head, rest = pattern[0], pattern[1:]
    if head == "%":
        return any(like(text[i:], rest) for i in range(len(text) + 1))
    if head == "\\" and rest:
        head, rest = rest[0], rest[1:]
    elif head == "_":
        return bool(text) and like(text[1:], rest)
    return bool(text) and text[0] == head and like(text[1:], rest)
