"""Pydantic: the same ten fields with the same constraints, as a BaseModel and as a Pydantic dataclass, built from keyword arguments."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.dataclasses import dataclass

Price = Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
Name = Annotated[str, Field(max_length=80)]


class PydanticRecord(BaseModel):
    """The reference of the construction scenario."""

    id: UUID
    name: Name
    city: str
    rank: int
    price: Price
    active: bool
    seen_at: datetime
    tags: list[str]
    note: str | None = None
    score: float


@dataclass(kw_only=True)
class PydanticDataclass:
    """Shown for comparison."""

    id: UUID
    name: Name
    city: str
    rank: int
    price: Price
    active: bool
    seen_at: datetime
    tags: list[str]
    note: str | None = None
    score: float
