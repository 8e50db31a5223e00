"""Whatever is sent: no 5xx, always a well-formed answer, and nothing is ever ignored."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.http.shop import MODELS, Everything, client_of

from holdall import Store
from holdall.http import api
from holdall.query import OPERATORS

KIND = {"Content-Type": "application/json"}
NAMES = [
    "name", "number", "ratio", "amount", "flag", "raw", "at", "local", "day", "clock", "span", "uid", "colour", "data", "words", "amounts",
    "numbers", "scores",
]  # fmt: skip
RESERVED = ["where", "q", "sort", "fields", "include", "depth", "limit", "cursor", "offset", "count", "format", "dry_run"]
VALUES = [
    "", "0", "-1", "1e400", "1e-400", "NaN", "inf", "9" * 30, "true", "null", "x", "ß", "İ", "%", "_", "\\", "a\\%b", "\0", "1,2", "[1,2]",
    '["a",null]', "[", "{}", '{"a":1}', "2026-01-01", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00",
    "24:00", "P1D", "P99999999999D", "-P1D", "00000000-0000-7000-8000-000000000001", "red", "AP8=", "\U0001f600", "1_000", "٣", " 5 ", "+5",
]  # fmt: skip

values = st.sampled_from(VALUES) | st.text(max_size=12) | st.integers().map(str) | st.floats().map(str)
paths = st.builds(
    lambda parts, joint: joint.join(parts),
    st.lists(st.sampled_from([*NAMES, *OPERATORS, "a", "0", "²", "_steps", "__class__", ""]), min_size=1, max_size=4),
    st.sampled_from(["__", "."]),
)
names = st.sampled_from([f"{name}__{op}" for name in NAMES for op in OPERATORS] + NAMES + RESERVED) | paths | st.text(max_size=8)
pairs = st.lists(st.tuples(names, values), max_size=4)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.sampled_from(VALUES)
words = st.sampled_from([*NAMES, *OPERATORS, "or", "and", "not"]) | st.text(max_size=4)
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=8)
records = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), anything, max_size=6)


class World:
    """One API and one event loop for all examples of a test."""

    def __init__(self, store: Store) -> None:
        self.runner = asyncio.Runner()
        self.client = client_of(api(store, MODELS))
        self.ask(
            "POST",
            "/everythings",
            content=json.dumps({"name": "first", "number": 1, "words": ["a"], "data": {"a": [1]}}).encode(),
            headers=KIND,
        )

    def ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        answer: httpx.Response = self.runner.run(self.client.request(method, url, **options))
        # An error that nobody foresaw is raised by the transport, so this is only about errors that have a status.
        assert answer.status_code < 500, (method, url, options, answer.text)
        if answer.status_code >= 400:
            body = answer.json()
            assert answer.headers["content-type"] == "application/problem+json"
            assert (body["status"], bool(body["detail"])) == (answer.status_code, True)
        return answer

    def close(self) -> None:
        self.runner.run(self.client.aclose())
        self.runner.close()


@pytest.fixture
def world(store: Store) -> Iterator[World]:
    made = World(store)
    yield made
    made.close()


def text_of(data: Any) -> bytes:
    return json.dumps(data).encode()  # NaN and Infinity too, as careless clients do


SETTINGS = settings(max_examples=60, deadline=None)


def test_query_strings(world: World) -> None:
    @SETTINGS
    @given(pairs)
    def check(given_pairs: list[tuple[str, str]]) -> None:
        query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in given_pairs)
        answer = world.ask("GET", f"/everythings?{query}")
        # An unknown parameter beside them is always found, whatever else is right or wrong.
        worse = world.ask("GET", f"/everythings?{query}&nonsense_zz=1")
        assert worse.status_code in (400, 406)
        if answer.status_code == 400 and "errors" in answer.json() and worse.json()["code"] != "bad_encoding":
            assert len(worse.json()["errors"]) == len(answer.json()["errors"]) + 1

    check()


def test_raw_query_strings(world: World) -> None:
    @SETTINGS
    @given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=40))
    def check(text: str) -> None:
        world.ask("GET", f"/everythings?{text}")
        world.ask("GET", f"/everythings/{text.replace('?', '')}?{text}")

    check()


def test_search_bodies(world: World) -> None:
    @SETTINGS
    @given(anything, st.dictionaries(st.sampled_from(RESERVED), anything, max_size=3))
    def check(where: Any, rest: dict[str, Any]) -> None:
        world.ask("QUERY", "/everythings", content=text_of({"where": where}), headers=KIND)
        world.ask("POST", "/everythings/search", content=text_of(rest), headers=KIND)
        world.ask("GET", f"/everythings?where={quote(text_of(where))}")

    check()


def test_bodies(world: World) -> None:
    @SETTINGS
    @given(records, st.sampled_from(["x", "first", "ü", "a,b"]))
    def check(record: dict[str, Any], key: str) -> None:
        answer = world.ask("POST", "/everythings?dry_run=true", content=text_of(record), headers=KIND)
        unknown = [name for name in record if name not in NAMES]
        if unknown and answer.status_code != 400:
            assert answer.status_code == 422, "no member is ignored"
        world.ask("PUT", f"/everythings/{quote(key)}?dry_run=true", content=text_of(record), headers=KIND)
        world.ask("PATCH", "/everythings/first?dry_run=true", content=text_of(record), headers=KIND)

    check()


def test_bytes(world: World) -> None:
    @SETTINGS
    @given(st.binary(max_size=40), st.sampled_from(["POST", "PUT", "PATCH", "QUERY"]))
    def check(body: bytes, method: str) -> None:
        path = "/everythings/first" if method in ("PUT", "PATCH") else "/everythings"
        world.ask(method, path, content=body, headers=KIND)

    check()


def test_headers(world: World) -> None:
    visible = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=20)

    @SETTINGS
    @given(
        st.dictionaries(
            st.sampled_from(["Accept", "If-Match", "If-None-Match", "Content-Type", "Prefer", "Content-Length", "Host"]), visible
        )
    )
    def check(headers: dict[str, str]) -> None:
        for method in ("GET", "DELETE"):
            world.ask(method, "/everythings/nobody", headers=headers)
        world.ask("PATCH", "/everythings/nobody", content=b"{}", headers=headers)

    check()


@given(st.text(min_size=1, max_size=30).filter(lambda text: "\0" not in text and text not in (".", "..")))
@settings(max_examples=40, deadline=None)
def test_every_text_key_has_a_url(key: str) -> None:
    async def check() -> None:
        async with client_of(api(Store("memory:"), [Everything])) as client:
            made = await client.post("/everythings", content=json.dumps({"name": key}).encode(), headers=KIND)
            if made.status_code == 201:
                assert (await client.get(made.headers["location"])).json()["name"] == key
            else:
                assert made.status_code in (400, 422)  # a lone surrogate

    asyncio.run(check())
