"""A: text."""

from __future__ import annotations

from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.plain import Word

ALIKE = {
    "case": ("a", "A"),
    "accent": ("e", "\u00e9"),
    "composed": ("\u00e9", "e\u0301"),
    "trailing space": ("a", "a "),
    "emoji": ("\U0001f600", "\U0001f601"),
}


@case("A1", each=ALIKE)
async def equality_keeps_apart_what_looks_alike(k: Kit, one: str, other: str) -> None:
    """A filter by one text does not find the other."""
    words = k.store[Word]
    await words.create(id=1, text=one)
    await words.create(id=2, text=other)
    found = await words.where(Word.text == one).all()
    assert [word.id for word in found] == [1]
