"""The engine of the memory backend: performs its effects, each under one lock.

Owns the tables, the lock, the log of replaced rows and the open transactions. Must not know programs. Reading rows by key without a
transaction takes no lock: `stamp` is odd while a write is under way, and a read between two equal even stamps saw no half of one.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import msgspec

from holdall.backends.memory import effects as fx
from holdall.backends.memory.access import Walk, Ways
from holdall.backends.memory.forks import whole_at_forks
from holdall.backends.memory.indexes import Row
from holdall.backends.memory.table import Layout, Table, with_article
from holdall.backends.memory.views import AGAIN, Change, Live, Overlay, Transaction, View, next_rows
from holdall.backends.memory.writes import Rules, Writer
from holdall.backends.port import Insert, Upsert, Write
from holdall.errors import DeadlineExceeded, ForeignKeyViolation, HoldallError, ProgrammingError, SerializationFailure, TransactionDoomed
from holdall.query import CompiledSelect, Evaluator, Filter, Select, Tables
from holdall.schema import Entity

LOG_KEEP = 1024  # entries that every open transaction has read may stay in the log up to this number, to be cut off together


Reader = Callable[[Sequence[Any], dt.datetime | None], "list[Row | None]"]


class Prepared(msgspec.Struct, frozen=True, gc=False):
    """What a plan carries: the compiled select, the ways to its rows, its operands."""

    compiled: CompiledSelect
    ways: Ways
    params: Sequence[Any]


class Engine:
    """All state of one memory store. `plan` turns a select into what is needed to run it."""

    rules_kind: type[Rules] = Rules
    writer: type[Writer] = Writer

    def __init__(self, evaluator: Evaluator, plan: Callable[[Select], Prepared]) -> None:
        self.tables: dict[Entity, Table] = {}
        self._lock = threading.RLock()
        whole_at_forks(self, self._lock)
        self._stamp = 0
        self._live = Live()
        self._rules = self.rules_kind(evaluator)
        self._plan = plan
        self._log: list[Change] = []
        self._log_start = 0
        self._open: weakref.WeakSet[Transaction] = weakref.WeakSet()
        self._readers: dict[Entity, Reader] = {}
        self._added: dict[Entity, int] = {}  # rows that can expire, added since expired ones were last looked for
        self._performers: dict[type, Callable[[Any], Any]] = {
            fx.Fetch: self._fetch,
            fx.Query: self._query,
            fx.Page: self._page,
            fx.Apply: self._apply,
            fx.Register: self._register,
            fx.Clear: self._clear,
            fx.Close: self._close,
            fx.Begin: self._begin,
            fx.Commit: self._commit,
            fx.Rollback: self._rollback,
            fx.Mark: self._mark,
            fx.Release: self._release,
            fx.Undo: self._undo,
        }

    def perform(self, effect: Any) -> Any:
        """Do one effect."""
        kind = effect.__class__
        if kind is fx.Fetch and effect.tx is None:  # the most frequent one, kept short
            read = self._readers.get(effect.entity)
            if read is not None:
                return read(effect.keys, effect.now)
        return self._performers[kind](effect)

    # Entities

    def _register(self, effect: fx.Register) -> None:
        with self._lock:
            for entity in effect.entities:
                if entity not in self.tables:
                    table = Table(Layout(entity))
                    self._live.add(table)
                    self._rules.add(table.layout)
                    self.tables[entity] = table
                    self._readers[entity] = self._reader(table)

    def _table(self, entity: Entity) -> Table:
        table = self.tables.get(entity)
        if table is None:
            raise unknown(entity)
        return table

    def _clear(self, effect: fx.Clear) -> None:
        with self._lock:
            self._stamp += 1
            try:
                for entity in effect.entities:
                    table = self.tables.get(entity) if effect.forget else self._table(entity)
                    if table is None:
                        continue
                    if self._open:
                        self._log.extend([(table, ik, row) for ik, row in table.rows.items()])
                    table.clear()
                    if effect.forget:
                        del self.tables[entity], self._readers[entity]
                        self._rules.remove(entity)
            finally:
                self._stamp += 1

    def _close(self, _: fx.Close) -> None:
        with self._lock:
            for tx in list(self._open):
                self._end(tx, "the store was closed")

    # Reads

    def _reader(self, table: Table) -> Reader:
        """The function that reads committed rows of a table by key."""
        find, ik_of, uuid_key, expiry = table.rows.get, table.layout.ik_of_key, table.layout.uuid_key, table.layout.expiry

        def read(keys: Sequence[Any], now: dt.datetime | None) -> list[Row | None]:
            stamp = self._stamp
            if len(keys) == 1:
                (key,) = keys
                rows = [find(key.int if uuid_key else ik_of(key))]
            else:
                rows = [find(ik_of(key)) for key in keys]
            if stamp & 1 or stamp != self._stamp:
                with self._lock:
                    rows = [find(ik_of(key)) for key in keys]
            if now is not None and expiry is not None:
                return _unexpired(rows, expiry, now)
            return rows

        return read

    def _fetch(self, effect: fx.Fetch) -> list[Row | None]:
        table = self._table(effect.entity)
        with self._lock:
            tx = self._enter(effect.tx)
            overlay, layout = tx.of(effect.entity), table.layout
            rows: list[Row | None] = []
            for key in effect.keys:
                ik = layout.ik_of_key(key)
                rows.append(overlay.get(ik))
                if effect.lock is not None:
                    self._lock_row(tx, overlay, ik)
                else:
                    tx.note_key(effect.entity, ik)
        if layout.expiry is not None and effect.now is not None:
            return _unexpired(rows, layout.expiry, effect.now)
        return rows

    def _lock_row(self, tx: Transaction, overlay: Overlay, ik: Any) -> None:
        """A lock here is a promise checked at the commit; what is already broken is told at once."""
        tx.note_lock(overlay.layout.entity, ik)
        if ik in overlay.before:
            self._end(tx, "it lost against a concurrent one")
            raise SerializationFailure(f"{overlay.layout.entity.name}: a row to be locked was written by another transaction.", hint=AGAIN)

    def _query(self, effect: fx.Query) -> list[Row]:
        prepared: Prepared = effect.plan.prepared
        compiled, params = prepared.compiled, prepared.params
        table = self._table(effect.plan.select.entity)
        with self._lock:
            tx = None if effect.tx is None else self._enter(effect.tx)
            view: View = self._live if tx is None else tx
            if tx is not None:
                self._note_scan(tx, effect.plan.select, prepared)
            rows, presorted = self._search(view, table, prepared, compiled.keep(params), whole=False)
            if tx is not None and effect.plan.select.lock is not None:
                overlay, row_ik = tx.of(table.layout.entity), table.layout.row_ik
                for row in rows:
                    self._lock_row(tx, overlay, row_ik(row))
            if compiled.entities:
                return compiled.finish(rows, params, view, presorted)
        return compiled.finish(rows, params, self._live, presorted)

    def _note_scan(self, tx: Transaction, select: Select, prepared: Prepared) -> None:
        """Keep, for the commit, a test for rows whose change would have changed this answer (None: any row's)."""
        if not tx.serializable or tx.read_only:
            return
        compiled, params = prepared.compiled, prepared.params
        test: Callable[[Iterable[Row]], list[Row]] | None = None
        if compiled.where is None:
            test = list
        elif not compiled.entities:
            test = partial(_where, compiled.where, params, self._live)
        tx.scans.append((select.entity, test))

    def _search(self, view: View, table: Table, prepared: Prepared, keep: int | None, whole: bool) -> tuple[list[Row], bool]:
        """The visible rows that a select matches (`keep`: at least the first so many), and whether they are in order."""
        where, params, ways = prepared.compiled.where, prepared.params, prepared.ways

        def test(rows: Iterable[Row]) -> list[Row]:
            return list(rows) if where is None else where(rows, params, view)

        overlay = view.of(table.layout.entity) if isinstance(view, Transaction) else None
        if not isinstance(overlay, Overlay) or not overlay.delta:
            if ways.walks and keep is not None and not whole:
                found = self._walk(table, prepared, keep, test)
                if found is not None:
                    return found
            return ways.rows(table, params, test), False
        visible = overlay.visible
        base = ways.rows(table, params, lambda rows: test(visible(rows)), lambda rows: list(visible(rows)))
        return base + ways.rows(overlay.local, params, test), False

    def _walk(
        self, table: Table, prepared: Prepared, keep: int, test: Callable[[Iterable[Row]], list[Row]]
    ) -> tuple[list[Row], bool] | None:
        """The first rows by an ordered index, if that promises to be quicker than sorting all that match."""
        if keep <= 0:
            return [], True
        ways, params, total = prepared.ways, prepared.params, len(table.rows)
        if ways.key is not None or ways.unique is not None or ways.keys is not None or total < 64:
            return None
        walk: Walk = ways.walks[0]
        if not ways.walk_first:
            size, take, _ = ways.choose(table, params)
            # If the conditions are met by chance everywhere along the index, keep * total / size rows will be tested.
            if take is not None and keep * total >= size * size:
                return None
        rows = walk.rows(table, params, keep, test, total // 4, ways.walk_sure)
        return None if rows is None else (rows, walk.exact)

    def _page(self, effect: fx.Page) -> tuple[list[Row], Any]:
        prepared: Prepared = effect.plan.prepared
        table = self._table(effect.plan.select.entity)
        where, params, size = prepared.compiled.where, prepared.params, effect.page_rows
        with self._lock:
            tx = None if effect.tx is None else self._enter(effect.tx)
            view: View = self._live if tx is None else tx
            overlay = None
            if tx is not None:
                overlay = tx.of(table.layout.entity)
                if effect.cursor is None or tx.noted is not prepared:  # else it is noted since the page before
                    self._note_scan(tx, effect.plan.select, prepared)
                    tx.noted = prepared
            found: list[Row] = []
            at = effect.cursor
            while len(found) < size:
                rows, at = next_rows(table, overlay, at, max(size, 256))
                found += rows if where is None else where(rows, params, view)
                if at is None:
                    break
        if len(found) > size:
            found = found[:size]
            at = table.ordered(table.layout.key).entry_of(found[-1])
        return found, at

    # Writes

    def _apply(self, effect: fx.Apply) -> list[Any]:
        with self._lock:
            if effect.tx is not None:
                return self._apply_in(self._enter(effect.tx), effect)
            self._stamp += 1
            live = self._live
            try:
                results = self._write_all(live, effect)
                self._purge(effect)
            except BaseException:
                live.undo(0)
                raise
            else:
                if self._open:
                    self._log.extend(live.journal)
                return results
            finally:
                live.journal.clear()
                self._stamp += 1

    def _apply_in(self, tx: Transaction, effect: fx.Apply) -> list[Any]:
        if tx.read_only:
            raise ProgrammingError("This transaction is read-only.", hint="Begin it with read_only=False to write in it.")
        mark = tx.mark()
        try:
            return self._write_all(tx, effect)
        except SerializationFailure:
            self._end(tx, "it lost against a concurrent one")
            raise
        except BaseException:
            tx.undo(mark)
            raise

    def _write_all(self, view: View, effect: fx.Apply) -> list[Any]:
        def search(select: Select) -> list[Row]:
            prepared = self._plan(select)
            if isinstance(view, Transaction):
                self._note_scan(view, select, prepared)
            return self._search(view, self._table(select.entity), prepared, None, whole=True)[0]

        writer = self.writer(self._rules, view, effect.now, search)
        batch: Sequence[Write] = effect.batch
        if effect.atomicity == "atomic":
            return [writer.write(write) for write in batch]
        results: list[Any] = []
        for write in batch:
            mark = view.mark()
            try:
                results.append(writer.write(write))
            except SerializationFailure:
                raise
            except HoldallError as error:
                view.undo(mark)
                results.append(error)
        return results

    def _purge(self, effect: fx.Apply) -> None:
        """Remove expired rows now and then: when as many rows were written as half the table holds."""
        now = effect.now
        if now is None:
            return
        for write in effect.batch:
            if not isinstance(write, Insert | Upsert) or write.entity.expiry_field is None:
                continue
            entity = write.entity
            rows = self.tables[entity].rows
            added = self._added[entity] = self._added.get(entity, 0) + (len(write.rows) if isinstance(write, Insert) else 1)
            if added > max(256, len(rows) // 2):
                self._added[entity] = 0
                self._purge_entity(entity, now)

    def _purge_entity(self, entity: Entity, now: dt.datetime) -> None:
        position = entity.expiry_field.position if entity.expiry_field else 0
        expired = [row for row in self.tables[entity].rows.values() if row[position] is not None and row[position] <= now]
        writer = self.writer(self._rules, self._live, now, lambda _: [])
        for row in expired:
            mark = self._live.mark()
            try:
                writer.remove(entity, [row])
            except ForeignKeyViolation:  # it is invisible anyway; it goes when nothing points at it any more
                self._live.undo(mark)

    # Transactions

    def _enter(self, tx: Transaction) -> Transaction:
        """The transaction, up to date; an error if it has ended or its time is over."""
        if tx.ended:
            raise TransactionDoomed(f"The transaction has ended: {tx.ended}.", hint="Begin a new one.")
        if tx.deadline is not None and time.monotonic() > tx.deadline:
            self._end(tx, "its time was over")
            raise DeadlineExceeded("The transaction took longer than it was allowed to; it is rolled back.", hint="Allow it more time.")
        tx.read_on(self._log, self._log_start)
        return tx

    def _end(self, tx: Transaction, why: str) -> None:
        tx.ended = why
        tx.overlays.clear()
        tx.journal.clear()
        self._open.discard(tx)
        self._trim()

    def _trim(self) -> None:
        """Forget what no open transaction needs any more."""
        if not self._open:
            self._log_start += len(self._log)
            self._log.clear()
            return
        # A transaction that nobody holds any more may go at any time, the last one too.
        read = min((tx.position for tx in self._open), default=self._log_start) - self._log_start
        if read > LOG_KEEP:
            del self._log[:read]
            self._log_start += read

    def _begin(self, effect: fx.Begin) -> Transaction:
        with self._lock:
            self._trim()
            tx = Transaction(self.tables, effect.isolation, effect.read_only, self._log_start + len(self._log))
            if effect.timeout_s is not None:
                tx.deadline = time.monotonic() + effect.timeout_s
            self._open.add(tx)
            return tx

    def _commit(self, effect: fx.Commit) -> None:
        with self._lock:
            tx = self._enter(effect.tx)
            if not any(overlay.own for overlay in tx.overlays.values()):
                self._end(tx, "it is committed")
                return
            why = tx.conflict()
            if why:
                self._lose(tx, why)
            self._stamp += 1
            live = self._live
            try:
                why = self._install(tx) or self._dangling(tx)
                if why:
                    live.undo(0)
                    self._lose(tx, why)
                self._end(tx, "it is committed")
                if self._open:
                    self._log.extend(live.journal)
            finally:
                live.journal.clear()
                self._stamp += 1

    def _lose(self, tx: Transaction, why: str) -> None:
        self._end(tx, "it lost against a concurrent one")
        raise SerializationFailure(f"The transaction cannot be committed: {why}.", hint=AGAIN)

    def _install(self, tx: Transaction) -> str:
        """Put what the transaction wrote into the tables, old rows out first; what stands against it, '' if nothing."""
        dropped = next(
            (entity for entity, overlay in tx.overlays.items() if overlay.own and self.tables.get(entity) is not overlay.table), None
        )
        if dropped is not None:
            return f"{dropped.name} was dropped"
        changes = [
            (self._live.of(entity), [(ik, overlay.delta[ik]) for ik in overlay.own])
            for entity, overlay in tx.overlays.items()
            if overlay.own
        ]
        for rows, changed in changes:
            present = rows.table.rows
            for ik, _ in changed:
                if ik in present:
                    rows.put(ik, None)
        for rows, changed in changes:
            new = [(ik, row) for ik, row in changed if row is not None]
            iks, found = [ik for ik, _ in new], [row for _, row in new]
            if not rows.fresh(iks, found):
                return f"a unique value of {rows.layout.entity.name} was taken by another transaction"
            rows.put_many(iks, found)
        return ""

    def _dangling(self, tx: Transaction) -> str:
        """A reference that was right for the transaction and is not any more, in words; '' if there is none.

        Only what others wrote in the meantime can make one: parents that they removed, children that they wrote.
        """
        for entity, overlay in tx.overlays.items():
            for reference, _, value_of in self._rules.parents.get(entity, ()):  # a dropped one has none
                target = reference.target.entity
                parents = tx.overlays.get(target)
                if parents is not None and parents.before and overlay.own:
                    latest = parents.table.rows
                    rows = (row for ik in overlay.own if (row := overlay.delta[ik]) is not None)
                    if any((value := value_of(row)) in parents.before and value not in latest for row in rows):
                        return f"{with_article(target)} that {with_article(entity)} points at was removed by another transaction"
                if overlay.before and parents is not None and parents.own:
                    latest = overlay.table.rows
                    rows = (row for ik in overlay.before if (row := latest.get(ik)) is not None)
                    if any(value in parents.own and value not in parents.table.rows for value in map(value_of, rows) if value is not None):
                        return f"another transaction let {with_article(entity)} point at {with_article(target)} that was removed here"
        return ""

    def _rollback(self, effect: fx.Rollback) -> None:
        with self._lock:
            if not effect.tx.ended:
                self._end(effect.tx, "it is rolled back")

    def _mark(self, effect: fx.Mark) -> int:
        with self._lock:
            return self._enter(effect.tx).mark()

    def _release(self, effect: fx.Release) -> None:
        with self._lock:
            self._enter(effect.tx)

    def _undo(self, effect: fx.Undo) -> None:
        with self._lock:
            tx = effect.tx
            if tx.ended:
                raise TransactionDoomed(f"The transaction has ended: {tx.ended}.", hint="Begin a new one.")
            tx.undo(effect.mark)


def unknown(entity: Entity) -> ProgrammingError:
    """The error for an entity that `ensure_schema` was never told about."""
    return ProgrammingError(f"{entity.name} is not known to this memory store.", hint="Call ensure_schema with it first.")


def _where(where: Filter, params: Sequence[Any], tables: Tables, rows: Iterable[Row]) -> list[Row]:
    return where(rows, params, tables)


def _unexpired(rows: list[Row | None], position: int, now: dt.datetime) -> list[Row | None]:
    return [row if row is None or row[position] is None or row[position] > now else None for row in rows]
