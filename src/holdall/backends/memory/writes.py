"""Writes: what each kind of write does to a view, with all constraints.

Owns the rules: not null, checks, keys and uniques, references with on_delete, versions, generated keys, expiry. They are checked against
what the view sees, and at the end of each write rather than row by row where order would matter: references may point forward within one
Insert, and a delete follows all cascades before it looks for what restricts it. Must not know locks, plans or how rows are kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from holdall.backends.memory.indexes import Row
from holdall.backends.memory.table import Layout, Positions, with_article
from holdall.backends.memory.views import Rows, View
from holdall.backends.port import Delete, DeleteWhere, Insert, Patch, UpdateWhere, Upsert, Write
from holdall.errors import (
    CheckViolation,
    ForeignKeyViolation,
    NotFound,
    NotNullViolation,
    SizeLimit,
    UniqueViolation,
    Unsupported,
    VersionMismatch,
)
from holdall.query import NO_TABLES, Evaluator, FieldRef, Select, Value, as_condition, references
from holdall.schema import INT_MAX, Entity, Reference

Check = tuple[str, tuple[str, ...], Callable[[list[Row]], list[Row]]]  # name, fields, the rows that fail


class Rules:
    """What is shared by all writes: entities with their references from everywhere, compiled checks, and the numbers given out."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.children: dict[Entity, list[tuple[Entity, Reference, Positions]]] = {}
        self.parents: dict[Entity, list[tuple[Reference, Positions, Callable[[Row], Any]]]] = {}
        self.numbers: dict[Entity, int] = {}
        self._checks: dict[Entity, list[Check]] = {}

    def add(self, layout: Layout) -> None:
        """Make an entity's references known."""
        entity = layout.entity
        self.children.setdefault(entity, [])
        parents = self.parents[entity] = []
        self.numbers[entity] = 0
        for reference in entity.references:
            target = reference.target.entity
            by_target = dict(zip(reference.target_fields, reference.fields, strict=True))
            positions = entity.positions(tuple(by_target[name] for name in target.key))
            parents.append((reference, positions, layout.value_of(positions)))
            self.children.setdefault(target, []).append((entity, reference, positions))

    def remove(self, entity: Entity) -> None:
        """Forget an entity, and its references to others."""
        del self.parents[entity], self.numbers[entity]
        self._checks.pop(entity, None)
        for target, children in self.children.items():
            self.children[target] = [child for child in children if child[0] is not entity]

    def checks(self, entity: Entity) -> list[Check]:
        """The compiled checks; compiled when first needed, because a condition may name what is declared later."""
        found = self._checks.get(entity)
        if found is None:
            found = self._checks[entity] = [self._check(entity, check.name, as_condition(check.condition())) for check in entity.checks]
        return found

    def _check(self, entity: Entity, name: str, condition: Any) -> Check:
        compiled, params = self.evaluator.condition(entity, condition)
        fields = dict.fromkeys(ref.field.name for ref in references(condition) if isinstance(ref, FieldRef))
        return name, tuple(fields), lambda rows: compiled.false(rows, params, NO_TABLES)


class Writer:
    """Does writes on one view at one instant. `search` gives the visible rows that a select matches."""

    def __init__(self, rules: Rules, view: View, now: dt.datetime | None, search: Callable[[Select], list[Row]]) -> None:
        self.rules = rules
        self.view = view
        self.now = now
        self.search = search

    def write(self, write: Write) -> Any:
        """One write; gives its result. What it did before it failed is still done: the caller undoes it."""
        return _WRITES[write.__class__](self, write)

    # Kinds of writes

    def insert(self, write: Insert) -> list[Any]:
        rows = self._numbered(write.entity, write.rows)
        self._insert(write.entity, rows)
        return [write.entity.row_key(row) for row in rows]

    def upsert(self, write: Upsert) -> tuple[str, Row]:
        entity, row = write.entity, write.row
        rows = self.view.of(entity)
        positions = entity.positions(write.by)
        # A null is equal to nothing (B3), also where the field may not be null.
        value = None if any(row[position] is None for position in positions) else rows.layout.value_of(positions)(row)
        old = None
        if value is not None:
            if positions == rows.layout.key:
                old = rows.get(value)
                self.view.note_key(entity, value)
            else:
                found = list(self.view.many(entity, positions)(value))
                old = found[0] if found else None
        if old is None or self._expired(rows.layout, old):
            (row,) = self._numbered(entity, [row])
            self._insert(entity, [row])
            return "inserted", row
        if not write.update:
            return "ignored", old
        values = list(old)
        for position in write.update:
            values[position] = row[position]
        version = entity.version_field
        if version is not None:
            values[version.position] = self._next(old[version.position], version.name)
        new = tuple(values)
        self._change(entity, [(old, new)])
        return "updated", new

    def _next(self, version: int, name: str) -> int:
        if version >= INT_MAX:
            raise SizeLimit(f"{name} cannot be counted up beyond {INT_MAX}; nothing was changed.")
        return version + 1

    def patch(self, write: Patch) -> int:
        row = self._matching(write)
        if row is None:
            return 0
        (new,) = self.rules.evaluator.assign(write.entity, write.assignments, [row], False)
        self._change(write.entity, [(row, new)])
        return 1

    def delete(self, write: Delete) -> int:
        row = self._matching(write)
        if row is None:
            return 0
        self.remove(write.entity, [row])
        return 1

    def update_where(self, write: UpdateWhere) -> int:
        entity = write.select.entity
        found = self.search(write.select)
        if found:
            changed = self.rules.evaluator.assign(entity, write.assignments, found, True)
            self._change(entity, list(zip(found, changed, strict=True)))
        return len(found)

    def delete_where(self, write: DeleteWhere) -> int:
        found = self.search(write.select)
        if found:
            self.remove(write.select.entity, found)
        return len(found)

    def _matching(self, write: Patch | Delete) -> Row | None:
        """The row that a Patch or Delete is about; None, or an error if one is required, when there is none of that version."""
        entity = write.entity
        rows = self.view.of(entity)
        ik = rows.layout.ik_of_key(write.key)
        row = rows.get(ik)
        self.view.note_key(entity, ik)
        if row is None or self._expired(rows.layout, row):
            if write.required:
                raise NotFound(f"There is no {entity.name} with key {write.key!r}.")
            return None
        version = entity.version_field
        if write.version is not None and version is not None and row[version.position] != write.version:
            if write.required:
                raise VersionMismatch(
                    f"{entity.name} {write.key!r} has version {row[version.position]}, not {write.version}: "
                    "somebody else changed it since it was read.",
                    hint="Read it again, and decide anew.",
                )
            return None
        return row

    # Rows in

    def _numbered(self, entity: Entity, rows: Sequence[Row]) -> list[Row]:
        """The rows with generated keys filled in. Numbers are never given twice, whatever becomes of the rows."""
        field = entity.generated_field
        if field is None:
            return list(rows)
        at, numbers = field.position, self.rules.numbers
        last = numbers[entity]
        result: list[Row] = []
        for row in rows:
            number = row[at]
            if number is None:
                last += 1
                if last > INT_MAX:
                    raise SizeLimit(f"{entity.name} has no more numbers for {field.name}.")
                result.append((*row[:at], last, *row[at + 1 :]))
            else:
                last = max(last, number)
                result.append(row)
        numbers[entity] = last
        return result

    def _insert(self, entity: Entity, new: list[Row]) -> None:
        rows = self.view.of(entity)
        self._check_rows(rows.layout, new)
        iks = list(map(rows.layout.row_ik, new))
        if rows.fresh(iks, new):
            rows.put_many(iks, new)
        else:
            for ik, row in zip(iks, new, strict=True):
                taken = rows.get(ik)
                if taken is not None:
                    self._taken(rows, taken, entity.key, "")
                self._check_uniques(rows, None, row)
                rows.put(ik, row)
            # One that had expired when it came may have made room for another: what counts is what is there in the end.
            new = [row for ik, row in zip(iks, new, strict=True) if rows.get(ik) is row]
        self._check_references(entity, new)

    def _check_rows(self, layout: Layout, rows: list[Row]) -> None:
        """Not null and declared checks."""
        entity = layout.entity
        incomplete = layout.incomplete(rows)
        if incomplete:
            names = [field.name for field in layout.required if incomplete[0][field.position] is None]
            raise NotNullViolation(f"{entity.name}.{names[0]} must have a value.", entity=entity.name, fields=names)
        for name, fields, failing in self.rules.checks(entity):
            failed = failing(rows)
            if failed:
                shown = ", ".join(f"{field}={failed[0][entity.by_name[field].position]!r}" for field in fields)
                raise CheckViolation(
                    f"{entity.name} breaks the check '{name}' with {shown}.", entity=entity.name, fields=fields, constraint=name
                )

    def _check_uniques(self, rows: Rows, old: Row | None, new: Row) -> None:
        """No other visible row has the same values in a unique constraint; an expired one that has is removed."""
        layout = rows.layout
        for positions, name in layout.uniques.items():
            value_of = layout.value_of(positions)
            value = value_of(new)
            if value is None or (old is not None and value_of(old) == value):
                continue
            taken = rows.unique(positions, value)
            if taken is not None:
                self._taken(rows, taken, tuple(layout.entity.fields[position].name for position in positions), name)

    def _taken(self, rows: Rows, taken: Row, names: tuple[str, ...], constraint: str) -> None:
        """A key or unique value is taken: UniqueViolation, unless by an expired row, which is removed."""
        entity = rows.layout.entity
        if self._expired(rows.layout, taken):
            self.remove(entity, [taken], replaced=not constraint)
            return
        self.view.note_key(entity, rows.layout.row_ik(taken))
        shown = ", ".join(f"{name}={taken[entity.by_name[name].position]!r}" for name in names)
        raise UniqueViolation(
            f"There is already {with_article(entity)} with {shown}.", entity=entity.name, fields=names, constraint=constraint
        )

    def _check_references(self, entity: Entity, rows: list[Row]) -> None:
        """Every reference points at a visible row or is null."""
        for reference, positions, value_of in self.rules.parents[entity]:
            target = reference.target.entity
            parents = self.view.of(target)
            timed = self.now is not None and parents.layout.expiry is not None
            for value in {*map(value_of, rows)}:
                if value is None:
                    continue
                parent = parents.get(value)
                if parent is None or (timed and self._expired(parents.layout, parent)):
                    # A row may refer to itself, also if it has expired when it comes.
                    row = next((row for row in rows if value_of(row) == value and row is not parent), None)
                    if row is None:
                        continue
                    self.view.note_key(target, value)
                    shown = ", ".join(f"{entity.fields[position].name}={row[position]!r}" for position in positions)
                    raise ForeignKeyViolation(
                        f"{entity.name} points with {shown} at {with_article(target)} that does not exist.",
                        entity=entity.name,
                        fields=reference.fields,
                        hint=f"Create the {target.name} first.",
                    )

    # Rows changed

    def _change(self, entity: Entity, pairs: list[tuple[Row, Row]]) -> None:
        rows = self.view.of(entity)
        layout = rows.layout
        self._check_rows(layout, [new for _, new in pairs])
        for old, new in pairs:
            ik, after = layout.row_ik(old), layout.row_ik(new)
            if ik != after:
                self._check_unreferenced(entity, old, new, ik)
                taken = rows.get(after)
                if taken is not None:
                    self._taken(rows, taken, entity.key, "")
                rows.put(ik, None)
            self._check_uniques(rows, old, new)
            rows.put(after, new)
        changed = [
            new
            for old, new in pairs
            if any(old[position] != new[position] for _, positions, _ in self.rules.parents[entity] for position in positions)
        ]
        if changed:
            self._check_references(entity, changed)

    def _check_unreferenced(self, entity: Entity, row: Row, new: Row, ik: Any) -> None:
        """A key may change only while nothing points at it: on_delete says nothing about new keys. A row that points at itself may let
        go in the same change."""
        for child, reference, positions in self.rules.children[entity]:
            lets_go = child is entity and any(new[position] != row[position] for position in positions)
            rows = self.view.of(child)
            holding = next((found for found in rows.having(positions, ik) if not (lets_go and found is row)), None)
            if holding is not None:
                self.view.note_key(child, rows.layout.row_ik(holding))
                raise ForeignKeyViolation(
                    f"The key of {entity.name} {entity.row_key(row)!r} cannot change: {with_article(child)} points at it.",
                    entity=child.name,
                    fields=reference.fields,
                )

    # Rows out

    def remove(self, entity: Entity, start: list[Row], replaced: bool = False) -> None:
        """Remove rows and what cascades from them, then set null; ForeignKeyViolation if a row that stays restricts it.

        `replaced`: another row with the same key comes instead, so that what restricts the removal can stay: it refers to that one then.
        """
        if replaced:
            mark = self.view.mark()
            try:
                self.remove(entity, start)
            except ForeignKeyViolation:
                self.view.undo(mark)
                rows = self.view.of(entity)
                for row in start:
                    rows.put(rows.layout.row_ik(row), None)
            return
        doomed: dict[Entity, dict[Any, Row]] = {entity: {self.view.of(entity).layout.row_ik(row): row for row in start}}
        kept: list[tuple[Entity, Reference, Row, Entity]] = []
        waiting = [(entity, ik) for ik in doomed[entity]]
        while waiting:
            parent, ik = waiting.pop()
            for child, reference, positions in self.rules.children[parent]:
                rows = self.view.of(child)
                for row in rows.having(positions, ik):
                    if reference.on_delete == "cascade" or self._expired(rows.layout, row):
                        child_ik, found = rows.layout.row_ik(row), doomed.setdefault(child, {})
                        if child_ik not in found:
                            found[child_ik] = row
                            waiting.append((child, child_ik))
                    else:
                        kept.append((child, reference, row, parent))
        self._let_go(kept, doomed)
        for gone, found in doomed.items():
            rows = self.view.of(gone)
            for ik in found:
                rows.put(ik, None)

    def _let_go(self, kept: list[tuple[Entity, Reference, Row, Entity]], doomed: dict[Entity, dict[Any, Row]]) -> None:
        """Set references to null in rows that stay, or refuse."""
        changed: dict[tuple[Entity, Any], Row] = {}
        for child, reference, row, parent in kept:
            layout = self.view.of(child).layout
            ik = layout.row_ik(row)
            if ik in doomed.get(child, ()):
                continue
            self.view.note_key(child, ik)
            if reference.on_delete == "restrict":
                for gone, found in doomed.items():
                    for gone_ik in found:
                        self.view.note_key(gone, gone_ik)
                raise ForeignKeyViolation(
                    f"{child.name} {child.row_key(row)!r} still points at the {parent.name} to be deleted.",
                    entity=child.name,
                    fields=reference.fields,
                    hint=f"Delete or change the {child.name} first.",
                )
            values = list(changed.get((child, ik), row))
            for position in child.positions(reference.fields):
                values[position] = None
            changed[child, ik] = tuple(values)
        for (child, ik), row in changed.items():
            rows = self.view.of(child)
            self._check_rows(rows.layout, [row])
            rows.put(ik, row)

    def _expired(self, layout: Layout, row: Row) -> bool:
        """Whether a row is invisible at this instant (H6)."""
        if layout.expiry is None or self.now is None:
            return False
        until = row[layout.expiry]
        return until is not None and until <= self.now


_WRITES: dict[type, Callable[[Writer, Any], Any]] = {
    Insert: Writer.insert,
    Upsert: Writer.upsert,
    Patch: Writer.patch,
    Delete: Writer.delete,
    UpdateWhere: Writer.update_where,
    DeleteWhere: Writer.delete_where,
}


def written(write: Write) -> Entity:
    """The entity that a write is about."""
    return write.select.entity if isinstance(write, UpdateWhere | DeleteWhere) else write.entity


def refuse_bulk_unique(write: UpdateWhere, layout: Layout) -> None:
    """Unsupported if a key or unique field would change by expression on many rows (F7)."""
    entity = layout.entity
    unique = {position for positions in (layout.key, *layout.uniques) for position in positions}
    for assignment in write.assignments:
        if assignment.position in unique and not isinstance(assignment.expr, Value):
            name = entity.fields[assignment.position].name
            raise Unsupported(
                f"{entity.name}.{name} is part of a key or unique constraint; changing it on many records by an expression could "
                "collide half-way.",
                hint="Change the records one by one, or set a value.",
            )
