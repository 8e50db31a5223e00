"""F1: counts of writes, and that a write changes what it says and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.backends import Delete, Patch
from holdall.errors import NotFound, ProgrammingError, QueryError, Unsupported
from holdall.query import TRUE, Arith, Compare, Value, is_null, key_ref, one_of
from holdall.query.terms import INT, STR
from holdall.testing.case import case
from holdall.testing.cases.making import how_many, ids, made
from holdall.testing.kit import Kit, assignments
from holdall.testing.models.records import Item, Live, Revised, Seat, Versioned

NAME, AMOUNT = key_ref(Item.__entity__, "name"), key_ref(Item.__entity__, "amount")


async def _items(k: Kit) -> Any:
    """Three items with amounts 1, 2, 3; the second has a note."""
    await made(
        k, Item, {"id": 1, "name": "a", "amount": 1}, {"id": 2, "name": "b", "amount": 2, "note": "n"}, {"id": 3, "name": "c", "amount": 3}
    )
    return k.store[Item]


UPDATES: dict[str, tuple[Callable[[], Any], dict[str, Any], int]] = {
    "all": (lambda: Item.id > 0, {"name": "x"}, 3),
    "some": (lambda: Item.amount >= 2, {"name": "x"}, 2),
    "one": (lambda: Item.id == 1, {"name": "x"}, 1),
    "none": (lambda: Item.id == 9, {"name": "x"}, 0),
    "one that has the value": (lambda: Item.id == 1, {"name": "a"}, 1),
    "all of which one has the value": (lambda: Item.id > 0, {"name": "a"}, 3),
    "null to null": (lambda: is_null(Item.note), {"note": None}, 2),
    "what the condition is about": (lambda: Item.amount < 3, {"amount": 9}, 2),
    "adding nothing": (lambda: Item.id > 0, {"amount": Item.amount + 0}, 3),
    "a field to itself": (lambda: Item.id > 0, {"name": Item.name}, 3),
    "by key and by something else": (lambda: one_of(Item.id, [1, 2, 9]), {"amount": 0}, 2),
    "several fields": (lambda: Item.id > 1, {"name": "x", "amount": 7, "note": None}, 2),
}


@case("F1", needs="set_writes", each=UPDATES)
async def an_update_counts_what_it_matched(k: Kit, condition: Callable[[], Any], values: dict[str, Any], count: int) -> None:
    items = await _items(k)
    assert await items.where(condition()).update(**values) == count


@case("F1", needs="set_writes")
async def an_update_changes_what_it_matched_and_nothing_else(k: Kit) -> None:
    items = await _items(k)
    assert await items.where(Item.amount >= 2).update(name="x") == 2
    rows = await items.query().order_by("id").values("id", "name", "amount", "note")
    assert [tuple(row.values()) for row in rows] == [(1, "a", 1, None), (2, "x", 2, "n"), (3, "x", 3, None)]


@case("F1", needs="set_writes")
async def an_update_that_moves_rows_into_its_own_condition_is_one_pass(k: Kit) -> None:
    items = await _items(k)
    assert await items.where(Item.amount < 3).update(amount=Item.amount + 1) == 2
    assert await items.query().order_by("id").column(Item.amount) == [2, 3, 3]


@case("F1", needs="set_writes")
async def expressions_see_the_row_as_it_was(k: Kit) -> None:
    """Both assignments read the old values, whatever their order."""
    items = await _items(k)
    assert await items.where(id=2).update(amount=Item.amount + 10, name=Item.note) == 1
    item = await items.get(2)
    assert (item.amount, item.name) == (12, "n")


DELETES: dict[str, tuple[Callable[[], Any], list[int]]] = {
    "all": (lambda: Item.id > 0, []),
    "some": (lambda: Item.amount >= 2, [1]),
    "one": (lambda: Item.id == 2, [1, 3]),
    "none": (lambda: Item.name == "A", [1, 2, 3]),
    "unknown is not matched": (lambda: Item.note != "x", [1, 3]),
}


@case("F1", needs="set_writes", each=DELETES)
async def a_delete_counts_what_it_matched(k: Kit, condition: Callable[[], Any], left: list[int]) -> None:
    items = await _items(k)
    assert await items.where(condition()).delete() == 3 - len(left)
    assert await items.where(condition()).delete() == 0
    assert await ids(items.query()) == left


@case("F1", needs="set_writes")
async def default_filters_hold_for_writes_by_query(k: Kit) -> None:
    await made(k, Live, {"id": 1}, {"id": 2, "gone": True}, {"id": 3})
    live = k.store[Live]
    assert await live.query().update(text="x") == 2
    assert await live.query().unfiltered().update(text="y") == 3
    assert await live.where(id=2).delete() == 0
    assert await live.query().delete() == 2
    assert await live.query().unfiltered("live").delete() == 1


CUT: dict[str, Callable[[Any], Any]] = {
    "limit": lambda query: query.limit(1),
    "offset": lambda query: query.offset(1),
    "distinct": lambda query: query.distinct(),
    "group_by": lambda query: query.group_by("name"),
}


@case("F1", needs="set_writes", each=CUT)
async def a_write_by_a_cut_query_is_refused(k: Kit, cut: Callable[[Any], Any]) -> None:
    """Which rows it would change is not defined."""
    items = await _items(k)
    with k.refused(QueryError):
        await cut(items.query()).update(name="x")
    with k.refused(QueryError):
        await cut(items.query()).delete()
    assert await items.query().order_by("id").column(Item.name) == ["a", "b", "c"]


UNSETTABLE: dict[str, tuple[Any, dict[str, Any]]] = {
    "nothing": (Item, {}),
    "an unknown field": (Item, {"nmae": "x"}),
    "a key": (Item, {"id": 7}),
    "a part of a key": (Seat, {"number": 7}),
    "a version": (Versioned, {"version": 7}),
    "the time of creation": (Revised, {"created_at": None}),
    "another model's field": (Item, {"name": Versioned.text}),
    "an expression of another type": (Item, {"name": Item.amount}),
}


@case("F1", needs="set_writes", each=UNSETTABLE)
async def what_cannot_be_set_by_query_is_refused(k: Kit, model: Any, values: dict[str, Any]) -> None:
    await made(k, Item, {"id": 1, "name": "a"})
    with k.refused(QueryError):
        await k.store[model].query().update(**values)
    item = await k.store[Item].get(1)
    assert (item.name, item.amount) == ("a", 0)


@case("F1", absent="set_writes")
async def writes_by_query_are_refused_where_they_are_absent(k: Kit) -> None:
    items = await _items(k)
    with k.refused(Unsupported, says="set_writes") as caught:
        await items.query().update(name="x")
    assert caught.error.hint
    with k.refused(Unsupported, says="set_writes"):
        await items.where(id=1).delete()
    assert await items.query().order_by("id").column(Item.name) == ["a", "b", "c"]
    await items.delete(await items.get(1))
    assert await ids(items.query()) == [2, 3]


# At the port.


@case("F1")
async def the_port_counts_a_patch_that_changes_nothing(k: Kit) -> None:
    await _items(k)
    entity = Item.__entity__
    assert await k.patch(entity, 1, name="a") == 1
    assert await k.patch(entity, 1, name="x", amount=5) == 1
    assert await k.patch(entity, 9, required=False, name="x") == 0
    with k.refused(NotFound):
        await k.patch(entity, 9, name="x")
    assert [row[:4] for row in await k.rows(entity)] == [(1, "x", 5, None), (2, "b", 2, "n"), (3, "c", 3, None)]


@case("F1")
async def the_port_counts_a_delete(k: Kit) -> None:
    await _items(k)
    entity = Item.__entity__
    assert await k.delete(entity, 1) == 1
    assert await k.delete(entity, 1, required=False) == 0
    with k.refused(NotFound):
        await k.delete(entity, 1)
    assert [row[0] for row in await k.rows(entity)] == [2, 3]


@case("F1", needs="set_writes")
async def the_port_counts_writes_by_condition(k: Kit) -> None:
    await _items(k)
    entity = Item.__entity__
    some = Compare(AMOUNT, "gte", Value(2, INT))
    assert await k.update_where(entity, some, amount=Arith("add", AMOUNT, Value(0, INT), INT)) == 2
    assert await k.update_where(entity, Compare(NAME, "eq", Value("z", STR)), name="y") == 0
    assert await k.delete_where(entity, some) == 2
    assert await k.delete_where(entity, TRUE) == 1
    assert await k.delete_where(entity, TRUE) == 0


@case("F1")
async def the_port_gives_one_result_for_each_write(k: Kit) -> None:
    await _items(k)
    entity = Item.__entity__
    for write, result in (
        (Patch(entity, 1, assignments(entity, name="a")), 1),
        (Patch(entity, 9, assignments(entity, name="a"), None, False), 0),
        (Delete(entity, 2), 1),
        (Delete(entity, 2, None, False), 0),
    ):
        assert await k.apply(write) == [result]
    assert await k.apply() == []
    assert await k.insert(entity) == []


@case("F1")
async def the_port_gives_keys_in_the_order_asked(k: Kit) -> None:
    await _items(k)
    rows = await k.fetch(Item.__entity__, 3, 9, 1, 3)
    assert [row and row[0] for row in rows] == [3, None, 1, 3]
    assert await k.fetch(Item.__entity__) == []


# Saving writes what changed.

FIELDS: dict[str, tuple[str, Any, Any]] = {
    "text": ("name", "mine", "theirs"),
    "number": ("amount", 5, 7),
    "to null": ("note", None, "theirs"),
    "list": ("tags", ["mine"], ["theirs"]),
    "JSON": ("data", {"mine": True}, {"theirs": None}),
}


@case("F1", each=FIELDS)
async def saving_keeps_what_another_writer_changed(k: Kit, name: str, mine: Any, _theirs: Any) -> None:
    """Two read the same record and change different fields: both changes stay."""
    await k.store[Item].create(id=1, name="first", note="first", amount=1)
    one, two = await k.store[Item].get(1), await k.store[Item].get(1)
    for field, _, value in FIELDS.values():
        if field != name:
            setattr(two, field, value)
    await k.store[Item].save(two)
    setattr(one, name, mine)
    await k.store[Item].save(one)
    read = await k.store[Item].get(1)
    assert {field: getattr(read, field) for field, _, _ in FIELDS.values()} == {
        field: mine if field == name else value for field, _, value in FIELDS.values()
    }


@case("F1")
async def the_last_writer_of_a_field_wins_without_a_version(k: Kit) -> None:
    await k.store[Item].create(id=1)
    one, two = await k.store[Item].get(1), await k.store[Item].get(1)
    one.name, two.name = "one", "two"
    await k.store[Item].save(one)
    await k.store[Item].save(two)
    assert (await k.store[Item].get(1)).name == "two"


@case("F1")
async def a_field_set_back_is_no_change(k: Kit) -> None:
    item = await k.store[Item].create(id=1, name="a")
    other = await k.store[Item].get(1)
    other.name = "theirs"
    await k.store[Item].save(other)
    item.name = "b"
    item.name = "a"
    await k.store[Item].save(item)
    assert (await k.store[Item].get(1)).name == "theirs"


@case("F1")
async def what_was_saved_is_the_new_beginning(k: Kit) -> None:
    item = await k.store[Item].create(id=1, name="a")
    item.name = "b"
    await k.store[Item].save(item)
    other = await k.store[Item].get(1)
    other.name = "theirs"
    await k.store[Item].save(other)
    await k.store[Item].save(item)
    assert (await k.store[Item].get(1)).name == "theirs", "nothing had changed since it was saved"
    item.name = "a"
    await k.store[Item].save(item)
    assert (await k.store[Item].get(1)).name == "a"


@case("F1")
async def a_refreshed_record_begins_anew(k: Kit) -> None:
    item = await k.store[Item].create(id=1, name="a", amount=1)
    other = await k.store[Item].get(1)
    other.name, other.amount = "theirs", 2
    await k.store[Item].save(other)
    item.amount = 9
    await k.store[Item].refresh(item)
    assert (item.name, item.amount) == ("theirs", 2)
    await k.store[Item].save(item)
    assert (await k.store[Item].get(1)).amount == 2


@case("F1")
async def writing_what_is_gone_is_refused(k: Kit) -> None:
    item = await k.store[Item].create(id=1, name="a")
    again = await k.store[Item].get(1)
    await k.store[Item].delete(item)
    again.name = "b"
    for write in (k.store[Item].save, k.store[Item].delete, k.store[Item].refresh):
        with k.refused(NotFound):
            await write(again)
    with k.refused(NotFound):
        await k.store[Item].delete(item)
    assert await how_many(k.store[Item]) == 0


@case("F1")
async def a_record_that_was_never_saved_cannot_be_deleted(k: Kit) -> None:
    await k.store[Item].create(id=1)
    with k.refused(NotFound):
        await k.store[Item].delete(Item(id=1))
    assert await ids(k.store[Item].query()) == [1]


KEYS: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "a single key": (Item, {"id": 1}, {"id": 2}),
    "a part of a key": (Seat, {"row": "A", "number": 1}, {"number": 2}),
    "the other part": (Seat, {"row": "A", "number": 1}, {"row": "B"}),
}


@case("F1", each=KEYS)
async def the_key_of_a_record_cannot_be_changed(k: Kit, model: Any, key: dict[str, Any], change: dict[str, Any]) -> None:
    record = await k.store[model].create(**key)
    for name, value in change.items():
        setattr(record, name, value)
    with k.refused(ProgrammingError, says="key field"):
        await k.store[model].save(record)
    (found,) = await k.store[model].all()
    assert {name: getattr(found, name) for name in key} == key
