"""Schedules: several programs at once in one thread, switched between effects, as a chooser says.

A schedule is a program itself: it yields (client, effect) pairs, so the same schedule runs blocking and awaited. Every chooser is
deterministic: a seed, or a list of choices, is the schedule. Must not know what the programs do.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from holdall.errors import LockTimeout
from holdall.program import Program, arun, run
from proofs._concurrency.words import Pause

Choose = Callable[[Sequence["Client"], "Client | None"], int]


class Client:
    """One program with its backend. `result` or `error` is there when it is `done`. `waits`: what it asked for is held by others."""

    __slots__ = ("backend", "done", "effect", "error", "number", "program", "result", "waits")

    def __init__(self, number: int, backend: Any, program: Program[Any]) -> None:
        self.number = number
        self.backend = backend
        self.program = program
        self.effect: Any = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.done = self.waits = False

    def advance(self, reply: Any = None, failure: BaseException | None = None) -> None:
        """Run the program to its next effect, or its end."""
        try:
            self.effect = self.program.send(reply) if failure is None else self.program.throw(failure)
        except StopIteration as stop:
            self.done, self.result = True, stop.value
        except Exception as error:  # noqa: BLE001  the proof says whether a client may fail
            self.done, self.error = True, error


def play(clients: Sequence[Client], choose: Choose) -> Program[None]:
    """Run all clients to their ends, one effect at a time.

    A client whose effect meets a lock (LockTimeout, on a backend told not to wait) has done nothing and asks again after somebody else
    got on; when nobody can, the last one to ask is told.
    """
    ready = list(clients)
    for client in clients:
        client.advance()
    ready = [client for client in ready if not client.done]
    last: Client | None = None
    while ready:
        able = [client for client in ready if not client.waits]
        client = able[choose(able, last)] if len(able) > 1 else able[0]
        last = client
        effect = client.effect
        if effect.__class__ is Pause:
            client.advance()
        else:
            try:
                reply = yield client, effect
            except LockTimeout as error:
                if len(able) > 1:
                    client.waits = True
                    continue
                client.advance(failure=error)
            except Exception as error:  # noqa: BLE001  it belongs to the client
                client.advance(failure=error)
            else:
                client.advance(reply)
        for other in ready:
            other.waits = False
        if client.done:
            ready.remove(client)


def _perform(asked: tuple[Client, Any]) -> Any:
    client, effect = asked
    return client.backend.perform(effect)


async def _aperform(asked: tuple[Client, Any]) -> Any:
    client, effect = asked
    return await client.backend.aperform(effect)


def play_sync(clients: Sequence[Client], choose: Choose) -> None:
    """A schedule, blocking."""
    run(play(clients, choose), _perform)


async def play_async(clients: Sequence[Client], choose: Choose) -> None:
    """A schedule, awaited."""
    await arun(play(clients, choose), _aperform)


# Choosers


def by_chance(rng: random.Random) -> Choose:
    """Anybody, each time."""
    chance = rng.random
    return lambda able, _: int(chance() * len(able))


def by_priority(rng: random.Random, clients: int, steps: int, changes: int) -> Choose:
    """PCT: the one of highest priority runs on; at `changes` random steps the one who runs falls behind all others.

    Finds a race that needs `changes` preemptions at a known rate, where chance alone would rarely hold a client back for long.
    """
    rank = list(range(changes + 1, changes + 1 + clients))
    rng.shuffle(rank)
    falls = {rng.randrange(1, max(2, steps)): place for place in range(changes)}
    step = 0

    def choose(able: Sequence[Client], last: Client | None) -> int:
        nonlocal step
        step += 1
        if last is not None and step in falls:
            rank[last.number] = falls[step]
        best = max([rank[client.number] for client in able])
        return next(at for at, client in enumerate(able) if rank[client.number] == best)

    return choose


class Exhaustive:
    """All schedules, or those with at most so many preemptions, one after the other: `for choose in Exhaustive(...)`, each to be played.

    Choice 0 goes on with the client that ran last, if it can; every other one while it can is a preemption.
    """

    def __init__(self, preemptions: int | None = None) -> None:
        self.preemptions = preemptions
        self.choices: list[int] = []
        self.widths: list[int] = []
        self.complete = False

    def __iter__(self) -> Iterator[Choose]:
        prefix: list[int] = []
        while True:
            self.choices, self.widths = list(prefix), []
            used = 0
            step = 0

            def choose(able: Sequence[Client], last: Client | None) -> int:
                nonlocal used, step
                at = next((place for place, client in enumerate(able) if client is last), None)
                order = list(range(len(able))) if at is None else [at, *(place for place in range(len(able)) if place != at)]
                free = at is None or self.preemptions is None or used < self.preemptions
                self.widths.append(len(order) if free else 1)
                if step == len(self.choices):
                    self.choices.append(0)
                choice = self.choices[step]
                step += 1
                if at is not None and choice:
                    used += 1
                return order[choice]

            yield choose
            prefix = self._next()
            if not prefix:
                self.complete = True
                return

    def _next(self) -> list[int]:
        """The choices of the next schedule; none after the last."""
        choices = self.choices[: len(self.widths)]
        for at in range(len(choices) - 1, -1, -1):
            if choices[at] + 1 < self.widths[at]:
                return [*choices[:at], choices[at] + 1]
        return []
