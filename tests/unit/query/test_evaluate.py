"""The evaluator against a plain reading of the contract."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.port.entities import BOOK, NOW, SESSION
from tests.port.naive import Naive
from tests.port.strategies import conditions, datasets, grouped_selects, leaves, selects, sessions
from tests.unit.query.tables import ListTables

from holdall.query import Evaluator, Select, shape

EVALUATOR = Evaluator()  # one for all examples, so that compiled shapes meet other operands
SETTINGS = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))


@SETTINGS
@given(datasets, st.lists(leaves(BOOK), min_size=8, max_size=8))
def test_single_conditions(data: Any, found: list[Any]) -> None:
    for condition in found:
        test_conditions_are_true_and_false_as_the_contract_says.hypothesis.inner_test(data, condition)


@SETTINGS
@given(datasets, conditions())
def test_conditions_are_true_and_false_as_the_contract_says(data: Any, condition: Any) -> None:
    compiled, params = EVALUATOR.condition(BOOK, condition)
    naive, tables = Naive(data), ListTables(data)
    expected = [naive.test(condition, r) for r in data[BOOK]]
    assert compiled.true(data[BOOK], params, tables) == [r for r, e in zip(data[BOOK], expected, strict=True) if e is True], compiled.source
    assert compiled.false(data[BOOK], params, tables) == [r for r, e in zip(data[BOOK], expected, strict=True) if e is False], (
        compiled.source
    )


@SETTINGS
@given(datasets, selects())
def test_selects(data: Any, select: Select) -> None:
    expected = Naive(data).select(select)
    answer = EVALUATOR.run(select, data[BOOK], ListTables(data))
    assert answer == expected, EVALUATOR.select(select)[0].source


@SETTINGS
@given(datasets, grouped_selects())
def test_groups(data: Any, select: Select) -> None:
    expected = Naive(data).select(select)
    answer = EVALUATOR.run(select, data[BOOK], ListTables(data))
    assert answer == expected, EVALUATOR.select(select)[0].source
    assert [[type(v) for v in r] for r in answer] == [[type(v) for v in r] for r in expected]


@settings(max_examples=60, deadline=None)
@given(sessions(), st.booleans())
def test_expired_rows_are_invisible(data: Any, timed: bool) -> None:
    select = Select(SESSION, now=NOW if timed else None)
    assert EVALUATOR.run(select, data[SESSION]) == Naive(data, NOW if timed else None).select(select)


@SETTINGS
@given(selects())
def test_parameters_and_operands_agree(select: Select) -> None:
    key, params = shape(select)
    hash(key)
    compiled, _ = EVALUATOR.select(select)
    used = [at for at in (compiled.limit_at, compiled.offset_at) if at is not None]
    assert all(params[at] in (select.limit, select.offset) for at in used)
