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
    Q,
    QueryError,
    agg,
    between,
    contains,
    desc,
    each,
    every,
    icontains,
    is_null,
    none,
    not_,
    one_of,
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


CONDITIONS = [
    (lambda: Order.total >= 12, "ac"),
    (lambda: Order.total == Decimal(3), "b"),
    (lambda: Order.total > Decimal("12.499"), "ac"),
    (lambda: Order.total == Decimal("12.501"), ""),
    (lambda: (Order.total < 5) | (Order.customer.name == "Böb"), "bc"),
    (lambda: not_(Order.status == Status.OPEN), "b"),
    (lambda: one_of(Order.status, [Status.PAID]), "b"),
    (lambda: one_of(Order.total, []), ""),
    (lambda: between(Order.total, 3, Decimal("12.5")), "ab"),
    (lambda: Order.customer.name.startswith("B"), "c"),
    (lambda: icontains(Order.customer.name, "BÖ"), "c"),
    (lambda: contains(Order.tags, "big"), "a"),
    (lambda: Order.data["n"] == 1, "a"),
    (lambda: is_null(Order.data["n"]), "b"),
    (lambda: is_null(Order.customer.address), "c"),
    (lambda: Order.customer.address.city == "Oslo", "ab"),
    (lambda: each(Order.lines).quantity >= 3, "ac"),
    (lambda: every(Order.lines).quantity >= 3, "bc"),
    (lambda: none(Order.lines).quantity >= 3, "b"),
    (lambda: each(Order.lines).product.name == "ink", "a"),
    (lambda: is_null(each(Order.lines).product), "c"),
    (lambda: Q(total__lt=5) | Q(customer__name="Böb"), "bc"),
    (lambda: Q(lines__product__price__gt=5), "a"),
    (lambda: Q(customer__orders__total__gt=50), "c"),
    (lambda: Q(status__in=[Status.PAID, Status.OPEN], tags__has="new"), "a"),
]


@pytest.mark.parametrize(("make", "expected"), CONDITIONS, ids=range(len(CONDITIONS)))
async def test_conditions(s: Any, make: Any, expected: str) -> None:
    made = await shop(s)
    letters = {order.id: letter for order, letter in zip(made["orders"], "abc", strict=True)}
    found = await s[Order].where(make()).order_by("placed_at").all()
    assert "".join(letters[order.id] for order in found) == expected
    assert await s[Order].where(make()).count() == len(expected)
    assert await s[Order].where(make()).exists() == bool(expected)


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


async def test_limit_and_offset(s: Any) -> None:
    await shop(s)
    query = s[Order].query().order_by("total")
    assert await query.limit(0).all() == []
    assert [order.total for order in await query.offset(1).limit(1).all()] == [Decimal("12.50")]
    assert await query.offset(10).all() == []
    assert await query.offset(1).count() == 2
    assert await query.limit(2).count() == 2
    with pytest.raises(QueryError, match="negative"):
        query.limit(-1)


async def test_aggregates_and_groups(s: Any) -> None:
    made = await shop(s)
    orders = s[Order].query()
    assert await orders.sum(Order.total) == Decimal("115.49")
    assert await orders.avg(Order.total) == Decimal("38.496666666666666666666666666666666667")
    assert await orders.min(Order.placed_at) == made["orders"][0].placed_at
    assert await orders.max(Order.total) == Decimal("99.99")
    assert await s[Order].where(total=0).sum(Order.total) is None
    by_customer = await (
        orders.group_by(Order.customer.name).having(agg.count() >= 1).order_by("customer.name").values(
            "customer.name", n=agg.count(), total=agg.sum(Order.total)
        )
    )  # fmt: skip
    assert by_customer == [
        {"customer.name": "Ada", "n": 2, "total": Decimal("15.50")},
        {"customer.name": "Böb", "n": 1, "total": Decimal("99.99")},
    ]
    assert await orders.group_by(Order.status).order_by(agg.count()).values("status", n=agg.count()) == [
        {"status": Status.PAID, "n": 1},
        {"status": Status.OPEN, "n": 2},
    ]
    assert await s[Line].query().avg(Line.quantity) == Decimal(3)


async def test_values_distinct_and_column(s: Any) -> None:
    await shop(s)
    assert await s[Order].query().distinct().order_by("status").values("status") == [{"status": Status.OPEN}, {"status": Status.PAID}]
    assert await s[Order].query().order_by("total").column(Order.total) == [Decimal("3.00"), Decimal("12.50"), Decimal("99.99")]
    rows = await s[Order].where(total=3).values("total", who=Order.customer.name, city=Order.customer.address.city)
    assert rows == [{"total": Decimal("3.00"), "who": "Ada", "city": "Oslo"}]


async def test_pages_forward_and_back(s: Any) -> None:
    await s[Product].create_many({"name": f"p{n:03}", "price": Decimal(n % 7)} for n in range(25))
    query = s[Product].query().order_by(desc(Product.price))
    whole = [product.name for product in await query.all()]
    seen, cursor, pages = [], None, []
    while True:
        page = await query.page(7, cursor)
        pages.append(page)
        seen += [product.name for product in page]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == whole
    assert [len(page) for page in pages] == [7, 7, 7, 4]
    back = await query.page(7, pages[2].prev_cursor)
    assert [product.name for product in back] == whole[7:14]
    assert pages[0].prev_cursor is None
    with pytest.raises(QueryError, match="another query"):
        await s[Product].query().order_by("price").page(7, pages[0].next_cursor)
    with pytest.raises(QueryError, match="not a cursor"):
        await query.page(7, "nonsense")


async def test_pages_with_nulls_through_a_relation(s: Any) -> None:
    boss = await s[Employee].create(name="boss")
    for n in range(6):
        await s[Employee].create(name=f"e{n}", boss=boss if n % 2 else None)
    query = s[Employee].query().order_by(Employee.boss.name, desc(Employee.name))
    whole = [employee.name for employee in await query.all()]
    seen, cursor = [], None
    while True:
        page = await query.page(2, cursor)
        seen += [employee.name for employee in page]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == whole == ["e5", "e3", "e1", "e4", "e2", "e0", "boss"][:0] + whole
    assert whole[:3] == ["e5", "e3", "e1"]


async def test_iteration_streams_in_pages(s: Any) -> None:
    await s[Product].create_many({"name": f"p{n:03}", "price": Decimal(1)} for n in range(30))
    names = [product.name async for product in s[Product].query().order_by("name").stream(7)]
    assert names == [f"p{n:03}" for n in range(30)]
    limited = [product.name async for product in s[Product].query().order_by("name").offset(2).limit(10).stream(4)]
    assert limited == [f"p{n:03}" for n in range(2, 12)]
    assert len([product async for product in s[Product].query()]) == 30


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
