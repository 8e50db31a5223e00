"""The builder: conditions and expressions of the query tree as SQLAlchemy elements.

Owns scopes (one FROM clause each: a row, the to-one rows reached from it, and what is visible of them), the three-valued logic, and the
numbering of parameters, which follows `holdall.query.shape`: prefix order. Must not know drivers, nor any engine by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import Grouping

from holdall.backends.sql.dialect import Bind, Dialect, Element, Typed
from holdall.backends.sql.formats import Coder, Format, Slot
from holdall.backends.sql.tables import Tables, uniques_of
from holdall.query import (
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
from holdall.schema import Entity, Relation

_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
}
_MIRROR = {"lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}
NULL: Element = sa.null()
GROUP_ITEMS_MAX = 32  # longer chains of AND and OR are nested: SQLite's expressions are at most 1000 deep


class Scope:
    """One FROM clause: `table` for the row itself, and an outer join per to-one relation that the conditions follow."""

    def __init__(self, builder: Builder, entity: Entity, table: Any) -> None:
        self._builder = builder
        self.entity = entity
        self.table = table
        self.source: Any = table
        self._joined: dict[tuple[Relation, ...], Any] = {}

    @property
    def joins(self) -> bool:
        """Whether any relation was followed."""
        return bool(self._joined)

    def follow(self, steps: tuple[Relation, ...]) -> tuple[Entity, Any]:
        """The entity and table at the end of to-one relations; its columns are null when a step leads nowhere or to an expired row."""
        if not steps:
            return self.entity, self.table
        target = steps[-1].target.entity
        found = self._joined.get(steps)
        if found is None:
            owner, near = self.follow(steps[:-1])
            found = self._joined[steps] = self._builder.alias(target)
            self.source = self.source.outerjoin(found, self._builder.link(steps[-1], owner, near, target, found))
        return target, found


class Builder:
    """Builds the parts of one statement. `slots` are its parameters by bind name."""

    def __init__(self, dialect: Dialect, tables: Tables, now_index: int | None) -> None:
        self.dialect = dialect
        self.tables = tables
        self.slots: dict[str, Slot] = {}
        self._now_index = now_index
        self._index = 0
        self._aliases = 0

    # Parameters.

    def take(self) -> int:
        """The index of the next parameter of the shape."""
        self._index += 1
        return self._index - 1

    def skip_to(self, index: int) -> None:
        """Go on with the parameter at `index`."""
        self._index = index

    def bind(self, index: int | None, coder: Coder | None = None, constant: Any = None) -> Element:
        """A placeholder for the parameter at `index`, or for a constant."""
        name = f"p{len(self.slots)}"
        self.slots[name] = Slot(index, coder, constant)
        return sa.bindparam(name, type_=sa.types.NullType())

    def binder(self, index: int) -> Bind:
        """What dialects get to make placeholders for one parameter."""
        return lambda coder: self.bind(index, coder)

    def _nothing(self, coder: Coder | None) -> Element:
        """A placeholder for no items at all."""
        return self.bind(None, None, () if coder is None else coder(()))

    # Rows.

    def alias(self, entity: Entity) -> Any:
        """The entity's table under a new name."""
        self._aliases += 1
        return self.tables(entity).alias(f"t{self._aliases}")

    def scope(self, entity: Entity, *, aliased: bool = True) -> Scope:
        """A new FROM clause."""
        return Scope(self, entity, self.alias(entity) if aliased else self.tables(entity))

    def visible(self, entity: Entity, table: Any) -> Element:
        """The row has not expired (H6)."""
        field = entity.expiry_field
        if field is None or self._now_index is None:
            return sa.true()
        column = table.c[field.column]
        alive = column > self.bind(self._now_index, self.dialect.format(field.type).encode)
        return sa.or_(column.is_(None), alive) if field.nullable else alive

    def link(self, relation: Relation, owner: Entity, near: Any, target: Entity, far: Any) -> Element:
        """The condition of a to-one step: rows belong together, and the far one is visible."""
        matches = _equal(owner, near, relation.local, target, far, relation.remote)
        visible = self.visible(target, far)
        if _is_unique(target, relation.remote):
            return sa.and_(matches, visible)
        # A to-one side that nothing makes unique: the row with the least key stands for it.
        other = self.alias(target)
        keys = [other.c[target.by_name[name].column] for name in target.key]
        first = (
            sa.select(*keys)
            .where(_equal(owner, near, relation.local, target, other, relation.remote), self.visible(target, other))
            .order_by(*keys)
            .limit(sa.literal_column("1"))
            .correlate_except(other)
            .scalar_subquery()
        )
        far_keys = [far.c[target.by_name[name].column] for name in target.key]
        return sa.and_(matches, visible, (sa.tuple_(*far_keys) if len(far_keys) > 1 else far_keys[0]) == first)

    # Expressions.

    def expr(self, scope: Scope, node: Expr) -> Typed:
        """The element for an expression, and how its value is stored."""
        if isinstance(node, FieldRef):
            entity, table = scope.follow(node.steps)
            column = table.c[entity.by_name[node.field.name].column]
            if node.keys:
                return self.dialect.part(column, node.field.type, node.keys, node.type)
            return column, self.dialect.format(node.field.type)
        if isinstance(node, Value):
            return self.operand(node, None, "eq")
        if isinstance(node, Arith):
            left = self.expr(scope, node.left)
            return self.dialect.arith(node.op, left, self.expr(scope, node.right), node)
        argument = None if node.expr is None else self.expr(scope, node.expr)
        return self.dialect.aggregate(node, argument)

    def operand(self, node: Value, beside: Format | None, op: str) -> Typed:
        """The placeholder of a value, encoded to be compared with what is stored in format `beside`."""
        own = self.dialect.format(node.type)
        format_ = own if beside is None or _family(own.tag) != _family(beside.tag) else beside
        if node.value is None:
            return sa.null(), format_
        return self.bind(self.take(), format_.operand_coder(op)), format_

    # Conditions.

    def condition(self, scope: Scope, node: Condition) -> Element:
        """The element for a condition: 1, 0 or NULL."""
        return getattr(self, _CONDITIONS[node.__class__])(scope, node)  # type: ignore[no-any-return]  # a table of methods

    def compare(self, scope: Scope, node: Compare) -> Element:
        op = node.op
        if isinstance(node.left, Value) and not isinstance(node.right, Value):
            # The index of the left value is taken first, its placeholder is made once the other side's format is known.
            index = None if node.left.value is None else self.take()
            other = self.expr(scope, node.right)
            left = self._late_operand(node.left, index, other[1], _MIRROR.get(op, op))
            return self._compared(op, left, other)
        left = self.expr(scope, node.left)
        if isinstance(node.right, Value):
            return self._compared(op, left, self.operand(node.right, left[1], op))
        return self._compared(op, left, self.expr(scope, node.right))

    def _late_operand(self, node: Value, index: int | None, beside: Format, op: str) -> Typed:
        own = self.dialect.format(node.type)
        format_ = beside if _family(own.tag) == _family(beside.tag) else own
        return (sa.null() if index is None else self.bind(index, format_.operand_coder(op))), format_

    def _compared(self, op: str, left: Typed, right: Typed) -> Element:
        if "json" in (left[1].tag, right[1].tag) and op in _MIRROR:
            return self.dialect.json_order(left[0], op, right[0])
        if left[1].tag != right[1].tag and _family(left[1].tag) == _family(right[1].tag) == "number":
            return self.dialect.mixed_compare(op, left, right)
        if op == "same":
            return self.dialect.same(left[0], right[0])
        if op == "not_same":
            return ~self.dialect.same(left[0], right[0])
        return _OPS[op](left[0], right[0])  # type: ignore[no-any-return]  # a table of methods

    def membership(self, scope: Scope, node: Membership) -> Element:
        left, format_ = self.expr(scope, node.left)
        if not node.values:
            found: Element = sa.false() if not node.with_null else NULL
        else:
            found = self.dialect.member(left, format_, self.binder(self.take()))
            if node.with_null:
                found = sa.or_(found, NULL)
        return ~found if node.negated else found

    def match(self, scope: Scope, node: Match) -> Element:
        left, format_ = self.expr(scope, node.left)
        return self.dialect.match(node.op, left, format_, self.binder(self.take()))

    def is_null(self, scope: Scope, node: IsNull) -> Element:
        left, _ = self.expr(scope, node.left)
        return left.is_not(None) if node.negated else left.is_(None)

    def holds(self, scope: Scope, node: Holds) -> Element:
        left, _ = self.expr(scope, node.left)
        bind = self.binder(self.take()) if node.items else self._nothing
        return self.dialect.holds(left, node.left.type, node.type, node.mode, bind)

    def related(self, scope: Scope, node: Related) -> Element:
        relation = node.relation
        owner, near = scope.follow(node.steps)
        inner = self.scope(relation.target.entity)
        target, far = inner.entity, inner.table
        conditions: list[Element] = []
        mine = [far]
        if relation.through is not None:
            through = relation.through.entity
            between = self.alias(through)
            mine.append(between)
            conditions.append(_equal(owner, near, relation.local, through, between, relation.through_local))
            conditions.append(_equal(through, between, relation.through_remote, target, far, relation.remote))
            conditions.append(self.visible(through, between))
        else:
            conditions.append(_equal(owner, near, relation.local, target, far, relation.remote))
        conditions.append(self.visible(target, far))
        meets = self.condition(inner, node.inner)
        # In parentheses of its own: NOT binds less than IS, so that (NOT x) IS NOT true would be read as NOT (x IS NOT true).
        conditions.append(Grouping(meets).is_not(sa.true()) if node.quantifier == "every" else meets)
        one: Element = sa.literal_column("1")
        query = sa.select(one).select_from(inner.source, *mine[1:]).where(*conditions).correlate(near)
        return query.exists() if node.quantifier == "any" else ~query.exists()

    def all_of(self, scope: Scope, node: And) -> Element:
        return _nested(sa.and_, [self.condition(scope, item) for item in node.items])

    def any_of(self, scope: Scope, node: Or) -> Element:
        return _nested(sa.or_, [self.condition(scope, item) for item in node.items])

    def negate(self, scope: Scope, node: Not) -> Element:
        return sa.not_(self.condition(scope, node.item))

    def constant(self, scope: Scope, node: Constant) -> Element:  # noqa: ARG002  as its neighbours
        return sa.true() if node.value else sa.false()


_CONDITIONS: dict[type, str] = {
    Compare: "compare",
    Membership: "membership",
    Match: "match",
    IsNull: "is_null",
    Holds: "holds",
    Related: "related",
    And: "all_of",
    Or: "any_of",
    Not: "negate",
    Constant: "constant",
}


class _Parentheses(Grouping[Any]):
    """Parentheses that SQLAlchemy does not flatten away: it asks for the operator of what is inside."""

    operator = None
    inherit_cache = True


def _nested(join: Any, items: list[Element]) -> Element:
    """A balanced tree, so that no chain is deeper than the engine's parser allows."""
    while len(items) > GROUP_ITEMS_MAX:
        chunks = [items[start : start + GROUP_ITEMS_MAX] for start in range(0, len(items), GROUP_ITEMS_MAX)]
        items = [_Parentheses(join(*chunk)) for chunk in chunks]
    return join(*items)  # type: ignore[no-any-return]  # a table of methods


def _family(tag: str) -> str:
    return "number" if tag in ("int", "float", "decimal") or tag.startswith("scaled") else tag


def _equal(left: Entity, near: Any, local: tuple[str, ...], right: Entity, far: Any, remote: tuple[str, ...]) -> Element:
    return sa.and_(
        *(near.c[left.by_name[one].column] == far.c[right.by_name[other].column] for one, other in zip(local, remote, strict=True))
    )


def _is_unique(entity: Entity, names: tuple[str, ...]) -> bool:
    held = set(names)
    return held >= set(entity.key) or any(held >= set(fields) for _, fields in uniques_of(entity))
