"""Cycles: finds isolation anomalies in a history of transactions on lists and sets, in the manner of Elle.

Owns the history's form, the order of versions inferred from what was read, the dependency graph (ww, wr, rw and real time), the search for
cycles, and what each level forbids. Must not know how histories are made.

A list is only appended to, each time a number that is never used again for it; so whoever reads a list tells its whole past. A set is only
added to; whoever asks for it tells which additions came before him and which after.

    G0                cycle of ww: writes of two transactions are interleaved
    G1a               read of what a transaction wrote that failed
    G1b               read of a list as it was in the middle of a transaction
    G1c               cycle of ww and wr
    lost-update       cycle with one rw, in which two transactions append to the list that both had read as the same
    G-single          cycle with one rw: a transaction saw a part of another
    G-nonadjacent     cycle with several rw, no two of them in a row
    G2-item           cycle with two rw in a row at least, all about lists: write skew
    G2                the same through sets: phantoms
    …-realtime        a cycle that exists only because one transaction ended before another began
    own-write         a transaction does not see what it wrote
    non-repeatable    a transaction reads a list twice, and others wrote in between
    unwritten, duplicate, incompatible-order, lost-append: what was read fits no order of the appends at all
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from holdall.backends import Isolation

Outcome = Literal["ok", "fail", "unknown"]
Op = tuple[Literal["read", "append", "seen", "add"], Any, Any]

WW, WR, RW, SET, RT = 1, 2, 4, 8, 16  # SET: an rw through a set
_NAMES = {WW: "ww", WR: "wr", RW: "rw", SET: "rw (set)", RT: "ended before"}
ANTI = RW | SET
DATA = WW | WR | RW | SET


@dataclass(slots=True)
class Txn:
    """One transaction: who ran it, when it began and ended (any clock that all share), how it ended, what it did.

    Operations: ('read', key, tuple read), ('append', key, number), ('seen', key, frozenset seen), ('add', key, number).
    """

    process: int
    began: int
    ended: int = 0
    outcome: Outcome = "unknown"
    ops: list[Op] = field(default_factory=list[Op])
    note: str = ""

    def __str__(self) -> str:
        done = ", ".join(f"{name} {key}: {sorted(value) if name == 'seen' else value}" for name, key, value in self.ops)
        return f"client {self.process} [{self.began}, {self.ended}] {self.outcome}: {done}{' ' if self.note else ''}{self.note}"


@dataclass(frozen=True)
class Anomaly:
    """One anomaly, and how it is seen."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.what}"


_COMMITTED = frozenset({"G0", "G1a", "G1b", "G1c", "unwritten", "duplicate", "incompatible-order", "lost-append", "own-write"})
_SNAPSHOT = _COMMITTED | {"non-repeatable", "lost-update", "G-single", "G-nonadjacent"}
_SERIALIZABLE = _SNAPSHOT | {"G2-item", "G2"}
FORBIDDEN: Mapping[Isolation, frozenset[str]] = {
    Isolation.READ_COMMITTED: _COMMITTED,
    Isolation.SNAPSHOT: _SNAPSHOT,
    Isolation.SERIALIZABLE: _SERIALIZABLE,
}


def forbidden(level: Isolation, found: Iterable[Anomaly], *, realtime: bool) -> list[Anomaly]:
    """Those that the level forbids; with `realtime`, also those seen only by the order of time (strong SNAPSHOT, strict SERIALIZABLE)."""
    kinds = FORBIDDEN[level]
    if realtime:
        kinds |= {f"{kind}-realtime" for kind in kinds}
    return [anomaly for anomaly in found if anomaly.kind in kinds]


def check(history: Sequence[Txn], *, realtime: bool = True) -> list[Anomaly]:
    """The anomalies of a history, one of each kind for each knot of transactions."""
    checker = _Checker(history)
    checker.values()
    if realtime:
        checker.time()
    checker.cycles(realtime)
    return checker.found


class _Checker:
    def __init__(self, history: Sequence[Txn]) -> None:
        self.history = history
        self.found: list[Anomaly] = []
        self.edges: list[dict[int, int]] = [{} for _ in history]
        self.why: dict[tuple[int, int, int], str] = {}
        self.writer: dict[tuple[str, Any, Any], int] = {}
        self.last: dict[tuple[int, Any], Any] = {}  # the last number a transaction appended to a list
        for at, txn in enumerate(history):
            for name, key, value in txn.ops:
                if name in ("append", "add"):
                    self.writer[name, key, value] = at
                    if name == "append":
                        self.last[at, key] = value
        # What is unknown counts as done where somebody saw it.
        self.committed = [txn.outcome == "ok" for txn in history]

    def say(self, kind: str, what: str) -> None:
        self.found.append(Anomaly(kind, what))

    def edge(self, start: int, end: int, kind: int, why: str) -> None:
        if start != end:
            out = self.edges[start]
            known = out.get(end, 0)
            if not known & kind:
                out[end] = known | kind
                self.why[start, end, kind] = why

    # Values

    def values(self) -> None:
        """Everything that reads tell: what cannot be, and who depends on whom."""
        longest: dict[Any, tuple[Any, ...]] = {}
        sets: dict[Any, list[tuple[int, frozenset[Any]]]] = defaultdict(list)
        reads: list[tuple[int, Any, tuple[Any, ...]]] = []
        for at, txn in enumerate(self.history):
            if not self.committed[at]:
                continue
            self._inside(txn)
            for name, key, value in txn.ops:
                if name == "read":
                    reads.append((at, key, value))
                    if len(value) > len(longest.get(key, ())):
                        longest[key] = value
                elif name == "seen":
                    sets[key].append((at, value))
        for key, order in longest.items():
            self._order(key, order)
        for at, key, value in reads:
            self._read(at, key, value, longest.get(key, ()))
        self._lost(longest)
        self._sets(sets)

    def _inside(self, txn: Txn) -> None:
        """What a transaction sees of itself."""
        known: dict[Any, tuple[Any, ...] | None] = {}
        mine: dict[Any, list[Any]] = defaultdict(list)
        bags: dict[Any, frozenset[Any]] = {}
        for name, key, value in txn.ops:
            if name == "append":
                mine[key].append(value)
                before = known.get(key)
                known[key] = None if before is None else (*before, value)
            elif name == "read":
                before = known.get(key)
                own = [item for item in value if item in mine[key]]
                if own != mine[key] or (own and value[-len(own) :] != tuple(own) and before is None):
                    self.say("own-write", f"it appended {mine[key]} to list {key} and then read {value}: {txn}")
                elif before is not None and value != before:
                    self.say("non-repeatable", f"list {key} was {before} for it and then {value}: {txn}")
                known[key] = value
            elif name == "add":
                mine[key].append(value)
                if key in bags:
                    bags[key] |= {value}
            else:
                if not value.issuperset(mine[key]):
                    self.say("own-write", f"it added {mine[key]} to set {key} and then saw {sorted(value)}: {txn}")
                elif key in bags and value != bags[key]:
                    self.say("non-repeatable", f"set {key} was {sorted(bags[key])} for it and then {sorted(value)}: {txn}")
                bags[key] = value

    def _order(self, key: Any, order: tuple[Any, ...]) -> None:
        if len(set(order)) != len(order):
            self.say("duplicate", f"list {key} holds a number twice: {order}")
        writers = [self.writer.get(("append", key, value)) for value in order]
        for value, writer in zip(order, writers, strict=True):
            if writer is None:
                self.say("unwritten", f"list {key} holds {value}, which nobody appended: {order}")
            elif self.history[writer].outcome == "unknown":
                self.committed[writer] = True
        for (one, first), (two, second) in zip(zip(order, writers, strict=True), list(zip(order, writers, strict=True))[1:], strict=False):
            if first is not None and second is not None:
                self.edge(first, second, WW, f"list {key}: appended {one}, then the other {two}")

    def _read(self, at: int, key: Any, value: tuple[Any, ...], order: tuple[Any, ...]) -> None:
        if order[: len(value)] != value:
            self.say("incompatible-order", f"list {key} was read as {value} and as {order}: {self.history[at]}")
            return
        for item in value:
            writer = self.writer.get(("append", key, item))
            if writer is not None and self.history[writer].outcome == "fail":
                self.say(
                    "G1a", f"list {key} was read as {value}; who wrote {item} failed: {self.history[writer]}; read by {self.history[at]}"
                )
        if value:
            writer = self.writer.get(("append", key, value[-1]))
            if writer is not None and writer != at:
                if self.last[writer, key] != value[-1]:
                    self.say("G1b", f"list {key} was read as {value}, in the middle of {self.history[writer]}; read by {self.history[at]}")
                self.edge(writer, at, WR, f"list {key}: appended {value[-1]}, which the other read")
        if len(order) > len(value):
            after = self.writer.get(("append", key, order[len(value)]))
            if after is not None:
                self.edge(at, after, RW, f"list {key}: read {value}, to which the other appended {order[len(value)]}")

    def _lost(self, longest: Mapping[Any, tuple[Any, ...]]) -> None:
        """Appends that were committed, of which the longest list knows nothing. (The last read of a history sees every list.)"""
        if not self.history or self.history[-1].outcome != "ok":
            return
        final = {key: value for name, key, value in self.history[-1].ops if name == "read"}
        for (name, key, value), writer in self.writer.items():
            if name == "append" and key in final and self.history[writer].outcome == "ok" and value not in longest.get(key, ()):
                self.say("lost-append", f"{value} was appended to list {key}, which is {final[key]} at the end: {self.history[writer]}")

    def _sets(self, sets: Mapping[Any, list[tuple[int, frozenset[Any]]]]) -> None:
        members: dict[Any, dict[Any, int]] = defaultdict(dict)
        for (name, key, value), writer in self.writer.items():
            if name == "add":
                members[key][value] = writer
        for key, seen in sets.items():
            known = members[key]
            for at, value in seen:
                for item in value:
                    writer = known.get(item)
                    if writer is None:
                        self.say("unwritten", f"set {key} holds {item}, which nobody added: {sorted(value)}")
                    elif self.history[writer].outcome == "fail":
                        told = f"{item} was seen in set {key}; who added it failed: {self.history[writer]}; seen by {self.history[at]}"
                        self.say("G1a", told)
                    else:
                        self.committed[writer] = True
                        self.edge(writer, at, WR, f"set {key}: added {item}, which the other saw")
        for key, seen in sets.items():
            present = [(item, writer) for item, writer in members[key].items() if self.committed[writer]]
            for at, value in seen:
                for item, writer in present:
                    if item not in value:
                        self.edge(at, writer, SET, f"set {key}: saw {sorted(value)}, to which the other added {item}")

    # Time

    def time(self) -> None:
        """An edge from each transaction to those that began after its end, without those that follow from others."""
        events: list[tuple[int, int, int]] = []
        for at, txn in enumerate(self.history):
            if self.committed[at]:
                events.append((txn.began, 0, at))
                if txn.outcome == "ok":
                    events.append((txn.ended, 1, at))
        frontier: set[int] = set()
        before: dict[int, set[int]] = {}
        for _, ends, at in sorted(events):
            if ends:
                frontier -= before[at]
                frontier.add(at)
            else:
                before[at] = set(frontier)
                for other in frontier:
                    self.edge(other, at, RT, "")

    # Cycles

    def cycles(self, realtime: bool) -> None:
        """All kinds of cycles."""
        everything = DATA | RT if realtime else DATA
        for knot in components(self.edges, range(len(self.history)), everything):
            told: set[str] = set()
            self._knot(knot, DATA, "", told)
            if realtime:
                self._knot(knot, everything, "-realtime", told)

    def _knot(self, knot: list[int], mask: int, suffix: str, told: set[str]) -> None:
        """The kinds of cycles in one component; `told` are those already said of it without regard to time."""
        time = mask & RT
        plain = [("G0", WW | time), ("G1c", WW | WR | time)]
        for kind, allowed in plain:
            for part in components(self.edges, knot, allowed):
                if kind not in told and not (kind == "G1c" and f"G0{suffix}" in told):
                    self._tell(kind + suffix, self._shortest(part, allowed), told, kind)
        inside = set(knot)
        for start, end in self._anti_apart(knot, mask):
            path = self._apart(start, end, inside, mask)
            kind = self._single(path)
            if kind not in told and kind + suffix not in told:
                self._tell(kind + suffix, path, told, kind)
        if told:
            return  # what is worse is known of these transactions
        for allowed, kind in ((mask & ~SET, "G2-item"), (mask, "G2")):
            for part in components(self.edges, knot, allowed):
                if kind not in told and kind + suffix not in told:
                    self._tell(kind + suffix, self._shortest(part, allowed), told, kind)
                    return

    def _anti_apart(self, knot: list[int], mask: int) -> list[tuple[int, int]]:
        """Some rw that lie on a cycle in which no two rw follow each other.

        In a graph whose nodes also say whether an rw led to them, and from which no second rw leads on, every cycle is such a one.
        """
        place = {node: at for at, node in enumerate(knot)}
        size = len(knot)
        twice: list[dict[int, int]] = [{} for _ in range(2 * size)]
        rest = mask & ~ANTI
        for node, at in place.items():
            for to, kinds in self.edges[node].items():
                where = place.get(to)
                if where is None:
                    continue
                if kinds & rest:
                    twice[at][where] = twice[size + at][where] = 1
                if kinds & mask & ANTI:
                    twice[at][size + where] = 1
        found: list[tuple[int, int]] = []
        for part in components(twice, range(2 * size), 1):
            inside = set(part)
            here = [(at, to) for at in part if at < size for to in twice[at] if to >= size and to in inside]
            found += [(knot[at], knot[to - size]) for at, to in here[:8]]
        return found

    def _single(self, path: list[tuple[int, int, int]]) -> str:
        anti = [step for step in path if step[2] & ANTI]
        if len(anti) > 1:
            return "G-nonadjacent"
        start, end, _ = anti[0]
        one, two = self.history[start], self.history[end]
        appended = [{key for name, key, _ in txn.ops if name == "append"} for txn in (one, two)]
        for name, key, value in one.ops:
            if name == "read" and key in appended[0] & appended[1] and ("read", key, value) in two.ops:
                return "lost-update"
        return "G-single"

    def _tell(self, kind: str, path: list[tuple[int, int, int]], told: set[str], plain: str) -> None:
        told.add(kind)
        if not kind.endswith("-realtime"):
            told.add(plain)
        steps = [
            f"  {self.history[start]}\n    {_NAMES[edge]} {self.why.get((start, end, edge), '')}".rstrip() for start, end, edge in path
        ]
        self.say(kind, "\n" + "\n".join(steps) + "\n    the first one again")

    def _shortest(self, part: list[int], mask: int) -> list[tuple[int, int, int]]:
        """A short cycle through one of the component's transactions."""
        inside = set(part)
        start = part[0]
        came: dict[int, tuple[int, int]] = {}
        waiting = deque([start])
        while waiting:
            at = waiting.popleft()
            for to, kinds in self.edges[at].items():
                if to not in inside or not kinds & mask:
                    continue
                if to == start:
                    return self._path(start, at, came, (at, to, _lowest(kinds & mask)))
                if to not in came:
                    came[to] = (at, _lowest(kinds & mask))
                    waiting.append(to)
        raise AssertionError("a component has a cycle")

    @staticmethod
    def _path(start: int, at: int, came: Mapping[int, tuple[int, int]], final: tuple[int, int, int]) -> list[tuple[int, int, int]]:
        steps = [final]
        while at != start:
            before, kind = came[at]
            steps.append((before, at, kind))
            at = before
        return steps[::-1]

    def _apart(self, start: int, end: int, inside: set[int], mask: int) -> list[tuple[int, int, int]]:
        """A cycle that begins with the rw from `start` to `end` and in which no two rw follow each other."""
        first = (start, end, _lowest(self.edges[start][end] & ANTI))
        origin = (end, True)
        came: dict[tuple[int, bool], tuple[tuple[int, bool], int]] = {}
        waiting = deque([origin])
        rest = mask & ~ANTI
        while waiting:
            state = waiting.popleft()
            at, after_anti = state
            for to, kinds in self.edges[at].items():
                if to not in inside:
                    continue
                for anti in (False, True):
                    usable = kinds & (mask & ANTI if anti else rest)
                    if not usable or (anti and after_anti):
                        continue
                    new = (to, anti)
                    if to == start and not anti:
                        steps = [(at, to, _lowest(usable))]
                        while state != origin:
                            before, kind = came[state]
                            steps.append((before[0], state[0], kind))
                            state = before
                        return [first, *steps[::-1]]
                    if new not in came and new != origin:
                        came[new] = (state, _lowest(usable))
                        waiting.append(new)
        raise AssertionError("the rw lies on such a cycle")


def _lowest(kinds: int) -> int:
    return kinds & -kinds


def components(edges: Sequence[Mapping[int, int]], nodes: Iterable[int], mask: int) -> Iterator[list[int]]:
    """The strongly connected components with more than one node, by Tarjan without recursion."""
    among = set(nodes)
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in among:
        if root in index:
            continue
        work: list[tuple[int, Iterator[int]]] = []

        def enter(node: int, work: list[tuple[int, Iterator[int]]] = work) -> None:
            index[node] = low[node] = len(index)
            stack.append(node)
            on_stack.add(node)
            work.append((node, iter([to for to, kinds in edges[node].items() if kinds & mask and to in among])))

        enter(root)
        while work:
            node, targets = work[-1]
            for to in targets:
                if to not in index:
                    enter(to)
                    break
                if to in on_stack:
                    low[node] = min(low[node], index[to])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part: list[int] = []
                    while not part or part[-1] != node:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                    if len(part) > 1:
                        yield part


def tally(found: Iterable[Anomaly]) -> dict[str, int]:
    """How many of each kind."""
    return dict(sorted(Counter(anomaly.kind for anomaly in found).items()))
