"""Reports: the kit run on a target in both colours, counted per promise.

Owns the compliance gate: a case that does not apply is accounted for by the refusal of what it needs, never skipped. Must not know pytest
or the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from holdall.testing.case import Case, all_cases
from holdall.testing.colours import COLOURS, Colour
from holdall.testing.lab import Lab, Outcome, Target
from holdall.testing.promises import PROMISES

VERDICTS = ("passed", "refused", "deviation", "failed")


@dataclass
class Report:
    """What running the kit came to. `refused` are cases of absent capabilities whose refusal was shown by a case of its own."""

    target: str
    backend: str = ""
    engine: str = ""
    version: str = ""
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def count(self, verdict: str, promise: str | None = None) -> int:
        """How many outcomes of a verdict, of one promise or of all."""
        return sum(item.verdict == verdict and promise in (None, item.case.promise) for item in self.outcomes)

    @property
    def conflicts(self) -> int:
        """How often a case lost against others and was run again."""
        return sum(item.conflicts for item in self.outcomes)

    @property
    def failures(self) -> list[Outcome]:
        """The outcomes that failed."""
        return [item for item in self.outcomes if item.verdict == "failed"]

    def promises(self) -> Iterator[tuple[str, str, dict[str, int]]]:
        """(id, sentence, counts) of every promise that has outcomes."""
        for promise, sentence in PROMISES.items():
            counts = {verdict: self.count(verdict, promise) for verdict in VERDICTS}
            if any(counts.values()):
                yield promise, sentence, counts

    def as_json(self) -> dict[str, Any]:
        """The report as plain data: see docs/conformance for the keys."""
        return {
            "backend": self.backend,
            "engine": self.engine,
            "version": self.version,
            "cases": len(self.outcomes),
            "passed": self.count("passed"),
            "refused": self.count("refused"),
            "deviations": self.count("deviation"),
            "failed": self.count("failed"),
            "conflicts": self.conflicts,
            "promises": {promise: counts for promise, _, counts in self.promises()},
            "absent": sorted({item.text for item in self.outcomes if item.verdict == "refused"}),
            "deviating": [
                {"case": item.case.id, "colour": item.colour, "reason": item.text} for item in self.outcomes if item.verdict == "deviation"
            ],
            "failures": [{"case": item.case.id, "colour": item.colour, "text": item.text} for item in self.failures],
        }


Progress = Callable[[int, int, Outcome], None]


def run_kit(
    target: Target,
    *,
    cases: Sequence[Case] | None = None,
    colours: Sequence[Colour] = COLOURS,
    progress: Progress | None = None,
) -> Report:
    """Run the kit (or some of its cases) on a target. `progress` is told (done, of how many, the outcome) after each case.

    What it made in the store is dropped at the end, also after an interruption. Errors of the store itself (it cannot be reached, say) are
    raised; what goes wrong inside a case is an outcome.
    """
    report = Report(target.name)
    with ExitStack() as stack:
        labs: list[Lab] = []
        for colour in colours:
            lab = Lab(target, colour)
            stack.callback(lab.close)
            labs.append(lab)
        declared = labs[0].capabilities()
        report.backend, report.engine, report.version = declared.backend, declared.engine, declared.version
        chosen = [item for item in (all_cases() if cases is None else cases) if item.absent is None or item.applies(declared)]
        total = len(chosen) * len(labs)
        for lab in labs:
            for item in chosen:
                outcome = lab.run(item)
                report.outcomes.append(outcome)
                if progress is not None:
                    progress(len(report.outcomes), total, outcome)
            lab.close()
    _account(report, chosen)
    return report


def unaccounted(report: Report) -> list[str]:
    """What cases were refused for want of, where no case of the same run showed its refusal."""
    shown = {(item.case.absent, item.colour) for item in report.outcomes if item.case.absent is not None and item.verdict == "passed"}
    refused = [item for item in report.outcomes if item.verdict == "refused"]
    return sorted({item.text for item in refused if not any((need, item.colour) in shown for need in item.text.split(", "))})


def _account(report: Report, chosen: Sequence[Case]) -> None:
    """A refused outcome stands only if the refusal of what is absent was shown in the same run."""
    if not any(item.absent is not None for item in chosen):
        return  # a selection of cases, by name: there is nothing to account for
    wanting = unaccounted(report)
    for index, item in enumerate(report.outcomes):
        if item.verdict == "refused" and item.text in wanting:
            text = f"It needs {item.text}, which is absent here, and no case shows how that is refused."
            report.outcomes[index] = Outcome(item.case, item.colour, "failed", text)
