"""Models of the cases about numbers that need nothing of a backend but to keep records by key."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal
from uuid import UUID

from holdall.model import Field, Json, Key, LocalDateTime, Model, Version
from holdall.testing.models.naming import named

NIL = UUID(int=0)
DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Count(Model, table=named("c_counts")):
    """Integers: plain, with an index, and that may be null."""

    id: int = Key(generated=False)
    n: int = 0
    indexed: int = Field(default=0, index=True)
    maybe: int | None = None
    version: int = Version()


class Amount(Model, table=named("c_amounts")):
    """Decimals: without a scale, with two places, with 38 digits before the point, with 38 behind it, and that may be null."""

    id: int = Key(generated=False)
    free: Decimal = Decimal(0)
    money: Decimal = Field(default=Decimal(0), max_digits=12, decimal_places=2)
    indexed: Decimal = Field(default=Decimal(0), index=True)
    wide: Decimal = Field(default=Decimal(0), max_digits=38, decimal_places=0)
    fine: Decimal = Field(default=Decimal(0), max_digits=38, decimal_places=38)
    mid: Decimal = Field(default=Decimal(0), max_digits=38, decimal_places=10)
    maybe: Decimal | None = None
    n: int = 0
    version: int = Version()


class Measure(Model, table=named("c_measures")):
    """Floats: plain, with an index, and that may be null."""

    id: int = Key(generated=False)
    x: float = 0.0
    indexed: float = Field(default=0.0, index=True)
    maybe: float | None = None
    group: int = 0


class Price(Model, table=named("c_prices")):
    """A Decimal as the key."""

    id: Decimal = Key()
    rank: int = 0


@dataclass
class Part:
    """Numbers inside a record."""

    n: int = 0
    d: Decimal = Decimal(0)
    x: float = 0.0
    flag: bool = False


class Crate(Model, table=named("c_crates")):
    """Numbers in every kind of container."""

    id: int = Key(generated=False)
    data: Json = Field(default_factory=dict)
    ints: list[int] = Field(default_factory=list)
    decimals: list[Decimal] = Field(default_factory=list)
    floats: list[float] = Field(default_factory=list)
    flags: list[bool] = Field(default_factory=list)
    numbers: set[int] = Field(default_factory=set)
    named: dict[str, int] = Field(default_factory=dict)
    priced: dict[str, Decimal] = Field(default_factory=dict)
    part: Part | None = None


class Bounded(Model, table=named("c_bounded")):
    """Integers that may have some values only."""

    id: int = Key(generated=False)
    level: Literal[1, 2, 3] = 1
    n: int = 0


class Colour(enum.Enum):
    """Stored as text."""

    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    """Stored as int."""

    SMALL = 1
    LARGE = 2


class Sorts(Model, table=named("c_sorts")):
    """One field of each sort."""

    id: int = Key(generated=False)
    text: str = ""
    whole: int = 0
    exact: Decimal = Decimal(0)
    real: float = 0.0
    flag: bool = False
    raw: bytes = b""
    code: UUID = NIL
    day: dt.date = DAY.date()
    at: dt.datetime = DAY
    local: LocalDateTime = DAY.replace(tzinfo=None)
    hour: dt.time = dt.time(0)
    span: dt.timedelta = dt.timedelta(0)
    colour: Colour = Colour.RED
    size: Size = Size.SMALL
    word: Literal["a", "b"] = "a"
    data: Json = Field(default_factory=dict)
    texts: list[str] = Field(default_factory=list)
    ints: list[int] = Field(default_factory=list)
    labels: set[str] = Field(default_factory=set)
    named: dict[str, int] = Field(default_factory=dict)
    part: Part | None = None


class Switch(Model, table=named("c_switches")):
    """A truth value, plain, with an index and that may be null."""

    id: int = Key(generated=False)
    on: bool = False
    indexed: bool = Field(default=False, index=True)
    maybe: bool | None = None
    n: int = 0
