"""A store in JSON files: one file for each model, in one folder. A complete backend for Holdall, written only against its port.

It is meant to be read: docs/write-your-own-backend.md goes through it from top to bottom. It keeps small amounts of data that people
want to read, edit and put under version control; every write rewrites the file of the model, and every query reads it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from holdall.backends import (
    NATIVE,
    Atomicity,
    Capabilities,
    Delete,
    DeleteWhere,
    Durability,
    Insert,
    Key,
    Native,
    Patch,
    Plan,
    Refuse,
    Row,
    UpdateWhere,
    Upsert,
    Write,
    emulated,
)
from holdall.errors import (
    CheckViolation,
    Corruption,
    DeclarationError,
    HoldallError,
    NotFound,
    NotNullViolation,
    SchemaMismatch,
    SizeLimit,
    Unavailable,
    UniqueViolation,
    Unsupported,
    VersionMismatch,
)
from holdall.program import Effect, Program, Role
from holdall.query import NO_TABLES, Evaluator, FieldRef, Lock, Select, Value, as_condition, references
from holdall.schema import INT_MAX, Entity, from_plain, plain


@dataclass(slots=True)
class Table:
    """The rows of one entity by key, and the last number that was given to one."""

    rows: dict[Key, Row]
    last_number: int = 0

    def copy(self) -> Self:
        """One more table with the same rows."""
        return type(self)(dict(self.rows), self.last_number)


@dataclass(frozen=True, slots=True)
class Prepare(Effect):
    """Make the folder, and the files of these entities where they are missing."""

    entities: Sequence[Entity]


@dataclass(frozen=True, slots=True)
class Load(Effect):
    """Read the file of an entity. Reply: its Table."""

    role: ClassVar[Role] = "read"
    entity: Entity


@dataclass(frozen=True, slots=True)
class Change(Effect):
    """Read the file of an entity, change the table, and write it if that did not fail; nobody else writes meanwhile. Reply: the result."""

    role: ClassVar[Role] = "write"
    entity: Entity
    change: Callable[[Table], Any]


@dataclass(frozen=True, slots=True)
class Remove(Effect):
    """Remove the files of these entities."""

    entities: Sequence[Entity]


def _fields(entity: Entity) -> dict[str, str]:
    """The names and kinds of an entity's fields, as the head of a file has them."""
    return {field.column: field.type.kind for field in entity.fields}


def _item(entity: Entity, row: Row) -> dict[str, Any]:
    return {field.column: plain(field.type, row[field.position]) for field in entity.fields if row[field.position] is not None}


def _value(field: Any, item: Mapping[str, Any]) -> Any:
    return from_plain(field.type, item[field.column]) if field.column in item else None


class Files:
    """Performs the effects: the only part that touches the disk. A file is never changed in place: a new one takes its name, so
    that a reader sees the old or the new one whole.

    {"fields": {"id": "uuid", "name": "str"}, "last_number": 0, "rows": [{"id": "0198…", "name": "Ada"}]}

    A field that is missing in a row is null; JSON null is the value null of a JSON field. The lock is one of the folder's, so that several
    threads and processes can write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._read: dict[Entity, tuple[Any, Table]] = {}

    def perform(self, effect: Any) -> Any:
        """Do one effect; Unavailable if the disk refuses, Corruption if a file is not what was written."""
        try:
            if isinstance(effect, Load):
                with self._lock:
                    return self._load(effect.entity)
            with self._locked():
                if isinstance(effect, Change):
                    return self._change(effect)
                if isinstance(effect, Prepare):
                    return self._prepare(effect.entities)
                return self._remove(effect.entities)
        except OSError as error:
            raise Unavailable(f"{self.folder} cannot be used: {error}.", hint="Check that it exists, and who may write there.") from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / ".lock").open("w") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield

    def _path(self, entity: Entity) -> Path:
        return self.folder / f"{entity.table}.json"

    def _prepare(self, entities: Sequence[Entity]) -> None:
        for entity in entities:
            if not self._path(entity).exists():
                self._save(entity, Table({}))
                continue
            stored, wanted = self._decoded(entity)["fields"], _fields(entity)
            names = [name for name in {**wanted, **stored} if wanted.get(name) != stored.get(name)]
            if names:
                said = [f"{name}: the file has {stored.get(name)}, the model {wanted.get(name)}" for name in names]
                raise SchemaMismatch(f"{self._path(entity)} does not fit {entity.name}:", said, hint="Change the model, or the file.")

    def _remove(self, entities: Sequence[Entity]) -> None:
        for entity in entities:
            self._path(entity).unlink(missing_ok=True)
            self._read.pop(entity, None)

    def _change(self, effect: Change) -> Any:
        table = self._load(effect.entity).copy()
        result = effect.change(table)
        self._save(effect.entity, table)
        return result

    def _load(self, entity: Entity) -> Table:
        """The table of a file, read again only if the file is another one than before."""
        found = self._path(entity).stat()
        mark = (found.st_ino, found.st_mtime_ns, found.st_size)
        known = self._read.get(entity)
        if known is not None and known[0] == mark:
            return known[1]
        stored = self._decoded(entity)
        try:
            rows = [tuple(_value(field, item) for field in entity.fields) for item in stored["rows"]]
            table = Table({entity.row_key(row): row for row in rows}, stored["last_number"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Corruption(f"{self._path(entity)} holds a row that is no {entity.name}: {error!r}.") from error
        self._read[entity] = mark, table
        return table

    def _decoded(self, entity: Entity) -> Any:
        try:
            return json.loads(self._path(entity).read_text(encoding="utf-8"))
        except ValueError as error:
            raise Corruption(f"{self._path(entity)} is not JSON: {error}.", hint="Restore it from a copy.") from error

    def _save(self, entity: Entity, table: Table) -> None:
        rows = [json.dumps(_item(entity, row), ensure_ascii=False, allow_nan=False) for row in table.rows.values()]
        fields = json.dumps(_fields(entity))
        text = f'{{"fields": {fields}, "last_number": {table.last_number}, "rows": [\n' + ",\n".join(rows) + "\n]}\n"
        new = self._path(entity).with_suffix(".new")
        with new.open("w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        new.replace(self._path(entity))
        self._read.pop(entity, None)


def _visible(entity: Entity, row: Row, now: dt.datetime | None) -> bool:
    """Whether a row has not expired."""
    expiry = entity.expiry_field
    return expiry is None or now is None or row[expiry.position] is None or row[expiry.position] > now


def _refuse(tx: Any, lock: Lock | None) -> None:
    """What is declared absent is refused by the store already; a backend that is called directly refuses it too."""
    if tx is not None or lock is not None:
        raise Unsupported("JSON files have no transactions and no locks on rows.", hint="Use a version field and save().")


def _key_text(entity: Entity, row: Row) -> str:
    """The key of a row as text: all keys differ in it."""
    return json.dumps([plain(entity.by_name[name].type, row[entity.by_name[name].position]) for name in entity.key])


class Reads:
    """The reading half: every query is answered by Holdall's evaluator, over the rows of one file."""

    def __init__(self) -> None:
        self.evaluator = Evaluator()

    def plan(self, select: Select) -> Plan:
        """Holdall's evaluator answers every query about one model; queries that need another model's rows are refused."""
        compiled, _ = self.evaluator.select(select)
        if compiled.entities:
            names = ", ".join(sorted(entity.name for entity in compiled.entities))
            return Refuse(
                f"A query about {select.entity.name} cannot look at {names}: JSON files are read one at a time.",
                "Read the keys of the one first, then ask for the other with one_of(…).",
            )
        return Native(select, None, (f"read {select.entity.table}.json", "test, sort and cut its rows in Python"))

    def fetch(self, entity: Entity, keys: Sequence[Key], tx: Any, now: dt.datetime | None, lock: Lock | None) -> Program[list[Row | None]]:
        """Rows by key in the order asked, None for absent or expired ones."""
        _refuse(tx, lock)
        table: Table = yield Load(entity)
        return [row if row is not None and _visible(entity, row, now) else None for row in map(table.rows.get, keys)]

    def select(self, plan: Native, tx: Any) -> Program[list[Row]]:
        """All rows of a plan."""
        _refuse(tx, plan.select.lock)
        table: Table = yield Load(plan.select.entity)
        return self.evaluator.run(plan.select, table.rows.values())

    def scan(self, plan: Native, cursor: Any, page_rows: int, tx: Any) -> Program[tuple[list[Row], Any]]:
        """One page in the order of the keys' text, which is the cursor."""
        entity = plan.select.entity
        found = yield from self.select(plan, tx)
        keyed = sorted((_key_text(entity, row), row) for row in found)
        rest = [pair for pair in keyed if cursor is None or pair[0] > cursor]
        page = rest[:page_rows]
        return [row for _, row in page], page[-1][0] if len(rest) > page_rows else None


def _uniques(entity: Entity) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, fields) of every unique constraint besides the key."""
    declared = {unique.fields: unique.name for unique in entity.uniques}
    for field in entity.fields:
        if field.unique:
            declared.setdefault((field.name,), f"{entity.table}_{field.column}")
    declared.pop(entity.key, None)
    yield from ((name, fields) for fields, name in declared.items())


class Writer:
    """Does writes to one table in memory. An error may leave the table half changed: then it is thrown away, and the file stays."""

    def __init__(self, evaluator: Evaluator, entity: Entity, table: Table, now: dt.datetime | None) -> None:
        self.evaluator = evaluator
        self.entity = entity
        self.table = table
        self.now = now

    def write(self, item: Write) -> Any:
        """Do one item; gives its result, as the port says it."""
        if isinstance(item, Insert):
            return [self.put(None, self.numbered(row)) for row in item.rows]
        if isinstance(item, Upsert):
            return self.upsert(item)
        if isinstance(item, UpdateWhere):
            found = self.evaluator.run(item.select, list(self.table.rows.values()))
            for old, new in zip(found, self.evaluator.assign(self.entity, item.assignments, found, True), strict=True):
                self.put(old, new)
            return len(found)
        if isinstance(item, DeleteWhere):
            found = self.evaluator.run(item.select, list(self.table.rows.values()))
            for row in found:
                del self.table.rows[self.entity.row_key(row)]
            return len(found)
        here = self.matching(item)
        if here is None:
            return 0
        if isinstance(item, Patch):
            (new,) = self.evaluator.assign(self.entity, item.assignments, [here], False)
            self.put(here, new)
        else:
            del self.table.rows[item.key]
        return 1

    def matching(self, item: Patch | Delete) -> Row | None:
        """The row that the item is about; None, or an error if one is required, when there is none of that version."""
        row: Row | None = self.table.rows.get(item.key)
        version = self.entity.version_field
        if row is None:
            if item.required:
                raise NotFound(f"There is no {self.entity.name} with key {item.key!r}.")
            return None
        if item.version is not None and version is not None and row[version.position] != item.version:
            if item.required:
                raise VersionMismatch(
                    f"{self.entity.name} {item.key!r} has version {row[version.position]}, not {item.version}.",
                    hint="Read it again, and decide anew.",
                )
            return None
        return row

    def upsert(self, item: Upsert) -> tuple[str, Row]:
        """Insert the row, or change the one with the same values in `by`."""
        by, version = self.entity.positions(item.by), self.entity.version_field
        wanted = [item.row[position] for position in by]
        same = (row for row in self.table.rows.values() if [row[position] for position in by] == wanted)
        old = None if None in wanted else next(same, None)
        if old is None:
            row = self.numbered(item.row)
            self.put(None, row)
            return "inserted", row
        if not item.update:
            return "ignored", old
        values = list(old)
        for position in item.update:
            values[position] = item.row[position]
        if version is not None:
            if old[version.position] >= INT_MAX:
                raise SizeLimit(f"{version.name} cannot be counted up beyond {INT_MAX}.")
            values[version.position] = old[version.position] + 1
        self.put(old, tuple(values))
        return "updated", tuple(values)

    def numbered(self, row: Row) -> Row:
        """The row with its number filled in, if the store makes it."""
        field = self.entity.generated_field
        if field is None:
            return row
        if row[field.position] is None:
            if self.table.last_number >= INT_MAX:
                raise SizeLimit(f"{self.entity.name} has no more numbers for {field.name}.")
            row = (*row[: field.position], self.table.last_number + 1, *row[field.position + 1 :])
        self.table.last_number = max(self.table.last_number, row[field.position])
        return row

    def put(self, old: Row | None, new: Row) -> Key:
        """Put a row in, in place of `old` if there is one; its key. An error if it breaks a rule."""
        entity, key = self.entity, self.entity.row_key(new)
        missing = [field.name for field in entity.fields if not field.nullable and new[field.position] is None]
        if missing:
            raise NotNullViolation(f"{entity.name}.{missing[0]} must have a value.", entity=entity.name, fields=missing)
        self.check(new)
        if old is not None:
            del self.table.rows[entity.row_key(old)]
        if key in self.table.rows:
            raise UniqueViolation(f"There is already a {entity.name} with key {key!r}.", entity=entity.name, fields=entity.key)
        for name, fields in _uniques(entity):
            positions = entity.positions(fields)
            values = [new[position] for position in positions]
            others = [row for row in self.table.rows.values() if _visible(entity, row, self.now)]  # what expires now takes nothing
            if None not in values and any([row[position] for position in positions] == values for row in others):
                said = ", ".join(f"{field}={value!r}" for field, value in zip(fields, values, strict=True))
                raise UniqueViolation(f"There is already a {entity.name} with {said}.", entity=entity.name, fields=fields, constraint=name)
        self.table.rows[key] = new
        return key

    def check(self, row: Row) -> None:
        """CheckViolation if a declared check is false for the row; unknown is fine."""
        for check in self.entity.checks:
            condition = as_condition(check.condition())
            compiled, params = self.evaluator.condition(self.entity, condition)
            if compiled.false([row], params, NO_TABLES):
                fields = list(dict.fromkeys(ref.field.name for ref in references(condition) if isinstance(ref, FieldRef)))
                raise CheckViolation(
                    f"{self.entity.name} breaks the check '{check.name}'.", entity=self.entity.name, fields=fields, constraint=check.name
                )


def _refuse_bulk_unique(item: UpdateWhere) -> None:
    """Setting many rows from themselves in a unique field would meet itself half-way."""
    entity = item.select.entity
    unique = {name for fields in (entity.key, *(fields for _, fields in _uniques(entity))) for name in fields}
    for assignment in item.assignments:
        name = entity.fields[assignment.position].name
        if name in unique and not isinstance(assignment.expr, Value):
            raise Unsupported(
                f"{entity.name}.{name} is unique and cannot be changed on many rows by an expression.",
                hint="Read the records, and save them one by one.",
            )


class Writes(Reads):
    """The writing half: one call, `apply`."""

    def apply(self, batch: Sequence[Write], atomicity: Atomicity, tx: Any, now: dt.datetime | None) -> Program[list[Any]]:
        """Do a batch of writes to one model; a batch over several models would be several files, which cannot be replaced together."""
        _refuse(tx, None)
        entities = {item.select.entity if isinstance(item, UpdateWhere | DeleteWhere) else item.entity for item in batch}
        for item in batch:
            if isinstance(item, UpdateWhere):
                _refuse_bulk_unique(item)
        if atomicity == "per_item":
            results: list[Any] = []
            for item in batch:
                try:
                    results += yield from self.apply([item], "atomic", tx, now)
                except HoldallError as error:
                    results.append(error)
            return results
        if len(entities) > 1:
            raise Unsupported("A batch of writes to several models cannot be atomic in JSON files.", hint="Write to one model at a time.")
        if not entities:
            return []
        (entity,) = entities

        def change(table: Table) -> list[Any]:
            table.rows = {key: row for key, row in table.rows.items() if _visible(entity, row, now)}
            writer = Writer(self.evaluator, entity, table, now)
            return [writer.write(item) for item in batch]

        return (yield Change(entity, change))  # type: ignore[no-any-return]


FEATURES = {
    "atomic_batch": NATIVE,
    "set_writes": NATIVE,
    "aggregates": emulated("computed by Holdall's evaluator over the rows of the file"),
    "unique": emulated("looked for among the rows of the file before each write"),
    "checks": emulated("tested by Holdall's evaluator before each write"),
    "expiry": emulated("expired rows are passed over by reads and left out by the next write"),
    "generated_int": NATIVE,
    "scan": NATIVE,
    "read_your_writes": NATIVE,
}


class JsonFiles(Writes):
    """A backend that keeps each model in `folder`/<table>.json."""

    name = "jsonfiles"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.files = Files(folder)

    def perform(self, effect: Any) -> Any:
        """Do one effect, blocking."""
        return self.files.perform(effect)

    async def aperform(self, effect: Any) -> Any:
        """Do one effect in a thread. What has begun is finished before a cancellation goes on: nothing is written later than it seems."""
        doing = asyncio.ensure_future(asyncio.to_thread(self.files.perform, effect))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            await asyncio.wait([doing])
            raise

    def describe(self) -> Capabilities:
        """What this backend keeps, and how. What is not named here is absent, and refused by the store."""
        return Capabilities(
            backend=self.name,
            engine="JSON files",
            version="1",
            durability=Durability.PROCESS_CRASH,
            consistency=frozenset({"strong"}),
            features=FEATURES,
        )

    # Life and schema.

    def open(self) -> Program[None]:
        """Make the folder; Unavailable if that is impossible."""
        yield Prepare(())

    def close(self) -> Program[None]:
        """Nothing is held open between two calls."""
        yield from ()

    def ping(self) -> Program[None]:
        """The folder is there."""
        yield Prepare(())

    def ensure_schema(self, entities: Sequence[Entity]) -> Program[None]:
        """Make missing files; SchemaMismatch if a file holds other fields."""
        yield Prepare(tuple(entities))

    def reset(self, entities: Sequence[Entity]) -> Program[None]:
        """Remove all rows of these entities."""
        for entity in entities:
            yield Change(entity, lambda table: table.rows.clear())

    def drop(self, entities: Sequence[Entity]) -> Program[None]:
        """Remove the files of these entities."""
        yield Remove(tuple(entities))


def from_url(url: Any) -> JsonFiles:
    """The backend of 'jsonfiles:///folder', from a URL's parts; what pyproject.toml names as the entry point."""
    if not url.path or url.host or url.options:
        raise DeclarationError("The URL of a folder of JSON files is jsonfiles:///folder.", hint="It takes no host and no options.")
    return JsonFiles(Path(url.path))
