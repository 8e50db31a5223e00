"""The Chinook sample database, copied into a new SQLite store and into memory, and the same questions asked of both.

Run it: python examples/chinook/run.py. The models in models.py were written by `holdall inspect sqlite:///chinook.sqlite`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.chinook import answers, models
from examples.data_folder import need_folder

from holdall import Model, Store
from holdall.transfer import copy_foreign

MODELS = [item for item in vars(models).values() if isinstance(item, type) and issubclass(item, Model) and item is not Model]


def show(store: Store) -> str:
    """All answers as text."""
    sales = answers.total_sales(store)
    tracks = answers.tracks_of(store, "Iron Maiden")
    lines = [f"Sales: {sales}", f"Iron Maiden: {len(tracks)} tracks, the longest {tracks[0][0]!r}", "Customers per representative:"]
    lines += [f"  {name}: {count}" for name, count in answers.customers_per_representative(store)]
    lines += ["Employees:", *(f"  {line}" for line in answers.employee_tree(store))]
    return "\n".join(lines)


def main() -> None:
    """Copy, ask, compare."""
    source = f"sqlite:///{need_folder('chinook') / 'chinook.sqlite'}"
    with tempfile.TemporaryDirectory() as folder:
        shown: list[str] = []
        for url in (f"sqlite:///{folder}/chinook.db", "memory:"):
            store = Store(url)
            result = copy_foreign(source, store, MODELS)
            rows = sum(result.written.values())
            print(f"{store.describe().backend}: {rows:,} rows of {len(MODELS)} models in {result.seconds:.2f} s")
            shown.append(show(store))
            store.close()
    print(shown[0])
    print("Both stores give the same answers." if shown[0] == shown[1] else "The stores differ!")
    sys.exit(shown[0] != shown[1])


if __name__ == "__main__":
    main()
