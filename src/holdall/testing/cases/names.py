"""F9: names have at most 63 bytes and are unique whatever their case: told at the declaration, and the rest is kept by every store."""

from __future__ import annotations

from itertools import count
from typing import Any

from holdall.errors import DeclarationError, UniqueViolation
from holdall.model import Field, Key, Model
from holdall.query import desc
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.naming import PREFIX, named


def declared(name: str = "Named", table: str = "", fields: dict[str, Any] | None = None, **options: Any) -> Any:
    """A model with an int key and these fields: a type, or a pair of a type and its Field."""
    # A module of its own: a store makes the models of a module ready together.
    body: dict[str, Any] = {"__module__": f"{__name__}.{next(_NUMBERS)}", "__qualname__": f"declared.{name}", "id": Key(generated=False)}
    annotations: dict[str, Any] = {"id": int}
    for field, what in (fields or {}).items():
        annotations[field] = what[0] if isinstance(what, tuple) else what
        if isinstance(what, tuple):
            body[field] = what[1]
    make: Any = type(Model)
    return make(name, (Model,), {**body, "__annotations__": annotations}, table=table or _own("f_named"), **options)


_NUMBERS = count()


def _own(name: str) -> str:
    """A table that no other model of this process has."""
    return f"{named(name)}_{next(_NUMBERS)}"


TOO_LONG = {"ASCII": "a" * 64, "two bytes each": "\u00e9" * 32, "three bytes each": "\u540d" * 22, "one byte too many": "a" * 62 + "\u00e9"}
LONGEST = {"ASCII": "a" * 63, "two bytes each": "\u00e9" * 31 + "a", "three bytes each": "\u540d" * 21}
NO_NAMES = {
    "empty": "", "a digit first": "1a", "a space": "a b", "a hyphen": "a-b", "a dot": "a.b", "a quote": 'a"b', "a semicolon": "a;b",
    "two underscores": "a__b", "an emoji": "\U0001f600",
}  # fmt: skip
WRONG = {**{f"too long, {what}": name for what, name in TOO_LONG.items()}, **NO_NAMES}


@case("F9", each={what: name for what, name in WRONG.items() if name})
async def a_field_of_a_wrong_name_is_refused(k: Kit, name: str) -> None:
    with k.refused(DeclarationError, says="Named."):
        declared(fields={name: str})


@case("F9", each=WRONG)
async def a_column_of_a_wrong_name_is_refused(k: Kit, name: str) -> None:
    if not name:  # no column is given
        assert declared(fields={"text": (str, Field(column=None))}).__entity__.by_name["text"].column == "text"
        return
    with k.refused(DeclarationError, says="column"):
        declared(fields={"text": (str, Field(column=name))})


@case("F9", each={what: name for what, name in WRONG.items() if name})
async def a_table_of_a_wrong_name_is_refused(k: Kit, name: str) -> None:
    with k.refused(DeclarationError, says="table"):
        declared(table=name)


def _positive(row: Any) -> Any:
    return row.number > 0


@case("F9", each={what: name for what, name in WRONG.items() if name})
async def a_check_of_a_wrong_name_is_refused(k: Kit, name: str) -> None:
    with k.refused(DeclarationError, says="checks"):
        declared(fields={"number": int}, checks={name: _positive})
    with k.refused(DeclarationError, says="filters"):
        declared(fields={"number": int}, filters={name: _positive})


@case("F9", each=TOO_LONG)
async def a_model_of_too_long_a_name_is_refused(k: Kit, name: str) -> None:
    with k.refused(DeclarationError, says="longer than 63 bytes"):
        declared(name=name)


ALIKE: dict[str, tuple[str, str]] = {
    "capitals": ("name", "NAME"),
    "one capital": ("firstname", "firstName"),
    "another alphabet": ("\u00e9tat", "\u00c9TAT"),
    "sharp s": ("stra\u00dfe", "strasse"),
    "sigma": ("\u03c3\u03b1\u03c2", "\u03a3\u0391\u03a3"),
}


@case("F9", each=ALIKE)
async def fields_alike_but_for_case_are_refused(k: Kit, one: str, other: str) -> None:
    with k.refused(DeclarationError, says="case is ignored"):
        declared(fields={one: int, other: int})


@case("F9", each=ALIKE)
async def columns_alike_but_for_case_are_refused(k: Kit, one: str, other: str) -> None:
    with k.refused(DeclarationError, says="case is ignored"):
        declared(fields={one: int, "text": (str, Field(column=other))})


@case("F9", each={"capitals": ("f_cased", "F_CASED"), "one capital": ("f_cased", "f_Cased"), "umlaut": ("f_\u00fc", "f_\u00dc")})
async def tables_alike_but_for_case_are_refused(k: Kit, one: str, other: str) -> None:
    """When the second is first used: the first goes on."""
    number = next(_NUMBERS)
    first = declared("First", f"{named(one)}{number}", {"text": (str, Field(default=""))})
    second = declared("Second", f"{named(other)}{number}", {"text": (str, Field(default=""))})
    await k.store[first].create(id=1, text="a")
    with k.refused(DeclarationError, says="case is ignored"):
        await k.store[second].create(id=1)
    assert [record.text for record in await k.store[first].all()] == ["a"]


# What is allowed is kept.

FIELDS: dict[str, str] = {
    **{f"longest, {what}": name for what, name in LONGEST.items()},
    "capitals": "Title",
    "camel case": "firstName",
    "digits": "a1",
    "an underscore": "a_b_c",
    "umlauts": "gr\u00f6\u00dfe",
    "Chinese": "\u540d\u524d",
    "Greek": "\u03c3\u03b1\u03c2",
    **{
        f"the word {word}": word
        for word in (
            "select", "order", "group", "table", "user", "index", "primary", "key", "default", "values", "where", "limit", "offset",
            "rowid", "oid", "check", "references", "unique", "column", "timestamp", "date", "json", "desc", "exists", "between",
            "ttl", "name", "size",
        )
    },
}  # fmt: skip


@case("F9", each=FIELDS)
async def any_other_name_is_kept(k: Kit, name: str) -> None:
    """As a field, as a column, as a table: read, filtered, sorted and changed."""
    table = f"{PREFIX}{name}" if len(f"{PREFIX}{name}".encode()) <= 63 else name
    model = declared("Kept", table, {name: str, "other": (str, Field(default="", column=f"{name[:10]}_2"))})
    records, term = k.store[model], getattr(model, name)
    for number, text in enumerate("ba"):
        await records.create(id=number, **{name: text, "other": "x"})
    assert [getattr(record, name) for record in await records.query().order_by(term).all()] == ["a", "b"]
    assert [record.id for record in await records.where(term == "a").order_by(desc(term)).all()] == [1]
    record = await records.get(0)
    setattr(record, name, "c")
    await records.save(record)
    assert await records.query().order_by(name).values(name, "other") == [{name: "a", "other": "x"}, {name: "c", "other": "x"}]


@case("F9", each={what: (name, name[::-1]) for what, name in LONGEST.items()}, needs="unique")
async def constraints_over_long_names_are_told_by_their_fields(k: Kit, one: str, other: str) -> None:
    """Their own names, made of these, are cut to fit, and differ still."""
    one, other = one[:-1] + "x", other[:-1] + "y"
    model = declared("LongNames", "", {one: (int, Field(unique=True)), other: int}, unique=[(one, other), (other, "id")])
    await k.store[model].create(id=1, **{one: 1, other: 1})
    with k.refused(UniqueViolation, fields=(one,)):
        await k.store[model].create(id=2, **{one: 1, other: 2})
    await k.store[model].create(id=2, **{one: 2, other: 1})
    constraints = [unique.name for unique in model.__entity__.uniques]
    assert len(set(constraints)) == 3
    assert all(len(name.encode()) <= 63 for name in constraints), constraints


@case("F9", needs="unique")
async def columns_named_otherwise_stand_in_no_error(k: Kit) -> None:
    """Errors name the fields, as users wrote them."""
    model = declared("Renamed", "", {"text": (str, Field(unique=True, column="kept_as"))})
    await k.store[model].create(id=1, text="a")
    with k.refused(UniqueViolation, fields=("text",)):
        await k.store[model].create(id=2, text="a")
    assert await k.store[model].query().values("text") == [{"text": "a"}]
