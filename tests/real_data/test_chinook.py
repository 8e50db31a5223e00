"""The Chinook database: inspected, copied into SQLite and into memory, and asked the same questions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from examples.chinook import answers, models
from examples.chinook.run import MODELS, show
from examples.data_folder import data_folder

from holdall import LocalDateTime, Store
from holdall.errors import BadRow
from holdall.transfer import copy_foreign, export_rows, import_rows, inspect_models, read_table

FOLDER = data_folder("chinook")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="the data folder is absent; set HOLDALL_DATA")
SOURCE = f"sqlite:///{FOLDER}/chinook.sqlite"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=["sqlite", "memory"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path_factory.mktemp('chinook') / 'shop.db'}"
    store = Store(url)
    copy_foreign(SOURCE, store, MODELS)
    yield store
    store.close()


def test_inspect_writes_the_models_of_the_example() -> None:
    assert inspect_models(SOURCE) == (ROOT / "examples/chinook/models.py").read_text(encoding="utf-8")
    assert len(MODELS) == 11


def test_the_models_run_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(inspect_models(SOURCE), encoding="utf-8")
    program = "import models\nfrom holdall import Store\nstore = Store('memory:')\nprint(store[models.Track].count())"
    path = f"{ROOT / 'src'}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_keys_relations_and_types_are_found() -> None:
    link = models.PlaylistTrack.__entity__
    assert (link.key, [reference.target.name for reference in link.references]) == (("playlist_id", "track_id"), ["Playlist", "Track"])
    employee = models.Employee.__entity__
    assert {name: relation.kind for name, relation in employee.relations.items()} == {
        "reports_to_employee": "belongs_to",
        "customers": "has_many",
        "reports": "has_many",
    }
    total = models.Invoice.__entity__.by_name["total"]
    assert (total.type.kind, total.type.digits, total.type.places, total.nullable, total.column) == ("decimal", 10, 2, False, "Total")
    assert models.Employee.__entity__.by_name["hire_date"].type.kind == "local_datetime"
    assert models.Album.__entity__.by_name["title"].type.max_length == 160
    assert LocalDateTime is not None


def test_the_copy_is_complete(shop: Store) -> None:
    counts = {model.__name__: shop[model].count() for model in MODELS}
    assert counts == {
        "Artist": 275, "Album": 347, "Employee": 8, "Customer": 59, "Genre": 25, "Invoice": 412, "MediaType": 5, "Playlist": 18,
        "Track": 3503, "InvoiceLine": 2240, "PlaylistTrack": 8715,
    }  # fmt: skip


def test_every_value_is_the_one_that_is_stored(shop: Store) -> None:
    for model in MODELS:
        assert list(shop[model].query()) == list(read_table(SOURCE, model))


def test_the_sum_of_all_invoices_is_exact(shop: Store) -> None:
    total = answers.total_sales(shop)
    assert (total, str(total)) == (Decimal("2328.60"), "2328.60")


def test_tracks_of_an_artist_by_length(shop: Store) -> None:
    tracks = answers.tracks_of(shop, "Iron Maiden")
    assert len(tracks) == 213
    assert tracks[:2] == [("Rime of the Ancient Mariner", 816509), ("Rime Of The Ancient Mariner", 789472)]
    assert [length for _, length in tracks] == sorted((length for _, length in tracks), reverse=True)


def test_customers_per_representative(shop: Store) -> None:
    assert answers.customers_per_representative(shop) == [("Johnson", 18), ("Park", 20), ("Peacock", 21)]


def test_the_tree_of_employees(shop: Store) -> None:
    assert answers.employee_tree(shop) == [
        "Andrew Adams, General Manager",
        "  Nancy Edwards, Sales Manager",
        "    Jane Peacock, Sales Support Agent",
        "    Margaret Park, Sales Support Agent",
        "    Steve Johnson, Sales Support Agent",
        "  Michael Mitchell, IT Manager",
        "    Robert King, IT Staff",
        "    Laura Callahan, IT Staff",
    ]


def test_playlists_over_their_link_table(shop: Store) -> None:
    assert answers.playlists_with(shop, "Now's The Time") == ["Music", "On-The-Go 1"]
    assert answers.longest_playlist(shop) == ("Music", 3290)


def test_both_stores_give_the_same_answers() -> None:
    shown: list[str] = []
    for url in ("sqlite:///:memory:", "memory:"):
        store = Store(url)
        copy_foreign(SOURCE, store, MODELS)
        shown.append(show(store))
        store.close()
    assert shown[0] == shown[1]


def test_the_database_is_left_as_it_was() -> None:
    assert FOLDER is not None
    assert sorted(path.name for path in FOLDER.glob("chinook.sqlite*")) == ["chinook.sqlite"]


def test_a_copy_is_all_or_nothing() -> None:
    store = Store("memory:")
    copy_foreign(SOURCE, store, [models.Artist])
    with pytest.raises(BadRow, match="table Artist, row 1"):
        copy_foreign(SOURCE, store, [models.Genre, models.MediaType, models.Artist])
    assert (store[models.Genre].count(), store[models.Artist].count()) == (0, 275)


def test_export_and_import_move_a_table(shop: Store, tmp_path: Path) -> None:
    other = Store("memory:")
    for model in (models.Artist, models.Employee):
        export_rows(shop, model, tmp_path / f"{model.__name__}.csv")
        import_rows(other, model, tmp_path / f"{model.__name__}.csv")
        assert list(other[model].query()) == list(shop[model].query())
