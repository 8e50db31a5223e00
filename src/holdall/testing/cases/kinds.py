"""G1: what is undone with a transaction besides plain rows: families, links, numbers, unique values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from holdall.errors import ForeignKeyViolation, UniqueViolation
from holdall.testing.case import case
from holdall.testing.cases.transactions import Undone
from holdall.testing.kit import Kit
from holdall.testing.models.account_codes import Coded
from holdall.testing.models.account_family import Guest, Mark, Owner, Tenant, Thing
from holdall.testing.models.account_numbers import Numbered

Body = Callable[[Any], Awaitable[Any]]
State = dict[str, list[Any]]
_thing = cast("Any", Thing)  # for those that get their owner's key from the object: type checkers demand the field


async def family(k: Kit) -> None:
    """Two owners; the first has two things (one of them marked), a guest and nothing that holds it."""
    store = k.store
    await store.ensure_schema(Owner, Thing, Mark, Guest, Tenant)
    red, blue = await store[Mark].create(id="red"), await store[Mark].create(id="blue")
    ada = Owner(id=1, name="ada")
    pen, pad = (_thing(name=name, owner=ada) for name in ("pen", "pad"))
    pen.marks.append(red)
    await store.save_all([ada, pen, pad])
    await store[Owner].create(id=2, name="bob")
    await store[Guest].create(id=1, host_id=1)
    assert blue.id == "blue"


async def state(store: Any) -> State:
    """All of it, by names."""
    owners = await store[Owner].query().order_by(Owner.id).all()
    things = await store[Thing].query().include(Thing.marks).order_by(Thing.name).all()
    guests = await store[Guest].query().order_by(Guest.id).all()
    return {
        "owners": [owner.name for owner in owners],
        "things": [(thing.name, thing.owner_id, sorted(mark.id for mark in thing.marks)) for thing in things],
        "guests": [(guest.id, guest.host_id) for guest in guests],
    }


BEFORE: State = {"owners": ["ada", "bob"], "things": [("pad", 1, []), ("pen", 1, ["red"])], "guests": [(1, 1)]}


async def _child(store: Any) -> None:
    await store[Thing].create(owner_id=2, name="pin")


async def _graph(store: Any) -> None:
    eve = Owner(id=3, name="eve")
    eve.things.append(_thing(name="pin"))
    await store[Owner].save(eve)


async def _grandchildren(store: Any) -> None:
    eve = Owner(id=3, name="eve")
    pin = _thing(name="pin", owner=eve)
    pin.marks.append(await store[Mark].get("blue"))
    await store.save_all([pin])


async def _link(store: Any) -> None:
    pad = await store[Thing].where(name="pad").include(Thing.marks).one()
    pad.marks.append(await store[Mark].get("blue"))
    await store[Thing].save(pad)


async def _unlink(store: Any) -> None:
    pen = await store[Thing].where(name="pen").include(Thing.marks).one()
    pen.marks.clear()
    await store[Thing].save(pen)


async def _relink(store: Any) -> None:
    pen = await store[Thing].where(name="pen").include(Thing.marks).one()
    pen.marks.clear()
    pen.marks.append(await store[Mark].get("blue"))
    await store[Thing].save(pen)


async def _move(store: Any) -> None:
    pad = await store[Thing].where(name="pad").one()
    pad.owner_id = 2
    await store[Thing].save(pad)


async def _cascade(store: Any) -> None:
    await store[Owner].delete(await store[Owner].get(1))


async def _cascade_where(store: Any) -> None:
    await store[Owner].where(Owner.name == "ada").delete()


AFTER_CASCADE: State = {"owners": ["bob"], "things": [], "guests": [(1, None)]}
KINDS: dict[str, tuple[Body, State, tuple[str, ...]]] = {
    "a child": (_child, {**BEFORE, "things": [("pad", 1, []), ("pen", 1, ["red"]), ("pin", 2, [])]}, ()),
    "a graph": (_graph, {**BEFORE, "owners": ["ada", "bob", "eve"], "things": [*BEFORE["things"], ("pin", 3, [])]}, ()),
    "a graph with links": (
        _grandchildren,
        {**BEFORE, "owners": ["ada", "bob", "eve"], "things": [*BEFORE["things"], ("pin", 3, ["blue"])]},
        (),
    ),
    "a link": (_link, {**BEFORE, "things": [("pad", 1, ["blue"]), ("pen", 1, ["red"])]}, ()),
    "a link that goes": (_unlink, {**BEFORE, "things": [("pad", 1, []), ("pen", 1, [])]}, ()),
    "a link that changes": (_relink, {**BEFORE, "things": [("pad", 1, []), ("pen", 1, ["blue"])]}, ()),
    "a child that moves": (_move, {**BEFORE, "things": [("pad", 2, []), ("pen", 1, ["red"])]}, ()),
    "a parent with children": (_cascade, AFTER_CASCADE, ()),
    "parents by a condition": (_cascade_where, AFTER_CASCADE, ("set_writes",)),
}


def for_each_kind(*needs: str) -> Callable[[Any], Any]:
    """Register a case once for each kind of write to a family."""

    def register(body: Any) -> Any:
        for name, (do, after, more) in KINDS.items():
            case("G1", needs=("transactions", "references", *needs, *more), each={name: (do, after)})(body)
        return body

    return register


@for_each_kind()
async def a_family_is_changed_by_the_commit(k: Kit, do: Body, after: State) -> None:
    await family(k)
    async with k.store.transaction():
        await do(k.store)
        assert await state(k.store) == after
    assert await state(k.store) == after


@for_each_kind()
async def a_family_is_undone(k: Kit, do: Body, after: State) -> None:
    """And can be changed the same way afterwards."""
    await family(k)
    with k.refused(Undone):
        async with k.store.transaction():
            await do(k.store)
            raise Undone
    assert await state(k.store) == BEFORE
    await do(k.store)
    assert await state(k.store) == after


@for_each_kind("savepoints")
async def a_family_is_undone_with_its_savepoint(k: Kit, do: Body, after: State) -> None:
    await family(k)
    async with k.store.transaction():
        with k.refused(Undone):
            async with k.store.transaction():
                await do(k.store)
                raise Undone
        assert await state(k.store) == BEFORE
        async with k.store.transaction():
            await do(k.store)
    assert await state(k.store) == after


@case("G1", needs=("transactions", "references"))
async def references_are_checked_against_what_the_transaction_did(k: Kit) -> None:
    """A parent made in it counts, one removed in it does not."""
    await family(k)
    async with k.store.transaction():
        await k.store[Owner].create(id=3, name="eve")
        await k.store[Thing].create(owner_id=3, name="pin")
    with k.refused(ForeignKeyViolation):
        async with k.store.transaction():
            await k.store[Owner].delete(await k.store[Owner].get(2))
            await k.store[Thing].create(owner_id=2, name="pot")
    assert (await state(k.store))["owners"] == ["ada", "bob", "eve"]


@case("G1", needs=("transactions", "references"))
async def lists_of_an_undone_block_are_written_by_the_next_save(k: Kit) -> None:
    """What was added to a many-to-many list counts as not saved."""
    await family(k)
    pad = await k.store[Thing].where(name="pad").include(Thing.marks).one()
    with k.refused(Undone):
        async with k.store.transaction():
            pad.marks.append(await k.store[Mark].get("blue"))
            await k.store[Thing].save(pad)
            raise Undone
    assert await state(k.store) == BEFORE
    await k.store[Thing].save(pad)
    assert (await state(k.store))["things"] == [("pad", 1, ["blue"]), ("pen", 1, ["red"])]


@case("G1", needs=("transactions", "generated_int"))
async def numbers_of_an_undone_block_are_not_in_the_way(k: Kit) -> None:
    """Whether they are given again is not promised; that they are unique is."""
    numbers: list[int] = []

    async def two() -> None:
        records = await k.store[Numbered].create_many([{"value": 1}, {"value": 2}])
        assert len({record.id for record in records}) == 2
        kept.extend(record.id for record in records)

    for _ in range(2):
        kept: list[int] = []
        with k.refused(Undone):
            async with k.store.transaction():
                await two()
                raise Undone
        kept.clear()
        async with k.store.transaction():
            await two()
        numbers += kept
    assert len(set(numbers)) == 4
    assert sorted(record.id for record in await k.store[Numbered].all()) == sorted(numbers)


@case("G1", needs=("transactions", "generated_int"))
async def a_record_loses_the_number_that_was_undone(k: Kit) -> None:
    """Saved again, it is there once, under the number that it then has."""
    record = Numbered(value=7)
    with k.refused(Undone):
        async with k.store.transaction():
            await k.store[Numbered].save(record)
            assert record.id is not None
            raise Undone
    await k.store[Numbered].create(value=8)
    await k.store[Numbered].save(record)
    found = await k.store[Numbered].query().order_by(Numbered.value).all()
    assert [item.value for item in found] == [7, 8]
    assert found[0].id == record.id != found[1].id


@case("G1", needs=("transactions", "unique"))
async def a_unique_value_of_an_undone_block_is_free(k: Kit) -> None:
    with k.refused(Undone):
        async with k.store.transaction():
            await k.store[Coded].create(id=1, code="a")
            raise Undone
    await k.store[Coded].create(id=2, code="a")
    with k.refused(UniqueViolation, fields=("code",)):
        await k.store[Coded].create(id=3, code="a")


@case("G1", needs=("transactions", "unique"))
async def a_unique_value_is_free_in_the_transaction_that_gave_it_up(k: Kit) -> None:
    """By a change, and by a removal; and taken again when that is undone."""
    await k.store[Coded].create(id=1, code="a")
    await k.store[Coded].create(id=2, code="b")
    with k.refused(Undone):
        async with k.store.transaction():
            first = await k.store[Coded].get(1)
            first.code = "c"
            await k.store[Coded].save(first)
            await k.store[Coded].create(id=3, code="a")
            await k.store[Coded].delete(await k.store[Coded].get(2))
            await k.store[Coded].create(id=4, code="b")
            raise Undone
    for code in ("a", "b"):
        with k.refused(UniqueViolation, fields=("code",)):
            await k.store[Coded].create(id=5, code=code)
    assert sorted((item.id, item.code) for item in await k.store[Coded].all()) == [(1, "a"), (2, "b")]
