"""336,776 flights with airlines, airports, planes and weather, imported into SQLite and into memory.

Expected numbers are counted here from the file itself, with the standard library alone.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest
from examples.data_folder import data_folder
from examples.flights import answers
from examples.flights.models import Airport, Flight, Plane, Weather

from holdall import Store

FOLDER = data_folder("flights")
pytestmark = [pytest.mark.skipif(FOLDER is None, reason="the data folder is absent; set HOLDALL_DATA"), pytest.mark.timeout(300)]


class Facts(NamedTuple):
    """What the file says."""

    rows: int
    per_carrier: Counter[str]
    delays: dict[tuple[str, int], Fraction]
    never_left: int
    first: list[str]
    last: list[str]


@pytest.fixture(scope="module")
def facts() -> Facts:
    assert FOLDER is not None
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    carriers: Counter[str] = Counter()
    never_left = rows = 0
    first: list[str] = []
    row: list[str] = []
    with zipfile.ZipFile(FOLDER / "flights.csv.zip") as archive, archive.open("flights.csv") as raw:
        reader = csv.reader(io.TextIOWrapper(raw, "utf-8"))
        next(reader)
        for row in reader:
            rows += 1
            first = first or row
            carriers[row[9]] += 1
            never_left += row[3] == "NA"
            if row[5] != "NA":
                pair = sums[row[12], int(row[1])]
                pair[0] += int(row[5])
                pair[1] += 1
    return Facts(rows, carriers, {place: Fraction(total, count) for place, (total, count) in sums.items()}, never_left, first, row)


@pytest.fixture(scope="module", params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    assert FOLDER is not None
    path: Path = tmp_path_factory.mktemp("flights") / "flights.db"
    made = Store("memory:" if request.param == "memory" else f"sqlite:///{path}")
    results = answers.load(made, FOLDER)
    assert {name: (result.written, result.rejected) for name, result in results.items()} == {
        "Airline": (16, 0), "Airport": (1458, 0), "Plane": (3322, 0), "Weather": (26115, 0), "Flight": (336776, 0),
    }  # fmt: skip
    yield made
    made.close()
    path.unlink(missing_ok=True)


def test_answers(store: Store, facts: Facts) -> None:
    """One test, so that the import is done once for each store."""
    assert facts.rows == store[Flight].count() == 336_776
    carriers = answers.flights_per_carrier(store)
    assert carriers[0] == ("UA", "United Air Lines Inc.", 58_665)
    assert [(code, count) for code, _, count in carriers] == facts.per_carrier.most_common()

    context = Context(prec=38, rounding=ROUND_HALF_EVEN)
    expected = {
        place: context.divide(Decimal(mean.numerator), Decimal(mean.denominator)).normalize(context) for place, mean in facts.delays.items()
    }
    assert answers.mean_delays(store) == expected
    assert len(expected) == 36

    assert answers.never_left(store) == facts.never_left == 8255
    assert answers.warmest_hour(store) == ("EWR", "2013-07-18T19:00:00+00:00", 100.04)


def test_rows_are_those_of_the_file(store: Store, facts: Facts) -> None:
    for flight, cells in ((store[Flight].query().first(), facts.first), (store[Flight].query().last(), facts.last)):
        assert flight is not None
        values = [getattr(flight, field.name) for field in Flight.__entity__.fields[1:]]
        shown = ["NA" if value is None else str(value) for value in values[:-1]] + [values[-1].strftime("%Y-%m-%dT%H:%M:%SZ")]
        assert shown == cells
    assert facts.last[3] == "NA"


def test_keys_of_several_fields_and_missing_parents(store: Store) -> None:
    flight = store[Flight].query().order_by(Flight.id).first()
    assert flight is not None
    weather = store[Weather].where(origin=flight.origin, time_hour=flight.time_hour).one()
    assert store[Weather].get((flight.origin, flight.time_hour)) == weather
    # Why tailnum and dest are no references:
    assert store[Plane].get("N3ALAA") is None
    assert store[Flight].where(tailnum="N3ALAA").exists()
    assert [code for code in ("BQN", "PSE", "SJU", "STT") if store[Airport].get(code) is None] == ["BQN", "PSE", "SJU", "STT"]
