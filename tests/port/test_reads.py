"""Selects: random ones against a plain reading of the contract, and the ones that chance forgets."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proofs._naive import Naive
from tests.port.entities import (
    ALL,
    AUTHOR,
    BOOK,
    BOOK_LABEL,
    INT,
    LABEL,
    NOW,
    PROFILE,
    REVIEW,
    author,
    book,
)
from tests.port.kit import Kit, compare, eq
from tests.port.strategies import conditions, dataset, grouped_selects, leaves, selects, valid

from holdall.query import TRUE, Match, Membership, Order, Select, all_of, key_ref, prepare
from holdall.schema import Entity


def _load(kit: Kit, data: Any) -> None:
    kit.do(kit.backend.reset(ALL))
    for entity in (AUTHOR, PROFILE, BOOK, LABEL, BOOK_LABEL, REVIEW):
        kit.insert(entity, *data[entity])


def _same(kit: Kit, data: Any, select: Select) -> None:
    expected = Naive(data, kit.now).select(prepare(select, kit.now))
    answer = kit.select(select)
    if select.order:
        assert answer == expected, (select, kit.plan(select).steps)
    else:
        assert sorted(map(repr, answer)) == sorted(map(repr, expected)), (select, kit.plan(select).steps)
    assert [[type(v) for v in r] for r in sorted(answer, key=repr)] == [[type(v) for v in r] for r in sorted(expected, key=repr)]


def _rounds(make: Any, count: int) -> list[tuple[int, Any]]:
    """Examples made by Hypothesis's strategies, without shrinking: a database cannot be made anew for each."""
    found: list[tuple[int, Any]] = []

    @settings(max_examples=count, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.integers(0, 10_000), make)
    def collect(seed: int, item: Any) -> None:
        found.append((seed % 7, item))

    collect()
    return sorted(found, key=lambda pair: pair[0])


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(st.builds(Select, st.just(BOOK), leaves(BOOK)), id="leaves"),
        pytest.param(st.builds(Select, st.just(BOOK), conditions()), id="conditions"),
        pytest.param(selects(), id="selects"),
        pytest.param(grouped_selects(), id="groups"),
    ],
)
def test_random_selects_mean_what_the_contract_says(sync_kit: Kit, make: Any) -> None:
    last = None
    for seed, select in _rounds(make, 150):
        if seed != last:
            data = valid(dataset(seed))
            _load(sync_kit, data)
            last = seed
        _same(sync_kit, data, select)


@pytest.fixture
def shelf(kit: Kit) -> dict[Entity, list[Any]]:
    """Two hundred books of three authors, so that indexes are worth using."""
    return _fill(kit)


def _fill(kit: Kit) -> dict[Entity, list[Any]]:
    chance = random.Random(5)
    authors = [author(n) for n in (1, 2, 3)]
    books = [
        book(
            id=uuid.UUID(int=n * 7919 % 100_003),
            title=f"{'aAbß'[n % 4]}{n:03}",
            author_id=n % 3 + 1,
            pages=chance.choice([None, *range(1, 20)]),
            price=Decimal(chance.randrange(1000)) / 100 if n % 2 else Decimal(5) / 1,
            in_print=chance.random() < 0.5,
            published=chance.choice([None, dt.date(2020, 1, 1 + n % 9)]),
            added=NOW + dt.timedelta(hours=chance.randrange(-50, 50)),
            isbn=None if n % 5 else f"i{n}",
        )
        for n in range(1, 201)
    ]
    books = [tuple(v.quantize(Decimal("0.01")) if f.name == "price" else v for f, v in zip(BOOK.fields, b, strict=True)) for b in books]
    kit.insert(AUTHOR, *authors)
    kit.insert(BOOK, *books)
    return {AUTHOR: authors, BOOK: books}


def _order(*names: str, nulls_first: bool = False) -> tuple[Order, ...]:
    return tuple(Order(key_ref(BOOK, name.lstrip("-")), name.startswith("-"), nulls_first) for name in names)


ORDERS = [
    tuple(names.split(","))
    for names in (
        "pages", "-pages", "added", "-added", "added,-pages", "-added,id", "-added,-id", "id", "-id", "isbn", "-isbn", "price",
        "in_print,price", "-in_print,-price", "in_print,-price", "title", "-published,added", "author_id,title", "-author_id,title",
        "pages,added,title",
    )
]  # fmt: skip
WHERES = [
    TRUE,
    compare(BOOK, "pages", "gte", 10),
    all_of(compare(BOOK, "pages", "gt", 3), compare(BOOK, "pages", "lte", 12)),
    eq(BOOK, "author_id", 2),
    all_of(eq(BOOK, "in_print", True), compare(BOOK, "price", "lt", Decimal("5.00"))),
    all_of(compare(BOOK, "added", "gte", NOW), compare(BOOK, "pages", "ne", 4)),
    all_of(eq(BOOK, "author_id", 1), Match(key_ref(BOOK, "title"), "startswith", "a1")),
    Membership(key_ref(BOOK, "pages"), (1, 2, 3, 3), INT),
    compare(BOOK, "pages", "same", None),
    compare(BOOK, "id", "gt", uuid.UUID(int=50_000)),
    compare(BOOK, "isbn", "gt", "i2"),
]


@pytest.mark.parametrize("order", ORDERS, ids=",".join)
def test_orders_and_limits_over_indexes(sync_kit: Kit, order: Any) -> None:
    shelf = _fill(sync_kit)
    for where in WHERES:
        for nulls_first in (False, True):
            orders = _order(*order, nulls_first=nulls_first)
            whole = Naive(shelf).select(prepare(Select(BOOK, where, orders), sync_kit.now))
            for limit, offset in ((None, 0), (5, 0), (7, 3), (1, 0), (0, 0), (500, 0), (5, 199), (10, 500)):
                select = Select(BOOK, where, orders, limit, offset)
                end = None if limit is None else offset + limit
                assert sync_kit.select(select) == whole[offset:end], (select, sync_kit.plan(select).steps)
