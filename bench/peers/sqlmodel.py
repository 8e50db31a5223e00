"""SQLModel: SQLAlchemy's session over its own classes, used as `bench.peers.sqlalchemy` uses the ORM. Table models do not validate."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from bench.peers.sqlalchemy import SessionPeer


class SQLModelRecord(SQLModel, table=True):
    """The ten-field record."""

    __tablename__ = "record"  # pyright: ignore[reportAssignmentType]  # SQLModel's own documented way

    id: UUID = Field(primary_key=True)
    name: str
    city: str
    rank: int
    price: Decimal = Field(max_digits=12, decimal_places=2)
    active: bool
    seen_at: datetime
    tags: list[str] = Field(sa_column=Column(JSON, nullable=False))
    note: str | None = None
    score: float


class Peer(SessionPeer):
    """The same session API over SQLModel's class."""

    name = "SQLModel"
    model = SQLModelRecord
    metadata = SQLModel.metadata
    file = "sqlmodel.db"
