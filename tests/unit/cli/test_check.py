"""holdall check: what it says, what it leaves behind, and how it fails."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.support import Run

from holdall.backends import Native, registry
from holdall.backends.memory import MemoryBackend
from holdall.query import replace

KEYS = {"backend", "engine", "version", "cases", "passed", "refused", "deviations", "failed", "conflicts", "promises", "failures", "url"}


def tables(path: Path) -> list[str]:
    with sqlite3.connect(path) as connection:
        found = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    connection.close()
    return found


def test_counts_per_promise_go_to_stdout(run: Run) -> None:
    result = run("check", "memory:", "--only", "B1")
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["promise", "passed", "refused", "deviations", "failed", "what"]
    assert lines[1].split()[0] == "B1"
    assert int(lines[1].split()[1]) > 0
    assert lines[-1].startswith("all")


def test_json_tells_what_was_checked(run: Run) -> None:
    result = run("check", "memory:", "--only", "B1", "--json", "--side", "sync")
    facts = json.loads(result.stdout)
    assert facts.keys() >= KEYS
    assert (facts["backend"], facts["failed"], facts["url"]) == ("memory", 0, "memory:")
    assert facts["cases"] == facts["passed"] == facts["promises"]["B1"]["passed"] > 0


def test_it_works_beside_other_data_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE words (id INTEGER PRIMARY KEY, text TEXT) STRICT")
        connection.execute("INSERT INTO words VALUES (1, 'mine')")
    connection.close()
    result = run("check", f"sqlite:///{path}", "--only", "B1", "--only", "B1")
    assert result.exit_code == 0, result.stderr
    assert tables(path) == ["words"]
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT * FROM words").fetchall() == [(1, "mine")]
    connection.close()


class NullsFirst(MemoryBackend):
    """A backend that breaks B1."""

    def plan(self, select: Any) -> Native:
        planned = super().plan(replace(select, order=tuple(replace(item, nulls_first=True) for item in select.order)))
        assert isinstance(planned, Native)
        return planned


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(registry.BUILT_IN, "broken", (__name__, "broken_backend", ""))  # type: ignore[arg-type]
    return "broken:"


def broken_backend(_: Any) -> NullsFirst:
    return NullsFirst()


def test_a_broken_promise_is_told_and_ends_with_1(run: Run, broken: str) -> None:
    result = run("check", broken, "--only", "B1", "--json", "--side", "sync")
    assert result.exit_code == 1
    facts = json.loads(result.stdout)
    assert facts["failed"] == len(facts["failures"]) > 0
    assert all(item["case"].startswith("B1.") and "AssertionError" in item["text"] for item in facts["failures"])
    assert "cases failed" in result.stderr


def test_a_mistyped_promise_is_usage(run: Run) -> None:
    result = run("check", "memory:", "--only", "A77")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Did you mean 'A7'" in result.stderr


def test_an_unknown_store_is_usage(run: Run) -> None:
    assert run("check", "memroy:").exit_code == 2


def test_the_list_runs_nothing(run: Run) -> None:
    result = run("check", "nowhere:", "--only", "B1", "--list")
    assert result.exit_code == 0
    assert all(line.startswith("B1.") for line in result.stdout.splitlines())
