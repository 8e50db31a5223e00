"""Every write, alone and in batches."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from tests.port.entities import AUTHOR, BOOK, DECIMAL, INT, SESSION, author, book, row
from tests.port.kit import Kit
from tests.port.strategies import POOLS

from holdall.errors import SizeLimit
from holdall.query import TRUE, Arith, Value, key_ref

ID = uuid.UUID(int=7)


def test_rows_come_back_as_they_were(kit: Kit) -> None:
    kit.insert(AUTHOR, *(author(n) for n in (1, 2, 3)))
    for name, pool in POOLS.items():
        for number, value in enumerate(pool):
            if (name, value) in (("title", ""), ("pages", -2), ("pages", -1), ("pages", 0)):
                continue
            stored = book(id=uuid.UUID(int=number + 1), **{name: value})
            kit.insert(BOOK, stored)
            (read,) = kit.fetch(BOOK, stored[0])
            assert read == stored
            at = BOOK.by_name[name].position
            assert type(read[at]) is type(value)
            assert repr(read[at]) == repr(value) or isinstance(value, frozenset | dict)
        kit.delete_where(BOOK, TRUE)


def test_patch_with_expressions(kit: Kit) -> None:
    kit.insert(AUTHOR, author(1))
    kit.insert(BOOK, book(id=ID, price=Decimal("1.10"), pages=10))
    price, pages = key_ref(BOOK, "price"), key_ref(BOOK, "pages")
    kit.patch(BOOK, ID, price=Arith("add", price, Value(Decimal("0.4"), DECIMAL), DECIMAL), pages=Arith("mul", pages, Value(3, INT), INT))
    assert str(kit.get(BOOK, ID, "price")) == "1.50"
    assert kit.get(BOOK, ID, "pages") == 30
    kit.patch(BOOK, ID, weight=price, pages=Arith("sub", pages, Value(1, INT), INT))
    assert (str(kit.get(BOOK, ID, "weight")), kit.get(BOOK, ID, "pages")) == ("1.5", 29)


@pytest.mark.parametrize(("name", "expr"), [
    ("price", Arith("mul", key_ref(BOOK, "price"), Value(Decimal("0.01"), DECIMAL), DECIMAL)),
    ("price", Arith("mul", key_ref(BOOK, "price"), Value(Decimal(1000000000), DECIMAL), DECIMAL)),
    ("pages", Arith("add", key_ref(BOOK, "pages"), Value(2**63 - 1, INT), INT)),
    ("pages", Arith("mul", key_ref(BOOK, "pages"), Value(2**62, INT), INT)),
])  # fmt: skip
def test_results_that_do_not_fit_are_refused(kit: Kit, name: str, expr: Any) -> None:
    kit.insert(AUTHOR, author(1))
    kit.insert(BOOK, book(id=ID, price=Decimal("123.45"), pages=10), book(pages=None, price=Decimal("1.00")))
    before = kit.rows(BOOK)
    kit.refused(SizeLimit, lambda: kit.patch(BOOK, ID, **{name: expr}))
    kit.refused(SizeLimit, lambda: kit.update_where(BOOK, TRUE, **{name: expr}))
    assert kit.rows(BOOK) == before


def test_schema_twice_and_a_row_of_every_entity(kit: Kit) -> None:
    kit.do(kit.backend.ensure_schema([BOOK]))
    kit.do(kit.backend.ping())
    kit.insert(AUTHOR, author(1))
    kit.insert(SESSION, row(SESSION, token="t", hits=1))
    assert kit.count(SESSION) == 1
