"""Resolving relations: from what was declared on both sides to the schema's Relation, and the checks that need both sides.

Owns inverses, hidden link entities and the first-use checks. Everything here happens late, when a relation is first asked for, because
the other side may be declared after this one. Must not know stores or engines, nor objects (model.links).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from holdall.errors import DeclarationError, HoldallError, near_name
from holdall.model.declared import RelationDeclared
from holdall.model.entities import LateReference, short_name, snake
from holdall.query import as_condition
from holdall.schema import Entity, EntityRef, Field, Reference, Relation, check_name

Model = Any  # classes only: their attributes are those that model.meta gives them


class Relations(Mapping[str, Relation]):
    """The relations of an entity by name, each resolved when it is first asked for."""

    def __init__(self, cls: Model) -> None:
        self._cls = cls
        self._declared: Mapping[str, RelationDeclared] = cls.__declared__.relations
        self._made: dict[str, Relation] = {}

    def __getitem__(self, name: str) -> Relation:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = resolve(self._cls, self._declared[name])
        return made

    def __contains__(self, name: object) -> bool:
        return name in self._declared

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)


def target_of(cls: Model, name: str) -> Model:
    """The model that a relation leads to."""
    return cls.__shape__.targets[name].model


def resolve(cls: Model, declared: RelationDeclared) -> Relation:
    """The relation as the schema describes it; DeclarationError with place and remedy."""
    kind = declared.spec.kind
    target = target_of(cls, declared.name)
    if kind == "belongs_to":
        return _belongs_to(cls, declared, target)
    if kind == "many_to_many":
        return _many_to_many(cls, declared, target)
    key, belongs = back_reference(cls, declared, target)
    if kind == "has_one" and not _is_unique(target, key):
        raise DeclarationError(
            f"{declared.where} leads to one record, but several of {target.__name__} may have the same {key}.",
            hint=f"Write {key}: … = Field(…, unique=True), or use HasMany.",
        )
    return Relation(
        declared.name, kind, _ref(cls), _ref(target), cls.__entity__.key, (key,),
        optional=kind == "has_one", inverse=belongs, description=declared.spec.description,
    )  # fmt: skip


def _ref(cls: Model) -> EntityRef:
    return EntityRef(cls.__name__, lambda: cls.__entity__)


def _belongs_to(cls: Model, declared: RelationDeclared, target: Model) -> Relation:
    entity: Entity = cls.__entity__
    _check_single_key(target, declared.where)
    field = entity.by_name[declared.spec.field]
    inverse = None
    for other in target.__declared__.relations.values():
        leads_back = other.spec.kind in ("has_one", "has_many") and target_of(target, other.name) is cls
        if leads_back and back_reference(target, other, cls)[1] == declared.name:
            inverse = other.name
            break
    return Relation(
        declared.name, "belongs_to", _ref(cls), _ref(target), (field.name,), target.__entity__.key,
        optional=field.nullable, inverse=inverse, description=declared.spec.description,
    )  # fmt: skip


def back_reference(cls: Model, declared: RelationDeclared, target: Model) -> tuple[str, str]:
    """(foreign key, BelongsTo) on the target of a HasOne or HasMany; DeclarationError if there is none or no way to choose."""
    wanted = declared.spec.field
    candidates = {
        other.name: other.spec.field
        for other in target.__declared__.relations.values()
        if other.spec.kind == "belongs_to" and target_of(target, other.name) is cls
    }
    remedy = f"Add to {target.__name__}: {snake(cls.__name__)}_id: … = Field(references={cls.__name__}) and "
    remedy += f"{snake(cls.__name__)}: {cls.__name__} = BelongsTo('{snake(cls.__name__)}_id')."
    if not wanted:
        if len(candidates) == 1:
            ((name, key),) = candidates.items()
            return key, name
        if not candidates:
            raise DeclarationError(f"{declared.where}: {target.__name__} has no BelongsTo that leads to {cls.__name__}.", hint=remedy)
        raise DeclarationError(
            f"{declared.where}: {target.__name__} leads to {cls.__name__} in several ways: {', '.join(candidates)}.",
            hint=f"Name one: {'HasOne' if declared.spec.kind == 'has_one' else 'HasMany'}('{next(iter(candidates))}').",
        )
    for name, key in candidates.items():
        if wanted in (name, key):
            return key, name
    if wanted in target.__entity__.by_name or wanted in target.__declared__.relations:
        raise DeclarationError(f"{declared.where}: {target.__name__}.{wanted} does not lead to {cls.__name__} by a BelongsTo.", hint=remedy)
    hint = near_name(wanted, candidates) or remedy
    raise DeclarationError(f"{declared.where}: {target.__name__} has no relation '{wanted}'.", hint=hint)


def _is_unique(cls: Model, name: str) -> bool:
    entity: Entity = cls.__entity__
    return entity.key == (name,) or any(unique.fields == (name,) for unique in entity.uniques)


def _check_single_key(target: Model, where: str) -> None:
    key = target.__entity__.key
    if len(key) > 1:
        raise DeclarationError(
            f"{where} refers to {target.__name__}, whose key has {len(key)} parts ({', '.join(key)}).",
            hint="Only a model with one key field can be referred to: give it an id: UUID = Key(), and keep the parts as unique=[(…)].",
        )


# Many to many


def _many_to_many(cls: Model, declared: RelationDeclared, target: Model) -> Relation:
    _check_single_key(cls, declared.where)
    _check_single_key(target, declared.where)
    if declared.spec.through is not None:
        return _through(cls, declared, target)
    owner, owner_name, inverse = _link_owner(cls, declared, target)
    link = _link_entity(owner, owner_name)
    near, far = link.key if owner is cls and owner_name == declared.name else reversed(link.key)
    return Relation(
        declared.name, "many_to_many", _ref(cls), _ref(target), cls.__entity__.key, target.__entity__.key,
        through=EntityRef(link.name, lambda: link), through_local=(near,), through_remote=(far,), inverse=inverse,
        description=declared.spec.description,
    )  # fmt: skip


def _through(cls: Model, declared: RelationDeclared, target: Model) -> Relation:
    through = cls.__shape__.through[declared.name].model
    near, far = declared.spec.via or (
        _only_reference(through, cls, declared, "first"), _only_reference(through, target, declared, "second")
    )  # fmt: skip
    for name, to in ((near, cls), (far, target)):
        if _referenced(through, name) is not to.__entity__:
            raise DeclarationError(
                f"{declared.where}: via names '{name}', which is no reference of {through.__name__} to {to.__name__}.",
                hint=near_name(name, [each.fields[0] for each in through.__entity__.references]),
            )
    inverse = None
    for other in target.__declared__.relations.values():
        leads_back = other is not declared and other.name in target.__shape__.through and target_of(target, other.name) is cls
        if leads_back and target.__shape__.through[other.name].model is through:
            inverse = other.name
    return Relation(
        declared.name, "many_to_many", _ref(cls), _ref(target), cls.__entity__.key, target.__entity__.key,
        through=_ref(through), through_local=(near,), through_remote=(far,), inverse=inverse, description=declared.spec.description,
    )  # fmt: skip


def _referenced(cls: Model, name: str) -> Entity | None:
    return next((each.target.entity for each in cls.__entity__.references if each.fields == (name,)), None)


def _only_reference(through: Model, to: Model, declared: RelationDeclared, place: str) -> str:
    found: list[str] = [each.fields[0] for each in through.__entity__.references if each.target.entity is to.__entity__]
    if len(found) == 1:
        return found[0]
    if not found:
        raise DeclarationError(
            f"{declared.where}: {through.__name__} does not refer to {to.__name__}.",
            hint=f"Add {snake(to.__name__)}_id: … = Field(references={to.__name__}) to it.",
        )
    raise DeclarationError(
        f"{declared.where}: {through.__name__} refers to {to.__name__} by {' and '.join(found)}.",
        hint=f"Say which is which: ManyToMany(through={through.__name__}, via=('{found[0]}', '{found[1]}')); this would be the {place}.",
    )


def _is_plain_to(cls: Model, other: RelationDeclared, target: Model) -> bool:
    return other.spec.kind == "many_to_many" and other.spec.through is None and target_of(cls, other.name) is target


def _link_owner(cls: Model, declared: RelationDeclared, target: Model) -> tuple[Model, str, str | None]:
    """(model and relation that own the hidden link, name of the relation back); the same from both sides."""
    wanted = declared.spec.field
    back: RelationDeclared | None = None
    relations: Mapping[str, RelationDeclared] = target.__declared__.relations
    others = [each for each in relations.values() if _is_plain_to(target, each, cls) and each is not declared]
    if wanted:
        back = next((each for each in others if each.name == wanted), None)
        if back is None:
            raise DeclarationError(
                f"{declared.where}: {target.__name__} has no ManyToMany '{wanted}' that leads to {cls.__name__}.",
                hint=near_name(wanted, [each.name for each in others]) or f"Add {wanted}: list[{cls.__name__}] = ManyToMany() to it.",
            )
        if back.spec.field not in ("", declared.name):
            raise DeclarationError(f"{declared.where} names {back.where} as its inverse, which names '{back.spec.field}'.")
    else:
        back = next((each for each in others if each.spec.field == declared.name), None)
        if back is None and target is not cls:
            unnamed = [each for each in others if not each.spec.field]
            mine = [each for each in cls.__declared__.relations.values() if _is_plain_to(cls, each, target) and not each.spec.field]
            back = unnamed[0] if len(unnamed) == len(mine) == 1 else None
    if back is None:
        return cls, declared.name, None
    ends = [(cls, declared), (target, back)]
    unnamed_ends = [end for end in ends if not end[1].spec.field]
    if len(unnamed_ends) == 1:
        owner, own = unnamed_ends[0]
    else:
        owner, own = min(ends, key=lambda end: (end[0].__entity__.table, end[1].name))
    return owner, own.name, back.name


def _link_entity(owner: Model, name: str) -> Entity:
    """The hidden entity of a plain many-to-many relation: the two keys, both together the key; rows go when either end goes."""
    links: dict[str, Entity] = owner.__shape__.links
    made = links.get(name)
    if made is not None:
        return made
    declared: RelationDeclared = owner.__declared__.relations[name]
    target = target_of(owner, name)
    near_key, far_key = owner.__entity__.key[0], target.__entity__.key[0]
    near, far = f"{snake(owner.__name__)}_{near_key}", f"{snake(target.__name__)}_{far_key}"
    if near == far:
        near, far = f"from_{near}", f"to_{far}"
    fields = tuple(
        Field(field, field, cls.__entity__.by_name[cls.__entity__.key[0]].type, place)
        for place, (field, cls) in enumerate(((short_name(near), owner), (short_name(far), target)))
    )
    table = declared.spec.table or short_name(owner.__entity__.table, name)
    check_name(table, f"{declared.where}, table")
    ends: list[Reference] = [LateReference((field.name,), _ref(cls), "cascade") for field, cls in zip(fields, (owner, target), strict=True)]
    made = links[name] = Entity(
        name=f"{owner.__name__}.{name}",
        table=table,
        fields=fields,
        key=tuple(field.name for field in fields),
        references=tuple(ends),
        description=f"Links of {declared.where}.",
    )
    return made


# Checks at first use


def check_linked(cls: Model) -> None:
    """Check every reference, relation, check and filter of a model, once; DeclarationError with place and remedy."""
    if not cls.__shape__.linked:
        _check(cls)
        cls.__shape__.linked = True


def _check(cls: Model) -> None:
    entity: Entity = cls.__entity__
    found: dict[Model, None] = {}
    for reference in entity.references:
        found[_check_reference(cls, reference)] = None
    for name, relation in entity.relations.items():
        found[target_of(cls, name)] = None
        if name in cls.__shape__.through:
            found[cls.__shape__.through[name].model] = None
        if relation.kind == "belongs_to" and _referenced(cls, relation.local[0]) is not relation.target.entity:
            other = _referenced(cls, relation.local[0])
            raise DeclarationError(
                f"{cls.__name__}.{name} leads to {relation.target.entity.name}, but {relation.local[0]} refers to "
                f"{other.name if other else 'nothing'}.",
                hint="Make both name the same model.",
            )
    for other in found:
        if other.__store__ is not None and cls.__store__ is not None and other.__store__ is not cls.__store__:
            raise DeclarationError(
                f"{cls.__name__} is related to {other.__name__}, which is kept in another store.",
                hint="Related models must share a store; keep a plain key field instead of a relation.",
            )
    for what, functions in (
        ("checks", {check.name: check.condition for check in entity.checks}),
        ("filters", entity.default_filters),
    ):
        for name, function in functions.items():
            _check_condition(f"{cls.__name__}, {what}: '{name}'", function)


def _check_reference(cls: Model, reference: Reference) -> Model:
    from holdall.model.registry import model_of

    (name,) = reference.fields
    where = f"{cls.__name__}.{name}"
    target = model_of(reference.target.entity)
    _check_single_key(target, where)
    own, key = cls.__entity__.by_name[name].type, reference.target.entity.by_name[reference.target_fields[0]].type
    if own.kind != key.kind:
        raise DeclarationError(
            f"{where} is {own.name}, but the key of {target.__name__} is {key.name}.", hint=f"Annotate {name} with the type of that key."
        )
    return target


def _check_condition(where: str, function: Any) -> None:
    try:
        as_condition(function())
    except (HoldallError, AttributeError, TypeError) as error:
        raise DeclarationError(f"{where} is no condition on the model's fields: {error}") from error
