"""Models with bounds of numbers, which the store checks."""

from __future__ import annotations

from decimal import Decimal

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Stock(Model, table=named("c_stock")):
    """Numbers that must not fall below nothing."""

    id: int = Key(generated=False)
    pieces: int = Field(default=0, ge=0)
    price: Decimal = Field(default=Decimal(1), gt=0)
