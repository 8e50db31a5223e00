"""Record: what every object of a model carries beside its fields. Must not know how classes are made."""

from __future__ import annotations

from typing import Any, Self

_set = object.__setattr__


class Extras:
    """What few objects carry: loaded links by relation, parents by foreign key that have no key yet, foreign keys that were found to
    lead nowhere (the parent has expired, say), what user validators have seen, the other objects of the same result, and whether the row
    that was read is in doubt."""

    __slots__ = ("batch", "checked", "doubtful", "links", "nowhere", "pending")

    def __init__(self) -> None:
        self.links: dict[str, Any] = {}
        self.pending: dict[str, Any] = {}
        self.nowhere: dict[str, Any] = {}
        self.checked: dict[str, Any] = {}
        self.batch: Any = None
        self.doubtful = False

    def __getstate__(self) -> tuple[Any, ...]:
        return self.links, self.pending, self.nowhere, self.checked, self.doubtful

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.links, self.pending, self.nowhere, self.checked, self.doubtful = state
        self.batch = None


class Record:
    """What an object carries beside its fields: the row it was read from or written as, and `Extras` where there are any.

    Two slots, because each costs time and memory for every object that is read.
    """

    __slots__ = ("__weakref__", "_extras", "_row")

    _row: tuple[Any, ...] | None
    _extras: Extras

    @property
    def _batch(self) -> Any:
        """The objects of the same result, for opt-in automatic loading."""
        return extras_of(self).batch

    @_batch.setter
    def _batch(self, batch: Any) -> None:
        extras_of(self).batch = batch

    def __post_init__(self) -> None:
        self._row = None
        shape: Any = getattr(self, "__shape__")  # noqa: B009 - every model has it
        if shape.custom:
            shape.note_checked(self)

    def __hash__(self) -> int:
        """By model and key, as equal objects have equal keys; a key that the store makes is not there before the first save."""
        key: Any = getattr(self, "__key_value__")()  # noqa: B009 - as above
        if key is None:
            raise TypeError(f"a {type(self).__name__} without a key cannot be hashed; save it first")
        return hash((type(self), key))

    def __getstate__(self) -> tuple[dict[str, Any], dict[str, Any]]:
        slots = {name: getattr(self, name) for name in ("_row", "_extras") if hasattr(self, name)}
        return self.__dict__.copy(), slots

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        fields, slots = state
        self.__dict__.update(fields)
        for name, value in slots.items():
            _set(self, name, value)

    def __copy__(self) -> Self:
        """A second object for the same record; what it is linked to is not copied, since links belong to one object."""
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        made._row = self._row
        if is_doubtful(self):
            extras_of(made).doubtful = True
        return made


def is_doubtful(record: Any) -> bool:
    """Whether the store may never have held what was read: it was read in a transaction that had written before, and was undone."""
    extras: Extras | None = getattr(record, "_extras", None)
    return extras is not None and extras.doubtful


def extras_of(record: Any) -> Extras:
    """The extras of an object, made if there are none yet."""
    try:
        found: Extras = record._extras
    except AttributeError:
        found = record._extras = Extras()
    return found
