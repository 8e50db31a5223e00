"""The conformance kit on every backend that comes with Holdall, in both colours.

Waiting for locks that a case holds itself, and for the disk, would only take time.
"""

from __future__ import annotations

from pathlib import Path

from holdall.testing import Target, conformance


def sqlite(folder: Path) -> Target:
    return Target.of(f"sqlite:///{folder / 'kit.db'}?busy_timeout_s=0.05&synchronous=off")


test_conformance = conformance(
    "memory:",
    sqlite,
    Target.of("sqlite:///:memory:?busy_timeout_s=0.05", name="sqlite_in_memory"),
)
