"""import, export, inspect: options, progress, exit codes. What is transferred is tested with holdall.transfer."""

from __future__ import annotations

import io
import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.support import Run, command, environment

from holdall.cli import progress

PEOPLE = 'name,email,note\nEve,eve@example.com,\nJoe,joe@example.com,""\nKim,kim@example.com,NA\n'


def test_import_and_export_again(shop: Run, tmp_path: Path) -> None:
    Path("people.csv").write_text(PEOPLE)
    done = shop("import", "shop.py", "Customer", "people.csv", "--null", "NA")
    assert (done.exit_code, done.stdout) == (0, ""), done.stderr
    assert "Imported 3 rows" in done.stderr
    found = json.loads(shop("list", "shop.py", "Customer", "--where", "name__in=Eve,Joe,Kim", "--sort", "name", "-o", "json").stdout)
    assert [item["note"] for item in found] == [None, "", None]
    out = shop("export", "shop.py", "Customer", "out.ndjson", "--secrets")
    assert (out.exit_code, out.stdout) == (0, ""), out.stderr
    assert "Exported 5 rows" in out.stderr
    assert shop("import", "shop.py", "Customer", "out.ndjson", "--store", "sqlite:///copy.db").exit_code == 0
    query = ("get", "shop.py", "Customer", "--sort", "id")
    assert shop(*query, "--store", "sqlite:///copy.db").stdout == shop(*query).stdout


def test_export_to_stdout(shop: Run, process: Any) -> None:
    result = process("export", "shop.py", "Order", "-o", "csv", "--where", "total__gte=10", "--sort", "-total", "--fields", "id,total")
    assert (result.returncode, result.stdout) == (0, "id,total\n3,100.00\n1,12.50\n")
    plain = process("export", "shop.py", "Order")
    assert [json.loads(line)["id"] for line in plain.stdout.splitlines()] == [1, 2, 3]
    secrets = process("export", "shop.py", "Customer")
    assert "password" not in secrets.stdout
    assert "Secret fields are left out: password" in secrets.stderr


def test_a_bad_row_stops_and_nothing_is_kept(shop: Run) -> None:
    Path("people.csv").write_text(PEOPLE + "X,nonsense," + "x" * 10 + "\nY,y@example.com,\n")
    result = shop("import", "shop.py", "Customer", "people.csv")
    assert (result.exit_code, result.stdout) == (4, "")
    assert "people.csv, row 4 (line 5)" in result.stderr
    assert "email" in result.stderr
    assert shop("get", "shop.py", "Customer", "--count").stdout == "2\n"


def test_bad_rows_can_be_set_aside(shop: Run) -> None:
    Path("people.csv").write_text(PEOPLE + "X,nonsense,\nY,ada@example.com,\n")
    result = shop("import", "shop.py", "Customer", "people.csv", "--on-error", "skip")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "2 of 5 rows were refused and are in people.rejects.csv" in result.stderr
    assert "nonsense" in Path("people.rejects.csv").read_text()
    assert shop("get", "shop.py", "Customer", "--count").stdout == "5\n"


def test_import_from_a_pipe(shop: Run, process: Any) -> None:
    result = process("import", "shop.py", "Stock", "-", "--format", "ndjson", input='{"shelf": "a", "place": 1}\n')
    assert result.returncode == 0, result.stderr
    assert shop("get", "shop.py", "Stock", "--count").stdout == "1\n"


@pytest.mark.parametrize(
    ("args", "code", "text"),
    [
        (["import", "shop.py", "Customer", "absent.csv"], 2, "There is no file absent.csv"),
        (["import", "shop.py", "Custmer", "people.csv"], 2, "Did you mean 'Customer'?"),
        (["import", "shop.py", "Customer", "people"], 2, "--format"),
        (["import", "shop.py", "Customer", "-"], 2, "--format"),
        (["import", "shop.py", "Customer", "people.csv", "--delimiter", ";;"], 2, "delimiter"),
        (["import", "shop.py", "Customer", "people.csv", "--rename", "name"], 2, "there is no '='"),
        (["import", "shop.py", "Customer", "people.csv", "--rename", "note=nte"], 4, "note"),
        (["import", "shop.py", "Customer", "binary.csv"], 4, "binary.csv"),
        (["export", "shop.py", "Customer", "out"], 2, "-o"),
        (["export", "shop.py", "Customer", "no/such/out.csv"], 4, "no/such"),
        (["export", "shop.py", "Customer", "-o", "csv", "--fields", "nme"], 2, "Did you mean 'name'?"),
        (["inspect", "sqlite:///absent.db"], 3, "absent.db"),
        (["inspect", "nonsense"], 2, "not the URL"),
    ],
)
def test_what_is_wrong_is_refused(shop: Run, tmp_path: Path, args: list[str], code: int, text: str) -> None:
    Path("people.csv").write_text(PEOPLE)
    Path("people").write_text(PEOPLE)
    Path("binary.csv").write_bytes(bytes(range(256)))
    before = sorted(path.name for path in tmp_path.iterdir() if ".db" not in path.name)
    result = shop(*args)
    assert (result.exit_code, result.stdout) == (code, ""), result.stderr
    assert text in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if ".db" not in path.name) == before
    assert not Path("absent.db").exists()
    assert shop("get", "shop.py", "Customer", "--count").stdout == "2\n"


def test_inspect_writes_a_program_that_runs(tmp_path: Path, process: Any) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as old, old:
        old.execute("CREATE TABLE artist (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        old.execute("CREATE TABLE album (id INTEGER PRIMARY KEY, title TEXT NOT NULL, artist_id INTEGER NOT NULL REFERENCES artist(id))")
        old.execute("INSERT INTO artist VALUES (1, 'Ada')")
        old.execute("INSERT INTO album VALUES (7, 'First', 1)")
    result = process("inspect", "sqlite:///old.db")
    assert result.returncode == 0, result.stderr
    (tmp_path / "found.py").write_text(result.stdout)
    found = process("get", "found.py", "Album", "--fields", "title,artist.name", "--store", "sqlite:///old.db", "-o", "csv")
    assert (found.returncode, found.stdout) == (0, "title,artist.name\nFirst,Ada\n"), found.stderr


def test_progress_off_a_terminal_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.Progress("Importing", 1000) as shown:
        for done in range(0, 1001, 100):
            shown.step(done)
            now[0] += 2
        shown.step(1000, 1000)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Importing: 300 of 1,000 rows, 50 rows/s, 14 s left"
    assert len(lines) == 3


def test_progress_does_not_promise_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.Progress("Importing", 10) as shown:
        now[0] = 10
        shown.step(500)
    assert capsys.readouterr().err == "Importing: 500 rows, 50 rows/s\n"


def test_an_export_whose_reader_goes_away(shop: Run, tmp_path: Path) -> None:
    rows = io.StringIO()
    rows.writelines(f'{{"shelf": "s", "place": {n}}}\n' for n in range(6000))
    Path("stock.ndjson").write_text(rows.getvalue())
    assert shop("import", "shop.py", "Stock", "stock.ndjson").exit_code == 0
    with subprocess.Popen(
        command("export", "shop.py", "Stock"), cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        assert (process.wait(30), errors) == (0, b"")
