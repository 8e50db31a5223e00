"""Models with bounds of numbers, which the store checks."""

from __future__ import annotations

from decimal import Decimal

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Stock(Model, table=named("c_stock")):
    """Numbers within bounds."""

    id: int = Key(generated=False)
    pieces: int = Field(default=0, ge=0)
    most: int = Field(default=0, le=10)
    price: Decimal = Field(default=Decimal(1), gt=0)
    under: Decimal = Field(default=Decimal(1), lt=10)
