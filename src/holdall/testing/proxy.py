"""Through: a backend in front of another one, for those who watch or disturb what passes.

Owns the delegation of the whole port, optional groups included. Subclasses override what they want to see.
"""

from __future__ import annotations

from typing import Any, TypeVar

from holdall.backends import Backend, Inspection, Raw, Transactions

T = TypeVar("T", bound="Through")

_REQUIRED = ("describe", "open", "close", "ping", "plan", "fetch", "select", "scan", "apply", "ensure_schema", "reset", "drop")
_TRANSACTIONS = ("begin", "commit", "rollback", "savepoint", "release", "rollback_to")
_INSPECTION = ("inspect_schema",)
_RAW = ("raw", "native", "decode_rows")


class Through:
    """Passes every call on to `inner`. Make one with `through`, which gives it the optional groups that `inner` has."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        """The inner backend's name."""
        return str(self.inner.name)

    def perform(self, effect: Any) -> Any:
        """Do one effect, blocking."""
        return self.inner.perform(effect)

    async def aperform(self, effect: Any) -> Any:
        """Do one effect, awaiting."""
        return await self.inner.aperform(effect)


def _any(value: Any) -> Any:
    """Without its type, so that checkers do not rule out what they cannot know."""
    return value


def _passing(name: str) -> Any:
    def call(self: Through, *args: Any, **kwargs: Any) -> Any:
        return getattr(self.inner, name)(*args, **kwargs)

    call.__name__ = name
    return call


for _name in _REQUIRED:
    setattr(Through, _name, _passing(_name))


def grouped(kind: type[T], inner: Backend) -> type[T]:
    """`kind` with exactly those optional groups of the port that `inner` has.

    The groups must be on the class: `isinstance` with a protocol looks there from Python 3.12 on.
    """
    names: list[str] = []
    for group, calls in ((Transactions, _TRANSACTIONS), (Inspection, _INSPECTION), (Raw, _RAW)):
        if isinstance(_any(inner), group):
            names += calls
    missing = {name: _passing(name) for name in names if not hasattr(kind, name)}
    made: Any = type(kind.__name__, (kind,), missing)
    return made  # type: ignore[no-any-return]  # a subclass of kind, which no checker can see


def through(kind: type[T], inner: Backend, *args: Any, **kwargs: Any) -> T:
    """An object of `kind` in front of `inner`, with its optional groups: see `grouped`."""
    return grouped(kind, inner)(inner, *args, **kwargs)
