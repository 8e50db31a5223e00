"""F2: a key or a unique value that is taken, by every kind of value and at every door: the fields are told, and nothing is changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from holdall.errors import UniqueViolation, Unsupported
from holdall.testing.case import case
from holdall.testing.cases.making import at, how_many, ids, local, made
from holdall.testing.kit import Kit
from holdall.testing.models.binary import BlobKey, Given
from holdall.testing.models.keys import BoolKey, DecimalKey, EmailKey, Metal, MetalKey, MixedKey, TextKey
from holdall.testing.models.records import Item, Seat, Slot
from holdall.testing.models.times import AtKey, ClockKey, DayKey, LocalKey, SpanKey
from holdall.testing.models.unique_records import Grade, Manifold, Member, Room

# Keys: a model, a taken key, one that is nearly the same, and a field to tell the records apart.
KEYS: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "int": (Item, {"id": 1}, {"id": -1}),
    "large int": (Item, {"id": 2**63 - 1}, {"id": 2**63 - 2}),
    "text": (TextKey, {"id": "a"}, {"id": "A"}),
    "text with a space": (TextKey, {"id": "a"}, {"id": "a "}),
    "email": (EmailKey, {"id": "a@example.com"}, {"id": "A@example.com"}),
    "Decimal": (DecimalKey, {"id": Decimal("1.1")}, {"id": Decimal("1.01")}),
    "bool": (BoolKey, {"id": True}, {"id": False}),
    "enum": (MetalKey, {"id": Metal.GOLD}, {"id": Metal.TIN}),
    "uuid": (Given, {"id": UUID(int=2**127)}, {"id": UUID(int=2**127 + 1)}),
    "bytes": (BlobKey, {"id": b"a"}, {"id": b"a\x00"}),
    "datetime": (AtKey, {"id": at(2024, 1, 1)}, {"id": at(2024, 1, 1, 0, 0, 0, 1)}),
    "local datetime": (LocalKey, {"id": local(2024, 1, 1)}, {"id": local(2024, 1, 1, 0, 0, 1)}),
    "date": (DayKey, {"id": dt.date(2024, 2, 29)}, {"id": dt.date(2024, 3, 1)}),
    "time": (ClockKey, {"id": dt.time(1)}, {"id": dt.time(1, 1)}),
    "timedelta": (SpanKey, {"id": dt.timedelta(1)}, {"id": dt.timedelta(-1)}),
    "two parts, the second differs": (Seat, {"row": "A", "number": 1}, {"row": "A", "number": 2}),
    "two parts, the first differs": (Seat, {"row": "A", "number": 1}, {"row": "a", "number": 1}),
    "two parts, run together": (MixedKey, {"kind": "a1", "id": 1}, {"kind": "a", "id": 11}),
    "three parts": (
        Slot,
        {"room": UUID(int=1), "day": dt.date(2024, 1, 1), "hour": 1},
        {"room": UUID(int=1), "day": dt.date(2024, 1, 1), "hour": 2},
    ),
}
SAME_KEYS: dict[str, tuple[Any, Any, Any]] = {
    "Decimal of another scale": (DecimalKey, Decimal("1.10"), Decimal("1.1")),
    "Decimal with an exponent": (DecimalKey, Decimal(100), Decimal("1E+2")),
    "Decimal negative zero": (DecimalKey, Decimal(0), Decimal("-0.0")),
    "domain in capitals": (EmailKey, "a@example.com", "a@EXAMPLE.com"),
}


def key_of(model: Any, key: dict[str, Any]) -> Any:
    """The key as get() takes it."""
    return next(iter(key.values())) if len(key) == 1 else tuple(key.values())


@case("F2", each=KEYS)
async def creating_a_taken_key_is_refused(k: Kit, model: Any, key: dict[str, Any], near: dict[str, Any]) -> None:
    records = k.store[model]
    await records.create(**key)
    with k.refused(UniqueViolation, entity=model.__name__, fields=tuple(key)):
        await records.create(**key)
    with k.refused(UniqueViolation, fields=tuple(key)):
        await records.save(model(**key))
    await records.create(**near)
    assert await how_many(records) == 2
    assert (await records.get(key_of(model, key))).__key_value__() == key_of(model, key)


@case("F2", each=KEYS, needs="atomic_batch")
async def a_taken_key_in_a_batch_changes_nothing(k: Kit, model: Any, key: dict[str, Any], near: dict[str, Any]) -> None:
    records = k.store[model]
    await records.create(**key)
    with k.refused(UniqueViolation, entity=model.__name__, fields=tuple(key)):
        await records.create_many([near, key])
    assert await how_many(records) == 1
    assert await records.get(key_of(model, near)) is None
    await records.delete(await records.get(key_of(model, key)))
    with k.refused(UniqueViolation, fields=tuple(key)):
        await records.create_many([key, near, key])
    assert await how_many(records) == 0


@case("F2", each=KEYS)
async def a_key_is_free_again_after_its_record(k: Kit, model: Any, key: dict[str, Any], near: dict[str, Any]) -> None:
    records = k.store[model]
    first, _ = await made(k, model, key, near)
    await records.delete(first)
    await records.create(**key)
    assert await how_many(records) == 2


@case("F2", each=SAME_KEYS)
async def a_key_is_taken_in_every_spelling(k: Kit, model: Any, one: Any, other: Any) -> None:
    await k.store[model].create(id=one)
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[model].create(id=other)
    assert (await k.store[model].get(other)).id == one
    assert await how_many(k.store[model]) == 1


@case("F2", each={"a single key": (TextKey, {"id": "a"}, {"id": "b"}), "a part of a key": (MixedKey, {"kind": "a", "id": 1}, {"id": 2})})
async def the_port_may_move_a_key_but_not_onto_another(k: Kit, model: Any, key: dict[str, Any], change: dict[str, Any]) -> None:
    await made(k, model, key, {**key, **change})
    entity = model.__entity__
    await k.ready(model)
    with k.refused(UniqueViolation, fields=tuple(key)):
        await k.patch(entity, key_of(model, key), **change)
    assert len(await k.rows(entity)) == 2
    await k.delete(entity, key_of(model, {**key, **change}))
    assert await k.patch(entity, key_of(model, key), **change) == 1
    assert [entity.row_key(row) for row in await k.rows(entity)] == [key_of(model, {**key, **change})]


# Unique values. Each door tries to give record 2 what record 1 has.

VALUES: dict[str, tuple[str, Any, Any]] = {
    "int": ("number", 0, 1),
    "Decimal": ("amount", Decimal("1.10"), Decimal("1.11")),
    "Decimal of any scale": ("loose", Decimal("1.1"), Decimal("1.1000000000000000000000000000000000001")),
    "float": ("ratio", 1e300, 1.0000000000000002e300),
    "bool": ("flag", False, True),
    "enum": ("grade", Grade.GOLD, Grade.TIN),
    "text": ("text", "a", "A"),
    "empty text": ("text", "", " "),
    "another column's name": ("renamed", "a", "b"),
    "local datetime": ("local", local(2024, 1, 1), local(2024, 1, 2)),
}


async def _create(k: Kit, name: str, value: Any) -> None:
    await k.store[Manifold].create(id=9, **{name: value})


async def _save_new(k: Kit, name: str, value: Any) -> None:
    await k.store[Manifold].save(Manifold(id=9, **{name: value}))


async def _save_changed(k: Kit, name: str, value: Any) -> None:
    record = await k.store[Manifold].get(2)
    setattr(record, name, value)
    await k.store[Manifold].save(record)


async def _upsert_new(k: Kit, name: str, value: Any) -> None:
    await k.store[Manifold].upsert(id=9, **{name: value})


async def _upsert_there(k: Kit, name: str, value: Any) -> None:
    await k.store[Manifold].upsert(id=2, **{name: value})


async def _patch(k: Kit, name: str, value: Any) -> None:
    canonical = Manifold.__canonical__({name: value})
    await k.patch(Manifold.__entity__, 2, **canonical)


DOORS: dict[str, Callable[[Kit, str, Any], Awaitable[None]]] = {
    "create": _create,
    "save a new one": _save_new,
    "save a change": _save_changed,
    "upsert a new one": _upsert_new,
    "upsert one that is there": _upsert_there,
    "the port's patch": _patch,
}
TRIES = {f"{kind}, {door}": (*value, DOORS[door]) for kind, value in VALUES.items() for door in DOORS}


async def _state(k: Kit, name: str) -> list[Any]:
    return [tuple(row.values()) for row in await k.store[Manifold].query().order_by("id").values("id", value=getattr(Manifold, name))]


@case("F2", needs="unique", each=TRIES)
async def a_taken_value_is_refused(k: Kit, name: str, taken: Any, near: Any, door: Any) -> None:
    await made(k, Manifold, {"id": 1, name: taken}, {"id": 2, name: near})
    before = await _state(k, name)
    with k.refused(UniqueViolation, entity="Manifold", fields=(name,)):
        await door(k, name, taken)
    assert await _state(k, name) == before


@case("F2", needs=("unique", "atomic_batch"), each=VALUES)
async def a_taken_value_in_a_batch_changes_nothing(k: Kit, name: str, taken: Any, near: Any) -> None:
    await k.store[Manifold].create(id=1, **{name: taken})
    with k.refused(UniqueViolation, fields=(name,)):
        await k.store[Manifold].create_many([{"id": 2, name: near}, {"id": 3, name: taken}])
    with k.refused(UniqueViolation, fields=(name,)):
        await k.store[Manifold].create_many([{"id": 2, name: near}, {"id": 3, name: near}])
    assert await _state(k, name) == [(1, taken)]


@case("F2", needs=("unique", "set_writes"), each=VALUES)
async def one_value_for_many_is_refused(k: Kit, name: str, taken: Any, near: Any) -> None:
    await made(k, Manifold, {"id": 1, name: taken}, {"id": 2})
    with k.refused(UniqueViolation, fields=(name,)):
        await k.store[Manifold].query().update(**{name: near})
    with k.refused(UniqueViolation, fields=(name,)):
        await k.store[Manifold].where(id=2).update(**{name: taken})
    assert await _state(k, name) == [(1, taken), (2, None)]
    assert await k.store[Manifold].where(id=1).update(**{name: taken}) == 1, "its own value is not taken"
    assert await k.store[Manifold].where(id=2).update(**{name: near}) == 1


@case("F2", needs="unique", each=VALUES)
async def a_value_is_free_again(k: Kit, name: str, taken: Any, near: Any) -> None:
    """After a change, after null, and after a delete."""
    one, two = await made(k, Manifold, {"id": 1, name: taken}, {"id": 2})
    manifold = k.store[Manifold]
    setattr(one, name, near)
    await manifold.save(one)
    setattr(two, name, taken)
    await manifold.save(two)
    setattr(two, name, None)
    await manifold.save(two)
    await manifold.create(id=3, **{name: taken})
    await manifold.delete(one)
    await manifold.create(id=4, **{name: near})
    assert await _state(k, name) == [(2, None), (3, taken), (4, near)]


@case("F2", needs="unique")
async def many_may_have_no_value(k: Kit) -> None:
    await made(k, Manifold, {"id": 1}, {"id": 2}, {"id": 3, "text": "a"})
    assert await ids(k.store[Manifold].query()) == [1, 2, 3]


# Values that are unique together.

PAIRS: dict[str, dict[str, Any]] = {
    "another team": {"team": "B", "number": 1},
    "another number": {"team": "A", "number": 2},
    "no team": {"team": None, "number": 1},
    "no number": {"team": "A", "number": None},
    "neither": {"team": None, "number": None},
    "another case": {"team": "a", "number": 1},
}


@case("F2", needs="unique", each=PAIRS)
async def a_pair_is_taken_only_as_a_whole(k: Kit, pair: dict[str, Any]) -> None:
    """And a null in it is equal to nothing: two may have it."""
    await k.store[Member].create(id=1, email="a@example.com", team="A", number=1)
    await k.store[Member].create(id=2, email="b@example.com", **pair)
    if None in pair.values():
        await k.store[Member].create(id=3, email="c@example.com", **pair)
    with k.refused(UniqueViolation, entity="Member", fields=("team", "number")):
        await k.store[Member].create(id=4, email="d@example.com", team="A", number=1)
    assert await ids(k.store[Member].query()) == ([1, 2, 3] if None in pair.values() else [1, 2])


@case("F2", needs="unique", each={"one of them": {"number": 1}, "the other": {"team": "A", "number": 1}})
async def a_change_that_completes_a_taken_pair_is_refused(k: Kit, change: dict[str, Any]) -> None:
    first = {"team": "A", "number": 1}
    second = {"team": "A", "number": 2} if "team" not in change else {"team": "B", "number": 2}
    await made(k, Member, {"id": 1, "email": "a@example.com", **first}, {"id": 2, "email": "b@example.com", **second})
    member = await k.store[Member].get(2)
    for name, value in change.items():
        setattr(member, name, value)
    with k.refused(UniqueViolation, fields=("team", "number")):
        await k.store[Member].save(member)
    read = await k.store[Member].get(2)
    assert (read.team, read.number, read.version) == (second["team"], second["number"], 1)


@case("F2", needs="unique")
async def the_broken_constraint_is_the_one_that_is_told(k: Kit) -> None:
    rooms = k.store[Room]
    await rooms.create(id=1, house="h", floor=1, door="l", code="c")
    with k.refused(UniqueViolation, fields=("house", "floor", "door")):
        await rooms.create(id=2, house="h", floor=1, door="l", code="d")
    with k.refused(UniqueViolation, fields=("house", "code")):
        await rooms.create(id=2, house="h", floor=2, door="l", code="c")
    with k.refused(UniqueViolation, fields=("id",)):
        await rooms.create(id=1, house="g", floor=1, door="l", code="c")
    await rooms.create(id=2, house="g", floor=1, door="l", code="c")
    assert await ids(rooms.query()) == [1, 2]


@case("F2", needs="unique")
async def a_record_keeps_its_own_values(k: Kit) -> None:
    """Saving, upserting and patching what a record has already breaks nothing."""
    member = await k.store[Member].create(id=1, email="a@example.com", team="A", number=1)
    member.note = "n"
    await k.store[Member].save(member)
    await k.store[Member].upsert(id=1, email="a@example.com", team="A", number=1, note="m")
    assert await k.patch(Member.__entity__, 1, email="a@example.com", team="A", number=1) == 1
    assert (await k.store[Member].get(1)).email == "a@example.com"


@case("F2", needs=("unique", "transactions"))
async def values_may_be_swapped_over_a_third(k: Kit) -> None:
    """Each write is checked when it is done, not at the commit."""
    one, two = await made(k, Manifold, {"id": 1, "text": "a"}, {"id": 2, "text": "b"})
    async with k.store.transaction():
        for record, text in ((one, None), (two, "a"), (one, "b")):
            record.text = text
            await k.store[Manifold].save(record)
    assert await _state(k, "text") == [(1, "b"), (2, "a")]
    tx = await k.begin()
    with k.refused(UniqueViolation, fields=("text",)):
        await k.patch(Manifold.__entity__, 1, text="a", tx=tx)
    await k.rollback(tx)
    assert await _state(k, "text") == [(1, "b"), (2, "a")]


@case("F2", needs=("unique", "transactions"))
async def a_value_written_in_this_transaction_is_taken(k: Kit) -> None:
    await k.ready(Manifold)
    entity, width = Manifold.__entity__, len(Manifold.__entity__.fields)
    text = entity.by_name["text"].position

    def row(number: int) -> tuple[Any, ...]:
        return tuple(number if place == 0 else "a" if place == text else None for place in range(width))

    tx = await k.begin()
    await k.insert(entity, row(1), tx=tx)
    with k.refused(UniqueViolation, fields=("text",)):
        await k.insert(entity, row(2), tx=tx)
    await k.rollback(tx)
    assert await k.rows(entity) == []
    await k.insert(entity, row(2))


@case("F2", absent="unique")
async def unique_values_are_refused_where_they_are_absent(k: Kit) -> None:
    for model in (Member, Manifold):
        with k.refused(Unsupported, says="unique") as caught:
            await k.store[model].all()
        assert caught.error.hint
    await k.store[TextKey].create(id="a")
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[TextKey].create(id="a")
