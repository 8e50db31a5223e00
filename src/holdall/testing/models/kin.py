"""People and their dogs: relations to one that may be absent, to many that may be empty, and to the model itself."""

from __future__ import annotations

from typing import Any

from holdall.model import BelongsTo, Field, HasMany, Key, Model
from holdall.testing.models.naming import named


class House(Model, table=named("b_houses")):
    """Where people live. Its number may be unknown."""

    id: int = Key(generated=False)
    street: str
    number: int | None = None
    people: list[Person] = HasMany("house")


class Person(Model, table=named("b_people")):
    """Lives in a house, or nowhere; has a parent, or an unknown one."""

    id: int = Key(generated=False)
    name: str
    age: int | None = None
    house_id: int | None = Field(default=None, references=House)
    house: House | None = BelongsTo("house_id")
    parent_id: int | None = Field(default=None, references="Person")
    parent: Person | None = BelongsTo("parent_id")
    children: list[Person] = HasMany("parent")
    dogs: list[Dog] = HasMany("owner")


class Dog(Model, table=named("b_dogs")):
    """Has an owner; its weight may be unknown."""

    id: int = Key(generated=False)
    name: str
    weight: int | None = None
    good: bool | None = None
    owner_id: int = Field(references=Person, on_delete="cascade")
    owner: Person = BelongsTo("owner_id")


# The same classes, for conditions: to type checkers a field that may be None has no operators and no parts.
PERSON: Any = Person
DOG: Any = Dog
