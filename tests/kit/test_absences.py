"""Each feature taken away, on the memory store: what needs it is refused, and a case shows how."""

from __future__ import annotations

import pytest

from holdall.backends import FEATURES
from holdall.backends.registry import backend_for
from holdall.errors import DeclarationError
from holdall.testing import COLOURS, Target, all_cases, run_kit
from holdall.testing.report import unaccounted


def may_lack() -> list[str]:
    """The features that the memory store can do without, and has."""
    found: list[str] = []
    for feature in FEATURES:
        try:
            backend_for(f"memory:?without={feature}")
        except DeclarationError:
            continue
        if backend_for("memory:").describe().support(feature):
            found.append(feature)
    return found


@pytest.mark.parametrize("feature", may_lack())
def test_what_needs_an_absent_feature_is_refused(feature: str) -> None:
    about = [case for case in all_cases() if feature in case.needs or case.absent == feature]
    needing = [case for case in about if feature in case.needs][:20]
    report = run_kit(Target.of(f"memory:?without={feature}"), cases=[*needing, *(case for case in about if case.absent == feature)])
    assert report.failures == [], report.failures[0].text
    assert report.count("refused") == len(needing) * len(COLOURS)
    assert report.count("passed") > 0
    assert unaccounted(report) == []


LACKING = "transactions,savepoints,set_writes,aggregates,joins,unique,references,checks,expiry,generated_int,row_locks"


def test_a_store_that_lacks_nearly_everything() -> None:
    """Cases say all that they need: nothing else fails where so much is absent."""
    report = run_kit(Target.of(f"memory:?without={LACKING}"), colours=("sync",))
    assert report.failures == [], f"{len(report.failures)} failed, the first: {report.failures[0].case.id}\n{report.failures[0].text}"
    assert min(report.count("passed"), report.count("refused")) > 1000
