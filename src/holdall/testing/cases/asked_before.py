"""B2: an answer does not depend on what was asked before. Engines and stores keep what they made of a query for the next like it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from holdall.query import agg, asc, contains, desc, icontains, is_not_null, is_null, is_same, not_, not_one_of, one_of
from holdall.query.quantifiers import each, every, none
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.kin import PERSON, Dog, House, Person
from holdall.testing.models.samples import SAMPLE, Sample

Ask = Callable[[Any], Awaitable[Any]]


def keys(condition: Callable[[], Any]) -> Ask:
    """The keys of the samples that meet a condition."""

    async def ask(store: Any) -> Any:
        return sorted([item.id for item in await store[Sample].where(condition()).all()])

    return ask


def ordered(*terms: Callable[[], Any], limit: int | None = None) -> Ask:
    """The keys of all samples in an order."""

    async def ask(store: Any) -> Any:
        query = store[Sample].query().order_by(*(term() for term in terms))
        return [item.id for item in await (query if limit is None else query.limit(limit)).all()]

    return ask


async def texts(store: Any) -> Any:
    """The texts, as often as they are there."""
    return sorted(await store[Sample].where(SAMPLE.id > 0).column(SAMPLE.text), key=repr)


async def different_texts(store: Any) -> Any:
    """The texts, each once."""
    return sorted(await store[Sample].where(SAMPLE.id > 0).distinct().column(SAMPLE.text), key=repr)


def aggregated(make: Callable[[], Any]) -> Ask:
    """An aggregate of all samples."""

    async def ask(store: Any) -> Any:
        return await store[Sample].where(SAMPLE.id > 0).values(value=make())

    return ask


PAIRS: dict[str, list[tuple[Ask, Any]]] = {
    "comparisons": [
        (keys(lambda: SAMPLE.whole < 2), [1]),
        (keys(lambda: SAMPLE.whole <= 2), [1, 2]),
        (keys(lambda: SAMPLE.whole == 2), [2]),
        (keys(lambda: SAMPLE.whole != 2), [1, 3]),
        (keys(lambda: SAMPLE.whole >= 2), [2, 3]),
        (keys(lambda: SAMPLE.whole > 2), [3]),
    ],
    "null and values": [
        (keys(lambda: is_same(SAMPLE.whole, 2)), [2]),
        (keys(lambda: is_same(SAMPLE.whole, None)), [4]),
        (keys(lambda: is_null(SAMPLE.whole)), [4]),
        (keys(lambda: is_not_null(SAMPLE.whole)), [1, 2, 3]),
    ],
    "lists": [
        (keys(lambda: one_of(SAMPLE.whole, [1, 2])), [1, 2]),
        (keys(lambda: not_one_of(SAMPLE.whole, [1, 2])), [3]),
        (keys(lambda: one_of(SAMPLE.whole, [1, 2, None])), [1, 2]),
        (keys(lambda: not_one_of(SAMPLE.whole, [1, 2, None])), []),
        (keys(lambda: one_of(SAMPLE.whole, [])), []),
        (keys(lambda: not_one_of(SAMPLE.whole, [])), [1, 2, 3, 4]),
    ],
    "texts": [
        (keys(lambda: contains(SAMPLE.text, "A")), [1]),
        (keys(lambda: icontains(SAMPLE.text, "A")), [1, 2, 3]),
        (keys(lambda: SAMPLE.text.startswith("a")), [2]),
        (keys(lambda: SAMPLE.text.endswith("a")), [2, 3]),
    ],
    "places": [
        (keys(lambda: SAMPLE.data["a"] == 1), [1, 3]),
        (keys(lambda: SAMPLE.data["b"] == 1), [2]),
        (keys(lambda: SAMPLE.data["c"][0] == 1), [1]),
        (keys(lambda: SAMPLE.data["c"][1] == 1), [2]),
        (keys(lambda: SAMPLE.data["a"] == "1"), []),
        (keys(lambda: SAMPLE.data["a"] == True), [4]),
    ],
    "and, or, not": [
        (keys(lambda: (SAMPLE.whole == 1) & (SAMPLE.text == "a")), []),
        (keys(lambda: (SAMPLE.whole == 1) | (SAMPLE.text == "a")), [1, 2]),
        (keys(lambda: not_(SAMPLE.whole == 1)), [2, 3]),
    ],
    "always and never": [
        (keys(lambda: is_not_null(SAMPLE.id) & (SAMPLE.whole == 1)), [1]),
        (keys(lambda: is_null(SAMPLE.id) & (SAMPLE.whole == 1)), []),
        (keys(lambda: is_not_null(SAMPLE.id) | (SAMPLE.whole == 1)), [1, 2, 3, 4]),
        (keys(lambda: is_null(SAMPLE.id) | (SAMPLE.whole == 1)), [1]),
        (keys(lambda: not_(is_null(SAMPLE.id)) & (SAMPLE.whole == 1)), [1]),
    ],
    "orders": [
        (ordered(lambda: asc(SAMPLE.whole)), [1, 2, 3, 4]),
        (ordered(lambda: desc(SAMPLE.whole)), [3, 2, 1, 4]),
        (ordered(lambda: asc(SAMPLE.whole, nulls="first")), [4, 1, 2, 3]),
        (ordered(lambda: desc(SAMPLE.whole, nulls="first")), [4, 3, 2, 1]),
        (ordered(lambda: asc(SAMPLE.whole), limit=1), [1]),
        (ordered(lambda: desc(SAMPLE.whole), limit=1), [3]),
    ],
    "repetitions": [(texts, ["A", "a", "a", "a"]), (different_texts, ["A", "a"])],
    "aggregates": [
        (aggregated(lambda: agg.sum(SAMPLE.whole)), [{"value": 6}]),
        (aggregated(lambda: agg.min(SAMPLE.whole)), [{"value": 1}]),
        (aggregated(lambda: agg.max(SAMPLE.whole)), [{"value": 3}]),
        (aggregated(lambda: agg.count(SAMPLE.whole)), [{"value": 3}]),
        (aggregated(lambda: agg.count(SAMPLE.text)), [{"value": 4}]),
    ],
}


async def four(k: Kit) -> None:
    """Four samples."""
    samples = k.store[Sample]
    await samples.create(id=1, whole=1, text="A", data={"a": 1, "c": [1, 2]})
    await samples.create(id=2, whole=2, text="a", data={"b": 1, "c": [2, 1]})
    await samples.create(id=3, whole=3, text="ba", data={"a": 1})
    await samples.create(id=4, text=None, data={"a": True})


@case("B2", needs="aggregates", each={name: (pairs,) for name, pairs in PAIRS.items()})
async def the_answer_is_that_of_the_question(k: Kit, pairs: list[tuple[Ask, Any]]) -> None:
    """Like questions, one after the other, in both orders and once more."""
    await four(k)
    if pairs is PAIRS["repetitions"] or pairs is PAIRS["aggregates"]:
        await k.store[Sample].where(one_of(SAMPLE.id, [3, 4])).update(text="a")
    for ask, expected in [*pairs, *reversed(pairs), *pairs]:
        assert await ask(k.store) == expected


@case("B2", needs=("references", "joins"))
async def quantifiers_are_not_taken_for_each_other(k: Kit) -> None:
    await k.store[House].create(id=1, street="x")
    for number in (1, 2, 3):
        await k.store[Person].create(id=number, name=f"p{number}")
    for number, owner, weight in ((1, 1, 5), (2, 1, 50), (3, 2, 5)):
        await k.store[Dog].create(id=number, name="d", weight=weight, owner_id=owner)
    asked: list[tuple[Callable[[], Any], list[int]]] = [
        (lambda: each(PERSON.dogs).weight > 10, [1]),
        (lambda: every(PERSON.dogs).weight > 10, [3]),
        (lambda: none(PERSON.dogs).weight > 10, [2, 3]),
    ]
    for make, expected in [*asked, *reversed(asked), *asked]:
        assert sorted([person.id for person in await k.store[Person].where(make()).all()]) == expected
