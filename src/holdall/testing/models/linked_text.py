"""Models whose references are text."""

from __future__ import annotations

from holdall.model import BelongsTo, Field, HasMany, Key, Model
from holdall.testing.models.naming import named


class Shelf(Model, table=named("a_shelves")):
    """Text as the key that is referred to."""

    id: str = Key()
    title: str = ""
    books: list[Book] = HasMany("shelf")


class Book(Model, table=named("a_books")):
    """Refers to a shelf by its text."""

    id: int = Key(generated=False)
    shelf_id: str | None = Field(default=None, references=Shelf, on_delete="cascade")
    shelf: Shelf | None = BelongsTo("shelf_id")
