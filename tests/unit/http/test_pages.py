"""The OpenAPI document, the documentation page, the index, and the health checks."""

import hashlib
import re
from base64 import b64encode
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.unit.http.shop import MODELS, client_of

from holdall import Store
from holdall.http import api
from holdall.http.problems import TITLES


@pytest.fixture
async def document(client: httpx.AsyncClient) -> Any:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [item for name, part in value.items() for item in ([part] if name == "$ref" else references(part))]
    return [item for part in value for item in references(part)] if isinstance(value, list) else []


async def test_the_document_holds_together(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    assert [tag["name"] for tag in document["tags"]] == [model.__name__ for model in MODELS]
    for reference in references(document):
        here: Any = document
        for step in reference.removeprefix("#/").split("/"):
            here = here[step]
    names = [op["operationId"] for item in document["paths"].values() for method, op in item.items() if method != "parameters"]
    assert len(names) == len(set(names))
    for path, item in document["paths"].items():
        declared = {each["name"] for each in item.get("parameters", [])}
        assert declared == set(re.findall(r"{(\w+)}", path))
    assert {"/orders", "/orders/search", "/orders/{id}", "/orders/{id}/lines", "/lines/{order_id},{sku}"} <= document["paths"].keys()
    assert not any("note" in path for path in document["paths"])


async def test_schemas_say_the_rules(document: Any) -> None:
    schemas = document["components"]["schemas"]
    order, create, update = (schemas[name]["properties"] for name in ("Order", "OrderCreate", "OrderUpdate"))
    assert order["total"] == {"type": "string", "format": "decimal", "x-minimum": 0, "x-max-digits": 12, "x-decimal-places": 2}
    assert create["total"]["type"] == ["string", "number"]
    assert order["placed_at"] == {"type": "string", "format": "date-time"}
    assert order["comment"]["type"] == ["string", "null"]
    assert order["version"]["readOnly"] is True
    assert "version" not in create
    assert "created_at" not in create
    assert create["paid"]["default"] is False
    assert schemas["OrderCreate"]["required"] == ["customer_id", "total", "placed_at"]
    assert "id" not in update
    assert "required" not in schemas["OrderUpdate"]
    assert schemas["Customer"]["description"] == "Who buys."
    assert "password" not in schemas["Customer"]["properties"]
    assert schemas["CustomerCreate"]["properties"]["password"]["writeOnly"] is True
    assert schemas["CustomerCreate"]["properties"]["name"] == {"type": "string", "minLength": 1, "maxLength": 80}
    assert schemas["CustomerCreate"]["properties"]["email"]["format"] == "email"
    assert "notes" not in schemas["Customer"]["properties"]
    assert schemas["TagCreate"]["properties"]["label"]["pattern"] == "^[a-z]+$"
    assert schemas["LineCreate"]["properties"]["quantity"] == {
        "type": "integer",
        "format": "int64",
        "minimum": 1,
        "maximum": 1000,
        "default": 1,
    }
    assert (schemas["LineCreate"]["required"], "required" in schemas["LineReplace"]) == (["order_id", "sku"], False)
    every = schemas["Everything"]["properties"]
    assert every["colour"]["enum"] == ["red", "blue", None]
    assert every["numbers"] == {"type": "array", "uniqueItems": True, "items": {"type": "integer", "format": "int64"}}
    assert every["scores"]["additionalProperties"] == {"type": "number", "format": "double"}
    assert every["raw"]["contentEncoding"] == "base64"


async def test_answers_fit_their_schemas(client: httpx.AsyncClient, shop: SimpleNamespace, document: Any) -> None:
    kinds = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None), "array": list, "object": dict}
    for name, url in [("Order", shop.order), ("Customer", f"/customers/{shop.ada['id']}"), ("Line", "/lines?limit=1")]:
        body = (await client.get(url)).json()
        record = body["data"][0] if "data" in body else body
        schema = document["components"]["schemas"][name]
        assert set(schema["required"]) == set(record)
        for field, value in record.items():
            allowed = schema["properties"][field]["type"]
            assert isinstance(value, tuple(kinds[kind] for kind in ([allowed] if isinstance(allowed, str) else allowed)))  # type: ignore[arg-type]


async def test_the_page_runs_under_its_own_policy(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    text, policy = answer.text, answer.headers["content-security-policy"]
    for tag in ("script", "style"):
        (inner,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = b64encode(hashlib.sha256(inner.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert "//" not in re.sub(r"<script>.*?</script>", "", text.replace("<!doctype html>", ""), flags=re.DOTALL), "no outside host"
    assert not re.search(r"https?://", text)
    assert not re.search(r"\s(on\w+|style|src)=", text), "inline handlers and styles would be blocked"
    assert "{{" not in text
    for code in TITLES:
        assert f'id="errors/{code.replace("_", "-")}"' in text


async def test_the_title_is_text_not_markup(store: Store) -> None:
    async with client_of(api(store, MODELS, title="<script>alert(1)</script>", description="d", version="7")) as client:
        for path in ("/docs", "/"):
            answer = await client.get(path, headers={"Accept": "text/html"})
            assert "<script>alert" not in answer.text
            assert "&lt;script&gt;" in answer.text
        assert (await client.get("/openapi.json")).json()["info"] == {
            "title": "<script>alert(1)</script>", "version": "7", "description": "d",
        }  # fmt: skip


async def test_the_index(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.json()["collections"]["orders"] == "/orders"
    assert (answer.json()["docs"], answer.json()["openapi"]) == ("/docs", "/openapi.json")
    page = await client.get("/", headers={"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert '<a href="/orders">' in page.text


async def test_health(client: httpx.AsyncClient, store: Store) -> None:
    for path in ("/livez", "/readyz"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    store.close()
    assert (await client.get("/livez")).status_code == 200
    assert (await client.get("/readyz")).status_code in (500, 503)
