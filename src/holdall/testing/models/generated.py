"""Models whose keys the store numbers: needs generated_int."""

from __future__ import annotations

from holdall.model import Key, Model
from holdall.testing.models.naming import named


class Numbered(Model, table=named("e_numbered")):
    """A key made by the store."""

    id: int = Key()
    text: str = ""
