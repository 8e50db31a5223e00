"""Holding: which row keeps another one from being deleted, however far below it, for engines that only say that there is one.

Owns the walk along references, after a delete failed. Must not know drivers or connections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from holdall.backends.port import Row
from holdall.errors import ForeignKeyViolation
from holdall.program import Program
from holdall.schema import Entity, Reference

KEYS_MAX = 1000  # a delete by query of more rows is not looked into row by row

RowsBy = Callable[[Entity, tuple[str, ...], Row, Any], Program[list[Row]]]


def holding(
    entities: Iterable[Entity], rows_by: RowsBy, entity: Entity, keys: Sequence[Any], tx: Any
) -> Program[ForeignKeyViolation | None]:
    """The violation by a row that restricts deleting the rows with these keys, or what goes with them, and does not go with them itself."""
    known = list(entities)
    doomed = {(entity, key) for key in keys}
    waiting = list(doomed)
    kept: list[tuple[Entity, Reference, Any, Entity]] = []
    while waiting:
        parent, key = waiting.pop()
        for child in known:
            for reference in child.references:
                if reference.target.entity is not parent or reference.on_delete == "set_null":
                    continue
                rows = yield from rows_by(child, reference.fields, _referring(child, reference, parent, key), tx)
                places = [(child, child.row_key(row)) for row in rows]
                if reference.on_delete == "cascade":
                    new = [place for place in places if place not in doomed]
                    doomed.update(new)
                    waiting += new
                else:
                    kept += [(child, reference, place[1], parent) for place in places]
    for child, reference, key, parent in kept:
        if (child, key) not in doomed:
            return ForeignKeyViolation(
                f"{child.name} {key!r} still points at the {parent.name} to be deleted.", entity=child.name, fields=reference.fields,
                hint=f"Delete or change the {child.name} first, or declare on_delete.",
            )  # fmt: skip
    return None


def _referring(child: Entity, reference: Reference, parent: Entity, key: Any) -> Row:
    """A row of the child that refers to the parent with this key, and has nothing else."""
    parts = dict(zip(parent.key, (key,) if len(parent.key) == 1 else key, strict=True))
    row: list[Any] = [None] * len(child.fields)
    for name, remote in zip(reference.fields, reference.target_fields, strict=True):
        row[child.by_name[name].position] = parts[remote]
    return tuple(row)
