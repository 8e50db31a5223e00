"""Models with unique numbers."""

from __future__ import annotations

from decimal import Decimal

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Serial(Model, table=named("c_serials")):
    """A unique number of each sort that can be one."""

    id: int = Key(generated=False)
    n: int | None = Field(default=None, unique=True)
    d: Decimal | None = Field(default=None, unique=True)
    money: Decimal | None = Field(default=None, max_digits=10, decimal_places=2, unique=True)
    x: float | None = Field(default=None, unique=True)
    rank: int = 0
