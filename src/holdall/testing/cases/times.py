"""D1, D3: times to the microsecond, over the whole of Python's ranges."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.errors import QueryError, UniqueViolation, ValidationError
from holdall.model import Model
from holdall.query import agg, between, desc, is_null, one_of
from holdall.testing.case import case
from holdall.testing.cases.making import at, how_many, ids, local, made, numbered
from holdall.testing.kit import Kit
from holdall.testing.models.times import AtKey, ClockKey, DayKey, LocalKey, Moment, SpanKey
from holdall.testing.models.unique_times import UniqueMoment

TICK = dt.timedelta(microseconds=1)
FIRST, LAST = at(1, 1, 1), at(9999, 12, 31, 23, 59, 59, 999999)
LOCAL_FIRST, LOCAL_LAST = local(1, 1, 1), local(9999, 12, 31, 23, 59, 59, 999999)

MICROSECONDS: dict[str, tuple[str, Any]] = {
    **{f"at {n} us": ("at", at(2024, 2, 29, 12, 30, 59, n)) for n in (0, 1, 100, 123456, 500000, 999000, 999999)},
    **{f"local {n} us": ("local", local(2024, 2, 29, 12, 30, 59, n)) for n in (0, 1, 100, 123456, 500000, 999000, 999999)},
    **{f"clock {n} us": ("clock", dt.time(23, 59, 59, n)) for n in (0, 1, 100, 123456, 500000, 999000, 999999)},
    **{f"span {n} us": ("span", dt.timedelta(seconds=3, microseconds=n)) for n in (0, 1, 100, 123456, 500000, 999000, 999999)},
    "at just before 1970": ("at", at(1969, 12, 31, 23, 59, 59, 999999)),
    "at long before 1970": ("at", at(1600, 1, 1, 0, 0, 0, 1)),
    "at far from 1970": ("at", at(9998, 7, 3, 1, 2, 3, 999999)),
    "at early in year 1": ("at", at(1, 1, 1, 0, 0, 0, 1)),
    "local just before 1970": ("local", local(1969, 12, 31, 23, 59, 59, 999999)),
    "local far from 1970": ("local", local(9998, 7, 3, 1, 2, 3, 999999)),
    "span negative": ("span", -TICK),
    "span below a second": ("span", -dt.timedelta(microseconds=999999)),
    "span of years": ("span", dt.timedelta(days=400000, microseconds=1)),
    "span of negative years": ("span", dt.timedelta(days=-400000, microseconds=-1)),
}

RANGES: dict[str, tuple[str, Any]] = {
    "at first": ("at", FIRST),
    "at last": ("at", LAST),
    "at epoch": ("at", at(1970, 1, 1)),
    "at year 1 end": ("at", at(1, 12, 31, 23, 59, 59)),
    "at leap day": ("at", at(2000, 2, 29, 23, 59, 59, 999999)),
    "at days that the calendar skipped": ("at", at(1582, 10, 10)),
    "at end of 32 bits": ("at", at(2038, 1, 19, 3, 14, 8)),
    "local first": ("local", LOCAL_FIRST),
    "local last": ("local", LOCAL_LAST),
    "local leap day": ("local", local(4, 2, 29)),
    "local hour that clocks skip": ("local", local(2024, 3, 31, 2, 30)),
    "day first": ("day", dt.date.min),
    "day last": ("day", dt.date.max),
    "day leap day of a century": ("day", dt.date(2000, 2, 29)),
    "day leap day": ("day", dt.date(2024, 2, 29)),
    "day before no leap day": ("day", dt.date(1900, 2, 28)),
    "day that the calendar skipped": ("day", dt.date(1582, 10, 10)),
    "day of a short year": ("day", dt.date(33, 4, 3)),
    "day epoch": ("day", dt.date(1970, 1, 1)),
    "day before epoch": ("day", dt.date(1969, 12, 31)),
    "clock first": ("clock", dt.time.min),
    "clock last": ("clock", dt.time.max),
    "clock noon": ("clock", dt.time(12)),
    "clock minute": ("clock", dt.time(0, 1)),
    "span least": ("span", dt.timedelta.min),
    "span most": ("span", dt.timedelta.max),
    "span none": ("span", dt.timedelta()),
    "span a day back": ("span", dt.timedelta(days=-1)),
    "span of 24 hours": ("span", dt.timedelta(hours=24)),
}

# Least to greatest, for each kind.
LADDERS: dict[str, list[Any]] = {
    "at": [FIRST, at(1, 1, 1, 0, 0, 0, 1), at(999, 12, 31), at(1969, 12, 31, 23, 59, 59, 999999),
           at(1970, 1, 1), at(2024, 2, 29), at(2024, 3, 1), at(2024, 10, 1), LAST],
    "local": [LOCAL_FIRST, local(1, 1, 1, 0, 0, 0, 1), local(999, 12, 31), local(1969, 12, 31, 23, 59, 59, 999999),
              local(1970, 1, 1), local(2024, 9, 30), local(2024, 10, 1), LOCAL_LAST],
    "day": [dt.date.min, dt.date(33, 4, 3), dt.date(999, 12, 31), dt.date(1000, 1, 1), dt.date(1969, 12, 31), dt.date(1970, 1, 1),
            dt.date(2024, 2, 29), dt.date(2024, 3, 1), dt.date.max],
    "clock": [dt.time.min, dt.time(0, 0, 0, 1), dt.time(0, 0, 0, 999999), dt.time(0, 0, 1), dt.time(9, 59), dt.time(10), dt.time.max],
    "span": [dt.timedelta.min, dt.timedelta(days=-10), dt.timedelta(days=-9), -TICK, dt.timedelta(), TICK, dt.timedelta(seconds=1),
             dt.timedelta(days=9), dt.timedelta(days=10), dt.timedelta.max],
}  # fmt: skip

# Two values one microsecond apart.
NEIGHBOURS: dict[str, tuple[str, Any, Any]] = {
    "at": ("at", at(2024, 5, 1, 12, 0, 0, 1), at(2024, 5, 1, 12, 0, 0, 2)),
    "at over a second": ("at", at(2024, 5, 1, 11, 59, 59, 999999), at(2024, 5, 1, 12)),
    "at far away": ("at", at(9999, 12, 31, 23, 59, 59, 999998), at(9999, 12, 31, 23, 59, 59, 999999)),
    "local": ("local", local(2024, 5, 1, 12, 0, 0, 1), local(2024, 5, 1, 12, 0, 0, 2)),
    "clock": ("clock", dt.time(12, 0, 0, 999998), dt.time(12, 0, 0, 999999)),
    "span": ("span", dt.timedelta(days=900000000, microseconds=1), dt.timedelta(days=900000000, microseconds=2)),
}

KEYS: dict[str, tuple[type[Model], Any, Any]] = {
    "at": (AtKey, at(2024, 5, 1, 12, 0, 0, 1), at(2024, 5, 1, 12, 0, 0, 2)),
    "local": (LocalKey, local(2024, 5, 1, 12, 0, 0, 1), local(2024, 5, 1, 12, 0, 0, 2)),
    "clock": (ClockKey, dt.time(12, 0, 0, 999998), dt.time(12, 0, 0, 999999)),
    "span": (SpanKey, dt.timedelta(days=900000000, microseconds=1), dt.timedelta(days=900000000, microseconds=2)),
}
EXTREME_KEYS: dict[str, tuple[type[Model], Any]] = {
    "at first": (AtKey, FIRST),
    "at last": (AtKey, LAST),
    "local first": (LocalKey, LOCAL_FIRST),
    "local last": (LocalKey, LOCAL_LAST),
    "day first": (DayKey, dt.date.min),
    "day last": (DayKey, dt.date.max),
    "clock first": (ClockKey, dt.time.min),
    "clock last": (ClockKey, dt.time.max),
    "span least": (SpanKey, dt.timedelta.min),
    "span most": (SpanKey, dt.timedelta.max),
}


async def comes_back(k: Kit, name: str, value: Any) -> None:
    """The value is read as it was written, by key, by a filter on it, and as a column."""
    moments, term = k.store[Moment], getattr(Moment, name)
    await moments.create(id=1, **{name: value})
    read = getattr(await moments.get(1), name)
    assert (read, type(read), repr(read)) == (value, type(value), repr(value))
    found = await moments.where(term == value).all()
    assert [getattr(moment, name) for moment in found] == [value], "by a filter"
    assert await moments.query().column(term) == [value], "as a column"
    assert await how_many(moments.where(term != value)) == 0


@case("D1", each=MICROSECONDS)
async def microseconds_come_back(k: Kit, name: str, value: Any) -> None:
    await comes_back(k, name, value)


@case("D3", each=RANGES)
async def every_time_that_python_has_comes_back(k: Kit, name: str, value: Any) -> None:
    await comes_back(k, name, value)


@case("D1", each=NEIGHBOURS)
async def one_microsecond_apart_is_not_equal(k: Kit, name: str, low: Any, high: Any) -> None:
    moments, term = k.store[Moment], getattr(Moment, name)
    await numbered(k, Moment, name, [low, high])
    assert await ids(moments.where(term == low)) == [1]
    assert await ids(moments.where(term != low)) == [2]
    assert await ids(moments.where(term < high)) == [1]
    assert await ids(moments.where(term > low)) == [2]
    assert await ids(moments.where(term <= low)) == [1]
    assert await ids(moments.where(term >= low)) == [1, 2]
    assert await ids(moments.where(between(term, high, high))) == [2]
    assert await ids(moments.where(one_of(term, [low]))) == [1]


@case("D1", each=NEIGHBOURS)
async def one_microsecond_decides_the_order(k: Kit, name: str, low: Any, high: Any) -> None:
    moments, term = k.store[Moment], getattr(Moment, name)
    await made(k, Moment, {"id": 1, name: high}, {"id": 2, name: low}, {"id": 3, name: high})
    assert await ids(moments.query().order_by(term)) == [2, 1, 3]
    assert await ids(moments.query().order_by(desc(term), "id")) == [1, 3, 2]
    page = await moments.query().order_by(term).page(1)
    after = await moments.query().order_by(term).page(1, page.next_cursor)
    assert [moment.id for moment in after] == [1], "a cursor holds the microsecond too"


@case("D1", each=NEIGHBOURS, needs="aggregates")
async def groups_and_extremes_keep_the_microsecond(k: Kit, name: str, low: Any, high: Any) -> None:
    moments, term = k.store[Moment], getattr(Moment, name)
    await made(k, Moment, {"id": 1, name: high}, {"id": 2, name: low}, {"id": 3, name: high})
    groups = await moments.query().group_by(term).order_by(term).values(time=term, n=agg.count())
    assert groups == [{"time": low, "n": 1}, {"time": high, "n": 2}]
    assert (await moments.query().min(term), await moments.query().max(term)) == (low, high)
    assert await moments.query().distinct().order_by(term).values(time=term) == [{"time": low}, {"time": high}]


@case("D1", each=NEIGHBOURS)
async def a_change_of_one_microsecond_is_written(k: Kit, name: str, low: Any, high: Any) -> None:
    moment = await k.store[Moment].create(id=1, **{name: low})
    setattr(moment, name, high)
    await k.store[Moment].save(moment)
    assert getattr(await k.store[Moment].get(1), name) == high


@case("D1", each=NEIGHBOURS, needs="unique")
async def uniques_one_microsecond_apart_stand_side_by_side(k: Kit, name: str, low: Any, high: Any) -> None:
    await numbered(k, UniqueMoment, name, [low, high])
    with k.refused(UniqueViolation, fields=(name,)):
        await k.store[UniqueMoment].create(id=3, **{name: low})
    assert await how_many(k.store[UniqueMoment]) == 2


@case("D1", each=KEYS)
async def keys_one_microsecond_apart_are_two_records(k: Kit, model: Any, low: Any, high: Any) -> None:
    await made(k, model, {"id": low, "note": "low"}, {"id": high, "note": "high"})
    assert [(await k.store[model].get(key)).note for key in (high, low)] == ["high", "low"]
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[model].create(id=low)
    await k.store[model].delete(await k.store[model].get(low))
    assert await k.store[model].query().column(model.id) == [high]


@case("D3", each=EXTREME_KEYS)
async def the_ends_of_a_range_are_keys_like_others(k: Kit, model: Any, key: Any) -> None:
    record = await k.store[model].create(id=key, note="a")
    record.note = "b"
    await k.store[model].save(record)
    read = await k.store[model].get(key)
    assert (read.id, read.note) == (key, "b")
    assert await k.store[model].get_many([key, key]) == [read, read]


KINDS = {name: (name, values) for name, values in LADDERS.items()}


@case("D3", each=KINDS)
async def times_are_ordered_over_their_whole_range(k: Kit, name: str, ladder: list[Any]) -> None:
    moments, term = k.store[Moment], getattr(Moment, name)
    await numbered(k, Moment, name, ladder)
    assert await moments.query().order_by(term).column(term) == ladder
    assert await moments.query().order_by(desc(term)).column(term) == ladder[::-1]


@case("D3", each=KINDS)
async def every_comparison_holds_over_the_whole_range(k: Kit, name: str, ladder: list[Any]) -> None:
    moments, term = k.store[Moment], getattr(Moment, name)
    await numbered(k, Moment, name, ladder)
    for place, value in enumerate(ladder, start=1):
        assert await ids(moments.where(term < value)) == list(range(1, place)), f"< {value!r}"
        assert await ids(moments.where(term >= value)) == list(range(place, len(ladder) + 1)), f">= {value!r}"
        assert await ids(moments.where(**{f"{name}__lte": value})) == list(range(1, place + 1)), f"<= {value!r}"


@case("D3", each=KINDS)
async def pages_walk_the_whole_range(k: Kit, name: str, ladder: list[Any]) -> None:
    moments, term = k.store[Moment], getattr(Moment, name)
    await numbered(k, Moment, name, ladder)
    walked = [getattr(moment, name) async for moment in moments.query().order_by(desc(term)).stream(page_rows=2)]
    assert walked == ladder[::-1]


@case("D3", each=KINDS, needs="aggregates")
async def extremes_are_extremes(k: Kit, name: str, ladder: list[Any]) -> None:
    moments, term = k.store[Moment], getattr(Moment, name)
    await numbered(k, Moment, name, [*ladder, None])
    assert (await moments.query().min(term), await moments.query().max(term)) == (ladder[0], ladder[-1])
    assert len(await moments.query().group_by(term).values(time=term)) == len(ladder) + 1


@case("D3", each=KINDS, needs="set_writes")
async def an_update_by_query_sets_the_ends_of_a_range(k: Kit, name: str, ladder: list[Any]) -> None:
    moments, term = k.store[Moment], getattr(Moment, name)
    await numbered(k, Moment, name, ladder[1:3])
    for value in (ladder[0], ladder[-1]):
        assert await moments.query().update(**{name: value}) == 2
        assert await moments.query().column(term) == [value, value]


@case("D3", each=KINDS, needs="unique")
async def the_ends_of_a_range_are_unique_like_others(k: Kit, name: str, ladder: list[Any]) -> None:
    await numbered(k, UniqueMoment, name, [ladder[0], ladder[-1]])
    for value in (ladder[0], ladder[-1]):
        with k.refused(UniqueViolation, fields=(name,)):
            await k.store[UniqueMoment].create(id=9, **{name: value})
    assert await how_many(k.store[UniqueMoment]) == 2


BEYOND = {
    "before the first instant": dt.datetime(1, 1, 1, 0, 59, tzinfo=dt.timezone(dt.timedelta(hours=1))),
    "after the last instant": dt.datetime(9999, 12, 31, 23, 1, tzinfo=dt.timezone(dt.timedelta(hours=-1))),
}


@case("D3", each=BEYOND)
async def an_instant_that_utc_cannot_say_is_refused(k: Kit, value: dt.datetime) -> None:
    """Its local form is in Python's range, the same instant in UTC is not."""
    moments = k.store[Moment]
    with k.refused(ValidationError):
        await moments.create(id=1, at=value)
    with k.refused(QueryError):
        moments.where(Moment.at == value)
    moment = await moments.create(id=2)
    moment.at = value
    with k.refused(ValidationError):
        await moments.save(moment)
    assert await ids(moments.where(is_null(Moment.at))) == [2], "nothing was written"


@case("D3", each=BEYOND, needs="set_writes")
async def an_update_by_query_beyond_utc_is_refused(k: Kit, value: dt.datetime) -> None:
    moments = k.store[Moment]
    await moments.create(id=1, at=at(2024, 1, 1))
    with k.refused(ValidationError):
        await moments.query().update(at=value)
    assert (await moments.get(1)).at == at(2024, 1, 1)


SUMS = {
    "at plus a duration": lambda: Moment.at + TICK,  # type: ignore[operator]  # terms are no times
    "day plus one": lambda: Moment.day + 1,  # type: ignore[operator]  # as above
    "span twice": lambda: Moment.span * 2,  # type: ignore[operator]  # as above
}


@case("D3", each=SUMS)
async def arithmetic_on_times_is_refused(k: Kit, build: Any) -> None:
    """Engines disagree on it, in range and in result."""
    with k.refused(QueryError):
        k.store[Moment].where(build() == 1)


@case("D3", needs="aggregates", each=["at", "local", "day", "clock", "span"])
async def times_have_no_sum(k: Kit, name: str) -> None:
    await k.store[Moment].create(id=1)
    with k.refused(QueryError):
        await k.store[Moment].query().sum(getattr(Moment, name))
