"""H6: expired records are gone from their instant on, for every read and every write, and come back to nobody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any

from holdall.errors import NotFound, UniqueViolation, Unsupported, ValidationError
from holdall.query import agg, between, desc, is_null, not_, one_of
from holdall.testing.case import case
from holdall.testing.cases.cursors import forwards
from holdall.testing.filling import fill
from holdall.testing.kit import START, Kit
from holdall.testing.models.expiring import PASS, Lease, Pass

HOUR = dt.timedelta(hours=1)
MICROSECOND = dt.timedelta(microseconds=1)
Read = Callable[[Any], Awaitable[Any]]


async def two(k: Kit) -> Any:
    """'keep' never expires, 'gone' does in an hour."""
    await fill(k.store[Pass], [{"id": "keep", "owner": "ann", "hits": 1}, {"id": "gone", "owner": "bob", "hits": 2, "until": START + HOUR}])
    return k.store[Pass]


async def _stream(passes: Any) -> list[str]:
    return [item.id async for item in passes.query().order_by("id").stream(1)]


async def _ids(awaited: Any) -> list[str]:
    return sorted(item.id for item in await awaited)


# A read, what it gives while both are there, and what afterwards.
READS: dict[str, tuple[Read, Any, Any]] = {
    "get": (lambda c: c.get("gone"), True, None),
    "get_many": (lambda c: c.get_many(["gone", "keep"]), [True, True], [None, True]),
    "all": (lambda c: _ids(c.all()), ["gone", "keep"], ["keep"]),
    "by its key": (lambda c: _ids(c.where(PASS.id == "gone").all()), ["gone"], []),
    "by its keys": (lambda c: _ids(c.where(one_of(PASS.id, ["gone", "keep"])).all()), ["gone", "keep"], ["keep"]),
    "by a value": (lambda c: _ids(c.where(PASS.owner == "bob").all()), ["gone"], []),
    "by the opposite": (lambda c: _ids(c.where(not_(PASS.owner == "ann")).all()), ["gone"], []),
    "by an alternative": (lambda c: _ids(c.where((PASS.owner == "bob") | (PASS.hits == 1)).all()), ["gone", "keep"], ["keep"]),
    "by its expiry": (lambda c: _ids(c.where(PASS.until == START + HOUR).all()), ["gone"], []),
    "by an expiry between": (lambda c: _ids(c.where(between(PASS.until, START, START + 9 * HOUR)).all()), ["gone"], []),
    "by no expiry": (lambda c: _ids(c.where(is_null(PASS.until)).all()), ["keep"], ["keep"]),
    "first": (lambda c: c.query().order_by("-hits").column(PASS.id), ["gone", "keep"], ["keep"]),
    "limited": (lambda c: _ids(c.query().order_by(desc(PASS.hits)).limit(1).all()), ["gone"], ["keep"]),
    "offset": (lambda c: _ids(c.query().order_by(PASS.hits).offset(1).all()), ["gone"], []),
    "exists": (lambda c: c.where(PASS.owner == "bob").exists(), True, False),
    "values": (lambda c: c.query().order_by("id").values("owner"), [{"owner": "bob"}, {"owner": "ann"}], [{"owner": "ann"}]),
    "distinct": (lambda c: c.query().distinct().order_by("owner").column(PASS.owner), ["ann", "bob"], ["ann"]),
    "stream": (_stream, ["gone", "keep"], ["keep"]),
}
AGGREGATES: dict[str, tuple[Read, Any, Any]] = {
    "count": (lambda c: c.count(), 2, 1),
    "count of a query": (lambda c: c.where(PASS.owner == "bob").count(), 1, 0),
    "sum": (lambda c: c.query().sum(PASS.hits), 3, 1),
    "max": (lambda c: c.query().max(PASS.hits), 2, 1),
    "max of the expiry": (lambda c: c.query().max(PASS.until), START + HOUR, None),
    "several": (lambda c: c.query().values(n=agg.count(), top=agg.max(PASS.hits)), [{"n": 2, "top": 2}], [{"n": 1, "top": 1}]),
    "groups": (lambda c: c.query().group_by(PASS.owner).order_by("owner").column(PASS.owner), ["ann", "bob"], ["ann"]),
}
INSTANTS = {
    "a microsecond before": (HOUR - MICROSECOND, True),
    "at the instant": (HOUR, False),
    "a microsecond after": (HOUR + MICROSECOND, False),
    "ten years after": (HOUR * 87_600, False),
}


def _plain(answer: Any) -> Any:
    """Records as whether they are there, everything else as it is."""
    if isinstance(answer, Pass):
        return True
    return [_plain(item) for item in answer] if isinstance(answer, list) else answer  # pyright: ignore[reportUnknownVariableType]  of Any


async def _seen(k: Kit, read: Read, before: Any, after: Any) -> None:
    passes = await two(k)
    for later, there in INSTANTS.values():
        k.clock.instant = START + later
        assert _plain(await read(passes)) == (before if there else after), later


@case("H6", needs="expiry", each=READS)
async def reads_do_not_see_what_has_expired(k: Kit, read: Read, before: Any, after: Any) -> None:
    """There until a microsecond before the instant, gone at the instant, and never back."""
    await _seen(k, read, before, after)


@case("H6", needs=("expiry", "aggregates"), each=AGGREGATES)
async def aggregates_do_not_see_what_has_expired(k: Kit, read: Read, before: Any, after: Any) -> None:
    """The same for counts, sums and groups."""
    await _seen(k, read, before, after)


@case("H6", needs="expiry", each=INSTANTS)
async def pages_do_not_see_what_has_expired(k: Kit, later: dt.timedelta, there: bool) -> None:
    """A record that expires between two pages is on none of the later ones; a cursor next to it still serves."""
    await fill(k.store[Pass], [{"id": f"p{n}", "until": START + HOUR if n in (1, 2, 4) else None} for n in range(6)])
    query = k.store[Pass].query().order_by("id")
    first = await query.page(2)
    assert [item.id for item in first] == ["p0", "p1"]
    k.clock.instant = START + later
    rest = await query.page(9, first.next_cursor)
    assert [item.id for item in rest] == (["p2", "p3", "p4", "p5"] if there else ["p3", "p5"])
    back = await query.page(9, rest.prev_cursor)
    assert [item.id for item in back] == (["p0", "p1"] if there else ["p0"])
    keys, _ = await forwards(query, 1)
    assert keys == (["p0", "p1", "p2", "p3", "p4", "p5"] if there else ["p0", "p3", "p5"])


@case("H6", needs="expiry")
async def a_record_can_expire_when_it_is_made(k: Kit) -> None:
    """An instant that has passed, or is now: it is never seen, and takes nothing."""
    for later in (-HOUR, dt.timedelta(0)):
        await k.store[Pass].create(id="late", until=START + later)
        assert await k.store[Pass].get("late") is None
    assert await k.store[Pass].all() == []
    await k.store[Pass].create(id="late")
    assert len(await k.store[Pass].all()) == 1


@case("H6", needs="expiry")
async def expiry_is_told_in_any_time_zone(k: Kit) -> None:
    """The instant counts, not how it is written."""
    east = dt.timezone(dt.timedelta(hours=9))
    await k.store[Pass].create(id="a", until=(START + HOUR).astimezone(east))
    k.clock.instant = START + HOUR - MICROSECOND
    assert await k.store[Pass].get("a") is not None
    k.clock.instant = START + HOUR
    assert await k.store[Pass].get("a") is None


# Writes


@case("H6", needs="expiry", each=INSTANTS)
async def an_expired_record_cannot_be_saved(k: Kit, later: dt.timedelta, there: bool) -> None:
    """Saving, refreshing and deleting what was read before raise NotFound from the instant on."""
    passes = await two(k)
    read = [await passes.get("gone") for _ in range(3)]
    k.clock.instant = START + later
    read[0].hits = 9
    if there:
        await passes.save(read[0])
        assert (await passes.refresh(read[1])).hits == 9
        await passes.delete(read[2])
        assert await passes.get("gone") is None
        return
    with k.refused(NotFound):
        await passes.save(read[0])
    with k.refused(NotFound):
        await passes.refresh(read[1])
    with k.refused(NotFound):
        await passes.delete(read[2])
    assert await _ids(passes.all()) == ["keep"]


@case("H6", needs="expiry")
async def an_expired_record_cannot_be_brought_back_by_moving_its_expiry(k: Kit) -> None:
    """Who read it in time and extends it too late gets NotFound."""
    passes = await two(k)
    item = await passes.get("gone")
    k.clock.forward(hours=1)
    item.until = None
    with k.refused(NotFound):
        await passes.save(item)
    assert await passes.get("gone") is None


@case("H6", needs=("expiry", "set_writes"), each=INSTANTS)
async def writes_by_query_do_not_see_what_has_expired(k: Kit, later: dt.timedelta, there: bool) -> None:
    """Neither counted nor changed nor removed."""
    passes = await two(k)
    k.clock.instant = START + later
    assert await passes.query().update(hits=7) == (2 if there else 1)
    assert await passes.where(PASS.owner == "bob").update(until=None) == int(there)
    assert await passes.where(PASS.owner == "bob").delete() == int(there)
    assert [(item.id, item.hits) for item in await passes.all()] == [("keep", 7)]


@case("H6", needs="expiry")
async def the_key_of_an_expired_record_is_free(k: Kit) -> None:
    """A new record with it has nothing of the old one, and holds it from then on."""
    passes = await two(k)
    k.clock.forward(hours=1)
    await passes.create(id="gone", owner="cid")
    found = await passes.get("gone")
    assert (found.owner, found.hits, found.until) == ("cid", 0, None)
    k.clock.forward(days=1)
    assert await _ids(passes.all()) == ["gone", "keep"]
    k.clock.instant = START
    assert (await passes.get("gone")).owner == "cid", "the old one is really gone"


@case("H6", needs=("expiry", "atomic_batch"))
async def many_expired_keys_are_free_at_once(k: Kit) -> None:
    """create_many over expired ones and new ones."""
    passes = k.store[Pass]
    await passes.create_many([{"id": f"p{n}", "hits": 1, "until": START + HOUR} for n in range(5)])
    k.clock.forward(hours=1)
    await passes.create_many([{"id": f"p{n}", "hits": 2} for n in range(8)])
    assert await passes.query().order_by("id").column(PASS.hits) == [2] * 8


@case("H6", needs="expiry")
async def an_upsert_over_an_expired_record_is_new(k: Kit) -> None:
    """It keeps nothing of the old one; on_conflict='ignore' ignores nothing."""
    passes = await two(k)
    await passes.create(id="other", owner="eve", hits=5, until=START + HOUR)
    k.clock.forward(hours=1)
    made = await passes.upsert(id="gone", owner="dan")
    assert (made.owner, made.hits, made.until) == ("dan", 0, None)
    made = await passes.upsert(on_conflict="ignore", id="other", owner="fay")
    assert (made.owner, made.hits) == ("fay", 0)
    again = await passes.upsert(on_conflict="ignore", id="other", owner="gus")
    assert again.owner == "fay"
    assert {item.id: item.owner for item in await passes.all()} == {"keep": "ann", "gone": "dan", "other": "fay"}


# The expiry of a record that is changed


@case("H6", needs="expiry")
async def an_update_keeps_the_expiry(k: Kit) -> None:
    """Saving other fields moves nothing."""
    passes = await two(k)
    k.clock.forward(minutes=30)
    item = await passes.get("gone")
    item.hits = 10
    await passes.save(item)
    assert (await passes.get("gone")).until == START + HOUR
    k.clock.forward(minutes=30)
    assert await passes.get("gone") is None


@case("H6", needs=("expiry", "set_writes"))
async def an_update_by_query_keeps_the_expiry(k: Kit) -> None:
    """Unless it sets it."""
    passes = await two(k)
    await passes.query().update(hits=PASS.hits + 1)
    k.clock.forward(hours=1)
    assert await _ids(passes.all()) == ["keep"]
    assert await passes.query().update(until=k.clock() + HOUR) == 1
    k.clock.forward(hours=1)
    assert await passes.all() == []


MOVED: dict[str, tuple[dt.timedelta | None, dt.timedelta, bool]] = {
    "later, before the old instant": (2 * HOUR, HOUR - MICROSECOND, True),
    "later, at the old instant": (2 * HOUR, HOUR, True),
    "later, at the new instant": (2 * HOUR, 2 * HOUR, False),
    "sooner, before it": (HOUR / 2, HOUR / 2 - MICROSECOND, True),
    "sooner, at it": (HOUR / 2, HOUR / 2, False),
    "never": (None, 1000 * HOUR, True),
    "into the past": (-HOUR, dt.timedelta(0), False),
}


@case("H6", needs="expiry", each=MOVED)
async def the_expiry_can_be_moved_in_time(k: Kit, until: dt.timedelta | None, later: dt.timedelta, there: bool) -> None:
    """By saving the record before it expires."""
    passes = await two(k)
    item = await passes.get("gone")
    item.until = None if until is None else START + until
    await passes.save(item)
    k.clock.instant = START + later
    assert (await passes.get("gone") is not None) is there
    assert await passes.where(PASS.owner == "bob").exists() is there


@case("H6", needs="expiry")
async def an_upsert_sets_the_expiry_that_it_names(k: Kit) -> None:
    """And keeps the one that it does not name."""
    passes = await two(k)
    await passes.upsert(id="gone", owner="dan")
    assert (await passes.get("gone")).until == START + HOUR
    await passes.upsert(id="gone", until=START + 3 * HOUR)
    k.clock.forward(hours=2)
    assert (await passes.get("gone")).owner == "dan"


# expires_after: a model whose records all expire after a time


@case("H6", needs="expiry", each=INSTANTS)
async def records_expire_after_a_time(k: Kit, later: dt.timedelta, there: bool) -> None:
    """Counted from when each was created, whichever way."""
    leases = k.store[Lease]
    await leases.create(id="created")
    await leases.create_many([{"id": "many"}])
    await leases.upsert(id="upserted")
    await leases.save(Lease(id="saved"))
    k.clock.instant = START + later
    assert await _ids(leases.all()) == (["created", "many", "saved", "upserted"] if there else [])


@case("H6", needs="expiry")
async def each_record_has_a_time_of_its_own(k: Kit) -> None:
    """Not the whole class at once."""
    leases = k.store[Lease]
    for minutes in range(0, 60, 20):
        k.clock.instant = START + dt.timedelta(minutes=minutes)
        await leases.create(id=f"at {minutes:02}")
    for minutes, expected in ((59, ["at 00", "at 20", "at 40"]), (60, ["at 20", "at 40"]), (80, ["at 40"]), (100, [])):
        k.clock.instant = START + dt.timedelta(minutes=minutes)
        assert await _ids(leases.all()) == expected


@case("H6", needs="expiry")
async def saving_does_not_prolong_a_lease(k: Kit) -> None:
    """An update keeps the expiry, however often it is saved; a new record with the key begins anew."""
    leases = k.store[Lease]
    lease = await leases.create(id="a")
    for _ in range(3):
        k.clock.forward(minutes=19)
        lease.owner += "x"
        await leases.save(lease)
    k.clock.forward(minutes=3)
    assert await leases.get("a") is None
    await leases.create(id="a")
    k.clock.forward(minutes=59)
    assert (await leases.get("a")).owner == ""


@case("H6", needs="expiry")
async def a_naive_expiry_is_refused(k: Kit) -> None:
    """An instant without a zone says nothing (D2)."""
    with k.refused(ValidationError):
        await k.store[Pass].create(id="a", until=dt.datetime(2026, 1, 1))  # noqa: DTZ001  what is refused here
    assert await k.store[Pass].all() == []


@case("H6", needs="expiry")
async def now_is_the_clock_of_the_store_that_asks(k: Kit) -> None:
    """Two stores on the same data see what their clock says (D4); the case's stores share one."""
    passes = await two(k)
    other = k.another_store()[Pass]
    assert await _ids(other.all()) == ["gone", "keep"]
    k.clock.forward(hours=1)
    assert await _ids(other.all()) == await _ids(passes.all()) == ["keep"]
    await other.create(id="gone", owner="new")
    assert (await passes.get("gone")).owner == "new"


@case("H6", needs="expiry")
async def many_expired_records_come_and_go(k: Kit) -> None:
    """Removal, whenever it happens, is seen by nobody."""
    for number in range(8):
        k.clock.instant = START + number * HOUR
        await fill(k.store[Pass], [{"id": f"{number}-{n}", "hits": n, "until": k.clock() + HOUR} for n in range(20)])
        assert len(await k.store[Pass].all()) == 20
        assert len(await k.store[Pass].where(PASS.hits < 10).all()) == 10


@case("H6", needs=("expiry", "transactions"))
async def expiry_inside_a_transaction(k: Kit) -> None:
    """The clock moves on while it is open: what expires then is gone for it too, its own records included."""
    passes = await two(k)
    async with k.store.transaction():
        await passes.create(id="soon", until=START + HOUR / 2)
        assert await _ids(passes.all()) == ["gone", "keep", "soon"]
        k.clock.forward(minutes=30)
        assert await _ids(passes.all()) == ["gone", "keep"]
        k.clock.forward(minutes=30)
        assert await passes.get("gone") is None
        await passes.create(id="gone", owner="new")
        await passes.create(id="soon", owner="new")
    assert {item.id: item.owner for item in await passes.all()} == {"keep": "ann", "gone": "new", "soon": "new"}


@case("H6", needs=("expiry", "transactions"))
async def a_rolled_back_takeover_leaves_nothing_behind(k: Kit) -> None:
    """The expired record stays expired, the new one never was."""
    passes = await two(k)
    k.clock.forward(hours=1)
    with k.refused(UniqueViolation):
        async with k.store.transaction():
            await passes.create(id="gone", owner="new")
            await passes.create(id="keep")
    assert await passes.get("gone") is None
    assert await _ids(passes.all()) == ["keep"]


@case("H6", absent="expiry")
async def expiring_models_are_refused_where_nothing_expires(k: Kit) -> None:
    """Before anything is written: records that should have gone would be shown."""
    for model in (Pass, Lease):
        with k.refused(Unsupported, says="expiry"):
            await k.store[model].create(id="a")
        with k.refused(Unsupported, says=model.__name__):
            await k.store[model].all()
