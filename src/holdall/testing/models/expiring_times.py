"""Records whose end the store's clock decides: needs expiry."""

from __future__ import annotations

import datetime as dt

from holdall.model import Field, Key, Model
from holdall.testing.models.naming import named


class Visit(Model, table=named("d_visits"), expires_after=dt.timedelta(hours=1)):
    """Ends an hour after it was made."""

    id: int = Key(generated=False)
    note: str = ""


class Offer(Model, table=named("d_offers")):
    """Ends at an instant of its own."""

    id: int = Key(generated=False)
    until: dt.datetime | None = Field(default=None, expires=True)
