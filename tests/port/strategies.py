"""By chance: books, authors, reviews, and conditions, expressions and selects about them."""

from __future__ import annotations

import datetime as dt
import random
import uuid
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.port.entities import (
    AUTHOR,
    BOOK,
    BOOK_LABEL,
    DECIMAL,
    INT,
    JSON,
    LABEL,
    NOW,
    PROFILE,
    REVIEW,
    SESSION,
    STR,
    author,
    book,
    row,
)

from holdall.query import (
    Aggregate,
    Arith,
    Column,
    Compare,
    Constant,
    FieldRef,
    Holds,
    IsNull,
    Match,
    Membership,
    Not,
    Order,
    Related,
    Select,
    Value,
    all_of,
    any_of,
    key_ref,
)
from holdall.schema import JSON_NULL, Type

texts = st.sampled_from(
    ["", "a", "A", "ß", "ss", "S", "%", "a%", "%a", "_", "a_a", "a\\_s", "\\%", "\\", "é_", "é\n", "i̇", "İ", "SS", "S\\%"]
)
ints = st.integers(-3, 3)
instants = st.integers(-2, 2).map(lambda n: NOW + dt.timedelta(hours=n))
jsons = st.sampled_from([JSON_NULL, True, 1, 0, 1.5, "a", "1", "", [], [1, "a"], [True], {}, {"a": 1}, {"b": "x", "a": None}, {"b": 2}])


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


TEXT_PATHS = {"Book": ["title", "isbn", "author.name", "editor.country", "author.profile.bio"],
              "Author": ["name", "country", "profile.bio"],
              "Review": ["text", "book.title", "book.author.name"], "Label": ["name"]}  # fmt: skip
INT_PATHS = {"Book": ["pages", "editor_id", "author_id", "author.profile.score", "version"], "Author": ["id", "profile.score"],
             "Review": ["stars", "book.pages"], "Label": ["rank"]}  # fmt: skip
OPS = st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte", "same", "not_same"])
EQUALITIES = st.sampled_from(["eq", "ne", "same", "not_same"])


def int_exprs(entity: Any) -> Any:
    leaf = st.sampled_from([ref(entity, p) for p in INT_PATHS[entity.name]]) | ints.map(lambda v: Value(v, INT))
    return leaf | st.builds(lambda op, a, b: Arith(op, a, b, INT), st.sampled_from(["add", "sub", "mul"]), leaf, leaf)


@st.composite
def field_compares(draw: Any) -> Any:
    """Any field of a book with an operand of its type."""
    field = draw(st.sampled_from(BOOK.fields[1:]))
    left, value = key_ref(BOOK, field.name), draw(VALUES[field.name])
    which = draw(st.integers(0, 4))
    if which == 0:
        return IsNull(left, draw(st.booleans()))
    if which == 1:
        values = tuple(draw(st.lists(VALUES[field.name], max_size=3)))
        return Membership(left, values, field.type, draw(st.booleans()), draw(st.booleans()))
    op = draw(OPS if field.type.orderable else EQUALITIES)
    return Compare(left, op, Value(value, field.type))


@st.composite
def json_conditions(draw: Any) -> Any:
    keys = draw(st.sampled_from([(), ("a",), ("b",), ("a", "b"), (0,), ("a", 0)]))
    left = ref(BOOK, "meta", *keys, type=JSON)
    which = draw(st.integers(0, 5))
    if which == 0:
        return IsNull(left, draw(st.booleans()))
    if which == 1:
        return Holds(left, tuple(draw(st.lists(jsons, max_size=2))), draw(st.sampled_from(["all", "any"])), JSON)
    if which == 2:
        return Membership(left, tuple(draw(st.lists(jsons, max_size=3))), JSON, draw(st.booleans()), draw(st.booleans()))
    if which == 3:
        return Match(left, draw(MATCHES), draw(texts))
    if which == 4:
        return Compare(ref(BOOK, "counts", "a", type=INT), draw(OPS), Value(draw(ints), INT))
    return Compare(left, draw(OPS), Value(draw(jsons), JSON))


MATCHES = st.sampled_from(["contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "like", "iexact"])


@st.composite
def leaves(draw: Any, entity: Any) -> Any:
    which = draw(st.integers(0, 6 if entity is BOOK else 3))
    if which == 0:
        return Constant(draw(st.booleans()))
    if which == 1:
        return Match(ref(entity, draw(st.sampled_from(TEXT_PATHS[entity.name]))), draw(MATCHES), draw(texts))
    if which == 2:
        return Compare(draw(int_exprs(entity)), draw(OPS), draw(int_exprs(entity)))
    if which == 3:
        paths = [ref(entity, p) for p in TEXT_PATHS[entity.name]]
        return Compare(draw(st.sampled_from(paths)), draw(OPS), draw(st.sampled_from(paths) | texts.map(lambda v: Value(v, STR))))
    if which == 4:
        return draw(field_compares())
    if which == 5:
        return draw(json_conditions())
    name = draw(st.sampled_from(["tags", "langs", "counts"]))
    return Holds(key_ref(BOOK, name), tuple(draw(st.lists(st.sampled_from("abc"), max_size=2))), draw(st.sampled_from(["all", "any"])), STR)


RELATED = {"Book": [((), "reviews"), ((), "labels"), (("author",), "books"), (("editor",), "books")],
           "Author": [((), "books"), ((), "edited")],
           "Review": [(("book",), "reviews"), (("book",), "labels")], "Label": []}  # fmt: skip


@st.composite
def conditions(draw: Any, entity: Any = BOOK, depth: int = 3) -> Any:
    which = draw(st.integers(0, 5)) if depth else 0
    if which <= 1:
        return draw(leaves(entity))
    if which == 2:
        return Not(draw(conditions(entity, depth - 1)))
    if which == 3 and RELATED[entity.name]:
        names, name = draw(st.sampled_from(RELATED[entity.name]))
        steps, at = [], entity
        for step in names:
            steps.append(at.relations[step])
            at = steps[-1].target.entity
        relation = at.relations[name]
        inner = draw(conditions(relation.target.entity, depth - 1))
        return Related(tuple(steps), relation, draw(st.sampled_from(["any", "every", "none"])), inner)
    items = draw(st.lists(conditions(entity, depth - 1), min_size=2, max_size=3))
    return all_of(*items) if which == 4 else any_of(*items)


ORDERABLE = [f.name for f in BOOK.fields if f.type.orderable]
orders = st.lists(
    st.builds(
        Order,
        st.sampled_from([key_ref(BOOK, n) for n in ORDERABLE] + [ref(BOOK, "author.name"), ref(BOOK, "editor.country")]) | int_exprs(BOOK),
        st.booleans(),
        st.booleans(),
    ),
    max_size=3,
).map(tuple)
limits = st.none() | st.integers(0, 4)


@st.composite
def selects(draw: Any) -> Any:
    columns = draw(
        st.none()
        | st.lists(
            st.sampled_from([key_ref(BOOK, n) for n in ("title", "price", "pages", "meta", "tags")] + [ref(BOOK, "author.name")])
            | int_exprs(BOOK),
            min_size=1,
            max_size=3,
        )
    )
    named = None if columns is None else tuple(Column(str(n), e) for n, e in enumerate(columns))
    order = draw(orders)
    if order:  # ties would make the answer depend on how equals are kept
        order += (Order(key_ref(BOOK, "id")),)
    return Select(
        BOOK, draw(conditions()), order, draw(limits) if order else None, draw(st.integers(0, 2)) if order else 0, named,
        distinct=named is not None and draw(st.booleans()),
    )  # fmt: skip


@st.composite
def aggregates(draw: Any) -> Any:
    name = draw(st.sampled_from(["pages", "price", "weight", "rating", "title", "in_print", "published", "id"]))
    expr = key_ref(BOOK, name)
    if name == "pages" and draw(st.booleans()):
        expr = draw(int_exprs(BOOK))  # type: ignore[assignment]
    fns = ["count", "min", "max"] + (["sum", "avg"] if expr.type.kind in ("int", "float", "decimal") else [])
    fn = draw(st.sampled_from(fns))
    kinds = {"count": INT, "avg": expr.type if expr.type.kind == "float" else DECIMAL}
    if fn == "count" and draw(st.booleans()):
        return Aggregate("count", None, False, INT)
    return Aggregate(fn, expr, draw(st.booleans()), kinds.get(fn, expr.type))


@st.composite
def grouped_selects(draw: Any) -> Any:
    keys = tuple(
        draw(
            st.lists(
                st.sampled_from([key_ref(BOOK, n) for n in ("in_print", "pages", "editor_id")] + [ref(BOOK, "author.name")])
                | int_exprs(BOOK).filter(lambda e: not isinstance(e, Value)),
                max_size=2,
                unique=True,
            )
        )
    )
    found = draw(st.lists(aggregates(), min_size=1, max_size=3))
    exprs = [*keys, *found]
    having: Any = Constant(True)
    counted = [a for a in found if a.type is INT]
    if counted and draw(st.booleans()):
        having = Compare(draw(st.sampled_from(counted)), draw(OPS), Value(draw(ints), INT))
    order = tuple(Order(e, draw(st.booleans()), draw(st.booleans())) for e in exprs)  # all of them: no ties but equal tuples
    return Select(
        BOOK, draw(conditions(depth=1)), order, draw(limits), draw(st.integers(0, 1)),
        tuple(Column(str(n), e) for n, e in enumerate(exprs)), draw(st.booleans()), keys, having,
    )  # fmt: skip
