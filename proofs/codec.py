"""Codec round trip: what is stored comes back, in its type and every bit; it is found by equality, and sorts as its type does.

At the port, in bulk: thousands of values of one type are inserted with one call and read back. Then all of them sorted by the engine are
compared with Python's order, and some are looked for by equality. The faults of the controls stand between the proof and the backend.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from holdall.backends import Insert, Native
from holdall.backends.registry import backend_for
from holdall.errors import HoldallError
from holdall.program import run
from holdall.query import Compare, Membership, Order, Select, Value, key_ref, prepare
from holdall.schema import Entity, Field, Type, container_text
from holdall.testing.proxy import Through, through
from proofs._values import maker, same
from proofs.harness import Budget, Finding, Outcome, Part, Proof

INT, STR = Type("int"), Type("str")
_POINT = Type("record", fields=(("x", Type("float"), False), ("label", STR, True), ("when", Type("datetime"), True)))
TYPES: dict[str, Type] = {
    "str": STR,
    "int": INT,
    "float": Type("float"),
    "bool": Type("bool"),
    "bytes": Type("bytes"),
    "decimal": Type("decimal"),
    "decimal with places": Type("decimal", places=4),
    "decimal of 12 digits, 2 places": Type("decimal", digits=12, places=2),
    "decimal of 38 digits, 0 places": Type("decimal", digits=38, places=0),
    "decimal of 38 digits, 19 places": Type("decimal", digits=38, places=19),
    "datetime": Type("datetime"),
    "local datetime": Type("local_datetime"),
    "date": Type("date"),
    "time": Type("time"),
    "timedelta": Type("timedelta"),
    "uuid": Type("uuid"),
    "enum of text": Type("str", choices=("", "a", "A", "ß", "a ", "null", "0")),
    "enum of numbers": Type("int", choices=(0, 1, -1, 2**63 - 1, -(2**63))),
    "json": Type("json"),
    "list of text": Type("list", item=STR),
    "list of float or null": Type("list", item=Type("float"), item_nullable=True),
    "list of lists of decimal": Type("list", item=Type("list", item=Type("decimal"))),
    "list of datetime": Type("list", item=Type("datetime")),
    "list of timedelta": Type("list", item=Type("timedelta")),
    "set of text": Type("set", item=STR),
    "set of int or null": Type("set", item=INT, item_nullable=True),
    "set of uuid": Type("set", item=Type("uuid")),
    "set of bytes": Type("set", item=Type("bytes")),
    "dict of int": Type("dict", item=INT),
    "dict of json": Type("dict", item=Type("json")),
    "record": _POINT,
    "list of records": Type("list", item=_POINT),
}
BATCH = 5000
LOOKED_FOR = 12  # of each batch, by equality


def entity_of(name: str, type_: Type) -> Entity:
    """A table for values of one type, null included."""
    fields = (Field("id", "id", INT, 0), Field("value", "value", type_, 1, nullable=True))
    return Entity(
        "".join(c if c.isalnum() else "_" for c in name), "v_" + "".join(c if c.isalnum() else "_" for c in name), fields, ("id",)
    )


@dataclass
class Trip:
    """Round trips of one type through one backend."""

    backend: Any
    name: str
    type: Type
    seed: int
    findings: list[Finding] = field(default_factory=list)
    found: int = 0

    def __post_init__(self) -> None:
        self.entity = entity_of(self.name, self.type)
        self.ref = key_ref(self.entity, "value")
        self.make = maker(self.type)
        self.do(self.backend.ensure_schema([self.entity]))

    def do(self, program: Any) -> Any:
        return run(program, self.backend.perform)

    def select(self, select: Select) -> list[Any]:
        plan = self.backend.plan(prepare(select, None))
        assert isinstance(plan, Native), plan
        found: list[Any] = self.do(self.backend.select(plan, None))
        return found

    def wrong(self, what: str, rows: list[Any]) -> None:
        """Note a finding; `rows` are enough to see it again."""
        self.found += 1
        if len(self.findings) < 3:
            self.findings.append(Finding(f"{self.name}: {what}", self.seed, script(self.name, rows)))

    def batch(self, random: Any, size: int) -> None:
        """Store so many values, and look at them in three ways."""
        values = [None if random.random() < 0.01 else self.make(random) for _ in range(size)]
        rows = list(enumerate(values))
        try:
            self.do(self.backend.apply((Insert(self.entity, rows),), "atomic", None, None))
            self.read(rows)
            if self.type.orderable:
                self.order(rows)
            for at in random.sample(range(size), min(size, LOOKED_FOR)):
                self.find(rows, rows[at])
        except HoldallError as error:
            self.wrong(f"{error!r} with a batch of {size}", rows[:3])
        self.do(self.backend.reset([self.entity]))

    def read(self, rows: list[Any]) -> None:
        stored = dict(self.select(Select(self.entity)))
        if len(stored) != len(rows):
            self.wrong(f"{len(rows)} rows stored, {len(stored)} read", rows[:3])
        for at, value in rows:
            # One comparison of text is enough nearly always; containers without an order need the longer way.
            if at not in stored or not same(stored[at], value):
                self.wrong(f"stored {value!r}, read {stored.get(at)!r}", [(at, value)])

    def order(self, rows: list[Any]) -> None:
        """By the engine, nulls last, ties by key: as Python sorts the same values."""
        expected = sorted(rows, key=lambda row: (row[1] is None, () if row[1] is None else (row[1],), row[0]))
        found = [row[0] for row in self.select(Select(self.entity, order=(Order(self.ref),)))]
        for place, (row, at) in enumerate(zip(expected, found, strict=False)):
            if row[0] != at:
                before = expected[max(place - 1, 0) : place + 1]
                self.wrong(f"the engine's order puts {rows[at][1]!r} where {row[1]!r} belongs", [*before, rows[at]])
                return

    def find(self, rows: list[Any], row: Any) -> None:
        """Equality finds exactly the rows with that value."""
        _, value = row
        if value is None:
            return
        equal = self._equal(value)
        expected = [key for key, other in rows if other is not None and equal(other)]
        for condition in (Compare(self.ref, "eq", Value(value, self.type)), Membership(self.ref, (value,), self.type)):
            found = sorted(key for key, _ in self.select(Select(self.entity, condition)))
            if found != expected:
                self.wrong(f"looking for {value!r} found {len(found)} rows, not {len(expected)}", [row])

    def _equal(self, value: Any) -> Callable[[Any], bool]:
        if self.type.orderable:
            return lambda other: bool(other == value)
        text = container_text(self.type, value)
        return lambda other: container_text(self.type, other) == text


def script(name: str, rows: list[Any]) -> str:
    """A test that stores these values and reads them back."""
    return f'''import datetime
from decimal import Decimal
from uuid import UUID

from proofs.codec import TYPES, Trip
from holdall.backends.registry import backend_for
from holdall.schema import JSON_NULL


def test_found() -> None:
    for url in ("memory:", "sqlite:"):
        trip = Trip(backend_for(url), {name!r}, TYPES[{name!r}], 0)
        values = {[value for _, value in rows]!r}
        trip.make = lambda random, left=iter(values): next(left)
        trip.batch(Certain(), len(values))
        assert not trip.findings, trip.findings


class Certain:
    """No chance: no nulls, and everything is looked for."""

    def random(self) -> float:
        return 1.0

    def sample(self, items: range, size: int) -> list[int]:
        return list(items)
'''


@contextmanager
def place(engine: str) -> Iterator[Any]:
    """A backend of that name, opened, in a folder of its own where it needs one."""
    with tempfile.TemporaryDirectory(prefix="holdall-codec-") as folder:
        file = f"sqlite:///{Path(folder) / 'values.db'}?synchronous=off"
        backend = backend_for({"memory": "memory:", "sqlite, in memory": "sqlite:", "sqlite, file": file}[engine])
        run(backend.open(), backend.perform)
        try:
            yield backend
        finally:
            run(backend.close(), backend.perform)


def round_trips(engine: str, budget: Budget, fault: type[Through] | None = None) -> Outcome:
    """`budget.count` values of every type; of each type as many, also when time is short."""
    outcome = Outcome(0)
    with place(engine) as inner:
        backend = inner if fault is None else through(fault, inner)
        trips = [Trip(backend, name, type_, budget.seed) for name, type_ in TYPES.items()]
        while outcome.done < budget.count and not budget.over():
            size = min(BATCH, budget.count - outcome.done)
            for trip in trips:
                trip.batch(budget.random(trip.name, outcome.done), size)
            outcome.done += size
        for trip in trips:
            outcome.found += trip.found
            outcome.findings += trip.findings
    outcome.figures = {"types": len(TYPES), "values": outcome.done * len(TYPES)}
    return outcome


class _Faulty(Through):
    """Changes values on their way in."""

    def change(self, value: Any) -> Any:
        raise NotImplementedError

    def apply(self, batch: Any, *args: Any) -> Any:
        changed = [
            Insert(item.entity, [(row[0], None if row[1] is None else self.change(row[1])) for row in item.rows])
            if isinstance(item, Insert)
            else item
            for item in batch
        ]
        return self.inner.apply(changed, *args)


class ShortFloats(_Faulty):
    """Floats with 15 digits, as many an engine prints them."""

    def change(self, value: Any) -> Any:
        return float(f"{value:.15g}") if type(value) is float else value


class DecimalsAsFloats(_Faulty):
    """Decimals by way of a float, as SQLite's NUMERIC does."""

    def change(self, value: Any) -> Any:
        if type(value) is not Decimal:
            return value
        exponent = value.as_tuple().exponent
        assert isinstance(exponent, int)
        digits = f"{float(value):.{-exponent}f}"
        return Decimal(digits) if len(digits) < 38 else value


class Milliseconds(_Faulty):
    """Times cut to milliseconds."""

    def change(self, value: Any) -> Any:
        part = getattr(value, "microsecond", None)
        return value if part is None else value.replace(microsecond=part // 1000 * 1000)


class Trimmed(_Faulty):
    """Text without its trailing spaces, as in a CHAR column."""

    def change(self, value: Any) -> Any:
        return value.rstrip(" ") if type(value) is str else value


class UnorderedLists(_Faulty):
    """Lists kept as sorted sets."""

    def change(self, value: Any) -> Any:
        return tuple(sorted(set(value))) if type(value) is tuple and all(type(item) is str for item in value) else value


class OrderByText(Through):
    """Numbers sorted by their text: what comes of keeping them as text without thought."""

    def select(self, plan: Any, tx: Any) -> Any:
        rows = yield from self.inner.select(plan, tx)
        kind = plan.select.entity.by_name["value"].type.kind
        if plan.select.order and kind in ("int", "decimal"):
            rows = sorted(rows, key=lambda row: (row[1] is None, str(row[1]), row[0]))
        return rows


FAULTS: tuple[type[Through], ...] = (ShortFloats, DecimalsAsFloats, Milliseconds, Trimmed, UnorderedLists, OrderByText)


def _through(engine: str) -> Callable[[Budget], Outcome]:
    return lambda budget: round_trips(engine, budget)


def _planted(budget: Budget) -> Outcome:
    """Every planted fault, each with a share of the count; not to find one of them is to find nothing."""
    outcome = Outcome(0)
    missed: list[str] = []
    for fault in FAULTS:
        part = round_trips("memory", Budget(budget.seed, max(budget.count // len(FAULTS), 60), budget.seconds), fault)
        outcome.done += part.done
        outcome.found += part.found
        outcome.findings += part.findings[:1]
        if not part.found:
            missed.append(fault.__name__)
    outcome.figures = {"planted": len(FAULTS), "found": len(FAULTS) - len(missed)}
    if missed:
        outcome.found, outcome.findings = 0, [Finding(f"Not found: {', '.join(missed)}", budget.seed)]
    return outcome


_ENGINES = ("memory", "sqlite, in memory", "sqlite, file")
PROOF = Proof(
    number=4,
    title="codec round trip",
    oracle="what is read is what was stored, in type and every bit; Python's equality and order of the canonical values",
    aim="1 M values per type and backend",
    parts=[
        *(
            Part(f"through {engine}", _through(engine), "values of each type", 1_000_000, 250, seconds=2400, engine=engine)
            for engine in _ENGINES
        ),
        Part("planted faults", _planted, "values of each type", 6000, 900, control=True, engine="memory"),
    ],
)
