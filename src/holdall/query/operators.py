"""The functions that build conditions, orders and aggregates from terms: what plain types have no method for.

Type checkers see the field's own type in `term`, hence `Any`. Must not know models or engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from holdall.errors import QueryError
from holdall.query.nodes import (
    Aggregate,
    AggregateName,
    Compare,
    Condition,
    Expr,
    FieldRef,
    Holds,
    IsNull,
    Membership,
    Not,
    Order,
    Quantifier,
    Value,
    all_of,
    as_condition,
)
from holdall.query.terms import (
    DECIMAL,
    FLOAT,
    INT,
    JSON,
    STR,
    Around,
    EachTerm,
    RelationTerm,
    Term,
    as_term,
    checked,
    compare,
    expr_type,
    last_name,
    match,
    mismatch,
    operand,
    wrapped,
)
from holdall.schema import NUMBERS, BadOperand, Type

_ITERABLE: type[Any] = Iterable  # isinstance with it leaves Any as it is; Iterable would make the items unknown


def desc(term: Any, *, nulls: Literal["first", "last"] = "last") -> Any:
    """Sort by a field, greatest first; nulls last unless asked otherwise."""
    return _order(term, True, nulls)


def asc(term: Any, *, nulls: Literal["first", "last"] = "last") -> Any:
    """Sort by a field, least first; nulls last unless asked otherwise."""
    return _order(term, False, nulls)


def _order(term: Any, descending: bool, nulls: str) -> Order:
    if nulls not in ("first", "last"):
        raise QueryError(f"nulls must be 'first' or 'last', not {nulls!r}.", kind="bad_value")
    found = as_term(term, "desc" if descending else "asc")
    return make_order(found, descending, nulls == "first")


def make_order(term: Term, descending: bool = False, nulls_first: bool = False) -> Order:
    """An order by a term; QueryError for what has no order (E3) or no single value."""
    if term._around:
        raise QueryError(f"{term} has many values; records cannot be sorted by it.", kind="bad_value")
    if not expr_type(term._expr).orderable:
        raise QueryError(f"{term} is {expr_type(term._expr).name}, which has no order.", name=last_name(term._expr), kind="bad_value")
    return Order(term._expr, descending, nulls_first)


def one_of(term: Any, values: Iterable[Any]) -> Condition:
    """Whether a field equals one of the values. None in the values never matches (B2); no values at all match nothing."""
    return membership(as_term(term, "one_of"), values, negated=False)


def not_one_of(term: Any, values: Iterable[Any]) -> Condition:
    """Whether a field equals none of the values. With None among them nothing matches (B2)."""
    return membership(as_term(term, "not_one_of"), values, negated=True)


def membership(term: Term, values: Any, *, negated: bool) -> Condition:
    """The condition of one_of and not_one_of."""
    if isinstance(values, str | bytes) or not isinstance(values, _ITERABLE):
        raise QueryError(f"{term} needs a list of values, not {values!r}.", name=last_name(term._expr), kind="bad_value")
    given = list(values)
    canonical = [checked(term._expr, value) for value in given if value is not None]
    unique = tuple(dict.fromkeys(canonical)) if expr_type(term._expr).groupable else tuple(canonical)
    node = Membership(term._expr, unique, expr_type(term._expr), with_null=None in given, negated=negated)
    return wrapped(term._around, node)


def between(term: Any, low: Any, high: Any) -> Condition:
    """Whether low <= field <= high."""
    found = as_term(term, "between")
    plain = Term(found._expr)
    return wrapped(found._around, all_of(compare(plain, "gte", low), compare(plain, "lte", high)))


def is_null(term: Any) -> Condition:
    """Whether a field has no value, or a to-one relation leads to no record."""
    return null_test(term, negated=False)


def is_not_null(term: Any) -> Condition:
    """Whether a field has a value, or a to-one relation leads to a record."""
    return null_test(term, negated=True)


def null_test(term: Any, *, negated: bool) -> Condition:
    """The condition of is_null and is_not_null."""
    if isinstance(term, RelationTerm):
        if term._relation.to_many:
            raise QueryError(f"{term} leads to many records.", hint=f"Write none({term}) or each({term}) with a condition.")
        target = term._relation.target.entity
        field = target.by_name[target.key[0]]
        expr: Expr = FieldRef(term._root, (*term._steps, term._relation), field, (), field.type)
        return wrapped(term._around, IsNull(expr, negated))
    found = as_term(term, "is_null")
    return wrapped(found._around, IsNull(found._expr, negated))


def is_same(term: Any, value: Any) -> Condition:
    """Whether a field equals the value, where null equals null; never unknown."""
    found = as_term(term, "is_same")
    right = Value(None, expr_type(found._expr)) if value is None else operand(found._expr, value, found._around)
    return wrapped(found._around, Compare(found._expr, "same", right))


def contains(term: Any, item: Any) -> Condition:
    """Whether a text contains exactly this text, or a list, set, dict (keys) or JSON list holds this item."""
    found = as_term(term, "contains")
    if expr_type(found._expr).kind == "str":
        return match(found, "contains", item)
    return holds(found, [item], "all")


def contains_any(term: Any, items: Iterable[Any]) -> Condition:
    """Whether a list, set, dict (keys) or JSON list holds at least one of the items."""
    return holds(as_term(term, "contains_any"), list(items), "any")


def contains_all(term: Any, items: Iterable[Any]) -> Condition:
    """Whether a list, set, dict (keys) or JSON list holds all of the items."""
    return holds(as_term(term, "contains_all"), list(items), "all")


def holds(term: Term, items: Sequence[Any], mode: Literal["all", "any"]) -> Condition:
    """The condition of contains, contains_any and contains_all on containers."""
    expr = term._expr
    kind = expr_type(expr).kind
    if kind in ("list", "set"):
        item_type = expr_type(expr).item
        assert item_type is not None
    elif kind == "dict":
        item_type = STR
    elif kind == "json":
        item_type = JSON
    else:
        raise QueryError(f"{term} is {expr_type(expr).name}, which holds no items.", name=last_name(expr), kind="bad_value")
    try:
        canonical = tuple(item_type.check(item) for item in items)
    except BadOperand as error:
        raise mismatch(expr, str(error)) from None
    return wrapped(term._around, Holds(expr, canonical, mode, item_type))


def like(term: Any, pattern: str) -> Condition:
    """Whether a text is of this pattern: % any text, _ one character, \\ takes the next character literally; case-sensitive."""
    return match(as_term(term, "like"), "like", pattern)


def iexact(term: Any, text: str) -> Condition:
    """Whether two texts are equal when case is folded."""
    return match(as_term(term, "iexact"), "iexact", text)


def icontains(term: Any, text: str) -> Condition:
    """Whether a text contains this text when case is folded."""
    return match(as_term(term, "icontains"), "icontains", text)


def istartswith(term: Any, text: str) -> Condition:
    """Whether a text begins with this text when case is folded."""
    return match(as_term(term, "istartswith"), "istartswith", text)


def iendswith(term: Any, text: str) -> Condition:
    """Whether a text ends with this text when case is folded."""
    return match(as_term(term, "iendswith"), "iendswith", text)


def not_(condition: Any) -> Condition:
    """The opposite; unknown stays unknown. (`~` does the same, but type checkers take it for an int.)"""
    return Not(as_condition(condition))


def quantified(relation: object, quantifier: Quantifier) -> EachTerm:
    """The records of a relation under a quantifier."""
    if isinstance(relation, EachTerm) or not isinstance(relation, RelationTerm):
        raise QueryError(f"each, every and none take a relation, such as Customer.orders, not {relation!r}.")
    around: Around = (*relation._around, (relation._steps, relation._relation, quantifier))
    return EachTerm(relation._relation.target.entity, around)


def aggregate(fn: AggregateName, term: Any = None, *, distinct: bool = False) -> Term:
    """The aggregate of a field over a group; see holdall.agg."""
    if term is None:
        if fn != "count":
            raise QueryError(f"{fn} needs a field.")
        return Term(Aggregate("count", None, False, INT))
    found = as_term(term, fn)
    expr = found._expr
    kind = expr_type(expr).kind
    if found._around or isinstance(expr, Aggregate):
        raise QueryError(f"{fn} of {found} is not possible: it needs one value for each record.", kind="bad_value")
    if fn in ("sum", "avg") and kind not in NUMBERS:
        raise QueryError(f"{fn} needs a number; {found} is {expr_type(expr).name}.", name=last_name(expr), kind="bad_value")
    if fn in ("min", "max") and not expr_type(expr).orderable:
        raise QueryError(f"{fn} needs an order; {found} is {expr_type(expr).name}.", name=last_name(expr), kind="bad_value")
    if distinct and not expr_type(expr).groupable:
        raise QueryError(f"{found} is {expr_type(expr).name}, which cannot be made distinct.", name=last_name(expr), kind="bad_value")
    return Term(Aggregate(fn, expr, distinct, _aggregate_type(fn, expr_type(expr))))


def _aggregate_type(fn: AggregateName, of: Type) -> Type:
    if fn == "count":
        return INT
    if fn == "avg":
        return FLOAT if of.kind == "float" else DECIMAL
    if fn == "sum" and of.kind == "decimal":
        return Type("decimal", places=of.places)
    return of
