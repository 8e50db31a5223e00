"""A SQLite backend filled with rows by hand, without constraints, so that answers can be compared on any rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from holdall.backends import Insert, Native
from holdall.backends.sqlite import SQLiteBackend
from holdall.program import run
from holdall.query import Select
from holdall.schema import Entity


class Loose:
    """Tables with columns and keys only."""

    def __init__(self, entities: Sequence[Entity]) -> None:
        self.backend = SQLiteBackend(None)
        self.entities = entities
        for entity in entities:
            columns = [sa.Column(f.column, self.backend.dialect.format(f.type).storage) for f in entity.fields]
            table = sa.Table(entity.table, sa.MetaData(), *columns, **self.backend.dialect.table_options())
            self.run(self.backend.raw(str(CreateTable(table).compile(dialect=self.backend.dialect.engine)), (), None))

    def run(self, program: Any) -> Any:
        return run(program, self.backend.perform)

    def fill(self, data: Mapping[Entity, Sequence[Any]]) -> None:
        self.run(self.backend.reset(self.entities))
        batch = [Insert(entity, rows) for entity, rows in data.items()]
        self.run(self.backend.apply(batch, "atomic", None, None))

    def select(self, select: Select) -> list[tuple[Any, ...]]:
        plan = self.backend.plan(select)
        assert isinstance(plan, Native)
        return self.run(self.backend.select(plan, None))  # type: ignore[no-any-return]
