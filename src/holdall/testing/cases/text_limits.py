"""A6, A8, A9: lengths in code points, over-long text refused before I/O, the empty text."""

from __future__ import annotations

from typing import Any

from holdall.errors import ForeignKeyViolation, QueryError, SizeLimit, UniqueViolation, Unsupported, ValidationError
from holdall.query import agg, is_not_null, is_null, is_same, like, not_, one_of
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import linked_text, unique_text
from holdall.testing.models import text as models
from holdall.testing.models.text import Card
from holdall.testing.samples import LONG
from holdall.testing.steps import found, never_begun, put, watched, whole
from holdall.testing.ways import WRITES, refuses_writes

# To type checkers a field is a plain value; here it stands for a term of a query.
Book: Any = linked_text.Book
Shelf: Any = linked_text.Shelf
Code: Any = models.Code
Folder: Any = models.Folder
Name: Any = models.Name
Pair: Any = models.Pair
Phrase: Any = models.Phrase
Tag: Any = models.Tag
Nick: Any = unique_text.Nick

# Texts of exactly five code points, whatever they are in bytes, in UTF-16 or on the screen.
FIVE = {
    "ascii": "abcde",
    "two bytes each": "\u00e9" * 5,
    "three bytes each": "\u20ac" * 5,
    "beyond the plane": "\U0001f600" * 5,
    "the very last": "\U0010ffff" * 5,
    "letters with marks": "e\u0301e\u0301e",
    "a joined family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "trailing blanks": "a    ",
    "only blanks": "     ",
    "newlines": "\r\n\r\n\n",
    "no width": "\u200b" * 5,
    "sharp s, longer when folded": "\u00df" * 5,
}


@case("A6", each=FIVE)
async def length_counts_code_points(k: Kit, text: str) -> None:
    """Five of five are taken and come back; with one more it is too long, whatever that one is."""
    assert len(text) == 5
    await put(k, Code, {"id": 1, "code": text})
    assert (await k.store[Code].get(1)).code == text
    for more in ("x", " ", "\u0301", "\U0001f600"):
        with k.refused(ValidationError) as caught:
            await k.store[Code].create(id=2, code=text + more)
        assert [problem.path for problem in caught.error.problems] == [("code",)]
    assert [record.code for record in await whole(k, Code)] == [text]


@case("A6", each={"one character of four bytes": "\U0001f600", "one of two": "\u00e9", "one": "a", "none": ""})
async def too_short_counts_code_points_as_well(k: Kit, text: str) -> None:
    """min_length is not met by bytes; a letter and its mark are two."""
    store, watch = await watched(k, Code)
    await never_begun(watch, ValidationError, lambda: store[Code].create(id=1, least=text))
    await put(k, Code, {"id": 1, "least": "e\u0301"}, {"id": 2, "least": "\U0001f600\U0001f600"})
    assert len(await whole(k, Code)) == 2


@case("A6", each=FIVE)
async def one_of_a_pattern_is_one_code_point(k: Kit, text: str) -> None:
    """Five underscores are five code points: neither bytes nor what is seen."""
    await put(k, Phrase, {"id": 1, "text": text, "indexed": text})
    for term in (Phrase.text, Phrase.indexed):
        assert await found(k, Phrase, like(term, "_" * 5)) == [1]
        assert await found(k, Phrase, like(term, "_" * 4)) == []
        assert await found(k, Phrase, like(term, "_" * 6)) == []
        assert await found(k, Phrase, like(term, "____%")) == [1]


@case("A6", each=("a", "\u00e9", "\U0001f600"))
async def length_of_a_key_counts_code_points(k: Kit, character: str) -> None:
    """max_length of a key is no number of bytes."""
    await put(k, Tag, {"id": character * 4})
    assert (await k.store[Tag].get(character * 4)).id == character * 4
    store, watch = await watched(k, Tag)
    await never_begun(watch, ValidationError, lambda: store[Tag].create(id=character * 5))
    assert await k.store[Tag].get(character * 5) is None


@case("A6", needs="limit.key_bytes_max", each={"ascii": "a", "two bytes": "\u00e9", "four bytes": "\U0001f600"})
async def a_key_limit_counts_bytes(k: Kit, character: str) -> None:
    """A key of as many bytes of UTF-8 as the backend publishes is taken; one that is longer is refused, and nothing is there."""
    most = k.capabilities.key_bytes_max
    assert most is not None
    width = len(character.encode())
    fits = character * (most // width)
    await put(k, Name, {"id": fits, "rank": 1})
    assert (await k.store[Name].get(fits)).rank == 1
    store, watch = await watched(k, Name)
    await never_begun(watch, SizeLimit, lambda: store[Name].create(id=fits + character))
    assert [record.id for record in await whole(k, Name)] == [fits]


@case("A6", absent="limit.key_bytes_max", each={"ascii": "a", "four bytes": "\U0001f600"})
async def without_a_key_limit_long_keys_work(k: Kit, character: str) -> None:
    """Keys of twenty thousand characters that differ in the last one are two, and never cut."""
    one, other = character * 20_000, character * 19_999 + "b"
    await put(k, Name, {"id": one, "rank": 1}, {"id": other, "rank": 2})
    assert [(await k.store[Name].get(key)).rank for key in (one, other)] == [1, 2]
    assert await k.store[Name].get(character * 19_999) is None


@case("A6", each={"five thousand": 5_000, "as 16 bits and one": 65_536, "half a million": 500_000})
async def long_text_is_kept_whole(k: Kit, length: int) -> None:
    """A field without max_length takes long text; what differs only in the last character differs."""
    one, other = "\u00e9" * length, "\u00e9" * (length - 1) + "e"
    await put(k, Phrase, {"id": 1, "text": one}, {"id": 2, "text": other})
    assert [record.text for record in await whole(k, Phrase)] == [one, other]
    assert await found(k, Phrase, Phrase.text == one) == [1]
    assert await found(k, Phrase, Phrase.text > other) == [1]


# A8

OVER = {
    "one more": ("code", "abcdef"),
    "one blank more": ("code", "abcde "),
    "only blanks": ("code", " " * 6),
    "a newline more": ("code", "abcde\n"),
    "a mark more": ("code", "abcde\u0301"),
    "beyond the plane": ("code", "\U0001f600" * 6),
    "very long": ("code", LONG),
    "in a field that may be null": ("short", "abcd"),
}


@case("A8", each={f"{name} by {way}": (field, text, way) for name, (field, text) in OVER.items() for way in WRITES})
async def over_long_text_is_refused(k: Kit, field: str, text: str, way: str) -> None:
    """By no way of writing does it get in, cut or whole, and the backend is not asked."""
    await refuses_writes(k, Code, field, text, way)


@case("A8", needs="set_writes", each=OVER)
async def over_long_text_is_refused_in_updates_by_query(k: Kit, field: str, text: str) -> None:
    """update() with such a value."""
    await refuses_writes(k, Code, field, text, "update")


@case("A8", needs="set_writes", each={"without a limit": "free", "with a greater one": "code"})
async def text_is_not_copied_into_a_shorter_field(k: Kit, source: str) -> None:
    """A field whose text may be longer is no value for a shorter one, even if each that is there would fit."""
    await put(k, Code, {"id": 1, "code": "ab", "free": "abcdef", "short": "x"}, {"id": 2, "code": "c", "free": "c", "short": "y"})
    store, watch = await watched(k, Code)
    await never_begun(watch, QueryError, lambda: store[Code].query().update(short=getattr(Code, source)))
    await never_begun(watch, QueryError, lambda: store[Code].query().update(code=Code.free))
    assert [(record.code, record.short) for record in await whole(k, Code)] == [("ab", "x"), ("c", "y")]
    assert await store[Code].where(id=1).update(free=Code.code, code=Code.short) == 1
    assert [(record.code, record.free) for record in await whole(k, Code)] == [("x", "ab"), ("c", "c")]


@case("A8", needs="set_writes")
async def text_is_not_copied_past_other_limits(k: Kit) -> None:
    """A field that asks for a least length takes no text that may be shorter."""
    await put(k, Code, {"id": 1, "code": "a", "least": "xyz"})
    store, watch = await watched(k, Code)
    await never_begun(watch, QueryError, lambda: store[Code].query().update(least=Code.code))
    assert (await k.store[Code].get(1)).least == "xyz"


@case("A8", each=("abcdef", "abcde ", " abcde", LONG))
async def over_long_operands_find_nothing(k: Kit, text: str) -> None:
    """An operand longer than the field is a fair question: it is compared whole, never cut to fit."""
    await put(k, Code, {"id": 1, "code": "abcde"}, {"id": 2, "code": "xxxxx"}, {"id": 3, "code": " abcd"})
    assert await found(k, Code, Code.code == text) == []
    assert await found(k, Code, one_of(Code.code, [text])) == []
    assert await found(k, Code, Code.code != text) == [1, 2, 3]
    assert await found(k, Code, Code.code < text) == [number for number, code in ((1, "abcde"), (2, "xxxxx"), (3, " abcd")) if code < text]
    assert await found(k, Code, code__startswith=text) == []


@case("A8")
async def a_batch_with_over_long_text_writes_nothing(k: Kit) -> None:
    """The problem is told before any of the records is written, with all the others."""
    store, watch = await watched(k, Code)
    items = [{"id": 1, "code": "a"}, {"id": 2, "code": "abcdef", "short": "abcd"}, {"id": 3, "code": "b"}]
    error = await never_begun(watch, ValidationError, lambda: store[Code].create_many(items))
    assert {problem.path for problem in error.problems} == {("code",), ("short",)}
    assert await whole(k, Code) == []


@case("A8", each=("abcde", "", "\U0001f600" * 5, "abc  "))
async def text_at_the_limit_comes_back_whole(k: Kit, text: str) -> None:
    """Trailing blanks included, by every way of writing."""
    codes = k.store[Code]
    await codes.create(id=1, code=text)
    await codes.upsert(id=2, code=text)
    await codes.upsert(id=1, code=text)
    third = await codes.create(id=3)
    third.code = text
    await codes.save(third)
    assert [record.code for record in await whole(k, Code)] == [text] * 3


@case("A8", needs="unique")
async def text_is_not_cut_to_look_taken(k: Kit) -> None:
    """A unique field of limited length: an over-long value is too long, not a duplicate of what it would be cut to."""
    await put(k, Nick, {"id": 1, "nick": "a", "short": "abc"})
    store, watch = await watched(k, Nick)
    await never_begun(watch, ValidationError, lambda: store[Nick].upsert(by="nick", id=2, nick="a", short="abc "))
    with k.refused(UniqueViolation, fields=("nick",)):
        await store[Nick].create(id=2, nick="a", short="abc")
    assert [record.short for record in await whole(k, Nick)] == ["abc"]


@case("A8", absent="set_writes")
async def without_set_writes_text_is_not_copied_at_all(k: Kit) -> None:
    """Setting a field by query is refused, with reason and remedy, and nothing changes."""
    await put(k, Code, {"id": 1, "code": "a", "free": "b"})
    with k.refused(Unsupported, says="set_writes") as caught:
        await k.store[Code].query().update(free=Code.code)
    assert caught.error.hint
    assert (await k.store[Code].get(1)).free == "b"


# A9


@case("A9")
async def the_empty_text_is_a_value(k: Kit) -> None:
    """It is neither null nor a blank, in filters of every kind."""
    await put(k, Phrase, {"id": 1, "text": "", "indexed": ""}, {"id": 2}, {"id": 3, "text": " ", "indexed": " "})
    for term in (Phrase.text, Phrase.indexed):
        assert await found(k, Phrase, term == "") == [1]
        assert await found(k, Phrase, term != "") == [3]
        assert await found(k, Phrase, is_null(term)) == [2]
        assert await found(k, Phrase, is_not_null(term)) == [1, 3]
        assert await found(k, Phrase, is_same(term, "")) == [1]
        assert await found(k, Phrase, is_same(term, None)) == [2]
        assert await found(k, Phrase, one_of(term, ["", "x"])) == [1]
        assert await found(k, Phrase, one_of(term, ["", None])) == [1]
        assert await found(k, Phrase, not_(is_same(term, ""))) == [2, 3]
        assert await found(k, Phrase, term >= "") == [1, 3]
        assert await found(k, Phrase, term > "") == [3]
    assert [record.text for record in await whole(k, Phrase)] == ["", None, " "]


@case("A9", each={"empty to null": ("", None), "null to empty": (None, ""), "empty to blank": ("", " "), "text to empty": ("a", "")})
async def empty_and_null_replace_each_other(k: Kit, before: Any, after: Any) -> None:
    """Saving and upserting tell them apart."""
    for number in (1, 2):
        await put(k, Phrase, {"id": number, "text": before, "indexed": before})
    record = await k.store[Phrase].get(1)
    record.text = record.indexed = after
    await k.store[Phrase].save(record)
    await k.store[Phrase].upsert(id=2, text=after, indexed=after)
    assert [(each.text, each.indexed) for each in await whole(k, Phrase)] == [(after, after)] * 2


@case("A9", needs="set_writes", each={"empty to null": ("", None), "null to empty": (None, "")})
async def empty_and_null_replace_each_other_by_query(k: Kit, before: Any, after: Any) -> None:
    """update() tells them apart."""
    await put(k, Phrase, {"id": 1, "text": before, "indexed": before}, {"id": 2, "text": "a", "indexed": "a"})
    condition = is_null(Phrase.indexed) if before is None else Phrase.indexed == before
    assert await k.store[Phrase].where(condition).allow_scan().update(text=after, indexed=after) == 1
    assert [(each.text, each.indexed) for each in await whole(k, Phrase)] == [(after, after), ("a", "a")]


@case("A9")
async def empty_and_missing_differ_inside_values(k: Kit) -> None:
    """The empty text as item, name and value; and an empty container is no empty text."""
    await put(k, Folder, {"id": 1, "data": {"a": "", "": 1}, "items": [""], "labels": {""}, "notes": {"": ""}, "card": Card("", "")})
    await put(k, Folder, {"id": 2, "data": {"a": None}, "items": [], "labels": set(), "notes": {}, "card": Card("x", None)}, {"id": 3})
    one, two, three = await whole(k, Folder)
    assert (one.data, one.items, one.labels, one.notes, one.card) == ({"a": "", "": 1}, [""], {""}, {"": ""}, Card("", ""))
    assert (two.data, two.items, two.labels, two.notes, two.card) == ({"a": None}, [], set(), {}, Card("x", None))
    assert three.card is None
    assert await found(k, Folder, Folder.data["a"] == "") == [1]
    assert await found(k, Folder, Folder.data[""] == 1) == [1]
    assert await found(k, Folder, Folder.items[0] == "") == [1]
    assert await found(k, Folder, Folder.notes[""] == "") == [1]
    assert await found(k, Folder, labels__has="") == [1]
    assert await found(k, Folder, items__has="") == [1]
    assert await found(k, Folder, notes__has="") == [1]
    assert await found(k, Folder, Folder.card.note == "") == [1]
    assert await found(k, Folder, is_null(Folder.card.note)) == [2, 3]


@case("A9")
async def an_empty_key_is_refused(k: Kit) -> None:
    """By every way of writing, also as a part of a key, before any I/O."""
    await put(k, Name, {"id": " "})
    store, watch = await watched(k, Name, Pair)
    for act in (
        lambda: store[Name].create(id=""),
        lambda: store[Name].upsert(id=""),
        lambda: store[Name].create_many([{"id": "a"}, {"id": ""}]),
        lambda: store[Pair].create(first="", second="a"),
        lambda: store[Pair].create(first="a", second=""),
        lambda: store[Pair].upsert(first="", second=""),
    ):
        error = await never_begun(watch, ValidationError, act)
        assert {problem.path[0] for problem in error.problems} <= {"id", "first", "second"}
    assert [record.id for record in await whole(k, Name)] == [" "]
    assert await k.store[Pair].query().allow_scan().all() == []


@case("A9")
async def nothing_is_found_under_an_empty_key(k: Kit) -> None:
    """Asking for it is allowed, and gives nothing."""
    await put(k, Name, {"id": " "})
    await put(k, Pair, {"first": "a", "second": " "})
    assert await k.store[Name].get("") is None
    assert [record and record.id for record in await k.store[Name].get_many(["", " "])] == [None, " "]
    assert await k.store[Pair].get(("a", "")) is None
    assert await found(k, Name, Name.id == "") == []


@case("A9", needs="references")
async def an_empty_reference_is_not_null(k: Kit) -> None:
    """Null refers to nothing and passes; the empty text refers to a key that nothing can have."""
    await put(k, Shelf, {"id": " "})
    await put(k, Book, {"id": 1, "shelf_id": None})
    with k.refused(ForeignKeyViolation, fields=("shelf_id",)):
        await k.store[Book].create(id=2, shelf_id="")
    assert [record.shelf_id for record in await whole(k, Book)] == [None]


@case("A9", needs="unique")
async def the_empty_text_is_unique_once(k: Kit) -> None:
    """Many nulls, but one empty text."""
    await put(
        k,
        Nick,
        {"id": 1, "nick": "", "family": "a", "given": ""},
        {"id": 2, "nick": " ", "family": "a"},
        {"id": 3, "nick": "x", "family": "a"},
    )
    with k.refused(UniqueViolation, fields=("nick",)):
        await k.store[Nick].create(id=4, nick="")
    with k.refused(UniqueViolation, fields=("family", "given")):
        await k.store[Nick].create(id=4, nick="y", family="a", given="")
    assert len(await whole(k, Nick)) == 3


@case("A9", needs="aggregates")
async def empty_and_null_are_two_groups(k: Kit) -> None:
    """Groups, counts and extremes tell them apart."""
    await put(k, Phrase, {"id": 1, "text": ""}, {"id": 2}, {"id": 3, "text": ""}, {"id": 4, "text": "a"}, {"id": 5})
    rows = await k.store[Phrase].query().allow_scan().group_by(Phrase.text).values("text", n=agg.count(), filled=agg.count(Phrase.text))
    assert {row["text"]: (row["n"], row["filled"]) for row in rows} == {"": (2, 2), None: (2, 0), "a": (1, 1)}
    assert await k.store[Phrase].query().allow_scan().min(Phrase.text) == ""


@case("A9")
async def empty_and_null_are_two_distinct_values(k: Kit) -> None:
    """distinct() tells them apart, and so does the order: null is last."""
    await put(k, Phrase, {"id": 1, "text": ""}, {"id": 2}, {"id": 3, "text": ""}, {"id": 4, "text": " "}, {"id": 5})
    rows = await k.store[Phrase].query().allow_scan().distinct().order_by("text").values("text")
    assert [row["text"] for row in rows] == ["", " ", None]
