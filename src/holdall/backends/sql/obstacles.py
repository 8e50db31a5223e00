"""Obstacles: what stands in the way of a write, and how that is told.

Owns three things that SQL engines do not do by themselves: rows that have expired count as absent (H6), for keys, uniques and references
alike; references within one Insert may point forward; and a violation names its fields. Everything here but `clear_expired` runs only
after a statement failed, or for entities that expire. Must not know drivers or connections; programs yield `effects`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from holdall.backends.port import Delete, DeleteWhere, Insert, Patch, Row, UpdateWhere, Upsert, Write
from holdall.backends.sql import effects
from holdall.backends.sql.formats import Rows
from holdall.backends.sql.holding import KEYS_MAX, holding
from holdall.backends.sql.reads import Reads
from holdall.backends.sql.statements import Statement
from holdall.backends.sql.tables import uniques_of
from holdall.errors import (
    CheckViolation,
    ConstraintViolation,
    ForeignKeyViolation,
    HoldallError,
    NotFound,
    NotNullViolation,
    UniqueViolation,
    VersionMismatch,
)
from holdall.program import Program
from holdall.query import NO_TABLES, Evaluator, FieldRef, Select, Value, as_condition, references
from holdall.query.shape import ShapeCache
from holdall.schema import Entity, Reference

Inserting = tuple[str, Callable[[Any], Rows]]
Binding = tuple[str, Callable[[Sequence[Any]], tuple[Any, ...]]]


RESTRICT = frozenset({"NO ACTION", "RESTRICT"})
ANY_RULE = RESTRICT | {"CASCADE", "SET NULL", "SET DEFAULT"}


def expires(entity: Entity) -> bool:
    """Whether rows of the entity can expire."""
    return entity.expiry_field is not None


class Shortcut(NamedTuple):
    """What inserting one row takes, for entities where nothing else has to be done. `number_at`: where a null would be numbered."""

    text: str
    encode: Callable[[Any], Rows]
    number_at: int | None


class Obstacles(Reads):
    """What writes need besides their statements. `entities` are those that ensure_schema was told of, by table."""

    def __init__(self, dialect: Any) -> None:
        super().__init__(dialect)
        self.entities: dict[str, Entity] = {}
        self.may_expire = False
        self._cascading: dict[Entity, bool] = {}
        self._evaluator = Evaluator()
        self._written: ShapeCache[Statement] = ShapeCache()
        self._inserting: dict[tuple[Entity, tuple[str, ...]], Inserting] = {}
        self._replacing: dict[tuple[Entity, tuple[str, ...]], Binding] = {}
        self._clearing: dict[tuple[Entity, bool], Binding | None] = {}
        self.shortcuts: dict[Entity, Shortcut | Literal[False]] = {}
        self.refers_to_expiring = lru_cache(maxsize=None)(_refers_to_expiring)
        self.unique_positions = lru_cache(maxsize=None)(_unique_positions)

    def know(self, entities: Iterable[Entity]) -> None:
        """Remember entities, to name them in errors and to find what expires."""
        self._cascading.clear()
        for entity in entities:
            self.entities[entity.table.casefold()] = entity
            self.may_expire = self.may_expire or expires(entity) or self.refers_to_expiring(entity)

    def forget(self, entities: Iterable[Entity]) -> None:
        """The opposite of `know`."""
        self._cascading.clear()
        for entity in entities:
            self.entities.pop(entity.table.casefold(), None)

    def cascades_to_itself(self, entity: Entity) -> bool:
        """Whether deleting a row can delete others of the same entity, directly or by way of others."""
        found = self._cascading.get(entity)
        if found is None:
            reached: set[Entity] = set()
            waiting = [entity]
            while waiting:
                parent = waiting.pop()
                for child in self.entities.values():
                    cascades = any(ref.on_delete == "cascade" and ref.target.entity is parent for ref in child.references)
                    if cascades and child not in reached:
                        reached.add(child)
                        waiting.append(child)
            found = self._cascading[entity] = entity in reached
        return found

    # Statements, each made once.

    def statement(self, what: str, entity: Entity, key: Any, make: Callable[[], Statement]) -> Statement:
        """A statement from the cache, or made now."""
        whole = (what, entity, key)
        found = self._written.get(whole)
        return found if found is not None else self._written.put(whole, make())

    def inserting(self, entity: Entity, returning: tuple[str, ...]) -> Inserting:
        """INSERT, and the encoder of its rows."""
        found = self._inserting.get((entity, returning))
        if found is None:
            found = self._inserting[entity, returning] = self.statements.insert(entity, returning)
        return found

    def shortcut(self, entity: Entity) -> Shortcut | Literal[False]:
        """The shortcut of an entity; False where inserting takes more."""
        if expires(entity) or self.refers_to_expiring(entity):
            return False
        only = entity.fields[entity.key_positions[0]]
        numbers = len(entity.key) == 1 and only.type.kind in ("int", "bool")
        return Shortcut(*self.inserting(entity, ()), only.position if numbers else None)

    def replacing(self, entity: Entity, returning: tuple[str, ...]) -> Binding:
        """INSERT over an expired row with the same key, giving fields back."""
        found = self._replacing.get((entity, returning))
        if found is None:
            found = self._replacing[entity, returning] = self.statements.insert_over_expired(entity, returning)
        return found

    def clear_expired(self, entity: Entity, rows: Sequence[Row], tx: Any, now: dt.datetime) -> Program[bool]:
        """Remove the expired rows that have the same uniques as one of these new rows, by the on_delete rules. Whether there were any."""
        found = self._clearing_of(entity, by_key=False)
        if found is None:
            return False
        text, bind = found
        cleared = 0
        for row in rows:
            cleared += yield effects.Write(tx, text, bind((*row, now)), entity)
        return cleared > 0

    def clear_keys(self, entity: Entity, rows: Sequence[Row], tx: Any, now: dt.datetime) -> Program[bool]:
        """Remove the expired rows that have the same key as one of these new rows, by the on_delete rules; one whose removal something
        restricts stays, to be overwritten. Whether there were any."""
        if len(rows) > 1:  # most batches meet nothing that has expired
            some = self.statement("some_expired", entity, (), lambda: self.statements.some_expired(entity))
            if not (yield effects.Read(tx, some.text, some.bind((now,)), list)):
                return False
        found = self._clearing_of(entity, by_key=True)
        assert found is not None, "every entity has a key"
        text, bind = found
        cleared = 0
        for row in rows:
            try:
                cleared += yield effects.Write(tx, text, bind((*row, now)), entity)
            except ForeignKeyViolation:
                if (yield from self._purge_children(tx, now)):
                    with suppress(ForeignKeyViolation):
                        cleared += yield effects.Write(tx, text, bind((*row, now)), entity)
        return cleared > 0

    def _clearing_of(self, entity: Entity, by_key: bool) -> Binding | None:
        key = (entity, by_key)
        if key not in self._clearing:
            groups = [entity.key] if by_key else [fields for _, fields in uniques_of(entity)]
            self._clearing[key] = self.statements.conflicts(entity, groups, by_key)
        return self._clearing[key]

    def deferring(self, body: Program[Any], tx: Any, entity: Entity) -> Program[Any]:
        """Run the writes of one Insert, whose references are looked at when all are done, as they may point forward, and after the
        uniques. Engines that do so by themselves need not override it."""
        del tx, entity
        return (yield from body)

    def refuse_null_keys(self, entity: Entity, rows: Sequence[Row]) -> None:
        """NotNullViolation for a null key that the engine would fill in, though the entity does not say so."""

    # Expired parents: references to them are references to nothing.

    def check_parents(self, entity: Entity, rows: Sequence[Row], tx: Any, now: dt.datetime) -> Program[None]:
        """ForeignKeyViolation if a row refers to a parent that has expired. To itself it may refer in any case."""
        for reference in entity.references:
            target = reference.target.entity
            if not expires(target):
                continue
            if target.table == entity.table:
                rows_ = [row for row in rows if target.row_key(row) not in referred_keys(entity, reference, (row,))]
            else:
                rows_ = list(rows)
            wanted = list(referred_keys(entity, reference, rows_))
            found = yield from self.fetch(target, wanted, tx, now, None)
            for key, row in zip(wanted, found, strict=True):
                if row is None:
                    raise dangling(entity, reference, key)

    def check_changed_parents(self, item: Write, tx: Any, now: dt.datetime) -> Program[None]:
        """As check_parents, before a change, for the rows whose references it changes."""
        pairs: list[tuple[Row, Row]] = []
        entity: Entity | None = None
        if isinstance(item, Upsert):
            entity = item.entity
            found = yield from self.rows_by(entity, item.by, item.row, tx)
            pairs = [(old, _merged(item, old)) for old in found]
        elif isinstance(item, Patch | UpdateWhere):
            entity = item.entity if isinstance(item, Patch) else item.select.entity
            touched = {assignment.position for assignment in item.assignments}
            if any(touched & set(entity.positions(reference.fields)) for reference in entity.references):
                pairs = yield from self.changes(item, tx, now)
        if entity is None:
            return
        for reference in entity.references:
            positions = entity.positions(reference.fields)
            changed = [new for old, new in pairs if any(old[p] != new[p] for p in positions)]
            if changed and expires(reference.target.entity):
                yield from self.check_parents(replace(entity, references=(reference,)), changed, tx, now)

    def rows_by(self, entity: Entity, names: tuple[str, ...], row: Row, tx: Any) -> Program[list[Row]]:
        """The rows with the same values in some fields, expired or not."""
        values = [row[position] for position in entity.positions(names)]
        if None in values:
            return []
        statement = self.statement("read_by", entity, names, lambda: self.statements.by_fields(entity, names))
        return (yield effects.Read(tx, statement.text, statement.bind(values), statement.decode))  # type: ignore[no-any-return]  # an effect's reply is Any

    def matched(self, select: Select, tx: Any) -> Program[list[Row]]:
        """The rows that a write by query is about."""
        return (yield from self.select(self.plan(select), tx))  # type: ignore[arg-type]  # SQL plans are native

    def changes(self, item: Patch | UpdateWhere, tx: Any, now: dt.datetime | None) -> Program[list[tuple[Row, Row]]]:
        """What a Patch or UpdateWhere would change: (old row, new row)."""
        if isinstance(item, Patch):
            entity = item.entity
            found = yield from self.fetch(entity, (item.key,), tx, now, None)
            old = [row for row in found if row is not None and _is_version(item, row)]
        else:
            entity = item.select.entity
            old = yield from self.matched(item.select, tx)
        new = self._evaluator.assign(entity, item.assignments, old, isinstance(item, UpdateWhere))
        return list(zip(old, new, strict=True))

    # Making room.

    def make_room(self, item: Write, error: ConstraintViolation, tx: Any, now: dt.datetime) -> Program[bool]:
        """Remove expired rows that the write ran into; whether there were any."""
        if isinstance(error, UniqueViolation) and isinstance(item, Patch | UpdateWhere | Upsert):
            entity = item.select.entity if isinstance(item, UpdateWhere) else item.entity
            if not expires(entity):
                return False
            if isinstance(item, Upsert):
                rows = yield from self._upserted(item, tx)
            else:
                pairs = yield from self.changes(item, tx, now)
                rows = [new for _, new in pairs]
            cleared = yield from self.clear_keys(entity, rows, tx, now)
            return (yield from self.clear_expired(entity, rows, tx, now)) or cleared
        if isinstance(error, ForeignKeyViolation) and not error.fields:
            return (yield from self._purge_children(tx, now))
        return False

    def _purge_children(self, tx: Any, now: dt.datetime) -> Program[bool]:
        """Remove the expired rows that refer to others; whether there were any."""
        removed = False
        for child in self.entities.values():
            if expires(child) and child.references:
                removed = (yield from self._purge(child, tx, now)) or removed
        return removed

    def _purge(self, entity: Entity, tx: Any, now: dt.datetime) -> Program[bool]:
        """Remove all expired rows of an entity; not if something that has not expired refers to one."""
        statement = self.statement("purge", entity, (), lambda: self.statements.purge(entity))
        try:
            return bool((yield effects.Write(tx, statement.text, statement.bind((now,)), entity)))
        except ForeignKeyViolation:
            return False

    # Telling.

    def absent(self, item: Patch | Delete, tx: Any, now: dt.datetime | None) -> Program[HoldallError]:
        """Why no row matched a key and version."""
        entity = item.entity
        (row,) = yield from self.fetch(entity, (item.key,), tx, now, None)
        version = entity.version_field
        if row is None or version is None:
            return NotFound(f"There is no {entity.name} with key {item.key!r}.")
        return VersionMismatch(
            f"{entity.name} {item.key!r} has version {row[version.position]}, not {item.version}: "
            "somebody else changed it since it was read.",
            hint="Read it again, and decide anew.",
        )

    def check_unreferred(self, item: Patch, old: Row, new: Row, tx: Any) -> Program[None]:
        """ForeignKeyViolation if others refer to a row whose key is to change."""
        entity = item.entity
        nobody = ForeignKeyViolation("", entity=entity.name)
        lets_go = _lets_go(entity, [(old, new)])
        told = yield from self.referred(entity, item.key, tx, nobody, rules=ANY_RULE, but_itself=lets_go)
        if told is not nobody:
            raise told

    def explained(self, item: Write, tx: Any, error: ConstraintViolation) -> Program[ConstraintViolation]:
        """The violation, with what the engine does not say: which rows and fields."""
        if isinstance(item, Delete | DeleteWhere):
            return (yield from self._held(item, tx, error))
        entity = item.select.entity if isinstance(item, UpdateWhere) else item.entity
        rows: Sequence[Row]
        pairs: list[tuple[Row, Row]] = []
        if isinstance(item, Patch | UpdateWhere):
            pairs = yield from self.changes(item, tx, None)  # SizeLimit, if one of several rows cannot take its result
            rows = [new for _, new in pairs]
        else:
            rows = item.rows if isinstance(item, Insert) else (yield from self._upserted(item, tx))
        first = self._broken_row(entity, rows)
        if first is not None:
            return first
        if isinstance(error, UniqueViolation):
            if isinstance(item, Patch) and changes_key(item):
                # A key that others refer to may not change at all, whether the new one is taken or not.
                return (yield from self.referred(entity, item.key, tx, error, rules=ANY_RULE, but_itself=_lets_go(entity, pairs)))
            return _taken(error, rows)
        if not isinstance(error, ForeignKeyViolation) or error.fields:
            return error
        for reference in entity.references:
            target = reference.target.entity
            wanted = list(referred_keys(entity, reference, rows))
            found = yield from self.fetch(target, wanted, tx, None, None)
            own: set[Any] = {target.row_key(row) for row in rows} if target is entity else set()
            for key, row in zip(wanted, found, strict=True):
                if row is None and key not in own:
                    return dangling(entity, reference, key)
        if isinstance(item, Patch):
            return (yield from self.referred(entity, item.key, tx, error, rules=ANY_RULE))
        return error

    def _held(self, item: Delete | DeleteWhere, tx: Any, error: ConstraintViolation) -> Program[ConstraintViolation]:
        """The violation of a delete, with what holds the rows."""
        if not isinstance(error, ForeignKeyViolation) or error.fields:
            return error
        entity, key = (item.entity, item.key) if isinstance(item, Delete) else (item.select.entity, None)
        keys = [key] if isinstance(item, Delete) else [entity.row_key(row) for row in (yield from self.matched(item.select, tx))]
        if len(keys) <= KEYS_MAX:
            found = yield from holding(self.entities.values(), self.rows_by, entity, keys, tx)
            if found is not None:
                return found
        return (yield from self.referred(entity, key, tx, error, rules=RESTRICT))

    def _upserted(self, item: Upsert, tx: Any) -> Program[list[Row]]:
        """The row that an Upsert would have left."""
        existing = yield from self.rows_by(item.entity, item.by, item.row, tx)
        return [_merged(item, existing[0])] if existing else [item.row]

    def _broken_row(self, entity: Entity, rows: Sequence[Row]) -> ConstraintViolation | None:
        """The first null or failed check among new rows: told before anything else, as everywhere."""
        required = [field for field in entity.fields if not field.nullable and field is not entity.generated_field]
        for row in rows:
            names = [field.name for field in required if row[field.position] is None]
            if names:
                return NotNullViolation(f"{entity.name}.{names[0]} must have a value.", entity=entity.name, fields=names)
        for check in entity.checks:
            condition = as_condition(check.condition())
            compiled, params = self._evaluator.condition(entity, condition)
            failed = compiled.false(rows, params, NO_TABLES)
            if failed:
                fields = dict.fromkeys(ref.field.name for ref in references(condition) if isinstance(ref, FieldRef))
                shown = ", ".join(f"{name}={failed[0][entity.by_name[name].position]!r}" for name in fields)
                return CheckViolation(
                    f"{entity.name} breaks the check '{check.name}' with {shown}.",
                    entity=entity.name, fields=tuple(fields), constraint=check.name,
                )  # fmt: skip
        return None

    def referred(
        self, entity: Entity, key: Any, tx: Any, error: ConstraintViolation, rules: frozenset[str], but_itself: bool = False
    ) -> Program[ConstraintViolation]:
        """The error for a row that others (`but_itself`: not the row itself) refer to by references with one of these rules; key None:
        for any of some rows. `error` itself if none do. Engines that name them need not override it."""
        del entity, key, tx, rules, but_itself
        yield from ()
        return error


def _lets_go(entity: Entity, pairs: Sequence[tuple[Row, Row]]) -> bool:
    """Whether a row that may refer to itself refers to something else afterwards."""
    own = [entity.positions(reference.fields) for reference in entity.references if reference.target.entity is entity]
    return any(old[position] != new[position] for old, new in pairs for positions in own for position in positions)


def _is_version(item: Patch, row: Row) -> bool:
    version = item.entity.version_field
    return item.version is None or version is None or row[version.position] == item.version


def lets_expire(item: UpdateWhere, now: dt.datetime) -> bool:
    """Whether every row that is changed has expired then."""
    until = item.select.entity.expiry_field
    values = [a.expr.value for a in item.assignments if until is not None and a.position == until.position and isinstance(a.expr, Value)]
    return bool(values) and values[0] is not None and values[0] <= now


def changes_key(item: Patch) -> bool:
    """Whether the row will have another key."""
    entity = item.entity
    parts = (item.key,) if len(entity.key) == 1 else item.key
    held = dict(zip(entity.key_positions, parts, strict=True))
    assigned = {assignment.position: assignment.expr for assignment in item.assignments}
    return any(
        position in assigned and not (isinstance(expr := assigned[position], Value) and expr.value == value)
        for position, value in held.items()
    )


def _merged(item: Upsert, old: Row) -> Row:
    return tuple([item.row[n] if n in item.update else value for n, value in enumerate(old)])


def _taken(error: UniqueViolation, rows: Sequence[Row]) -> UniqueViolation:
    if error.message or len(rows) != 1:
        return error if error.message else UniqueViolation(
            f"There is already a {error.entity} with one of these keys.", entity=error.entity, fields=error.fields
        )  # fmt: skip
    return UniqueViolation(
        f"There is already a {error.entity} with this {', '.join(error.fields)}.", entity=error.entity, fields=error.fields
    )


def dangling(entity: Entity, reference: Reference, key: Any) -> ForeignKeyViolation:
    """The error for a reference to nothing."""
    target = reference.target.entity
    return ForeignKeyViolation(
        f"{entity.name}.{', '.join(reference.fields)} points at the {target.name} {key!r}, which does not exist.",
        entity=entity.name, fields=reference.fields, hint=f"Create the {target.name} first.",
    )  # fmt: skip


def referred_keys(entity: Entity, reference: Reference, rows: Sequence[Row]) -> Mapping[Any, None]:
    """The keys that rows refer to, each once; references with a null part refer to nothing (B3)."""
    target = reference.target.entity
    by_target = dict(zip(reference.target_fields, reference.fields, strict=True))
    positions = entity.positions(tuple(by_target[name] for name in target.key))
    if len(positions) == 1:
        (position,) = positions
        return dict.fromkeys(row[position] for row in rows if row[position] is not None)
    keys = (tuple([row[position] for position in positions]) for row in rows)
    return dict.fromkeys(key for key in keys if None not in key)


def _refers_to_expiring(entity: Entity) -> bool:
    return any(expires(reference.target.entity) for reference in entity.references)


def _unique_positions(entity: Entity) -> frozenset[int]:
    groups = [entity.key, *(fields for _, fields in uniques_of(entity))]
    return frozenset(position for names in groups for position in entity.positions(names))
