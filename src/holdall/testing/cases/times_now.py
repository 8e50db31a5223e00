"""D4: now is what the store's clock says, at every place where the store needs it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.errors import NotFound, ProgrammingError
from holdall.testing.case import case
from holdall.testing.cases.making import how_many, ids, local, made
from holdall.testing.kit import START, Kit
from holdall.testing.models.expiring_times import Offer, Visit
from holdall.testing.models.times import Stamped

TICK = dt.timedelta(microseconds=1)
LONG_AGO = dt.datetime(1, 1, 1, tzinfo=dt.UTC)


async def _times(k: Kit, number: int) -> tuple[dt.datetime, dt.datetime]:
    """What the store holds of a record's times, measured from the start in seconds."""
    (row,) = await k.store[Stamped].where(id=number).values("created_at", "updated_at")
    return row["created_at"], row["updated_at"]


@case("D4")
async def now_is_the_clock(k: Kit) -> None:
    assert k.store.now() == START
    assert k.clock.forward(days=1) == k.store.now() == START + dt.timedelta(days=1)


INSTANTS = {
    "the start": START,
    "a microsecond": START + TICK,
    "year 1": LONG_AGO,
    "the last instant": dt.datetime.max.replace(tzinfo=dt.UTC),
    "before 1970": dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC),
}


@case("D4", each=INSTANTS)
async def a_new_record_is_stamped_by_the_clock(k: Kit, now: dt.datetime) -> None:
    k.clock.instant = now
    record = await k.store[Stamped].create(id=1, text="a")
    assert (record.created_at, record.updated_at) == (now, now)
    assert await _times(k, 1) == (now, now)


@case("D4")
async def a_clock_in_another_offset_stamps_in_utc(k: Kit) -> None:
    k.clock.instant = dt.datetime(2026, 1, 1, 14, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    record = await k.store[Stamped].create(id=1, text="a")
    assert repr(record.created_at) == repr((await _times(k, 1))[0]) == repr(START)
    assert repr(k.store.now()) == repr(START)


@case("D4")
async def a_clock_without_a_zone_is_refused(k: Kit) -> None:
    await how_many(k.store[Stamped])
    k.clock.instant = local(2026, 1, 1)
    with k.refused(ProgrammingError, says="time zone"):
        k.store.now()
    with k.refused(ProgrammingError, says="time zone"):
        await k.store[Stamped].create(id=1, text="a")
    k.clock.instant = START
    assert await how_many(k.store[Stamped]) == 0


@case("D4", needs="atomic_batch")
async def records_made_together_are_stamped(k: Kit) -> None:
    records = await k.store[Stamped].create_many([{"id": n, "text": "a"} for n in (1, 2)])
    assert {time for record in records for time in (record.created_at, record.updated_at)} == {START}
    assert [await _times(k, n) for n in (1, 2)] == [(START, START)] * 2


@case("D4")
async def saving_a_change_stamps_the_update_only(k: Kit) -> None:
    record = await k.store[Stamped].create(id=1, text="a")
    later = k.clock.forward(seconds=1, microseconds=1)
    record.text = "b"
    await k.store[Stamped].save(record)
    assert (record.created_at, record.updated_at) == (START, later)
    assert await _times(k, 1) == (START, later)


@case("D4")
async def saving_no_change_stamps_nothing(k: Kit) -> None:
    record = await k.store[Stamped].create(id=1, text="a")
    k.clock.forward(minutes=1)
    record.text = "a"
    await k.store[Stamped].save(record)
    assert record.updated_at == START
    assert await _times(k, 1) == (START, START)


@case("D4")
async def a_clock_that_goes_back_is_followed(k: Kit) -> None:
    """The store keeps no time of its own."""
    record = await k.store[Stamped].create(id=1, text="a")
    k.clock.instant = LONG_AGO
    record.text = "b"
    await k.store[Stamped].save(record)
    assert await _times(k, 1) == (START, LONG_AGO)


@case("D4", needs="set_writes")
async def an_update_by_query_stamps_by_the_clock(k: Kit) -> None:
    await made(k, Stamped, {"id": 1, "text": "a"}, {"id": 2, "text": "b"})
    later = k.clock.forward(hours=1)
    assert await k.store[Stamped].where(id=1).update(text="c") == 1
    assert [await _times(k, n) for n in (1, 2)] == [(START, later), (START, START)]


@case("D4", needs="set_writes")
async def an_update_by_query_may_set_the_time_itself(k: Kit) -> None:
    await k.store[Stamped].create(id=1, text="a")
    assert await k.store[Stamped].query().update(updated_at=LONG_AGO) == 1
    assert await _times(k, 1) == (START, LONG_AGO)


@case("D4")
async def an_upsert_stamps_by_the_clock(k: Kit) -> None:
    first = await k.store[Stamped].upsert(id=1, text="a")
    assert (first.created_at, first.updated_at) == (START, START)
    later = k.clock.forward(hours=1)
    second = await k.store[Stamped].upsert(id=1, text="b")
    assert (second.created_at, second.updated_at) == (START, later), "the row was made then, and changed now"
    assert await _times(k, 1) == (START, later)
    k.clock.forward(hours=1)
    third = await k.store[Stamped].upsert(id=1, text="c", on_conflict="ignore")
    assert (third.text, third.updated_at) == ("b", later)


@case("D4", needs="transactions")
async def now_inside_a_transaction_is_not_its_beginning(k: Kit) -> None:
    async with k.store.transaction():
        await k.store[Stamped].create(id=1, text="a")
        later = k.clock.forward(minutes=1)
        await k.store[Stamped].create(id=2, text="b")
    assert (await _times(k, 1), await _times(k, 2)) == ((START, START), (later, later))


@case("D4")
async def each_record_is_stamped_when_it_is_written(k: Kit) -> None:
    record = Stamped(id=1, text="a")
    later = k.clock.forward(days=1)
    await k.store[Stamped].save(record)
    assert await _times(k, 1) == (later, later)


@case("D4", needs="expiry")
async def a_term_of_life_begins_at_the_clock(k: Kit) -> None:
    visit = await k.store[Visit].create(id=1)
    assert visit.expires_at == START + dt.timedelta(hours=1)
    assert (await k.store[Visit].get(1)).expires_at == START + dt.timedelta(hours=1)


@case("D4", needs="expiry")
async def records_end_by_the_clock(k: Kit) -> None:
    visits = k.store[Visit]
    visit = await visits.create(id=1)
    k.clock.instant = START + dt.timedelta(hours=1) - TICK
    assert await how_many(visits) == 1
    k.clock.instant += TICK
    assert await how_many(visits) == 0
    assert await visits.get(1) is None
    assert await visits.where(Visit.note == "").all() == []
    visit.note = "b"
    with k.refused(NotFound):
        await visits.save(visit)


LIVES: dict[str, tuple[Any, bool]] = {
    "long past": (LONG_AGO, False),
    "now": (START, False),
    "a microsecond on": (START + TICK, True),
    "the last instant": (dt.datetime.max.replace(tzinfo=dt.UTC), True),
    "never": (None, True),
}


@case("D4", needs="expiry", each=LIVES)
async def an_instant_of_ones_own_is_compared_with_the_clock(k: Kit, until: Any, visible: bool) -> None:
    """The machine's own clock, which is not at the kit's start, decides nothing."""
    offers = k.store[Offer]
    await offers.create(id=1, until=until)
    assert await ids(offers.query()) == ([1] if visible else [])
    assert (await offers.get(1) is not None) is visible
    assert await how_many(offers) == int(visible)


@case("D4", needs="expiry")
async def in_another_century_other_records_are_visible(k: Kit) -> None:
    offers = k.store[Offer]
    k.clock.instant = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
    await offers.create(id=1, until=dt.datetime(1950, 1, 1, tzinfo=dt.UTC))
    assert await how_many(offers) == 1
    k.clock.instant = dt.datetime(2500, 1, 1, tzinfo=dt.UTC)
    await offers.create(id=2, until=dt.datetime(2550, 1, 1, tzinfo=dt.UTC))
    assert await ids(offers.query()) == [2]
