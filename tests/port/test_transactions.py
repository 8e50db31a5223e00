"""Transactions: what they see, what they undo, and which anomalies each level shows."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from tests.port.entities import AUTHOR, BOOK, EMPLOYEE, INT, LABEL, REVIEW, author, book
from tests.port.kit import Kit, compare, eq

from holdall.backends import Isolation
from holdall.errors import (
    DeadlineExceeded,
    HoldallError,
    ProgrammingError,
    TransactionConflict,
    TransactionDoomed,
    UniqueViolation,
    Unsupported,
)
from holdall.query import TRUE, Aggregate, Column, Related, Select, key_ref

SNAPSHOT, SERIALIZABLE = Isolation.SNAPSHOT, Isolation.SERIALIZABLE
LEVELS = [pytest.param(level, id=level.value) for level in (SNAPSHOT, SERIALIZABLE)]


@pytest.fixture
def tx_kit(kit: Kit) -> Kit:
    """Transactions, and three labels."""
    kit.needs("transactions")
    kit.insert(LABEL, ("a", 1), ("b", 2), ("c", 3))
    return kit


class Rival:
    """A transaction, or a caller without one (level None), that may lose: `outcome` is then 'conflict', and it does nothing more.

    Some backends tell at the commit, some at a read or write, some when a second writer begins.
    """

    def __init__(self, kit: Kit, level: Isolation | None = SNAPSHOT) -> None:
        self.kit = kit
        self.tx: Any = None
        self.outcome = "open"
        if level is not None:
            self.try_(lambda _: setattr(self, "tx", kit.begin(level)))

    def try_(self, call: Any) -> Any:
        """The result of call(tx); None once it has lost."""
        if self.outcome == "conflict":
            return None
        try:
            return call(self.tx)
        except TransactionConflict as error:
            assert error.retry == "transaction"  # noqa: PT017  any of three errors, at any call
            self.outcome = "conflict"
            if self.tx is not None:
                self.kit.rollback(self.tx)
            return None

    def finish(self, call: Any) -> str:
        """Write, and commit; how it went."""
        self.try_(call)
        if self.tx is not None:
            self.try_(self.kit.commit)
        if self.outcome == "open":
            self.outcome = "done"
        return self.outcome


def test_levels_are_told_and_others_refused(tx_kit: Kit) -> None:
    capabilities = tx_kit.capabilities
    assert capabilities.default_isolation in capabilities.isolation
    for level in Isolation:
        if level in capabilities.isolation:
            tx_kit.rollback(tx_kit.begin(level))
        else:
            tx_kit.refused(Unsupported, lambda asked=level: tx_kit.begin(asked))


@pytest.mark.parametrize("level", LEVELS)
def test_own_writes_are_seen_and_others_see_them_after_the_commit(tx_kit: Kit, level: Isolation) -> None:
    tx_kit.needs_level(level)
    tx = tx_kit.begin(level)
    tx_kit.insert(LABEL, ("d", 4), tx=tx)
    tx_kit.patch(LABEL, "a", rank=10, tx=tx)
    tx_kit.delete(LABEL, "b", tx=tx)
    mine = [("a", 10), ("c", 3), ("d", 4)]
    assert tx_kit.rows(LABEL, tx=tx) == mine
    assert tx_kit.fetch(LABEL, "a", "b", "d", tx=tx) == [("a", 10), None, ("d", 4)]
    assert tx_kit.rows(LABEL, compare(LABEL, "rank", "gte", 4), tx) == [("a", 10), ("d", 4)]
    count = Select(
        LABEL,
        columns=(Column("n", Aggregate("count", None, False, INT)), Column("s", Aggregate("sum", key_ref(LABEL, "rank"), False, INT))),
    )
    assert tx_kit.select(count, tx) == [(3, 17)]
    tx_kit.commit(tx)
    assert tx_kit.rows(LABEL) == mine


@pytest.mark.parametrize("level", LEVELS)
def test_nobody_sees_what_is_not_committed(tx_kit: Kit, level: Isolation) -> None:
    tx_kit.needs("reads_beside_writes")
    tx_kit.needs_level(level)
    reader = tx_kit.begin(level, read_only=True)
    assert tx_kit.get(LABEL, "a", "rank", tx=reader) == 1
    writer = tx_kit.begin(level)
    tx_kit.patch(LABEL, "a", rank=10, tx=writer)
    tx_kit.delete(LABEL, "b", tx=writer)
    assert tx_kit.rows(LABEL, tx=reader) == [("a", 1), ("b", 2), ("c", 3)]
    assert tx_kit.rows(LABEL) == [("a", 1), ("b", 2), ("c", 3)]
    assert tx_kit.fetch(LABEL, "a", "b") == [("a", 1), ("b", 2)]
    tx_kit.rollback(writer)
    assert tx_kit.rows(LABEL) == [("a", 1), ("b", 2), ("c", 3)]
    tx_kit.commit(reader)


@pytest.mark.parametrize("level", LEVELS)
def test_a_snapshot_stays_as_it_was(tx_kit: Kit, level: Isolation) -> None:
    tx_kit.needs("reads_beside_writes")
    tx_kit.needs_level(level)
    reader = tx_kit.begin(level, read_only=True)
    assert tx_kit.count(LABEL, tx=reader) == 3
    for rank in (5, 6):
        tx_kit.patch(LABEL, "a", rank=rank)
    tx_kit.delete(LABEL, "b")
    tx_kit.insert(LABEL, ("d", 4), ("b", 9))
    old = [("a", 1), ("b", 2), ("c", 3)]
    assert tx_kit.rows(LABEL, tx=reader) == old
    assert tx_kit.fetch(LABEL, "a", "b", "d", tx=reader) == [("a", 1), ("b", 2), None]
    assert tx_kit.rows(LABEL, compare(LABEL, "rank", "gt", 3), reader) == []
    assert tx_kit.rows(LABEL, order=["-rank"], tx=reader) == old[::-1]
    tx_kit.do(tx_kit.backend.reset([LABEL]))
    assert tx_kit.rows(LABEL, tx=reader) == old
    tx_kit.commit(reader)
    assert tx_kit.rows(LABEL) == []


def test_relations_are_seen_as_of_the_snapshot(tx_kit: Kit) -> None:
    tx_kit.needs("reads_beside_writes")
    tx_kit.insert(AUTHOR, author(1, name="Ada"))
    one = uuid.UUID(int=1)
    tx_kit.insert(BOOK, book(id=one))
    tx_kit.insert(REVIEW, (1, one, 5, None))
    reviewed = Related((), BOOK.relations["reviews"], "any", compare(REVIEW, "stars", "gte", 4))
    reader = tx_kit.begin(read_only=True)
    assert tx_kit.count(BOOK, reviewed, reader) == 1
    tx_kit.patch(REVIEW, 1, stars=1)
    assert tx_kit.count(BOOK, reviewed) == 0
    assert tx_kit.count(BOOK, reviewed, reader) == 1
    tx_kit.rollback(reader)
    writer = tx_kit.begin()
    tx_kit.insert(REVIEW, (2, one, 5, None), tx=writer)
    assert tx_kit.count(BOOK, reviewed, writer) == 1
    assert tx_kit.count(BOOK, reviewed) == 0
    tx_kit.rollback(writer)


def race(kit: Kit, level: Isolation, read: Any, first: Any, second: Any) -> list[str]:
    """Two transactions read the same, then each writes and commits; how it went for each, in alphabetical order."""
    one, two = Rival(kit, level), Rival(kit, level)
    seen = [rival.try_(read) for rival in (one, two)]
    assert all(found in (seen[0], None) for found in seen)
    return sorted([one.finish(first), two.finish(second)])


ONE_WINS = ["conflict", "done"]


@pytest.mark.parametrize("level", LEVELS)
def test_no_lost_update(tx_kit: Kit, level: Isolation) -> None:
    tx_kit.needs_level(level)

    def add(tx: Any) -> None:
        tx_kit.patch(LABEL, "a", rank=tx_kit.get(LABEL, "a", "rank", tx=tx) + 1, tx=tx)

    assert race(tx_kit, level, lambda tx: tx_kit.fetch(LABEL, "a", tx=tx), add, add) == ONE_WINS
    assert tx_kit.get(LABEL, "a", "rank") == 2


@pytest.mark.parametrize("level", LEVELS)
def test_write_skew(tx_kit: Kit, level: Isolation) -> None:
    tx_kit.needs_level(level)
    on_call = compare(LABEL, "rank", "lte", 2)
    result = race(
        tx_kit,
        level,
        lambda tx: tx_kit.count(LABEL, on_call, tx),
        lambda tx: tx_kit.patch(LABEL, "a", rank=9, tx=tx),
        lambda tx: tx_kit.patch(LABEL, "b", rank=9, tx=tx),
    )
    assert "done" in result
    if level is SERIALIZABLE:
        assert result == ONE_WINS
        assert tx_kit.count(LABEL, on_call) == 1


@pytest.mark.parametrize("level", LEVELS)
def test_write_skew_by_keys(tx_kit: Kit, level: Isolation) -> None:
    tx_kit.needs_level(level)
    result = race(
        tx_kit,
        level,
        lambda tx: tx_kit.fetch(LABEL, "a", "b", tx=tx),
        lambda tx: tx_kit.patch(LABEL, "a", rank=9, tx=tx),
        lambda tx: tx_kit.patch(LABEL, "b", rank=9, tx=tx),
    )
    assert "done" in result
    if level is SERIALIZABLE:
        assert result == ONE_WINS


def test_absence_is_something_read(tx_kit: Kit) -> None:
    tx_kit.needs_level(SERIALIZABLE)
    result = race(
        tx_kit,
        SERIALIZABLE,
        lambda tx: tx_kit.fetch(LABEL, "x", "y", tx=tx),
        lambda tx: tx_kit.insert(LABEL, ("y", 1), tx=tx),
        lambda tx: tx_kit.insert(LABEL, ("x", 1), tx=tx),
    )
    assert result == ONE_WINS


def test_phantoms(tx_kit: Kit) -> None:
    tx_kit.needs_level(SERIALIZABLE)
    high = compare(LABEL, "rank", "gte", 10)
    result = race(
        tx_kit,
        SERIALIZABLE,
        lambda tx: tx_kit.count(LABEL, high, tx),
        lambda tx: tx_kit.insert(LABEL, ("x", 10), tx=tx),
        lambda tx: tx_kit.insert(LABEL, ("y", 10), tx=tx),
    )
    assert result == ONE_WINS
    assert tx_kit.count(LABEL, high) == 1


def test_phantoms_of_set_writes(tx_kit: Kit) -> None:
    tx_kit.needs("set_writes")
    tx_kit.needs_level(SERIALIZABLE)
    high = compare(LABEL, "rank", "gte", 10)
    result = race(
        tx_kit,
        SERIALIZABLE,
        lambda tx: tx_kit.fetch(LABEL, "a", tx=tx),
        lambda tx: (tx_kit.update_where(LABEL, high, rank=20, tx=tx), tx_kit.insert(LABEL, ("x", 5), tx=tx)),
        lambda tx: (tx_kit.delete_where(LABEL, eq(LABEL, "rank", 5), tx=tx), tx_kit.insert(LABEL, ("y", 10), tx=tx)),
    )
    # Each misses what the other writes; whichever came first, the other would have found its row.
    assert result == ONE_WINS


def test_phantoms_through_relations(tx_kit: Kit) -> None:
    tx_kit.needs_level(SERIALIZABLE)
    tx_kit.insert(AUTHOR, author(1))
    one_id, two_id = uuid.UUID(int=1), uuid.UUID(int=2)
    tx_kit.insert(BOOK, book(id=one_id), book(id=two_id))
    unreviewed = Related((), BOOK.relations["reviews"], "none", TRUE)
    result = race(
        tx_kit,
        SERIALIZABLE,
        lambda tx: tx_kit.count(BOOK, unreviewed, tx),
        lambda tx: tx_kit.insert(REVIEW, (1, one_id, 1, None), tx=tx),
        lambda tx: tx_kit.insert(REVIEW, (2, two_id, 1, None), tx=tx),
    )
    assert result == ONE_WINS


def test_a_lost_transaction_is_rolled_back_whole(tx_kit: Kit) -> None:
    one, other = Rival(tx_kit), Rival(tx_kit, None)
    one.try_(lambda tx: tx_kit.fetch(LABEL, "a", tx=tx))
    other.finish(lambda _: tx_kit.patch(LABEL, "a", rank=5))
    one.finish(lambda tx: (tx_kit.insert(LABEL, ("x", 1), tx=tx), tx_kit.patch(LABEL, "a", rank=6, tx=tx)))
    assert sorted([one.outcome, other.outcome]) == ONE_WINS
    lost = one.outcome == "conflict"
    assert tx_kit.rows(LABEL) == [("a", 5 if lost else 6), ("b", 2), ("c", 3), *([] if lost else [("x", 1)])]


def test_a_deleted_row_cannot_be_changed(tx_kit: Kit) -> None:
    one, other = Rival(tx_kit), Rival(tx_kit, None)
    one.try_(lambda tx: tx_kit.fetch(LABEL, "a", tx=tx))
    other.finish(lambda _: tx_kit.delete(LABEL, "a"))
    one.finish(lambda tx: tx_kit.patch(LABEL, "a", rank=6, tx=tx))
    assert sorted([one.outcome, other.outcome]) == ONE_WINS
    assert tx_kit.get(LABEL, "a") == (None if one.outcome == "conflict" else ("a", 6))


def test_transactions_that_do_not_meet_both_commit(tx_kit: Kit) -> None:
    one = tx_kit.begin()
    tx_kit.patch(LABEL, "a", rank=9, tx=one)
    tx_kit.commit(one)
    two = tx_kit.begin()
    tx_kit.patch(LABEL, "b", rank=9, tx=two)
    tx_kit.patch(LABEL, "a", rank=8, tx=two)
    tx_kit.commit(two)
    assert tx_kit.rows(LABEL) == [("a", 8), ("b", 9), ("c", 3)]


def test_a_unique_value_taken_meanwhile(tx_kit: Kit) -> None:
    one, other = Rival(tx_kit), Rival(tx_kit, None)
    one.try_(lambda tx: tx_kit.fetch(AUTHOR, 1, tx=tx))
    other.finish(lambda _: tx_kit.insert(AUTHOR, author(2, email="x")))
    try:
        one.finish(lambda tx: tx_kit.insert(AUTHOR, author(3, email="x"), tx=tx))
    except UniqueViolation:
        tx_kit.rollback(one.tx)
        one.outcome = "conflict"
    assert sorted([one.outcome, other.outcome]) == ONE_WINS
    assert tx_kit.count(AUTHOR) == 1


def test_unique_values_taken_by_two_transactions(tx_kit: Kit) -> None:
    first, second = (lambda tx, n=n: tx_kit.insert(AUTHOR, author(n, email="x"), tx=tx) for n in (2, 3))
    assert race(tx_kit, SNAPSHOT, lambda tx: tx_kit.fetch(AUTHOR, 1, tx=tx), first, second) == ONE_WINS
    assert tx_kit.count(AUTHOR) == 1


def test_a_parent_removed_meanwhile(tx_kit: Kit) -> None:
    tx_kit.insert(EMPLOYEE, (1, "Ada", None))
    one, other = Rival(tx_kit), Rival(tx_kit, None)
    one.try_(lambda tx: tx_kit.count(EMPLOYEE, tx=tx))
    other.finish(lambda _: tx_kit.delete(EMPLOYEE, 1))
    one.finish(lambda tx: tx_kit.insert(EMPLOYEE, (2, "Bob", 1), tx=tx))
    assert sorted([one.outcome, other.outcome]) == ONE_WINS
    assert tx_kit.count(EMPLOYEE) == (0 if one.outcome == "conflict" else 2)


def test_a_child_made_meanwhile(tx_kit: Kit) -> None:
    tx_kit.insert(EMPLOYEE, (1, "Ada", None))
    one, other = Rival(tx_kit), Rival(tx_kit, None)
    one.try_(lambda tx: tx_kit.count(EMPLOYEE, tx=tx))
    other.finish(lambda _: tx_kit.insert(EMPLOYEE, (2, "Bob", 1)))
    one.finish(lambda tx: tx_kit.delete(EMPLOYEE, 1, tx=tx))
    assert sorted([one.outcome, other.outcome]) == ONE_WINS
    assert tx_kit.count(EMPLOYEE) == (2 if one.outcome == "conflict" else 0)


def test_savepoints(tx_kit: Kit) -> None:
    tx_kit.needs("savepoints")
    tx = tx_kit.begin()
    tx_kit.patch(LABEL, "a", rank=10, tx=tx)
    outer = tx_kit.savepoint(tx)
    tx_kit.patch(LABEL, "a", rank=11, tx=tx)
    tx_kit.insert(LABEL, ("d", 4), ("e", 5), tx=tx)
    inner = tx_kit.savepoint(tx)
    tx_kit.delete(LABEL, "b", tx=tx)
    tx_kit.delete(LABEL, "d", tx=tx)
    tx_kit.rollback_to(tx, inner)
    assert tx_kit.rows(LABEL, tx=tx) == [("a", 11), ("b", 2), ("c", 3), ("d", 4), ("e", 5)]
    inner = tx_kit.savepoint(tx)
    tx_kit.delete(LABEL, "c", tx=tx)
    tx_kit.release(tx, inner)
    assert tx_kit.count(LABEL, tx=tx) == 4
    tx_kit.rollback_to(tx, outer)
    assert tx_kit.rows(LABEL, tx=tx) == [("a", 10), ("b", 2), ("c", 3)]
    assert tx_kit.rows(LABEL, compare(LABEL, "rank", "gte", 3), tx) == [("a", 10), ("c", 3)]
    tx_kit.insert(LABEL, ("d", 1), tx=tx)
    tx_kit.commit(tx)
    assert tx_kit.rows(LABEL) == [("a", 10), ("b", 2), ("c", 3), ("d", 1)]


def test_an_error_inside_a_savepoint_is_undone_with_it(tx_kit: Kit) -> None:
    tx_kit.needs("savepoints")
    tx = tx_kit.begin()
    tx_kit.patch(LABEL, "a", rank=10, tx=tx)
    mark = tx_kit.savepoint(tx)
    tx_kit.insert(LABEL, ("d", 4), tx=tx)
    tx_kit.refused(UniqueViolation, lambda: tx_kit.insert(LABEL, ("e", 5), ("a", 1), tx=tx))
    tx_kit.rollback_to(tx, mark)
    assert tx_kit.rows(LABEL, tx=tx) == [("a", 10), ("b", 2), ("c", 3)]
    tx_kit.commit(tx)
    assert tx_kit.rows(LABEL) == [("a", 10), ("b", 2), ("c", 3)]


def test_insert_then_delete_leaves_nothing(tx_kit: Kit) -> None:
    tx = tx_kit.begin()
    tx_kit.insert(LABEL, ("d", 4), tx=tx)
    tx_kit.delete(LABEL, "d", tx=tx)
    tx_kit.delete(LABEL, "a", tx=tx)
    tx_kit.insert(LABEL, ("a", 7), tx=tx)
    tx_kit.commit(tx)
    assert tx_kit.rows(LABEL) == [("a", 7), ("b", 2), ("c", 3)]


def test_set_writes_inside_a_transaction(tx_kit: Kit) -> None:
    tx_kit.needs("set_writes")
    tx = tx_kit.begin()
    tx_kit.insert(LABEL, ("d", 4), tx=tx)
    assert tx_kit.update_where(LABEL, compare(LABEL, "rank", "gte", 3), tx=tx, rank=30) == 2
    assert tx_kit.delete_where(LABEL, eq(LABEL, "rank", 30), tx=tx) == 2
    assert tx_kit.upsert(LABEL, ("a", 5), ["name"], ["rank"], tx=tx) == ("updated", ("a", 5))
    tx_kit.commit(tx)
    assert tx_kit.rows(LABEL) == [("a", 5), ("b", 2)]


def test_read_only(tx_kit: Kit) -> None:
    tx = tx_kit.begin(read_only=True)
    tx_kit.refused(ProgrammingError, lambda: tx_kit.insert(LABEL, ("d", 4), tx=tx))
    tx_kit.rollback(tx)
    assert tx_kit.count(LABEL) == 3


def test_ended_transactions(tx_kit: Kit) -> None:
    for end in (tx_kit.commit, tx_kit.rollback):
        tx = tx_kit.begin()
        tx_kit.insert(LABEL, (end.__name__, 1), tx=tx)
        end(tx)
        with pytest.raises((TransactionDoomed, ProgrammingError)):
            tx_kit.insert(LABEL, ("later", 1), tx=tx)
        with pytest.raises((TransactionDoomed, ProgrammingError)):
            tx_kit.commit(tx)
        tx_kit.rollback(tx)
    assert [r[0] for r in tx_kit.rows(LABEL)] == ["a", "b", "c", "commit"]


def test_time_is_up(tx_kit: Kit) -> None:
    tx = tx_kit.begin(timeout_s=0.0)
    with pytest.raises(DeadlineExceeded):
        tx_kit.insert(LABEL, ("d", 4), tx=tx)
    tx_kit.rollback(tx)
    assert tx_kit.count(LABEL) == 3


def test_closing_rolls_back(tx_kit: Kit) -> None:
    tx = tx_kit.begin()
    tx_kit.insert(LABEL, ("d", 4), tx=tx)
    tx_kit.close()
    with pytest.raises(HoldallError):
        tx_kit.commit(tx)


def test_locked_rows(tx_kit: Kit) -> None:
    tx_kit.needs("row_locks")
    one, two = Rival(tx_kit), Rival(tx_kit)
    one.try_(lambda tx: tx_kit.fetch(LABEL, "a", tx=tx, lock="update"))
    two.try_(lambda tx: tx_kit.fetch(LABEL, "a", tx=tx, lock="update"))
    two.finish(lambda tx: tx_kit.patch(LABEL, "a", rank=5, tx=tx))
    one.finish(lambda tx: tx_kit.patch(LABEL, "b", rank=5, tx=tx))
    assert sorted([one.outcome, two.outcome]) == ONE_WINS


def test_rows_locked_by_a_query(tx_kit: Kit) -> None:
    tx_kit.needs("row_locks")
    one, two = Rival(tx_kit), Rival(tx_kit)
    low = Select(LABEL, compare(LABEL, "rank", "lte", 2), lock="update")
    one.try_(lambda tx: tx_kit.select(low, tx))
    two.finish(lambda tx: tx_kit.patch(LABEL, "a", rank=5, tx=tx))
    one.finish(lambda tx: tx_kit.patch(LABEL, "c", rank=5, tx=tx))
    assert sorted([one.outcome, two.outcome]) == ONE_WINS
