"""Models with values that have parts: JSON, lists, sets, dicts, records."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal
from uuid import UUID

from holdall.model import Field, Json, Key, Model
from holdall.testing.models.naming import named


class Document(Model, table=named("e_documents")):
    """JSON that is never null, and JSON that may be."""

    id: int = Key(generated=False)
    data: Json = Field(default_factory=dict)
    extra: Json | None = Field(default=None)


class Shade(enum.Enum):
    """A codec inside containers."""

    LIGHT = "light"
    DARK = "dark"


@dataclass
class Size:
    """A record with a part that may be null."""

    width: int
    note: str | None = None


@dataclass
class Parcel:
    """A record in a record, and containers in it."""

    size: Size
    labels: list[str] = field(default_factory=list[str])
    sizes: list[Size] = field(default_factory=list[Size])
    price: Decimal | None = None
    sent: dt.datetime | None = None


class Box(Model, table=named("e_boxes")):
    """One field for each kind of container."""

    id: int = Key(generated=False)
    numbers: list[int] = Field(default_factory=list)
    texts: list[str] | None = Field(default=None)
    gaps: list[int | None] = Field(default_factory=list)
    tags: set[str] = Field(default_factory=set)
    ranks: set[int] | None = Field(default=None)
    counts: dict[str, int] = Field(default_factory=dict)
    notes: dict[str, str | None] | None = Field(default=None)
    size: Size | None = Field(default=None)
    parcel: Parcel | None = Field(default=None)


class Mixed(Model, table=named("e_mixed")):
    """Containers of values that JSON lacks."""

    id: int = Key(generated=False)
    prices: list[Decimal] = Field(default_factory=list)
    instants: list[dt.datetime] = Field(default_factory=list)
    days: set[dt.date] = Field(default_factory=set)
    clocks: list[dt.time] = Field(default_factory=list)
    spans: dict[str, dt.timedelta] = Field(default_factory=dict)
    ids: set[UUID] = Field(default_factory=set)
    blobs: list[bytes] = Field(default_factory=list)
    flags: list[bool] = Field(default_factory=list)
    floats: list[float] = Field(default_factory=list)
    shades: list[Shade] = Field(default_factory=list)
    sides: set[Literal["left", "right"]] = Field(default_factory=set)
    nested: list[list[int]] = Field(default_factory=list)
    by_name: dict[str, list[str]] = Field(default_factory=dict)
    anything: list[Json] = Field(default_factory=list)
