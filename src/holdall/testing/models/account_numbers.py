"""A model that the store numbers, for the cases about transactions."""

from __future__ import annotations

from holdall.model import Key, Model
from holdall.testing.models.naming import named


class Numbered(Model, table=named("tx_numbered")):
    """A row with a number that the store makes."""

    id: int = Key()
    value: int
