"""H2: limits and offsets, at their edges and beyond."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from holdall.errors import QueryError
from holdall.query import agg, asc, desc
from holdall.testing.case import case
from holdall.testing.cases.kinship import family
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.kin import DOG, PERSON, Person
from holdall.testing.models.samples import SAMPLE, Indexed, Sample

HUGE = (10**6, 2**31, 2**63 - 1, 2**63, 10**30)


async def ten(k: Kit, model: Any = Sample) -> Any:
    """Ten records, 1 to 10, with five values; a query of them in order."""
    await fill(k.store[model], [{"id": number, "whole": number % 5, "text": f"t{number}"} for number in range(1, 11)])
    return k.store[model].query().order_by("id")


CUTS = {f"limit {limit}, offset {offset}": (limit, offset) for limit in (0, 1, 9, 10, 11, 2**31) for offset in (0, 1, 9, 10, 11, 2**31)}


@case("H2", each=CUTS)
async def limit_and_offset_cut_as_a_slice_does(k: Kit, limit: int, offset: int) -> None:
    """limit 0 is empty, an offset at or past the end too; the order of the calls does not matter."""
    query = await ten(k)
    expected = list(range(1, 11))[offset : offset + limit]
    assert [item.id for item in await query.limit(limit).offset(offset).all()] == expected
    assert [item.id for item in await query.offset(offset).limit(limit).all()] == expected
    assert await query.offset(offset).limit(limit).exists() is bool(expected)
    assert await query.offset(offset).limit(limit).column(SAMPLE.id) == expected


@case("H2", each={str(offset): offset for offset in (0, 1, 9, 10, 11, *HUGE)})
async def an_offset_without_a_limit(k: Kit, offset: int) -> None:
    """Leaves out so many, to the end; past the end it is empty, not the last record."""
    query = await ten(k)
    expected = list(range(1, 11))[offset:]
    assert [item.id for item in await query.offset(offset).all()] == expected
    first = await query.offset(offset).first()
    assert (first and first.id) == (expected[0] if expected else None)


@case("H2", each={str(limit): limit for limit in (1, 10, *HUGE)})
async def a_limit_without_an_order(k: Kit, limit: int) -> None:
    """Any so many records, each once."""
    await ten(k)
    found = [item.id for item in await k.store[Sample].query().limit(limit).all()]
    assert len(found) == len(set(found)) == min(limit, 10)
    assert await k.store[Sample].query().limit(0).all() == []


NEGATIVE: dict[str, Callable[[Any], Any]] = {
    "limit -1": lambda query: query.limit(-1).all(),
    "offset -1": lambda query: query.offset(-1).all(),
    "both": lambda query: query.limit(-5).offset(-5).all(),
    "limit of the least integer": lambda query: query.limit(-(2**63)).all(),
    "page size": lambda query: query.page(-1),
    "page size 0": lambda query: query.page(0),
    "include's limit": lambda query: query.include("dogs", limit=-1).all(),
}


@case("H2", needs="references", each=NEGATIVE)
async def negative_limits_are_refused(k: Kit, ask: Callable[[Any], Any]) -> None:
    """Never everything, as an engine may have it."""
    await family(k)
    with k.refused(QueryError):
        await ask(k.store[Person].query())


WRONG: dict[str, Any] = {"float": 1.0, "text": "1", "None": None, "True": True, "Decimal": Decimal(1), "list": [1], "nan": float("nan")}


@case("H2", each=WRONG)
async def a_limit_that_is_no_int_is_refused(k: Kit, value: Any) -> None:
    """Nothing is guessed: not 1.0, not '1', not True."""
    query = await ten(k)
    asks: list[Callable[[], Any]] = [lambda: query.page(value)]
    if value is not None:
        asks += [lambda: query.limit(value).all(), lambda: query.offset(value).all()]
    for ask in asks:
        with k.refused(QueryError, says="int"):
            await ask()


@case("H2")
async def limit_0_is_nothing_of_every_read(k: Kit) -> None:
    """It never means all."""
    query = (await ten(k)).limit(0)
    assert await query.all() == []
    assert await query.first() is None
    assert await query.exists() is False
    assert await query.values("id") == []
    assert [item async for item in query.stream()] == []
    assert [item async for item in query] == []


@case("H2", needs="aggregates")
async def count_of_a_cut_query(k: Kit) -> None:
    """Counts what the cut leaves; limit 0 counts 0."""
    query = await ten(k)
    assert await query.limit(0).count() == 0
    assert await query.limit(3).count() == 3
    assert await query.offset(8).count() == 2
    assert await query.offset(8).limit(1).count() == 1
    assert await query.offset(10).count() == 0
    assert await query.offset(2**63 - 1).limit(2**63 - 1).count() == 0


@case("H2")
async def filters_come_before_the_cut(k: Kit) -> None:
    """limit(3) is three of those that match; where() after limit() is refused, as it would filter what is cut."""
    query = await ten(k)
    assert [item.id for item in await query.where(SAMPLE.whole == 0).limit(2).all()] == [5, 10]
    assert [item.id for item in await query.where(SAMPLE.id > 6).limit(3).offset(1).all()] == [8, 9, 10]
    for cut in (query.limit(3), query.offset(3)):
        with k.refused(QueryError, says="where"):
            await cut.where(SAMPLE.id > 5).all()


@case("H2")
async def duplicates_go_before_the_cut(k: Kit) -> None:
    """distinct() and limit(): so many different values."""
    await ten(k)
    query = k.store[Sample].query().distinct().order_by("whole")
    assert await query.limit(3).column(SAMPLE.whole) == [0, 1, 2]
    assert await query.offset(3).limit(5).column(SAMPLE.whole) == [3, 4]
    assert await query.offset(5).column(SAMPLE.whole) == []
    assert await query.limit(0).column(SAMPLE.whole) == []


@case("H2", needs="aggregates")
async def groups_are_cut_as_groups(k: Kit) -> None:
    """limit and offset count groups, not records."""
    await ten(k)
    query = k.store[Sample].query().group_by(SAMPLE.whole).order_by(desc(SAMPLE.whole))
    assert [row["whole"] for row in await query.limit(2).values("whole", n=agg.count())] == [4, 3]
    assert [row["whole"] for row in await query.offset(4).limit(2).values("whole")] == [0]
    assert await query.offset(5).values("whole") == []
    assert await query.limit(0).values("whole", n=agg.count()) == []
    assert await k.store[Sample].query().limit(0).values(n=agg.count()) == []
    assert await k.store[Sample].query().offset(1).values(n=agg.count()) == []


@case("H2", each={"up": asc, "down": desc})
async def cuts_of_an_index(k: Kit, way: Any) -> None:
    """The same slices where an engine may walk an index."""
    await ten(k, Indexed)
    query = k.store[Indexed].query().order_by("whole" if way is asc else "-whole")
    whole = [item.id for item in await query.all()]
    for limit in (0, 1, 4, 10, 99):
        for offset in (0, 3, 9, 10, 50):
            assert [item.id for item in await query.limit(limit).offset(offset).all()] == whole[offset : offset + limit], (limit, offset)


@case("H2")
async def one_looks_at_no_more_than_the_cut(k: Kit) -> None:
    """one() of a cut query is about what the cut leaves."""
    query = await ten(k)
    assert (await query.limit(1).one()).id == 1
    assert (await query.offset(9).one()).id == 10
    assert (await query.limit(1).first()).id == 1
    assert await query.limit(0).first() is None
    with k.refused(QueryError, says="last"):
        await query.limit(1).last()


CUT: dict[str, Callable[[Any], Any]] = {"limit": lambda query: query.limit(1), "offset": lambda query: query.offset(1)}


@case("H2", needs="set_writes", each=CUT)
async def a_cut_write_is_refused(k: Kit, cut: Callable[[Any], Any]) -> None:
    """update() and delete() change every match; with a limit they would change any: refused, nothing changed."""
    await ten(k)
    with k.refused(QueryError):
        await cut(k.store[Sample].where(SAMPLE.id > 0)).update(whole=100)
    with k.refused(QueryError):
        await cut(k.store[Sample].where(SAMPLE.id > 0)).delete()
    assert sorted(await k.store[Sample].query().column(SAMPLE.whole)) == sorted(number % 5 for number in range(1, 11))


@case("H2", needs="references")
async def an_includes_limit_counts_for_each_parent(k: Kit) -> None:
    """limit=1 is one for each, limit=0 none; the parents are all there."""
    await family(k)
    people = k.store[Person].query().order_by("id")
    for limit, expected in ((0, [0, 0, 0]), (1, [1, 1, 0]), (2, [2, 1, 0]), (99, [2, 1, 0])):
        found = await people.include(PERSON.dogs, order_by=DOG.id, limit=limit).all()
        assert [len(person.dogs) for person in found] == expected
    found = await people.include(PERSON.dogs, order_by=desc(DOG.id), limit=1).all()
    assert [[dog.id for dog in person.dogs] for person in found] == [[2], [3], []]


STREAMS = {
    f"limit {limit}, offset {offset}, pages of {page}": (limit, offset, page)
    for limit in (None, 0, 7)
    for offset in (0, 4, 12)
    for page in (1, 3, 50)
}


@case("H2", each=STREAMS)
async def streams_are_cut_as_lists_are(k: Kit, limit: int | None, offset: int, page: int) -> None:
    """Whatever the size of the pages that they are read in."""
    query = (await ten(k)).offset(offset)
    query = query if limit is None else query.limit(limit)
    expected = list(range(1, 11))[offset : None if limit is None else offset + limit]
    assert [item.id async for item in query.stream(page)] == expected


@case("H2", each={str(size): size for size in HUGE})
async def a_page_may_be_larger_than_any_result(k: Kit, size: int) -> None:
    """One page with everything, and no other."""
    page = await (await ten(k)).page(size)
    assert [item.id for item in page] == list(range(1, 11))
    assert (page.next_cursor, page.prev_cursor) == (None, None)
    assert [item.id async for item in k.store[Sample].query().stream(size)] == list(range(1, 11))
