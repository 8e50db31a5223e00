"""Stores for the transfer tests: each test that asks for `store` runs on every backend."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from holdall import Store

URLS = [url for name, url in (("memory", "memory:"), ("sqlite", "sqlite:///:memory:")) if find_spec(f"holdall.backends.{name}")]


@pytest.fixture(params=URLS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    made = Store(request.param)
    yield made
    made.close()
