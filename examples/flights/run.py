"""336,776 flights imported into SQLite and into memory: how fast, how large, and the same questions asked of both.

Run it: python examples/flights/run.py
"""

from __future__ import annotations

import gc
import sys
import tempfile
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.data_folder import need_folder
from examples.flights import answers

from holdall import Store


def resident_bytes() -> int:
    """The memory of this process, as Linux counts it."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def show(store: Store) -> str:
    """All answers as text."""
    lines = ["Flights per carrier:"]
    lines += [f"  {code} {name}: {count:,}" for code, name, count in answers.flights_per_carrier(store)[:5]]
    delays = answers.mean_delays(store)
    lines += ["Mean departure delay, minutes:", "        " + "".join(f"{month:>7}" for month in range(1, 13))]
    lines += [f"  {origin}   " + "".join(f"{delays[origin, month]:>7.2f}" for month in range(1, 13)) for origin in ("EWR", "JFK", "LGA")]
    lines += [f"Never left: {answers.never_left(store):,}", f"Warmest hour: {answers.warmest_hour(store)}"]
    return "\n".join(lines)


def main() -> None:
    """Import, measure, ask, compare."""
    folder = need_folder("flights")
    shown: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "flights.db"
        for url in (f"sqlite:///{path}", "memory:"):
            store = Store(url)
            store.open()
            before, begun = resident_bytes(), perf_counter()
            results = answers.load(store, folder)
            seconds = perf_counter() - begun
            grown = resident_bytes() - before
            rows = sum(result.written for result in results.values())
            begun = perf_counter()
            shown.append(show(store))
            asked = perf_counter() - begun
            store.close()
            size = path.stat().st_size if url != "memory:" else grown
            print(f"{store.describe().backend}: {rows:,} rows in {seconds:.1f} s, {rows / seconds:,.0f} rows/s, ", end="")
            print(f"{size / rows:.0f} bytes per record; answered in {asked:.2f} s")
    print(shown[0])
    print("Both stores give the same answers." if shown[0] == shown[1] else "The stores differ!")
    sys.exit(shown[0] != shown[1])


if __name__ == "__main__":
    main()
