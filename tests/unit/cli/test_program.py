"""Finding the store and the models: files, modules, several stores, and user's files that are broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.support import SHOP, Run


@pytest.mark.parametrize("program", ["shop", "./shop.py", "shop:store", "shop.py:store"])
def test_files_and_modules_with_and_without_a_name(shop: Run, process: Any, program: str) -> None:
    result = process("get", program, "Customer", "--count")
    assert (result.returncode, result.stdout, result.stderr) == (0, "2\n", "")


def test_a_file_that_is_missing_names_its_neighbours(shop: Run) -> None:
    result = shop("get", "shp.py", "Customer")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "There is no file shp.py" in result.stderr
    assert "shop.py" in result.stderr.splitlines()[1]


def test_a_module_that_is_missing_has_a_near_name(shop: Run) -> None:
    result = shop("get", "shopp", "Customer")
    assert result.exit_code == 2
    assert "There is no module 'shopp'" in result.stderr
    assert "Did you mean 'shop'?" in result.stderr


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("x = 1\ny = undefined + x\n", "y = undefined + x", "NameError: name 'undefined' is not defined"),
        ("x = 1\ny = (x +\n", "y = (x +", "SyntaxError: '(' was never closed"),
        ("import no_such_library\n", "import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("from holdall import Modle\n", "from holdall import Modle", "ImportError: cannot import name 'Modle'"),
        (
            "from holdall import Model, Key\nclass A(Model):\n    id: int = Key()\n    bad__name: str\n",
            "class A(Model):",
            "'bad__name' holds '__'",
        ),
    ],
)
def test_an_error_in_the_users_file_is_shown_at_the_users_line(run: Run, text: str, line: str, what: str) -> None:
    Path("broken.py").write_text(text)
    result = run("models", "broken.py")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "broken.py cannot be imported" in result.stderr
    assert line in result.stderr
    assert what in result.stderr
    assert "Traceback" not in result.stderr
    assert "/holdall/" not in result.stderr, "our own lines are of no use to the user"


def test_an_error_in_a_neighbour_is_shown_there(run: Run) -> None:
    Path("main.py").write_text("import neighbour_of_main\n")
    Path("neighbour_of_main.py").write_text("a = 1\nb = a / 0\n")
    result = run("models", "main.py")
    assert result.exit_code == 2
    assert "neighbour_of_main.py, line 2" in result.stderr
    assert "b = a / 0" in result.stderr


def test_a_program_that_exits_when_imported(run: Run) -> None:
    Path("ends.py").write_text("import sys\nsys.exit(3)\n")
    result = run("models", "ends.py")
    assert result.exit_code == 2
    assert "ended itself (3)" in result.stderr
    assert "__main__" in result.stderr


def test_what_a_program_prints_is_no_data(run: Run) -> None:
    Path("noisy.py").write_text(SHOP + "\nprint('hello')\n")
    result = run("get", "noisy.py", "Customer", "-o", "json")
    assert result.stdout == "[]\n"
    assert "hello" in result.stderr


def test_several_stores_must_be_chosen_from(run: Run) -> None:
    Path("two.py").write_text(SHOP + 'other = Store("memory:")\nsame = store\n')
    result = run("get", "two.py", "Customer")
    assert result.exit_code == 2
    assert "several stores: store, other" in result.stderr
    assert "two.py:store or two.py:other" in result.stderr
    assert run("get", "two.py:other", "Customer", "-o", "json").stdout == "[]\n"
    wrong = run("get", "two.py:othr", "Customer")
    assert wrong.exit_code == 2
    assert "Did you mean 'other'?" in wrong.stderr


def test_a_program_without_a_store_needs_the_option(run: Run) -> None:
    Path("none.py").write_text(SHOP.replace("store = ", "place = str(") + ")\n")
    result = run("get", "none.py", "Customer")
    assert result.exit_code == 2
    assert "holds no Store" in result.stderr
    assert "--store" in result.stderr
    assert run("get", "none.py", "Customer", "--store", "memory:", "-o", "json").stdout == "[]\n"
    assert run("models", "none.py").exit_code == 0, "models need no store"


def test_another_store_takes_the_place_of_the_programs_own(shop: Run) -> None:
    assert shop("get", "shop.py", "Customer", "--count", "--store", "sqlite:///other.db").stdout == "0\n"
    assert shop("create", "shop.py", "Stock", "shelf=a", "place=1", "--store", "sqlite:///other.db").exit_code == 0
    assert shop("get", "shop.py", "Stock", "--count", "--store", "sqlite:///other.db").stdout == "1\n"
    assert shop("get", "shop.py", "Stock", "--count").stdout == "0\n"


def test_models_bound_to_their_store(run: Run) -> None:
    Path("bound.py").write_text(
        "from holdall import Key, Model, Store\n"
        "def make():\n"
        '    store = Store("sqlite:///bound.db")\n'
        "    class A(Model, store=store):\n        id: int = Key()\n        name: str\n"
        "    return A\n"
        "A = make()\n"
    )
    assert run("create", "bound.py", "A", "name=x", "-o", "csv").stdout.splitlines()[1].endswith(",x")
    assert run("get", "bound.py", "A", "--count").stdout == "1\n"
    assert run("get", "bound.py", "A", "--count", "--store", "memory:").stdout == "0\n"


def test_an_unknown_model_has_a_near_name(shop: Run) -> None:
    result = shop("get", "shop.py", "Ordr")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "shop.py has no model 'Ordr'" in result.stderr
    assert "Did you mean 'Order'?" in result.stderr


def test_a_program_named_like_a_module_of_the_standard_library(run: Run) -> None:
    Path("types.py").write_text(SHOP)
    assert run("get", "./types.py", "Customer", "--count").stdout == "0\n"


@pytest.mark.parametrize("url", ["nonsense", "postgres2://x", "sqlite:///x.db?nonsense=1"])
def test_a_store_that_cannot_be(shop: Run, url: str) -> None:
    result = shop("get", "shop.py", "Customer", "--store", url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("holdall: ")


def test_a_url_with_a_store_that_is_not_there(shop: Run, tmp_path: Path) -> None:
    missing = shop("get", "shop.py", "Customer", "--store", f"sqlite:///{tmp_path}/no/such/folder/x.db")
    assert (missing.exit_code, missing.stdout) == (3, "")
    assert "no/such/folder" in missing.stderr
    assert not (tmp_path / "no").exists()


def test_a_file_that_is_no_database(shop: Run, tmp_path: Path) -> None:
    text = "This is a letter, not a database. " * 40
    (tmp_path / "letter.db").write_text(text)
    result = shop("get", "shop.py", "Customer", "--store", f"sqlite:///{tmp_path}/letter.db")
    assert result.exit_code == 4
    assert result.stdout == ""
    assert "letter.db" in result.stderr
    assert (tmp_path / "letter.db").read_text() == text
