"""Rows 1 and 2: the contract's cases on every backend through both sides, and the gate that lets none be skipped."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from holdall.backends.memory import MemoryBackend
from holdall.query import replace
from holdall.testing import Case, Deviation, Kit, Target, all_cases, run_kit
from holdall.testing import Outcome as Ended
from holdall.testing.models.plain import Word
from proofs.harness import Budget, Finding, Outcome, Part, Proof

EXAMPLE = Path(__file__).parents[1] / "examples" / "own_backend"


def sqlite_file(folder: Path) -> Target:
    return Target.of(f"sqlite:///{folder / 'kit.db'}?synchronous=off")


def json_files(folder: Path) -> Target:
    """The backend of the example, written only against the port."""
    sys.path.insert(0, str(EXAMPLE))
    from json_files import JsonFiles

    return Target("jsonfiles", lambda: JsonFiles(folder), lambda: JsonFiles(folder))


TARGETS: dict[str, Callable[[Path], Target]] = {
    "memory": lambda _: Target.of("memory:"),
    "memory, hostile": lambda _: Target.of("memory:?hostile=1", conflicts_max=12),
    "sqlite, file": sqlite_file,
    "sqlite, in memory": lambda _: Target.of("sqlite:///:memory:"),
    "JSON files, the example of a backend of one's own": json_files,
}
ALL = len(all_cases())


class NullsFirst(MemoryBackend):
    """A backend that breaks B1."""

    def plan(self, select: Any) -> Any:
        return super().plan(replace(select, order=tuple(replace(item, nulls_first=True) for item in select.order)))


def run(make: Callable[[Path], Target], budget: Budget) -> Outcome:
    """The kit on a target, sync and async; `count` outcomes at most, spread over the cases by the seed."""
    cases = all_cases()
    wanted = budget.count // 2
    if wanted < len(cases):
        cases = [case for case in cases if case.absent is not None] + budget.random("cases").sample(cases, wanted)
        cases = list(dict.fromkeys(cases))
    with tempfile.TemporaryDirectory() as folder:
        report = run_kit(make(Path(folder)), cases=cases)
    findings = [Finding(f"{item.case.id} ({item.colour}): {item.text}", budget.seed) for item in report.failures]
    figures: dict[str, Any] = {verdict: report.count(verdict) for verdict in ("passed", "refused", "deviation")}
    figures["ran again after a conflict"] = report.conflicts
    return Outcome(len(report.outcomes), len(findings), findings[:5], figures)


async def _good(k: Kit) -> None:
    await k.store[Word].create(id=1, text="a")


async def _bad(k: Kit) -> None:
    assert False, "never so"  # noqa: B011, PT015 - a case that fails


def _case(body: Any, *, needs: tuple[str, ...] = ()) -> Case:
    return Case(f"A1.{body.__name__}", "A1", body.__name__, __name__, body, (), frozenset(needs), None)


def _gate(url: str, case: Case, *ledger: Deviation) -> list[Ended]:
    """What the gate says of one case beside all that show an absence."""
    showing = [item for item in all_cases() if item.absent is not None and item.absent not in case.needs]
    report = run_kit(Target.of(url, ledger=ledger), cases=[case, *showing], colours=("sync",))
    return [item for item in report.outcomes if item.case is case]


def accounted(budget: Budget) -> Outcome:
    """Every need of every case has a case that shows its refusal; every entry of the ledger is about a case that exists."""
    from holdall.testing import LEDGER

    cases = all_cases()
    shown = {case.absent for case in cases}
    found = [f"{case.id} needs {need}, whose refusal no case shows" for case in cases for need in case.needs - shown]
    found += [
        f"{entry} is about no case" for entry in LEDGER if not any(entry.covers(entry.backend, case.id, entry.colour) for case in cases)
    ]
    return Outcome(len(cases), len(found), [Finding(item, budget.seed) for item in found[:5]], {"entries in the ledger": len(LEDGER)})


def tripped(budget: Budget) -> Outcome:
    """What the gate must not let pass: a deviation that is mended, one that shows otherwise, a need without a refusal, a failure."""
    wrong = {
        "a deviation that is mended": _gate("memory:", _case(_good), Deviation("memory", "A1._good", "made up", "never so")),
        "a deviation that shows otherwise": _gate("memory:", _case(_bad), Deviation("memory", "A1._bad", "made up", "something else")),
        "a need without a refusal": _gate("memory:?without=savepoints", _case(_good, needs=("savepoints",))),
        "a failure": _gate("memory:", _case(_bad)),
    }
    caught = [name for name, ended in wrong.items() if [item.verdict for item in ended] == ["failed"]]
    whole = len(caught) == len(wrong)
    return Outcome(len(wrong), len(caught) if whole else 0, [Finding(name, budget.seed) for name in caught])


def _parts() -> list[Part]:
    parts = [Part(name, partial(run, make), "cases", 2 * ALL, 60, 1200.0) for name, make in TARGETS.items()]
    broken = partial(run, lambda _: Target("broken", NullsFirst))
    return [*parts, Part("memory that sorts nulls first", broken, "cases", 2 * ALL, 600, control=True)]


PROOFS = [
    Proof(
        1, "contract cases", "the promise that each case is tagged with",
        "≥ 1,500 cases × every backend × sync and async; none skipped without a ledger entry", _parts(),
        notes="A case whose capability a backend declares absent counts as refused, if another case showed the refusal in the same run.",
    ),
    Proof(
        2, "compliance gate", "reflection over the cases and the ledger of deviations",
        "each case passes, or has a ledger entry that asserts the deviation",
        [
            Part("every case is accounted for", accounted, "cases", ALL, ALL),
            Part("what must not pass the gate", tripped, "planted mistakes", 4, 4, control=True),
        ],
    ),
]  # fmt: skip
