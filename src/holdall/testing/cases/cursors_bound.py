"""H3: what a cursor is bound to, and how those are refused that are none, or are another query's."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from holdall.errors import QueryError
from holdall.query import asc, contains_any, desc, not_, one_of
from holdall.testing.case import case
from holdall.testing.cases.cursors import forwards, key_of, walk
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.order_keys import Ticket
from holdall.testing.models.samples import SAMPLE, Indexed, Sample

NO_CURSOR, ANOTHER = "not a cursor", "another query"


async def _nine(k: Kit) -> Any:
    """Nine records, and a query of those with a text, by number."""
    await fill(k.store[Sample], [{"id": id_, "whole": id_ % 3, "text": "ab"[id_ % 2], "real": float(id_)} for id_ in range(9)])
    return k.store[Sample].where(SAMPLE.id >= 0).order_by("whole")


OTHER: dict[str, Callable[[Any], Any]] = {
    "another order": lambda c: c.where(SAMPLE.id >= 0).order_by("real"),
    "the other direction": lambda c: c.where(SAMPLE.id >= 0).order_by("-whole"),
    "nulls elsewhere": lambda c: c.where(SAMPLE.id >= 0).order_by(asc(SAMPLE.whole, nulls="first")),
    "one more key": lambda c: c.where(SAMPLE.id >= 0).order_by("whole", "text"),
    "the key named": lambda c: c.where(SAMPLE.id >= 0).order_by("whole", "-id"),
    "no order": lambda c: c.where(SAMPLE.id >= 0),
    "another value": lambda c: c.where(SAMPLE.id >= 1).order_by("whole"),
    "another operator": lambda c: c.where(SAMPLE.id > 0).order_by("whole"),
    "another field": lambda c: c.where(SAMPLE.whole >= 0).order_by("whole"),
    "one more condition": lambda c: c.where(SAMPLE.id >= 0, SAMPLE.text == "a").order_by("whole"),
    "no condition": lambda c: c.query().order_by("whole"),
    "the opposite condition": lambda c: c.where(not_(SAMPLE.id >= 0)).order_by("whole"),
}


@case("H3", each=OTHER)
async def a_cursor_of_another_query_is_refused(k: Kit, make: Callable[[Any], Any]) -> None:
    """In both directions, and it says so: the cursor is a good one, elsewhere."""
    query = await _nine(k)
    first = await query.page(3)
    second = await query.page(3, first.next_cursor)
    for cursor in (first.next_cursor, second.prev_cursor):
        with k.refused(QueryError, says=ANOTHER, name="cursor"):
            await make(k.store[Sample]).page(3, cursor)
        assert len(await query.page(3, cursor)) == 3


@case("H3")
async def a_cursor_of_another_model_is_refused(k: Kit) -> None:
    """Though the fields and the query read the same."""
    await _nine(k)
    await fill(k.store[Indexed], [{"id": id_, "whole": id_} for id_ in range(5)])
    page = await k.store[Sample].query().order_by("whole").page(2)
    with k.refused(QueryError, says=ANOTHER):
        await k.store[Indexed].query().order_by("whole").page(2, page.next_cursor)


GARBAGE: dict[str, Any] = {
    "empty": "",
    "a word": "nonsense",
    "spaces": "   ",
    "not ASCII": "\u00e9\u00e9\u00e9\u00e9",
    "a number as text": "12",
    "base64 of nothing much": base64.urlsafe_b64encode(b"nothing much here").decode(),
    "base64 of JSON": base64.urlsafe_b64encode(b'["x","next",[[1],[1]]]').decode(),
    "very long": "A" * 100_000,
    "an int": 5,
    "bytes": b"abc",
    "a list": ["abc"],
}


@case("H3", each=GARBAGE)
async def what_is_no_cursor_is_refused(k: Kit, cursor: Any) -> None:
    """With the same error whatever it is, never with all records or a server's fault."""
    query = await _nine(k)
    with k.refused(QueryError, says=NO_CURSOR, name="cursor"):
        await query.page(3, cursor)


@case("H3")
async def a_cursor_that_was_tampered_with_is_refused(k: Kit) -> None:
    """Any character changed, left out or added, anywhere."""
    query = await _nine(k)
    cursor = (await query.page(3)).next_cursor
    assert cursor is not None
    changed = [cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :] for place in range(len(cursor))]
    shortened = [cursor[:place] + cursor[place + 1 :] for place in range(0, len(cursor), 7)]
    longer = [cursor + tail for tail in ("A", "=", "==", " ", "\n", "!", cursor)] + [" " + cursor, cursor[:9] + "\n" + cursor[9:]]
    for bad in (*changed, *shortened, *longer, cursor[:-1], cursor[1:], cursor.upper(), cursor.lower()):
        assert bad != cursor
        with k.refused(QueryError, says=NO_CURSOR):
            await query.page(3, bad)
    assert len(await query.page(3, cursor)) == 3


@case("H3")
async def a_cursor_with_other_values_inside_is_refused(k: Kit) -> None:
    """It cannot be taken apart and put together anew without its seal."""
    query = await _nine(k)
    cursor = (await query.page(3)).next_cursor
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert b"next" in raw
    for old, new in ((b'"next"', b'"prev"'), (b"[0]", b"[2]"), (b"[", b"{")):
        assert old in raw
        with k.refused(QueryError, says=NO_CURSOR):
            await query.page(3, base64.urlsafe_b64encode(raw.replace(old, new, 1)).decode().rstrip("="))


@case("H3")
async def equal_queries_take_each_others_cursors(k: Kit) -> None:
    """However they are spelled, and in whatever order the members of a set or dict come."""
    await fill(k.store[Sample], [{"id": id_, "whole": id_ % 3, "marks": {0, 8}, "data": {"a": 1, "b": 2}} for id_ in range(9)])
    samples = k.store[Sample]
    spellings: list[list[Any]] = [
        [samples.where(SAMPLE.id >= 1).order_by("-whole"), samples.where(id__gte=1).order_by(desc(SAMPLE.whole))],
        [samples.where(SAMPLE.marks == marks) for marks in ({0, 8}, {8, 0}, {8} | {0})],
        [samples.where(SAMPLE.data == data) for data in ({"a": 1, "b": 2}, {"b": 2, "a": 1}, {"b": 2.0, "a": 1})],
        [samples.where(one_of(SAMPLE.whole, whole)) for whole in ([0, 1, 2], [2, 1, 0], {0: "", 1: "", 2: ""}, [0, 1, 2, 1])],
        [samples.where(contains_any(SAMPLE.marks, marks)) for marks in ([0, 8], [8, 0])],
    ]
    for queries in spellings:
        pages = [await query.page(2) for query in queries]
        for page in pages:
            for query in queries:
                assert [key_of(item) for item in await query.page(2, page.next_cursor)] == [
                    key_of(item) for item in await queries[0].page(2, pages[0].next_cursor)
                ]


@case("H3")
async def paths_that_read_alike_are_different_queries(k: Kit) -> None:
    """data['a.b'] is not data['a']['b'], and data['1'] is not data[1]."""
    rows: list[Any] = [{"a.b": 1, "a": {"b": 1}}, {"1": 1}, [0, 1]]
    await fill(k.store[Sample], [{"id": id_, "data": rows[id_ % 3]} for id_ in range(9)])
    for one, other in ((SAMPLE.data["a.b"], SAMPLE.data["a"]["b"]), (SAMPLE.data["1"], SAMPLE.data[1])):
        page = await k.store[Sample].where(one == 1).page(1)
        assert page.next_cursor is not None
        with k.refused(QueryError, says=ANOTHER):
            await k.store[Sample].where(other == 1).page(1, page.next_cursor)


@case("H3")
async def a_cursor_serves_any_store_on_the_same_data(k: Kit) -> None:
    """It needs no state: another store, another size of page, another day."""
    query = await _nine(k)
    page = await query.page(4)
    k.clock.forward(days=400)
    other = k.another_store()[Sample].where(id__gte=0).order_by("whole")
    assert [item.id for item in await other.page(2, page.next_cursor)] == [item.id for item in await query.page(2, page.next_cursor)]
    again = await other.page(9, page.next_cursor)
    assert [item.id for item in page] + [item.id for item in again] == [item.id for item in await query.all()]


@case("H3")
async def a_cursor_is_opaque_text_for_urls(k: Kit) -> None:
    """Letters, digits, - and _; the same place gives the same cursor."""
    query = await _nine(k)
    cursor = (await query.page(3)).next_cursor
    assert cursor == (await query.page(3)).next_cursor
    assert isinstance(cursor, str)
    assert cursor
    assert all(character.isascii() and (character.isalnum() or character in "-_") for character in cursor)


TEXTS: dict[str, list[str]] = {
    "quotes and commas": ["a'b", 'a"b', "a,b", "a]b", "a\\b", "a;b", "--"],
    "lines and blanks": ["a", "a ", "a\n", "a\t", " a", "", "\x01"],
    "beyond the BMP": ["\U0001f600", "\uffff", "\ue000", "\U0010ffff", "z", "\u00e9", "e\u0301"],
    "like a number": ["1", "01", "1.0", "1e3", "-1", "null", "[1]"],
    "long": ["x" * size for size in (1, 2_000, 7_000, 7_001, 20_000, 20_001, 60_000)],
}


@case("H3", each=TEXTS)
async def places_in_any_text(k: Kit, texts: list[str]) -> None:
    """Whatever characters the values hold, however long they are."""
    await fill(k.store[Sample], [{"id": id_, "text": text} for id_, text in enumerate(texts)])
    await walk(k.store[Sample].query().order_by("text"), 7, (1, 3))
    await walk(k.store[Sample].query().order_by("-text"), 7, (2,))


@case("H3")
async def a_cursor_goes_with_neither_limit_nor_offset(k: Kit) -> None:
    """The page is the limit, the cursor the offset; nothing is dropped in silence."""
    query = await _nine(k)
    page = await query.page(3)
    with k.refused(QueryError, says="limit"):
        await query.limit(5).page(3)
    with k.refused(QueryError, says="offset"):
        await query.offset(1).page(3, page.next_cursor)


@case("H3")
async def pages_are_of_records(k: Kit) -> None:
    """Groups and distinct values have no pages."""
    query = await _nine(k)
    with k.refused(QueryError):
        await query.group_by(SAMPLE.whole).page(2)
    with k.refused(QueryError):
        await query.distinct().page(2)


@case("H3")
async def the_default_key_makes_stable_pages(k: Kit) -> None:
    """Many equal values, told apart by UUIDs alone."""
    made = await fill(k.store[Ticket], [{"place": 1} for _ in range(25)])
    keys, pages = await forwards(k.store[Ticket].query().order_by("place"), 4)
    assert keys == sorted(ticket.id for ticket in made)
    assert [len(page) for page in pages] == [4, 4, 4, 4, 4, 4, 1]
