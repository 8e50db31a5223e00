"""Appending: clients that run random transactions of reads and appends on lists and sets, and write down what they saw.

Owns the workload of the histories proof. A client is a program, so it runs in any schedule, thread, task or process. Must not know how
histories are judged.

Lists are the digits of a number (three each), so an append can be blind, done by the engine's arithmetic, or a read and a write. Sets are
rows that a query finds, by an index or without. Keys wander on, so that no list grows too long.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from holdall.backends import Insert, Isolation
from holdall.program import Program
from holdall.query import Arith, Select, Value, any_of, key_ref
from proofs._concurrency.models import Mark, Register
from proofs._concurrency.words import PAUSE, Port, compare, lost
from proofs._cycles import Txn

REGISTER, MARK = Register.__entity__, Mark.__entity__
LOG = REGISTER.by_name["log"]
DIGITS = 12  # numbers of a list that fit into 38 digits
STRIDE = 4  # transactions of a client after which the keys wander on by one
WINDOW = 3  # keys in use at a time


@dataclass
class Plan:
    """What a history's clients do. `level` None: every call stands alone, and what "fails" stays done: the weakest store there is.

    `fails` is how often a transaction is rolled back on purpose, `lists` how many operations are on lists rather than on sets, `blind`
    how many appends do not read before.
    """

    seed: int
    clients: int
    transactions: int
    level: Isolation | None
    fails: float = 0.06
    lists: float = 0.6
    blind: float = 0.5

    @property
    def keys(self) -> int:
        """How many keys there are."""
        return self.transactions // STRIDE + WINDOW + 1


@dataclass
class Writer:
    """What one client may still append: each list takes `DIGITS` numbers in all, and each client has its share of them."""

    number: int
    share: int
    used: Counter[Any] = field(default_factory=Counter[Any])
    tried: Counter[Any] = field(default_factory=Counter[Any])

    def next(self, key: Any) -> int | None:
        """A number that nobody appends to the list; None when the share is used."""
        if self.used[key] >= self.share or self.tried[key] >= 99:
            return None
        self.used[key] += 1
        self.tried[key] += 1
        return self.number * 100 + self.tried[key]

    def member(self, key: Any) -> int:
        """A row of a set, with a key that nobody else uses."""
        self.tried["set", key] += 1
        return (key * 10 + self.number) * 1000 + self.tried["set", key]


def digits(log: Decimal) -> tuple[int, ...]:
    """The list in a number."""
    text = str(log)
    text = text.zfill(-(-len(text) // 3) * 3)
    return () if log == 0 else tuple(int(text[at : at + 3]) for at in range(0, len(text), 3))


def prepare_rows(port: Port, plan: Plan) -> Program[None]:
    """Empty the tables, and make the lists."""
    yield from port.reset(REGISTER, MARK)
    yield from port.insert(REGISTER, *[(key, Decimal(0)) for key in range(plan.keys)])


def client(port: Port, plan: Plan, number: int, tick: Callable[[], int]) -> Program[list[Txn]]:
    """One client: all its transactions, as they went."""
    rng = random.Random(f"{plan.seed}/{number}")
    writer = Writer(number, DIGITS // plan.clients)
    done: list[Txn] = []
    for at in range(plan.transactions):
        low = at // STRIDE
        yield PAUSE
        txn = Txn(number, tick())
        done.append(txn)
        side: list[Txn] = []
        session = _Session(port, plan, rng, writer, txn, side, range(low, low + WINDOW))
        yield from session.run()
        txn.ended = tick()
        for undone in side:
            undone.ended = txn.ended
        done += side
        if txn.outcome == "fail":
            for name, key, _ in txn.ops:
                if name == "append" and plan.level is not None:
                    writer.used[key] -= 1
    return done


def final(port: Port, plan: Plan, tick: Callable[[], int]) -> Program[Txn]:
    """The last transaction of a history: reads everything."""
    txn = Txn(-1, tick(), outcome="ok")
    for key, log in (yield from port.rows(REGISTER)):
        txn.ops.append(("read", key, digits(log)))
    bags: dict[int, set[int]] = {key: set() for key in range(plan.keys)}
    for member, bag, _ in (yield from port.rows(MARK)):
        bags[bag].add(member)
    txn.ops += [("seen", ("set", key), frozenset(members)) for key, members in bags.items()]
    txn.ended = tick()
    return txn


class _Session:
    """One transaction being run."""

    def __init__(self, port: Port, plan: Plan, rng: random.Random, writer: Writer, txn: Txn, side: list[Txn], keys: range) -> None:
        self.port, self.plan, self.rng, self.writer, self.txn, self.side, self.keys = port, plan, rng, writer, txn, side, keys
        self.tx: Any = None
        self.read_only = False

    def run(self) -> Program[None]:
        plan, rng, txn = self.plan, self.rng, self.txn
        count = rng.choice((1, 2, 2, 3, 4))
        self.read_only = rng.random() < 0.2
        fails = rng.random() < plan.fails
        try:
            if plan.level is not None:
                self.tx = yield from self.port.begin(plan.level, self.read_only)
            for _ in range(count):
                yield from self._operation()
            if plan.level is None:
                txn.outcome = "fail" if fails else "ok"
                return
            if fails:
                yield from self.port.rollback(self.tx)
                txn.outcome = "fail"
                return
            yield from self.port.commit(self.tx)
            txn.outcome = "ok"
        except BaseException as error:
            if not lost(error):
                raise
            txn.outcome, txn.note = "fail", type(error).__name__
            if self.tx is not None:
                yield from self.port.rollback(self.tx)

    def _operation(self) -> Program[None]:
        rng = self.rng
        key = rng.choice(self.keys)
        lists = rng.random() < self.plan.lists
        if self.read_only or rng.random() < 0.45:
            yield from self._read(key) if lists else self._look(key)
        elif not lists:
            yield from self._add(key)
        elif self.tx is not None and rng.random() < 0.1:
            yield from self._undone(key)
        else:
            yield from self._append(key, self.txn)

    def _read(self, key: int) -> Program[None]:
        how = self.rng.randrange(5)
        port, tx = self.port, self.tx
        if how == 0:
            several = sorted(self.keys)
            rows = yield from port.rows(REGISTER, any_of(*[compare(REGISTER, "id", "eq", one) for one in several]), tx)
        elif how == 1:
            rows = yield from port.rows(REGISTER, compare(REGISTER, "id", "eq", key), tx)
        elif how == 2:
            rows = yield from port.fetch(REGISTER, *self.keys, tx=tx)
        elif how == 3 and tx is not None and not self.read_only:
            rows = yield from port.fetch(REGISTER, key, tx=tx, lock="update")
        else:
            rows = yield from port.fetch(REGISTER, key, tx=tx)
        self.txn.ops += [("read", found, digits(log)) for found, log in rows]

    def _append(self, key: int, txn: Txn) -> Program[None]:
        number = self.writer.next(key)
        if number is None:
            yield from self._read(key)
            return
        port, tx, rng = self.port, self.tx, self.rng
        blind = rng.random() < self.plan.blind
        if blind:
            by_1000 = Arith("mul", key_ref(REGISTER, "log"), Value(Decimal(1000), LOG.type), LOG.type)
            log: Any = Arith("add", by_1000, Value(Decimal(number), LOG.type), LOG.type)
        else:
            ((_, old),) = yield from port.fetch(REGISTER, key, tx=tx)
            txn.ops.append(("read", key, digits(old)))
            log = Decimal(int(old) * 1000 + number)
        if rng.random() < 0.3:
            count = yield from port.update_where(REGISTER, compare(REGISTER, "id", "eq", key), tx=tx, log=log)
        else:
            count = yield from port.patch(REGISTER, key, tx=tx, log=log)
        assert count == 1, f"list {key} was not there to be appended to"
        txn.ops.append(("append", key, number))

    def _undone(self, key: int) -> Program[None]:
        """An append that a savepoint takes back: a failed transaction of its own, as far as others are concerned."""
        backend, tx = self.port.backend, self.tx
        mark = yield from backend.savepoint(tx)
        undone = Txn(self.txn.process, self.txn.began, outcome="fail", note="undone by a savepoint")
        self.side.append(undone)
        yield from self._append(key, undone)
        yield from backend.rollback_to(tx, mark)
        self.txn.ops += [op for op in undone.ops if op[0] == "read"]
        undone.ops = [op for op in undone.ops if op[0] == "append"]
        self.writer.used.subtract([key for _, key, _ in undone.ops])

    def _look(self, key: int) -> Program[None]:
        name = self.rng.choice(("bag", "same"))
        if self.rng.random() < 0.3:
            select = Select(MARK, compare(MARK, name, "gte", self.keys[0]))
            found = yield from self.port.select(select, self.tx)
            keys = range(self.keys[0], self.plan.keys)
        else:
            found = yield from self.port.rows(MARK, compare(MARK, name, "eq", key), self.tx)
            keys = range(key, key + 1)
        for one in keys:
            members = frozenset(member for member, bag, _ in found if bag == one)
            self.txn.ops.append(("seen", ("set", one), members))

    def _add(self, key: int) -> Program[None]:
        members = [self.writer.member(key) for _ in range(self.rng.choice((1, 1, 2)))]
        yield from self.port.apply(*[Insert(MARK, [(member, key, key)]) for member in members], tx=self.tx)
        self.txn.ops += [("add", ("set", key), member) for member in members]
