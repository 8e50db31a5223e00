"""Re-running a unit of work after a conflict (G4), with randomised exponential backoff by tenacity."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from holdall.backends import Isolation
from holdall.errors import HoldallError, ProgrammingError, TransactionDoomed

if TYPE_CHECKING:
    from holdall.store.store import Store

P = ParamSpec("P")
R = TypeVar("R")

WAIT_FIRST_S = 0.005
WAIT_MAX_S = 1.0


class _Committed(Exception):
    """Around the error of a handler that ran after the commit: whatever it is, the unit is not to be run again."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _conflict(error: BaseException) -> bool:
    """Whether the unit lost against others, also if it caught the error that said so, and was undone because of that."""
    if isinstance(error, TransactionDoomed) and isinstance(error.__cause__, HoldallError):
        error = error.__cause__
    return isinstance(error, HoldallError) and error.retry == "transaction"


def _check_nested(store: Store, isolation: Isolation | None) -> None:
    """ProgrammingError for a unit that asks for more isolation than the transaction has in which it is called."""
    scope = store._scope()
    if isolation is None or scope is None:
        return
    outer = scope.root.isolation or scope.core.kept.capabilities.default_isolation
    levels = list(Isolation)
    if outer is not None and levels.index(outer) < levels.index(isolation):
        raise ProgrammingError(
            f"A unit that needs {isolation.name} was called in a transaction with {outer.name}.",
            hint="Ask for the level at the outermost block.",
        )


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
            _check_nested(store, isolation)
            with store.transaction():
                return function(*args, **kwargs)

        def once() -> R:
            block = store.transaction(isolation=isolation)
            try:
                with block:
                    return function(*args, **kwargs)
            except Exception as error:
                if block.committed:
                    raise _Committed(error) from error
                raise

        try:
            return Retrying(**_policy(retries))(once)
        except _Committed as after:
            raise after.error  # noqa: B904 - it is the same error

    return unit


def retrying_async(
    store: Store, function: Callable[P, Awaitable[R]], retries: int, isolation: Isolation | None
) -> Callable[P, Awaitable[R]]:
    """As `retrying`, awaited."""

    @functools.wraps(function)
    async def unit(*args: P.args, **kwargs: P.kwargs) -> R:
        from tenacity import AsyncRetrying

        if store._scope() is not None:
            _check_nested(store, isolation)
            async with store.aio.transaction():
                return await function(*args, **kwargs)

        async def once() -> R:
            block = store.aio.transaction(isolation=isolation)
            try:
                async with block:
                    return await function(*args, **kwargs)
            except Exception as error:
                if block.committed:
                    raise _Committed(error) from error
                raise

        try:
            return await AsyncRetrying(**_policy(retries))(once)
        except _Committed as after:
            raise after.error  # noqa: B904 - it is the same error

    return unit
