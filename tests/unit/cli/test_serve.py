"""serve: start-up facts, a clean end, a port in use, public addresses."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.support import Run, command, environment


@contextmanager
def serving(folder: Path, *args: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A server as a process: it, its URL, and what it told when it started. Killed at the end if it still runs."""
    with subprocess.Popen(
        command(*args), cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            told = ""
            assert process.stderr is not None
            while "Ctrl-C ends" not in told:
                line = process.stderr.readline()
                assert line, f"ended early: {told}"
                told += line
            found = re.search(r"http://[^/]+:\d+", told)
            assert found is not None
            yield process, found[0], told
        finally:
            if process.poll() is None:
                process.kill()


def ask(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_facts_answers_and_a_clean_end(shop: Run, tmp_path: Path, how: signal.Signals) -> None:
    with serving(tmp_path, "serve", str(tmp_path / "shop.py"), "--port", "0") as (process, base, told):
        assert re.search(r"Customer +2 rows +http://127\.0\.0\.1:\d+/customers", told)
        assert re.search(r"Order +3 rows", told)
        assert f"{base}/docs" in told
        assert ask(f"{base}/orders?total__gte=50")["data"][0]["id"] == 3
        document = ask(f"{base}/openapi.json")
        assert document["openapi"].startswith("3.1")
        assert document["info"]["title"] == "shop", "not the path on this machine"
        process.send_signal(how)
        rest = process.stderr.read() if process.stderr else ""
        assert process.wait(15) == 0
        assert rest == "The server has ended.\n"
        assert process.stdout is not None
        assert process.stdout.read() == "", "messages are no data"
    again = shop("get", "shop.py", "Order", "--count")
    assert again.stdout == "3\n", "the store was closed well"


def test_a_port_in_use(shop: Run, process: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = process("serve", "shop.py", "--port", str(port))
    assert (result.returncode, result.stdout) == (3, "")
    assert f"Port {port} on 127.0.0.1 is in use" in result.stderr
    assert "--port 0 takes a free one" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_public_address_is_refused_without_the_flag(shop: Run, process: Any) -> None:
    result = process("serve", "shop.py", "--host", "0.0.0.0", "--port", "0")
    assert (result.returncode, result.stdout) == (4, "")
    assert "--allow-public" in result.stderr


def test_a_program_without_models(shop: Run, tmp_path: Path, process: Any) -> None:
    (tmp_path / "empty.py").write_text('from holdall import Store\nstore = Store("sqlite:///empty.db")\n')
    result = process("serve", "empty.py")
    assert result.returncode == 2
    assert "no models to serve" in result.stderr
    assert not (tmp_path / "empty.db").exists()
