"""H3: walking a result page by page, both ways, over every kind of order."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from holdall.query import asc, desc
from holdall.testing.case import case
from holdall.testing.cases.kinship import JOINED, family
from holdall.testing.cases.ordering import SEVERAL, WAYS
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.kin import DOG, PERSON, Dog, Person
from holdall.testing.models.order_keys import Pair, Ticket
from holdall.testing.models.samples import ORDERABLE, SAMPLE, Indexed, Sample


def key_of(record: Any) -> Any:
    """The record's key."""
    return record.__key_value__()


async def forwards(query: Any, size: int) -> tuple[list[Any], list[Any]]:
    """The keys of all pages in the order read, and the pages."""
    keys: list[Any] = []
    pages: list[Any] = []
    cursor = None
    while True:
        page = await query.page(size, cursor)
        assert len(page) <= size, "a page is longer than asked for"
        assert page.items or not pages, "an empty page at the end"
        pages.append(page)
        keys += [key_of(item) for item in page]
        assert len(pages) < 100, "the cursors never end"
        cursor = page.next_cursor
        if cursor is None:
            return keys, pages


async def backwards(query: Any, size: int, last: Any) -> list[Any]:
    """The keys of all pages before `last` and of itself, read from the end to the beginning."""
    keys = [key_of(item) for item in last]
    page = last
    for _ in range(100):
        if page.prev_cursor is None:
            return keys
        page = await query.page(size, page.prev_cursor)
        assert len(page) <= size
        assert page.items, "an empty page at the beginning"
        keys = [key_of(item) for item in page] + keys
    raise AssertionError("the cursors never end")


async def walk(query: Any, count: int, sizes: tuple[int, ...] = (1, 2, 3, 100)) -> None:
    """Forwards and backwards over the whole, in pages of several sizes: exactly what all() gives."""
    whole = [key_of(item) for item in await query.all()]
    if not query.select.order:
        whole.sort()  # pages need an order, so they have one: the key
    assert len(whole) == count
    for size in sizes:
        keys, pages = await forwards(query, size)
        assert keys == whole, f"forwards in pages of {size}"
        assert await backwards(query, size, pages[-1]) == whole, f"backwards in pages of {size}"
        assert pages[0].prev_cursor is None
        assert all(len(page) == size for page in pages[:-1]), "a page in the middle is short"
        assert [page.has_more for page in pages] == [True] * (len(pages) - 1) + [False]
        for before, after in pairwise(pages):
            again = await query.page(size, after.prev_cursor)
            assert [key_of(item) for item in again] == [key_of(item) for item in before], "there and back again"


BY_TYPE = {f"{name}, {way}": (name, *options) for name in ORDERABLE for way, options in WAYS.items()}


@case("H3", each=BY_TYPE)
async def pages_by_every_type_with_nulls_and_ties(k: Kit, name: str, way: Any, nulls: str) -> None:
    """Two records of each value and two nulls: places among nulls and among equals are found again."""
    low, high = ORDERABLE[name]
    values = {1: low, 2: None, 3: high, 4: None, 5: low, 6: high}
    await fill(k.store[Sample], [{"id": id_, name: value} for id_, value in values.items()])
    await walk(k.store[Sample].query().order_by(way(getattr(SAMPLE, name), nulls=nulls)), 6, (1, 2, 5))


@case("H3", each={f"{name}, {way}": (name, *options) for name in ("text", "whole", "at", "uid") for way, options in WAYS.items()})
async def pages_by_an_index(k: Kit, name: str, way: Any, nulls: str) -> None:
    """The same where an engine may seek in an index."""
    low, high = ORDERABLE[name]
    await fill(k.store[Indexed], [{"id": id_, name: (low, None, high)[id_ % 3]} for id_ in range(1, 8)])
    await walk(k.store[Indexed].query().order_by(way(getattr(Indexed, name), nulls=nulls)), 7, (2, 3))


@case("H3", each={name: make for name, (make, _) in SEVERAL.items()})
async def pages_by_several_keys(k: Kit, make: Callable[[], tuple[Any, ...]]) -> None:
    """Mixed directions and null placements: a place is told by all of them together."""
    rows = [(1, 1, "a"), (2, 1, "b"), (3, 1, None), (4, 2, "a"), (5, None, "a"), (6, None, None), (7, None, None), (8, 1, "a")]
    await fill(k.store[Sample], [{"id": id_, "whole": whole, "text": text} for id_, whole, text in rows])
    await walk(k.store[Sample].query().order_by(*make()), 8, (1, 2, 3, 7, 8, 9))


@case("H3", each={str(size): size for size in range(1, 13)})
async def pages_of_every_size(k: Kit, size: int) -> None:
    """From one record to more than there are; at exactly the end there is no further page."""
    await fill(k.store[Sample], [{"id": id_, "whole": id_ % 3} for id_ in range(11)])
    await walk(k.store[Sample].query().order_by("-whole"), 11, (size,))


ORDERS: dict[str, tuple[Any, ...]] = {
    "no order": (),
    "rank": ("rank",),
    "second part": ("right",),
    "second part, down": ("-right",),
    "rank and second part, down": ("-rank", "-right"),
    "both parts, turned round": ("-right", "left"),
}


@case("H3", each=ORDERS)
async def pages_of_composite_keys(k: Kit, *order: Any) -> None:
    """Every part of the key tells the place."""
    await fill(k.store[Pair], [{"left": left, "right": right, "rank": right % 2} for left in "ab" for right in range(4)])
    await walk(k.store[Pair].query().order_by(*order), 8, (1, 3))


@case("H3")
async def pages_of_uuid_keys(k: Kit) -> None:
    """With and without an order."""
    await fill(k.store[Ticket], [{"place": number % 2} for number in range(7)])
    await walk(k.store[Ticket].query(), 7, (2,))
    await walk(k.store[Ticket].query().order_by("-place"), 7, (2, 3))
    await walk(k.store[Ticket].query().order_by("-id"), 7, (2, 3))


@case("H3")
async def pages_without_an_order_are_by_key(k: Kit) -> None:
    """A page needs an order, so it has one."""
    await fill(k.store[Sample], [{"id": id_} for id_ in (5, 3, 9, 1, 7)])
    keys, _ = await forwards(k.store[Sample].query(), 2)
    assert keys == [1, 3, 5, 7, 9]


@case("H3")
async def pages_of_a_filtered_query(k: Kit) -> None:
    """The condition holds on every page; nothing is left out for what it leaves out."""
    await fill(k.store[Sample], [{"id": id_, "whole": id_ % 4, "text": "ab"[id_ % 2]} for id_ in range(20)])
    await walk(k.store[Sample].where((SAMPLE.whole == 1) | (SAMPLE.id > 15)).order_by("text", "-whole"), 8, (1, 3, 8))


THROUGH: dict[str, Callable[[], tuple[Any, ...]]] = {
    "up": lambda: (PERSON.house.street,),
    "down": lambda: (desc(PERSON.house.street),),
    "nulls first": lambda: (asc(PERSON.house.number, nulls="first"),),
    "two steps": lambda: (desc(PERSON.parent.house.street, nulls="first"), desc(PERSON.name)),
    "two relations": lambda: (PERSON.parent.name, PERSON.house.number),
}


@case("H3", needs=JOINED, each=THROUGH)
async def pages_ordered_through_relations(k: Kit, make: Callable[[], tuple[Any, ...]]) -> None:
    """The place is in values of other records, or in their absence."""
    await family(k)
    await fill(k.store[Person], [{"id": id_, "name": "x", "house_id": (None, 1, 2)[id_ % 3], "parent_id": 2} for id_ in range(4, 9)])
    await walk(k.store[Person].query().order_by(*make()), 8, (1, 2, 3))


@case("H3", each={"up": asc, "down": desc})
async def pages_ordered_by_parts_of_nested_values(k: Kit, way: Any) -> None:
    """A field of a nested value, or of a dict, that may be missing."""
    await fill(k.store[Sample], [{"id": id_, "counts": ({"a": id_ % 3}, {}, None)[id_ % 3 - 1]} for id_ in range(8)])
    await walk(k.store[Sample].query().order_by(way(SAMPLE.counts["a"])), 8, (1, 3))


@case("H3")
async def an_empty_result_has_one_empty_page(k: Kit) -> None:
    """And no cursors."""
    page = await k.store[Sample].query().order_by("whole").page(3)
    assert (page.items, page.next_cursor, page.prev_cursor, page.has_more) == ([], None, None, False)


@case("H3")
async def a_first_page_may_begin_at_an_offset(k: Kit) -> None:
    """The pages after it go on from there; the way back leads to the records before it."""
    await fill(k.store[Sample], [{"id": id_} for id_ in range(10)])
    query = k.store[Sample].query().order_by("id")
    page = await query.offset(4).page(3)
    assert [item.id for item in page] == [4, 5, 6]
    assert [item.id for item in await query.page(3, page.next_cursor)] == [7, 8, 9]


@case("H3", needs="references")
async def pages_carry_includes(k: Kit) -> None:
    """Related records come with every page."""
    await family(k)
    query = k.store[Person].query().order_by("id").include("dogs")
    page = await query.page(1)
    names: list[list[str]] = []
    while True:
        names += [sorted(dog.name for dog in person.dogs) for person in page]
        if page.next_cursor is None:
            break
        page = await query.page(1, page.next_cursor)
    assert names == [["Ada", "Rex"], ["Ink"], []]


@case("H3", needs="references")
async def the_size_of_the_page_and_the_includes_may_change_on_the_way(k: Kit) -> None:
    """They are no part of the query that a cursor is bound to."""
    await family(k)
    dogs = k.store[Dog].query().order_by(desc(DOG.weight))
    page = await dogs.page(1)
    assert [dog.id for dog in page] == [2]
    page = await dogs.page(5, page.next_cursor)
    assert [dog.id for dog in page] == [1, 3]
    page = await dogs.include("owner").page(1, page.prev_cursor)
    assert [(dog.id, dog.owner.name) for dog in page] == [(2, "Ann")]
