"""Queries by chance: conditions, expressions, orders and whole selects as trees, over any entities.

`Ground` is what there is to ask about (paths, fields, a few values of each); `Trees` draws from it with a source of chance, which may be
Hypothesis's, so that one generator serves the fast proofs and the ones that shrink. Must not know stores.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from holdall.query import (
    Aggregate,
    Arith,
    Column,
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
    Order,
    Related,
    Select,
    Value,
    all_of,
    any_of,
    key_ref,
    map_conditions,
    replace,
)
from holdall.query.terms import BOOL, DECIMAL, FLOAT, INT, JSON, STR
from holdall.schema import JSON_NULL, Entity, Relation, Type

Pools = Mapping[tuple[Entity, str], Sequence[Any]]
TEXTS = ("", "a", "A", "ß", "ss", "S", "%", "a%", "%a", "_", "a_a", "a\\_s", "\\%", "\\", "é_", "é\n", "i\u0307", "İ", "SS", "S\\%", "x")
JSONS: tuple[Any, ...] = (JSON_NULL, True, 1, 0, 1.5, "a", "1", "", [], [1, "a"], [True], {}, {"a": 1}, {"b": "x", "a": None}, {"b": 2})
KEYS: tuple[tuple[str | int, ...], ...] = (("a",), ("b",), ("a", "b"), (0,), ("a", 0), (1,), ("c",))
MATCHES: Any = ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "like", "iexact")
ALL_OPS: Any = ("eq", "ne", "lt", "lte", "gt", "gte", "same", "not_same")
EQUAL_OPS: Any = ("eq", "ne", "same", "not_same")
ARITH: Any = ("add", "sub", "mul")
_INTS = (0, 1, 2, 3, -1, -2, 2**53 + 1, 2**63 - 1)
_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "str": ("", "a", "b"), "int": _INTS, "float": (0.0, 1.5), "bool": (True, False), "bytes": (b"", b"a"),
    "decimal": (Decimal(0), Decimal("1.5")), "json": JSONS, "list": ((),), "set": (frozenset(),), "dict": ({},),
}  # fmt: skip


class Ground:
    """What can be asked about some entities. `pools` has a few canonical values for each field; what has none gets common ones.

    `plain`: only what the public functions can say (no not_same, no constants, and quantified relations around single conditions).
    """

    def __init__(self, pools: Pools, *, plain: bool = False, now: dt.datetime | None = None) -> None:
        self.pools = pools
        self.plain = plain
        self.now = now
        self._refs: dict[Entity, list[FieldRef]] = {}
        self._small: dict[FieldRef, bool] = {}
        self._relations: dict[Entity, list[tuple[tuple[Relation, ...], Relation]]] = {}
        self.ops = tuple(op for op in ALL_OPS if op != "not_same") if plain else ALL_OPS
        self.equal_ops = tuple(op for op in EQUAL_OPS if op != "not_same") if plain else EQUAL_OPS

    def refs(self, entity: Entity, *kinds: str) -> list[FieldRef]:
        """The fields of an entity, and those two to-one relations away; all, or those of some kinds."""
        found = self._refs.get(entity)
        if found is None:
            found = self._refs[entity] = []
            for steps, at in _paths(entity, 2):
                weight = 1 if steps else 3  # its own fields more often
                found += [FieldRef(entity, steps, item, (), item.type) for item in at.fields for _ in range(weight)]
        return [ref for ref in found if ref.type.kind in kinds] if kinds else found

    def small(self, ref: FieldRef) -> bool:
        """Whether its numbers are such that arithmetic and sums of some stay in range: whether an overflow is met at all may depend on what
        an engine looks at first, or leaves out, so that overflows belong to where everything is computed (updates)."""
        if ref not in self._small:
            self._small[ref] = all(abs(value) <= 10**6 for value in self.values(ref))
        return self._small[ref]

    def relations(self, entity: Entity) -> list[tuple[tuple[Relation, ...], Relation]]:
        """The relations that can be quantified over, with the to-one steps that lead to them."""
        found = self._relations.get(entity)
        if found is None:
            found = self._relations[entity] = []
            for steps, at in _paths(entity, 1):
                found += [(steps, relation) for relation in at.relations.values() if relation.to_many]
        return found

    def values(self, ref: FieldRef) -> Sequence[Any]:
        """A few values of a field (of the whole field: not of a place inside it)."""
        owner = ref.steps[-1].target.entity if ref.steps else ref.entity
        known = self.pools.get((owner, ref.field.name))
        if known:
            return known
        if ref.type.kind in ("datetime", "local_datetime"):
            assert self.now is not None, f"no values for {ref.name}"
            return [self.now + dt.timedelta(hours=hours) for hours in (-1, 0, 1)]
        return _DEFAULTS[ref.type.kind]


def _paths(entity: Entity, depth: int) -> list[tuple[tuple[Relation, ...], Entity]]:
    """The entity itself, and what to-one relations lead to."""
    found: list[tuple[tuple[Relation, ...], Entity]] = [((), entity)]
    for _ in range(depth):
        for steps, at in list(found):
            if len(steps) == max(len(path) for path, _ in found):
                found += [((*steps, item), item.target.entity) for item in at.relations.values() if not item.to_many]
    return found[:12]


class Trees:
    """Draws trees. Every call draws anew."""

    def __init__(self, ground: Ground, random: Random) -> None:
        self.ground = ground
        self.r = random

    # Expressions

    def number(self, entity: Entity, kinds: tuple[str, ...] = ("int",), *, field: bool = False) -> Expr | None:
        """An int or decimal expression; None if the entity has no such field. `field`: it must name one."""
        refs = self.ground.refs(entity, *kinds)
        if not refs:
            return None
        left = self.r.choice(refs)
        refs = [ref for ref in refs if self.ground.small(ref)]
        if left not in refs or self.r.random() < 0.6:
            return left
        type_ = DECIMAL if left.type.kind == "decimal" else INT
        right: Expr = self.r.choice(refs) if self.r.random() < 0.5 else Value(self.r.choice((1, 2, -1, 3)), INT)
        if right.type.kind == "decimal":
            type_ = DECIMAL
        sides = (left, right) if self.r.random() < 0.7 or field else (right, left)
        return Arith(self.r.choice(ARITH), *sides, type_)

    def order(self, entity: Entity) -> Order:
        """One term of an order."""
        kinds = [ref for ref in self.ground.refs(entity) if ref.type.orderable]
        expr: Expr | None = self.number(entity) if self.r.random() < 0.15 else None
        return Order(self.r.choice(kinds) if expr is None else expr, self.r.random() < 0.5, self.r.random() < 0.3)

    # Conditions

    def condition(self, entity: Entity, depth: int = 2) -> Condition:
        """Any condition about an entity."""
        which = self.r.randrange(7) if depth else 0
        if which <= 2:
            return self.leaf(entity)
        if which == 3:
            return Not(self.condition(entity, depth - 1))
        if which == 4:
            found = self.related(entity, depth)
            if found is not None:
                return found
        items = [self.condition(entity, depth - 1) for _ in range(self.r.choice((2, 2, 3)))]
        return all_of(*items) if which == 5 else any_of(*items)

    def related(self, entity: Entity, depth: int) -> Condition | None:
        """A quantified relation; None if there is none."""
        known = self.ground.relations(entity)
        if not known:
            return None
        steps, relation = self.r.choice(known)
        target = relation.target.entity
        inner: Condition | None = None
        if self.ground.plain:
            inner = self.related(target, depth - 1) if depth > 1 and self.r.random() < 0.2 else None
            inner = self.leaf(target) if inner is None else inner
        else:
            inner = self.condition(target, depth - 1)
        return Related(steps, relation, self.r.choice(("any", "every", "none")), inner)

    def leaf(self, entity: Entity) -> Condition:
        """A condition that holds no other."""
        which = self.r.randrange(10)
        if which == 0 and not self.ground.plain:
            return Constant(self.r.random() < 0.5)
        if which == 1:
            left = self.number(entity, ("int", "decimal"))
            if left is not None and not isinstance(left, Value):
                return self._numbers(entity, left)
        if which == 2:
            texts = self.ground.refs(entity, "str")
            if texts:
                return Match(self.r.choice(texts), self.r.choice(MATCHES), self._part_of_text(self.r.choice(texts)))
        ref = self.r.choice(self.ground.refs(entity))
        if not ref.type.orderable and self.r.random() < 0.7:
            return self._inside(ref)
        if which == 3:
            return IsNull(ref, self.r.random() < 0.5)
        if which in (4, 5):
            return self._membership(ref)
        if which == 6:
            others = [item for item in self.ground.refs(entity, ref.type.kind) if ref.type.orderable]
            if others:
                return Compare(ref, self.r.choice(self.ground.ops), self.r.choice(others))
        ops = self.ground.ops if ref.type.orderable else self.ground.equal_ops
        return self._compare(ref, ops, self.ground.values(ref))

    def _numbers(self, entity: Entity, left: Expr) -> Condition:
        right = self.number(entity, (left.type.kind,)) if self.r.random() < 0.4 else None
        if right is None or isinstance(right, Value) or right.type.kind != left.type.kind:
            value: Any = self.r.choice(_INTS)
            right = Value(Decimal(value) if left.type.kind == "decimal" else value, left.type)
        return Compare(left, self.r.choice(self.ground.ops), right)

    def _part_of_text(self, ref: FieldRef) -> str:
        if self.r.random() < 0.5:
            return self.r.choice(TEXTS)
        text = self.r.choice(self.ground.values(ref))
        begin = self.r.randrange(len(text) + 1)
        return str(text[begin : begin + self.r.randrange(4)])

    def _compare(self, ref: FieldRef, ops: Any, values: Sequence[Any]) -> Compare:
        op = self.r.choice(ops)
        null = op in ("same", "not_same") and self.r.random() < 0.3
        return Compare(ref, op, Value(None if null else self.r.choice(values), ref.type))

    def _membership(self, ref: FieldRef, values: Sequence[Any] = ()) -> Membership:
        pool = values or self.ground.values(ref)
        drawn = [self.r.choice(pool) for _ in range(self.r.choice((0, 1, 2, 2, 3)))]
        unique = tuple(dict.fromkeys(drawn)) if ref.type.groupable else tuple(drawn)
        return Membership(ref, unique, ref.type, self.r.random() < 0.25, self.r.random() < 0.5)

    def _inside(self, ref: FieldRef) -> Condition:
        """About a container, or a place inside it."""
        kind = ref.type.kind
        if kind == "json":
            return self._json(ref)
        if kind == "record":
            name, part, _ = self.r.choice(ref.type.fields)
            return self._place(FieldRef(ref.entity, ref.steps, ref.field, (name,), part))
        item = STR if kind == "dict" else ref.type.item
        assert item is not None
        inside = {"dict": ("a", "b", "c"), "list": (0, 1, 5)}.get(kind)
        if inside and self.r.random() < 0.5 and ref.type.item is not None:
            return self._place(FieldRef(ref.entity, ref.steps, ref.field, (self.r.choice(inside),), ref.type.item))
        pool = ("a", "b", "ß", "A") if item.kind == "str" else _DEFAULTS[item.kind]
        items = tuple(self.r.choice(pool) for _ in range(self.r.choice((0, 1, 1, 2))))
        return Holds(ref, items, self.r.choice(("all", "any")), item)

    def _place(self, ref: FieldRef) -> Condition:
        """About a typed value inside a container."""
        which = self.r.randrange(4)
        pool = TEXTS if ref.type.kind == "str" else _DEFAULTS[ref.type.kind]
        if which == 0:
            return IsNull(ref, self.r.random() < 0.5)
        if which == 1:
            return self._membership(ref, pool)
        if which == 2 and ref.type.kind == "str":
            return Match(ref, self.r.choice(MATCHES), self.r.choice(TEXTS))
        return self._compare(ref, self.ground.ops if ref.type.orderable else self.ground.equal_ops, pool)

    def _json(self, ref: FieldRef) -> Condition:
        """About JSON, or a place in it."""
        keys = self.r.choice(KEYS) if self.r.random() < 0.7 else ()
        left = FieldRef(ref.entity, ref.steps, ref.field, keys, JSON) if keys else ref
        which = self.r.randrange(6)
        if which == 0:
            return IsNull(left, self.r.random() < 0.5)
        if which == 1:
            items = tuple(self.r.choice(JSONS) for _ in range(self.r.choice((0, 1, 1, 2))))
            return Holds(left, items, self.r.choice(("all", "any")), JSON)
        if which == 2:
            return self._membership(left, JSONS)
        if which == 3 and keys:
            return Match(left, self.r.choice(MATCHES), self.r.choice(TEXTS))
        return self._compare(left, self.ground.ops if keys else self.ground.equal_ops, JSONS)

    def varied(self, condition: Condition) -> Condition:
        """The same question with other operands, so that engines need not compile it anew."""
        return map_conditions(condition, self._varied_leaf)

    def _varied_leaf(self, node: Condition) -> Condition:
        left = getattr(node, "left", None)
        if isinstance(node, Related):
            return replace(node, inner=self.varied(node.inner))
        if not isinstance(left, FieldRef) or left.keys:
            return node
        if isinstance(node, Compare) and isinstance(node.right, Value) and node.right.value is not None:
            return replace(node, right=Value(self.r.choice(self.ground.values(left)), node.right.type))
        if isinstance(node, Membership):
            values = [self.r.choice(self.ground.values(left)) for _ in node.values]
            return replace(node, values=tuple(dict.fromkeys(values)) if left.type.groupable else tuple(values))
        if isinstance(node, Match):
            return replace(node, text=self._part_of_text(left) if left.type.kind == "str" else node.text)
        return node

    # Selects

    def columns(self, entity: Entity, *, groupable: bool = False) -> tuple[Column, ...]:
        """Some values of each row."""
        refs = [ref for ref in self.ground.refs(entity) if ref.type.groupable or not groupable]
        found: list[Expr] = []
        for _ in range(self.r.choice((1, 2, 3))):
            number = self.number(entity) if self.r.random() < 0.15 else None
            found.append(number if isinstance(number, Arith) else self.r.choice(refs))
        return tuple(Column(f"c{place}", expr) for place, expr in enumerate(found))

    def select(self, entity: Entity, depth: int = 2) -> Select:
        """Rows or columns; sorted so that no ties are left, if they are cut."""
        columns, distinct = None, False
        if self.r.random() < 0.4:
            distinct = self.r.random() < 0.4
            columns = self.columns(entity, groupable=distinct)
        order = tuple(self.order(entity) for _ in range(self.r.choice((0, 1, 1, 2))))
        limit, offset = None, 0
        if order:
            order += tuple(Order(key_ref(entity, name)) for name in entity.key)
            limit, offset = self.r.choice((None, None, 0, 1, 2, 4)), self.r.choice((0, 0, 1, 3))
        return Select(entity, self.condition(entity, depth), order, limit, offset, columns, distinct)

    def aggregate(self, entity: Entity) -> Aggregate:
        """An aggregate over the rows of a group."""
        if self.r.random() < 0.15:
            return Aggregate("count", None, False, INT)
        expr: Expr = self.r.choice(self.ground.refs(entity))
        if self.r.random() < 0.4:
            number = self.number(entity, ("int", "decimal"), field=True)
            expr = expr if number is None else number
        fns = ["count"] + (["min", "max"] if expr.type.orderable else [])
        if expr.type.kind in NUMBERS and not (isinstance(expr, FieldRef) and not self.ground.small(expr)):
            fns += ["sum", "avg"] * 2
        fn: Any = self.r.choice(fns)
        types: dict[str, Type] = {"count": INT, "avg": FLOAT if expr.type.kind == "float" else DECIMAL}
        if fn == "sum" and expr.type.kind == "decimal":
            types["sum"] = Type("decimal", places=expr.type.places)
        distinct = expr.type.groupable and fn not in ("min", "max") and self.r.random() < 0.3
        return Aggregate(fn, expr, distinct, types.get(fn, expr.type))

    def grouped(self, entity: Entity, depth: int = 1) -> Select:
        """Groups, with aggregates; sorted by all columns, so that only equal ones are tied."""
        refs = [ref for ref in self.ground.refs(entity) if ref.type.groupable]
        keys = tuple(dict.fromkeys(self.r.choice(refs) for _ in range(self.r.choice((0, 1, 1, 2)))))
        found = [self.aggregate(entity) for _ in range(self.r.choice((1, 2)))]
        exprs: list[Any] = [*keys, *found]
        having: Condition = Constant(True)
        counted = [item for item in found if item.type is INT]
        if counted and self.r.random() < 0.4:
            having = Compare(self.r.choice(counted), self.r.choice(self.ground.ops), Value(self.r.choice((0, 1, 2)), INT))
        order = tuple(Order(expr, self.r.random() < 0.5, self.r.random() < 0.3) for expr in exprs)
        columns = tuple(Column(f"c{place}", expr) for place, expr in enumerate(exprs))
        return Select(
            entity, self.condition(entity, depth), order, self.r.choice((None, None, 0, 2)), self.r.choice((0, 0, 1)), columns,
            group_by=keys, having=having,
        )  # fmt: skip


NUMBERS = ("int", "float", "decimal")
__all__ = ["BOOL", "Ground", "Trees"]
