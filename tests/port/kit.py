"""What the port's cases speak: short calls on a backend, in either colour."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from tests.port.entities import ALL, NOW

from holdall.backends import Isolation, Native, Refuse
from holdall.backends.port import Delete, DeleteWhere, Insert, Patch, UpdateWhere, Upsert
from holdall.errors import HoldallError
from holdall.program import arun, run
from holdall.query import TRUE, Assignment, Column, Compare, Order, Select, Value, key_ref, prepare
from holdall.schema import Entity


class Kit:
    """A backend with all entities of tests.port.entities. `now` is the instant of every call; it can be moved."""

    def __init__(self, backend: Any, runner: asyncio.Runner | None) -> None:
        self.backend = backend
        self.runner = runner
        self.now: dt.datetime = NOW
        self.do(backend.open())
        self.do(backend.ensure_schema(ALL))
        self.capabilities = backend.describe()

    def do(self, program: Any) -> Any:
        """Run a program in this kit's colour."""
        if self.runner is None:
            return run(program, self.backend.perform)
        return self.runner.run(arun(program, self.backend.aperform))

    def needs(self, *features: str) -> None:
        """Skip the case where a feature is absent."""
        for feature in features:
            if not self.capabilities.support(feature):
                pytest.skip(f"no {feature}")

    def needs_level(self, isolation: Isolation) -> None:
        """Skip the case where a level is absent."""
        if isolation not in self.capabilities.isolation:
            pytest.skip(f"no {isolation.name}")

    def close(self) -> None:
        """Close the backend."""
        self.do(self.backend.close())

    # Reads

    def plan(self, select: Select) -> Native:
        """The native plan of a select."""
        plan = self.backend.plan(prepare(select, self.now))
        assert not isinstance(plan, Refuse), plan
        assert isinstance(plan, Native), "cases for split plans belong to the store"
        return plan

    def select(self, select: Select, tx: Any = None) -> list[Any]:
        """All rows of a select."""
        found: list[Any] = self.do(self.backend.select(self.plan(select), tx))
        return found

    def rows(self, entity: Entity, where: Any = TRUE, tx: Any = None, order: Sequence[str] = ()) -> list[Any]:
        """The rows that meet a condition, by key or by the named fields ('-name' for descending)."""
        orders = tuple(Order(key_ref(entity, name.lstrip("-")), name.startswith("-")) for name in order or entity.key)
        return self.select(Select(entity, where, orders), tx)

    def fetch(self, entity: Entity, *keys: Any, tx: Any = None, lock: Any = None) -> list[Any]:
        """Rows by key."""
        found: list[Any] = self.do(self.backend.fetch(entity, list(keys), tx, self.now, lock))
        return found

    def get(self, entity: Entity, key: Any, name: str | None = None, tx: Any = None) -> Any:
        """The row with a key, or one of its values (None if it is not there)."""
        (row,) = self.fetch(entity, key, tx=tx)
        return row if name is None or row is None else row[entity.by_name[name].position]

    def count(self, entity: Entity, where: Any = TRUE, tx: Any = None) -> int:
        """How many rows meet a condition."""
        return len(self.rows(entity, where, tx))

    # Writes

    def apply(self, *batch: Any, tx: Any = None, atomicity: Any = "atomic") -> list[Any]:
        """A batch of writes."""
        results: list[Any] = self.do(self.backend.apply(list(batch), atomicity, tx, self.now))
        return results

    def insert(self, entity: Entity, *rows: Any, tx: Any = None) -> list[Any]:
        """Insert rows; their keys."""
        return self.apply(Insert(entity, list(rows)), tx=tx)[0]  # type: ignore[no-any-return]

    def upsert(self, entity: Entity, row: Any, by: Sequence[str], update: Sequence[str], tx: Any = None) -> tuple[str, Any]:
        """Upsert a row."""
        return self.apply(Upsert(entity, row, tuple(by), entity.positions(tuple(update))), tx=tx)[0]  # type: ignore[no-any-return]

    def patch(self, entity: Entity, key: Any, tx: Any = None, version: Any = None, required: bool = True, **values: Any) -> int:
        """Change fields of one row."""
        return self.apply(Patch(entity, key, assignments(entity, **values), version, required), tx=tx)[0]  # type: ignore[no-any-return]

    def delete(self, entity: Entity, key: Any, tx: Any = None, version: Any = None, required: bool = True) -> int:
        """Remove one row."""
        return self.apply(Delete(entity, key, version, required), tx=tx)[0]  # type: ignore[no-any-return]

    def update_where(self, entity: Entity, where: Any, tx: Any = None, **values: Any) -> int:
        """Change the rows that meet a condition."""
        select = prepare(Select(entity, where), self.now)
        return self.apply(UpdateWhere(select, assignments(entity, **values)), tx=tx)[0]  # type: ignore[no-any-return]

    def delete_where(self, entity: Entity, where: Any, tx: Any = None) -> int:
        """Remove the rows that meet a condition."""
        return self.apply(DeleteWhere(prepare(Select(entity, where), self.now)), tx=tx)[0]  # type: ignore[no-any-return]

    # Transactions

    def begin(self, isolation: Isolation = Isolation.SNAPSHOT, read_only: bool = False, timeout_s: float | None = None) -> Any:
        """Open a transaction."""
        return self.do(self.backend.begin(isolation, read_only, timeout_s))

    def commit(self, tx: Any) -> None:
        """Commit it."""
        self.do(self.backend.commit(tx))

    def rollback(self, tx: Any) -> None:
        """Roll it back."""
        self.do(self.backend.rollback(tx))

    def savepoint(self, tx: Any) -> Any:
        """Mark a point."""
        return self.do(self.backend.savepoint(tx))

    def release(self, tx: Any, mark: Any) -> None:
        """Forget the mark."""
        self.do(self.backend.release(tx, mark))

    def rollback_to(self, tx: Any, mark: Any) -> None:
        """Return to the mark."""
        self.do(self.backend.rollback_to(tx, mark))

    def refused(self, kind: type[HoldallError], call: Any) -> Any:
        """The error of that exact kind which a call raises."""
        with pytest.raises(kind) as caught:
            call()
        assert type(caught.value) is kind
        return caught.value


def assignments(entity: Entity, **values: Any) -> tuple[Assignment, ...]:
    """Assignments of values or expressions."""
    made = []
    for name, value in values.items():
        field = entity.by_name[name]
        expr = value if hasattr(value, "type") else Value(value, field.type)
        made.append(Assignment(field.position, expr))
    return tuple(made)


def eq(entity: Entity, name: str, value: Any) -> Compare:
    """name = value."""
    return compare(entity, name, "eq", value)


def compare(entity: Entity, name: str, op: Any, value: Any) -> Compare:
    """name op value."""
    ref = key_ref(entity, name)
    return Compare(ref, op, Value(value, ref.type))


def columns(entity: Entity, *names: str) -> tuple[Column, ...]:
    """Fields as columns."""
    return tuple(Column(name, key_ref(entity, name)) for name in names)
