"""Plain records for cases about writing: without and with a version, with a default filter, with two parts to the key."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from holdall.model import Always, CreatedAt, Field, Json, Key, Model, UpdatedAt, Version
from holdall.testing.models.naming import named


class Item(Model, table=named("f_items")):
    """No version: the last writer of a field wins."""

    id: int = Key(generated=False)
    name: str = ""
    amount: int = 0
    note: str | None = Field(default=None)
    tags: list[str] = Field(default_factory=list)
    data: Json = Field(default_factory=dict)


class Versioned(Model, table=named("f_versioned")):
    """A version, which the store counts."""

    id: int = Key(generated=False)
    text: str = ""
    number: int = 0
    note: str | None = Field(default=None)
    version: int = Version()


class Revised(Model, table=named("f_revised")):
    """Everything that the store fills on each write."""

    id: int = Key(generated=False)
    text: str = ""
    by: str = Always(lambda: "somebody")
    created_at: dt.datetime = CreatedAt()
    updated_at: dt.datetime = UpdatedAt()
    revision: int = Version()


class Live(Model, table=named("f_live"), filters={"live": lambda row: row.gone == False}):  # a term: "not" would lie
    """A default filter."""

    id: int = Key(generated=False)
    text: str = ""
    gone: bool = False


class Seat(Model, table=named("f_seats")):
    """A key of two parts."""

    row: str = Key()
    number: int = Key(generated=False)
    guest: str | None = Field(default=None)
    version: int = Version()


class Slot(Model, table=named("f_slots")):
    """A key of three parts of different kinds."""

    room: UUID = Key(generated=False)
    day: dt.date = Key()
    hour: int = Key(generated=False)
    what: str = ""
