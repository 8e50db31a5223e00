"""H4 and H7: more keys, values and records than an engine takes at once; and how large a value may be."""

from __future__ import annotations

from typing import Any

from holdall.errors import SizeLimit, UniqueViolation, Unsupported
from holdall.query import Q, contains_any, not_one_of, one_of
from holdall.testing.case import case
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.kin import House, Person
from holdall.testing.models.order_keys import Pair, Ticket
from holdall.testing.models.samples import SAMPLE, Indexed, Sample

MANY = 40_000  # more than the parameters that any engine takes in a statement, save PostgreSQL's and MariaDB's 65,535
MORE = 70_000  # more than theirs


@case("H4", each={str(count): count for count in (MANY, MORE)})
async def get_many_takes_any_number_of_keys(k: Kit, count: int) -> None:
    """In the order asked, with None for what is absent and repeated keys answered each time."""
    await fill(k.store[Sample], [{"id": number} for number in (0, 5, count - 1)])
    found = await k.store[Sample].get_many([*range(count), 5, 5])
    assert len(found) == count + 2
    assert [(place, item.id) for place, item in enumerate(found) if item is not None] == [
        (0, 0), (5, 5), (count - 1, count - 1), (count, 5), (count + 1, 5),
    ]  # fmt: skip
    assert found[count] is not found[count + 1], "two places share an object"


@case("H4")
async def get_many_takes_any_number_of_composite_keys(k: Kit) -> None:
    """Each of which is several parameters."""
    await fill(k.store[Pair], [{"left": "a", "right": number} for number in (3, 19_999)])
    found = await k.store[Pair].get_many([("a", number) for number in range(20_000)])
    assert [place for place, item in enumerate(found) if item is not None] == [3, 19_999]


@case("H4", each={str(count): count for count in (MANY, MORE)})
async def one_of_takes_any_number_of_values(k: Kit, count: int) -> None:
    """Membership, and its opposite, alone and beside other conditions, sorted and cut."""
    await fill(k.store[Sample], [{"id": number, "whole": number * 10_000} for number in range(1, 9)])
    samples = k.store[Sample]
    among = one_of(SAMPLE.whole, range(count))
    expected = [number for number in range(1, 9) if number * 10_000 < count]
    assert [item.id for item in await samples.where(among).order_by("id").all()] == expected
    assert [item.id for item in await samples.where(among, SAMPLE.id > 1).order_by("-id").limit(2).all()] == expected[:0:-1][:2]
    assert [item.id for item in await samples.where(not_one_of(SAMPLE.whole, range(count))).order_by("id").all()] == [
        number for number in range(1, 9) if number not in expected
    ]
    assert await samples.where(among).exists() is True


@case("H4", needs="set_writes")
async def writes_by_query_take_any_number_of_values(k: Kit) -> None:
    """update and delete: all of the matches, or none."""
    await fill(k.store[Indexed], [{"id": number, "whole": number * 10_000} for number in range(1, 9)])
    rows = k.store[Indexed]
    assert await rows.where(whole__in=list(range(MANY))).update(text="x") == 3
    assert len(await rows.where(text="x").all()) == 3
    assert await rows.where(whole__nin=list(range(MANY))).delete() == 5
    assert sorted(item.id for item in await rows.all()) == [1, 2, 3]


@case("H4", needs="atomic_batch")
async def many_records_are_created_at_once(k: Kit) -> None:
    """More values than parameters; all are there."""
    made = await k.store[Pair].create_many({"left": "a", "right": number, "rank": number % 7} for number in range(12_000))
    assert len(made) == 12_000
    assert len(await k.store[Pair].where(rank=3).all()) == len([number for number in range(12_000) if number % 7 == 3])


@case("H4", needs="atomic_batch", each={"first": 0, "in the middle": 6_000, "last": 11_999})
async def many_records_are_created_all_or_none(k: Kit, place: int) -> None:
    """A taken key anywhere among them, and nothing is written: chunks are no batches of their own."""
    await k.store[Pair].create(left="a", right=place)
    with k.refused(UniqueViolation, fields=("left", "right")):
        await k.store[Pair].create_many([{"left": "a", "right": number} for number in range(12_000)])
    assert [pair.right for pair in await k.store[Pair].all()] == [place]


@case("H4", needs="atomic_batch")
async def a_key_that_comes_twice_in_a_batch_is_refused(k: Kit) -> None:
    """However far apart the two are."""
    with k.refused(UniqueViolation):
        await k.store[Sample].create_many([*({"id": number} for number in range(3_000)), {"id": 0}])
    assert await k.store[Sample].all() == []


@case("H4", needs="transactions")
async def chunks_are_read_within_a_transaction(k: Kit) -> None:
    """They see what the transaction wrote."""
    async with k.store.transaction():
        await fill(k.store[Sample], [{"id": number, "whole": number} for number in (1, 39_999)])
        found = await k.store[Sample].get_many(list(range(MANY)))
        assert [item.id for item in found if item is not None] == [1, 39_999]
        assert len(await k.store[Sample].where(one_of(SAMPLE.whole, range(MANY))).all()) == 2


@case("H4", needs="references")
async def an_include_takes_any_number_of_parents(k: Kit) -> None:
    """Related records of many thousand, loaded in one go."""
    await fill(k.store[House], [{"id": 1, "street": "Elm"}, {"id": 2, "street": "Oak"}])
    await k.store[Person].create(id=1, name="Ann", house_id=1)
    houses = [House(id=number, street="x") for number in range(1, 33_001)]
    await k.store.load(houses, "people")
    assert [person.name for person in houses[0].people] == ["Ann"]
    assert all(house.people == [] for house in houses[1:])
    people = [Person(id=number, name="x", house_id=number % 3) for number in range(300)]
    await k.store.load(people, "house")
    assert [person.house and person.house.street for person in people[:3]] == [None, "Elm", "Oak"]


@case("H4", each={"or": "or", "and": "and", "keywords": "keywords"})
async def conditions_of_many_parts(k: Kit, kind: str) -> None:
    """Thousands of alternatives, or of restrictions."""
    await fill(k.store[Sample], [{"id": number, "whole": number} for number in range(5)])
    condition: Any
    if kind == "or":
        condition = SAMPLE.whole == 0
        for number in range(3, 1_500):
            condition = condition | (SAMPLE.whole == number)
        expected = [0, 3, 4]
    elif kind == "and":
        condition = SAMPLE.whole != 0
        for number in range(3, 1_500):
            condition = condition & (SAMPLE.whole != number)
        expected = [1, 2]
    else:
        condition = Q(whole=0)
        for number in range(3, 1_500):
            condition = condition | Q(whole=number, id=number)
        expected = [0, 3, 4]
    assert [item.id for item in await k.store[Sample].where(condition).order_by("id").all()] == expected


@case("H4")
async def a_container_is_asked_for_many_items(k: Kit) -> None:
    """contains_any with thousands."""
    await fill(k.store[Sample], [{"id": 1, "marks": {39_000}}, {"id": 2, "marks": {40_001}}, {"id": 3}])
    found = await k.store[Sample].where(contains_any(SAMPLE.marks, range(MANY))).all()
    assert [item.id for item in found] == [1]


@case("H4")
async def many_values_of_long_text(k: Kit) -> None:
    """The statement is large as well as its parameters are many."""
    await fill(k.store[Sample], [{"id": 1, "text": "x" * 100 + "7"}, {"id": 2, "text": "y"}])
    found = await k.store[Sample].where(one_of(SAMPLE.text, ["x" * 100 + str(number) for number in range(20_000)])).all()
    assert [item.id for item in found] == [1]


@case("H4", needs="transactions")
async def save_all_writes_any_number(k: Kit) -> None:
    """As one unit: a taken key among them undoes all."""
    await k.store.save_all([Ticket(place=number) for number in range(1_500)])
    assert len(await k.store[Ticket].all()) == 1_500
    taken = (await k.store[Ticket].query().first()).id
    with k.refused(UniqueViolation):
        await k.store.save_all([*(Ticket(place=-1) for _ in range(500)), Ticket(id=taken)])
    assert await k.store[Ticket].where(place=-1).exists() is False


@case("H4", absent="transactions")
async def save_all_is_refused_where_it_cannot_be_one_unit(k: Kit) -> None:
    """And nothing is written."""
    with k.refused(Unsupported, says="transactions"):
        await k.store.save_all([Ticket(place=number) for number in range(3)])
    assert await k.store[Ticket].all() == []


# H7: how large a value may be.

LARGE = 2**22
REACHABLE = 2**25  # limits beyond are only shown not to be reached too early: a case must not need gigabytes

SIZED = {"text": "text", "bytes": "blob", "JSON": "data"}


def _of_size(name: str, size: int) -> Any:
    return b"x" * size if name == "blob" else "x" * size


@case("H7", needs="limit.item_bytes_max", each=SIZED)
async def a_value_over_the_published_limit_is_refused(k: Kit, name: str) -> None:
    """With SizeLimit, by create, save and upsert, and nothing is written; what is well below it is kept whole."""
    most = k.capabilities.item_bytes_max
    assert isinstance(most, int)
    assert most > 1024
    fits = min(most // 2, LARGE)
    await k.store[Sample].create(id=1, **{name: _of_size(name, fits)})
    assert getattr(await k.store[Sample].get(1), name) == _of_size(name, fits)
    if most > REACHABLE:
        return
    too_large = _of_size(name, most + 1)
    with k.refused(SizeLimit):
        await k.store[Sample].create(id=2, **{name: too_large})
    with k.refused(SizeLimit):
        await k.store[Sample].upsert(id=2, **{name: too_large})
    one = await k.store[Sample].get(1)
    setattr(one, name, too_large)
    with k.refused(SizeLimit):
        await k.store[Sample].save(one)
    assert [len(getattr(item, name)) for item in await k.store[Sample].all()] == [fits]


@case("H7", absent="limit.item_bytes_max", each=SIZED)
async def without_a_limit_large_values_are_kept_whole(k: Kit, name: str) -> None:
    """A backend that publishes none has none that matters."""
    value = _of_size(name, LARGE)
    await k.store[Sample].create(id=1, **{name: value})
    assert getattr(await k.store[Sample].get(1), name) == value
    assert await k.store[Sample].query().column(getattr(SAMPLE, name)) == [value]


@case("H7", absent="limit.parameters_max")
async def without_a_limit_of_parameters_all_are_taken(k: Kit) -> None:
    """A backend that publishes none has none."""
    await k.store[Sample].create(id=99_999, whole=1)
    assert [item.id for item in await k.store[Sample].where(one_of(SAMPLE.id, range(100_000))).all()] == [99_999]


@case("H7", needs="limit.parameters_max")
async def the_published_limit_of_parameters_is_no_limit_of_queries(k: Kit) -> None:
    """One more value than parameters, and twice as many: the store sees to it."""
    most = k.capabilities.parameters_max
    assert isinstance(most, int)
    assert most > 0
    await k.store[Sample].create(id=most, whole=1)
    for count in (most, most + 1, 2 * most + 1):
        found = await k.store[Sample].where(one_of(SAMPLE.id, range(count))).all()
        assert [item.id for item in found] == ([most] if count > most else [])
        assert [item.id for item in await k.store[Sample].get_many(list(range(count))) if item] == ([most] if count > most else [])


@case("H7", needs="atomic_batch", absent="limit.batch_items_max")
async def without_a_limit_of_batches_all_are_written(k: Kit) -> None:
    """A backend that publishes none has none."""
    await k.store[Ticket].create_many([{"place": number} for number in range(5_000)])
    assert len(await k.store[Ticket].all()) == 5_000


@case("H7", needs=("limit.batch_items_max", "atomic_batch"))
async def a_batch_over_the_published_limit_is_written_whole_or_refused(k: Kit) -> None:
    """Never in part: either the store chunks it and it is all there, or SizeLimit and nothing is."""
    most = k.capabilities.batch_items_max
    assert isinstance(most, int)
    assert most > 0
    items = [{"place": number} for number in range(min(most + 1, 20_000))]
    refused = False
    try:
        await k.store[Ticket].create_many(items)
    except SizeLimit:
        refused = True
    assert len(await k.store[Ticket].all()) == (0 if refused else len(items))


@case("H7", needs="limit.key_bytes_max")
async def a_key_over_the_published_limit_is_refused(k: Kit) -> None:
    """Counted in UTF-8 bytes (A6); one of exactly the limit is kept."""
    most = k.capabilities.key_bytes_max
    assert isinstance(most, int)
    name = "\u00e9" * ((most - 16) // 2)
    await k.store[Pair].create(left=name, right=1)
    assert await k.store[Pair].get((name, 1)) is not None
    with k.refused(SizeLimit):
        await k.store[Pair].create(left="\u00e9" * (most // 2 + 1), right=1)
    assert len(await k.store[Pair].all()) == 1


@case("H7", absent="limit.key_bytes_max")
async def without_a_limit_long_keys_are_kept_whole(k: Kit) -> None:
    """And told apart at their ends."""
    long = "\u00e9" * 50_000
    await fill(k.store[Pair], [{"left": long + end, "right": 1, "rank": rank} for rank, end in enumerate("ab")])
    assert (await k.store[Pair].get((long + "b", 1))).rank == 1
    assert [pair.rank for pair in await k.store[Pair].query().order_by("-left").all()] == [1, 0]
