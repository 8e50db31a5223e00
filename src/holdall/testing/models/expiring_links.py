"""Links between records that expire; and an instant of expiry that every record must have."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.model import Field, Key, ManyToMany, Model
from holdall.testing.models.naming import named


class Club(Model, table=named("h_clubs")):
    """Has members for a while."""

    id: int = Key(generated=False)
    name: str = ""
    members: list[Member] = ManyToMany(through="Membership")


class Member(Model, table=named("h_members")):
    """Is in clubs for a while."""

    id: int = Key(generated=False)
    name: str = ""
    clubs: list[Club] = ManyToMany(through="Membership")


class Membership(Model, table=named("h_memberships")):
    """The link, until an instant."""

    club_id: int = Key(generated=False, references=Club)
    member_id: int = Key(generated=False, references=Member)
    until: dt.datetime = Field(expires=True)


CLUB: Any = Club
MEMBER: Any = Member
