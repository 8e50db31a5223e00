"""Models of the cases about transactions that need nothing but transactions."""

from __future__ import annotations

from typing import Any

from holdall.model import Field, Key, Model, Version
from holdall.testing.models.naming import named

HEARD: list[tuple[str, int]] = []  # what the handlers of Watched were told; a case that reads it empties it first


class Account(Model, table=named("tx_accounts")):
    """A row with a value, whose key the case chooses."""

    id: int = Key(generated=False)
    value: int
    note: str | None = Field(default=None, max_length=20)


class Versioned(Model, table=named("tx_versioned")):
    """The same with a version."""

    id: int = Key(generated=False)
    value: int
    version: int = Version()


class Watched(Model, table=named("tx_watched")):
    """A row whose handlers tell what they hear, and refuse the value 13."""

    id: int = Key(generated=False)
    value: int

    def before_create(self) -> None:
        """Before it is written."""
        HEARD.append(("before_create", self.id))
        if self.value == 13:
            raise ValueError("13 is refused by a handler")

    def after_create(self) -> None:
        """After it was written."""
        HEARD.append(("after_create", self.id))

    def after_create_commit(self) -> None:
        """After the commit."""
        HEARD.append(("after_create_commit", self.id))

    def after_update_commit(self) -> None:
        """After the commit."""
        HEARD.append(("after_update_commit", self.id))

    def after_delete_commit(self) -> None:
        """After the commit."""
        HEARD.append(("after_delete_commit", self.id))


def heard(name: str) -> list[Any]:
    """The ids that a handler was told of, in order."""
    return [key for told, key in HEARD if told == name]
