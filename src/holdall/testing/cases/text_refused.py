"""A7: U+0000 and lone surrogates are refused wherever text comes in, before anything is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.errors import QueryError, ValidationError
from holdall.query import contains, contains_all, contains_any, icontains, iendswith, iexact, istartswith, like
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import text as models
from holdall.testing.models.text import SIGNERS, Card
from holdall.testing.steps import found, never_begun, put, watched, whole
from holdall.testing.ways import WRITES, refuses_filters, refuses_writes

# To type checkers a field is a plain value; here it stands for a term of a query.
Folder: Any = models.Folder
Name: Any = models.Name
Pair: Any = models.Pair
Phrase: Any = models.Phrase
Signed: Any = models.Signed

BAD = {
    "only nul": "\0",
    "nul inside": "a\0b",
    "nul at the end": "a\0",
    "high surrogate": "\ud800",
    "low surrogate": "a\udfff",
    "a pair of surrogates": "\ud83d\ude00",
    "swapped surrogates": "\ude00\ud83d",
    "an escaped byte": "caf\udce9",
}
FEW = {name: BAD[name] for name in ("nul inside", "high surrogate", "a pair of surrogates")}

# Places inside a folder where text can stand: the field, and its value with the text in it.
PLACES: dict[str, tuple[str, Callable[[str], Any]]] = {
    "JSON text": ("data", lambda text: text),
    "a member of an object": ("data", lambda text: {"a": text}),
    "deep inside JSON": ("data", lambda text: [1, {"a": [{"b": text}]}]),
    "a name in an object": ("data", lambda text: {text: 1}),
    "a name deep inside JSON": ("data", lambda text: [{"a": {text: None}}]),
    "an item of a list": ("items", lambda text: ["a", text]),
    "an item of a set": ("labels", lambda text: {"a", text}),
    "a value of a dict": ("notes", lambda text: {"a": text}),
    "a name of a dict": ("notes", lambda text: {text: "a"}),
    "a part of a record": ("card", Card),
    "an optional part of a record": ("card", lambda text: Card("a", text)),
}


@case(
    "A7",
    each={
        f"{name} in {field} by {way}": (field, way, text)
        for name, text in BAD.items()
        for field, way in (("text", "create"), ("indexed", "save"))
    },
)
async def bad_text_is_no_value(k: Kit, field: str, way: str, text: str) -> None:
    """Every kind of text that is not Unicode, or holds U+0000."""
    await refuses_writes(k, Phrase, field, text, way)


@case("A7", each={f"{name} by {way}": (way, text) for name, text in FEW.items() for way in WRITES})
async def no_way_of_writing_takes_bad_text(k: Kit, way: str, text: str) -> None:
    """create, create_many, save and upsert."""
    await refuses_writes(k, Phrase, "text", text, way)


@case("A7", needs="set_writes", each=BAD)
async def no_update_by_query_takes_bad_text(k: Kit, text: str) -> None:
    """update() with such a value."""
    await refuses_writes(k, Phrase, "text", text, "update")
    await refuses_writes(k, Folder, "notes", {"a": text}, "update")
    await refuses_writes(k, Folder, "data", {text: 1}, "update")


@case("A7", each={f"{name} as {place}": (place, text) for name, text in FEW.items() for place in PLACES})
async def no_place_inside_a_value_takes_bad_text(k: Kit, place: str, text: str) -> None:
    """JSON, lists, sets, dicts and records are looked through, names included."""
    field, make = PLACES[place]
    for way in ("create", "save", "upsert"):
        await refuses_writes(k, Folder, field, make(text), way)


@case("A7", each=BAD)
async def no_key_is_bad_text(k: Kit, text: str) -> None:
    """Neither a key nor a part of one; and none is found under it."""
    store, watch = await watched(k, Name, Pair)
    for act in (
        lambda: store[Name].create(id=text),
        lambda: store[Name].upsert(id=text),
        lambda: store[Name].create_many([{"id": "a"}, {"id": text}]),
        lambda: store[Pair].create(first=text, second="a"),
        lambda: store[Pair].create(first="a", second=text),
        lambda: store[Pair].upsert(first="a", second=text),
    ):
        await never_begun(watch, ValidationError, act)
    for act in (
        lambda: store[Name].get(text),
        lambda: store[Name].get_many(["a", text]),
        lambda: store[Pair].get(("a", text)),
        lambda: store[Pair].get_many([("a", "b"), (text, "a")]),
        lambda: store[Name].where(Name.id == text),
    ):
        await never_begun(watch, QueryError, act)
    assert await whole(k, Name) == []
    assert await k.store[Pair].query().allow_scan().all() == []


@case("A7", each=BAD)
async def no_comparison_takes_bad_text(k: Kit, text: str) -> None:
    """Comparisons of a field with such text are refused when the query is built, not by the engine."""
    await refuses_filters(k, Phrase, "text", text)


SEARCHES: dict[str, Callable[[str], Any]] = {
    "contains": lambda text: contains(Phrase.text, text),
    "startswith": Phrase.text.startswith,
    "endswith": Phrase.text.endswith,
    "like": lambda text: like(Phrase.text, text),
    "iexact": lambda text: iexact(Phrase.text, text),
    "icontains": lambda text: icontains(Phrase.text, text),
    "istartswith": lambda text: istartswith(Phrase.text, text),
    "iendswith": lambda text: iendswith(Phrase.text, text),
}


@case("A7", each=SEARCHES.keys())
async def no_search_takes_bad_text(k: Kit, op: str) -> None:
    """Text tests, called as functions and spelled as lookups."""
    store, watch = await watched(k, Phrase)
    for text in BAD.values():
        await never_begun(watch, QueryError, lambda text=text: store[Phrase].where(SEARCHES[op](text)))
        await never_begun(watch, QueryError, lambda text=text: store[Phrase].where(**{f"text__{op}": f"a{text}"}))


INSIDE: dict[str, Callable[[str], Any]] = {
    "a place in JSON": lambda text: Folder.data["a"] == text,
    "JSON": lambda text: Folder.data == [text],
    "a name in JSON": lambda text: Folder.data == {text: 1},
    "an item of JSON": lambda text: contains(Folder.data, text),
    "items of JSON": lambda text: contains_any(Folder.data, ["a", {text: 1}]),
    "an item of a list": lambda text: contains(Folder.items, text),
    "items of a list": lambda text: contains_all(Folder.items, ["a", text]),
    "a list": lambda text: Folder.items == [text],
    "an item of a set": lambda text: contains(Folder.labels, text),
    "a set": lambda text: Folder.labels == {text},
    "a name of a dict": lambda text: contains(Folder.notes, text),
    "a dict": lambda text: Folder.notes == {text: "a"},
    "a value of a dict": lambda text: Folder.notes["a"] == text,
    "a part of a record": lambda text: Folder.card.title == text,
    "a path into JSON": lambda text: Folder.data[text] == 1,
    "a deep path into JSON": lambda text: Folder.data["a"][text]["b"] == 1,
    "a path into a dict": lambda text: Folder.notes[text] == "a",
}


@case("A7", each=INSIDE.keys())
async def no_question_about_values_takes_bad_text(k: Kit, place: str) -> None:
    """Operands and names of places inside JSON, lists, sets, dicts and records."""
    store, watch = await watched(k, Folder)
    for text in BAD.values():
        await never_begun(watch, QueryError, lambda text=text: store[Folder].where(INSIDE[place](text)))


@case("A7", each=BAD)
async def no_path_of_a_lookup_takes_bad_text(k: Kit, text: str) -> None:
    """Names in paths, in conditions, orders and columns."""
    store, watch = await watched(k, Folder)
    for act in (
        lambda: store[Folder].where(**{f"data__{text}": 1}),
        lambda: store[Folder].where(**{f"notes__{text}__startswith": "a"}),
        lambda: store[Folder].query().order_by(f"notes.{text}"),
        lambda: store[Folder].query().values(f"data.{text}"),
    ):
        await never_begun(watch, QueryError, act)


@case("A7", each=FEW)
async def no_text_that_is_always_set_is_bad(k: Kit, text: str) -> None:
    """A function that gives such text for an Always field is refused as a value is, when creating and when saving."""
    store, watch = await watched(k, Signed)
    record = await store[Signed].create(id=1)
    SIGNERS.append(text)
    try:
        await never_begun(watch, ValidationError, lambda: store[Signed].create(id=2))
        record.text = "changed"
        await never_begun(watch, ValidationError, lambda: store[Signed].save(record))
    finally:
        SIGNERS.pop()
    assert [(each.text, each.by) for each in await whole(k, Signed)] == [("", "ada")]


@case("A7", needs="set_writes", each=FEW)
async def no_text_that_is_always_set_by_query_is_bad(k: Kit, text: str) -> None:
    """The same for update()."""
    store, watch = await watched(k, Signed)
    await store[Signed].create(id=1)
    SIGNERS.append(text)
    try:
        await never_begun(watch, ValidationError, lambda: store[Signed].query().update(text="changed"))
    finally:
        SIGNERS.pop()
    assert [(each.text, each.by) for each in await whole(k, Signed)] == [("", "ada")]


GOOD = {
    "characters beyond the plane": "\U00010000\U0010ffff",
    "next to the surrogates": "\ud7ff\ue000",
    "all controls but nul": "".join(map(chr, range(1, 32))) + "\x7f\x80\x9f",
    "noncharacters": "\ufdd0\ufffe\uffff\U0001ffff",
    "the picture of nul": "\u2400",
    "an escape of nul": "\\0 \\u0000 \\x00 %00",
}


@case("A7", each=GOOD)
async def all_other_text_is_taken(k: Kit, text: str) -> None:
    """What is near the two that are refused is ordinary text, as value, key, name and operand."""
    await put(k, Phrase, {"id": 1, "text": text, "indexed": text})
    await put(k, Name, {"id": text})
    await put(
        k, Folder, {"id": 1, "data": {text: text}, "items": [text], "labels": {text}, "notes": {text: text}, "card": Card(text, text)}
    )
    assert (await k.store[Phrase].get(1)).text == text
    assert (await k.store[Name].get(text)).id == text
    folder = await k.store[Folder].get(1)
    assert (folder.data, folder.items, folder.labels, folder.notes, folder.card) == (
        {text: text},
        [text],
        {text},
        {text: text},
        Card(text, text),
    )
    assert await found(k, Phrase, Phrase.text == text, contains(Phrase.indexed, text)) == [1]
    assert await found(k, Folder, Folder.data[text] == text, Folder.notes[text] == text) == [1]
