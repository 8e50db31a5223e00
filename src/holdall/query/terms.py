"""Terms: what `Order.total` and `Order.customer.name` are at run time, and the functions for what plain types have no method for.

A term holds an expression and builds conditions, orders and arithmetic from Python operators. Type checkers never see terms: to them
`Order.total` is a Decimal. Whatever would lie (`and`, `in`, `if`, iteration) raises. Must not know model classes; operands that are
records are recognised by `__entity__` and `__key_value__`.
"""

from __future__ import annotations

from typing import Any, Literal, NoReturn, cast

from holdall.errors import QueryError, near_name
from holdall.query.nodes import (
    Aggregate,
    Arith,
    Compare,
    CompareOp,
    Condition,
    Expr,
    FieldRef,
    Match,
    MatchOp,
    Not,
    Quantifier,
    Related,
    Value,
    all_of,
    any_of,
    as_condition,
)
from holdall.query.select import key_ref
from holdall.schema import CONTAINERS, BadOperand, Entity, Relation, Type

Around = tuple[tuple[tuple[Relation, ...], Relation, Quantifier], ...]  # quantified relations that enclose a term, outermost first

INT, DECIMAL, FLOAT, BOOL, STR = Type("int"), Type("decimal"), Type("float"), Type("bool"), Type("str")
JSON = Type("json")
_TEXT_KINDS = frozenset({"str", "json"})
_SEQUENCES: tuple[type[Any], ...] = (tuple, list)  # isinstance with these leaves Any as it is; list would make its items unknown


def _no_truth(subject: str) -> NoReturn:
    raise QueryError(
        f"{subject} has no value in Python; it stands for a field of every record.",
        hint="Use & | and not_(…) instead of and, or, not; one_of(X, values) instead of 'in'; between(X, a, b) instead of a < X < b.",
    )


class Term:
    """A field, a place inside a JSON field, arithmetic on fields, or an aggregate."""

    __slots__ = ("_around", "_expr")

    def __init__(self, expr: Expr, around: Around = ()) -> None:
        self._expr = expr
        self._around = around

    # Comparisons

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]  # builds a query
        return compare(self, "eq", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]  # builds a query
        return compare(self, "ne", other)

    def __lt__(self, other: object) -> Condition:
        return compare(self, "lt", other)

    def __le__(self, other: object) -> Condition:
        return compare(self, "lte", other)

    def __gt__(self, other: object) -> Condition:
        return compare(self, "gt", other)

    def __ge__(self, other: object) -> Condition:
        return compare(self, "gte", other)

    __hash__ = object.__hash__

    # What str has a method for

    def startswith(self, text: str) -> Condition:
        """Text begins with exactly this text."""
        return match(self, "startswith", text)

    def endswith(self, text: str) -> Condition:
        """Text ends with exactly this text."""
        return match(self, "endswith", text)

    # Arithmetic

    def __add__(self, other: object) -> Term:
        return arithmetic("add", self, other)

    def __radd__(self, other: object) -> Term:
        return arithmetic("add", other, self)

    def __sub__(self, other: object) -> Term:
        return arithmetic("sub", self, other)

    def __rsub__(self, other: object) -> Term:
        return arithmetic("sub", other, self)

    def __mul__(self, other: object) -> Term:
        return arithmetic("mul", self, other)

    def __rmul__(self, other: object) -> Term:
        return arithmetic("mul", other, self)

    def __truediv__(self, other: object) -> NoReturn:
        raise QueryError(
            "Division is not offered in queries, because engines disagree on its result.",
            hint="Multiply, or compute it in Python.",
        )

    __floordiv__ = __mod__ = __rtruediv__ = __pow__ = __truediv__

    # A bare boolean field is a condition

    def __condition__(self) -> Condition:
        if expr_type(self._expr).kind != "bool":
            raise QueryError(f"{self} is not a condition.", hint="Compare it with something.")
        return wrapped(self._around, Compare(self._expr, "eq", Value(True, BOOL)))

    def __and__(self, other: Condition | bool) -> Condition:
        return all_of(self.__condition__(), as_condition(other))

    def __or__(self, other: Condition | bool) -> Condition:
        return any_of(self.__condition__(), as_condition(other))

    def __rand__(self, other: Condition | bool) -> Condition:
        return all_of(as_condition(other), self.__condition__())

    def __ror__(self, other: Condition | bool) -> Condition:
        return any_of(as_condition(other), self.__condition__())

    def __invert__(self) -> Condition:
        return Not(self.__condition__())

    # Places inside JSON, dict and record values

    def __getattr__(self, name: str) -> Term:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._inside(name)

    def __getitem__(self, key: str | int) -> Term:
        return self._inside(key)

    def _inside(self, key: str | int) -> Term:
        expr = self._expr
        if not isinstance(expr, FieldRef):
            raise QueryError(f"{self} has no parts.")
        return Term(inside(expr, key), self._around)

    # What would lie

    def __bool__(self) -> NoReturn:  # noqa: PLE0304 - raising is its purpose
        _no_truth(str(self))

    def __iter__(self) -> NoReturn:
        _no_truth(str(self))

    def __contains__(self, item: object) -> NoReturn:
        raise QueryError(
            "'in' cannot become part of a query, because Python makes a bool of it.",
            hint="Write contains(X, item), or one_of(X, values).",
        )

    def __str__(self) -> str:
        return expr_name(self._expr)

    def __repr__(self) -> str:
        return f"<term {self}>"


class RelationTerm:
    """A relation, on the way to a field: `Order.customer` in `Order.customer.name`."""

    __slots__ = ("_around", "_relation", "_root", "_steps")

    def __init__(self, root: Entity, steps: tuple[Relation, ...], relation: Relation, around: Around = ()) -> None:
        self._root = root
        self._steps = steps
        self._relation = relation
        self._around = around

    def __getattr__(self, name: str) -> Term | RelationTerm:
        if name.startswith("__"):
            raise AttributeError(name)
        relation = self._relation
        if relation.to_many:
            raise QueryError(
                f"{self} leads to many records, so '{name}' has no single value.",
                hint=f"Write each({self}).{name} for any of them, every(…) for all, none(…) for none.",
                name=name,
            )
        return member(relation.target.entity, self._root, (*self._steps, relation), name, self._around)

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]  # builds a query
        return wrapped(self._around, same_record(self._root, self._steps, self._relation, other))

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]  # builds a query
        return wrapped(self._around, Not(same_record(self._root, self._steps, self._relation, other)))

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:  # noqa: PLE0304 - raising is its purpose
        _no_truth(str(self))

    def __iter__(self) -> NoReturn:
        _no_truth(str(self))

    def __str__(self) -> str:
        return ".".join([self._root.name, *(step.name for step in self._steps), self._relation.name])

    def __repr__(self) -> str:
        return f"<relation {self}>"


class EachTerm:
    """The records that a relation leads to, quantified: each(…), every(…), none(…)."""

    __slots__ = ("_around", "_entity")

    def __init__(self, entity: Entity, around: Around) -> None:
        self._entity = entity
        self._around = around

    def __getattr__(self, name: str) -> Term | RelationTerm:
        if name.startswith("__"):
            raise AttributeError(name)
        return member(self._entity, self._entity, (), name, self._around)

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]  # builds a query
        return wrapped(self._around, all_of(*_key_equals(self._entity, other)))

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]  # builds a query
        return wrapped(self._around, Not(all_of(*_key_equals(self._entity, other))))

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:  # noqa: PLE0304 - raising is its purpose
        _no_truth(f"A quantified relation to {self._entity.name}")


AnyTerm = Term | RelationTerm | EachTerm


def class_term(cls: Any, name: str) -> Term | RelationTerm:
    """What `Model.name` is: the term of a field or relation; AttributeError (with a near name) when the model has none of that name."""
    entity: Entity = cls.__entity__
    field = entity.by_name.get(name)
    if field is not None:
        return Term(FieldRef(entity, (), field, (), field.type))
    relation = entity.relations.get(name)
    if relation is not None:
        return RelationTerm(entity, (), relation)
    known = [*entity.by_name, *entity.relations]
    raise AttributeError(f"{entity.name} has no field or relation '{name}'. {near_name(name, known)}")


def member(entity: Entity, root: Entity, steps: tuple[Relation, ...], name: str, around: Around = ()) -> Term | RelationTerm:
    """The term for a name on `entity`, reached from `root` by `steps`; QueryError with a near name when there is none."""
    field = entity.by_name.get(name)
    if field is not None:
        return Term(FieldRef(root, steps, field, (), field.type), around)
    relation = entity.relations.get(name)
    if relation is not None:
        return RelationTerm(root, steps, relation, around)
    raise unknown_field(entity, name)


def unknown_field(entity: Entity, name: str) -> QueryError:
    """The error for a name that an entity lacks."""
    return QueryError(
        f"{entity.name} has no field '{name}'.",
        hint=near_name(name, [*entity.by_name, *entity.relations]),
        name=name,
        kind="unknown_field",
    )


def inside(ref: FieldRef, key: str | int) -> FieldRef:
    """The place `key` inside a json, dict or record expression; QueryError if there can be none, or `key` is no text (A7)."""
    kind = ref.type.kind
    if isinstance(key, str):
        try:
            STR.check(key)
        except BadOperand as error:
            raise QueryError(f"{ref.name} has no such part: {error}.", name=ref.name, kind="unknown_field") from None
    if kind == "json":
        return FieldRef(ref.entity, ref.steps, ref.field, (*ref.keys, key), JSON)
    if kind == "dict" and isinstance(key, str):
        assert ref.type.item is not None
        return FieldRef(ref.entity, ref.steps, ref.field, (*ref.keys, key), ref.type.item)
    if kind == "list" and isinstance(key, int):
        assert ref.type.item is not None
        return FieldRef(ref.entity, ref.steps, ref.field, (*ref.keys, key), ref.type.item)
    if kind == "record":
        for name, part, _ in ref.type.fields:
            if name == key:
                return FieldRef(ref.entity, ref.steps, ref.field, (*ref.keys, name), part)
        raise QueryError(
            f"{ref.type.name} has no field '{key}'.", hint=near_name(str(key), [name for name, _, _ in ref.type.fields]), name=str(key),
            kind="unknown_field",
        )  # fmt: skip
    raise QueryError(
        f"{ref.name} is {ref.type.name}, which has no '{key}'.",
        hint="Only JSON, dict, list and nested values have parts.",
        name=str(key),
        kind="unknown_field",
    )


def expr_type(expr: Expr) -> Type:
    """The type of an expression's value."""
    return expr.type


def expr_name(expr: Expr) -> str:
    """What error messages and columns call an expression."""
    if isinstance(expr, FieldRef):
        return f"{expr.entity.name}.{expr.name}"
    if isinstance(expr, Aggregate):
        return f"{expr.fn}({'' if expr.expr is None else expr_name(expr.expr)})"
    if isinstance(expr, Arith):
        sign = {"add": "+", "sub": "-", "mul": "*"}[expr.op]
        return f"({expr_name(expr.left)} {sign} {expr_name(expr.right)})"
    return repr(expr.value)


def wrapped(around: Around, condition: Condition) -> Condition:
    """The condition inside its quantified relations."""
    for steps, relation, quantifier in reversed(around):
        condition = Related(steps, relation, quantifier, condition)
    return condition


def as_term(value: object, function: str) -> Term:
    """The term itself; QueryError for anything else, naming the function that was called with it."""
    if isinstance(value, Term):
        return value
    raise QueryError(f"{function} takes a field of a model, such as Order.total, not {value!r}.")


def operand(expr: Expr, value: Any, around: Around = ()) -> Expr:
    """The right side of a comparison with `expr`: another term, or a value typed by `expr`. QueryError if it cannot be compared."""
    if isinstance(value, Term):
        if value._around != around:
            raise QueryError(f"{value} cannot be compared with {expr_name(expr)}: they belong to different records.")
        if not comparable(expr_type(expr), expr_type(value._expr)):
            raise mismatch(expr, f"{value} is {expr_type(value._expr).name}")
        return value._expr
    if value is None:
        raise QueryError(
            f"Comparing {expr_name(expr)} with None is never true (null is unknown).",
            hint=f"Write is_null({expr_name(expr)}) or {last_name(expr)}__is_null=True; is_same(…) treats null as a value.",
            name=last_name(expr),
            kind="bad_value",
        )
    return Value(checked(expr, value), expr_type(expr))


def checked(expr: Expr, value: Any) -> Any:
    """The canonical form of an operand for `expr`; QueryError if it is of another type."""
    try:
        return expr_type(expr).check(value)
    except BadOperand as error:
        raise mismatch(expr, str(error)) from None


def comparable(left: Type, right: Type) -> bool:
    """Whether two expressions may be compared: the same kind, or int with Decimal (C5)."""
    return left.kind == right.kind or {left.kind, right.kind} == {"int", "decimal"}


def mismatch(expr: Expr, why: str) -> QueryError:
    """The error for an operand that cannot be compared with the expression."""
    return QueryError(f"{expr_name(expr)} cannot be compared: {why}.", name=last_name(expr), kind="bad_value")


def last_name(expr: Expr) -> str:
    """The path as the user wrote it, without the model's name."""
    return expr.name if isinstance(expr, FieldRef) else expr_name(expr)


def compare(term: Term, op: CompareOp, value: Any) -> Condition:
    """term op value, typed."""
    expr = term._expr
    if expr.type.kind in CONTAINERS and op in ("lt", "lte", "gt", "gte"):
        in_json = isinstance(expr, FieldRef) and bool(expr.keys) and expr.type.kind == "json"
        if not in_json:
            raise QueryError(f"{term} is {expr_type(expr).name}, which has no order.", name=last_name(expr), kind="bad_value")
    condition = Compare(expr, op, operand(expr, value, term._around))
    return wrapped(term._around, condition) if term._around else condition


def match(term: Term, op: MatchOp, text: object) -> Condition:
    """A text test on a text field."""
    expr = term._expr
    if expr_type(expr).kind not in _TEXT_KINDS or (expr_type(expr).kind == "json" and not (isinstance(expr, FieldRef) and expr.keys)):
        raise QueryError(f"{term} is {expr_type(expr).name}; {op} needs text.", name=last_name(expr), kind="bad_value")
    if not isinstance(text, str):
        raise QueryError(f"{op} on {term} needs text, not {text!r}.", name=last_name(expr), kind="bad_value")
    try:
        text = STR.check(text)
    except BadOperand as error:
        raise mismatch(expr, str(error)) from None
    return wrapped(term._around, Match(expr, op, cast(str, text)))


def arithmetic(op: Literal["add", "sub", "mul"], left: object, right: object) -> Term:
    """left op right, where at least one side is a term and both are int or Decimal (C4)."""
    terms = [side for side in (left, right) if isinstance(side, Term)]
    around = terms[0]._around
    exprs: list[Expr] = []
    for side in (left, right):
        if isinstance(side, Term):
            expr: Expr = side._expr
        elif type(side) is int:
            expr = Value(INT.check(side), INT)
        else:
            try:
                expr = Value(DECIMAL.check(side), DECIMAL)
            except BadOperand as error:
                raise QueryError(f"Arithmetic on {terms[0]} needs an int or a Decimal: {error}.", kind="bad_value") from None
        if expr_type(expr).kind not in ("int", "decimal"):
            raise QueryError(
                f"{expr_name(expr)} is {expr_type(expr).name}; arithmetic in queries works on int and Decimal only.",
                hint="Its result would differ between engines: compute it in Python.",
                kind="bad_value",
            )
        exprs.append(expr)
    kind = DECIMAL if any(expr_type(expr).kind == "decimal" for expr in exprs) else INT
    return Term(Arith(op, exprs[0], exprs[1], kind), around)


def same_record(root: Entity, steps: tuple[Relation, ...], relation: Relation, other: Any) -> Condition:
    """The condition that a to-one relation leads to `other`: a record, or its key."""
    if relation.kind != "belongs_to":
        raise QueryError(f"{relation.name} leads to many or from the other side; write each({root.name}.{relation.name}) == record.")
    target = relation.target.entity
    values = _key_values(target, other)
    by_remote = dict(zip(target.key, values, strict=True))
    owner = relation.owner.entity
    conditions: list[Condition] = []
    for local, remote in zip(relation.local, relation.remote, strict=True):
        field = owner.by_name[local]
        ref = FieldRef(root, steps, field, (), field.type)
        conditions.append(Compare(ref, "eq", operand(ref, by_remote[remote])))
    return all_of(*conditions)


def _key_equals(entity: Entity, other: Any) -> list[Condition]:
    values = _key_values(entity, other)
    return [
        Compare(key_ref(entity, name), "eq", operand(key_ref(entity, name), value)) for name, value in zip(entity.key, values, strict=True)
    ]


def _key_values(target: Entity, other: Any) -> tuple[Any, ...]:
    entity = getattr(other, "__entity__", None)
    if entity is not None:
        if entity is not target:
            raise QueryError(f"A record of {entity.name} cannot be compared with {target.name}.", kind="bad_value")
        key = other.__key_value__()
    else:
        key = other
    values: tuple[Any, ...] = (key,)
    if len(target.key) != 1 and isinstance(key, _SEQUENCES):
        values = tuple(key)
    if len(values) != len(target.key):
        raise QueryError(f"The key of {target.name} has {len(target.key)} parts: {', '.join(target.key)}.", kind="bad_value")
    if any(value is None for value in values):
        raise QueryError(
            f"{target.name} to compare with has no key yet.",
            hint="Save it first, or write is_null(…) for no record.",
            kind="bad_value",
        )
    return values
