"""The demo's rows: 1,000 records that look real and are the same everywhere, down to their keys.

Owns the words and the dice. Must not know stores; it makes plain values for the models of demo_shop.
"""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any
from uuid import UUID

CUSTOMERS, PRODUCTS, ORDERS, LINES = 120, 40, 280, 560  # together 1,000
SEED = 20_260_101
BEGIN = dt.datetime(2026, 1, 1, 8, 0, tzinfo=dt.UTC)

_GIVEN = (
    "Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Katherine", "Dennis", "Margaret", "Linus", "Radia", "Tim", "Hedy", "Claude",
    "Emmy", "Niklaus", "Frances", "Kurt", "Mary", "Leslie", "Sofia", "Blaise", "Annie", "Tony", "Joan", "Vint", "Rózsa", "Ivan", "Karen",
    "Yukihiro",
)  # fmt: skip
_FAMILY = (
    "Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Johnson", "Ritchie", "Hamilton", "Torvalds", "Perlman", "Lee",
    "Lamarr", "Shannon", "Noether", "Wirth", "Allen", "Gödel", "Jackson", "Lamport", "Kovalevskaya", "Pascal", "Easley", "Hoare",
    "Clarke", "Cerf", "Péter", "Sutherland", "Jones", "Matsumoto",
)  # fmt: skip
_CITIES = ("London", "Zürich", "Oslo", "Boston", "Kraków", "Lyon", "Porto", "Kyoto", "Wien", None)
_ADJECTIVES = ("Plain", "Folding", "Quiet", "Heavy", "Small", "Bright", "Woven", "Oak", "Steel", "Linen")
_THINGS = (
    ("kettle", "kitchen", 35), ("lamp", "home", 48), ("chair", "furniture", 120), ("notebook", "office", 6), ("bag", "travel", 64),
    ("knife", "kitchen", 28), ("blanket", "home", 55), ("shelf", "furniture", 89), ("pen", "office", 4), ("bottle", "travel", 18),
)  # fmt: skip


def demo_rows() -> dict[str, list[dict[str, Any]]]:
    """The values of all records by the name of their model, parents first."""
    dice = random.Random(SEED)  # noqa: S311 - the same rows everywhere is what is wanted
    customers = _customers(dice)
    products = _products(dice)
    orders, lines = _orders(dice, customers, products)
    return {"Customer": customers, "Product": products, "Order": orders, "OrderLine": lines}


def _uuid7(dice: random.Random, moment: dt.datetime) -> UUID:
    """A UUIDv7 (RFC 9562) of that moment whose random bits come from the dice."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | dice.getrandbits(12) << 64 | 0b10 << 62 | dice.getrandbits(62))


def _customers(dice: random.Random) -> list[dict[str, Any]]:
    names = [f"{given} {family}" for given in _GIVEN for family in _FAMILY]
    chosen = ["Ada Lovelace", *(name for name in dice.sample(names, CUSTOMERS) if name != "Ada Lovelace")][:CUSTOMERS]
    return [
        {
            "id": _uuid7(dice, BEGIN + dt.timedelta(minutes=place)),
            "email": f"{_ascii(name)}@example.com",
            "name": name,
            "city": dice.choice(_CITIES),
        }
        for place, name in enumerate(chosen)
    ]


def _ascii(name: str) -> str:
    return name.lower().replace(" ", ".").translate(str.maketrans("öéó", "oeo"))


def _products(dice: random.Random) -> list[dict[str, Any]]:
    pairs = dice.sample([(adjective, thing) for adjective in _ADJECTIVES for thing in _THINGS], PRODUCTS)
    return [
        {
            "id": _uuid7(dice, BEGIN + dt.timedelta(seconds=place)),
            "sku": f"{thing[:3].upper()}-{place + 1:03}",
            "name": f"{adjective} {thing}",
            "price": Decimal(price * 100 + dice.randrange(-100, 400)) / 100,
            "tags": [group, adjective.lower()],
        }
        for place, (adjective, (thing, group, price)) in enumerate(pairs)
    ]


def _orders(
    dice: random.Random, customers: list[dict[str, Any]], products: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    orders: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    counts = [1 + (place % 3) for place in range(ORDERS)]  # 1, 2, 3, 1, … lines
    counts[-1] += LINES - sum(counts)
    moment = BEGIN + dt.timedelta(days=1)
    for count in counts:
        moment += dt.timedelta(minutes=dice.randrange(10, 2400))
        order = {
            "id": _uuid7(dice, moment),
            "customer_id": dice.choice(customers)["id"],
            "status": dice.choice(("open", "paid", "paid", "shipped", "shipped", "shipped")),
            "placed_at": moment,
        }
        total = Decimal(0)
        for product in dice.sample(products, count):
            quantity = dice.randrange(1, 6)
            total += quantity * product["price"]
            lines.append(
                {
                    "id": _uuid7(dice, moment),
                    "order_id": order["id"],
                    "product_id": product["id"],
                    "quantity": quantity,
                    "price": product["price"],
                }
            )
        orders.append({**order, "total": total})
    return orders, lines
