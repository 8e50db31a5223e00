"""Writing: programs for apply, shared by the SQL backends.

Owns which statements a batch becomes and in which transaction. Must not know drivers or connections; programs yield `effects`. What stands
in the way of a write, and how that is told, is in `obstacles`.

A single statement that stands alone is a transaction of its own; anything longer gets one, or a savepoint inside the caller's, so that a
batch that fails has done nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from holdall.backends.port import Atomicity, Delete, DeleteWhere, Insert, Patch, Row, UpdateWhere, Upsert, Write
from holdall.backends.sql import effects
from holdall.backends.sql.formats import Rows
from holdall.backends.sql.obstacles import Obstacles, changes_key, expires, lets_expire
from holdall.errors import ConstraintViolation, ForeignKeyViolation, HoldallError, ProgrammingError, UniqueViolation, Unsupported
from holdall.program import Program
from holdall.query import Assignment, Value
from holdall.query.shape import assignments_shape, shape
from holdall.schema import Entity


class Writes(Obstacles):
    """The writing half of a SQL backend, on top of the reading one."""

    def apply(self, batch: Sequence[Write], atomicity: Atomicity, tx: Any, now: dt.datetime | None) -> Program[list[Any]]:
        """Do a batch of writes; see the port."""
        if len(batch) == 1 and atomicity == "atomic":
            item = batch[0]
            if isinstance(item, Insert):
                keys = yield from self._insert_one(item, tx)
                if keys is not None:
                    return [keys]
        for item in batch:
            if isinstance(item, UpdateWhere):
                _refuse_bulk_unique(item, self.unique_positions(item.select.entity))
        short = len(batch) == 1 and atomicity == "atomic" and self._one_statement(batch[0], now)
        if tx is not None:
            if tx.read_only:
                raise ProgrammingError("This transaction is read-only.", hint="Begin it with read_only=False to write in it.")
            if short:
                return [(yield from self._item(batch[0], tx, now))]
            return (yield from self._in_savepoint(lambda: self._items(batch, atomicity, tx, now), tx))  # type: ignore[no-any-return]  # an effect's reply is Any
        if not batch:
            return []
        if short:
            done, result = yield from self._alone(batch[0], now)
            if done:
                return [result]
        return (yield from self.in_transaction(lambda session: self._items(batch, atomicity, session, now)))  # type: ignore[no-any-return]  # an effect's reply is Any

    def _alone(self, item: Write, now: dt.datetime | None) -> Program[tuple[bool, Any]]:
        """(True, result) of a write by one statement that is its own transaction; (False, None) if it takes one to remove what expired."""
        try:
            return True, (yield from self._attempt(item, None, now))
        except ConstraintViolation as error:
            if now is None or not self.may_expire or not isinstance(error, UniqueViolation | ForeignKeyViolation):
                raise (yield from self.explained(item, None, error)) from error
        return False, None

    def in_transaction(self, body: Callable[[Any], Program[Any]]) -> Program[Any]:
        """Run `body(session)` in a transaction of its own."""
        session = yield effects.Begin()
        try:
            result = yield from body(session)
            yield effects.Commit(session)
        except GeneratorExit:
            raise
        except BaseException:
            yield effects.Rollback(session)
            raise
        return result

    def _in_savepoint(self, body: Callable[[], Program[Any]], tx: Any) -> Program[Any]:
        mark = yield from self.savepoint(tx)
        try:
            result = yield from body()
        except HoldallError:
            # An engine may have ended the whole transaction (a full disk): then the first error is what matters.
            with suppress(HoldallError):
                yield from self.rollback_to(tx, mark)
            raise
        yield from self.release(tx, mark)
        return result

    def _items(self, batch: Sequence[Write], atomicity: Atomicity, tx: Any, now: dt.datetime | None) -> Program[list[Any]]:
        results: list[Any] = []
        for item in batch:
            if atomicity == "atomic":
                results.append((yield from self._item(item, tx, now)))
                continue
            try:
                results.append((yield from self._in_savepoint(lambda one=item: self._item(one, tx, now), tx)))  # type: ignore[misc]  # bound in the loop
            except HoldallError as error:
                results.append(error)
        return results

    def savepoint(self, tx: Any) -> Program[Any]:
        """Mark a point in a transaction."""
        tx.savepoints += 1
        name = f"holdall_{tx.savepoints}"
        yield effects.Control(tx, f"SAVEPOINT {name}")
        return name

    def release(self, tx: Any, savepoint: Any) -> Program[None]:
        """Forget the mark and keep what was done since."""
        yield effects.Control(tx, f"RELEASE SAVEPOINT {savepoint}")

    def rollback_to(self, tx: Any, savepoint: Any) -> Program[None]:
        """Undo what was done since the mark, and forget it."""
        yield effects.Control(tx, f"ROLLBACK TO SAVEPOINT {savepoint}; RELEASE SAVEPOINT {savepoint}")

    # One write. What it violates may be a row that has expired: then that is removed, and the write is tried once more.

    def _item(self, item: Write, tx: Any, now: dt.datetime | None) -> Program[Any]:
        if now is not None and self.refers_to_expiring(_entity(item)):
            yield from self.check_changed_parents(item, tx, now)
        try:
            return (yield from self._attempt(item, tx, now))
        except ConstraintViolation as error:
            failed = error
        if now is not None and (yield from self.make_room(item, failed, tx, now)):
            try:
                return (yield from self._attempt(item, tx, now))
            except ConstraintViolation as error:
                failed = error
        if now is not None and isinstance(failed, UniqueViolation) and expires(_entity(item)):
            done = yield from self._past_expired(item, tx, now)
            if done is not None:
                return done
        raise (yield from self.explained(item, tx, failed)) from failed

    def _past_expired(self, item: Write, tx: Any, now: dt.datetime) -> Program[int | None]:
        """What it takes two or more statements to write: a key changed onto that of an expired row which cannot be removed, because others
        refer to it; and a change of many rows that lets all of them expire, so that no two of them are seen with the same unique value.
        None if the item is neither."""
        entity = _entity(item)
        if isinstance(item, Patch) and changes_key(item):
            ((old, new),) = yield from self.changes(item, tx, now)
            (taken,) = yield from self.fetch(entity, (entity.row_key(new),), tx, None, None)
            assert entity.expiry_field is not None
            until = entity.expiry_field.position
            if taken is None or taken[until] is None or taken[until] > now:
                return None
            yield from self.check_unreferred(item, old, new, tx)
            removal = self.statement(
                "delete", entity, (False, False), lambda: self.statements.delete_key(entity, versioned=False, timed=False)
            )
            yield effects.Write(tx, removal.text, removal.bind([item.key] if len(entity.key) == 1 else list(item.key)), entity)
            text, bind = self.replacing(entity, entity.key)
            yield effects.WriteReturning(tx, text, bind((*new, now)), entity, list)
            return 1
        if isinstance(item, UpdateWhere) and lets_expire(item, now):
            pairs = yield from self.changes(item, tx, now)
            for old, new in pairs:
                yield from self.clear_expired(entity, (new,), tx, now)
                yield from self._attempt(Patch(entity, entity.row_key(old), item.assignments), tx, now)
            return len(pairs)
        return None

    def _attempt(self, item: Write, tx: Any, now: dt.datetime | None) -> Program[Any]:
        return (yield from _WRITES[item.__class__](self, item, tx, now))

    def _one_statement(self, item: Write, now: dt.datetime | None) -> bool:
        """Whether the item is done by one statement, which is atomic by itself."""
        if isinstance(item, Upsert):
            return False
        entity = _entity(item)
        if isinstance(item, Insert) and len(item.rows) != 1:
            return False
        if isinstance(item, Insert) and now is not None and expires(entity):
            return False
        if isinstance(item, DeleteWhere) and self.cascades_to_itself(entity):
            return False
        return now is None or not self.refers_to_expiring(entity)

    # Insert.

    def _insert_one(self, item: Insert, tx: Any) -> Program[list[Any] | None]:
        """The shortest way for the most frequent write: one row that neither expires, refers to what expires, nor is to be numbered.
        None where it does not serve, or failed and so did nothing: the long way tells why."""
        entity, rows = item.entity, item.rows
        shortcut = self.shortcuts.get(entity)
        if shortcut is None:
            shortcut = self.shortcuts[entity] = self.shortcut(entity)
        if not shortcut or len(rows) != 1 or (tx is not None and tx.read_only):
            return None
        row = rows[0]
        if shortcut.number_at is not None and row[shortcut.number_at] is None:
            return None
        try:
            yield effects.Write(tx, shortcut.text, shortcut.encode(rows)[0], entity)
        except ConstraintViolation:
            return None
        return [entity.row_key(row)]

    def insert(self, item: Insert, tx: Any, now: dt.datetime | None) -> Program[list[Any]]:
        entity, rows = item.entity, item.rows
        if not rows:
            return []
        self.refuse_null_keys(entity, rows)
        if now is not None and expires(entity):
            yield from self.clear_keys(entity, rows, tx, now)
            keys = yield from self.deferring(self._insert_expiring(entity, rows, tx, now), tx, entity)
            if len(rows) > 1 and self.refers_to_expiring(entity):  # what had expired when it came may have made room for another
                last = dict(zip(keys, rows, strict=True))
                there = yield from self.fetch(entity, list(last), tx, None, None)
                rows = [row for row, found in zip(last.values(), there, strict=True) if found is not None]
            yield from self.check_parents(entity, rows, tx, now)
            return keys  # type: ignore[no-any-return]  # an effect's reply is Any
        generated = entity.generated_field
        numbered = generated is not None and any(row[generated.position] is None for row in rows)
        text, encode = self.inserting(entity, entity.key if numbered else ())
        made: Rows = []
        if len(rows) > 1:
            made = yield from self.deferring(_do(effects.WriteMany(tx, text, effects.Encoded(rows, encode), entity)), tx, entity)
        elif numbered:
            made = yield effects.WriteReturning(tx, text, encode(rows)[0], entity, list)
        else:
            yield effects.Write(tx, text, encode(rows)[0], entity)
        if now is not None and self.refers_to_expiring(entity):
            yield from self.check_parents(entity, rows, tx, now)
        return self._keys(entity, made) if numbered else list(map(entity.row_key, rows))

    def _keys(self, entity: Entity, made: Rows) -> list[Any]:
        if len(entity.key) == 1:
            return [key for (key,) in made]
        return self.statements.key_decoder(entity)(made)

    def _insert_expiring(self, entity: Entity, rows: Sequence[Row], tx: Any, now: dt.datetime) -> Program[list[Any]]:
        """As insert, one row after the other: an expired row with the same key is overwritten, those with the same uniques are removed."""
        keys: list[Any] = []
        generated = entity.generated_field
        for row in rows:
            yield from self.clear_expired(entity, (row,), tx, now)
            text, bind = self.replacing(entity, entity.key)
            made = yield effects.WriteReturning(tx, text, bind((*row, now)), entity, list)
            if not made:
                raise UniqueViolation("", entity=entity.name, fields=entity.key)
            numbered = generated is not None and row[generated.position] is None
            keys += self._keys(entity, made) if numbered else [entity.row_key(row)]
        return keys

    # Upsert. What is there is looked for first: an INSERT … ON CONFLICT would refuse a row for nulls and checks that it need not keep.

    def upsert(self, item: Upsert, tx: Any, now: dt.datetime | None) -> Program[tuple[str, Row]]:
        entity, row = item.entity, item.row
        existing = yield from self.rows_by(entity, item.by, row, tx)
        until = entity.expiry_field
        if until is not None and now is not None:
            existing = [old for old in existing if old[until.position] is None or old[until.position] > now]
        if not existing:
            stored = yield from self._upsert_new(entity, row, tx, now)
            if now is not None and self.refers_to_expiring(entity):
                yield from self.check_parents(entity, (stored,), tx, now)
            return "inserted", stored
        if not item.update:
            return "ignored", existing[0]
        values = [row[position] for position in entity.positions(item.by)]
        version = None if entity.version_field is None else entity.version_field.position
        assignments = tuple(Assignment(p, Value(row[p], entity.fields[p].type)) for p in item.update if p != version)
        key, params = assignments_shape(assignments)
        statement = self.statement(
            "update_by", entity, (item.by, key),
            lambda: self.statements.update_fields(entity, assignments, len(params), item.by, count=True, returning=True),
        )  # fmt: skip
        decode = statement.decode
        (changed,) = yield effects.WriteReturning(tx, statement.text, statement.bind([*params, *values]), entity, decode)
        return "updated", changed

    def _upsert_new(self, entity: Entity, row: Row, tx: Any, now: dt.datetime | None) -> Program[Row]:
        """The row as inserted."""
        self.refuse_null_keys(entity, (row,))
        everything = tuple(field.name for field in entity.fields)
        decode = self.by_key(entity, False, False).decode
        if now is None or not expires(entity):
            text, encode = self.inserting(entity, everything)
            made = yield effects.WriteReturning(tx, text, encode((row,))[0], entity, decode)
        else:
            yield from self.clear_keys(entity, (row,), tx, now)
            yield from self.clear_expired(entity, (row,), tx, now)
            text, bind = self.replacing(entity, everything)
            made = yield effects.WriteReturning(tx, text, bind((*row, now)), entity, decode)
            if not made:
                raise UniqueViolation("", entity=entity.name, fields=entity.key)
        return made[0]  # type: ignore[no-any-return]  # an effect's reply is Any

    # By key.

    def patch(self, item: Patch, tx: Any, now: dt.datetime | None) -> Program[int]:
        entity, assignments = item.entity, item.assignments
        timed = now is not None and expires(entity)
        versioned = item.version is not None and entity.version_field is not None
        if not assignments:
            return (yield from self._touch(item, tx, now))
        key, params = assignments_shape(assignments)
        statement = self.statement(
            "patch", entity, (key, versioned, timed),
            lambda: self.statements.update_fields(entity, assignments, len(params), entity.key, versioned=versioned, timed=timed),
        )  # fmt: skip
        params += (item.key,) if len(entity.key) == 1 else item.key
        if versioned:
            params.append(item.version)
        if timed:
            params.append(now)
        matched = yield effects.Write(tx, statement.text, statement.bind(params), entity)
        if not matched and item.required:
            raise (yield from self.absent(item, tx, now))
        return matched  # type: ignore[no-any-return]  # an effect's reply is Any

    def _touch(self, item: Patch, tx: Any, now: dt.datetime | None) -> Program[int]:
        """A patch that assigns nothing: only whether the row is there, in that version."""
        (row,) = yield from self.fetch(item.entity, (item.key,), tx, now, None)
        version = item.entity.version_field
        matches = row is not None and (item.version is None or version is None or row[version.position] == item.version)
        if not matches and item.required:
            raise (yield from self.absent(item, tx, now))
        return int(matches)

    def delete(self, item: Delete, tx: Any, now: dt.datetime | None) -> Program[int]:
        entity = item.entity
        timed = now is not None and expires(entity)
        versioned = item.version is not None and entity.version_field is not None
        statement = self.statement(
            "delete", entity, (versioned, timed), lambda: self.statements.delete_key(entity, versioned=versioned, timed=timed)
        )
        params: list[Any] = [item.key] if len(entity.key) == 1 else list(item.key)
        if versioned:
            params.append(item.version)
        if timed:
            params.append(now)
        matched = yield effects.Write(tx, statement.text, statement.bind(params), entity)
        if not matched and item.required:
            raise (yield from self.absent(item, tx, now))
        return matched  # type: ignore[no-any-return]  # an effect's reply is Any

    # By query.

    def update_where(self, item: UpdateWhere, tx: Any, now: dt.datetime | None) -> Program[int]:  # noqa: ARG002  as its neighbours
        select, assignments = item.select, item.assignments
        select_key, params = shape(select)
        key, assigned = assignments_shape(assignments)
        if not assignments and select.entity.version_field is None:
            return len((yield from self.matched(select, tx)))
        count = len(params)
        statement = self.statement(
            "update_where", select.entity, (select_key, key), lambda: self.statements.update_where(select, assignments, count)
        )
        return (yield effects.Write(tx, statement.text, statement.bind([*params, *assigned]), select.entity))  # type: ignore[no-any-return]  # an effect's reply is Any

    def delete_where(self, item: DeleteWhere, tx: Any, now: dt.datetime | None) -> Program[int]:  # noqa: ARG002  as its neighbours
        select = item.select
        key, params = shape(select)
        count = len(params)
        statement = self.statement("delete_where", select.entity, key, lambda: self.statements.delete_where(select, count))
        # A row that goes with another one, before its own turn, is not counted by the engine, though it was matched (F1).
        matched = len((yield from self.matched(select, tx))) if self.cascades_to_itself(select.entity) else None
        deleted = yield effects.Write(tx, statement.text, statement.bind(params), select.entity)
        return deleted if matched is None else matched


def _do(effect: Any) -> Program[Any]:
    return (yield effect)


def _entity(item: Write) -> Entity:
    return item.select.entity if isinstance(item, UpdateWhere | DeleteWhere) else item.entity


def _refuse_bulk_unique(item: UpdateWhere, unique: frozenset[int]) -> None:
    """Unsupported if a key or unique field would change by expression on many rows (F7)."""
    entity = item.select.entity
    for assignment in item.assignments:
        if assignment.position in unique and not isinstance(assignment.expr, Value):
            name = entity.fields[assignment.position].name
            raise Unsupported(
                f"{entity.name}.{name} is part of a key or unique constraint; changing it on many records by an expression could "
                "collide half-way.",
                hint="Change the records one by one, or set a value.",
            )


_WRITES: dict[type, Callable[[Any, Any, Any, Any], Program[Any]]] = {
    Insert: Writes.insert,
    Upsert: Writes.upsert,
    Patch: Writes.patch,
    Delete: Writes.delete,
    UpdateWhere: Writes.update_where,
    DeleteWhere: Writes.delete_where,
}
