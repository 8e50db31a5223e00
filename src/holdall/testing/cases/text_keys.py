"""A1 where text decides what a record is: keys, unique values, references, upserts, updates and deletes by query."""

from __future__ import annotations

from typing import Any

from holdall.errors import ForeignKeyViolation, UniqueViolation, Unsupported
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import linked_text, unique_text
from holdall.testing.models import text as models
from holdall.testing.samples import CORE, MEANINGFUL, TEXTS
from holdall.testing.steps import found, put, whole

# To type checkers a field is a plain value; here it stands for a term of a query.
Book: Any = linked_text.Book
Shelf: Any = linked_text.Shelf
Name: Any = models.Name
Pair: Any = models.Pair
Phrase: Any = models.Phrase
Nick: Any = unique_text.Nick

# Two-part values that are the same once their parts are put together, with or without something between them.
JOINED = {
    "shifted": (("a", "bc"), ("ab", "c")),
    "shifted by a colon": (("a:", "b"), ("a", ":b")),
    "shifted by a slash": (("a/b", "c"), ("a", "b/c")),
    "shifted by a comma": (("a,", "b"), ("a", ",b")),
    "shifted by a quote": (("a'", "b"), ("a", "'b")),
    "shifted by a separator": (("a\x1f", "b"), ("a", "\x1fb")),
    "shifted by a bar": (("a|b", "c"), ("a", "b|c")),
    "swapped": (("a", "b"), ("b", "a")),
    "first alike": (("a ", "b"), ("a", "b")),
    "second alike": (("a", "\u00e9"), ("a", "e\u0301")),
    "escaped": (("a\\", "b"), ("a", "\\b")),
}


@case("A1", each=CORE)
async def keys_that_look_alike_are_two_records(k: Kit, one: str, other: str) -> None:
    """Each is read, changed and removed alone; a third record under the same text is refused."""
    names = k.store[Name]
    await put(k, Name, {"id": one, "rank": 1}, {"id": other, "rank": 2})
    assert [record.rank for record in await names.get_many([other, one, other])] == [2, 1, 2]
    with k.refused(UniqueViolation, fields=("id",)):
        await names.create(id=one, rank=3)
    first = await names.get(one)
    assert (first.id, first.rank) == (one, 1)
    first.rank = 10
    await names.save(first)
    assert (await names.get(other)).rank == 2
    await names.delete(first)
    assert await names.get(one) is None
    assert [(record.id, record.rank) for record in await whole(k, Name)] == [(other, 2)]


@case("A1", each=CORE)
async def a_key_that_looks_alike_is_not_there(k: Kit, one: str, other: str) -> None:
    """get and get_many find nothing under a text that only looks like the key."""
    await put(k, Name, {"id": one})
    assert await k.store[Name].get(other) is None
    assert [record and record.id for record in await k.store[Name].get_many([other, one])] == [None, one]
    assert await found(k, Name, Name.id == other) == []


@case("A1", each=CORE)
async def an_upsert_by_key_meets_only_its_own(k: Kit, one: str, other: str) -> None:
    """An upsert under a text that looks like a taken key makes a new record."""
    await put(k, Name, {"id": one, "rank": 1})
    await k.store[Name].upsert(id=other, rank=2)
    await k.store[Name].upsert(id=other, rank=3)
    assert {record.id: record.rank for record in await whole(k, Name)} == {one: 1, other: 3}


@case("A1", each=JOINED)
async def composite_keys_are_compared_part_by_part(k: Kit, one: tuple[str, str], other: tuple[str, str]) -> None:
    """Keys of two texts differ even if they are the same when put together."""
    pairs = k.store[Pair]
    await put(k, Pair, {"first": one[0], "second": one[1], "rank": 1}, {"first": other[0], "second": other[1], "rank": 2})
    assert [record.rank for record in await pairs.get_many([one, other])] == [1, 2]
    with k.refused(UniqueViolation, fields=("first", "second")):
        await pairs.create(first=other[0], second=other[1])
    await pairs.delete(await pairs.get(one))
    assert await pairs.get(one) is None
    assert (await pairs.get(other)).rank == 2


@case("A1", each=MEANINGFUL)
async def any_text_can_be_a_key(k: Kit, text: str) -> None:
    """A key may hold what an engine could take for part of a statement or of its own key format."""
    await put(k, Name, {"id": text, "rank": 1}, {"id": text + "x", "rank": 2})
    await put(k, Pair, {"first": text, "second": text}, {"first": text, "second": text + "x"})
    assert (await k.store[Name].get(text)).id == text
    pair = await k.store[Pair].get((text, text))
    assert (pair.first, pair.second) == (text, text)
    await k.store[Name].delete(await k.store[Name].get(text))
    assert [record.id for record in await whole(k, Name)] == [text + "x"]


@case("A1")
async def all_texts_that_look_alike_are_keys_side_by_side(k: Kit) -> None:
    """Many keys at once, among them those that engines fold together, come back each under its own text."""
    texts = [text for text in TEXTS if text and len(text) < 100]
    await put(k, Name, *({"id": text, "rank": number} for number, text in enumerate(texts)))
    records = await k.store[Name].get_many(texts)
    assert [(record.id, record.rank) for record in records] == [(text, number) for number, text in enumerate(texts)]
    assert [record.id for record in await whole(k, Name)] == sorted(texts)


# Unique values


@case("A1", needs="unique", each=CORE)
async def unique_values_may_look_alike(k: Kit, one: str, other: str) -> None:
    """Both are taken in; the same code points again are refused, and nothing changes."""
    nicks = k.store[Nick]
    await put(k, Nick, {"id": 1, "nick": one}, {"id": 2, "nick": other})
    for number, text in ((3, one), (4, other)):
        with k.refused(UniqueViolation, fields=("nick",)):
            await nicks.create(id=number, nick=text)
    second = await nicks.get(2)
    second.nick = one
    with k.refused(UniqueViolation, fields=("nick",)):
        await nicks.save(second)
    assert [(record.id, record.nick) for record in await whole(k, Nick)] == [(1, one), (2, other)]


@case("A1", needs="unique", each=JOINED)
async def unique_pairs_are_compared_part_by_part(k: Kit, one: tuple[str, str], other: tuple[str, str]) -> None:
    """A unique constraint over two texts compares each of them."""
    await put(
        k, Nick, {"id": 1, "nick": "1", "family": one[0], "given": one[1]}, {"id": 2, "nick": "2", "family": other[0], "given": other[1]}
    )
    with k.refused(UniqueViolation, fields=("family", "given")):
        await k.store[Nick].create(id=3, nick="3", family=one[0], given=one[1])
    assert [record.id for record in await whole(k, Nick)] == [1, 2]


@case("A1", needs="unique", each=CORE)
async def an_upsert_by_a_unique_value_meets_only_its_own(k: Kit, one: str, other: str) -> None:
    """An upsert by a text that looks like a taken one makes a new record; by the same text it changes the old one."""
    nicks = k.store[Nick]
    await put(k, Nick, {"id": 1, "nick": one, "family": "x"})
    await nicks.upsert(by="nick", id=2, nick=other, family="y")
    await nicks.upsert(by="nick", id=3, nick=other, family="z")
    assert [(record.id, record.nick, record.family) for record in await whole(k, Nick)] == [(1, one, "x"), (2, other, "z")]


@case("A1", needs=("unique", "set_writes"))
async def a_unique_text_set_by_query_is_compared_exactly(k: Kit) -> None:
    """Setting a unique value to one that looks like a taken one works; to the same one it is refused, and nothing changes."""
    await put(k, Nick, {"id": 1, "nick": "a"}, {"id": 2, "nick": "b"})
    assert await k.store[Nick].where(id=2).update(nick="A") == 1
    with k.refused(UniqueViolation, fields=("nick",)):
        await k.store[Nick].where(id=2).update(nick="a")
    assert [record.nick for record in await whole(k, Nick)] == ["a", "A"]


@case("A1", absent="unique")
async def without_unique_values_their_models_are_refused(k: Kit) -> None:
    """A model with unique text is refused, with reason and remedy, before anything is written."""
    with k.refused(Unsupported, says="unique") as caught:
        await k.store[Nick].create(id=1, nick="a")
    assert caught.error.hint
    with k.refused(Unsupported, says="unique"):
        await k.store[Nick].query().all()


# References


@case("A1", needs="references", each=CORE)
async def a_reference_needs_exactly_its_parent(k: Kit, one: str, other: str) -> None:
    """A parent whose key only looks like the reference is not its parent."""
    await put(k, Shelf, {"id": one})
    with k.refused(ForeignKeyViolation, fields=("shelf_id",)):
        await k.store[Book].create(id=1, shelf_id=other)
    assert await whole(k, Book) == []
    await put(k, Book, {"id": 2, "shelf_id": one})
    book = await k.store[Book].get(2)
    book.shelf_id = other
    with k.refused(ForeignKeyViolation, fields=("shelf_id",)):
        await k.store[Book].save(book)
    assert (await k.store[Book].get(2)).shelf_id == one


@case("A1", needs=("references", "joins"), each=CORE)
async def a_relation_leads_to_exactly_its_parent(k: Kit, one: str, other: str) -> None:
    """Conditions through a relation, and loading it in both directions, keep apart parents that look alike."""
    await put(k, Shelf, {"id": one, "title": "first"}, {"id": other, "title": "second"})
    await put(k, Book, {"id": 1, "shelf_id": one}, {"id": 2, "shelf_id": other}, {"id": 3, "shelf_id": other})
    assert await found(k, Book, Book.shelf.title == "second") == [2, 3]
    assert await found(k, Book, Book.shelf == one) == [1]
    assert await found(k, Shelf, books__id=1) == [one]
    books = await k.store[Book].query().order_by("id").include(Book.shelf).allow_scan().all()
    assert [book.shelf.title for book in books] == ["first", "second", "second"]
    shelves = await k.store[Shelf].query().order_by("title").include(Shelf.books).allow_scan().all()
    assert [sorted(book.id for book in shelf.books) for shelf in shelves] == [[1], [2, 3]]


@case("A1", needs="references", each=CORE)
async def deleting_a_parent_takes_only_its_own_children(k: Kit, one: str, other: str) -> None:
    """on_delete follows the reference's exact text."""
    await put(k, Shelf, {"id": one}, {"id": other})
    await put(k, Book, {"id": 1, "shelf_id": one}, {"id": 2, "shelf_id": other}, {"id": 3})
    await k.store[Shelf].delete(await k.store[Shelf].get(one))
    assert [(book.id, book.shelf_id) for book in await whole(k, Book)] == [(2, other), (3, None)]


@case("A1", absent="references")
async def without_references_their_models_are_refused(k: Kit) -> None:
    """A model that refers by text is refused, with reason and remedy, before anything is written."""
    with k.refused(Unsupported, says="reference") as caught:
        await k.store[Book].create(id=1)
    assert caught.error.hint


# Updates and deletes by query


@case("A1", needs="set_writes", each=CORE)
async def set_writes_touch_exactly_what_matches(k: Kit, one: str, other: str) -> None:
    """Updates and deletes by a text leave alone what looks like it."""
    phrases = k.store[Phrase]
    await put(k, Phrase, *({"id": n, "text": text, "indexed": text} for n, text in ((1, one), (2, other), (3, one))))
    assert await phrases.where(Phrase.text == one).allow_scan().update(number=1) == 2
    assert await phrases.where(Phrase.indexed == other).allow_scan().update(number=2) == 1
    assert [record.number for record in await whole(k, Phrase)] == [1, 2, 1]
    assert await phrases.where(Phrase.text == other).allow_scan().delete() == 1
    assert await phrases.where(Phrase.indexed == other).allow_scan().delete() == 0
    assert [record.id for record in await whole(k, Phrase)] == [1, 3]


@case("A1", needs="set_writes")
async def text_is_set_by_query_as_it_is(k: Kit) -> None:
    """A text set by a query, and one copied from another field, come back code point by code point."""
    texts = (*TEXTS, *MEANINGFUL.values())
    await put(k, Phrase, *({"id": number, "indexed": text} for number, text in enumerate(texts)))
    assert await k.store[Phrase].query().allow_scan().update(text=Phrase.indexed) == len(texts)
    assert [record.text for record in await whole(k, Phrase)] == list(texts)
    for text in MEANINGFUL.values():
        await k.store[Phrase].where(id=0).update(text=text)
        assert (await k.store[Phrase].get(0)).text == text


@case("A1", absent="set_writes")
async def without_set_writes_updates_by_text_are_refused(k: Kit) -> None:
    """Update and delete by a condition on text are refused, with reason and remedy, and nothing changes."""
    await put(k, Phrase, {"id": 1, "text": "a"})
    for name, values in (("update", {"text": "b"}), ("delete", {})):
        with k.refused(Unsupported, says="set_writes") as caught:
            await getattr(k.store[Phrase].where(Phrase.text == "a"), name)(**values)
        assert caught.error.hint
    assert [record.text for record in await whole(k, Phrase)] == ["a"]
