"""Writing: programs for create, save, upsert, delete, and updates and deletes by query. One copy for both colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeVar

from holdall.backends import Delete, Insert, Patch, Row, Upsert, Write
from holdall.errors import DeclarationError, NotFound, ProgrammingError, QueryError, near_name
from holdall.model import Model
from holdall.program import Call, Program
from holdall.query import (
    Assignment,
    Value,
)
from holdall.schema import Entity, Relation
from holdall.store.core import Core, Scope, atomically, handle_of, make_ready
from holdall.store.graph import insertion_order, linked_records, new_neighbours

M = TypeVar("M", bound=Model)
_TUPLE: type[Any] = tuple  # isinstance with it leaves Any as it is; tuple would make its items unknown


def _fire(core: Core, scope: Scope | None, event: str, record: Model) -> Program[None]:
    """Call the handlers of an event for one record; those for after commit wait for it."""
    hooks = core.ready[type(record)]
    if not hooks.any:
        return
    for handler in hooks.by_event.get(event, ()):
        yield Call(handler, (record,))
    later = hooks.by_event.get(f"{event}_commit")
    if later:
        for handler in later:
            if scope is None:
                yield Call(handler, (record,))
            else:
                scope.after_commit.append((handler, (record,)))


def stamp(core: Core, record: Model) -> None:
    """Fill what the store fills on a new record: version, creation and update times, expiry, always-set values."""
    record.__stamp__(core.now(), True)
    version = record.__entity__.version_field
    if version is not None:
        setattr(record, version.name, 1)


def create(core: Core, scope: Scope | None, model: type[M], values: Mapping[str, Any]) -> Program[M]:
    """Make one record and save it."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    record = model(**values)
    yield from insert(core, scope, record)
    return record


def insert(core: Core, scope: Scope | None, record: Model) -> Program[None]:
    """Insert one new record, and the new records that it is linked to."""
    if record.__links__():
        if len(new_neighbours(record)) > 1 or record.__link_changes__():
            yield from create_graph(core, scope, [record])
            return
        record.__resolve_links__()
    ready = core.ready[type(record)]
    if ready.any:
        yield from _fire(core, scope, "before_create", record)
        record.__resolve_links__()  # a handler may have given it a parent
    if ready.stamped:
        stamp(core, record)
    row = record.__freeze__(record)
    handle = None if scope is None else (yield from handle_of(scope))
    results = yield from core.backend.apply((Insert(ready.entity, (row,)),), "atomic", handle, core.visible_at())
    inserted(scope, record, row, results[0][0])
    if ready.any:
        yield from _fire(core, scope, "after_create", record)


def inserted(scope: Scope | None, record: Model, row: Row, key: Any) -> None:
    """Note on the record what the store now holds, a generated key included."""
    if scope is not None:
        scope.undos.append(partial(record.__unstored__, None))
    generated = record.__entity__.generated_field
    if generated is not None and row[generated.position] is None:
        number = key[record.__entity__.key.index(generated.name)] if isinstance(key, _TUPLE) else key
        row = (*row[: generated.position], number, *row[generated.position + 1 :])
    record.__stored__(row)


def _write_links(core: Core, scope: Scope, records: Sequence[Model]) -> Program[None]:
    """Write and remove the link rows of plain many-to-many relations, as the records' lists were changed since they were read."""
    for record in records:
        for relation, added, removed in record.__link_changes__():
            assert relation.through is not None
            link = relation.through.entity
            batch: list[Write] = [Delete(link, link.row_key(_link_row(link, relation, record, other)), required=False) for other in removed]
            batch += [Upsert(link, _link_row(link, relation, record, other), link.key, ()) for other in added]
            handle = yield from handle_of(scope)
            yield from core.backend.apply(batch, "atomic", handle, core.visible_at())
            scope.undos.append(record.__links_saved__(relation.name))


def _link_row(link: Entity, relation: Relation, record: Model, other: Model) -> Row:
    """The link row between two records."""
    by_name = {name: getattr(record, local) for name, local in zip(relation.through_local, relation.local, strict=True)}
    by_name |= {name: getattr(other, remote) for name, remote in zip(relation.through_remote, relation.remote, strict=True)}
    return tuple(by_name[field.name] for field in link.fields)


def create_graph(core: Core, scope: Scope | None, roots: Sequence[Model]) -> Program[None]:
    """Insert these new records and the new ones that they are linked to, parents first (F5), all or none."""
    groups, postponed = insertion_order(roots)
    everyone = [record for group in groups for record in group]
    for model in dict.fromkeys(type(record) for record in everyone):
        if model not in core.ready:
            yield from make_ready(core, scope, model)

    def body(inner: Scope) -> Program[None]:
        for group in groups:
            yield from _insert_group(core, inner, group, postponed)
        for record in everyone:
            if id(record) in postponed:
                record.__resolve_links__()
                yield from _patch(core, inner, record)
        yield from _write_links(core, inner, everyone)
        for record in everyone:
            yield from _fire(core, inner, "after_create", record)

    yield from atomically(core, scope, body)


def _insert_group(core: Core, scope: Scope, group: Sequence[Model], postponed: Mapping[int, Sequence[str]]) -> Program[None]:
    """Insert records of one model, whose parents are there already."""
    for record in group:
        yield from _fire(core, scope, "before_create", record)
        stamp(core, record)
        record.__resolve_links__()
    rows = [_without(record, postponed.get(id(record), ())) for record in group]
    handle = yield from handle_of(scope)
    results = yield from core.backend.apply((Insert(group[0].__entity__, rows),), "atomic", handle, core.visible_at())
    for record, row, key in zip(group, rows, results[0], strict=True):
        inserted(scope, record, row, key)


def _without(record: Model, names: Sequence[str]) -> Row:
    """The row to insert, with the named fields null: they refer to a record that comes later."""
    row = list(record.__freeze__(record))
    for name in names:
        row[record.__entity__.by_name[name].position] = None
    return tuple(row)


def create_many(core: Core, scope: Scope | None, model: type[M], items: Sequence[Mapping[str, Any] | M]) -> Program[list[M]]:
    """Make and save many records, all or none, as one batch."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    records: list[M] = [item if isinstance(item, model) else model(**item) for item in items]  # type: ignore[arg-type]  # else a mapping
    if not records:
        return records
    linked = False
    for record in records:
        if record._row is not None:
            raise ProgrammingError(f"create_many() got a {model.__name__} that was saved before.", hint="Use save() for it.")
        linked = linked or (hasattr(record, "_extras") and bool(record.__links__()))
    if linked or core.ready[model].any:
        yield from create_graph(core, scope, records)
        return records
    entity = model.__entity__
    if core.ready[model].stamped:
        for record in records:
            stamp(core, record)
    rows = [record.__freeze__(record) for record in records]
    if len(rows) > 1:
        core.kept.need("atomic_batch", "create_many() with more than one record")
    handle = yield from handle_of(scope)
    results = yield from core.backend.apply((Insert(entity, rows),), "atomic", handle, core.visible_at())
    if entity.generated_field is None and scope is None:
        for record, row in zip(records, rows, strict=True):
            record._row = row
    else:
        for record, row, key in zip(records, rows, results[0], strict=True):
            inserted(scope, record, row, key)
    return records


def insert_given(core: Core, scope: Scope | None, model: type[M], records: Sequence[M]) -> Program[None]:
    """Insert new records that were kept elsewhere before: versions, times and always-set values that they have stay as they are.

    The objects are to be thrown away: unless there are handlers to see them, the store neither completes nor remembers them, so that a
    transaction of millions of rows needs no memory for each.
    """
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    entity = model.__entity__
    stamped = [field.name for field in entity.fields if field.version or field.updated_at or field.always is not None]
    hooks, stamping = core.ready[model].any, core.ready[model].stamped
    for record in records:
        if hooks:
            yield from _fire(core, scope, "before_create", record)
        if stamping:
            held = {name: value for name in stamped if (value := getattr(record, name)) is not None}
            stamp(core, record)
            for name, value in held.items():
                setattr(record, name, value)
    if len(records) > 1:
        core.kept.need("atomic_batch", "An insert of more than one record")
    freeze = model.__freeze__
    rows = [freeze(record) for record in records]
    handle = yield from handle_of(scope)
    if scope is not None:
        scope.wrote = True
    results = yield from core.backend.apply((Insert(entity, rows),), "atomic", handle, core.visible_at())
    if hooks:
        for record, row, key in zip(records, rows, results[0], strict=True):
            inserted(scope, record, row, key)
            yield from _fire(core, scope, "after_create", record)


def save(core: Core, scope: Scope | None, model: type[M], record: M) -> Program[M]:
    """Insert a new record, or write what changed of one that was read; new records linked to it are inserted too."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    if record._row is None:
        yield from insert(core, scope, record)
    elif record.__links__() and (record.__link_changes__() or _new_linked(record)):
        yield from atomically(core, scope, lambda inner: _update_linked(core, inner, record))
    else:
        yield from _update(core, scope, record)
    return record


def _new_linked(record: Model) -> list[Model]:
    return [other for _, other in linked_records(record) if other._row is None]


def _update_linked(core: Core, scope: Scope, record: Model) -> Program[None]:
    fresh = _new_linked(record)
    parents = [other for relation, other in linked_records(record) if other._row is None and relation.kind == "belongs_to"]
    if parents:
        yield from create_graph(core, scope, parents)
    yield from _update(core, scope, record)
    rest = [other for other in fresh if other._row is None]
    if rest:
        yield from create_graph(core, scope, rest)
    yield from _write_links(core, scope, [record])


def _update(core: Core, scope: Scope | None, record: Model) -> Program[None]:
    """Write what changed, with the events around it; without changes there are no events."""
    record.__resolve_links__()
    if core.ready[type(record)].any:
        if not record.__changes__(record, record.__freeze__(record)):
            return
        yield from _fire(core, scope, "before_update", record)
        yield from _patch(core, scope, record)
        yield from _fire(core, scope, "after_update", record)
    else:
        yield from _patch(core, scope, record)


def save_all(core: Core, scope: Scope | None, records: Sequence[Model]) -> Program[None]:
    """Save many records of any models in one unit of work: new ones parents first, then what changed of the others."""
    for model in dict.fromkeys(type(record) for record in records):
        if model not in core.ready:
            yield from make_ready(core, scope, model)
    old = [record for record in records if record._row is not None]
    new = [record for record in records if record._row is None]

    def body(inner: Scope) -> Program[None]:
        if new:
            yield from create_graph(core, inner, new)
        for record in old:
            yield from _update_linked(core, inner, record)

    yield from atomically(core, scope, body)


def _patch(core: Core, scope: Scope | None, record: Model) -> Program[None]:
    """Write what differs from the row that was read; nothing if nothing does."""
    entity = record.__entity__
    old = record._row
    assert old is not None
    row = record.__freeze__(record)
    changed = set(record.__changes__(record, row))
    if not changed:
        return
    for name in entity.key:
        if entity.by_name[name].position in changed:
            raise ProgrammingError(
                f"The key field '{name}' of {entity.name} cannot be changed.", hint="Delete the record and create another one."
            )
    new = list(row)
    expected = None
    for field in entity.fields:
        if field.version:
            expected = old[field.position]
            new[field.position] = expected + 1
        elif field.updated_at:
            new[field.position] = core.now()
        elif field.always is not None:
            new[field.position] = record.__canonical__({field.name: field.always()})[field.name]
        else:
            continue
        changed.add(field.position)
    row = tuple(new)
    assignments = tuple(Assignment(position, Value(row[position], entity.fields[position].type)) for position in sorted(changed))
    handle = None if scope is None else (yield from handle_of(scope))
    item = Patch(entity, entity.row_key(old), assignments, expected)
    yield from core.backend.apply((item,), "atomic", handle, core.visible_at())
    if scope is not None:
        scope.undos.append(partial(record.__unstored__, old, record.__doubtful__()))
    record.__stored__(row)


def delete(core: Core, scope: Scope | None, model: type[Model], record: Model) -> Program[None]:
    """Remove one record that was read or saved."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    row = record._row
    if row is None:
        raise NotFound(f"This {model.__name__} was never saved, so it cannot be deleted.")
    entity = model.__entity__
    yield from _fire(core, scope, "before_delete", record)
    version = None if entity.version_field is None else row[entity.version_field.position]
    handle = None if scope is None else (yield from handle_of(scope))
    item = Delete(entity, entity.row_key(row), version)
    yield from core.backend.apply((item,), "atomic", handle, core.visible_at())
    if scope is not None:
        scope.undos.append(partial(record.__unstored__, row, record.__doubtful__()))
    record._row = None
    yield from _fire(core, scope, "after_delete", record)


def upsert(
    core: Core,
    scope: Scope | None,
    model: type[M],
    values: Mapping[str, Any],
    by: str | Sequence[str] | None,
    on_conflict: Literal["update", "ignore"],
) -> Program[M]:
    """Insert a record, or change the existing one with the same values in `by`."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    entity = model.__entity__
    names = _target(entity, by)
    if on_conflict not in ("update", "ignore"):
        raise QueryError(f"on_conflict is 'update' or 'ignore', not {on_conflict!r}.", kind="bad_value")
    record = model(**values)
    stamp(core, record)
    record.__resolve_links__()
    given = {*values, *(name for relation in entity.relations.values() if relation.name in values for name in relation.local)}
    update: tuple[int, ...] = ()
    if on_conflict == "update":
        update = tuple(
            field.position
            for field in entity.fields
            if field.name not in names
            and field.name not in entity.key
            and not field.version
            and not field.created_at
            and (field.name in given or field.updated_at or field.always is not None)
        )
    row = record.__freeze__(record)
    handle = yield from handle_of(scope)
    results = yield from core.backend.apply((Upsert(entity, row, names, update),), "atomic", handle, core.visible_at())
    _, stored = results[0]
    made = model.__build__(stored)
    if scope is not None:  # what was there before is not known: after an undo, saving it inserts, or says that it is there
        scope.undos.append(partial(made.__unstored__, None))
    return made


def _target(entity: Entity, by: str | Sequence[str] | None) -> tuple[str, ...]:
    """The fields of the key or of the unique constraint that `by` names (F6)."""
    if by is None:
        return entity.key
    names = (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        if name not in entity.by_name:
            raise QueryError(f"{entity.name} has no field '{name}'.", hint=near_name(name, entity.by_name), name=name, kind="unknown_field")
    allowed = [entity.key, *(unique.fields for unique in entity.uniques)]
    for fields in allowed:
        if set(fields) == set(names):
            return fields
    shown = "; ".join(", ".join(fields) for fields in allowed)
    raise QueryError(
        f"upsert by {', '.join(names)}: that is neither the key nor a unique constraint of {entity.name}.", hint=f"Choose one of: {shown}."
    )


def ensure_schema(core: Core, scope: Scope | None, models: Sequence[type[Model]]) -> Program[None]:
    """Create or check the tables of these models, or of the store's models when none are given."""
    wanted = models or core.models
    if not wanted:
        raise DeclarationError("ensure_schema() was told no models.", hint="Pass them, or make the store with Store(url, models=[…]).")
    for model in wanted:
        if model not in core.ready:
            yield from make_ready(core, scope, model)


def clear(core: Core, scope: Scope | None, models: Sequence[type[Model]]) -> Program[None]:
    """Remove every record of these models, or of all models used in this store."""
    if scope is not None:
        raise ProgrammingError("clear() cannot be part of a transaction.", hint="Use Model.where().delete() there.")
    for model in models:
        if model not in core.ready:
            yield from make_ready(core, scope, model)
    from holdall.store.core import all_entities

    yield from core.backend.reset(all_entities(models or tuple(core.ready)))
