"""Every write, alone and in batches."""

from __future__ import annotations

import uuid

from tests.port.entities import AUTHOR, BOOK, SESSION, author, book, row
from tests.port.kit import Kit
from tests.port.strategies import POOLS

from holdall.query import TRUE

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


def test_schema_twice_and_a_row_of_every_entity(kit: Kit) -> None:
    kit.do(kit.backend.ensure_schema([BOOK]))
    kit.do(kit.backend.ping())
    kit.insert(AUTHOR, author(1))
    kit.insert(SESSION, row(SESSION, token="t", hits=1))
    assert kit.count(SESSION) == 1
