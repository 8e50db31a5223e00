"""Scenarios: a few clients with a transaction or a single call each, made from a seed, and what may come of them.

Owns how they are made, how they are run as programs, and two oracles: for SERIALIZABLE, the outcome of some order of the clients one
after the other; for SNAPSHOT, each client alone on the state in which it began. Both run the clients alone on a store of the same kind,
so they know nothing of concurrency. Must not know schedules.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from holdall.backends import Delete, Insert, Isolation
from holdall.errors import ConstraintViolation
from holdall.program import Program
from proofs._concurrency.steps import ACCOUNT, ANY, COMPOUND, LINKS, MEMBER, NOW, OF, PERSON, READS, STEPS, TABLES, TEAM, Step
from proofs._concurrency.words import Port, lost

State = tuple[tuple[tuple[Any, ...], ...], ...]  # the visible rows of each table, by key
LOST = "lost"
LATER = NOW + dt.timedelta(days=1)


@dataclass(frozen=True)
class Unit:
    """One client: a transaction of several steps, or one call that stands alone (`level` None)."""

    level: Isolation | None
    steps: tuple[Step, ...]
    read_only: bool = False
    undone: bool = False  # rolled back at its end, on purpose

    def __repr__(self) -> str:
        level = None if self.level is None else f"Isolation.{self.level.name}"
        return f"Unit({level}, {self.steps!r}, {self.read_only}, {self.undone})"


@dataclass(frozen=True)
class Scenario:
    """What is there, and who does what. `expired` are people who are there too, but invisible: they may only be in the way."""

    state: State
    units: tuple[Unit, ...]
    expired: tuple[tuple[Any, ...], ...] = ()


# Scenarios by chance


@dataclass(frozen=True)
class _Theme:
    """What the steps of one scenario are drawn from: few kinds and few keys, so that clients meet."""

    rng: random.Random
    names: tuple[str, ...]
    tables: tuple[int, ...]
    keys: int

    def key(self) -> int:
        return self.rng.randint(1, self.keys)

    def text(self) -> str:
        return "abcd"[self.rng.randrange(self.keys)]

    def until(self) -> Any:
        return self.rng.choice((None, None, None, LATER, NOW))

    def links(self) -> tuple[int | None, ...]:
        """References of a member: mostly one."""
        link = self.rng.randrange(len(LINKS))
        return tuple(self.key() if at == link or self.rng.random() < 0.2 else None for at in range(len(LINKS)))

    def row(self, table: int) -> tuple[Any, ...]:
        rng = self.rng
        return (
            (self.key(), rng.randint(0, 9), rng.randint(1, 2)),
            (self.key(), self.text(), self.key(), self.until()),
            (self.key(), rng.randint(0, 3)),
            (self.key(), *self.links(), rng.randint(0, 2)),
        )[table]

    def patch(self, table: int) -> Step:
        key, rng = self.key(), self.rng
        return rng.choice((
            ((0, key, "balance", rng.randint(0, 9)), (0, key, "branch", rng.randint(1, 2))),
            ((1, key, "name", self.text()), (1, key, "age", self.key()), (1, key, "id", self.key()), (1, key, "until", self.until())),
            ((2, key, "size", rng.randint(0, 3)), (2, key, "id", self.key())),
            tuple((3, key, link, self.rng.choice((None, self.key()))) for link in LINKS),
        )[table])  # fmt: skip

    def step(self) -> Step:
        rng, key, text = self.rng, self.key, self.text
        name = rng.choice(self.names)
        table = rng.choice(self.tables)
        gone = ((0, "balance", "lt", 8), (1, "age", "eq", key()), (2, "size", "eq", 1), (3, "number", "lt", 2))
        up = ((0, self.row(0), "id", ("balance",)), (1, self.row(1), "name", ("age",)), (1, self.row(1), "id", ()))
        made: dict[str, Callable[[], Step]] = {
            "accounts": lambda: rng.choice(
                (("branch", "eq", rng.randint(1, 2)), ("balance", "gte", rng.randint(0, 9)), ("id", "lte", key()))
            ),
            "people": lambda: rng.choice((("name", "eq", text()), ("age", "gte", key()), ("name", "gte", text()))),
            "members": lambda: rng.choice(((rng.choice(LINKS), "eq", key()), ("number", "eq", rng.randint(0, 2)))),
            "fetch": lambda: (table, *{key() for _ in range(2)}),
            "locked": lambda: (table, key()),
            "total": lambda: (rng.randint(1, 2),),
            "teams_with": lambda: (rng.choice(("any", "none", "every")), rng.randint(0, 2)),
            "pages": lambda: (),
            "transfer": lambda: (key(), key(), rng.randint(1, 5)),
            "deposit": lambda: (key(), rng.randint(1, 5)),
            "interest": lambda: (rng.randint(1, 2),),
            "poor_move": lambda: (rng.randint(1, 12), rng.randint(1, 2)),
            "insert": lambda: (table, self.row(table)),
            "two_inserts": lambda: (2, self.row(2), 3, self.row(3)),
            "patch": lambda: self.patch(table),
            "delete": lambda: (table, key()),
            "delete_where": lambda: gone[table],
            "upsert": lambda: rng.choice(up),
            "if_none": lambda: (text(), key()),
            "empty_team": lambda: (key(),),
        }
        return (name, *made[name]())


def a_scenario(rng: random.Random, level: Isolation, units: int, steps_max: int) -> Scenario:
    """A scenario from chance: most clients have a transaction of at most so many steps, some a single call."""
    tables = rng.choice(((0,), (1,), (2, 3), (2, 3), (0, 2, 3), (0, 1, 2, 3)))
    usual = ANY if len(tables) > 2 else ("fetch", "locked", "insert", "patch", "delete", "delete_where", *OF[tables])
    names = tuple(rng.sample(usual, min(len(usual), rng.choice((2, 3, 4, 6, 20)))))
    if set(names) <= set(COMPOUND):
        names = (*names, "fetch")
    theme = _Theme(rng, names, tables, rng.choice((1, 2, 2, 3)))
    state: State = (
        tuple((key, rng.randint(0, 9), rng.randint(1, 2)) for key in (1, 2, 3)[: theme.keys]),
        tuple((key, text, rng.randint(1, 4), None) for key, text in ((1, "a"), (2, "b"))),
        tuple((key, rng.randint(0, 3)) for key in range(1, theme.keys + 1)),
        tuple((key, *theme.links(), rng.randint(0, 2)) for key in (1, 2)[: theme.keys]),
    )
    made: list[Unit] = []
    for _ in range(units):
        if rng.random() < 0.2:
            step = theme.step()
            while step[0] in COMPOUND:
                step = theme.step()
            made.append(Unit(None, (step,)))
        else:
            steps = tuple(theme.step() for _ in range(rng.randint(1, steps_max)))
            only_reads = all(step[0] in READS and step[0] != "locked" for step in steps)
            made.append(Unit(level, steps, only_reads and rng.random() < 0.5, rng.random() < 0.05))
    expired = tuple((key, text, 1, NOW) for key, text in ((3, "c"), (4, "d")) if rng.random() < 0.5)
    return Scenario(state, tuple(made), expired)


# What was once wrong somewhere, or is classic: (rows of the tables, steps of each transaction).
ONE: State = (((1, 5, 1), (2, 5, 1)), ((1, "a", 1, None),), ((1, 0), (2, 0)), ((1, 1, None, None, 0), (2, None, 2, None, 0)))
_UNDONE: Step = ("undone",)
CORPUS: tuple[tuple[tuple[Step, ...], ...], ...] = (
    ((("delete", 2, 1), ("deposit", 1, 1)), (("fetch", 0, 1), ("delete", 3, 1))),  # a refused removal is something read
    ((("patch", 2, 1, "id", 3), ("deposit", 1, 1)), (("fetch", 0, 1), ("patch", 3, 1, "stays", None))),  # and a refused change of a key
    ((_UNDONE, ("deposit", 1, 1)), (("deposit", 2, 1),)),
    ((("delete", 2, 2),), (("insert", 3, (3, 2, None, None, 0)),)),  # parent and child
    ((("delete", 2, 2),), (("patch", 3, 1, "lets_go", 2),)),
    ((("patch", 2, 2, "id", 3),), (("insert", 3, (3, None, None, 2, 0)),)),
    ((("insert", 1, (2, "c", 2, None)),), (("insert", 1, (4, "c", 3, None)),)),  # the same where an expired row is in the way
    ((("upsert", 1, (3, "x", 2, None), "id", ("age",)),), (("patch", 1, 1, "id", 3),)),
    ((("insert", 1, (2, "b", 2, None)),), (("insert", 1, (3, "b", 3, None)),)),  # one unique value, two takers
    ((("patch", 1, 1, "name", "b"),), (("insert", 1, (2, "a", 2, None)),)),  # a unique value that becomes free
    ((("upsert", 1, (2, "b", 2, None), "name", ("age",)),), (("upsert", 1, (3, "b", 3, None), "name", ("age",)),)),
    ((("transfer", 1, 2, 1),), (("transfer", 2, 1, 2),)),  # lost update
    ((("fetch", 0, 1, 2), ("patch", 0, 1, "balance", 0)), (("fetch", 0, 1, 2), ("patch", 0, 2, "balance", 0))),  # write skew
    ((("total", 1), ("insert", 0, (3, 1, 1))), (("total", 1), ("insert", 0, (4, 1, 1)))),  # phantoms
    ((("interest", 1),), (("poor_move", 9, 2),)),
    ((("if_none", "b", 2),), (("if_none", "c", 2),)),
    ((("pages",), ("deposit", 1, 1)), (("fetch", 0, 1), ("insert", 0, (3, 1, 1)))),
    ((("empty_team", 1), ("deposit", 1, 1)), (("fetch", 0, 1), ("delete", 3, 1))),
    ((("locked", 0, 1), ("deposit", 2, 1)), (("locked", 0, 2), ("deposit", 1, 1))),
    ((("teams_with", "none", 0), ("deposit", 1, 1)), (("fetch", 0, 1), ("insert", 3, (3, 2, None, None, 1)))),
)


def corpus(number: int, level: Isolation) -> Scenario:
    """A scenario of the corpus."""
    given = [(tuple(step for step in steps if step is not _UNDONE), _UNDONE in steps) for steps in CORPUS[number]]
    return Scenario(ONE, tuple(Unit(level, steps, undone=undone) for steps, undone in given), ((3, "c", 1, NOW),))


# Running


def restore(port: Port, state: State, expired: Sequence[Any] = ()) -> Program[None]:
    """Put a state in place of what is there. The port must have no instant, so that it sees what is expired."""
    assert port.now is None
    yield from port.reset(*TABLES)
    rows = (state[0], (*state[1], *expired), *state[2:])
    yield from port.apply(*[Insert(entity, list(some)) for entity, some in zip(TABLES, rows, strict=True) if some])


def restored(port: Port, there: State, state: State, expired: Sequence[Any]) -> Program[None]:
    """Put a state in place of one that is known, by deletes and inserts of what differs (so that indexes live on)."""
    assert port.now is None
    batch: list[Any] = []
    people = yield from port.rows(PERSON)  # the expired too
    old = (there[0], tuple(people), *there[2:])
    new = (state[0], (*state[1], *expired), *state[2:])
    teams = old[2] != new[2]  # the members of a team that is removed go or let go
    for table in reversed(range(len(TABLES))):
        kept = set() if teams and table == 3 else set(new[table])
        batch += [Delete(TABLES[table], row[0], None, False) for row in old[table] if row not in kept]
    for table, entity in enumerate(TABLES):
        kept = set() if teams and table == 3 else set(old[table])
        rows = [row for row in new[table] if row not in kept]
        if rows:
            batch.append(Insert(entity, rows))
    if batch:
        yield from port.apply(*batch)


def stored(port: Port) -> Program[State]:
    """What is there."""
    accounts = yield from port.rows(ACCOUNT)
    people = yield from port.rows(PERSON)
    teams = yield from port.rows(TEAM)
    members = yield from port.rows(MEMBER)
    return tuple(accounts), tuple(people), tuple(teams), tuple(members)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


def unit_program(port: Port, unit: Unit, log: Callable[[str], None] = lambda _: None) -> Program[Any]:
    """Run a unit; its results, or LOST. A step that breaks a constraint is undone alone, and its result is the error's name.

    `log` is told 'begin' and 'commit' right after these have happened.
    """
    tx: Any = None
    try:
        if unit.level is None:
            results: list[Any] = [(yield from _tried(port, None, unit.steps[0]))]
            log("begin")
        else:
            tx = yield from port.begin(unit.level, unit.read_only)
            log("begin")
            results = []
            for step in unit.steps:
                results.append((yield from _tried(port, tx, step)))
            yield from port.rollback(tx) if unit.undone else port.commit(tx)
    except BaseException as error:
        if tx is not None:
            yield from port.rollback(tx)
        if not lost(error):
            raise
        return LOST
    log("commit")
    return tuple(results)


def _tried(port: Port, tx: Any, step: Step) -> Program[Any]:
    """The result of a step; the name of the constraint's error if it breaks one, in which case it is undone alone."""
    backend = port.backend
    mark = None if tx is None or step[0] in READS else (yield from backend.savepoint(tx))
    try:
        result = _frozen((yield from STEPS[step[0]](port, tx, *step[1:])))
    except ConstraintViolation as error:
        if mark is not None:
            yield from backend.rollback_to(tx, mark)
        return type(error).__name__
    if mark is not None:
        yield from backend.release(tx, mark)
    return result


# What must hold


def broken_rules(state: State) -> str:
    """A constraint that a state breaks, in words; '' if it keeps all."""
    accounts, people, teams, members = state
    for rows in (accounts, people, teams, members):
        keys = [row[0] for row in rows]
        if len(set(keys)) != len(keys):
            return f"a key is there twice: {rows}"
    names = [row[1] for row in people]
    if len(set(names)) != len(names):
        return f"a unique name is there twice: {people}"
    known = {row[0] for row in teams}
    for row in members:
        if any(link is not None and link not in known for link in row[1:4]):
            return f"member {row} refers to a team that is not there: {teams}"
    return ""


@dataclass
class Oracle:
    """What may come of a scenario. `alone` runs one unit on a state, with nobody else: (results, new state)."""

    scenario: Scenario
    alone: Callable[[State, Unit], tuple[Any, State]]
    _known: dict[tuple[State, int], tuple[Any, State]] = field(default_factory=dict[tuple[State, int], tuple[Any, State]])
    _serial: dict[frozenset[int], set[Any]] = field(default_factory=dict[frozenset[int], set[Any]])

    def run(self, state: State, number: int) -> tuple[Any, State]:
        """One unit alone, remembered."""
        known = self._known.get((state, number))
        if known is None:
            known = self._known[state, number] = self.alone(state, self.scenario.units[number])
        return known

    def serializable(self, results: Sequence[Any], final: State) -> str:
        """What is wrong with an outcome, if it is not that of the units that did not lose in some order; '' if it is."""
        done = frozenset(number for number, result in enumerate(results) if result != LOST)
        possible = self._serial.get(done)
        if possible is None:
            possible = self._serial[done] = {self._in_order(order) for order in itertools.permutations(sorted(done))}
        if (tuple(results), final) in possible:
            return ""
        orders = "\n".join(f"  {order}" for order in sorted(possible, key=repr))
        return f"no order of the units gives\n  {(tuple(results), final)}\nbut only\n{orders}"

    def _in_order(self, order: Sequence[int]) -> Any:
        state = self.scenario.state
        results: list[Any] = [LOST] * len(self.scenario.units)
        for number in order:
            results[number], state = self.run(state, number)
        return tuple(results), state

    def snapshot(self, results: Sequence[Any], final: State, events: Sequence[tuple[str, int]]) -> str:
        """What is wrong with an outcome under SNAPSHOT; `events` say in which order units began and committed."""
        states = [self.scenario.state]  # by number of commits
        changes: list[set[Any]] = []
        began: dict[int, int] = {}
        for what, number in events:
            if what == "begin":
                began[number] = len(changes)
                continue
            before = states[began[number]]
            expected, after = self.run(before, number)
            if expected != results[number]:
                return f"unit {number} began on\n  {before}\nand found\n  {results[number]}\nbut should have found\n  {expected}"
            changed = _changed(before, after)
            meanwhile = set[Any]().union(*changes[began[number] :])
            if changed.keys() & meanwhile:
                return f"unit {number} and one that committed since it began both wrote {sorted(changed.keys() & meanwhile)}"
            changes.append(set(changed))
            states.append(_with(states[-1], changed))
        if final != states[-1]:
            return f"the end is\n  {final}\nbut what was committed makes\n  {states[-1]}"
        return ""

    def without(self, unit: int, step: int | None) -> Oracle:
        """The oracle of a smaller scenario: without a unit, or without one of its steps."""
        units = list(self.scenario.units)
        if step is None:
            del units[unit]
        else:
            steps = units[unit].steps
            units[unit] = replace(units[unit], steps=steps[:step] + steps[step + 1 :])
        return Oracle(replace(self.scenario, units=tuple(units)), self.alone)


def _changed(before: State, after: State) -> dict[tuple[int, Any], Any]:
    """The rows that differ: by table and key, what they are afterwards."""
    found: dict[tuple[int, Any], Any] = {}
    for table, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new:
            was, now = ({row[0]: row for row in rows} for rows in (old, new))
            found |= {(table, key): now.get(key) for key in {*was, *now} if was.get(key) != now.get(key)}
    return found


def _with(state: State, changed: dict[tuple[int, Any], Any]) -> State:
    if not changed:
        return state
    tables = [{row[0]: row for row in rows} for rows in state]
    for (table, key), row in changed.items():
        if row is None:
            del tables[table][key]
        else:
            tables[table][key] = row
    return tuple(tuple(rows[key] for key in sorted(rows)) for rows in tables)
