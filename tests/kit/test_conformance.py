"""The conformance kit on every backend that comes with Holdall, in both colours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdall.testing import COLOURS, Case, Lab, Target, all_cases


def targets(folder: Path) -> dict[str, Target]:
    """What the kit runs on. Waiting for locks that a case holds itself, and for the disk, would only take time."""
    return {
        "memory": Target.of("memory:"),
        "sqlite": Target.of(f"sqlite:///{folder / 'kit.db'}?busy_timeout_s=0.05&synchronous=off"),
        "sqlite_in_memory": Target.of("sqlite:///:memory:?busy_timeout_s=0.05", name="sqlite_in_memory"),
    }


def runs() -> list[object]:
    """Every case on every target in both colours; the cases of an absence only where it is absent."""
    found: list[object] = []
    for name, target in targets(Path()).items():
        declared = target.make().describe()
        for colour in COLOURS:
            chosen = [case for case in all_cases() if case.absent is None or case.applies(declared)]
            found += [pytest.param((name, colour), case, id=f"{name}-{colour}-{case.id}") for case in chosen]
    return found


@pytest.fixture(scope="module")
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    name, colour = request.param
    made = Lab(targets(tmp_path_factory.mktemp("kit"))[name], colour)
    yield made
    made.close()


@pytest.mark.parametrize(("lab", "case"), runs(), indirect=["lab"])
def test_case(lab: Lab, case: Case) -> None:
    outcome = lab.run(case)
    assert outcome.verdict in ("passed", "deviation", "refused"), outcome.text
