"""The catalogue: which models an API offers, under which paths, and what of them may be seen.

Owns visibility: secret fields and models that are not offered stay out of conditions, orders and answers. Must not know requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast
from urllib.parse import quote

from holdall.errors import DeclarationError, QueryError, near_name
from holdall.http.forms import Write, key_text, writer
from holdall.model import Model
from holdall.query import And, Condition, Expr, FieldRef, Match, Not, Or, Related, references
from holdall.schema import Entity, Field, Relation

# First parts of a path that are not collections.
RESERVED_PATHS = ("openapi.json", "docs", "livez", "readyz", "batch")
LIKE_MAX = 1000  # characters; compiling a pattern takes time


@dataclass(frozen=True, eq=False)
class Resource:
    """One model as it is offered. `path` is the first part of its URLs."""

    model: type[Model]
    path: str
    catalog: Catalog

    @cached_property
    def entity(self) -> Entity:
        """The description of the model."""
        return self.model.__entity__

    @property
    def name(self) -> str:
        """What messages call the model."""
        return self.entity.name

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The fields that may be seen, in order."""
        return {field.name: field for field in self.entity.fields if not field.secret}

    @cached_property
    def relations(self) -> Mapping[str, Relation]:
        """The relations that lead to models which are offered too."""
        known = self.catalog.by_entity
        return {name: relation for name, relation in self.entity.relations.items() if relation.target.entity in known}

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """How each visible field is taken from a row."""
        return {name: Column(name, field.position, writer(field.type)) for name, field in self.fields.items()}

    @cached_property
    def read_only(self) -> frozenset[str]:
        """Names of fields that the store fills on every write."""
        return frozenset(field.name for field in self.entity.fields if is_read_only(field))

    @cached_property
    def names(self) -> list[str]:
        """All names that a query may begin with."""
        return [*self.fields, *self.relations]

    def target(self, relation: Relation) -> Resource:
        """The resource that a relation leads to."""
        return self.catalog.by_entity[relation.target.entity]

    def key_path(self, row: tuple[Any, ...]) -> str:
        """The key of a row as the last part of its URL."""
        entity = self.entity
        return ",".join(
            key_text(entity.by_name[name].type, row[place]) for name, place in zip(entity.key, entity.key_positions, strict=True)
        )

    def etag(self, row: tuple[Any, ...]) -> str | None:
        """The entity tag of a row: its version in quotes; None if the model has no version field."""
        field = self.entity.version_field
        return None if field is None else f'"{row[field.position]}"'


def is_read_only(field: Field) -> bool:
    """Whether the store alone writes the field."""
    return field.version or field.created_at or field.updated_at or field.always is not None


@dataclass(frozen=True, slots=True)
class Column:
    """One field of an answer: its name, its place in the row, and the function to its JSON form (None if there is nothing to do)."""

    name: str
    position: int
    write: Write | None


class Catalog:
    """All resources of an API, by path and by entity."""

    def __init__(self, models: Iterable[type[Model]] | Mapping[str, type[Model]]) -> None:
        named: list[tuple[str, type[Model]]]
        if isinstance(models, Mapping):
            named = list(cast("Mapping[str, type[Model]]", models).items())
        else:
            named = [(model.__entity__.table, model) for model in models]
        self.by_path: dict[str, Resource] = {}
        self.by_entity: dict[Entity, Resource] = {}
        for path, model in named:
            self._check_path(path, model)
            resource = Resource(model, path, self)
            self.by_path[path] = resource
            self.by_entity[model.__entity__] = resource
        if not self.by_path:
            raise DeclarationError("The API was given no models.", hint="Pass them: api(store, [Customer, Order]).")

    def _check_path(self, path: str, model: type[Model]) -> None:
        name = model.__name__
        if not path or path in RESERVED_PATHS or quote(path, safe="") != path:
            raise DeclarationError(
                f"{name} cannot be served under '/{path}'.", hint=f"Choose another path: api(store, {{'{name.lower()}s': {name}, …}})."
            )
        if path in self.by_path:
            other = self.by_path[path].name
            raise DeclarationError(
                f"{name} and {other} would both be served under '/{path}'.", hint="Give them paths: api(store, {path: model, …})."
            )
        if model.__entity__ in self.by_entity:
            raise DeclarationError(f"{name} is given twice.", hint="Leave one of them out.")

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.by_path.values())

    def near_path(self, path: str) -> str:
        """A hint for a collection that does not exist."""
        return near_name(path, self.by_path)

    def check_visible(self, node: Condition | Expr, hops_max: int) -> None:
        """QueryError if a condition or expression touches what is secret or not offered, or goes through too many relations."""
        self._check(node, hops_max, hops_max)
        for test in self.tests(node):
            if isinstance(test, Match) and test.op == "like" and len(test.text) > LIKE_MAX:
                raise QueryError(f"A pattern has at most {LIKE_MAX} characters.", hint="Use contains for long text.", kind="bad_value")

    def _check(self, node: Condition | Expr, hops: int, hops_max: int) -> None:
        for ref in references(node):
            steps = ref.steps if isinstance(ref, FieldRef) else (*ref.steps, ref.relation)
            for step in steps:
                if step.target.entity not in self.by_entity:
                    raise hidden(step.owner.entity, step.name)
            left = hops - len(steps)
            if left < 0:
                raise QueryError(f"A condition goes through at most {hops_max} relations.", kind="too_deep")
            if isinstance(ref, FieldRef):
                if ref.field.secret:
                    raise hidden(_owner(ref), ref.field.name)
            else:
                self._check(ref.inner, left, hops_max)

    def tests(self, node: Condition | Expr) -> Iterator[Condition | Expr]:
        """The single tests in a condition."""
        if isinstance(node, And | Or):
            for item in node.items:
                yield from self.tests(item)
        elif isinstance(node, Not):
            yield from self.tests(node.item)
        else:
            yield node
            if isinstance(node, Related):
                yield from self.tests(node.inner)


def _owner(ref: FieldRef) -> Entity:
    return ref.steps[-1].target.entity if ref.steps else ref.entity


def hidden(entity: Entity, name: str) -> QueryError:
    """The error for a name that exists, but is not open."""
    known = [field.name for field in entity.fields if not field.secret]
    return QueryError(f"{entity.name}.{name} is not open to queries.", hint=near_name(name, known), name=name, kind="forbidden_field")
