"""Shape: what a model class knows about itself, in one object beside its entity.

Owns the members, relations and generated functions of one model. Must not know stores or engines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from holdall.errors import Problem
from holdall.model.codegen import (
    BAD,
    Lane,
    base_env,
    builder_text,
    changes,
    compile_text,
    constructor_text,
    freezer_text,
)
from holdall.model.declared import RelationDeclared
from holdall.model.members import Member
from holdall.model.record import extras_of, is_doubtful
from holdall.model.registry import Target
from holdall.schema import BadOperand, Entity

if TYPE_CHECKING:
    from holdall.model.base import Model


class Shape:
    """Members in declaration order, names of relations, and whether code of the user's forbids the fast lane (`custom`).

    `transforming` are the fields with validators of their own, which may turn a value into another one (hash a password).
    """

    def __init__(
        self, cls: type[Model], members: list[Member], relations: Mapping[str, RelationDeclared], custom: bool, transforming: frozenset[str]
    ) -> None:
        self.cls = cls
        self.members = members
        self.stored = [member for member in members if member.spec.stored]
        self.by_name = {member.name: member for member in members}
        self.field_names = tuple(self.by_name)
        self.relation_names = tuple(relations)
        self.parents = {name: relation.spec.field for name, relation in relations.items() if relation.spec.kind == "belongs_to"}
        self.names = (*self.field_names, *self.relation_names)
        self.custom = custom
        self.transforming = transforming
        self.source = ""
        self.expires_after: dt.timedelta | None = None
        self.targets: dict[str, Target] = {}
        self.through: dict[str, Target] = {}
        self.links: dict[str, Entity] = {}  # hidden link entities of the many-to-many relations that this model owns
        self.linked = False  # whether model.linking has checked it
        self._stamped = [member for member in members if member.spec.expires or member.spec.role in ("created_at", "updated_at", "always")]
        self._partly: Any = None

    def generate(self) -> None:
        """Write and install the class's constructor, builders and freezing."""
        from holdall.model.construct import construct, slow_freeze
        from holdall.model.links import assign_link, parent_key

        cls: Any = self.cls
        env: dict[str, Any] = {**base_env(), "_cls": cls, "_slow": construct, "_slow_freeze": slow_freeze, "_link": assign_link}
        env |= {f"_key_{name}": parent_key(cls, name) for name in self.parents}
        lanes = [Lane(member, number, env) for number, member in enumerate(self.members)]
        fast = not self.custom
        self.source = "\n\n".join(
            [
                constructor_text(lanes, self.members, list(self.relation_names), self.parents, env, fast),
                builder_text(self.stored, env, [member for member in self.members if not member.spec.stored]),
                freezer_text(lanes, self.members, fast),
            ]
        )
        compile_text(self.source, env, f"model {cls.__module__}.{cls.__qualname__}")
        for name in ("__init__", "__freeze__"):
            function = env[name]
            function.__qualname__ = f"{cls.__qualname__}.{name}"
            function.__module__ = cls.__module__
            setattr(cls, name, function if name == "__init__" else staticmethod(function))
        cls.__init__.__doc__ = f"Make a {cls.__name__}; ValidationError with all problems if the values break its rules."
        cls.__build__ = staticmethod(env["__build__"])
        cls.__build_many__ = staticmethod(env["__build_many__"])
        cls.__changes__ = staticmethod(changes(self.members))

    def check(self, name: str, value: Any, strict: bool = False) -> Any:
        """A value for one field as an object would hold it, from JSON or (strict) Python; pydantic.ValidationError if it is none.

        The user's field validators run; those of the whole model do not, because the rest is not there.
        """
        if self._partly is None:
            from holdall.model.construct import partial_validator

            self._partly = partial_validator(self.cls)
        values, _, _ = self._partly.validate_assignment({}, name, value, strict=strict or None)  # False would undo Strict()
        return values[name]

    def stamp(self, instance: Model, now: dt.datetime, creating: bool) -> None:
        """Set what the store's clock and Always functions give."""
        held = vars(instance)
        for member in self._stamped:
            role, name = member.spec.role, member.name
            if role == "always":
                assert member.spec.always is not None
                held[name] = member.spec.always()
            elif role == "updated_at" or (role == "created_at" and creating and held.get(name) is None):
                held[name] = now
            elif member.spec.expires and self.expires_after is not None and creating and held.get(name) is None:
                held[name] = now + self.expires_after

    def note_checked(self, instance: Model) -> None:
        """Remember what the validators have seen, so that saving does not run their result through them again."""
        extras_of(instance).checked = {name: _frozen_or_bad(self.by_name[name], vars(instance).get(name)) for name in self.field_names}

    def unchanged(self, instance: Model) -> frozenset[str]:
        """The fields whose value is the one that the validators have seen, or that was read."""
        seen: list[dict[str, Any]] = [extras_of(instance).checked]
        if instance._row is not None:
            seen.append(dict(zip([member.name for member in self.stored], instance._row, strict=True)))
        now = {name: _frozen_or_bad(member, vars(instance).get(name)) for name, member in self.by_name.items()}
        return frozenset(
            name for name, value in now.items() if value is not BAD and any(name in each and each[name] == value for each in seen)
        )

    def fill_keys(self, values: dict[str, Any], links: dict[str, Any]) -> list[Problem]:
        """Foreign keys from the given parents; the problems of relations that are given wrongly."""
        from holdall.model.inputs import PENDING
        from holdall.model.links import wrong_record, wrong_records

        problems: list[Problem] = []
        for name, value in links.items():
            relation = self.cls.__entity__.relations[name]
            if relation.to_many:
                problems += wrong_records(relation, value)
                continue
            problem = wrong_record(relation, value, (name,))
            if problem is not None:
                problems.append(problem)
            if relation.kind != "belongs_to":
                continue
            field = relation.local[0]
            if problem is not None:
                values.setdefault(field, PENDING)
                continue
            key = None if value is None else getattr(value, relation.remote[0])
            if values.get(field) is not None and values[field] != key:
                problems.append(Problem((name,), "conflict", f"is not the record that {field} names; give one of them"))
            values[field] = PENDING if key is None and value is not None else key
        for field in self.parents.values():
            # It may be given to its parent in a moment: Customer(orders=[Order(…)]). Saving it without one is refused.
            if field not in values and self.by_name[field].required:
                values[field] = PENDING
        return problems

    def set_links(self, instance: Model, links: dict[str, Any]) -> None:
        """The given relations of a new object, on both sides."""
        from holdall.model.links import assign_link

        for name, value in links.items():
            assign_link(instance, name, value)

    def take_over(self, instance: Model, row: tuple[Any, ...]) -> None:
        """The store wrote this row: what it filled in (version, times, always-set values) is taken over from it."""
        for place, member in self._filled:
            vars(instance)[member.name] = member.thawed(row[place])
        instance._row = row
        if is_doubtful(instance):
            extras_of(instance).doubtful = False

    @cached_property
    def _filled(self) -> list[tuple[int, Member]]:
        """The members that the store fills in, with their places in the row."""
        roles = ("version", "created_at", "updated_at", "always")
        return [(place, member) for place, member in enumerate(self.stored) if member.generated == "int" or member.spec.role in roles]


def _frozen_or_bad(member: Member, value: Any) -> Any:
    try:
        return member.frozen(value)
    except BadOperand:
        return BAD


def row_builder(cls: type[Model]) -> Callable[[tuple[Any, ...]], Any]:
    """The generated function from a canonical row to an object, unchecked."""
    return cls.__build__
