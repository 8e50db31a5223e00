"""The check command: the conformance kit against a store of the user's own. Here are options and the report."""

from __future__ import annotations

import json
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.failures import CHECK_FAILED, Failure, message
from holdall.cli.output import Column, write_many
from holdall.cli.progress import Progress

if TYPE_CHECKING:
    from holdall.testing import Case, Report

_SHOWN_MAX = 10  # failures told in full


@click.command(short_help="The conformance kit against your own store.")
@click.argument("url", metavar="URL")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, with every failure in full.")
@click.option("--only", multiple=True, metavar="ID", help="Only these promises (A1) or cases (a pattern with *); repeatable.")
@click.option("--side", type=click.Choice(["both", "sync", "async"]), default="both", show_default=True, help="Which side of the store.")
@click.option("--conflicts", type=click.IntRange(0), default=5, show_default=True, help="How often a case may lose against others' writes.")
@click.option("--list", "only_list", is_flag=True, help="Say which cases there are, and run nothing.")
def check(url: str, as_json: bool, only: tuple[str, ...], side: str, conflicts: int, only_list: bool) -> None:
    """Run the conformance kit against the store at URL: does it keep every promise of the contract?

    It works in tables of its own, whose names begin with hc and eight hexadecimal digits, beside whatever else is there, and drops them at
    the end. What the store declares that it does not offer must be refused cleanly; each such case counts as refused, not as passed.
    Exit code 1 if a case failed.

    \b
    holdall check sqlite:///shop.db
    holdall check memory: --only A4 --only "F3.*cascade*"
    """
    from holdall.testing import COLOURS, Target, run_kit

    cases = _chosen(only)
    if only_list:
        for case in cases:
            click.echo(f"{case.id}  {case.doc.splitlines()[0]}")
        return
    colours = {"both": COLOURS, "sync": COLOURS[:1], "async": COLOURS[1:]}[side]
    target = Target.of(url, conflicts_max=conflicts)
    started = time.monotonic()
    with Progress("Checking", len(cases) * len(colours), "cases") as progress:
        report = run_kit(target, cases=cases if only else None, colours=colours, progress=lambda done, total, _: progress.step(done, total))
    if as_json:
        facts = {**report.as_json(), "url": _without_password(url), "seconds": round(time.monotonic() - started, 1)}
        click.echo(json.dumps(facts, indent=2))
    else:
        _tell(report, time.monotonic() - started)
    if report.failures:
        of = f"{len(report.failures):,} of {len(report.outcomes):,} cases"
        raise Failure(f"{of} failed on {report.engine} {report.version}.", code=CHECK_FAILED)


def _chosen(only: tuple[str, ...]) -> list[Case]:
    from holdall.errors import near_name
    from holdall.testing import PROMISES, all_cases

    cases = all_cases()
    if not only:
        return cases
    found: dict[str, Case] = {}
    for wanted in only:
        mine = [case for case in cases if wanted in (case.promise, case.id) or fnmatchcase(case.id, wanted.replace("[", "[[]"))]
        if not mine:
            raise Failure(f"There is no promise or case '{wanted}'.", hint=near_name(wanted, [*PROMISES, *(case.id for case in cases)]))
        found.update((case.id, case) for case in mine)
    return list(found.values())


def _tell(report: Report, seconds: float) -> None:
    columns = [Column(name, kind) for name, kind in (("promise", "str"), *((v, "int") for v in _COUNTS), ("what", "str"))]
    rows: list[list[Any]] = [[promise, *(counts[v] for v in _VERDICTS), sentence] for promise, sentence, counts in report.promises()]
    rows.append(["all", *(report.count(verdict) for verdict in _VERDICTS), f"{report.engine} {report.version}, {seconds:.0f} s"])
    write_many("table", columns, rows)
    for item in (item for item in report.outcomes if item.verdict == "deviation"):
        message(f"Deviation: {item.case.id} ({item.colour}): {item.text}")
    absent = sorted({item.text for item in report.outcomes if item.verdict == "refused"})
    if absent:
        message(f"Refused, as declared: what needs {'; '.join(absent)}.")
    if report.conflicts:
        message(f"{report.conflicts:,} times a case lost against other writers and was run again.")
    for item in report.failures[:_SHOWN_MAX]:
        message(f"\nFailed: {item.case.id} ({item.colour}). {item.case.doc}\n{item.text}")
    if len(report.failures) > _SHOWN_MAX:
        message(f"\n… and {len(report.failures) - _SHOWN_MAX:,} more; --json tells all.")


_VERDICTS = ("passed", "refused", "deviation", "failed")
_COUNTS = ("passed", "refused", "deviations", "failed")


def _without_password(url: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return url if parts.password is None else url.replace(f":{parts.password}@", ":***@", 1)
