"""demo: the folder, the rows, the server, and the curl lines exactly as they are printed."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.support import SRC, Run
from tests.unit.cli.test_serve import serving

from holdall.cli.demo_rows import demo_rows


def test_the_rows_are_1000_and_the_same_everywhere() -> None:
    rows = demo_rows()
    assert sum(map(len, rows.values())) == 1000
    assert rows == demo_rows()
    assert str(rows["Customer"][0]["id"]) == "019b7892-1c00-7808-bacd-f1204efc09f5"
    keys = [row["id"] for items in rows.values() for row in items]
    assert len(set(keys)) == 1000
    for order in rows["Order"]:
        lines = [line for line in rows["OrderLine"] if line["order_id"] == order["id"]]
        assert order["total"] == sum(line["quantity"] * line["price"] for line in lines)


def test_the_folder_and_the_rows(run: Run) -> None:
    made = run("demo", "--no-serve", "--dir", "here/demo")
    assert made.exit_code == 0, made.stderr
    assert "1,000 rows" in made.stderr
    assert Path("here/demo/shop.py").read_text() == (SRC / "holdall/cli/demo_shop.py").read_text()
    assert sorted(path.name for path in Path("here/demo").iterdir() if path.suffix in (".py", ".db")) == ["shop.db", "shop.py"]
    found = run("get", "here/demo/shop.py", "Order", "--where", "customer__name=Ada Lovelace", "--include", "lines.product", "-o", "json")
    orders = json.loads(found.stdout)
    assert orders
    assert all(line["product"]["name"] for order in orders for line in order["lines"])


def test_run_again_it_keeps_what_the_user_changed(run: Run) -> None:
    assert run("demo", "--no-serve").exit_code == 0
    shop = Path("holdall-demo/shop.py")
    text = shop.read_text().replace('"""Somebody who buys."""', '"""Somebody who buys. Edited."""')
    shop.write_text(text)
    customer = demo_rows()["Customer"][0]["id"]
    assert run("update", str(shop), "Customer", str(customer), "city=Paris").exit_code == 0
    again = run("demo", "--no-serve")
    assert again.exit_code == 0, again.stderr
    assert "kept as it is" in again.stderr
    assert "data is kept" in again.stderr
    assert shop.read_text() == text
    assert json.loads(run("get", str(shop), "Customer", str(customer), "-o", "json").stdout)["city"] == "Paris"


def test_a_shop_that_was_edited_before_its_first_rows(run: Run) -> None:
    assert run("demo", "--no-serve").exit_code == 0
    Path("holdall-demo/shop.db").unlink()
    shop = Path("holdall-demo/shop.py")
    shop.write_text(shop.read_text().replace("city: str | None = Field(default=None, max_length=80)", "age: int"))
    edited = run("demo", "--no-serve")
    assert edited.exit_code == 0, edited.stderr
    assert "do not fit any more" in edited.stderr
    assert run("get", str(shop), "Product", "--count").stdout == "0\n", "all rows or none"


def test_a_shop_that_is_broken_says_where(run: Run) -> None:
    assert run("demo", "--no-serve").exit_code == 0
    shop = Path("holdall-demo/shop.py")
    shop.write_text(shop.read_text().replace("    version: int = Version()", "    version: int = Verion()"))
    broken = run("demo", "--no-serve")
    assert broken.exit_code == 2
    assert "version: int = Verion()" in broken.stderr


def test_folders_that_are_not_the_demos(run: Run) -> None:
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("x")
    Path("file").write_text("x")
    for folder, text in [("mine", "not empty"), ("file", "is a file"), ("file/below", "cannot be written")]:
        result = run("demo", "--no-serve", "--dir", folder)
        assert result.exit_code in (2, 4)
        assert text in result.stderr
    assert [path.name for path in Path("mine").iterdir()] == ["letter.txt"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the lines are for curl")
def test_the_curl_lines_work_as_they_are_printed_and_again(tmp_path: Path) -> None:
    with socket.socket() as taken:  # so that the demo must choose another port, and print that one
        try:
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        except OSError:
            pass  # somebody else has it, which is as good
        with serving(tmp_path, "demo", "--dir", "it's a demo") as (process, base, told):
            assert "Port 8000 on 127.0.0.1 is in use" in told
            assert not base.endswith(":8000")
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(3)]
            for _ in range(2):
                answers = [shell(line) for line in lines]
                assert answers[0]["data"], "the list finds something"
                assert all(order["customer_id"] == answers[1]["customer_id"] for order in answers[0]["data"])
                assert answers[1]["total"] == "12.50"
                assert answers[2]["status"] == "shipped"
            process.send_signal(signal.SIGINT)
            assert process.wait(15) == 0


def shell(line: str) -> Any:
    """The JSON that a line typed into a shell prints; an HTTP error is a failure."""
    assert line.startswith("curl ")
    done = subprocess.run(
        ["bash", "-c", line.replace("curl ", "curl --fail-with-body -s ", 1)], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)


def test_an_explicit_port_that_is_taken(tmp_path: Path, process: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = process("demo", "--port", str(taken.getsockname()[1]))
    assert result.returncode == 3
    assert "is in use" in result.stderr
