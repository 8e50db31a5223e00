"""The engine: carries out reads and writes of an API on the awaited side of a store, the same for every dialect.

Owns preconditions, dry runs, cursors given to strangers, and what a write may set. Must not know HTTP messages.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from holdall.errors import NotFound, QueryError, SizeLimit, UniqueViolation, ValidationError, VersionMismatch
from holdall.http.asking import Asked, View
from holdall.http.catalog import Catalog, Column, Resource
from holdall.http.forms import is_object, merge_patch, plain_form, settle
from holdall.http.problems import Fault, HttpError, body_faults, error_of, pointer_to
from holdall.model import Model, Page
from holdall.query import FALSE, Condition, Related, all_of, equals, key_condition, key_ref, replace
from holdall.schema import BadOperand, Entity, Field, Relation
from holdall.store import Store

R = TypeVar("R")
Row = tuple[Any, ...]

RETRIES = 5
_MERGED = frozenset({"json", "dict", "record"})


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of records, cursors to its neighbours, and the total if it was asked for."""

    records: list[Model]
    next_cursor: str | None
    prev_cursor: str | None
    total: int | None = None
    total_kind: Literal["exact", "estimated"] | None = None


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must hold for a write: the record exists with one of these versions, or exists at all, or does not exist."""

    tags: frozenset[str] | None = None
    exists: bool = False
    absent: bool = False


NONE = Precondition()


class _Undo(Exception):
    """No error: the way out of a transaction that shall leave nothing."""

    def __init__(self, result: Any) -> None:
        self.result = result


class Engine:
    """The operations on the resources of one catalogue."""

    def __init__(self, store: Store, catalog: Catalog, cursor_secret: bytes) -> None:
        self.store = store
        self.catalog = catalog
        self._secret = hashlib.sha256(b"holdall cursor " + cursor_secret).digest()

    async def ready(self) -> None:
        """See that every model's schema is there; SchemaMismatch or Unavailable if not. Costs nothing once done."""
        await self.store.aio.ensure_schema(*(resource.model for resource in self.catalog))

    # Reading

    async def page(self, asked: Asked) -> Listing:
        """One page of a collection."""
        cursor = None if asked.cursor is None else self._unseal(asked.cursor)
        model = asked.resource.model
        page: Page[Any] = await self._read("page", model, asked.select, asked.limit, cursor)
        if asked.count is None:
            return Listing(page.items, self._seal(page.next_cursor), self._seal(page.prev_cursor))
        # No engine here estimates: the exact number is given, and said to be exact.
        total = await self._read("count", model, replace(asked.select, order=(), offset=0, includes=()))
        return Listing(page.items, self._seal(page.next_cursor), self._seal(page.prev_cursor), total, "exact")

    async def get(self, asked: Asked, key: Any) -> Model:
        """One record with its includes; NotFound if there is none."""
        resource = asked.resource
        record: Model | None
        if asked.select.includes:
            select = replace(asked.select, where=key_condition(resource.entity, key), without=frozenset({"*"}))
            record = await self._read("first", resource.model, select)
        else:
            record = await self._read("get", resource.model, key)
        if record is None:
            raise absent(resource, key)
        return record

    async def _read(self, name: str, *args: Any) -> Any:
        try:
            return await self.store.arun(name, *args)
        except SizeLimit as error:  # of a read, the query is too large, not a value of the body
            raise HttpError(400, "size_limit", error.message, error.hint) from error

    def related(self, relation: Relation, record: Model) -> Condition:
        """The condition that a record of the relation's target belongs to this one."""
        owner, target = relation.owner.entity, relation.target.entity
        row = row_of(record)
        values = [row[position] for position in owner.positions(relation.local)]
        if None in values:
            return FALSE
        if relation.through is None:
            return all_of(*(equals(key_ref(target, name), value) for name, value in zip(relation.remote, values, strict=True)))
        return Related((), _backwards(relation), "any", key_condition(owner, owner.row_key(row)))

    def _seal(self, cursor: str | None) -> str | None:
        return None if cursor is None else f"{self._mark(cursor)}.{cursor}"

    def _unseal(self, text: str) -> str:
        mark, _, cursor = text.partition(".")
        if not hmac.compare_digest(mark.encode(), self._mark(cursor).encode()):
            raise bad_cursor()
        return cursor

    def _mark(self, cursor: str) -> str:
        return urlsafe_b64encode(hmac.digest(self._secret, cursor.encode(), "sha256")[:15]).decode()

    # Writing

    async def create(self, resource: Resource, data: Mapping[str, Any], dry_run: bool) -> Row:
        """A new record; gives its row."""
        record = self._new(resource, data, {})
        if not dry_run:
            return await self._save(resource, record)
        return await self._unit(lambda: self._save(resource, record), dry_run)

    async def _save(self, resource: Resource, record: Model) -> Row:
        """Write a record; gives its row, which the record itself forgets when a transaction is undone."""
        await self.store.arun("save", resource.model, record)
        return row_of(record)

    async def replace(self, resource: Resource, key: Any, data: Mapping[str, Any], wanted: Precondition, dry_run: bool) -> tuple[Row, bool]:
        """The record with this key becomes exactly what `data` says; gives its row, and whether it is new."""
        keys = _key_values(resource.entity, key)
        self._check_members(resource, data, keys)

        async def work() -> tuple[Row, bool]:
            record: Model | None = await self.store.arun("get", resource.model, key)
            _check(resource, record, key, wanted)
            if record is None:
                return await self._insert(resource, self._new(resource, data, keys)), True
            self._check_read_only(resource, data, record)
            given = {name: value for name, value in data.items() if name not in resource.read_only}
            made = self._new(resource, given, keys)
            for field in resource.entity.fields:
                if field.name not in resource.read_only and field.name not in keys:
                    setattr(record, field.name, getattr(made, field.name))
            return await self._save(resource, record), False

        return await self._unit(work, dry_run)

    async def _insert(self, resource: Resource, made: Model) -> Row:
        try:
            return await self._save(resource, made)
        except UniqueViolation as error:
            if set(error.fields) == set(resource.entity.key):  # somebody was faster: the whole unit runs again
                raise VersionMismatch(error.message) from error
            raise

    async def change(self, resource: Resource, key: Any, patch: Mapping[str, Any], wanted: Precondition, dry_run: bool) -> Row:
        """The record with a merge patch (RFC 7396) applied; gives its row."""
        keys = _key_values(resource.entity, key)
        self._check_members(resource, patch, keys)

        async def work() -> Row:
            record: Model | None = await self.store.arun("get", resource.model, key)
            _check(resource, record, key, wanted)
            if record is None:
                raise absent(resource, key)
            self._check_read_only(resource, patch, record)
            changes = self._merged(resource, record, patch, keys)
            for name, value in resource.model.__check_json__(changes).items():
                setattr(record, name, value)
            return await self._save(resource, record)

        return await self._unit(work, dry_run)

    async def remove(self, resource: Resource, key: Any, wanted: Precondition, dry_run: bool) -> None:
        """Delete the record."""

        async def work() -> None:
            record: Model | None = await self.store.arun("get", resource.model, key)
            _check(resource, record, key, wanted)
            if record is None:
                raise absent(resource, key)
            await self.store.arun("delete", resource.model, record)

        await self._unit(work, dry_run)

    async def _unit(self, work: Callable[[], Awaitable[R]], dry_run: bool) -> R:
        """Run in a transaction, again after a conflict; a dry run is rolled back."""
        if not dry_run:
            return await self.store.aio.unit(retries=RETRIES)(work)()
        await self.ready()  # a schema is not made inside a transaction

        async def undone() -> R:
            raise _Undo(await work())

        try:
            return await self.store.aio.unit(retries=RETRIES)(undone)()
        except _Undo as undo:
            return undo.result  # type: ignore[no-any-return]  # what work() gave

    # What a body may hold

    def _new(self, resource: Resource, data: Mapping[str, Any], keys: Mapping[str, Any]) -> Model:
        """A new record from a body; HttpError 422 with all problems."""
        faults = [*_relation_faults(resource, data)]
        given: dict[str, Any] = {}
        for name, value in data.items():
            field = resource.entity.by_name.get(name)
            if name in resource.read_only:
                faults.append(_read_only(resource, name))
            elif name not in resource.entity.relations:
                given[name] = value if field is None else settle(field.type, value)
        given.update(keys)
        try:
            record: Model = resource.model.__from_json__(given)
        except ValidationError as error:
            faults += body_faults(error.problems)
        else:
            if not faults:
                return record
        raise error_of(faults, 422)

    def _check_members(self, resource: Resource, data: Mapping[str, Any], keys: Mapping[str, Any]) -> None:
        """HttpError 422 if the key in a body is another one than that of the URL, or a relation is in it."""
        faults = _relation_faults(resource, data)
        for name, text in keys.items():
            if name in data and not _same(resource.entity.by_name[name], data[name], text):
                faults.append(
                    Fault("bad_value", f"{name} is not the key in the URL.", "Leave it out of the body.", pointer=pointer_to((name,)))
                )
        if faults:
            raise error_of(faults, 422)

    def _check_read_only(self, resource: Resource, data: Mapping[str, Any], record: Model) -> None:
        """HttpError 422 if a body would change what the store alone writes; sending back what was read is fine."""
        row = row_of(record)
        faults: list[Fault] = []
        for name in resource.read_only & data.keys():
            field = resource.entity.by_name[name]
            if not _same(field, data[name], plain_form(field.type, row[field.position])):
                faults.append(_read_only(resource, name))
        if faults:
            raise error_of(faults, 422)

    def _merged(self, resource: Resource, record: Model, patch: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
        row = row_of(record)
        changes: dict[str, Any] = {}
        for name, value in patch.items():
            if name in keys or name in resource.read_only:
                continue
            field = resource.entity.by_name.get(name)
            if field is not None:
                if field.type.kind in _MERGED and is_object(value):
                    value = merge_patch(plain_form(field.type, row[field.position]), value)  # noqa: PLW2901 - the merged value
                value = settle(field.type, value)  # noqa: PLW2901 - the same value in its form
            changes[name] = value
        return changes


def _backwards(relation: Relation) -> Relation:
    """The same relation seen from its other side, which need not be declared there."""
    return Relation(
        relation.inverse or relation.name, "many_to_many" if relation.through is not None else "has_many", relation.target, relation.owner,
        relation.remote, relation.local, True, relation.through, relation.through_remote, relation.through_local,
    )  # fmt: skip


def _key_values(entity: Entity, key: Any) -> dict[str, Any]:
    values = (key,) if len(entity.key) == 1 else key
    return {name: plain_form(entity.by_name[name].type, value) for name, value in zip(entity.key, values, strict=True)}


def _same(field: Field, given: Any, stored: Any) -> bool:
    """Whether a JSON value is the same as the stored one, in whatever way it is written."""
    if type(given) is type(stored) and given == stored:
        return True
    if not isinstance(given, str):
        return False
    try:
        return bool(plain_form(field.type, field.type.parse(given)) == stored)
    except BadOperand:
        return False


def _read_only(resource: Resource, name: str) -> Fault:
    hint = "Leave it out; to write only if nobody else did, send If-Match." if resource.entity.by_name[name].version else "Leave it out."
    return Fault("read_only", f"{name} is written by the store alone.", hint, pointer=pointer_to((name,)))


def _relation_faults(resource: Resource, data: Mapping[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    for name in data:
        relation = resource.entity.relations.get(name)
        if relation is None:
            continue
        if relation.kind == "belongs_to":
            hint = f"Give its key in {' and '.join(relation.local)}."
        else:
            hint = f"Write the records of {relation.target.entity.name} on their own."
        faults.append(Fault("not_offered", f"{name} is a relation; nested records are not written yet.", hint, pointer=pointer_to((name,))))
    return faults


def _check(resource: Resource, record: Model | None, key: Any, wanted: Precondition) -> None:
    """HttpError 412 if the precondition does not hold for the record as it is now."""
    if wanted.absent and record is not None:
        raise HttpError(412, "precondition_failed", f"{resource.name} {key} exists already.", "Leave out If-None-Match to replace it.")
    if not wanted.exists:
        return
    if record is None:
        raise HttpError(412, "precondition_failed", f"There is no {resource.name} {key}, so nothing matches If-Match.")
    if wanted.tags is None:
        return
    row = row_of(record)
    current = resource.etag(row)
    if current is None:
        raise HttpError(
            412, "precondition_failed", f"{resource.name} has no version field, so no entity tag can match.",
            "Leave out If-Match, or add to the model: version: int = Version().",
        )  # fmt: skip
    if current not in wanted.tags:
        raise HttpError(
            412, "precondition_failed", f"{resource.name} {key} has changed: its entity tag is {current} now.",
            "Read it again and repeat the change.",
        )  # fmt: skip


def absent(resource: Resource, key: Any) -> NotFound:
    """The error for a key that no record has."""
    shown = ",".join(map(str, key)) if len(resource.entity.key) > 1 else key
    return NotFound(f"There is no {resource.name} with the key {shown}.")


def bad_cursor() -> QueryError:
    """The error for a cursor that was not made here."""
    return QueryError("This is not a cursor that was given out here.", hint="Start at the first page.", name="cursor", kind="bad_value")


def row_of(record: Model) -> Row:
    """The row that a stored record was read from or written as."""
    row = record._row
    assert row is not None
    return row


def render(view: View, record: Model) -> dict[str, Any]:
    """A record as JSON data, as its view says."""
    shown = render_row(view.columns, row_of(record))
    for name, to_many, inner in view.relations:
        found = getattr(record, name)
        shown[name] = [render(inner, other) for other in found] if to_many else None if found is None else render(inner, found)
    return shown


def render_row(columns: Iterable[Column], row: Row) -> dict[str, Any]:
    """Some columns of a row as JSON data."""
    shown: dict[str, Any] = {}
    for column in columns:
        value = row[column.position]
        shown[column.name] = value if value is None or column.write is None else column.write(value)
    return shown


__all__ = ["NONE", "Engine", "Listing", "Precondition", "Row", "absent", "bad_cursor", "render", "render_row", "row_of"]
