"""The conformance kit on every backend that comes with Holdall, in both colours.

Waiting for the disk would only take time: what survives a crash is a proof of its own.
"""

from __future__ import annotations

from pathlib import Path

from holdall.testing import Target, conformance


def sqlite(folder: Path) -> Target:
    return Target.of(f"sqlite:///{folder / 'kit.db'}?synchronous=off")


test_conformance = conformance("memory:", sqlite)

# The same engines in other moods, in one colour each, to save time; both colours are row 1 of the proofs.
test_in_memory = conformance(Target.of("sqlite:///:memory:", name="sqlite_in_memory"), colours=("sync",))
# Each time a hostile store is made it takes a new seed, which a failure tells.
test_hostile = conformance(Target.of("memory:?hostile=1&conflicts=0", name="memory_hostile"), colours=("sync",))
test_hostile_with_conflicts = conformance(
    Target.of("memory:?hostile=1&conflicts=0.2", name="memory_hostile_conflicts", conflicts_max=12), colours=("async",)
)
