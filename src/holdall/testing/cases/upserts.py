"""F6: an upsert names what decides whether the record is there; every other violation still raises."""

from __future__ import annotations

from typing import Any

from holdall.errors import ForeignKeyViolation, NotNullViolation, QueryError, UniqueViolation, ValidationError
from holdall.testing.case import case
from holdall.testing.cases.making import how_many, ids, made
from holdall.testing.kit import START, Kit
from holdall.testing.models.binary import Tag
from holdall.testing.models.records import Item, Revised, Seat, Versioned
from holdall.testing.models.references import Region, Strict
from holdall.testing.models.unique_records import Manifold, Member, Room

# By the key.


@case("F6", each={"named": {"by": "id"}, "as a list": {"by": ["id"]}, "not named": {}})
async def an_upsert_by_key_inserts_then_updates(k: Kit, target: dict[str, Any]) -> None:
    items = k.store[Item]
    first = await items.upsert(id=1, name="a", amount=1, **target)
    assert (first.name, first.amount) == ("a", 1)
    second = await items.upsert(id=1, name="b", **target)
    assert (second.name, second.amount) == ("b", 1), "what is not given stays"
    read = await items.get(1)
    assert (read.name, read.amount, read.note) == ("b", 1, None)
    assert await how_many(items) == 1


@case("F6")
async def what_is_given_as_null_or_default_is_written(k: Kit) -> None:
    await k.store[Item].create(id=1, name="a", amount=5, note="n", tags=["t"])
    await k.store[Item].upsert(id=1, name="", amount=0, note=None, tags=[])
    read = await k.store[Item].get(1)
    assert (read.name, read.amount, read.note, read.tags) == ("", 0, None, [])


@case("F6")
async def an_upsert_that_ignores_changes_nothing(k: Kit) -> None:
    await k.store[Item].create(id=1, name="a", amount=1)
    found = await k.store[Item].upsert(id=1, name="b", amount=2, on_conflict="ignore")
    assert (found.name, found.amount) == ("a", 1), "what is there is given back"
    assert (await k.store[Item].get(1)).name == "a"
    inserted = await k.store[Item].upsert(id=2, name="b", on_conflict="ignore")
    assert inserted.name == "b"
    assert await ids(k.store[Item].query()) == [1, 2]


@case("F6")
async def an_upsert_of_the_key_alone_changes_nothing(k: Kit) -> None:
    await k.store[Item].create(id=1, name="a")
    assert (await k.store[Item].upsert(id=1)).name == "a"


@case("F6", each={"in order": ["row", "number"], "in another order": ["number", "row"], "not named": None})
async def an_upsert_by_a_key_of_two_parts(k: Kit, by: Any) -> None:
    seats = k.store[Seat]
    await made(k, Seat, {"row": "A", "number": 1, "guest": "a"}, {"row": "A", "number": 2}, {"row": "B", "number": 1})
    found = await seats.upsert(by=by, row="A", number=1, guest="b")
    assert (found.guest, found.version) == ("b", 2)
    await seats.upsert(by=by, row="B", number=2, guest="c")
    rows = await seats.query().order_by("row", "number").values("row", "number", "guest", "version")
    assert [tuple(row.values()) for row in rows] == [("A", 1, "b", 2), ("A", 2, None, 1), ("B", 1, None, 1), ("B", 2, "c", 1)]


@case("F6")
async def an_upserted_record_is_as_any_other(k: Kit) -> None:
    await k.store[Item].create(id=1, amount=1)
    item = await k.store[Item].upsert(id=1, name="b")
    item.amount = 7
    await k.store[Item].save(item)
    read = await k.store[Item].get(1)
    assert (read.name, read.amount) == ("b", 7)
    await k.store[Item].delete(item)
    assert await how_many(k.store[Item]) == 0


@case("F6")
async def an_upsert_without_a_client_made_key_inserts(k: Kit) -> None:
    one = await k.store[Tag].upsert(name="a")
    two = await k.store[Tag].upsert(name="a")
    assert one.id != two.id
    assert await how_many(k.store[Tag]) == 2


# By unique values.

TARGETS: dict[str, tuple[Any, dict[str, Any], Any, dict[str, Any]]] = {
    "a unique field": (Member, {"id": 1, "email": "a@example.com", "note": "a"}, "email", {"id": 9, "email": "a@example.com", "note": "b"}),
    "a pair": (
        Member,
        {"id": 1, "email": "a@example.com", "team": "A", "number": 1, "note": "a"},
        ("team", "number"),
        {"id": 9, "email": "b@example.com", "team": "A", "number": 1, "note": "b"},
    ),
    "a pair in another order": (
        Member,
        {"id": 1, "email": "a@example.com", "team": "A", "number": 1, "note": "a"},
        ["number", "team"],
        {"id": 9, "email": "a@example.com", "team": "A", "number": 1, "note": "b"},
    ),
}


@case("F6", needs="unique", each=TARGETS)
async def an_upsert_by_unique_values_keeps_the_key(k: Kit, model: Any, first: dict[str, Any], by: Any, second: dict[str, Any]) -> None:
    await k.store[model].create(**first)
    found = await k.store[model].upsert(by=by, **second)
    assert (found.id, found.note, found.version) == (1, "b", 2)
    read = await k.store[model].get(1)
    assert (read.note, read.email, read.version) == ("b", second["email"], 2)
    assert await ids(k.store[model].query()) == [1]


@case("F6", needs="unique")
async def an_upsert_by_one_of_overlapping_constraints(k: Kit) -> None:
    rooms = k.store[Room]
    await rooms.create(id=1, house="h", floor=1, door="l", code="x")
    await rooms.upsert(by=["house", "code"], id=2, house="h", floor=2, door="r", code="x")
    read = await rooms.get(1)
    assert (read.floor, read.door) == (2, "r")
    await rooms.upsert(by=["house", "floor", "door"], id=2, house="h", floor=2, door="r", code="y")
    assert (await rooms.get(1)).code == "y"
    assert await how_many(rooms) == 1


NULLS: dict[str, dict[str, Any]] = {"one part": {"team": "A", "number": None}, "both parts": {"team": None, "number": None}}


@case("F6", needs="unique", each=NULLS)
async def a_null_in_the_target_meets_nothing(k: Kit, pair: dict[str, Any]) -> None:
    """Null is equal to nothing: such an upsert inserts."""
    for number in (1, 2):
        await k.store[Member].upsert(by=("team", "number"), id=number, email=f"{number}@example.com", **pair)
    assert await ids(k.store[Member].query()) == [1, 2]


@case("F6", needs="unique")
async def a_spelling_of_the_target_is_the_same(k: Kit) -> None:
    await k.store[Member].create(id=1, email="a@example.com")
    found = await k.store[Member].upsert(by="email", id=2, email="a@EXAMPLE.com", note="b")
    assert (found.id, found.email) == (1, "a@example.com")


# Other violations.


@case("F6", needs="unique", each={"update": "update", "ignore": "ignore"})
async def a_taken_value_beside_the_target_is_refused(k: Kit, on_conflict: str) -> None:
    """Never the wrong record: an engine that fires on any unique key would change it."""
    await made(k, Member, {"id": 1, "email": "a@example.com"}, {"id": 2, "email": "b@example.com", "note": "kept"})
    with k.refused(UniqueViolation, entity="Member", fields=("email",)):
        await k.store[Member].upsert(id=3, email="b@example.com", note="x", on_conflict=on_conflict)
    with k.refused(UniqueViolation, entity="Member", fields=("id",)):
        await k.store[Member].upsert(by="email", id=2, email="c@example.com", note="x", on_conflict=on_conflict)
    rows = await k.store[Member].query().order_by("id").values("id", "email", "note", "version")
    assert [tuple(row.values()) for row in rows] == [(1, "a@example.com", "", 1), (2, "b@example.com", "kept", 1)]


@case("F6", needs="unique")
async def an_update_onto_a_taken_value_is_refused(k: Kit) -> None:
    await made(k, Member, {"id": 1, "email": "a@example.com"}, {"id": 2, "email": "b@example.com"})
    with k.refused(UniqueViolation, fields=("email",)):
        await k.store[Member].upsert(id=1, email="b@example.com")
    assert (await k.store[Member].get(1)).email == "a@example.com"
    kept = await k.store[Member].upsert(id=1, email="b@example.com", on_conflict="ignore")
    assert kept.email == "a@example.com", "nothing is written, so nothing is broken"


@case("F6", needs="references", each={"new": 9, "there": 1})
async def a_missing_parent_of_an_upsert_is_refused(k: Kit, number: int) -> None:
    await k.store[Region].create(id=1)
    await k.store[Strict].create(id=1, region_id=1)
    with k.refused(ForeignKeyViolation, fields=("region_id",)):
        await k.store[Strict].upsert(id=number, region_id=99)
    assert [(record.id, record.region_id) for record in await k.store[Strict].all()] == [(1, 1)]


@case("F6", each={"new": 9, "there": 1})
async def an_invalid_upsert_is_refused(k: Kit, number: int) -> None:
    await k.store[Item].create(id=1, name="a")
    with k.refused(ValidationError):
        await k.store[Item].upsert(id=number, amount="many")
    with k.refused(NotNullViolation, fields=("name",)):
        row: tuple[Any, ...] = (number, None, 0, None, (), {})
        await k.upsert(Item.__entity__, row, ["id"], ["name"])
    assert await ids(k.store[Item].where(name="a", amount=0)) == [1]


WRONG: dict[str, dict[str, Any]] = {
    "no constraint": {"by": "amount"},
    "a part of one": {"by": "team"},
    "more than one": {"by": ("team", "number", "note")},
    "an unknown field": {"by": "emial"},
    "nothing": {"by": ()},
    "another word": {"on_conflict": "replace"},
}


@case("F6", needs="unique", each=WRONG)
async def a_target_that_is_none_is_refused(k: Kit, options: dict[str, Any]) -> None:
    with k.refused(QueryError):
        await k.store[Member].upsert(id=1, email="a@example.com", **options)
    assert await how_many(k.store[Member]) == 0


# What the store fills.


@case("F6")
async def versions_count_updates_only(k: Kit) -> None:
    versioned = k.store[Versioned]
    versions = [
        (await versioned.upsert(id=1, text="a")).version,
        (await versioned.upsert(id=1, text="b")).version,
        (await versioned.upsert(id=1, text="c", on_conflict="ignore")).version,
        (await versioned.upsert(id=1, text="b")).version,
    ]
    assert versions == [1, 2, 2, 3]
    assert (await versioned.get(1)).version == 3


@case("F6")
async def times_and_always_values_are_filled(k: Kit) -> None:
    first = await k.store[Revised].upsert(id=1, text="a")
    later = k.clock.forward(hours=1)
    second = await k.store[Revised].upsert(id=1, text="b")
    assert (first.created_at, first.updated_at, first.by, first.revision) == (START, START, "somebody", 1)
    assert (second.created_at, second.updated_at, second.by, second.revision) == (START, later, "somebody", 2)
    assert await k.store[Revised].get(1) == second


@case("F6", needs="transactions")
async def an_upsert_sees_its_own_transaction(k: Kit) -> None:
    async with k.store.transaction():
        await k.store[Item].create(id=1, name="a", amount=1)
        await k.store[Item].upsert(id=1, name="b")
        await k.store[Item].upsert(id=2, name="c")
        await k.store[Item].upsert(id=2, amount=5)
    rows = await k.store[Item].query().order_by("id").values("name", "amount")
    assert [tuple(row.values()) for row in rows] == [("b", 1), ("c", 5)]


@case(
    "F6", needs="unique", each={"number": "number", "text": "text", "flag": "flag", "amount": "amount", "grade": "grade", "local": "local"}
)
async def an_upsert_by_a_value_of_any_kind(k: Kit, name: str) -> None:
    from holdall.testing.cases.uniques import VALUES

    taken, near = next(value[1:] for value in VALUES.values() if value[0] == name)
    await k.store[Manifold].create(id=1, **{name: taken})
    assert (await k.store[Manifold].upsert(by=name, id=9, ratio=0.5, **{name: taken})).id == 1
    assert (await k.store[Manifold].upsert(by=name, id=2, ratio=1.5, **{name: near})).id == 2
    assert await k.store[Manifold].query().order_by("id").column(Manifold.ratio) == [0.5, 1.5]


# At the port.


@case("F6")
async def the_port_tells_what_an_upsert_did(k: Kit) -> None:
    await k.ready(Item)
    entity = Item.__entity__

    def row(name: str, amount: int) -> tuple[Any, ...]:
        return (1, name, amount, None, (), {})

    assert await k.upsert(entity, row("a", 1), ["id"], ["name"]) == ("inserted", row("a", 1))
    assert await k.upsert(entity, row("b", 2), ["id"], ["name"]) == ("updated", row("b", 1))
    assert await k.upsert(entity, row("c", 3), ["id"], []) == ("ignored", row("b", 1))
    assert await k.upsert(entity, row("b", 3), ["id"], ["name", "amount"]) == ("updated", row("b", 3))
    assert await k.rows(entity) == [row("b", 3)]
