"""The backends that the port's cases run on, each through both colours.

A backend joins by one line in BACKENDS: its name and a function from an empty folder to a backend. Cases never ask which one it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.port.kit import Kit

from holdall.backends.memory import MemoryBackend
from holdall.backends.sqlite import SQLiteBackend

BACKENDS: dict[str, Callable[[Path], Any]] = {
    "memory": lambda _: MemoryBackend(),
    # Waiting for locks that a case holds itself, and for the disk, would only take time.
    "sqlite": lambda folder: SQLiteBackend(str(folder / "test.db"), {"busy_timeout_s": "0.05", "synchronous": "off"}),
    "sqlite_in_memory": lambda _: SQLiteBackend(None, {"busy_timeout_s": "0.05"}),
}


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A new backend, neither opened nor holding anything."""
    return BACKENDS[request.param](tmp_path)


@pytest.fixture
def sync_kit(backend: Any) -> Iterator[Kit]:
    """As `kit`, in one colour: for long cases about answers, which both colours get from the same programs."""
    made = Kit(backend, None)
    yield made
    made.close()


@pytest.fixture(params=["sync", "async"])
def kit(request: pytest.FixtureRequest, backend: Any) -> Iterator[Kit]:
    """The backend opened, with all entities, driven by `run` or by `arun`."""
    if request.param == "sync":
        made = Kit(backend, None)
        yield made
        made.close()
    else:
        with asyncio.Runner() as runner:
            made = Kit(backend, runner)
            yield made
            made.close()
