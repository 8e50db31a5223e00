"""Two ways to run commands: in this process, and as a real one."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.unit.cli.support import CUSTOMERS, ORDERS, SHOP, Run, command, environment


@pytest.fixture
def imports_undone() -> Iterator[None]:
    """Programs are imported into this process: take them out again."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if not name.startswith(("holdall.", "pydantic", "sqlalchemy", "apsw", "msgspec", "click", "rich")):
            del sys.modules[name]
    gc.collect()  # models are known as long as they live, and the next test declares others of the same names in the same place


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, imports_undone: None) -> Run:
    """Runs a command in this process, in an empty folder; gives exit code, stdout and stderr."""
    from holdall.cli.app import holdall

    monkeypatch.chdir(tmp_path)

    def invoke(*args: str, input: str | None = None) -> Result:
        result = CliRunner().invoke(holdall, list(args), input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def shop(run: Run, tmp_path: Path) -> Run:
    """As `run`, in a folder with shop.py, two customers and three orders."""
    (tmp_path / "shop.py").write_text(SHOP)
    for model, rows in (("Customer", CUSTOMERS), ("Order", ORDERS)):
        made = run("create", "shop.py", model, "-", input=rows)
        assert made.exit_code == 0, made.stderr
    return run


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a command as a process of its own, in the test's folder."""

    def start(*args: str, input: str | None = None, env: dict[str, str] | None = None) -> Any:
        around = environment(**(env or {}))
        return subprocess.run(
            command(*args), cwd=tmp_path, env=around, input=input, capture_output=True, text=True, timeout=60, check=False
        )

    return start
