"""Lab: one backend in one colour, on which cases run one after the other.

Owns opening, the reset after each case, and what a case came to. Must not know reports, pytest or the command line.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from holdall.backends import Backend, Delete, DeleteWhere, Insert, Patch, UpdateWhere, Upsert, Write
from holdall.backends.registry import backend_for
from holdall.errors import HoldallError, ProgrammingError
from holdall.program import Program, arun, run
from holdall.schema import Entity
from holdall.store import Store
from holdall.testing.case import Case
from holdall.testing.colours import Colour, finish
from holdall.testing.kit import Clock, Kit
from holdall.testing.ledger import LEDGER, Deviation, find
from holdall.testing.proxy import Through, through

LOCK_WAIT_S = 0.05
Verdict = Literal["passed", "refused", "deviation", "failed"]


@dataclass(frozen=True)
class Target:
    """A backend to be tested: its name in reports, and how to make one.

    `make` gives a backend, not opened. `connect`, where there can be several on the same data at once, gives one more of the place that
    `make` last made; None: there is only that object. `ledger` are its known deviations. `conflicts_max` is how often a case may lose
    against others and run again: 0 on a store that nobody else uses, more on a shared server or a hostile store.
    """

    name: str
    make: Callable[[], Backend]
    connect: Callable[[], Backend] | None = None
    ledger: Sequence[Deviation] = LEDGER
    conflicts_max: int = 0

    @staticmethod
    def of(url: str, *, name: str = "", ledger: Sequence[Deviation] = LEDGER, conflicts_max: int = 0) -> Target:
        """The target of a store's URL. Where it names a place (not memory), stores on it can be connected side by side."""
        url = _quick(url)
        probe = backend_for(url)
        shared = url.partition(":")[2].partition("?")[0] not in ("", "//", "///", ":memory:", "///:memory:")
        make = lambda: backend_for(url)  # noqa: E731  as a def it would need a name
        return Target(name or probe.name, make, make if shared else None, ledger, conflicts_max)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one case came to. `text` says why: a failure's traceback, a deviation's reason, or what is absent. `conflicts`: re-runs."""

    case: Case
    colour: Colour
    verdict: Verdict
    text: str = ""
    seconds: float = 0.0
    conflicts: int = 0


class _Watch(Through):
    """Notes the entities that are written to, so that only they are emptied after a case."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.written: dict[Entity, None] = {}
        self.known: dict[Entity, None] = {}

    def apply(self, batch: Sequence[Write], *args: Any) -> Any:
        for item in batch:
            self.written[_entity(item)] = None
        return self.inner.apply(batch, *args)

    def ensure_schema(self, entities: Sequence[Entity]) -> Any:
        self.known.update(dict.fromkeys(entities))
        return self.inner.ensure_schema(entities)


def _entity(item: Write) -> Entity:
    if isinstance(item, UpdateWhere | DeleteWhere):
        return item.select.entity
    assert isinstance(item, Insert | Upsert | Patch | Delete)
    return item.entity


@dataclass
class Lab:
    """A target in one colour. Opened on first use; `close` removes what it made. Not for use by several threads."""

    target: Target
    colour: Colour
    _watch: Any = field(default=None, init=False)
    _runner: asyncio.Runner | None = field(default=None, init=False)
    _store: Store | None = field(default=None, init=False)
    _clock: Clock = field(default_factory=Clock, init=False)
    _known: dict[Entity, None] = field(default_factory=dict[Entity, None], init=False)  # what was made in the store and not dropped yet

    def open(self) -> None:
        """Connect, if it is not done yet."""
        if self._store is not None:
            return
        if self.colour == "async" and self._runner is None:
            self._runner = asyncio.Runner()
        self._watch = through(_Watch, self.target.make())
        self._watch.known = self._known
        self._store = Store(self._watch, clock=self._clock)
        self._do(self._watch.open())

    def close(self) -> None:
        """Drop all tables that the cases made, and disconnect. Idempotent."""
        if self._known:
            self.open()
        if self._store is not None:
            try:
                self._drop()
            finally:
                self._disconnect()
        if self._runner is not None:
            self._runner.close()
            self._runner = None

    def capabilities(self) -> Any:
        """What the backend declares, once it is open."""
        self.open()
        return self._watch.describe()

    def run(self, case: Case) -> Outcome:
        """Run one case and say what it came to. The kit's own assertions need Python without -O."""
        if not __debug__:
            raise ProgrammingError(
                "The conformance kit cannot run under python -O.", hint="Assertions are left out there; run it without -O."
            )
        self.open()
        absent = case.missing(self._watch.describe())
        if absent:
            return Outcome(case, self.colour, "refused", ", ".join(sorted(absent)))
        started = time.perf_counter()
        text, conflicts = self._attempts(case)
        seconds = time.perf_counter() - started
        known = find(self.target.ledger, self.target.name, case.id, self.colour)
        if known is None:
            return Outcome(case, self.colour, "failed" if text else "passed", text, seconds, conflicts)
        if not text:
            said = f"The ledger says that {self.target.name} deviates here ({known.reason}), but the case passes: remove the entry."
            return Outcome(case, self.colour, "failed", said, seconds, conflicts)
        if known.shows not in text:
            said = f"The ledger says that this case shows {known.shows!r}; it shows something else:\n{text}"
            return Outcome(case, self.colour, "failed", said, seconds, conflicts)
        return Outcome(case, self.colour, "deviation", known.reason, seconds, conflicts)

    def _attempts(self, case: Case) -> tuple[str, int]:
        """The failure's text ('' for none), and how often a conflict made it run again."""
        conflicts = 0
        while True:
            failure = self._once(case)
            lost = isinstance(failure, HoldallError) and failure.retry == "transaction"
            if not lost or conflicts >= self.target.conflicts_max:
                return ("" if failure is None else _told(failure)), conflicts
            conflicts += 1

    def _once(self, case: Case) -> BaseException | None:
        """One attempt; everything that it wrote is removed afterwards."""
        self.open()
        assert self._store is not None
        self._clock.__init__()  # type: ignore[misc]  # every case begins at the same instant
        kit = Kit(self._store, self._watch, self.colour, self._clock, self._connect if self.target.connect else None)
        failure: BaseException | None = None
        try:
            if self._runner is None:
                finish(case.body(kit, *case.args))  # type: ignore[arg-type]  # an async function gives a coroutine
            else:
                self._runner.run(case.body(kit, *case.args))  # type: ignore[arg-type]  # as above
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a case may fail in any way
            failure = error
            declared = self._watch.describe()
            if declared.verified:  # a hostile store's seed is told there
                failure.add_note(f"on {declared.backend}: {'; '.join(declared.verified)}")
        try:
            for other, own in kit.others:
                if own:
                    self._close(other)
            self._empty()
        except Exception as error:  # noqa: BLE001 - it is this case's failure
            failure = failure or error
        if failure is not None or self._store._core.handlers or self._store._core.closed:
            # A failed case may have left anything behind: the next one begins anew.
            self._disconnect()
            self.open()
            self._drop()
        return failure

    def _connect(self) -> Any:
        """One more backend on the same data; what is written through it is noted like the rest."""
        assert self.target.connect is not None
        watch = through(_Watch, self.target.connect())
        watch.written, watch.known = self._watch.written, self._watch.known
        return watch

    def _empty(self) -> None:
        written = list(self._watch.written)
        self._watch.written.clear()
        if written and self._store is not None and not self._store._core.closed:
            self._do(self._watch.reset(written))

    def _disconnect(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            self._close(store)

    def _drop(self) -> None:
        self._do(self._watch.drop(list(self._known)))
        self._known.clear()

    def _close(self, store: Store) -> None:
        if self._runner is None:
            store.close()
        else:
            self._runner.run(store.aio.close())

    def _do(self, program: Program[Any]) -> Any:
        if self._runner is None:
            return run(program, self._watch.perform)
        return self._runner.run(arun(program, self._watch.aperform))


def _quick(url: str) -> str:
    """The URL with a short time to wait for locks, unless it says one: cases hold the locks themselves that they wait for."""
    if not url.startswith("sqlite:") or "busy_timeout_s=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}busy_timeout_s={LOCK_WAIT_S}"


def _told(failure: BaseException) -> str:
    """The failure as text, from the case's own lines on."""
    return "".join(traceback.format_exception(failure)).rstrip()
