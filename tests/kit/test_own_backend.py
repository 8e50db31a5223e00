"""The example of a backend of one's own keeps what it declares. All of it is row 1 of the proofs; here some, to save time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from json_files import JsonFiles

from holdall.testing import Target, all_cases, run_kit

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_backend"


def test_it_passes_the_kit(tmp_path: Path) -> None:
    cases = [case for number, case in enumerate(all_cases()) if case.absent is not None or number % 8 == 0]
    report = run_kit(Target("jsonfiles", lambda: JsonFiles(tmp_path), lambda: JsonFiles(tmp_path)), cases=cases)
    assert report.failures == [], f"{len(report.failures)} failed, the first: {report.failures[0].case.id}\n{report.failures[0].text}"
    assert min(report.count("passed") / 4, report.count("refused")) > 100
    assert not [path.name for path in tmp_path.iterdir() if path.suffix == ".json"], "the kit drops what it made"


def test_its_own_tests_run_as_the_page_says() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(EXAMPLE)])}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(EXAMPLE)]
    command += ["test_json_files.py", "-k", "A5 or F2"]
    done = subprocess.run(command, cwd=EXAMPLE, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
