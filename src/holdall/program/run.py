"""Effects, programs and their two drivers.

A program is a generator: it yields effects (requests, as data) and is sent their replies; it does no I/O itself. Whoever drives it says
how effects are performed. An exception raised while performing is thrown into the program at its `yield`, so that the program can undo
what it began. Must not know any engine.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, TypeVar

from holdall.errors import ProgrammingError

T = TypeVar("T")


Role = Literal["begin", "commit", "rollback", "read", "write", "other"]


class Effect:
    """Base of all effects: frozen data that names one thing to be done outside (one round trip at most).

    `role` says what that is to those who only watch or disturb. A write without a transaction (its `tx` is None) keeps what it did.
    """

    __slots__ = ()
    role: ClassVar[Role] = "other"


Program = Generator[Any, Any, T]  # yields effects, returns T


@dataclass(frozen=True, slots=True)
class Call(Effect):
    """Call the user's function (an event handler). Under `arun` it may return an awaitable, which is awaited."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Sleep(Effect):
    """Wait that many seconds (backoff between retries)."""

    seconds: float


def run(program: Program[T], perform: Callable[[Any], Any]) -> T:
    """Drive a program to its result, performing each effect with `perform`; its errors are raised inside the program first."""
    try:
        effect = program.send(None)
        while True:
            try:
                reply = _here(effect) if effect.__class__ in _LOCAL else perform(effect)
            except BaseException as error:  # noqa: BLE001 - it is raised again, inside the program
                effect = program.throw(error)
            else:
                effect = program.send(reply)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration is not generic


async def arun(program: Program[T], perform: Callable[[Any], Awaitable[Any]]) -> T:
    """As `run`, awaiting each effect. After a cancellation the program's clean-up effects are shielded from further ones."""
    import asyncio  # here and below, so that a synchronous program does not load it

    cancelled = False
    try:
        effect = program.send(None)
        while True:
            try:
                if effect.__class__ in _LOCAL:
                    reply = await _here_async(effect)
                elif cancelled:
                    reply = await asyncio.shield(asyncio.ensure_future(_awaited(perform(effect))))
                else:
                    reply = await perform(effect)
            except GeneratorExit:
                _abandon(program)
                raise
            except BaseException as error:  # noqa: BLE001 - it is raised again, inside the program
                cancelled = cancelled or isinstance(error, asyncio.CancelledError)
                effect = program.throw(error)
            else:
                effect = program.send(reply)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]  # StopIteration is not generic


def _abandon(program: Program[Any]) -> None:
    """End a program whose coroutine is collected because its event loop is gone: its clean-up cannot be awaited any more."""
    with suppress(GeneratorExit, StopIteration):
        while True:
            program.throw(GeneratorExit())


async def _awaited(reply: Awaitable[Any]) -> Any:
    return await reply


_LOCAL = frozenset({Call, Sleep})
_AWAITABLE: type[Any] = Awaitable  # isinstance with it leaves Any as it is; Awaitable would make the result unknown


def _here(effect: Any) -> Any:
    if isinstance(effect, Sleep):
        return time.sleep(effect.seconds)
    assert isinstance(effect, Call)
    result = effect.function(*effect.args)
    if isinstance(result, Awaitable):
        if isinstance(result, Coroutine):
            result.close()
        raise ProgrammingError(
            f"{effect.function.__qualname__} is async, but was called through the synchronous store.",
            hint="Use the store's async side (store.aio), or make the function synchronous.",
        )
    return result


async def _here_async(effect: Any) -> Any:
    if isinstance(effect, Sleep):
        import asyncio

        return await asyncio.sleep(effect.seconds)
    assert isinstance(effect, Call)
    result = effect.function(*effect.args)
    return await result if isinstance(result, _AWAITABLE) else result
