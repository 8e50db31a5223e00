"""Records that refer to each other by every rule and shape: needs references."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from holdall.model import Field, Key, Model, Version
from holdall.testing.models.naming import named


class Region(Model, table=named("f_regions")):
    """Referred to by every rule."""

    id: int = Key(generated=False)
    name: str = ""


class Strict(Model, table=named("f_strict")):
    """Keeps its region from being deleted."""

    id: int = Key(generated=False)
    region_id: int = Field(references=Region)
    note: str = ""


class Loose(Model, table=named("f_loose")):
    """Keeps it from being deleted while it refers to it, which it need not."""

    id: int = Key(generated=False)
    region_id: int | None = Field(default=None, references=Region, on_delete="restrict")


class Follower(Model, table=named("f_followers")):
    """Goes with its region."""

    id: int = Key(generated=False)
    region_id: int = Field(references=Region, on_delete="cascade")
    note: str = ""


class Forgetful(Model, table=named("f_forgetful")):
    """Forgets its region."""

    id: int = Key(generated=False)
    region_id: int | None = Field(default=None, references=Region, on_delete="set_null")
    note: str = ""
    version: int = Version()


class Tail(Model, table=named("f_tails")):
    """Goes with what goes with its region."""

    id: int = Key(generated=False)
    follower_id: int = Field(references=Follower, on_delete="cascade")


class Anchor(Model, table=named("f_anchors")):
    """Keeps what goes with its region from going."""

    id: int = Key(generated=False)
    follower_id: int = Field(references=Follower, on_delete="restrict")


class Mark(Model, table=named("f_marks")):
    """Forgets what goes with its region."""

    id: int = Key(generated=False)
    follower_id: int | None = Field(default=None, references=Follower, on_delete="set_null")


class Staff(Model, table=named("f_staff")):
    """Refers to itself; restricts."""

    id: int = Key(generated=False)
    boss_id: int | None = Field(default=None, references="Staff")


class Folder(Model, table=named("f_folders")):
    """Refers to itself; cascades."""

    id: int = Key(generated=False)
    parent_id: int | None = Field(default=None, references="Folder", on_delete="cascade")


class Link(Model, table=named("f_links")):
    """Refers to itself; sets null."""

    id: int = Key(generated=False)
    next_id: int | None = Field(default=None, references="Link", on_delete="set_null")


class Crest(Model, table=named("f_crests")):
    """The top of diamonds."""

    id: int = Key(generated=False)


class LeftSide(Model, table=named("f_left_sides")):
    """One way down."""

    id: int = Key(generated=False)
    crest_id: int = Field(references=Crest, on_delete="cascade")


class RightSide(Model, table=named("f_right_sides")):
    """The other."""

    id: int = Key(generated=False)
    crest_id: int = Field(references=Crest, on_delete="cascade")


class Foot(Model, table=named("f_feet")):
    """Goes either way."""

    id: int = Key(generated=False)
    left_id: int = Field(references=LeftSide, on_delete="cascade")
    right_id: int | None = Field(default=None, references=RightSide, on_delete="cascade")


class HeldFoot(Model, table=named("f_held_feet")):
    """Goes with one side, and holds the other."""

    id: int = Key(generated=False)
    left_id: int | None = Field(default=None, references=LeftSide, on_delete="cascade")
    right_id: int = Field(references=RightSide, on_delete="restrict")


class LooseFoot(Model, table=named("f_loose_feet")):
    """Goes with one side, and forgets the other."""

    id: int = Key(generated=False)
    left_id: int = Field(references=LeftSide, on_delete="cascade")
    right_id: int | None = Field(default=None, references=RightSide, on_delete="set_null")


class UuidParent(Model, table=named("f_uuid_parents")):
    """A key that the client makes."""

    id: UUID = Key()


class BytesParent(Model, table=named("f_bytes_parents")):
    """A key of bytes."""

    id: bytes = Key()


class InstantParent(Model, table=named("f_instant_parents")):
    """A key that is an instant."""

    id: dt.datetime = Key()


class DayParent(Model, table=named("f_day_parents")):
    """A key that is a date."""

    id: dt.date = Key()


class DecimalParent(Model, table=named("f_decimal_parents")):
    """A key that is an exact number."""

    id: Decimal = Key()


class TextParent(Model, table=named("f_text_parents")):
    """A key that is text."""

    id: str = Key()


class KindChild(Model, table=named("f_kind_children")):
    """A reference for each kind of key."""

    id: int = Key(generated=False)
    uuid: UUID | None = Field(default=None, references=UuidParent)
    blob: bytes | None = Field(default=None, references=BytesParent)
    instant: dt.datetime | None = Field(default=None, references=InstantParent)
    day: dt.date | None = Field(default=None, references=DayParent)
    amount: Decimal | None = Field(default=None, references=DecimalParent)
    text: str | None = Field(default=None, references=TextParent)


PARENTS: dict[str, Any] = {
    "uuid": UuidParent,
    "blob": BytesParent,
    "instant": InstantParent,
    "day": DayParent,
    "amount": DecimalParent,
    "text": TextParent,
}
