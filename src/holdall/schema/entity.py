"""Entities: frozen descriptions of what is stored.

Owns fields, keys, uniques, indexes, references, checks and relations, as data. Must not know model classes, Pydantic, queries or engines.
Names a user sees (`name`) and names an engine stores (`column`, `table`) are both here, so that no other module maps them.
Schema objects compare and hash by identity: each entity is described once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from holdall.errors import DeclarationError, near_name
from holdall.schema.types import Type

NAME_BYTES_MAX = 63
OnDelete = Literal["restrict", "cascade", "set_null"]
RelationKind = Literal["belongs_to", "has_one", "has_many", "many_to_many"]
Generated = Literal["uuid7", "int"]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One stored value of an entity. `position` is its place in the row tuple.

    `generated`: 'uuid7' is made by the client, 'int' by the store when the row holds None. `on_create` and `on_update` fill
    CreatedAt and UpdatedAt ('now') or call an always-set function. `secret` is never shown, filtered or sorted by outer layers.
    """

    name: str
    column: str
    type: Type
    position: int
    nullable: bool = False
    unique: bool = False
    index: bool = False
    generated: Generated | None = None
    secret: bool = False
    expires: bool = False
    version: bool = False
    created_at: bool = False
    updated_at: bool = False
    always: Callable[[], Any] | None = None
    description: str = ""


class EntityRef:
    """A reference to an entity that may be declared later; `entity` resolves it once and raises DeclarationError with a near name."""

    __slots__ = ("_entity", "_resolve", "name")

    def __init__(self, name: str, resolve: Callable[[], Entity]) -> None:
        self.name = name
        self._resolve = resolve
        self._entity: Entity | None = None

    @property
    def entity(self) -> Entity:
        entity = self._entity
        if entity is None:
            entity = self._entity = self._resolve()
        return entity

    def __repr__(self) -> str:
        return f"EntityRef({self.name!r})"


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A foreign key: the values of `fields` are null or the key of a row of `target`. `target_fields` are its key fields."""

    fields: tuple[str, ...]
    target: EntityRef
    target_fields: tuple[str, ...]
    on_delete: OnDelete = "restrict"


@dataclass(frozen=True, slots=True, eq=False)
class Unique:
    """At most one row has these values; rows with a null in any of them are not compared (B3)."""

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Queries on a prefix of these fields are to be fast."""

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """A condition that is true or unknown for every row (B3). `condition` gives a query condition; schema does not look inside."""

    name: str
    condition: Callable[[], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """A named way from one entity to another.

    Rows belong together when the values of `local` here equal those of `remote` there. For many_to_many, `through` is the link entity:
    `local` equals its `through_local`, and its `through_remote` equals `remote` of the target. `inverse` names the relation back.
    """

    name: str
    kind: RelationKind
    owner: EntityRef
    target: EntityRef
    local: tuple[str, ...]
    remote: tuple[str, ...]
    optional: bool = False
    through: EntityRef | None = None
    through_local: tuple[str, ...] = ()
    through_remote: tuple[str, ...] = ()
    inverse: str | None = None
    description: str = ""

    @property
    def to_many(self) -> bool:
        """Whether it leads to any number of rows rather than to one or none."""
        return self.kind in ("has_many", "many_to_many")


@dataclass(frozen=True, eq=False)
class Entity:
    """One kind of record. Rows are tuples with one canonical value per field, in the order of `fields`.

    `key` names the key fields in order. `relations` may be filled after construction is complete but before first use, because the
    other side may be declared later; nothing else changes.
    """

    name: str
    table: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    uniques: tuple[Unique, ...] = ()
    indexes: tuple[Index, ...] = ()
    references: tuple[Reference, ...] = ()
    checks: tuple[Check, ...] = ()
    relations: Mapping[str, Relation] = field(default_factory=dict[str, Relation])
    default_filters: Mapping[str, Callable[[], Any]] = field(default_factory=dict[str, "Callable[[], Any]"])
    description: str = ""

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by the names users see."""
        return {item.name: item for item in self.fields}

    @cached_property
    def key_positions(self) -> tuple[int, ...]:
        """Places of the key values in a row."""
        return tuple(self.by_name[name].position for name in self.key)

    @cached_property
    def version_field(self) -> Field | None:
        """The field that counts writes (F10), if declared."""
        return next((item for item in self.fields if item.version), None)

    @cached_property
    def expiry_field(self) -> Field | None:
        """The datetime from which a row is invisible (H6), if declared."""
        return next((item for item in self.fields if item.expires), None)

    @cached_property
    def generated_field(self) -> Field | None:
        """The key field whose number the store makes, if any."""
        return next((item for item in self.fields if item.generated == "int"), None)

    @cached_property
    def row_key(self) -> Callable[[tuple[Any, ...]], Any]:
        """The key of a row: the bare value for a single key field, a tuple for a composite one."""
        positions = self.key_positions
        if len(positions) == 1:
            (only,) = positions
            return lambda row: row[only]
        return lambda row: tuple([row[position] for position in positions])

    def positions(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """Places in the row of the named fields."""
        return tuple(self.by_name[name].position for name in names)

    def field(self, name: str) -> Field:
        """The field of that name; DeclarationError with a near name if there is none."""
        found = self.by_name.get(name)
        if found is None:
            raise DeclarationError(f"{self.name} has no field '{name}'.", hint=near_name(name, self.by_name))
        return found

    def __repr__(self) -> str:
        return f"<Entity {self.name}>"


def check_name(name: str, where: str) -> None:
    """DeclarationError unless `name` can be stored everywhere: an identifier, without '__', of at most 63 bytes (F9)."""
    if not name.isidentifier():
        raise DeclarationError(f"{where}: '{name}' is not a valid name.", hint="Use letters, digits and single underscores.")
    if "__" in name:
        raise DeclarationError(
            f"{where}: the name '{name}' holds '__', which separates a path from its operator in queries.",
            hint="Use a single underscore.",
        )
    if len(name.encode()) > NAME_BYTES_MAX:
        raise DeclarationError(f"{where}: the name '{name}' is longer than {NAME_BYTES_MAX} bytes.", hint="Choose a shorter one.")


def check_distinct(names: list[str], where: str) -> None:
    """DeclarationError if two names are equal when case is ignored (F9)."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other is not name:
            raise DeclarationError(
                f"{where}: the names '{other}' and '{name}' are the same when case is ignored.",
                hint="Some engines cannot tell them apart; rename one.",
            )
