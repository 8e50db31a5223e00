"""Faults: what is broken in a memory backend on purpose, so that the proofs are seen to find it.

Each is one change to the engine of one backend object; nothing outlives that object. Must not know proofs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.backends import Isolation
from holdall.backends.memory import effects as fx
from holdall.backends.memory import views
from holdall.backends.memory.writes import Writer


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


def _refusals_are_not_read(backend: Any) -> None:
    """What keeps a row from being removed is not among what was read."""

    class Silent:
        def __init__(self, view: Any) -> None:
            self.view = view

        def __getattr__(self, name: str) -> Any:
            return getattr(self.view, name)

        def note_key(self, entity: Any, ik: Any) -> None:
            """Not noted."""

    class Forgetting(Writer):
        def _let_go(self, *args: Any) -> None:
            view, self.view = self.view, Silent(self.view)  # type: ignore[assignment]  # it passes all on
            try:
                super()._let_go(*args)
            finally:
                self.view = view

    backend._engine.writer = Forgetting


def _commits_dangle(backend: Any) -> None:
    """References are looked at when they are written, and not again at the commit."""
    backend._engine._dangling = lambda _: ""


def _an_index_is_forgotten(backend: Any) -> None:
    """Undoing a refused commit does not undo the indexes."""
    engine = backend._engine
    live = engine._live

    def undo(mark: int) -> None:
        journal = live.journal
        while len(journal) > mark:
            table, ik, old = journal.pop()
            if old is None:
                table.rows.pop(ik, None)
            else:
                table.rows[ik] = old

    live.undo = undo


# name -> the level at which it is looked for, the anomalies that must be found, how it is broken
FAULTS: dict[str, tuple[Isolation, frozenset[str], Callable[[Any], None]]] = {
    "two may write the same row": (Isolation.SNAPSHOT, frozenset({"lost-append"}), _first_committer_wins_not),
    "reads by key are not checked": (Isolation.SERIALIZABLE, frozenset({"G2-item"}), _reads_are_not_checked),
    "queries are not checked": (Isolation.SERIALIZABLE, frozenset({"G2"}), _scans_are_not_checked),
    "snapshots move": (Isolation.SNAPSHOT, frozenset({"G-single", "non-repeatable"}), _snapshots_move),
    "a rollback keeps what was written": (Isolation.SNAPSHOT, frozenset({"G1a"}), _rollback_keeps),
}


# those that only schedules of all kinds of writes show
RACES: dict[str, tuple[Isolation, Callable[[Any], None]]] = {
    "what refuses a removal is not read": (Isolation.SERIALIZABLE, _refusals_are_not_read),
    "references are not looked at by commits": (Isolation.SNAPSHOT, _commits_dangle),
    "what is undone stays in the indexes": (Isolation.SNAPSHOT, _an_index_is_forgotten),
    **{name: (level, breaks) for name, (level, _, breaks) in FAULTS.items()},
}


def _torn_reads(backend: Any) -> None:
    """Reads by key do not look whether a write is under way."""
    engine = backend._engine
    for entity, table in engine.tables.items():
        ik_of, find = table.layout.ik_of_key, table.rows.get

        def read(keys: Any, now: Any, find: Any = find, ik_of: Any = ik_of) -> list[Any]:
            return [find(ik_of(key)) for key in keys]

        engine._readers[entity] = read


class _NoLock:
    def __enter__(self) -> None:
        """Taken by everybody at once."""

    def __exit__(self, *exc: object) -> None:
        """As above."""


def _no_lock(backend: Any) -> None:
    """Effects are done beside each other."""
    backend._engine._lock = _NoLock()


# those that only threads show, switched between lines
LINES: dict[str, Callable[[Any], None]] = {
    "reads by key do not look at the stamp": _torn_reads,
    "the engine's lock is not taken": _no_lock,
}


def broken(backend: Any, fault: str) -> None:
    """Break a backend."""
    (LINES[fault] if fault in LINES else RACES[fault][1])(backend)
