"""B2 through relations: to one that is absent, to many that are none, and values that are null on the other side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from holdall.errors import Unsupported
from holdall.query import Q, agg, contains, is_not_null, is_null, is_same, not_, not_one_of, one_of
from holdall.query.quantifiers import each, every, none
from holdall.testing.case import case
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.kin import DOG, PERSON, Dog, House, Person

JOINED = ("joins", "references")

# id, name, age, house, parent: Ann lives in Elm 1, Bob in Oak without a number, Cid nowhere.
PEOPLE: list[tuple[int, str, int | None, int | None, int | None]] = [
    (1, "Ann", 60, 1, None),
    (2, "Bob", None, 2, 1),
    (3, "Cid", 7, None, 2),
]
# id, name, weight, good, owner: Ann has two dogs, Bob one of unknown weight, Cid none.
DOGS: list[tuple[int, str, int | None, bool | None, int]] = [
    (1, "Rex", 10, True, 1),
    (2, "Ada", 30, None, 1),
    (3, "Ink", None, False, 2),
]


async def family(k: Kit) -> None:
    """Two houses, three people, three dogs."""
    await fill(k.store[House], [{"id": 1, "street": "Elm", "number": 1}, {"id": 2, "street": "Oak"}])
    for id_, name, age, house, parent in PEOPLE:
        await k.store[Person].create(id=id_, name=name, age=age, house_id=house, parent_id=parent)
    for dog, name, weight, good, owner in DOGS:
        await k.store[Dog].create(id=dog, name=name, weight=weight, good=good, owner_id=owner)


async def _names(k: Kit, condition: Any) -> list[str]:
    return [person.name for person in await k.store[Person].where(condition).order_by("id").all()]


TO_ONE: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "eq": (lambda: PERSON.house.street == "Elm", ["Ann"]),
    "eq, denied": (lambda: not_(PERSON.house.street == "Elm"), ["Bob"]),
    "ne": (lambda: PERSON.house.street != "Elm", ["Bob"]),
    "lt": (lambda: PERSON.house.street < "F", ["Ann"]),
    "in": (lambda: one_of(PERSON.house.street, ["Elm", "Oak", None]), ["Ann", "Bob"]),
    "not in": (lambda: not_one_of(PERSON.house.street, ["Elm"]), ["Bob"]),
    "not in with null": (lambda: not_one_of(PERSON.house.street, ["Elm", None]), []),
    "contains": (lambda: contains(PERSON.house.street, "l"), ["Ann"]),
    "contains, denied": (lambda: not_(contains(PERSON.house.street, "l")), ["Bob"]),
    "null field or no record": (lambda: is_null(PERSON.house.number), ["Bob", "Cid"]),
    "field that is never null": (lambda: is_null(PERSON.house.street), ["Cid"]),
    "value there": (lambda: is_not_null(PERSON.house.number), ["Ann"]),
    "same": (lambda: is_same(PERSON.house.number, 1), ["Ann"]),
    "same, denied": (lambda: not_(is_same(PERSON.house.number, 1)), ["Bob", "Cid"]),
    "no record": (lambda: is_null(PERSON.house), ["Cid"]),
    "a record": (lambda: is_not_null(PERSON.house), ["Ann", "Bob"]),
    "a record, denied twice": (lambda: not_(not_(is_not_null(PERSON.house))), ["Ann", "Bob"]),
    "this record": (lambda: PERSON.house == 1, ["Ann"]),
    "not this record": (lambda: PERSON.house != 1, ["Bob"]),
    "two steps": (lambda: PERSON.parent.house.street == "Elm", ["Bob"]),
    "two steps, denied": (lambda: not_(PERSON.parent.house.street == "Elm"), ["Cid"]),
    "two steps, null": (lambda: is_null(PERSON.parent.house.number), ["Ann", "Cid"]),
    "three steps": (lambda: PERSON.parent.parent.house.number == 1, ["Cid"]),
    "field against field": (lambda: PERSON.age < PERSON.parent.age, []),
    "field against field, denied": (lambda: not_(PERSON.age < PERSON.parent.parent.age), []),
    "or with nothing known": (lambda: (PERSON.house.number == 1) | (PERSON.age == 7), ["Ann", "Cid"]),
    "and with nothing known": (lambda: (PERSON.house.number == 1) & (PERSON.age == 60), ["Ann"]),
    "keywords": (lambda: Q(house__street="Elm") | Q(parent__name="Bob"), ["Ann", "Cid"]),
    "keywords, denied": (lambda: not_(Q(house__street="Elm")), ["Bob"]),
    "keyword is_null of a relation": (lambda: Q(house__is_null=True), ["Cid"]),
}


@case("B2", needs=JOINED, each=TO_ONE)
async def a_relation_to_one_that_is_absent_is_unknown(k: Kit, make: Callable[[], Any], expected: list[str]) -> None:
    """Through a relation that leads nowhere, every value is null."""
    await family(k)
    assert await _names(k, make()) == expected


TO_MANY: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "each": (lambda: each(PERSON.dogs).weight >= 10, ["Ann"]),
    "each, denied": (lambda: not_(each(PERSON.dogs).weight >= 10), ["Bob", "Cid"]),
    "each that is not": (lambda: each(PERSON.dogs).weight != 10, ["Ann"]),
    "each is null": (lambda: is_null(each(PERSON.dogs).weight), ["Bob"]),
    "each has a value": (lambda: is_not_null(each(PERSON.dogs).weight), ["Ann"]),
    "each not in with null": (lambda: not_one_of(each(PERSON.dogs).weight, [1, None]), []),
    "every": (lambda: every(PERSON.dogs).weight >= 10, ["Ann", "Cid"]),
    "every, denied": (lambda: not_(every(PERSON.dogs).weight >= 10), ["Bob"]),
    "every, not of all": (lambda: every(PERSON.dogs).weight > 10, ["Cid"]),
    "every is null": (lambda: is_null(every(PERSON.dogs).weight), ["Bob", "Cid"]),
    "every, one unknown": (lambda: every(PERSON.dogs).good == True, ["Cid"]),
    "none": (lambda: none(PERSON.dogs).weight >= 10, ["Bob", "Cid"]),
    "none, denied": (lambda: not_(none(PERSON.dogs).weight >= 10), ["Ann"]),
    "none is null": (lambda: is_null(none(PERSON.dogs).weight), ["Ann", "Cid"]),
    "none at all": (lambda: is_not_null(none(PERSON.dogs).id), ["Cid"]),
    "this record": (lambda: each(PERSON.dogs) == cast(Any, 3), ["Bob"]),
    "a deeper one": (lambda: each(PERSON.children).parent.house.street == "Elm", ["Ann"]),
    "each of each": (lambda: is_null(each(each(PERSON.children).dogs).weight), ["Ann"]),
    "every of each": (lambda: every(each(PERSON.children).dogs).weight > 100, ["Bob"]),
    "none of every": (lambda: none(every(PERSON.children).dogs).good == False, ["Bob", "Cid"]),
    "no record beyond": (lambda: is_null(each(PERSON.children).house), ["Bob"]),
    "keywords to one and to many": (lambda: Q(parent__dogs__weight__gt=20), ["Bob"]),
    "through a relation to one": (lambda: each(PERSON.parent.dogs).weight == 30, ["Bob"]),
    "every through a relation to one": (lambda: every(PERSON.parent.dogs).weight == 1, ["Ann"]),
    "keywords": (lambda: Q(dogs__weight__gte=10), ["Ann"]),
    "keyword is_null of a relation to many": (lambda: Q(dogs__is_null=True), ["Cid"]),
    "keyword is_null false of a relation to many": (lambda: Q(dogs__is_null=False), ["Ann", "Bob"]),
}


@case("B2", needs=JOINED, each=TO_MANY)
async def each_every_and_none_are_never_unknown(k: Kit, make: Callable[[], Any], expected: list[str]) -> None:
    """every and none hold of no records at all; a record for which the inner condition is unknown does not meet it."""
    await family(k)
    assert await _names(k, make()) == expected


@case("B2", needs=JOINED)
async def two_conditions_on_each_may_be_met_by_different_records(k: Kit) -> None:
    """Two each(…) are two questions."""
    await family(k)
    assert await _names(k, (each(PERSON.dogs).name == "Rex") & (each(PERSON.dogs).weight == 30)) == ["Ann"]
    assert await _names(k, (each(PERSON.dogs).name == "Rex") & (none(PERSON.dogs).weight == 30)) == []


@case("B2", needs=JOINED)
async def a_record_comes_once_however_many_related_ones_match(k: Kit) -> None:
    """each(…) is a condition, not a product of records."""
    await family(k)
    found = await k.store[Person].where(each(PERSON.dogs).id > 0).all()
    assert sorted(person.id for person in found) == [1, 2]
    page = await k.store[Person].where(each(PERSON.dogs).id > 0).order_by("name").limit(2).all()
    assert [person.id for person in page] == [1, 2]


@case("B2", needs=(*JOINED, "aggregates"))
async def a_condition_through_relations_counts_right(k: Kit) -> None:
    """count, sum and groups see the same records as all()."""
    await family(k)
    query = k.store[Person].where(each(PERSON.dogs).weight > 0)
    assert (await query.count(), await query.sum(PERSON.age)) == (1, 60)
    by_street = await k.store[Person].query().group_by(PERSON.house.street).order_by("house.street").values("house.street", n=agg.count())
    assert by_street == [{"house.street": "Elm", "n": 1}, {"house.street": "Oak", "n": 1}, {"house.street": None, "n": 1}]


@case("B2", needs=(*JOINED, "set_writes"))
async def writes_by_query_through_relations(k: Kit) -> None:
    """Update and delete touch what the condition is true of, though it looks at other records, or at the same model."""
    await family(k)
    assert await k.store[Person].where(not_(PERSON.house.street == "Elm")).update(age=1) == 1
    assert await k.store[Person].where(PERSON.parent.age == 1).update(age=2) == 1
    assert [person.age for person in await k.store[Person].query().order_by("id").all()] == [60, 1, 2]
    assert await k.store[Dog].where(DOG.owner.house.number == 1).delete() == 2
    assert [dog.name for dog in await k.store[Dog].all()] == ["Ink"]


@case("B2", needs=JOINED)
async def columns_through_an_absent_relation_are_null(k: Kit) -> None:
    """values() gives the record all the same."""
    await family(k)
    rows = await k.store[Person].query().order_by("id").values("name", "house.street", "house.number", grand="parent.parent.name")
    assert [tuple(row.values()) for row in rows] == [("Ann", "Elm", 1, None), ("Bob", "Oak", None, None), ("Cid", None, None, "Ann")]


@case("B2", needs="references")
async def an_absent_relation_is_loaded_as_none(k: Kit) -> None:
    """include gives None for no record, and an empty list for none of many: the collection is there when one relation is empty."""
    await family(k)
    found = await k.store[Person].query().order_by("id").include("house", "dogs", "parent.house").all()
    assert [person.house and person.house.street for person in found] == ["Elm", "Oak", None]
    assert [sorted(dog.name for dog in person.dogs) for person in found] == [["Ada", "Rex"], ["Ink"], []]
    assert [person.parent and person.parent.house and person.parent.house.street for person in found] == [None, "Elm", "Oak"]


@case("B2", needs="references", absent="joins")
async def a_condition_through_a_relation_is_refused_without_joins(k: Kit) -> None:
    """With the reason and a remedy, whatever is asked; what goes through no relation is answered."""
    await family(k)
    people = k.store[Person]
    for query in (
        people.where(PERSON.house.street == "Elm"),
        people.where(each(PERSON.dogs).weight > 1),
        people.where(~Q(house__number=1)),
    ):
        with k.refused(Unsupported, says="joins"):
            await query.all()
        with k.refused(Unsupported, says="one_of"):
            await query.exists()
    with k.refused(Unsupported, says="joins"):
        await people.query().order_by("house.street").all()
    with k.refused(Unsupported, says="joins"):
        await people.query().values("house.street")
    assert [person.name for person in await people.where(PERSON.house == 1).all()] == ["Ann"]


@case("B2", needs=("references", "set_writes"), absent="joins")
async def a_write_by_query_through_a_relation_is_refused_without_joins(k: Kit) -> None:
    """And nothing is written."""
    await family(k)
    with k.refused(Unsupported, says="joins"):
        await k.store[Person].where(PERSON.house.street == "Elm").update(age=1)
    with k.refused(Unsupported, says="joins"):
        await k.store[Dog].where(DOG.owner.house.street == "Elm").delete()
    assert [person.age for person in await k.store[Person].query().order_by("id").all()] == [60, None, 7]
    assert len(await k.store[Dog].all()) == 3
