"""H6: unique values of expired records are free, one by one and several together."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.backends import Insert
from holdall.errors import UniqueViolation
from holdall.query import TRUE, Compare, Value, key_ref
from holdall.testing.case import case
from holdall.testing.cases.expiry import HOUR, INSTANTS
from holdall.testing.filling import fill
from holdall.testing.kit import START, Kit
from holdall.testing.models.expiring_unique import SESSION, Session

NEEDS = ("expiry", "unique")


async def two(k: Kit) -> Any:
    """'keep' of ann never expires; 'gone' of bob, in seat A 1, does in an hour."""
    await k.store[Session].create(id="keep", user="ann")
    await k.store[Session].create(id="gone", user="bob", room="A", seat=1, until=START + HOUR)
    return k.store[Session]


@case("H6", needs=NEEDS, each=INSTANTS)
async def a_unique_value_is_free_from_the_instant_on(k: Kit, later: dt.timedelta, there: bool) -> None:
    """Of one field: for new records, saved ones and upserts."""
    sessions = await two(k)
    k.clock.instant = START + later
    if there:
        with k.refused(UniqueViolation, fields=("user",)):
            await sessions.create(id="new", user="bob")
        keep = await sessions.get("keep")
        keep.user = "bob"
        with k.refused(UniqueViolation, fields=("user",)):
            await sessions.save(keep)
        assert sorted(item.id for item in await sessions.all()) == ["gone", "keep"]
        return
    await sessions.create(id="new", user="bob")
    with k.refused(UniqueViolation, fields=("user",)):
        await sessions.create(id="third", user="bob")
    assert sorted(item.id for item in await sessions.all()) == ["keep", "new"]
    k.clock.instant = START
    assert await sessions.get("gone") is None, "the expired one is really gone"


@case("H6", needs=NEEDS, each=INSTANTS)
async def a_composite_unique_is_free_from_the_instant_on(k: Kit, later: dt.timedelta, there: bool) -> None:
    """Of several fields together."""
    sessions = await two(k)
    k.clock.instant = START + later
    if there:
        with k.refused(UniqueViolation, fields=("room", "seat")):
            await sessions.create(id="new", room="A", seat=1)
    else:
        await sessions.create(id="new", room="A", seat=1)
    assert (await sessions.get("new") is None) is there


@case("H6", needs=NEEDS)
async def a_record_saved_takes_the_unique_value_of_an_expired_one(k: Kit) -> None:
    """By save, and by both values of two expired ones at once."""
    sessions = await two(k)
    await sessions.create(id="also gone", user="cid", until=START + HOUR)
    k.clock.forward(hours=1)
    keep = await sessions.get("keep")
    keep.user, keep.room, keep.seat = "cid", "A", 1
    await sessions.save(keep)
    found = await sessions.all()
    assert [(item.id, item.user, item.room, item.version) for item in found] == [("keep", "cid", "A", 2)]


@case("H6", needs=NEEDS)
async def a_new_record_takes_a_key_and_unique_values_of_three_expired_ones(k: Kit) -> None:
    """The key of one, the values of two others."""
    sessions = k.store[Session]
    await sessions.create(id="a", user="ann", until=START + HOUR)
    await sessions.create(id="b", user="bob", until=START + HOUR)
    await sessions.create(id="c", room="A", seat=1, until=START + HOUR)
    k.clock.forward(hours=1)
    await sessions.create(id="a", user="bob", room="A", seat=1)
    assert [(item.id, item.user, item.seat) for item in await sessions.all()] == [("a", "bob", 1)]


@case("H6", needs=NEEDS)
async def an_upsert_by_a_unique_value_does_not_see_an_expired_one(k: Kit) -> None:
    """It inserts; by the key it still meets the unique value of one that is there."""
    sessions = await two(k)
    k.clock.forward(hours=1)
    made = await sessions.upsert(by="user", id="new", user="bob", hits=3)
    assert (made.id, made.hits, made.version) == ("new", 3, 1)
    made = await sessions.upsert(by="user", id="new", user="bob", hits=4)
    assert (made.hits, made.version) == (4, 2)
    await sessions.upsert(by=("room", "seat"), id="other", room="A", seat=1)
    with k.refused(UniqueViolation, fields=("user",)):
        await sessions.upsert(id="other", user="ann")
    assert sorted(item.id for item in await sessions.all()) == ["keep", "new", "other"]


@case("H6", needs=NEEDS)
async def an_upsert_that_takes_the_unique_value_of_an_expired_one(k: Kit) -> None:
    """An update by key, whose new unique value an expired record held."""
    sessions = await two(k)
    k.clock.forward(hours=1)
    await sessions.upsert(id="keep", user="bob")
    assert [(item.id, item.user) for item in await sessions.all()] == [("keep", "bob")]


@case("H6", needs=(*NEEDS, "set_writes"))
async def an_update_by_query_takes_the_unique_value_of_an_expired_one(k: Kit) -> None:
    """One record may; several would collide with each other, and then the expired one is not the reason."""
    sessions = await two(k)
    k.clock.forward(hours=1)
    assert await sessions.where(id="keep").update(user="bob") == 1
    await sessions.create(id="third", user="cid")
    with k.refused(UniqueViolation, fields=("user",)):
        await sessions.query().update(user="dan")
    assert sorted(await sessions.query().column(SESSION.user)) == ["bob", "cid"]


@case("H6", needs=(*NEEDS, "set_writes"))
async def an_update_by_query_that_lets_all_expire_meets_no_unique(k: Kit) -> None:
    """Two records that get the same value as they expire: nobody will ever see both. All are counted."""
    sessions = k.store[Session]
    await fill(sessions, [{"id": name, "user": name, "hits": 1} for name in ("a", "b", "c")])
    assert await sessions.where(hits=1).update(user="same", until=START) == 3
    assert await sessions.all() == []
    await sessions.create(id="d", user="same")
    assert [item.id for item in await sessions.all()] == ["d"]


@case("H6", needs=(*NEEDS, "set_writes"))
async def an_update_by_query_that_lets_all_expire_still_meets_who_stays(k: Kit) -> None:
    """A value that a record holds which does not expire is taken; nothing is changed then."""
    sessions = k.store[Session]
    await fill(sessions, [{"id": name, "user": name, "hits": 1} for name in ("a", "b")])
    await sessions.create(id="stays", user="same")
    with k.refused(UniqueViolation, fields=("user",)):
        await sessions.where(hits=1).update(user="same", until=START)
    assert sorted(await sessions.query().column(SESSION.user)) == ["a", "b", "same"]


@case("H6", needs=NEEDS)
async def records_made_already_expired_do_not_meet_each_other(k: Kit) -> None:
    """Of several with the same value only one that does not expire stays."""
    sessions = k.store[Session]
    await fill(sessions, [{"id": name, "user": "same", "until": START - HOUR} for name in ("a", "b")])
    await sessions.create(id="c", user="same")
    with k.refused(UniqueViolation, fields=("user",)):
        await sessions.create(id="d", user="same", until=START + HOUR)
    assert [item.id for item in await sessions.all()] == ["c"]


@case("H6", needs=(*NEEDS, "transactions"))
async def unique_values_expire_inside_a_transaction(k: Kit) -> None:
    """Taken at its beginning, free at its end."""
    sessions = await two(k)
    async with k.store.transaction():
        with k.refused(UniqueViolation):
            async with k.store.transaction():
                await sessions.create(id="new", user="bob")
        k.clock.forward(hours=1)
        await sessions.create(id="new", user="bob")
    assert (await sessions.get("new")).user == "bob"


# The port: keys can change there.


def _session(name: str, user: str | None = None, until: dt.datetime | None = None) -> tuple[Any, ...]:
    values = {"id": name, "user": user, "hits": 0, "until": until, "version": 1}
    return tuple(values.get(field.name) for field in Session.__entity__.fields)


@case("H6", needs=NEEDS)
async def a_key_can_change_onto_that_of_an_expired_row(k: Kit) -> None:
    """The expired row is gone, with its unique value; the key it left is free."""
    entity = Session.__entity__
    await k.ready(Session)
    await k.insert(entity, _session("keep", "ann"), _session("gone", "bob", START + HOUR))
    k.clock.forward(hours=1)
    assert await k.patch(entity, "keep", id="gone") == 1
    assert await k.fetch(entity, "keep", "gone") == [None, _session("gone", "ann")]
    await k.insert(entity, _session("keep", "bob"))
    k.clock.instant = START
    assert len(await k.rows(entity)) == 2


@case("H6", needs=NEEDS)
async def a_scan_does_not_see_expired_rows(k: Kit) -> None:
    """Page by page, with a condition and without."""
    entity = Session.__entity__
    await k.ready(Session)
    await k.apply(Insert(entity, [_session(f"s{n}", f"u{n}", START + HOUR if n % 2 else None) for n in range(7)]))
    k.clock.forward(hours=1)
    from holdall.query import Select

    ref = key_ref(entity, "id")
    for where, expected in ((TRUE, ["s0", "s2", "s4", "s6"]), (Compare(ref, "gte", Value("s3", ref.type)), ["s4", "s6"])):
        plan, found, cursor = k.plan(Select(entity, where)), list[Any](), None
        while True:
            rows, cursor = await k.do(k.backend.scan(plan, cursor, 2, None))
            found += rows
            if cursor is None:
                break
        assert sorted(row[0] for row in found) == expected
