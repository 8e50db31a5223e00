"""Models with UUIDs and bytes, as values and as keys."""

from __future__ import annotations

from uuid import UUID

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Tag(Model, table=named("e_tags")):
    """A UUIDv7 for a key, made by the client."""

    id: UUID = Key()
    name: str = ""
    other: UUID | None = Field(default=None)


class Given(Model, table=named("e_given")):
    """A UUID for a key that the case gives."""

    id: UUID = Key(generated=False)
    number: int = 0


class Blob(Model, table=named("e_blobs")):
    """Bytes as a value."""

    id: int = Key(generated=False)
    content: bytes = b""
    optional: bytes | None = Field(default=None)
    short: bytes = Field(default=b"", max_length=4)


class BlobKey(Model, table=named("e_blob_keys")):
    """Bytes as a key."""

    id: bytes = Key()
    number: int = 0
