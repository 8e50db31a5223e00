"""Reading on every backend, both colours: get, queries through relations, pages, values, aggregates."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.store.shop import Address, Customer, Employee, Line, Order, Product, Status

from holdall import (
    MultipleFound,
    NotFound,
    NotLoaded,
    QueryError,
    desc,
)


async def shop(s: Any) -> dict[str, Any]:
    """Two customers, three orders, some lines."""
    now = s.now()
    ada = await s[Customer].create(email="ada@example.com", name="Ada", address=Address("Main St", "Oslo"))
    bob = await s[Customer].create(email="bob@example.com", name="Böb")
    pen = await s[Product].create(name="pen", price=Decimal("1.10"))
    ink = await s[Product].create(name="ink", price=Decimal("7.00"))
    first = await s[Order].create(customer=ada, total=Decimal("12.50"), placed_at=now, tags=["new", "big"], data={"n": 1})
    second = await s[Order].create(customer=ada, total=Decimal("3.00"), placed_at=now + timedelta(hours=1), status=Status.PAID)
    third = await s[Order].create(customer=bob, total=Decimal("99.99"), placed_at=now + timedelta(hours=2), data={"n": None})
    await s[Line].create_many(
        [
            {"order_id": first.id, "number": 1, "product_id": pen.id, "quantity": 5},
            {"order_id": first.id, "number": 2, "product_id": ink.id, "quantity": 1},
            {"order_id": third.id, "number": 1, "quantity": 3},
        ]
    )
    return {"ada": ada, "bob": bob, "pen": pen, "ink": ink, "orders": [first, second, third]}


async def test_get_gives_an_equal_record_or_none(s: Any) -> None:
    made = await shop(s)
    ada = made["ada"]
    again = await s[Customer].get(ada.id)
    assert again == ada
    assert again is not ada
    assert again.address == Address("Main St", "Oslo")
    assert await s[Customer].get(made["orders"][0].id) is None
    with pytest.raises(QueryError, match="Customer has no such key"):
        await s[Customer].get("not a uuid")


async def test_composite_keys(s: Any) -> None:
    made = await shop(s)
    order = made["orders"][0]
    line = await s[Line].get((order.id, 2))
    assert line.quantity == 1
    assert await s[Line].get((order.id, 9)) is None
    with pytest.raises(QueryError, match="2 parts"):
        await s[Line].get(order.id)
    found = await s[Line].get_many([(order.id, 2), (order.id, 7), (order.id, 1)])
    assert [line and line.quantity for line in found] == [1, None, 5]


async def test_the_north_star_query(s: Any) -> None:
    await shop(s)
    query = s[Order].where(Order.customer.name == "Ada", total__gte=10).order_by(desc(Order.placed_at)).include(Order.customer).limit(20)
    found = await query.all()
    assert [(order.customer.name, order.total) for order in found] == [("Ada", Decimal("12.50"))]


async def test_one_first_last(s: Any) -> None:
    await shop(s)
    by_total = s[Order].query().order_by(Order.total)
    assert (await by_total.first()).total == Decimal("3.00")
    assert (await by_total.last()).total == Decimal("99.99")
    assert await s[Order].where(total=4).first() is None
    assert (await s[Order].where(total=3).one()).status is Status.PAID
    with pytest.raises(NotFound, match="total"):
        await s[Order].where(total=4).one()
    with pytest.raises(MultipleFound):
        await s[Order].where(total__gt=4).one()


async def test_includes_load_in_one_query_per_relation(s: Any, store: Any) -> None:
    await shop(s)
    effects: list[Any] = []
    perform, aperform = store._core.perform, store._core.aperform

    async def acounting(effect: Any) -> Any:
        effects.append(effect)
        return await aperform(effect)

    store._core.perform = lambda effect: (effects.append(effect), perform(effect))[1]
    store._core.aperform = acounting
    customers = await s[Customer].query().order_by("name").include("orders.lines.product", Customer.profile).all()
    assert len(effects) == 5
    ada, bob = customers
    assert sorted(line.quantity for order in ada.orders for line in order.lines) == [1, 5]
    assert {line.product.name for order in ada.orders for line in order.lines} == {"pen", "ink"}
    assert bob.orders[0].lines[0].product is None
    assert bob.profile is None
    assert all(order.customer is ada for order in ada.orders)


async def test_includes_can_be_restricted(s: Any) -> None:
    await shop(s)
    customers = await s[Customer].query().order_by("name").include(Customer.orders, order_by=desc(Order.total), limit=1).all()
    assert [[order.total for order in customer.orders] for customer in customers] == [[Decimal("12.50")], [Decimal("99.99")]]
    customers = await s[Customer].query().order_by("name").include(Customer.orders, where=Order.total > 50).all()
    assert [len(customer.orders) for customer in customers] == [0, 1]


async def test_an_unloaded_relation_raises_and_can_be_loaded(s: Any) -> None:
    await shop(s)
    orders = await s[Order].query().order_by("total").all()
    with pytest.raises(NotLoaded, match=r"include.*load"):
        _ = orders[0].customer
    await s.load(orders, Order.customer)
    assert [order.customer.name for order in orders] == ["Ada", "Ada", "Böb"]
    assert orders[0].customer is orders[1].customer


async def test_trees(s: Any) -> None:
    root = await s[Employee].create(name="root")
    left = await s[Employee].create(name="left", boss=root)
    await s[Employee].create(name="right", boss=root)
    await s[Employee].create(name="leaf", boss=left)
    found = await s[Employee].where(name="root").include("reports.reports").one()
    assert sorted(employee.name for employee in found.reports) == ["left", "right"]
    assert [employee.name for report in found.reports for employee in report.reports] == ["leaf"]
    assert await s[Employee].where(Employee.boss.boss.name == "root").column(Employee.name) == ["leaf"]


async def test_mistakes_are_refused_when_the_query_is_built(s: Any) -> None:
    with pytest.raises(QueryError, match="Did you mean 'total'"):
        s[Order].where(totel__gte=3)
    with pytest.raises(QueryError, match="has no operator"):
        s[Order].where(total__gtee=3)
    with pytest.raises(QueryError, match="cannot be compared"):
        s[Order].where(total="x")
    with pytest.raises(QueryError, match="is_null"):
        s[Order].where(Order.total == None)
    with pytest.raises(QueryError, match="belongs to Customer"):
        s[Order].where(Customer.name == "Ada")
    with pytest.raises(QueryError, match="each"):
        _ = Customer.orders.total
    with pytest.raises(QueryError, match="no order"):
        s[Order].query().order_by(Order.data)
    with pytest.raises(QueryError, match="truth value"):
        bool(Order.total > 3)
    with pytest.raises(AttributeError, match="totel"):
        _ = Order.totel  # type: ignore[attr-defined]


async def test_explain_says_what_would_happen(s: Any) -> None:
    explanation = await s[Order].where(total__gte=3).explain()
    assert explanation.plan == "native"
    assert "total >= Decimal('3.00')" in str(explanation)
    assert explanation.steps
