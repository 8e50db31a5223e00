"""Results: what the parts of proofs came to, as a file that docs/proof.md is written from.

Owns the file's form: {"<row>/<part>": Record as a mapping}. A part that runs again replaces its record; nothing else does.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from proofs.harness import Outcome, Part, Proof

FILE = Path(__file__).with_name("results.json")


@dataclass
class Record:
    """What one run of one part came to, with all that is needed to run it again."""

    row: int
    part: str
    control: bool
    done: int
    target: int
    unit: str
    found: int
    passed: bool
    seconds: float
    seed: int
    engine: str
    date: str
    command: str
    commit: str = ""
    findings: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


def record(proof: Proof, part: Part, outcome: Outcome, seconds: float, seed: int) -> Record:
    """The record of an outcome, dated now."""
    return Record(
        row=proof.number, part=part.name, control=part.control, done=outcome.done, target=part.target, unit=part.unit,
        found=outcome.found, passed=part.passed(outcome), seconds=round(seconds, 1), seed=seed, engine=part.engine or engines(),
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        command=f"python -m proofs --rows {proof.number} --parts {part.name!r} --seed {seed} --count {outcome.done}",
        commit=commit(),
        findings=[asdict(item) for item in outcome.findings[:3]], figures=outcome.figures,
    )  # fmt: skip


def commit() -> str:
    """The commit of the tree that runs, '' outside a checkout."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=FILE.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def engines() -> str:
    """What runs here: Python, and the SQLite that apsw carries."""
    import apsw

    sqlite = f"SQLite {apsw.sqlite_lib_version()} (apsw {apsw.apsw_version()})"
    return f"{platform.python_implementation()} {platform.python_version()}, {sqlite}"


def load(path: Path = FILE) -> dict[str, Record]:
    """The records of a file, by row and part; none if there is no file."""
    if not path.exists():
        return {}
    return {key: Record(**value) for key, value in json.loads(path.read_text(encoding="utf-8")).items()}


def save(records: dict[str, Record], path: Path = FILE) -> None:
    """Write the records, rows in order."""
    ordered = sorted(records.items(), key=lambda item: (item[1].row, item[0]))
    path.write_text(json.dumps({key: asdict(value) for key, value in ordered}, indent=1, ensure_ascii=True) + "\n", encoding="utf-8")
