"""Stores for the cases: every backend, both colours, a clock that the case moves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.store.colours import coloured

from holdall import Store

BACKENDS = ("memory", "sqlite")


class Clock:
    """An instant that stands still until told."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 1, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    def forward(self, **by: float) -> None:
        self.instant += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'store.db'}"
    made = Store(url, clock=clock)
    yield made
    made.close()


@pytest.fixture(params=("sync", "async"))
def s(store: Store, request: pytest.FixtureRequest) -> Any:
    return coloured(store, request.param)
