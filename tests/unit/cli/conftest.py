"""Two ways to run commands: in this process, and as a real one."""

from __future__ import annotations

import shutil
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
    """Programs are imported into this process from folders that are gone afterwards. Each import of a file has a module of its own."""
    path = list(sys.path)
    yield
    sys.path[:] = path


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


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with shop.py, two customers and three orders, made once by the command line itself."""
    folder = tmp_path_factory.mktemp("filled")
    (folder / "shop.py").write_text(SHOP)
    for model, rows in (("Customer", CUSTOMERS), ("Order", ORDERS)):
        made = subprocess.run(
            command("create", "shop.py", model, "-"), cwd=folder, env=environment(), input=rows, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == ["shop.db", "shop.py"], "a closed store is one file"
    return folder


@pytest.fixture
def shop(run: Run, filled: Path, tmp_path: Path) -> Run:
    """As `run`, in a folder with shop.py, two customers and three orders."""
    for name in ("shop.py", "shop.db"):
        shutil.copy(filled / name, tmp_path)
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
