"""Query logic: what a store must answer whatever its data are, asked of each backend alone, by random queries on random data.

- Partition: a condition, its opposite and its being unknown part the rows into three; so they do for counts, sums, distinct values, groups.
- No help: the rows that a condition keeps are those for which it is true when the values of its fields are read and it is worked out in
  Python, row by row.
- Pivot: of a row taken by chance, a condition is made that is true for it; the row must be found.
- Cuts: limits and offsets give pieces of the whole.

The last two are judged by a plain reading of the contract (_naive), which shares no code with any backend.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from holdall.backends import Insert, Native
from holdall.backends.registry import backend_for
from holdall.errors import ConstraintViolation, HoldallError
from holdall.program import run
from holdall.query import (
    FALSE,
    TRUE,
    Aggregate,
    And,
    Column,
    Compare,
    Condition,
    Constant,
    FieldRef,
    Holds,
    IsNull,
    Match,
    Membership,
    Not,
    Or,
    Order,
    Related,
    Select,
    Value,
    all_of,
    any_of,
    key_ref,
    prepare,
    references,
    select_text,
)
from holdall.query.terms import INT
from holdall.schema import Entity
from proofs._faults import READ_FAULTS, Fault
from proofs._models import NOW, random_schema
from proofs._naive import Naive
from proofs._trees import Ground, Trees
from proofs._values import exact
from proofs.harness import Budget, Finding, Outcome, Part, Proof

ROWS = 14  # tried, of each entity
QUERIES_PER_SCHEMA = 600


def unknown(node: Condition) -> Condition | None:
    """The condition that another one is unknown; never unknown itself. None where no condition says so (JSON of two kinds compared)."""
    if isinstance(node, IsNull | Related | Constant):
        return FALSE
    if isinstance(node, Not):
        return unknown(node.item)
    if isinstance(node, And | Or):
        parts = [unknown(item) for item in node.items]
        if None in parts:
            return None
        known: list[Condition] = [part for part in parts if part is not None]
        # None of the others decides: all of an And are true or unknown, all of an Or false or unknown.
        rest = [any_of(item if isinstance(node, And) else Not(item), part) for item, part in zip(node.items, known, strict=True)]
        return all_of(any_of(*known), *rest)
    if isinstance(node, Compare):
        if node.op in ("same", "not_same"):
            return FALSE
        if node.left.type.kind == "json" and node.op not in ("eq", "ne"):
            return None
        return any_of(*(IsNull(side) for side in (node.left, node.right) if not isinstance(side, Value)))
    if isinstance(node, Membership):
        if not node.values and not node.with_null:
            return FALSE
        found: Condition = IsNull(node.left)
        return any_of(found, Not(Membership(node.left, node.values, node.type))) if node.with_null else found
    if isinstance(node, Match):
        return None if node.left.type.kind == "json" else IsNull(node.left)
    assert isinstance(node, Holds)
    return IsNull(node.left)


class Columns(Naive):
    """Works a condition out on the values of its fields, as the store read them."""

    def __init__(self, refs: list[FieldRef]) -> None:
        super().__init__({})
        self.refs = refs

    def value(self, node: Any, row: Any) -> Any:
        """A field's value is what was read."""
        return row[self.refs.index(node)] if isinstance(node, FieldRef) else super().value(node, row)


@dataclass
class Logic:
    """The queries on one schema with its rows in one backend."""

    backend: Any
    entities: list[Entity]
    ground: Ground
    random: Random
    seed: int
    done: int = 0
    found: int = 0
    findings: list[Finding] = field(default_factory=list)
    by_kind: Counter[str] = field(default_factory=Counter)

    def do(self, program: Any) -> Any:
        return run(program, self.backend.perform)

    def ask(self, select: Select) -> list[Any]:
        """All rows of a query."""
        self.done += 1
        plan = self.backend.plan(prepare(select, NOW))
        assert isinstance(plan, Native), plan
        found: list[Any] = self.do(self.backend.select(plan, None))
        return found

    def fill(self, pools: Any) -> None:
        """Rows by chance; those that break a constraint are left out."""
        for _ in range(2):  # twice, as rows may refer to rows of entities that come later
            for entity in self.entities:
                for _ in range(ROWS // 2):
                    row = tuple(self._value(entity, item, pools) for item in entity.fields)
                    try:
                        self.do(self.backend.apply((Insert(entity, [row]),), "atomic", None, NOW))
                    except ConstraintViolation:
                        continue
        whole = {entity: prepare(Select(entity, without=frozenset("*")), None) for entity in self.entities}
        self.data = {entity: self.do(self.backend.select(self.backend.plan(select), None)) for entity, select in whole.items()}

    def _value(self, entity: Entity, item: Any, pools: Any) -> Any:
        if item.nullable and self.random.random() < 0.3:
            return None
        pool = pools.get((entity, item.name))
        for reference in entity.references:  # of hidden links
            if pool is None and reference.fields == (item.name,):
                pool = pools[reference.target.entity, reference.target_fields[0]]
        if pool is None and item.type.kind == "datetime":
            return NOW
        return self.random.choice(pool) if pool else 1

    def wrong(self, kind: str, what: str, *selects: Select) -> None:
        """Note a finding."""
        self.found += 1
        if len(self.findings) < 3:
            asked = "\n".join(select_text(select) for select in selects)
            rows = "\n".join(f"{entity.name}: {row!r}" for entity in self.entities for row in self.data[entity])
            self.findings.append(Finding(f"{kind}: {what}\n{asked}", self.seed, f"{asked}\n\nwith the rows\n{rows}"))

    def round(self) -> None:
        """One condition, looked at in one of the ways."""
        entity = self.random.choice([item for item in self.entities if self.data[item]] or self.entities)
        trees = Trees(self.ground, self.random)
        condition = trees.condition(entity, self.random.choice((0, 1, 1, 2, 3)))
        kind = self.random.choice(("partition", "aggregates", "no help", "no help", "pivot", "pivot", "pivot", "cuts", "cuts"))
        before = self.done
        try:
            _KINDS[kind](self, entity, condition, trees)
        except HoldallError as error:
            self.wrong(kind, repr(error), Select(entity, condition))
        self.by_kind[kind] += self.done - before

    # The ways

    def partition(self, entity: Entity, condition: Condition, trees: Trees) -> None:
        """true + false + unknown = all; and Kleene's laws."""
        whole = Select(entity)
        true, false = Select(entity, condition), Select(entity, Not(condition))
        rows, kept, left = self.ask(whole), self.ask(true), self.ask(false)
        third = unknown(condition)
        rest = self.ask(Select(entity, third)) if third is not None else []
        parts = _bag([*kept, *left, *rest])
        if third is None:
            if parts - _bag(rows) or _bag(kept) & _bag(left):
                self.wrong("partition", f"{len(kept)} true and {len(left)} false are more than {len(rows)}, or overlap", true, false)
        elif parts != _bag(rows):
            self.wrong(
                "partition",
                f"{len(kept)} true, {len(left)} false and {len(rest)} unknown of {len(rows)}",
                true,
                false,
                Select(entity, third),
            )
        other = trees.condition(entity, 1)
        both, apart = Select(entity, Not(And((condition, other)))), Select(entity, Or((Not(condition), Not(other))))
        if _bag(self.ask(both)) != _bag(self.ask(apart)):
            self.wrong("partition", "not (a and b) is not (not a or not b)", both, apart)

    def aggregates(self, entity: Entity, condition: Condition, _trees: Trees) -> None:
        """The same for counts, sums, extremes, distinct values and groups."""
        third = unknown(condition)
        if third is None:
            return
        parts = (condition, Not(condition), third)
        count = Column("n", Aggregate("count", None, False, INT))
        refs = [ref for ref in self.ground.refs(entity) if ref.type.groupable]
        ref = self.random.choice(refs)
        columns = [count]
        numbers = [item for item in self.ground.refs(entity, "int") if self.ground.small(item)]
        if numbers:
            columns.append(Column("s", Aggregate("sum", self.random.choice(numbers), False, INT)))
        columns += [Column(fn, Aggregate(fn, ref, False, ref.type)) for fn in ("min", "max")]  # type: ignore[arg-type]  # the two literals
        asked = [Select(entity, where, columns=tuple(columns)) for where in (TRUE, *parts)]
        (whole,), *rest = (self.ask(select) for select in asked)
        said = list(zip(*(row for (row,) in rest), strict=True))
        joined = [sum(said[0])]
        if numbers:
            joined.append(None if all(v is None for v in said[1]) else sum(v for v in said[1] if v is not None))
        for values, extreme in ((said[-2], min), (said[-1], max)):
            present = [value for value in values if value is not None]
            joined.append(extreme(present) if present else None)
        if exact(list(whole)) != exact(joined):
            self.wrong("aggregates", f"{whole} of all, {joined} of the three parts", *asked)
        distinct = [Select(entity, where, columns=(Column("v", ref),), distinct=True) for where in (TRUE, *parts)]
        everything, *pieces = (self.ask(select) for select in distinct)
        if len(_bag(everything)) != len(everything) or set(_bag(everything)) != {row for piece in pieces for row in _bag(piece)}:
            self.wrong("aggregates", "the distinct values of the parts are not those of all", *distinct)
        groups = [Select(entity, where, columns=(Column("v", ref), count), group_by=(ref,)) for where in (TRUE, *parts)]
        counted, *pieces = (self.ask(select) for select in groups)
        total: Counter[str] = Counter()
        for piece in pieces:
            total.update({repr(exact(value)): number for value, number in piece})
        if dict(total) != {repr(exact(value)): number for value, number in counted}:
            self.wrong("aggregates", "the groups of the parts do not add up to those of all", *groups)

    def unhelped(self, entity: Entity, condition: Condition, trees: Trees) -> None:
        """What is kept, against the condition worked out on the values read, row by row."""
        refs: list[FieldRef] = []
        for node in references(condition):
            if isinstance(node, Related):
                return self.pivot(entity, condition, trees)
            if node not in refs:
                refs.append(node)
        keys = [key_ref(entity, name) for name in entity.key]
        columns = tuple(Column(f"c{place}", ref) for place, ref in enumerate([*keys, *refs]))
        read = Select(entity, columns=columns)
        reader = Columns([*keys, *refs])
        expected = _bag([row[: len(keys)] for row in self.ask(read) if reader.test(condition, row) is True])
        kept = Select(entity, condition, columns=columns[: len(keys)])
        counted = Select(entity, condition, columns=(Column("n", Aggregate("count", None, False, INT)),))
        found = _bag(self.ask(kept))
        ((number,),) = self.ask(counted)
        if found != expected or number != expected.total():
            self.wrong(
                "no help", f"{found.total()} kept and {number} counted; worked out on the values read: {expected.total()}", kept, read
            )
        return None

    def pivot(self, entity: Entity, condition: Condition, trees: Trees) -> None:
        """A row, and a condition made true for it."""
        naive = Naive(self.data, NOW)
        visible = naive.select(prepare(Select(entity), NOW))
        if not visible:
            return
        row = self.random.choice(visible)
        truth = naive.test(condition, row)
        if truth is None:
            third = unknown(condition)
            if third is None:
                return
            condition = third
        elif truth is False:
            condition = Not(condition)
        select = Select(entity, condition)
        found = _bag(self.ask(select))
        if found[repr(exact(row))] != 1:
            self.wrong("pivot", f"the row {row!r} is there {found[repr(exact(row))]} times", select)
        other = trees.condition(entity, 1)
        narrowed = Select(entity, all_of(condition, any_of(other, condition)))
        if repr(exact(row)) not in _bag(self.ask(narrowed)):
            self.wrong("pivot", f"the row {row!r} is lost", narrowed)

    def cuts(self, entity: Entity, condition: Condition, trees: Trees) -> None:
        """Pieces of the whole, in its order; and the order itself."""
        order = tuple(trees.order(entity) for _ in range(self.random.choice((0, 1, 2))))
        order += tuple(Order(key_ref(entity, name)) for name in entity.key)
        whole = Select(entity, condition, order)
        rows = self.ask(whole)
        naive = Naive(self.data, NOW)
        expected = naive.select(prepare(whole, NOW))
        if exact(list(rows)) != exact(expected):
            self.wrong("cuts", f"{rows!r} where {expected!r} are right", whole)
        limit, offset = self.random.choice((0, 1, 2, 3)), self.random.choice((0, 1, 2, 40))
        piece = Select(entity, condition, order, limit, offset)
        if exact(list(self.ask(piece))) != exact(list(rows[offset : offset + limit])):
            self.wrong("cuts", "the piece is not a piece of the whole", piece)


def _bag(rows: Any) -> Counter[str]:
    """Rows without order, told apart by type and bit."""
    return Counter(repr(exact(row)) for row in rows)


_KINDS: dict[str, Callable[[Logic, Entity, Condition, Trees], None]] = {
    "partition": Logic.partition, "aggregates": Logic.aggregates, "no help": Logic.unhelped, "pivot": Logic.pivot, "cuts": Logic.cuts,
}  # fmt: skip


@contextmanager
def places(engine: str) -> Iterator[Callable[[], Any]]:
    """How to make new backends of that name."""
    with tempfile.TemporaryDirectory(prefix="holdall-querylogic-") as folder:
        numbers = iter(range(1_000_000))
        urls = {"memory": lambda: "memory:", "sqlite, in memory": lambda: "sqlite:?synchronous=off",
                "sqlite, file": lambda: f"sqlite:///{Path(folder) / f'{next(numbers)}.db'}?synchronous=off"}  # fmt: skip
        yield lambda: backend_for(urls[engine]())


def logic(make: Callable[[], Any], budget: Budget, *salt: Any, enough: int = 0) -> Outcome:
    """`budget.count` queries; with `enough`, until so many are wrong."""
    outcome = Outcome(0)
    kinds: Counter[str] = Counter()
    schemas = 0
    while outcome.done < budget.count and not budget.over() and not (enough and outcome.found >= enough):
        random = budget.random(*salt, schemas)
        schemas += 1
        schema = random_schema(random).make()
        backend = make()
        run(backend.open(), backend.perform)
        try:
            run(backend.ensure_schema(schema.entities()), backend.perform)
            pools = schema.pools()
            asked = Logic(backend, schema.entities(), Ground(pools, now=NOW), random, budget.seed)
            asked.fill(pools)
            asked.entities = [cls.__entity__ for cls in schema.classes.values()]
            share = min(150 if enough else QUERIES_PER_SCHEMA, budget.count - outcome.done, max(budget.count // 4, 50))
            while asked.done < share and not budget.over() and not (enough and asked.found >= enough):
                asked.round()
        finally:
            run(backend.close(), backend.perform)
        outcome.done += asked.done
        outcome.found += asked.found
        outcome.findings = (outcome.findings + asked.findings)[:3]
        kinds += asked.by_kind
    outcome.figures = {"schemas": schemas, **{f"queries, {kind}": number for kind, number in sorted(kinds.items())}}
    return outcome


def _on(engine: str) -> Callable[[Budget], Outcome]:
    def part(budget: Budget) -> Outcome:
        with places(engine) as make:
            return logic(make, budget, engine)

    return part


def _planted(budget: Budget) -> Outcome:
    """Every planted fault is to be found. A fast share tries some of them."""
    outcome = Outcome(0)
    faults = READ_FAULTS if budget.count >= 200_000 else tuple(budget.random("faults").sample(READ_FAULTS, 4))
    missed: list[str] = []

    def with_fault(fault: Fault) -> Callable[[], Any]:
        return lambda: fault.over(backend_for("memory:"))

    for fault in faults:
        share = Budget(budget.seed, budget.count // len(faults), budget.seconds / len(faults))
        found = logic(with_fault(fault), share, fault.name, enough=1)
        outcome.done += found.done
        outcome.found += bool(found.found)
        outcome.findings += [Finding(f"{fault.name}: {item.what}", item.seed, item.script) for item in found.findings[:1]]
        if not found.found:
            missed.append(fault.name)
    outcome.figures = {"planted": len(faults), "found": len(faults) - len(missed)}
    if missed:
        outcome.found, outcome.findings = 0, [Finding(f"Not found: {', '.join(missed)}", budget.seed)]
    return outcome


PROOF = Proof(
    number=6,
    title="query logic",
    oracle="ternary partitions, the condition worked out row by row on values read, pivot rows, pieces of the whole",
    aim="200 k queries per backend",
    parts=[
        *(Part(f"on {engine}", _on(engine), "queries", 200_000, 500, seconds=1500, engine=engine)
          for engine in ("memory", "sqlite, in memory", "sqlite, file")),
        Part("planted faults", _planted, "queries", 200_000, 40_000, seconds=600, fast_seconds=80, control=True, engine="memory"),
    ],
)  # fmt: skip
