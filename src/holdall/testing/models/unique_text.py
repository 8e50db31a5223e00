"""Models with unique text."""

from __future__ import annotations

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Nick(Model, table=named("a_nicks"), unique=[("family", "given")]):
    """One unique text, and a pair of them."""

    id: int = Key(generated=False)
    nick: str = Field(unique=True)
    family: str | None = None
    given: str | None = None
    short: str | None = Field(default=None, max_length=3)
