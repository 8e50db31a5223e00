"""What is promised: every target of the speed section, by name, and how a measured ratio is judged. Knows results only by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.harness import Result

Verdict = Literal["ok", "short", "missing"]


@dataclass(frozen=True, slots=True)
class Target:
    """One promise about two contestants of one race.

    `at most`: time of `ours` divided by time of `other` may not exceed `limit`. `faster`: time of `other` divided by time of `ours` must
    reach `limit`. With `control`, the ratio is divided by that of the two contestants it names (first by second): what the machine alone
    does, its caches above all, is taken out.
    """

    name: str
    scenario: str
    ours: str
    other: str
    kind: Literal["at most", "faster"]
    limit: float
    control: tuple[str, str] | None = None

    @property
    def wish(self) -> str:
        """The limit as a reader wants it."""
        return f"≤ {self.limit:g} ×" if self.kind == "at most" else f"≥ {self.limit:g} × faster"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A target, the ratio that was measured for it (None when a side is missing) and the verdict."""

    target: Target
    ratio: float | None
    verdict: Verdict


def judge(targets: Sequence[Target], results: Mapping[str, Result]) -> list[Judgement]:
    """Judge the targets whose scenario ran. A target that could not be measured is `missing`, never left out."""
    judged: list[Judgement] = []
    for target in targets:
        if target.scenario not in results:
            continue
        timings = results[target.scenario].timings
        if any(name not in timings for name in (target.ours, target.other, *(target.control or ()))):
            judged.append(Judgement(target, None, "missing"))
            continue
        ours, other = timings[target.ours].median_s, timings[target.other].median_s
        ratio = ours / other if target.kind == "at most" else other / ours
        if target.control is not None:
            ratio /= timings[target.control[0]].median_s / timings[target.control[1]].median_s
        met = ratio <= target.limit if target.kind == "at most" else ratio >= target.limit
        judged.append(Judgement(target, ratio, "ok" if met else "short"))
    return judged
