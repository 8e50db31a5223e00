"""Order within one file: rows that refer to rows of the same model wait for them.

Owns the waiting. Holds the keys of what went before, and the rows that wait; used only for models that refer to themselves. Must not know
files or stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

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
    references = [(reference.fields, reference.target_fields) for reference in entity.references if reference.target.entity is entity]
    targets = list(dict.fromkeys(target for _, target in references))
    gone: set[tuple[Key, Key]] = set()
    waiting: dict[tuple[Key, Key], list[tuple[T, Model]]] = {}

    def missing(record: Model) -> tuple[Key, Key] | None:
        for fields, target in references:
            values = tuple([getattr(record, name) for name in fields])
            if None in values or values == tuple([getattr(record, name) for name in target]):
                continue
            if (target, values) not in gone:
                return target, values
        return None

    def release(item: tuple[T, Model]) -> Iterator[tuple[T, Model]]:
        ready = [item]
        while ready:
            current = ready.pop()
            yield current
            for target in targets:
                place = (target, tuple([getattr(current[1], name) for name in target]))
                gone.add(place)
                for other in reversed(waiting.pop(place, ())):
                    blocked = missing(other[1])
                    if blocked is None:
                        ready.append(other)
                    else:
                        waiting.setdefault(blocked, []).append(other)

    for item in items:
        blocked = missing(item[1])
        if blocked is None:
            yield from release(item)
        else:
            waiting.setdefault(blocked, []).append(item)
    # What still waits refers to rows that are in the store already, or nowhere, or to each other.
    own = {
        (target, tuple([getattr(record, name) for name in target]))
        for group in waiting.values()
        for _, record in group
        for target in targets
    }
    for place in [place for place in waiting if place not in own]:
        for item in waiting.pop(place):
            yield from release(item)
    while waiting:
        for item in waiting.pop(next(iter(waiting))):
            yield from release(item)
