"""Tables: the rows of one entity with their indexes, and what is known about them from the entity alone.

Owns `Layout` (generated functions from rows to keys, values and index entries) and `Table` (rows and indexes). Must not know queries,
constraints or transactions. Indexes are made when first used, so loading many rows pays only for uniques.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from holdall.backends.memory.indexes import HashIndex, Index, OrderedIndex, Row, Rows, UniqueIndex
from holdall.query import lookup_code
from holdall.schema import Entity, Field

Positions = tuple[int, ...]


class Layout:
    """What an entity declares, as functions on its rows. Shared by the table and by what transactions keep aside."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.key = entity.key_positions
        self.row_ik = self.value_of(self.key)
        self.ik_of_key = _ik_of_key([entity.fields[position] for position in self.key])
        self.uuid_key = len(self.key) == 1 and entity.fields[self.key[0]].type.kind == "uuid"
        # fields of each unique constraint, and its name; a field may be declared unique by itself or by a constraint
        self.uniques: dict[Positions, str] = {entity.positions(unique.fields): unique.name for unique in entity.uniques}
        for field in entity.fields:
            if field.unique and (field.position,) != self.key:
                self.uniques.setdefault((field.position,), f"{entity.table}_{field.column}")
        self.uniques.pop(self.key, None)
        self.references = [entity.positions(reference.fields) for reference in entity.references]
        indexed = [entity.positions(index.fields) for index in entity.indexes]
        indexed += [(field.position,) for field in entity.fields if field.index]
        # what equality is answered from, and what ranges and orders are
        self.hashed: set[Positions] = {*self.uniques, *indexed, *self.references}
        self.ordered: set[Positions] = {
            positions
            for positions in (self.key, *self.uniques, *indexed)
            if all(entity.fields[position].type.orderable for position in positions)
        }
        expiry = entity.expiry_field
        self.expiry = None if expiry is None else expiry.position
        self.required = [field for field in entity.fields if not field.nullable and field.generated != "int"]
        test = " or ".join(f"r[{field.position}] is None" for field in self.required) or "False"
        self._incomplete = _function(f"lambda rows: [r for r in rows if {test}]")

    def incomplete(self, rows: list[Row]) -> list[Row]:
        """The rows that lack a value where one is required."""
        found: list[Row] = self._incomplete(rows)
        return found

    def value_of(self, positions: Positions) -> Callable[[Row], Any]:
        """From a row to the lookup form of some of its fields; None if a part is null."""
        fields = [self.entity.fields[position] for position in positions]
        if len(fields) == 1 and fields[0].type.kind != "uuid":
            return itemgetter(positions[0])
        code = lookup_code([(f"r[{field.position}]", field.type, field.nullable) for field in fields])
        return _function(f"lambda r: {code}")

    def entry_of(self, positions: Positions) -> Callable[[Row], tuple[Any, ...]]:
        """From a row to its entry in the ordered index on these fields."""
        parts = [_ordered(self.entity.fields[position]) for position in positions]
        if positions != self.key:
            parts.append(lookup_code([(f"r[{position}]", self.entity.fields[position].type, False) for position in self.key]))
        return _function(f"lambda r: ({', '.join(parts)},)")


def _ordered(field: Field) -> str:
    value = f"r[{field.position}]"
    sortable = f"{value}.int" if field.type.kind == "uuid" else value
    return f"((True, None) if {value} is None else (False, {sortable}))" if field.nullable else sortable


def _ik_of_key(fields: list[Field]) -> Callable[[Any], Any]:
    if len(fields) == 1:
        return _function("lambda key: key.int" if fields[0].type.kind == "uuid" else "lambda key: key")
    return _function(f"lambda key: {lookup_code([(f'key[{place}]', field.type, False) for place, field in enumerate(fields)])}")


def _function(source: str) -> Callable[..., Any]:
    made: Callable[..., Any] = eval(source, {})  # noqa: S307  our own source, made of positions
    return made


def _whole(entry: tuple[Any, ...]) -> Any:
    return entry


class Table:
    """Rows by internal key, and indexes on them. Changes nothing but itself, checks nothing."""

    __slots__ = ("_hashes", "_indexes", "_ordered", "_uniques", "layout", "rows")

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.rows: Rows = {}
        self._indexes: list[Index] = []
        self._uniques: dict[Positions, UniqueIndex] = {}
        self._hashes: dict[Positions, HashIndex] = {}
        self._ordered: dict[Positions, OrderedIndex] = {}

    def put(self, ik: Any, new: Row | None) -> None:
        """Set or (None) remove the row with this key."""
        rows = self.rows
        old = rows.get(ik)
        if new is not None:
            rows[ik] = new
        elif old is not None:
            del rows[ik]
        for index in self._indexes:
            index.change(ik, old, new)

    def put_many(self, iks: Iterable[Any], rows: list[Row]) -> None:
        """Add rows under keys that are not there yet."""
        pairs = list(zip(iks, rows, strict=True))
        self.rows.update(pairs)
        for index in self._indexes:
            index.add_many(pairs)

    def clear(self) -> None:
        """Remove everything."""
        self.rows.clear()  # the same dict: readers hold its `get`
        self._indexes, self._uniques, self._hashes, self._ordered = [], {}, {}, {}

    def unique(self, positions: Positions) -> UniqueIndex:
        """The index of a unique constraint."""
        index = self._uniques.get(positions)
        if index is None:
            index = self._uniques[positions] = UniqueIndex(self.layout.value_of(positions), self.rows)
            self._indexes.append(index)
        return index

    def hash(self, positions: Positions) -> HashIndex:
        """The index for equality of these fields."""
        index = self._hashes.get(positions)
        if index is None:
            index = self._hashes[positions] = HashIndex(self.layout.value_of(positions), self.rows)
            self._indexes.append(index)
        return index

    def ordered(self, positions: Positions) -> OrderedIndex:
        """The index for ranges and orders of these fields."""
        index = self._ordered.get(positions)
        if index is None:
            ik_of = None if positions != self.layout.key or len(positions) == 1 else _whole
            index = self._ordered[positions] = OrderedIndex(self.layout.entry_of(positions), ik_of, self.rows)
            self._indexes.append(index)
        return index

    def getter(self, positions: Positions) -> Callable[[Any], Row | None]:
        """A function from a value to the row with it in the fields of the key or of a unique constraint, or to one of those with it."""
        if positions == self.layout.key:
            return self.rows.get
        if positions in self.layout.uniques:
            return self.unique(positions).rows.get
        many = self.finder(positions)
        return lambda value: next(iter(many(value)), None)

    def finder(self, positions: Positions) -> Callable[[Any], Iterable[Row]]:
        """A function from a value to the rows with it in these fields."""
        if positions == self.layout.key or positions in self.layout.uniques:
            get = self.getter(positions)
            return lambda value: () if (row := get(value)) is None else (row,)
        buckets = self.hash(positions).buckets
        return lambda value: () if (bucket := buckets.get(value)) is None else bucket.values()


def with_article(entity: Entity) -> str:
    """The entity's name with its article."""
    return f"{'an' if entity.name[:1].lower() in 'aeiou' else 'a'} {entity.name}"
