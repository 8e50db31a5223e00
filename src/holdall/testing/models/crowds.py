"""A model for results of hundreds of records, with indexes of every sort."""

from __future__ import annotations

from typing import Any

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Runner(Model, table=named("h_runners"), index=[("team", "place")]):
    """`rank` and `grade` have nulls (many, few), `rank` and `name` an index of their own, `team` and `place` one together."""

    id: int = Key(generated=False)
    place: int = Field(default=0)
    team: str = ""
    rank: int | None = Field(default=None, index=True)
    grade: int | None = None
    name: str = Field(default="", index=True)


RUNNER: Any = Runner  # without its fields' types, so that terms can be built from names
