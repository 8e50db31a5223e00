"""Tables for tests: rows in lists, searched one by one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from holdall.schema import Entity


class ListTables:
    def __init__(self, data: dict[Entity, list[tuple[Any, ...]]]) -> None:
        self.data = data

    def many(self, entity: Entity, positions: tuple[int, ...]) -> Callable[[Any], Iterable[tuple[Any, ...]]]:
        def form(row: tuple[Any, ...]) -> Any:
            values = [row[p].int if isinstance(row[p], uuid.UUID) else row[p] for p in positions]
            return values[0] if len(values) == 1 else tuple(values)

        return lambda value: [r for r in self.data[entity] if value is not None and form(r) == value]

    def one(self, entity: Entity, positions: tuple[int, ...]) -> Callable[[Any], tuple[Any, ...] | None]:
        many = self.many(entity, positions)
        return lambda value: next(iter(many(value)), None)
