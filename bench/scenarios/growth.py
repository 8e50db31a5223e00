"""How the memory operations grow from 10,000 to 1,000,000 records (100,000 in the quick run).

The question has the same answer size at both sizes (100 records share a city, the limit is ten), so what grows is the store alone; 500 keys
picked at random over the whole store are read in turn. The scan's answer is 1 % at both sizes and its time is per record looked at. A
million tuples do not fit a processor's cache, so even the bare hand-written loop slows down per record; linear therefore means: per
record, Holdall's scan grows no more than the hand-written loop does in the same race (that factor, with the allowance of 1.5 that the
indexed operations have).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from bench.data import Row, rows, some_keys
from bench.hand import HandMemory
from bench.harness import Contestant, Pace, Result, race
from bench.protocols import OURS, load_ours
from bench.scenarios.base import Scenario, absent, expect, for_each
from bench.scenarios.memory import CITY, HIGH, SIZE
from bench.targets import Target

_OURS_SMALL, _OURS_LARGE = f"{OURS}, small", f"{OURS}, large"
_HAND_SMALL, _HAND_LARGE = "hand-written, small", "hand-written, large"
_LIMIT = 1.5


@dataclass(frozen=True, slots=True)
class Sized:
    """Both sides filled with the same records of one size."""

    records: list[Row]
    hand: HandMemory
    ours: Any


@cache
def sized(size: int) -> Sized:
    """Fill once for all scenarios of this module. The large one takes some seconds and about a gigabyte and a half for each side."""
    records = rows(size)
    module, _ = load_ours()
    return Sized(records, HandMemory(records), module.OursMemory(records) if module else None)


Calls = tuple[Callable[[], object], int]


def _grow(name: str, title: str, pace: Pace, ours: Callable[[Sized], Calls], hand: Callable[[Sized], Calls] | None) -> Result:
    """Race one operation at both sizes, Holdall's and (where it has a meaning) the hand-written one's."""
    small, large = sized(SIZE), sized(pace.large)
    reason = load_ours()[1]
    contestants: list[Contestant] = []
    for label, here in ((_OURS_SMALL, small), (_OURS_LARGE, large)):
        contestants.append(Contestant(label, *ours(here)) if here.ours else absent(reason, label))
    if hand is not None:
        contestants += [Contestant(_HAND_SMALL, *hand(small)), Contestant(_HAND_LARGE, *hand(large))]
    return race(name, f"{title}: {SIZE:,} against {pace.large:,} records", _OURS_SMALL, contestants, pace)


def _get(pace: Pace) -> Result:
    def ours(here: Sized) -> Calls:
        keys = some_keys(here.records, 500)
        expect(OURS, "get", [here.ours.get(key) for key in keys], keys, ordered=True)
        return for_each(here.ours.get, keys), len(keys)

    def hand(here: Sized) -> Calls:
        keys = some_keys(here.records, 500)
        return for_each(here.hand.get_copy, keys), len(keys)

    return _grow("growth get", "By key", pace, ours, hand)


def _filter(pace: Pace) -> Result:
    def ours(here: Sized) -> Calls:
        expect(OURS, "filter", here.ours.in_city(CITY), [row for row in here.records if row[2] == CITY])
        return partial(here.ours.in_city, CITY), 1

    return _grow("growth filter", "Equality filter with an answer of 100", pace, ours, None)


def _range(pace: Pace) -> Result:
    def ours(here: Sized) -> Calls:
        low = len(here.records) // 2
        wanted = sorted((row for row in here.records if low <= row[3] < low + 10), key=lambda row: row[3])
        expect(OURS, "range", here.ours.lowest(low, 10), wanted, ordered=True)
        return partial(here.ours.lowest, low, 10), 1

    return _grow("growth range", "Range (half), sort, limit 10", pace, ours, None)


def _scan(pace: Pace) -> Result:
    def ours(here: Sized) -> Calls:
        return partial(here.ours.scan, HIGH), len(here.records)

    def hand(here: Sized) -> Calls:
        return partial(here.hand.scan_tuples, HIGH), len(here.records)

    return _grow("growth scan", "Scan, time per record", pace, ours, hand)


def _target(label: str, scenario: str, control: tuple[str, str] | None = None) -> tuple[Target, ...]:
    return (Target(label, scenario, _OURS_LARGE, _OURS_SMALL, "at most", _LIMIT, control),)


SCENARIOS = (
    Scenario("growth get", _get, _target("growth of memory get", "growth get")),
    Scenario("growth filter", _filter, _target("growth of memory equality filter", "growth filter")),
    Scenario("growth range", _range, _target("growth of memory range, sort, limit", "growth range")),
    Scenario("growth scan", _scan, _target("growth of memory scan, to hand-written's", "growth scan", (_HAND_LARGE, _HAND_SMALL))),
)
