"""The models of the store cases: a small shop with every kind of relation."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from holdall import (
    BelongsTo,
    CreatedAt,
    Email,
    Field,
    HasMany,
    HasOne,
    Json,
    Key,
    ManyToMany,
    Model,
    UpdatedAt,
    Version,
)


class Status(enum.Enum):
    OPEN = "open"
    PAID = "paid"


@dataclass
class Address:
    street: str
    city: str


class Customer(Model):
    id: UUID = Key()
    email: Email = Field(unique=True)
    name: str = Field(max_length=80)
    address: Address | None = None
    orders: list[Order] = HasMany("customer")
    profile: Profile | None = HasOne("customer")


class Profile(Model):
    id: int = Key()
    customer_id: UUID = Field(references=Customer, on_delete="cascade", unique=True)
    customer: Customer = BelongsTo("customer_id")
    bio: str = ""


class Order(Model):
    id: UUID = Key()
    customer_id: UUID = Field(references=Customer, on_delete="cascade")
    customer: Customer = BelongsTo("customer_id")
    total: Decimal = Field(max_digits=12, decimal_places=2, ge=0)
    status: Status = Status.OPEN
    placed_at: datetime = Field(index=True)
    data: Json = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    version: int = Version()
    lines: list[Line] = HasMany("order")


class Product(Model):
    id: int = Key()
    name: str = Field(unique=True)
    price: Decimal = Field(max_digits=10, decimal_places=2)
    labels: list[Label] = ManyToMany()


class Label(Model):
    id: str = Key()
    products: list[Product] = ManyToMany()


class Line(Model):
    order_id: UUID = Key(references=Order, on_delete="cascade")
    number: int = Key(generated=False)
    order: Order = BelongsTo("order_id")
    product_id: int | None = Field(default=None, references=Product, on_delete="set_null")
    product: Product | None = BelongsTo("product_id")
    quantity: int = Field(ge=1)


class Employee(Model):
    id: int = Key()
    name: str
    boss_id: int | None = Field(default=None, references="Employee")
    boss: Employee | None = BelongsTo("boss_id")
    reports: list[Employee] = HasMany("boss")


class Note(Model, filters={"live": lambda note: note.deleted == False}):
    id: UUID = Key()
    text: str
    deleted: bool = False
    created_at: datetime = CreatedAt()
    updated_at: datetime = UpdatedAt()


class Session(Model, expires_after=timedelta(hours=1)):
    id: str = Key()
    user: str = Field(unique=True)


class Trip(Model, checks={"ends_after_start": lambda trip: trip.ends > trip.starts}, unique=[("name", "starts")]):
    id: int = Key()
    name: str
    starts: int
    ends: int | None = None
