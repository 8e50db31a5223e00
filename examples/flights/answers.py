"""Questions to the flights; the answers do not depend on the store that is asked."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from examples.flights.models import FILES, Flight, Weather

from holdall import Store, agg, desc
from holdall.transfer import ImportResult, Progress, import_rows


def load(store: Store, folder: Path, progress: Progress | None = None) -> dict[str, ImportResult]:
    """Import all five files; NA means null in them."""
    return {model.__name__: import_rows(store, model, folder / name, null=("NA", ""), progress=progress) for model, name in FILES.items()}


def flights_per_carrier(store: Store) -> list[tuple[str, str, int]]:
    """Code, name and number of flights, most first."""
    found = store[Flight].query().group_by(Flight.carrier, Flight.airline.name).order_by(desc(agg.count()))
    return [(row["carrier"], row["airline.name"], row["flights"]) for row in found.values("carrier", "airline.name", flights=agg.count())]


def mean_delays(store: Store) -> dict[tuple[str, int], Decimal]:
    """The mean departure delay in minutes by origin and month; flights that never left do not count."""
    found = store[Flight].query().group_by(Flight.origin, Flight.month).order_by(Flight.origin, Flight.month)
    return {(row["origin"], row["month"]): row["delay"] for row in found.values("origin", "month", delay=agg.avg(Flight.dep_delay))}


def never_left(store: Store) -> int:
    """How many flights have no departure time."""
    return store[Flight].where(dep_time__is_null=True).count()


def warmest_hour(store: Store) -> tuple[str, str, float | None]:
    """Where and when it was warmest, in degrees Fahrenheit."""
    found = store[Weather].where(temp__is_null=False).order_by(desc(Weather.temp), Weather.origin, Weather.time_hour).first()
    assert found is not None
    return found.origin, found.time_hour.isoformat(), found.temp
