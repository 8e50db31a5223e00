"""Reading: programs for get, all, first, one, count, values, page, explain. One copy for both colours."""

from __future__ import annotations

from typing import Any, TypeVar

from holdall.backends import Native, Refuse, Row
from holdall.errors import MultipleFound, NotFound, QueryError
from holdall.model import Explanation, Model, Page, thawer
from holdall.program import Program
from holdall.query import (
    Aggregate,
    Column,
    Expr,
    FieldRef,
    Order,
    Place,
    Select,
    after,
    all_of,
    check_limits,
    key_ref,
    prepare,
    read_cursor,
    replace,
    reverse,
    select_text,
    with_key_order,
    write_cursor,
)
from holdall.query.terms import INT
from holdall.schema import BadOperand, Entity
from holdall.store.core import Core, Scope, handle_of, make_ready, rows_of
from holdall.store.loading import load_includes

M = TypeVar("M", bound=Model)
_SEQUENCES: tuple[type[Any], ...] = (tuple, list)  # isinstance with these leaves Any as it is; list would make its items unknown
_DICT: type[Any] = dict


def canonical_key(entity: Entity, key: Any) -> Any:
    """The key in canonical form; QueryError if it is not of the key's type or number of parts."""
    names = entity.key
    if len(names) == 1:
        try:
            return entity.by_name[names[0]].type.check(key)
        except BadOperand as error:
            raise QueryError(f"{entity.name} has no such key: {error}.", name=names[0], kind="bad_value") from None
    if isinstance(key, _DICT):
        if set(key) != set(names):
            raise QueryError(f"The key of {entity.name} is {', '.join(names)}.", kind="bad_value")
        key = tuple(key[name] for name in names)
    if not isinstance(key, _SEQUENCES) or len(key) != len(names):
        raise QueryError(
            f"The key of {entity.name} has {len(names)} parts: ({', '.join(names)}).", hint="Pass a tuple of them.", kind="bad_value"
        )
    try:
        return tuple(entity.by_name[name].type.check(part) for name, part in zip(names, key, strict=True))
    except BadOperand as error:
        raise QueryError(f"{entity.name} has no such key: {error}.", kind="bad_value") from None


def get(core: Core, scope: Scope | None, model: type[M], key: Any) -> Program[M | None]:
    """The record with this key, or None."""
    ready = core.ready.get(model)
    if ready is None:
        ready = yield from make_ready(core, scope, model)
    if key.__class__ is not ready.plain_key:
        key = canonical_key(ready.entity, key)
    handle = None if scope is None else (yield from handle_of(scope))
    (row,) = yield from core.backend.fetch(ready.entity, (key,), handle, core.now() if core.expires else None, None)
    if row is None:
        return None
    record = model.__build__(row)
    if core.autoload:
        record._batch = [record]
    if scope is not None:
        scope.note((record,))
    return record


def get_many(core: Core, scope: Scope | None, model: type[M], keys: list[Any]) -> Program[list[M | None]]:
    """The records with these keys, in the order asked."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    entity = model.__entity__
    handle = yield from handle_of(scope)
    canonical = [canonical_key(entity, key) for key in keys]
    rows = (yield from core.backend.fetch(entity, canonical, handle, core.visible_at(), None)) if canonical else []
    records: list[M | None] = [None if row is None else model.__build__(row) for row in rows]
    if scope is not None:
        scope.note(record for record in records if record is not None)
    return records


def all_(core: Core, scope: Scope | None, model: type[M], select: Select) -> Program[list[M]]:
    """All records of a query, with its includes."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    if select.distinct or select.group_by:
        raise QueryError("distinct() and group_by() go with values().", hint='For example .values("name").')
    rows = yield from rows_of(core, scope, select)
    return (yield from _records(core, scope, model, select, rows))


def _records(core: Core, scope: Scope | None, model: type[M], select: Select, rows: list[Row]) -> Program[list[M]]:
    """The records of rows, with the includes of their query."""
    records = model.__build_many__(rows)
    if scope is not None:
        scope.note(records)
    if core.autoload:
        for record in records:
            record._batch = records
    if select.includes and records:
        yield from load_includes(core, scope, records, select.includes, select.consistency)
    return records


def first(core: Core, scope: Scope | None, model: type[M], select: Select) -> Program[M | None]:
    """The first record, by key if no order is given."""
    limit = 1 if select.limit is None else min(1, select.limit)
    records = yield from all_(core, scope, model, replace(select, order=_ordered(select), limit=limit))
    return records[0] if records else None


def last(core: Core, scope: Scope | None, model: type[M], select: Select) -> Program[M | None]:
    """The last record, by key if no order is given."""
    if select.limit is not None or select.offset:
        raise QueryError("last() does not go with limit() or offset().", hint="Reverse the order and call first().")
    records = yield from all_(core, scope, model, replace(select, order=reverse(_ordered(select)), limit=1))
    return records[0] if records else None


def _ordered(select: Select) -> tuple[Order, ...]:
    return with_key_order(select.entity, select.order)


def one(core: Core, scope: Scope | None, model: type[M], select: Select) -> Program[M]:
    """The only record; NotFound or MultipleFound otherwise."""
    limit = 2 if select.limit is None else min(2, select.limit)
    records = yield from all_(core, scope, model, replace(select, limit=limit))
    if not records:
        raise NotFound(f"No record matches: {select_text(select)}.")
    if len(records) > 1:
        raise MultipleFound(f"More than one record matches: {select_text(select)}.", hint="Use first(), or narrow the query.")
    return records[0]


def count(core: Core, scope: Scope | None, model: type[Model], select: Select) -> Program[int]:
    """How many records, limit and offset counted in."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    counted = replace(select, columns=(Column("count", Aggregate("count", None, False, INT)),), order=(), includes=(), limit=None, offset=0)
    ((total,),) = yield from rows_of(core, scope, counted)
    rest = max(0, int(total) - select.offset)
    return rest if select.limit is None else min(rest, select.limit)


def exists(core: Core, scope: Scope | None, model: type[Model], select: Select) -> Program[bool]:
    """Whether any record matches."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    entity = select.entity
    limit = 1 if select.limit is None else min(1, select.limit)
    probe = replace(select, columns=(Column("key", key_ref(entity, entity.key[0])),), order=(), includes=(), limit=limit)
    rows = yield from rows_of(core, scope, probe)
    return bool(rows)


def values(core: Core, scope: Scope | None, model: type[Model], select: Select) -> Program[list[dict[str, Any]]]:
    """The columns of a query as dicts of the types users see."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    assert select.columns is not None
    rows = yield from rows_of(core, scope, select)
    names = [column.alias for column in select.columns]
    thaws = [(index, thawer(column.expr.type, _may_be_null(column.expr))) for index, column in enumerate(select.columns)]
    thaws = [(index, function) for index, function in thaws if function is not None]
    result = [dict(zip(names, row, strict=True)) for row in rows]
    for index, function in thaws:
        name = names[index]
        assert function is not None
        for item in result:
            if item[name] is not None:
                item[name] = function(item[name])
    return result


def _may_be_null(expr: Expr) -> bool:
    """Whether no value is possible, so that JSON null must differ from it."""
    return not isinstance(expr, FieldRef) or expr.nullable


def scalar(core: Core, scope: Scope | None, model: type[Model], select: Select) -> Program[Any]:
    """The one value of an aggregate over a whole query."""
    if select.limit is not None or select.offset or select.group_by:
        raise QueryError("Aggregates of a cut or grouped query are not offered.", hint="Use values() with group_by(), without limit().")
    found = yield from values(core, scope, model, select)
    (value,) = found[0].values()
    return value


def page(
    core: Core, scope: Scope | None, model: type[M], select: Select, size: int | None, cursor: str | None, streaming: bool = False
) -> Program[Page[M]]:
    """One keyset page (H3). A streamed page keeps no way back."""
    if size is None:
        raise QueryError("The size of a page must be an int, not None.", name="limit", kind="bad_value")
    check_limits(size, None)
    if size == 0:
        raise QueryError("A page needs a size of at least 1.", name="limit", kind="bad_value")
    if select.limit is not None:
        raise QueryError("page() does not go with limit().", hint="The size of the page is the limit.")
    order = _ordered(select)
    place = None if cursor is None else read_cursor(select, order, cursor)
    if place is not None and select.offset:
        raise QueryError("page() with a cursor does not go with offset().", hint="The cursor says where to begin.")
    backward = place is not None and place.direction == "prev"
    way = reverse(order) if backward else order
    where = select.where if place is None else all_of(select.where, after(way, place.values))
    found, places = yield from _placed(core, scope, model, replace(select, where=where, order=way, limit=size + 1))
    more, records, places = len(found) > size, found[:size], places[:size]
    if backward:
        records.reverse()
        places.reverse()
    has_next, has_prev = (True, more) if backward else (more, place is not None and bool(records))
    next_cursor = prev_cursor = None
    if records and has_next:
        next_cursor = write_cursor(select, order, Place("next", places[-1]))
    if records and has_prev and not streaming:
        prev_cursor = write_cursor(select, order, Place("prev", places[0]))
    return Page(records, next_cursor, prev_cursor)


def _placed(core: Core, scope: Scope | None, model: type[M], select: Select) -> Program[tuple[list[M], list[tuple[Any, ...]]]]:
    """The records of a query, and for each the values of the order terms: from its row, or, where they are of other records or inside
    a value, read with it."""
    exprs = [item.expr for item in select.order]
    positions = [expr.field.position for expr in exprs if isinstance(expr, FieldRef) and not expr.steps and not expr.keys]
    if len(positions) == len(exprs) or select.distinct or select.group_by:
        records = yield from all_(core, scope, model, select)
        return records, [tuple([record._row[position] for position in positions]) for record in records if record._row is not None]
    entity = select.entity
    own = [Column(f"own {field.name}", key_ref(entity, field.name)) for field in entity.fields]
    terms = [Column(f"order {place}", expr) for place, expr in enumerate(exprs)]
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    rows = yield from rows_of(core, scope, replace(select, columns=(*own, *terms)))
    count = len(own)
    records = yield from _records(core, scope, model, select, [row[:count] for row in rows])
    return records, [row[count:] for row in rows]


def explain(core: Core, scope: Scope | None, model: type[Model], select: Select) -> Program[Explanation]:
    """How the query would be answered."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    prepared = prepare(select, core.visible_at())
    plan = core.backend.plan(prepared)
    text = select_text(prepared)
    if isinstance(plan, Refuse):
        return Explanation(text, core.backend.name, "refused", (plan.reason, plan.remedy))
    if isinstance(plan, Native):
        return Explanation(text, core.backend.name, "native", plan.steps, str(getattr(plan.prepared, "text", "")))
    return Explanation(text, core.backend.name, "split", plan.steps, str(getattr(plan.native.prepared, "text", "")))


def refresh(core: Core, scope: Scope | None, model: type[M], record: M) -> Program[M]:
    """Read a record again into the same object."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    key = record.__key_value__()
    handle = yield from handle_of(scope)
    rows = yield from core.backend.fetch(model.__entity__, [key], handle, core.visible_at(), None)
    if rows[0] is None:
        raise NotFound(f"{model.__name__} {key!r} is gone.")
    record.__reload__(rows[0])
    if scope is not None:
        scope.note((record,))
    return record
