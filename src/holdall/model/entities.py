"""From a shape to an entity: table names, uniques, indexes, references, checks, default filters.

Owns how model declarations become schema objects, except relations (model.linking). Must not know stores or engines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from holdall.errors import DeclarationError, near_name
from holdall.model.declared import Declared
from holdall.model.members import Member, schema_field
from holdall.model.registry import Target
from holdall.query import Compare, Value, key_ref
from holdall.query.nodes import CompareOp
from holdall.schema import Check, Entity, EntityRef, Index, OnDelete, Reference, Unique, check_name

if TYPE_CHECKING:
    from holdall.model.shape import Shape

_NAME_BYTES = 63


def snake(name: str) -> str:
    """OrderLine -> order_line, HTTPRoute -> http_route."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"_+", "_", parts).lower()


def plural(word: str) -> str:
    """The regular English plural of a word: order -> orders, category -> categories, box -> boxes. Irregular ones are not known."""
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    return word + "s"


def table_name(model: str) -> str:
    """The default table (and route) of a model: its name in snake case, in the plural. `table=` overrides it."""
    return plural(snake(model))


def short_name(*parts: str) -> str:
    """The parts joined by '_'; when that is too long to be stored everywhere, cut, with a fingerprint of the whole."""
    name = "_".join(parts)
    if len(name.encode()) <= _NAME_BYTES:
        return name
    import hashlib  # rarely needed, and slow to load

    mark = hashlib.blake2s(name.encode(), digest_size=4).hexdigest()
    return f"{name.encode()[: _NAME_BYTES - 9].decode(errors='ignore')}_{mark}"


def make_entity(cls: Any, shape: Shape, declared: Declared) -> Entity:
    """The entity of a model; DeclarationError for constraints over fields that it does not have."""
    from holdall.model.linking import Relations

    name = cls.__name__
    table = declared.table or table_name(name)
    check_name(table, f"{name}, table")
    fields = tuple(schema_field(member, place) for place, member in enumerate(shape.stored))
    names = {field.name for field in fields}
    for what, groups in (("unique", declared.uniques), ("index", declared.indexes)):
        for group in groups:
            _check_group(name, what, group, shape)
    for what, functions in (("checks", declared.checks), ("filters", declared.filters)):
        for each in functions:
            check_name(each, f"{name}, {what}")
    alone = [(field.name,) for field in fields if field.unique]
    uniques = tuple(Unique(short_name(table, *group, "unique"), group) for group in (*alone, *declared.uniques))
    indexes = tuple(Index(short_name(table, *group, "index"), group) for group in declared.indexes)
    assert names
    return Entity(
        name=name,
        table=table,
        fields=fields,
        key=tuple(member.name for member in shape.stored if member.spec.role == "key"),
        uniques=uniques,
        indexes=indexes,
        references=tuple(references(shape, declared)),
        checks=(
            *(Check(each, _condition(cls, function)) for each, function in declared.checks.items()),
            *(check for member in shape.stored for check in _bound_checks(cls, member)),
        ),
        relations=Relations(cls),
        default_filters={each: _condition(cls, function) for each, function in declared.filters.items()},
        description=(cls.__doc__ or "").strip().partition("\n")[0],
    )


def _check_group(model: str, what: str, group: tuple[str, ...], shape: Shape) -> None:
    for each in group:
        member = shape.by_name.get(each)
        if member is None or not member.spec.stored:
            hint = near_name(each, [item.name for item in shape.stored])
            raise DeclarationError(f"{model}, {what}: there is no stored field '{each}'.", hint=hint)
        if not member.type.groupable:
            raise DeclarationError(f"{model}, {what}: {each} is {member.type.name}, which cannot be compared.", hint="Leave it out.")


_BOUNDS: tuple[tuple[str, CompareOp], ...] = (("ge", "gte"), ("gt", "gt"), ("le", "lte"), ("lt", "lt"))


def _bound_checks(cls: Any, member: Member) -> list[Check]:
    """The bounds of a number, for the store: an update by expression (total=Order.total - 1000) never passes through an object."""
    if member.type.kind not in ("int", "decimal"):
        return []
    found: list[Check] = []
    for option, op in _BOUNDS:
        bound = getattr(member.spec, option)
        if bound is not None:
            value = member.type.check(Decimal(repr(bound)) if type(bound) is float else bound)
            found.append(Check(short_name(member.name, option), _bound(cls, member.name, op, value)))
    return found


def _bound(cls: Any, name: str, op: CompareOp, value: Any) -> Callable[[], Any]:
    def condition() -> Compare:
        ref = key_ref(cls.__entity__, name)
        return Compare(ref, op, Value(value, ref.type))

    return condition


def _condition(cls: Any, function: Callable[[Any], Any]) -> Callable[[], Any]:
    return lambda: function(cls)


def references(shape: Shape, declared: Declared) -> list[Reference]:
    """The foreign keys: those written with references=, and those that a BelongsTo implies."""
    found: list[Reference] = []
    for member in shape.stored:
        target = reference_target(member, declared)
        if target is not None:
            fields = (member.name,)
            found.append(LateReference(fields, target.ref(), member.spec.on_delete or "restrict"))
    return found


def reference_target(member: Member, declared: Declared) -> Target | None:
    """What a member refers to: by its own options, else by the first BelongsTo that uses it."""
    to, as_text = member.spec.references, False
    if to is None:
        for relation in declared.relations.values():
            if relation.spec.kind == "belongs_to" and relation.spec.field == member.name:
                to, as_text = relation.to, relation.as_text
                break
    if to is None:
        return None
    if not isinstance(to, str) and not hasattr(to, "__declared__"):
        raise DeclarationError(f"{member.where}: references={to!r} is no model.", hint="Give a model class, or its name as text.")
    return Target(to, declared.scope, member.where, as_text)


class LateReference(Reference):
    """A reference whose target may be declared later: the target's key fields are read when they are first asked for."""

    __slots__ = ()

    def __init__(self, fields: tuple[str, ...], target: EntityRef, on_delete: OnDelete) -> None:
        for name, value in (("fields", fields), ("target", target), ("on_delete", on_delete)):
            object.__setattr__(self, name, value)

    @property
    def target_fields(self) -> tuple[str, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]  # read-only there too: frozen
        """The key fields of the target."""
        return self.target.entity.key
