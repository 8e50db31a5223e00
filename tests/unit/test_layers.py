"""The import contracts of pyproject.toml hold, can fail, and know every backend."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
MODULES = [
    *("errors", "schema", "query", "program", "model", "store", "app", "http", "transfer", "migrate", "testing", "cli"),
    *("backends", "backends.registry", "backends.port", "backends.capabilities"),
    *("backends.sql", "backends.memory", "backends.sqlite", "backends.postgres"),
]


def lint(src: Path) -> subprocess.CompletedProcess[str]:
    """Runs import-linter with this project's contracts over the sources below src."""
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--config", str(ROOT / "pyproject.toml"), "--no-cache"],
        cwd=src,
        env={**os.environ, "PYTHONPATH": str(src)},
        capture_output=True,
        text=True,
        check=False,
    )


def house(src: Path, imports: dict[str, str]) -> None:
    """Builds a house with every room in it, empty but for the given lines."""
    for name in ["", *MODULES, *imports]:
        folder = src.joinpath("holdall", *name.split("."))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").write_text(imports.get(name, ""))


def test_the_contracts_hold() -> None:
    done = lint(ROOT / "src")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_house_that_imports_downwards_passes(tmp_path: Path) -> None:
    downwards = {
        "": "import holdall.store",
        "cli": "import holdall.http, holdall.transfer, holdall.errors",
        "store": "import holdall.model, holdall.backends.registry",
        "backends.registry": "def f():\n    import holdall.backends.sqlite",
        "backends.sqlite": "import holdall.backends.sql, holdall.query",
        "backends.sql": "import holdall.backends.port, holdall.program",
    }
    house(tmp_path, downwards)
    done = lint(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("schema", "import holdall.model"),
        ("errors", "import holdall.schema"),
        ("schema", "import holdall"),  # the root imports everything below it
        ("query", "import holdall.program"),
        ("model", "import holdall.backends"),
        ("backends.memory", "import holdall.model"),
        ("http", "import holdall.cli"),
        ("http", "import holdall.transfer"),
        ("schema", "def f():\n    import holdall.store"),
        ("schema", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import holdall.store"),
        ("backends.sqlite", "import holdall.backends.memory"),
        ("backends.postgres", "import holdall.backends.sqlite"),
        ("backends.sql", "import holdall.backends.sqlite"),
        ("backends.port", "import holdall.backends.sql"),
        ("backends.memory", "import holdall.backends.registry"),
        ("surprise", ""),
    ],
)
def test_a_breach_would_be_seen(tmp_path: Path, module: str, line: str) -> None:
    house(tmp_path, {"": "import holdall.store", module: line})
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout


def test_every_backend_is_under_contract() -> None:
    backends = ROOT / "src" / "holdall" / "backends"
    listed = " ".join(next(each for each in CONTRACTS if each["id"] == "backends")["layers"])
    there = [path.parent.name for path in backends.glob("*/__init__.py")]
    assert [name for name in there if f"(holdall.backends.{name})" not in listed] == []
