"""H5: how fresh a read is: strong or eventual, as asked for, and refused where it cannot be had."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

from holdall.errors import QueryError, Unsupported
from holdall.query import agg
from holdall.testing.case import case
from holdall.testing.cases.kinship import family
from holdall.testing.cases.nothing import Counting
from holdall.testing.kit import Kit
from holdall.testing.models.kin import PERSON, Person
from holdall.testing.models.samples import SAMPLE, Sample
from holdall.testing.proxy import Through, through

Read = Callable[[Any], Awaitable[Any]]


def _store(k: Kit, kind: type[Through], inner: Any = None) -> Any:
    """A store on the same backend, or on one in front of it, that says what `kind` says."""
    backend: Any = through(kind, inner or k.backend)
    return k.another_store(backend=backend)


READS: dict[str, Read] = {
    "all": lambda query: query.all(),
    "first": lambda query: query.first(),
    "last": lambda query: query.last(),
    "exists": lambda query: query.exists(),
    "values": lambda query: query.values("text"),
    "column": lambda query: query.column(SAMPLE.text),
    "page": lambda query: query.page(5),
}
AGGREGATES: dict[str, Read] = {
    "count": lambda query: query.count(),
    "sum": lambda query: query.sum(SAMPLE.whole),
    "groups": lambda query: query.group_by(SAMPLE.text).values("text", n=agg.count()),
}


class OnlyEventual(Through):
    """A backend that says that it has no strong reads."""

    def describe(self) -> Any:
        return dataclasses.replace(self.inner.describe(), consistency=frozenset({"eventual"}))


class OnlyStrong(Through):
    """A backend that says that it has no eventual reads."""

    def describe(self) -> Any:
        return dataclasses.replace(self.inner.describe(), consistency=frozenset({"strong"}))


@case("H5", each=READS)
async def strong_reads_are_refused_where_they_are_absent(k: Kit, read: Read) -> None:
    """Asked for or by default, as strong is what is meant when nothing is said; eventual ones are answered."""
    await k.store[Sample].create(id=1, text="a", whole=1)
    samples = _store(k, OnlyEventual)[Sample]
    for query in (samples.where(id=1), samples.where(id=1).consistency("strong")):
        with k.refused(Unsupported, says="eventual"):
            await read(query)
    await read(samples.where(id=1).consistency("eventual"))


@case("H5", each=READS)
async def eventual_reads_are_refused_where_they_are_absent(k: Kit, read: Read) -> None:
    """What is not offered is not replaced by something else in silence."""
    await k.store[Sample].create(id=1, text="a", whole=1)
    samples = _store(k, OnlyStrong)[Sample]
    with k.refused(Unsupported, says="strong"):
        await read(samples.where(id=1).consistency("eventual"))
    await read(samples.where(id=1))


@case("H5", needs="aggregates", each=AGGREGATES)
async def aggregates_say_how_fresh_they_are(k: Kit, read: Read) -> None:
    """Counts and sums are reads as any other."""
    await k.store[Sample].create(id=1, text="a", whole=1)
    for kind, level in ((OnlyEventual, "strong"), (OnlyStrong, "eventual")):
        samples = _store(k, kind)[Sample]
        with k.refused(Unsupported, says=level):
            await read(samples.where(id=1).consistency(level))


@case("H5")
async def a_refused_read_reaches_nobody(k: Kit) -> None:
    """Nothing is sent to the engine."""
    door: Any = through(Counting, k.backend)
    samples = _store(k, OnlyEventual, door)[Sample]
    assert await samples.query().consistency("eventual").all() == []
    before = door.effects
    with k.refused(Unsupported):
        await samples.all()
    assert door.effects == before


@case("H5", needs="references")
async def what_is_included_is_as_fresh_as_asked_for(k: Kit) -> None:
    """The reads that load relations, and those that find the place of a page, have the consistency of the query."""
    await family(k)
    people = _store(k, OnlyEventual)[Person]
    with k.refused(Unsupported, says="eventual"):
        await people.query().include("dogs").all()
    found = await people.query().consistency("eventual").include("dogs", "house", "children.dogs").all()
    assert {dog.id for person in found for dog in person.dogs} <= {1, 2, 3}
    found = await people.query().consistency("eventual").include(PERSON.dogs, order_by="-id", limit=1).all()
    assert all(len(person.dogs) <= 1 for person in found)


@case("H5", needs=("references", "joins"))
async def a_page_is_as_fresh_as_asked_for(k: Kit) -> None:
    """Also when its place is in another record."""
    await family(k)
    people = _store(k, OnlyEventual)[Person]
    query = people.query().order_by("house.street").consistency("eventual")
    page = await query.page(1)
    assert len(page) <= 1
    assert len(await query.page(2, page.next_cursor)) <= 2
    with k.refused(Unsupported, says="eventual"):
        await people.query().order_by("house.street").page(1)


WRONG: dict[str, Any] = {"another word": "linearizable", "upper case": "STRONG", "empty": "", "None": None, "a bool": True}


@case("H5", each=WRONG)
async def an_unknown_level_is_refused(k: Kit, level: Any) -> None:
    """When the query is built."""
    with k.refused(QueryError, says="consistency"):
        await k.store[Sample].query().consistency(level).all()


async def _by_strong_reads(k: Kit, id_: int) -> list[Any]:
    query = k.store[Sample].where(id=id_).consistency("strong")
    return [
        (await query.one()).text,
        (await query.all())[0].text,
        (await query.column(SAMPLE.text))[0],
        (await query.page(1)).items[0].text,
    ]


@case("H5", needs="consistency.strong")
async def a_strong_read_sees_every_write_that_was_acknowledged(k: Kit) -> None:
    """From this store and from another one on the same data."""
    other = k.another_store()
    for number in range(5):
        writer = (k.store, other)[number % 2]
        made = await writer[Sample].create(id=number, text="created")
        assert await _by_strong_reads(k, number) == ["created"] * 4
        made.text = "saved"
        await writer[Sample].save(made)
        assert await _by_strong_reads(k, number) == ["saved"] * 4
        await writer[Sample].delete(made)
        assert await k.store[Sample].where(id=number).consistency("strong").exists() is False


@case("H5", needs="read_your_writes")
async def own_writes_are_read(k: Kit) -> None:
    """By every read of the same store, whatever level is asked for that there is."""
    levels = sorted(k.capabilities.consistency)
    samples = k.store[Sample]
    for number in range(4):
        made = await samples.create(id=number, text="a", whole=number)
        made.text = "b"
        await samples.save(made)
        assert (await samples.get(number)).text == "b"
        assert (await samples.get_many([number]))[0].text == "b"
        for level in levels:
            assert (await samples.where(id=number).consistency(level).one()).text == "b"
            assert len(await samples.where(text="b").consistency(level).all()) == number + 1
            assert await samples.where(text="a").consistency(level).exists() is False


@case("H5", needs="consistency.eventual")
async def an_eventual_read_gives_what_was_written(k: Kit) -> None:
    """The present or the past of a record, never a mixture of both, and never what was rolled back or refused."""
    await k.store[Sample].create(id=1, text="v0", whole=0)
    for number in range(1, 8):
        record = await k.store[Sample].get(1)
        record.text, record.whole = f"v{number}", number
        await k.store[Sample].save(record)
        for found in await k.store[Sample].query().consistency("eventual").all():
            assert found.text == f"v{found.whole}", "a mixture of two versions"
            assert found.whole <= number


@case("H5", absent="consistency.strong", each=READS)
async def a_strong_read_is_refused_by_a_backend_without_any(k: Kit, read: Read) -> None:
    """With what it offers."""
    with k.refused(Unsupported, says="strong"):
        await read(k.store[Sample].where(id=1).consistency("strong"))


@case("H5", absent="consistency.eventual", each=READS)
async def an_eventual_read_is_refused_by_a_backend_without_any(k: Kit, read: Read) -> None:
    """With what it offers."""
    with k.refused(Unsupported, says="eventual"):
        await read(k.store[Sample].where(id=1).consistency("eventual"))
