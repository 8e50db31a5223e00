"""The ways by which a value can come into a store or into a question, for cases that show that all of them are shut.

Must not know cases, nor which values are wrong. Every model given here has a key `id` of int that the case chooses, and defaults for all
other fields.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from holdall.errors import QueryError, ValidationError
from holdall.query import between, is_same, not_, not_one_of, one_of
from holdall.testing.kit import Kit
from holdall.testing.steps import never_begun, watched, whole

# Given the store, the model, a record that was read, the field's name and the value.
Write = Callable[[Any, Any, Any, str, Any], Awaitable[Any]]


async def _create(store: Any, model: Any, old: Any, field: str, value: Any) -> Any:
    return await store[model].create(id=2, **{field: value})


async def _create_many(store: Any, model: Any, old: Any, field: str, value: Any) -> Any:
    return await store[model].create_many([{"id": 2}, {"id": 3, field: value}, {"id": 4}])


async def _save_new(store: Any, model: Any, old: Any, field: str, value: Any) -> Any:
    record = model(id=2)
    setattr(record, field, value)
    return await store[model].save(record)


async def _save(store: Any, model: Any, old: Any, field: str, value: Any) -> Any:
    setattr(old, field, value)
    return await store[model].save(old)


async def _upsert_new(store: Any, model: Any, old: Any, field: str, value: Any) -> Any:
    return await store[model].upsert(id=2, **{field: value})


async def _upsert_old(store: Any, model: Any, old: Any, field: str, value: Any) -> Any:
    return await store[model].upsert(id=1, **{field: value})


async def _update(store: Any, model: Any, old: Any, field: str, value: Any) -> Any:
    return await store[model].query().update(**{field: value})


# By which a value gets into a record. The last one needs set_writes.
WRITES: Mapping[str, Write] = {
    "create": _create,
    "create_many": _create_many,
    "save of a new one": _save_new,
    "save": _save,
    "upsert of a new one": _upsert_new,
    "upsert": _upsert_old,
}

# By which a value is compared with a field.
FILTERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": lambda term, value: term == value,
    "!=": lambda term, value: term != value,
    "<": lambda term, value: term < value,
    "<=": lambda term, value: term <= value,
    ">": lambda term, value: term > value,
    ">=": lambda term, value: term >= value,
    "in": lambda term, value: one_of(term, [value]),
    "not in": lambda term, value: not_one_of(term, [value]),
    "same": is_same,
    "not": lambda term, value: not_(term == value),
    "between, below": lambda term, value: between(term, value, value),
}
LOOKUPS = ("eq", "ne", "lt", "lte", "gt", "gte")


async def refuses_writes(k: Kit, model: Any, field: str, value: Any, way: str) -> None:
    """The value is refused as one problem of that field, nothing reaches the backend, and what is stored stays."""
    store, watch = await watched(k, model)
    if await store[model].get(1) is None:
        await store[model].create(id=1)
    before = await whole(k, model)
    old = await store[model].get(1)
    act = _update if way == "update" else WRITES[way]
    error = await never_begun(watch, ValidationError, lambda: act(store, model, old, field, value))
    assert {problem.path[0] for problem in error.problems} == {field}, error
    assert await whole(k, model) == before


async def refuses_filters(k: Kit, model: Any, field: str, value: Any) -> None:
    """Every comparison of the field with the value is refused while the query is built; nothing reaches the backend."""
    store, watch = await watched(k, model)
    term = getattr(model, field)
    for name in FILTERS:
        error = await never_begun(watch, QueryError, lambda name=name: store[model].where(FILTERS[name](term, value)))
        assert error.kind == "bad_value", (name, error)
        assert error.name.endswith(field), (name, error.name)
    for op in LOOKUPS:
        await never_begun(watch, QueryError, lambda op=op: store[model].where(**{f"{field}__{op}": value}))
    await never_begun(watch, QueryError, lambda: store[model].where(**{field: value}))
    await never_begun(watch, QueryError, lambda: store[model].where(**{f"{field}__in": [value]}))
    await never_begun(watch, QueryError, lambda: store[model].where(**{f"{field}__nin": [value]}))
    await never_begun(watch, QueryError, lambda: store[model].where(**{f"{field}__between": [value, value]}))
