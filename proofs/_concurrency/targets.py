"""Targets: the places in which the concurrent proofs run, and how to connect to them.

What a target can do is what its backend declares: levels come from its capabilities. Another engine is one more entry in `TARGETS`.
Must not know any proof.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from holdall.backends import Isolation
from holdall.backends.registry import backend_for
from holdall.program import run
from proofs._concurrency.models import ENTITIES

LEVELS = tuple(Isolation)


@dataclass
class Place:
    """Somewhere with data: a URL, and the backends connected to it. `shared`: one object is all there is (memory)."""

    url: str
    shared: bool
    made: list[Any] = field(default_factory=list)

    def connect(self) -> Any:
        """One more backend on the same data, open (the same one where there can be only one)."""
        if self.shared and self.made:
            return self.made[0]
        backend = backend_for(self.url)
        run(backend.open(), backend.perform)
        run(backend.ensure_schema(ENTITIES), backend.perform)
        self.made.append(backend)
        return backend

    def close(self) -> None:
        """Close all that was connected."""
        for backend in self.made:
            run(backend.close(), backend.perform)
        self.made.clear()


@dataclass(frozen=True)
class Target:
    """A kind of place. `url` gives the URL of a new, empty one in a folder; `quick` the same for schedules in one thread, in which nobody
    may wait (None: its clients cannot be scheduled in one thread). `places` counts: 'one' object, or 'many' connections and processes.
    """

    name: str
    url: Callable[[Path], str]
    quick: Callable[[Path], str] | None
    shared: bool

    @property
    def levels(self) -> tuple[Isolation, ...]:
        """The levels that the backend declares, weakest first."""
        with tempfile.TemporaryDirectory(prefix="holdall-proof-") as folder:
            declared = backend_for(self.url(Path(folder))).describe().isolation
        return tuple(level for level in LEVELS if level in declared)

    @property
    def engine(self) -> str:
        """What answers, with its version."""
        with tempfile.TemporaryDirectory(prefix="holdall-proof-") as folder:
            told = backend_for(self.url(Path(folder))).describe()
        return f"{self.name}: {told.engine} {told.version}"

    @contextmanager
    def place(self, *, scheduled: bool = False) -> Iterator[Place]:
        """A new place with the proofs' tables, gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="holdall-proof-") as folder:
            make = self.quick if scheduled else self.url
            assert make is not None, f"{self.name} cannot be scheduled in one thread"
            place = Place(make(Path(folder)), self.shared)
            place.connect()
            try:
                yield place
            finally:
                place.close()


MEMORY = Target("memory", lambda _: "memory:", lambda _: "memory:", shared=True)
# Isolation does not depend on when data reaches the disk; durability has proofs of its own.
SQLITE = Target(
    "sqlite",
    lambda folder: f"sqlite:///{folder}/proof.db?synchronous=off&busy_timeout_s=30",
    lambda folder: f"sqlite:///{folder}/proof.db?synchronous=off&busy_timeout_s=0",
    shared=False,
)
# Legal, and as unpleasant as the contract allows; a scheduler needs it to be the same each time.
HOSTILE = Target("memory, hostile", lambda _: "memory:?hostile=1&seed=1", lambda _: "memory:?hostile=1&seed=1", shared=True)
TARGETS = (MEMORY, SQLITE)
