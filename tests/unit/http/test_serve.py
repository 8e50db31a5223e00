"""Serving for real: uvicorn on a free port of the loopback, in a process of its own; and the refusals before it."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdall import Field, Key, Model, SchemaMismatch, Store, Unavailable, Unsupported
from holdall.http import api, serve

SRC = Path(__file__).parents[3] / "src"
PROGRAM = """
import sys
from holdall import Field, Key, Model, Store
from holdall.http import api, serve

class Thing(Model):
    id: int = Key()
    name: str = Field(max_length=20)

serve(api(Store(sys.argv[1], models=[Thing])), port=0, on_started=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, f"sqlite:///{tmp_path / 'things.db'}"],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)\n", line)
        assert found, line + (process.communicate(timeout=5)[1] if process.poll() is not None else "")
        yield process, int(found[1])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


def raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def test_a_served_api(served: tuple[subprocess.Popen[str], int]) -> None:
    process, port = served
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def ask(method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    kind = {"Content-Type": "application/json"}
    status, headers, body = ask("POST", "/things", '{"name": "a"}', **kind)
    assert (status, headers["location"]) == (201, "/things/1")
    assert ask("GET", headers["location"])[2] == body
    assert ask("QUERY", "/things", '{"where": {"name": "a"}}', **kind)[0] == 200
    assert ask("HEAD", "/things")[1]["content-length"] == str(len(ask("GET", "/things")[2]))
    assert ask("HEAD", "/nothing")[0] == 404
    assert ask("GET", "/things/%2e%2e%2f")[0] == 404
    assert ask("POST", "/things", '{"name": "a", "x": ' + "[" * 3000, **kind)[0] == 400
    assert "server" not in headers
    status, headers, body = ask("GET", "/things", Host="evil.example")
    assert (status, json.loads(body)["code"]) == (421, "misdirected")
    for wrong in (b"GET /things?%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", b"NONSENSE\r\n\r\n"):
        assert raw(port, wrong).startswith(b"HTTP/1.1 400")
    chunked = b"POST /things HTTP/1.1\r\nHost: [::1]:1\r\nContent-Type: application/json\r\nConnection: close\r\n"
    chunked += b"Transfer-Encoding: chunked\r\n\r\n"
    assert raw(port, chunked + b'10\r\n{"name":"second"}\r\n0\r\n\r\n').startswith(b"HTTP/1.1 400"), "the chunk is longer than it says"
    assert raw(port, chunked + b'11\r\n{"name":"second"}\r\n0\r\n\r\n').startswith(b"HTTP/1.1 201")
    connection.close()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "ended\n")
    assert err.splitlines() == ["WARNING:  Invalid HTTP request received."] * 2


def test_a_port_in_use_is_said_before_anything_is_opened(tmp_path: Path) -> None:
    class Thing(Model):
        id: int = Key()

    database = tmp_path / "never.db"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unavailable, match=f"Port {port} on 127.0.0.1 is in use. .*{port + 1}"):
            serve(api(Store(f"sqlite:///{database}", models=[Thing])), port=port)
    assert not database.exists()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_a_public_host_is_refused_unless_asked_for(host: str) -> None:
    class Thing(Model):
        id: int = Key()

    with pytest.raises(Unsupported, match="no authentication.*allow_public=True"):
        serve(api(Store("memory:", models=[Thing])), host)


@pytest.mark.parametrize(("host", "port"), [("192.0.2.1", 0), ("no such host.invalid", 0), ("127.0.0.1", 70000)])
def test_a_host_that_cannot_be_served_on(host: str, port: int) -> None:
    class Thing(Model):
        id: int = Key()

    with pytest.raises(Unavailable, match=r"192\.0\.2\.1|invalid|70000"):
        serve(api(Store("memory:", models=[Thing])), host, port, allow_public=True)


def test_a_schema_that_does_not_fit_is_said_before_serving(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'things.db'}"

    def one() -> type[Model]:
        class Thing(Model):
            id: int = Key()
            name: str = Field(max_length=5)

        return Thing

    def other() -> type[Model]:
        class Thing(Model):
            id: int = Key()
            size: int

        return Thing

    with_name = Store(url, models=[one()])
    with_name.ensure_schema()
    with_name.close()
    store = Store(url, models=[other()])
    with pytest.raises(SchemaMismatch, match="size"):
        serve(api(store), port=0)
    store.close()
