"""Loading relations: one query for each relation and list of records, whatever their number. No N+1."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from holdall.backends import Row
from holdall.errors import ProgrammingError
from holdall.model import Model, make_include, merge_includes, model_of
from holdall.program import Program
from holdall.query import Condition, Consistency, Include, Membership, Select, all_of, any_of, equals, key_ref, replace
from holdall.schema import Entity, Relation
from holdall.store.core import Core, Scope, handle_of, make_ready, rows_of


def load(core: Core, scope: Scope | None, model: type[Model], records: Sequence[Model], relations: Iterable[Any]) -> Program[None]:
    """Load these relations of records that were read before."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    for record in records:
        if type(record) is not model:
            raise ProgrammingError(f"load() takes records of one model; got {type(record).__name__} among {model.__name__}.")
    includes = merge_includes(make_include(model.__entity__, relation) for relation in relations)
    if records:
        yield from load_includes(core, scope, records, includes)


def load_includes(
    core: Core, scope: Scope | None, records: Sequence[Model], includes: tuple[Include, ...], level: Consistency = "strong"
) -> Program[None]:
    """Load the relations, and theirs, by reads of this consistency."""
    for include in includes:
        children = yield from _load_relation(core, scope, records, include, level)
        if include.children and children:
            yield from load_includes(core, scope, children, include.children, level)


def _load_relation(core: Core, scope: Scope | None, records: Sequence[Model], include: Include, level: Consistency) -> Program[list[Model]]:
    relation = include.relation
    target_model = model_of(relation.target.entity)
    if target_model not in core.ready:
        yield from make_ready(core, scope, target_model)
    if relation.kind == "many_to_many":
        found = yield from _many_to_many(core, scope, records, include, target_model, level)
    else:
        found = yield from _by_fields(core, scope, records, include, target_model, level)
    if core.autoload:
        for child in found:
            child._batch = found
    return found


def _tuple_at(row: Row, positions: tuple[int, ...]) -> tuple[Any, ...] | None:
    """The values at these positions, or None if any is null: it then refers to nothing."""
    values = tuple(row[position] for position in positions)
    return None if None in values else values


def _local_values(records: Sequence[Model], relation: Relation) -> list[tuple[Any, ...] | None]:
    """What each record has in the relation's own fields; a record that was never saved has what it holds now."""
    positions = relation.owner.entity.positions(relation.local)
    return [_tuple_at(record._row if record._row is not None else record.__freeze__(record), positions) for record in records]


def fields_in(entity: Entity, names: tuple[str, ...], wanted: Iterable[tuple[Any, ...]]) -> Condition:
    """The condition that the named fields have one of the wanted combinations of values."""
    if len(names) == 1:
        ref = key_ref(entity, names[0])
        return Membership(ref, tuple(values[0] for values in wanted), ref.type)
    refs = [key_ref(entity, name) for name in names]
    return any_of(*(all_of(*(equals(ref, value) for ref, value in zip(refs, values, strict=True))) for values in wanted))


def _by_fields(
    core: Core, scope: Scope | None, records: Sequence[Model], include: Include, target_model: type[Model], level: Consistency
) -> Program[list[Model]]:
    relation = include.relation
    entity = relation.target.entity
    local = _local_values(records, relation)
    wanted = list(dict.fromkeys(values for values in local if values is not None))
    rows: list[Row] = []
    if wanted and include.select is None and relation.remote == entity.key:
        handle = yield from handle_of(scope)
        keys = [values[0] for values in wanted] if len(entity.key) == 1 else wanted
        fetched = yield from core.backend.fetch(entity, keys, handle, core.visible_at(), None)
        rows = [row for row in fetched if row is not None]
    elif wanted:
        select = include.select or Select(entity)
        where = all_of(fields_in(entity, relation.remote, wanted), select.where)
        rows = yield from rows_of(core, scope, replace(select, where=where, limit=None, offset=0, consistency=level))
    children = target_model.__build_many__(rows)
    if scope is not None:
        scope.note(children)
    positions = entity.positions(relation.remote)
    grouped: dict[Any, list[Model]] = {}
    for child, row in zip(children, rows, strict=True):
        grouped.setdefault(_tuple_at(row, positions), []).append(child)
    return _attach(records, relation, [grouped.get(values, []) if values is not None else [] for values in local], include)


def _attach(records: Sequence[Model], relation: Relation, groups: list[list[Model]], include: Include) -> list[Model]:
    """Give each record its own; the children that were kept are returned, each once."""
    select = include.select
    kept: dict[int, Model] = {}
    for record, found in zip(records, groups, strict=True):
        group = found
        if select is not None and (select.limit is not None or select.offset):
            end = None if select.limit is None else select.offset + select.limit
            group = group[select.offset : end]
        for child in group:
            kept[id(child)] = child
        record.__set_link__(relation.name, list(group) if relation.to_many else (group[0] if group else None))
    return list(kept.values())


def _many_to_many(
    core: Core, scope: Scope | None, records: Sequence[Model], include: Include, target_model: type[Model], level: Consistency
) -> Program[list[Model]]:
    relation = include.relation
    assert relation.through is not None
    link = relation.through.entity
    entity = relation.target.entity
    local = _local_values(records, relation)
    wanted = list(dict.fromkeys(values for values in local if values is not None))
    links: list[Row] = []
    if wanted:
        links = yield from rows_of(core, scope, Select(link, fields_in(link, relation.through_local, wanted), consistency=level))
    near, far = link.positions(relation.through_local), link.positions(relation.through_remote)
    pairs = [(_tuple_at(row, near), _tuple_at(row, far)) for row in links]
    targets = list(dict.fromkeys(remote for _, remote in pairs if remote is not None))
    rows: list[Row] = []
    if targets:
        select = include.select or Select(entity)
        where = all_of(fields_in(entity, relation.remote, targets), select.where)
        rows = yield from rows_of(core, scope, replace(select, where=where, limit=None, offset=0, consistency=level))
    children = target_model.__build_many__(rows)
    if scope is not None:
        scope.note(children)
    positions = entity.positions(relation.remote)
    place = {_tuple_at(row, positions): index for index, row in enumerate(rows)}
    by_local: dict[Any, list[int]] = {}
    for near_values, far_values in pairs:
        if far_values in place:
            by_local.setdefault(near_values, []).append(place[far_values])
    groups = [[children[index] for index in sorted(by_local.get(values, ()))] for values in local]
    return _attach(records, relation, groups, include)
