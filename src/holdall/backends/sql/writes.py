"""Writing: programs for apply, shared by the SQL backends.

Owns what statements a batch becomes, in which transaction, and how its failures are told apart. Must not know drivers or connections;
programs yield `effects`.

A single statement that stands alone is a transaction of its own; anything longer gets one. Rows that have expired count as absent (H6):
those in the way of a new row are removed first.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from holdall.backends.port import Atomicity, Delete, DeleteWhere, Insert, Patch, Row, UpdateWhere, Upsert, Write
from holdall.backends.sql import effects
from holdall.backends.sql.formats import Rows
from holdall.backends.sql.reads import Reads
from holdall.backends.sql.statements import Statement
from holdall.backends.sql.tables import uniques_of
from holdall.errors import ForeignKeyViolation, HoldallError, NotFound, VersionMismatch
from holdall.program import Program
from holdall.query import Assignment, Value
from holdall.query.shape import ShapeCache, assignments_shape, shape
from holdall.schema import Entity, Reference

_Inserting = tuple[str, Callable[[Any], Rows]]


class Writes(Reads):
    """The writing half of a SQL backend, on top of the reading one."""

    def __init__(self, dialect: Any) -> None:
        super().__init__(dialect)
        self._written: ShapeCache[Statement] = ShapeCache()
        self._inserting: dict[tuple[Entity, tuple[str, ...], tuple[str, ...]], _Inserting] = {}
        self._clearing: dict[Entity, tuple[str, Callable[[Sequence[Any]], tuple[Any, ...]]]] = {}

    def apply(self, batch: Sequence[Write], atomicity: Atomicity, tx: Any, now: dt.datetime | None) -> Program[list[Any]]:
        """Do a batch of writes; see the port."""
        if tx is None and len(batch) == 1 and atomicity == "atomic" and _one_statement(batch[0], now):
            return [(yield from self._item(batch[0], None, now))]
        if tx is not None:
            return (yield from self._items(batch, atomicity, tx, now))
        return (yield from self.in_transaction(lambda session: self._items(batch, atomicity, session, now)))

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

    def _items(self, batch: Sequence[Write], atomicity: Atomicity, session: Any, now: dt.datetime | None) -> Program[list[Any]]:
        results: list[Any] = []
        for item in batch:
            if atomicity == "atomic":
                results.append((yield from self._item(item, session, now)))
                continue
            name = yield from self.savepoint(session)
            try:
                result = yield from self._item(item, session, now)
            except HoldallError as error:
                yield from self.rollback_to(session, name)
                results.append(error)
            else:
                yield from self.release(session, name)
                results.append(result)
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

    def _item(self, item: Write, tx: Any, now: dt.datetime | None) -> Program[Any]:
        return (yield from _ITEMS[item.__class__](self, item, tx, now))

    # Insert.

    def insert(self, item: Insert, tx: Any, now: dt.datetime | None) -> Program[list[Any]]:
        entity, rows = item.entity, item.rows
        if not rows:
            return []
        if now is not None and entity.expiry_field is not None:
            yield from self._clear_expired(entity, rows, tx, now)
        generated = entity.generated_field
        numbered = generated is not None and any(row[generated.position] is None for row in rows)
        text, encode = self._insert_text(entity, entity.key if numbered else (), ())
        encoded = encode(rows)
        try:
            if len(rows) == 1:
                if not numbered:
                    yield effects.Write(tx, text, encoded[0], entity)
                    return [entity.row_key(rows[0])]
                made = yield effects.WriteReturning(tx, text, encoded[0], entity, list)
            else:
                made = yield effects.WriteMany(tx, text, encoded, entity)
        except ForeignKeyViolation as error:
            raise (yield from self._broken_reference(entity, rows, tx, error)) from error
        if not numbered:
            return list(map(entity.row_key, rows))
        return self._keys(entity, made)

    def _keys(self, entity: Entity, made: Rows) -> list[Any]:
        if len(entity.key) == 1:
            return [key for (key,) in made]
        decode = self.statements.key_decoder(entity)
        return decode(made)

    def _insert_text(self, entity: Entity, returning: tuple[str, ...], ignore: tuple[str, ...]) -> _Inserting:
        found = self._inserting.get((entity, returning, ignore))
        if found is None:
            found = self._inserting[entity, returning, ignore] = self.statements.insert(entity, returning=returning, ignore=ignore)
        return found

    def _clear_expired(self, entity: Entity, rows: Sequence[Row], tx: Any, now: dt.datetime) -> Program[None]:
        """Remove the expired rows that would be in the way of these."""
        found = self._clearing.get(entity)
        if found is None:
            groups = [entity.key, *(fields for _, fields in uniques_of(entity))]
            found = self._clearing[entity] = self.statements.conflicts(entity, groups)
        text, bind = found
        if len(rows) == 1:
            yield effects.Write(tx, text, bind((*rows[0], now)), entity)
        else:
            yield effects.WriteMany(tx, text, [bind((*row, now)) for row in rows], entity)

    # Upsert.

    def upsert(self, item: Upsert, tx: Any, now: dt.datetime | None) -> Program[tuple[str, Row]]:
        entity, row = item.entity, item.row
        if now is not None and entity.expiry_field is not None:
            yield from self._clear_expired(entity, (row,), tx, now)
        everything = tuple(field.name for field in entity.fields)
        text, encode = self._insert_text(entity, everything, item.by)
        decode = self.by_key(entity, False, False).decode
        assert decode is not None
        try:
            stored = yield effects.WriteReturning(tx, text, encode((row,))[0], entity, decode)
        except ForeignKeyViolation as error:
            raise (yield from self._broken_reference(entity, (row,), tx, error)) from error
        if stored:
            return "inserted", stored[0]
        values = [row[position] for position in entity.positions(item.by)]
        if not item.update:
            statement = self.statement("read_by", entity, item.by, lambda: self.statements.by_fields(entity, item.by))
            (existing,) = yield effects.Read(tx, statement.text, statement.bind(values), statement.decode)
            return "ignored", existing
        assignments = tuple(Assignment(p, Value(row[p], entity.fields[p].type)) for p in item.update)
        key, params = assignments_shape(assignments)
        statement = self.statement(
            "update_by", entity, (item.by, key),
            lambda: self.statements.update_fields(entity, assignments, len(params), item.by, versioned=False, timed=False, returning=True),
        )  # fmt: skip
        decode = statement.decode
        assert decode is not None
        try:
            (changed,) = yield effects.WriteReturning(tx, statement.text, statement.bind([*params, *values]), entity, decode)
        except ForeignKeyViolation as error:
            raise (yield from self._broken_reference(entity, (row,), tx, error)) from error
        return "updated", changed

    def statement(self, what: str, entity: Entity, key: Any, make: Callable[[], Statement]) -> Statement:
        """A statement from the cache, or made now."""
        whole = (what, entity, key)
        found = self._written.get(whole)
        return found if found is not None else self._written.put(whole, make())

    # By key.

    def patch(self, item: Patch, tx: Any, now: dt.datetime | None) -> Program[int]:
        entity, assignments = item.entity, item.assignments
        timed = now is not None and entity.expiry_field is not None
        versioned = item.version is not None
        if not assignments and entity.version_field is None:
            return (yield from self._touch(item, tx, now))
        key, params = assignments_shape(assignments)
        statement = self.statement(
            "patch", entity, (key, versioned, timed),
            lambda: self.statements.update_key(entity, assignments, len(params), versioned=versioned, timed=timed),
        )  # fmt: skip
        params += (item.key,) if len(entity.key) == 1 else item.key
        if versioned:
            params.append(item.version)
        if timed:
            params.append(now)
        try:
            matched = yield effects.Write(tx, statement.text, statement.bind(params), entity)
        except ForeignKeyViolation as error:
            raise (yield from self._broken_assignment(entity, assignments, tx, error)) from error
        if not matched and item.required:
            raise (yield from self._absent(item, tx, now))
        return matched  # type: ignore[no-any-return]

    def _touch(self, item: Patch, tx: Any, now: dt.datetime | None) -> Program[int]:
        """A patch that assigns nothing: only whether the row is there."""
        (row,) = yield from self.fetch(item.entity, (item.key,), tx, now, None)
        if row is None and item.required:
            raise (yield from self._absent(item, tx, now))
        return int(row is not None)

    def delete(self, item: Delete, tx: Any, now: dt.datetime | None) -> Program[int]:
        entity = item.entity
        timed = now is not None and entity.expiry_field is not None
        versioned = item.version is not None
        statement = self.statement(
            "delete", entity, (versioned, timed), lambda: self.statements.delete_key(entity, versioned=versioned, timed=timed)
        )
        params: list[Any] = [item.key] if len(entity.key) == 1 else list(item.key)
        if versioned:
            params.append(item.version)
        if timed:
            params.append(now)
        try:
            matched = yield effects.Write(tx, statement.text, statement.bind(params), entity)
        except ForeignKeyViolation as error:
            raise (yield from self._children(entity, item.key, tx, error)) from error
        if not matched and item.required:
            raise (yield from self._absent(item, tx, now))
        return matched  # type: ignore[no-any-return]

    def _absent(self, item: Patch | Delete, tx: Any, now: dt.datetime | None) -> Program[HoldallError]:
        """Why no row matched."""
        entity = item.entity
        (row,) = yield from self.fetch(entity, (item.key,), tx, now, None)
        if row is None:
            return NotFound(f"There is no {entity.name} with the key {item.key!r}.")
        version = entity.version_field
        held = None if version is None else row[version.position]
        return VersionMismatch(
            f"{entity.name} {item.key!r} was changed by somebody else: it has version {held}, not {item.version}.",
            hint="Read it again and repeat the change.",
        )

    # By query.

    def update_where(self, item: UpdateWhere, tx: Any, now: dt.datetime | None) -> Program[int]:
        select, assignments = item.select, item.assignments
        select_key, params = shape(select)
        key, assigned = assignments_shape(assignments)
        count = len(params)
        statement = self.statement(
            "update_where", select.entity, (select_key, key), lambda: self.statements.update_where(select, assignments, count)
        )
        try:
            return (yield effects.Write(tx, statement.text, statement.bind([*params, *assigned]), select.entity))  # type: ignore[no-any-return]
        except ForeignKeyViolation as error:
            raise (yield from self._broken_assignment(select.entity, assignments, tx, error)) from error

    def delete_where(self, item: DeleteWhere, tx: Any, now: dt.datetime | None) -> Program[int]:
        select = item.select
        key, params = shape(select)
        count = len(params)
        statement = self.statement("delete_where", select.entity, key, lambda: self.statements.delete_where(select, count))
        try:
            return (yield effects.Write(tx, statement.text, statement.bind(params), select.entity))  # type: ignore[no-any-return]
        except ForeignKeyViolation as error:
            raise (yield from self._children(select.entity, None, tx, error)) from error

    # Which reference? Engines that do not say are asked again, with the failed statement undone.

    def _broken_assignment(self, entity: Entity, assignments: Sequence[Assignment], tx: Any, error: HoldallError) -> Program[HoldallError]:
        row: list[Any] = [None] * len(entity.fields)
        for assignment in assignments:
            if isinstance(assignment.expr, Value):
                row[assignment.position] = assignment.expr.value
        return (yield from self._broken_reference(entity, (tuple(row),), tx, error))

    def _broken_reference(self, entity: Entity, rows: Sequence[Row], tx: Any, error: HoldallError) -> Program[HoldallError]:
        """The error for rows of which one refers to nothing."""
        if isinstance(error, ForeignKeyViolation) and error.fields:
            return error
        for reference in entity.references:
            target = reference.target.entity
            wanted = self._references(entity, reference, rows)
            found = yield from self.fetch(target, list(wanted), tx, None, None)
            for key, row in zip(wanted, found, strict=True):
                if row is None and not (target is entity and key in {entity.row_key(other) for other in rows}):
                    return ForeignKeyViolation(
                        f"{entity.name}.{', '.join(reference.fields)} refers to {target.name} {key!r}, which does not exist.",
                        entity=entity.name, fields=reference.fields,
                    )  # fmt: skip
        return error

    def _references(self, entity: Entity, reference: Reference, rows: Sequence[Row]) -> dict[Any, None]:
        """The keys that rows refer to, each once."""
        target = reference.target.entity
        order = [reference.target_fields.index(name) for name in target.key]
        positions = [entity.positions(reference.fields)[n] for n in order]
        keys = (tuple([row[p] for p in positions]) for row in rows)
        whole = (key for key in keys if None not in key)
        return dict.fromkeys(key[0] if len(key) == 1 else key for key in whole)

    def _children(self, entity: Entity, key: Any, tx: Any, error: HoldallError) -> Program[HoldallError]:
        """The error for rows that cannot be deleted, because others refer to them."""
        raise NotImplementedError


def _one_statement(item: Write, now: dt.datetime | None) -> bool:
    """Whether the item is done by one statement, which is atomic by itself."""
    if isinstance(item, Insert):
        return len(item.rows) == 1 and (now is None or item.entity.expiry_field is None)
    return not isinstance(item, Upsert)


_ITEMS: dict[type, Callable[[Any, Any, Any, Any], Program[Any]]] = {
    Insert: Writes.insert,
    Upsert: Writes.upsert,
    Patch: Writes.patch,
    Delete: Writes.delete,
    UpdateWhere: Writes.update_where,
    DeleteWhere: Writes.delete_where,
}
