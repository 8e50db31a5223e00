"""H6, H1: links between records that end at an instant; instants of expiry that every record has; the order of linked records."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.errors import NotFound
from holdall.query import desc
from holdall.query.quantifiers import each, none
from holdall.testing.case import case
from holdall.testing.kit import START, Kit
from holdall.testing.models.expiring_links import CLUB, MEMBER, Club, Member, Membership

HOUR = dt.timedelta(hours=1)


async def clubs(k: Kit) -> None:
    """Two clubs; ada is in both, in the first for an hour, bob in the first for two."""
    await k.store.ensure_schema(Club, Member, Membership)
    await k.store[Club].create_many([{"id": 1, "name": "chess"}, {"id": 2, "name": "go"}])
    await k.store[Member].create_many([{"id": 1, "name": "ada"}, {"id": 2, "name": "bob"}])
    for club, member, hours in ((1, 1, 1), (1, 2, 2), (2, 1, 3)):
        await k.store[Membership].create(club_id=club, member_id=member, until=START + hours * HOUR)


async def of(k: Kit, name: str) -> tuple[list[int], list[int]]:
    """The clubs that somebody of this name is in, and those that nobody is."""
    some = await k.store[Club].where(each(CLUB.members).name == name).all()
    other = await k.store[Club].where(none(CLUB.members).name == name).all()
    return sorted(club.id for club in some), sorted(club.id for club in other)


@case("H6", needs=("expiry", "references", "joins", "atomic_batch"))
async def an_expired_link_links_nothing(k: Kit) -> None:
    """Conditions through it and included records do not see it, from its instant on."""
    await clubs(k)
    assert await of(k, "ada") == ([1, 2], [])
    k.clock.forward(hours=1)
    assert await of(k, "ada") == ([2], [1])
    assert await of(k, "bob") == ([1], [2])
    found = await k.store[Club].query().order_by("id").include(CLUB.members).all()
    assert [[member.name for member in club.members] for club in found] == [["bob"], ["ada"]]
    k.clock.forward(hours=2)
    assert await of(k, "ada") == ([], [1, 2])


@case("H6", needs=("expiry", "references"))
async def an_instant_that_every_record_has(k: Kit) -> None:
    """At it the record is gone for queries, counts and reads by key, one microsecond before it is there."""
    await k.store[Club].create(id=1)
    await k.store[Member].create(id=1)
    await k.store[Membership].create(club_id=1, member_id=1, until=START + HOUR)
    k.clock.forward(seconds=3599, microseconds=999_999)
    assert await k.store[Membership].count() == 1
    assert await k.store[Membership].get((1, 1)) is not None
    record = (await k.store[Membership].all())[0]
    k.clock.forward(microseconds=1)
    assert await k.store[Membership].count() == 0
    assert await k.store[Membership].all() == []
    assert await k.store[Membership].get((1, 1)) is None
    with k.refused(NotFound):
        await k.store[Membership].delete(record)
    await k.store[Membership].create(club_id=1, member_id=1, until=START + 9 * HOUR)
    assert await k.store[Membership].count() == 1


@case("H1", needs=("expiry", "references", "atomic_batch"))
async def linked_records_come_in_the_order_asked(k: Kit) -> None:
    """Whatever the order of the links between them."""
    await k.store.ensure_schema(Club, Member, Membership)
    await k.store[Club].create_many([{"id": number} for number in (1, 2)])
    await k.store[Member].create_many([{"id": number, "name": f"m{number % 4}"} for number in range(1, 9)])
    for member in (5, 3, 8, 1, 7, 2, 6, 4):
        await k.store[Membership].create(club_id=1 + member % 2, member_id=member, until=START + HOUR)
    orders: list[tuple[Any, list[list[int]]]] = [
        (MEMBER.id, [[2, 4, 6, 8], [1, 3, 5, 7]]),
        (desc(MEMBER.id), [[8, 6, 4, 2], [7, 5, 3, 1]]),
        ([MEMBER.name, desc(MEMBER.id)], [[8, 4, 6, 2], [5, 1, 7, 3]]),
    ]
    for order, expected in orders:
        found = await k.store[Club].query().order_by("id").include(CLUB.members, order_by=order).all()
        assert [[member.id for member in club.members] for club in found] == expected
        cut = await k.store[Club].query().order_by("id").include(CLUB.members, order_by=order, limit=2).all()
        assert [[member.id for member in club.members] for club in cut] == [members[:2] for members in expected]
