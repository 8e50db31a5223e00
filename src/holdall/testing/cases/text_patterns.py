"""A3: contains, startswith and endswith take text literally; like has %, _ and the escape \\, and minds case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.query import contains, like, not_
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import text as models
from holdall.testing.models.text import Card
from holdall.testing.samples import LONG, MEANINGFUL
from holdall.testing.steps import found, put, whole

# To type checkers a field is a plain value; here it stands for a term of a query.
Folder: Any = models.Folder
Name: Any = models.Name
Phrase: Any = models.Phrase

PLAIN = (
    "",
    " ",
    "a",
    "A",
    "ab",
    "aB",
    "AB",
    "abc",
    "bab",
    "b a",
    "a b ",
    " ab",
    "a\nb",
    "\nab\n",
    "a\tb",
    "%",
    "_",
    "\\",
    "%_",
    "_%",
    "\\%",
    "\\_",
    "%%",
    "100%",
    "50%off",
    "a_b",
    "axb",
    "a%b",
    "a\\b",
    "a\\%b",
    "*",
    "a*b",
    "?",
    "a?b",
    "[a-z]",
    "[",
    "]",
    "^a",
    "a$",
    "a.b",
    "a|b",
    "(a)",
    "a+b",
    "{a}",
    "'",
    '"',
    "a'b",
    "''",
    "--",
    ";",
    "\u00e9",
    "e\u0301",
    "e",
    "\u00c9",
    "\u00df",
    "ss",
    "SS",
    "\u0130",
    "i\u0307",
    "\U0001f600",
    "x\U0001f600y",
    "\U0001f468\u200d\U0001f469",
    "\ufffd",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\U00010000",
    "\U0010ffff",
    "a\U0010ffff",
    "a\U0010ffffb",
    "b",
    LONG,
    LONG + "ab",
)

OPERANDS = {
    "empty": "",
    "a blank": " ",
    "small": "a",
    "capital": "A",
    "two": "ab",
    "mixed case": "aB",
    "percent": "%",
    "underscore": "_",
    "backslash": "\\",
    "escaped percent": "\\%",
    "escaped underscore": "\\_",
    "percent underscore": "%_",
    "inside wildcards": "a%b",
    "inside underscore": "a_b",
    "star": "*",
    "question mark": "?",
    "bracket": "[",
    "class": "[a-z]",
    "caret": "^a",
    "dollar": "$",
    "dot": "a.b",
    "bar": "|",
    "quote": "'",
    "two quotes": "''",
    "newline": "\n",
    "trailing blank": "b ",
    "accented": "\u00e9",
    "bare mark": "\u0301",
    "sharp s": "\u00df",
    "astral": "\U0001f600",
    "joiner": "\u200d",
    "below the surrogates": "\ud7ff",
    "end of the plane": "\uffff",
    "first astral": "\U00010000",
    "the very last": "\U0010ffff",
    "letter and the very last": "a\U0010ffff",
    "many": LONG,
    "more than many": LONG + "x",
}

TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


async def _fill(k: Kit) -> None:
    await put(k, Phrase, *({"id": number, "text": text, "indexed": text} for number, text in enumerate(PLAIN)), {"id": -1})


@case("A3", each={f"{op} {name}": (op, text) for op in TESTS for name, text in OPERANDS.items()})
async def parts_are_literal(k: Kit, op: str, part: str) -> None:
    """The records whose text has the part there, and in the negation all others but the null one."""
    await _fill(k)
    holds = TESTS[op]
    wanted = [number for number, text in enumerate(PLAIN) if holds(text, part)]
    rest = [number for number, text in enumerate(PLAIN) if not holds(text, part)]
    for name, term in (("text", Phrase.text), ("indexed", Phrase.indexed)):
        made = contains(term, part) if op == "contains" else getattr(term, op)(part)
        assert await found(k, Phrase, made) == wanted
        assert await found(k, Phrase, not_(made)) == rest
        assert await found(k, Phrase, **{f"{name}__{op}": part}) == wanted


@case(
    "A3",
    each={
        f"{op} {name}": (op, OPERANDS[name])
        for op in TESTS
        for name in (
            "empty",
            "capital",
            "percent",
            "underscore",
            "backslash",
            "quote",
            "newline",
            "trailing blank",
            "bare mark",
            "astral",
            "dot",
            "class",
        )
    },
)
async def parts_of_places_inside_values_are_literal(k: Kit, op: str, part: str) -> None:
    """The same in JSON, dicts, lists and records; what is not text there is neither found nor in the negation."""
    texts = [text for text in PLAIN if len(text) < 100]
    rows = [
        {"id": number, "data": {"t": text}, "items": [text], "notes": {"t": text}, "card": Card(text)} for number, text in enumerate(texts)
    ]
    await put(k, Folder, *rows)
    await put(
        k, Folder, {"id": 1000, "data": {"t": 1}}, {"id": 1001, "data": {"t": None}}, {"id": 1002, "data": {"t": [part]}}, {"id": 1003}
    )
    holds = TESTS[op]
    wanted = [number for number, text in enumerate(texts) if holds(text, part)]
    rest = [number for number, text in enumerate(texts) if not holds(text, part)]
    for path in ("notes__t", "items__0", "card__title"):
        assert await found(k, Folder, **{f"{path}__{op}": part}) == wanted, path
    if op != "contains":  # in a JSON place, contains looks for an item of a list
        term = Folder.data["t"]
        assert await found(k, Folder, getattr(term, op)(part)) == wanted
        assert await found(k, Folder, not_(getattr(term, op)(part))) == rest


PATTERNS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    # pattern, texts of it, texts that are not
    "nothing": ("", ("",), (" ", "a", "%")),
    "plain": ("ab", ("ab",), ("Ab", "abc", "xab", "ab ", " ab", "a\u0301b")),
    "case": ("aB\u00c9", ("aB\u00c9",), ("ab\u00c9", "aB\u00e9", "AB\u00c9")),
    "anything": ("%", ("", "a", "\n", "a\nb", "%", "\U0001f600"), ()),
    "anything twice": ("%%", ("", "a", "\r\n"), ()),
    "anything once": ("_", ("a", " ", "\n", "_", "%", "\\", "\u00e9", "\U0001f600", "\U0010ffff"), ("", "ab", "e\u0301", "\r\n")),
    "two characters": ("__", ("ab", "e\u0301", "\r\n", "\U0001f600\U0001f600", "__"), ("a", "\u00e9", "\U0001f600", "abc")),
    "at least one": ("_%", ("a", "ab", "\n", "\U0001f600"), ("",)),
    "at least two": ("%__", ("ab", "abc", "\U0001f600b"), ("", "a", "\U0001f600")),
    "begins": ("ab%", ("ab", "abc", "ab\nc", "ab%"), ("Ab", "xab", "a", "a\u200db")),
    "ends": ("%ab", ("ab", "xab", "x\nab", "%ab"), ("aB", "abx", "ab ", "ab\n")),
    "inside": ("%ab%", ("ab", "xabx", "\nab\n"), ("a b", "AB", "ba")),
    "both ends": ("a%b", ("ab", "axb", "a\nb", "a%b", "abb"), ("a", "b", "Ab", "abc", "xab")),
    "the ends do not overlap": ("aba%aba", ("abaaba", "abaxaba"), ("aba", "ababa")),
    "a single does not overlap": ("ab_ba", ("abxba", "abbba"), ("abba", "aba")),
    "several parts in order": ("%a%b%c%", ("abc", "xaxbxcx", "aabbcc"), ("acb", "cba", "ab")),
    "parts do not overlap": ("%aa%aa%", ("aaaa", "aaxaa"), ("aaa", "aa")),
    "single in the middle": ("a_c", ("abc", "a\nc", "a\U0001f600c", "a_c"), ("ac", "abbc", "ae\u0301c")),
    "mixed": ("_a%b_", ("xab?", "xa...b?"), ("ab?", "xab", "xaab")),
    "anything and single": ("%_%_%", ("ab", "abc"), ("", "a")),
    "escaped percent": ("100\\%", ("100%",), ("100", "1000", "100x", "100\\%")),
    "escaped underscore": ("a\\_b", ("a_b",), ("axb", "a\\_b", "a\\xb")),
    "escaped backslash": ("a\\\\b", ("a\\b",), ("a\\\\b", "ab", "a\\")),
    "escaped backslash and anything": ("a\\\\%", ("a\\", "a\\b", "a\\%"), ("a", "ab", "a%")),
    "escaped backslash and escaped percent": ("\\\\\\%", ("\\%",), ("\\\\%", "\\", "%")),
    "an escaped letter is itself": ("\\a\\b", ("ab",), ("\\a\\b", "AB", "a\\b")),
    "an escaped letter is no class": ("\\d\\w", ("dw",), ("1a", "\\d\\w")),
    "an escaped astral": ("\\\U0001f600", ("\U0001f600",), ("\\\U0001f600", "")),
    "an escaped newline": ("\\\n", ("\n",), ("\\\n", "n")),
    "a backslash at the end is itself": ("ab\\", ("ab\\",), ("ab", "ab\\\\")),
    "only a backslash": ("\\", ("\\",), ("", "\\\\")),
    "anything and a backslash at the end": ("%\\", ("\\", "a\\"), ("", "a", "\\a")),
    "escaped begin": ("\\%%", ("%", "%a"), ("", "a", "a%")),
    "escaped end": ("%\\_", ("_", "a_"), ("", "ab", "_a")),
    "star and question mark": ("a*?", ("a*?",), ("abc", "a", "ab")),
    "class": ("[a-c]", ("[a-c]",), ("a", "b")),
    "negated class": ("[^a]", ("[^a]",), ("b",)),
    "regular expression": ("^a.+(b|c)$", ("^a.+(b|c)$",), ("axb", "a.b")),
    "braces": ("a{2}", ("a{2}",), ("aa",)),
    "dot": ("a.c", ("a.c",), ("abc",)),
    "quotes": ("'\"`", ("'\"`",), ("'", "''\"`")),
    "a trailing blank": ("a ", ("a ",), ("a", "a  ")),
    "blanks": ("% %", (" ", "a b"), ("", "ab", "a\tb")),
    "newline": ("a\nb", ("a\nb",), ("a\r\nb", "a b", "ab")),
    "dot of a newline": ("a%b_", ("a\nb\n", "abc"), ("ab", "a\nb")),
    "sharp s": ("\u00df%", ("\u00df", "\u00dfe"), ("ss", "sse", "\u1e9e")),
    "dotless i": ("\u0131_", ("\u0131x",), ("ix", "Ix", "\u0131")),
    "decomposed": ("%e\u0301", ("e\u0301", "xe\u0301"), ("\u00e9", "e")),
    "a letter under its mark": ("caf_", ("caf\u00e9", "cafe"), ("cafe\u0301",)),
    "joined emoji": ("___", ("\U0001f468\u200d\U0001f469", "abc"), ("\U0001f468\U0001f469", "\U0001f600")),
    "the very last": ("\U0010ffff%", ("\U0010ffff", "\U0010ffffa"), ("\uffff", "a\U0010ffff")),
    "a statement": ("%'; DROP%", ("x'; DROP TABLE", "'; DROP"), ("DROP", "'; drop")),
    "a placeholder": ("?%s:1", ("?s:1", "?xs:1", "?%s:1"), ("as:1", "?")),
}


@case("A3", each=PATTERNS)
async def patterns_match_whole_texts(k: Kit, pattern: str, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    """The texts of a pattern are found, the others are in the negation; null is in neither."""
    texts = (*yes, *no)
    await put(k, Phrase, *({"id": number, "text": text, "indexed": text} for number, text in enumerate(texts)), {"id": -1})
    for name, term in (("text", Phrase.text), ("indexed", Phrase.indexed)):
        assert await found(k, Phrase, like(term, pattern)) == list(range(len(yes)))
        assert await found(k, Phrase, not_(like(term, pattern))) == list(range(len(yes), len(texts)))
        assert await found(k, Phrase, **{f"{name}__like": pattern}) == list(range(len(yes)))


@case(
    "A3",
    each={
        name: PATTERNS[name]
        for name in (
            "case",
            "anything once",
            "two characters",
            "the ends do not overlap",
            "escaped percent",
            "escaped backslash and anything",
            "a backslash at the end is itself",
            "regular expression",
            "dot of a newline",
            "decomposed",
            "quotes",
        )
    },
)
async def patterns_match_places_inside_values(k: Kit, pattern: str, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    """like in JSON, dicts, lists and records."""
    texts = (*yes, *no)
    rows = [
        {"id": number, "data": {"t": text}, "items": [text], "notes": {"t": text}, "card": Card(text)} for number, text in enumerate(texts)
    ]
    await put(k, Folder, *rows)
    await put(k, Folder, {"id": 1000, "data": {"t": 1}})
    for term in (Folder.data["t"], Folder.notes["t"], Folder.items[0], Folder.card.title):
        assert await found(k, Folder, like(term, pattern)) == list(range(len(yes))), str(term)
        assert await found(k, Folder, not_(like(term, pattern))) == list(range(len(yes), len(texts))), str(term)


@case(
    "A3",
    each={
        "many anythings": ("%a" * 12 + "%b", False),
        "many singles": ("%" + "_" * 500 + "a" * 50 + "%", True),
        "long": (LONG[:2000] + "%", False),
    },
)
async def a_pattern_ends_on_a_long_text(k: Kit, pattern: str, matches: bool) -> None:
    """A pattern that invites trying every place again does not take time without end."""
    await put(k, Phrase, {"id": 1, "text": "a" * 3000, "indexed": "a" * 3000})
    for term in (Phrase.text, Phrase.indexed):
        assert await found(k, Phrase, like(term, pattern)) == ([1] if matches else [])


@case("A3", each=MEANINGFUL)
async def an_escaped_text_is_a_pattern_of_itself(k: Kit, text: str) -> None:
    """With a backslash before every character, a pattern finds that text and nothing else."""
    await put(k, Phrase, {"id": 1, "text": text, "indexed": text}, {"id": 2, "text": text + "x"}, {"id": 3, "text": text[1:]})
    pattern = "".join(f"\\{character}" for character in text)
    assert await found(k, Phrase, like(Phrase.text, pattern)) == [1]
    assert await found(k, Phrase, like(Phrase.indexed, pattern)) == [1]
    assert await found(k, Phrase, like(Phrase.text, pattern + "_")) == [2]


PREFIXED = (
    "a",
    "ab",
    "abc",
    "abd",
    "ac",
    "b",
    "aB",
    "AB",
    "ab\U0010ffff",
    "ab\U0010ffffx",
    "\U0010ffff",
    "\U0010ffffx",
    "\ud7ff",
    "\ud7ffa",
    "\ue000",
    "ab\uffff",
    "ab\U00010000",
    "%",
    "%a",
    "_a",
    "\\a",
    " ab",
    "ab ",
)


@case("A3", each=("ab", "a", "", "\U0010ffff", "ab\U0010ffff", "\ud7ff", "x", "ab\uffff", "%", "_", "\\", "ab ", "A"))
async def keys_are_found_by_their_beginning(k: Kit, prefix: str) -> None:
    """A prefix of the key, for which engines read a range: its end is right after every last character."""
    await put(k, Name, *({"id": name} for name in PREFIXED))
    assert await found(k, Name, Name.id.startswith(prefix)) == sorted(name for name in PREFIXED if name.startswith(prefix))
    assert await found(k, Name, not_(Name.id.startswith(prefix))) == sorted(name for name in PREFIXED if not name.startswith(prefix))
    page = await k.store[Name].where(Name.id.startswith(prefix)).allow_scan().page(100)
    assert [record.id for record in page] == sorted(name for name in PREFIXED if name.startswith(prefix))


@case("A3", needs="set_writes")
async def set_writes_take_text_literally(k: Kit) -> None:
    """Update and delete by text tests match as reading does."""
    texts = ("100%", "1000", "a_b", "axb", "A_B", "a\\b")
    await put(k, Phrase, *({"id": number, "text": text} for number, text in enumerate(texts)))
    phrases = k.store[Phrase]
    assert await phrases.where(text__contains="%").allow_scan().update(number=1) == 1
    assert await phrases.where(text__like="a\\_b").allow_scan().update(number=2) == 1
    assert await phrases.where(text__like="%\\\\%").allow_scan().update(number=3) == 1
    assert await phrases.where(text__like="a_b").allow_scan().update(number=Phrase.number + 10) == 3
    assert [record.number for record in await whole(k, Phrase)] == [1, 0, 12, 10, 0, 13]
    assert await phrases.where(text__startswith="a_").allow_scan().delete() == 1
    assert [record.id for record in await whole(k, Phrase)] == [0, 1, 3, 4, 5]
