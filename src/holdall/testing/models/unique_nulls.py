"""Unique values that may be null: of one field, of several types, and of several fields together."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Badge(Model, table=named("b_badges"), unique=[("room", "seat", "shift")]):
    """A unique code, and a place that is unique as a whole."""

    id: int = Key(generated=False)
    code: str | None = Field(default=None, unique=True)
    room: str | None = None
    seat: int | None = None
    shift: str | None = None


class Mark(Model, table=named("b_marks")):
    """A unique field of each of several types."""

    id: int = Key(generated=False)
    text: str | None = Field(default=None, unique=True)
    whole: int | None = Field(default=None, unique=True)
    exact: Decimal | None = Field(default=None, unique=True)
    flag: bool | None = Field(default=None, unique=True)
    blob: bytes | None = Field(default=None, unique=True)
    at: dt.datetime | None = Field(default=None, unique=True)
    day: dt.date | None = Field(default=None, unique=True)
    span: dt.timedelta | None = Field(default=None, unique=True)
    uid: UUID | None = Field(default=None, unique=True)


BADGE: Any = Badge  # for conditions: to type checkers a field that may be None has no operators
