"""Records that expire, and others that refer to them, which may expire too."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.model import BelongsTo, Field, HasMany, Key, Model
from holdall.testing.models.naming import named


class Tent(Model, table=named("h_tents")):
    """Stands until an instant."""

    id: int = Key(generated=False)
    name: str = ""
    until: dt.datetime | None = Field(default=None, expires=True)
    guests: list[Guest] = HasMany("tent")
    bags: list[Bag] = HasMany("tent")
    lamps: list[Lamp] = HasMany("tent")


class Guest(Model, table=named("h_guests")):
    """Restricts the deletion of its tent; stays until an instant."""

    id: int = Key(generated=False)
    name: str = ""
    tent_id: int | None = Field(default=None, references=Tent)
    tent: Tent | None = BelongsTo("tent_id")
    until: dt.datetime | None = Field(default=None, expires=True)


class Bag(Model, table=named("h_bags")):
    """Goes with its tent."""

    id: int = Key(generated=False)
    tent_id: int | None = Field(default=None, references=Tent, on_delete="cascade")
    tent: Tent | None = BelongsTo("tent_id")


class Lamp(Model, table=named("h_lamps")):
    """Outlives its tent."""

    id: int = Key(generated=False)
    tent_id: int | None = Field(default=None, references=Tent, on_delete="set_null")
    tent: Tent | None = BelongsTo("tent_id")


# The same classes, for conditions: to type checkers a field that may be None has no operators and no parts.
TENT: Any = Tent
GUEST: Any = Guest
BAG: Any = Bag
