"""All flights that left New York in 2013, with airlines, airports, planes and the weather."""

from __future__ import annotations

from datetime import datetime

from holdall import BelongsTo, Field, HasMany, Key, Model


class Airline(Model):
    carrier: str = Key(max_length=2)
    name: str

    flights: list[Flight] = HasMany("airline")


class Airport(Model):
    faa: str = Key(max_length=3)
    name: str
    lat: float
    lon: float
    alt: int
    tz: int
    dst: str = Field(max_length=1)
    tzone: str | None = None


class Plane(Model):
    tailnum: str = Key(max_length=6)
    year: int | None
    type: str
    manufacturer: str
    model: str
    engines: int
    seats: int
    speed: int | None
    engine: str


class Weather(Model, table="weather"):
    """Hourly, at the three airports: together, place and hour are the key."""

    origin: str = Key(references=Airport)
    time_hour: datetime = Key()
    year: int
    month: int
    day: int
    hour: int
    temp: float | None
    dewp: float | None
    humid: float | None
    wind_dir: int | None
    wind_speed: float | None
    wind_gust: float | None
    precip: float
    pressure: float | None
    visib: float


class Flight(Model):
    """No few fields of a flight are unique, so the store numbers them.

    `tailnum` and `dest` are plain fields, not references: one flight in seven was made by a plane that planes.csv does not know, and four
    airports in Puerto Rico and the Virgin Islands are not in airports.csv. A reference would refuse these rows.
    """

    id: int = Key()
    year: int
    month: int
    day: int
    dep_time: int | None
    sched_dep_time: int
    dep_delay: int | None
    arr_time: int | None
    sched_arr_time: int
    arr_delay: int | None
    carrier: str = Field(references=Airline)
    flight: int
    tailnum: str | None = Field(index=True)
    origin: str = Field(references=Airport)
    dest: str
    air_time: int | None
    distance: int
    hour: int
    minute: int
    time_hour: datetime

    airline: Airline = BelongsTo("carrier")
    origin_airport: Airport = BelongsTo("origin")


# Parents first; the files are named after what they hold.
FILES: dict[type[Model], str] = {
    Airline: "airlines.csv",
    Airport: "airports.csv",
    Plane: "planes.csv",
    Weather: "weather.csv",
    Flight: "flights.csv.zip",
}
