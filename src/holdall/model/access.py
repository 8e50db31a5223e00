"""Access: the data methods that every model inherits, on the model's own or the ambient store.

`Order.where(…)`, `Order.get(key)`, `order.save()`; `Order.aio` and `order.aio` are the awaited side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from holdall.model.ambient import ambient_home
from holdall.model.collection import AsyncCollection, Collection
from holdall.model.query import Query
from holdall.query import Condition

if TYPE_CHECKING:
    from typing import Self

    from holdall.model.base import Model

M = TypeVar("M", bound="Model")


class AsyncRecord(Generic[M]):
    """The awaited side of one record: await order.aio.save()."""

    __slots__ = ("_record",)

    def __init__(self, record: M) -> None:
        self._record = record

    async def save(self) -> M:
        """As Model.save, awaited."""
        return await AsyncCollection(type(self._record)).save(self._record)

    async def delete(self) -> None:
        """As Model.delete, awaited."""
        await AsyncCollection(type(self._record)).delete(self._record)

    async def refresh(self) -> M:
        """As Model.refresh, awaited."""
        return await AsyncCollection(type(self._record)).refresh(self._record)


class AsyncSide:
    """The descriptor behind `aio`: a collection on the class, a record on an instance."""

    @overload
    def __get__(self, instance: None, owner: type[M]) -> AsyncCollection[M]: ...
    @overload
    def __get__(self, instance: M, owner: type[M]) -> AsyncRecord[M]: ...
    def __get__(self, instance: M | None, owner: type[M]) -> AsyncCollection[M] | AsyncRecord[M]:
        return AsyncCollection(owner) if instance is None else AsyncRecord(instance)


class Access:
    """What models can do with their store."""

    __slots__ = ()

    aio = AsyncSide()

    @classmethod
    def query(cls: type[M]) -> Query[M]:  # type: ignore[misc]  # only Model inherits this
        """A query for all records."""
        return Collection(cls).query()

    @classmethod
    def where(cls: type[M], *conditions: Condition | bool, **lookups: Any) -> Query[M]:  # type: ignore[misc]  # as above
        """A query for the records that meet all conditions; see Query.where."""
        return Collection(cls).query().where(*conditions, **lookups)

    @classmethod
    def get(cls: type[M], key: Any) -> M | None:  # type: ignore[misc]  # as above
        """The record with this key (a tuple for a composite key), or None. One round trip."""
        return ambient_home(cls).get_record(cls, key)  # type: ignore[no-any-return]  # an operation by name

    @classmethod
    def get_many(cls: type[M], keys: Iterable[Any]) -> list[M | None]:  # type: ignore[misc]  # as above
        """The records with these keys, in the order asked, None for absent ones. One round trip."""
        return Collection(cls).get_many(keys)

    @classmethod
    def create(cls: type[M], **values: Any) -> M:  # type: ignore[misc]  # as above
        """Make a record and save it; ValidationError or ConstraintViolation if it cannot be."""
        return ambient_home(cls).run("create", cls, values)  # type: ignore[no-any-return]  # an operation by name

    @classmethod
    def create_many(  # type: ignore[misc]  # as above
        cls: type[M],  # pyright: ignore[reportGeneralTypeIssues]  # as above; the other comment is for mypy, which looks at the line of def
        items: Iterable[Mapping[str, Any] | M],
        *,
        atomicity: Literal["atomic", "per_item"] = "atomic",
    ) -> list[M]:
        """Make and save many records, all or none; see Collection.create_many."""
        return Collection(cls).create_many(items, atomicity=atomicity)

    @classmethod
    def upsert(  # type: ignore[misc]  # as above
        cls: type[M],  # pyright: ignore[reportGeneralTypeIssues]  # as above; the other comment is for mypy, which looks at the line of def
        *,
        by: str | Sequence[str] | None = None,
        on_conflict: Literal["update", "ignore"] = "update",
        **values: Any,
    ) -> M:
        """Create a record, or change the one that has the same values in `by` (the key, or one unique constraint)."""
        return Collection(cls).upsert(by=by, on_conflict=on_conflict, **values)

    def save(self) -> Self:
        """Write this record: all of a new one, of a read one only what changed. New records that it is linked to are written too."""
        return ambient_home(type(self)).run("save", type(self), self)  # type: ignore[no-any-return]  # an operation by name

    def delete(self) -> None:
        """Remove this record; NotFound or VersionMismatch if it is not there as it was read."""
        ambient_home(type(self)).run("delete", type(self), self)

    def refresh(self) -> Self:
        """Read this record again into the same object; NotFound if it is gone."""
        return ambient_home(type(self)).run("refresh", type(self), self)  # type: ignore[no-any-return]  # an operation by name
