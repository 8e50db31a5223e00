"""Faults: what is broken in a memory backend on purpose, so that the proofs are seen to find it.

Each is one change to the engine of one backend object; nothing outlives that object. Must not know proofs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.backends import Isolation
from holdall.backends.memory import effects as fx
from holdall.backends.memory import views


def _begun(backend: Any, change: Callable[[Any], None]) -> None:
    """Every transaction that is begun is changed."""
    engine = backend._engine
    begin = engine._performers[fx.Begin]

    def changed(effect: Any) -> Any:
        tx = begin(effect)
        change(tx)
        return tx

    engine._performers[fx.Begin] = changed


def _first_committer_wins_not(backend: Any) -> None:
    """Two transactions may write the same row: the later one wins."""

    class Overlay(views.Overlay):
        __slots__ = ()

        def put(self, ik: Any, new: Any) -> None:
            self.before.pop(ik, None)
            super().put(ik, new)

    def change(tx: Any) -> None:
        class Forgiving(type(tx)):  # type: ignore[misc]  # a class that is only known here
            def of(self, entity: Any) -> Any:
                overlay = self.overlays.get(entity)
                if overlay is None:
                    overlay = self.overlays[entity] = Overlay(self.tables[entity], self.journal)
                return overlay

            def conflict(self) -> str:
                return ""

        tx.__class__ = Forgiving

    _begun(backend, change)


def _reads_are_not_checked(backend: Any) -> None:
    """SERIALIZABLE forgets what was read by key."""
    _begun(backend, lambda tx: setattr(tx, "keys", _Forgetful()))


class _Forgetful(dict[Any, Any]):
    def setdefault(self, key: Any, default: Any = None) -> Any:  # noqa: ARG002  as in dict
        return default


class _Deaf(list[Any]):
    def append(self, item: Any) -> None:
        """Nothing is kept."""


def _scans_are_not_checked(backend: Any) -> None:
    """SERIALIZABLE forgets what was read by queries."""
    _begun(backend, lambda tx: setattr(tx, "scans", _Deaf()))


def _snapshots_move(backend: Any) -> None:
    """A transaction sees what was committed after it began."""

    def change(tx: Any) -> None:
        class Moving(type(tx)):  # type: ignore[misc]  # a class that is only known here
            def read_on(self, log: list[Any], start: int) -> None:
                self.position = start + len(log)

        tx.__class__ = Moving

    _begun(backend, change)


def _rollback_keeps(backend: Any) -> None:
    """A rollback commits."""
    engine = backend._engine
    roll, commit = engine._performers[fx.Rollback], engine._performers[fx.Commit]

    def kept(effect: Any) -> None:
        if not effect.tx.ended:
            commit(fx.Commit(effect.tx))
        roll(effect)

    engine._performers[fx.Rollback] = kept


# name -> the level at which it is looked for, the anomalies that must be found, how it is broken
FAULTS: dict[str, tuple[Isolation, frozenset[str], Callable[[Any], None]]] = {
    "two may write the same row": (Isolation.SNAPSHOT, frozenset({"lost-append"}), _first_committer_wins_not),
    "reads by key are not checked": (Isolation.SERIALIZABLE, frozenset({"G2-item"}), _reads_are_not_checked),
    "queries are not checked": (Isolation.SERIALIZABLE, frozenset({"G2"}), _scans_are_not_checked),
    "snapshots move": (Isolation.SNAPSHOT, frozenset({"G-single", "non-repeatable"}), _snapshots_move),
    "a rollback keeps what was written": (Isolation.SNAPSHOT, frozenset({"G1a"}), _rollback_keeps),
}


def broken(backend: Any, fault: str) -> None:
    """Break a backend."""
    FAULTS[fault][2](backend)
