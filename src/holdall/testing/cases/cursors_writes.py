"""H3: pages while others write. No record that nobody touched is skipped or comes twice."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any

from holdall.query import asc, desc
from holdall.testing.case import case
from holdall.testing.cases.cursors import key_of
from holdall.testing.cases.kinship import JOINED, family
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.kin import PERSON, House, Person
from holdall.testing.models.samples import SAMPLE, Sample

Disturb = Callable[[Kit, Any], Awaitable[None]]


async def _ten(k: Kit) -> None:
    """Ten records, 10 to 100, by number."""
    await fill(k.store[Sample], [{"id": number * 10, "whole": number * 10} for number in range(1, 11)])


async def _insert_before(k: Kit, page: Any) -> None:
    await k.store[Sample].create(id=page.items[0].id - 5, whole=page.items[0].whole - 5)


async def _insert_after(k: Kit, page: Any) -> None:
    await k.store[Sample].create(id=page.items[-1].id + 5, whole=page.items[-1].whole + 5)


async def _insert_equal(k: Kit, page: Any) -> None:
    await k.store[Sample].create(id=page.items[-1].id + 1, whole=page.items[-1].whole)
    await k.store[Sample].create(id=page.items[-1].id - 1, whole=page.items[-1].whole)


async def _insert_null(k: Kit, page: Any) -> None:
    await k.store[Sample].create(id=1000 + page.items[0].id)


async def _delete_the_last(k: Kit, page: Any) -> None:
    await k.store[Sample].delete(await k.store[Sample].get(page.items[-1].id))


async def _delete_all_of_it(k: Kit, page: Any) -> None:
    for item in page:
        await k.store[Sample].delete(await k.store[Sample].get(item.id))


async def _move_the_last(k: Kit, page: Any) -> None:
    item = await k.store[Sample].get(page.items[-1].id)
    item.whole = -1000 - item.id
    await k.store[Sample].save(item)


async def _move_it_to_null(k: Kit, page: Any) -> None:
    item = await k.store[Sample].get(page.items[0].id)
    item.whole = None
    await k.store[Sample].save(item)


async def _change_something_else(k: Kit, page: Any) -> None:
    for item in page:
        found = await k.store[Sample].get(item.id)
        found.text = "touched"
        await k.store[Sample].save(found)


DISTURBANCES: dict[str, Disturb] = {
    "inserts before": _insert_before,
    "inserts after": _insert_after,
    "inserts equals": _insert_equal,
    "inserts of nulls": _insert_null,
    "deletes at the edge": _delete_the_last,
    "deletes of what was read": _delete_all_of_it,
    "moves of the edge": _move_the_last,
    "moves to null": _move_it_to_null,
    "changes of other fields": _change_something_else,
}
WALKS = {f"{name}, pages of {size}": (disturb, size) for name, disturb in DISTURBANCES.items() for size in (1, 3)}


@case("H3", each=WALKS)
async def what_nobody_touched_comes_once(k: Kit, disturb: Disturb, size: int) -> None:
    """After each page somebody writes; every record that was there from the beginning and was not touched comes exactly once."""
    await _ten(k)
    query = k.store[Sample].query().order_by("whole")
    before = {item.id: item.whole for item in await query.all()}
    seen: list[tuple[Any, Any]] = []
    cursor = None
    for _ in range(50):
        page = await query.page(size, cursor)
        seen += [(item.id, item.whole) for item in page]
        cursor = page.next_cursor
        if cursor is None:
            break
        if len(before) < 60 and page.items and page.items[0].id in before:
            await disturb(k, page)
    else:
        raise AssertionError("the cursors never end")
    after = {item.id: item.whole for item in await query.all()}
    untouched = [id_ for id_, whole in before.items() if after.get(id_, -1) == whole]
    for id_ in untouched:
        assert [key for key, _ in seen].count(id_) == 1, f"{id_} came {[key for key, _ in seen].count(id_)} times"
    assert len(seen) == len(set(seen)), "a record came twice with the same values"
    assert {id_ for id_, _ in seen} >= set(before), "a record that was there when its page was read is missing"


@case("H3", each={name: disturb for name, disturb in DISTURBANCES.items() if name != "deletes of what was read"})
async def the_way_back_is_as_steady(k: Kit, disturb: Disturb) -> None:
    """Backwards from the end, with a write after each page."""
    await _ten(k)
    query = k.store[Sample].query().order_by("whole")
    before = {item.id: item.whole for item in await query.all()}
    page = await query.page(8)
    page = await query.page(8, page.next_cursor)
    seen = [item.id for item in page]
    for _ in range(20):
        if page.prev_cursor is None:
            break
        if page.items[0].id in before:
            await disturb(k, page)
        page = await query.page(2, page.prev_cursor)
        seen += [item.id for item in page]
    after = {item.id: item.whole for item in await query.all()}
    for id_, whole in before.items():
        if after.get(id_, -1) == whole:
            assert seen.count(id_) == 1, f"{id_} came {seen.count(id_)} times"


@case("H3", each={str(seed): seed for seed in range(8)})
async def random_writes_between_pages(k: Kit, seed: int) -> None:
    """Any mixture of inserts, moves and deletes, in any order with nulls and ties."""
    chance = random.Random(seed)
    await fill(k.store[Sample], [{"id": id_, "whole": chance.choice([None, 1, 2, 3])} for id_ in range(0, 40, 2)])
    way = chance.choice([asc, desc])
    query = k.store[Sample].query().order_by(way(SAMPLE.whole, nulls=chance.choice(["first", "last"])))
    untouched = {item.id for item in await query.all()}
    seen: list[int] = []
    cursor = None
    new = 100
    while True:
        page = await query.page(chance.randint(1, 4), cursor)
        seen += [item.id for item in page]
        cursor = page.next_cursor
        if cursor is None:
            break
        for _ in range(2):
            action = chance.choice(["insert", "delete", "move"])
            new += 1
            if action == "insert":
                await k.store[Sample].create(id=new if chance.random() < 0.5 else -new, whole=chance.choice([None, 0, 1, 2, 3, 4]))
                continue
            item = await k.store[Sample].get(chance.randrange(0, 40, 2))
            if item is None:
                continue
            untouched.discard(item.id)
            if action == "delete":
                await k.store[Sample].delete(item)
            else:
                item.whole = chance.choice([None, 0, 1, 2, 3, 4])
                await k.store[Sample].save(item)
        assert len(seen) < 500, "the cursors never end"
    assert all(seen.count(id_) == 1 for id_ in untouched), {id_: seen.count(id_) for id_ in untouched if seen.count(id_) != 1}


@case("H3")
async def a_cursor_outlives_the_record_it_came_from(k: Kit) -> None:
    """The record at the edge is deleted: the next page begins where it stood."""
    await _ten(k)
    query = k.store[Sample].query().order_by("whole")
    page = await query.page(3)
    await k.store[Sample].delete(page.items[-1])
    rest = await query.page(20, page.next_cursor)
    assert [item.id for item in rest] == [40, 50, 60, 70, 80, 90, 100]
    back = await query.page(20, rest.prev_cursor)
    assert [item.id for item in back] == [10, 20]


@case("H3")
async def a_cursor_to_what_has_become_empty(k: Kit) -> None:
    """No records left after the place: an empty page, and an end."""
    await _ten(k)
    query = k.store[Sample].query().order_by("whole")
    page = await query.page(9)
    await k.store[Sample].delete(await k.store[Sample].get(100))
    rest = await query.page(9, page.next_cursor)
    assert (rest.items, rest.next_cursor) == ([], None)


@case("H3")
async def records_that_come_later_are_found_from_the_last_page(k: Kit) -> None:
    """The place of the last page's first record leads back over what is new as well."""
    await _ten(k)
    query = k.store[Sample].query().order_by("whole")
    page = await query.page(5)
    last = await query.page(5, page.next_cursor)
    assert last.next_cursor is None
    await k.store[Sample].create(id=55, whole=55)
    back = await query.page(2, last.prev_cursor)
    assert [item.id for item in back] == [50, 55]
    assert [item.id for item in await query.page(20, back.next_cursor)] == [60, 70, 80, 90, 100]


@case("H3", needs=JOINED)
async def the_other_side_changes_between_pages(k: Kit) -> None:
    """An order through a relation: those whose related record nobody touched come once."""
    await family(k)
    await fill(k.store[House], [{"id": id_, "street": f"S{id_}"} for id_ in range(3, 9)])
    await fill(k.store[Person], [{"id": id_, "name": "x", "house_id": id_} for id_ in range(3 + 1, 9)])
    query = k.store[Person].query().order_by(PERSON.house.street)
    whole = [key_of(person) for person in await query.all()]
    first = await query.page(3)
    moved = await k.store[House].get(8)
    moved.street = "A"
    await k.store[House].save(moved)
    await k.store[Person].delete(await k.store[Person].get(first.items[-1].id))
    rest = await query.page(20, first.next_cursor)
    seen = [key_of(person) for person in (*first, *rest)]
    assert sorted(seen) == sorted(id_ for id_ in whole if id_ != 8)
    assert len(seen) == len(set(seen))


@case("H3", needs="transactions")
async def pages_inside_a_transaction(k: Kit) -> None:
    """They see what the transaction wrote, and cursors serve inside and outside alike."""
    await _ten(k)
    query = k.store[Sample].query().order_by("whole")
    async with k.store.transaction():
        page = await query.page(2)
        await k.store[Sample].create(id=25, whole=25)
        await k.store[Sample].delete(await k.store[Sample].get(30))
        inside = await query.page(2, page.next_cursor)
        assert [item.id for item in inside] == [25, 40]
    assert [item.id for item in await query.page(3, page.next_cursor)] == [25, 40, 50]
    assert [item.id for item in await query.page(1, inside.next_cursor)] == [50]


@case("H3", each={str(size): size for size in (1, 3, 100)})
async def a_stream_does_not_end_early_or_never(k: Kit, size: int) -> None:
    """Records are removed and added while they are streamed in pages."""
    await _ten(k)
    seen: list[int] = []
    async for item in k.store[Sample].query().order_by("id").stream(size):
        seen.append(item.id)
        assert len(seen) < 100, "the stream never ends"
        if item.id % 10 == 0 and item.id <= 100:
            await k.store[Sample].delete(await k.store[Sample].get(item.id))
            await k.store[Sample].create(id=item.id - 1)
    assert [id_ for id_ in seen if id_ % 10 == 0] == list(range(10, 101, 10))
    assert len(seen) == len(set(seen))
