"""The SQLite dialect: column formats, and what SQL each part of a query becomes.

Owns the table of column formats and the choice between SQLite's own functions and the registered ones of `functions`. Must not know
connections. The formats are a file format: changing one needs a migration (docs/decisions/0020-how-sqlite-stores-values.md).

    kind             column   stored as                                                            order and equality
    str              TEXT     the text, UTF-8                                                      memcmp of UTF-8 = code points
    int              INTEGER  the number
    bool             INTEGER  0 or 1
    float            REAL     the double
    bytes            BLOB     the bytes
    decimal          INTEGER  value * 10**places, when digits <= 18 and places are declared        the number
    decimal          TEXT     sign, count of integer digits, digits: see `decimals`                memcmp of the text
    datetime         TEXT     2013-01-01T05:00:00.000000+00:00, always UTC, always 32 characters   the text
    local_datetime   TEXT     2013-01-01T05:00:00.000000, always 26 characters                     the text
    date             TEXT     2013-01-01                                                           the text
    time             TEXT     05:00:00.000000, always 15 characters                                the text
    timedelta        TEXT     microseconds + 10**20, always 21 digits (its range exceeds 64 bit)   the text
    uuid             BLOB     the 16 bytes                                                         memcmp
    containers       TEXT     schema.container_text                                                equality only
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.dialects.sqlite.base import SQLiteDialect as SASQLite

from holdall.backends.sql.dialect import Bind, Dialect, Element, Typed
from holdall.backends.sql.formats import Format, sql_literal
from holdall.backends.sqlite import coding
from holdall.backends.sqlite.perform.functions import array_of
from holdall.query import Aggregate, Arith
from holdall.schema import CONTAINERS, Type

_COMPARE: dict[str, Callable[[Element, Element], Element]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
    "same": lambda left, right: left.is_not_distinct_from(right),
    "not_same": lambda left, right: left.is_distinct_from(right),
}
_INTEGER_TAGS = ("int", "bool")
ZERO: Element = sa.literal_column("0")
ONE: Element = sa.literal_column("1")


class SQLiteDialect(Dialect):
    """See Dialect."""

    name = "sqlite"
    no_limit = "-1"

    def __init__(self) -> None:
        self.engine = SASQLite(paramstyle="qmark")
        self._formats: dict[int, tuple[Type, Format]] = {}

    def format(self, type_: Type) -> Format:
        found = self._formats.get(id(type_))
        if found is None or found[0] is not type_:
            found = self._formats[id(type_)] = (type_, coding.make_format(type_))
        return found[1]

    # Text.

    def match(self, op: str, text: Element, format_: Format, bind: Bind) -> Element:
        if format_.tag != "str":  # the end of a JSON path: text of a JSON string, null for any other JSON value
            text = sa.func.holdall_json_str(text)
        if op == "like":
            return _infix(text, "GLOB", bind(coding.glob_of_like))
        fold = None
        if op in ("icontains", "istartswith", "iendswith", "iexact"):
            text, fold = sa.func.holdall_casefold(text), str.casefold
            if op == "iexact":
                return text == bind(fold)
            op = op[1:]
        if op == "contains":
            return sa.func.instr(text, bind(fold)) > ZERO
        if op == "startswith":  # a range, so that an index serves it; any BLOB is above any TEXT
            return (text >= bind(fold)) & (text < bind(coding.after_folded if fold else coding.text_after_prefix))
        start = sa.func.length(text) - sa.func.length(bind(fold))
        return (start >= ZERO) & (sa.func.substr(text, start + ONE) == bind(fold))

    # Lists of values.

    def member(self, left: Element, format_: Format, bind: Bind) -> Element:
        coder = format_.operand_coder("eq")

        def encode(values: tuple[Any, ...]) -> Any:
            return array_of(values if coder is None else [coder(value) for value in values], format_.storage.get_col_spec())

        return _infix(left, "IN", sa.func.carray(bind(encode)))

    def holds(self, left: Element, type_: Type, item_type: Type, mode: Literal["all", "any"], bind: Bind) -> Element:
        text = bind(coding.items_coder(item_type))
        return sa.func.holdall_holds(left, text, _constant(mode), _constant(type_.kind)) == ONE

    # Documents.

    def part(self, document: Element, root: Type, keys: tuple[str | int, ...], type_: Type) -> Typed:  # noqa: ARG002  see Dialect
        path = _constant(coding.path_text(keys))
        if type_.kind in CONTAINERS:
            return sa.func.holdall_part(document, path), self.format(type_)
        format_ = coding.make_format(Type("decimal")) if type_.kind == "decimal" else self.format(type_)
        return sa.func.holdall_scalar(document, path, _constant(type_.kind)), format_

    def json_order(self, left: Element, op: str, right: Element) -> Element:
        return _COMPARE[op](sa.func.holdall_json_order(left, right), ZERO)

    # Numbers.

    def arith(self, op: str, left: Typed, right: Typed, node: Arith) -> Typed:
        if node.type.kind == "int":
            return sa.func.holdall_int_arith(_constant(op), left[0], right[0]), self.format(node.type)
        return sa.func.holdall_decimal_arith(_constant(op), _decimal(left), _decimal(right)), coding.DECIMAL_TEXT

    def fit(self, value: Typed, type_: Type) -> Element:
        element, format_ = value
        target = self.format(type_)
        if type_.kind == "decimal":
            digits: Element = sa.literal_column(str(type_.digits or 38))
            if target.tag.startswith("scaled"):
                return sa.func.holdall_fit_scaled(_decimal(value), digits, sa.literal_column(str(type_.places)))
            places: Element = sa.literal_column("NULL" if type_.places is None else str(type_.places))
            return sa.func.holdall_fit_decimal(_decimal(value), digits, places)
        if target.tag == format_.tag:
            return element
        raise AssertionError(f"{format_.tag} cannot be assigned to {target.tag}")

    def aggregate(self, node: Aggregate, argument: Typed | None) -> Typed:
        integer = self.format(coding.INT)
        if argument is None:
            return sa.func.count(), integer
        element, format_ = argument
        one = sa.distinct(element) if node.distinct else element
        if node.fn == "count":
            return sa.func.count(one), integer
        if node.fn in ("min", "max"):
            return getattr(sa.func, node.fn)(element), format_
        if format_.tag == "float":
            return getattr(sa.func, f"holdall_float_{node.fn}")(one), format_
        return self._exact_total(node, one, element, format_)

    def _exact_total(self, node: Aggregate, one: Any, element: Element, format_: Format) -> Typed:
        """sum or avg of int or Decimal. Halves of 32 bits are summed by SQLite itself, which would overflow or round on whole numbers."""
        scaled = format_.tag.startswith("scaled")
        places: Element = sa.literal_column(format_.tag.split(":")[1] if scaled else "0")
        if scaled or format_.tag in _INTEGER_TAGS:
            if node.distinct:
                total: list[Any] = [sa.func.holdall_int_total(one), ZERO]
            else:
                half: Element = sa.literal_column("4294967295")
                total = [sa.func.sum(_infix(element, ">>", sa.literal_column("32"))), sa.func.sum(_infix(element, "&", half))]
            if node.fn == "avg":
                return sa.func.holdall_int_avg(*total, sa.func.count(one), places), coding.DECIMAL_TEXT
            if scaled:
                return sa.func.holdall_scaled_sum(*total, places), coding.decimal_text_format(int(format_.tag.split(":")[1]))
            return sa.func.holdall_int_sum(*total), self.format(coding.INT)
        if node.fn == "avg":
            return sa.func.holdall_decimal_avg(one), coding.DECIMAL_TEXT
        declared = None if node.expr is None else node.expr.type.places
        literal: Element = sa.literal_column("NULL" if declared is None else str(declared))
        return sa.func.holdall_decimal_sum(sa.func.holdall_decimal_total(one), literal), coding.decimal_text_format(declared)

    def mixed_compare(self, op: str, left: Typed, right: Typed) -> Element:
        tags = (left[1].tag, right[1].tag)
        if "float" in tags:
            order = sa.func.holdall_number_order(left[0], _constant(tags[0]), right[0], _constant(tags[1]))
            if op in ("same", "not_same"):
                both_null = left[0].is_(None) & right[0].is_(None)
                same = sa.func.coalesce(order == ZERO, both_null)
                return same if op == "same" else ~same
            return _COMPARE[op](order, ZERO)
        return _COMPARE[op](_decimal(left), _decimal(right))

    def insert_over(self, table: sa.Table, values: dict[str, Any], key: Sequence[str], where: Element) -> Any:
        query = sqlite_insert(table).values(values)
        changed = {name: query.excluded[name] for name in values}
        return query.on_conflict_do_update(index_elements=list(key), set_=changed, where=where)

    def count_up(self, version: Element) -> Element:
        return sa.func.holdall_int_arith(_constant("add"), version, ONE)

    def table_options(self) -> dict[str, Any]:
        return {"sqlite_strict": True}


def _decimal(value: Typed) -> Element:
    """The value as decimal text, whatever exact number it is stored as."""
    element, format_ = value
    if format_.tag == "decimal":
        return element
    places = format_.tag.split(":")[1] if format_.tag.startswith("scaled") else "0"
    return sa.func.holdall_decimal(element, sa.literal_column(places))


def _constant(value: str) -> Element:
    return sa.literal_column(sql_literal(value))


def _infix(left: Element, operator: str, right: Any) -> Element:
    precedence = 15 if operator in (">>", "&") else 5
    return left.op(operator, precedence=precedence, is_comparison=precedence == 5)(right)
