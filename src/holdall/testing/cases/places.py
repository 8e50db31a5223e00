"""E1, E2: places inside values: what is there is compared as what it is; some lead nowhere, as before the first item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.query import is_not_null, is_null
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.samples import SAMPLE, Sample

# Which of the two records has something there: 1 has {"1": "by name", "list": ["first", "last"]} and ["first", "last"], 2 has nulls.
NOWHERE: dict[str, Callable[[], Any]] = {
    "the place before the first in JSON": lambda: SAMPLE.data["list"][-1],
    "two before the first in JSON": lambda: SAMPLE.data["list"][-2],
    "the place after the last in JSON": lambda: SAMPLE.data["list"][2],
    "a number where JSON has names": lambda: SAMPLE.data[1],
    "a name where JSON has numbers": lambda: SAMPLE.data["list"]["1"],
    "a name below a text": lambda: SAMPLE.data["1"]["x"],
    "the place before the first in a list": lambda: SAMPLE.items[-1],
    "the place after the last in a list": lambda: SAMPLE.items[2],
}
THERE: dict[str, tuple[Callable[[], Any], Any]] = {
    "the last place in JSON": (lambda: SAMPLE.data["list"][1], "last"),
    "the first place in JSON": (lambda: SAMPLE.data["list"][0], "first"),
    "a number as a name": (lambda: SAMPLE.data["1"], "by name"),
    "the last place in a list": (lambda: SAMPLE.items[1], "last"),
    "the first place in a list": (lambda: SAMPLE.items[0], "first"),
}


async def two(k: Kit) -> None:
    """A record with parts, and one with nulls."""
    await k.store[Sample].create(id=1, data={"1": "by name", "list": ["first", "last"]}, items=["first", "last"])
    await k.store[Sample].create(id=2)


@case("E2", each=NOWHERE)
async def a_place_that_is_not_there_is_null(k: Kit, place: Callable[[], Any]) -> None:
    """Counting from the end is no way to an item; names and numbers are not each other."""
    await two(k)
    samples = k.store[Sample]
    assert sorted([item.id for item in await samples.where(is_null(place())).all()]) == [1, 2]
    assert await samples.where(is_not_null(place())).all() == []
    for value in ("first", "last", "by name"):
        assert await samples.where(place() == value).all() == [], value
    assert sorted(await samples.query().column(place()), key=repr) == [None, None]


@case("E2", each=THERE)
async def a_place_that_is_there_has_its_value(k: Kit, place: Callable[[], Any], value: Any) -> None:
    await two(k)
    samples = k.store[Sample]
    assert [item.id for item in await samples.where(place() == value).all()] == [1]
    assert [item.id for item in await samples.where(is_null(place())).all()] == [2]
    assert sorted(await samples.query().column(place()), key=repr) == sorted([value, None], key=repr)


EDGES: dict[str, tuple[Callable[[Any], Any], list[int]]] = {
    "<": (lambda place: place < 2, [1]),
    "<=": (lambda place: place <= 2, [1, 2]),
    ">": (lambda place: place > 2, [3]),
    ">=": (lambda place: place >= 2, [2, 3]),
    "=": (lambda place: place == 2, [2]),
    "!=": (lambda place: place != 2, [1, 3]),
}


@case("E1", each=EDGES)
async def numbers_inside_json_are_compared_at_the_edge(k: Kit, compare: Callable[[Any], Any], found: list[int]) -> None:
    for number in (1, 2, 3):
        await k.store[Sample].create(id=number, data={"n": number, "list": [number]}, counts={"n": number})
    for place in (SAMPLE.data["n"], SAMPLE.data["list"][0], SAMPLE.counts["n"]):
        met = sorted([item.id for item in await k.store[Sample].where(compare(place)).allow_scan().all()])
        assert met == found, place


TEXTS: dict[str, tuple[Callable[[Any], Any], list[int]]] = {
    "<": (lambda place: place < "b", [1]),
    "<=": (lambda place: place <= "b", [1, 2]),
    ">": (lambda place: place > "b", [3]),
    ">=": (lambda place: place >= "b", [2, 3]),
}


@case("E1", each=TEXTS)
async def texts_inside_json_are_compared_at_the_edge(k: Kit, compare: Callable[[Any], Any], found: list[int]) -> None:
    for number, text in enumerate("abc", 1):
        await k.store[Sample].create(id=number, data={"t": text})
    assert sorted([item.id for item in await k.store[Sample].where(compare(SAMPLE.data["t"])).allow_scan().all()]) == found
