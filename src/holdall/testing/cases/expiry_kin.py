"""H6: what refers to an expired record refers to nothing, and what an expired record refers to is let go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from holdall.errors import ForeignKeyViolation
from holdall.query import Q, agg, desc, is_not_null, is_null, not_
from holdall.query.quantifiers import each, every, none
from holdall.testing.case import case
from holdall.testing.cases.expiry import HOUR, INSTANTS
from holdall.testing.cases.kinship import JOINED
from holdall.testing.filling import fill
from holdall.testing.kit import START, Kit
from holdall.testing.models.expiring_kin import GUEST, TENT, Bag, Guest, Lamp, Tent

NEEDS = ("expiry", "references")


async def camp(k: Kit) -> None:
    """Tent 1 stands for an hour, tent 2 for ever. Guests 1 and 3 in tent 1 (3 leaves after an hour), guest 2 in tent 2."""
    await fill(k.store[Tent], [{"id": 1, "name": "red", "until": START + HOUR}, {"id": 2, "name": "blue"}])
    await fill(k.store[Guest], [{"id": 1, "name": "ann", "tent_id": 1}, {"id": 2, "name": "bob", "tent_id": 2}])
    await k.store[Guest].create(id=3, name="cid", tent_id=1, until=START + HOUR)


@case("H6", needs=NEEDS, each=INSTANTS)
async def an_expired_parent_cannot_be_referred_to(k: Kit, later: dt.timedelta, there: bool) -> None:
    """By new records, saved ones, upserts and many at once."""
    await camp(k)
    guests = k.store[Guest]
    k.clock.instant = START + later
    second = await guests.get(2)
    second.tent_id = 1
    if there:
        await guests.create(id=4, tent_id=1)
        await guests.save(second)
        await guests.upsert(id=5, tent_id=1)
        assert len(await guests.where(tent_id=1).all()) == 5
        return
    with k.refused(ForeignKeyViolation, fields=("tent_id",)):
        await guests.create(id=4, tent_id=1)
    with k.refused(ForeignKeyViolation, fields=("tent_id",)):
        await guests.save(second)
    with k.refused(ForeignKeyViolation, fields=("tent_id",)):
        await guests.upsert(id=5, tent_id=1)
    with k.refused(ForeignKeyViolation, fields=("tent_id",)):
        await guests.upsert(id=2, tent_id=1)
    with k.refused(ForeignKeyViolation, fields=("tent_id",)):
        await k.store[Bag].create(id=1, tent_id=1)
    assert sorted((guest.id, guest.tent_id) for guest in await guests.all()) == [(1, 1), (2, 2)]


@case("H6", needs=(*NEEDS, "atomic_batch"))
async def a_batch_cannot_refer_to_an_expired_parent(k: Kit) -> None:
    """One bad reference among good ones refuses all."""
    await camp(k)
    k.clock.forward(hours=1)
    for model in (Guest, Bag, Lamp):
        with k.refused(ForeignKeyViolation, fields=("tent_id",)):
            await k.store[model].create_many([{"id": 6, "tent_id": 2}, {"id": 7, "tent_id": 1}])
        assert await k.store[model].get(6) is None


@case("H6", needs=(*NEEDS, "set_writes"))
async def an_update_by_query_cannot_refer_to_an_expired_parent(k: Kit) -> None:
    """Nothing is changed; to one that stands it can."""
    await camp(k)
    k.clock.forward(hours=1)
    with k.refused(ForeignKeyViolation, fields=("tent_id",)):
        await k.store[Guest].query().update(tent_id=1)
    assert sorted(await k.store[Guest].query().column(GUEST.tent_id)) == [1, 2]
    assert await k.store[Guest].query().update(tent_id=2) == 2


@case("H6", needs=NEEDS)
async def a_child_of_an_expired_parent_can_still_be_changed(k: Kit) -> None:
    """What it refers to is not looked at again, as long as it does not change."""
    await camp(k)
    k.clock.forward(hours=1)
    ann = await k.store[Guest].get(1)
    ann.name = "anna"
    await k.store[Guest].save(ann)
    ann.tent_id = 2
    await k.store[Guest].save(ann)
    assert [(guest.name, guest.tent_id) for guest in await k.store[Guest].query().order_by("id").all()] == [("anna", 2), ("bob", 2)]


CONDITIONS: dict[str, tuple[Callable[[], Any], list[int], list[int]]] = {
    "its field": (lambda: GUEST.tent.name == "red", [1, 3], []),
    "its field, denied": (lambda: not_(GUEST.tent.name == "red"), [2], [2]),
    "its field is null": (lambda: is_null(GUEST.tent.name), [], [1]),
    "it is there": (lambda: is_not_null(GUEST.tent), [1, 2, 3], [2]),
    "it is not there": (lambda: is_null(GUEST.tent), [], [1]),
    "its children": (lambda: each(GUEST.tent.guests).name == "cid", [1, 3], []),
    "keywords": (lambda: Q(tent__name__in=["red", "blue"]), [1, 2, 3], [2]),
}


@case("H6", needs=(*NEEDS, "joins"), each=CONDITIONS)
async def a_relation_does_not_lead_to_an_expired_record(k: Kit, make: Callable[[], Any], before: list[int], after: list[int]) -> None:
    """Guests by what their tent is; a guest that expires itself is gone as well."""
    await camp(k)
    k.clock.instant = START + HOUR - dt.timedelta(microseconds=1)
    assert [guest.id for guest in await k.store[Guest].where(make()).order_by("id").all()] == before
    k.clock.instant = START + HOUR
    assert [guest.id for guest in await k.store[Guest].where(make()).order_by("id").all()] == after


MANY: dict[str, tuple[Callable[[], Any], list[int], list[int]]] = {
    "each": (lambda: each(TENT.guests).name == "cid", [3], []),
    "none": (lambda: none(TENT.guests).name == "cid", [2], [2, 3]),
    "every": (lambda: every(TENT.guests).name != "cid", [2], [2, 3]),
    "any at all": (lambda: is_not_null(each(TENT.guests).id), [2, 3], [2]),
    "keyword is_null": (lambda: Q(guests__is_null=True), [], [3]),
}


@case("H6", needs=(*NEEDS, "joins"), each=MANY)
async def a_relation_to_many_has_no_expired_records(k: Kit, make: Callable[[], Any], before: list[int], after: list[int]) -> None:
    """Tents by who stays in them: guest 3 has moved to tent 3, alone."""
    await camp(k)
    await k.store[Tent].create(id=3, name="green")
    cid = await k.store[Guest].get(3)
    cid.tent_id = 3
    await k.store[Guest].save(cid)
    k.clock.instant = START + HOUR - dt.timedelta(microseconds=1)
    assert [tent.id for tent in await k.store[Tent].where(make(), TENT.id > 1).order_by("id").all()] == before
    k.clock.instant = START + HOUR
    assert [tent.id for tent in await k.store[Tent].where(make(), TENT.id > 1).order_by("id").all()] == after


@case("H6", needs=NEEDS)
async def includes_have_no_expired_records(k: Kit) -> None:
    """Neither parents nor children; load() sees the same."""
    await camp(k)
    k.clock.forward(hours=1)
    guests = await k.store[Guest].query().order_by("id").include("tent.guests").all()
    assert [guest.tent and guest.tent.name for guest in guests] == [None, "blue"]
    assert [other.name for other in guests[1].tent.guests] == ["bob"]
    tents = await k.store[Tent].query().include(TENT.guests, order_by=desc(GUEST.id)).all()
    assert [[guest.id for guest in tent.guests] for tent in tents] == [[2]]
    again = await k.store[Guest].query().order_by("id").all()
    await k.store.load(again, GUEST.tent)
    assert [guest.tent and guest.tent.id for guest in again] == [None, 2]


@case("H6", needs=NEEDS)
async def an_include_loads_what_has_not_expired_yet(k: Kit) -> None:
    """A microsecond before the instant everything is there."""
    await camp(k)
    k.clock.instant = START + HOUR - dt.timedelta(microseconds=1)
    tents = await k.store[Tent].query().order_by("id").include("guests").all()
    assert [sorted(guest.id for guest in tent.guests) for tent in tents] == [[1, 3], [2]]


@case("H6", needs=(*NEEDS, "aggregates", "joins"))
async def orders_columns_and_groups_through_an_expired_record_are_null(k: Kit) -> None:
    """As through no record."""
    await camp(k)
    k.clock.forward(hours=1)
    guests = k.store[Guest]
    assert [guest.id for guest in await guests.query().order_by(GUEST.tent.name).all()] == [2, 1]
    assert await guests.query().order_by("id").values("id", "tent.name") == [{"id": 1, "tent.name": None}, {"id": 2, "tent.name": "blue"}]
    found = await guests.query().group_by(GUEST.tent.name).order_by("tent.name").values("tent.name", n=agg.count())
    assert [tuple(row.values()) for row in found] == [("blue", 1), (None, 1)]


@case("H6", needs=NEEDS)
async def an_expired_child_restricts_nothing(k: Kit) -> None:
    """Its parent can be deleted, one by one; a child that is there restricts it."""
    await fill(k.store[Tent], [{"id": 1}, {"id": 2}])
    await k.store[Guest].create(id=1, tent_id=1, until=START + HOUR)
    await k.store[Guest].create(id=2, tent_id=2)
    tents = k.store[Tent]
    with k.refused(ForeignKeyViolation):
        await tents.delete(await tents.get(1))
    k.clock.forward(hours=1)
    await tents.delete(await tents.get(1))
    with k.refused(ForeignKeyViolation):
        await tents.delete(await tents.get(2))
    assert [tent.id for tent in await tents.all()] == [2]


@case("H6", needs=(*NEEDS, "set_writes"))
async def an_expired_child_restricts_no_delete_by_query(k: Kit) -> None:
    """Parents deleted by a query."""
    await fill(k.store[Tent], [{"id": 1}, {"id": 2}])
    await fill(k.store[Guest], [{"id": n, "tent_id": n, "until": START + HOUR} for n in (1, 2)])
    k.clock.forward(hours=1)
    assert await k.store[Tent].query().delete() == 2
    assert await k.store[Tent].all() == []


@case("H6", needs=NEEDS)
async def a_taken_over_key_lets_go_of_what_the_expired_record_held(k: Kit) -> None:
    """As if it had been deleted: what goes with it goes, what outlives it refers to nothing. The new record inherits neither."""
    await k.store[Tent].create(id=1, name="red", until=START + HOUR)
    await k.store[Bag].create(id=1, tent_id=1)
    await k.store[Lamp].create(id=1, tent_id=1)
    k.clock.forward(hours=1)
    await k.store[Tent].create(id=1, name="new")
    assert (await k.store[Tent].get(1)).name == "new"
    assert await k.store[Bag].all() == []
    assert [lamp.tent_id for lamp in await k.store[Lamp].all()] == [None]


@case("H6", needs=NEEDS)
async def an_upserted_key_lets_go_of_what_the_expired_record_held(k: Kit) -> None:
    """The same by upsert, and by create_many."""
    await fill(k.store[Tent], [{"id": 1, "until": START + HOUR}, {"id": 2, "until": START + HOUR}])
    await fill(k.store[Bag], [{"id": 1, "tent_id": 1}, {"id": 2, "tent_id": 2}])
    await fill(k.store[Lamp], [{"id": 1, "tent_id": 1}, {"id": 2, "tent_id": 2}])
    k.clock.forward(hours=1)
    await k.store[Tent].upsert(id=1, name="new")
    await fill(k.store[Tent], [{"id": 2, "name": "new"}, {"id": 3, "name": "new"}])
    assert sorted((tent.id, tent.name) for tent in await k.store[Tent].all()) == [(1, "new"), (2, "new"), (3, "new")]
    assert await k.store[Bag].all() == []
    assert [lamp.tent_id for lamp in await k.store[Lamp].all()] == [None, None]


@case("H6", needs=NEEDS)
async def a_key_is_free_though_something_refers_to_the_expired_record(k: Kit) -> None:
    """What restricts its removal cannot keep the key from others: it refers to the new record then."""
    await camp(k)
    k.clock.forward(hours=1)
    await k.store[Tent].create(id=1, name="new")
    found = await k.store[Guest].query().order_by("id").include("tent").all()
    assert [(guest.id, guest.tent.name) for guest in found] == [(1, "new"), (2, "blue")]
    await k.store[Guest].create(id=4, tent_id=1)


@case("H6", needs=NEEDS)
async def an_upserted_key_is_free_though_something_refers_to_the_expired_record(k: Kit) -> None:
    """The same by upsert."""
    await camp(k)
    k.clock.forward(hours=1)
    await k.store[Tent].upsert(id=1, name="new")
    found = await k.store[Guest].query().order_by("id").include("tent").all()
    assert [(guest.id, guest.tent.name) for guest in found] == [(1, "new"), (2, "blue")]


def _tent(key: int, name: str, until: dt.datetime | None = None) -> tuple[Any, ...]:
    values = {"id": key, "name": name, "until": until}
    return tuple(values[field.name] for field in Tent.__entity__.fields)


@case("H6", needs=NEEDS)
async def a_key_changed_onto_an_expired_rows_lets_go_of_what_that_held(k: Kit) -> None:
    """As a new row with the key: what cascades goes, what is set null lets go."""
    entity = Tent.__entity__
    await k.ready(Tent)
    await k.insert(entity, _tent(1, "old", START + HOUR), _tent(2, "moves"))
    await k.insert(Bag.__entity__, (1, 1))
    await k.insert(Lamp.__entity__, (1, 1))
    k.clock.forward(hours=1)
    assert await k.patch(entity, 2, id=1) == 1
    assert await k.rows(entity) == [_tent(1, "moves")]
    assert await k.rows(Bag.__entity__) == []
    assert await k.rows(Lamp.__entity__) == [(1, None)]


@case("H6", needs=NEEDS)
async def a_key_can_change_onto_an_expired_row_that_is_referred_to(k: Kit) -> None:
    """What restricts the removal of the expired row refers to the one that came."""
    entity, guests = Tent.__entity__, Guest.__entity__
    await k.ready(Tent)
    await k.insert(entity, _tent(1, "old", START + HOUR), _tent(2, "moves"))
    guest = tuple({"id": 1, "name": "ann", "tent_id": 1, "until": None}[field.name] for field in guests.fields)
    await k.insert(guests, guest)
    k.clock.forward(hours=1)
    assert await k.patch(entity, 2, id=1) == 1
    assert await k.rows(entity) == [_tent(1, "moves")]
    assert await k.rows(guests) == [guest]
    with k.refused(ForeignKeyViolation):
        await k.delete(entity, 1)


@case("H6", needs=(*JOINED, "expiry", "set_writes"))
async def writes_by_query_through_relations_see_no_expired_records(k: Kit) -> None:
    """Neither as what is written nor as what is asked."""
    await camp(k)
    k.clock.forward(hours=1)
    assert await k.store[Guest].where(GUEST.tent.name == "red").update(name="x") == 0
    assert await k.store[Guest].where(is_null(GUEST.tent)).update(name="x") == 1
    assert await k.store[Tent].where(each(TENT.guests).name == "cid").delete() == 0
    assert [guest.name for guest in await k.store[Guest].query().order_by("id").all()] == ["x", "bob"]
