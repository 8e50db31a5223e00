"""E6: bytes, empty ones and NUL included."""

from __future__ import annotations

from typing import Any

from holdall.errors import QueryError, UniqueViolation, ValidationError
from holdall.query import desc, is_null, one_of
from holdall.testing.case import case
from holdall.testing.cases.making import how_many, ids, made, numbered
from holdall.testing.kit import Kit
from holdall.testing.models.binary import Blob, BlobKey
from holdall.testing.models.unique_binary import UniqueBinary

LADDER = [
    b"",
    b"\x00",
    b"\x00\x00",
    b"\x00\x01",
    b"\x01",
    b"A",
    b"A\x00",
    b"AA",
    b"B",
    b"a",
    b"\x7f",
    b"\x80",
    b"\xc3\xa9",
    b"\xff",
    b"\xff\xff",
]
CONTENTS: dict[str, bytes] = {
    "empty": b"",
    "NUL": b"\x00",
    "NUL at the end": b"a\x00",
    "NUL before": b"\x00a",
    "all bytes": bytes(range(256)),
    "no text": b"\xff\xfe\x80",
    "text": "\u00e9\U0001f600".encode(),
    "quotes": b"'\"\\\\x00",
    "lines": b"\r\n\n\r",
    "spaces": b" a ",
    "many": bytes(range(256)) * 256,
    "base64": b"AAEC/w==",
    "hex": b"0xff",
}  # fmt: skip


@case("E6", each=CONTENTS)
async def bytes_come_back(k: Kit, content: bytes) -> None:
    blobs = k.store[Blob]
    await blobs.create(id=1, content=content, optional=content)
    read = await blobs.get(1)
    assert (read.content, read.optional, type(read.content)) == (content, content, bytes)
    assert await ids(blobs.where(Blob.content == content)) == [1]
    assert await ids(blobs.where(Blob.content != content)) == []
    assert await blobs.query().column(Blob.optional) == [content]


@case("E6", each={name: content for name, content in CONTENTS.items() if content and len(content) < 300})
async def bytes_are_keys(k: Kit, key: bytes) -> None:
    await made(k, BlobKey, {"id": key, "number": 1}, {"id": key + b"\x00", "number": 2})
    assert (await k.store[BlobKey].get(key)).number == 1
    assert (await k.store[BlobKey].get(key + b"\x00")).number == 2
    with k.refused(UniqueViolation, fields=("id",)):
        await k.store[BlobKey].create(id=key)
    await k.store[BlobKey].delete(await k.store[BlobKey].get(key))
    assert await k.store[BlobKey].query().column(BlobKey.id) == [key + b"\x00"]


@case("E6")
async def bytes_are_ordered_byte_by_byte(k: Kit) -> None:
    await numbered(k, Blob, "content", LADDER)
    blobs = k.store[Blob]
    assert sorted(LADDER) == LADDER
    assert await blobs.query().order_by("content").column(Blob.content) == LADDER
    assert await blobs.query().order_by(desc(Blob.content)).column(Blob.content) == LADDER[::-1]
    walked = [blob.content async for blob in blobs.query().order_by("content").stream(page_rows=2)]
    assert walked == LADDER


@case("E6", each={repr(value): value for value in LADDER})
async def bytes_are_compared_byte_by_byte(k: Kit, value: bytes) -> None:
    await numbered(k, Blob, "content", LADDER)
    place = LADDER.index(value) + 1
    blobs = k.store[Blob]
    assert await ids(blobs.where(Blob.content < value)) == list(range(1, place))
    assert await ids(blobs.where(Blob.content >= value)) == list(range(place, len(LADDER) + 1))
    assert await ids(blobs.where(one_of(Blob.content, [value]))) == [place]


@case("E6", needs="unique")
async def bytes_are_unique_byte_by_byte(k: Kit) -> None:
    await numbered(k, UniqueBinary, "blob", LADDER)
    for value in LADDER:
        with k.refused(UniqueViolation, fields=("blob",)):
            await k.store[UniqueBinary].create(id=99, blob=value)
    assert await how_many(k.store[UniqueBinary]) == len(LADDER)


@case("E6", needs="aggregates")
async def bytes_are_grouped_byte_by_byte(k: Kit) -> None:
    await numbered(k, Blob, "content", LADDER)
    await k.store[Blob].create(id=99, content=b"\x00")
    assert len(await k.store[Blob].query().distinct().values("content")) == len(LADDER)
    assert await k.store[Blob].query().max(Blob.content) == LADDER[-1]
    assert await k.store[Blob].query().min(Blob.content) == b""


@case("E6")
async def empty_bytes_are_not_null(k: Kit) -> None:
    await made(k, Blob, {"id": 1, "optional": b""}, {"id": 2, "optional": None})
    assert await ids(k.store[Blob].where(is_null(Blob.optional))) == [2]
    assert await ids(k.store[Blob].where(Blob.optional == b"")) == [1]


@case("E6")
async def a_change_of_one_byte_is_written(k: Kit) -> None:
    blob = await k.store[Blob].create(id=1, content=b"a\x00")
    for content in (b"a\x01", b"a", b"", b"\x00"):
        blob.content = content
        await k.store[Blob].save(blob)
        assert (await k.store[Blob].get(1)).content == content


@case("E6", each={"bytearray": bytearray(b"a\x00b"), "memoryview": memoryview(b"a\x00b")})
async def other_buffers_become_bytes(k: Kit, buffer: Any) -> None:
    blob = await k.store[Blob].create(id=1, content=buffer)
    assert (blob.content, type(blob.content)) == (b"a\x00b", bytes)
    assert await ids(k.store[Blob].where(Blob.content == buffer)) == [1]


@case("E6")
async def a_buffer_that_changes_later_changes_nothing(k: Kit) -> None:
    buffer = bytearray(b"abc")
    await k.store[Blob].create(id=1, content=buffer)
    buffer[0] = 0
    assert (await k.store[Blob].get(1)).content == b"abc"


@case("E6", each={"text": "abc", "a number": 3, "a list of numbers": [1, 2]})
async def what_is_no_bytes_is_refused(k: Kit, value: Any) -> None:
    with k.refused(ValidationError):
        await k.store[Blob].create(id=1, content=value)
    with k.refused(QueryError):
        k.store[Blob].where(Blob.content == value)
    assert await how_many(k.store[Blob]) == 0


@case("E6")
async def an_empty_key_of_bytes_is_refused(k: Kit) -> None:
    with k.refused(ValidationError):
        await k.store[BlobKey].create(id=b"")
    assert await how_many(k.store[BlobKey]) == 0


@case("E6")
async def length_counts_bytes(k: Kit) -> None:
    await k.store[Blob].create(id=1, short=b"\x00\x00\xff\xff")
    with k.refused(ValidationError):
        await k.store[Blob].create(id=2, short="\u00e9\u00e9a".encode())
    assert await ids(k.store[Blob].query()) == [1]
