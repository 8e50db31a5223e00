"""The metaclass: from a class statement to a model with an entity, a shape and generated functions.

Owns the order of these steps and the checks that need the whole model. Must not know stores or engines.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any, dataclass_transform

from holdall.errors import DeclarationError, near_name
from holdall.model.annotations import is_class_var, own_annotations, read_annotation, read_target
from holdall.model.declared import Declared, RelationDeclared, check_relations, inherited
from holdall.model.entities import make_entity
from holdall.model.members import Member, make_member, settle_key
from holdall.model.record import Record
from holdall.model.registry import Target, register
from holdall.model.relations import Door, RelationSpec, install
from holdall.model.shape import Shape
from holdall.model.spec import MISSING, PLAIN, Field, FieldSpec
from holdall.query import class_term
from holdall.schema import check_distinct, check_name

if TYPE_CHECKING:
    from holdall.model.base import Model

Names = str | Sequence[str]


@dataclass_transform(kw_only_default=True, field_specifiers=(Field,))
class ModelMeta(type):
    """Makes models; see Model for the class keywords."""

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        *,
        table: str | None = None,
        abstract: bool = False,
        unique: Sequence[Names] = (),
        index: Sequence[Names] = (),
        checks: Mapping[str, Callable[[Any], Any]] | None = None,
        filters: Mapping[str, Callable[[Any], Any]] | None = None,
        store: Any = None,
        expires_after: dt.timedelta | None = None,
        root: bool = False,
    ) -> Any:
        if root:
            return super().__new__(mcs, name, bases, namespace)
        declared = inherited(bases)
        declared.take(
            table=table, unique=unique, index=index, checks=checks, filters=filters, store=store, expires_after=expires_after, model=name
        )
        frame = sys._getframe(1)  # where the class statement stands: names in its annotations are looked up there
        body = _read_body(name, namespace, declared, frame)
        declared.scope = (body.get("__module__", "?"), body.get("__qualname__", name).rpartition(".")[0])
        _keep_row_unset(body)
        declared.own |= {"__repr__", "__eq__"} & body.keys()
        cls = super().__new__(mcs, name, bases, body)
        type.__setattr__(cls, "__declared__", declared)
        type.__setattr__(cls, "__store__", declared.store)
        if not abstract:
            _complete(cls, declared)
        return cls

    def __init__(  # pyright: ignore[reportInconsistentConstructor]  # the keywords are __new__'s
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **_keywords: Any
    ) -> None:
        super().__init__(name, bases, namespace)
        type.__setattr__(cls, "__terms__", {})

    if not TYPE_CHECKING:  # to type checkers, Order.totel must stay an error

        def __getattr__(cls, name: str) -> Any:
            """A field or relation as a term of queries; each is made once."""
            term = cls.__terms__.get(name)
            if term is not None:
                return term
            if name.startswith("__") or "__entity__" not in cls.__dict__:
                raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'")
            term = cls.__terms__[name] = class_term(cls, name)
            return term

    def __repr__(cls) -> str:
        return f"<model {cls.__qualname__}>"


def _read_body(model: str, namespace: dict[str, Any], declared: Declared, frame: FrameType) -> dict[str, Any]:
    """Take fields and relations out of a class body into `declared`; gives the rest of the body."""
    body = dict(namespace)
    annotations = own_annotations(namespace)
    for name, annotation in annotations.items():
        if is_class_var(annotation):
            continue
        where = f"{model}.{name}"
        value = body.pop(name, MISSING)
        if isinstance(value, RelationSpec):
            check_name(name, where)
            to, many, optional, as_text = read_target(annotation, frame, where)
            declared.add_relation(RelationDeclared(name, value, to, many, optional, as_text, where))
            continue
        spec = _spec_of(value, where)
        declared.add_member(make_member(name, read_annotation(annotation, frame, where), spec, model))
    for name, value in body.items():
        if isinstance(value, FieldSpec | RelationSpec):
            raise DeclarationError(f"{model}.{name} has no annotation.", hint=f"Write {name}: <type> = ….")
    return body


def _spec_of(value: Any, where: str) -> FieldSpec:
    if value is MISSING:
        return PLAIN
    if isinstance(value, FieldSpec):
        return value
    module = type(value).__module__.partition(".")[0]
    if module == "pydantic" or (module == "dataclasses" and type(value).__qualname__ == "Field"):
        raise DeclarationError(f"{where} uses the Field of {module}.", hint="Use holdall.Field, which has the same options and more.")
    return FieldSpec(default=value)


def _keep_row_unset(body: dict[str, Any]) -> None:
    """A __post_init__ of the user's must not leave out the one that marks an object as new."""
    own = body.get("__post_init__")
    if own is None:
        return

    def both(self: Any) -> None:
        Record.__post_init__(self)
        own(self)

    body["__post_init__"] = both


def _complete(cls: Any, declared: Declared) -> None:
    """Everything that makes a concrete model, in the order in which it depends on what comes before."""
    from holdall.model.construct import check_default, make_dataclass

    members = _members(cls, declared)
    check_relations(declared, {member.name: member for member in members})
    install(cls, declared)
    for member in members:
        check_default(member)
        if _hides(cls, member.name):
            setattr(cls, member.name, Door(member.name))
    declared.copy_validators(cls)
    make_dataclass(cls, members, declared.own)
    if cls.__dict__.get("__hash__", MISSING) is None:
        del cls.__hash__  # by key; see Record
    transforming = _transforming(cls, members)
    cls.__shape__ = shape = Shape(cls, members, declared.relations, bool(transforming) or _has_validators(cls), transforming)
    shape.expires_after = declared.expires_after
    for name, relation in declared.relations.items():
        shape.targets[name] = Target(relation.to, declared.scope, relation.where, relation.as_text)
        if relation.spec.through is not None:
            shape.through[name] = Target(relation.spec.through, declared.scope, relation.where)
    shape.generate()
    cls.__entity__ = make_entity(cls, shape, declared)
    cls.__doc__ = cls.__doc__ or None
    register(cls)


def _hides(cls: Any, name: str) -> bool:
    return any(name in base.__dict__ for base in cls.__mro__)


def _has_validators(cls: Any) -> bool:
    found = cls.__pydantic_decorators__
    own_post_init = any("__post_init__" in base.__dict__ for base in cls.__mro__ if hasattr(base, "__declared__"))
    return own_post_init or bool(found.validators or found.field_validators or found.root_validators or found.model_validators)


def _transforming(cls: Any, members: list[Member]) -> frozenset[str]:
    """The fields with validators of the user's own."""
    found = cls.__pydantic_decorators__
    names = {member.name for member in members if member.described.transforms}
    known = [member.name for member in members]
    for decorator in (*found.field_validators.values(), *found.validators.values()):
        for name in decorator.info.fields:
            if name != "*" and name not in known:
                where = f"{cls.__name__}, validator {decorator.cls_var_name}"
                raise DeclarationError(f"{where}: there is no field '{name}'.", hint=near_name(name, known))
        names |= {member.name for member in members} if "*" in decorator.info.fields else set(decorator.info.fields)
    return frozenset(names)


def _members(cls: type[Model], declared: Declared) -> list[Member]:
    """The members with what depends on each other settled: keys, expiry, names."""
    name = cls.__name__
    members = declared.fresh_members(name)
    keys = [member for member in members if member.spec.role == "key"]
    if not keys:
        raise DeclarationError(f"{name} has no key.", hint="Add one, such as id: UUID = Key() (made by the client).")
    for member in keys:
        settle_key(member, composite=len(keys) > 1)
    for role, what in (("version", "Version"), ("created_at", "CreatedAt"), ("updated_at", "UpdatedAt")):
        _at_most_one(name, [member for member in members if member.spec.role == role], what)
    expiring = [member for member in members if member.spec.expires]
    _at_most_one(name, expiring, "expires=True")
    if declared.expires_after is not None and not expiring:
        spec = FieldSpec(default=None, expires=True, description="From this instant the record is invisible.")
        members.append(make_member("expires_at", dt.datetime | None, spec, name))
    elif declared.expires_after is not None and expiring[0].required:
        expiring[0].default, expiring[0].unset = None, not expiring[0].nullable
    if not any(member.spec.stored for member in members):
        raise DeclarationError(f"{name} stores nothing.")
    names = [member.name for member in members] + list(declared.relations)
    check_distinct(names, name)
    check_distinct([member.spec.column or member.name for member in members if member.spec.stored], f"{name}, columns")
    check_name(name, name)
    return members


def _at_most_one(model: str, members: list[Member], what: str) -> None:
    if len(members) > 1:
        names = " and ".join(member.name for member in members)
        raise DeclarationError(f"{model} has {len(members)} fields with {what}: {names}.", hint="A record has at most one.")
