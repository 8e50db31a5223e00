"""Models of a shop that the tests serve, and a client that speaks to an application without a socket."""

import datetime as dt
import enum
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx

from holdall import (
    BelongsTo,
    CreatedAt,
    Email,
    Field,
    HasMany,
    Json,
    Key,
    LocalDateTime,
    ManyToMany,
    Model,
    UpdatedAt,
    Version,
)

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC)


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Customer(Model):
    """Who buys."""

    id: UUID = Key()
    email: Email = Field(unique=True)
    name: str = Field(min_length=1, max_length=80)
    password: str = Field(default="secret", secret=True)
    orders: list["Order"] = HasMany("customer")
    notes: list["Note"] = HasMany("customer")


class Order(Model):
    id: UUID = Key()
    customer_id: UUID = Field(references=Customer, on_delete="cascade")
    customer: Customer = BelongsTo("customer_id")
    total: Decimal = Field(max_digits=12, decimal_places=2, ge=0)
    placed_at: dt.datetime = Field(index=True)
    paid: bool = Field(default=False)
    comment: str | None = Field(default=None)
    created_at: dt.datetime = CreatedAt()
    updated_at: dt.datetime = UpdatedAt()
    version: int = Version()
    lines: list["Line"] = HasMany("order")
    tags: list["Tag"] = ManyToMany()


class Line(Model):
    order_id: UUID = Key(references=Order, on_delete="cascade")
    sku: str = Key()
    order: Order = BelongsTo("order_id")
    quantity: int = Field(default=1, ge=1, le=1000)


class Tag(Model):
    id: int = Key()
    label: str = Field(unique=True, pattern="^[a-z]+$")
    orders: list[Order] = ManyToMany()


class Note(Model):
    """Not offered by the API."""

    id: int = Key()
    customer_id: UUID = Field(references=Customer)
    customer: Customer = BelongsTo("customer_id")
    text: str


class Everything(Model):
    name: str = Key(max_length=200)
    number: int | None = Field(default=None)
    ratio: float | None = Field(default=None)
    amount: Decimal | None = Field(default=None)
    flag: bool | None = Field(default=None)
    raw: bytes | None = Field(default=None)
    at: dt.datetime | None = Field(default=None)
    local: LocalDateTime | None = Field(default=None)
    day: dt.date | None = Field(default=None)
    clock: dt.time | None = Field(default=None)
    span: dt.timedelta | None = Field(default=None)
    uid: UUID | None = Field(default=None)
    colour: Colour | None = Field(default=None)
    data: Json = Field(default=None)
    words: list[str] = Field(default_factory=list)
    amounts: list[Decimal] = Field(default_factory=list)
    numbers: set[int] = Field(default_factory=set)
    scores: dict[str, float] = Field(default_factory=dict)


MODELS = [Customer, Order, Line, Tag, Everything]


def client_of(app: Any) -> httpx.AsyncClient:
    """A client that calls an application directly."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop")
