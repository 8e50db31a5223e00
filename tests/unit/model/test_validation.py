"""Validation: when it runs, all problems at once, user validators, stored=False, Always and times."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Annotated, Any, Self
from uuid import UUID

import pydantic
import pytest
from pydantic import computed_field, field_validator, model_validator

from holdall import Always, CreatedAt, DeclarationError, Email, Field, Key, Model, Problem, UpdatedAt, ValidationError, Version

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class User(Model):
    id: UUID = Key()
    email: Email = Field(unique=True)
    name: str = Field(max_length=5)
    age: int = Field(default=18, ge=0)
    secret: str = Field(default="hidden", secret=True, max_length=10)


def problems_of(caught: pytest.ExceptionInfo[ValidationError]) -> list[tuple[Any, str]]:
    return [(problem.path, problem.code) for problem in caught.value.problems]


def test_all_problems_at_once_in_the_order_of_the_fields() -> None:
    with pytest.raises(ValidationError) as caught:
        User(naem="Ada", age=-1, email="x", emial="y")  # type: ignore[call-arg]
    assert problems_of(caught) == [
        (("email",), "email"),
        (("name",), "missing"),
        (("age",), "greater_than_equal"),
        (("naem",), "unknown_field"),
        (("emial",), "unknown_field"),
    ]
    messages = {problem.path[0]: problem.message for problem in caught.value.problems}
    assert messages["naem"] == "is not a field. Did you mean 'name'?"
    assert messages["name"] == "is required"
    assert str(caught.value).startswith("User: 5 problems\n  email: is not an email address")


def test_paths_lead_to_the_place() -> None:
    class Thing(Model):
        id: UUID = Key()
        tags: list[str]
        sizes: dict[str, list[int]]

    with pytest.raises(ValidationError) as caught:
        Thing(tags=["a", 1], sizes={"x": [1, "2"]})  # type: ignore[list-item]
    assert [problem.path for problem in caught.value.problems] == [("tags", 1), ("sizes", "x", 1)]


def test_problems_of_secret_fields_do_not_show_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        User(email="a@b.cd", name="x", secret="tell\x00nobody")
    assert "tell" not in str(caught.value)
    with pytest.raises(ValidationError) as too_long:
        User(email="a@b.cd", name="x", secret="tell nobody at all")
    assert "tell" not in str(too_long.value)


def test_assigned_values_are_checked_when_saving() -> None:
    user = User(email="a@b.cd", name="Ada")
    row = User.__freeze__(user)
    user.age, user.name = True, "x" * 6
    with pytest.raises(ValidationError) as caught:
        User.__freeze__(user)
    assert problems_of(caught) == [(("name",), "string_too_long"), (("age",), "int_type")]
    user.age, user.name = 18, "Ada"
    assert User.__freeze__(user) == row
    del user.name
    with pytest.raises(ValidationError) as missing:
        User.__freeze__(user)
    assert problems_of(missing) == [(("name",), "missing")]


def test_positional_arguments_are_refused() -> None:
    with pytest.raises(TypeError):
        User("a@b.cd")  # type: ignore[misc]


def test_json_is_read_whole_or_not() -> None:
    user = User.__from_json__({"email": "a@B.cd", "name": "Ada"})
    assert user.email == "a@b.cd"
    assert user._row is None
    with pytest.raises(ValidationError) as caught:
        User.__from_json__({"email": "x", "naem": "Ada", "age": "3"})
    assert problems_of(caught) == [
        (("email",), "email"),
        (("name",), "missing"),
        (("age",), "int_type"),
        (("naem",), "unknown_field"),
    ]
    for nonsense in (None, [], "x", 3):
        with pytest.raises(ValidationError, match="must be a JSON object"):
            User.__from_json__(nonsense)
        with pytest.raises(ValidationError, match="must be a JSON object"):
            User.__check_json__(nonsense)
    assert User.__check_json__({}) == {}
    assert User.__check_json__({"age": 3, "email": "a@B.cd"}) == {"age": 3, "email": "a@b.cd"}
    with pytest.raises(ValidationError) as some:
        User.__check_json__({"age": -3, "naem": 1})
    assert problems_of(some) == [(("age",), "greater_than_equal"), (("naem",), "unknown_field")]
    with pytest.raises(ValidationError):
        User.__check_json__({"age": None})


class Account(Model):
    id: UUID = Key()
    password: str
    title: str
    slug: str = ""
    loud: Annotated[str, pydantic.AfterValidator(lambda text: text + "!")] = "hey"

    @field_validator("password")
    @classmethod
    def hashed(cls, value: str) -> str:
        if len(value) < 3:
            raise ValueError("is too short")
        return hashlib.sha256(value.encode()).hexdigest()

    @model_validator(mode="after")
    def with_slug(self) -> Self:
        self.slug = self.title.lower().replace(" ", "-")
        if self.title == self.password:
            raise ValueError("title and password must differ")
        return self

    @computed_field  # type: ignore[prop-decorator]
    @property
    def size(self) -> int:
        """Computed properties are in the JSON form."""
        return len(self.title)


HASH = hashlib.sha256(b"secret").hexdigest()


def test_user_validators_run_when_made_and_when_saved_but_once_for_each_value() -> None:
    account = Account(password="secret", title="My Page")
    assert (account.password, account.slug, account.loud) == (HASH, "my-page", "hey!")
    row = Account.__freeze__(account)
    assert Account.__freeze__(account) == row
    assert row[1:] == (HASH, "My Page", "my-page", "hey!")
    again = Account.__build__(row)
    assert Account.__freeze__(again) == row
    again.title = "New Page"
    assert Account.__freeze__(again)[1:] == (HASH, "New Page", "new-page", "hey!")
    again.password = "secret"
    for _ in range(2):
        assert Account.__freeze__(again)[1] == HASH
    again.password = "x"
    with pytest.raises(ValidationError) as caught:
        Account.__freeze__(again)
    assert caught.value.problems == (Problem(("password",), "value_error", "is too short"),)


def test_problems_of_user_validators() -> None:
    with pytest.raises(ValidationError) as caught:
        Account(password="x", title="t")
    assert caught.value.problems == (Problem(("password",), "value_error", "is too short"),)
    with pytest.raises(ValidationError) as whole:
        Account(password="abc", title=hashlib.sha256(b"abc").hexdigest())
    assert whole.value.problems == (Problem((), "value_error", "title and password must differ"),)


def test_an_object_made_by_pydantic_is_as_good() -> None:
    account = pydantic.TypeAdapter(Account).validate_python({"password": "secret", "title": "x"})
    assert account._row is None
    assert Account.__freeze__(account)[1] == HASH
    assert pydantic.TypeAdapter(Account).dump_python(account, mode="json")["size"] == 1


def test_validators_of_abstract_bases_and_mixins() -> None:
    class Named(Model, abstract=True):
        name: str

        @field_validator("name")
        @classmethod
        def stripped(cls, value: str) -> str:
            return value.strip()

    class Aged(Model, abstract=True):
        age: int = Field(ge=0)

    class Person(Named, Aged):
        id: UUID = Key()

    class Strange(Named):
        id: UUID = Key()

        @field_validator("name")
        @classmethod
        def stripped(cls, value: str) -> str:
            return value.upper()

    assert Person(name=" Ada ", age=3).name == "Ada"
    assert Strange(name=" a ").name == " A "
    with pytest.raises(ValidationError):
        Person(name="Ada", age=-1)
    assert list(Person.__entity__.by_name) == ["age", "name", "id"]


def test_a_validator_for_an_unknown_field_is_a_mistake() -> None:
    with pytest.raises(DeclarationError, match="naem"):

        class Person(Model):
            id: UUID = Key()
            name: str

            @field_validator("naem")
            @classmethod
            def stripped(cls, value: str) -> str:
                return value


def test_an_own_post_init_runs_and_does_not_hide_that_it_is_new() -> None:
    class Person(Model):
        id: UUID = Key()
        first: str
        full: str = ""

        def __post_init__(self) -> None:
            self.full = f"{self.first} Lovelace"

    ada = Person(first="Ada")
    assert (ada.full, ada._row) == ("Ada Lovelace", None)
    assert Person.__freeze__(ada)[2] == "Ada Lovelace"


def test_what_is_not_stored() -> None:
    class Upload(Model):
        id: UUID = Key()
        name: str
        body: bytes = Field(stored=False, default=b"", max_length=3)
        seen: list[str] = Field(stored=False, default_factory=list)

    upload = Upload(name="x", body=b"abc")
    row = Upload.__freeze__(upload)
    assert row == (upload.id, "x")
    again = Upload.__build__(row)
    assert (again.body, again.seen) == (b"", [])
    assert Upload.__build__(row).seen is not again.seen
    with pytest.raises(ValidationError):
        Upload(name="x", body=b"abcd")


def test_what_the_store_fills() -> None:
    class Note(Model, expires_after=dt.timedelta(hours=1)):
        id: int = Key()
        created: dt.datetime = CreatedAt()
        updated: dt.datetime = UpdatedAt()
        editor: str = Always(lambda: "bob")
        version: int = Version()

    note = Note()
    assert (note.id, note.created, note.version) == (None, None, 1)
    with pytest.raises(ValidationError) as caught:
        Note.__freeze__(note)
    assert {problem.path[0] for problem in caught.value.problems} == {"created", "updated", "editor"}
    note.__stamp__(NOW, True)
    expires = NOW + dt.timedelta(hours=1)
    assert Note.__freeze__(note) == (None, NOW, NOW, "bob", 1, expires)
    later = NOW + dt.timedelta(minutes=1)
    note.__stamp__(later, False)
    assert Note.__freeze__(note) == (None, NOW, later, "bob", 1, expires)
    note.__stored__((7, NOW, later, "eve", 2, expires))
    assert (note.id, note.version, note.editor, note._row[0] if note._row else 0) == (7, 2, "eve", 7)
    field = Note.__entity__.expiry_field
    assert field is not None
    assert field.name == "expires_at"
    assert field.nullable


def test_values_of_a_query_update() -> None:
    assert User.__canonical__({"age": 3, "email": "A@B.cd"}) == {"age": 3, "email": "A@b.cd"}
    with pytest.raises(ValidationError) as caught:
        User.__canonical__({"age": -1, "name": "x" * 6})
    assert problems_of(caught) == [(("name",), "string_too_long"), (("age",), "greater_than_equal")]
    assert Account.__canonical__({"password": "secret"}) == {"password": HASH}


def test_bounds_are_checks_of_the_entity() -> None:
    class Order(Model):
        id: UUID = Key()
        total: int = Field(ge=0, lt=10)

    assert [check.name for check in Order.__entity__.checks] == ["total_ge", "total_lt"]
    Order.__linked__()
