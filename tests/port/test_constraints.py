"""Not null, checks, uniques, references with what deleting does."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from tests.port.entities import AUTHOR, BOOK, BOOK_LABEL, EMPLOYEE, LABEL, PROFILE, REVIEW, author, book
from tests.port.kit import Kit, compare, eq

from holdall.errors import CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation
from holdall.query import TRUE

ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


@pytest.fixture
def library(kit: Kit) -> Kit:
    """Two authors, two books of the first, edited by the second, with reviews and labels."""
    kit.insert(AUTHOR, author(1), author(2))
    kit.insert(BOOK, book(id=ONE, title="one", editor_id=2, isbn="x"), book(id=TWO, title="two"))
    kit.insert(LABEL, ("new", 1))
    kit.insert(BOOK_LABEL, (ONE, "new", None))
    kit.insert(REVIEW, (1, ONE, 5, None), (2, ONE, 3, None), (3, TWO, 1, None))
    kit.insert(PROFILE, (2, None, 1))
    return kit


def _everything(kit: Kit) -> Any:
    return [kit.rows(entity) for entity in (AUTHOR, BOOK, LABEL, BOOK_LABEL, REVIEW, PROFILE)]


def test_not_null(library: Kit) -> None:
    before = _everything(library)
    error = library.refused(NotNullViolation, lambda: library.insert(BOOK, book(title=None)))
    assert (error.entity, tuple(error.fields)) == ("Book", ("title",))
    library.refused(NotNullViolation, lambda: library.patch(BOOK, ONE, title=None))
    library.refused(NotNullViolation, lambda: library.update_where(BOOK, TRUE, in_print=None))
    library.refused(NotNullViolation, lambda: library.upsert(BOOK, book(id=ONE, title=None), ["id"], ["title"]))
    assert _everything(library) == before


def test_checks(library: Kit) -> None:
    before = _everything(library)
    error = library.refused(CheckViolation, lambda: library.insert(BOOK, book(pages=0)))
    assert (error.entity, error.constraint) == ("Book", "positive_pages")
    library.refused(CheckViolation, lambda: library.patch(BOOK, ONE, pages=-1))
    library.refused(CheckViolation, lambda: library.update_where(BOOK, TRUE, title=""))
    assert library.refused(CheckViolation, lambda: library.insert(BOOK, book(title=""))).constraint == "decent"
    assert _everything(library) == before
    library.insert(BOOK, book(pages=None))  # unknown passes (B3)


def test_uniques(library: Kit) -> None:
    before = _everything(library)
    error = library.refused(UniqueViolation, lambda: library.insert(BOOK, book(isbn="x")))
    assert (error.entity, tuple(error.fields)) == ("Book", ("isbn",))
    error = library.refused(UniqueViolation, lambda: library.insert(BOOK, book(title="one")))
    assert tuple(error.fields) == ("author_id", "title")
    library.refused(UniqueViolation, lambda: library.patch(BOOK, TWO, isbn="x"))
    library.refused(UniqueViolation, lambda: library.patch(BOOK, TWO, title="one"))
    library.refused(UniqueViolation, lambda: library.insert(BOOK, book(isbn="z"), book(isbn="z")))
    assert _everything(library) == before
    library.insert(BOOK, book(title="one", author_id=2), book(isbn="X"), book(isbn="x "), book(isbn=None), book(isbn=None))


def test_a_unique_value_is_free_again(library: Kit) -> None:
    library.patch(BOOK, ONE, isbn=None)
    library.patch(BOOK, TWO, isbn="x")
    library.refused(UniqueViolation, lambda: library.patch(BOOK, ONE, isbn="x"))
    library.delete(BOOK, TWO)
    library.patch(BOOK, ONE, isbn="x")


def test_references_need_a_parent(library: Kit) -> None:
    before = _everything(library)
    error = library.refused(ForeignKeyViolation, lambda: library.insert(BOOK, book(author_id=9)))
    assert (error.entity, tuple(error.fields)) == ("Book", ("author_id",))
    library.refused(ForeignKeyViolation, lambda: library.patch(BOOK, ONE, editor_id=9))
    library.refused(ForeignKeyViolation, lambda: library.update_where(BOOK, TRUE, author_id=9))
    library.refused(ForeignKeyViolation, lambda: library.upsert(BOOK_LABEL, (TWO, "none", None), ["book_id", "label"], []))
    assert _everything(library) == before
    library.patch(BOOK, ONE, editor_id=None)
    library.patch(BOOK, ONE, editor_id=1)


def test_restrict(library: Kit) -> None:
    before = _everything(library)
    error = library.refused(ForeignKeyViolation, lambda: library.delete(AUTHOR, 1))
    assert (error.entity, tuple(error.fields)) == ("Book", ("author_id",))
    library.refused(ForeignKeyViolation, lambda: library.delete(LABEL, "new"))
    library.refused(ForeignKeyViolation, lambda: library.delete_where(AUTHOR, TRUE))
    assert _everything(library) == before
    library.delete(BOOK_LABEL, (ONE, "new"))
    library.delete(LABEL, "new")


def test_set_null_and_cascade(library: Kit) -> None:
    library.delete(AUTHOR, 2)
    assert library.get(BOOK, ONE, "editor_id") is None
    assert library.get(BOOK, ONE, "version") == 1
    assert library.count(PROFILE) == 0, "the profile goes with its author"
    library.delete(BOOK, ONE)
    assert [r[0] for r in library.rows(REVIEW)] == [3]
    assert library.count(BOOK_LABEL) == 0
    assert library.delete_where(BOOK, TRUE) == 1, "cascaded rows are not counted"
    assert library.count(REVIEW) == 0
    library.delete(AUTHOR, 1)


def test_a_key_that_is_pointed_at_stays(library: Kit) -> None:
    library.refused(ForeignKeyViolation, lambda: library.patch(AUTHOR, 1, id=5))
    library.refused(ForeignKeyViolation, lambda: library.patch(BOOK, TWO, id=uuid.UUID(int=5)))
    library.delete(REVIEW, 3)
    library.patch(BOOK, TWO, id=uuid.UUID(int=5))
    assert library.get(BOOK, uuid.UUID(int=5), "title") == "two"


def test_references_among_one_insert_may_point_forward(kit: Kit) -> None:
    kit.insert(EMPLOYEE, (1, "Ada", 2), (2, "Bob", 3), (3, "Cid", 3))
    kit.refused(ForeignKeyViolation, lambda: kit.insert(EMPLOYEE, (4, "Dan", 9)))
    assert kit.count(EMPLOYEE) == 3


def test_a_tree_goes_whole(kit: Kit) -> None:
    kit.insert(EMPLOYEE, (1, "Ada", None), (2, "Bob", 1), (3, "Cid", 2), (4, "Dan", None))
    kit.refused(ForeignKeyViolation, lambda: kit.delete(EMPLOYEE, 1))
    kit.refused(ForeignKeyViolation, lambda: kit.delete_where(EMPLOYEE, compare(EMPLOYEE, "id", "lte", 2)))
    assert kit.count(EMPLOYEE) == 4
    assert kit.delete_where(EMPLOYEE, compare(EMPLOYEE, "id", "lte", 3)) == 3
    assert kit.rows(EMPLOYEE) == [(4, "Dan", None)]


def test_a_row_that_points_at_itself_can_go(kit: Kit) -> None:
    kit.insert(EMPLOYEE, (1, "Ada", 1))
    kit.delete(EMPLOYEE, 1)
    assert kit.count(EMPLOYEE) == 0


def test_constraints_inside_a_transaction(library: Kit) -> None:
    library.needs("transactions")
    before = _everything(library)
    for error, call in (
        (UniqueViolation, lambda tx: library.insert(BOOK, book(isbn="x"), tx=tx)),
        (ForeignKeyViolation, lambda tx: library.insert(BOOK, book(author_id=9), tx=tx)),
        (ForeignKeyViolation, lambda tx: library.delete(AUTHOR, 1, tx=tx)),
        (CheckViolation, lambda tx: library.patch(BOOK, ONE, pages=0, tx=tx)),
        (NotNullViolation, lambda tx: library.patch(BOOK, ONE, title=None, tx=tx)),
    ):
        tx = library.begin()
        library.refused(error, lambda c=call, t=tx: c(t))
        library.rollback(tx)
        assert _everything(library) == before
    tx = library.begin()
    library.insert(AUTHOR, author(7), tx=tx)
    library.insert(BOOK, book(author_id=7, title="seven", isbn="y"), tx=tx)
    library.refused(UniqueViolation, lambda: library.insert(BOOK, book(isbn="y"), tx=tx))
    library.rollback(tx)
    tx = library.begin()
    library.patch(BOOK, ONE, isbn="y", tx=tx)
    library.patch(BOOK, TWO, isbn="x", tx=tx)
    library.patch(BOOK, ONE, isbn="z", tx=tx)
    library.delete(AUTHOR, 2, tx=tx)
    assert library.get(BOOK, ONE, "editor_id", tx=tx) is None
    assert library.rows(PROFILE, tx=tx) == []
    library.commit(tx)
    assert (library.get(BOOK, ONE, "isbn"), library.get(BOOK, TWO, "isbn")) == ("z", "x")
    assert library.count(AUTHOR) == 1
    assert library.count(BOOK, eq(BOOK, "isbn", "x")) == 1
