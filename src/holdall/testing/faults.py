"""Faults: a backend in front of another one that can fail, lose replies, delay and cancel, at any effect.

Every effect (one round trip at most) of everything a store does passes `perform` or `aperform`. They are counted here, and disturbed as
`at` says. Must not know any engine: what an effect is comes from its `role`.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from holdall.backends import Backend, Transactions
from holdall.backends.registry import backend_for
from holdall.errors import HoldallError, OutcomeUnknown, ProgrammingError, Unavailable
from holdall.program import Role, arun, run
from holdall.testing.proxy import Through, grouped

Fault = Literal["fail", "lose", "delay", "cancel"]
When = Literal["before", "after"]

# What "cancel" raises: in an event loop what cancelling the task raises, elsewhere what Ctrl+C raises.
CANCELLED: tuple[type[BaseException], ...] = (asyncio.CancelledError, KeyboardInterrupt)


@dataclass(frozen=True, slots=True)
class Passing:
    """One effect on its way. `number` counts from 1 in the block; `alone`: outside a transaction, so that a write is final with it."""

    number: int
    role: Role
    alone: bool
    effect: Any


Chosen = int | Role | Callable[[Passing], bool]
Hook = Callable[[Passing], object]


@dataclass
class Watch:
    """What passed during a block, and which of it was disturbed."""

    seen: list[Passing] = field(default_factory=list[Passing])
    struck: list[Passing] = field(default_factory=list[Passing])

    @property
    def count(self) -> int:
        """How many effects passed."""
        return len(self.seen)

    @property
    def roles(self) -> list[Role]:
        """Their roles, in order."""
        return [passing.role for passing in self.seen]


class _Armed:
    """One `at` block."""

    def __init__(
        self, chosen: Chosen, fault: Fault | Hook | None, when: When, error: BaseException | None, seconds: float, times: int | None
    ) -> None:
        self.chosen = chosen
        self.fault = fault
        self.when: When = when
        self.error = error
        self.seconds = seconds
        self.times = times
        self.watch = Watch()
        self.numbers = itertools.count(1)

    def meets(self, effect: Any) -> Passing | None:
        """Note the effect; it, if it is to be disturbed."""
        role: Role = getattr(effect, "role", "other")
        passing = Passing(next(self.numbers), role, getattr(effect, "tx", None) is None, effect)
        self.watch.seen.append(passing)
        if self.fault is None or (self.times is not None and len(self.watch.struck) >= self.times):
            return None
        chosen = self.chosen
        if not (chosen(passing) if callable(chosen) else chosen in (passing.number, passing.role)):
            return None
        self.watch.struck.append(passing)
        return passing


class Faults(Through):
    """A backend that can be told to go wrong. It is used in place of the one it stands before: Store(Faults("sqlite:///shop.db")).

    `where` is what a Store takes. `count` is how many effects have passed since it was made. Outside the blocks of `at` it changes nothing.
    """

    if TYPE_CHECKING:  # Through has them; said here so that type checkers take a Faults as a Backend
        describe: Any
        open: Any
        close: Any
        ping: Any
        plan: Any
        fetch: Any
        select: Any
        scan: Any
        apply: Any
        ensure_schema: Any
        reset: Any
        drop: Any

    def __new__(cls, where: str | Backend | Callable[[], Backend]) -> Self:
        """An object with the optional groups of the backend that it stands before."""
        inner = backend_for(where)
        made = object.__new__(grouped(cls, inner))
        made.inner = inner
        return made

    def __init__(self, where: str | Backend | Callable[[], Backend]) -> None:  # noqa: ARG002 - __new__ has used it
        self._armed: tuple[_Armed, ...] = ()
        self._counter = itertools.count(1)
        self.count = 0

    @contextmanager
    def at(
        self,
        chosen: Chosen,
        fault: Fault | Hook,
        *,
        when: When = "before",
        error: BaseException | None = None,
        seconds: float = 0.0,
        times: int | None = None,
    ) -> Generator[Watch]:
        """Within the block, disturb the effects that are `chosen`: the k-th one from here (from 1), all of a role, or by a function.

        fail    raise `error` (Unavailable unless given) before the effect is done.
        lose    do it, then raise `error`, or what a driver raises when the reply is lost: OutcomeUnknown for a commit and for a write
                outside a transaction, Unavailable for anything else.
        delay   do it after so many `seconds`.
        cancel  do it not at all, or (when="after") do it; then raise what cancelling a task raises, KeyboardInterrupt outside event loops.
        a function: call it with the Passing, before or after the effect is done; what it raises is raised.

        `when` is for cancel and for functions. `times` is how often at most. A rollback is always done: an engine undoes what a broken
        connection leaves open. A transaction whose beginning was lost or cancelled is undone for the same reason. Gives a Watch, which
        tells what passed and what was struck.
        """
        if isinstance(chosen, int) and chosen < 1:
            raise ProgrammingError(f"Effects are counted from 1, not {chosen}.")
        if when == "after" and fault in ("fail", "delay"):
            raise ProgrammingError(f"'{fault}' is before the effect; there is no after.", hint="Use 'lose', or a function.")
        armed = _Armed(chosen, fault, when, error, seconds, times)
        with self._watching(armed):
            yield armed.watch

    @contextmanager
    def watch(self) -> Generator[Watch]:
        """Within the block, note what passes, and disturb nothing."""
        armed = _Armed(0, None, "before", None, 0.0, None)
        with self._watching(armed):
            yield armed.watch

    @contextmanager
    def _watching(self, armed: _Armed) -> Generator[None]:
        self._armed = (*self._armed, armed)
        try:
            yield
        finally:
            self._armed = tuple(other for other in self._armed if other is not armed)

    def _strikes(self, effect: Any) -> Iterator[tuple[_Armed, Passing]]:
        self.count = next(self._counter)
        for armed in self._armed:
            passing = armed.meets(effect)
            if passing is not None:
                yield armed, passing

    def perform(self, effect: Any) -> Any:
        """Do one effect, blocking, with what the armed faults make of it."""
        strikes = list(self._strikes(effect))
        for armed, _ in strikes:
            if armed.fault == "delay":
                time.sleep(armed.seconds)
        before = _first(strikes, "before", KeyboardInterrupt)
        if before is not None and not _is(effect, "rollback"):
            raise before
        reply = self.inner.perform(effect)
        after = before or _first(strikes, "after", KeyboardInterrupt)
        if after is None:
            return reply
        if _is(effect, "begin"):
            with suppress(HoldallError):
                run(self._transactions().rollback(reply), self.inner.perform)
        raise after

    async def aperform(self, effect: Any) -> Any:
        """As `perform`, awaiting."""
        strikes = list(self._strikes(effect))
        for armed, _ in strikes:
            if armed.fault == "delay":
                await asyncio.sleep(armed.seconds)
        before = _first(strikes, "before", asyncio.CancelledError)
        if before is not None and not _is(effect, "rollback"):
            raise before
        reply = await self.inner.aperform(effect)
        after = before or _first(strikes, "after", asyncio.CancelledError)
        if after is None:
            return reply
        if _is(effect, "begin"):
            with suppress(HoldallError):
                await arun(self._transactions().rollback(reply), self.inner.aperform)
        raise after

    def _transactions(self) -> Transactions:
        inner: Any = self.inner
        assert isinstance(inner, Transactions), "only a backend with transactions begins one"
        return inner


def _is(effect: Any, role: Role) -> bool:
    return bool(getattr(effect, "role", "other") == role)


def _first(strikes: list[tuple[_Armed, Passing]], when: When, cancelled: type[BaseException]) -> BaseException | None:
    """The error of the first strike that has one at that time; functions are called on the way."""
    for armed, passing in strikes:
        error = _error(armed, passing, when, cancelled)
        if error is not None:
            return error
    return None


def _error(armed: _Armed, passing: Passing, when: When, cancelled: type[BaseException]) -> BaseException | None:
    fault = armed.fault
    if callable(fault):
        if armed.when == when:
            try:
                fault(passing)
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the effect was asked for
                return error
        return None
    if fault == "cancel":
        return (armed.error or cancelled()) if armed.when == when else None
    if fault == "fail" and when == "before":
        return armed.error or Unavailable(f"A fault: effect {passing.number} ({passing.role}) was not done.")
    if fault == "lose" and when == "after":
        if armed.error is not None:
            return armed.error
        if passing.role == "commit" or (passing.role == "write" and passing.alone):
            return OutcomeUnknown(f"A fault: the reply to effect {passing.number} ({passing.role}) was lost.")
        return Unavailable(f"A fault: the connection was lost with the reply to effect {passing.number} ({passing.role}).")
    return None
