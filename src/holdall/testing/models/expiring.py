"""Records that expire: each at an instant of its own, or all after a time; and what refers to them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Pass(Model, table=named("h_passes")):
    """Expires at an instant of its own, or never."""

    id: str = Key()
    owner: str = ""
    hits: int = 0
    until: dt.datetime | None = Field(default=None, expires=True)


class Lease(Model, table=named("h_leases"), expires_after=dt.timedelta(hours=1)):
    """Expires an hour after it was created."""

    id: str = Key()
    owner: str = ""


PASS: Any = Pass  # for conditions: to type checkers a field that may be None has no operators
