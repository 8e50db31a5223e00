"""Models that refer to each other, for the cases about transactions."""

from __future__ import annotations

from uuid import UUID

from holdall.model import BelongsTo, Field, HasMany, Key, ManyToMany, Model
from holdall.testing.models.naming import named


class Owner(Model, table=named("tx_owners")):
    """Has things, which go with it, and guests, which stay."""

    id: int = Key(generated=False)
    name: str
    things: list[Thing] = HasMany("owner")
    guests: list[Guest] = HasMany("host")


class Thing(Model, table=named("tx_things")):
    """Goes with its owner."""

    id: UUID = Key()
    owner_id: int = Field(references=Owner, on_delete="cascade")
    owner: Owner = BelongsTo("owner_id")
    name: str
    marks: list[Mark] = ManyToMany()


class Mark(Model, table=named("tx_marks")):
    """Is on things."""

    id: str = Key(generated=False)
    things: list[Thing] = ManyToMany()


class Guest(Model, table=named("tx_guests")):
    """Stays when its host goes."""

    id: int = Key(generated=False)
    host_id: int | None = Field(default=None, references=Owner, on_delete="set_null")
    host: Owner | None = BelongsTo("host_id")


class Tenant(Model, table=named("tx_tenants")):
    """Keeps its owner from going."""

    id: int = Key(generated=False)
    owner_id: int = Field(references=Owner, on_delete="restrict")
    owner: Owner = BelongsTo("owner_id")
