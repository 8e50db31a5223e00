"""The memory backend: the meaning of the contract, kept in this process.

Owns the programs and the plans. Every program yields one effect; `perform.Engine` does it. Must not touch tables itself.
"""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping, Sequence
from typing import Any

from holdall.backends.capabilities import Capabilities, Durability, Isolation
from holdall.backends.memory import effects as fx
from holdall.backends.memory.access import Ways, find_ways, steps
from holdall.backends.memory.options import check_plain, levels, read_features
from holdall.backends.memory.perform import Engine, Prepared, unknown
from holdall.backends.memory.scans import NeedsScan, refuse_scan
from holdall.backends.memory.writes import refuse_bulk_unique, written
from holdall.backends.port import Atomicity, Key, Native, Plan, Row, UpdateWhere, Write
from holdall.errors import ProgrammingError, Unsupported
from holdall.program import Program
from holdall.query import CompiledSelect, Evaluator, Lock, Select, ShapeCache, shape
from holdall.schema import Entity


class MemoryBackend:
    """Rows in dicts, versions for transactions, indexes made from what entities declare.

    `options` are those of the URL that this class keeps ('without'); others raise DeclarationError. Data lives as long as this object:
    closing it only rolls back what is open.
    """

    name = "memory"

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        given = dict(options or {})
        check_plain(given)
        self._features = read_features(given)
        self._levels = levels(self._features)
        self._scans = bool(self._features["scan"])
        self.evaluator = Evaluator()
        self._plans: ShapeCache[tuple[CompiledSelect, Ways, tuple[str, ...]]] = ShapeCache()
        self._engine = self._make_engine()
        self.perform = self._engine.perform

    def _make_engine(self) -> Engine:
        return Engine(self.evaluator, self._prepare)

    async def aperform(self, effect: Any) -> Any:
        """Do one effect; it never waits for anything but the store's lock, which is held shortly."""
        return self.perform(effect)

    def describe(self) -> Capabilities:
        """What this backend keeps: everything but durability."""
        return Capabilities(
            backend="memory",
            engine=platform.python_implementation(),
            version=platform.python_version(),
            durability=Durability.NONE,
            isolation=self._levels,
            default_isolation=Isolation.SNAPSHOT if self._levels else None,
            consistency=frozenset({"strong", "eventual"}),
            features=self._features,
            expiry_granularity_s=0.0,
        )

    # Programs

    def open(self) -> Program[None]:
        """Nothing to connect to."""
        yield from ()

    def close(self) -> Program[None]:
        """Roll back open transactions; rows stay."""
        yield fx.Close()

    def ping(self) -> Program[None]:
        """It is there."""
        yield from ()

    def ensure_schema(self, entities: Sequence[Entity]) -> Program[None]:
        """Make room for the entities, and for those that they refer to; idempotent."""
        yield fx.Register(_with_targets(entities))

    def reset(self, entities: Sequence[Entity]) -> Program[None]:
        """Remove all rows of the entities, whatever references them."""
        yield fx.Clear(tuple(entities))

    def drop(self, entities: Sequence[Entity]) -> Program[None]:
        """Forget the entities, rows and all."""
        yield fx.Clear(tuple(entities), forget=True)

    def fetch(self, entity: Entity, keys: Sequence[Key], tx: Any, now: dt.datetime | None, lock: Lock | None) -> Program[list[Row | None]]:
        """Rows by key in the order asked, None for absent or expired ones."""
        if lock is not None:
            _allow_lock(tx)
        return (yield fx.Fetch(entity, keys, tx, now, lock))  # type: ignore[no-any-return]  # what the engine answers to it

    def select(self, plan: Native, tx: Any) -> Program[list[Row]]:
        """All rows of a plan."""
        if plan.select.lock is not None:
            _allow_lock(tx)
        return (yield fx.Query(plan, tx))  # type: ignore[no-any-return]  # what the engine answers to it

    def scan(self, plan: Native, cursor: Any, page_rows: int, tx: Any) -> Program[tuple[list[Row], Any]]:
        """One page of whole rows, by key, and the cursor of the next page."""
        if page_rows < 1:
            raise ProgrammingError(f"A page needs at least one row, not {page_rows}.")
        return (yield fx.Page(plan, cursor, page_rows, tx))  # type: ignore[no-any-return]  # what the engine answers to it

    def apply(self, batch: Sequence[Write], atomicity: Atomicity, tx: Any, now: dt.datetime | None) -> Program[list[Any]]:
        """Write a batch; one result per item."""
        for write in batch:
            entity = written(write)
            table = self._engine.tables.get(entity)
            if table is None:
                raise unknown(entity)
            if isinstance(write, UpdateWhere):
                refuse_bulk_unique(write, table.layout)
        return (yield fx.Apply(batch, atomicity, tx, now))  # type: ignore[no-any-return]  # what the engine answers to it

    # Plans

    def plan(self, select: Select) -> Plan:
        """How a select is answered; always by this backend, unless it does without scans. ProgrammingError if an entity was not made known
        by ensure_schema."""
        try:
            prepared, told = self._planned(select)
        except NeedsScan as needs:
            return needs.refusal
        return Native(select, prepared, told)

    def _prepare(self, select: Select) -> Prepared:
        try:
            return self._planned(select)[0]
        except NeedsScan as needs:
            raise Unsupported(needs.refusal.reason, hint=needs.refusal.remedy) from None

    def _planned(self, select: Select) -> tuple[Prepared, tuple[str, ...]]:
        key, params = shape(select)
        known = self._plans.get(key)
        if known is None:
            table = self._engine.tables.get(select.entity)
            if table is None:
                raise unknown(select.entity)
            compiled, _ = self.evaluator.select(select)
            for entity in compiled.entities:
                if entity not in self._engine.tables:
                    raise unknown(entity)
            ways = find_ways(select, table.layout)
            if not self._scans and not select.allow_scan:
                refuse_scan(select, ways)
            known = self._plans.put(key, (compiled, ways, _told(select, ways, compiled)))
        compiled, ways, told = known
        return Prepared(compiled, ways, params), told

    # Transactions

    def begin(self, isolation: Isolation, read_only: bool, timeout_s: float | None) -> Program[Any]:
        """Open a transaction; Unsupported for a level other than SNAPSHOT and SERIALIZABLE."""
        if isolation not in self._levels:
            raise Unsupported(
                f"This memory store has no {isolation.name} transactions.",
                hint="Use SNAPSHOT (the default) or SERIALIZABLE." if self._levels else "Leave 'transactions' out of without=.",
            )
        return (yield fx.Begin(isolation, read_only, timeout_s))

    def commit(self, tx: Any) -> Program[None]:
        """Make it visible; SerializationFailure, fully rolled back, if another transaction was first."""
        yield fx.Commit(tx)

    def rollback(self, tx: Any) -> Program[None]:
        """Forget it; also fine when it has ended."""
        yield fx.Rollback(tx)

    def savepoint(self, tx: Any) -> Program[Any]:
        """A mark to return to."""
        return (yield fx.Mark(tx))

    def release(self, tx: Any, savepoint: Any) -> Program[None]:
        """Forget the mark."""
        yield fx.Release(tx, savepoint)

    def rollback_to(self, tx: Any, savepoint: Any) -> Program[None]:
        """Undo what was done since the mark."""
        yield fx.Undo(tx, savepoint)


def _allow_lock(tx: Any) -> None:
    if tx is not None and tx.read_only:
        raise Unsupported("A read-only transaction cannot lock rows.", hint="Begin it without read_only.")


def _with_targets(entities: Sequence[Entity]) -> tuple[Entity, ...]:
    """The entities and all that their references lead to."""
    found: dict[Entity, None] = {}
    waiting = list(entities)
    while waiting:
        entity = waiting.pop()
        if entity not in found:
            found[entity] = None
            waiting += [reference.target.entity for reference in entity.references]
    return tuple(found)


def _told(select: Select, ways: Ways, compiled: CompiledSelect) -> tuple[str, ...]:
    told = steps(ways, select)
    if compiled.where is not None:
        told.append("test each row with compiled code")
    if compiled.group is not None:
        told.append("group and aggregate")
    if compiled.order is not None:
        told.append("sort" if select.limit is None or select.distinct else "sort what can be among the first rows")
    if compiled.distinct is not None:
        told.append("drop duplicates")
    if select.limit is not None or select.offset:
        told.append("cut")
    return tuple(told)
