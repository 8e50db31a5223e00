"""SQLAlchemy's ORM 2.1 on the standard library's sqlite3, its default driver.

Types are its own: Uuid is CHAR(32), Numeric and DateTime as SQLite's dialect has them, so times come back naive and Decimals pass through
float, which is less work than the exact, aware values of the other side. Its documentation's advice for speed is followed: `add_all` and
one flush, which batches the inserts; sessions with `expire_on_commit=False`. `get` opens a session for each read, the documented pattern
for one unit of work; `begin`/`end` hold one session open for the scenario of many reads in one transaction. There the identity map is no
cache: it refers weakly to objects that nobody keeps.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Numeric, create_engine, delete, event, select
from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

warnings.filterwarnings("ignore", message="Dialect sqlite.*Decimal", category=SAWarning)


class Base(DeclarativeBase):
    """Registry of this peer."""


class AlchemyRecord(Base):
    """The ten-field record."""

    __tablename__ = "record"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    city: Mapped[str]
    rank: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    active: Mapped[bool]
    seen_at: Mapped[datetime]
    tags: Mapped[list[str]] = mapped_column(JSON)
    note: Mapped[str | None]
    score: Mapped[float]


def _durable(connection: Any, _record: Any) -> None:
    """The settings all contestants share."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


class SessionPeer:
    """What SQLAlchemy and SQLModel share: the session API over a mapped class."""

    name = "SQLAlchemy ORM"
    model: Any = AlchemyRecord
    metadata: Any = Base.metadata
    file = "sqlalchemy.db"

    def __init__(self, folder: Path) -> None:
        self._engine = create_engine(f"sqlite:///{folder / self.file}")
        event.listen(self._engine, "connect", _durable)
        self.metadata.create_all(self._engine)
        self._all = select(self.model)
        self._held: Session | None = None

    def get(self, key: UUID) -> object:
        """One session, one read."""
        with Session(self._engine) as session:
            return session.get(self.model, key)

    def get_held(self, key: UUID) -> object:
        """A read in the session that `begin` opened."""
        assert self._held is not None
        return self._held.get(self.model, key)

    def begin(self) -> None:
        """Hold a session open."""
        self._held = Session(self._engine)

    def end(self) -> None:
        """Close the session `begin` opened."""
        assert self._held is not None
        self._held.close()
        self._held = None

    def read_all(self) -> Sequence[object]:
        """`session.scalars(select(…)).all()`."""
        with Session(self._engine) as session:
            return session.scalars(self._all).all()

    def insert_many(self, values: Sequence[dict[str, Any]]) -> None:
        """`add_all`, flushed by the commit in one batch."""
        with Session(self._engine, expire_on_commit=False) as session:
            session.add_all([self.model(**each) for each in values])
            session.commit()

    def insert_singly(self, values: Sequence[dict[str, Any]]) -> None:
        """`add` and `flush` for each object, one commit."""
        with Session(self._engine, expire_on_commit=False) as session:
            for each in values:
                session.add(self.model(**each))
                session.flush()
            session.commit()

    def remove_from(self, rank: int) -> None:
        """Delete what inserts added."""
        with Session(self._engine) as session:
            session.execute(delete(self.model).where(self.model.rank >= rank))
            session.commit()

    def close(self) -> None:
        """Close the pool."""
        self._engine.dispose()


Peer = SessionPeer
