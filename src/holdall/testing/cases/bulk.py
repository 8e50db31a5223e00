"""F7: a bulk change of a unique field or a key by expression is refused without the capability; with it, it is checked at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.backends import UpdateWhere
from holdall.errors import QueryError, UniqueViolation, Unsupported
from holdall.query import TRUE, Arith, Compare, Select, Value, key_ref, prepare
from holdall.query.terms import INT
from holdall.schema import Entity
from holdall.testing.case import case
from holdall.testing.cases.making import made
from holdall.testing.kit import Kit, assignments
from holdall.testing.models.records import Item, Seat
from holdall.testing.models.unique_records import Manifold, Member, Room

EXPRESSIONS: dict[str, tuple[Any, str, Callable[[], Any]]] = {
    "plus one": (Manifold, "number", lambda: Manifold.number + 1),  # type: ignore[operator]  # a term, never None
    "minus one": (Manifold, "number", lambda: Manifold.number - 1),  # type: ignore[operator]  # as above
    "times two": (Manifold, "number", lambda: Manifold.number * 2),  # type: ignore[operator]  # as above
    "a Decimal": (Manifold, "amount", lambda: Manifold.amount + 1),  # type: ignore[operator]  # as above
    "another field": (Manifold, "text", lambda: Manifold.renamed),
    "itself": (Manifold, "text", lambda: Manifold.text),
    "a part of a pair": (Member, "number", lambda: Member.number + 1),  # type: ignore[operator]  # as above
    "the other part of a pair": (Member, "team", lambda: Member.note),
    "a part of three": (Room, "floor", lambda: Room.floor + 1),
}


@case("F7", needs=("unique", "set_writes"), absent="deferred_unique", each=EXPRESSIONS)
async def a_unique_field_by_expression_is_refused(k: Kit, model: Any, name: str, expression: Callable[[], Any]) -> None:
    """When the query runs, and before anything does: with rows that collide half-way, with one row, and with none."""
    rows: dict[Any, list[dict[str, Any]]] = {
        Manifold: [{"id": n, "number": n, "amount": n, "text": str(n), "renamed": str(n)} for n in (1, 2)],
        Member: [{"id": n, "email": f"{n}@example.com", "team": "A", "number": n} for n in (1, 2)],
        Room: [{"id": n, "house": "h", "floor": n} for n in (1, 2)],
    }
    for row in [{}, *rows[model]]:
        if row:
            await k.store[model].create(**row)
        with k.refused(QueryError, says="unique", name=name):
            await k.store[model].query().update(**{name: expression()})
    assert [getattr(record, name) for record in await k.store[model].query().order_by("id").all()] == [
        getattr(model(**row), name) for row in rows[model]
    ]


BULK: dict[str, tuple[Entity, str]] = {
    "a unique field": (Manifold.__entity__, "number"),
    "a part of a pair": (Member.__entity__, "number"),
    "a key": (Item.__entity__, "id"),
    "a part of a key": (Seat.__entity__, "number"),
}


@case("F7", needs=("unique", "set_writes"), absent="deferred_unique", each=BULK)
async def the_port_refuses_a_bulk_change_by_expression(k: Kit, entity: Entity, name: str) -> None:
    await k.ready(Manifold, Member, Item, Seat)
    await made(k, Manifold, {"id": 1, "number": 1}, {"id": 2, "number": 2})
    await made(k, Item, {"id": 1}, {"id": 2})
    change = assignments(entity, **{name: Arith("add", key_ref(entity, name), Value(1, INT), INT)})
    with k.refused(Unsupported) as caught:
        await k.apply(UpdateWhere(prepare(Select(entity), k.clock()), change))
    assert caught.error.hint
    assert [row[:2] for row in await k.rows(Manifold.__entity__)] == [(1, 1), (2, 2)]
    assert [row[0] for row in await k.rows(Item.__entity__)] == [1, 2]


@case("F7", needs=("unique", "set_writes", "deferred_unique"))
async def a_bulk_change_that_is_unique_in_the_end_is_done(k: Kit) -> None:
    await made(k, Manifold, *({"id": n, "number": n} for n in (1, 2, 3)))
    entity = Manifold.__entity__
    number = key_ref(entity, "number")
    assert await k.update_where(entity, TRUE, number=Arith("add", number, Value(1, INT), INT)) == 3
    assert [row[1] for row in await k.rows(entity)] == [2, 3, 4]
    with k.refused(UniqueViolation, fields=("number",)):
        await k.update_where(entity, Compare(number, "lt", Value(4, INT)), number=Arith("add", number, Value(1, INT), INT))
    assert [row[1] for row in await k.rows(entity)] == [2, 3, 4]


@case("F7", needs=("unique", "set_writes"))
async def a_value_for_one_record_is_no_bulk_change(k: Kit) -> None:
    await made(k, Manifold, {"id": 1, "number": 1}, {"id": 2, "number": 2})
    manifold = k.store[Manifold]
    assert await manifold.where(id=1).update(number=3) == 1
    assert await manifold.where(id=9).update(number=2) == 0, "nobody gets the taken value"
    assert await manifold.query().update(number=None) == 2
    assert await manifold.query().column(Manifold.number) == [None, None]


@case("F7", needs=("unique", "set_writes"))
async def a_part_of_a_pair_for_many_is_checked(k: Kit) -> None:
    await made(
        k,
        Member,
        {"id": 1, "email": "a@example.com", "team": "A", "number": 1},
        {"id": 2, "email": "b@example.com", "team": "A", "number": 2},
        {"id": 3, "email": "c@example.com", "team": "B", "number": 1},
    )
    members = k.store[Member]
    with k.refused(UniqueViolation, fields=("team", "number")):
        await members.query().update(team="C")
    with k.refused(UniqueViolation, fields=("team", "number")):
        await members.where(id=3).update(team="A")
    assert await members.query().order_by("id").column(Member.team) == ["A", "A", "B"]
    assert await members.where(team="A").update(team="C") == 2
    assert await members.query().order_by("id").column(Member.version) == [2, 2, 1]


@case("F7", needs=("unique", "set_writes"))
async def other_fields_by_expression_are_changed(k: Kit) -> None:
    """Beside unique ones, which stay, and from them."""
    await made(k, Member, *({"id": n, "email": f"{n}@example.com", "team": str(n)} for n in (1, 2)))
    assert await k.store[Member].query().update(note=Member.email) == 2
    assert await k.store[Member].query().order_by("id").column(Member.note) == ["1@example.com", "2@example.com"]
