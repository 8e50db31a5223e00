"""Records with unique values, alone and together: needs unique."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

from holdall.model import Email, Field, Json, Key, LocalDateTime, Model, Version
from holdall.testing.models.naming import named


class Grade(enum.Enum):
    """A unique value that is coded."""

    GOLD = 1
    TIN = 2


class Member(Model, table=named("f_members"), unique=[("team", "number")]):
    """One unique value, and a pair of them."""

    id: int = Key(generated=False)
    email: Email = Field(unique=True)
    team: str | None = Field(default=None)
    number: int | None = Field(default=None)
    note: str = ""
    version: int = Version()


class Manifold(Model, table=named("f_manifold")):
    """A unique field for each kind that text_* and times do not cover, one of them under another column's name."""

    id: int = Key(generated=False)
    number: int | None = Field(default=None, unique=True)
    amount: Decimal | None = Field(default=None, unique=True, max_digits=10, decimal_places=2)
    loose: Decimal | None = Field(default=None, unique=True)
    ratio: float | None = Field(default=None, unique=True)
    flag: bool | None = Field(default=None, unique=True)
    grade: Grade | None = Field(default=None, unique=True)
    text: str | None = Field(default=None, unique=True)
    renamed: str | None = Field(default=None, unique=True, column="stored_name")
    local: LocalDateTime | None = Field(default=None, unique=True)


class Room(Model, table=named("f_rooms"), unique=[("house", "floor", "door"), ("house", "code")]):
    """Three together, and a pair that shares one of them; no version."""

    id: int = Key(generated=False)
    house: str
    floor: int
    door: str = ""
    code: str | None = Field(default=None)
    built: dt.date | None = Field(default=None)
    data: Json = Field(default_factory=dict)
