"""Backends under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.port.entities import ALL

from holdall.backends.sqlite import SQLiteBackend
from holdall.program import run


class Sync:
    """A backend with its programs run at once."""

    def __init__(self, backend: SQLiteBackend) -> None:
        self.backend = backend

    def __getattr__(self, name: str) -> Callable[..., Any]:
        make = getattr(self.backend, name)
        return lambda *args: run(make(*args), self.backend.perform)

    def apply(self, *batch: Any, tx: Any = None, now: Any = None, atomicity: Any = "atomic") -> list[Any]:
        return run(self.backend.apply(batch, atomicity, tx, now), self.backend.perform)

    def select(self, select: Any, tx: Any = None) -> list[Any]:
        return run(self.backend.select(self.backend.plan(select), tx), self.backend.perform)  # type: ignore[arg-type]

    def get(self, entity: Any, key: Any, tx: Any = None, now: Any = None) -> Any:
        return run(self.backend.fetch(entity, [key], tx, now, None), self.backend.perform)[0]


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sync]:
    """An empty database with all entities of tests.port."""
    path = str(tmp_path / "test.db") if request.param == "file" else None
    made = Sync(SQLiteBackend(path, {"busy_timeout_s": "2"}))
    made.ensure_schema(ALL)
    yield made
    made.close()


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A place for a database file."""
    return str(tmp_path / "test.db")
