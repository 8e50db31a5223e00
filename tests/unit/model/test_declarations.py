"""Every mistake in a declaration fails when the class is made (or first used, when it takes two models), with place and remedy."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pydantic
import pytest

from holdall import (
    Always,
    BelongsTo,
    CreatedAt,
    DeclarationError,
    Email,
    Field,
    HasMany,
    HasOne,
    Json,
    Key,
    ManyToMany,
    Model,
    Phone,
    UpdatedAt,
    Version,
    codec,
)
from holdall.model import linked_models, snake, table_name

LONG = "a" * 64
DECLARATIONS: list[tuple[str, Any, str]] = []


def mistake(match: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Collect a declaration that must fail with a message that matches."""

    def note(declare: Callable[[], Any]) -> Callable[[], Any]:
        DECLARATIONS.append((declare.__name__, declare, match))
        return declare

    return note


def one_field(annotation: Any, value: Any = ..., **keywords: Any) -> Any:
    """A model named Order with one more field."""
    body: dict[str, Any] = {"__annotations__": {"id": UUID, "it": annotation}, "id": Key(), "__module__": __name__}
    if value is not ...:
        body["it"] = value
    return type(Model)("Order", (Model,), body, **keywords)


FIELDS: list[tuple[str, Any, Any, str]] = [
    ("object", object, ..., r"Order\.it: the type object is not supported.*codec"),
    ("any", Any, ..., r"Order\.it: the type .*Any is not supported"),
    ("complex", complex, ..., r"Order\.it: the type complex is not supported"),
    ("bare list", list, ..., r"does not say what it holds.*list\[…\]"),
    ("bare dict", dict, ..., r"does not say what it holds.*dict\[str, …\]"),
    ("tuple", tuple[int, ...], ..., "not supported"),
    ("union", int | str, ..., r"Order\.it: a field has one type, not int \| str"),
    ("dict keys", dict[int, str], ..., "keys of a dict field must be str"),
    ("set of json", set[Json], ..., "cannot hold Json"),
    ("set of lists", set[list[int]], ..., "cannot hold list"),
    ("list of objects", list[object], ..., "items of the list: the type object"),
    ("mixed literal", Literal[1, "a"], ..., "all str, all int or all bool"),
    ("default of the wrong type", int, "x", "default 'x' breaks the field's own rules"),
    ("default against a bound", int, Field(default=1, ge=2), "default 1 breaks .*greater than or equal to 2"),
    ("default too long", str, Field(default="abc", max_length=2), "default 'abc' breaks"),
    ("default None", str, None, r"default is None, but the type is not optional.*\| None"),
    ("default no email", Email, "nonsense", "default 'nonsense' breaks"),
    ("mutable default", list[int], [], r"can be changed.*default_factory=list"),
    ("mutable default in Field", dict[str, int], Field(default={}), "default_factory=dict"),
    ("two defaults", int, Field(default=1, default_factory=int), "both default and default_factory"),
    ("factory that is none", int, Field(default_factory=3), "default_factory is a function"),
    ("max_length on int", int, Field(max_length=3), "max_length or min_length does not go with int"),
    ("negative max_length", str, Field(max_length=-1), "max_length is a number"),
    ("pattern on int", int, Field(pattern="x"), "pattern does not go with int"),
    ("digits on float", float, Field(max_digits=3), "max_digits or decimal_places does not go with float"),
    ("too many digits", Decimal, Field(max_digits=39), "between 1 and 38"),
    ("more places than digits", Decimal, Field(max_digits=3, decimal_places=4), "between 0 and max_digits"),
    ("ge on str", str, Field(ge=1), "ge does not go with str"),
    ("ge of another type", int, Field(ge="1"), "ge='1' cannot be compared with int"),
    ("ge of a date", dt.date, Field(ge=3), "ge=3 cannot be compared with date"),
    ("unique list", list[int], Field(unique=True), r"unique does not go with list\[int\]"),
    ("index on json", Json, Field(index=True), "index does not go with Json"),
    ("json key", Json, Key(), "a key does not go with Json"),
    ("float key", float, Key(), "Key does not go with float"),
    ("nullable key", UUID | None, Key(), "a key cannot be None"),
    ("expires on str", str, Field(expires=True), "expires does not go with str"),
    ("expires on date", dt.date, Field(expires=True), "expires does not go with date"),
    ("version of str", str, Version(), "a Version is an int"),
    ("version nullable", int | None, Version(), "a Version is an int"),
    ("created_at of date", dt.date, CreatedAt(), "CreatedAt and UpdatedAt are for datetime"),
    ("updated_at of str", str, UpdatedAt(), "CreatedAt and UpdatedAt are for datetime"),
    ("always without function", str, Always("x"), "Always takes a function"),
    ("set_null on a value", UUID, Field(references="Other", on_delete="set_null"), r"on_delete='set_null' needs.*\| None"),
    ("on_delete alone", UUID, Field(on_delete="cascade"), "there is none.*references"),
    ("unknown on_delete", UUID, Field(references="Other", on_delete="explode"), "'restrict', 'cascade' or 'set_null'"),
    ("reference to no model", UUID, Field(references=int), "is no model"),
    ("unstored and unique", str, Field(stored=False, unique=True, default=""), "not stored, so it cannot be unique"),
    ("unstored without default", str, Field(stored=False), "not stored, so a record that is read needs a value"),
    ("pydantic's Field", str, pydantic.Field(max_length=3), "uses the Field of pydantic.*holdall.Field"),
    ("dataclass field", str, field(default="x"), "uses the Field of dataclasses"),
    ("bad column", str, Field(column="a__b"), "column: the name 'a__b' holds '__'"),
    ("double codec", Annotated[Email, codec(encode=str, decode=str)], ..., "cannot be combined"),
    ("codec over codec", Annotated[complex, codec(encode=str, decode=complex, base=Email)], ..., "must be a type without one"),
    ("to-many as field of one", UUID, HasMany("x"), "HasMany goes with an annotation of list"),
]


@pytest.mark.parametrize(("annotation", "value", "match"), [row[1:] for row in FIELDS], ids=[row[0] for row in FIELDS])
def test_a_wrong_field(annotation: Any, value: Any, match: str) -> None:
    with pytest.raises(DeclarationError, match=match) as caught:
        one_field(annotation, value)
    assert "Order.it" in caught.value.message


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("a__b", "holds '__'.*single underscore"),
        (LONG, "longer than 63 bytes"),
        ("ä" * 32, "longer than 63 bytes"),
        ("save", r"would hide the method save\(\)"),
        ("delete", r"would hide the method delete\(\)"),
        ("refresh", "would hide"),
        ("_hidden", "does not begin with '_'"),
        ("ID", "the same when case is ignored"),
    ],
)
def test_a_wrong_name(name: str, match: str) -> None:
    body = {"__annotations__": {"id": UUID, name: int}, "id": Key(), "__module__": __name__}
    with pytest.raises(DeclarationError, match=match):
        type(Model)("Order", (Model,), body)


@mistake(r"Order has no key.*id: UUID = Key\(\)")
def no_key() -> None:
    class Order(Model):
        name: str


@mistake(r"Order\.name has no annotation")
def no_annotation() -> None:
    class Order(Model):
        id: UUID = Key()
        name = Field(max_length=3)


@mistake("names 'Decimall', which is not defined here.*Did you mean 'Decimal'")
def unknown_annotation() -> None:
    class Order(Model):
        id: UUID = Key()
        total: Decimall  # type: ignore[name-defined]  # noqa: F821 - that is the mistake


@mistake("2 fields with Version: a and b")
def two_versions() -> None:
    class Order(Model):
        id: UUID = Key()
        a: int = Version()
        b: int = Version()


@mistake("2 fields with expires=True")
def two_expiries() -> None:
    class Order(Model):
        id: UUID = Key()
        a: dt.datetime = Field(expires=True)
        b: dt.datetime = Field(expires=True)


@mistake("columns: the names 'x' and 'X' are the same")
def same_column() -> None:
    class Order(Model):
        id: UUID = Key()
        x: int
        y: int = Field(column="X")


@mistake(r"Order\.id: this key cannot be generated")
def generated_text() -> None:
    class Order(Model):
        id: str = Key(generated=True)


@mistake("unique: there is no stored field 'naem'. Did you mean 'name'")
def unique_of_unknown() -> None:
    class Order(Model, unique=[("id", "naem")]):
        id: UUID = Key()
        name: str


@mistake("index: 'name' is a single field")
def index_of_one() -> None:
    class Order(Model, index=["name"]):
        id: UUID = Key()
        name: str


@mistake("unique: .* must name at least two different fields")
def unique_of_the_same() -> None:
    class Order(Model, unique=[("name", "name")]):
        id: UUID = Key()
        name: str


@mistake(r"unique: tags is list\[str\], which cannot be compared")
def unique_of_list() -> None:
    class Order(Model, unique=[("id", "tags")]):
        id: UUID = Key()
        tags: list[str]


@mistake("checks: 'x' is no function")
def check_of_nothing() -> None:
    class Order(Model, checks={"x": 3}):  # type: ignore[dict-item]
        id: UUID = Key()


@mistake("expires_after is a timedelta above zero")
def expires_never() -> None:
    class Order(Model, expires_after=dt.timedelta(0)):
        id: UUID = Key()


@mistake("members of Mixed must all have values of one simple type")
def mixed_enum() -> None:
    class Mixed(enum.Enum):
        A = 1
        B = "b"

    class Order(Model):
        id: UUID = Key()
        mixed: Mixed


@mistake("Node holds itself")
def recursive_value() -> None:
    class Order(Model):
        id: UUID = Key()
        node: Node


@dataclass
class Node:
    inner: Node | None = None


@mistake("there is no stored field 'customer_di' for its key. Did you mean 'customer_id'")
def belongs_to_by_unknown() -> None:
    class Order(Model):
        id: UUID = Key()
        customer_id: UUID
        customer: Order = BelongsTo("customer_di")


@mistake(r"customer_id can be None, and so can this.*\| None")
def belongs_to_not_optional() -> None:
    class Order(Model):
        id: UUID = Key()
        customer_id: UUID | None
        customer: Order = BelongsTo("customer_id")


@mistake("there may be no such record yet")
def has_one_not_optional() -> None:
    class Order(Model):
        id: UUID = Key()
        profile: Order = HasOne()


@mistake("a list of records is empty, never None")
def has_many_optional() -> None:
    class Order(Model):
        id: UUID = Key()
        lines: list[Order] | None = HasMany()


@mistake("int.* is no model")
def relation_to_int() -> None:
    class Order(Model):
        id: UUID = Key()
        lines: list[int] = HasMany()


# What takes both sides is found at first use.


@mistake(r"Order\.lines refers to 'Linne', but there is no such model. Did you mean 'Line'")
def unknown_target() -> Any:
    class Line(Model):
        id: UUID = Key()

    class Order(Model):
        id: UUID = Key()
        lines: list[Linne] = HasMany()  # type: ignore[name-defined]  # noqa: F821 - that is the mistake

    return Line, Order


@mistake("Line has no BelongsTo that leads to Order.*order_id: … = Field")
def no_way_back() -> Any:
    class Line(Model):
        id: UUID = Key()

    class Order(Model):
        id: UUID = Key()
        lines: list[Line] = HasMany()

    return Order


@mistake("leads to Order in several ways: first, second.*Name one")
def several_ways_back() -> Any:
    class Line(Model):
        id: UUID = Key()
        first_id: UUID
        first: Order = BelongsTo("first_id")
        second_id: UUID
        second: Order = BelongsTo("second_id")

    class Order(Model):
        id: UUID = Key()
        lines: list[Line] = HasMany()

    return Order


@mistake("Line has no relation 'ordre'. Did you mean 'order'")
def unknown_way_back() -> Any:
    class Line(Model):
        id: UUID = Key()
        order_id: UUID
        order: Order = BelongsTo("order_id")

    class Order(Model):
        id: UUID = Key()
        lines: list[Line] = HasMany("ordre")

    return Order


@mistake(r"several of Profile may have the same user_id.*unique=True")
def has_one_not_unique() -> Any:
    class Profile(Model):
        id: UUID = Key()
        user_id: UUID
        user: User = BelongsTo("user_id")

    class User(Model):
        id: UUID = Key()
        profile: Profile | None = HasOne()

    return User


@mistake("whose key has 2 parts")
def reference_to_composite() -> Any:
    class Line(Model):
        order: int = Key()
        number: int = Key()

    class Note(Model):
        id: UUID = Key()
        line: int = Field(references=Line)

    return Note


@mistake("Order.customer_id is int, but the key of Customer is UUID")
def reference_of_another_type() -> Any:
    class Customer(Model):
        id: UUID = Key()

    class Order(Model):
        id: UUID = Key()
        customer_id: int = Field(references=Customer)

    return Order


@mistake("leads to Customer, but customer_id refers to Order")
def relation_beside_reference() -> Any:
    class Customer(Model):
        id: UUID = Key()

    class Order(Model):
        id: UUID = Key()
        customer_id: UUID = Field(references="Order")
        customer: Customer = BelongsTo("customer_id")

    return Order


@mistake("Base is abstract")
def relation_to_abstract() -> Any:
    class Base(Model, abstract=True):
        id: UUID = Key()

    class Order(Base):
        base_id: UUID
        base: Base = BelongsTo("base_id")

    return Order


@mistake("kept in another store")
def relation_to_another_store() -> Any:
    class Customer(Model, store=object()):
        id: UUID = Key()

    class Order(Model, store=object()):
        id: UUID = Key()
        customer_id: UUID = Field(references=Customer)

    return Order


@mistake("Student has no ManyToMany 'corses'|Course has no ManyToMany 'studnets'.*Did you mean 'students'")
def unknown_inverse() -> Any:
    class Student(Model):
        id: UUID = Key()
        courses: list[Course] = ManyToMany("studnets")

    class Course(Model):
        id: UUID = Key()
        students: list[Student] = ManyToMany()

    return Student


@mistake("Enrolment does not refer to Course")
def through_without_reference() -> Any:
    class Course(Model):
        id: UUID = Key()

    class Student(Model):
        id: UUID = Key()
        courses: list[Course] = ManyToMany(through="Enrolment")

    class Enrolment(Model):
        id: UUID = Key()
        student_id: UUID = Field(references=Student)

    return Student


@mistake("refers to Person by a_id and b_id.*via=")
def through_ambiguous() -> Any:
    class Person(Model):
        id: UUID = Key()
        friends: list[Person] = ManyToMany(through="Friendship")

    class Friendship(Model):
        id: UUID = Key()
        a_id: UUID = Field(references=Person)
        b_id: UUID = Field(references=Person)

    return Person


@mistake("checks: 'x' is no condition on the model's fields.*Did you mean 'name'")
def check_of_unknown_field() -> Any:
    class Order(Model, checks={"x": lambda order: order.nmae == "x"}):
        id: UUID = Key()
        name: str

    return Order


@mistake("filters: 'x' is no condition")
def filter_that_is_none() -> Any:
    class Order(Model, filters={"x": lambda order: True}):
        id: UUID = Key()

    return Order


@pytest.mark.parametrize(("declare", "match"), [row[1:] for row in DECLARATIONS], ids=[row[0] for row in DECLARATIONS])
def test_a_wrong_declaration(declare: Callable[[], Any], match: str) -> None:
    with pytest.raises(DeclarationError, match=f"(?s){match}"):
        made = declare()
        for model in made if isinstance(made, tuple) else (made,):
            model.__linked__()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdall.model.fieldtypes.installed", lambda package: False)
    with pytest.raises(DeclarationError, match=r"Phone needs the package 'phonenumbers'.*pip install 'holdall\[phone\]'"):
        one_field(Phone)


def test_a_declaration_that_failed_leaves_nothing_behind() -> None:
    with pytest.raises(DeclarationError):
        one_field(object)
    assert [model.__name__ for model in linked_models(one_field(int))].count("Order") == 1


def test_a_name_means_the_nearest_model() -> None:
    def family(kind: type) -> tuple[Any, Any]:
        class Parent(Model):
            id: UUID = Key()
            children: list[Child] = HasMany()

        class Child(Model):
            id: UUID = Key()
            parent_id: UUID
            parent: Parent = BelongsTo("parent_id")

        return Parent, Child

    first, second = family(int), family(str)
    for parent, child in (second, first):
        assert parent.__entity__.relations["children"].target.entity is child.__entity__
        assert child.__entity__.relations["parent"].target.entity is parent.__entity__


def test_a_class_statement_that_runs_again_replaces_the_model() -> None:
    space: dict[str, Any] = {"__name__": "notebook"}
    program = """
from __future__ import annotations
from uuid import UUID
from holdall import *
class Child(Model):
    id: UUID = Key()
    parent_id: UUID
    parent: Parent = BelongsTo("parent_id")
class Parent(Model):
    id: UUID = Key()
    children: list[Child] = HasMany()
"""
    exec(program, space)
    exec(program, space)
    assert space["Parent"].__entity__.relations["children"].target.entity is space["Child"].__entity__
    assert space["Child"].__entity__.relations["parent"].target.entity is space["Parent"].__entity__


@pytest.mark.parametrize(
    ("model", "table"),
    [
        ("Order", "orders"),
        ("OrderLine", "order_lines"),
        ("Category", "categories"),
        ("Day", "days"),
        ("Address", "addresses"),
        ("Box", "boxes"),
        ("Branch", "branches"),
        ("HTTPRoute", "http_routes"),
        ("Track2", "track2s"),
    ],
)
def test_default_tables(model: str, table: str) -> None:
    assert table_name(model) == table
    assert snake("OrderLine") == "order_line"


def test_what_a_full_declaration_means() -> None:
    class Team(Model, abstract=True, index=[("name", "founded")]):
        name: str = Field(max_length=10, unique=True, description="As on the shirt.")
        founded: dt.date = Field(column="since")

    class Club(Team, table="the_clubs", unique=[("name", "town")], checks={"old": lambda t: t.founded < dt.date(2000, 1, 1)}, store="home"):
        """A football club.

        And more.
        """

        id: int = Key()
        town: str = Field(index=True)
        secret: str = Field(secret=True, default="")
        note: str = Field(stored=False, default="")
        members: int = Field(ge=0, lt=10, default=0)

    entity = Club.__entity__
    assert (entity.name, entity.table, entity.key, entity.description) == ("Club", "the_clubs", ("id",), "A football club.")
    assert [item.name for item in entity.fields] == ["name", "founded", "id", "town", "secret", "members"]
    assert [item.position for item in entity.fields] == list(range(6))
    assert {item.name: item.column for item in entity.fields}["founded"] == "since"
    assert entity.by_name["name"].type.max_length == 10
    assert entity.by_name["name"].unique
    assert entity.by_name["town"].index
    assert entity.by_name["secret"].secret
    assert [unique.fields for unique in entity.uniques] == [("name",), ("name", "town")]
    assert [index.fields for index in entity.indexes] == [("name", "founded")]
    assert [check.name for check in entity.checks] == ["old", "members_ge", "members_lt"]
    assert entity.generated_field is entity.by_name["id"]
    assert Club.__store__ == "home"
    assert Club.__doc__ is not None
    Club.__linked__()
