"""10,000 records in memory. What each hand-written reference does, and what it gives, is stated at the method it calls in `bench.hand`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from bench.data import Row, as_dicts, rows, some_keys
from bench.hand import HandMemory, HandSqlite
from bench.harness import Contestant, Pace, Result, race
from bench.protocols import OURS, MemoryContestant, load_ours, load_peer
from bench.scenarios.base import Scenario, absent, expect, expect_whole, for_each
from bench.targets import Target

SIZE = 10_000
PEERS = ("tinydb", "clearskies")

_APSW = "hand-written apsw :memory:"
_DICTS = "list comprehension over dicts"
_SORTED = "scan and sort over dicts"
_TUPLES = "list comprehension over tuples, building"

CITY = "city-000042"
HIGH = 0.99
"""The scan's bound on a uniform score: it gives about 1 %."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything filled with the same records. `ours` is None while Holdall cannot be imported; `reason` says why."""

    records: list[Row]
    hand: HandMemory
    apsw: HandSqlite
    ours: Any
    reason: str
    peers: tuple[MemoryContestant, ...]

    def field(self) -> list[MemoryContestant]:
        """Holdall, when it is there, and the peers."""
        return ([self.ours] if self.ours else []) + list(self.peers)

    def contestants(self, calls: dict[str, tuple[Callable[[], object], int]]) -> list[Contestant]:
        """Contestants from calls by name: hand-written first, as they come; Holdall's gap is added when it is missing."""
        made = [Contestant(name, run, operations) for name, (run, operations) in calls.items()]
        return made if self.ours else [made[0], absent(self.reason), *made[1:]]


@cache
def stage() -> Stage:
    """Fill every contestant once, for all scenarios of this module."""
    records = rows(SIZE)
    apsw = HandSqlite(None)
    apsw.insert_many(as_dicts(records))
    module, reason = load_ours()
    ours = module.OursMemory(records) if module else None
    return Stage(records, HandMemory(records), apsw, ours, reason, tuple(load_peer(name).Peer(records) for name in PEERS))


def _get(pace: Pace) -> Result:
    """By key; 500 keys in turn. A peer that scans gets a few keys only: its time per operation is long enough."""
    here = stage()
    keys = some_keys(here.records, 500)
    calls: dict[str, tuple[Callable[[], object], int]] = {_APSW: (for_each(here.apsw.get, keys), len(keys))}
    for each in here.field():
        few = keys[:5] if each.name == "clear-skies" else keys
        expect(each.name, "get", [each.get(key) for key in few], few, ordered=True)
        calls[each.name] = (for_each(each.get, few), len(few))
    for whole in [here.apsw, here.ours] if here.ours else [here.apsw]:
        expect_whole(whole.name, whole.get(here.records[0][0]), here.records[0])
    calls["dict, no copy"] = (for_each(here.hand.by_key.get, keys), len(keys))
    calls["dict and a new dataclass"] = (for_each(here.hand.get_copy, keys), len(keys))
    return race("memory get", f"One of {SIZE:,} records by key", _APSW, here.contestants(calls), pace)


def _filter(pace: Pace) -> Result:
    """Equality on the city: 100 of 10,000 records. Holdall has an index on it; the peers offer none."""
    here = stage()
    wanted = [row for row in here.records if row[2] == CITY]
    calls: dict[str, tuple[Callable[[], object], int]] = {_DICTS: (partial(here.hand.in_city_dicts, CITY), 1)}
    for each in here.field():
        expect(each.name, "filter", each.in_city(CITY), wanted)
        calls[each.name] = (partial(each.in_city, CITY), 1)
    title = f"Equality that {len(wanted)} of {SIZE:,} records meet (1 %)"
    return race("memory filter", title, _DICTS, here.contestants(calls), pace)


def _range(pace: Pace) -> Result:
    """Half of the records are in range; the ten lowest of them are asked for."""
    here = stage()
    low, limit = SIZE // 2, 10
    wanted = sorted((row for row in here.records if row[3] >= low), key=lambda row: row[3])[:limit]
    calls: dict[str, tuple[Callable[[], object], int]] = {_SORTED: (partial(here.hand.lowest_dicts, low, limit), 1)}
    for each in here.field():
        expect(each.name, "range", each.lowest(low, limit), wanted, ordered=True)
        calls[each.name] = (partial(each.lowest, low, limit), 1)
    calls["heapq.nsmallest over dicts"] = (partial(here.hand.lowest_heap, low, limit), 1)
    title = f"Range (half of {SIZE:,} records), sort, limit {limit}"
    return race("memory range", title, _SORTED, here.contestants(calls), pace)


def _scan(pace: Pace) -> Result:
    """A condition no index serves, on about 1 %. Both sides build the objects of the answer: see `HandMemory.scan_tuples`."""
    here = stage()
    wanted: Sequence[Row] = [row for row in here.records if row[9] >= HIGH]
    calls: dict[str, tuple[Callable[[], object], int]] = {_TUPLES: (partial(here.hand.scan_tuples, HIGH), SIZE)}
    if here.ours:
        expect(OURS, "scan", here.ours.scan(HIGH), wanted)
        calls[OURS] = (partial(here.ours.scan, HIGH), SIZE)
    calls["list comprehension over tuples, as they are"] = (partial(here.hand.scan_tuples_as_they_are, HIGH), SIZE)
    title = f"Condition without an index, {len(wanted)} of {SIZE:,} records meet it; time per record looked at"
    return race("memory scan", title, _TUPLES, here.contestants(calls), pace)


SCENARIOS = (
    Scenario("memory get", _get, (Target("memory get", "memory get", OURS, _APSW, "at most", 0.4),), PEERS),
    Scenario("memory filter", _filter, (Target("memory equality filter", "memory filter", OURS, _DICTS, "faster", 10),), PEERS),
    Scenario("memory range", _range, (Target("memory range, sort, limit", "memory range", OURS, _SORTED, "faster", 50),), PEERS),
    Scenario("memory scan", _scan, (Target("memory unindexed scan", "memory scan", OURS, _TUPLES, "at most", 1.5),), PEERS),
)
