"""Checks over fields that may be null."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.model import Key, Model
from holdall.query import not_, one_of
from holdall.testing.models.naming import named

# The checks of a model are functions of its class; each passes when its condition is not false.
CHECKS: dict[str, Callable[[Any], Any]] = {
    "ends_after_start": lambda span: span.ends > span.starts,
    "not_both_negative": lambda span: not_((span.starts < 0) & (span.ends < 0)),
    "known_colour": lambda span: one_of(span.colour, ["red", "blue"]),
}


class Span(Model, table=named("b_spans"), checks=CHECKS):
    """A range that may be open on either side."""

    id: int = Key(generated=False)
    starts: int | None = None
    ends: int | None = None
    colour: str | None = None


SPAN: Any = Span  # for conditions: to type checkers a field that may be None has no operators
