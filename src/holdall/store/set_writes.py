"""Updates and deletes by query: one statement for all matching records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdall.backends import DeleteWhere, UpdateWhere
from holdall.errors import QueryError, near_name
from holdall.model import Model, unfit
from holdall.program import Program
from holdall.query import (
    Assignment,
    FieldRef,
    Select,
    Term,
    Value,
    expr_name,
    never_true,
    prepare,
    references,
    replace,
)
from holdall.query.terms import comparable
from holdall.schema import Field
from holdall.store.core import Core, Scope, handle_of, make_ready


def update_where(core: Core, scope: Scope | None, model: type[Model], select: Select, values: Mapping[str, Any]) -> Program[int]:
    """Change every record that the query matches."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    core.kept.need("set_writes", "update() of a query")
    _whole(select, "update")
    core.kept.check_select(select)
    entity = model.__entity__
    plain = {name: value for name, value in values.items() if not isinstance(value, Term)}
    canonical = model.__canonical__(plain)
    assignments: dict[int, Any] = {}
    for name, value in values.items():
        field = _assignable(model, name)
        if isinstance(value, Term):
            assignments[field.position] = _computed(model, field, value)
        else:
            assignments[field.position] = Value(canonical[name], field.type)
    if not assignments:
        raise QueryError("update() needs at least one field to change.", hint="For example update(total=Order.total + 1).")
    for field in entity.fields:
        if field.updated_at and field.position not in assignments:
            assignments[field.position] = Value(core.now(), field.type)
        elif field.always is not None and field.position not in assignments:
            assignments[field.position] = Value(model.__canonical__({field.name: field.always()})[field.name], field.type)
    prepared = prepare(replace(select, order=(), includes=()), core.visible_at())
    if never_true(prepared.where):
        return 0
    item = UpdateWhere(prepared, tuple(Assignment(position, expr) for position, expr in sorted(assignments.items())))
    handle = yield from handle_of(scope)
    if scope is not None:
        scope.wrote = True
    results = yield from core.backend.apply((item,), "atomic", handle, core.visible_at())
    return results[0]  # type: ignore[no-any-return]  # an operation by name


def _whole(select: Select, what: str) -> None:
    if select.limit is not None or select.offset or select.distinct or select.group_by:
        raise QueryError(
            f"{what}() changes every matching record; it does not go with limit(), offset(), distinct() or group_by().",
            hint="Read the keys first and name them: where(one_of(Model.id, keys)).",
        )


def _assignable(model: type[Model], name: str) -> Field:
    entity = model.__entity__
    field = entity.by_name.get(name)
    if field is None:
        raise QueryError(f"{entity.name} has no field '{name}'.", hint=near_name(name, entity.by_name), name=name, kind="unknown_field")
    if name in entity.key:
        raise QueryError(f"The key field '{name}' of {entity.name} cannot be changed.", name=name, kind="bad_value")
    if field.version or field.created_at:
        raise QueryError(f"'{name}' is kept by the store and cannot be set.", name=name, kind="bad_value")
    return field


def _computed(model: type[Model], field: Field, term: Term) -> Any:
    """The expression of an update, typed for its field, certain to keep its rules, and about its own row only."""
    entity, expr = model.__entity__, term._expr
    unique = field.unique or any(field.name in item.fields for item in entity.uniques)
    if unique:
        raise QueryError(
            f"'{field.name}' is unique; changing it by expression would meet itself half-way (F7).",
            hint="Read the records and save them one by one.",
            name=field.name,
        )
    if not comparable(field.type, expr.type) or (field.type.kind == "int" and expr.type.kind != "int"):
        raise QueryError(f"{field.name} is {field.type.name}; {expr_name(expr)} is {expr.type.name}.", name=field.name, kind="bad_value")
    for ref in references(expr):
        if not isinstance(ref, FieldRef) or ref.entity is not entity or ref.steps or ref.keys:
            raise QueryError(f"{expr_name(expr)}: an update may use the record's own fields only.", name=field.name, kind="bad_value")
    why = unfit(model, field.name, expr.field.name if isinstance(expr, FieldRef) else None)
    if why:
        raise QueryError(
            f"{field.name} cannot be set to {expr_name(expr)}: {why}.", hint="Read the records and save them one by one.", name=field.name,
            kind="bad_value",
        )  # fmt: skip
    return expr


def delete_where(core: Core, scope: Scope | None, model: type[Model], select: Select) -> Program[int]:
    """Remove every record that the query matches."""
    if model not in core.ready:
        yield from make_ready(core, scope, model)
    core.kept.need("set_writes", "delete() of a query")
    _whole(select, "delete")
    core.kept.check_select(select)
    prepared = prepare(replace(select, order=(), includes=()), core.visible_at())
    if never_true(prepared.where):
        return 0
    handle = yield from handle_of(scope)
    if scope is not None:
        scope.wrote = True
    results = yield from core.backend.apply((DeleteWhere(prepared),), "atomic", handle, core.visible_at())
    return results[0]  # type: ignore[no-any-return]  # an operation by name
