"""E2, E4: places inside values that lead nowhere: before the first item, after the last, by a number where names are."""

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
