"""The query tree: frozen data that every spelling of a query ends in and every backend starts from.

Owns the nodes for expressions, conditions and orders. All names are resolved and all operands typed before a node is made, so nobody
below needs to look anything up or doubt an operand. Must not know models, engines or how anything is run.
Nodes compare by value; schema objects inside them compare by identity. They are msgspec structs, because every query makes several and
a frozen dataclass takes ten times as long to make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NoReturn

import msgspec

from holdall.errors import QueryError
from holdall.schema import Entity, Field, Relation, Type

CompareOp = Literal["eq", "ne", "lt", "lte", "gt", "gte", "same", "not_same"]
MatchOp = Literal["contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "like", "iexact"]
Quantifier = Literal["any", "every", "none"]
AggregateName = Literal["count", "sum", "avg", "min", "max"]


# Expressions: things that have a value for a row.


class Value(msgspec.Struct, frozen=True):
    """A canonical operand, never null (comparisons with null are refused), except as the right side of 'same' and in updates."""

    value: Any
    type: Type


class FieldRef(msgspec.Struct, frozen=True):
    """The value of `field` of the row reached by following `steps` (to-one relations) from `entity`; null when a step leads nowhere.

    `keys` leads further into a json, dict or record value: text for object members, int for list items; null when missing. The value
    at the end of `keys` has type `type`.
    """

    entity: Entity
    steps: tuple[Relation, ...]
    field: Field
    keys: tuple[str | int, ...]
    type: Type

    @property
    def name(self) -> str:
        """The dotted path as users write it."""
        return ".".join([*(step.name for step in self.steps), self.field.name, *map(str, self.keys)])

    @property
    def nullable(self) -> bool:
        """Whether it can be null for some row."""
        return self.field.nullable or bool(self.keys) or any(_may_lead_nowhere(step) for step in self.steps)


def _may_lead_nowhere(step: Relation) -> bool:
    """Whether a to-one relation may have no visible row at its end: an optional one, and one to a row that can expire."""
    return step.optional or step.kind == "has_one" or step.target.entity.expiry_field is not None


class Arith(msgspec.Struct, frozen=True):
    """left op right on int or decimal; null if either is null. `type` is the result's: decimal if either side is (C4)."""

    op: Literal["add", "sub", "mul"]
    left: Expr
    right: Expr
    type: Type


class Aggregate(msgspec.Struct, frozen=True):
    """An aggregate over the rows of a group. `expr` is None only for count of rows. Nulls are left out. Results: B4."""

    fn: AggregateName
    expr: Expr | None
    distinct: bool
    type: Type


Expr = Value | FieldRef | Arith | Aggregate


# Conditions: true, false or unknown for a row (Kleene).


class Condition:
    """Base of all conditions: combined by & | ~ (never by `and`, `or`, `not`, which would silently lose a part)."""

    __slots__ = ()

    def __and__(self, other: Condition | bool) -> Condition:
        return all_of(self, as_condition(other))

    def __or__(self, other: Condition | bool) -> Condition:
        return any_of(self, as_condition(other))

    def __rand__(self, other: Condition | bool) -> Condition:
        return all_of(as_condition(other), self)

    def __ror__(self, other: Condition | bool) -> Condition:
        return any_of(as_condition(other), self)

    def __invert__(self) -> Condition:
        return Not(self)

    def __bool__(self) -> NoReturn:
        raise QueryError(
            "A query condition has no truth value in Python; it is tested by the store, for each row.",
            hint="Combine conditions with & | and not_(…) (or ~), put each side of & and | in parentheses, and write "
            "one_of(X, values) instead of 'X in values', between(X, a, b) instead of 'a < X < b'.",
        )


class Compare(Condition, msgspec.Struct, frozen=True):
    """left op right. Unknown if a side is null, except for 'same' and 'not_same', which treat null as a value."""

    left: Expr
    op: CompareOp
    right: Expr


class Membership(Condition, msgspec.Struct, frozen=True):
    """left IN values (`negated`: NOT IN). `values` are canonical; `with_null` says that the list held a null too (B2, B5)."""

    left: Expr
    values: tuple[Any, ...]
    type: Type
    with_null: bool = False
    negated: bool = False


class Match(Condition, msgspec.Struct, frozen=True):
    """A text test (A3, A4). `text` is literal, except for 'like': % any text, _ one character, \\ escapes."""

    left: Expr
    op: MatchOp
    text: str


class IsNull(Condition, msgspec.Struct, frozen=True):
    """Whether left is null; never unknown. At the end of a JSON path, missing is null and JSON null is not (E2)."""

    left: Expr
    negated: bool = False


class Holds(Condition, msgspec.Struct, frozen=True):
    """Whether a list, set, dict (its keys) or JSON list holds all or any of `items`. Unknown if left is null."""

    left: Expr
    items: tuple[Any, ...]
    mode: Literal["all", "any"]
    type: Type


class Related(Condition, msgspec.Struct, frozen=True):
    """Whether any, every or no row reached by `relation` meets `inner`, which is about that row. Never unknown.

    `steps` are to-one relations to follow first; if they lead nowhere there are no related rows. 'every' holds for no rows at all; a
    row for which inner is unknown does not meet it.
    """

    steps: tuple[Relation, ...]
    relation: Relation
    quantifier: Quantifier
    inner: Condition


class And(Condition, msgspec.Struct, frozen=True):
    """All of at least two."""

    items: tuple[Condition, ...]


class Or(Condition, msgspec.Struct, frozen=True):
    """At least one of at least two."""

    items: tuple[Condition, ...]


class Not(Condition, msgspec.Struct, frozen=True):
    """True if item is false, false if it is true, else unknown."""

    item: Condition


class Constant(Condition, msgspec.Struct, frozen=True):
    """Always true or always false."""

    value: bool


TRUE, FALSE = Constant(True), Constant(False)


class Order(msgspec.Struct, frozen=True):
    """Sort by expr; nulls last unless `nulls_first`, in both directions (B1)."""

    expr: Expr
    descending: bool = False
    nulls_first: bool = False


class Column(msgspec.Struct, frozen=True):
    """One value of a `values` query under the name `alias`."""

    alias: str
    expr: Expr


def as_condition(value: object) -> Condition:
    """The condition itself; QueryError for what is none (a Python bool from comparing two plain values, most often)."""
    if isinstance(value, Condition):
        return value
    condition = getattr(value, "__condition__", None)
    if condition is not None:  # a bare boolean term: where(User.active)
        return as_condition(condition())
    raise QueryError(
        f"{value!r} is not a query condition.",
        hint="Write conditions on the model's fields: where(Order.total >= 3) or where(total__gte=3).",
    )


def all_of(*conditions: Condition) -> Condition:
    """The conjunction, flattened; TRUE for none."""
    items = tuple(_flatten(And, conditions))
    if not items:
        return TRUE
    return items[0] if len(items) == 1 else And(items)


def any_of(*conditions: Condition) -> Condition:
    """The disjunction, flattened; FALSE for none."""
    items = tuple(_flatten(Or, conditions))
    if not items:
        return FALSE
    return items[0] if len(items) == 1 else Or(items)


def _flatten(kind: type[And | Or], conditions: tuple[Condition, ...]) -> Iterator[Condition]:
    neutral = TRUE if kind is And else FALSE
    for condition in conditions:
        if isinstance(condition, kind):
            yield from condition.items
        elif condition != neutral:
            yield condition


def map_conditions(condition: Condition, leaf: Callable[[Condition], Condition]) -> Condition:
    """The condition with `leaf` applied to everything in it that is not And, Or or Not."""
    if isinstance(condition, And):
        return all_of(*(map_conditions(item, leaf) for item in condition.items))
    if isinstance(condition, Or):
        return any_of(*(map_conditions(item, leaf) for item in condition.items))
    if isinstance(condition, Not):
        return Not(map_conditions(condition.item, leaf))
    return leaf(condition)
