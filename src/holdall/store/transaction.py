"""Transactions as blocks: `with store.transaction()` and `async with store.aio.transaction()`; nested ones are savepoints.

The block's rules (begin on first use, doom, commit or undo, handlers after commit) are programs, shared by both colours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from holdall.backends import Isolation
from holdall.errors import ProgrammingError
from holdall.model import current, enter, leave
from holdall.program import arun, run
from holdall.store.core import Scope, end, owner_here, task_here

if TYPE_CHECKING:
    from holdall.store.store import Store


class _Block:
    """What both colours share: entering and leaving the scope."""

    def __init__(self, store: Store, isolation: Isolation | None, read_only: bool, timeout_s: float | None) -> None:
        self._store = store
        self._options = (isolation, read_only, timeout_s)
        self._scope: Scope | None = None

    def _enter(self, owner: tuple[Any, ...]) -> None:
        if self._scope is not None:
            raise ProgrammingError("This transaction was used before.", hint="Call store.transaction() for each block.")
        outer = self._store._scope()
        if outer is not None:
            outer.check(owner)
        core = self._store._core if outer is None else outer.core
        self._scope = Scope(core, outer, owner, *self._options)
        enter(self._store, self._scope)

    def _leave(self, error: BaseException | None, owner: tuple[Any, ...]) -> tuple[Scope, BaseException | None, ProgrammingError | None]:
        """The scope, the error that undoes it, and the one to raise if it is left where it must not be: it is undone all the same."""
        scope = self._scope
        assert scope is not None
        frame = current.get()
        if frame is not None and frame.tx is scope:
            leave(self._store)
            if scope.owner == owner:
                return scope, error, None
        misuse = ProgrammingError(
            "A transaction was left in another thread, task or process than it was begun in, or out of order; it was undone.",
            hint="Use 'with' blocks, properly nested.",
        )
        return scope, error or misuse, misuse

    def _abandon(self) -> None:
        """End without the store: its backend undoes transactions that nobody holds any more."""
        scope = self._scope
        assert scope is not None
        scope.closed = True
        scope.undo()
        scope.handle = None

    def after_commit(self, function: Callable[..., Any], *args: Any) -> None:
        """Call the function once the outermost transaction has been committed; not at all if it is not."""
        if self._scope is None or self._scope.closed:
            raise ProgrammingError("after_commit() was called outside the transaction's block.", hint="Call it inside the block.")
        self._scope.after_commit.append((function, args))

    @property
    def committed(self) -> bool:
        """Whether it has been committed; a nested one never is by itself."""
        return self._scope is not None and self._scope.committed

    @property
    def isolation(self) -> Isolation | None:
        """The level asked for; None for the backend's default."""
        return self._options[0]


class Transaction(_Block):
    """A transaction, or inside another one a savepoint: committed when the block ends, undone when it raises."""

    def __enter__(self) -> Self:
        self._enter(owner_here())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        scope, why, misuse = self._leave(error, owner_here())
        run(end(scope, why), scope.core.perform)
        if misuse is not None and error is None:
            raise misuse


class AsyncTransaction(_Block):
    """As Transaction, awaited. Cancelling the task undoes it."""

    async def __aenter__(self) -> Self:
        self._enter(task_here())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:  # the event loop is gone, and the block is being collected: nothing can be awaited
            self._abandon()
            return
        scope, why, misuse = self._leave(error, task_here())
        ending = asyncio.ensure_future(arun(end(scope, why), scope.core.aperform))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError as cancelled:
            # The end of a transaction is never abandoned half-way: wait for it, then pass the cancellation on.
            if not ending.done():
                await asyncio.wait([ending])
            if not ending.cancelled() and (failure := ending.exception()) is not None:
                cancelled.add_note(f"The transaction, which was ending, failed: {failure!r}")
            raise
        if misuse is not None and error is None:
            raise misuse
