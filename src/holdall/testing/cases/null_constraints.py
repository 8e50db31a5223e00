"""B3: what constraints say of nulls: nothing."""

from __future__ import annotations

from typing import Any

from holdall.errors import CheckViolation, ForeignKeyViolation, UniqueViolation, Unsupported
from holdall.query import is_null
from holdall.testing.case import case
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.checked_nulls import SPAN, Span
from holdall.testing.models.kin import PERSON, House, Person
from holdall.testing.models.samples import ORDERABLE
from holdall.testing.models.unique_nulls import BADGE, Badge, Mark

UNIQUE_TYPES = ("text", "whole", "exact", "flag", "blob", "at", "day", "span", "uid")


@case("B3", needs="unique", each={name: name for name in UNIQUE_TYPES})
async def unique_allows_many_nulls(k: Kit, name: str) -> None:
    """Of every type; a value is taken once it is there, and free again when it becomes null."""
    low, high = ORDERABLE[name]
    marks = k.store[Mark]
    await fill(marks, [{"id": 1}, {"id": 2}, {"id": 3, name: low}])
    await marks.create(id=4)
    with k.refused(UniqueViolation, fields=(name,)):
        await marks.create(id=5, **{name: low})
    await marks.create(id=5, **{name: high})
    third = await marks.get(3)
    setattr(third, name, None)
    await marks.save(third)
    await marks.create(id=6, **{name: low})
    found = await marks.query().order_by("id").all()
    assert [(mark.id, getattr(mark, name)) for mark in found] == [(1, None), (2, None), (3, None), (4, None), (5, high), (6, low)]


@case("B3", needs="unique")
async def a_save_may_make_several_null(k: Kit) -> None:
    """Null is no value that could be taken, also on the way to it."""
    badges = k.store[Badge]
    made = await fill(badges, [{"id": number, "code": f"c{number}"} for number in range(3)])
    for badge in made:
        badge.code = None
        await badges.save(badge)
    assert len(await badges.where(is_null(BADGE.code)).all()) == 3
    made[0].code = "c2"
    await badges.save(made[0])
    assert (await badges.get(0)).code == "c2"


@case("B3", needs=("unique", "set_writes"))
async def a_bulk_update_to_null_meets_no_unique(k: Kit) -> None:
    """update(code=None) on many is no collision; update(code='x') on several is one, and changes nothing."""
    badges = k.store[Badge]
    await fill(badges, [{"id": number, "code": f"c{number}"} for number in range(3)])
    with k.refused(UniqueViolation, fields=("code",)):
        await badges.query().update(code="x")
    assert await badges.query().order_by("id").column(BADGE.code) == ["c0", "c1", "c2"]
    assert await badges.query().update(code=None) == 3
    assert await badges.query().column(BADGE.code) == [None, None, None]


PLACES: dict[str, tuple[Any, Any, Any]] = {
    "no room": (None, 1, "early"),
    "no seat": ("A", None, "early"),
    "no shift": ("A", 1, None),
    "a room alone": ("A", None, None),
    "nothing": (None, None, None),
}


@case("B3", needs="unique", each=PLACES)
async def a_composite_unique_with_a_null_part_is_not_checked(k: Kit, room: Any, seat: Any, shift: Any) -> None:
    """Any part that is null frees the whole; with all parts it is checked."""
    badges = k.store[Badge]
    for number in range(3):
        await badges.create(id=number, room=room, seat=seat, shift=shift)
    await badges.create(id=10, room="A", seat=1, shift="early")
    with k.refused(UniqueViolation, fields=("room", "seat", "shift")):
        await badges.create(id=11, room="A", seat=1, shift="early")
    await badges.create(id=11, room="A", seat=1, shift="late")
    first = await badges.get(0)
    first.room, first.seat, first.shift = "A", 1, "early"
    with k.refused(UniqueViolation, fields=("room", "seat", "shift")):
        await badges.save(first)
    assert len(await badges.all()) == 5


@case("B3", needs="unique")
async def an_upsert_by_a_unique_that_is_null_inserts(k: Kit) -> None:
    """A null is equal to nothing, so there is nothing to update."""
    badges = k.store[Badge]
    await badges.create(id=1)
    await badges.upsert(by="code", id=2)
    await badges.upsert(by="code", id=3, code="c", room="A")
    await badges.upsert(by="code", code="c", id=3, room="B")
    found = await badges.query().order_by("id").all()
    assert [(badge.id, badge.code, badge.room) for badge in found] == [(1, None, None), (2, None, None), (3, "c", "B")]


@case("B3", needs="unique")
async def an_upsert_by_a_composite_unique_with_a_null_part_inserts(k: Kit) -> None:
    """With a part that is null there is nothing to update; with all parts there is."""
    badges = k.store[Badge]
    by = ("room", "seat", "shift")
    await badges.upsert(by=by, id=1, room="A", seat=1)
    await badges.upsert(by=by, id=2, room="A", seat=1)
    await badges.upsert(by=by, id=3, room="A", seat=1, shift="early")
    await badges.upsert(by=by, id=3, room="A", seat=1, shift="early", code="x")
    found = await badges.query().order_by("id").all()
    assert [(badge.id, badge.code) for badge in found] == [(1, None), (2, None), (3, "x")]


@case("B3", needs="unique")
async def empty_text_and_zero_are_values(k: Kit) -> None:
    """Only null is free; '' and 0 are taken."""
    marks = k.store[Mark]
    await marks.create(id=1, text="", whole=0, blob=b"", flag=False)
    for name, value in {"text": "", "whole": 0, "blob": b"", "flag": False}.items():
        with k.refused(UniqueViolation, fields=(name,)):
            await marks.create(id=2, **{name: value})
    assert [mark.id for mark in await marks.all()] == [1]


@case("B3", needs="references")
async def a_reference_that_is_null_is_not_checked(k: Kit) -> None:
    """Created, updated and saved with no house; a house that is not there is refused."""
    people = k.store[Person]
    await people.create(id=1, name="Ann")
    with k.refused(ForeignKeyViolation, fields=("house_id",)):
        await people.create(id=2, name="Bob", house_id=9)
    await k.store[House].create(id=9, street="Elm")
    bob = await people.create(id=2, name="Bob", house_id=9)
    bob.house_id = None
    await people.save(bob)
    await k.store[House].delete(await k.store[House].get(9))
    assert [(person.name, person.house_id) for person in await people.query().order_by("id").all()] == [("Ann", None), ("Bob", None)]


@case("B3", needs=("references", "atomic_batch"))
async def many_null_references_go_in_at_once(k: Kit) -> None:
    """One bad reference among nulls refuses all; nulls alone refuse nothing."""
    people = k.store[Person]
    with k.refused(ForeignKeyViolation, fields=("parent_id",)):
        await people.create_many([{"id": 1, "name": "a"}, {"id": 2, "name": "b", "parent_id": 7}, {"id": 3, "name": "c"}])
    assert await people.all() == []
    await people.create_many([{"id": number, "name": "a", "house_id": None, "parent_id": None} for number in range(3)])
    assert len(await people.all()) == 3


@case("B3", needs=("references", "set_writes"))
async def a_bulk_update_to_a_null_reference_is_not_checked(k: Kit) -> None:
    """update(house_id=None) lets go of the house; one that is not there changes nothing."""
    await k.store[House].create(id=1, street="Elm")
    await fill(k.store[Person], [{"id": number, "name": "a", "house_id": 1} for number in range(3)])
    with k.refused(ForeignKeyViolation, fields=("house_id",)):
        await k.store[Person].query().update(house_id=5)
    assert await k.store[Person].query().column(PERSON.house_id) == [1, 1, 1]
    assert await k.store[Person].query().update(house_id=None) == 3
    await k.store[House].delete(await k.store[House].get(1))


UNKNOWN: dict[str, dict[str, Any]] = {
    "no end": {"starts": 5},
    "no start": {"ends": -5},
    "neither": {},
    "both known and right": {"starts": 1, "ends": 2},
    "a colour": {"colour": "red"},
}
FALSE: dict[str, tuple[str, dict[str, Any]]] = {
    "equal": ("ends_after_start", {"starts": 5, "ends": 5}),
    "turned round": ("ends_after_start", {"starts": 5, "ends": 4}),
    "both negative": ("not_both_negative", {"starts": -2, "ends": -1}),
    "no such colour": ("known_colour", {"colour": "green"}),
    "one false beside unknown ones": ("known_colour", {"starts": 3, "colour": ""}),
}


@case("B3", needs="checks", each=UNKNOWN)
async def a_check_that_is_unknown_passes(k: Kit, values: dict[str, Any]) -> None:
    """When created and when saved."""
    spans = k.store[Span]
    await spans.create(id=1, **values)
    other = await spans.create(id=2, starts=1, ends=2, colour="blue")
    for name in ("starts", "ends", "colour"):
        setattr(other, name, values.get(name))
    await spans.save(other)
    assert [(span.starts, span.ends, span.colour) for span in await spans.all()] == 2 * [
        (values.get("starts"), values.get("ends"), values.get("colour"))
    ]


@case("B3", needs="checks", each=FALSE)
async def a_check_that_is_false_is_refused(k: Kit, name: str, values: dict[str, Any]) -> None:
    """When created, saved and upserted, and nothing is changed."""
    spans = k.store[Span]
    kept = await spans.create(id=1)
    with k.refused(CheckViolation, constraint=name):
        await spans.create(id=2, **values)
    with k.refused(CheckViolation, constraint=name):
        await spans.upsert(id=1, **values)
    for field, value in values.items():
        setattr(kept, field, value)
    with k.refused(CheckViolation, constraint=name):
        await spans.save(kept)
    assert [(span.id, span.starts, span.ends, span.colour) for span in await spans.all()] == [(1, None, None, None)]


@case("B3", needs=("checks", "set_writes"))
async def a_bulk_update_may_make_a_check_unknown_but_not_false(k: Kit) -> None:
    """One record that would fail leaves all as they were."""
    spans = k.store[Span]
    await fill(spans, [{"id": 1, "starts": 1, "ends": 5}, {"id": 2, "starts": 4, "ends": 5}, {"id": 3, "ends": 2}])
    with k.refused(CheckViolation, constraint="ends_after_start"):
        await spans.query().update(ends=SPAN.ends - 2)
    assert await spans.query().order_by("id").column(SPAN.ends) == [5, 5, 2]
    assert await spans.query().update(ends=None) == 3
    assert await spans.query().update(starts=SPAN.starts + 100) == 3
    assert await spans.query().order_by("id").column(SPAN.starts) == [101, 104, None]


@case("B3", absent="unique")
async def unique_values_are_refused_where_they_are_not_kept(k: Kit) -> None:
    """Before anything is written."""
    with k.refused(Unsupported, says="unique"):
        await k.store[Badge].create(id=1)
    with k.refused(Unsupported, says="Badge"):
        await k.store[Badge].all()


@case("B3", absent="references")
async def references_are_refused_where_they_are_not_kept(k: Kit) -> None:
    """Before anything is written, also at the model that is referred to."""
    with k.refused(Unsupported, says="reference"):
        await k.store[Person].create(id=1, name="Ann")
    with k.refused(Unsupported, says="reference"):
        await k.store[House].all()


@case("B3", absent="checks")
async def checks_are_refused_where_they_are_not_kept(k: Kit) -> None:
    """Before anything is written."""
    with k.refused(Unsupported, says="check"):
        await k.store[Span].create(id=1)
    with k.refused(Unsupported, says="Span"):
        await k.store[Span].where(id=1).exists()
