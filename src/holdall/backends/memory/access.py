"""Ways to rows: which index can answer which part of a condition, and the choice among them when sizes are known.

Owns what `plan` decides from the entity alone (the possible ways, kept per query shape) and what each run decides from the sizes of
buckets and ranges. Must not know transactions or constraints. Whatever way is taken, rows are tested by the compiled condition unless the
way covers all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdall.backends.memory.indexes import NULLS, TOP, OrderedIndex, Row
from holdall.backends.memory.table import Layout, Positions, Table
from holdall.query import TRUE, And, Compare, Condition, FieldRef, IsNull, Match, Membership, Order, Select, Value, condition_shape

Params = Sequence[Any]
Test = Callable[[Iterable[Row]], list[Row]]


@dataclass(frozen=True, slots=True)
class Part:
    """One conjunct that an index may answer: `op` is eq, in, null, lt, lte, gt, gte or prefix; `operand` its number, -1 for none."""

    number: int
    position: int
    op: str
    operand: int


def _form(position: int, layout: Layout) -> Callable[[Any], Any]:
    return (lambda value: value.int) if layout.entity.fields[position].type.kind == "uuid" else _same


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class Point:
    """Equality of all fields of a key, a unique constraint or a hash index."""

    positions: Positions
    operands: tuple[int, ...]
    forms: tuple[Callable[[Any], Any], ...]
    covers: frozenset[int]

    def value(self, params: Params) -> Any:
        """The operands in lookup form."""
        if len(self.operands) == 1:
            return self.forms[0](params[self.operands[0]])
        return tuple([form(params[operand]) for form, operand in zip(self.forms, self.operands, strict=True)])


@dataclass(frozen=True, slots=True)
class Bucket:
    """Rows by a hash index: of one value, of several (`many`), or those with a null (`many` and `point` unset)."""

    positions: Positions
    covers: frozenset[int]
    point: Point | None = None
    many: int | None = None
    form: Callable[[Any], Any] = _same

    def buckets(self, table: Table, params: Params) -> list[dict[Any, Row]]:
        """The rows by key, in one or several parts."""
        index = table.hash(self.positions)
        if self.point is not None:
            found = index.buckets.get(self.point.value(params))
            return [] if found is None else [found]
        if self.many is None:
            return [index.nulls]
        get, form = index.buckets.get, self.form
        return [bucket for value in dict.fromkeys(map(form, params[self.many])) if (bucket := get(value)) is not None]


@dataclass(frozen=True, slots=True)
class Span:
    """A range of an ordered index: equality of its first fields (`equal` are their operands), then bounds of the next one.

    `places(entries, params)` gives the first place and the one after the last; `middle` where its nulls begin. Both are generated.
    """

    positions: Positions
    equal: tuple[int, ...]
    bounded: bool
    covers: frozenset[int]
    places: Callable[[Any, Params], tuple[int, int]]
    middle: Callable[[Any, Params], int]


def _make_span(layout: Layout, positions: Positions, fixed: list[Part], bounds: tuple[Part, ...]) -> Span:
    prefix = "".join(f"{_entry(layout, part.position, f'p[{part.operand}]')}, " for part in fixed)
    lows = [f"entries.bisect_left(({prefix}))" if prefix else "0"]
    highs: list[str] = []
    for bound in bounds:
        entry = _entry(layout, bound.position, f"p[{bound.operand}]")
        if bound.op in ("gt", "gte", "prefix"):
            lows.append(f"entries.bisect_left(({prefix}{entry}, {'TOP' if bound.op == 'gt' else ''}))")
        if bound.op in ("lt", "lte"):
            highs.append(f"entries.bisect_left(({prefix}{entry}, {'TOP' if bound.op == 'lte' else ''}))")
        if bound.op == "prefix":
            highs.append(f"after(entries, ({prefix}), p[{bound.operand}], {layout.entity.fields[bound.position].nullable})")
    middle = f"entries.bisect_left(({prefix}NULLS,))"
    if bounds and layout.entity.fields[bounds[0].position].nullable and not highs:
        highs.append(middle)
    if not highs:
        highs.append(f"entries.bisect_left(({prefix}TOP,))" if prefix else "len(entries)")
    if len(lows) > 1:
        del lows[0]
    start = lows[0] if len(lows) == 1 else f"max({', '.join(lows)})"
    end = highs[0] if len(highs) == 1 else f"min({', '.join(highs)})"
    source = f"def places(entries, p):\n    start = {start}\n    end = {end}\n    return start, end if end > start else start\n"
    made: dict[str, Any] = {"TOP": TOP, "NULLS": NULLS, "after": _after}
    exec(f"{source}def middle(entries, p):\n    return {middle}\n", made)  # noqa: S102  our own source, made of positions
    covers = frozenset(part.number for part in (*fixed, *bounds))
    return Span(positions, tuple(part.operand for part in fixed), bool(bounds), covers, made["places"], made["middle"])


def _entry(layout: Layout, position: int, operand: str) -> str:
    """Source of an operand as part of an entry."""
    item = layout.entity.fields[position]
    value = f"{operand}.int" if item.type.kind == "uuid" else operand
    return f"(False, {value})" if item.nullable else value


def _after(entries: Any, prefix: tuple[Any, ...], text: str, nullable: bool) -> int:
    """The place after all entries whose text starts with this one."""
    end = _after_prefix(text)
    if end is None:
        place: int = entries.bisect_left((*prefix, NULLS if nullable else TOP))
    else:
        place = entries.bisect_left((*prefix, (False, end) if nullable else end))
    return place


def _after_prefix(text: str) -> str | None:
    """The least text greater than all that start with this one; None if there is none."""
    while text:
        code = ord(text[-1])
        if code < 0x10FFFF:
            return text[:-1] + chr(0xE000 if 0xD800 <= code + 1 <= 0xDFFF else code + 1)
        text = text[:-1]
    return None


@dataclass(frozen=True, slots=True)
class Walk:
    """Rows in the order asked for, from an ordered index. `exact`: each row in its place; else ties come in any order."""

    span: Span
    first: int  # the position of the first field ordered by
    reverse: bool
    exact: bool
    nulls_first: bool | None

    def rows(self, table: Table, params: Params, keep: int, test: Test, budget: int, sure: bool) -> list[Row] | None:
        """At least the first `keep` rows that pass, in order but for ties; None if more than `budget` rows had to be tested.

        `sure`: all rows of the span pass, so that no more than `keep` need be looked at.
        """
        index = table.ordered(self.span.positions)
        entries = index.entries()
        start, end = self.span.places(entries, params)
        if sure and self.exact and self.nulls_first is None:
            return index.between(start, min(end, start + keep))
        found: list[Row] = []
        tested, size = 0, keep if sure else max(16, keep * 2)
        for first, last, reverse in self._segments(entries, params, start, end):
            at, stop = (last, first) if reverse else (first, last)
            while at != stop:
                low, high = (max(stop, at - size), at) if reverse else (at, min(stop, at + size))
                chunk = index.between(low, high, reverse)
                at = low if reverse else high
                found += chunk if sure else test(chunk)
                tested += len(chunk)
                if len(found) >= keep and (self.exact or self._passed(found[keep - 1], chunk[-1])):
                    return found
                if tested > budget and at != stop:
                    return None
                size *= 2
        return found

    def _passed(self, row: Row, last: Row) -> bool:
        """Whether rows that tie with `row` are all behind."""
        return bool(row[self.first] != last[self.first])

    def _segments(self, entries: Any, params: Params, start: int, end: int) -> list[tuple[int, int, bool]]:
        """The parts to walk through, one after the other: start, end, whether backwards."""
        if self.nulls_first is None or self.span.bounded:
            return [(start, end, self.reverse)]
        middle = min(end, max(start, self.span.middle(entries, params)))
        valued, nulls = (start, middle, self.reverse), (middle, end, False)
        return [nulls, valued] if self.nulls_first else [valued, nulls]


@dataclass(slots=True)
class Ways:
    """All ways to the rows of one query shape. `total` is the number of conjuncts."""

    layout: Layout
    total: int = 0
    key: Point | None = None
    keys: Part | None = None
    unique: Point | None = None
    buckets: list[Bucket] = field(default_factory=list[Bucket])
    spans: list[Span] = field(default_factory=list[Span])
    walks: list[Walk] = field(default_factory=list[Walk])
    timed: bool = False
    walk_first: bool = False  # no bucket or span says more than the first walk
    walk_sure: bool = False  # all rows of the first walk's span pass

    def covered(self, covers: frozenset[int]) -> bool:
        """Whether a way makes testing rows unnecessary."""
        return len(covers) == self.total and not self.timed

    def rows(self, table: Table, params: Params, test: Test, visible: Test | None = None) -> list[Row]:
        """The rows that meet the condition, by the cheapest way. `visible` keeps the visible ones where `test` is not needed."""
        if self.key is not None:
            row = table.rows.get(self.key.value(params))
            return self._tested([] if row is None else [row], self.key.covers, test, visible)
        if self.unique is not None:
            row = table.unique(self.unique.positions).rows.get(self.unique.value(params))
            return self._tested([] if row is None else [row], self.unique.covers, test, visible)
        if self.keys is not None:
            get, form = table.rows.get, _form(self.keys.position, self.layout)
            rows = [row for value in dict.fromkeys(map(form, params[self.keys.operand])) if (row := get(value)) is not None]
            return self._tested(rows, frozenset((self.keys.number,)), test, visible)
        _, take, covers = self.choose(table, params)
        if take is None:
            return test(table.rows.values())
        return self._tested(take(), covers, test, visible)

    def _tested(self, rows: list[Row], covers: frozenset[int], test: Test, visible: Test | None) -> list[Row]:
        if not self.covered(covers):
            return test(rows)
        return rows if visible is None else visible(rows)

    def choose(self, table: Table, params: Params) -> tuple[int, Callable[[], list[Row]] | None, frozenset[int]]:
        """The smallest bucket or range: its size, a function giving its rows (None: all rows), and what it covers."""
        total = size = len(table.rows)
        take: Callable[[], list[Row]] | None = None
        covers: frozenset[int] = frozenset()
        for bucket in self.buckets:
            parts = bucket.buckets(table, params)
            count = sum(map(len, parts))
            if take is None or count < size:
                size, covers = count, bucket.covers
                take = _concat(parts)
        if size <= 256 and take is not None:  # looking at ranges would cost more than it can save
            return size, take, covers
        for span in self.spans:
            index = table.ordered(span.positions)
            start, end = span.places(index.entries(), params)
            # Rows by an ordered index cost about three times as much as by a scan, which has its own.
            if (end - start) * 3 < total and end - start < size:
                size, covers, take = end - start, span.covers, _between(index, start, end)
        return size, take, covers


def _concat(parts: list[dict[Any, Row]]) -> Callable[[], list[Row]]:
    if len(parts) == 1:
        return lambda: list(parts[0].values())
    return lambda: [row for part in parts for row in part.values()]


def _between(index: OrderedIndex, start: int, end: int) -> Callable[[], list[Row]]:
    return lambda: index.between(start, end)


# Finding the ways


def find_ways(select: Select, layout: Layout) -> Ways:
    """All ways that the declared indexes offer for a select."""
    conjuncts = select.where.items if isinstance(select.where, And) else () if select.where == TRUE else (select.where,)
    parts: list[Part] = []
    operand = 0
    for number, conjunct in enumerate(conjuncts):
        parts += _parts(conjunct, number, operand, select)
        operand += len(condition_shape(conjunct)[1])
    ways = Ways(layout, len(conjuncts), timed=select.now is not None and layout.expiry is not None)
    equal = {part.position: part for part in reversed(parts) if part.op == "eq"}
    ways.key = _point(layout, layout.key, equal)
    ways.unique = next((point for positions in sorted(layout.uniques) if (point := _point(layout, positions, equal))), None)
    if len(layout.key) == 1:
        ways.keys = next((part for part in parts if part.op == "in" and part.position == layout.key[0]), None)
    for positions in sorted(layout.hashed):
        point = _point(layout, positions, equal)
        if point is not None:
            ways.buckets.append(Bucket(positions, point.covers, point))
        elif len(positions) == 1:
            ways.buckets += [
                Bucket(
                    positions, frozenset((part.number,)), many=part.operand if part.op == "in" else None, form=_form(part.position, layout)
                )
                for part in parts
                if part.position == positions[0] and part.op in ("in", "null")
            ]
    ways.spans = [span for positions in sorted(layout.ordered) if (span := _span(layout, positions, equal, parts)) is not None]
    if select.order and select.limit is not None and not select.distinct and not select.group_by:
        ways.walks = [walk for positions in sorted(layout.ordered) if (walk := _walk(positions, equal, parts, select, layout)) is not None]
        ways.walks.sort(key=lambda walk: (-len(walk.span.covers), not walk.exact))
        others = [bucket.covers for bucket in ways.buckets] + [span.covers for span in ways.spans]
        if ways.walks:
            ways.walk_first = all(covers <= ways.walks[0].span.covers for covers in others)
            ways.walk_sure = ways.covered(ways.walks[0].span.covers)
    return ways


def _own(expr: Any, select: Select) -> int | None:
    """The position of a plain field of the entity itself."""
    if isinstance(expr, FieldRef) and not expr.steps and not expr.keys and expr.entity is select.entity:
        return expr.field.position
    return None


_MIRROR = {"eq": "eq", "same": "same", "lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}


def _parts(node: Condition, number: int, operand: int, select: Select) -> list[Part]:
    if isinstance(node, Compare):
        left, right, op = node.left, node.right, node.op
        if isinstance(left, Value) and op in _MIRROR:
            left, right, op = right, left, _MIRROR[op]  # type: ignore[assignment]  # mypy forgets the literals
        position = _own(left, select)
        if position is None or not isinstance(right, Value) or not right.type.orderable or op in ("ne", "not_same"):
            return []
        if right.value is None:
            return [Part(number, position, "null", -1)] if op == "same" else []
        return [Part(number, position, "eq" if op == "same" else op, operand)]
    position = _own(getattr(node, "left", None), select)
    if position is None:
        return []
    if isinstance(node, IsNull) and not node.negated:
        return [Part(number, position, "null", -1)]
    if isinstance(node, Membership) and not node.negated and node.values and node.type.orderable:
        return [Part(number, position, "in", operand)]
    if isinstance(node, Match) and node.op == "startswith" and select.entity.fields[position].type.kind == "str":
        return [Part(number, position, "prefix", operand)]
    return []


def _point(layout: Layout, positions: Positions, equal: dict[int, Part]) -> Point | None:
    if not all(position in equal for position in positions):
        return None
    parts = [equal[position] for position in positions]
    return Point(
        positions,
        tuple(part.operand for part in parts),
        tuple(_form(part.position, layout) for part in parts),
        frozenset(part.number for part in parts),
    )


_BOUNDS = ("lt", "lte", "gt", "gte", "prefix")


def _span(layout: Layout, positions: Positions, equal: dict[int, Part], parts: list[Part]) -> Span | None:
    """The narrowest range of an index; None if the condition says nothing about its first field."""
    fixed: list[Part] = []
    for position in positions:
        if position not in equal:
            break
        fixed.append(equal[position])
    rest = positions[len(fixed) :]
    bounds = tuple(part for part in parts if rest and part.position == rest[0] and part.op in _BOUNDS)
    if not fixed and not bounds:
        return None
    return _make_span(layout, positions, fixed, bounds)


def _walk(positions: Positions, equal: dict[int, Part], parts: list[Part], select: Select, layout: Layout) -> Walk | None:
    """The walk along an index that gives the order asked for; None if its first free field is not what is ordered by."""
    span = _span(layout, positions, equal, parts) or _make_span(layout, positions, [], ())
    free = positions[len(span.equal) :]
    orders: list[tuple[int, Order]] = []
    for order in select.order:
        position = _own(order.expr, select)
        if position is None:
            if not orders:
                return None
            orders.append((-1, order))
        elif position not in equal:
            orders.append((position, order))
    if not orders or not free or orders[0][0] != free[0]:
        return None
    fields, first = select.entity.fields, orders[0][1]
    nullable = fields[free[0]].nullable
    wanted = [*free, *(position for position in layout.key if position not in positions)] if positions != layout.key else list(free)
    named = [position for position, _ in orders]
    same = named[: len(wanted)] == wanted
    plain = all(not order.descending and not (fields[p].nullable and order.nulls_first) for p, order in orders if p >= 0)
    exact = same and plain
    return Walk(span, free[0], first.descending, exact, first.nulls_first if nullable else None)


# Telling people


def steps(ways: Ways, select: Select) -> list[str]:
    """How the rows are found, in words."""
    entity = select.entity

    def names(positions: Positions) -> str:
        return ", ".join(entity.fields[position].name for position in positions)

    if ways.key is not None:
        found = [f"look up {entity.name} by key ({names(ways.key.positions)})"]
    elif ways.unique is not None:
        found = [f"look up {entity.name} by unique ({names(ways.unique.positions)})"]
    elif ways.keys is not None:
        found = [f"look up {entity.name} by each key ({names((ways.keys.position,))})"]
    else:
        options = [f"hash index ({names(bucket.positions)})" for bucket in ways.buckets]
        options += [f"range of ordered index ({names(span.positions)})" for span in ways.spans]
        found = [f"{'the smallest of: ' if len(options) > 1 else ''}{'; '.join(options)} of {entity.name}"] if options else []
        if ways.walks:
            walk = f"walk ordered index ({names(ways.walks[0].span.positions)}) of {entity.name} until the limit is reached"
            found = [f"{walk}, or {found[0]} if that is fewer rows"] if found else [f"{walk}, or scan if few rows match"]
        if not found:
            found = [f"scan {entity.name}"]
    return found
