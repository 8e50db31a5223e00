"""10,000 records in a SQLite file: the raw driver, Holdall and four object-relational mappers.

The same durability for all: a file of its own in one temporary folder, WAL, synchronous=FULL. The same table: the key and no other index.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from bench.data import Row, as_dicts, rows, some_keys
from bench.hand import HandSqlite
from bench.harness import Contestant, Pace, Result, race
from bench.protocols import OURS, load_ours, load_peer
from bench.scenarios.base import Scenario, WrongAnswer, absent, expect, expect_whole, for_each
from bench.targets import Target

SIZE = 10_000
PEERS = ("sqlalchemy", "sqlmodel", "peewee", "django")

_HAND = HandSqlite.name
_ORM = "SQLAlchemy ORM"


@dataclass(frozen=True, slots=True)
class Stage:
    """Every contestant on a filled file of its own, in the order of the tables: hand-written, Holdall, peers."""

    records: list[Row]
    field: tuple[Any, ...]
    reason: str


def _values(contestant: Any, records: Sequence[Row]) -> list[dict[str, Any]]:
    """The records as dictionaries of what the contestant's fields take (Peewee: naive times), made before the clock starts."""
    prepared: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = getattr(contestant, "prepared", lambda values: values)
    return prepared(as_dicts(records))


@cache
def stage() -> Stage:
    """Make and fill all contestants once; the folder is removed when the program ends."""
    folder = tempfile.TemporaryDirectory(prefix="holdall-bench-")
    records = rows(SIZE)
    module, reason = load_ours()
    makers: list[Callable[[Path], Any]] = [HandSqlite]
    makers += [module.OursSqlite] if module else []
    makers += [load_peer(name).Peer for name in PEERS]
    field = tuple(make(Path(folder.name)) for make in makers)
    for each in field:
        each.insert_many(_values(each, records))
        expect(each.name, "read", each.read_all(), records)

    def end() -> None:
        for each in field:
            each.close()
        folder.cleanup()

    atexit.register(end)
    return Stage(records, field, reason)


def _with_gap(made: list[Contestant], reason: str) -> list[Contestant]:
    """Put Holdall's visible gap after the hand-written contestant when it is missing."""
    return made if any(each.name == OURS for each in made) else [made[0], absent(reason), *made[1:]]


def _get(pace: Pace) -> Result:
    """Each read is a unit of its own: no transaction around, and for the ORMs what their documentation shows for one unit of work."""
    here = stage()
    keys = some_keys(here.records, 200)
    made: list[Contestant] = []
    for each in here.field:
        expect(each.name, "get", [each.get(key) for key in keys], keys, ordered=True)
        if each.name in (_HAND, OURS):
            expect_whole(each.name, each.get(here.records[0][0]), here.records[0])
        made.append(Contestant(each.name, for_each(each.get, keys), len(keys)))
    return race("sqlite get", f"One of {SIZE:,} records by key, each read a unit of its own", _HAND, _with_gap(made, here.reason), pace)


def _get_together(pace: Pace) -> Result:
    """The same reads inside one transaction (the ORMs: one session held open). No target is stated for it."""
    here = stage()
    keys = some_keys(here.records, 200)

    def together(each: Any) -> Callable[[], None]:
        read = for_each(getattr(each, "get_held", each.get), keys)

        def run() -> None:
            each.begin()
            read()
            each.end()

        return run

    made = [Contestant(each.name, together(each), len(keys)) for each in here.field if hasattr(each, "begin")]
    title = f"One of {SIZE:,} records by key, {len(keys)} reads in one transaction or session"
    return race("sqlite get in a transaction", title, _HAND, _with_gap(made, here.reason), pace)


def _read(pace: Pace) -> Result:
    """All records, as a list of objects."""
    here = stage()
    made = [Contestant(each.name, each.read_all, SIZE) for each in here.field]
    return race("sqlite read", f"Reading {SIZE:,} records, time per record", _HAND, _with_gap(made, here.reason), pace)


def _insert(name: str, title: str, method: str, count: int, pace: Pace) -> Result:
    """Insert `count` new records, built as objects inside the timed part; the ones added before are deleted before each slice, untimed."""
    here = stage()
    fresh = rows(count, start=SIZE)
    made: list[Contestant] = []
    for each in here.field:
        insert = partial(getattr(each, method), _values(each, fresh))
        each.remove_from(SIZE)
        insert()
        if len(each.read_all()) != SIZE + count:
            raise WrongAnswer(f"{each.name}, {name}: the table does not hold {SIZE + count:,} records after {count:,} were added.")
        made.append(Contestant(each.name, insert, count, prepare=partial(each.remove_from, SIZE)))
    result = race(name, f"{title} {count:,} records, time per record", _HAND, _with_gap(made, here.reason), pace)
    for each in here.field:
        each.remove_from(SIZE)
    return result


def _many(pace: Pace) -> Result:
    count = 2_000 if pace.quick else 10_000
    return _insert("sqlite create many", "Building and inserting at once", "insert_many", count, pace)


def _singly(pace: Pace) -> Result:
    count = 300 if pace.quick else 1_000
    return _insert("sqlite create singly", "Building and inserting one by one, in one transaction,", "insert_singly", count, pace)


SCENARIOS = (
    Scenario(
        "sqlite get",
        _get,
        (
            Target("SQLite get, to hand-written", "sqlite get", OURS, _HAND, "at most", 2),
            Target("SQLite get, to SQLAlchemy ORM", "sqlite get", OURS, _ORM, "faster", 10),
        ),
        PEERS,
    ),
    Scenario("sqlite get in a transaction", _get_together, (), PEERS),
    Scenario(
        "sqlite read",
        _read,
        (
            Target("SQLite reading 10,000, to hand-written", "sqlite read", OURS, _HAND, "at most", 1.25),
            Target("SQLite reading 10,000, to SQLAlchemy ORM", "sqlite read", OURS, _ORM, "faster", 4),
        ),
        PEERS,
    ),
    Scenario(
        "sqlite create many",
        _many,
        (Target("SQLite create_many, to SQLAlchemy ORM", "sqlite create many", OURS, _ORM, "faster", 6),),
        PEERS,
    ),
    Scenario(
        "sqlite create singly",
        _singly,
        (Target("SQLite single inserts, to SQLAlchemy ORM", "sqlite create singly", OURS, _ORM, "faster", 8),),
        PEERS,
    ),
)
