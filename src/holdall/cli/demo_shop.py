"""A shop: customers order products.

Written by `holdall demo`, for you to edit. Run the demo again to see your changes; it keeps this file and the data.
"""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal
from urllib.parse import quote
from uuid import UUID

from holdall import BelongsTo, Email, Field, HasMany, Key, Model, Store, Version


class Customer(Model):
    """Somebody who buys."""

    id: UUID = Key()
    email: Email = Field(unique=True)
    name: str = Field(max_length=80)
    city: str | None = Field(default=None, max_length=80)
    orders: list["Order"] = HasMany("customer")


class Product(Model):
    """Something to buy."""

    id: UUID = Key()
    sku: str = Field(unique=True, pattern=r"^[A-Z]{3}-\d{3}$")
    name: str = Field(max_length=80)
    price: Decimal = Field(max_digits=8, decimal_places=2, gt=0)
    tags: list[str] = Field(default_factory=list[str])


class Order(Model):
    """What a customer bought at one time."""

    id: UUID = Key()
    customer_id: UUID = Field(references=Customer, on_delete="cascade")
    customer: Customer = BelongsTo("customer_id")
    status: Literal["open", "paid", "shipped"] = "open"
    total: Decimal = Field(max_digits=12, decimal_places=2, ge=0)
    placed_at: datetime = Field(index=True)
    version: int = Version()
    lines: list["OrderLine"] = HasMany("order")


class OrderLine(Model):
    """One product in an order, and how many of it."""

    id: UUID = Key()
    order_id: UUID = Field(references=Order, on_delete="cascade")
    order: Order = BelongsTo("order_id")
    product_id: UUID = Field(references=Product)
    product: Product = BelongsTo("product_id")
    quantity: int = Field(ge=1, le=1000)
    price: Decimal = Field(max_digits=8, decimal_places=2, gt=0)


# Beside this file, wherever the program is started. In place of sqlite: also memory: for data that need not stay.
store = Store(f"sqlite:///{quote(str(Path(__file__).with_name('shop.db').resolve()))}")
