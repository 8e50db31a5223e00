"""The parts of the evaluator that chance meets too rarely: every pair of values, every pattern."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import proofs._naive as naive
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.port.entities import BOOK, DECIMAL, INT, JSON, MONEY, STR, book
from tests.port.strategies import POOLS, ref

from holdall.errors import QueryError, SizeLimit
from holdall.query import (
    Aggregate,
    Arith,
    Assignment,
    Column,
    Compare,
    Evaluator,
    FieldRef,
    Match,
    Membership,
    Not,
    Order,
    Related,
    Select,
    Value,
    key_ref,
)
from holdall.query.functions import like
from holdall.query.reductions import avg_decimal, avg_float, avg_int, cut_pass, sort_pass, sum_float, sum_int
from holdall.schema import JSON_NULL, Entity, Field, Type, container_text

EVALUATOR = Evaluator()
OPS = ["eq", "ne", "lt", "lte", "gt", "gte", "same", "not_same"]


@pytest.mark.parametrize("text", ["", "a", "ab", "a%", "_", "\\", "a\nb", "é", "a\\b", "%_"])
def test_like_over_every_short_pattern(text: str) -> None:
    for length in range(4):
        for parts in itertools.product("a%_\\b", repeat=length):
            pattern = "".join(parts)
            assert (like(pattern)(text) is not None) == naive.like(text, pattern), (text, pattern)


@pytest.mark.parametrize("name", ["meta", "tags", "langs", "counts", "size", "isbn", "in_print", "price"])
@pytest.mark.parametrize("op", OPS)
def test_every_pair_of_values(name: str, op: Any) -> None:
    field = BOOK.by_name[name]
    if not field.type.orderable and op in ("lt", "lte", "gt", "gte") and name != "meta":
        return
    rows = [book(**{name: value}) for value in [*POOLS[name], *([None] if field.nullable else [])]]
    reader = naive.Naive({BOOK: rows})
    left = key_ref(BOOK, name)
    for value in [*POOLS[name], *([None] if op in ("same", "not_same") else [])]:
        for node in (Compare(left, op, Value(value, field.type)), Not(Compare(Value(value, field.type), op, left))):
            assert EVALUATOR.filter(BOOK, node, rows) == [r for r in rows if reader.test(node, r) is True], (value, node)


@pytest.mark.parametrize("op", OPS)
def test_two_json_paths_of_one_row(op: Any) -> None:
    rows = [book(meta={"a": a, "b": b}) for a, b in itertools.product(map(_inside, POOLS["meta"]), repeat=2)]
    rows += [book(meta=None), book(meta={}), book(meta={"b": None})]
    node = Compare(ref(BOOK, "meta", "a", type=JSON), op, ref(BOOK, "meta", "b", type=JSON))
    reader = naive.Naive({BOOK: rows})
    for condition in (node, Not(node)):
        assert EVALUATOR.filter(BOOK, condition, rows) == [r for r in rows if reader.test(condition, r) is True]


def _inside(value: Any) -> Any:
    return None if value is JSON_NULL else value


def test_true_is_not_one_inside_json() -> None:
    rows = [book(meta=[True]), book(meta=[1])]
    for node in (
        Compare(key_ref(BOOK, "meta"), "eq", Value([1], JSON)),
        Membership(key_ref(BOOK, "meta"), ([1],), JSON),
        Compare(key_ref(BOOK, "meta"), "same", Value([1], JSON)),
    ):
        assert EVALUATOR.filter(BOOK, node, rows) == rows[1:]


@pytest.mark.parametrize("op", ["contains", "startswith", "endswith", "icontains", "istartswith", "iendswith", "iexact"])
def test_texts_with_every_text(op: Any) -> None:
    texts = [*POOLS["title"], "SS", "%", "_", "\\", "i̇"]
    rows = [book(isbn=text) for text in [*texts, None]]
    reader = naive.Naive({BOOK: rows})
    for text in texts:
        for node in (Match(key_ref(BOOK, "isbn"), op, text), Not(Match(key_ref(BOOK, "isbn"), op, text))):
            assert EVALUATOR.filter(BOOK, node, rows) == [r for r in rows if reader.test(node, r) is True], (text, node)


@settings(deadline=None)
@given(st.lists(st.tuples(st.none() | st.integers(0, 9), st.integers()), max_size=60), st.booleans(), st.booleans(), st.integers(0, 9))
def test_cutting_before_sorting_changes_nothing(rows: Any, descending: bool, nulls_first: bool, keep: int) -> None:
    for nulls, given_rows in ((nulls_first, rows), (None, [r for r in rows if r[0] is not None])):
        args = (lambda r: r[0], descending, nulls)
        whole = sort_pass(list(given_rows), *args)
        assert sort_pass(cut_pass(list(given_rows), *args, keep), *args)[:keep] == whole[:keep]
    assert len(cut_pass([(n,) for n in range(100)], lambda r: r[0], descending, None, 2)) == 2, "nothing was cut"


def test_sums_are_exact_or_refused() -> None:
    assert sum_int([2**63 - 1, 1, -1]) == 2**63 - 1
    with pytest.raises(SizeLimit):
        sum_int([2**63 - 1, 1])
    assert sum_float([0.1] * 10) == 1.0
    assert avg_float([0.1] * 10) == 0.1
    with pytest.raises(SizeLimit):
        sum_float([1e308, 1e308])
    assert str(avg_int([1, 2])) == "1.5"
    assert str(avg_int([100])) == "100"
    assert str(avg_decimal([Decimal("1.10"), Decimal("1.30")])) == "1.2"
    assert str(avg_int([1, 1, 0])) == "0." + "6" * 37 + "7"
    assert avg_int([2**63 - 1, 2**63 - 1]) == 2**63 - 1


def _total(name: str, *values: Any) -> Any:
    rows = [book(**{name: value}) for value in values]
    field = BOOK.by_name[name]
    select = Select(BOOK, columns=(Column("total", Aggregate("sum", key_ref(BOOK, name), False, field.type)),))
    return EVALUATOR.run(select, rows)[0][0]


def test_sum_of_decimals_keeps_the_places_of_the_field() -> None:
    assert str(_total("price", Decimal("0.50"), Decimal("0.50"))) == "1.00"
    assert str(_total("weight", Decimal("0.5"), Decimal("0.5"))) == "1"
    with pytest.raises(SizeLimit):
        _total("weight", Decimal(10) ** 37 * 9, Decimal(10) ** 37 * 9)


def _assign(name: str, expr: Any, row: Any) -> Any:
    position = BOOK.by_name[name].position
    return EVALUATOR.assign(BOOK, [Assignment(position, expr)], [row], True)[0]


def test_arithmetic_is_exact_or_refused() -> None:
    price, pages, version = (key_ref(BOOK, name) for name in ("price", "pages", "version"))
    changed = _assign("price", Arith("add", price, Value(Decimal("0.5"), DECIMAL), DECIMAL), book(price=Decimal("1.00"), version=4))
    assert str(changed[BOOK.by_name["price"].position]) == "1.50"
    assert changed[BOOK.by_name["version"].position] == 5
    changed = _assign("price", Arith("mul", price, pages, DECIMAL), book(price=Decimal("1.05"), pages=3))
    assert str(changed[BOOK.by_name["price"].position]) == "3.15"
    assert _assign("pages", Arith("sub", pages, version, INT), book(pages=None))[BOOK.by_name["pages"].position] is None
    for name, expr, row in (
        ("price", Arith("mul", price, Value(Decimal("0.1"), DECIMAL), DECIMAL), book(price=Decimal("1.05"))),
        ("price", Arith("mul", price, Value(10**6, INT), DECIMAL), book(price=Decimal("99999.00"))),
        ("pages", Arith("add", pages, Value(1, INT), INT), book(pages=2**63 - 1)),
        ("weight", Arith("mul", price, Value(Decimal("1E-38"), DECIMAL), DECIMAL), book(price=Decimal("1.05"))),
    ):
        with pytest.raises(SizeLimit):
            _assign(name, expr, row)


def test_what_has_no_one_value_per_group_is_refused() -> None:
    count = Column("n", Aggregate("count", None, False, INT))
    with pytest.raises(QueryError, match="'title' is neither grouped nor aggregated"):
        EVALUATOR.run(Select(BOOK, columns=(count, Column("title", key_ref(BOOK, "title")))), [])
    with pytest.raises(QueryError, match="cannot stand here"):
        EVALUATOR.run(Select(BOOK, where=Compare(count.expr, "gt", Value(1, INT))), [])
    inner = Compare(key_ref(BOOK, "title"), "eq", Value("x", STR))
    with pytest.raises(QueryError, match="having"):
        EVALUATOR.run(Select(BOOK, columns=(count,), having=Related((), BOOK.relations["reviews"], "any", inner)), [])


def test_equal_shapes_with_other_operands_share_no_answers() -> None:
    pages = key_ref(BOOK, "pages")
    rows = [book(pages=1), book(pages=2)]

    def sums(first: int, second: int) -> Any:
        exprs = [Arith("mul", pages, Value(n, INT), INT) for n in (first, second)]
        return EVALUATOR.run(
            Select(BOOK, columns=tuple(Column(str(n), Aggregate("sum", e, False, INT)) for n, e in enumerate(exprs))), rows
        )

    assert sums(2, 2) == [(6, 6)]
    assert sums(2, 3) == [(6, 9)]

    def grouped(first: int, second: int) -> Any:
        key, column = (Arith("add", pages, Value(n, INT), INT) for n in (first, second))
        return EVALUATOR.run(Select(BOOK, columns=(Column("n", column),), group_by=(key,), order=(Order(key),)), rows)

    assert grouped(1, 1) == [(2,), (3,)]
    with pytest.raises(QueryError):
        grouped(1, 2)


def test_decimals_inside_containers_are_equal_whatever_zeros_they_were_written_with() -> None:
    prices = Type("list", item=Type("decimal", places=2))
    shop = Entity("Shop", "shops", (Field("id", "id", INT, 0), Field("prices", "prices", prices, 1)), ("id",))
    ref = key_ref(shop, "prices")
    operand = prices.check([Decimal("1.1")])
    assert container_text(prices, operand) == '["1.10"]'
    rows = [(1, (Decimal("1.10"),)), (2, (Decimal("1.11"),))]
    assert EVALUATOR.filter(shop, Compare(ref, "eq", Value(operand, prices)), rows) == rows[:1]
    assert MONEY.check(Decimal("1.005")) == Decimal("1.005"), "more places than the field is a fair question"


def test_the_source_can_be_read() -> None:
    node = Compare(key_ref(BOOK, "pages"), "gte", Value(30, INT))
    compiled, params = EVALUATOR.condition(BOOK, node)
    assert "[r for r in rows if (r[5] is not None and r[5] >= p0)]" in compiled.source
    assert params == [30]
    assert "30" not in compiled.source


def test_paths_that_types_do_not_have() -> None:
    with pytest.raises(QueryError, match="no part"):
        EVALUATOR.filter(BOOK, Compare(FieldRef(BOOK, (), BOOK.by_name["size"], ("height",), INT), "eq", Value(1, INT)), [])
