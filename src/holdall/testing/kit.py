"""Kit: what a case works with: a store in its colour, a clock, the port underneath, and short names for all of it.

Owns the words that cases are written in. Must not know cases, nor which backend it stands on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Self, TypeVar

from holdall.backends import Backend, Capabilities, Delete, DeleteWhere, Insert, Isolation, Native, Patch, Refuse, UpdateWhere, Upsert
from holdall.errors import HoldallError
from holdall.model import Model
from holdall.program import Program, arun, run
from holdall.query import TRUE, Assignment, Condition, Lock, Order, Select, Value, key_ref, prepare
from holdall.schema import Entity
from holdall.store import Store
from holdall.testing.colours import Colour, coloured

T = TypeVar("T")

START = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


class Clock:
    """An instant that stands still until it is moved. Every case begins at `START`."""

    def __init__(self) -> None:
        self.instant = START

    def __call__(self) -> dt.datetime:
        return self.instant

    def forward(self, **by: float) -> dt.datetime:
        """Move on by that much (the arguments of timedelta); gives the new instant."""
        self.instant += dt.timedelta(**by)
        return self.instant


class Caught:
    """What `refused` gives: a block that must raise exactly one kind of error; `error` is there once it has ended.

    Made here, not by a decorator, so that type checkers know that the block's error goes no further.
    """

    def __init__(self, kind: type[BaseException], says: str, facts: Mapping[str, Any]) -> None:
        self._kind = kind
        self._says = says
        self._facts = facts
        self.error: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is not None and not isinstance(error, self._kind):
            return False
        self.error = error
        name = self._kind.__name__
        assert type(error) is self._kind, f"expected {name}, got {error!r}"
        assert self._says in str(error), f"expected a text with {self._says!r}, got {str(error)!r}"
        for fact, wanted in self._facts.items():
            found = getattr(error, fact)
            assert found == wanted, f"expected {name}.{fact} to be {wanted!r}, got {found!r}: {error}"
        return True


class Kit:
    """What a case gets.

    `store` is the store in the case's colour: everything that blocks or waits is awaited, in both. `clock` is its clock. `backend` is the
    port underneath, driven by `do`. `connect` makes one more backend on the same data (the same object where there can be only one).
    """

    def __init__(self, home: Store, backend: Backend, colour: Colour, clock: Clock, connect: Callable[[], Backend] | None = None) -> None:
        self.home = home
        self.backend: Any = backend
        self.colour: Colour = colour
        self.clock = clock
        self.capabilities: Capabilities = backend.describe()
        self.store: Any = coloured(home, colour)
        self.others: list[tuple[Store, bool]] = []
        self._connect = connect

    def another_store(self, backend: Any = None) -> Any:
        """One more store on the same data, in the same colour and with the same clock; closed after the case.

        With `backend`, a store on that one (a `Faults`, say).
        """
        own = backend is None and self._connect is not None
        chosen = backend or (self._connect() if self._connect is not None else self.backend)
        made = Store(chosen, clock=self.clock)
        self.others.append((made, own))
        return coloured(made, self.colour)

    def refused(self, kind: type[BaseException], *, says: str = "", **facts: Any) -> Caught:
        """The block must raise exactly `kind`, whose text contains `says` and whose attributes are `facts`."""
        return Caught(kind, says, facts)

    # The port underneath, for cases about a backend alone. Entities are those of models: Word.__entity__.

    async def do(self, program: Program[T]) -> T:
        """Run a program of the backend's, in the case's colour."""
        if self.colour == "sync":
            return run(program, self.backend.perform)
        return await arun(program, self.backend.aperform)

    async def ready(self, *models: type[Model]) -> None:
        """Make models known to the backend, before the port is used without the store."""
        await self.store.ensure_schema(*models)

    def plan(self, select: Select) -> Native:
        """The native plan of a select; AssertionError if it is refused."""
        plan = self.backend.plan(prepare(select, self.clock()))
        assert not isinstance(plan, Refuse), plan
        assert isinstance(plan, Native), "split plans belong to the store"
        return plan

    async def select(self, select: Select, tx: Any = None) -> list[Any]:
        """All rows of a select."""
        found: list[Any] = await self.do(self.backend.select(self.plan(select), tx))
        return found

    async def rows(self, entity: Entity, where: Condition = TRUE, tx: Any = None, order: Sequence[str] = ()) -> list[Any]:
        """The rows that meet a condition, by key or by the named fields ('-name' for descending)."""
        orders = tuple(Order(key_ref(entity, name.lstrip("-")), name.startswith("-")) for name in order or entity.key)
        return await self.select(Select(entity, where, orders), tx)

    async def fetch(self, entity: Entity, *keys: Any, tx: Any = None, lock: Lock | None = None) -> list[Any]:
        """Rows by key, None for what is absent."""
        found: list[Any] = await self.do(self.backend.fetch(entity, list(keys), tx, self.clock(), lock))
        return found

    async def value(self, entity: Entity, key: Any, name: str, tx: Any = None) -> Any:
        """One value of the row with a key; None if there is no such row."""
        (row,) = await self.fetch(entity, key, tx=tx)
        return None if row is None else row[entity.by_name[name].position]

    async def apply(self, *batch: Any, tx: Any = None, atomicity: Any = "atomic") -> list[Any]:
        """A batch of writes."""
        results: list[Any] = await self.do(self.backend.apply(list(batch), atomicity, tx, self.clock()))
        return results

    async def insert(self, entity: Entity, *rows: Any, tx: Any = None) -> list[Any]:
        """Insert rows; their keys."""
        (keys,) = await self.apply(Insert(entity, list(rows)), tx=tx)
        return list(keys)

    async def upsert(self, entity: Entity, row: Any, by: Sequence[str], update: Sequence[str], tx: Any = None) -> tuple[str, Any]:
        """Upsert a row; status and row."""
        (result,) = await self.apply(Upsert(entity, row, tuple(by), entity.positions(tuple(update))), tx=tx)
        status, stored = result
        return status, stored

    async def patch(
        self, entity: Entity, key: Any, *, tx: Any = None, version: int | None = None, required: bool = True, **values: Any
    ) -> int:
        """Change fields of one row."""
        (result,) = await self.apply(Patch(entity, key, assignments(entity, **values), version, required), tx=tx)
        return int(result)

    async def delete(self, entity: Entity, key: Any, *, tx: Any = None, version: int | None = None, required: bool = True) -> int:
        """Remove one row."""
        (result,) = await self.apply(Delete(entity, key, version, required), tx=tx)
        return int(result)

    async def update_where(self, entity: Entity, where: Condition, *, tx: Any = None, **values: Any) -> int:
        """Change the rows that meet a condition."""
        (result,) = await self.apply(UpdateWhere(prepare(Select(entity, where), self.clock()), assignments(entity, **values)), tx=tx)
        return int(result)

    async def delete_where(self, entity: Entity, where: Condition, *, tx: Any = None) -> int:
        """Remove the rows that meet a condition."""
        (result,) = await self.apply(DeleteWhere(prepare(Select(entity, where), self.clock())), tx=tx)
        return int(result)

    async def begin(self, isolation: Isolation | None = None, read_only: bool = False, timeout_s: float | None = None) -> Any:
        """Open a transaction of the port, at the default level unless told; several can be open at once."""
        level = isolation or self.capabilities.default_isolation
        return await self.do(self.backend.begin(level, read_only, timeout_s))

    async def commit(self, tx: Any) -> None:
        """Commit it."""
        await self.do(self.backend.commit(tx))

    async def rollback(self, tx: Any) -> None:
        """Roll it back."""
        await self.do(self.backend.rollback(tx))

    async def savepoint(self, tx: Any) -> Any:
        """Mark a point in it."""
        return await self.do(self.backend.savepoint(tx))

    async def release(self, tx: Any, mark: Any) -> None:
        """Forget the mark, keep what was done since."""
        await self.do(self.backend.release(tx, mark))

    async def rollback_to(self, tx: Any, mark: Any) -> None:
        """Undo what was done since the mark, and forget it."""
        await self.do(self.backend.rollback_to(tx, mark))

    async def eventually(self, call: Callable[[], Awaitable[T]]) -> T:
        """The result of a call that may legally lose against others (a conflict), tried again until it does not; at most 20 times."""
        for _ in range(19):
            try:
                return await call()
            except HoldallError as error:
                if error.retry != "transaction":
                    raise
        return await call()


def assignments(entity: Entity, **values: Any) -> tuple[Assignment, ...]:
    """Assignments of canonical values or of expressions to fields."""
    made: list[Assignment] = []
    for name, value in values.items():
        field = entity.by_name[name]
        expr = value if hasattr(value, "type") else Value(value, field.type)
        made.append(Assignment(field.position, expr))
    return tuple(made)
