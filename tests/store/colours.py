"""One spelling for both colours: the synchronous store behind awaitable names, so that each case is written once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from holdall import Store
from holdall.model import Collection, Query


class Blocking:
    """Wraps a Store, Collection, Query or Transaction: what would block returns an awaitable that is already done."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getitem__(self, model: Any) -> Blocking:
        return Blocking(self._inner[model])

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found) or name in ("now", "describe", "on", "after_commit"):
            return found
        if name == "unit":
            return self._unit

        def call(*args: Any, **kwargs: Any) -> Any:
            if name == "stream":
                return _stream(found(*args, **kwargs))
            if name == "transaction" or (isinstance(self._inner, Query | Collection) and name in _BUILDING):
                return Blocking(found(*args, **kwargs))
            return _later(found, args, kwargs)

        return call

    def _unit(self, **options: Any) -> Callable[..., Any]:
        """A unit of work around an async function, run to its end inside the synchronous unit."""

        def decorate(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            @self._inner.unit(**options)
            def unit(*args: Any) -> Any:
                return finish(function(*args))

            async def outer(*args: Any) -> Any:
                return unit(*args)

            return outer

        return decorate

    def __aiter__(self) -> AsyncIterator[Any]:
        return _stream(iter(self._inner))

    async def __aenter__(self) -> Blocking:
        return Blocking(self._inner.__enter__())

    async def __aexit__(self, *exc: object) -> None:
        self._inner.__exit__(*exc)


_BUILDING = frozenset(
    {
        "query", "where", "order_by", "limit", "offset", "include", "distinct", "group_by", "having", "unfiltered", "allow_scan",
        "consistency", "lock",
    }
)  # fmt: skip


def finish(coroutine: Any) -> Any:
    """The result of a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("a case of the synchronous colour waited")


async def _later(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    return function(*args, **kwargs)


async def _stream(items: Any) -> AsyncIterator[Any]:
    for item in items:
        yield item


def coloured(store: Store, colour: str) -> Any:
    """The store as cases use it."""
    return Blocking(store) if colour == "sync" else store.aio
