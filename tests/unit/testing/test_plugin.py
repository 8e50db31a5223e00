"""The fixture holdall_store, as an application's author meets it: pytest runs of their own, in processes of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SRC = Path(__file__).parents[3] / "src"
MODELS = """
    from holdall import Key, Model, Store

    class Shelf(Model):
        id: int = Key()
        name: str = ""
"""


class Project:
    """A folder with an application and its tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("shop.py", MODELS)
        self.write("pytest.ini", "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(textwrap.dedent(text))

    def run(self, *options: str, plugin: str = "holdall.testing.plugin", others: bool = False) -> str:
        """What pytest says; with no `others` than pytest-asyncio, to save time."""
        environment = {**os.environ, "PYTHONPATH": f"{SRC}{os.pathsep}{self.folder}"}
        environment.pop("PYTEST_ADDOPTS", None)
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", plugin, *options]
        if not others:
            environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
            command += ["-p", "pytest_asyncio.plugin"]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_fixture_is_a_hostile_store_of_each_test_alone(project: Project) -> None:
    project.write(
        "test_shop.py",
        """
        from shop import Shelf

        def test_one(holdall_store):
            assert Shelf.create(name="a").id
            assert holdall_store[Shelf].where().count() == 1
            assert "hostile, seed" in holdall_store.describe().verified[0]

        def test_two(holdall_store):
            assert Shelf.where().count() == 0

        async def test_async(holdall_store):
            made = await holdall_store.aio[Shelf].create(name="b")
            assert (await holdall_store.aio[Shelf].get(made.id)).name == "b"
            assert await Shelf.aio.where().count() == 1

        async def test_async_again(holdall_store):
            assert await holdall_store.aio[Shelf].where().count() == 0
        """,
    )
    said = project.run("-rA")
    assert "4 passed" in said
    assert "- holdall_store -" not in said, "only a failing test tells its store"


def test_the_applications_store_is_replaced(project: Project) -> None:
    project.write(
        "shop.py",
        MODELS + "\n    store = Store('sqlite:////nowhere/at/all.db')\n\n    class Box(Model, store=store):\n        id: int = Key()\n",
    )
    project.write("conftest.py", "import pytest, shop\n\n@pytest.fixture\ndef holdall_app_store():\n    return shop.store\n")
    project.write(
        "test_shop.py",
        """
        import shop
        from shop import Box, Shelf

        def test_it(holdall_store):
            assert holdall_store is shop.store
            Box.create()
            Shelf.create()
            assert Box.where().count() == Shelf.where().count() == 1
            assert holdall_store.describe().backend == "memory"

        def test_again(holdall_store):
            assert Box.where().count() == 0

        def test_after():
            assert shop.store.describe().backend == "sqlite"

        async def test_async(holdall_store):
            await holdall_store.aio[Box].create()
            assert await Box.aio.where().count() == 1
        """,
    )
    assert "4 passed" in project.run()


def test_the_seed_is_told_and_repeats_the_run(project: Project) -> None:
    project.write(
        "test_shop.py",
        """
        from shop import Shelf

        def test_order(holdall_store):
            made = [Shelf.create().id for _ in range(9)]
            assert made == [], " ".join(map(str, made))
        """,
    )
    first = project.run()
    (seed,) = set(re.findall(r"--holdall-seed (\d+)", first))
    header, _, rest = first.partition("collected")
    assert f"holdall: --holdall-store memory:?hostile=1 --holdall-seed {seed}" in header
    assert "- holdall_store -" in rest
    assert f"again: --holdall-seed {seed}" in rest
    assert re.search(r"memory:\?hostile=1&seed=\d+", rest)
    (numbers,) = re.findall(r"E +AssertionError: ([\d ]+)$", first, re.MULTILINE)
    assert numbers.count(" ") == 8
    assert numbers in project.run("--holdall-seed", seed)
    assert numbers not in project.run("--holdall-seed", str(int(seed) ^ 1))


@pytest.mark.parametrize(
    ("place", "where"),
    [("sqlite:///:memory:", "setting"), ("sqlite:///shop.db", "option"), ("memory:?hostile=1&seed=5&conflicts=0", "option")],
)
def test_another_store(project: Project, place: str, where: str) -> None:
    if where == "setting":
        project.write("pytest.ini", f"[pytest]\nasyncio_mode = auto\nholdall_store = {place}\n")
    project.write(
        "test_shop.py",
        f"""
        import pytest
        from shop import Shelf

        @pytest.mark.parametrize("again", range(2))
        def test_it(holdall_store, again):
            Shelf.create(name="a")
            assert Shelf.where().count() == 1
            assert holdall_store.describe().backend == {place.partition(":")[0]!r}

        @pytest.mark.parametrize("again", range(2))
        async def test_async(holdall_store, again):
            await Shelf.aio.create(name="a")
            assert await Shelf.aio.where().count() == 1
        """,
    )
    said = project.run(*(("--holdall-store", place) if where == "option" else ()))
    assert "4 passed" in said
    assert f"--holdall-store {place}" in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--holdall-store", "memory:?hostle=1"), "Did you mean 'hostile'"),
        (("--holdall-store", "nowhere"), "is not the URL of a store"),
        (("--holdall-seed", "-3"), "--holdall-seed is a number from 0"),
    ],
)
def test_wrong_options(project: Project, options: tuple[str, ...], says: str) -> None:
    assert says in project.run(*options)


def test_loading_it_twice_does_no_harm(project: Project) -> None:
    """As an installed entry point and by name, in either order."""
    found = project.folder / "holdall_app-1.0.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: holdall-app\nVersion: 1.0\n")
    (found / "entry_points.txt").write_text("[pytest11]\nholdall = holdall.testing.plugin\n")
    project.write("test_shop.py", "def test_it(holdall_store):\n    pass\n")
    for plugin in ("holdall.testing.plugin", "holdall"):
        assert "1 passed" in project.run(plugin=plugin, others=True), plugin
    project.write("conftest.py", "pytest_plugins = ['holdall.testing.plugin']\n")
    assert "1 passed" in project.run(plugin="no:doctest", others=True)


def test_the_kit_does_not_need_pytest() -> None:
    code = "import sys, holdall.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(SRC)}, check=False).returncode == 0


def test_the_kit_is_counted_at_the_end(project: Project) -> None:
    project.write(
        "test_backend.py",
        """
        from holdall.testing import Deviation, conformance

        test_kit = conformance("memory:", ledger=[Deviation("memory", "B5.*", "made up", "nothing like it")])
        """,
    )
    said = project.run("-k", "A5 or B5")
    counts = re.findall(r"^memory, (sync|async): ([\d,]+) passed, 0 refused, 0 deviations, ([\d,]+) failed$", said, re.MULTILINE)
    assert [colour for colour, _, _ in counts] == ["sync", "async"], said
    assert all(int(passed) > 10 and int(failed) > 10 for _, passed, failed in counts)
    assert re.search(r"^  B5 +\d+ passed", project.run("-k", "B5", "-v"), re.MULTILINE) is None  # they all fail the ledger
    assert re.search(r"^  A5 +\d+ passed +Text is never normalised$", project.run("-k", "A5", "-v"), re.MULTILINE)
