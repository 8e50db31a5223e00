"""Re-running a unit of work after a conflict (G4), with randomised exponential backoff by tenacity."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from holdall.backends import Isolation
from holdall.errors import HoldallError

if TYPE_CHECKING:
    from holdall.store.store import Store

P = ParamSpec("P")
R = TypeVar("R")

WAIT_FIRST_S = 0.005
WAIT_MAX_S = 1.0


def _conflict(error: BaseException) -> bool:
    return isinstance(error, HoldallError) and error.retry == "transaction"


def _policy(retries: int) -> dict[str, Any]:
    from tenacity import retry_if_exception, stop_after_attempt, wait_random_exponential

    return {
        "stop": stop_after_attempt(retries + 1),
        "wait": wait_random_exponential(multiplier=WAIT_FIRST_S, max=WAIT_MAX_S),
        "retry": retry_if_exception(_conflict),
        "reraise": True,
    }


def retrying(store: Store, function: Callable[P, R], retries: int, isolation: Isolation | None) -> Callable[P, R]:
    """The function in a transaction of its own, run again after a conflict. Inside another transaction it runs once, in a savepoint."""

    @functools.wraps(function)
    def unit(*args: P.args, **kwargs: P.kwargs) -> R:
        from tenacity import Retrying

        if store._scope() is not None:
            with store.transaction():
                return function(*args, **kwargs)

        def once() -> R:
            with store.transaction(isolation=isolation):
                return function(*args, **kwargs)

        return Retrying(**_policy(retries))(once)

    return unit


def retrying_async(
    store: Store, function: Callable[P, Awaitable[R]], retries: int, isolation: Isolation | None
) -> Callable[P, Awaitable[R]]:
    """As `retrying`, awaited."""

    @functools.wraps(function)
    async def unit(*args: P.args, **kwargs: P.kwargs) -> R:
        from tenacity import AsyncRetrying

        if store._scope() is not None:
            async with store.aio.transaction():
                return await function(*args, **kwargs)

        async def once() -> R:
            async with store.aio.transaction(isolation=isolation):
                return await function(*args, **kwargs)

        return await AsyncRetrying(**_policy(retries))(once)

    return unit
