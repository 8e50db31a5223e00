"""Models that refer to themselves."""

from __future__ import annotations

from holdall.model import BelongsTo, Field, HasMany, Key, Model
from holdall.testing.models.naming import named


class Twig(Model, table=named("z_twigs")):
    """Goes with the one that it grows from."""

    id: int = Key(generated=False)
    parent_id: int | None = Field(default=None, references="Twig", on_delete="cascade")
    note: str | None = None
    parent: Twig | None = BelongsTo("parent_id")
    twigs: list[Twig] = HasMany("parent")
