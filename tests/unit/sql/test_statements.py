"""Statements: made once per shape, bound and decoded by generated code, within the limits of the engine's parser."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.port.entities import ALL, AUTHOR, BOOK, DECIMAL, EMPLOYEE, INT, LABEL, STR, author, book, row
from tests.port.strategies import conditions, datasets
from tests.unit.query.tables import ListTables
from tests.unit.sqlite.rows import Loose

from holdall.backends.sql.checks import check_texts
from holdall.backends.sql.formats import Format, Slot, Storage, binder, rows_decoder, rows_encoder, sql_literal
from holdall.backends.sqlite.dialect import SQLiteDialect
from holdall.errors import DeclarationError, QueryError
from holdall.query import (
    Aggregate,
    And,
    Column,
    Compare,
    Evaluator,
    Membership,
    Not,
    Or,
    Order,
    Select,
    Value,
    key_ref,
)
from holdall.schema import Check, Entity, EntityRef, Relation

LOOSE = Loose(ALL)
TEXT = Storage("TEXT")


def rank(op: Any, value: int) -> Compare:
    return Compare(key_ref(LABEL, "rank"), op, Value(value, INT))


def test_one_statement_per_shape() -> None:
    plans = [LOOSE.backend.plan(Select(LABEL, rank("gt", n))) for n in range(3)]
    statements = {id(plan.prepared[0]) for plan in plans}  # type: ignore[union-attr]
    assert len(statements) == 1
    assert plans[0].steps == ("SELECT t1.name, t1.rank \nFROM labels AS t1 \nWHERE t1.rank > ?",)
    assert [plan.prepared[1] for plan in plans] == [[0], [1], [2]]  # type: ignore[union-attr]
    assert LOOSE.backend.plan(Select(LABEL, rank("lt", 0))).prepared[0] is not plans[0].prepared[0]  # type: ignore[union-attr]


def test_lists_of_values_do_not_change_the_shape() -> None:
    ref = key_ref(LABEL, "rank")
    plans = [LOOSE.backend.plan(Select(LABEL, Membership(ref, tuple(range(n)), INT))) for n in (1, 5, 50_000)]
    assert len({id(plan.prepared[0]) for plan in plans}) == 1  # type: ignore[union-attr]


def test_the_cache_is_bounded() -> None:
    from holdall.query import FieldRef, IsNull

    meta = BOOK.by_name["meta"]
    for n in range(3000):
        LOOSE.backend.plan(Select(BOOK, IsNull(FieldRef(BOOK, (), meta, (f"k{n}",), meta.type))))
    assert len(LOOSE.backend._selects._made) <= 1024


def test_long_chains_and_lists() -> None:
    LOOSE.fill({LABEL: [row(LABEL, name=f"n{n}", rank=n) for n in range(3000)]})
    many = Or(tuple(rank("eq", n) for n in range(0, 3000, 2)))
    assert len(LOOSE.select(Select(LABEL, many))) == 1500
    assert len(LOOSE.select(Select(LABEL, Not(And(tuple(rank("ne", n) for n in range(1, 2400))))))) == 2399
    values = tuple(range(-50_000, 2_000))
    assert len(LOOSE.select(Select(LABEL, Membership(key_ref(LABEL, "rank"), values, INT)))) == 2000
    names = tuple(f"n{n}" for n in range(40_000))
    assert len(LOOSE.select(Select(LABEL, Membership(key_ref(LABEL, "name"), names, STR, negated=True)))) == 0
    found = LOOSE.run(LOOSE.backend.fetch(LABEL, names, None, None, None))
    assert [r and r[1] for r in found[2998:3002]] == [2998, 2999, None, None]


def test_decimals_in_lists() -> None:
    LOOSE.fill({BOOK: [book(price=Decimal(n), weight=Decimal(n)) for n in range(5)]})
    for name in ("price", "weight"):
        values = (Decimal("1.005"), Decimal(3), Decimal("9" * 30))
        found = LOOSE.select(Select(BOOK, Membership(key_ref(BOOK, name), values, DECIMAL)))
        assert [r[4] for r in found] == [Decimal("3.00")]
        assert len(LOOSE.select(Select(BOOK, Membership(key_ref(BOOK, name), values[:1], DECIMAL, negated=True)))) == 5


def test_every_shape_of_expression_is_decoded() -> None:
    LOOSE.fill({BOOK: [book(price=Decimal("99999999.99")) for n in range(3)]})
    price = key_ref(BOOK, "price")
    columns = tuple(Column(fn, Aggregate(fn, price, False, DECIMAL)) for fn in ("sum", "avg", "min", "max"))  # type: ignore[arg-type]
    ((total, mean, least, most),) = LOOSE.select(Select(BOOK, columns=columns))
    assert [str(value) for value in (total, mean, least, most)] == ["299999999.97", "99999999.99", "99999999.99", "99999999.99"]


def test_ungrouped_fields_are_refused() -> None:
    columns = (Column("n", Aggregate("count", None, False, INT)), Column("name", key_ref(LABEL, "name")))
    with pytest.raises(QueryError, match="neither grouped nor aggregated"):
        LOOSE.backend.plan(Select(LABEL, columns=columns))


def test_a_to_one_side_that_nothing_makes_unique() -> None:
    """Several rows may claim the place: one of them stands for all, and no row of the owner is doubled."""
    here = EntityRef("Employee", lambda: EMPLOYEE)
    relation = Relation("report", "has_one", here, here, ("id",), ("boss_id",),
                        optional=True)  # fmt: skip
    LOOSE.fill({EMPLOYEE: [(1, "a", None), (2, "b", 1), (3, "c", 1), (4, "d", 2)]})
    from holdall.query import FieldRef

    name = FieldRef(EMPLOYEE, (relation,), EMPLOYEE.by_name["name"], (), STR)
    columns = (Column("id", key_ref(EMPLOYEE, "id")), Column("name", name))
    found = LOOSE.select(Select(EMPLOYEE, columns=columns, order=(Order(key_ref(EMPLOYEE, "id")),)))
    assert found == [(1, "b"), (2, "d"), (3, None), (4, None)]


def test_no_round_trip_where_nothing_can_match() -> None:
    from holdall.query import FALSE

    for select in (Select(LABEL, FALSE), Select(LABEL, limit=0)):
        plan = LOOSE.backend.plan(select)
        assert list(LOOSE.backend.select(plan, None)) == []  # type: ignore[arg-type]  # yields no effect


def test_generated_coders() -> None:
    upper = Format("up", TEXT, str.upper, str.lower)
    plain = Format("str", TEXT)
    encode, decode = rows_encoder([(upper, True), (plain, False)]), rows_decoder([(upper, True), (plain, False)])
    assert encode([("a", "b"), (None, "c")]) == [("A", "b"), (None, "c")]
    assert decode(iter([("A", "b"), (None, "c")])) == [("a", "b"), (None, "c")]
    assert "None if v0 is None" in decode.__source__  # type: ignore[attr-defined]
    assert rows_decoder([(plain, True)]) is list
    bind = binder([Slot(1, str.upper), Slot(None, None, 7), Slot(0)])
    assert bind(["x", "y"]) == ("Y", 7, "x")
    assert binder([])([]) == ()


def test_literals() -> None:
    assert [sql_literal(v) for v in (None, 1, -1.5, "it's", b"\x00\xff")] == ["NULL", "1", "-1.5", "'it''s'", "X'00ff'"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(datasets, conditions())
def test_checks_mean_what_conditions_mean(data: Any, condition: Any) -> None:
    entity = Entity("Book", "books", BOOK.fields, BOOK.key, checks=(Check("c", lambda: condition),), relations=BOOK.relations)
    try:
        ((_, text),) = check_texts(entity, SQLiteDialect())
    except DeclarationError:
        return  # it follows relations
    LOOSE.fill({BOOK: data[BOOK]})
    _, found = LOOSE.run(LOOSE.backend.raw(f"SELECT id, ({text}) FROM books", (), None))
    compiled, params = Evaluator().condition(BOOK, condition)
    tables = ListTables(data)
    true, false = ({r[0] for r in get(data[BOOK], params, tables)} for get in (compiled.true, compiled.false))
    for id_, value in found:
        key = uuid.UUID(bytes=id_)
        assert value == (1 if key in true else 0 if key in false else None), text


def test_checks_that_sql_cannot_say_are_kept_all_the_same() -> None:
    from holdall.backends import Insert
    from holdall.backends.sqlite import SQLiteBackend
    from holdall.errors import CheckViolation
    from holdall.program import run
    from holdall.query import Match

    entity = Entity("Author", "authors", AUTHOR.fields, AUTHOR.key,
                    checks=(Check("no_ss", lambda: Not(Match(key_ref(AUTHOR, "name"), "icontains", "SS"))),))  # fmt: skip
    backend = SQLiteBackend(None)
    run(backend.ensure_schema([entity]), backend.perform)
    run(backend.apply([Insert(entity, [author(1, name="Strauss-less"[:4])])], "atomic", None, None), backend.perform)
    with pytest.raises(CheckViolation) as caught:
        run(backend.apply([Insert(entity, [author(2, name="Groß")])], "atomic", None, None), backend.perform)
    assert caught.value.fields == ("name",)
    run(backend.close(), backend.perform)
