"""Entities made by hand: every kind of field, reference, key and relation, for tests that need no model classes."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from holdall.query import Compare, Value, all_of, key_ref
from holdall.schema import UTC, Check, Entity, EntityRef, Field, Index, Reference, Relation, Type, Unique

STR, INT, FLOAT, BOOL, BYTES = Type("str"), Type("int"), Type("float"), Type("bool"), Type("bytes")
DECIMAL, MONEY = Type("decimal"), Type("decimal", digits=12, places=2)
DATETIME, LOCAL, DATE, TIME, DELTA = Type("datetime"), Type("local_datetime"), Type("date"), Type("time"), Type("timedelta")
UUID, JSON = Type("uuid"), Type("json")
STRS, LANGS, COUNTS = Type("list", item=STR), Type("set", item=STR), Type("dict", item=INT)
SIZE = Type("record", fields=(("width", INT, False), ("note", STR, True)))

NOW = dt.datetime(2026, 5, 1, 12, tzinfo=UTC)


def fields(*parts: tuple[Any, ...]) -> tuple[Field, ...]:
    """Fields from (name, type, {options})."""
    made: list[Field] = []
    for position, part in enumerate(parts):
        name, type_, *options = part
        made.append(Field(name, name, type_, position, **(options[0] if options else {})))
    return tuple(made)


def _lazy(name: str) -> EntityRef:
    return EntityRef(name, lambda: BY_NAME[name])


def _positive_pages() -> Any:
    return Compare(key_ref(BOOK, "pages"), "gt", Value(0, INT))


def _decent() -> Any:
    return all_of(
        Compare(key_ref(BOOK, "price"), "gte", Value(Decimal(0), DECIMAL)),
        Compare(key_ref(BOOK, "title"), "ne", Value("", STR)),
    )


NULL: dict[str, Any] = {"nullable": True}

AUTHOR = Entity(
    "Author",
    "authors",
    fields(
        ("id", INT, {"generated": "int"}),
        ("email", STR, {"unique": True}),
        ("name", STR),
        ("country", STR, {"nullable": True, "index": True}),
        ("born", DATE, NULL),
    ),
    ("id",),
    uniques=(Unique("authors_email", ("email",)),),
    relations={
        "books": Relation("books", "has_many", _lazy("Author"), _lazy("Book"), ("id",), ("author_id",), inverse="author"),
        "edited": Relation("edited", "has_many", _lazy("Author"), _lazy("Book"), ("id",), ("editor_id",), inverse="editor"),
        "profile": Relation("profile", "has_one", _lazy("Author"), _lazy("Profile"), ("id",), ("author_id",), optional=True),
    },
)

PROFILE = Entity(
    "Profile",
    "profiles",
    fields(("author_id", INT), ("bio", STR, NULL), ("score", INT)),
    ("author_id",),
    references=(Reference(("author_id",), _lazy("Author"), ("id",), "cascade"),),
    relations={"author": Relation("author", "belongs_to", _lazy("Profile"), _lazy("Author"), ("author_id",), ("id",))},
)

BOOK = Entity(
    "Book",
    "books",
    fields(
        ("id", UUID),
        ("title", STR),
        ("author_id", INT),
        ("editor_id", INT, NULL),
        ("price", MONEY),
        ("pages", INT, {"nullable": True, "index": True}),
        ("rating", FLOAT, NULL),
        ("in_print", BOOL),
        ("published", DATE, NULL),
        ("added", DATETIME, {"index": True}),
        ("isbn", STR, {"nullable": True, "unique": True}),
        ("tags", STRS),
        ("langs", LANGS, NULL),
        ("meta", JSON, NULL),
        ("size", SIZE, NULL),
        ("counts", COUNTS, NULL),
        ("cover", BYTES, NULL),
        ("opens", TIME, NULL),
        ("reading", DELTA, NULL),
        ("printed", LOCAL, NULL),
        ("weight", DECIMAL, NULL),
        ("version", INT, {"version": True}),
    ),
    ("id",),
    uniques=(Unique("books_isbn", ("isbn",)), Unique("books_title_per_author", ("author_id", "title"))),
    indexes=(Index("books_in_print_price", ("in_print", "price")),),
    references=(
        Reference(("author_id",), _lazy("Author"), ("id",), "restrict"),
        Reference(("editor_id",), _lazy("Author"), ("id",), "set_null"),
    ),
    checks=(Check("positive_pages", _positive_pages), Check("decent", _decent)),
    relations={
        "author": Relation("author", "belongs_to", _lazy("Book"), _lazy("Author"), ("author_id",), ("id",), inverse="books"),
        "editor": Relation("editor", "belongs_to", _lazy("Book"), _lazy("Author"), ("editor_id",), ("id",), optional=True),
        "reviews": Relation("reviews", "has_many", _lazy("Book"), _lazy("Review"), ("id",), ("book_id",), inverse="book"),
        "labels": Relation(
            "labels",
            "many_to_many",
            _lazy("Book"),
            _lazy("Label"),
            ("id",),
            ("name",),
            through=_lazy("BookLabel"),
            through_local=("book_id",),
            through_remote=("label",),
        ),
    },
)

LABEL = Entity("Label", "labels", fields(("name", STR), ("rank", INT)), ("name",))

BOOK_LABEL = Entity(
    "BookLabel",
    "book_labels",
    fields(("book_id", UUID), ("label", STR), ("since", DATE, NULL)),
    ("book_id", "label"),
    references=(
        Reference(("book_id",), _lazy("Book"), ("id",), "cascade"),
        Reference(("label",), _lazy("Label"), ("name",), "restrict"),
    ),
)

REVIEW = Entity(
    "Review",
    "reviews",
    fields(("id", INT, {"generated": "int"}), ("book_id", UUID), ("stars", INT), ("text", STR, NULL)),
    ("id",),
    references=(Reference(("book_id",), _lazy("Book"), ("id",), "cascade"),),
    relations={"book": Relation("book", "belongs_to", _lazy("Review"), _lazy("Book"), ("book_id",), ("id",), inverse="reviews")},
)

SESSION = Entity(
    "Session",
    "sessions",
    fields(
        ("token", STR),
        ("user", STR, {"nullable": True, "unique": True}),
        ("hits", INT),
        ("until", DATETIME, {"nullable": True, "expires": True}),
    ),
    ("token",),
    uniques=(Unique("sessions_user", ("user",)),),
)

EMPLOYEE = Entity(
    "Employee",
    "employees",
    fields(("id", INT), ("name", STR), ("boss_id", INT, NULL)),
    ("id",),
    references=(Reference(("boss_id",), _lazy("Employee"), ("id",), "restrict"),),
    relations={
        "boss": Relation("boss", "belongs_to", _lazy("Employee"), _lazy("Employee"), ("boss_id",), ("id",), optional=True),
        "reports": Relation("reports", "has_many", _lazy("Employee"), _lazy("Employee"), ("id",), ("boss_id",)),
    },
)

ALL = (AUTHOR, PROFILE, BOOK, LABEL, BOOK_LABEL, REVIEW, SESSION, EMPLOYEE)
BY_NAME = {entity.name: entity for entity in ALL}

_BOOK_DEFAULTS: dict[str, Callable[[], Any]] = {
    "id": uuid.uuid4,
    "title": lambda: f"Title {uuid.uuid4()}",
    "author_id": lambda: 1,
    "price": lambda: Decimal("10.00"),
    "in_print": lambda: True,
    "added": lambda: NOW,
    "tags": lambda: (),
    "version": lambda: 1,
}


def row(entity: Entity, **values: Any) -> tuple[Any, ...]:
    """A row with these values; the rest null (or a plain default for a book)."""
    unknown = set(values) - set(entity.by_name)
    assert not unknown, unknown
    defaults = _BOOK_DEFAULTS if entity is BOOK else {}
    return tuple(
        values[item.name] if item.name in values else defaults[item.name]() if item.name in defaults else None for item in entity.fields
    )


def author(id: int | None, **values: Any) -> tuple[Any, ...]:
    """An author with that id."""
    return row(
        AUTHOR,
        **{"id": id, "email": f"{uuid.uuid4()}@example.com" if id is None else f"a{id}@example.com", "name": f"Author {id}", **values},
    )


def book(**values: Any) -> tuple[Any, ...]:
    """A book of author 1, unless told otherwise."""
    return row(BOOK, **values)
