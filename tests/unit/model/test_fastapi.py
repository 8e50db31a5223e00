"""FastAPI takes a model as request and response body, with its constraints in the OpenAPI document."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from holdall import BelongsTo, CreatedAt, Email, Field, HasMany, Key, Model


class Status(enum.Enum):
    OPEN = "open"
    PAID = "paid"


@dataclass
class Address:
    street: str
    city: str = "Berlin"


class Account(Model):
    id: int = Key()
    email: Email
    password: str = Field(secret=True, min_length=3)
    balance: Decimal = Field(max_digits=5, decimal_places=2, ge=0, description="In Euro.")
    picture: bytes = b""
    age: int = Field(ge=0, default=0)
    status: Status = Status.OPEN
    made: datetime = CreatedAt()
    home: Address | None = None
    payments: list[Payment] = HasMany()


class Payment(Model):
    id: UUID = Key()
    account_id: int
    account: Account = BelongsTo("account_id")
    tags: list[str] = Field(default_factory=list, max_length=2)


app = FastAPI()


@app.post("/accounts")
def create(account: Account) -> Account:
    assert account._row is None
    return account


@app.get("/accounts", response_model=list[Account])
def accounts() -> Any:
    return [Account(id=1, email="a@b.cd", password="abc", balance=Decimal(1), picture=b"\x00\xff")]


@app.post("/payments")
def pay(payment: Payment) -> Payment:
    return payment


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as made:
        yield made


async def test_a_body_becomes_an_object_and_back(client: httpx.AsyncClient) -> None:
    body = {"email": "ada@EXAMPLE.com", "password": "abc", "balance": 1.5, "picture": "AP8=", "home": {"street": "x"}, "status": "paid"}
    answer = await client.post("/accounts", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "id": None, "email": "ada@example.com", "balance": "1.50", "picture": "AP8=", "age": 0, "status": "paid", "made": None,
        "home": {"street": "x", "city": "Berlin"},
    }  # fmt: skip


async def test_secrets_are_taken_but_never_returned(client: httpx.AsyncClient) -> None:
    answer = await client.get("/accounts")
    assert answer.json()[0]["picture"] == "AP8="
    assert "password" not in answer.json()[0]


async def test_all_problems_at_once(client: httpx.AsyncClient) -> None:
    body = {"email": "x", "password": "a", "balance": "1.005", "age": True, "status": "lost", "home": {"street": 5}, "agee": 1}
    answer = await client.post("/accounts", json=body)
    assert answer.status_code == 422
    places = [problem["loc"][1:] for problem in answer.json()["detail"]]
    assert places == [["email"], ["password"], ["balance"], ["age"], ["status"], ["home", "street"], ["agee"]]


async def test_text_is_no_number_and_numbers_no_text(client: httpx.AsyncClient) -> None:
    for wrong in ({"age": "3"}, {"age": 3.5}, {"email": 3}):
        answer = await client.post("/accounts", json={"email": "a@b.cd", "password": "abc", "balance": "1", **wrong})
        assert answer.status_code == 422, wrong


async def test_foreign_keys_are_demanded_of_clients(client: httpx.AsyncClient) -> None:
    answer = await client.post("/payments", json={})
    assert [problem["loc"] for problem in answer.json()["detail"]] == [["body", "account_id"]]
    answer = await client.post("/payments", json={"account_id": 3, "tags": ["a"]})
    assert answer.json()["account_id"] == 3


async def test_the_document_has_the_constraints(client: httpx.AsyncClient) -> None:
    schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
    given, shown = schemas["Account-Input"], schemas["Account-Output"]
    assert given["required"] == ["email", "password", "balance"]
    assert given["additionalProperties"] is False
    properties = given["properties"]
    assert "payments" not in properties
    assert properties["email"]["format"] == "email"
    assert properties["password"]["minLength"] == 3
    assert properties["age"] == {"type": "integer", "minimum": 0, "title": "Age", "default": 0}
    assert properties["balance"]["description"] == "In Euro."
    assert properties["balance"]["anyOf"][0]["minimum"] == 0
    assert properties["picture"]["contentEncoding"] == "base64"
    assert "password" not in shown["properties"]
    payment = schemas["Payment-Input"] if "Payment-Input" in schemas else schemas["Payment"]
    assert payment["properties"]["tags"]["maxItems"] == 2
    assert "account" not in payment["properties"]
