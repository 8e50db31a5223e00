"""The evaluator against a plain reading of the contract."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from proofs._naive import Naive
from tests.port.entities import BOOK, NOW, SESSION
from tests.port.strategies import conditions, datasets, grouped_selects, leaves, selects, sessions
from tests.unit.query.tables import ListTables

from holdall.query import Evaluator, Select, shape
from holdall.query.compile import compile_select

EVALUATOR = Evaluator()  # one for all examples, so that compiled shapes meet other operands
SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


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


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(selects() | grouped_selects())
def test_parameters_and_operands_agree(select: Select) -> None:
    key, params = shape(replace(select, now=NOW))
    hash(key)
    compiled = compile_select(replace(select, now=NOW))
    assert params[-1] == NOW
    counted = len(params) - 1 - (select.limit is not None) - (select.offset != 0)
    assert compiled.limit_at == (None if select.limit is None else counted)
    assert compiled.offset_at == (None if not select.offset else counted + (select.limit is not None))
