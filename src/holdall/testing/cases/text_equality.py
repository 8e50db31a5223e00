"""A1, A5: text is compared code point by code point, in filters, lists, places inside values, groups and what is distinct."""

from __future__ import annotations

import unicodedata
from typing import Any

from holdall.errors import Unsupported
from holdall.query import agg, contains, contains_all, contains_any, is_not_null, is_same, not_, not_one_of, one_of
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import text as models
from holdall.testing.models.text import Card
from holdall.testing.samples import ALIKE, CORE, MEANINGFUL, TEXTS
from holdall.testing.steps import found, put, whole

# To type checkers a field is a plain value; here it stands for a term of a query.
Folder: Any = models.Folder
Phrase: Any = models.Phrase

EQUIVALENT = {
    name: ALIKE[name]
    for name in ("composed and decomposed", "order of combining marks", "ring and angstrom", "omega and ohm", "hangul syllable and jamo")
} | {
    "compatibility ligature": ("\ufb01", "fi"),
    "compatibility fraction": ("\u00bd", "1\u20442"),
    "singleton kelvin": ("\u212a", "K"),
    "devanagari nukta": ("\u0958", "\u0915\u093c"),
    "half width kana": ("\uff76\uff9e", "\u30ac"),
}


async def _both(k: Kit, one: str, other: str) -> None:
    await put(k, Phrase, {"id": 1, "text": one, "indexed": one}, {"id": 2, "text": other, "indexed": other})


@case("A1", each=ALIKE)
async def equality_keeps_apart_what_looks_alike(k: Kit, one: str, other: str) -> None:
    """A filter by one text does not find the other, whichever way equality is asked for."""
    await _both(k, one, other)
    for term in (Phrase.text, Phrase.indexed):
        assert await found(k, Phrase, term == one) == [1]
        assert await found(k, Phrase, term == other) == [2]
        assert await found(k, Phrase, term != one) == [2]
        assert await found(k, Phrase, not_(term == one)) == [2]
        assert await found(k, Phrase, is_same(term, other)) == [2]
        assert await found(k, Phrase, not_(is_same(term, other))) == [1]


@case("A1", each=CORE)
async def membership_keeps_apart_what_looks_alike(k: Kit, one: str, other: str) -> None:
    """in and not in compare as equality does."""
    await _both(k, one, other)
    for term in (Phrase.text, Phrase.indexed):
        assert await found(k, Phrase, one_of(term, [one, one + "?", "?" + one])) == [1]
        assert await found(k, Phrase, not_one_of(term, [one, one + "?"])) == [2]
        assert await found(k, Phrase, one_of(term, [other, one])) == [1, 2]
        assert await found(k, Phrase, not_one_of(term, [one, other])) == []


@case("A1", each=CORE)
async def places_inside_values_keep_apart_what_looks_alike(k: Kit, one: str, other: str) -> None:
    """A text inside JSON, a list, a dict or a record is compared exactly."""
    for number, text in ((1, one), (2, other)):
        row = {"id": number, "data": {"t": text}, "items": [text], "notes": {"t": text}, "card": Card(text)}
        await put(k, Folder, row)
    for term in (Folder.data["t"], Folder.notes["t"], Folder.items[0], Folder.card.title):
        assert await found(k, Folder, term == one) == [1], str(term)
        assert await found(k, Folder, term != one) == [2], str(term)
        assert await found(k, Folder, one_of(term, [other, other + "?"])) == [2], str(term)


@case("A1", each=CORE)
async def containers_keep_apart_what_looks_alike(k: Kit, one: str, other: str) -> None:
    """Items of lists and sets, keys of dicts and items of JSON lists are looked for exactly."""
    for number, text in ((1, one), (2, other)):
        await put(k, Folder, {"id": number, "data": [text], "items": [text], "labels": {text}, "notes": {text: "x"}})
    for term in (Folder.data, Folder.items, Folder.labels, Folder.notes):
        assert await found(k, Folder, contains(term, one)) == [1], str(term)
        assert await found(k, Folder, contains_any(term, [other, other + "?"])) == [2], str(term)
        assert await found(k, Folder, contains_all(term, [one, other])) == [], str(term)
        assert await found(k, Folder, not_(contains(term, one))) == [2], str(term)


@case("A1", each=CORE)
async def whole_values_keep_apart_what_looks_alike(k: Kit, one: str, other: str) -> None:
    """Equality of whole JSON values, lists, sets, dicts and records goes down to their texts."""
    rows = {}
    for number, text in ((1, one), (2, other)):
        rows[number] = {"data": {text: [text]}, "items": [text], "labels": {text}, "notes": {text: text}, "card": Card(text, text)}
        await put(k, Folder, {"id": number, **rows[number]})
    for name in ("data", "items", "labels", "notes"):
        assert await found(k, Folder, **{name: rows[1][name]}) == [1], name
        assert await found(k, Folder, **{f"{name}__ne": rows[1][name]}) == [2], name
        assert await found(k, Folder, **{f"{name}__in": [rows[2][name]]}) == [2], name
    assert await found(k, Folder, Folder.card.title == one, Folder.card.note == one) == [1]


@case("A1", each=MEANINGFUL)
async def text_that_means_something_elsewhere_is_only_text(k: Kit, text: str) -> None:
    """A value, and a name inside JSON or a dict, that an engine could take for part of a statement, a pattern or a path."""
    await put(k, Phrase, {"id": 1, "text": text, "indexed": text}, {"id": 2, "text": "other", "indexed": "other"})
    await put(k, Folder, {"id": 1, "data": {text: {text: text}}, "notes": {text: text}, "items": [text]}, {"id": 2})
    (phrase, _), (folder, _) = await whole(k, Phrase), await whole(k, Folder)
    assert (phrase.text, phrase.indexed) == (text, text)
    assert (folder.data, folder.notes, folder.items) == ({text: {text: text}}, {text: text}, [text])
    for condition in (Phrase.text == text, Phrase.indexed == text, Phrase.text.startswith(text), contains(Phrase.text, text)):
        assert await found(k, Phrase, condition) == [1], str(condition)
    for condition in (
        Folder.data[text][text] == text,
        Folder.notes[text] == text,
        contains(Folder.items, text),
        contains(Folder.notes, text),
    ):
        assert await found(k, Folder, condition) == [1], str(condition)


NAMES = {
    "a dot": "a.b",
    "a quote": 'a"b',
    "an apostrophe": "a'b",
    "a bracket": "a]b[0]",
    "a dollar": "$.a",
    "a backslash": "a\\b",
    "empty": "",
    "a blank": " ",
    "a number": "0",
    "an escape": "\\u0061",
    "underscores": "a__b",
    "an operator": "eq",
    "a newline": "a\nb",
    "emoji": "\U0001f600",
    "decomposed": "e\u0301",
    "a hash": "#-1",
}


@case("A1", each=NAMES)
async def names_inside_values_are_exact(k: Kit, name: str) -> None:
    """A member of an object or dict is found under exactly its name, whatever an engine's paths make of it."""
    await put(
        k, Folder, {"id": 1, "data": {name: "x"}, "notes": {name: "x"}}, {"id": 2, "data": {name + "~": "x"}, "notes": {"~" + name: "x"}}
    )
    await put(
        k, Folder, {"id": 3, "data": {"a": {"b": "x"}, "e": "x", "A": "x", "\u00e9": "x"}, "notes": {"a": "x", "\u00e9": "x", "b": "x"}}
    )
    assert await found(k, Folder, Folder.data[name] == "x") == [1]
    assert await found(k, Folder, Folder.notes[name] == "x") == [1]
    assert await found(k, Folder, contains(Folder.notes, name)) == [1]


@case("A1", needs="aggregates")
async def groups_are_by_code_point(k: Kit) -> None:
    """Each of the texts that look alike is a group of its own."""
    for number, text in enumerate(TEXTS):
        await put(k, Phrase, {"id": 2 * number, "text": text, "indexed": text}, {"id": 2 * number + 1, "text": text})
    for term, times in ((Phrase.text, 2), (Phrase.indexed, 1)):
        rows = await k.store[Phrase].where(is_not_null(term)).allow_scan().group_by(term).values(text=term, n=agg.count())
        assert sorted((row["text"], row["n"]) for row in rows) == sorted((text, times) for text in TEXTS)


@case("A1", needs="aggregates")
async def distinct_counts_are_by_code_point(k: Kit) -> None:
    """count(distinct) of texts that look alike counts each once."""
    for number, text in enumerate((*TEXTS, *TEXTS[:5])):
        await put(k, Phrase, {"id": number, "text": text, "indexed": text})
    for term in (Phrase.text, Phrase.indexed):
        rows = await k.store[Phrase].query().allow_scan().values(n=agg.count(term, distinct=True), all=agg.count(term))
        assert rows == [{"n": len(TEXTS), "all": len(TEXTS) + 5}]


@case("A1")
async def distinct_is_by_code_point(k: Kit) -> None:
    """Distinct values of texts that look alike are all of them, each once."""
    for number, text in enumerate((*TEXTS, *TEXTS)):
        await put(k, Phrase, {"id": number, "text": text, "indexed": text})
    for term in (Phrase.text, Phrase.indexed):
        rows = await k.store[Phrase].query().allow_scan().distinct().values(text=term)
        assert sorted(row["text"] for row in rows) == sorted(TEXTS)


@case("A1")
async def distinct_texts_are_cut_after_repetitions_are_dropped(k: Kit) -> None:
    """A limit counts distinct texts; and the same question without distinct() still repeats them, whichever is asked first."""
    texts = ("a", "A", "a ", "\u00e9", "e\u0301") * 3
    await put(k, Phrase, *({"id": number, "text": text, "indexed": text} for number, text in enumerate(texts)))
    ordered = sorted(set(texts))
    for term in (Phrase.text, Phrase.indexed):
        query = k.store[Phrase].query().order_by(term).allow_scan()
        for distinct in (False, True, False):
            rows = await (query.distinct() if distinct else query).values(text=term)
            assert [row["text"] for row in rows] == (ordered if distinct else sorted(texts)), distinct
        assert [row["text"] for row in await query.distinct().limit(4).values(text=term)] == ordered[:4]
        assert [row["text"] for row in await query.distinct().limit(2).offset(2).values(text=term)] == ordered[2:4]


@case("A1")
async def many_texts_at_once_are_found_exactly(k: Kit) -> None:
    """in with every second one of the texts that look alike finds these, and not in the others."""
    await put(k, Phrase, *({"id": number, "text": text, "indexed": text} for number, text in enumerate(TEXTS)))
    for term in (Phrase.text, Phrase.indexed):
        assert await found(k, Phrase, one_of(term, TEXTS[::2])) == list(range(0, len(TEXTS), 2))
        assert await found(k, Phrase, not_one_of(term, TEXTS[::2])) == list(range(1, len(TEXTS), 2))


@case("A1")
async def texts_of_two_fields_are_compared_exactly(k: Kit) -> None:
    """A field compared with another field: equal only where the code points are."""
    pairs = list(ALIKE.values())
    await put(k, Phrase, *({"id": number, "text": one, "indexed": other} for number, (one, other) in enumerate(pairs)))
    await put(k, Phrase, {"id": 1000, "text": "\u00e9", "indexed": "\u00e9"})
    assert await found(k, Phrase, Phrase.text == Phrase.indexed) == [1000]
    assert await found(k, Phrase, Phrase.text != Phrase.indexed) == list(range(len(pairs)))
    assert await found(k, Phrase, Phrase.text < Phrase.indexed) == [n for n, (one, other) in enumerate(pairs) if one < other]
    assert await found(k, Phrase, Phrase.text >= Phrase.indexed) == [n for n, (one, other) in enumerate(pairs) if one >= other] + [1000]


PLACES = ("text", "indexed", "data", "items", "labels", "notes", "card")


@case("A1", each=PLACES)
async def every_text_comes_back_as_it_was(k: Kit, place: str) -> None:
    """Code points go into the store and come out again, from every place where text can stand."""
    texts = (*TEXTS, *MEANINGFUL.values())
    if place in ("text", "indexed"):
        await put(k, Phrase, *({"id": number, place: text} for number, text in enumerate(texts)))
        assert [getattr(record, place) for record in await whole(k, Phrase)] == list(texts)
        return
    made = {
        "data": {"texts": list(texts), **{text: text for text in texts}},
        "items": list(texts),
        "labels": set(texts),
        "notes": {text: text[::-1] for text in texts},
        "card": Card("\n".join(texts), "\t".join(texts)),
    }
    await put(k, Folder, {"id": 1, place: made[place]})
    assert getattr(await k.store[Folder].get(1), place) == made[place]


# A5


@case("A5", each=EQUIVALENT)
async def text_is_kept_as_it_is_spelled(k: Kit, one: str, other: str) -> None:
    """Of two spellings that Unicode calls equivalent, each comes back as it was written."""
    assert one != other
    assert unicodedata.normalize("NFKD", one) == unicodedata.normalize("NFKD", other), "the sample is no pair of equivalents"
    await _both(k, one, other)
    await put(
        k, Folder, {"id": 1, "data": {one: 1, other: 2}, "items": [one, other], "labels": {one, other}, "notes": {one: "1", other: "2"}}
    )
    first, second = await whole(k, Phrase)
    assert [list(first.text), list(second.text)] == [list(one), list(other)]
    folder = await k.store[Folder].get(1)
    assert (folder.data, folder.items, folder.labels) == ({one: 1, other: 2}, [one, other], {one, other})
    assert folder.notes == {one: "1", other: "2"}


@case("A5", each=EQUIVALENT)
async def a_search_does_not_normalise(k: Kit, one: str, other: str) -> None:
    """Text tests find the spelling that is there, with or without regard to case."""
    await put(k, Phrase, {"id": 1, "text": f"<{one}>", "indexed": f"<{one}>"}, {"id": 2, "text": f"<{other}>", "indexed": f"<{other}>"})
    folds_alike = one.casefold() == other.casefold()
    for name in ("text", "indexed"):
        for spelled, key in ((one, 1), (other, 2)):
            assert await found(k, Phrase, **{f"{name}__contains": spelled}) == [key]
            assert await found(k, Phrase, **{f"{name}__startswith": f"<{spelled}"}) == [key]
            assert await found(k, Phrase, **{f"{name}__like": f"%{spelled}_"}) == [key]
            assert await found(k, Phrase, **{f"{name}__icontains": spelled}) == ([1, 2] if folds_alike else [key])


@case("A5")
async def a_letter_is_found_before_its_mark(k: Kit) -> None:
    """In a decomposed text the letter stands alone, in a composed one it does not occur."""
    await _both(k, "caf\u00e9", "cafe\u0301")
    assert await found(k, Phrase, contains(Phrase.text, "e")) == [2]
    assert await found(k, Phrase, contains(Phrase.text, "\u0301")) == [2]
    assert await found(k, Phrase, Phrase.text.endswith("\u00e9")) == [1]
    assert await found(k, Phrase, Phrase.text.startswith("cafe")) == [2]


@case("A1", absent="aggregates")
async def without_aggregates_groups_are_refused(k: Kit) -> None:
    """Grouping by text is refused, with reason and remedy, and reading goes on."""
    await put(k, Phrase, {"id": 1, "text": "a"})
    with k.refused(Unsupported, says="aggregates") as caught:
        await k.store[Phrase].query().group_by(Phrase.text).values("text", n=agg.count())
    assert caught.error.hint
    assert await found(k, Phrase, Phrase.text == "a") == [1]
