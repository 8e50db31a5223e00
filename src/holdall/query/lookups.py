"""Lookups: the spelling `path__op=value` of Python keywords, URLs and the command line, and the JSON form of a condition.

Owns the operator list and the grammar of paths. All three spellings end in the same nodes as terms do. Must not know models or HTTP.

    operator                                            operand
    eq ne gt gte lt lte                                 one value; no operator means eq
    in nin                                              several values
    between                                             two values
    contains                                            text in a text field; one item in a list, set, dict or JSON list
    icontains startswith istartswith endswith           text
    iendswith iexact like                               text
    is_null                                             true or false
    has                                                 one item of a container
    any all                                             several items of a container

A path goes through relations and into JSON by '__' or '.'. Through a relation to many it means: any of the records.
As text, several values are separated by commas; a value with a comma in it is given by a JSON list: ["a,b","c"].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from holdall.errors import QueryError, near_name
from holdall.query.nodes import Condition, FieldRef, Not, all_of, any_of, as_condition, map_conditions
from holdall.query.operators import between, holds, make_order, membership, null_test, quantified
from holdall.query.terms import (
    JSON,
    STR,
    AnyTerm,
    EachTerm,
    RelationTerm,
    Term,
    compare,
    expr_type,
    match,
    member,
    unknown_field,
)
from holdall.schema import BadOperand, Entity, NotJson, Type, decode_json

_COMPARISONS = ("eq", "ne", "gt", "gte", "lt", "lte")
_TEXTS = ("icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "like")
_LISTS = ("in", "nin", "between", "any", "all")
OPERATORS: tuple[str, ...] = (*_COMPARISONS, "in", "nin", "between", "contains", *_TEXTS, "is_null", "has", "any", "all")

# For isinstance: what is Any stays Any, where `Mapping` would make it a mapping of unknown things.
_MAPPING: type[Any] = Mapping
_SEQUENCE: type[Any] = Sequence

Reader = Callable[[Type, Any], Any]  # turns what was given into an operand for a type


@dataclass(frozen=True, slots=True)
class Q(Condition):
    """Conditions by keyword, resolved when they meet a model: Q(age__gte=18) | Q(vip=True). All keywords of one Q must hold."""

    lookups: tuple[tuple[str, Any], ...]

    def __init__(self, **lookups: Any) -> None:
        object.__setattr__(self, "lookups", tuple(lookups.items()))


def resolve(entity: Entity, condition: Condition) -> Condition:
    """The condition with every Q in it replaced by what it means for `entity`; QueryError for parts about another entity."""

    def leaf(node: Condition) -> Condition:
        if isinstance(node, Q):
            return all_of(*(lookup(entity, name, value) for name, value in node.lookups))
        return node

    return map_conditions(as_condition(condition), leaf)


def lookup(entity: Entity, name: str, value: Any) -> Condition:
    """The condition for a Python keyword such as customer__name__icontains='ada'."""
    target, op = parse_path(entity, name)
    return build(target, op, value, name, _given)


def text_lookup(entity: Entity, name: str, text: str) -> Condition:
    """The condition for a parameter of a URL or a `--where` of the command line, whose operand is text."""
    target, op = parse_path(entity, name)
    value: Any = text
    if op in _LISTS:
        value = _split(text, name)
    elif op == "is_null":
        value = _bool(text, name)
    return build(target, op, value, name, _parsed)


def json_condition(entity: Entity, data: Any) -> Condition:
    """The condition for a JSON document: {"age": {"gte": 18}, "or": [{…}, {…}], "not": {…}}; members of an object all hold."""
    if not isinstance(data, _MAPPING):
        raise QueryError(f"A condition is a JSON object, not {data!r}.", kind="bad_value", hint='For example {"age": {"gte": 18}}.')
    parts: list[Condition] = []
    for name, value in data.items():
        key = str(name)
        if key in ("and", "or"):
            if not isinstance(value, _SEQUENCE) or isinstance(value, str):
                raise QueryError(f"'{key}' takes a list of conditions.", name=key, kind="bad_value")
            items = [json_condition(entity, item) for item in value]
            parts.append(all_of(*items) if key == "and" else any_of(*items))
        elif key == "not":
            parts.append(Not(json_condition(entity, value)))
        elif isinstance(value, _MAPPING) and _operators_only(value):
            for op, operand in value.items():
                parts.append(_json_lookup(entity, f"{key}__{op}", operand))
        else:
            parts.append(_json_lookup(entity, key, value))
    return all_of(*parts)


def _operators_only(value: Mapping[Any, Any]) -> bool:
    return bool(value) and all(op in OPERATORS for op in value)


def _json_lookup(entity: Entity, name: str, value: Any) -> Condition:
    target, op = parse_path(entity, name)
    return build(target, op, value, name, _from_json)


def parse_path(entity: Entity, name: str) -> tuple[AnyTerm, str]:
    """What a path leads to, and its operator ('eq' when none is given); QueryError with a near name for what is unknown."""
    parts = name.replace(".", "__").split("__")
    here: AnyTerm = _step(entity, None, parts[0])
    for index, part in enumerate(parts[1:], start=1):
        last = index == len(parts) - 1
        if last and part in OPERATORS and not _has(here, part):
            return here, part
        here = _next(entity, here, part, last)
    return here, "eq"


def _has(here: AnyTerm, name: str) -> bool:
    """Whether `name` is a field there, which then comes before an operator of the same name."""
    if isinstance(here, Term):
        return False
    entity = here._relation.target.entity if isinstance(here, RelationTerm) else here._entity
    return name in entity.by_name or name in entity.relations


def _next(entity: Entity, here: AnyTerm, part: str, last: bool) -> AnyTerm:
    if isinstance(here, RelationTerm):
        target = quantified(here, "any") if here._relation.to_many else here
        names = [*here._relation.target.entity.by_name, *here._relation.target.entity.relations]
        if part not in names and last:
            raise _unknown_last(here._relation.target.entity, part)
        return target.__getattr__(part)  # not getattr(): a path may name what a term has for itself, such as _steps
    if isinstance(here, Term):
        kind = expr_type(here._expr).kind
        if kind not in ("json", "dict", "record", "list"):
            raise QueryError(
                f"{here} has no operator or part '{part}'.", name=part, kind="unknown_operator", hint=near_name(part, OPERATORS)
            )
        return here[int(part) if kind in ("json", "list") and part.isascii() and part.isdigit() and len(part) < 10 else part]
    return _step(entity, here, part)


def _unknown_last(entity: Entity, part: str) -> QueryError:
    error = unknown_field(entity, part)
    near = near_name(part, [*entity.by_name, *entity.relations, *OPERATORS])
    if near.startswith("Did") and near == near_name(part, OPERATORS):
        return QueryError(error.message, name=part, kind="unknown_operator", hint=near)
    return error


def _step(entity: Entity, here: EachTerm | None, part: str) -> AnyTerm:
    if here is not None:
        return member(here._entity, here._entity, (), part, here._around)
    return member(entity, entity, (), part)


def build(target: AnyTerm, op: str, value: Any, name: str, read: Reader) -> Condition:
    """The condition `target op value`, whose operands are made by `read`."""
    if isinstance(target, RelationTerm | EachTerm):
        return _relation_condition(target, op, value, name, read)
    type_ = expr_type(target._expr)
    plain = Term(target._expr, target._around)
    if op in _COMPARISONS:
        return compare(plain, op, _read(plain, read, type_, value))  # type: ignore[arg-type]  # op is one of the list, as the branch says
    if op in ("in", "nin"):
        values = [None if item is None else _read(plain, read, type_, item) for item in _sequence(value, name, op)]
        return membership(plain, values, negated=op == "nin")
    if op == "between":
        pair = _sequence(value, name, op)
        if len(pair) != 2:
            raise QueryError(f"{name} takes two values, not {len(pair)}.", name=name, kind="bad_value")
        return between(plain, _read(plain, read, type_, pair[0]), _read(plain, read, type_, pair[1]))
    if op == "is_null":
        if type(value) is not bool:
            raise QueryError(f"{name} takes true or false, not {value!r}.", name=name, kind="bad_value")
        return null_test(plain, negated=not value)
    if op in _TEXTS or (op == "contains" and type_.kind == "str"):
        return match(plain, op, value)  # type: ignore[arg-type]  # op is one of the list, as the branch says
    items = [value] if op in ("contains", "has") else _sequence(value, name, op)
    item_type = type_.item if type_.kind in ("list", "set") else JSON if type_.kind == "json" else STR
    typed = [item if item is None else _read(plain, read, item_type or STR, item) for item in items]
    return holds(plain, typed, "any" if op == "any" else "all")


def _relation_condition(target: RelationTerm | EachTerm, op: str, value: Any, name: str, read: Reader) -> Condition:
    if op == "is_null":
        if type(value) is not bool:
            raise QueryError(f"{name} takes true or false, not {value!r}.", name=name, kind="bad_value")
        if isinstance(target, RelationTerm) and target._relation.to_many:
            nothing = Not(null_test(_key_of(quantified(target, "any")), negated=True))
            return nothing if value else Not(nothing)
        return null_test(target, negated=not value)
    if op not in ("eq", "ne"):
        raise QueryError(
            f"'{name}' ends at a relation, which knows eq, ne and is_null only.", name=name, kind="unknown_operator",
            hint="Go on to one of its fields, such as customer__name.",
        )  # fmt: skip
    if isinstance(target, RelationTerm) and target._relation.kind != "belongs_to":
        target = quantified(target, "any")
    if not hasattr(value, "__entity__"):
        entity = target._entity if isinstance(target, EachTerm) else target._relation.target.entity
        if len(entity.key) == 1:
            key = entity.by_name[entity.key[0]]
            value = _read(Term(FieldRef(entity, (), key, (), key.type)), read, key.type, value)
    condition: Condition = target == value
    return Not(condition) if op == "ne" else condition


def _key_of(each: EachTerm) -> Any:
    return getattr(each, each._entity.key[0])


def _sequence(value: Any, name: str, op: str) -> list[Any]:
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
        raise QueryError(f"{name}: {op} takes a list of values, not {value!r}.", name=name, kind="bad_value")
    return list(value)


def _read(term: Term, read: Reader, type_: Type, value: Any) -> Any:
    try:
        return read(type_, value)
    except BadOperand as error:
        raise QueryError(f"{term} cannot be compared: {error}.", name=str(term), kind="bad_value") from None


def _given(type_: Type, value: Any) -> Any:
    return value


def _parsed(type_: Type, value: Any) -> Any:
    if type_.kind == "json":  # text that is no JSON is taken as a JSON string, so that data.city=Oslo needs no quotes
        try:
            return type_.check(decode_json(value))
        except NotJson:
            return type_.check(value)
    return type_.parse(value)


def _from_json(type_: Type, value: Any) -> Any:
    if isinstance(value, str) and type_.kind not in ("str", "json"):
        return type_.parse(value)
    return value


def _split(text: str, name: str) -> list[str]:
    if text.startswith("["):
        try:
            items = decode_json(text)
        except NotJson:
            raise QueryError(f"{name}: {text[:60]!r} is not a JSON list.", name=name, kind="bad_value") from None
        except BadOperand as error:
            raise QueryError(f"{name}: {error}.", name=name, kind="bad_value") from None
        return [item if isinstance(item, str) else msgspec.json.encode(item).decode() for item in items]
    return text.split(",") if text else []


def _bool(text: str, name: str) -> bool:
    if text.lower() in ("true", "1"):
        return True
    if text.lower() in ("false", "0"):
        return False
    raise QueryError(f"{name} takes true or false, not {text!r}.", name=name, kind="bad_value")


def text_order(entity: Entity, text: str) -> Any:
    """The order for '-placed_at' or 'customer.name'; nulls last."""
    descending = text.startswith("-")
    name = text[1:] if descending else text
    target, op = parse_path(entity, name)
    if op != "eq" or not isinstance(target, Term):
        raise QueryError(f"'{name}' cannot be sorted by.", name=name, kind="unknown_field", hint="Name one field.")
    return make_order(target, descending)


def text_term(entity: Entity, name: str) -> Term:
    """The term for 'total' or 'customer.name', as in fields=… and values(…)."""
    target, op = parse_path(entity, name)
    if op != "eq" or not isinstance(target, Term):
        raise QueryError(f"'{name}' is not a field of {entity.name}.", name=name, kind="unknown_field")
    if target._around:
        raise QueryError(f"'{name}' has many values for each {entity.name}.", name=name, kind="bad_value")
    return target
