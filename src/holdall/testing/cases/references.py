"""F3: references: a parent must be there, and deleting it follows the declared rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from holdall.errors import ForeignKeyViolation, UniqueViolation, Unsupported
from holdall.query import one_of
from holdall.testing.case import case
from holdall.testing.cases.making import at, how_many, ids, made
from holdall.testing.kit import START, Kit
from holdall.testing.models.expiring_parents import Lease, Tenant
from holdall.testing.models.records import Item
from holdall.testing.models.references import (
    PARENTS,
    Anchor,
    Crest,
    Folder,
    Follower,
    Foot,
    Forgetful,
    HeldFoot,
    KindChild,
    LeftSide,
    Link,
    Loose,
    LooseFoot,
    Mark,
    Region,
    RightSide,
    Staff,
    Strict,
    Tail,
)

CHILDREN: dict[str, Any] = {"restrict": Strict, "optional": Loose, "cascade": Follower, "set null": Forgetful}


async def _regions(k: Kit) -> Any:
    """Regions 1 and 2."""
    await made(k, Region, {"id": 1}, {"id": 2})
    return k.store[Region]


# A parent must be there.


async def _create(k: Kit, child: Any) -> None:
    await k.store[child].create(id=9, region_id=99)


async def _save_new(k: Kit, child: Any) -> None:
    await k.store[child].save(child(id=9, region_id=99))


async def _save_changed(k: Kit, child: Any) -> None:
    record = await k.store[child].get(1)
    record.region_id = 99
    await k.store[child].save(record)


async def _upsert_new(k: Kit, child: Any) -> None:
    await k.store[child].upsert(id=9, region_id=99)


async def _upsert_there(k: Kit, child: Any) -> None:
    await k.store[child].upsert(id=1, region_id=99)


async def _patch(k: Kit, child: Any) -> None:
    await k.patch(child.__entity__, 1, region_id=99)


DOORS: dict[str, Callable[[Kit, Any], Awaitable[None]]] = {
    "create": _create,
    "save a new one": _save_new,
    "save a change": _save_changed,
    "upsert a new one": _upsert_new,
    "upsert one that is there": _upsert_there,
    "the port's patch": _patch,
}


@case("F3", needs="references", each={f"{rule}, {door}": (CHILDREN[rule], DOORS[door]) for rule in CHILDREN for door in DOORS})
async def a_missing_parent_is_refused(k: Kit, child: Any, door: Any) -> None:
    await _regions(k)
    await k.store[child].create(id=1, region_id=1)
    with k.refused(ForeignKeyViolation, entity=child.__name__, fields=("region_id",)):
        await door(k, child)
    assert [(record.id, record.region_id) for record in await k.store[child].all()] == [(1, 1)]


@case("F3", needs=("references", "atomic_batch"), each=CHILDREN)
async def a_missing_parent_undoes_a_batch(k: Kit, child: Any) -> None:
    await _regions(k)
    with k.refused(ForeignKeyViolation, fields=("region_id",)):
        await k.store[child].create_many([{"id": 1, "region_id": 1}, {"id": 2, "region_id": 99}])
    assert await how_many(k.store[child]) == 0


@case("F3", needs=("references", "set_writes"), each=CHILDREN)
async def an_update_by_query_to_a_missing_parent_is_refused(k: Kit, child: Any) -> None:
    await _regions(k)
    await made(k, child, {"id": 1, "region_id": 1}, {"id": 2, "region_id": 2})
    with k.refused(ForeignKeyViolation, fields=("region_id",)):
        await k.store[child].query().update(region_id=99)
    assert await k.store[child].query().order_by("id").column(child.region_id) == [1, 2]
    assert await k.store[child].query().update(region_id=2) == 2
    assert await k.store[child].query().column(child.region_id) == [2, 2]


@case("F3", needs="references", each={"restrict": Loose, "set null": Forgetful})
async def a_reference_may_be_let_go_and_taken_up(k: Kit, child: Any) -> None:
    await _regions(k)
    record = await k.store[child].create(id=1)
    for region in (1, 2, None, 1):
        record.region_id = region
        await k.store[child].save(record)
        assert (await k.store[child].get(1)).region_id == region


@case("F3", needs=("references", "transactions"))
async def a_parent_written_in_this_transaction_is_there(k: Kit) -> None:
    async with k.store.transaction():
        await k.store[Region].create(id=1)
        await k.store[Strict].create(id=1, region_id=1)
    assert await ids(k.store[Strict].query()) == [1]


@case("F3", needs=("references", "transactions"))
async def a_parent_deleted_in_this_transaction_is_gone(k: Kit) -> None:
    regions = await _regions(k)
    tx = await k.begin()
    await k.delete(Region.__entity__, 1, tx=tx)
    await k.ready(Strict)
    with k.refused(ForeignKeyViolation, fields=("region_id",)):
        await k.insert(Strict.__entity__, (1, 1, ""), tx=tx)
    await k.rollback(tx)
    assert await ids(regions.query()) == [1, 2]


# Keys of every kind.

KIND_KEYS: dict[str, tuple[str, Any, Any]] = {
    "uuid": ("uuid", UUID(int=2**127), UUID(int=2**127 + 1)),
    "bytes": ("blob", b"\x00", b"\x00\x00"),
    "datetime": ("instant", at(2024, 1, 1, 0, 0, 0, 1), at(2024, 1, 1, 0, 0, 0, 2)),
    "date": ("day", dt.date(2024, 2, 29), dt.date(2024, 3, 1)),
    "Decimal": ("amount", Decimal("1.10"), Decimal("1.101")),
    "text": ("text", "a", "A"),
}


@case("F3", needs="references", each=KIND_KEYS)
async def references_compare_keys_of_every_kind(k: Kit, name: str, key: Any, near: Any) -> None:
    parent = await k.store[PARENTS[name]].create(id=key)
    child = await k.store[KindChild].create(id=1, **{name: key})
    with k.refused(ForeignKeyViolation, entity="KindChild", fields=(name,)):
        await k.store[KindChild].create(id=2, **{name: near})
    with k.refused(ForeignKeyViolation, entity="KindChild", fields=(name,)):
        await k.store[PARENTS[name]].delete(parent)
    setattr(child, name, None)
    await k.store[KindChild].save(child)
    await k.store[PARENTS[name]].delete(parent)
    assert await how_many(k.store[PARENTS[name]]) == 0


@case("F3", needs="references")
async def a_reference_in_another_spelling_is_the_same(k: Kit) -> None:
    east = dt.timezone(dt.timedelta(hours=3))
    await k.store[PARENTS["instant"]].create(id=at(2024, 1, 1))
    await k.store[PARENTS["amount"]].create(id=Decimal("1.1"))
    await k.store[KindChild].create(id=1, instant=at(2024, 1, 1).astimezone(east), amount=Decimal("1.100"))
    assert await ids(k.store[KindChild].query()) == [1]


# Deleting a parent: restrict.


@case("F3", needs="references", each={"required": Strict, "optional": Loose})
async def a_child_that_restricts_keeps_its_parent(k: Kit, child: Any) -> None:
    regions = await _regions(k)
    record = await k.store[child].create(id=1, region_id=1)
    region = await regions.get(1)
    with k.refused(ForeignKeyViolation, entity=child.__name__, fields=("region_id",)):
        await regions.delete(region)
    assert (await ids(regions.query()), await ids(k.store[child].query())) == ([1, 2], [1])
    await regions.delete(await regions.get(2))
    await k.store[child].delete(record)
    await regions.delete(region)
    assert await how_many(regions) == 0


@case("F3", needs=("references", "set_writes"))
async def one_restricted_parent_keeps_them_all(k: Kit) -> None:
    regions = await _regions(k)
    await k.store[Strict].create(id=1, region_id=2)
    with k.refused(ForeignKeyViolation, fields=("region_id",)):
        await regions.query().delete()
    assert await ids(regions.query()) == [1, 2]
    assert await regions.where(id=1).delete() == 1


@case("F3", needs="references")
async def a_restriction_undoes_what_cascades_beside_it(k: Kit) -> None:
    """Nothing is changed: neither what would go nor what would forget."""
    regions = await _regions(k)
    for child in (Strict, Follower, Forgetful):
        await k.store[child].create(id=1, region_id=1)
    with k.refused(ForeignKeyViolation, entity="Strict"):
        await regions.delete(await regions.get(1))
    assert await ids(k.store[Follower].query()) == [1]
    assert (await k.store[Forgetful].get(1)).region_id == 1


# Cascade and set null.


@case("F3", needs="references")
async def children_that_cascade_go_with_their_parent(k: Kit) -> None:
    regions = await _regions(k)
    await made(k, Follower, {"id": 1, "region_id": 1}, {"id": 2, "region_id": 2}, {"id": 3, "region_id": 1})
    await regions.delete(await regions.get(1))
    assert await ids(k.store[Follower].query()) == [2]
    assert await k.store[Follower].get(1) is None


@case("F3", needs="references")
async def children_that_forget_stay(k: Kit) -> None:
    """What they forget is all that changes: their version does not count it."""
    regions = await _regions(k)
    await made(k, Forgetful, {"id": 1, "region_id": 1, "note": "a"}, {"id": 2, "region_id": 2})
    await regions.delete(await regions.get(1))
    rows = await k.store[Forgetful].query().order_by("id").values("id", "region_id", "note", "version")
    assert [tuple(row.values()) for row in rows] == [(1, None, "a", 1), (2, 2, "", 1)]


CHAINS: dict[str, tuple[Any, list[int] | None]] = {"tail goes too": (Tail, []), "mark forgets": (Mark, [1])}


@case("F3", needs="references", each=CHAINS)
async def a_cascade_goes_on(k: Kit, below: Any, left: list[int]) -> None:
    regions = await _regions(k)
    await k.store[Follower].create(id=1, region_id=1)
    await k.store[below].create(id=1, follower_id=1)
    await regions.delete(await regions.get(1))
    assert await how_many(k.store[Follower]) == 0
    assert await ids(k.store[below].query()) == left
    assert [record.follower_id for record in await k.store[below].all()] == [None] * len(left)


@case("F3", needs="references")
async def a_cascade_stops_at_what_restricts(k: Kit) -> None:
    regions = await _regions(k)
    await made(k, Follower, {"id": 1, "region_id": 1}, {"id": 2, "region_id": 1})
    await k.store[Anchor].create(id=1, follower_id=2)
    await k.store[Tail].create(id=1, follower_id=1)
    with k.refused(ForeignKeyViolation, entity="Anchor", fields=("follower_id",)):
        await regions.delete(await regions.get(1))
    assert await ids(regions.query()) == [1, 2]
    assert await ids(k.store[Follower].query()) == [1, 2]
    assert await ids(k.store[Tail].query()) == [1]


@case("F3", needs=("references", "set_writes"))
async def what_cascades_is_not_counted(k: Kit) -> None:
    regions = await _regions(k)
    await made(k, Follower, *({"id": n, "region_id": 1} for n in range(3)))
    await made(k, Tail, *({"id": n, "follower_id": n % 3} for n in range(5)))
    assert await regions.query().delete() == 2
    assert (await how_many(k.store[Follower]), await how_many(k.store[Tail])) == (0, 0)


@case("F3", needs=("references", "transactions"))
async def an_undone_cascade_is_undone(k: Kit) -> None:
    regions = await _regions(k)
    await k.store[Follower].create(id=1, region_id=1)
    await k.store[Forgetful].create(id=1, region_id=1)
    tx = await k.begin()
    await k.delete(Region.__entity__, 1, tx=tx)
    assert await k.rows(Follower.__entity__, tx=tx) == []
    assert await k.value(Forgetful.__entity__, 1, "region_id", tx=tx) is None
    await k.rollback(tx)
    assert await ids(regions.query()) == [1, 2]
    assert await ids(k.store[Follower].where(region_id=1)) == [1]
    assert (await k.store[Forgetful].get(1)).region_id == 1


# Diamonds.


async def _diamond(k: Kit) -> Any:
    """A crest with both sides."""
    crest = await k.store[Crest].create(id=1)
    await k.store[LeftSide].create(id=1, crest_id=1)
    await k.store[RightSide].create(id=1, crest_id=1)
    return crest


FEET: dict[str, Any] = {"both ways": Foot, "held on one side": HeldFoot, "loose on one side": LooseFoot}


@case("F3", needs="references", each=FEET)
async def a_diamond_goes_whole(k: Kit, foot: Any) -> None:
    """What goes one way neither restricts nor forgets the other."""
    crest = await _diamond(k)
    await k.store[foot].create(id=1, left_id=1, right_id=1)
    await k.store[Crest].delete(crest)
    for model in (Crest, LeftSide, RightSide, foot):
        assert await how_many(k.store[model]) == 0, model


@case("F3", needs="references")
async def a_foot_held_from_elsewhere_holds_the_crest(k: Kit) -> None:
    crest = await _diamond(k)
    await k.store[HeldFoot].create(id=1, right_id=1)
    with k.refused(ForeignKeyViolation, entity="HeldFoot", fields=("right_id",)):
        await k.store[Crest].delete(crest)
    assert await ids(k.store[LeftSide].query()) == [1]


@case("F3", needs="references")
async def one_side_goes_alone(k: Kit) -> None:
    await _diamond(k)
    await k.store[LooseFoot].create(id=1, left_id=1, right_id=1)
    await k.store[RightSide].delete(await k.store[RightSide].get(1))
    assert (await k.store[LooseFoot].get(1)).right_id is None
    await k.store[LeftSide].delete(await k.store[LeftSide].get(1))
    assert await how_many(k.store[LooseFoot]) == 0


# Records that refer to their own kind.

SELVES: dict[str, tuple[Any, str]] = {"restrict": (Staff, "boss_id"), "cascade": (Folder, "parent_id"), "set null": (Link, "next_id")}


@case("F3", needs="references", each=SELVES)
async def a_record_that_refers_to_itself_can_go(k: Kit, model: Any, name: str) -> None:
    record = await k.store[model].create(id=1)
    setattr(record, name, 1)
    await k.store[model].save(record)
    await k.store[model].delete(record)
    assert await how_many(k.store[model]) == 0


@case("F3", needs="references", each=SELVES)
async def a_new_record_may_refer_to_itself(k: Kit, model: Any, name: str) -> None:
    await k.store[model].create(id=1, **{name: 1})
    with k.refused(ForeignKeyViolation, fields=(name,)):
        await k.store[model].create(id=2, **{name: 3})
    assert await ids(k.store[model].query()) == [1]


TREE = [{"id": 1}, {"id": 2, "up": 1}, {"id": 3, "up": 2}, {"id": 4, "up": 1}, {"id": 5}]


async def _tree(k: Kit, model: Any, name: str) -> None:
    await made(k, model, *({"id": node["id"], name: node.get("up")} for node in TREE))


@case("F3", needs="references")
async def a_tree_that_cascades_goes_below_its_root(k: Kit) -> None:
    await _tree(k, Folder, "parent_id")
    await k.store[Folder].delete(await k.store[Folder].get(2))
    assert await ids(k.store[Folder].query()) == [1, 4, 5]
    await k.store[Folder].delete(await k.store[Folder].get(1))
    assert await ids(k.store[Folder].query()) == [5]


@case("F3", needs="references")
async def a_ring_that_cascades_goes_whole(k: Kit) -> None:
    one, *_ = await made(k, Folder, {"id": 1}, {"id": 2, "parent_id": 1}, {"id": 3, "parent_id": 2})
    one.parent_id = 3
    await k.store[Folder].save(one)
    await k.store[Folder].delete(await k.store[Folder].get(2))
    assert await how_many(k.store[Folder]) == 0


@case("F3", needs="references")
async def a_chain_that_forgets_falls_apart(k: Kit) -> None:
    await made(k, Link, {"id": 1}, {"id": 2, "next_id": 1}, {"id": 3, "next_id": 2})
    await k.store[Link].delete(await k.store[Link].get(1))
    assert await k.store[Link].query().order_by("id").column(Link.next_id) == [None, 2]


@case("F3", needs=("references", "set_writes"))
async def a_tree_that_restricts_goes_only_whole(k: Kit) -> None:
    """What restricts is what stays."""
    await _tree(k, Staff, "boss_id")
    staff = k.store[Staff]
    for left in ([1], [1, 2], [1, 2, 3], [2]):
        with k.refused(ForeignKeyViolation, entity="Staff", fields=("boss_id",)):
            await staff.where(one_of(Staff.id, left)).delete()
    assert await ids(staff.query()) == [1, 2, 3, 4, 5]
    assert await staff.where(Staff.id <= 4).delete() == 4
    assert await ids(staff.query()) == [5]


@case("F3", needs=("references", "atomic_batch"))
async def references_in_one_batch_may_point_forward(k: Kit) -> None:
    await k.store[Staff].create_many([{"id": 1, "boss_id": 3}, {"id": 2, "boss_id": 1}, {"id": 3, "boss_id": 2}])
    with k.refused(ForeignKeyViolation):
        await k.store[Staff].create_many([{"id": 4, "boss_id": 5}, {"id": 5, "boss_id": 9}])
    assert await ids(k.store[Staff].query()) == [1, 2, 3]


# The port.


@case("F3", needs="references")
async def the_port_lets_no_referred_key_change(k: Kit) -> None:
    await _regions(k)
    await k.store[Strict].create(id=1, region_id=1)
    await k.store[Follower].create(id=1, region_id=2)
    for key in (1, 2):
        with k.refused(ForeignKeyViolation):
            await k.patch(Region.__entity__, key, id=9)
    await k.delete(Follower.__entity__, 1)
    assert await k.patch(Region.__entity__, 2, id=9) == 1
    assert [row[0] for row in await k.rows(Region.__entity__)] == [1, 9]


@case("F3", needs="references")
async def a_reset_takes_parents_whatever_refers_to_them(k: Kit) -> None:
    await _regions(k)
    await k.store[Strict].create(id=1, region_id=1)
    await k.do(k.backend.reset([Region.__entity__]))
    assert await k.rows(Region.__entity__) == []
    assert [row[0] for row in await k.rows(Strict.__entity__)] == [1]


# Parents that expire.


async def _leased(k: Kit) -> tuple[Any, Any]:
    """A lease of an hour with a tenant, an hour later."""
    await k.store[Lease].create(id=1, until=START + dt.timedelta(hours=1))
    await k.store[Tenant].create(id=1, lease_id=1)
    k.clock.forward(hours=1)
    return k.store[Lease], k.store[Tenant]


@case("F3", needs=("references", "expiry"))
async def an_expired_parent_is_none(k: Kit) -> None:
    leases, tenants = await _leased(k)
    assert await leases.get(1) is None
    with k.refused(ForeignKeyViolation, entity="Tenant", fields=("lease_id",)):
        await tenants.create(id=2, lease_id=1)
    other = await tenants.create(id=3)
    other.lease_id = 1
    with k.refused(ForeignKeyViolation):
        await tenants.save(other)
    assert await ids(tenants.query()) == [1, 3]


@case("F3", needs=("references", "expiry"))
async def the_child_of_an_expired_parent_stays(k: Kit) -> None:
    """An orphan is a record as others: it can be read, changed and deleted."""
    _, tenants = await _leased(k)
    tenant = await tenants.get(1)
    assert tenant.lease_id == 1
    tenant.note = "orphan"
    await tenants.save(tenant)
    assert (await tenants.where(id=1).include(Tenant.lease).one()).lease is None
    await tenants.delete(tenant)
    assert await how_many(tenants) == 0


@case("F3", needs=("references", "expiry"))
async def the_key_of_an_expired_parent_is_free(k: Kit) -> None:
    """What referred to the old one refers to the new one: a reference is a key."""
    leases, tenants = await _leased(k)
    await leases.create(id=1)
    await tenants.create(id=2, lease_id=1)
    assert await ids(tenants.where(lease_id=1)) == [1, 2]
    with k.refused(UniqueViolation, fields=("id",)):
        await leases.create(id=1)


@case("F3", absent="references")
async def references_are_refused_where_they_are_absent(k: Kit) -> None:
    for model in (Strict, Region, Staff):
        if not model.__entity__.references:
            continue
        with k.refused(Unsupported, says="references") as caught:
            await k.store[model].create(id=1, **({"region_id": 1} if model is Strict else {}))
        assert caught.error.hint
    await k.store[Item].create(id=1)
    assert await ids(k.store[Item].query()) == [1]
