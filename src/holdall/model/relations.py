"""What users write for relations: BelongsTo, HasOne, HasMany, ManyToMany; and what stands in the class in their place.

Owns the options and the descriptors. Must not know how relations are resolved (model.linking) or kept consistent (model.links).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdall.query import class_term
from holdall.schema import RelationKind

if TYPE_CHECKING:
    from holdall.model.declared import Declared


@dataclass(frozen=True, slots=True)
class RelationSpec:
    """The options of one relation. `field` is the foreign key here (belongs_to), the other side's name (has_…), or the inverse."""

    kind: RelationKind
    field: str = ""
    through: Any = None
    via: tuple[str, str] | None = None
    table: str | None = None
    description: str = ""


def BelongsTo(field: str, *, description: str = "") -> Any:
    """The record whose key is in `field`: `customer: Customer = BelongsTo("customer_id")`; `| None` if the field can be null."""
    return RelationSpec("belongs_to", field, description=description)


def HasOne(inverse: str = "", *, description: str = "") -> Any:
    """The one record that refers to this one: `profile: "Profile | None" = HasOne("user")`.

    inverse: the other model's BelongsTo or foreign key; it may be left out if there is only one. The foreign key must be unique.
    """
    return RelationSpec("has_one", inverse, description=description)


def HasMany(inverse: str = "", *, description: str = "") -> Any:
    """The records that refer to this one: `orders: list["Order"] = HasMany("customer")`.

    inverse: the other model's BelongsTo or foreign key; it may be left out if there is only one.
    """
    return RelationSpec("has_many", inverse, description=description)


def ManyToMany(
    inverse: str = "", *, through: Any = None, via: tuple[str, str] | None = None, table: str | None = None, description: str = ""
) -> Any:
    """Records linked with this one, any number on both sides: `tags: list["Tag"] = ManyToMany()`.

    inverse: the relation back, if it has one that is not the only one. through: a model of yours that holds the links, with data of its
    own; `via` names its two foreign keys (to here, to there) when that is not clear. table: of the hidden links, when there is no
    `through`.
    """
    return RelationSpec("many_to_many", inverse, through, via, table, description)


class Door:
    """Stands where a field has the name of an inherited method: the class gives the term, an object its own value."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return class_term(owner, self.name)
        raise AttributeError(f"'{owner.__name__}' object has no attribute '{self.name}'")


class RelationDoor:
    """A relation in its class: the class gives the term, an object what it is linked to."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: Any) -> Any:
        if instance is None:
            return class_term(owner, self.name)
        from holdall.model.links import read_link

        return read_link(instance, self.name)

    def __set__(self, instance: Any, value: Any) -> None:
        from holdall.model.links import assign_link

        assign_link(instance, self.name, value)

    def __delete__(self, instance: Any) -> None:
        raise AttributeError(f"the relation '{self.name}' cannot be deleted; assign None or an empty list")


def install(cls: Any, declared: Declared) -> None:
    """Put the descriptors of all relations into a class."""
    for name in declared.relations:
        setattr(cls, name, RelationDoor(name))
