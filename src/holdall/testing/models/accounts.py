"""Models of the cases about transactions that need nothing but transactions."""

from __future__ import annotations

from holdall.model import Field, Key, Model, Version
from holdall.testing.models.naming import named


class Account(Model, table=named("g_accounts")):
    """A row with a value, whose key the case chooses."""

    id: int = Key(generated=False)
    value: int
    note: str | None = Field(default=None, max_length=20)


class Versioned(Model, table=named("g_versioned")):
    """The same with a version."""

    id: int = Key(generated=False)
    value: int
    version: int = Version()
