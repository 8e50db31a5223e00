"""JSON that comes as text: what every door (conditions, the command line) reads it with.

Owns what is refused that decoders let through: an object with two members of one name, of which one would be lost without a word (E1).
Also `BadOperand`, what every value that cannot be taken ends in. Must not know types.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

JSON_NESTING_MAX = 100
_CONTAINERS: tuple[type[Any], ...] = (list, dict)  # isinstance with these leaves Any as it is


class BadOperand(ValueError):
    """A value is not of the type asked for; the message says why, without naming the field."""


class NotJson(ValueError):
    """The text is no JSON at all."""


def decode_json(text: str | bytes) -> Any:
    """The value of a JSON text. NotJson if it is none; BadOperand if it names a member twice or is nested too deep."""
    try:
        value: Any = msgspec.json.decode(text)
        if isinstance(value, _CONTAINERS):
            # msgspec keeps the last of two members without a word; the standard library lets us look at them.
            json.loads(text, object_pairs_hook=_pairs, parse_int=_skip, parse_float=_skip)
    except RecursionError:
        raise BadOperand(f"the JSON is nested deeper than {JSON_NESTING_MAX} levels") from None
    except (msgspec.DecodeError, UnicodeError) as error:
        raise NotJson(str(error)) from None
    return value


def _pairs(items: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in items:
        if name in seen:
            raise BadOperand(f"an object has two members named {name[:60]!r}")
        seen.add(name)


def _skip(text: str) -> None:
    """Numbers are of no interest when only names are looked at."""
