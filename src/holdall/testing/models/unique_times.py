"""Times that are unique: needs unique."""

from __future__ import annotations

import datetime as dt

from holdall.model import Field, Key, LocalDateTime, Model
from holdall.testing.models.naming import named


class UniqueMoment(Model, table=named("d_unique_moments")):
    """One unique field for each kind of time."""

    id: int = Key(generated=False)
    at: dt.datetime | None = Field(default=None, unique=True)
    local: LocalDateTime | None = Field(default=None, unique=True)
    day: dt.date | None = Field(default=None, unique=True)
    clock: dt.time | None = Field(default=None, unique=True)
    span: dt.timedelta | None = Field(default=None, unique=True)
