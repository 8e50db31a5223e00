"""Declared: what class statements say, collected over abstract bases and mixins, before a model is made of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from holdall.errors import DeclarationError, near_name
from holdall.model.members import Member, make_member
from holdall.model.relations import RelationSpec
from holdall.schema import CONTAINERS

Names = tuple[str, ...]
Filter = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class RelationDeclared:
    """A relation as it was written: its options, and what its annotation leads to."""

    name: str
    spec: RelationSpec
    to: Any
    many: bool
    optional: bool
    as_text: bool
    where: str


@dataclass(slots=True)
class Declared:
    """All declarations of a class and its bases. The last word on a name counts."""

    members: dict[str, Member] = field(default_factory=dict[str, Member])
    relations: dict[str, RelationDeclared] = field(default_factory=dict[str, RelationDeclared])
    table: str | None = None
    uniques: tuple[Names, ...] = ()
    indexes: tuple[Names, ...] = ()
    checks: dict[str, Filter] = field(default_factory=dict[str, Filter])
    filters: dict[str, Filter] = field(default_factory=dict[str, Filter])
    store: Any = None
    expires_after: dt.timedelta | None = None
    scope: tuple[str, str] = ("", "")
    validators: dict[str, Any] = field(default_factory=dict[str, Any])
    own: frozenset[str] = frozenset()  # which of __repr__ and __eq__ the user wrote

    def take(
        self,
        *,
        model: str,
        table: str | None,
        unique: Sequence[str | Sequence[str]],
        index: Sequence[str | Sequence[str]],
        checks: Mapping[str, Filter] | None,
        filters: Mapping[str, Filter] | None,
        store: Any,
        expires_after: dt.timedelta | None,
    ) -> None:
        """Add the class keywords."""
        self.table = table
        self.uniques += tuple(_names(item, f"{model}, unique") for item in unique)
        self.indexes += tuple(_names(item, f"{model}, index") for item in index)
        for what, given, into in (("checks", checks, self.checks), ("filters", filters, self.filters)):
            for name, function in (given or {}).items():
                if not callable(function):
                    raise DeclarationError(f"{model}, {what}: '{name}' is no function.", hint="Write lambda t: t.end > t.start.")
                into[name] = function
        if store is not None:
            self.store = store
        if expires_after is not None:
            if expires_after <= dt.timedelta():
                raise DeclarationError(f"{model}: expires_after is a timedelta above zero, not {expires_after!r}.")
            self.expires_after = expires_after

    def add_member(self, member: Member) -> None:
        """A field; it takes the place of one of the same name from a base."""
        self.relations.pop(member.name, None)
        self.members[member.name] = member

    def add_relation(self, relation: RelationDeclared) -> None:
        """A relation; it takes the place of what a base declared under the same name."""
        self.members.pop(relation.name, None)
        self.relations[relation.name] = relation

    def fresh_members(self, model: str) -> list[Member]:
        """Members of this model's own: what is settled for one model must not show in another that shares a base."""
        return [make_member(member.name, member.annotation, member.spec, model) for member in self.members.values()]

    def copy_validators(self, cls: type) -> None:
        """Pydantic collects validators from the class itself and from finished bases; abstract ones are never finished."""
        for name, proxy in self.validators.items():
            if name not in cls.__dict__:
                setattr(cls, name, proxy)


def _names(item: str | Sequence[str], where: str) -> Names:
    if isinstance(item, str):
        raise DeclarationError(f"{where}: '{item}' is a single field.", hint=f"Write Field({where.split(', ')[1]}=True) on it, or a tuple.")
    names = tuple(item)
    if len(names) < 2 or not all(type(name) is str for name in names) or len(set(names)) < len(names):
        raise DeclarationError(f"{where}: {item!r} must name at least two different fields.", hint='For example [("first", "last")].')
    return names


def inherited(bases: tuple[type, ...]) -> Declared:
    """What the bases declared, nearest base last."""
    result = Declared()
    seen: list[type] = []
    for base in reversed(bases):
        found: Declared | None = base.__dict__.get("__declared__")
        if found is None or base in seen:
            continue
        seen.append(base)
        for member in found.members.values():
            result.add_member(member)
        for relation in found.relations.values():
            result.add_relation(replace(relation))
        result.uniques += tuple(item for item in found.uniques if item not in result.uniques)
        result.indexes += tuple(item for item in found.indexes if item not in result.indexes)
        result.checks.update(found.checks)
        result.filters.update(found.filters)
        result.store = found.store if found.store is not None else result.store
        result.expires_after = found.expires_after or result.expires_after
        result.own |= found.own
        result.validators.update(found.validators)
        result.validators.update({name: value for name, value in base.__dict__.items() if is_validator(value)})
    return result


def is_validator(value: object) -> bool:
    """Whether it is a validator or serializer that Pydantic has not collected yet."""
    return type(value).__name__ == "PydanticDescriptorProxy"


def check_relations(declared: Declared, members: Mapping[str, Member]) -> None:
    """DeclarationError for relations whose own side is wrong; the other side is checked when it is there."""
    for member in members.values():
        member.refers = member.spec.references is not None
    for relation in declared.relations.values():
        kind, where = relation.spec.kind, relation.where
        call = {"belongs_to": "BelongsTo", "has_one": "HasOne", "has_many": "HasMany", "many_to_many": "ManyToMany"}[kind]
        if relation.many != (kind in ("has_many", "many_to_many")):
            wanted = "one model" if relation.many else "list[…]"
            raise DeclarationError(f"{where}: {call} goes with an annotation of {wanted}.", hint="Change one of them.")
        if relation.many and relation.optional:
            raise DeclarationError(f"{where}: a list of records is empty, never None.", hint="Remove | None.")
        if not isinstance(relation.to, str) and not hasattr(relation.to, "__declared__"):
            raise DeclarationError(f"{where}: {relation.to!r} is no model.", hint="Annotate a relation with a model class or its name.")
        if kind == "has_one" and not relation.optional:
            raise DeclarationError(f"{where}: there may be no such record yet.", hint="Annotate it with | None.")
        if kind == "belongs_to":
            _check_belongs_to(relation, members)


def _check_belongs_to(relation: RelationDeclared, members: Mapping[str, Member]) -> None:
    where, name = relation.where, relation.spec.field
    member = members.get(name)
    if member is None or not member.spec.stored:
        stored = [each.name for each in members.values() if each.spec.stored]
        raise DeclarationError(f"{where}: there is no stored field '{name}' for its key.", hint=near_name(name, stored))
    if member.nullable and not relation.optional:
        raise DeclarationError(f"{where}: {name} can be None, and so can this.", hint="Annotate both with | None, or none of them.")
    if member.type.kind in CONTAINERS:
        raise DeclarationError(f"{where}: {name} is {member.type.name}, which is no key.")
    member.refers = True
