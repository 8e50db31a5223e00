"""Records that expire and hold unique values meanwhile."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.model import Field, Key, Model, Version
from holdall.testing.models.naming import named


class Session(Model, table=named("h_sessions"), unique=[("room", "seat")]):
    """A user has one at a time, and so has each seat of a room."""

    id: str = Key()
    user: str | None = Field(default=None, unique=True)
    room: str | None = None
    seat: int | None = None
    hits: int = 0
    until: dt.datetime | None = Field(default=None, expires=True)
    version: int = Version()


SESSION: Any = Session  # for conditions: to type checkers a field that may be None has no operators
