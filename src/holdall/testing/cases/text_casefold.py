"""A4: the operators that do not mind case compare Python's casefold() of both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.query import icontains, iendswith, iexact, istartswith, not_
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import text as models
from holdall.testing.models.text import Card
from holdall.testing.samples import ALIKE, LONG
from holdall.testing.steps import found, put, whole

# To type checkers a field is a plain value; here it stands for a term of a query.
Folder: Any = models.Folder
Name: Any = models.Name
Phrase: Any = models.Phrase

PAIRS: dict[str, tuple[str, str, bool]] = {
    "ascii": ("Hello", "hELLO", True),
    "accented": ("\u00c9CLAIR", "\u00e9clair", True),
    "decomposed": ("E\u0301", "e\u0301", True),
    "composed is not decomposed": ("\u00c9", "e\u0301", False),
    "an accent is not left out": ("\u00c9", "e", False),
    "sharp s and ss": ("Stra\u00dfe", "STRASSE", True),
    "capital sharp s": ("\u1e9e", "ss", True),
    "sharp s and one s": ("\u00df", "s", False),
    "dotted capital i": ("\u0130", "i\u0307", True),
    "dotted capital i and i": ("\u0130", "i", False),
    "dotless i is not i": ("\u0131", "I", False),
    "dotless i is itself": ("\u0131", "\u0131", True),
    "long s": ("\u017f", "S", True),
    "final sigma": ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2", True),
    "both small sigmas": ("\u03c3", "\u03c2", True),
    "kelvin": ("\u212a", "k", True),
    "angstrom": ("\u212b", "\u00e5", True),
    "micro and mu": ("\u00b5", "\u03bc", True),
    "ligature": ("\ufb03", "FFI", True),
    "cyrillic": ("\u041f\u0420\u0418", "\u043f\u0440\u0438", True),
    "cyrillic is not latin": ("\u0410", "a", False),
    "cherokee": ("\uab70", "\u13a0", True),
    "georgian": ("\u1c90", "\u10d0", True),
    "armenian ligature": ("\u0587", "\u0535\u0552", True),
    "deseret, beyond the plane": ("\U00010400", "\U00010428", True),
    "full width": ("\uff21", "\uff41", True),
    "full width is not ascii": ("\uff21", "a", False),
    "titlecase digraph": ("\u01c5", "\u01c6", True),
    "greek with iota": ("\u1f80", "\u1f00\u03b9", True),
    "trailing blank": ("A", "a ", False),
    "newline": ("A\n", "a", False),
    "soft hyphen": ("A\u00adB", "ab", False),
    "percent": ("A%", "ab", False),
    "underscore": ("A_C", "abc", False),
    "backslash": ("A\\B", "a\\b", True),
    "empty": ("", "", True),
    "empty and blank": ("", " ", False),
    "emoji": ("\U0001f600", "\U0001f601", False),
    "long": (LONG.upper() + "\u00df", LONG + "SS", True),
}


@case("A4", each=PAIRS)
async def equality_folds_case(k: Kit, stored: str, asked: str, equal: bool) -> None:
    """iexact in both directions, and its negation; null is in neither."""
    assert (stored.casefold() == asked.casefold()) is equal, "the sample is wrong"
    await put(k, Phrase, {"id": 1, "text": stored, "indexed": stored}, {"id": 2, "text": asked, "indexed": asked}, {"id": 3})
    for name, term in (("text", Phrase.text), ("indexed", Phrase.indexed)):
        assert await found(k, Phrase, iexact(term, asked)) == ([1, 2] if equal else [2])
        assert await found(k, Phrase, iexact(term, stored)) == ([1, 2] if equal else [1])
        assert await found(k, Phrase, not_(iexact(term, asked))) == ([] if equal else [1])
        assert await found(k, Phrase, **{f"{name}__iexact": asked}) == ([1, 2] if equal else [2])


POOL = (
    *dict.fromkeys(text for stored, asked, _ in PAIRS.values() for text in (stored, asked) if len(text) < 100),
    *(
        "xSTRASSEx",
        "grosse",
        "GRO\u1e9eE",
        "e\ufb03e",
        "i\u0307x",
        "\u0130x",
        "Ix",
        "\u0131x",
        "a%b",
        "A%B",
        "axb",
        "a_b",
        "A\\_B",
        "[A-Z]",
        "A.B",
    ),
    *("\u03a3\u03b1\u03c2", "\u03c3\u03b1\u03c3", "caf\u00c9", "CAFE\u0301", "\U00010400x", "x\U00010428", "'A'", "\nA\n", " A "),
)

OPERANDS = {
    "empty": "",
    "small": "a",
    "capital": "A",
    "one s": "S",
    "two s": "sS",
    "sharp s": "\u00df",
    "capital sharp s": "\u1e9e",
    "half of a ligature": "FI",
    "dotted i": "\u0130",
    "i": "I",
    "dot alone": "\u0307",
    "dotless i": "\u0131",
    "final sigma": "\u03c2",
    "capital sigma": "\u03a3",
    "accented": "\u00c9",
    "bare mark": "\u0301",
    "percent": "%",
    "underscore": "_",
    "backslash": "\\",
    "class": "[a-z]",
    "dot": "A.b",
    "newline": "\n",
    "blank": " ",
    "beyond the plane": "\U00010400",
    "quote": "'",
}

TESTS: dict[str, Callable[[str, str], bool]] = {
    "icontains": lambda text, part: part.casefold() in text.casefold(),
    "istartswith": lambda text, part: text.casefold().startswith(part.casefold()),
    "iendswith": lambda text, part: text.casefold().endswith(part.casefold()),
}
FUNCTIONS = {"icontains": icontains, "istartswith": istartswith, "iendswith": iendswith}


def _same(text: str, part: str) -> bool:
    return text.casefold() == part.casefold()


@case("A4", each={f"{op} {name}": (op, text) for op in TESTS for name, text in OPERANDS.items()})
async def parts_fold_case(k: Kit, op: str, part: str) -> None:
    """The part is looked for in the folded text, where one character may have become two; wildcards are literal."""
    await put(k, Phrase, *({"id": number, "text": text, "indexed": text} for number, text in enumerate(POOL)), {"id": -1})
    holds = TESTS[op]
    wanted = [number for number, text in enumerate(POOL) if holds(text, part)]
    rest = [number for number, text in enumerate(POOL) if not holds(text, part)]
    for name, term in (("text", Phrase.text), ("indexed", Phrase.indexed)):
        assert await found(k, Phrase, FUNCTIONS[op](term, part)) == wanted
        assert await found(k, Phrase, not_(FUNCTIONS[op](term, part))) == rest
        assert await found(k, Phrase, **{f"{name}__{op}": part}) == wanted


@case("A4", each=(*TESTS, "iexact"))
async def places_inside_values_fold_case(k: Kit, op: str) -> None:
    """The same in JSON, dicts, lists and records; what is not text there is neither found nor in the negation."""
    rows = [
        {"id": number, "data": {"t": text}, "items": [text], "notes": {"t": text}, "card": Card(text)} for number, text in enumerate(POOL)
    ]
    await put(k, Folder, *rows)
    await put(k, Folder, {"id": 1000, "data": {"t": 1}}, {"id": 1001, "data": {"t": None}}, {"id": 1002})
    holds, make = (TESTS | {"iexact": _same})[op], (FUNCTIONS | {"iexact": iexact})[op]
    for part in ("stra\u00dfe", "SS", "\u03a3", "i", "%", "A"):
        wanted = [number for number, text in enumerate(POOL) if holds(text, part)]
        rest = [number for number, text in enumerate(POOL) if not holds(text, part)]
        for term in (Folder.data["t"], Folder.notes["t"], Folder.items[0], Folder.card.title):
            assert await found(k, Folder, make(term, part)) == wanted, (str(term), part)
            assert await found(k, Folder, not_(make(term, part))) == rest, (str(term), part)


@case("A4")
async def keys_fold_case_only_when_asked(k: Kit) -> None:
    """iexact on a key finds all its spellings, while getting by key minds case."""
    await put(k, Name, {"id": "Stra\u00dfe"}, {"id": "STRASSE"}, {"id": "strasse "}, {"id": "Strase"})
    assert await found(k, Name, iexact(Name.id, "strasse")) == ["STRASSE", "Stra\u00dfe"]
    assert await found(k, Name, istartswith(Name.id, "STRAS")) == ["STRASSE", "Strase", "Stra\u00dfe", "strasse "]
    assert await k.store[Name].get("strasse") is None


@case("A4")
async def folding_changes_nothing_stored(k: Kit) -> None:
    """What is found without regard to case comes back as it was written."""
    texts = sorted({text for pair in ALIKE.values() for text in pair if len(text) < 100})
    await put(k, Phrase, *({"id": number, "text": text, "indexed": text} for number, text in enumerate(texts)))
    for number, text in enumerate(texts):
        records = await k.store[Phrase].where(iexact(Phrase.indexed, text), id=number).allow_scan().all()
        assert [record.text for record in records] == [text]


@case("A4", needs="set_writes")
async def set_writes_fold_case(k: Kit) -> None:
    """Update and delete by tests that do not mind case match as reading does."""
    texts = ("Stra\u00dfe", "STRASSE", "strase", "\u0130stanbul", "istanbul")
    await put(k, Phrase, *({"id": number, "text": text} for number, text in enumerate(texts)))
    phrases = k.store[Phrase]
    assert await phrases.where(text__iexact="strasse").allow_scan().update(number=1) == 2
    assert await phrases.where(text__icontains="SS").allow_scan().update(number=Phrase.number + 10) == 2
    assert await phrases.where(text__istartswith="I").allow_scan().update(number=2) == 2
    assert [record.number for record in await whole(k, Phrase)] == [11, 11, 0, 2, 2]
    assert await phrases.where(text__iendswith="E").allow_scan().delete() == 3


@case("A4", each=("iexact", "icontains", "istartswith", "iendswith"))
async def both_sides_are_folded_in_one_filter_with_others(k: Kit, op: str) -> None:
    """Combined with exact tests of the same field, each keeps its own meaning."""
    await put(
        k,
        Phrase,
        {"id": 1, "text": "Ab", "indexed": "Ab"},
        {"id": 2, "text": "aB", "indexed": "aB"},
        {"id": 3, "text": "ab", "indexed": "ab"},
    )
    for name in ("text", "indexed"):
        assert await found(k, Phrase, **{f"{name}__{op}": "AB", f"{name}__startswith": "a"}) == [2, 3]
        assert await found(k, Phrase, **{f"{name}__{op}": "AB", f"{name}__ne": "ab"}) == [1, 2]
        assert await found(k, Phrase, **{f"{name}__{op}": "AB", f"{name}__in": ["Ab", "AB", "xx"]}) == [1]
