"""H8: what a read returns, and what a write was given, belongs to the caller: changing it never changes the store."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable
from typing import Any

from holdall.testing.case import case
from holdall.testing.cases.kinship import family
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.kin import Person
from holdall.testing.models.samples import SAMPLE, Sample, Size


def _deep(value: Any) -> None:
    value["a"]["b"].append("changed")
    value["new"] = 1


def _nested(value: Any) -> None:
    value.width = 99
    value.note = "changed"


# A fresh value of each type that can be changed in place, and how it is changed.
CHANGEABLE: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "items": (lambda: ["a", "b"], lambda value: value.append("changed")),
    "marks": (lambda: {1, 2}, lambda value: value.add(99)),
    "counts": (lambda: {"a": 1}, lambda value: value.update(a=99, changed=1)),
    "data": (lambda: {"a": {"b": [1]}}, _deep),
    "size": (lambda: Size(1, "x"), _nested),
}
Way = Callable[[Kit, str, Any], Awaitable[list[Any]]]


async def _given_to_create(k: Kit, name: str, value: Any) -> list[Any]:
    made = await k.store[Sample].create(id=1, **{name: value})
    return [value, getattr(made, name)]


async def _given_to_create_many(k: Kit, name: str, value: Any) -> list[Any]:
    given = {"id": 1, name: value}
    (made,) = await k.store[Sample].create_many([given])
    return [given[name], getattr(made, name)]


async def _given_to_the_constructor(k: Kit, name: str, value: Any) -> list[Any]:
    made = Sample(id=1, **{name: value})
    await k.store[Sample].save(made)
    return [value, getattr(made, name)]


async def _given_to_save_all(k: Kit, name: str, value: Any) -> list[Any]:
    made = Sample(id=1, **{name: value})
    await k.store.save_all([made])
    return [value, getattr(made, name)]


async def _given_to_save(k: Kit, name: str, value: Any) -> list[Any]:
    made = await k.store[Sample].create(id=1)
    setattr(made, name, value)
    await k.store[Sample].save(made)
    return [value, getattr(made, name)]


async def _given_to_upsert(k: Kit, name: str, value: Any) -> list[Any]:
    made = await k.store[Sample].upsert(id=1, **{name: value})
    return [value, getattr(made, name)]


async def _given_to_an_upsert_that_updates(k: Kit, name: str, value: Any) -> list[Any]:
    await k.store[Sample].create(id=1)
    made = await k.store[Sample].upsert(id=1, **{name: value})
    return [value, getattr(made, name)]


WRITES: dict[str, Way] = {
    "create": _given_to_create,
    "create_many": _given_to_create_many,
    "the constructor": _given_to_the_constructor,
    "save": _given_to_save,
    "upsert": _given_to_upsert,
    "an upsert that updates": _given_to_an_upsert_that_updates,
}


async def _unchanged(k: Kit, name: str, value: Any) -> None:
    """However it is read, the store holds the value."""
    samples = k.store[Sample]
    assert getattr(await samples.get(1), name) == value
    assert getattr((await samples.all())[0], name) == value
    assert await samples.query().column(getattr(SAMPLE, name)) == [value]
    assert len(await samples.where(getattr(SAMPLE, name) == value).all()) == 1


@case("H8", each={f"{name}, {way}": (name, way) for name in CHANGEABLE for way in WRITES})
async def what_was_given_to_a_write_can_be_changed(k: Kit, name: str, way: str) -> None:
    """The value given, and the same value in the record that the write gave back."""
    make, change = CHANGEABLE[name]
    for value in await WRITES[way](k, name, make()):
        change(value)
    await _unchanged(k, name, make())


@case("H8", needs="transactions", each={name: name for name in CHANGEABLE})
async def what_was_given_to_save_all_can_be_changed(k: Kit, name: str) -> None:
    """The same for a unit of several records."""
    make, change = CHANGEABLE[name]
    for value in await _given_to_save_all(k, name, make()):
        change(value)
    await _unchanged(k, name, make())


@case("H8", needs="set_writes", each={name: name for name in CHANGEABLE})
async def what_was_given_to_an_update_by_query_can_be_changed(k: Kit, name: str) -> None:
    """One value for many records: they do not share it either."""
    make, change = CHANGEABLE[name]
    value = make()
    await fill(k.store[Sample], [{"id": 1}, {"id": 2}])
    await k.store[Sample].query().update(**{name: value})
    change(value)
    one, two = await k.store[Sample].query().order_by("id").all()
    change(getattr(one, name))
    assert getattr(two, name) == make()
    assert await k.store[Sample].query().column(getattr(SAMPLE, name)) == [make(), make()]


async def _by_get(k: Kit, name: str) -> Any:
    return getattr(await k.store[Sample].get(1), name)


async def _by_get_many(k: Kit, name: str) -> Any:
    return getattr((await k.store[Sample].get_many([1]))[0], name)


async def _by_all(k: Kit, name: str) -> Any:
    return getattr((await k.store[Sample].all())[0], name)


async def _by_first(k: Kit, name: str) -> Any:
    return getattr(await k.store[Sample].query().first(), name)


async def _by_one(k: Kit, name: str) -> Any:
    return getattr(await k.store[Sample].where(id=1).one(), name)


async def _by_page(k: Kit, name: str) -> Any:
    return getattr((await k.store[Sample].query().page(1)).items[0], name)


async def _by_stream(k: Kit, name: str) -> Any:
    (item,) = [item async for item in k.store[Sample].query().stream()]
    return getattr(item, name)


async def _by_values(k: Kit, name: str) -> Any:
    return (await k.store[Sample].query().values(name))[0][name]


async def _by_column(k: Kit, name: str) -> Any:
    return (await k.store[Sample].query().column(getattr(SAMPLE, name)))[0]


async def _by_refresh(k: Kit, name: str) -> Any:
    return getattr(await k.store[Sample].refresh(await k.store[Sample].get(1)), name)


async def _by_upsert(k: Kit, name: str) -> Any:
    return getattr(await k.store[Sample].upsert(id=1, on_conflict="ignore"), name)


READS: dict[str, Callable[[Kit, str], Awaitable[Any]]] = {
    "get": _by_get,
    "get_many": _by_get_many,
    "all": _by_all,
    "first": _by_first,
    "one": _by_one,
    "page": _by_page,
    "stream": _by_stream,
    "values": _by_values,
    "column": _by_column,
    "refresh": _by_refresh,
    "upsert that ignores": _by_upsert,
}


@case("H8", each={f"{name}, {way}": (name, way) for name in CHANGEABLE for way in READS})
async def what_was_read_can_be_changed(k: Kit, name: str, way: str) -> None:
    """Each read gives a value of its own: neither the store nor another reader sees the change."""
    make, change = CHANGEABLE[name]
    await k.store[Sample].create(id=1, **{name: make()})
    read = READS[way]
    one, other = await read(k, name), await read(k, name)
    assert one == other == make()
    change(one)
    assert other == make(), "two reads share a value"
    await _unchanged(k, name, make())


@case("H8", needs="transactions", each={name: name for name in CHANGEABLE})
async def what_was_read_in_a_transaction_can_be_changed(k: Kit, name: str) -> None:
    """Neither what the transaction wrote itself, nor what it read, is changed by its end."""
    make, change = CHANGEABLE[name]
    await k.store[Sample].create(id=1, **{name: make()})
    async with k.store.transaction():
        value = make()
        await k.store[Sample].create(id=2, **{name: value})
        change(value)
        change(await _by_get(k, name))
        change(getattr(await k.store[Sample].get(2), name))
        assert await k.store[Sample].query().column(getattr(SAMPLE, name)) == [make(), make()]
    assert await k.store[Sample].query().column(getattr(SAMPLE, name)) == [make(), make()]


@case("H8", each={name: name for name in CHANGEABLE})
async def what_was_changed_in_place_is_saved(k: Kit, name: str) -> None:
    """save() sees the change, and writes it once: afterwards the value is the caller's again."""
    make, change = CHANGEABLE[name]
    await k.store[Sample].create(id=1, **{name: make()})
    read = await k.store[Sample].get(1)
    change(getattr(read, name))
    await k.store[Sample].save(read)
    changed = copy.deepcopy(getattr(read, name))
    assert changed != make()
    await _unchanged(k, name, changed)
    if name == "items":
        getattr(read, name).append("once more")
    await _unchanged(k, name, changed)


@case("H8")
async def the_list_of_records_is_the_callers(k: Kit) -> None:
    """Emptying what a read returned removes nothing."""
    await fill(k.store[Sample], [{"id": 1}, {"id": 2}])
    for read in (k.store[Sample].all, k.store[Sample].query().all):
        (await read()).clear()
    (await k.store[Sample].get_many([1, 2])).clear()
    (await k.store[Sample].query().page(5)).items.clear()
    rows = await k.store[Sample].query().values("id", "text")
    rows[0]["id"] = 99
    rows.clear()
    assert sorted(item.id for item in await k.store[Sample].all()) == [1, 2]


@case("H8")
async def two_reads_give_two_objects(k: Kit) -> None:
    """A field assigned on one is not seen on the other, nor in the store, until it is saved."""
    await k.store[Sample].create(id=1, text="a")
    one, other = await k.store[Sample].get(1), await k.store[Sample].get(1)
    assert one is not other
    one.text = "changed"
    assert other.text == "a"
    assert (await k.store[Sample].get(1)).text == "a"
    await k.store[Sample].save(one)
    assert (other.text, (await k.store[Sample].get(1)).text) == ("a", "changed")


@case("H8", needs="references")
async def related_records_are_the_callers(k: Kit) -> None:
    """Changing an included record, or the list that it is in, changes nothing before it is saved."""
    await family(k)
    person = await k.store[Person].where(id=1).include("dogs", "house").one()
    person.house.street = "changed"
    person.dogs[0].name = "changed"
    again = await k.store[Person].where(id=1).include("dogs", "house").one()
    assert again.house.street == "Elm"
    assert sorted(dog.name for dog in again.dogs) == ["Ada", "Rex"]


@case("H8", each={"get": _by_get, "all": _by_all, "values": _by_values})
async def json_can_be_changed_at_any_depth(k: Kit, read: Callable[[Kit, str], Awaitable[Any]]) -> None:
    """Lists in dicts in lists: every level is the caller's."""
    await k.store[Sample].create(id=1, data=[{"a": [{"b": {"c": [1]}}]}])
    value = await read(k, "data")
    value[0]["a"][0]["b"]["c"].append(2)
    value[0]["a"][0]["b"]["d"] = 1
    value[0]["a"].append(3)
    value[0]["z"] = 4
    value.append(5)
    assert await _by_get(k, "data") == [{"a": [{"b": {"c": [1]}}]}]
    assert await _by_values(k, "data") == [{"a": [{"b": {"c": [1]}}]}]


@case("H8")
async def a_condition_keeps_the_value_that_it_was_made_with(k: Kit) -> None:
    """Changing a list after it was put into a query changes neither the query nor what is stored."""
    await fill(k.store[Sample], [{"id": 1, "items": ["a"], "whole": 1}, {"id": 2, "items": ["a", "b"], "whole": 2}])
    items, wholes = ["a"], [1]
    by_items = k.store[Sample].where(SAMPLE.items == items)
    by_wholes = k.store[Sample].where(whole__in=wholes)
    items.append("b")
    wholes.append(2)
    assert [item.id for item in await by_items.all()] == [1]
    assert [item.id for item in await by_wholes.all()] == [1]


@case("H8")
async def a_query_can_be_used_again(k: Kit) -> None:
    """Building on it gives a new one; reading it does not use it up."""
    await fill(k.store[Sample], [{"id": number} for number in range(5)])
    query = k.store[Sample].query().order_by("id")
    narrowed = query.where(SAMPLE.id > 2)
    cut = query.limit(1)
    for _ in range(2):
        assert [item.id for item in await query.all()] == [0, 1, 2, 3, 4]
        assert [item.id for item in await narrowed.all()] == [3, 4]
        assert [item.id for item in await cut.all()] == [0]
