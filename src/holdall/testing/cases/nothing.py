"""B5: membership in nothing, with nothing sent to the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.query import Q, is_null, not_, not_one_of, one_of
from holdall.query.quantifiers import each, every
from holdall.testing.case import case
from holdall.testing.cases.kinship import JOINED, family
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.kin import PERSON, Person
from holdall.testing.models.samples import ORDERABLE, SAMPLE, Sample
from holdall.testing.proxy import Through, through


class Counting(Through):
    """Counts what reaches the engine."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.effects = 0

    def perform(self, effect: Any) -> Any:
        self.effects += 1
        return self.inner.perform(effect)

    async def aperform(self, effect: Any) -> Any:
        self.effects += 1
        return await self.inner.aperform(effect)


CONDITIONS: dict[str, tuple[Callable[[], Any], set[int]]] = {
    "in": (lambda: one_of(SAMPLE.whole, []), set()),
    "in, denied": (lambda: not_(one_of(SAMPLE.whole, [])), {1, 2, 3}),
    "not in": (lambda: not_one_of(SAMPLE.whole, []), {1, 2, 3}),
    "not in, denied": (lambda: not_(not_one_of(SAMPLE.whole, [])), set()),
    "keyword": (lambda: Q(whole__in=()), set()),
    "keyword nin": (lambda: Q(whole__nin=()), {1, 2, 3}),
    "and": (lambda: one_of(SAMPLE.whole, []) & (SAMPLE.id > 0), set()),
    "or": (lambda: one_of(SAMPLE.whole, []) | (SAMPLE.id == 2), {2}),
    "and not in": (lambda: not_one_of(SAMPLE.whole, []) & is_null(SAMPLE.whole), {3}),
    "or not in": (lambda: not_one_of(SAMPLE.whole, []) | (SAMPLE.id == 9), {1, 2, 3}),
    "deep": (lambda: not_((SAMPLE.id == 1) | not_(one_of(SAMPLE.text, set[str]()))), set()),
    "or with a null in the list": (lambda: one_of(SAMPLE.whole, []) | one_of(SAMPLE.whole, [None]), set()),
    "or with a null in the list, denied": (lambda: not_(one_of(SAMPLE.whole, []) | one_of(SAMPLE.whole, [None])), set()),
    "and with a null in the list, denied": (lambda: not_(one_of(SAMPLE.whole, []) & one_of(SAMPLE.whole, [None])), {1, 2, 3}),
    "and with not in a null, denied": (lambda: not_(one_of(SAMPLE.whole, [1]) & not_one_of(SAMPLE.id, [1, None])), {1, 2}),
    "not in nothing, and its opposite": (lambda: not_one_of(SAMPLE.whole, []) & not_(not_one_of(SAMPLE.id, [])), set()),
    "of a generator": (lambda: one_of(SAMPLE.id, (number for number in range(0))), set()),
    "of the key": (lambda: one_of(SAMPLE.id, []), set()),
}


@case("B5", each=CONDITIONS)
async def in_nothing_is_false_and_not_in_nothing_is_true(k: Kit, make: Callable[[], Any], expected: set[int]) -> None:
    """Also of a null: that nothing is in an empty list is known."""
    await fill(k.store[Sample], [{"id": 1, "whole": 1}, {"id": 2, "whole": 2}, {"id": 3}])
    assert {item.id for item in await k.store[Sample].where(make()).all()} == expected
    assert await k.store[Sample].where(make()).exists() is bool(expected)


@case("B5", each={name: name for name in ORDERABLE})
async def in_nothing_of_every_type(k: Kit, name: str) -> None:
    """The type of the field does not matter."""
    low, _ = ORDERABLE[name]
    await fill(k.store[Sample], [{"id": 1, name: low}, {"id": 2}])
    term = getattr(SAMPLE, name)
    assert await k.store[Sample].where(one_of(term, [])).all() == []
    assert sorted(item.id for item in await k.store[Sample].where(not_one_of(term, [])).all()) == [1, 2]


@case("B5", needs=JOINED)
async def in_nothing_through_relations(k: Kit) -> None:
    """Of an absent record as of any other."""
    await family(k)
    people = k.store[Person]
    assert await people.where(one_of(PERSON.house.street, [])).all() == []
    assert sorted(person.id for person in await people.where(not_one_of(PERSON.house.street, [])).all()) == [1, 2, 3]
    assert await people.where(one_of(each(PERSON.dogs).weight, [])).all() == []
    assert [person.name for person in await people.where(one_of(every(PERSON.dogs).weight, [])).all()] == ["Cid"]


READS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "all": (lambda query: query.all(), []),
    "first": (lambda query: query.first(), None),
    "last": (lambda query: query.last(), None),
    "exists": (lambda query: query.exists(), False),
    "values": (lambda query: query.values("id"), []),
    "column": (lambda query: query.column(SAMPLE.id), []),
    "ordered": (lambda query: query.order_by("-whole").limit(3).all(), []),
    "two conditions": (lambda query: query.where(SAMPLE.id > 0).all(), []),
}


@case("B5", each=READS)
async def membership_in_nothing_costs_no_round_trip(k: Kit, read: Callable[[Any], Any], expected: Any) -> None:
    """The store answers by itself; counted at the engine's door."""
    await k.store[Sample].create(id=1, whole=1)
    door: Any = through(Counting, k.backend)
    store = k.another_store(backend=door)
    assert len(await store[Sample].all()) == 1
    before = door.effects
    assert before > 0, "nothing was counted"
    assert await read(store[Sample].where(one_of(SAMPLE.whole, []))) == expected
    assert await read(store[Sample].where(one_of(SAMPLE.whole, [])).where(SAMPLE.text == "a")) == expected
    assert door.effects == before


AGGREGATES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "count": (lambda query: query.count(), 0),
    "sum": (lambda query: query.sum(SAMPLE.whole), None),
    "avg": (lambda query: query.avg(SAMPLE.whole), None),
    "min": (lambda query: query.min(SAMPLE.whole), None),
    "max": (lambda query: query.max(SAMPLE.whole), None),
    "groups": (lambda query: query.group_by(SAMPLE.text).values("text"), []),
}


@case("B5", needs="aggregates", each=AGGREGATES)
async def aggregates_of_nothing_cost_no_round_trip(k: Kit, read: Callable[[Any], Any], expected: Any) -> None:
    """The aggregate of what is in no list is that of nothing (B4)."""
    await k.store[Sample].create(id=1, whole=1)
    door: Any = through(Counting, k.backend)
    store = k.another_store(backend=door)
    assert len(await store[Sample].all()) == 1
    before = door.effects
    assert await read(store[Sample].where(one_of(SAMPLE.whole, []))) == expected
    assert door.effects == before


@case("B5", needs="set_writes")
async def writes_to_what_is_in_nothing_cost_no_round_trip(k: Kit) -> None:
    """Nothing is changed, nothing is removed, nothing is sent."""
    await k.store[Sample].create(id=1, whole=1)
    door: Any = through(Counting, k.backend)
    store = k.another_store(backend=door)
    assert len(await store[Sample].all()) == 1
    before = door.effects
    nothing = store[Sample].where(one_of(SAMPLE.id, []))
    assert (await nothing.update(whole=5), await nothing.delete()) == (0, 0)
    assert door.effects == before
    assert [item.whole for item in await k.store[Sample].all()] == [1]


@case("B5")
async def a_page_of_nothing_costs_no_round_trip(k: Kit) -> None:
    """Pages and streams of what is in no list are empty and have no neighbours."""
    await k.store[Sample].create(id=1, whole=1)
    door: Any = through(Counting, k.backend)
    store = k.another_store(backend=door)
    assert len(await store[Sample].all()) == 1
    before = door.effects
    page = await store[Sample].where(one_of(SAMPLE.whole, [])).order_by("whole").page(5)
    assert (page.items, page.next_cursor, page.prev_cursor) == ([], None, None)
    assert [item async for item in store[Sample].where(whole__in=[]).stream()] == []
    assert door.effects == before


@case("B5")
async def reading_and_writing_nothing_costs_no_round_trip(k: Kit) -> None:
    """get_many of no keys, create_many of no records, save_all of none."""
    door: Any = through(Counting, k.backend)
    store = k.another_store(backend=door)
    assert await store[Sample].all() == []
    before = door.effects
    assert await store[Sample].get_many([]) == []
    assert await store[Sample].create_many([]) == []
    await store.save_all([])
    assert door.effects == before
