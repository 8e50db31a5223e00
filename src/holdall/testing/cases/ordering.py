"""B1 and H1: where nulls stand in an order, and what decides among equals."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from holdall.query import agg, asc, desc
from holdall.testing.case import case
from holdall.testing.cases.kinship import JOINED, family
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.kin import DOG, PERSON, Dog, Person
from holdall.testing.models.order_keys import Pair, Ticket
from holdall.testing.models.samples import INDEXED, ORDERABLE, SAMPLE, Indexed, Sample

WAYS = {"up": (asc, "last"), "down": (desc, "last"), "up, nulls first": (asc, "first"), "down, nulls first": (desc, "first")}
BY_TYPE = {f"{name}, {way}": (name, *options) for name in ORDERABLE for way, options in WAYS.items()}


async def _six(k: Kit, model: Any, name: str) -> None:
    """Two records of each value and of null, written out of order."""
    low, high = ORDERABLE[name]
    values = {1: low, 2: None, 3: high, 4: None, 5: low, 6: high}
    await fill(k.store[model], [{"id": id_, name: values[id_]} for id_ in (4, 3, 6, 1, 2, 5)])


def _expected(descending: bool, nulls: str) -> list[int]:
    known = [3, 6, 1, 5] if descending else [1, 5, 3, 6]
    return [2, 4, *known] if nulls == "first" else [*known, 2, 4]


@case("B1", each=BY_TYPE)
async def nulls_stand_where_they_are_asked_to(k: Kit, name: str, way: Any, nulls: str) -> None:
    """Last unless asked for first, in either direction; also when only a part is read, and from either end."""
    await _six(k, Sample, name)
    expected = _expected(way is desc, nulls)
    query = k.store[Sample].query().order_by(way(getattr(SAMPLE, name), nulls=nulls))
    assert [item.id for item in await query.all()] == expected
    assert [item.id for item in await query.limit(3).all()] == expected[:3]
    assert [item.id for item in await query.offset(1).limit(4).all()] == expected[1:5]
    assert ((await query.first()).id, (await query.last()).id) == (expected[0], expected[-1])


@case("B1", each={f"{name}, {way}": (name, *options) for name in ("text", "whole", "at", "uid") for way, options in WAYS.items()})
async def an_index_has_nulls_where_a_sort_has_them(k: Kit, name: str, way: Any, nulls: str) -> None:
    """The same where an engine may read in the order of an index, whole, cut, and with a condition on the field."""
    await _six(k, Indexed, name)
    expected = _expected(way is desc, nulls)
    term: Any = getattr(INDEXED, name)
    query = k.store[Indexed].query().order_by(way(term, nulls=nulls))
    assert [item.id for item in await query.all()] == expected
    assert [item.id for item in await query.limit(2).all()] == expected[:2]
    assert [item.id for item in await query.offset(4).limit(9).all()] == expected[4:]
    low, _ = ORDERABLE[name]
    found = await k.store[Indexed].where(term >= low).order_by(way(term, nulls=nulls)).all()
    assert [item.id for item in found] == [id_ for id_ in expected if id_ not in (2, 4)]
    found = await k.store[Indexed].where(term == low).order_by(way(term, nulls=nulls)).all()
    assert [item.id for item in found] == [1, 5]


@case("B1")
async def no_nulls_spelled_otherwise(k: Kit) -> None:
    """Text with a minus, a plain term and asc() put nulls last all the same."""
    await _six(k, Sample, "whole")
    for order in ("whole", SAMPLE.whole, asc(SAMPLE.whole)):
        assert [item.id for item in await k.store[Sample].query().order_by(order).all()] == [1, 5, 3, 6, 2, 4]
    for order in ("-whole", desc(SAMPLE.whole)):
        assert [item.id for item in await k.store[Sample].query().order_by(order).all()] == [3, 6, 1, 5, 2, 4]


SEVERAL: dict[str, tuple[Callable[[], tuple[Any, ...]], list[int]]] = {
    "up, up": (lambda: (SAMPLE.whole, SAMPLE.text), [1, 2, 3, 4, 5, 6]),
    "up, down": (lambda: (SAMPLE.whole, desc(SAMPLE.text)), [2, 1, 3, 4, 5, 6]),
    "down, up": (lambda: (desc(SAMPLE.whole), SAMPLE.text), [4, 1, 2, 3, 5, 6]),
    "nulls first, nulls last": (lambda: (asc(SAMPLE.whole, nulls="first"), SAMPLE.text), [5, 6, 1, 2, 3, 4]),
    "nulls last, nulls first": (lambda: (SAMPLE.whole, asc(SAMPLE.text, nulls="first")), [3, 1, 2, 4, 6, 5]),
    "both first, down": (lambda: (desc(SAMPLE.whole, nulls="first"), desc(SAMPLE.text, nulls="first")), [6, 5, 4, 3, 2, 1]),
    "second only": (lambda: (SAMPLE.text, desc(SAMPLE.whole)), [4, 1, 5, 2, 3, 6]),
    "the same twice": (lambda: (SAMPLE.whole, desc(SAMPLE.whole), SAMPLE.text), [1, 2, 3, 4, 5, 6]),
    "key down": (lambda: (SAMPLE.whole, desc(SAMPLE.id)), [3, 2, 1, 4, 6, 5]),
    "three": (lambda: (asc(SAMPLE.flag, nulls="first"), desc(SAMPLE.whole), SAMPLE.text), [4, 1, 2, 3, 5, 6]),
}


@case("B1", each=SEVERAL)
async def several_keys_with_nulls(k: Kit, make: Callable[[], tuple[Any, ...]], expected: list[int]) -> None:
    """Nulls of the first key are equal to each other: the second decides among them."""
    rows = [(1, 1, "a"), (2, 1, "b"), (3, 1, None), (4, 2, "a"), (5, None, "a"), (6, None, None)]
    await fill(k.store[Sample], [{"id": id_, "whole": whole, "text": text} for id_, whole, text in reversed(rows)])
    query = k.store[Sample].query().order_by(*make())
    assert [item.id for item in await query.all()] == expected
    for cut in range(7):
        assert [item.id for item in await query.limit(cut).all()] == expected[:cut]
        assert [item.id for item in await query.offset(cut).all()] == expected[cut:]
    assert (await query.last()).id == expected[-1]


THROUGH: dict[str, tuple[Callable[[], tuple[Any, ...]], list[int]]] = {
    "to one, up": (lambda: (PERSON.house.number,), [1, 2, 3]),
    "to one, down": (lambda: (desc(PERSON.house.street),), [2, 1, 3]),
    "to one, nulls first": (lambda: (asc(PERSON.house.street, nulls="first"),), [3, 1, 2]),
    "to one, down, nulls first": (lambda: (desc(PERSON.house.street, nulls="first"),), [3, 2, 1]),
    "no record before null value": (lambda: (PERSON.house.number, desc(PERSON.id)), [1, 3, 2]),
    "two steps": (lambda: (PERSON.parent.house.street,), [2, 3, 1]),
    "two steps, nulls first": (lambda: (desc(PERSON.parent.house.street, nulls="first"),), [1, 3, 2]),
    "keywords": (lambda: ("-parent.name", "house.number"), [3, 2, 1]),
}


@case("B1", needs=JOINED, each=THROUGH)
async def an_absent_relation_is_ordered_as_null(k: Kit, make: Callable[[], tuple[Any, ...]], expected: list[int]) -> None:
    """No record there and a null there are the same for an order."""
    await family(k)
    query = k.store[Person].query().order_by(*make())
    assert [person.id for person in await query.all()] == expected
    assert [person.id for person in await query.offset(1).limit(1).all()] == expected[1:2]


@case("B1", needs=("references",), each={"up": (False, ["Rex", "Ada", "Ink"]), "down": (True, ["Ada", "Rex", "Ink"])})
async def included_records_are_ordered_with_nulls_last(k: Kit, descending: bool, expected: list[str]) -> None:
    """The order of an include."""
    await family(k)
    ink = await k.store[Dog].get(3)
    ink.owner_id = 1
    await k.store[Dog].save(ink)
    order = desc(DOG.weight) if descending else asc(DOG.weight)
    found = await k.store[Person].where(PERSON.id == 1).include(PERSON.dogs, order_by=order).one()
    assert [dog.name for dog in found.dogs] == expected
    found = await k.store[Person].where(PERSON.id == 1).include(PERSON.dogs, order_by=order, limit=2).one()
    assert [dog.name for dog in found.dogs] == expected[:2]


GROUPS: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "sum up": (lambda: asc(agg.sum(SAMPLE.whole)), ["a", "b", "c"]),
    "sum down": (lambda: desc(agg.sum(SAMPLE.whole)), ["b", "a", "c"]),
    "sum up, nulls first": (lambda: asc(agg.sum(SAMPLE.whole), nulls="first"), ["c", "a", "b"]),
    "max down, nulls first": (lambda: desc(agg.max(SAMPLE.whole), nulls="first"), ["c", "b", "a"]),
    "count": (lambda: asc(agg.count(SAMPLE.whole)), ["c", "a", "b"]),
}


@case("B1", needs="aggregates", each=GROUPS)
async def groups_are_ordered_by_aggregates_that_may_be_null(k: Kit, make: Callable[[], Any], expected: list[str]) -> None:
    """A null aggregate stands where a null field would."""
    rows = [("a", 1), ("a", None), ("b", 1), ("b", 2), ("c", None)]
    await fill(k.store[Sample], [{"id": number, "text": text, "whole": whole} for number, (text, whole) in enumerate(rows)])
    found = await k.store[Sample].query().group_by(SAMPLE.text).order_by(make()).values("text")
    assert [row["text"] for row in found] == expected


@case("B1", needs="aggregates", each={"up": (asc, "last", ["a", None]), "down, nulls first": (desc, "first", [None, "a"])})
async def the_group_of_null_stands_where_null_does(k: Kit, way: Any, nulls: str, expected: list[Any]) -> None:
    """Nulls are one group."""
    await fill(k.store[Sample], [{"id": 1, "text": "a"}, {"id": 2}, {"id": 3}])
    found = await k.store[Sample].query().group_by(SAMPLE.text).order_by(way(SAMPLE.text, nulls=nulls)).values("text", n=agg.count())
    assert [row["text"] for row in found] == expected
    assert {row["text"]: row["n"] for row in found} == {"a": 1, None: 2}


@case("B1", each={"up": (asc, "last", [1, 2, None]), "down": (desc, "last", [2, 1, None]), "nulls first": (asc, "first", [None, 1, 2])})
async def distinct_values_are_ordered_with_nulls(k: Kit, way: Any, nulls: str, expected: list[Any]) -> None:
    """Nulls are one value to distinct(), and stand where they are asked to; a cut comes after both."""
    await fill(k.store[Sample], [{"id": number, "whole": (1, None, 2)[number % 3]} for number in range(9)])
    query = k.store[Sample].query().distinct().order_by(way(SAMPLE.whole, nulls=nulls))
    assert await query.column(SAMPLE.whole) == expected
    assert await query.limit(2).column(SAMPLE.whole) == expected[:2]
    assert await query.offset(2).column(SAMPLE.whole) == expected[2:]


@case("B1")
async def an_order_by_null_alone_or_by_zero_fails_nobody(k: Kit) -> None:
    """Nothing but nulls, and 0 and '' beside null: they are values."""
    await fill(k.store[Sample], [{"id": number} for number in (3, 1, 2)])
    assert [item.id for item in await k.store[Sample].query().order_by(desc(SAMPLE.whole)).all()] == [1, 2, 3]
    await fill(k.store[Sample], [{"id": 4, "whole": 0, "text": ""}, {"id": 5, "whole": -1, "text": " "}])
    assert [item.id for item in await k.store[Sample].query().order_by(SAMPLE.whole).all()] == [5, 4, 1, 2, 3]
    assert [item.id for item in await k.store[Sample].query().order_by(SAMPLE.text).all()] == [4, 5, 1, 2, 3]


# H1: the key decides among equals.


@case("H1", each=WAYS)
async def the_key_decides_among_equals(k: Kit, way: Any, nulls: str) -> None:
    """Ascending, whatever the order asked for; the same in every part of the result."""
    ids = list(range(40))
    random.Random(7).shuffle(ids)
    await fill(k.store[Sample], [{"id": id_, "whole": (1, 2, None)[id_ % 3]} for id_ in ids])
    query = k.store[Sample].query().order_by(way(SAMPLE.whole, nulls=nulls))
    whole = [(item.whole, item.id) for item in await query.all()]
    for value in (1, 2, None):
        assert [id_ for other, id_ in whole if other == value] == [id_ for id_ in range(40) if (1, 2, None)[id_ % 3] == value]
    cut = [item.id for start in range(0, 40, 7) for item in await query.offset(start).limit(7).all()]
    assert cut == [id_ for _, id_ in whole]


@case("H1")
async def an_order_that_names_the_key_is_as_it_says(k: Kit) -> None:
    """The key named by the order is not added again the other way round."""
    await fill(k.store[Sample], [{"id": number, "whole": number % 2} for number in (2, 4, 1, 3)])
    assert [item.id for item in await k.store[Sample].query().order_by(desc(SAMPLE.id)).all()] == [4, 3, 2, 1]
    assert [item.id for item in await k.store[Sample].query().order_by("whole", "-id").all()] == [4, 2, 3, 1]
    assert [item.id for item in await k.store[Sample].query().order_by("-id", "whole").all()] == [4, 3, 2, 1]


COMPOSITE: dict[str, tuple[tuple[str, ...], Callable[[Any], Any]]] = {
    "by a value": (("rank",), lambda pair: (pair.rank, pair.left, pair.right)),
    "by the second part of the key": (("right",), lambda pair: (pair.right, pair.left)),
    "by the second part, down": (("-right",), lambda pair: (-pair.right, pair.left)),
    "by a value and the first part, down": (("rank", "-left"), lambda pair: (pair.rank, -ord(pair.left), pair.right)),
}


@case("H1", each=COMPOSITE)
async def every_part_of_a_key_decides_among_equals(k: Kit, order: tuple[str, ...], by: Callable[[Any], Any]) -> None:
    """The parts that the order does not name follow it, ascending, in the order of their declaration."""
    pairs = [(left, right) for left in "bac" for right in (3, 1, 2)]
    await fill(k.store[Pair], [{"left": left, "right": right, "rank": right % 2} for left, right in pairs])
    found = await k.store[Pair].query().order_by(*order).all()
    assert [by(pair) for pair in found] == sorted(by(pair) for pair in found)
    assert len(found) == 9
    cut = [pair for start in range(0, 9, 2) for pair in await k.store[Pair].query().order_by(*order).offset(start).limit(2).all()]
    assert [by(pair) for pair in cut] == [by(pair) for pair in found]


@case("H1")
async def uuid_keys_decide_as_bytes(k: Kit) -> None:
    """Equal values are in the order of their keys' sixteen bytes."""
    made = await fill(k.store[Ticket], [{"place": number % 2} for number in range(12)])
    found = await k.store[Ticket].query().order_by("-place").all()
    assert [(-ticket.place, ticket.id.bytes) for ticket in found] == sorted((-ticket.place, ticket.id.bytes) for ticket in made)


@case("H1", needs=JOINED)
async def the_key_decides_where_a_relation_is_equal(k: Kit) -> None:
    """An order through a relation has the record's own key at its end, not that of the other side."""
    await family(k)
    await fill(k.store[Dog], [{"id": id_, "name": "x", "owner_id": 1 + id_ % 2} for id_ in (9, 7, 8, 6)])
    found = await k.store[Dog].query().order_by(desc(DOG.owner.name)).all()
    assert [dog.id for dog in found] == [3, 7, 9, 1, 2, 6, 8]


@case("H1")
async def first_and_last_without_an_order_are_by_key(k: Kit) -> None:
    """They never depend on how records were written."""
    await fill(k.store[Sample], [{"id": id_, "whole": 1} for id_ in (5, 2, 9, 1, 7)])
    for _ in range(3):
        assert (await k.store[Sample].query().first()).id == 1
        assert (await k.store[Sample].query().last()).id == 9
    assert (await k.store[Sample].where(SAMPLE.id > 1, whole=1).first()).id == 2
    assert [item.id async for item in k.store[Sample].query().stream(2)] == [1, 2, 5, 7, 9]


@case("H1")
async def a_later_order_replaces_an_earlier_one(k: Kit) -> None:
    """order_by is never ignored in silence: the last call counts, and none at all removes it."""
    await fill(k.store[Sample], [{"id": 1, "whole": 2}, {"id": 2, "whole": 1}])
    query = k.store[Sample].query().order_by("whole")
    assert [item.id for item in await query.all()] == [2, 1]
    assert [item.id for item in await query.order_by("-whole").all()] == [1, 2]
    assert (await query.order_by().first()).id == 1
    assert [item.id for item in await query.order_by().order_by("-id").all()] == [2, 1]


@case("H1")
async def equal_values_come_with_every_record(k: Kit) -> None:
    """values() without distinct() keeps duplicates, in the order asked for."""
    await fill(k.store[Sample], [{"id": number, "whole": number // 2} for number in range(6)])
    assert await k.store[Sample].query().order_by("-whole").column(SAMPLE.whole) == [2, 2, 1, 1, 0, 0]
