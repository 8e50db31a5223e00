"""The query tree: frozen data that every spelling of a query ends in and every backend starts from.

Owns the nodes for expressions, conditions and orders. All names are resolved and all operands typed before a node is made, so nobody
below needs to look anything up or doubt an operand. Must not know models, engines or how anything is run.
Nodes compare by value; schema objects inside them compare by identity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from holdall.errors import QueryError
from holdall.schema import Entity, Field, Relation, Type

CompareOp = Literal["eq", "ne", "lt", "lte", "gt", "gte", "same", "not_same"]
MatchOp = Literal["contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "like", "iexact"]
Quantifier = Literal["any", "every", "none"]
AggregateName = Literal["count", "sum", "avg", "min", "max"]


# Expressions: things that have a value for a row.


@dataclass(frozen=True, slots=True)
class Value:
    """A canonical operand, never null (comparisons with null are refused), except as the right side of 'same' and in updates."""

    value: Any
    type: Type


@dataclass(frozen=True, slots=True)
class FieldRef:
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


@dataclass(frozen=True, slots=True)
class Arith:
    """left op right on int or decimal; null if either is null. `type` is the result's: decimal if either side is (C4)."""

    op: Literal["add", "sub", "mul"]
    left: Expr
    right: Expr
    type: Type


@dataclass(frozen=True, slots=True)
class Aggregate:
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


@dataclass(frozen=True, slots=True)
class Compare(Condition):
    """left op right. Unknown if a side is null, except for 'same' and 'not_same', which treat null as a value."""

    left: Expr
    op: CompareOp
    right: Expr


@dataclass(frozen=True, slots=True)
class Membership(Condition):
    """left IN values (`negated`: NOT IN). `values` are canonical; `with_null` says that the list held a null too (B2, B5)."""

    left: Expr
    values: tuple[Any, ...]
    type: Type
    with_null: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Match(Condition):
    """A text test (A3, A4). `text` is literal, except for 'like': % any text, _ one character, \\ escapes."""

    left: Expr
    op: MatchOp
    text: str


@dataclass(frozen=True, slots=True)
class IsNull(Condition):
    """Whether left is null; never unknown. At the end of a JSON path, missing is null and JSON null is not (E2)."""

    left: Expr
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Holds(Condition):
    """Whether a list, set, dict (its keys) or JSON list holds all or any of `items`. Unknown if left is null."""

    left: Expr
    items: tuple[Any, ...]
    mode: Literal["all", "any"]
    type: Type


@dataclass(frozen=True, slots=True)
class Related(Condition):
    """Whether any, every or no row reached by `relation` meets `inner`, which is about that row. Never unknown.

    `steps` are to-one relations to follow first; if they lead nowhere there are no related rows. 'every' holds for no rows at all; a
    row for which inner is unknown does not meet it.
    """

    steps: tuple[Relation, ...]
    relation: Relation
    quantifier: Quantifier
    inner: Condition


@dataclass(frozen=True, slots=True)
class And(Condition):
    """All of at least two."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or(Condition):
    """At least one of at least two."""

    items: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """True if item is false, false if it is true, else unknown."""

    item: Condition


@dataclass(frozen=True, slots=True)
class Constant(Condition):
    """Always true or always false."""

    value: bool


TRUE, FALSE = Constant(True), Constant(False)


@dataclass(frozen=True, slots=True)
class Order:
    """Sort by expr; nulls last unless `nulls_first`, in both directions (B1)."""

    expr: Expr
    descending: bool = False
    nulls_first: bool = False


@dataclass(frozen=True, slots=True)
class Column:
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
