"""Lists and single records: the query grammar, pages, fields, includes."""

import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

PROBLEM = "application/problem+json"


def totals(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["total"] for item in answer.json()["data"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=-total,placed_at", ["100.00", "20.00", "20.00", "3.10", "1.50"]),
        ("total=20&sort=id", ["20.00", "20.00"]),
        ("total__gte=3.1&total__lt=100&sort=total,id", ["3.10", "20.00", "20.00"]),
        ("total__in=1.5,100.0&sort=total", ["1.50", "100.00"]),
        ("total__between=2,20&sort=total,id", ["3.10", "20.00", "20.00"]),
        ("customer__name=Bob&sort=total", ["3.10", "100.00"]),
        ("customer.name__icontains=AD&sort=total,id", ["1.50", "20.00", "20.00"]),
        ("lines__quantity__gte=3", ["1.50"]),
        ("lines.sku=b%2Cc", ["1.50"]),
        ("comment__is_null=false", []),
        ("placed_at__gt=2026-01-03T12:00:00%2B12:00&sort=total", ["20.00", "100.00"]),
        ("placed_at__gt=2026-01-03T12:00:00+12:00&sort=total", ["20.00", "100.00"]),
        ('where={"or":[{"total":{"gte":50}},{"total":1.50}]}&sort=total', ["1.50", "100.00"]),
        ('where={"not":{"customer.name":"Ada"}}&where={"total":{"lt":"50"}}', ["3.10"]),
        ("sort=customer.name,total,id&limit=4", ["1.50", "20.00", "20.00", "3.10"]),
        ("sort=total,id&offset=3&limit=1", ["20.00"]),
    ],
)
async def test_conditions(client: httpx.AsyncClient, shop: SimpleNamespace, query: str, expected: list[str]) -> None:
    assert totals(await client.get(f"/orders?{query}")) == expected


async def test_a_list_says_its_page(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    answer = await client.get("/orders?sort=total&limit=2&count=exact&paid=false")
    body = answer.json()
    page = body["page"]
    assert list(body) == ["data", "page"]
    assert (page["limit"], page["has_more"], page["total"], page["total_kind"]) == (2, True, 5, "exact")
    assert page["prev_cursor"] is None
    assert answer.headers["content-type"] == "application/json"
    without = (await client.get("/orders")).json()["page"]
    assert "total" not in without
    assert "total_kind" not in without
    assert without["limit"] == 50


async def test_pages_forward_and_back_by_link(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    seen, url = [], "/orders?sort=-total&limit=2&fields=id,total"
    answers = []
    while url:
        answer = await client.get(url)
        answers.append(answer)
        seen += totals(answer)
        url = answer.links.get("next", {}).get("url")
    assert seen == ["100.00", "20.00", "20.00", "3.10", "1.50"]
    assert len(answers) == 3
    back = await client.get(answers[2].links["prev"]["url"])
    assert back.json()["data"] == answers[1].json()["data"]
    first = await client.get(back.links["first"]["url"])
    assert first.json()["data"] == answers[0].json()["data"]
    assert "next" not in answers[2].links


async def test_a_cursor_is_bound_and_signed(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    cursor = (await client.get("/orders?sort=total&limit=2")).json()["page"]["next_cursor"]
    assert totals(await client.get(f"/orders?sort=total&limit=1&cursor={cursor}")) == ["20.00"], "a changed limit is fine"
    other = "y" if cursor[0] == "x" else "x"
    tampered = [cursor[:-1] + ("A" if cursor[-1] != "A" else "B"), other + cursor[1:], cursor.partition(".")[2], "nonsense", "", "ü.ü"]
    others = [f"/orders?sort=-total&cursor={cursor}", f"/orders?sort=total&paid=true&cursor={cursor}", f"/orders?cursor={cursor}"]
    for url in [*others, *(f"/orders?sort=total&cursor={each}" for each in tampered)]:
        answer = await client.get(url)
        assert answer.status_code == 400, url
        assert answer.json()["code"] == "bad_value"
    answer = await client.get(f"/orders?sort=total&offset=1&cursor={cursor}")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "offset")


async def test_fields_and_includes(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    answer = await client.get("/orders?sort=total&limit=1&fields=total,customer.name,customer.email&include=lines(limit:2,sort:-quantity)")
    lines = [
        {"order_id": shop.orders[0]["id"], "sku": "a", "quantity": 3},
        {"order_id": shop.orders[0]["id"], "sku": "b,c", "quantity": 2},
    ]
    expected = {"total": "1.50", "lines": lines, "customer": {"email": "ada@example.com", "name": "Ada"}}
    assert answer.json()["data"] == [expected]
    deep = (await client.get("/customers?sort=name&include=orders(sort:total).lines&fields=name&depth=2")).json()["data"]
    assert [len(order["lines"]) for order in deep[0]["orders"]] == [3, 0, 0]
    assert "password" not in json.dumps(deep)
    only = (await client.get(f"{shop.order}?fields=lines.sku")).json()
    assert sorted(line["sku"] for line in only["lines"]) == ["a", "b,c", "d/e"]
    assert list(only) == ["lines"]


async def test_one_record(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    answer = await client.get(shop.order)
    assert answer.json() == shop.orders[0]
    assert list(answer.json()) == [
        "id", "customer_id", "total", "placed_at", "paid", "comment", "created_at", "updated_at", "version",
    ]  # fmt: skip
    assert answer.json()["created_at"] == "2026-01-02T03:04:05.678901Z"
    assert answer.headers["etag"] == '"1"'
    same = await client.get(shop.order, headers={"If-None-Match": 'W/"1"'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
    other = await client.get(shop.order, headers={"If-None-Match": '"2", "3"'})
    assert other.status_code == 200
    with_customer = await client.get(f"{shop.order}?include=customer", headers={"If-None-Match": '"1"'})
    assert with_customer.status_code == 200
    assert "etag" not in with_customer.headers, "a version says nothing about the customer"
    assert with_customer.json()["customer"] == shop.ada


async def test_related_records(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    ada = f"/customers/{shop.ada['id']}"
    assert totals(await client.get(f"{ada}/orders?sort=-total,id&total__gte=2")) == ["20.00", "20.00"]
    assert (await client.get(f"{shop.order}/customer")).json() == shop.ada
    page = (await client.get(f"{shop.order}/lines?count=exact&limit=1")).json()["page"]
    assert (page["total"], page["has_more"]) == (3, True)
    link = (await client.get(f"{shop.order}/lines?limit=2")).links["next"]["url"]
    assert link.startswith(f"{shop.order}/lines?limit=2&cursor=")
    assert len((await client.get(link)).json()["data"]) == 1
    other = shop.orders[1]["id"]
    stolen = link.replace(shop.orders[0]["id"], other)
    assert (await client.get(stolen)).status_code == 400, "a cursor belongs to its parent too"
    assert (await client.get(f"/orders/{other}/lines")).json()["data"] == []
    assert (await client.get(f"/orders/{shop.ada['id']}/lines")).status_code == 404
    unknown = await client.get(f"{shop.order}/line")
    assert (unknown.status_code, unknown.json()["hint"]) == (404, "Did you mean 'lines'?")
    assert (await client.get(f"{shop.order}/tags")).json()["data"] == []


async def test_composite_keys(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    made = shop.orders[0]["id"]
    for sku, part in [("a", "a"), ("b,c", "b%2Cc"), ("d/e", "d%2Fe")]:
        answer = await client.get(f"/lines/{made},{part}")
        assert answer.json()["sku"] == sku, answer.text
    created = await client.post("/lines", json={"order_id": made, "sku": "é %/,", "quantity": 5})
    assert (await client.get(created.headers["location"])).json()["quantity"] == 5
    for wrong in (made, f"{made},a,b", f"{made},", "x,y"):
        answer = await client.get(f"/lines/{wrong}")
        assert answer.status_code == 404, wrong
        assert answer.headers["content-type"] == PROBLEM


@pytest.mark.parametrize("method", ["QUERY", "POST"])
async def test_search_by_body(client: httpx.AsyncClient, shop: SimpleNamespace, method: str) -> None:
    async def search(body: Any) -> httpx.Response:
        return await client.request(method, "/orders/search" if method == "POST" else "/orders", json=body)

    where = {"or": [{"total": {"gte": 3.10, "lt": 4}}, {"customer.name": "Ada", "total": "1.5"}]}
    body = {"where": where, "sort": ["-total"], "fields": ["total"], "limit": 1, "count": "exact"}
    first = await search(body)
    assert totals(first) == ["3.10"]
    assert first.json()["page"]["total"] == 2
    second = await search({**body, "cursor": first.json()["page"]["next_cursor"]})
    assert totals(second) == ["1.50"]
    assert totals(await search({})) != []
    assert totals(await search({"where": {"lines": {"is_null": False}}, "include": "customer,lines(limit:1)"})) == ["1.50"]
    for wrong in ([], "x", 3, False):
        assert (await search(wrong)).status_code == 400


async def test_every_fault_of_a_query_is_told_with_its_place(memory_client: httpx.AsyncClient) -> None:
    query = "totel__gte=1&total__gt=much&total__gtee=1&sort=-foo&fields=id,nme&include=custmer&limit=1000&count=some&limt=3"
    query += "&depth=9"
    body = (await memory_client.get(f"/orders?{query}")).json()
    found = {(fault["parameter"], fault["code"], fault.get("hint", "")) for fault in body["errors"]}
    assert ("totel__gte", "unknown_field", "Did you mean 'total'?") in found
    assert ("total__gtee", "unknown_operator", "Did you mean 'gte'?") in found
    assert ("limt", "unknown_field", "Did you mean 'limit'?") in found
    assert ("include", "unknown_field", "Did you mean 'customer'?") in found
    assert {name for name, _, _ in found} == {
        "totel__gte", "total__gt", "total__gtee", "sort", "fields", "include", "limit", "count", "limt", "depth",
    }  # fmt: skip
    assert (body["status"], body["code"]) == (400, "bad_request")


async def test_every_fault_of_a_search_is_told_with_its_pointer(memory_client: httpx.AsyncClient) -> None:
    where = {"or": [{"total": {"gte": "x", "lt": 4}}, {"nme": 1}, 7], "not": {"paid": {"lk": 1, "eq": 3}}, "a/b~c": 1}
    body = {"where": where, "sort": ["total", 3], "limit": "5", "wher": {}, "cursor": 5, "offset": -1}
    answer = (await memory_client.request("QUERY", "/orders", json=body)).json()
    assert {fault["pointer"] for fault in answer["errors"]} == {
        "/where/or/0/total/gte", "/where/or/1/nme", "/where/or/2", "/where/not/paid/lk", "/where/not/paid/eq", "/where/a~1b~0c",
        "/sort", "/limit", "/wher", "/cursor", "/offset",
    }  # fmt: skip
    in_url = (await memory_client.get("/orders", params={"where": json.dumps({"or": [{"nme": 1}]})})).json()
    assert in_url["errors"][0]["parameter"] == "where"
    assert in_url["errors"][0]["pointer"] == "/or/0/nme"


@pytest.mark.parametrize(
    "query",
    [
        "password=secret", "password__startswith=s", "sort=password", "fields=password", "orders.customer.password=secret",
        "where={\"password\":\"secret\"}", "notes.text=x", "include=notes", "fields=notes.text", "notes__is_null=true",
        "sort=-orders.total", "fields=orders.customer.password&depth=2",
    ],
)  # fmt: skip
async def test_secrets_and_models_not_offered_stay_closed(memory_client: httpx.AsyncClient, query: str) -> None:
    answer = await memory_client.get(f"/customers?{query}")
    assert answer.status_code == 400, answer.text
    if not query.startswith("sort=-orders"):
        assert answer.json()["code"] == "forbidden_field"
    for schema in ("Customer", "CustomerList"):
        assert "password" not in json.dumps((await memory_client.get("/openapi.json")).json()["components"]["schemas"][schema])


async def test_a_model_not_offered_has_no_url(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    assert (await client.get("/notes")).status_code == 404
    assert (await client.get(f"/customers/{shop.ada['id']}/notes")).status_code == 404


@pytest.mark.parametrize(
    ("url", "parameter", "hint"),
    [
        ("/orders?include=customer.orders", "include", "Add depth=2."),
        ("/orders?depth=0&include=customer", "include", "Add depth=1."),
        ("/orders?depth=3&include=customer.orders.customer.orders", "include", "The depth is at most 3."),
        ("/orders?include=lines(limt:5)", "include", "Did you mean 'limit'?"),
        ("/orders?include=lines(limit:x)", "include", None),
        ("/orders?include=lines(", "include", None),
        ("/orders?include=lines(limit:5)x", "include", None),
        ("/orders?include=customer(limit:5)", "include", None),
        ("/orders?include=", "include", None),
        ("/orders?fields=", "fields", None),
        ("/orders?sort=", "sort", None),
        ("/orders?limit=0", "limit", None),
        ("/orders?limit=-1", "limit", None),
        ("/orders?limit=1e1", "limit", None),
        ("/orders?limit=٣", "limit", None),
        ("/orders?offset=99999999999999999999999", "offset", None),
        ("/orders?limit=1&limit=2", "limit", "Separate several values by commas."),
        ("/orders?q=ada", "q", None),
        (f"/orders?sort={','.join(['id'] * 21)}", "sort", None),
        (f"/orders?comment__like={'%25a' * 501}", "comment__like", "Use contains for long text."),
        ("/orders?" + "customer.orders." * 3 + "total=1", "customer.orders." * 3 + "total", None),
        ("/orders?dry_run=true", "dry_run", None),
        ("/orders?format=xml", "format", None),
        ("/orders?customer___steps=1", "customer___steps", None),
        ("/orders?=1", "", None),
        ("/everythings?data.²=1&words__%00=1", None, None),
    ],
)
async def test_parameters_that_cannot_be(memory_client: httpx.AsyncClient, url: str, parameter: str | None, hint: str | None) -> None:
    answer = await memory_client.get(url)
    assert answer.status_code == 400, answer.text
    faults = answer.json()["errors"]
    if parameter is not None:
        assert [fault["parameter"] for fault in faults] == [parameter]
    if hint is not None:
        assert faults[0]["hint"] == hint


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("*/*", 200), ("application/json", 200), ("application/*;q=0.5", 200), ("text/html", 406), ("text/html,*/*;q=0.1", 200),
        ("application/json;q=0, */*", 406), ("", 200), ("application/problem+json", 406), ("application/JSON; charset=utf-8", 200),
    ],
)  # fmt: skip
async def test_accept(memory_client: httpx.AsyncClient, header: str, status: int) -> None:
    answer = await memory_client.get("/tags", headers={"Accept": header})
    assert answer.status_code == status
    assert (await memory_client.get("/tags?format=json", headers={"Accept": header})).status_code == 200
    later = await memory_client.get("/tags?format=csv")
    assert (later.status_code, later.json()["code"]) == (406, "not_acceptable")


async def test_no_query_takes_time_without_end(client: httpx.AsyncClient) -> None:
    await client.post("/everythings", json={"name": "a" * 190})
    where = {"or": [{"name": {"like": "%a" * 30 + "%b"}}, {"number": {"in": list(range(20_000))}}]}
    assert (await client.post("/everythings/search", json={"where": where})).json()["data"] == []
    many = {"where": {"or": [{"number": number} for number in range(201)]}}
    answer = await client.post("/everythings/search", json=many)
    assert (answer.status_code, answer.json()["code"]) == (400, "too_many")
