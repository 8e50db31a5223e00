"""Reading: plans and programs for fetch, select and scan, shared by the SQL backends.

Owns the cache of statements per query shape. Must not know drivers or connections; programs yield `effects`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from holdall.backends.port import Key, Native, Plan, Row
from holdall.backends.sql import effects
from holdall.backends.sql.dialect import Dialect
from holdall.backends.sql.statements import Statement, Statements
from holdall.errors import ProgrammingError, Unsupported
from holdall.program import Program
from holdall.query import FALSE, Lock, Order, Select, after, all_of, key_ref, replace
from holdall.query.compile import compile_select
from holdall.query.shape import ShapeCache, shape
from holdall.schema import Entity


class Reads:
    """The reading half of a SQL backend."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.statements = Statements(dialect)
        self._selects: ShapeCache[Statement] = ShapeCache()
        self._by_key: dict[tuple[Entity, bool, bool], Statement] = {}

    def plan(self, select: Select) -> Plan:
        """How a prepared select would be answered: always by one statement."""
        key, params = shape(select)
        statement = self._selects.get(key)
        if statement is None:
            if select.columns is not None or select.group_by:
                compile_select(select)  # QueryError for an ungrouped field or a misplaced aggregate, which engines let pass
            statement = self._selects.put(key, self.statements.select(select, len(params)))
        return Native(select, (statement, params), (statement.text,))

    def select(self, plan: Native, tx: Any) -> Program[list[Row]]:
        """All rows of a plan. One statement; none where nothing can match."""
        select = plan.select
        if select.limit == 0 or (select.where is FALSE and not select.aggregated):
            return []
        self._allow_lock(select.lock, tx)
        statement, params = plan.prepared
        return (yield effects.Read(tx, statement.text, statement.bind(params), statement.decode))  # type: ignore[no-any-return]  # an effect's reply is Any

    def fetch(self, entity: Entity, keys: Sequence[Key], tx: Any, now: dt.datetime | None, lock: Lock | None) -> Program[list[Row | None]]:
        """Rows by key, in the order asked. One statement."""
        if lock is not None:
            self._allow_lock(lock, tx)
        timed = now is not None and entity.expiry_field is not None
        single = len(entity.key) == 1
        if len(keys) == 1:
            statement = self.by_key(entity, False, timed)
            params = (keys[0],) if single else keys[0]
            rows = yield effects.Read(tx, statement.text, statement.bind((*params, now) if timed else params), statement.decode)
            return [rows[0]] if rows else [None]
        if not keys:
            return []
        statement = self.by_key(entity, single, timed)
        if single:
            values = tuple(dict.fromkeys(keys))
            rows = yield effects.Read(tx, statement.text, statement.bind((values, now) if timed else (values,)), statement.decode)
        else:
            tail = (now,) if timed else ()
            bound = [statement.bind((*key, *tail)) for key in dict.fromkeys(keys)]
            rows = yield effects.ReadMany(tx, statement.text, bound, statement.decode)
        found = dict(zip(map(entity.row_key, rows), rows, strict=True))
        return [found.get(key) for key in keys]

    def by_key(self, entity: Entity, many: bool, timed: bool) -> Statement:
        """The statement for rows by key."""
        statement = self._by_key.get((entity, many, timed))
        if statement is None:
            statement = self._by_key[entity, many, timed] = self.statements.by_key(entity, many=many, timed=timed)
        return statement

    def scan(self, plan: Native, cursor: Any, page_rows: int, tx: Any) -> Program[tuple[list[Row], Any]]:
        """One page in the order of the key, and the key of its last row as the next cursor."""
        if page_rows < 1:
            raise ProgrammingError(f"A page needs at least one row, not {page_rows}.")
        select = plan.select
        entity = select.entity
        order = tuple(Order(key_ref(entity, name)) for name in entity.key)
        where = select.where if cursor is None else all_of(select.where, after(order, cursor))
        page = self.plan(replace(select, where=where, order=order, limit=page_rows))
        assert isinstance(page, Native)
        rows = yield from self.select(page, tx)
        if len(rows) < page_rows:
            return rows, None
        last = entity.row_key(rows[-1])
        return rows, (last,) if len(entity.key) == 1 else last

    def _allow_lock(self, lock: Lock | None, tx: Any) -> None:
        if lock is not None and tx is not None and tx.read_only:
            raise Unsupported("A read-only transaction cannot lock rows.", hint="Begin it without read_only.")
