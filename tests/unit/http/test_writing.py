"""Creating, replacing, changing and deleting: bodies, preconditions, dry runs, and every problem at once."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.unit.http.shop import MODELS, Customer, Order, client_of

from holdall import Store
from holdall.http import api

PROBLEM = "application/problem+json"
ORDER = {"total": "5", "placed_at": "2026-01-09T00:00:00Z"}


def pointers(answer: httpx.Response, status: int = 422) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    return {fault["pointer"]: fault["code"] for fault in answer.json()["errors"]}


async def test_create(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    answer = await client.post("/orders", json={**ORDER, "customer_id": shop.ada["id"], "comment": "été"})
    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/orders/{body['id']}"
    assert answer.headers["etag"] == '"1"'
    assert (body["total"], body["comment"], body["paid"], body["version"]) == ("5.00", "été", False, 1)
    assert (await client.get(answer.headers["location"])).json() == body
    given = "00000000-0000-7000-8000-000000000001"
    assert (await client.post("/orders", json={**ORDER, "customer_id": shop.ada["id"], "id": given})).json()["id"] == given
    tag = await client.post("/tags", json={"label": "new"})
    assert tag.headers["location"] == f"/tags/{tag.json()['id']}"
    assert "etag" not in tag.headers, "Tag has no version"


async def test_create_says_all_problems_at_once_and_writes_nothing(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    wrong = {"email": "ada", "name": "", "namee": 1, "orders": [], "password": 3}
    assert pointers(await client.post("/customers", json=wrong)).keys() == {"/email", "/name", "/namee", "/orders", "/password"}
    faults = pointers(await client.post("/orders", json={"total": "1.005", "version": 3, "created_at": None, "customer": {"name": "x"}}))
    assert faults["/customer"] == "not_offered"
    assert faults["/version"] == faults["/created_at"] == "read_only"
    assert faults["/customer_id"] == faults["/placed_at"] == "missing"
    assert "/total" in faults
    nested = await client.post("/everythings", json={"name": "x", "words": ["a", 3], "scores": {"a/b": "x"}, "amounts": [1, "x"]})
    assert pointers(nested).keys() == {"/words/1", "/scores/a~1b", "/amounts/1"}
    assert (await client.get("/customers?count=exact")).json()["page"]["total"] == 2
    assert (await client.get("/everythings?count=exact")).json()["page"]["total"] == 0


async def test_constraints_are_conflicts(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    taken = await client.post("/customers", json={"email": "ada@example.com", "name": "Eve"})
    assert pointers(taken, 409) == {"/email": "unique"}
    orphan = await client.post("/orders", json={**ORDER, "customer_id": shop.orders[0]["id"]})
    assert pointers(orphan, 409) == {"/customer_id": "foreign_key"}
    await client.post("/lines", json={"order_id": shop.orders[1]["id"], "sku": "x"})
    again = await client.post("/lines", json={"order_id": shop.orders[1]["id"], "sku": "x"})
    assert again.status_code == 409


async def test_put_replaces_or_creates(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    whole = {**ORDER, "customer_id": shop.bob["id"]}
    answer = await client.put(shop.order, json=whole)
    assert answer.status_code == 200
    assert (answer.json()["total"], answer.json()["version"], answer.json()["id"]) == ("5.00", 2, shop.orders[0]["id"])
    assert answer.headers["etag"] == '"2"'
    assert answer.json()["created_at"] == shop.orders[0]["created_at"]
    assert (await client.put(shop.order, json=answer.json())).status_code == 200, "what was read can be sent back"
    new = "/orders/00000000-0000-7000-8000-000000000002"
    created = await client.put(new, json=whole)
    assert (created.status_code, created.headers["location"]) == (201, new)
    assert (await client.put(new, json=whole, headers={"If-None-Match": "*"})).status_code == 412
    assert (await client.put(new[:-1] + "3", json=whole, headers={"If-None-Match": "*"})).status_code == 201
    assert (await client.put(new[:-1] + "4", json=whole, headers={"If-Match": "*"})).status_code == 412
    assert pointers(await client.put(new, json={**whole, "id": shop.ada["id"]})).keys() == {"/id"}
    assert pointers(await client.put(new, json={"total": "1"})).keys() == {"/customer_id", "/placed_at"}
    line = f"/lines/{shop.orders[0]['id']},b%2Cc"
    assert (await client.put(line, json={"quantity": 7})).json() == {"order_id": shop.orders[0]["id"], "sku": "b,c", "quantity": 7}


@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "application/json", "Application/JSON; charset=UTF-8"])
async def test_patch_changes_what_it_names(client: httpx.AsyncClient, shop: SimpleNamespace, media_type: str) -> None:
    answer = await client.patch(shop.order, content=b'{"total": 7.10, "comment": "x"}', headers={"Content-Type": media_type})
    expected = {**shop.orders[0], "total": "7.10", "comment": "x", "version": 2}
    assert answer.json() == expected
    answer = await client.patch(shop.order, json={"comment": None})
    assert answer.json() == {**expected, "comment": None, "version": 3}
    assert (await client.patch(shop.order, json={})).json()["version"] == 3, "nothing changed, nothing written"
    faults = pointers(await client.patch(shop.order, json={"totl": 1, "total": None, "lines": [], "version": 9, "id": "x"}))
    assert faults.keys() <= {"/totl", "/total", "/lines", "/version", "/id"}
    assert (await client.patch(f"/orders/{shop.ada['id']}", json={})).status_code == 404


async def test_merge_patch_reaches_into_json(client: httpx.AsyncClient) -> None:
    body = {"name": "x", "data": {"a": {"b": 1, "c": 2.5}, "d": [1]}, "scores": {"a": 1, "b": 2}}
    await client.post("/everythings", json=body)
    answer = await client.patch("/everythings/x", json={"data": {"a": {"b": None, "e": "new"}, "d": [2]}, "scores": {"a": None, "c": 0.1}})
    assert answer.json()["data"] == {"a": {"c": 2.5, "e": "new"}, "d": [2]}
    assert answer.json()["scores"] == {"b": 2.0, "c": 0.1}


async def test_other_media_types_are_415(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    patch = await client.patch(shop.order, content=b"[]", headers={"Content-Type": "application/json-patch+json"})
    assert (patch.status_code, patch.headers["accept-patch"]) == (415, "application/merge-patch+json, application/json")
    for kind in ("text/plain", "application/xml", "application/json; charset=latin-1", "application/x-www-form-urlencoded", "json", ""):
        assert (await client.post("/tags", content=b'{"label":"x"}', headers={"Content-Type": kind})).status_code == 415, kind
    assert (await client.post("/tags", content=b'{"label":"x"}')).status_code == 415
    packed = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert (await client.post("/tags", content=b"x", headers=packed)).status_code == 415
    options = await client.options(shop.order)
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")
    assert options.headers["accept-patch"] == "application/merge-patch+json, application/json"


async def test_if_match_is_compare_and_set(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    first = await client.patch(shop.order, json={"total": "6"}, headers={"If-Match": '"1"'})
    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    for method, body in [("PATCH", {"total": "7"}), ("PUT", {**ORDER, "customer_id": shop.ada["id"]}), ("DELETE", None)]:
        for tag in ('"1"', 'W/"2"', '"x"'):
            stale = await client.request(method, shop.order, json=body, headers={"If-Match": tag})
            assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert (await client.get(shop.order)).json()["total"] == "6.00"
    assert (await client.patch(shop.order, json={"total": "8"}, headers={"If-Match": '"1", "2"'})).status_code == 200
    assert (await client.patch(shop.order, json={}, headers={"If-Match": "3"})).status_code == 400
    no_version = await client.patch("/tags/1", json={"label": "x"}, headers={"If-Match": '"1"'})
    assert no_version.status_code == 412
    assert (await client.post("/tags", json={"label": "x"}, headers={"If-Match": '"1"'})).status_code == 400
    assert (await client.delete(shop.order, headers={"If-Match": '"3"'})).status_code == 204


async def test_of_many_writers_with_one_tag_one_wins(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    writes = [client.patch(shop.order, json={"total": str(10 + n)}, headers={"If-Match": '"1"'}) for n in range(8)]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*writes))
    assert codes == [200, *[412] * 7]


async def test_writers_without_a_tag_all_get_through(client: httpx.AsyncClient) -> None:
    await client.post("/everythings", json={"name": "x", "scores": {}})
    writes = [client.patch("/everythings/x", json={"scores": {str(n): n}}) for n in range(6)]
    assert [answer.status_code for answer in await asyncio.gather(*writes)] == [200] * 6
    assert len((await client.get("/everythings/x")).json()["scores"]) == 6, "no update was lost"


async def test_if_match_can_be_demanded(store: Store) -> None:
    async with client_of(api(store, MODELS, require_if_match=True)) as client:
        ada = (await client.post("/customers", json={"email": "a@example.com", "name": "A"})).json()
        order = (await client.post("/orders", json={**ORDER, "customer_id": ada["id"]})).headers["location"]
        for method in ("PATCH", "DELETE"):
            answer = await client.request(method, order, json={} if method == "PATCH" else None)
            assert (answer.status_code, answer.json()["code"]) == (428, "precondition_required")
        assert (await client.patch(order, json={}, headers={"If-Match": '"1"'})).status_code == 200
        assert (await client.patch(f"/customers/{ada['id']}", json={"name": "B"})).status_code == 200, "no version, no tag to demand"


async def test_delete(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    answer = await client.delete(shop.order)
    assert (answer.status_code, answer.content) == (204, b"")
    gone = await client.delete(shop.order)
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert (await client.get("/lines")).json()["data"] == [], "the lines went with their order"
    assert (await client.request("DELETE", "/orders", json={"where": {}})).status_code == 405
    body = await client.request("DELETE", f"/orders/{shop.orders[1]['id']}", json={"where": {}})
    assert (body.status_code, body.json()["code"]) == (400, "body_not_expected")


async def test_a_dry_run_leaves_nothing(client: httpx.AsyncClient, shop: SimpleNamespace, store: Store) -> None:
    made = await client.post("/orders?dry_run=true", json={**ORDER, "customer_id": shop.ada["id"]})
    assert (made.status_code, made.headers["dry-run"], made.json()["total"]) == (200, "true", "5.00")
    assert "location" not in made.headers
    assert (await client.get(f"/orders/{made.json()['id']}")).status_code == 404
    assert (await client.patch(f"{shop.order}?dry_run=1", json={"total": "9"})).json()["version"] == 2
    assert (await client.put(f"{shop.order}?dry_run=true", json={**ORDER, "customer_id": shop.ada["id"]})).status_code == 200
    assert (await client.delete(f"{shop.order}?dry_run=true")).status_code == 204
    assert (await client.get(shop.order)).json() == shop.orders[0]
    assert (await client.post("/customers?dry_run=true", json={"email": "ada@example.com", "name": "x"})).status_code == 409
    assert (await client.delete(f"{shop.order}?dry_run=maybe")).status_code == 400
    assert (await client.delete(f"{shop.order}?dry_run=false")).status_code == 204


async def test_a_dry_run_is_possible_before_anything_was_stored(client: httpx.AsyncClient) -> None:
    assert (await client.post("/tags?dry_run=true", json={"label": "x"})).status_code == 200
    assert (await client.get("/tags")).json()["data"] == []


async def test_prefer_minimal(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    headers = {"Prefer": "respond-async, return=minimal"}
    created = await client.post("/tags", json={"label": "x"}, headers=headers)
    assert (created.status_code, created.content, created.headers["preference-applied"]) == (201, b"", "return=minimal")
    changed = await client.patch(shop.order, json={"total": "2"}, headers=headers)
    assert (changed.status_code, changed.content, changed.headers["etag"]) == (204, b"", '"2"')


@pytest.mark.parametrize(
    "path", ["?on_conflict=update&by=label", "?where={}", "?fields=id", "?include=orders", "?dry_runn=true", "?label=x"]
)
async def test_writes_take_no_other_parameters(memory_client: httpx.AsyncClient, path: str) -> None:
    answer = await memory_client.post(f"/tags{path}", json={"label": "x"})
    assert answer.status_code == 400
    assert (await memory_client.get("/tags")).json()["data"] == []


async def test_what_is_not_offered_yet_says_so(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    key = await client.post("/tags", json={"label": "x"}, headers={"Idempotency-Key": "1"})
    assert (key.status_code, key.json()["code"]) == (400, "not_offered")
    many = await client.post("/tags", json=[{"label": "x"}])
    assert (many.status_code, many.json()["errors"][0]["pointer"]) == (422, "")
    for method, path in [("POST", "/tags/bulk"), ("POST", "/batch"), ("DELETE", "/tags"), ("POST", f"{shop.order}/lines")]:
        assert (await client.request(method, path, json={})).status_code in (404, 405), path


JSON_FORMS = [
    ("number", -(2**63), -(2**63)),
    ("ratio", 1, 1.0),
    ("ratio", -0.0, 0.0),
    ("amount", "12345678901234567890123456789.123456789", "12345678901234567890123456789.123456789"),
    ("amount", "0.0000000001", "0.0000000001"),
    ("amount", "1E+3", "1000"),
    ("flag", True, True),
    ("raw", "AP8=", "AP8="),
    ("at", "2026-01-01T02:00:00.000001+02:00", "2026-01-01T00:00:00.000001Z"),
    ("local", "2026-01-01T02:00:00", "2026-01-01T02:00:00"),
    ("day", "2026-02-28", "2026-02-28"),
    ("clock", "23:59:59.5", "23:59:59.500000"),
    ("span", "P1DT2H", "P1DT7200S"),
    ("uid", "00000000-0000-7000-8000-00000000000A", "00000000-0000-7000-8000-00000000000a"),
    ("colour", "blue", "blue"),
    ("data", {"z": [1, None, 1.5], "a": "x"}, {"a": "x", "z": [1, None, 1.5]}),
    ("words", ["b", "a"], ["b", "a"]),
    ("amounts", ["1.10", 2, 2.50], ["1.1", "2", "2.5"]),
    ("numbers", [3, 20, 1], [1, 20, 3]),
    ("scores", {"x": 1}, {"x": 1.0}),
]


@pytest.mark.parametrize(("name", "given", "expected"), JSON_FORMS)
async def test_json_forms(client: httpx.AsyncClient, name: str, given: Any, expected: Any) -> None:
    answer = await client.post("/everythings", json={"name": "x", name: given})
    assert answer.status_code == 201, answer.text
    assert answer.json()[name] == expected
    again = await client.put("/everythings/x", json=answer.json())
    assert (again.status_code, again.json()) == (200, answer.json()), "what is read can be written"


async def test_numbers_are_read_from_their_digits(client: httpx.AsyncClient) -> None:
    digits = "12345678901234567890.12345678901234567"
    answer = await client.post(
        "/everythings", content=b'{"name":"x","amount":%s,"data":0.1}' % digits.encode(), headers={"Content-Type": "application/json"}
    )
    assert (answer.json()["amount"], answer.json()["data"]) == (digits, 0.1)
    found = await client.request(
        "QUERY", "/everythings", content=b'{"where":{"amount":%s}}' % digits.encode(), headers={"Content-Type": "application/json"}
    )
    assert len(found.json()["data"]) == 1


async def test_null_in_an_optional_json_field(client: httpx.AsyncClient) -> None:
    assert (await client.post("/everythings", json={"name": "x", "data": None})).json()["data"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"), (b"{", "malformed_json"), (b"{} x", "malformed_json"), (b"\xff", "malformed_json"),
        (b'{"name": NaN}', "malformed_json"), (b'{"name": "\\ud800"}', "malformed_json"), (b'{"name": "\xed\xa0\x80"}', "malformed_json"),
        (b'{"name": 1e99999999999999999999}', "malformed_json"), (b'{"name": 1.%s}' % (b"0" * 1000), "malformed_json"),
        (b'{"name": %s}' % (b"9" * 5000), "malformed_json"), (b"[" * 5000, "too_deep"), (b"[" * 61 + b"]" * 61, "too_deep"),
        (b'{"name": "a", "name": "b"}', "duplicate_member"), (b'{"name": "a", "data": [{"b": 1, "b": 1}]}', "duplicate_member"),
    ],
)  # fmt: skip
async def test_bodies_that_are_not_json(memory_client: httpx.AsyncClient, body: bytes, code: str) -> None:
    for method, path in [("POST", "/everythings"), ("PUT", "/everythings/x"), ("QUERY", "/everythings"), ("POST", "/everythings/search")]:
        answer = await memory_client.request(method, path, content=body, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (400, code), answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a\0b"}, {"name": "x" * 201}, {"name": "x", "number": 2**63}, {"name": "x", "number": 1.5},
        {"name": "x", "number": True}, {"name": "x", "ratio": "1"}, {"name": "x", "amount": "NaN"}, {"name": "x", "amount": True},
        {"name": "x", "flag": 1}, {"name": "x", "raw": "%"}, {"name": "x", "at": "2026-01-01T00:00:00"}, {"name": "x", "day": "2026-02-30"},
        {"name": "x", "local": "2026-01-01T00:00:00Z"},
        {"name": "x", "uid": 5}, {"name": "x", "at": 0}, {"name": "x", "at": "1234"}, {"name": "x", "day": 0},
        {"name": "x", "span": 5}, {"name": "x", "colour": "green"}, {"name": "x", "data": {"a\0": 1}},
        {"name": "x", "data": 2**64}, {"name": "x", "words": "abc"}, {"name": "x", "words": [None]}, {"name": "x", "scores": [1]},
        {"name": "x", "amounts": "1"}, {"name": "x", "number": {}}, {"name": None}, {}, {"": 1, "name": "x"}, {"name": "x", "__class__": 1},
        {"name": "x", "_row": [1]}, {"name": "x", "amount": "1" * 39},
    ],
)  # fmt: skip
async def test_values_that_no_model_takes(memory_client: httpx.AsyncClient, body: Any) -> None:
    answer = await memory_client.post("/everythings", json=body)
    assert answer.status_code == 422, answer.text
    assert all(fault["pointer"].startswith("/") for fault in answer.json()["errors"])
    assert (await memory_client.get("/everythings")).json()["data"] == []


async def test_large_bodies(store: Store) -> None:
    async with client_of(api(store, MODELS, body_bytes_max=1000)) as client:
        large = json.dumps({"label": "x" * 1000}).encode()

        async def chunks() -> Any:
            for start in range(0, len(large), 100):
                yield large[start : start + 100]

        for content in (large, chunks()):
            answer = await client.post("/tags", content=content, headers={"Content-Type": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
        assert (await client.post("/tags", json={"label": "x"})).status_code == 201


async def test_events_of_the_store_run(store: Store) -> None:
    seen: list[str] = []

    @store.on("after_create", Customer)
    def created(record: Customer) -> None:
        seen.append(record.name)

    @store.on("before_update", Order)
    async def updated(record: Order) -> None:
        seen.append(str(record.total))

    async with client_of(api(store, MODELS)) as client:
        ada = (await client.post("/customers", json={"email": "a@example.com", "name": "A"})).json()
        order = await client.post("/orders", json={**ORDER, "customer_id": ada["id"]})
        await client.patch(order.headers["location"], json={"total": "8"})
    assert seen == ["A", "8.00"]
