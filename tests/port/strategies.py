"""By chance: books, authors, reviews; and, by the generator of the proofs, conditions and selects about them."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from proofs._trees import Ground, Trees
from tests.port.entities import (
    AUTHOR,
    BOOK,
    BOOK_LABEL,
    LABEL,
    NOW,
    PROFILE,
    REVIEW,
    SESSION,
    author,
    book,
    row,
)

from holdall.query import FieldRef
from holdall.schema import JSON_NULL, Type

ints = st.integers(-3, 3)
instants = st.integers(-2, 2).map(lambda n: NOW + dt.timedelta(hours=n))


def _pools() -> dict[str, list[Any]]:
    """A few values for each field of a book: few, so that equal ones meet."""
    texts = ["", "a", "A", "ß", "ss", "S%", "a_s", "é\n", "İ", "aAa"]
    return {
        "title": texts,
        "author_id": [1, 2, 3],
        "editor_id": [1, 2, 3],
        "price": [Decimal("0.00"), Decimal("0.50"), Decimal("1.00"), Decimal("3.99")],
        "pages": [-2, -1, 0, 1, 2, 3],
        "rating": [0.0, 0.5, 1.5],
        "in_print": [True, False],
        "published": [dt.date(2020, 1, n) for n in (1, 2, 3)],
        "added": [NOW + dt.timedelta(hours=n) for n in (-1, 0, 1)],
        "isbn": texts,
        "tags": [(), ("a",), ("a", "b"), ("b", "b")],
        "langs": [frozenset(), frozenset("a"), frozenset("ab")],
        "meta": [JSON_NULL, True, 1, 0, 1.5, "a", "1", "", [], [1, "a"], [True], [[1]], {}, {"a": 1}, {"a": None, "b": "x"},
                 {"a": {"b": 2}}, {"a": [0]}, {"a": "aA", "b": 2}, {"a": True}],
        "size": [{"width": w, "note": n} for w in (1, 2) for n in (None, "", "x")],
        "counts": [{}, {"a": 1}, {"a": -1, "b": 2}, {"b": 1}],
        "cover": [b"", b"\x00", b"ab"],
        "opens": [dt.time(1), dt.time(2)],
        "reading": [dt.timedelta(1), dt.timedelta(-1)],
        "printed": [dt.datetime(2020, 1, n) for n in (1, 2)],  # noqa: DTZ001  local time
        "weight": [Decimal(t) for t in ("0", "1.5", "-2", "1.25", "3")],
        "version": [1, 2],
    }  # fmt: skip


POOLS = _pools()
VALUES = {name: st.sampled_from(pool) for name, pool in POOLS.items()}
IDS = [uuid.UUID(int=n) for n in range(1, 13)]


def dataset(seed: int) -> Any:
    """Twelve books and what belongs to them, by chance."""
    chance = random.Random(seed)

    def pick(pool: Any, null: float = 0.0) -> Any:
        return None if chance.random() < null else chance.choice(pool)

    texts, dates = POOLS["title"], POOLS["published"]
    books = [
        book(id=id, **{f.name: pick(POOLS[f.name], 0.3 if f.nullable else 0) for f in BOOK.fields[1:]})
        for id in chance.sample(IDS, chance.choice([0, 1, 6, 12]))
    ]
    authors = [author(n, name=pick(texts), country=pick(texts, 0.3), born=pick(dates, 0.3)) for n in (1, 2, 3) if chance.random() < 0.8]
    profiles = [row(PROFILE, author_id=a[0], bio=pick(texts, 0.3), score=pick(range(-2, 3))) for a in authors if chance.random() < 0.7]
    reviews = [row(REVIEW, id=n, book_id=pick(IDS), stars=pick(range(3)), text=pick(texts, 0.3)) for n in range(14)]
    labels = [row(LABEL, name=n, rank=pick(range(3))) for n in "xyz" if chance.random() < 0.8]
    links = [row(BOOK_LABEL, book_id=i, label=n) for i in IDS for n in "xyz" if chance.random() < 0.3]
    return {AUTHOR: authors, BOOK: books, PROFILE: profiles, REVIEW: reviews, LABEL: labels, BOOK_LABEL: links}


def valid(data: Any) -> Any:
    """What of the data keeps all constraints."""
    author_ids = {1, 2, 3}
    authors = {a[0]: a for a in data[AUTHOR]} | {n: author(n) for n in author_ids - {a[0] for a in data[AUTHOR]}}
    books, isbns, titles = [], set(), set()
    at = {f.name: f.position for f in BOOK.fields}
    for item in data[BOOK]:
        title = (item[at["author_id"]], item[at["title"]])
        pages, isbn = item[at["pages"]], item[at["isbn"]]
        if title in titles or not title[1] or (pages is not None and pages <= 0) or (isbn is not None and isbn in isbns):
            continue
        titles.add(title)
        isbns.add(isbn)
        books.append(item)
    ids, names = {b[0] for b in books}, {r[0] for r in data[LABEL]}
    return {
        AUTHOR: list(authors.values()),
        BOOK: books,
        PROFILE: data[PROFILE],
        REVIEW: [r for r in data[REVIEW] if r[1] in ids],
        LABEL: data[LABEL],
        BOOK_LABEL: [r for r in data[BOOK_LABEL] if r[0] in ids and r[1] in names],
    }


datasets = st.integers(0, 10_000).map(dataset)


@st.composite
def sessions(draw: Any) -> Any:
    rows = [
        row(SESSION, token=t, user=draw(st.none() | st.sampled_from("ab")), hits=draw(ints), until=draw(st.none() | instants))
        for t in draw(st.sets(st.sampled_from("abcde")))
    ]
    return {SESSION: rows}


def ref(entity: Any, path: str, *keys: Any, type: Type | None = None) -> FieldRef:
    """The FieldRef of a dotted path of to-one relations and a field."""
    *names, name = path.split(".")
    steps, at = [], entity
    for step in names:
        relation = at.relations[step]
        steps.append(relation)
        at = relation.target.entity
    field = at.by_name[name]
    return FieldRef(entity, tuple(steps), field, tuple(keys), type or field.type)


def _pools_of_others() -> dict[tuple[Any, str], list[Any]]:
    texts, days = POOLS["title"], POOLS["published"]
    return {
        (AUTHOR, "id"): [1, 2, 3], (AUTHOR, "email"): ["x", "y"], (AUTHOR, "name"): texts, (AUTHOR, "country"): texts,
        (AUTHOR, "born"): days,
        (PROFILE, "author_id"): [1, 2, 3], (PROFILE, "bio"): texts, (PROFILE, "score"): [-2, 0, 1, 2],
        (REVIEW, "id"): [1, 2, 3], (REVIEW, "book_id"): IDS, (REVIEW, "stars"): [0, 1, 2], (REVIEW, "text"): texts,
        (LABEL, "name"): ["x", "y", "z"], (LABEL, "rank"): [0, 1, 2], (BOOK, "id"): IDS,
    }  # fmt: skip


GROUND = Ground({(BOOK, name): pool for name, pool in POOLS.items()} | _pools_of_others(), now=NOW)


def _drawn(make: Callable[[Trees], Any]) -> Any:
    """What `make` draws, by the proofs' generator; Hypothesis shrinks what it draws from."""
    return st.randoms(use_true_random=False).map(lambda random: make(Trees(GROUND, random)))


def conditions(entity: Any = BOOK, depth: int = 3) -> Any:
    """Conditions about an entity."""
    return _drawn(lambda trees: trees.condition(entity, depth))


def leaves(entity: Any) -> Any:
    """Conditions that hold no other."""
    return _drawn(lambda trees: trees.leaf(entity))


def selects() -> Any:
    """Queries for books."""
    return _drawn(lambda trees: trees.select(BOOK))


def grouped_selects() -> Any:
    """Queries for groups of books."""
    return _drawn(lambda trees: trees.grouped(BOOK))
