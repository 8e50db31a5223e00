"""Values at the edges: what engines are known to get wrong, for the cases of several promises.

Must not know cases. Text is written with escapes where a reader could not see the difference.
"""

from __future__ import annotations

from collections.abc import Mapping

LONG = "x" * 3000

# Pairs of texts that differ, and that some engine or collation takes for the same.
ALIKE: Mapping[str, tuple[str, str]] = {
    "ascii case": ("a", "A"),
    "case beyond ascii": ("\u00e9", "\u00c9"),
    "accent": ("e", "\u00e9"),
    "composed and decomposed": ("\u00e9", "e\u0301"),
    "order of combining marks": ("a\u0323\u0307", "a\u0307\u0323"),
    "ring and angstrom": ("\u00c5", "\u212b"),
    "omega and ohm": ("\u03a9", "\u2126"),
    "hangul syllable and jamo": ("\uac00", "\u1100\u1161"),
    "ligature": ("\ufb01", "fi"),
    "sharp s": ("\u00df", "ss"),
    "capital sharp s": ("\u00df", "\u1e9e"),
    "long s": ("\u017f", "s"),
    "dotless i": ("\u0131", "i"),
    "dotted capital i": ("\u0130", "i\u0307"),
    "final sigma": ("\u03c3", "\u03c2"),
    "full width": ("\uff21", "A"),
    "superscript": ("\u00b2", "2"),
    "arabic digit": ("\u0661", "1"),
    "cyrillic a": ("a", "\u0430"),
    "trailing blank": ("a", "a "),
    "leading blank": ("a", " a"),
    "trailing tab": ("a", "a\t"),
    "trailing newline": ("a", "a\n"),
    "line ends": ("a\nb", "a\r\nb"),
    "no-break space": ("a b", "a\u00a0b"),
    "zero width joiner": ("ab", "a\u200db"),
    "soft hyphen": ("ab", "a\u00adb"),
    "byte order mark": ("a", "\ufeffa"),
    "emoji": ("\U0001f600", "\U0001f601"),
    "skin tone": ("\U0001f44d", "\U0001f44d\U0001f3fd"),
    "variation selector": ("\u2764", "\u2764\ufe0f"),
    "joined emoji": ("\U0001f468\u200d\U0001f469", "\U0001f468\U0001f469"),
    "astral letters": ("\U0001d538", "\U0001d539"),
    "replacement character": ("\ufffd", "\U0001f600"),
    "noncharacters": ("\uffff", "\U0010ffff"),
    "private use": ("\ue000", "\uf8ff"),
    "controls": ("\x01", "\x02"),
    "delete": ("a", "a\x7f"),
    "empty and blank": ("", " "),
    "leading zero": ("1", "01"),
    "number with a point": ("10", "10.0"),
    "exponent": ("1000", "1e3"),
    "hexadecimal": ("16", "0x10"),
    "words for null": ("null", "NULL"),
    "words for true": ("true", "True"),
    "quotes": ("'", "''"),
    "backslashes": ("\\", "\\\\"),
    "escaped newline": ("\n", "\\n"),
    "last of many": (LONG + "a", LONG + "b"),
    "last blank of many": (LONG, LONG + " "),
}

# The same where a case per pair would say nothing more: as keys, references, uniques.
CORE = {
    name: ALIKE[name]
    for name in (
        "ascii case", "accent", "composed and decomposed", "sharp s", "full width", "trailing blank", "leading blank", "trailing newline",
        "zero width joiner", "emoji", "noncharacters", "leading zero", "number with a point", "words for null", "backslashes", "quotes",
    )
}  # fmt: skip

TEXTS: tuple[str, ...] = tuple(dict.fromkeys(text for pair in ALIKE.values() for text in pair))

# Text that means something to an engine, a shell, a template or a format.
MEANINGFUL: Mapping[str, str] = {
    "a statement": "'; DROP TABLE words; --",
    "a comment": "a /* b */ -- c # d",
    "both quotes": '"it\'s" `quoted`',
    "a placeholder": "? :1 %s $1 {0} @p",
    "wildcards": "%_*?[a-z]^$",
    "json": '{"a": [1, null]}',
    "a path": "$.a[0].b",
    "redis braces": "{a}:b|c",
    "a url": "a=1&b=%20#c",
    "separators": "a\x1fb\x1ec",
    "line separators": "a\u2028b\u2029c\x85d",
    "right to left": "\u05d0\u202e\u0661",
    "flags": "\U0001f1e9\U0001f1ea",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "many marks": "Z\u0351\u036b\u0343\u036a\u0302\u036b",
    "all kinds of blank": " \t\n\r\x0b\x0c\u00a0\u3000",
}

# Pairs (less, greater) in the order of code points, where UTF-16, a locale or case would have it otherwise.
ASCENDING: Mapping[str, tuple[str, str]] = {
    "empty first": ("", "\x01"),
    "prefix first": ("a", "aa"),
    "trailing blank": ("a", "a "),
    "tab before blank": ("a\t", "a "),
    "control before the end of a blank": ("a\x01", "a "),
    "capitals before small letters": ("Z", "a"),
    "case before length": ("B", "a"),
    "underscore between the cases": ("Z", "_"),
    "underscore before small letters": ("_", "a"),
    "digits as text": ("10", "9"),
    "minus signs": ("-1", "-2"),
    "ascii before accents": ("z", "\u00e4"),
    "accents are not sorted in": ("ezz", "\u00e9"),
    "decomposed before composed": ("e\u0301", "f"),
    "sharp s after t": ("t", "\u00df"),
    "dotless i after z": ("z", "\u0131"),
    "private use before astral": ("\uf8ff", "\U0001f600"),
    "replacement before astral": ("\ufffd", "\U00010000"),
    "last of the plane before astral": ("\uffff", "\U00010000"),
    "compatibility forms before astral": ("\uff5e", "\U0001f600"),
    "before and after the surrogates": ("\ud7ff", "\ue000"),
    "astral planes": ("\U0001ffff", "\U00020000"),
    "the very last": ("\U0010fffe", "\U0010ffff"),
    "bytes of utf-8": ("\x7f", "\x80"),
    "two and three bytes": ("\u07ff", "\u0800"),
}

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
INTS: tuple[int, ...] = (
    INT_MIN, INT_MIN + 1, -(2**53) - 1, -(2**53), -(2**32), -(2**31) - 1, -1, 0, 1, 2**31 - 1, 2**31, 2**32, 2**53 - 1, 2**53, 2**53 + 1,
    2**62 + 1, INT_MAX - 1, INT_MAX,
)  # fmt: skip
