"""shell: the names at hand, code from an option, from a pipe, and errors in it."""

from __future__ import annotations

from typing import Any

from tests.unit.cli.support import Run


def test_code_runs_with_models_store_and_helpers_at_hand(shop: Run, process: Any) -> None:
    code = "print(Order.where(total__gte=10).count(), store[Customer].count(), desc(Order.total) is not None)"
    result = process("shell", "shop.py", "-c", code)
    assert (result.returncode, result.stdout, result.stderr) == (0, "2 2 True\n", "")


def test_writing_in_the_shell_is_kept(shop: Run, process: Any) -> None:
    assert process("shell", "shop.py", "-c", "Stock.create(shelf='a', place=1)").returncode == 0
    assert shop("get", "shop.py", "Stock", "--count").stdout == "1\n"


def test_an_error_shows_the_users_code_and_ends_with_1(shop: Run, process: Any) -> None:
    result = process("shell", "shop.py", "-c", "x = 1\nOrder.where(totl=3)")
    assert (result.returncode, result.stdout) == (1, "")
    assert 'File "<-c>", line 2' in result.stderr
    assert "Did you mean 'total'?" in result.stderr
    assert "cli/shell.py" not in result.stderr
    assert process("shell", "shop.py", "-c", "raise SystemExit(7)").returncode == 7


def test_a_pipe_is_run_line_by_line(shop: Run, process: Any) -> None:
    result = process("shell", "shop.py", input="n = Order.where().count()\nprint('orders', n)\n")
    assert (result.returncode, result.stdout) == (0, "orders 3\n")
