"""The program of the README is a program: it runs, twice, and the command line works with it as the README shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.test_docs import ROOT, blocks


def test_the_program_of_the_readme_runs_as_a_file(tmp_path: Path) -> None:
    (program,) = [block.text for block in blocks((ROOT / "README.md").read_text(encoding="utf-8"))]
    (tmp_path / "shop.py").write_text(program, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}

    def run(*args: str) -> str:
        done = subprocess.run([sys.executable, *args], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("shop.py") == "Ada 12.50\n"
    assert run("shop.py") == "Ada 12.50\nAda 12.50\n"
    found = run("-m", "holdall", "get", "shop.py", "Order", "--where", "total__gte=10", "--sort", "-placed_at", "--limit", "5")
    assert len(found.splitlines()) == 3
