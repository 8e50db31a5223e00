"""SQLite's answers to queries are the evaluator's, on any rows."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.port.entities import ALL, BOOK, NOW, SESSION
from tests.port.strategies import conditions, datasets, grouped_selects, leaves, selects, sessions
from tests.unit.query.tables import ListTables
from tests.unit.sqlite.rows import Loose

from holdall.errors import HoldallError
from holdall.query import Evaluator, Not, Select

EVALUATOR = Evaluator()
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
LOOSE = Loose(ALL)


def answers(select: Select, data: Any, entity: Any = BOOK) -> tuple[Any, Any]:
    """What the evaluator and SQLite say; errors as their class."""
    found: list[Any] = []
    for ask in (lambda: EVALUATOR.run(select, data[entity], ListTables(data)), lambda: LOOSE.select(select)):
        try:
            answer = ask()
            found.append([(row, [type(value) for value in row]) for row in (answer if select.order else sorted(answer, key=repr))])
        except HoldallError as error:
            event(type(error).__name__)
            found.append(type(error))
    return found[0], found[1]


def check(select: Select, data: Any, entity: Any = BOOK) -> None:
    expected, answer = answers(select, data, entity)
    plan = LOOSE.backend.plan(select) if not isinstance(expected, type) else None
    assert answer == expected, (plan and plan.steps, select)


@SETTINGS
@given(datasets, st.lists(leaves(BOOK), min_size=8, max_size=8))
def test_single_conditions(data: Any, found: list[Any]) -> None:
    LOOSE.fill(data)
    for condition in found:
        check(Select(BOOK, condition), data)
        check(Select(BOOK, Not(condition)), data)


@SETTINGS
@given(datasets, conditions())
def test_conditions(data: Any, condition: Any) -> None:
    LOOSE.fill(data)
    check(Select(BOOK, condition), data)
    check(Select(BOOK, Not(condition)), data)


@SETTINGS
@given(datasets, selects())
def test_selects(data: Any, select: Select) -> None:
    LOOSE.fill(data)
    check(select, data)


@SETTINGS
@given(datasets, grouped_selects())
def test_groups(data: Any, select: Select) -> None:
    LOOSE.fill(data)
    check(select, data)


@settings(max_examples=60, deadline=None)
@given(sessions(), st.booleans())
def test_expired_rows_are_invisible(data: Any, timed: bool) -> None:
    LOOSE.fill(data)
    check(Select(SESSION, now=NOW if timed else None), data, SESSION)
