"""UUIDs and bytes that are unique: needs unique."""

from __future__ import annotations

from uuid import UUID

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class UniqueBinary(Model, table=named("e_unique_binary")):
    """One unique field for each."""

    id: int = Key(generated=False)
    uuid: UUID | None = Field(default=None, unique=True)
    blob: bytes | None = Field(default=None, unique=True)
