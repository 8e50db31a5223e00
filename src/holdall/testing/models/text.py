"""Models of the cases about text that need nothing of a backend but to keep records by key."""

from __future__ import annotations

from dataclasses import dataclass

from holdall.model import Always, Field, Json, Key, Model, Version
from holdall.testing.models.naming import named


class Phrase(Model, table=named("a_phrases")):
    """The same text twice: in a plain field, and in one with an index."""

    id: int = Key(generated=False)
    text: str | None = None
    indexed: str | None = Field(default=None, index=True)
    number: int = 0


class Name(Model, table=named("a_names")):
    """Text as the key."""

    id: str = Key()
    rank: int = 0


class Pair(Model, table=named("a_pairs")):
    """Text as both parts of a key."""

    first: str = Key()
    second: str = Key()
    rank: int = 0


@dataclass
class Card:
    """A record inside a record."""

    title: str
    note: str | None = None


class Folder(Model, table=named("a_folders")):
    """Text in every kind of container."""

    id: int = Key(generated=False)
    data: Json = Field(default_factory=dict)
    items: list[str] = Field(default_factory=list)
    labels: set[str] = Field(default_factory=set)
    notes: dict[str, str] = Field(default_factory=dict)
    card: Card | None = None


class Code(Model, table=named("a_codes")):
    """Text with limits of its length."""

    id: int = Key(generated=False)
    code: str = Field(default="", max_length=5)
    short: str | None = Field(default=None, max_length=3)
    least: str = Field(default="aa", min_length=2)
    free: str = ""
    version: int = Version()


class Tag(Model, table=named("a_tags")):
    """A key with a limit of its length."""

    id: str = Key(max_length=4)
    rank: int = 0


SIGNERS = ["ada"]  # the last one signs


class Signed(Model, table=named("a_signed")):
    """Text that is set whenever a record is written."""

    id: int = Key(generated=False)
    text: str = ""
    by: str = Always(lambda: SIGNERS[-1])
