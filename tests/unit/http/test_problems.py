"""Problem documents everywhere, methods and paths that are not there, headers of every answer."""

from types import SimpleNamespace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.unit.http.shop import MODELS, Customer, Tag, client_of

from holdall import DeclarationError, Field, Key, Model, Store, errors
from holdall.http import api
from holdall.http.problems import TITLES, http_error

PROBLEM = "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/order", 404, None),
        ("GET", "/orders/", 404, None),
        ("GET", "/orders/x", 404, None),
        ("GET", "/orders/%ff", 400, None),
        ("GET", "/orders/%zz", 400, None),
        ("GET", "/tags/1/orders/2", 404, None),
        ("GET", "/tags/99999999999999999999999", 404, None),
        ("GET", "/tags/%00", 404, None),
        ("GET", "/everythings/a%00b", 404, None),
        ("GET", "/orders?a=%", 400, None),
        ("GET", "/orders?%e9=1", 400, None),
        ("DELETE", "/orders", 405, "GET, HEAD, POST, QUERY, OPTIONS"),
        ("POST", "/tags/1", 405, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"),
        ("PUT", "/", 405, "GET, HEAD, OPTIONS"),
        ("BREW", "/openapi.json", 405, "GET, HEAD, OPTIONS"),
        ("PATCH", "/tags/1/orders", 405, "GET, HEAD, OPTIONS"),
        ("POST", "/tags/search/x", 404, None),
        ("GET", "/docs?x=1", 400, None),
        ("GET", "/batch", 404, None),
    ],
)
async def test_there_is_always_a_problem_document(
    memory_client: httpx.AsyncClient, method: str, path: str, status: int, allow: str | None
) -> None:
    answer = await memory_client.request(method, path, headers={"X-Request-ID": "r-1"})
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
    assert (body["status"], body["request_id"], answer.headers["x-request-id"]) == (status, "r-1", "r-1")
    assert body["type"] == f"/docs#errors/{body['code'].replace('_', '-')}"
    assert body["code"] in TITLES
    assert body["detail"]
    assert answer.headers.get("allow") == allow
    if method == "GET":
        head = await memory_client.head(path)
        assert (head.status_code, head.content, head.headers["content-type"]) == (status, b"", PROBLEM)


async def test_head_is_get_without_the_body(client: httpx.AsyncClient, shop: SimpleNamespace) -> None:
    for path in ("/", "/docs", "/openapi.json", "/livez", "/readyz", "/orders?limit=2&sort=id", shop.order, f"{shop.order}/customer"):
        got, head = await client.get(path), await client.head(path)
        assert (head.status_code, head.content) == (200, b""), path
        ignored = ("x-request-id",)
        headers = [{k: v for k, v in each.headers.items() if k not in ignored} for each in (got, head)]
        assert headers[0] == headers[1]
        assert headers[0]["content-length"] == str(len(got.content))


async def test_safety_headers_and_request_ids(memory_client: httpx.AsyncClient) -> None:
    for path in ("/tags", "/nothing", "/docs"):
        answer = await memory_client.get(path, headers={"X-Request-ID": "bad id\t<script>"})
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["vary"] == "Accept"
        assert "<" not in answer.headers["x-request-id"]


async def test_options(memory_client: httpx.AsyncClient) -> None:
    for path, allow in [
        ("/tags", "GET, HEAD, POST, QUERY, OPTIONS"),
        ("/tags/1/orders", "GET, HEAD, OPTIONS"),
        ("/", "GET, HEAD, OPTIONS"),
    ]:
        answer = await memory_client.options(path)
        assert (answer.status_code, answer.headers["allow"], answer.content) == (204, allow, b"")
    assert (await memory_client.options("/nothing")).status_code == 404


async def test_an_error_that_nobody_foresaw_is_a_problem_that_tells_nothing(store: Store) -> None:
    @store.on("before_create", Tag)
    def fail(record: Tag) -> None:
        raise RuntimeError("the password is sesame")

    transport = httpx.ASGITransport(api(store, MODELS), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        answer = await client.post("/tags", json={"label": "x"})
    assert (answer.status_code, answer.headers["content-type"], answer.json()["code"]) == (500, PROBLEM, "internal")
    assert "sesame" not in answer.text


def test_every_error_of_the_library_has_a_status() -> None:
    def all_below(kind: type[errors.HoldallError]) -> list[type[errors.HoldallError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in all_below(child))]

    expected = {
        "QueryError": 400, "Unsupported": 400, "ValidationError": 422, "SizeLimit": 422, "UniqueViolation": 409, "ForeignKeyViolation": 409,
        "ConstraintViolation": 409, "NotNullViolation": 422, "CheckViolation": 422, "NotFound": 404, "VersionMismatch": 412,
        "TransactionConflict": 503, "SerializationFailure": 503, "Deadlock": 503, "LockTimeout": 503, "Unavailable": 503,
        "DeadlineExceeded": 503, "Throttled": 429,
    }  # fmt: skip
    special = {
        "ValidationError": errors.ValidationError("M", [errors.Problem(("a",), "missing", "is required")]),
        "SchemaMismatch": errors.SchemaMismatch("m", ["d"]),
        "PartialBatch": errors.PartialBatch("m", []),
        "BadRow": errors.BadRow("file", 1, 1, []),
    }
    for kind in all_below(errors.HoldallError):
        if kind.__module__ != "holdall.errors":
            continue  # raised where no request comes
        made = http_error(special.get(kind.__name__) or kind("message", hint="hint"))
        assert made.status == expected.get(kind.__name__, 500), kind
        assert (made.status in (429, 503)) == ("Retry-After" in made.headers)


async def test_mounted_under_a_path(store: Store) -> None:
    outer = Starlette(routes=[Mount("/api/v1", api(store, MODELS))])
    async with client_of(outer) as client:
        created = await client.post("/api/v1/tags", json={"label": "x"})
        assert created.headers["location"] == f"/api/v1/tags/{created.json()['id']}"
        assert (await client.get(created.headers["location"])).json()["label"] == "x"
        await client.post("/api/v1/tags", json={"label": "y"})
        link = (await client.get("/api/v1/tags?limit=1")).links["next"]["url"]
        assert link.startswith("/api/v1/tags?limit=1&cursor=")
        assert (await client.get(link)).json()["data"][0]["label"] == "y"
        assert (await client.get("/api/v1/nothing")).json()["type"].startswith("/api/v1/docs#")
        assert (await client.get("/api/v1/openapi.json")).json()["servers"] == [{"url": "/api/v1"}]
        assert (await client.get("/api/v1/")).json()["docs"] == "/api/v1/docs"


async def test_which_models_are_served(tmp_path: object) -> None:
    class Person(Model):
        id: int = Key()
        name: str = Field(max_length=5)

    store = Store("memory:", models=[Customer, Tag])
    async with client_of(api(store)) as client:
        assert list((await client.get("/")).json()["collections"]) == ["customers", "tags"]
    async with client_of(api(store, {"people": Person})) as client:
        assert (await client.get("/people")).status_code == 200
    for models, part in [
        ([], "no models"), ([Person, Person], "Person"), ({"docs": Person}, "/docs"), ({"a/b": Person}, "/a/b"), ({"": Person}, "'/'"),
    ]:  # fmt: skip
        with pytest.raises(DeclarationError, match=part):
            api(store, models)
    with pytest.raises(DeclarationError, match="no models"):
        api(Store("memory:"))


async def test_cursors_of_another_secret_are_refused(store: Store) -> None:
    async with client_of(api(store, MODELS, cursor_secret="one")) as one, client_of(api(store, MODELS, cursor_secret="two")) as two:
        for label in ("a", "b"):
            await one.post("/tags", json={"label": label})
        cursor = (await one.get("/tags?limit=1")).json()["page"]["next_cursor"]
        assert (await one.get(f"/tags?cursor={cursor}")).status_code == 200
        assert (await two.get(f"/tags?cursor={cursor}")).status_code == 400
