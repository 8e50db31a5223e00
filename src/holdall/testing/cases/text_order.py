"""A2: the order of text is that of its code points, wherever an order is asked for."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from holdall.errors import Unsupported
from holdall.query import agg, asc, between, desc
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import text as models
from holdall.testing.models.text import Card
from holdall.testing.samples import ALIKE, ASCENDING, LONG, MEANINGFUL, TEXTS
from holdall.testing.steps import found, put

# To type checkers a field is a plain value; here it stands for a term of a query.
Folder: Any = models.Folder
Name: Any = models.Name
Pair: Any = models.Pair
Phrase: Any = models.Phrase

POOL: tuple[str, ...] = tuple(dict.fromkeys([*TEXTS, *MEANINGFUL.values(), *(text for pair in ASCENDING.values() for text in pair)]))
ORDERED = sorted(POOL)  # Python compares code points

PIVOTS = {
    "empty": "",
    "a blank": " ",
    "capital": "Z",
    "small": "a",
    "small and blank": "a ",
    "accented": "\u00e9",
    "below the surrogates": "\ud7ff",
    "private use": "\ue000",
    "replacement": "\ufffd",
    "end of the plane": "\uffff",
    "first astral": "\U00010000",
    "emoji": "\U0001f600",
    "the very last": "\U0010ffff",
    "long": LONG + "a",
    "not there": "a!",
    "number": "10",
}


async def _fill(k: Kit) -> None:
    await put(k, Phrase, *({"id": number, "text": text, "indexed": text} for number, text in enumerate(POOL)))


async def _texts(query: Any, name: str = "text") -> list[Any]:
    return [getattr(record, name) for record in await query.allow_scan().all()]


@case("A2", each=ASCENDING)
async def two_texts_are_sorted_by_code_point(k: Kit, less: str, greater: str) -> None:
    """Sorting, comparing and the extremes agree on which of two texts is less."""
    await put(k, Phrase, {"id": 1, "text": greater, "indexed": greater}, {"id": 2, "text": less, "indexed": less})
    for name, term in (("text", Phrase.text), ("indexed", Phrase.indexed)):
        query = k.store[Phrase].query()
        assert await _texts(query.order_by(term)) == [less, greater]
        assert await _texts(query.order_by(f"-{name}")) == [greater, less]
        assert await found(k, Phrase, term < greater) == [2]
        assert await found(k, Phrase, term > less) == [1]
        assert await found(k, Phrase, term >= greater) == [1]
        assert await found(k, Phrase, term <= less) == [2]


@case("A2", each=ASCENDING)
async def places_inside_values_are_compared_by_code_point(k: Kit, less: str, greater: str) -> None:
    """Text inside JSON, a dict, a list or a record is less and greater by its code points as well."""
    for number, text in ((1, greater), (2, less)):
        await put(k, Folder, {"id": number, "data": {"t": text}, "notes": {"t": text}, "items": [text], "card": Card(text)})
    for term in (Folder.data["t"], Folder.notes["t"], Folder.items[0], Folder.card.title):
        assert await found(k, Folder, term < greater) == [2], str(term)
        assert await found(k, Folder, term > less) == [1], str(term)
        assert await found(k, Folder, term <= less) == [2], str(term)
        assert await found(k, Folder, term >= greater) == [1], str(term)
    for term in (Folder.notes["t"], Folder.items[0], Folder.card.title):
        assert [record.id for record in await k.store[Folder].query().order_by(term).allow_scan().all()] == [2, 1], str(term)


@case("A2", each=ASCENDING)
async def keys_are_sorted_by_code_point(k: Kit, less: str, greater: str) -> None:
    """Without an order, pages, first and last go by the key, which is text."""
    less = less or "\x01"
    greater = greater if greater > less else "\x02"
    await put(k, Name, {"id": greater}, {"id": less})
    names = k.store[Name].query()
    assert (await names.allow_scan().first()).id == less
    assert (await names.allow_scan().last()).id == greater
    page = await names.allow_scan().page(1)
    assert [record.id for record in page] == [less]
    assert [record.id for record in await names.allow_scan().page(1, page.next_cursor)] == [greater]
    assert await found(k, Name, Name.id < greater) == [less]


@case("A2", each=PIVOTS)
async def ranges_are_by_code_point(k: Kit, pivot: str) -> None:
    """Less, greater and between of one text among many."""
    await _fill(k)
    for term in (Phrase.text, Phrase.indexed):
        for condition, wanted in (
            (term < pivot, [n for n, text in enumerate(POOL) if text < pivot]),
            (term <= pivot, [n for n, text in enumerate(POOL) if text <= pivot]),
            (term > pivot, [n for n, text in enumerate(POOL) if text > pivot]),
            (term >= pivot, [n for n, text in enumerate(POOL) if text >= pivot]),
            (between(term, "a", pivot), [n for n, text in enumerate(POOL) if "a" <= text <= pivot]),
            (between(term, pivot, "\U00010000"), [n for n, text in enumerate(POOL) if pivot <= text <= "\U00010000"]),
        ):
            assert await found(k, Phrase, condition) == wanted, str(condition)


@case("A2", each={"ascending": (False,), "descending": (True,)})
async def many_texts_are_sorted_by_code_point(k: Kit, descending: bool) -> None:
    """The whole order, and the beginning, middle and end of it, on a plain and on an indexed field."""
    await _fill(k)
    wanted = ORDERED[::-1] if descending else ORDERED
    for term in (Phrase.text, Phrase.indexed):
        query = k.store[Phrase].query().order_by(desc(term) if descending else asc(term))
        assert await _texts(query) == wanted
        assert await _texts(query.limit(5)) == wanted[:5]
        assert await _texts(query.limit(7).offset(40)) == wanted[40:47]
        assert (await query.allow_scan().first()).text == wanted[0]
        assert (await query.allow_scan().last()).text == wanted[-1]


@case("A2", each={"ascending": (False, 7), "descending": (True, 7), "one by one": (False, 1)})
async def pages_are_by_code_point(k: Kit, descending: bool, size: int) -> None:
    """Cursors over text go on after the last one by code point: nothing is skipped or repeated, forward or back."""
    pool = POOL if size > 1 else POOL[::4]
    await put(k, Phrase, *({"id": number, "text": text, "indexed": text} for number, text in enumerate(pool)))
    wanted = sorted(pool, reverse=descending)
    for term in (Phrase.text, Phrase.indexed):
        query = k.store[Phrase].query().order_by(desc(term) if descending else asc(term)).allow_scan()
        pages: list[Any] = []
        cursor = None
        while True:
            page = await query.page(size, cursor)
            pages.append(page)
            cursor = page.next_cursor
            if cursor is None:
                break
        assert [record.text for page in pages for record in page] == wanted
        for before, page in pairwise(pages):
            back = await query.page(size, page.prev_cursor)
            assert [record.text for record in back] == [record.text for record in before]


@case("A2")
async def ties_are_broken_by_the_next_text(k: Kit) -> None:
    """Two orders, in different directions: the second decides among equal firsts only."""
    rows = [(one, other) for one in ("a", "A", "a ") for other in ("\uffff", "\U0001f600", "z", "")]
    await put(k, Phrase, *({"id": number, "text": one, "indexed": other} for number, (one, other) in enumerate(rows)))
    records = await k.store[Phrase].query().order_by(asc(Phrase.text), desc(Phrase.indexed)).allow_scan().all()
    wanted = sorted(sorted(rows, key=lambda row: row[1], reverse=True), key=lambda row: row[0])
    assert [(record.text, record.indexed) for record in records] == wanted


@case("A2")
async def composite_keys_are_sorted_part_by_part(k: Kit) -> None:
    """A key of two texts is sorted by the first, then by the second, not by both put together."""
    pairs = [("a", "z"), ("a", "\U0001f600"), ("a", "\uffff"), ("a b", "a"), ("ab", "a"), ("A", "z"), ("a\x01", "a"), ("\u00e9", "a")]
    await put(k, Pair, *({"first": first, "second": second} for first, second in pairs))
    records = await k.store[Pair].query().order_by(Pair.first, Pair.second).allow_scan().all()
    assert [(record.first, record.second) for record in records] == sorted(pairs)
    page = await k.store[Pair].query().allow_scan().page(100)
    assert [(record.first, record.second) for record in page] == sorted(pairs)


@case("A2", needs="aggregates")
async def extremes_are_by_code_point(k: Kit) -> None:
    """min and max of text, of all and of each group."""
    await _fill(k)
    for number, (less, greater) in enumerate(ASCENDING.values(), start=1):
        await put(k, Phrase, *({"id": 1000 * number + n, "text": text, "number": number} for n, text in enumerate((greater, less))))
    query = k.store[Phrase].where(Phrase.number == 0).allow_scan()
    for term in (Phrase.text, Phrase.indexed):
        assert (await query.min(term), await query.max(term)) == (ORDERED[0], ORDERED[-1])
    groups = await (
        k.store[Phrase]
        .where(Phrase.number > 0)
        .allow_scan()
        .group_by(Phrase.number)
        .order_by(Phrase.number)
        .values("number", least=agg.min(Phrase.text), most=agg.max(Phrase.text))
    )
    assert [(group["least"], group["most"]) for group in groups] == list(ASCENDING.values())


@case("A2", needs="aggregates")
async def groups_are_sorted_by_code_point(k: Kit) -> None:
    """Groups ordered by their text, and by the extreme of another text."""
    await _fill(k)
    query = k.store[Phrase].query().allow_scan().group_by(Phrase.text)
    assert [row["text"] for row in await query.order_by(desc(Phrase.text)).values("text")] == ORDERED[::-1]
    assert [row["text"] for row in await query.order_by(agg.max(Phrase.indexed)).limit(9).values("text")] == ORDERED[:9]
    rows = await query.having(agg.min(Phrase.indexed) > "\uffff").order_by("text").values("text")
    assert [row["text"] for row in rows] == [text for text in ORDERED if text > "\uffff"]


@case("A2")
async def distinct_texts_are_sorted_by_code_point(k: Kit) -> None:
    """Distinct values come in the order asked for."""
    await put(k, Phrase, *({"id": number, "text": text, "indexed": text} for number, text in enumerate(POOL * 2)))
    for term in (Phrase.text, Phrase.indexed):
        rows = await k.store[Phrase].query().allow_scan().distinct().order_by(term).values(text=term)
        assert [row["text"] for row in rows] == ORDERED


@case("A2")
async def a_stream_is_sorted_by_code_point(k: Kit) -> None:
    """Reading in pages keeps the order over the borders of the pages."""
    await _fill(k)
    query = k.store[Phrase].query().order_by(Phrase.text).allow_scan()
    assert [record.text async for record in query.stream(10)] == ORDERED


@case("A2", absent="aggregates")
async def without_aggregates_extremes_of_text_are_refused(k: Kit) -> None:
    """min and max are refused, with reason and remedy, while sorting is not."""
    await put(k, Phrase, {"id": 1, "text": "a"}, {"id": 2, "text": "B"})
    with k.refused(Unsupported, says="aggregates") as caught:
        await k.store[Phrase].query().max(Phrase.text)
    assert caught.error.hint
    assert await _texts(k.store[Phrase].query().order_by(Phrase.text)) == ["B", "a"]


assert all(less < greater for less, greater in ASCENDING.values()), "a sample is no pair in order"
assert all(one != other for one, other in ALIKE.values()), "a sample is no pair of different texts"
