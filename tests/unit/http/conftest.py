"""A shop behind an API, on memory and on SQLite."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.unit.http.shop import MODELS, NOW, Note, client_of

from holdall import Store
from holdall.http import api


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A store on each backend, with a clock that stands still."""
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'shop.db'}"
    made = Store(url, models=[*MODELS, Note], clock=lambda: NOW)
    yield made
    made.close()


@pytest.fixture
async def client(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API over that store. An error that nobody foresaw is raised in the test."""
    async with client_of(api(store, MODELS, cursor_secret="a secret of the tests")) as made:
        yield made


@pytest.fixture
async def memory_client() -> AsyncIterator[httpx.AsyncClient]:
    """A client for what is decided before any store is asked."""
    store = Store("memory:", models=[*MODELS, Note], clock=lambda: NOW)
    async with client_of(api(store, MODELS)) as made:
        yield made
    store.close()


@pytest.fixture
async def shop(client: httpx.AsyncClient) -> SimpleNamespace:
    """Two customers, five orders, some lines: their ids and URLs."""
    ada = (await client.post("/customers", json={"email": "ada@example.com", "name": "Ada"})).json()
    bob = (await client.post("/customers", json={"email": "bob@example.com", "name": "Bob"})).json()
    orders = []
    for number, (owner, total) in enumerate([(ada, "1.50"), (ada, "20"), (bob, "3.10"), (ada, "20.00"), (bob, "100")]):
        body = {"customer_id": owner["id"], "total": total, "placed_at": f"2026-01-0{number + 1}T00:00:00Z"}
        orders.append((await client.post("/orders", json=body)).json())
    for sku, quantity in [("a", 3), ("b,c", 2), ("d/e", 1)]:
        await client.post("/lines", json={"order_id": orders[0]["id"], "sku": sku, "quantity": quantity})
    return SimpleNamespace(ada=ada, bob=bob, orders=orders, order=f"/orders/{orders[0]['id']}")
