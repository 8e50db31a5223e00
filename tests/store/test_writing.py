"""Writing on every backend, both colours: create, save, upsert, delete, set writes, constraints, graphs, expiry, events."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.store.shop import Customer, Line, Note, Order, Product, Status, Trip
from tests.store.test_reading import shop

from holdall import (
    CheckViolation,
    QueryError,
    SizeLimit,
    UniqueViolation,
    ValidationError,
)


async def test_all_problems_at_once_and_nothing_written(s: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        await s[Customer].create(email="nonsense", name="x" * 81)
    assert {problem.path for problem in caught.value.problems} == {("email",), ("name",)}
    assert await s[Customer].count() == 0


async def test_wrong_values_are_caught_at_save(s: Any) -> None:
    made = await shop(s)
    order = made["orders"][0]
    order.total = Decimal("1.001")
    order.status = "nonsense"
    with pytest.raises(ValidationError) as caught:
        await s[Order].save(order)
    assert {problem.path[0] for problem in caught.value.problems} == {"total", "status"}
    assert (await s[Order].get(order.id)).total == Decimal("12.50")


async def test_checks(s: Any) -> None:
    await s[Trip].create(name="a", starts=1, ends=2)
    await s[Trip].create(name="b", starts=1)
    with pytest.raises(CheckViolation) as caught:
        await s[Trip].create(name="c", starts=2, ends=2)
    assert caught.value.constraint == "ends_after_start"
    with pytest.raises(UniqueViolation) as twice:
        await s[Trip].create(name="a", starts=1)
    assert twice.value.fields == ("name", "starts")


async def test_update_and_delete_by_query(s: Any) -> None:
    made = await shop(s)
    assert await s[Order].where(customer__name="Ada").update(total=Order.total * 2 + Decimal("0.01"), status=Status.PAID) == 2
    first = await s[Order].get(made["orders"][0].id)
    assert (first.total, first.status, first.version) == (Decimal("25.01"), Status.PAID, 2)
    with pytest.raises(SizeLimit):
        await s[Order].query().update(total=Order.total * Decimal("0.001"))
    with pytest.raises(CheckViolation):
        await s[Order].query().update(total=Order.total - 1000)
    with pytest.raises(ValidationError):
        await s[Order].query().update(total=Decimal(-1))
    with pytest.raises(QueryError, match="unique"):
        await s[Product].query().update(name=Product.name)
    with pytest.raises(QueryError, match="Did you mean"):
        await s[Order].query().update(totel=3)
    assert await s[Order].where(each_line_of_three()).delete() == 1
    assert await s[Order].count() == 2
    assert await s[Order].where(total=0).delete() == 0


def each_line_of_three() -> Any:
    from holdall import each

    return each(Order.lines).quantity == 3


async def test_default_filters(s: Any) -> None:
    await s[Note].create_many([{"text": "a"}, {"text": "b", "deleted": True}])
    assert await s[Note].count() == 1
    assert await s[Note].query().unfiltered().count() == 2
    assert await s[Note].query().unfiltered("live").count() == 2
    with pytest.raises(QueryError, match="default filter"):
        s[Note].query().unfiltered("nope")


async def test_clear_one_model_or_all(s: Any) -> None:
    await shop(s)
    await s.clear(Line)
    assert await s[Line].count() == 0
    assert await s[Order].count() == 3
    await s.clear()
    assert await s[Customer].count() == 0
