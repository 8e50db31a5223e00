"""A model with a check over two fields, for the cases about transactions."""

from __future__ import annotations

from holdall.model import Key, Model
from holdall.testing.models.naming import named


class Span(Model, table=named("tx_spans"), checks={"in_order": lambda span: span.low <= span.high}):
    """Two numbers in order."""

    id: int = Key(generated=False)
    low: int
    high: int
