"""Conformance under pytest: one test for each case of the kit, in both colours.

Owns the test function that authors of backends put into a module of theirs. pytest is imported only here and in the plugin,
and when asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdall.testing.case import all_cases
from holdall.testing.colours import COLOURS, Colour
from holdall.testing.lab import Lab, Target
from holdall.testing.ledger import Deviation
from holdall.testing.report import Report, unaccounted

if TYPE_CHECKING:
    import pytest

    from holdall.testing.case import Case

Making = Callable[[Path], Target]


def conformance(*targets: str | Target | Making, ledger: Sequence[Deviation] = (), colours: Sequence[Colour] = COLOURS) -> Any:
    """A test function that runs the whole kit on each target: `test_conformance = conformance("mystore:")` in a test module.

    A target is a store's URL, a Target, or a function from an empty folder to a Target (called once to see what the backend declares, and
    once for each colour). `ledger` are the known deviations of targets given as URLs. One test for each case and colour, and one more for
    each target and colour: that every case which does not apply is answered for by a case that shows the refusal.
    """
    import pytest

    makings: dict[str, Making] = {}
    for item in targets:
        making = _making(item, ledger)
        makings[making(Path("nowhere")).name] = making
    runs = [
        pytest.param(making, colour, case, id=f"{name}-{colour}-{case.id if case else 'accounted'}")
        for name, making in makings.items()
        for colour in colours
        for case in [*_applicable(making), None]
    ]

    @pytest.mark.parametrize(("making", "colour", "case"), runs)
    def test(request: pytest.FixtureRequest, making: Making, colour: Colour, case: Case | None) -> None:
        lab, report = _lab(request, making, colour)
        if case is None:
            assert not (open_ := unaccounted(report)), f"No case shows how these are refused: {', '.join(open_)}"
            return
        outcome = lab.run(case)
        report.outcomes.append(outcome)
        if outcome.verdict == "failed":
            pytest.fail(outcome.text, pytrace=False)

    return test


def _making(item: str | Target | Making, ledger: Sequence[Deviation]) -> Making:
    if isinstance(item, str):
        url = item
        return lambda _: Target.of(url, ledger=ledger)
    if isinstance(item, Target):
        target = item
        return lambda _: target
    return item


def _applicable(making: Making) -> list[Case]:
    """Every case but those that show the absence of what is there."""
    declared = making(Path("nowhere")).make().describe()
    return [case for case in all_cases() if case.absent is None or case.applies(declared)]


def _lab(request: pytest.FixtureRequest, making: Making, colour: Colour) -> tuple[Lab, Report]:
    """The lab of a target and colour, opened once for each module and closed at its end."""
    import pytest

    from holdall.testing.plugin import REPORTS

    module: Any = request.node.getparent(pytest.Module)
    labs: dict[Any, tuple[Lab, Report]] = module.__dict__.setdefault("_holdall_labs", {})
    found = labs.get((making, colour))
    if found is None:
        folder = request.getfixturevalue("tmp_path_factory").mktemp("holdall")
        target = making(folder)
        found = labs[making, colour] = Lab(target, colour), Report(f"{target.name}, {colour}")
        module.addfinalizer(found[0].close)
        request.config.stash.setdefault(REPORTS, []).append(found[1])
    return found
