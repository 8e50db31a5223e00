"""A model with a unique value, for the cases about transactions."""

from __future__ import annotations

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Coded(Model, table=named("tx_coded")):
    """A row with a code of its own."""

    id: int = Key(generated=False)
    code: str = Field(unique=True)
