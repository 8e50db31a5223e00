"""The lab and the report, on cases made for the purpose: what passes, fails, deviates and is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from holdall import SerializationFailure
from holdall.backends.memory import MemoryBackend
from holdall.testing import COLOURS, Case, Colour, Deviation, Kit, Lab, Target, all_cases, run_kit
from holdall.testing.models.plain import Word

Body = Callable[..., Awaitable[None]]


def made(body: Body, *, needs: frozenset[str] = frozenset(), absent: str | None = None) -> Case:
    return Case(f"A1.{body.__name__}", "A1", body.__name__, __name__, body, (), needs, absent)


async def good(k: Kit) -> None:
    await k.store[Word].create(id=1, text="a")
    assert await k.store[Word].count() == 1


async def bad(k: Kit) -> None:
    await k.store[Word].create(id=1, text="a")
    assert await k.store[Word].count() == 2, "there must be two"


def target(*ledger: Deviation, url: str = "memory:", conflicts_max: int = 0) -> Target:
    return Target.of(url, ledger=ledger, conflicts_max=conflicts_max)


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> Any:
    return request.param


def once(target: Target, colour: Colour, *cases: Case) -> list[Any]:
    lab = Lab(target, colour)
    try:
        return [lab.run(case) for case in cases]
    finally:
        lab.close()


def test_every_case_begins_with_an_empty_store(colour: Colour) -> None:
    outcomes = once(target(), colour, made(good), made(bad), made(good), made(good))
    assert [item.verdict for item in outcomes] == ["passed", "failed", "passed", "passed"]
    assert "there must be two" in outcomes[1].text


async def writes_from_elsewhere(k: Kit) -> None:
    """Only through another store on the same data."""
    other = k.another_store()
    await other[Word].create(id=1, text="a")
    assert await k.store[Word].count() == 1


def test_what_another_store_wrote_is_removed_too(colour: Colour, tmp_path: Path) -> None:
    outcomes = once(target(url=f"sqlite:///{tmp_path}/lab.db"), colour, made(writes_from_elsewhere), made(good))
    assert [item.verdict for item in outcomes] == ["passed", "passed"], outcomes[-1].text


def test_a_deviation_in_the_ledger_is_asserted(colour: Colour) -> None:
    entry = Deviation("memory", "A1.bad", "it cannot count", "there must be two")
    (outcome,) = once(target(entry), colour, made(bad))
    assert (outcome.verdict, outcome.text) == ("deviation", "it cannot count")


def test_a_deviation_that_is_mended_trips_its_entry(colour: Colour) -> None:
    (outcome,) = once(target(Deviation("memory", "A1.good", "it cannot count", "two")), colour, made(good))
    assert outcome.verdict == "failed"
    assert "remove the entry" in outcome.text


def test_a_deviation_that_shows_otherwise_fails(colour: Colour) -> None:
    (outcome,) = once(target(Deviation("memory", "A1.bad", "it cannot count", "there must be three")), colour, made(bad))
    assert outcome.verdict == "failed"


def test_an_entry_for_one_colour_is_not_one_for_the_other() -> None:
    entry = Deviation("memory", "A1.bad", "it cannot count", "there must be two", colour="async")
    assert [once(target(entry), each, made(bad))[0].verdict for each in COLOURS] == ["failed", "deviation"]


def test_patterns_take_brackets_as_they_are() -> None:
    entry = Deviation("memory", "A1.bad[*", "", "")
    assert entry.covers("memory", "A1.bad[x]", "sync")
    assert not entry.covers("memory", "A1.badx", "sync")


async def shows_the_refusal(k: Kit) -> None:
    """What must be true of a backend without savepoints."""
    assert not k.capabilities.support("savepoints")


def test_what_is_absent_counts_as_refused_only_if_a_case_shows_it() -> None:
    needing = made(good, needs=frozenset({"savepoints"}))
    showing = made(shows_the_refusal, absent="savepoints")
    without = target(url="memory:?without=savepoints")
    report = run_kit(without, cases=[needing, showing])
    assert [item.verdict for item in report.outcomes] == ["refused", "passed"] * 2
    other = made(shows_the_refusal, absent="raw")
    report = run_kit(without, cases=[needing, other])
    assert {item.verdict for item in report.outcomes if item.case is needing} == {"failed"}
    assert "no case shows how that is refused" in report.failures[0].text


def test_a_case_of_an_absence_runs_only_where_it_is_absent() -> None:
    report = run_kit(target(), cases=[made(shows_the_refusal, absent="savepoints")])
    assert report.outcomes == []


def test_a_case_that_lost_runs_again_as_often_as_allowed(colour: Colour) -> None:
    lost: list[int] = []

    async def loses_twice(k: Kit) -> None:
        await k.store[Word].create(id=1, text="a")
        if len(lost) < 2:
            lost.append(1)
            raise SerializationFailure("somebody else was first")

    (outcome,) = once(target(conflicts_max=2), colour, made(loses_twice))
    assert (outcome.verdict, outcome.conflicts) == ("passed", 2)
    lost.clear()
    (outcome,) = once(target(conflicts_max=1), colour, made(loses_twice))
    assert outcome.verdict == "failed"


def test_a_backend_that_does_not_drop_is_noticed_by_its_leftovers() -> None:
    backend = MemoryBackend()
    lab = Lab(Target("memory", lambda: backend), "sync")
    assert lab.run(made(good)).verdict == "passed"
    assert backend._engine.tables
    lab.close()
    assert not backend._engine.tables


def test_the_kit_in_a_selection_counts_by_promise() -> None:
    chosen = [case for case in all_cases() if case.promise == "A1"][:5]
    facts = run_kit(target(), cases=chosen).as_json()
    assert facts["cases"] == facts["passed"] == facts["promises"]["A1"]["passed"] == 2 * len(chosen)
    assert facts["failed"] == facts["refused"] == facts["deviations"] == 0


async def leaves_a_handler(k: Kit) -> None:
    k.store.on("before_create", Word)(lambda word: None)
    await k.store[Word].create(id=1, text="a")


async def closes(k: Kit) -> None:
    await k.store[Word].create(id=1, text="a")
    await k.store.close()


@pytest.mark.parametrize("body", [good, bad, leaves_a_handler, closes])
def test_nothing_stays_in_a_file(tmp_path: Any, colour: Colour, body: Body) -> None:
    path = tmp_path / "kit.db"
    once(target(url=f"sqlite:///{path}"), colour, made(body), made(good), made(body))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'").fetchall() == []
    connection.close()
