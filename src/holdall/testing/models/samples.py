"""One field of every type, each of which may be null, and two values of each: for cases that say the same of every type."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from holdall.model import Field, IPAddress, Json, Key, LocalDateTime, Model
from holdall.testing.models.naming import named


class Shade(enum.Enum):
    """An Enum of text; its order is that of the stored text."""

    DARK = "dark"
    LIGHT = "light"


@dataclass
class Size:
    """A nested value."""

    width: int
    note: str | None = None


class Sample(Model, table=named("b_samples")):
    """A record of nothing but nulls, unless told otherwise."""

    id: int = Key(generated=False)
    text: str | None = None
    whole: int | None = None
    money: Decimal | None = Field(default=None, max_digits=12, decimal_places=2)
    exact: Decimal | None = None
    real: float | None = None
    flag: bool | None = None
    blob: bytes | None = None
    at: dt.datetime | None = None
    local: LocalDateTime | None = None
    day: dt.date | None = None
    clock: dt.time | None = None
    span: dt.timedelta | None = None
    uid: UUID | None = None
    shade: Shade | None = None
    address: IPAddress | None = None
    data: Json | None = None
    items: list[str] | None = None
    marks: set[int] | None = None
    counts: dict[str, int] | None = None
    size: Size | None = None


class Indexed(Model, table=named("b_indexed")):
    """Fields that an engine answers from an index, where it has some: nulls must mean the same there."""

    id: int = Key(generated=False)
    text: str | None = Field(default=None, index=True)
    whole: int | None = Field(default=None, index=True)
    at: dt.datetime | None = Field(default=None, index=True)
    uid: UUID | None = Field(default=None, index=True)


# The same classes, for conditions: to type checkers a field that may be None has no operators and no parts.
SAMPLE: Any = Sample
INDEXED: Any = Indexed


def _at(hour: int) -> dt.datetime:
    return dt.datetime(2026, 1, 1, hour, tzinfo=dt.UTC)


# (the lower, the higher) of each type that has an order.
ORDERABLE: dict[str, tuple[Any, Any]] = {
    "text": ("a", "b"),
    "whole": (-1, 2),
    "money": (Decimal("9.50"), Decimal("10.00")),
    "exact": (Decimal("-1e-10"), Decimal("1e20")),
    "real": (-1.5, 0.25),
    "flag": (False, True),
    "blob": (b"\x00", b"\x00\x01"),
    "at": (_at(1), _at(2)),
    "local": (dt.datetime(2026, 1, 1, 1), dt.datetime(2026, 1, 1, 1, 0, 0, 1)),  # noqa: DTZ001  local time has no zone
    "day": (dt.date(9, 12, 31), dt.date(2026, 1, 1)),
    "clock": (dt.time(9), dt.time(9, 0, 0, 1)),
    "span": (dt.timedelta(days=-1), dt.timedelta(microseconds=1)),
    "uid": (UUID(int=1), UUID(int=2**127)),
    "shade": (Shade.DARK, Shade.LIGHT),
}

# Two different values of each type that has none.
CONTAINERS: dict[str, tuple[Any, Any]] = {
    "data": ({"a": 1}, [1]),
    "items": (["a"], []),
    "marks": ({1}, {1, 2}),
    "counts": ({"a": 1}, {}),
    "size": (Size(1), Size(1, "x")),
}

EVERY: dict[str, tuple[Any, Any]] = {**ORDERABLE, **CONTAINERS}
