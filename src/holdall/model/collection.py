"""Collections: the records of one model in one store, held explicitly (`store[Order]`) or through the model (`Order.where(…)`).

Collection blocks, AsyncCollection is awaited; their names and arguments are the same. Must not know how a store works.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from holdall.errors import QueryError
from holdall.model.ambient import Home, ambient_home
from holdall.model.query import AsyncQuery, Query
from holdall.query import Condition, Select

if TYPE_CHECKING:
    from holdall.model.base import Model

M = TypeVar("M", bound="Model")
Atomicity = Literal["atomic", "per_item"]


def creation(atomicity: str) -> str:
    """The operation behind create_many; QueryError for an atomicity that there is not."""
    if atomicity not in ("atomic", "per_item"):
        raise QueryError(f"atomicity is 'atomic' or 'per_item', not {atomicity!r}.", kind="bad_value")
    return "create_many" if atomicity == "atomic" else "create_each"


class Collection(Generic[M]):
    """All records of a model in a store. `home` None means the model's own or the ambient store, at the time of each call."""

    __slots__ = ("_home", "_model")

    def __init__(self, model: type[M], home: Home | None = None) -> None:
        self._model = model
        self._home = home

    def _store(self) -> Home:
        return self._home if self._home is not None else ambient_home(self._model)

    def query(self) -> Query[M]:
        """A query for all records."""
        return Query(self._model, Select(self._model.__entity__), self._home)

    def where(self, *conditions: Condition | bool, **lookups: Any) -> Query[M]:
        """A query for the records that meet all conditions; see Query.where."""
        return self.query().where(*conditions, **lookups)

    def get(self, key: Any) -> M | None:
        """The record with this key, or None. One round trip."""
        home, model = self._home, self._model
        if home is None:
            home = ambient_home(model)
        return home.get_record(model, key)  # type: ignore[no-any-return]  # an operation by name

    def get_many(self, keys: Iterable[Any]) -> list[M | None]:
        """The records with these keys, in the order asked, None for absent ones. One round trip."""
        return self._store().run("get_many", self._model, list(keys))  # type: ignore[no-any-return]  # an operation by name

    def create(self, **values: Any) -> M:
        """Make a record and save it; ValidationError or ConstraintViolation if it cannot be."""
        return self._store().run("create", self._model, values)  # type: ignore[no-any-return]  # an operation by name

    def create_many(self, items: Iterable[Mapping[str, Any] | M], *, atomicity: Atomicity = "atomic") -> list[M]:
        """Make and save many records, all or none.

        With atomicity="per_item" each for itself: what can be saved is; PartialBatch, with one result per item, if something could not.
        """
        return self._store().run(creation(atomicity), self._model, list(items))  # type: ignore[no-any-return]  # an operation by name

    def upsert(self, *, by: str | Sequence[str] | None = None, on_conflict: Literal["update", "ignore"] = "update", **values: Any) -> M:
        """Create a record, or change the one that has the same values in `by` (the key if not given, or a unique constraint)."""
        return self._store().run("upsert", self._model, values, by, on_conflict)  # type: ignore[no-any-return]  # an operation by name

    def save(self, record: M) -> M:
        """Write a record: all of a new one, of a read one only what changed."""
        return self._store().run("save", self._model, record)  # type: ignore[no-any-return]  # an operation by name

    def delete(self, record: M) -> None:
        """Remove a record; NotFound or VersionMismatch if it is not there as it was read."""
        self._store().run("delete", self._model, record)

    def refresh(self, record: M) -> M:
        """Read a record again into the same object; NotFound if it is gone."""
        return self._store().run("refresh", self._model, record)  # type: ignore[no-any-return]  # an operation by name

    def all(self) -> list[M]:
        """All records."""
        return self.query().all()

    def count(self) -> int:
        """How many records there are."""
        return self.query().count()


class AsyncCollection(Generic[M]):
    """As Collection, awaited."""

    __slots__ = ("_home", "_model")

    def __init__(self, model: type[M], home: Home | None = None) -> None:
        self._model = model
        self._home = home

    def _store(self) -> Home:
        return self._home if self._home is not None else ambient_home(self._model)

    def query(self) -> AsyncQuery[M]:
        """A query for all records."""
        return AsyncQuery(self._model, Select(self._model.__entity__), self._home)

    def where(self, *conditions: Condition | bool, **lookups: Any) -> AsyncQuery[M]:
        """A query for the records that meet all conditions; see Query.where."""
        return self.query().where(*conditions, **lookups)

    async def get(self, key: Any) -> M | None:
        """The record with this key, or None. One round trip."""
        return await self._store().arun("get", self._model, key)  # type: ignore[no-any-return]  # an operation by name

    async def get_many(self, keys: Iterable[Any]) -> list[M | None]:
        """The records with these keys, in the order asked, None for absent ones. One round trip."""
        return await self._store().arun("get_many", self._model, list(keys))  # type: ignore[no-any-return]  # an operation by name

    async def create(self, **values: Any) -> M:
        """Make a record and save it; ValidationError or ConstraintViolation if it cannot be."""
        return await self._store().arun("create", self._model, values)  # type: ignore[no-any-return]  # an operation by name

    async def create_many(self, items: Iterable[Mapping[str, Any] | M], *, atomicity: Atomicity = "atomic") -> list[M]:
        """Make and save many records, all or none.

        With atomicity="per_item" each for itself: what can be saved is; PartialBatch, with one result per item, if something could not.
        """
        return await self._store().arun(creation(atomicity), self._model, list(items))  # type: ignore[no-any-return]  # an operation by name

    async def upsert(
        self, *, by: str | Sequence[str] | None = None, on_conflict: Literal["update", "ignore"] = "update", **values: Any
    ) -> M:
        """Create a record, or change the one that has the same values in `by` (the key if not given, or a unique constraint)."""
        return await self._store().arun("upsert", self._model, values, by, on_conflict)  # type: ignore[no-any-return]  # an operation by name

    async def save(self, record: M) -> M:
        """Write a record: all of a new one, of a read one only what changed."""
        return await self._store().arun("save", self._model, record)  # type: ignore[no-any-return]  # an operation by name

    async def delete(self, record: M) -> None:
        """Remove a record; NotFound or VersionMismatch if it is not there as it was read."""
        await self._store().arun("delete", self._model, record)

    async def refresh(self, record: M) -> M:
        """Read a record again into the same object; NotFound if it is gone."""
        return await self._store().arun("refresh", self._model, record)  # type: ignore[no-any-return]  # an operation by name

    async def all(self) -> list[M]:
        """All records."""
        return await self.query().all()

    async def count(self) -> int:
        """How many records there are."""
        return await self.query().count()
