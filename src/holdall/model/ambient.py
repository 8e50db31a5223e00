"""The ambient store: the one context variable, and what models need of a store.

Models and queries live below stores; they reach the store that runs them through the `Home` protocol only. A frame says which store is
ambient and, inside a transaction, which transaction; frames form a chain, so that an inner store does not hide an outer transaction.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from holdall.errors import ProgrammingError


class Home(Protocol):
    """What a store offers to models and queries: operations by name, blocking or awaited."""

    def may_block(self) -> bool:
        """Whether blocking here stops nobody else: no event loop runs in this thread."""
        ...

    def get_record(self, model: Any, key: Any) -> Any:
        """The record with this key, or None."""
        ...

    def run(self, name: str, /, *args: Any) -> Any:
        """Do the operation and return its result."""
        ...

    async def arun(self, name: str, /, *args: Any) -> Any:
        """Do the operation, awaiting."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """One `with store:` or `with store.transaction():`. `tx` is the open transaction of `home`, if any."""

    home: Home
    tx: Any
    outer: Frame | None


current: ContextVar[Frame | None] = ContextVar("holdall_store", default=None)


def ambient_home(model: Any) -> Home:
    """The store that a model uses: the one of its class, else the ambient one; ProgrammingError if there is none."""
    bound = model.__store__
    if bound is not None:
        return bound  # type: ignore[no-any-return]  # an operation by name
    frame = current.get()
    if frame is None:
        raise ProgrammingError(
            f"{model.__name__} was used without a store.",
            hint=f"Write 'with store:' around it, use store[{model.__name__}], or declare class {model.__name__}(Model, store=store).",
        )
    return frame.home


def enter(home: Home, tx: Any) -> None:
    """Make a store, and a transaction of it if one is given, ambient from here on in this thread or task."""
    current.set(Frame(home, tx, current.get()))


def leave(home: Home) -> None:
    """End the innermost frame; ProgrammingError if it is another store's (blocks that were left in another order than entered)."""
    frame = current.get()
    if frame is None or frame.home is not home:
        raise ProgrammingError(
            "A store's block was left in another thread or task than it was entered in, or out of order.",
            hint="Use 'with' blocks, properly nested.",
        )
    current.set(frame.outer)
