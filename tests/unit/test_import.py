"""`import holdall` is cheap: no driver, no SQL toolkit, no web server, no terminal library comes with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"

UNWANTED = {
    "drivers": {
        "aiomysql",
        "aiosqlite",
        "apsw",
        "asyncmy",
        "asyncpg",
        "boto3",
        "botocore",
        "mariadb",
        "psycopg",
        "psycopg2",
        "pymysql",
        "redis",
        "sqlite3",
    },
    "the SQL toolkit": {"alembic", "sqlalchemy"},
    "serving": {"fastapi", "httpx", "litestar", "starlette", "uvicorn"},
    "the command line": {"click", "rich"},
    "other extras": {"phonenumbers"},
    "test tools": {"hypothesis", "pytest"},
}


def loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules in a fresh interpreter after one statement."""
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_import_holdall_loads_nothing_it_does_not_need() -> None:
    extra = loaded_by("import holdall") - loaded_by("pass")
    found = {kind: sorted(names & extra) for kind, names in UNWANTED.items() if names & extra}
    assert not found, f"`import holdall` loads {found}; import it where it is used, or in the backend's perform module"


@pytest.mark.parametrize("name", ["apsw", "click", "starlette"])
def test_an_unwanted_import_would_be_seen(name: str) -> None:
    assert name in loaded_by(f"import holdall, {name}")
