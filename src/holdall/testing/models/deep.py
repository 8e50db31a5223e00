"""Containers of containers."""

from __future__ import annotations

from typing import Any

from holdall.model import Field, Json, Key, Model
from holdall.testing.models.naming import named


class Cabinet(Model, table=named("h_cabinets")):
    """One field for each way to put containers into each other."""

    id: int = Key(generated=False)
    drawers: dict[str, list[int]] = Field(default_factory=dict)
    rows: list[dict[str, int]] = Field(default_factory=list)
    pairs: list[list[int]] = Field(default_factory=list)
    papers: dict[str, Json] = Field(default_factory=dict)
    sheets: list[Json] = Field(default_factory=list)


CABINET: Any = Cabinet
