"""Models of the cases that the differential proofs left behind."""

from __future__ import annotations

from dataclasses import dataclass

from holdall.model import Field, Json, Key, Model
from holdall.testing.models.naming import named


@dataclass
class Note:
    """A nested value with a JSON part."""

    data: Json | None = None


class Holder(Model, table=named("z_holders")):
    """JSON inside containers of each kind."""

    id: int = Key(generated=False)
    by_name: dict[str, Json | None] = Field(default_factory=dict)
    items: list[Json | None] = Field(default_factory=list)
    note: Note | None = None
