"""Anomalies: what concurrent transactions may do to each other, as data: interleavings, and how to tell from what came of one.

Owns the catalogue (after Adya's phenomena and Martin Kleppmann's Hermitage) and which level must prevent which. Must not know stores, nor
how an interleaving is played: see `rivals` for one way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from holdall.backends import Isolation

Does = Literal["read", "find", "put", "insert", "delete", "raise", "remove", "commit", "rollback"]
Ended = Literal["open", "done", "undone", "conflict"]

ROWS: Mapping[int, int] = {1: 10, 2: 20}  # id: value, before every interleaving
LOST: Any = "never answered"  # what a read gave that its transaction did not live to make

READ_COMMITTED, SNAPSHOT, SERIALIZABLE = Isolation.READ_COMMITTED, Isolation.SNAPSHOT, Isolation.SERIALIZABLE
EVERY_LEVEL = frozenset(Isolation)
FROM_SNAPSHOT = frozenset({SNAPSHOT, SERIALIZABLE})
ONLY_SERIALIZABLE = frozenset({SERIALIZABLE})


@dataclass(frozen=True, slots=True)
class Step:
    """One call of one party. `by` names the transaction; '' is a caller without one, whose calls stand alone.

    read id…        the values with these ids, None for an absent one
    find low high   (id, value) of the rows with low <= value <= high, by id
    put id value    change one row
    insert id value, delete id
    raise low high by     add to the values from low to high (needs set_writes)
    remove low high       remove the rows with values from low to high (needs set_writes)
    commit, rollback
    """

    by: str
    does: Does
    args: tuple[int, ...] = ()

    @property
    def writes(self) -> bool:
        """Whether it changes rows."""
        return self.does in ("put", "insert", "delete", "raise", "remove")

    def __str__(self) -> str:
        return f"{self.by or 'anyone'} {self.does} {' '.join(map(str, self.args))}".rstrip()


@dataclass
class History:
    """What came of an interleaving: what each party saw, in the order of its reads, how each ended, and the rows afterwards."""

    seen: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])
    ended: dict[str, Ended] = field(default_factory=dict[str, Ended])
    final: dict[int, int] = field(default_factory=dict[int, int])

    def saw(self, by: str, number: int) -> Any:
        """What the party's read of that number (from 0) gave; LOST if it was not made."""
        found = self.seen.get(by, [])
        return found[number] if number < len(found) else LOST

    def done(self, *parties: str) -> bool:
        """Whether all of them committed."""
        return all(self.ended.get(party) == "done" for party in parties)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One interleaving. `shows` tells from a history whether the anomaly is in it; `prevented_by` are the levels that must not show it,
    the others may. `code` is Adya's or Hermitage's name."""

    code: str
    name: str
    story: str
    steps: tuple[Step, ...]
    shows: Callable[[History], bool]
    prevented_by: frozenset[Isolation]

    @property
    def parties(self) -> tuple[str, ...]:
        """The transactions, in the order in which they begin."""
        return tuple(dict.fromkeys(step.by for step in self.steps if step.by))

    @property
    def readers(self) -> frozenset[str]:
        """The transactions that only read."""
        return frozenset(self.parties) - {step.by for step in self.steps if step.writes}

    @property
    def needs(self) -> frozenset[str]:
        """The capabilities that it cannot be played without."""
        sets = {"set_writes"} if any(step.does in ("raise", "remove") for step in self.steps) else set[str]()
        return frozenset({"transactions"} | sets)

    @property
    def id(self) -> str:
        """A short name, unique in the catalogue."""
        return f"{self.code} {self.name}"

    def possible(self) -> dict[int, set[int | None]]:
        """For each id the values that rows may have afterwards, whoever lost: what was there, and what parties that commit wrote."""
        found: dict[int, set[int | None]] = {key: {value} for key, value in ROWS.items()}
        undone = {step.by for step in self.steps if step.does == "rollback"}
        for step in self.steps:
            if not step.writes or step.by in undone:
                continue
            if step.does in ("put", "insert"):
                key, value = step.args
                found.setdefault(key, {None}).add(value)
            elif step.does == "delete":
                found[step.args[0]].add(None)
            elif step.does == "remove":
                for values in found.values():
                    values.add(None)
            else:
                low, high, by = step.args
                for values in found.values():
                    values |= {value + by for value in set(values) if value is not None and low <= value <= high}
        return found


def _steps(text: str) -> tuple[Step, ...]:
    """Steps as they are written below: one a line, 'T1 put 1 11'; 'anyone' is the party without a transaction."""
    made: list[Step] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        by, does, *args = line.split()
        made.append(Step("" if by == "anyone" else by, does, tuple(int(arg) for arg in args)))  # type: ignore[arg-type]  # a Does
    return tuple(made)


def _both(history: History) -> bool:
    return history.done("T1", "T2")


def _values(found: Any) -> list[Any]:
    return [] if found is LOST else list(found)


def _ever(history: History, by: str, value: int | None) -> bool:
    """Whether a read of the party gave this value."""
    return any(value in _values(found) for found in history.seen.get(by, []))


def _backwards(history: History, by: str, states: Sequence[Mapping[int, int]], ids: Sequence[int]) -> bool:
    """Whether single reads of these ids, in turn, gave an older state after a newer one."""
    at = 0
    for number, key in enumerate(ids):
        found = history.saw(by, number)
        if found is LOST:
            return False
        state = next(index for index, rows in enumerate(states) if rows[key] == found[0])
        if state < at:
            return True
        at = state
    return False


_OTV_STATES = ({1: 10, 2: 20}, {1: 11, 2: 19}, {1: 12, 2: 18})

_TABLE: Sequence[tuple[str, str, str, str, Callable[[History], bool], frozenset[Isolation]]] = (
    (
        "G0", "dirty write", "Two transactions write the same two rows: afterwards both rows are of the same one.",
        """T1 put 1 11
           T2 put 1 12
           T2 put 2 22
           T1 put 2 21
           T1 commit
           T2 commit""",
        lambda h: (h.final[1], h.final[2]) not in {(11, 21), (12, 22), (10, 20)}, EVERY_LEVEL,
    ),
    (
        "G1a", "aborted write", "What was rolled back was never seen.",
        """T1 put 1 101
           T2 read 1
           T1 rollback
           T2 read 1
           T2 commit""",
        lambda h: _ever(h, "T2", 101), EVERY_LEVEL,
    ),
    (
        "G1a", "aborted insert", "A row whose insert was rolled back was never found.",
        """T1 insert 3 30
           T2 find 30 30
           T1 rollback
           T2 read 3
           T2 commit""",
        lambda h: _ever(h, "T2", 30) or bool(_values(h.saw("T2", 0))), EVERY_LEVEL,
    ),
    (
        "G1a", "aborted delete", "A row whose removal was rolled back was never missed.",
        """T1 delete 2
           T2 read 2
           T1 rollback
           T2 read 2
           T2 commit""",
        lambda h: _ever(h, "T2", None), EVERY_LEVEL,
    ),
    (
        "G1a", "aborted write, seen by a caller alone", "A call outside transactions sees only what was committed.",
        """T1 put 1 101
           anyone read 1
           T1 rollback
           anyone read 1""",
        lambda h: _ever(h, "", 101), EVERY_LEVEL,
    ),
    (
        "G1b", "intermediate read", "A value that was written over before the commit was never seen.",
        """T1 put 1 101
           T2 read 1
           T1 put 1 11
           T1 commit
           T2 read 1
           T2 commit""",
        lambda h: _ever(h, "T2", 101), EVERY_LEVEL,
    ),
    (
        "G1b", "intermediate read by a caller alone", "A call outside transactions sees no value that was written over before the commit.",
        """T1 put 1 101
           anyone read 1
           T1 put 1 11
           anyone read 1
           T1 commit
           anyone read 1""",
        lambda h: _ever(h, "", 101) or (h.saw("", 1) == [11]), EVERY_LEVEL,
    ),
    (
        "G1b", "intermediate row", "A row that was made and removed in one transaction was never found.",
        """T1 insert 3 30
           T2 find 30 30
           T1 delete 3
           T1 commit
           T2 find 30 30
           T2 commit""",
        lambda h: bool(_values(h.saw("T2", 0)) or _values(h.saw("T2", 1))), EVERY_LEVEL,
    ),
    (
        "G1c", "circular information flow", "Two transactions cannot both have seen what the other wrote.",
        """T1 put 1 11
           T2 put 2 22
           T1 read 2
           T2 read 1
           T1 commit
           T2 commit""",
        lambda h: _both(h) and h.saw("T1", 0) == [22] and h.saw("T2", 0) == [11], EVERY_LEVEL,
    ),
    (
        "OTV", "observed transaction vanishes", "Once a reader has seen a transaction's write, it sees no older state.",
        """T1 put 1 11
           T1 put 2 19
           T2 put 1 12
           T1 commit
           T3 read 1
           T3 read 2
           T2 put 2 18
           T2 commit
           T3 read 2
           T3 read 1
           T3 commit""",
        lambda h: _backwards(h, "T3", _OTV_STATES, (1, 2, 2, 1)), FROM_SNAPSHOT,
    ),
    (
        "PMP", "predicate, many preceders", "Asked twice, a condition finds the same rows.",
        """T1 find 30 99
           T2 insert 3 30
           T2 commit
           T1 find 30 99
           T1 commit""",
        lambda h: h.saw("T1", 1) is not LOST and h.saw("T1", 0) != h.saw("T1", 1), FROM_SNAPSHOT,
    ),
    (
        "PMP", "predicate, many preceders, of removed rows", "Asked twice, a condition finds the same rows.",
        """T1 find 15 25
           T2 delete 2
           T2 commit
           T1 find 15 25
           T1 commit""",
        lambda h: h.saw("T1", 1) is not LOST and h.saw("T1", 0) != h.saw("T1", 1), FROM_SNAPSHOT,
    ),
    (
        "PMP", "predicate, many preceders, of a writer", "A condition removes what it has found, or the remover loses.",
        """T2 find 20 20
           T1 raise 0 99 10
           T1 commit
           T2 remove 20 20
           T2 find 20 20
           T2 commit""",
        lambda h: _both(h) and h.saw("T2", 0) == [(2, 20)] and (h.saw("T2", 1) != [] or h.final != {1: 20}), FROM_SNAPSHOT,
    ),
    (
        "P4", "lost update", "Of two who read a row and then write it, one loses.",
        """T1 read 1
           T2 read 1
           T1 put 1 11
           T2 put 1 12
           T1 commit
           T2 commit""",
        lambda h: _both(h) and h.saw("T1", 0) == h.saw("T2", 0) == [10], FROM_SNAPSHOT,
    ),
    (
        "P4", "lost update, by one who is late", "Who writes a row that was changed since he read it loses.",
        """T1 read 1
           T2 read 1
           T2 put 1 12
           T2 commit
           T1 put 1 11
           T1 commit""",
        lambda h: _both(h) and h.saw("T1", 0) == [10], FROM_SNAPSHOT,
    ),
    (
        "P4", "lost update of a caller alone", "Who writes a row that a call outside transactions changed since he read it loses.",
        """T1 read 1
           anyone put 1 12
           T1 put 1 11
           T1 commit""",
        lambda h: h.done("T1", "") and h.saw("T1", 0) == [10], FROM_SNAPSHOT,
    ),
    (
        "P4", "lost update of a removed row", "Who writes a row that was removed since he read it loses.",
        """T1 read 2
           T2 delete 2
           T2 commit
           T1 put 2 21
           T1 commit""",
        lambda h: _both(h) and h.saw("T1", 0) == [20], FROM_SNAPSHOT,
    ),
    (
        "G-single", "read skew", "A transaction sees both of two rows before another's change of them, or both after.",
        """T1 read 1
           T2 put 1 12
           T2 put 2 18
           T2 commit
           T1 read 2
           T1 commit""",
        lambda h: (h.saw("T1", 0), h.saw("T1", 1)) in [([10], [18]), ([12], [20])], FROM_SNAPSHOT,
    ),
    (
        "G-single", "read skew of conditions", "A row that was found by one condition is not found by one that only its later value meets.",
        """T1 find 0 10
           T2 put 1 12
           T2 commit
           T1 find 11 15
           T1 commit""",
        lambda h: h.saw("T1", 0) == [(1, 10)] and h.saw("T1", 1) == [(1, 12)], FROM_SNAPSHOT,
    ),
    (
        "G-single", "read skew of a writer", "Who removes by a condition what was changed since he read beside it loses.",
        """T1 read 1
           T2 put 1 12
           T2 put 2 18
           T2 commit
           T1 remove 20 20
           T1 commit""",
        lambda h: _both(h) and h.saw("T1", 0) == [10], FROM_SNAPSHOT,
    ),
    (
        "G2-item", "write skew", "Of two who read two rows and then each write the other one, one loses.",
        """T1 read 1 2
           T2 read 1 2
           T1 put 1 11
           T2 put 2 21
           T1 commit
           T2 commit""",
        lambda h: _both(h) and h.saw("T1", 0) == h.saw("T2", 0) == [10, 20], ONLY_SERIALIZABLE,
    ),
    (
        "G2-item", "write skew over absent rows", "That a row is absent is something read.",
        """T1 read 3 4
           T2 read 3 4
           T1 insert 4 40
           T2 insert 3 30
           T1 commit
           T2 commit""",
        lambda h: _both(h) and h.saw("T1", 0) == h.saw("T2", 0) == [None, None], ONLY_SERIALIZABLE,
    ),
    (
        "G2", "anti-dependency cycle", "Of two who find nothing and then each insert what the other would have found, one loses.",
        """T1 find 30 99
           T2 find 30 99
           T1 insert 3 30
           T2 insert 4 42
           T1 commit
           T2 commit""",
        lambda h: _both(h) and h.saw("T1", 0) == h.saw("T2", 0) == [], ONLY_SERIALIZABLE,
    ),
    (
        "G2", "anti-dependency cycle of set writes", "Of two who change by a condition what the other one would move into it, one loses.",
        """T1 read 1
           T2 read 1
           T1 raise 10 10 10
           T2 raise 20 20 -10
           T1 commit
           T2 commit""",
        # One after the other, both rows end with the same value: 10 if T1 is first, 20 if T2 is.
        lambda h: _both(h) and h.saw("T1", 0) == h.saw("T2", 0) == [10] and h.final == {1: 20, 2: 10}, ONLY_SERIALIZABLE,
    ),
    (
        "G2", "anti-dependency cycle with a reader", "A reader cannot see one of two writers alone, if only the other one comes before it.",
        """T1 find 0 99
           T2 put 2 25
           T2 commit
           T3 find 0 99
           T3 commit
           T1 put 1 0
           T1 commit""",
        lambda h: h.done("T1", "T2", "T3") and h.saw("T1", 0) == [(1, 10), (2, 20)] and h.saw("T3", 0) == [(1, 10), (2, 25)],
        ONLY_SERIALIZABLE,
    ),
)  # fmt: skip

SCENARIOS: tuple[Scenario, ...] = tuple(
    Scenario(code, name, story, _steps(steps), shows, prevented_by) for code, name, story, steps, shows, prevented_by in _TABLE
)
