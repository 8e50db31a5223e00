"""get and list: conditions, order, fields, includes, one record by key."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.cli.support import ADA, BOB, Run


def rows(run: Run, *args: str) -> Any:
    result = run(*args, "-o", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_conditions_order_and_limit(shop: Run) -> None:
    found = rows(shop, "get", "shop.py", "Order", "--where", "total__gte=10", "--sort", "-placed_at", "--limit", "5")
    assert [order["id"] for order in found] == [3, 1]
    assert [order["id"] for order in rows(shop, "list", "shop.py", "Order", "--sort", "-total,id", "--limit", "2")] == [3, 1]
    assert [order["id"] for order in rows(shop, "list", "shop.py", "Order", "--sort", "id", "--offset", "1")] == [2, 3]
    assert rows(shop, "list", "shop.py", "Order", "--limit", "0") == []


def test_conditions_through_relations_and_lists(shop: Run) -> None:
    assert [order["id"] for order in rows(shop, "get", "shop.py", "Order", "--where", "customer__name=Ada", "--where", "paid=true")] == [2]
    assert [order["id"] for order in rows(shop, "get", "shop.py", "Order", "--where", "id__in=1,3", "--sort", "id")] == [1, 3]
    assert [item["name"] for item in rows(shop, "get", "shop.py", "Customer", "--where", "orders.total__gt=50")] == ["Bob"]
    assert [item["name"] for item in rows(shop, "get", "shop.py", "Customer", "--where", "tags__has=a")] == ["Ada"]
    assert [item["name"] for item in rows(shop, "get", "shop.py", "Customer", "--where", "note__is_null=true")] == ["Ada"]


def test_json_forms_are_exact_and_secrets_stay_hidden(shop: Run) -> None:
    (order,) = rows(shop, "get", "shop.py", "Order", "--where", "id=1")
    assert order == {
        "id": 1, "customer_id": ADA, "total": "12.50", "paid": False, "placed_at": "2026-01-02T03:04:05Z", "took": "PT90S", "version": 1,
    }  # fmt: skip
    ada = rows(shop, "get", "shop.py", "Customer", ADA)
    assert ada == {"id": ADA, "email": "ada@example.com", "name": "Ada", "tags": ["a", "b"], "note": None, "data": {"city": "Oslo"}}
    assert "hidden" not in shop("get", "shop.py", "Customer").stdout


def test_one_record_by_key(shop: Run) -> None:
    assert rows(shop, "get", "shop.py", "Order", "2")["total"] == "3.00"
    assert "total        3.00" in shop("get", "shop.py", "Order", "2").stdout
    absent = shop("get", "shop.py", "Order", "99")
    assert (absent.exit_code, absent.stdout) == (1, "")
    assert "There is no Order with the key 99" in absent.stderr
    wrong = shop("get", "shop.py", "Order", "abc")
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "'abc' is not an int" in wrong.stderr
    assert shop("get", "shop.py", "Order", "2", "--limit", "3").exit_code == 2


def test_a_composite_key(shop: Run) -> None:
    assert shop("create", "shop.py", "Stock", "shelf=a,b", "place=2", "amount=7").exit_code == 0
    assert rows(shop, "get", "shop.py", "Stock", '["a,b", 2]')["amount"] == 7
    assert shop("create", "shop.py", "Stock", "shelf=c", "place=3").exit_code == 0
    assert rows(shop, "get", "shop.py", "Stock", "c,3")["amount"] == 0
    assert shop("get", "shop.py", "Stock", "c").exit_code == 2
    assert shop("get", "shop.py", "Stock", "c,4").exit_code == 1


def test_fields_through_relations_and_into_json(shop: Run) -> None:
    found = rows(shop, "get", "shop.py", "Order", "--sort", "id", "--fields", "id,customer.name", "--fields", "total")
    assert found[0] == {"id": 1, "customer.name": "Ada", "total": "12.50"}
    assert rows(shop, "get", "shop.py", "Customer", "--sort", "name", "--fields", "name,data.city") == [
        {"name": "Ada", "data.city": "Oslo"}, {"name": "Bob", "data.city": None},
    ]  # fmt: skip
    assert rows(shop, "get", "shop.py", "Order", "1", "--fields", "customer.email") == {"customer.email": "ada@example.com"}


def test_includes_are_nested(shop: Run) -> None:
    (order,) = rows(shop, "get", "shop.py", "Order", "--where", "id=3", "--include", "customer")
    assert order["customer"]["name"] == "Bob"
    assert "password" not in order["customer"]
    ada = rows(shop, "get", "shop.py", "Customer", ADA, "--include", "orders.customer")
    assert [item["total"] for item in ada["orders"]] == ["12.50", "3.00"]
    assert ada["orders"][0]["customer"]["name"] == "Ada"
    assert [len(item["orders"]) for item in rows(shop, "list", "shop.py", "Customer", "--sort", "name", "--include", "orders")] == [2, 1]


def test_count(shop: Run) -> None:
    assert shop("list", "shop.py", "Order", "--where", "total__lt=50", "--count").stdout == "2\n"
    assert shop("list", "shop.py", "Order", "--limit", "1", "--count").stdout == "1\n"


@pytest.mark.parametrize(
    ("args", "text"),
    [
        (["--where", "totl__gte=10"], "Did you mean 'total'?"),
        (["--where", "total__gtee=10"], "Did you mean 'gt"),
        (["--where", "total"], "there is no '='"),
        (["--where", "total=abc"], "'abc' is not a Decimal"),
        (["--where", "customer__nme=Ada"], "Did you mean 'name'?"),
        (["--where", "placed_at__gt=2026-01-01T00:00:00"], "no time zone"),
        (["--where", "customer__password=hidden"], "'password' is secret"),
        (["--sort", "customer.password"], "'password' is secret"),
        (["--sort", "-totl"], "Did you mean 'total'?"),
        (["--fields", "id,totl"], "Did you mean 'total'?"),
        (["--fields", "customer.password"], "'password' is secret"),
        (["--fields", "customer"], "is a relation of Order, not a field"),
        (["--include", "custmer"], "Did you mean 'customer'?"),
        (["--limit", "-1"], "--limit"),
        (["--limit", "many"], "--limit"),
        (["-o", "xml"], "-o"),
    ],
)
def test_what_is_wrong_is_refused_with_a_hint(shop: Run, args: list[str], text: str) -> None:
    result = shop("get", "shop.py", "Order", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert text in result.stderr


def test_tables_are_plain_when_nobody_looks(shop: Run) -> None:
    lines = shop("get", "shop.py", "Order", "--sort", "id", "--fields", "id,total,took").stdout.splitlines()
    assert lines == ["id   total  took", " 1   12.50  PT90S", " 2    3.00  null", " 3  100.00  null"]


def test_csv_is_what_import_reads(shop: Run) -> None:
    assert shop("get", "shop.py", "Customer", "--sort", "name", "--fields", "name,note,tags", "-o", "csv").stdout.splitlines() == [
        "name,note,tags", 'Ada,,"[""a"",""b""]"', 'Bob,"",[]',
    ]  # fmt: skip


def test_keys_sort_as_uuid(shop: Run) -> None:
    assert [item["id"] for item in rows(shop, "list", "shop.py", "Customer", "--sort", "-id")] == [BOB, ADA]
