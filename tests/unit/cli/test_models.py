"""models: what a program declares."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.support import SHOP, Run


def test_fields_relations_and_notes(run: Run) -> None:
    Path("shop.py").write_text(SHOP)
    lines = [line.split(maxsplit=2) for line in run("models", "shop.py").stdout.splitlines()]
    notes = {(line[0], line[1]): line[2] for line in lines}
    assert notes["Customer", "id"].split() == ["UUID", "key"]
    assert "unique" in notes["Customer", "email"]
    assert "at most 20" in notes["Customer", "name"]
    assert "secret" in notes["Customer", "password"]
    assert "references Customer (restrict)" in notes["Order", "customer_id"]
    assert "list of Order" in notes["Customer", "orders"]
    assert not Path("shop.db").exists(), "the store is not touched"


def test_as_json(run: Run) -> None:
    Path("shop.py").write_text(SHOP)
    described = {item["name"]: item for item in json.loads(run("models", "shop.py", "-o", "json").stdout)}
    assert list(described) == ["Customer", "Order", "Stock"]
    assert described["Stock"]["key"] == ["shelf", "place"]
    (customer,) = described["Order"]["relations"]
    assert (customer["name"], customer["kind"], customer["target"]) == ("customer", "belongs_to", "Customer")
    assert customer["local"] == ["customer_id"]
    one = json.loads(run("models", "shop.py", "Order", "-o", "json").stdout)
    assert one == described["Order"]
    total = next(field for field in one["fields"] if field["name"] == "total")
    assert total["type"] == "Decimal"
    assert run("models", "shop.py", "Ordr").exit_code == 2
