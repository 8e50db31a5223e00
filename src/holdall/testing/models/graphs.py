"""Records that are written together: needs references and transactions."""

from __future__ import annotations

from uuid import UUID

from holdall.model import BelongsTo, Field, HasMany, HasOne, Key, ManyToMany, Model
from holdall.testing.models.naming import named


class Client(Model, table=named("f_clients")):
    """The top."""

    id: UUID = Key()
    name: str
    bills: list[Bill] = HasMany("client")
    badge: Badge | None = HasOne("client")


class Badge(Model, table=named("f_badges")):
    """One for each client."""

    id: UUID = Key()
    client_id: UUID = Field(references=Client, on_delete="cascade", unique=True)
    client: Client = BelongsTo("client_id")
    text: str = ""


class Bill(Model, table=named("f_bills")):
    """Below the client."""

    id: UUID = Key()
    client_id: UUID = Field(references=Client, on_delete="cascade")
    client: Client = BelongsTo("client_id")
    total: int = Field(default=0)
    lines: list[BillLine] = HasMany("bill")


class BillLine(Model, table=named("f_bill_lines")):
    """Below the bill, with its key as a part of its own."""

    bill_id: UUID = Key(references=Bill, on_delete="cascade")
    number: int = Key(generated=False)
    bill: Bill = BelongsTo("bill_id")
    ware_id: str | None = Field(default=None, references="Ware", on_delete="set_null")
    ware: Ware | None = BelongsTo("ware_id")


class Ware(Model, table=named("f_wares")):
    """Beside the bill; labelled."""

    id: str = Key()
    kinds: list[WareKind] = ManyToMany()


class WareKind(Model, table=named("f_ware_kinds")):
    """A label of many wares."""

    id: str = Key()
    wares: list[Ware] = ManyToMany()


class Partner(Model, table=named("f_partners")):
    """Refers to another of its kind, or to none: a circle can be written in two steps."""

    id: UUID = Key()
    name: str
    other_id: UUID | None = Field(default=None, references="Partner", on_delete="set_null")
    other: Partner | None = BelongsTo("other_id")


class Key1(Model, table=named("f_key1")):
    """Needs a Lock1, which may do without it."""

    id: UUID = Key()
    lock_id: UUID = Field(references="Lock1")
    lock: Lock1 = BelongsTo("lock_id")


class Lock1(Model, table=named("f_lock1")):
    """May have a Key1."""

    id: UUID = Key()
    key_id: UUID | None = Field(default=None, references=Key1, on_delete="set_null")
    key: Key1 | None = BelongsTo("key_id")


class Hen(Model, table=named("f_hens")):
    """Needs an egg that needs a hen."""

    id: UUID = Key()
    egg_id: UUID = Field(references="Egg")
    egg: Egg = BelongsTo("egg_id")


class Egg(Model, table=named("f_eggs")):
    """Needs a hen that needs an egg."""

    id: UUID = Key()
    hen_id: UUID = Field(references=Hen)
    hen: Hen = BelongsTo("hen_id")
