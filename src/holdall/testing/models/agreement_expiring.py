"""Models that expire and refer to each other."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from holdall.model import Field, Key, Model, Version
from holdall.testing.models.naming import named


class Visit(Model, table=named("z_visits")):
    """May expire, and refer to an earlier one."""

    id: int = Key(generated=False)
    until: dt.datetime | None = Field(default=None, expires=True)
    before_id: int | None = Field(default=None, references="Visit")
    version: int = Version()


class Stamp(Model, table=named("z_stamps")):
    """Refers to what may expire."""

    id: int = Key(generated=False)
    visit_id: int | None = Field(default=None, references=Visit, on_delete="cascade")
    version: int = Version()


class Pass(Model, table=named("z_passes")):
    """May expire; its key is of a type that engines keep in another form."""

    id: UUID = Key()
    until: dt.datetime | None = Field(default=None, expires=True)
