"""Cursors: an opaque text for a place in a sorted result, bound to its query (H3).

A cursor holds the direction and the values of the order terms (key included) of the row next to which it stands. It needs no state in
the store and is stable under concurrent writes. Signing is for outer layers that hand cursors to strangers: they pass a secret.
"""

from __future__ import annotations

import base64
from typing import Any, Literal

import msgspec

from holdall.errors import QueryError
from holdall.query.describe import fingerprint
from holdall.query.nodes import Order
from holdall.query.select import Select
from holdall.schema import from_plain, plain

Direction = Literal["next", "prev"]


class Place(msgspec.Struct, frozen=True):
    """Where a page begins: beyond the row with these order values, forward or backward."""

    direction: Direction
    values: tuple[Any, ...]


def write_cursor(select: Select, order: tuple[Order, ...], place: Place, secret: bytes = b"") -> str:
    """The opaque text of a place in the result of `select` under `order` (with the key tie-break)."""
    values = [None if value is None else [plain(item.expr.type, value)] for item, value in zip(order, place.values, strict=True)]
    body = msgspec.json.encode([fingerprint(select), place.direction, values])
    return _text(_sign(body, secret) + body)


def read_cursor(select: Select, order: tuple[Order, ...], text: str, secret: bytes = b"") -> Place:
    """The place that a text stands for; QueryError if it is no cursor, or one of another query."""
    import hmac

    bad = QueryError("This is not a cursor that was given out here.", name="cursor", kind="bad_value", hint="Start at the first page.")
    if type(text) is not str:
        raise bad
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if _text(raw) != text:  # the decoder passes over what is not base64
            raise bad
        signature, body = raw[:12], raw[12:]
        if not hmac.compare_digest(signature, _sign(body, secret)):
            raise bad
        mark, direction, values = msgspec.json.decode(body, type=tuple[str, Direction, list[Any]])
        if mark != fingerprint(select) or len(values) != len(order):
            raise QueryError(
                "This cursor belongs to another query.", name="cursor", kind="bad_value",
                hint="Keep conditions and order as they were; only the limit may change.",
            )  # fmt: skip
        found = tuple(None if value is None else from_plain(item.expr.type, value[0]) for item, value in zip(order, values, strict=True))
    except (ValueError, msgspec.DecodeError, TypeError, IndexError):
        raise bad from None
    return Place(direction, found)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _sign(body: bytes, secret: bytes) -> bytes:
    import hashlib

    return hashlib.blake2b(body, digest_size=12, key=secret[:64]).digest()
