"""Steps that many cases take: putting records, asking for keys, and watching that nothing reaches the backend.

Must not know cases. Queries are asked with allow_scan(), so that the cases run on engines that scan only when told.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from holdall.model import Model
from holdall.testing.kit import Kit
from holdall.testing.proxy import Through, through


async def put(k: Kit, model: type[Model], *rows: Mapping[str, Any]) -> list[Any]:
    """Create records: together where the backend has batches, else one by one."""
    if k.capabilities.support("atomic_batch"):
        return list(await k.store[model].create_many(rows))
    return [await k.store[model].create(**row) for row in rows]


async def found(k: Kit, model: type[Model], *conditions: Any, **lookups: Any) -> list[Any]:
    """The keys `id` of the records that meet the conditions, sorted."""
    records = await k.store[model].where(*conditions, **lookups).allow_scan().all()
    return sorted(record.id for record in records)


async def whole(k: Kit, model: type[Model]) -> list[Any]:
    """All records by their key `id`, to be compared with what they were."""
    records = await k.store[model].query().allow_scan().all()
    return sorted(records, key=lambda record: record.id)


class Watch(Through):
    """Counts the effects that reach a backend."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.effects: list[Any] = []

    def perform(self, effect: Any) -> Any:
        """Note the effect, and do it."""
        self.effects.append(effect)
        return super().perform(effect)

    async def aperform(self, effect: Any) -> Any:
        """Note the effect, and do it."""
        self.effects.append(effect)
        return await super().aperform(effect)

    @contextmanager
    def silent(self) -> Generator[None]:
        """Nothing reaches the backend in this block, however it ends."""
        before = len(self.effects)
        try:
            yield
        finally:
            assert self.effects[before:] == [], f"reached the backend: {self.effects[before:]}"


async def watched(k: Kit, *models: type[Model]) -> tuple[Any, Any]:
    """A store on the same data, with these models ready, and the `Watch` that notes its effects."""
    watch = through(Watch, k.backend)
    store = k.another_store(watch)
    await store.ensure_schema(*models)
    return store, watch


async def never_begun(watch: Any, kind: type[Exception], act: Any, *, says: str = "") -> Any:
    """`act()` (which may give something to await) raises exactly `kind`, and nothing reaches the backend; gives the error."""
    with watch.silent():
        try:
            result = act()
            if hasattr(result, "__await__"):
                result = await result
        except kind as error:
            caught = error
        else:
            raise AssertionError(f"expected {kind.__name__}, got {result!r}")
    assert type(caught) is kind, repr(caught)
    assert says in str(caught), f"expected a text with {says!r}, got {str(caught)!r}"
    return caught
