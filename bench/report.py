"""What a reader sees: a table for each race, one line for each target, and the JSON file. Measures nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import apsw

from bench.harness import Pace, Result
from bench.targets import Judgement

_PACKAGES = ("holdall", "apsw", "pydantic", "msgspec", "SQLAlchemy", "sqlmodel", "peewee", "Django", "tinydb", "clear-skies")


def _version(package: str) -> str:
    """The installed version, or that there is none (Holdall may run from its source folder)."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def machine(placement: str) -> dict[str, Any]:
    """Facts about where this ran that say nothing private: no host name, no path."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "placement": placement,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "sqlite of apsw": apsw.sqlite_lib_version(),
        "sqlite of the standard library": sqlite3.sqlite_version,
    }


def versions() -> dict[str, str]:
    """Versions of everything compared."""
    return {package: _version(package) for package in _PACKAGES}


def number(value: float) -> str:
    """Three significant digits or whole numbers, never in exponents."""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"


def table(result: Result) -> str:
    """One race: µs per operation (median), spread of the rounds, ratio to the reference."""
    lines = [f"{result.title}  [{result.scenario}]", f"  {'':<44}{'µs/op':>12}{'best':>12}{'worst':>12}{'ratio':>10}"]
    reference = result.timings.get(result.reference)
    for name, timing in result.timings.items():
        ratio = number(timing.median_s / reference.median_s) if reference else "-"
        best, worst = min(timing.rounds_s), max(timing.rounds_s)
        cells = "".join(f"{number(value * 1e6):>12}" for value in (timing.median_s, best, worst))
        lines.append(f"  {name:<44}{cells}{ratio:>10}{'  reference' if name == result.reference else ''}")
    lines += [f"  {name:<44}     missing: {reason}" for name, reason in result.missing.items()]
    return "\n".join(lines)


def verdicts(judged: Sequence[Judgement]) -> str:
    """One line for each target: name, measured ratio, target, verdict."""
    return "\n".join(
        f"{each.target.name:<44}{number(each.ratio) if each.ratio is not None else '-':>10}   {each.target.wish:<16}{each.verdict}"
        for each in judged
    )


def as_json(pace: Pace, placement: str, results: Mapping[str, Result], judged: Sequence[Judgement]) -> dict[str, Any]:
    """Everything measured, as plain data. Times are seconds per operation."""
    return {
        "machine": machine(placement),
        "versions": versions(),
        "pace": {"rounds": pace.rounds, "min_slice_s": pace.min_slice_s, "quick": pace.quick, "large": pace.large},
        "scenarios": [_scenario(result) for result in results.values()],
        "targets": [
            {
                "name": each.target.name,
                "scenario": each.target.scenario,
                "ours": each.target.ours,
                "other": each.target.other,
                "kind": each.target.kind,
                "limit": each.target.limit,
                "control": each.target.control,
                "ratio": each.ratio,
                "verdict": each.verdict,
            }
            for each in judged
        ],
    }


def _scenario(result: Result) -> dict[str, Any]:
    """One race as plain data."""
    reference = result.timings.get(result.reference)
    return {
        "name": result.scenario,
        "title": result.title,
        "reference": result.reference,
        "contestants": [
            {
                "name": name,
                "median_s": timing.median_s,
                "rounds_s": list(timing.rounds_s),
                "ratio": timing.median_s / reference.median_s if reference else None,
            }
            for name, timing in result.timings.items()
        ],
        "missing": result.missing,
    }
