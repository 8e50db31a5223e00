"""Real processes: pipes, terminals, colours, interrupts, and how quickly a command starts."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.support import Run, command, environment


def on_terminal(folder: Path, *args: str, columns: int = 100, **env: str) -> tuple[str, int]:
    """What a command writes to a terminal that is its stdout and stderr."""
    ours, theirs = pty.openpty()
    around = environment(TERM="xterm-256color", COLUMNS=str(columns), **env)
    with subprocess.Popen(command(*args), cwd=folder, env=around, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux's way of saying that the other side is closed
                break
            if not part:
                break
            parts.append(part)
        code = process.wait(30)
    os.close(ours)
    return b"".join(parts).decode(), code


def test_a_reader_that_goes_away_is_no_failure(shop: Run, tmp_path: Path) -> None:
    rows = ",".join(f'{{"shelf": "s", "place": {n}, "amount": 1}}' for n in range(6_000))
    assert shop("create", "shop.py", "Stock", "-", "-o", "csv", input=f"[{rows}]").exit_code == 0
    for format_ in ("table", "json"):
        with subprocess.Popen(
            command("list", "shop.py", "Stock", "-o", format_),
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline()
            process.stdout.close()
            errors = process.stderr.read()
            assert (process.wait(30), errors) == (0, b""), format_


def test_a_terminal_gets_a_drawn_table_and_colours(shop: Run, tmp_path: Path) -> None:
    text, code = on_terminal(tmp_path, "get", "shop.py", "Order", "--fields", "id,total")
    assert code == 0
    assert "\x1b[" in text
    assert "─" in text


def test_no_color_is_honoured(shop: Run, tmp_path: Path) -> None:
    text, _ = on_terminal(tmp_path, "get", "shop.py", "Customer", "--fields", "name,note", NO_COLOR="1")
    assert "\x1b[" not in text
    assert "─" in text
    text, code = on_terminal(tmp_path, "get", "shop.py", "Ordr", NO_COLOR="1")
    assert code == 2
    assert "\x1b[" not in text
    text, _ = on_terminal(tmp_path, "get", "shop.py", "Ordr")
    assert "\x1b[31m" in text


def test_a_table_on_a_terminal_stops_and_says_so(shop: Run, tmp_path: Path) -> None:
    rows = ",".join(f'{{"shelf": "s", "place": {n}}}' for n in range(120))
    assert shop("create", "shop.py", "Stock", "-", input=f"[{rows}]").exit_code == 0
    text, _ = on_terminal(tmp_path, "list", "shop.py", "Stock", NO_COLOR="1")
    assert "100 of 120 records; --limit N for more." in text
    assert "null" not in text
    text, _ = on_terminal(tmp_path, "list", "shop.py", "Stock", "--limit", "120", NO_COLOR="1")
    assert " 119 " in text
    assert "records;" not in text
    piped = shop("list", "shop.py", "Stock").stdout.splitlines()
    assert len(piped) == 121, "elsewhere it is all of it"


def test_escape_sequences_in_data_stay_data(shop: Run, tmp_path: Path) -> None:
    assert shop("create", "shop.py", "Customer", "name=\x1b[2Jx", "email=x@example.com").exit_code == 0
    text, _ = on_terminal(tmp_path, "list", "shop.py", "Customer", "--fields", "name", NO_COLOR="1")
    assert "\\x1b[2Jx" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("args", [["--help"], ["get", "--help"], ["--version"]])
def test_help_starts_quickly_and_loads_nothing_heavy(tmp_path: Path, args: list[str]) -> None:
    code = (
        "import sys\nfrom holdall.cli import main\nmain(sys.argv[1:])\n"
        "heavy = {'rich', 'pydantic', 'sqlalchemy', 'apsw', 'starlette', 'uvicorn', 'asyncio', 'IPython'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    run: Any = [sys.executable, "-c", code, *args]
    done = subprocess.run(run, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout
    assert done.stderr == "[]\n"


def heed_ctrl_c() -> None:
    """What a terminal gives its programs; tests that run in the background have it ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_is_130(shop: Run, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("print('importing', flush=True)\nimport time\ntime.sleep(30)\n")
    with subprocess.Popen(
        command("models", "slow.py"),
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,  # noqa: PLW1509 - no threads here yet
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "importing\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
        assert process.wait(10) == 130
    assert "Interrupted" in errors
    assert "Traceback" not in errors


def test_python_m_and_exit_codes(process: Any) -> None:
    assert process("--version").stdout.startswith("holdall ")
    for args, code in [(["nonsense"], 2), ([], 2), (["get"], 2), (["get", "--nonsense"], 2), (["--help"], 0)]:
        assert process(*args).returncode == code
    assert "Did you mean 'get'?" in process("gett").stderr
    assert "Did you mean '--limit'?" in process("get", "a", "b", "--limt", "3").stderr
