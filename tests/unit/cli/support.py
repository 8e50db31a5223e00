"""What the tests of the command line share: the text of a small shop, its rows, and the environment of real processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

SRC = Path(__file__).parents[3] / "src"

SHOP = """\
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID
from holdall import BelongsTo, Email, Field, HasMany, Json, Key, Model, Store, Version

class Customer(Model):
    id: UUID = Key()
    email: Email = Field(unique=True)
    name: str = Field(max_length=20)
    tags: list[str] = Field(default_factory=list)
    password: str | None = Field(default=None, secret=True)
    note: str | None = None
    data: Json | None = None
    orders: list["Order"] = HasMany("customer")

class Order(Model):
    id: int = Key(generated=False)
    customer_id: UUID = Field(references=Customer, on_delete="restrict")
    customer: Customer = BelongsTo("customer_id")
    total: Decimal = Field(max_digits=12, decimal_places=2, ge=0)
    paid: bool = False
    placed_at: datetime = Field(index=True)
    took: timedelta | None = None
    version: int = Version()

class Stock(Model):
    shelf: str = Key()
    place: int = Key()
    amount: int = 0

store = Store("sqlite:///shop.db")
"""

ADA = "0199f1c2-7b7e-7000-8000-000000000001"
BOB = "0199f1c2-7b7e-7000-8000-000000000002"
CUSTOMERS = f"""[
  {{"id": "{ADA}", "email": "ada@example.com", "name": "Ada", "tags": ["a", "b"], "password": "hidden", "data": {{"city": "Oslo"}}}},
  {{"id": "{BOB}", "email": "bob@example.com", "name": "Bob", "note": ""}}
]"""
ORDERS = f"""[
  {{"id": 1, "customer_id": "{ADA}", "total": "12.50", "placed_at": "2026-01-02T03:04:05Z", "took": "PT1M30S"}},
  {{"id": 2, "customer_id": "{ADA}", "total": "3.00", "placed_at": "2026-01-03T03:04:05+01:00", "paid": true}},
  {{"id": 3, "customer_id": "{BOB}", "total": "100.00", "placed_at": "2026-01-04T03:04:05.250000Z"}}
]"""

Run = Callable[..., Result]


def environment(**more: str) -> dict[str, str]:
    """The environment of a real process: this tree's sources, no colour settings of whoever runs the tests."""
    env = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "HOLDALL_DEBUG", "COLUMNS")}
    return {**env, "PYTHONPATH": str(SRC), "PYTHONUNBUFFERED": "", **more}


def command(*args: str) -> list[str]:
    """The command line of a real process."""
    return [sys.executable, "-m", "holdall", *args]
