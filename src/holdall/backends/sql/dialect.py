"""Dialect: everything that SQL engines say differently, behind one small object.

Owns the interface and the parts that are the same everywhere (nulls last, LIKE-free text tests built from the few functions below).
Must not know drivers or connections. Each SQL backend has one subclass; the builder asks it and never tests for an engine's name.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from holdall.backends.sql.formats import Coder, Format
from holdall.query import Aggregate, Arith
from holdall.schema import Type

Element = ColumnElement[Any]
Typed = tuple[Element, Format]
Bind = Callable[[Coder | None], Element]  # a placeholder for the parameter at hand, under the given encoder


class Dialect(ABC):
    """How one SQL engine spells what the query tree means."""

    name: str
    engine: sa.Dialect
    no_limit: str | None = None  # the LIMIT that must stand before an OFFSET without one; None: none must

    @abstractmethod
    def format(self, type_: Type) -> Format:
        """How a column (or a part of a document) of this type is stored. The same object for the same type."""

    # Text.

    @abstractmethod
    def match(self, op: str, text: Element, format_: Format, bind: Bind) -> Element:
        """A text test of A3 and A4. `bind` makes the placeholder of the sought text; it may be called more than once."""

    # Lists of values.

    @abstractmethod
    def member(self, left: Element, format_: Format, bind: Bind) -> Element:
        """left IN the values of one parameter, which is a tuple of canonical values, never empty. Unknown if left is null."""

    @abstractmethod
    def holds(self, left: Element, type_: Type, item_type: Type, mode: Literal["all", "any"], bind: Bind) -> Element:
        """Whether a stored container holds items, given as one parameter that is a tuple of canonical items."""

    # Documents.

    @abstractmethod
    def part(self, document: Element, root: Type, keys: tuple[str | int, ...], type_: Type) -> Typed:
        """The part, of type `type_`, at the end of `keys` of a stored container of type `root`; null when missing."""

    @abstractmethod
    def json_order(self, left: Element, op: str, right: Element) -> Element:
        """lt, lte, gt or gte between two stored JSON values: unknown unless both are numbers or both are text."""

    # Numbers.

    @abstractmethod
    def arith(self, op: str, left: Typed, right: Typed, node: Arith) -> Typed:
        """left op right, exact; SizeLimit from the engine when the result does not fit."""

    @abstractmethod
    def fit(self, value: Typed, type_: Type) -> Element:
        """A computed value in the stored form of a field of this type; SizeLimit from the engine when it does not fit."""

    @abstractmethod
    def aggregate(self, node: Aggregate, argument: Typed | None) -> Typed:
        """An aggregate with the result types of B4."""

    @abstractmethod
    def mixed_compare(self, op: str, left: Typed, right: Typed) -> Element:
        """A comparison between expressions that are stored differently (int with Decimal, Decimals of different scale)."""

    # Order and time.

    def order(self, element: Element, *, descending: bool, nulls_first: bool, nullable: bool) -> list[Element]:
        """The terms of ORDER BY for one expression."""
        term = element.desc() if descending else element.asc()
        if nullable:
            term = term.nulls_first() if nulls_first else term.nulls_last()
        return [term]

    def same(self, left: Element, right: Element) -> Element:
        """Null-safe equality."""
        return left.is_not_distinct_from(right)

    # Writing.

    @abstractmethod
    def insert_over(self, table: sa.Table, values: dict[str, Any], key: Sequence[str], where: Element) -> Any:
        """INSERT of one row, or UPDATE of all columns of the row with the same key if that meets `where`."""

    @abstractmethod
    def count_up(self, version: Element) -> Element:
        """version + 1; SizeLimit from the engine beyond 64 bit."""

    # Definition.

    def table_options(self) -> dict[str, Any]:
        """Keyword arguments of every sqlalchemy.Table."""
        return {}
