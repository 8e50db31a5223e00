"""The meaning of a query, as generated Python compiled once per shape.

Owns the cache of compiled queries and the ways to run them. Every other backend is held to what these give. Must not know where rows
come from: rows are given, and rows of related entities are looked up through `Tables`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from holdall.query.compile import compile_assignments, compile_condition, compile_select
from holdall.query.compiled import NO_TABLES, CompiledCondition, CompiledSelect, Params, Rows, Tables
from holdall.query.nodes import Condition
from holdall.query.select import Assignment, Select
from holdall.query.shape import ShapeCache, assignments_shape, condition_shape, shape
from holdall.schema import Entity


class Evaluator:
    """Compiles queries and keeps what it compiled, per shape. Safe under threads (compiling twice does no harm)."""

    def __init__(self) -> None:
        self._selects: ShapeCache[CompiledSelect] = ShapeCache()
        self._conditions: ShapeCache[CompiledCondition] = ShapeCache()
        self._assignments: ShapeCache[Callable[[Rows, Params], list[tuple[Any, ...]]]] = ShapeCache()

    def select(self, select: Select) -> tuple[CompiledSelect, list[Any]]:
        """The compiled form of a prepared select, and its operands."""
        key, params = shape(select)
        compiled = self._selects.get(key)
        if compiled is None:
            compiled = self._selects.put(key, compile_select(select))
        return compiled, params

    def run(self, select: Select, rows: Rows, tables: Tables = NO_TABLES) -> list[tuple[Any, ...]]:
        """The answer to a prepared select, given all rows of its entity."""
        compiled, params = self.select(select)
        return compiled.run(rows, params, tables)

    def finish(self, select: Select, rows: Rows, tables: Tables = NO_TABLES) -> list[tuple[Any, ...]]:
        """The answer to a prepared select, given the rows that meet its conditions."""
        compiled, params = self.select(select)
        return compiled.finish(rows, params, tables)

    def condition(self, entity: Entity, condition: Condition, now: dt.datetime | None = None) -> tuple[CompiledCondition, list[Any]]:
        """The compiled form of a condition on rows of an entity, and its operands; rows expired at `now` do not meet it."""
        key, params = condition_shape(condition)
        timed = now is not None
        if timed:
            params.append(now)
        compiled = self._conditions.get((entity, timed, key))
        if compiled is None:
            compiled = self._conditions.put((entity, timed, key), compile_condition(entity, condition, timed))
        return compiled, params

    def filter(
        self, entity: Entity, condition: Condition, rows: Rows, tables: Tables = NO_TABLES, now: dt.datetime | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows that meet a condition and are not expired at `now`."""
        compiled, params = self.condition(entity, condition, now)
        return compiled.true(rows, params, tables)

    def assign(self, entity: Entity, assignments: Sequence[Assignment], rows: Rows, count_version: bool) -> list[tuple[Any, ...]]:
        """The rows with the assignments done; `count_version`: a version field that is not assigned counts up. SizeLimit if a result
        does not fit its field."""
        key, params = assignments_shape(assignments)
        assigner = self._assignments.get((entity, count_version, key))
        if assigner is None:
            assigner = self._assignments.put((entity, count_version, key), compile_assignments(entity, assignments, count_version))
        return assigner(rows, params)
