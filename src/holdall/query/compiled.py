"""What a query becomes once compiled, and what it needs of its surroundings.

Owns the compiled forms and the `Tables` protocol through which they look up rows of other entities. Must not know how they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from holdall.errors import ProgrammingError
from holdall.schema import Entity

Params = Sequence[Any]


class Tables(Protocol):
    """Rows of related entities by the values of some of their fields.

    Values are given in lookup form: a bare value for one field, a tuple for several; a UUID as its int. None, and a tuple never made
    because a part was null, match nothing. Expired rows may be among those given; the caller tests them.
    """

    def one(self, entity: Entity, positions: tuple[int, ...]) -> Callable[[Any], tuple[Any, ...] | None]:
        """A function from a value to the row that has it in the fields at `positions`, or None."""
        ...

    def many(self, entity: Entity, positions: tuple[int, ...]) -> Callable[[Any], Iterable[tuple[Any, ...]]]:
        """A function from a value to all rows that have it in the fields at `positions`."""
        ...


class NoTables:
    """For conditions that are about one row alone: any lookup is a mistake."""

    def one(self, entity: Entity, positions: tuple[int, ...]) -> Callable[[Any], tuple[Any, ...] | None]:  # noqa: ARG002  as in Tables
        """Always ProgrammingError."""
        raise ProgrammingError(f"Rows of {entity.name} are not at hand here, so its fields cannot be tested.")

    def many(self, entity: Entity, positions: tuple[int, ...]) -> Callable[[Any], Iterable[tuple[Any, ...]]]:  # noqa: ARG002  as in Tables
        """Always ProgrammingError."""
        raise ProgrammingError(f"Rows of {entity.name} are not at hand here, so its fields cannot be tested.")


NO_TABLES = NoTables()
Rows = Iterable[tuple[Any, ...]]
Filter = Callable[[Rows, Params, Tables], list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class CompiledCondition:
    """A condition on rows of one entity: `true` and `false` give the rows for which it definitely is so."""

    source: str
    entities: frozenset[Entity]
    true: Filter
    false: Filter


@dataclass(frozen=True, slots=True)
class CompiledSelect:
    """A select without its source of rows. `entities` are those looked up besides its own.

    `where` is None if every row is to be kept. `limit_at` and `offset_at` are the numbers of these operands, or None.
    """

    source: str
    entities: frozenset[Entity]
    where: Filter | None
    order: Callable[[Rows, Params, Tables, int | None], list[tuple[Any, ...]]] | None
    project: Filter | None
    group: Filter | None
    having: Filter | None
    distinct: Callable[[list[tuple[Any, ...]]], list[tuple[Any, ...]]] | None
    limit_at: int | None
    offset_at: int | None

    def keep(self, params: Params) -> int | None:
        """How many sorted rows are needed at most; None for all."""
        if self.limit_at is None:
            return None
        limit: int = params[self.limit_at]
        return limit if self.offset_at is None else limit + params[self.offset_at]

    def run(self, rows: Rows, params: Params, tables: Tables) -> list[tuple[Any, ...]]:
        """The answer from all rows of the entity."""
        return self.finish(rows if self.where is None else self.where(rows, params, tables), params, tables)

    def finish(self, rows: Rows, params: Params, tables: Tables, presorted: bool = False) -> list[tuple[Any, ...]]:
        """The answer from the rows that meet `where`: grouped, sorted, projected, made distinct and cut."""
        if self.group is not None:
            rows = self.group(rows, params, tables)
            if self.having is not None:
                rows = self.having(rows, params, tables)
        if self.order is not None and not presorted:
            rows = self.order(rows, params, tables, None if self.distinct is not None else self.keep(params))
        if self.distinct is None and self.limit_at is not None:
            rows = self._cut(rows, params)
        if self.project is not None:
            rows = self.project(rows, params, tables)
        result = rows if isinstance(rows, list) else list(rows)
        if self.distinct is not None:
            return self._cut(self.distinct(result), params)
        return result if self.limit_at is not None or self.offset_at is None else self._cut(result, params)

    def _cut(self, rows: Rows, params: Params) -> list[tuple[Any, ...]]:
        result = rows if isinstance(rows, list) else list(rows)
        start = 0 if self.offset_at is None else params[self.offset_at]
        end = None if self.limit_at is None else start + params[self.limit_at]
        return result[start:end]
