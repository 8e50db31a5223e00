"""The command: python -m bench [--json FILE] [--quick] [--only PATTERN].

Tables and targets go to stdout, progress and problems to stderr. Exit codes: 0 everything selected was measured (a target may still be
`short`: it says so), 1 a measurement is missing or wrong, 2 usage.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench import report
from bench.harness import FULL, QUICK, Result, pin
from bench.protocols import PeerMissing, load_peer
from bench.scenarios import ALL, Scenario, WrongAnswer
from bench.targets import judge


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    about = "Holdall's speed against the raw driver, hand-written code and peers, in one run."
    parser = argparse.ArgumentParser(prog="python -m bench", description=about)
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write machine, versions, medians, ratios and targets to FILE")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and smaller data: a first look, not for publishing")
    parser.add_argument("--only", metavar="PATTERN", help="only scenarios whose name contains PATTERN, or matches it as a glob")
    parser.add_argument("--list", action="store_true", help="name the scenarios and leave")
    arguments = parser.parse_args(argv)
    if arguments.json is not None and not arguments.json.absolute().parent.is_dir():
        parser.error(f"--json: the folder of {arguments.json} does not exist")
    return arguments


def _chosen(pattern: str | None) -> list[Scenario]:
    """The scenarios that the pattern selects."""
    return [each for each in ALL if pattern is None or pattern in each.name or fnmatch.fnmatchcase(each.name, pattern)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run what was asked for and give the exit code."""
    arguments = _arguments(argv)
    chosen = _chosen(arguments.only)
    if arguments.list or not chosen:
        print("\n".join(each.name for each in ALL), file=sys.stdout if arguments.list else sys.stderr)
        if not arguments.list:
            print(f"No scenario matches {arguments.only!r}; those above exist.", file=sys.stderr)
        return 0 if arguments.list else 2
    pace = QUICK if arguments.quick else FULL
    placement = pin()
    for name, value in (report.machine(placement) | report.versions()).items():
        print(f"{name}: {value}")
    print()
    results: dict[str, Result] = {}
    try:
        for peer in sorted({peer for each in chosen for peer in each.peers}):
            load_peer(peer)
        for each in chosen:
            started = time.perf_counter()
            results[each.name] = each.run(pace)
            print(report.table(results[each.name]), end="\n\n", flush=True)
            print(f"{each.name}: {time.perf_counter() - started:.1f} s", file=sys.stderr, flush=True)
    except (PeerMissing, WrongAnswer) as error:
        print(error, file=sys.stderr)
        return 1
    judged = judge([target for each in chosen for target in each.targets], results)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report.as_json(pace, placement, results, judged), indent=2, ensure_ascii=False) + "\n")
    print(report.verdicts(judged))
    missing = sorted({name for result in results.values() for name in result.missing})
    if missing:
        print(f"Not measured: {', '.join(missing)}. This run is incomplete.", file=sys.stderr)
    return 1 if missing or any(each.verdict == "missing" for each in judged) else 0


if __name__ == "__main__":
    sys.exit(main())
