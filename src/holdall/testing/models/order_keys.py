"""Models whose keys decide among equals: a key of two parts, and a UUID."""

from __future__ import annotations

from uuid import UUID

from holdall.model import Key, Model
from holdall.testing.models.naming import named


class Pair(Model, table=named("h_pairs")):
    """A key of two parts."""

    left: str = Key()
    right: int = Key(generated=False)
    rank: int = 0


class Ticket(Model, table=named("h_tickets")):
    """The default key."""

    id: UUID = Key()
    place: int = 0
