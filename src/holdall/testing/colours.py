"""One spelling for both colours: the synchronous store behind awaitable names, so that each case is written once.

Owns the wrapper and the two ways to run a case. Must not know cases or backends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from typing import Any, Literal

from holdall.errors import ProgrammingError
from holdall.model import Collection, Query
from holdall.store import Store

Colour = Literal["sync", "async"]
COLOURS: tuple[Colour, ...] = ("sync", "async")

_PLAIN = frozenset({"now", "describe", "on", "after_commit", "has_core"})
_BUILDING = frozenset(
    {
        "query", "where", "order_by", "limit", "offset", "include", "distinct", "group_by", "having", "unfiltered", "allow_scan",
        "consistency", "lock",
    }
)  # fmt: skip


class Blocking:
    """A Store, Collection, Query or Transaction whose blocking names return awaitables that are already done."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getitem__(self, model: Any) -> Blocking:
        return Blocking(self._inner[model])

    def __getattr__(self, name: str) -> Any:
        found: Any = getattr(self._inner, name)
        if not callable(found) or name in _PLAIN:
            return found
        if name == "unit":
            return self._unit

        def call(*args: Any, **kwargs: Any) -> Any:
            if name == "stream":
                items: Any = found(*args, **kwargs)
                return _stream(items)
            if name == "transaction" or (isinstance(self._inner, Query | Collection) and name in _BUILDING):
                return Blocking(found(*args, **kwargs))
            return _later(found, args, kwargs)

        return call

    def _unit(self, **options: Any) -> Callable[..., Any]:
        """A unit of work around an async function, run to its end inside the synchronous unit."""

        def decorate(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Awaitable[Any]]:
            def finished(*args: Any) -> Any:
                return finish(function(*args))

            unit = self._inner.unit(**options)(finished)

            async def outer(*args: Any) -> Any:
                return unit(*args)

            return outer

        return decorate

    def __aiter__(self) -> AsyncIterator[Any]:
        return _stream(iter(self._inner))

    async def __aenter__(self) -> Blocking:  # noqa: PYI034 - what the block gets is wrapped anew
        return Blocking(self._inner.__enter__())

    async def __aexit__(self, *exc: object) -> None:
        self._inner.__exit__(*exc)


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never really waits; ProgrammingError if it does."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise ProgrammingError("A case of the synchronous colour waited for something.", hint="Await only the kit and its stores.")


async def _later(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return function(*args, **kwargs)


async def _stream(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


def coloured(store: Store, colour: Colour) -> Any:
    """The store as cases use it."""
    return Blocking(store) if colour == "sync" else store.aio
