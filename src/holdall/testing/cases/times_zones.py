"""D2: instants and local times: offsets, and that the two are never mixed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from holdall.errors import QueryError, UniqueViolation, ValidationError
from holdall.query import between, desc, is_null, not_one_of, one_of
from holdall.testing.case import case
from holdall.testing.cases.making import how_many, ids, local, made
from holdall.testing.kit import Kit
from holdall.testing.models.times import AtKey, ClockKey, LocalKey, Moment
from holdall.testing.models.unique_times import UniqueMoment

NOON = dt.datetime(2024, 6, 1, 12, tzinfo=dt.UTC)


class Clocks(dt.tzinfo):
    """A zone whose clocks go back from 03:00 to 02:00 on 27 October 2024, and forward on 31 March: fold tells the two hours apart."""

    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
        assert when is not None
        plain = when.replace(tzinfo=None)
        back = local(2024, 10, 27, 2 if when.fold else 3)
        summer = local(2024, 3, 31, 2) <= plain < back
        return dt.timedelta(hours=2 if summer else 1)

    def dst(self, when: dt.datetime | None) -> dt.timedelta:
        return self.utcoffset(when) - dt.timedelta(hours=1)

    def tzname(self, when: dt.datetime | None) -> str:
        return "" if when is None else "clocks"


def offset(**by: float) -> dt.timezone:
    """A fixed zone."""
    return dt.timezone(dt.timedelta(**by))


OFFSETS: dict[str, tuple[dt.datetime, dt.datetime]] = {
    "+00:00": (dt.datetime(2024, 6, 1, 12, tzinfo=offset(hours=0)), NOON),
    "+02:00": (dt.datetime(2024, 6, 1, 14, tzinfo=offset(hours=2)), NOON),
    "-05:00": (dt.datetime(2024, 6, 1, 7, tzinfo=offset(hours=-5)), NOON),
    "+05:45": (dt.datetime(2024, 6, 1, 17, 45, tzinfo=offset(hours=5, minutes=45)), NOON),
    "-03:30": (dt.datetime(2024, 6, 1, 8, 30, tzinfo=offset(hours=-3, minutes=-30)), NOON),
    "+14:00 the next day": (dt.datetime(2024, 6, 2, 2, tzinfo=offset(hours=14)), NOON),
    "-12:00": (dt.datetime(2024, 6, 1, 0, tzinfo=offset(hours=-12)), NOON),
    "+23:59": (dt.datetime(2024, 6, 2, 11, 59, tzinfo=offset(hours=23, minutes=59)), NOON),
    "-23:59": (dt.datetime(2024, 5, 31, 12, 1, tzinfo=offset(hours=-23, minutes=-59)), NOON),
    "of seconds": (dt.datetime(2024, 6, 1, 12, 0, 1, tzinfo=offset(seconds=1)), NOON),
    "of microseconds": (dt.datetime(2024, 6, 1, 11, 59, 59, 999999, tzinfo=offset(microseconds=-1)), NOON),
    "over a year": (dt.datetime(2024, 1, 1, 0, 30, tzinfo=offset(hours=1)), dt.datetime(2023, 12, 31, 23, 30, tzinfo=dt.UTC)),
    "over a leap day": (dt.datetime(2024, 3, 1, 0, 30, tzinfo=offset(hours=1)), dt.datetime(2024, 2, 29, 23, 30, tzinfo=dt.UTC)),
    "in year 1": (dt.datetime(1, 1, 1, 2, tzinfo=offset(hours=2)), dt.datetime(1, 1, 1, tzinfo=dt.UTC)),
    "summer": (dt.datetime(2024, 6, 1, 14, tzinfo=Clocks()), NOON),
    "winter": (dt.datetime(2024, 12, 1, 13, tzinfo=Clocks()), dt.datetime(2024, 12, 1, 12, tzinfo=dt.UTC)),
    "the first of two hours": (dt.datetime(2024, 10, 27, 2, 30, tzinfo=Clocks()), dt.datetime(2024, 10, 27, 0, 30, tzinfo=dt.UTC)),
    "the second of two hours": (
        dt.datetime(2024, 10, 27, 2, 30, tzinfo=Clocks(), fold=1),
        dt.datetime(2024, 10, 27, 1, 30, tzinfo=dt.UTC),
    ),
}


@case("D2", each=OFFSETS)
async def an_offset_is_turned_into_utc(k: Kit, given: dt.datetime, utc: dt.datetime) -> None:
    """The instant is kept, the offset is not: what comes back is in UTC, and so is the object that was saved."""
    moments = k.store[Moment]
    kept = await moments.create(id=1, at=given)
    read = await moments.get(1)
    for found in (kept.at, read.at):
        assert repr(found) == repr(utc)
        assert found.tzinfo is dt.UTC
    assert await ids(moments.where(Moment.at == given)) == [1], "asked with the offset"
    assert await ids(moments.where(Moment.at == utc)) == [1], "asked in UTC"
    assert await ids(moments.where(at__lt=given)) == []


@case("D2", each=OFFSETS)
async def a_key_is_an_instant_whatever_its_offset(k: Kit, given: dt.datetime, utc: dt.datetime) -> None:
    await k.store[AtKey].create(id=given, note="a")
    assert (await k.store[AtKey].get(utc)).note == "a"
    assert (await k.store[AtKey].get(given)).id == utc
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[AtKey].create(id=utc)
    assert await how_many(k.store[AtKey]) == 1


@case("D2")
async def instants_are_ordered_as_instants_not_as_text(k: Kit) -> None:
    """As text, 23:00-05:00 would come after 01:00+02:00 of the next day's instant."""
    moments = k.store[Moment]
    given = [
        dt.datetime(2024, 6, 1, 23, tzinfo=offset(hours=-5)),  # 04:00 on the 2nd
        dt.datetime(2024, 6, 2, 1, tzinfo=offset(hours=2)),  # 23:00 on the 1st
        dt.datetime(2024, 6, 2, 0, tzinfo=dt.UTC),
        dt.datetime(2024, 6, 2, 12, tzinfo=offset(hours=14)),  # 22:00 on the 1st
    ]
    for number, value in enumerate(given):
        await moments.create(id=number, at=value)
    assert await ids(moments.query().order_by(Moment.at)) == [3, 1, 2, 0]
    assert await ids(moments.query().order_by(desc(Moment.at))) == [0, 2, 1, 3]
    assert await ids(moments.where(at__gt=given[1])) == [0, 2]


@case("D2", needs="unique")
async def a_unique_instant_is_taken_in_every_offset(k: Kit) -> None:
    await k.store[UniqueMoment].create(id=1, at=NOON)
    with k.refused(UniqueViolation, fields=("at",)):
        await k.store[UniqueMoment].create(id=2, at=NOON.astimezone(offset(hours=9)))
    assert await how_many(k.store[UniqueMoment]) == 1


@case("D2", needs="aggregates")
async def one_instant_in_two_offsets_is_one_group(k: Kit) -> None:
    await made(k, Moment, {"id": 1, "at": NOON}, {"id": 2, "at": NOON.astimezone(offset(hours=-7))})
    assert await k.store[Moment].query().distinct().values("at") == [{"at": NOON}]
    (only,) = await k.store[Moment].query().group_by(Moment.at).values("at")
    assert only["at"].tzinfo is dt.UTC


@case("D2")
async def membership_and_ranges_compare_instants(k: Kit) -> None:
    moments = k.store[Moment]
    hour = dt.timedelta(hours=1)
    await made(k, Moment, *({"id": n, "at": NOON + n * hour} for n in (1, 2, 3)))
    east = offset(hours=10)
    assert await ids(moments.where(one_of(Moment.at, [(NOON + hour).astimezone(east)]))) == [1]
    assert await ids(moments.where(not_one_of(Moment.at, [(NOON + hour).astimezone(east)]))) == [2, 3]
    assert await ids(moments.where(between(Moment.at, (NOON + 2 * hour).astimezone(east), NOON + 9 * hour))) == [2, 3]


@case("D2")
async def the_same_instant_in_another_offset_is_no_change(k: Kit) -> None:
    moment = await k.store[Moment].create(id=1, at=NOON)
    moment.at = NOON.astimezone(offset(hours=3))
    await k.store[Moment].save(moment)
    assert repr((await k.store[Moment].get(1)).at) == repr(NOON)


LOCALS = {
    "in the hour that comes twice": local(2024, 10, 27, 2, 30),
    "in the hour that is left out": local(2024, 3, 31, 2, 30),
    "at midnight": local(2024, 6, 1),
    "with a microsecond": local(2024, 6, 1, 0, 0, 0, 1),
}


@case("D2", each=LOCALS)
async def local_time_is_never_converted(k: Kit, value: dt.datetime) -> None:
    await k.store[Moment].create(id=1, local=value)
    read = (await k.store[Moment].get(1)).local
    assert read == value
    assert read.tzinfo is None
    assert await k.store[LocalKey].get(value) is None
    await k.store[LocalKey].create(id=value)
    assert (await k.store[LocalKey].get(value)).id == value


FOLDS: dict[str, tuple[str, Any]] = {
    "local": ("local", local(2024, 10, 27, 2, 30, fold=1)),
    "clock": ("clock", dt.time(2, 30, fold=1)),
}


@case("D2", each=FOLDS)
async def a_fold_without_a_zone_means_nothing(k: Kit, name: str, value: Any) -> None:
    """Without a zone, there is only one 02:30: the two are one value, and the mark is not kept."""
    moments = k.store[Moment]
    await moments.create(id=1, **{name: value})
    assert getattr(await moments.get(1), name).fold == 0
    plain = value.replace(fold=0)
    assert await ids(moments.where(getattr(Moment, name) == plain)) == [1]
    assert await ids(moments.where(getattr(Moment, name) == value)) == [1]


@case("D2", each={"local": (LocalKey, local(2024, 10, 27, 2, 30)), "clock": (ClockKey, dt.time(2, 30))})
async def a_fold_makes_no_second_key(k: Kit, model: Any, value: Any) -> None:
    await k.store[model].create(id=value.replace(fold=1))
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[model].create(id=value)
    assert (await k.store[model].get(value.replace(fold=1))).id.fold == 0


# What does not fit its field, at every door.

AWARE, NAIVE = NOON, NOON.replace(tzinfo=None)
MIXED: dict[str, tuple[str, Any]] = {
    "a local time in an instant": ("at", NAIVE),
    "an instant in a local time": ("local", AWARE),
    "a time with a zone": ("clock", dt.time(12, tzinfo=dt.UTC)),
    "an instant in a date": ("day", AWARE),
    "a local time in a date": ("day", NAIVE),
    "a date in an instant": ("at", dt.date(2024, 6, 1)),
    "a date in a local time": ("local", dt.date(2024, 6, 1)),
    "text in an instant": ("at", "2024-06-01T12:00:00Z"),
    "a number in an instant": ("at", 1717243200),
    "a number in a duration": ("span", 60),
}
GOOD: dict[str, Any] = {"at": AWARE, "local": NAIVE, "day": dt.date(2024, 6, 1), "clock": dt.time(12), "span": dt.timedelta(1)}


async def _unchanged(k: Kit, name: str) -> None:
    """Only record 1 is there, with its good value."""
    assert await k.store[Moment].query().order_by("id").values("id", value=getattr(Moment, name)) == [{"id": 1, "value": GOOD[name]}]


@case("D2", each=MIXED)
async def create_refuses_the_wrong_kind_of_time(k: Kit, name: str, value: Any) -> None:
    await k.store[Moment].create(id=1, **{name: GOOD[name]})
    with k.refused(ValidationError) as caught:
        await k.store[Moment].create(id=2, **{name: value})
    assert [problem.path for problem in caught.error.problems] == [(name,)]
    with k.refused(ValidationError):
        await k.store[Moment].create_many([{"id": 3, name: GOOD[name]}, {"id": 4, name: value}])
    await _unchanged(k, name)


@case("D2", each=MIXED)
async def save_refuses_the_wrong_kind_of_time(k: Kit, name: str, value: Any) -> None:
    moment = await k.store[Moment].create(id=1, **{name: GOOD[name]})
    setattr(moment, name, value)
    with k.refused(ValidationError) as caught:
        await k.store[Moment].save(moment)
    assert [problem.path for problem in caught.error.problems] == [(name,)]
    await _unchanged(k, name)


@case("D2", each=MIXED)
async def upsert_refuses_the_wrong_kind_of_time(k: Kit, name: str, value: Any) -> None:
    await k.store[Moment].create(id=1, **{name: GOOD[name]})
    for number in (1, 2):
        with k.refused(ValidationError):
            await k.store[Moment].upsert(id=number, **{name: value})
    await _unchanged(k, name)


@case("D2", each=MIXED, needs="set_writes")
async def update_by_query_refuses_the_wrong_kind_of_time(k: Kit, name: str, value: Any) -> None:
    await k.store[Moment].create(id=1, **{name: GOOD[name]})
    with k.refused(ValidationError):
        await k.store[Moment].query().update(**{name: value})
    await _unchanged(k, name)


@case("D2", each=MIXED)
async def conditions_refuse_the_wrong_kind_of_time(k: Kit, name: str, value: Any) -> None:
    """When the query is built: the store is not asked."""
    term = getattr(Moment, name)
    doors: list[Callable[[], Any]] = [
        lambda: k.store[Moment].where(term == value),
        lambda: k.store[Moment].where(term != value),
        lambda: k.store[Moment].where(term < value),
        lambda: k.store[Moment].where(term >= value),
        lambda: k.store[Moment].where(one_of(term, [GOOD[name], value])),
        lambda: k.store[Moment].where(between(term, GOOD[name], value)),
        lambda: k.store[Moment].where(**{name: value}),
        lambda: k.store[Moment].where(**{f"{name}__in": [value]}),
    ]
    for door in doors:
        with k.refused(QueryError):
            door()


WRONG_KEYS: dict[str, tuple[Any, Any]] = {
    "a local time for an instant": (AtKey, NAIVE),
    "an instant for a local time": (LocalKey, AWARE),
    "a date for an instant": (AtKey, dt.date(2024, 6, 1)),
    "text for an instant": (AtKey, "2024-06-01T12:00:00Z"),
    "a time with a zone": (ClockKey, dt.time(12, tzinfo=dt.UTC)),
}


@case("D2", each=WRONG_KEYS)
async def a_key_of_the_wrong_kind_of_time_is_refused(k: Kit, model: Any, key: Any) -> None:
    with k.refused(QueryError):
        await k.store[model].get(key)
    with k.refused(QueryError):
        await k.store[model].get_many([key])
    with k.refused(ValidationError):
        await k.store[model].create(id=key)
    assert await how_many(k.store[model]) == 0


PAIRS = {"instant and local": ("at", "local"), "instant and date": ("at", "day"), "local and time": ("local", "clock")}


@case("D2", each=PAIRS)
async def fields_of_different_kinds_of_time_are_not_compared(k: Kit, one: str, other: str) -> None:
    with k.refused(QueryError):
        k.store[Moment].where(getattr(Moment, one) == getattr(Moment, other))
    with k.refused(QueryError):
        k.store[Moment].where(getattr(Moment, other) < getattr(Moment, one))


@case("D2")
async def fields_of_one_kind_of_time_are_compared(k: Kit) -> None:
    await k.store[Moment].create(id=1, at=NOON)
    await k.store[Moment].create(id=2)
    assert await ids(k.store[Moment].where(Moment.at == Moment.at)) == [1], "null is equal to nothing"
    assert await ids(k.store[Moment].where(is_null(Moment.at))) == [2]
