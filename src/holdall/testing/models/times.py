"""Models with times of every kind, as values, as keys, and as what the store stamps."""

from __future__ import annotations

import datetime as dt

from holdall.model import CreatedAt, Field, Key, LocalDateTime, Model, UpdatedAt
from holdall.testing.models.naming import named


class Moment(Model, table=named("d_moments")):
    """One field for each kind of time."""

    id: int = Key(generated=False)
    at: dt.datetime | None = Field(default=None)
    local: LocalDateTime | None = Field(default=None)
    day: dt.date | None = Field(default=None)
    clock: dt.time | None = Field(default=None)
    span: dt.timedelta | None = Field(default=None)


class AtKey(Model, table=named("d_at_keys")):
    """The key is an instant."""

    id: dt.datetime = Key()
    note: str = ""


class LocalKey(Model, table=named("d_local_keys")):
    """The key is a local time."""

    id: LocalDateTime = Key()
    note: str = ""


class DayKey(Model, table=named("d_day_keys")):
    """The key is a date."""

    id: dt.date = Key()
    note: str = ""


class ClockKey(Model, table=named("d_clock_keys")):
    """The key is a time of day."""

    id: dt.time = Key()
    note: str = ""


class SpanKey(Model, table=named("d_span_keys")):
    """The key is a duration."""

    id: dt.timedelta = Key()
    note: str = ""


class Stamped(Model, table=named("d_stamped")):
    """What the store's clock fills."""

    id: int = Key(generated=False)
    text: str
    created_at: dt.datetime = CreatedAt()
    updated_at: dt.datetime = UpdatedAt()
