"""Which new records must be written before which: parents before children, cycles broken at a nullable reference (F5).

Looks at the links that records hold in memory, never at a store.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from holdall.errors import ProgrammingError
from holdall.model import Model
from holdall.schema import Relation


def linked_records(record: Model) -> Iterable[tuple[Relation, Model]]:
    """The records that this one holds by a loaded relation."""
    for name, value in record.__links__().items():
        relation = record.__entity__.relations[name]
        if value is None:
            continue
        for other in value if relation.to_many else (value,):
            yield relation, other


def new_neighbours(root: Model) -> list[Model]:
    """The record and all never saved records that can be reached from it over never saved ones."""
    if not root.__links__():
        return [root]
    found: dict[int, Model] = {id(root): root}
    queue = [root]
    while queue:
        for _, other in linked_records(queue.pop()):
            if other._row is None and id(other) not in found:
                found[id(other)] = other
                queue.append(other)
    return list(found.values())


def insertion_order(roots: Sequence[Model]) -> tuple[list[list[Model]], dict[int, tuple[str, ...]]]:
    """Groups of records of one model each, in the order of writing, and by id(record) the fields to fill in afterwards."""
    everyone: dict[int, Model] = {}
    for root in roots:
        for record in new_neighbours(root):
            everyone.setdefault(id(record), record)
    waits = {key: _parents(record, everyone) for key, record in everyone.items()}
    postponed: dict[int, tuple[str, ...]] = {}
    groups: list[list[Model]] = []
    while waits:
        ready = [key for key, parents in waits.items() if not any(parent in waits for _, parent in parents)]
        if not ready:
            _break_cycle(everyone, waits, postponed)
            continue
        by_model: dict[type[Model], list[Model]] = {}
        for key in ready:
            by_model.setdefault(type(everyone[key]), []).append(everyone[key])
            del waits[key]
        groups += by_model.values()
    return groups, postponed


def _parents(record: Model, everyone: dict[int, Model]) -> list[tuple[Relation, int]]:
    """The new records that this one refers to, by the relation with which it does."""
    found: list[tuple[Relation, int]] = []
    for relation, other in linked_records(record):
        if relation.kind == "belongs_to" and id(other) in everyone:
            found.append((relation, id(other)))
    return found


def _break_cycle(everyone: dict[int, Model], waits: dict[int, list[tuple[Relation, int]]], postponed: dict[int, tuple[str, ...]]) -> None:
    """Postpone one nullable reference between waiting records; ProgrammingError if every one of them must have a value."""
    for key, parents in waits.items():
        entity = everyone[key].__entity__
        for relation, parent in parents:
            if parent in waits and all(entity.by_name[name].nullable for name in relation.local):
                postponed[key] = (*postponed.get(key, ()), *relation.local)
                parents.remove((relation, parent))
                return
    names = ", ".join(sorted({type(everyone[key]).__name__ for key in waits}))
    raise ProgrammingError(
        f"New records of {names} refer to each other in a circle, and no reference in it may be null.",
        hint="Make one of the references optional (… | None).",
    )
