"""Elsewhere: running something of a case in another thread, task or event loop, with the case's context.

Owns the threads and loops that this takes. Must not know cases.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from holdall.testing.colours import Colour, finish

Place = Literal["thread", "task"]
PLACES: tuple[Place, ...] = ("thread", "task")


async def elsewhere(colour: Colour, place: Place, call: Callable[[], Awaitable[Any]]) -> Any:
    """What call() gives in another thread (with an event loop of its own in the async colour), or in another task.

    The context, and with it the ambient transaction, goes along, as it does to tasks and with tools that copy it. There are no tasks in
    the sync colour: there it is another thread too.
    """
    if colour == "async" and place == "task":
        return await asyncio.create_task(_coroutine(call))
    context = contextvars.copy_context()
    found: list[Any] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            found.append(context.run(_through, colour, call))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it was asked for
            raised.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive():
        if colour == "async":
            await asyncio.sleep(0.001)
        else:
            thread.join(0.05)
    if raised:
        raise raised[0]
    return found[0]


async def _coroutine(call: Callable[[], Awaitable[Any]]) -> Any:
    return await call()


def _through(colour: Colour, call: Callable[[], Awaitable[Any]]) -> Any:
    return finish(_coroutine(call)) if colour == "sync" else asyncio.run(_coroutine(call))
