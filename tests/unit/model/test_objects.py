"""Objects of models are plain dataclasses: fields, repr, equality, hashing, JSON by others, pickles; and keys."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import inspect
import json
import os
import pickle
import threading
import weakref
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import pytest

from holdall import Field, HasMany, Key, Model, QueryError, ValidationError
from holdall.model import models, uuid7


class Thing(Model):
    """A thing."""

    LIMIT: ClassVar[int] = 3

    id: UUID = Key()
    name: str
    total: Decimal = Field(default=Decimal(1), decimal_places=2)
    secret: str = Field(default="hidden", secret=True)
    parts: list[str] = Field(default_factory=list)
    others: list[Thing] = HasMany()

    @property
    def shout(self) -> str:
        """Computed."""
        return self.name.upper()

    def before_create(self) -> None:
        """An event handler is no field."""


class Counted(Model):
    id: int = Key()
    count: int = 0
    where: str = "here"
    query: str | None = None


class Pair(Model):
    first: int = Key()
    second: str = Key()


def test_it_is_a_dataclass() -> None:
    thing = Thing(name="x")
    assert dataclasses.is_dataclass(Thing)
    assert [field.name for field in dataclasses.fields(Thing)] == ["id", "name", "total", "secret", "parts"]
    assert dataclasses.asdict(thing) == {"id": thing.id, "name": "x", "total": Decimal(1), "secret": "hidden", "parts": []}
    assert vars(thing) == dataclasses.asdict(thing)
    assert list(vars(thing)) == ["id", "name", "total", "secret", "parts"]
    assert dataclasses.replace(thing, name="y") == Thing(id=thing.id, name="y")
    assert Thing.LIMIT == 3
    assert thing.shout == "X"
    assert Thing.__doc__ == "A thing."
    with pytest.raises(ValidationError):
        dataclasses.replace(thing, name=3)
    assert weakref.ref(thing)() is thing


def test_repr_hides_secrets() -> None:
    thing = Thing(id=UUID(int=1), name="x")
    assert repr(thing) == "Thing(id=UUID('00000000-0000-0000-0000-000000000001'), name='x', total=Decimal('1.00'), parts=[])"

    class Own(Model):
        id: UUID = Key()

        def __repr__(self) -> str:
            return "own"

    class Below(Own, table="below"):  # noqa: PLW1641 - hashed by its key, as all records
        size: int = 1

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Below) and other.size == self.size

    class Lowest(Below, table="lowest"):
        pass

    assert repr(Own()) == repr(Below()) == "own"
    assert Lowest(size=3) == Lowest(size=3)

    class Longer(Thing, table="longer"):
        size: int = 1

    assert repr(Longer(name="x")).endswith("parts=[], size=1)")
    assert Longer(name="x", id=UUID(int=1)) != Longer(name="x", id=UUID(int=1), size=2)


def test_equality_is_by_values_and_hash_by_key() -> None:
    one = Thing(name="x")
    two = Thing(id=one.id, name="x")
    assert one == two
    assert one is not two
    assert hash(one) == hash(two)
    two.name = "y"
    assert one != two
    assert len({one, two, Thing(name="x")}) == 3
    assert hash(Pair(first=1, second="a")) == hash(Pair(first=1, second="a"))
    with pytest.raises(TypeError, match="save it first"):
        hash(Counted())
    assert Thing(id=one.id, name="x") != Pair(first=1, second="a")


def test_keys_as_values() -> None:
    assert Pair(first=1, second="a").__key_value__() == (1, "a")
    assert Counted(id=3).__key_value__() == 3
    assert Counted().__key_value__() is None
    with pytest.raises(ValidationError) as caught:
        Pair()
    assert [problem.path for problem in caught.value.problems] == [("first",), ("second",)]


def test_other_libraries_take_it() -> None:
    thing = Thing(name="x", parts=["a"])
    wanted = {"id": str(thing.id), "name": "x", "total": "1.00", "secret": "hidden", "parts": ["a"]}
    assert json.loads(msgspec.json.encode(thing)) == wanted
    assert json.loads(msgspec.json.encode(Thing.__build__(Thing.__freeze__(thing)))) == wanted


def test_copies() -> None:
    thing = Thing.__build__(Thing.__freeze__(Thing(name="x", parts=["a"])))
    for made in (copy.copy(thing), copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))):
        assert made == thing
        assert made._row == thing._row
        made.name = "y"
        assert thing.name == "x"
    assert copy.deepcopy(thing).parts is not thing.parts


def test_fields_may_hide_inherited_methods() -> None:
    made = Counted(id=1, count=3)
    assert (made.count, made.where, made.query) == (3, "here", None)
    assert str(Counted.count) == "Counted.count"
    assert str(Counted.where) == "Counted.where"
    again = Counted.__build__(Counted.__freeze__(made))
    assert again.count == 3
    del again.count
    with pytest.raises(AttributeError):
        _ = again.count


def test_names_of_a_class_are_terms() -> None:
    condition: Any = Thing.total >= 3
    assert condition.op == "gte"
    assert condition.right.value == Decimal(3)
    with pytest.raises(QueryError, match="cannot be compared"):
        _ = Thing.total >= "3"  # type: ignore[operator]
    with pytest.raises(AttributeError, match="Thing has no field or relation 'totel'. Did you mean 'total'"):
        _ = Thing.totel  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        _ = Thing(name="x").totel  # type: ignore[attr-defined]
    assert "others" not in vars(Thing(name="x"))


def test_defaults_are_made_anew() -> None:
    one, two = Thing(name="x"), Thing(name="x")
    assert one.parts is not two.parts
    assert one.id < two.id
    assert Thing(name="x", total=Decimal("2.5")).total.as_tuple().exponent == -2


def test_inheritance() -> None:
    class Base(Model, abstract=True):
        id: UUID = Key()
        made_at: dt.date = dt.date(2026, 1, 1)

        def age(self, today: dt.date) -> int:
            return (today - self.made_at).days

    class Child(Base):
        name: str = "x"

    class Grandchild(Child, table="others"):
        made_at: dt.date = dt.date(2025, 1, 1)
        size: int = 0

    assert list(Child.__entity__.by_name) == ["id", "made_at", "name"]
    assert list(Grandchild.__entity__.by_name) == ["id", "made_at", "name", "size"]
    assert (Child.__entity__.table, Grandchild.__entity__.table) == ("childs", "others")  # irregular plurals are for table=
    assert Child().age(dt.date(2026, 1, 3)) == 2
    assert Grandchild().made_at == dt.date(2025, 1, 1)
    assert isinstance(Grandchild(), Child)
    assert Grandchild.__build__(Grandchild.__freeze__(Grandchild(size=3))).size == 3
    with pytest.raises(TypeError, match="Base is abstract"):
        Base()
    assert Base not in models()


def test_the_generated_code_can_be_read() -> None:
    assert "def __build__(row):" in Thing.__shape__.source
    assert inspect.getsource(Thing.__build__).startswith("def __build__(row):")
    assert Thing.__init__.__qualname__ == "Thing.__init__"


def test_everything_public_is_documented() -> None:
    import holdall.model

    for name in holdall.model.__all__:
        item = getattr(holdall.model, name)
        if inspect.isclass(item) or inspect.isfunction(item):
            assert inspect.getdoc(item), name
            for method, member in inspect.getmembers(item, inspect.isfunction):
                if not method.startswith("_") and method in vars(item):
                    assert inspect.getdoc(member), f"{name}.{method}"


# UUID version 7


def test_uuid7_rises_and_says_what_it_is() -> None:
    made = [uuid7() for _ in range(5000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    for key in made[::500]:
        assert (key.version, key.variant) == (7, "specified in RFC 4122")
        assert UUID(str(key)) == key
        assert pickle.loads(pickle.dumps(key)) == key
        stamp = dt.datetime.fromtimestamp((key.int >> 80) / 1000, dt.UTC)
        assert abs(stamp - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=1)


def test_uuid7_is_unique_over_threads() -> None:
    found: list[list[UUID]] = []

    def make() -> None:
        found.append([uuid7() for _ in range(2000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key for made in found for key in made}) == 8000
    assert all(made == sorted(made) for made in found)


def test_uuid7_when_the_clock_stands_still_or_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from holdall.model import keys

    times = iter([10_000_000, 9_000_000, 10_000_000, 10_500_000])
    monkeypatch.setattr(keys, "_state", keys._Generator())
    monkeypatch.setattr(keys, "_now_ns", lambda: next(times))
    made = [uuid7() for _ in range(3)]
    assert made == sorted(made)
    keys._state.key = keys._state.most
    made.append(uuid7())
    assert made == sorted(made)
    assert [key.int >> 80 for key in made] == [10, 10, 10, 11]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_uuid7_differs_after_a_fork() -> None:
    uuid7()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, uuid7().bytes)
        os._exit(0)
    mine = uuid7()
    theirs = UUID(bytes=os.read(reader, 16))
    os.waitpid(child, 0)
    assert mine != theirs
    assert (mine.int ^ theirs.int) & ((1 << 62) - 1)
