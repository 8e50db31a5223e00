"""Models that need nothing of a backend but to keep records by key."""

from __future__ import annotations

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Word(Model, table=named("words")):
    """Text, with a key that the case chooses."""

    id: int = Key(generated=False)
    text: str
    other: str | None = Field(default=None)
    number: int | None = Field(default=None)
