"""Opening a SQLite file while others use it: it waits its turn, as long as it is allowed to."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import apsw
import pytest

from holdall.backends.registry import backend_for
from holdall.errors import LockTimeout
from holdall.program import run


def opened(path: Path, wait_s: float) -> float:
    """Open and close; how long that took."""
    backend = backend_for(f"sqlite:///{path}?busy_timeout_s={wait_s}")
    started = time.monotonic()
    try:
        run(backend.open(), backend.perform)
    finally:
        run(backend.close(), backend.perform)
    return time.monotonic() - started


@pytest.fixture
def writer(tmp_path: Path) -> apsw.Connection:
    """Another application that is in the middle of a write, on a file that is not in WAL."""
    connection = apsw.Connection(str(tmp_path / "other.db"))
    connection.execute("CREATE TABLE t (x); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)")
    return connection


def test_it_waits_for_a_writer_to_end(writer: apsw.Connection, tmp_path: Path) -> None:
    ending = threading.Timer(0.3, lambda: writer.execute("COMMIT"))
    ending.start()
    try:
        assert opened(tmp_path / "other.db", 20) >= 0.2
    finally:
        ending.join()
        writer.close()
    assert opened(tmp_path / "other.db", 20) < 10


def test_it_waits_no_longer_than_it_may(writer: apsw.Connection, tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(LockTimeout):
        opened(tmp_path / "other.db", 0.2)
    assert 0.2 <= time.monotonic() - started < 10
    writer.close()
