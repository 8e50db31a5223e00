"""Shape: what a model class knows about itself, in one object beside its entity.

Owns the members, relations and generated functions of one model. Must not know stores or engines.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from holdall.errors import Problem
from holdall.model.codegen import (
    Lane,
    base_env,
    builder_text,
    changes,
    compile_text,
    constructor_text,
    freezer_text,
)
from holdall.model.members import Member

if TYPE_CHECKING:
    from holdall.model.base import Model


class Shape:
    """Members in declaration order, names of relations, and whether user validators forbid the fast lane."""

    def __init__(self, cls: type[Model], members: list[Member], relations: list[str], custom: bool) -> None:
        self.cls = cls
        self.members = members
        self.stored = [member for member in members if member.spec.stored]
        self.by_name = {member.name: member for member in members}
        self.field_names = tuple(self.by_name)
        self.relation_names = tuple(relations)
        self.names = (*self.field_names, *self.relation_names)
        self.custom = custom
        self.source = ""
        self.expires_after: dt.timedelta | None = None
        self._stamped = [member for member in members if member.spec.expires or member.spec.role in ("created_at", "updated_at", "always")]
        self._adapters: dict[str, Any] = {}

    def generate(self) -> None:
        """Write and install the class's constructor, builders and freezing."""
        from holdall.model.construct import construct, slow_freeze

        cls: Any = self.cls
        env = {**base_env(), "_cls": cls, "_slow": construct, "_slow_freeze": slow_freeze}
        lanes = [Lane(member, number, env) for number, member in enumerate(self.members)]
        fast = not self.custom
        self.source = "\n\n".join(
            [
                constructor_text(lanes, self.members, list(self.relation_names), env, fast),
                builder_text(self.stored, env, [member for member in self.members if not member.spec.stored]),
                freezer_text(lanes, self.members, fast),
            ]
        )
        compile_text(self.source, env, f"model {cls.__module__}.{cls.__qualname__}")
        for name in ("__init__", "__freeze__"):
            function = env[name]
            function.__qualname__ = f"{cls.__qualname__}.{name}"
            function.__module__ = cls.__module__
            setattr(cls, name, function)
        cls.__init__.__doc__ = f"Make a {cls.__name__}; ValidationError with all problems if the values break its rules."
        cls.__build__ = staticmethod(env["__build__"])
        cls.__build_many__ = staticmethod(env["__build_many__"])
        cls.__changes__ = changes(self.members)

    @property
    def assigns(self) -> bool:
        """Whether single values are checked by assigning to an object, so that the user's field validators run."""
        found = self.cls.__pydantic_decorators__
        return bool(found.field_validators or found.validators) and not found.model_validators

    def lax_check(self, name: str, value: Any) -> Any:
        """A JSON value for one field as a Python value; pydantic.ValidationError if it is none."""
        if self.assigns:
            dummy = self.cls.__new__(self.cls)
            self.cls.__pydantic_validator__.validate_assignment(dummy, name, value)
            return dummy.__dict__[name]
        return self.adapter(name).validate_python(value)

    def adapter(self, name: str) -> Any:
        """Pydantic's validator for one field alone, made when first asked for."""
        adapter = self._adapters.get(name)
        if adapter is None:
            from holdall.model.construct import adapter_of

            adapter = self._adapters[name] = adapter_of(self.by_name[name])
        return adapter

    def stamp(self, instance: Model, now: dt.datetime, creating: bool) -> None:
        """Set what the store's clock and Always functions give."""
        held = instance.__dict__
        for member in self._stamped:
            role, name = member.spec.role, member.name
            if role == "always":
                assert member.spec.always is not None
                held[name] = member.spec.always()
            elif role == "updated_at" or (role == "created_at" and creating and held.get(name) is None):
                held[name] = now
            elif member.spec.expires and self.expires_after is not None and creating and held.get(name) is None:
                held[name] = now + self.expires_after

    def fill_keys(self, values: dict[str, Any], links: dict[str, Any]) -> list[Problem]:
        """Foreign keys from the given parents; problems where both are given and differ."""
        raise NotImplementedError

    def set_links(self, instance: Model, links: dict[str, Any]) -> None:
        """The given relations of a new object, on both sides."""
        raise NotImplementedError
