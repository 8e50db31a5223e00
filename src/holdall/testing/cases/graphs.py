"""F5: records that are linked are written together: parents first, circles in two steps, all or none."""

from __future__ import annotations

from contextlib import suppress
from itertools import permutations
from typing import Any

from holdall.errors import ProgrammingError, UniqueViolation, Unsupported, ValidationError
from holdall.model import uuid7
from holdall.testing.case import case
from holdall.testing.cases.making import Undone, how_many, partial_batch
from holdall.testing.kit import Kit
from holdall.testing.models.graphs import Badge, Bill, BillLine, Client, Egg, Hen, Key1, Lock1, Partner, Ware, WareKind

# The keys of parents are taken from the parents: type checkers, who cannot know, need not look.
new_bill: Any = Bill
new_badge: Any = Badge
new_key: Any = Key1
new_egg: Any = Egg

NEEDS = ("references", "unique", "transactions")
ALL = (Client, Badge, Bill, BillLine, Ware, WareKind)


def shop() -> tuple[Client, Bill, BillLine, Ware]:
    """A client with one bill of one line for a ware, none of them saved."""
    client = Client(name="Ada")
    bill = new_bill(client=client, total=5)
    ware = Ware(id="pen")
    line = BillLine(bill=bill, number=1, ware=ware)
    return client, bill, line, ware


async def _counts(k: Kit) -> dict[str, int]:
    return {model.__name__: found for model in ALL if (found := await how_many(k.store[model]))}


WHOLE = {"Client": 1, "Bill": 1, "BillLine": 1, "Ware": 1}


@case("F5", needs=NEEDS, each={"the top": 0, "the middle": 1, "the bottom": 2})
async def saving_one_saves_what_it_is_linked_to(k: Kit, which: int) -> None:
    records = shop()
    await k.store[type(records[which])].save(records[which])
    assert await _counts(k) == WHOLE
    client, bill, line, ware = records
    read = await k.store[Client].query().include("bills.lines.ware").one()
    assert (read.id, read.bills[0].id) == (client.id, bill.id)
    assert (read.bills[0].lines[0].number, read.bills[0].lines[0].ware.id) == (line.number, ware.id)


@case("F5", needs=NEEDS, each={" ".join(map(str, order)): (order,) for order in permutations(range(3))})
async def save_all_takes_records_of_several_models_in_any_order(k: Kit, order: tuple[int, ...]) -> None:
    records = shop()
    await k.store.save_all([records[3], *(records[place] for place in order)])
    assert await _counts(k) == WHOLE
    assert (await k.store[BillLine].query().one()).bill_id == records[1].id


@case("F5", needs=NEEDS)
async def children_are_written_through_the_parents_list(k: Kit) -> None:
    client = Client(name="Ada", bills=[new_bill(total=1), new_bill(total=2)])
    client.bills.append(new_bill(total=3))
    await k.store[Client].save(client)
    assert sorted(await k.store[Bill].where(client_id=client.id).column(Bill.total)) == [1, 2, 3]


@case("F5", needs=NEEDS)
async def the_one_beside_is_written_too(k: Kit) -> None:
    client = Client(name="Ada")
    client.badge = new_badge(text="b", client=client)
    await k.store[Client].save(client)
    assert (await k.store[Client].query().include(Client.badge).one()).badge.text == "b"


@case("F5", needs=NEEDS)
async def a_new_parent_is_written_with_a_change(k: Kit) -> None:
    """The record was saved before; its new parent was not."""
    client, bill, *_ = shop()
    await k.store[Bill].save(bill)
    bill.client = Client(name="Bob")
    await k.store[Bill].save(bill)
    assert (await k.store[Bill].query().include(Bill.client).one()).client.name == "Bob"
    assert await how_many(k.store[Client]) == 2
    assert client.id != bill.client_id


@case("F5", needs=NEEDS)
async def new_children_of_a_saved_parent_are_written_with_it(k: Kit) -> None:
    client = await k.store[Client].create(name="Ada")
    read = await k.store[Client].where(id=client.id).include(Client.bills).one()
    read.bills.append(new_bill(total=7))
    await k.store[Client].save(read)
    assert [bill.total for bill in await k.store[Bill].where(client_id=client.id).all()] == [7]


@case("F5", needs=NEEDS)
async def create_many_writes_linked_records(k: Kit) -> None:
    client = Client(name="Ada")
    await k.store[Bill].create_many([new_bill(client=client, total=1), new_bill(client=client, total=2)])
    assert await _counts(k) == {"Client": 1, "Bill": 2}


@case("F5", needs=NEEDS)
async def item_by_item_linked_records_are_whole(k: Kit) -> None:
    """Each item with what it is linked to, or not at all."""
    there = await k.store[Client].create(name="there")
    good, bad = new_bill(client=Client(name="good")), new_bill(client=Client(id=there.id, name="bad"))
    error = await partial_batch(k, Bill, [good, bad])
    assert [type(result) for result in error.results] == [type(None), UniqueViolation]
    assert sorted(await k.store[Client].query().column(Client.name)) == ["good", "there"]
    assert [bill.id for bill in await k.store[Bill].all()] == [good.id]


@case("F5", needs=NEEDS)
async def linked_records_are_written_once(k: Kit) -> None:
    client, bill, line, _ = shop()
    for record in (line, bill, client, line):
        await k.store[type(record)].save(record)
    assert await _counts(k) == WHOLE


# All or none.


@case("F5", needs=NEEDS, each={"a taken key": "key", "a value that is not valid": "value", "a wrong type": "type"})
async def one_that_fails_keeps_all_from_being_written(k: Kit, why: str) -> None:
    records: Any = shop()
    client, bill, _, _ = records
    kinds: dict[str, type[Exception]] = {"key": UniqueViolation, "value": ValidationError, "type": ValidationError}
    if why == "key":
        await k.store[Ware].create(id="pen")
    elif why == "value":
        client.name = "\x00"
    else:
        bill.total = "5"
    before = await _counts(k)
    with k.refused(kinds[why]):
        await k.store.save_all(records)
    assert await _counts(k) == before


@case("F5", needs=NEEDS)
async def a_graph_that_failed_can_be_saved_when_mended(k: Kit) -> None:
    client, bill, line, _ = shop()
    await k.store[Ware].create(id="pen")
    with k.refused(UniqueViolation, entity="Ware", fields=("id",)):
        await k.store[Client].save(client)
    line.ware = Ware(id="ink")
    await k.store[Client].save(client)
    assert await _counts(k) == {**WHOLE, "Ware": 2}
    assert (await k.store[BillLine].get((bill.id, 1))).ware_id == "ink"


@case("F5", needs=NEEDS)
async def an_undone_graph_is_written_again(k: Kit) -> None:
    client, *_ = shop()
    with suppress(Undone):
        async with k.store.transaction():
            await k.store[Client].save(client)
            raise Undone
    assert await _counts(k) == {}
    await k.store[Client].save(client)
    assert await _counts(k) == WHOLE


@case("F5", needs=NEEDS)
async def changes_and_new_records_are_one_unit(k: Kit) -> None:
    """save_all with a change that is not valid writes nothing of the others."""
    client, bill, *_ = shop()
    await k.store[Client].save(client)
    client.name = "Eve"
    new: Any = bill
    new.total = None
    with k.refused(ValidationError):
        await k.store.save_all([client, bill, Ware(id="ink")])
    assert (await k.store[Client].query().one()).name == "Ada"
    assert await how_many(k.store[Ware]) == 1


# Circles.


@case("F5", needs=NEEDS, each=[1, 2, 3])
async def a_circle_that_may_open_is_written_in_two_steps(k: Kit, size: int) -> None:
    ring = [Partner(name=str(n)) for n in range(size)]
    for n, partner in enumerate(ring):
        partner.other = ring[(n + 1) % size]
    await k.store[Partner].save(ring[0])
    read = {partner.id: partner.other_id for partner in await k.store[Partner].all()}
    assert read == {ring[n].id: ring[(n + 1) % size].id for n in range(size)}
    assert {partner.id: partner.other_id for partner in ring} == read
    ring[0].name = "changed"
    await k.store[Partner].save(ring[0])
    assert (await k.store[Partner].get(ring[0].id)).other_id == ring[1 % size].id


@case("F5", needs=NEEDS, each={"from the one that must": 0, "from the one that may": 1})
async def a_circle_opens_where_it_may(k: Kit, which: int) -> None:
    lock = Lock1()
    key = new_key(lock=lock)
    lock.key = key
    record: Any = (key, lock)[which]
    await k.store[type(record)].save(record)
    assert (await k.store[Key1].query().one()).lock_id == lock.id
    assert (await k.store[Lock1].query().one()).key_id == key.id


@case("F5", needs=NEEDS)
async def a_circle_that_may_not_open_is_refused(k: Kit) -> None:
    hen = Hen(egg_id=uuid7())
    egg = new_egg(hen=hen)
    hen.egg = egg
    with k.refused(ProgrammingError, says="circle"):
        await k.store[Hen].save(hen)
    with k.refused(ProgrammingError, says="circle"):
        await k.store.save_all([egg, hen])
    assert (await how_many(k.store[Hen]), await how_many(k.store[Egg])) == (0, 0)


# Many to many.


@case("F5", needs=NEEDS)
async def links_are_written_with_both_ends(k: Kit) -> None:
    new, hot = WareKind(id="new"), WareKind(id="hot")
    pen, ink = Ware(id="pen", kinds=[new, hot]), Ware(id="ink", kinds=[hot])
    await k.store.save_all([pen, ink])
    read = await k.store[WareKind].query().order_by("id").include("wares").all()
    assert [(kind.id, sorted(ware.id for ware in kind.wares)) for kind in read] == [("hot", ["ink", "pen"]), ("new", ["pen"])]


@case("F5", needs=NEEDS, each={"removed": ["hot"], "added": ["hot", "new", "old"], "none": [], "others": ["old"]})
async def a_changed_list_writes_its_links(k: Kit, wanted: list[str]) -> None:
    await k.store[Ware].create(id="pen", kinds=[WareKind(id="hot"), WareKind(id="new")])
    await k.store[WareKind].create(id="old")
    ware = await k.store[Ware].where(id="pen").include(Ware.kinds).one()
    known = {kind.id: kind for kind in [*(await k.store[WareKind].all()), *ware.kinds]}
    ware.kinds = [known[name] for name in wanted]
    await k.store[Ware].save(ware)
    read = await k.store[Ware].where(id="pen").include(Ware.kinds).one()
    assert sorted(kind.id for kind in read.kinds) == wanted
    assert await how_many(k.store[WareKind]) == 3, "links go, their ends stay"


@case("F5", needs=NEEDS)
async def links_go_with_either_end(k: Kit) -> None:
    pen = await k.store[Ware].create(id="pen", kinds=[WareKind(id="hot"), WareKind(id="new")])
    await k.store[WareKind].delete(await k.store[WareKind].get("hot"))
    read = await k.store[Ware].where(id="pen").include(Ware.kinds).one()
    assert [kind.id for kind in read.kinds] == ["new"]
    await k.store[Ware].delete(pen)
    assert (await k.store[WareKind].where(id="new").include("wares").one()).wares == []


@case("F5", needs=NEEDS)
async def undone_links_are_written_again(k: Kit) -> None:
    await k.store[Ware].create(id="pen", kinds=[WareKind(id="new")])
    hot = await k.store[WareKind].create(id="hot")
    found = await k.store[Ware].where(id="pen").include(Ware.kinds).one()
    with suppress(Undone):
        async with k.store.transaction():
            found.kinds = [hot]
            await k.store[Ware].save(found)
            raise Undone
    await k.store[Ware].save(found)
    again = await k.store[Ware].where(id="pen").include("kinds").one()
    assert [kind.id for kind in again.kinds] == ["hot"]


@case("F5", needs=("references", "unique"), absent="transactions")
async def linked_records_are_refused_where_they_cannot_be_written_together(k: Kit) -> None:
    client, bill, *_ = shop()
    with k.refused(Unsupported, says="transactions") as caught:
        await k.store[Bill].save(bill)
    assert caught.error.hint
    with k.refused(Unsupported, says="transactions"):
        await k.store.save_all([Client(name="a"), Client(name="b")])
    assert await _counts(k) == {}
    alone = Client(name="alone")
    await k.store[Client].save(alone)
    assert await _counts(k) == {"Client": 1}
    assert client.id != alone.id
