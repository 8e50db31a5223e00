"""The models that the concurrent proofs work with."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from holdall import BelongsTo, Field, HasMany, Key, Model, Version


class Register(Model, table="proof_registers"):
    """A list of numbers below 1000, as the digits of one number, so that appending to it is arithmetic in the engine."""

    id: int = Key(generated=False)
    log: Decimal = Field(max_digits=38, decimal_places=0)


class Mark(Model, table="proof_marks"):
    """A member of a set: which set is what queries ask for, once by an index and once without."""

    id: int = Key(generated=False)
    bag: int = Field(index=True)
    same: int


class Cell(Model, table="proof_cells"):
    """A value with a version, for compare-and-set."""

    id: int = Key(generated=False)
    value: int
    version: int = Version()


class Account(Model, table="proof_accounts"):
    """Money; the sum over all accounts stays what it is."""

    id: int = Key(generated=False)
    balance: int
    branch: int = Field(index=True)


class Hermit(Model, table="proof_hermits"):
    """A row of the catalogue of anomalies."""

    id: int = Key(generated=False)
    value: int


class Person(Model, table="proof_people"):
    """Somebody with a name of his own, perhaps for a time."""

    id: int = Key(generated=False)
    name: str = Field(unique=True)
    age: int
    until: datetime | None = Field(default=None, expires=True)


class Team(Model, table="proof_teams"):
    """What members belong to."""

    id: int = Key(generated=False)
    size: int
    staying: list[Member] = HasMany("team")


class Member(Model, table="proof_members"):
    """Belongs to teams in three ways: one that keeps the team, one that goes with it, one that lets go of it."""

    id: int = Key(generated=False)
    stays: int | None = Field(default=None, references=Team, on_delete="restrict")
    team: Team | None = BelongsTo("stays")
    goes: int | None = Field(default=None, references=Team, on_delete="cascade")
    lets_go: int | None = Field(default=None, references=Team, on_delete="set_null")
    number: int = 0


ALL = (Register, Mark, Cell, Hermit, Account, Person, Team, Member)
ENTITIES = tuple(model.__entity__ for model in ALL)
