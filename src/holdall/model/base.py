"""Model: the base of all models.

Owns the class itself. What makes a subclass a model is in model.meta; what it can do with a store is in model.access.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from holdall.model.access import Access
from holdall.model.linking import check_linked
from holdall.model.links import link_changes, links_saved, load_link, loaded_links, resolve_pending
from holdall.model.meta import ModelMeta
from holdall.model.record import Extras, Record, extras_of, is_doubtful

if TYPE_CHECKING:
    from typing import Self

    from holdall.model.declared import Declared
    from holdall.model.shape import Shape
    from holdall.schema import Entity, Relation


class Model(Record, Access, metaclass=ModelMeta, root=True):
    """The base of all models: `class Order(Model): id: UUID = Key(); total: Decimal = Field(max_digits=12, decimal_places=2)`.

    Class keywords: table (the stored name), unique and index over several fields ([("first", "last")]), checks and filters
    ({"name": lambda t: t.end > t.start}; filters apply to every query until switched off), store, expires_after (a timedelta),
    abstract=True for a base that is no model itself.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        __entity__: ClassVar[Entity]
        __shape__: ClassVar[Shape]
        __store__: ClassVar[Any]
        __declared__: ClassVar[Declared]
        __pydantic_validator__: ClassVar[Any]
        __pydantic_core_schema__: ClassVar[Any]
        __pydantic_decorators__: ClassVar[Any]

        @classmethod
        def __build__(cls, row: tuple[Any, ...]) -> Self:
            """An object from a canonical row, unchecked."""
            ...

        @classmethod
        def __build_many__(cls, rows: list[tuple[Any, ...]]) -> list[Self]:
            """Objects from canonical rows, unchecked."""
            ...

        @staticmethod
        def __freeze__(record: Any, skip: frozenset[str] = frozenset()) -> tuple[Any, ...]:
            """The canonical row, after checking everything again; ValidationError with all problems.

            `skip` names references that will be filled in later; being nullable, they are valid as they are.
            """
            ...

        @staticmethod
        def __changes__(record: Any, row: tuple[Any, ...]) -> tuple[int, ...]:
            """Positions at which `row` differs from the row that was read or written last."""
            ...

    if not TYPE_CHECKING:  # to type checkers, the fields are the arguments

        def __init__(self, **_values: Any) -> None:
            raise TypeError(f"{type(self).__name__} is abstract: no record of it can be made")

    @classmethod
    def __from_json__(cls, data: Any) -> Self:
        """A new object from decoded JSON (text for UUID, Decimal, datetime, …); ValidationError with all problems."""
        from holdall.model.construct import from_json

        return from_json(cls, data)  # type: ignore[return-value]  # made by the validator of cls

    @classmethod
    def __check_json__(cls, data: Any) -> dict[str, Any]:
        """Python values for some of the fields, from decoded JSON; ValidationError with all problems."""
        from holdall.model.construct import check_json

        return check_json(cls, data)

    @classmethod
    def __canonical__(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Canonical values for some of the fields, from Python values; ValidationError with all problems. Other names are left out."""
        from holdall.model.construct import canonical

        return canonical(cls, values)

    @classmethod
    def __linked__(cls) -> None:
        """Resolve and check every reference, relation, check and filter; DeclarationError with place and remedy. Done once."""
        check_linked(cls)

    def __key_value__(self) -> Any:
        """The key as it is in Python: a bare value, or a tuple for a composite key; None if not made yet."""
        key = type(self).__entity__.key
        if len(key) == 1:
            return getattr(self, key[0])
        return tuple([getattr(self, name) for name in key])

    # For stores: what was written and read

    def __stamp__(self, now: dt.datetime, creating: bool) -> None:
        """Set CreatedAt, UpdatedAt, expires_after and Always fields, before freezing."""
        type(self).__shape__.stamp(self, now, creating)

    def __stored__(self, row: tuple[Any, ...]) -> None:
        """This row is now in the store: take over what the store filled in."""
        type(self).__shape__.take_over(self, row)

    def __unstored__(self, row: tuple[Any, ...] | None, doubtful: bool = False) -> None:
        """A write was undone; the record is stored as `row` now (None: not at all). Its fields stay as they are."""
        held = vars(self)
        for field in type(self).__entity__.fields:
            if field.version:
                held[field.name] = 1 if row is None else row[field.position]
            elif field.generated == "int" and row is None and self._row is not None:
                held[field.name] = None
        self._row = row
        if doubtful:
            self.__doubt__()

    def __doubtful__(self) -> bool:
        """Whether what was read may have been undone."""
        return is_doubtful(self)

    def __doubt__(self) -> None:
        """What was read may be undone: until it is read or written again, saving writes every field, whatever was read."""
        if self._row is not None:
            extras_of(self).doubtful = True

    def __reload__(self, row: tuple[Any, ...]) -> None:
        """Become what was read again; links are forgotten, because they may have changed as well."""
        vars(self).update(vars(type(self).__build__(row)))
        self._row = row
        self._extras = Extras()

    # For stores: links

    def __set_link__(self, name: str, value: Any) -> None:
        """`value` (an object, None or a list) is what the relation was found to lead to."""
        load_link(self, name, value)

    def __resolve_links__(self) -> None:
        """Copy keys of linked parents, which may have been saved meanwhile, into the foreign keys."""
        resolve_pending(self)

    def __links__(self) -> dict[str, Any]:
        """The relations that are known in memory, with what they lead to."""
        return loaded_links(self)

    def __link_changes__(self) -> list[tuple[Relation, list[Any], list[Any]]]:
        """(relation, added, removed) of the plain many-to-many lists that were changed."""
        return link_changes(self)

    def __links_saved__(self, name: str) -> Callable[[], None]:
        """The store now holds the many-to-many list as it is; gives the function that takes this back."""
        return links_saved(self, name)
