"""Records that refer to one that expires: needs references and expiry."""

from __future__ import annotations

import datetime as dt

from holdall.model import BelongsTo, Field, HasMany, Key, Model
from holdall.testing.models.naming import named


class Lease(Model, table=named("f_leases")):
    """Ends at its instant."""

    id: int = Key(generated=False)
    until: dt.datetime | None = Field(default=None, expires=True)
    tenants: list[Tenant] = HasMany("lease")


class Tenant(Model, table=named("f_tenants")):
    """Holds its lease; stays when it has ended."""

    id: int = Key(generated=False)
    lease_id: int | None = Field(default=None, references=Lease)
    lease: Lease | None = BelongsTo("lease_id")
    note: str = ""
