"""The hostile memory store: legal, and as unpleasant as the contract lets it be where it is silent.

Owns what `memory:?hostile=1` does differently, all of it decided by one seed: rows without an order are shuffled (H1), numbers have gaps,
come in no order and may come again (E7), transactions that could commit lose now and then (G4), reads that ask for 'eventual' answer from
a state that is up to `LAG_MAX` commits old (H5), expired rows stay for two days (H6), and awaited calls let other tasks go first. What is
promised stays as it is: nothing here may change an answer that the contract fixes. Must not be known to the memory backend itself.

A write that the store does in one step never loses. One that it does in several (records with links, records with event handlers) is a
transaction of its own, and loses like any other: on every engine that can happen when others write at the same time.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from holdall.backends.capabilities import Capabilities, Isolation, Support
from holdall.backends.memory import effects as fx
from holdall.backends.memory.backend import MemoryBackend
from holdall.backends.memory.indexes import Row
from holdall.backends.memory.options import Hostility
from holdall.backends.memory.perform import Engine, Prepared
from holdall.backends.memory.table import Table
from holdall.backends.memory.views import AGAIN, LiveRows, Transaction, View
from holdall.backends.memory.writes import Rules, Writer
from holdall.errors import SerializationFailure, SizeLimit
from holdall.query import Evaluator, Select
from holdall.schema import INT_MAX, Entity

LAG_MAX = 8  # commits that an eventual read may lack at most
KEEP_EXPIRED = dt.timedelta(days=2)  # as long as DynamoDB may take


class _Numbers:
    """The numbers given to one entity's rows: which are known, so that none is given twice at a time."""

    def __init__(self) -> None:
        self.known: dict[int, None] = {}

    def next(self, chance: random.Random, free: Callable[[int], bool] | None) -> int:
        """A number that no row has. `free` says whether a number that was given once is there again; None: better not ask."""
        if free is not None and self.known and chance.random() < 0.25:
            again = chance.choice(list(self.known))
            if free(again):
                return again
        top = 4 * (len(self.known) + 16)
        number = chance.randint(1, top)
        while number in self.known:
            top += top
            if top > INT_MAX:
                raise SizeLimit("There are no more numbers.")
            number = chance.randint(1, top)
        self.known[number] = None
        return number


class HostileRules(Rules):
    """The rules, with numbers that say nothing. `alone` tells whether no transaction is open, so that nobody else's rows are unseen."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__(evaluator)
        self.chance = random.Random()  # noqa: S311  no secret; the engine puts its own here
        self.alone: Callable[[], bool] = bool
        self._given: dict[Entity, _Numbers] = {}

    def given(self, entity: Entity) -> _Numbers:
        """The numbers of an entity."""
        return self._given.setdefault(entity, _Numbers())

    def remove(self, entity: Entity) -> None:
        """Forget the entity, and its numbers."""
        super().remove(entity)
        self._given.pop(entity, None)


class HostileWriter(Writer):
    """Writes as ever, but for the numbers of new rows."""

    def _numbered(self, entity: Entity, rows: Sequence[Row]) -> list[Row]:
        field = entity.generated_field
        if field is None:
            return list(rows)
        at, rules, seen = field.position, self.rules, self.view.of(entity)
        assert isinstance(rules, HostileRules)
        numbers = rules.given(entity)
        numbers.known.update(dict.fromkeys(row[at] for row in rows if row[at] is not None))
        given = {row[at] for row in rows}
        free: Callable[[int], bool] | None = None
        if isinstance(seen, LiveRows) and len(entity.key) == 1 and rules.alone():
            free = lambda number: number not in given and seen.get(number) is None  # noqa: E731  short, and of this place only
        made: list[Row] = []
        for row in rows:
            if row[at] is None:
                number = numbers.next(rules.chance, free)
                given.add(number)
                made.append((*row[:at], number, *row[at + 1 :]))
            else:
                made.append(row)
        return made


class HostileEngine(Engine):
    """The engine, with chance where the contract leaves it open. All chance is drawn under the lock."""

    rules_kind = HostileRules
    writer = HostileWriter

    def __init__(self, evaluator: Evaluator, plan: Callable[[Select], Prepared], hostility: Hostility) -> None:
        super().__init__(evaluator, plan)
        self.hostility = hostility
        self.chance = random.Random(hostility.seed)  # noqa: S311  no secret: the seed is told
        self._past: deque[Transaction] = deque(maxlen=LAG_MAX)
        assert isinstance(self._rules, HostileRules)
        self._rules.chance = self.chance
        self._rules.alone = lambda: len(self._open) == len(self._past)

    def dither(self) -> bool:
        """Whether an awaited call lets others go first."""
        with self._lock:
            return self.chance.random() < 0.5

    def _search(self, view: View, table: Table, prepared: Prepared, keep: int | None, whole: bool) -> tuple[list[Row], bool]:
        rows, presorted = super()._search(view, table, prepared, keep, whole)
        if presorted:
            return rows, True
        shuffled = list(rows)
        self.chance.shuffle(shuffled)
        return shuffled, False

    def _query(self, effect: fx.Query) -> list[Row]:
        with self._lock:
            if effect.tx is None and effect.plan.select.consistency == "eventual" and self._past:
                behind = self.chance.randint(0, len(self._past))
                if behind:
                    return super()._query(fx.Query(effect.plan, self._past[-behind]))
            return super()._query(effect)

    def _page(self, effect: fx.Page) -> tuple[list[Row], Any]:
        with self._lock:
            rows, at = super()._page(effect)
            self.chance.shuffle(rows)
            return rows, at

    def _apply(self, effect: fx.Apply) -> list[Any]:
        with self._lock:
            if effect.tx is None:
                self._remember()
            return super()._apply(effect)

    def _commit(self, effect: fx.Commit) -> None:
        with self._lock:
            tx: Transaction = effect.tx
            decides = tx.serializable or any(overlay.own for overlay in tx.overlays.values())
            if not tx.ended and not tx.read_only and decides and self.chance.random() < self.hostility.conflicts:
                self._enter(tx)
                self._end(tx, "the hostile store let it lose")
                raise SerializationFailure(
                    f"The transaction cannot be committed: the store is {self.hostility.told} and let it lose.", hint=AGAIN
                )
            self._remember()
            super()._commit(effect)

    def _remember(self) -> None:
        """Keep the committed state as it is now, for reads that may lag."""
        if len(self._past) == LAG_MAX:
            self._open.discard(self._past[0])
        self._past.append(self._begin(fx.Begin(Isolation.SNAPSHOT, True, None)))

    def _clear(self, effect: fx.Clear) -> None:
        with self._lock:
            self._forget()
            super()._clear(effect)

    def _close(self, _: fx.Close) -> None:
        with self._lock:
            super()._close(_)
            self._past.clear()

    def _forget(self) -> None:
        """The past is over: nobody may read it any more."""
        for tx in self._past:
            self._open.discard(tx)
        self._past.clear()

    def _purge(self, effect: fx.Apply) -> None:
        """Remove what expired two days ago; what expired since stays, and nothing reports it."""
        if effect.now is not None and effect.now - dt.datetime.min.replace(tzinfo=dt.UTC) > KEEP_EXPIRED:
            super()._purge(msgspec.structs.replace(effect, now=effect.now - KEEP_EXPIRED))


class _Turn:
    """Awaited once, lets every other task that is ready go first."""

    def __await__(self) -> Generator[None]:
        yield


class HostileBackend(MemoryBackend):
    """A memory store to test applications on: what works here does not rely on what only some engine does.

    `hostility.seed` decides all chance: a program of one thread meets the same surprises under the same seed.
    """

    def __init__(self, options: Mapping[str, str], hostility: Hostility) -> None:
        self.hostility = hostility
        super().__init__({name: value for name, value in options.items() if name == "without"})
        lag = f"reads with consistency 'eventual' may lack the last {LAG_MAX} commits; strong reads lack nothing"
        self._features = {**self._features, "read_your_writes": Support("absent", lag)}

    def _make_engine(self) -> Engine:
        self._hostile = HostileEngine(self.evaluator, self._prepare, self.hostility)
        return self._hostile

    async def aperform(self, effect: Any) -> Any:
        """Do one effect, perhaps after others had a turn."""
        if self._hostile.dither():
            await _Turn()
        return self.perform(effect)

    def describe(self) -> Capabilities:
        """What a memory store keeps, and how hostile this one is."""
        return replace(super().describe(), verified=(self.hostility.told,))
