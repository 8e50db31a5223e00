"""Words: calls of the port as programs, so that clients of any colour, thread or schedule are written once.

Must not know schedules or proofs.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.backends import Delete, DeleteWhere, Insert, Isolation, Native, Patch, UpdateWhere, Upsert
from holdall.errors import HoldallError
from holdall.program import Effect, Program
from holdall.query import TRUE, Compare, Condition, Lock, Order, Select, Value, key_ref, prepare
from holdall.schema import Entity
from holdall.testing.kit import assignments


class Pause(Effect):
    """A place at which others may run, with nothing done."""

    __slots__ = ()


PAUSE = Pause()


class Port:
    """A backend's calls in short, at one instant (None: expired rows are rows like others)."""

    __slots__ = ("backend", "now")

    def __init__(self, backend: Any, now: dt.datetime | None = None) -> None:
        self.backend = backend
        self.now = now

    def plan(self, select: Select) -> Native:
        """The native plan of a select."""
        plan = self.backend.plan(prepare(select, self.now))
        assert isinstance(plan, Native), plan
        return plan

    def fetch(self, entity: Entity, *keys: Any, tx: Any = None, lock: Lock | None = None) -> Program[list[Any]]:
        """Rows by key."""
        found: list[Any] = yield from self.backend.fetch(entity, list(keys), tx, self.now, lock)
        return found

    def select(self, select: Select, tx: Any = None) -> Program[list[Any]]:
        """Rows of a select."""
        found: list[Any] = yield from self.backend.select(self.plan(select), tx)
        return found

    def rows(self, entity: Entity, where: Condition = TRUE, tx: Any = None) -> Program[list[Any]]:
        """Rows that meet a condition, by key."""
        orders = tuple(Order(key_ref(entity, name), False) for name in entity.key)
        return (yield from self.select(Select(entity, where, orders), tx))

    def apply(self, *batch: Any, tx: Any = None) -> Program[list[Any]]:
        """A batch, atomic."""
        results: list[Any] = yield from self.backend.apply(list(batch), "atomic", tx, self.now)
        return results

    def insert(self, entity: Entity, *rows: Any, tx: Any = None) -> Program[Any]:
        """Insert rows."""
        return (yield from self.apply(Insert(entity, list(rows)), tx=tx))[0]

    def upsert(self, entity: Entity, row: Any, by: tuple[str, ...], update: tuple[str, ...], tx: Any = None) -> Program[Any]:
        """Upsert a row."""
        return (yield from self.apply(Upsert(entity, row, by, entity.positions(update)), tx=tx))[0]

    def patch(self, entity: Entity, key: Any, *, tx: Any = None, version: int | None = None, **values: Any) -> Program[Any]:
        """Change one row; 0 if there is none (or not of that version)."""
        return (yield from self.apply(Patch(entity, key, assignments(entity, **values), version, False), tx=tx))[0]

    def delete(self, entity: Entity, key: Any, *, tx: Any = None) -> Program[Any]:
        """Remove one row; 0 if there is none."""
        return (yield from self.apply(Delete(entity, key, None, False), tx=tx))[0]

    def update_where(self, entity: Entity, where: Condition, *, tx: Any = None, **values: Any) -> Program[Any]:
        """Change rows."""
        return (yield from self.apply(UpdateWhere(prepare(Select(entity, where), self.now), assignments(entity, **values)), tx=tx))[0]

    def delete_where(self, entity: Entity, where: Condition, *, tx: Any = None) -> Program[Any]:
        """Remove rows."""
        return (yield from self.apply(DeleteWhere(prepare(Select(entity, where), self.now)), tx=tx))[0]

    def reset(self, *entities: Entity) -> Program[None]:
        """Empty tables."""
        yield from self.backend.reset(list(entities))

    def begin(self, level: Isolation, read_only: bool = False) -> Program[Any]:
        """Open a transaction."""
        return (yield from self.backend.begin(level, read_only, None))

    def commit(self, tx: Any) -> Program[None]:
        """Commit it."""
        yield from self.backend.commit(tx)

    def rollback(self, tx: Any) -> Program[None]:
        """Roll it back."""
        yield from self.backend.rollback(tx)


def compare(entity: Entity, name: str, op: Any, value: Any) -> Compare:
    """field op value."""
    return Compare(key_ref(entity, name), op, Value(value, entity.by_name[name].type))


def lost(error: BaseException) -> bool:
    """Whether it is a conflict: the transaction is rolled back and may be run again."""
    return isinstance(error, HoldallError) and error.retry == "transaction"
