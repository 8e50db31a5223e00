"""Modes: the ways in which several clients run at once: by schedule (blocking or awaited), in threads, tasks or processes.

A client is a function from its port and number to a program. Must not know what clients do.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from holdall.program import Program, arun, run
from proofs._concurrency.schedule import Choose, Client, by_chance, by_priority, play_async, play_sync
from proofs._concurrency.targets import Place, Target
from proofs._concurrency.words import Pause, Port

Mode = Literal["schedule, sync", "schedule, async", "threads", "tasks", "processes"]
Make = Callable[[Port, int], Program[Any]]


def modes_of(target: Target) -> tuple[Mode, ...]:
    """The modes that make sense on a target."""
    scheduled: tuple[Mode, ...] = () if target.quick is None else ("schedule, sync", "schedule, async")
    return (*scheduled, "threads", *(() if target.shared else ("tasks", "processes")))  # type: ignore[return-value]  # literals


def chooser(rng: random.Random, clients: int, steps: int) -> Choose:
    """By chance, or (every other time) by priorities with a few changes."""
    if rng.random() < 0.5:
        return by_chance(rng)
    return by_priority(rng, clients, steps, rng.randrange(1, 2 + steps // 20))


def together(mode: Mode, place: Place, make: Make, clients: int, rng: random.Random, steps: int) -> list[Any]:
    """The results of all clients, run in one of the modes of one process; the first error of a client is raised."""
    backends = [place.made[at % len(place.made)] for at in range(clients)]
    programs = [make(Port(backend), number) for number, backend in enumerate(backends)]
    if mode in ("schedule, sync", "schedule, async"):
        playing = [Client(number, backend, program) for number, (backend, program) in enumerate(zip(backends, programs, strict=True))]
        choose = chooser(rng, clients, steps)
        if mode == "schedule, sync":
            play_sync(playing, choose)
        else:
            loop().run(play_async(playing, choose))
        for client in playing:
            if client.error is not None:
                raise client.error
        return [client.result for client in playing]
    if mode == "threads":
        return in_threads([lambda b=backend, p=program: run(p, performing(b)) for backend, program in zip(backends, programs, strict=True)])
    assert mode == "tasks"

    async def all_tasks() -> list[Any]:
        return await asyncio.gather(*[arun(p, aperforming(b)) for b, p in zip(backends, programs, strict=True)], return_exceptions=True)

    results = loop().run(all_tasks())
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results


def performing(backend: Any) -> Callable[[Any], Any]:
    """How a client in a thread or process performs."""
    perform = backend.perform
    return lambda effect: None if effect.__class__ is Pause else perform(effect)


def aperforming(backend: Any) -> Callable[[Any], Any]:
    """How a client in a task performs."""

    async def aperform(effect: Any) -> Any:
        if effect.__class__ is Pause:
            return await asyncio.sleep(0)
        return await backend.aperform(effect)

    return aperform


_loop: asyncio.Runner | None = None


def loop() -> asyncio.Runner:
    """The event loop of this process's proofs."""
    global _loop  # noqa: PLW0603  one for all, because making one takes longer than a history
    if _loop is None:
        _loop = asyncio.Runner()
    return _loop


@contextmanager
def restless(interval: float = 1e-6) -> Iterator[None]:
    """Within the block, threads are switched as often as Python can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(interval)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


def in_threads(calls: list[Callable[[], Any]]) -> list[Any]:
    """The results of calls, each in a thread of its own, all begun at the same time; the first error is raised."""
    results: list[Any] = [None] * len(calls)
    errors: list[BaseException] = []
    start = threading.Barrier(len(calls))

    def body(at: int) -> None:
        try:
            start.wait()
            results[at] = calls[at]()
        except BaseException as error:  # noqa: BLE001  raised below
            errors.append(error)

    threads = [threading.Thread(target=body, args=(at,), daemon=True) for at in range(len(calls))]
    with restless():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
    return results


def pool(size: int) -> Any:
    """Processes that share nothing with this one but files."""
    return multiprocessing.get_context("spawn").Pool(size)
