"""Order within one file: rows that refer to rows of the same model wait for them.

Owns the waiting. Holds the keys of what went before, and the rows that wait; used only for models that refer to themselves. Must not know
files or stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from holdall.model import Model
from holdall.schema import Entity

T = TypeVar("T")
Key = tuple[Any, ...]


def refers_to_itself(entity: Entity) -> bool:
    """Whether rows of the entity can refer to each other."""
    return any(reference.target.entity is entity for reference in entity.references)


def parents_first(entity: Entity, items: Iterable[tuple[T, Model]]) -> Iterator[tuple[T, Model]]:
    """The items in an order in which each comes after the ones it refers to, as far as these are among them.

    Rows that refer to each other in a circle come last, as they are: no order helps them.
    """
    queue: _Queue[T] = _Queue(entity)
    for item in items:
        yield from queue.add(item)
    yield from queue.rest()


class _Queue(Generic[T]):
    """Items that wait, by what they wait for: the key fields of the parent and their values."""

    def __init__(self, entity: Entity) -> None:
        self._references = [(item.fields, item.target_fields) for item in entity.references if item.target.entity is entity]
        self._targets = list(dict.fromkeys(target for _, target in self._references))
        self._gone: set[tuple[Key, Key]] = set()
        self._waiting: dict[tuple[Key, Key], list[tuple[T, Model]]] = {}

    def add(self, item: tuple[T, Model]) -> Iterator[tuple[T, Model]]:
        """What can go now that this item is here."""
        blocked = self._missing(item[1])
        if blocked is None:
            yield from self._release(item)
        else:
            self._waiting.setdefault(blocked, []).append(item)

    def rest(self) -> Iterator[tuple[T, Model]]:
        """What still waits when no more items come: first what refers to rows that are in the store already, or nowhere."""
        own = {place for group in self._waiting.values() for _, record in group for place in self._places(record)}
        for place in [place for place in self._waiting if place not in own]:
            for item in self._waiting.pop(place):
                yield from self._release(item)
        while self._waiting:
            for item in self._waiting.pop(next(iter(self._waiting))):
                yield from self._release(item)

    def _places(self, record: Model) -> list[tuple[Key, Key]]:
        return [(target, tuple([getattr(record, name) for name in target])) for target in self._targets]

    def _missing(self, record: Model) -> tuple[Key, Key] | None:
        for fields, target in self._references:
            values = tuple([getattr(record, name) for name in fields])
            itself = values == tuple([getattr(record, name) for name in target])
            if None not in values and not itself and (target, values) not in self._gone:
                return target, values
        return None

    def _release(self, item: tuple[T, Model]) -> Iterator[tuple[T, Model]]:
        ready = [item]
        while ready:
            current = ready.pop()
            yield current
            for place in self._places(current[1]):
                self._gone.add(place)
                for other in reversed(self._waiting.pop(place, [])):
                    blocked = self._missing(other[1])
                    if blocked is None:
                        ready.append(other)
                    else:
                        self._waiting.setdefault(blocked, []).append(other)
