"""Not null, checks, uniques, references with what deleting does."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from tests.port.entities import AUTHOR, BOOK, BOOK_LABEL, LABEL, PROFILE, REVIEW, author, book
from tests.port.kit import Kit, eq

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
