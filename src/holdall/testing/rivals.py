"""Rivals: transactions that work beside each other, on the port, and may lose.

Owns the party that may lose at any call, and how an interleaving is played. Must not know cases.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from holdall.backends import Isolation
from holdall.errors import HoldallError, NotFound, TransactionConflict
from holdall.query import And, Arith, Compare, Condition, Value, key_ref
from holdall.schema import Entity
from holdall.testing.anomalies import Ended, History, Scenario, Step
from holdall.testing.kit import Kit


class Rival:
    """A transaction, or a caller without one (level None), that may lose: `ended` is then 'conflict', and it does nothing more.

    Some backends tell at the commit, some at a read or write, some when a second writer begins.
    """

    def __init__(self, k: Kit, level: Isolation | None, read_only: bool = False) -> None:
        self.k = k
        self.level = level
        self.read_only = read_only
        self.tx: Any = None
        self.begun = level is None
        self.ended: Ended = "open"
        self.error: HoldallError | None = None

    async def do(self, call: Callable[[Any], Awaitable[Any]]) -> Any:
        """What call(tx) gives; None once this party has lost. Begins first, if that is still to be done."""
        if self.ended == "conflict":
            return None
        try:
            if not self.begun:
                self.tx = await self.k.begin(self.level, self.read_only)
                self.begun = True
            return await call(self.tx)
        except TransactionConflict as error:
            self.ended = "conflict"
            self.error = error
            if self.tx is not None:
                await self.k.rollback(self.tx)
            return None

    async def begin(self) -> None:
        """Begin now."""
        await self.do(_nothing)

    async def finish(self, call: Callable[[Any], Awaitable[Any]] | None = None) -> Ended:
        """Do that, and commit; how it went."""
        if call is not None:
            await self.do(call)
        if self.tx is not None:
            await self.do(self.k.commit)
        if self.ended == "open":
            self.ended = "done"
        return self.ended

    async def give_up(self) -> None:
        """Roll back."""
        if self.ended == "open":
            if self.tx is not None:
                await self.k.rollback(self.tx)
            self.ended = "undone"


async def _nothing(tx: Any) -> None:
    return None


async def one_wins(*rivals: Rival) -> Rival:
    """The one of these parties that did not lose; a failure if there are several. That all lost is a conflict of the case's own."""
    winners = [rival for rival in rivals if rival.ended == "done"]
    assert len(winners) < 2, f"{len(winners)} parties committed what only one may"
    if not winners:
        raise next(rival.error for rival in rivals if rival.error is not None)
    return winners[0]


Call = Callable[[Any], Awaitable[Any]]


async def race(k: Kit, level: Isolation, read: Call, *writes: Call) -> list[Rival]:
    """As many transactions as there are writes: all read, then each writes and commits, one after the other."""
    rivals = [Rival(k, level) for _ in writes]
    for rival in rivals:
        await rival.begin()
    for rival in rivals:
        await rival.do(read)
    for rival, write in zip(rivals, writes, strict=True):
        await rival.finish(write)
    return rivals


def between(entity: Entity, name: str, low: int, high: int) -> Condition:
    """low <= name <= high."""
    ref = key_ref(entity, name)
    return And((Compare(ref, "gte", Value(low, ref.type)), Compare(ref, "lte", Value(high, ref.type))))


async def play(k: Kit, scenario: Scenario, levels: Mapping[str, Isolation], entity: Entity, row: Callable[[int, int], Any]) -> History:
    """Play an interleaving on rows of an entity with the fields `id` and `value`; what came of it.

    `levels` are those of the parties. They begin in turn, before the first step, those that only read as read-only ones.
    """
    parties = {name: Rival(k, levels[name], name in scenario.readers) for name in scenario.parties}
    parties[""] = Rival(k, None)
    history = History()
    for rival in parties.values():
        await rival.begin()
    for step in scenario.steps:
        rival = parties[step.by]
        if step.does == "commit":
            await rival.finish()
        elif step.does == "rollback":
            await rival.give_up()
        elif not step.writes:
            found = await rival.do(partial(_read, k, entity, step))
            if rival.ended == "open":
                history.seen.setdefault(step.by, []).append(found)
        else:
            await _try(k, rival, entity, row, step)
    await parties[""].finish()
    history.ended = {name: rival.ended for name, rival in parties.items()}
    history.final = dict(await _read(k, entity, Step("", "find", (-1000, 1000)), None))
    return history


async def _read(k: Kit, entity: Entity, step: Step, tx: Any) -> list[Any]:
    value, key = entity.by_name["value"].position, entity.by_name["id"].position
    if step.does == "read":
        return [None if row is None else row[value] for row in await k.fetch(entity, *step.args, tx=tx)]
    low, high = step.args
    return [(row[key], row[value]) for row in await k.rows(entity, between(entity, "value", low, high), tx)]


async def _try(k: Kit, rival: Rival, entity: Entity, row: Callable[[int, int], Any], step: Step) -> None:
    """One write. That its row is gone ends a transaction as a conflict does (at the levels where it can be seen)."""
    try:
        await rival.do(partial(_write, k, entity, row, step))
    except NotFound as error:
        rival.ended, rival.error = "conflict", error
        if rival.tx is not None:
            await k.rollback(rival.tx)


async def _write(k: Kit, entity: Entity, row: Callable[[int, int], Any], step: Step, tx: Any) -> None:
    args: Sequence[int] = step.args
    if step.does == "put":
        await k.patch(entity, args[0], tx=tx, value=args[1])
    elif step.does == "insert":
        await k.insert(entity, row(*args), tx=tx)
    elif step.does == "delete":
        await k.delete(entity, args[0], tx=tx)
    elif step.does == "raise":
        ref = key_ref(entity, "value")
        more = Arith("add", ref, Value(args[2], ref.type), ref.type)
        await k.update_where(entity, between(entity, "value", args[0], args[1]), tx=tx, value=more)
    else:
        await k.delete_where(entity, between(entity, "value", args[0], args[1]), tx=tx)
