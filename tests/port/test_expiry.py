"""Rows are invisible from their instant on (H6)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tests.port.entities import INT, NOW, SESSION, row
from tests.port.kit import Kit, eq

from holdall.errors import NotFound, UniqueViolation
from holdall.query import TRUE, Aggregate, Column, Select

HOUR = dt.timedelta(hours=1)


def session(token: str, user: str | None = None, until: Any = None, hits: int = 1) -> tuple[Any, ...]:
    return row(SESSION, token=token, user=user, hits=hits, until=until)


@pytest.fixture
def sessions(kit: Kit) -> Kit:
    """One that never expires, one that does in an hour; then that hour passes."""
    kit.needs("expiry")
    kit.insert(SESSION, session("keep", "ann"), session("gone", "bob", NOW + HOUR))
    assert kit.count(SESSION) == 2
    kit.now = NOW + HOUR
    return kit


def test_invisible_to_every_read(sessions: Kit) -> None:
    assert sessions.fetch(SESSION, "keep", "gone") == [session("keep", "ann"), None]
    assert sessions.rows(SESSION) == [session("keep", "ann")]
    assert sessions.rows(SESSION, eq(SESSION, "user", "bob")) == []
    assert sessions.rows(SESSION, eq(SESSION, "token", "gone")) == []
    count = (Column("n", Aggregate("count", None, False, INT)),)
    assert sessions.select(Select(SESSION, columns=count)) == [(1,)]
    rows, cursor = sessions.do(sessions.backend.scan(sessions.plan(Select(SESSION)), None, 10, None))
    assert (rows, cursor) == ([session("keep", "ann")], None)


def test_one_microsecond_before(sessions: Kit) -> None:
    sessions.now = NOW + HOUR - dt.timedelta(microseconds=1)
    assert sessions.count(SESSION) == 2


def test_invisible_to_writes(sessions: Kit) -> None:
    sessions.refused(NotFound, lambda: sessions.patch(SESSION, "gone", hits=5))
    assert sessions.delete(SESSION, "gone", required=False) == 0
    assert sessions.update_where(SESSION, TRUE, hits=7) == 1
    assert sessions.delete_where(SESSION, eq(SESSION, "user", "bob")) == 0


def test_keys_and_uniques_are_free_again(sessions: Kit) -> None:
    sessions.insert(SESSION, session("gone", "cid"))
    assert sessions.get(SESSION, "gone", "user") == "cid"
    sessions.refused(UniqueViolation, lambda: sessions.insert(SESSION, session("gone")))
    sessions.now = NOW
    assert sessions.count(SESSION) == 2, "the expired row is really gone"


def test_a_unique_value_of_an_expired_row(sessions: Kit) -> None:
    sessions.insert(SESSION, session("other", "bob"))
    sessions.refused(UniqueViolation, lambda: sessions.insert(SESSION, session("third", "bob")))
    assert [r[0] for r in sessions.rows(SESSION)] == ["keep", "other"]


def test_patching_to_the_unique_value_of_an_expired_row(sessions: Kit) -> None:
    sessions.patch(SESSION, "keep", user="bob")
    assert sessions.rows(SESSION) == [session("keep", "bob")]


def test_upsert_over_an_expired_row(sessions: Kit) -> None:
    status, stored = sessions.upsert(SESSION, session("gone", "dan", None, 9), ["token"], ["hits"])
    assert (status, stored) == ("inserted", session("gone", "dan", None, 9))
    status, _ = sessions.upsert(SESSION, session("gone", "eve", None, 10), ["token"], ["hits"])
    assert status == "updated"
    assert sessions.get(SESSION, "gone") == session("gone", "dan", None, 10)


def test_an_update_keeps_the_expiry_unless_told(kit: Kit) -> None:
    kit.insert(SESSION, session("a", None, NOW + HOUR))
    kit.patch(SESSION, "a", hits=5)
    assert kit.get(SESSION, "a", "until") == NOW + HOUR
    kit.patch(SESSION, "a", until=None)
    kit.now = NOW + 2 * HOUR
    assert kit.get(SESSION, "a", "hits") == 5


def test_expiry_inside_a_transaction(sessions: Kit) -> None:
    sessions.needs("transactions")
    tx = sessions.begin()
    assert sessions.count(SESSION, tx=tx) == 1
    sessions.insert(SESSION, session("gone", "bob"), session("soon", None, NOW + 2 * HOUR), tx=tx)
    assert sessions.count(SESSION, tx=tx) == 3
    sessions.now = NOW + 2 * HOUR
    assert sessions.count(SESSION, tx=tx) == 2
    sessions.commit(tx)
    assert [r[0] for r in sessions.rows(SESSION)] == ["gone", "keep"]


def test_many_expired_rows_come_and_go(kit: Kit) -> None:
    for number in range(12):
        kit.now = NOW + number * HOUR
        rows = (session(f"{number}-{n}", f"user {n}", kit.now + HOUR) for n in range(100))
        kit.insert(SESSION, *rows)
        assert kit.count(SESSION) == 100
