"""Tables and indexes against searching all rows, through random changes."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest
from tests.port.entities import BOOK, BOOK_LABEL, SESSION, book

from holdall.backends.memory.indexes import TOP
from holdall.backends.memory.table import Layout, Table

LAYOUT = Layout(BOOK)
AT = {field.name: field.position for field in BOOK.fields}


def _random_book(chance: random.Random, key: int) -> Any:
    return book(
        id=uuid.UUID(int=key),
        title=f"t{chance.randrange(6)}",
        author_id=chance.randrange(4),
        pages=chance.choice([None, 1, 2, 3]),
        isbn=chance.choice([None, f"i{key}"]),
    )


@pytest.mark.parametrize("seed", range(8))
def test_indexes_follow_their_rows(seed: int) -> None:
    chance = random.Random(seed)
    table = Table(LAYOUT)
    pages, pair = (AT["pages"],), (AT["author_id"], AT["pages"])
    isbn = (AT["isbn"],)
    for step in range(400):
        key = chance.randrange(60)
        if chance.random() < 0.1:
            keys = [k for k in range(60, 70) if k not in table.rows]
            table.put_many(keys, [_random_book(chance, k) for k in keys])
        else:
            table.put(key, None if chance.random() < 0.3 else _random_book(chance, key))
        if step % 7 == seed % 7 or step > 380:
            rows = list(table.rows.values())
            for value in (1, 2, 3):
                assert sorted(table.finder(pages)(value)) == sorted(r for r in rows if r[AT["pages"]] == value)
            assert sorted(table.hash(pages).nulls.values()) == sorted(r for r in rows if r[AT["pages"]] is None)
            assert {r[0] for r in table.finder(pair)((1, 2))} == {r[0] for r in rows if (r[AT["author_id"]], r[AT["pages"]]) == (1, 2)}
            assert table.unique(isbn).rows == {r[AT["isbn"]]: r for r in rows if r[AT["isbn"]] is not None}
            index = table.ordered(pages)
            ordered = index.between(0, len(index.entries()))
            assert ordered == sorted(rows, key=lambda r: (r[AT["pages"]] is None, r[AT["pages"]] or 0, r[0]))
            start = index.entries().bisect_left(((False, 1), TOP))
            assert all(r[AT["pages"]] == 1 for r in index.between(0, start))
            assert all(r[AT["pages"]] != 1 for r in index.between(start, len(rows)))
            keyed = table.ordered(LAYOUT.key)
            assert [r[0] for r in keyed.between(0, len(rows), True)] == sorted((r[0] for r in rows), reverse=True)


def test_waiting_changes_are_bounded() -> None:
    table = Table(Layout(SESSION))
    index = table.ordered((0,))
    assert len(index.entries()) == 0
    for n in range(5000):
        table.put(str(n), (str(n), None, 1, None))
        table.put(str(n), None)
    assert len(index._pending) <= 1000
    for n in range(5000):
        table.put(str(n), (str(n), None, 1, None))
    assert [r[0] for r in index.between(0, 5000)] == sorted(str(n) for n in range(5000))


def test_composite_keys_are_their_own_index() -> None:
    table = Table(Layout(BOOK_LABEL))
    for n in (2, 1):
        for label in ("b", "a"):
            row = (uuid.UUID(int=n), label, None)
            table.put(table.layout.row_ik(row), row)
    index = table.ordered(table.layout.key)
    assert [(r[0].int, r[1]) for r in index.between(0, 4)] == [(1, "a"), (1, "b"), (2, "a"), (2, "b")]
    assert table.layout.ik_of_key((uuid.UUID(int=1), "a")) == (1, "a")
