"""E5: UUIDs, ordered as their 16 bytes whatever their version."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

from holdall.errors import QueryError, UniqueViolation, ValidationError
from holdall.query import agg, between, desc, is_null, one_of
from holdall.testing.case import case
from holdall.testing.cases.making import how_many, ids, made
from holdall.testing.kit import Kit
from holdall.testing.models.binary import Given, Tag
from holdall.testing.models.json_values import Document
from holdall.testing.models.unique_binary import UniqueBinary

# Least to greatest as 16 bytes. Engines that compare by version and time, by words, or with a sign, sort these otherwise.
LADDER: list[UUID] = [
    UUID(int=0),
    UUID(int=1),
    UUID("00000000-0000-0000-8000-000000000000"),
    UUID("0199f1c2-0000-7000-8000-000000000000"),  # version 7
    UUID("0199f1c2-0000-7000-8000-000000000001"),
    UUID("0199f1c3-0000-7000-8000-000000000000"),
    UUID("10000000-0000-1000-8000-000000000000"),  # version 1: the time's low part comes first
    UUID("20000000-0001-1000-8000-000000000000"),
    UUID("30000000-0000-1000-8000-000000000001"),
    UUID("7fffffff-ffff-4fff-bfff-ffffffffffff"),  # version 4, the sign bit clear
    UUID("80000000-0000-4000-8000-000000000000"),  # … and set
    UUID("9f8c6a00-0000-4000-9000-00000000000a"),
    UUID("9f8c6a00-0000-4000-a000-000000000009"),
    UUID(int=2**128 - 1),
]
KINDS: dict[str, UUID] = {
    "nil": UUID(int=0),
    "version 1": uuid.uuid1(node=1, clock_seq=1),
    "version 3": uuid.uuid3(uuid.NAMESPACE_DNS, "a"),
    "version 4": UUID("9f8c6a00-0000-4000-9000-00000000000a"),
    "version 5": uuid.uuid5(uuid.NAMESPACE_DNS, "a"),
    "version 7": UUID("0199f1c2-0000-7000-8000-000000000000"),
    "no version": UUID("12345678-1234-f234-0234-123456789abc"),
    "greatest": UUID(int=2**128 - 1),
}


@case("E5", each=KINDS)
async def uuids_of_every_version_come_back(k: Kit, value: UUID) -> None:
    await k.store[Given].create(id=value, number=1)
    await k.store[Tag].create(other=value)
    read = await k.store[Given].get(value)
    assert (read.id, type(read.id), read.number) == (value, UUID, 1)
    assert [tag.other for tag in await k.store[Tag].where(Tag.other == value).all()] == [value]
    assert await k.store[Given].get(UUID(int=value.int ^ 1)) is None
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[Given].create(id=value)


async def _ladder(k: Kit) -> None:
    """The ladder, inserted in another order; its place is in `number`."""
    order = sorted(range(len(LADDER)), key=lambda place: (place * 5) % len(LADDER))
    await made(k, Given, *({"id": LADDER[place], "number": place} for place in order))


@case("E5")
async def keys_are_ordered_as_bytes(k: Kit) -> None:
    await _ladder(k)
    assert sorted(LADDER, key=lambda value: value.bytes) == LADDER
    assert await ids(k.store[Given].query().order_by("id")) == LADDER
    assert await ids(k.store[Given].query().order_by("-id")) == LADDER[::-1]
    assert (await k.store[Given].query().first()).id == LADDER[0]
    assert (await k.store[Given].query().last()).id == LADDER[-1]


@case("E5")
async def values_are_ordered_as_bytes(k: Kit) -> None:
    for value in reversed(LADDER):
        await k.store[Tag].create(other=value)
    assert await k.store[Tag].query().order_by(Tag.other).column(Tag.other) == LADDER
    assert await k.store[Tag].query().order_by(desc(Tag.other)).column(Tag.other) == LADDER[::-1]


COMPARISONS: dict[str, tuple[Callable[[UUID], Any], Callable[[UUID, UUID], bool]]] = {
    "<": (lambda value: Given.id < value, lambda one, other: one.bytes < other.bytes),
    "<=": (lambda value: Given.id <= value, lambda one, other: one.bytes <= other.bytes),
    ">": (lambda value: Given.id > value, lambda one, other: one.bytes > other.bytes),
    ">=": (lambda value: Given.id >= value, lambda one, other: one.bytes >= other.bytes),
    "==": (lambda value: Given.id == value, lambda one, other: one.bytes == other.bytes),
    "!=": (lambda value: Given.id != value, lambda one, other: one.bytes != other.bytes),
    "between": (lambda value: between(Given.id, LADDER[2], value), lambda one, other: LADDER[2].bytes <= one.bytes <= other.bytes),
    "one of": (lambda value: one_of(Given.id, [value, LADDER[0]]), lambda one, other: one in (other, LADDER[0])),
}


@case("E5", each=COMPARISONS)
async def comparisons_follow_the_bytes(k: Kit, condition: Callable[[UUID], Any], holds: Callable[[UUID, UUID], bool]) -> None:
    await _ladder(k)
    for value in LADDER:
        assert await ids(k.store[Given].where(condition(value))) == [each for each in LADDER if holds(each, value)], value


@case("E5", each={"forward": ("id", 1), "backward": ("-id", -1)})
async def cursors_follow_the_bytes(k: Kit, order: str, step: int) -> None:
    await _ladder(k)
    walked: list[UUID] = []
    cursor = None
    for _ in LADDER:
        page = await k.store[Given].query().order_by(order).page(3, cursor)
        walked += [record.id for record in page]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert walked == LADDER[::step]


@case("E5")
async def the_key_breaks_ties_by_its_bytes(k: Kit) -> None:
    await made(k, Given, *({"id": value, "number": 7} for value in reversed(LADDER)))
    assert await ids(k.store[Given].query().order_by("number")) == LADDER
    page = await k.store[Given].query().order_by("number").page(4)
    assert await ids(k.store[Given].where(Given.id > page.items[-1].id)) == LADDER[4:]


@case("E5", needs="aggregates")
async def extremes_and_groups_follow_the_bytes(k: Kit) -> None:
    await _ladder(k)
    assert (await k.store[Given].query().min(Given.id), await k.store[Given].query().max(Given.id)) == (LADDER[0], LADDER[-1])
    rows = await k.store[Given].query().group_by(Given.id).order_by(desc(Given.id)).values("id", n=agg.count())
    assert rows == [{"id": value, "n": 1} for value in LADDER[::-1]]


@case("E5", needs="unique")
async def unique_uuids_are_compared_as_bytes(k: Kit) -> None:
    for number, value in enumerate(LADDER):
        await k.store[UniqueBinary].create(id=number, uuid=value)
    for value in LADDER:
        with k.refused(UniqueViolation, fields=("uuid",)):
            await k.store[UniqueBinary].create(id=99, uuid=value)
    assert await k.store[UniqueBinary].query().order_by("uuid").column(UniqueBinary.uuid) == LADDER


@case("E5")
async def null_uuids_come_last(k: Kit) -> None:
    await made(k, Tag, {"name": "none"}, {"name": "most", "other": LADDER[-1]})
    assert await k.store[Tag].query().order_by("other").column(Tag.name) == ["most", "none"]
    assert await k.store[Tag].query().order_by("-other").column(Tag.name) == ["most", "none"]
    assert await how_many(k.store[Tag].where(is_null(Tag.other))) == 1


SPELLINGS = ["9F8C6A00-0000-4000-9000-00000000000A", "9f8c6a0000004000900000000000000a", b"\x00" * 16, 10, "{x}"]


@case("E5", each={repr(value): value for value in SPELLINGS})
async def what_is_no_uuid_object_is_refused(k: Kit, value: Any) -> None:
    """Python values are taken as they are: text in another spelling would be another key."""
    with k.refused(QueryError):
        await k.store[Given].get(value)
    with k.refused(QueryError):
        k.store[Given].where(Given.id == value)
    with k.refused(ValidationError):
        await k.store[Given].create(id=value)
    assert await how_many(k.store[Given]) == 0


@case("E5")
async def a_uuid_as_text_in_json_stays_text(k: Kit) -> None:
    text = str(LADDER[3])
    await k.store[Document].create(id=1, data=[text, text.upper()])
    assert (await k.store[Document].get(1)).data == [text, text.upper()]
    assert await ids(k.store[Document].where(Document.data[0] == text.upper())) == []
