"""Stores themselves: ambient use, swapping, known rows, closing, both sides alike."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.store.shop import Customer, Order, Product

from holdall import DeclarationError, Field, Key, Model, NotLoaded, ProgrammingError, Store, UniqueViolation
from holdall.model import AsyncCollection, AsyncQuery, Collection, Query
from holdall.store import AsyncStore


def test_models_use_the_ambient_store(store: Store) -> None:
    with pytest.raises(ProgrammingError, match="without a store"):
        Product.create(name="pen", price=Decimal(1))
    with store:
        pen = Product.create(name="pen", price=Decimal(1))
        pen.price = Decimal(2)
        pen.save()
        assert Product.get(pen.id) == pen
        assert Product.where(Product.price == 2).one() == pen
        with Store("memory:"):
            assert Product.where().count() == 0
        pen.refresh()
        pen.delete()
        assert Product.where().count() == 0


async def test_models_use_the_ambient_store_awaited(store: Store) -> None:
    async with store.aio:
        pen = await Product.aio.create(name="pen", price=Decimal(1))
        pen.price = Decimal(2)
        await pen.aio.save()
        assert await Product.aio.get(pen.id) == pen
        assert [product async for product in Product.aio.where(price=2)] == [pen]
        await pen.aio.delete()
        assert await Product.aio.count() == 0


def test_a_model_can_be_bound_to_its_store() -> None:
    here = Store("memory:")

    class Bound(Model, store=here):
        id: int = Key()
        name: str

    Bound.create(name="x")
    assert here[Bound].count() == 1
    with pytest.raises(ProgrammingError, match="another store"):
        Store("memory:")[Bound].count()


def test_known_rows(store: Store) -> None:
    known = Store("memory:", records={Product: [{"name": "pen", "price": Decimal(1)}, {"name": "ink", "price": Decimal(2)}]})
    assert known[Product].count() == 2
    assert known[Product].where(name="ink").one().price == Decimal(2)


def test_known_rows_that_break_the_rules_are_told_each_time() -> None:
    known = Store("memory:", records={Product: [{"name": "pen", "price": Decimal(1)}, {"name": "pen", "price": Decimal(2)}]})
    for _ in range(2):
        with pytest.raises(UniqueViolation):
            known[Product].count()


def test_threads_that_come_first_together_find_the_known_rows_once() -> None:
    known = Store("memory:", records={Product: [{"name": f"p{n}", "price": Decimal(n)} for n in range(50)]})
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: known[Product].count(), range(8))) == [50] * 8


def test_swapping(store: Store) -> None:
    store[Product].create(name="pen", price=Decimal(1))
    with store.replaced_by("memory:"):
        assert store[Product].count() == 0
        Product.create(name="ink", price=Decimal(1))
    assert store[Product].query().column(Product.name) == ["pen"]


def test_stores_are_isolated_from_each_other() -> None:
    one, two = Store("memory:"), Store("memory:")
    one[Product].create(name="pen", price=Decimal(1))
    assert two[Product].count() == 0


def test_sqlite_keeps_what_was_written(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'kept.db'}"
    first = Store(url)
    pen = first[Product].create(name="pen", price=Decimal("1.10"))
    first.close()
    second = Store(url)
    assert second[Product].get(pen.id) == pen
    second.close()


def test_a_closed_store_says_so(store: Store) -> None:
    store[Product].count()
    store.close()
    store.close()
    with pytest.raises(ProgrammingError, match="closed"):
        store[Product].count()


def test_urls_that_cannot_be() -> None:
    with pytest.raises(DeclarationError, match="Did you mean 'sqlite'"):
        Store("sqllite:///x.db")
    with pytest.raises(DeclarationError, match="not the URL"):
        Store("shop.db")
    with pytest.raises(DeclarationError):
        Store("memory:?nonsense=1")


def test_autoload_is_opt_in_and_batched(tmp_path: Path) -> None:
    store = Store("memory:", autoload=True)
    with store:
        for n in range(3):
            customer = Customer.create(email=f"c{n}@example.com", name=str(n))
            Order.create(customer=customer, total=Decimal(n), placed_at=store.now())
        calls: list[Any] = []
        perform = store._core.perform
        store._core.perform = lambda effect: (calls.append(effect), perform(effect))[1]  # type: ignore[method-assign]
        orders = Order.where().order_by("total").all()
        assert [order.customer.name for order in orders] == ["0", "1", "2"]
        assert len(calls) == 2
    plain = Store("memory:", records={})
    with plain:
        customer = Customer.create(email="a@example.com", name="a")
        Order.create(customer=customer, total=Decimal(1), placed_at=plain.now())
        with pytest.raises(NotLoaded):
            _ = Order.where().one().customer


async def test_autoload_never_blocks_an_event_loop() -> None:
    store = Store("memory:", autoload=True)
    async with store.aio:
        customer = await Customer.aio.create(email="a@example.com", name="a")
        await Order.aio.create(customer_id=customer.id, total=Decimal(1), placed_at=store.now())
        order = await Order.aio.where().one()
        with pytest.raises(NotLoaded, match="event loop"):
            _ = order.customer
        await store.aio.load([order], Order.customer)
        assert order.customer == customer


PAIRS = [(Store, AsyncStore), (Collection, AsyncCollection), (Query, AsyncQuery)]
ONLY_SYNC = {"get_record", "may_block", "run", "arun", "aio", "has_core", "replaced_by", "native"}


@pytest.mark.parametrize(("sync", "other"), PAIRS, ids=lambda cls: cls.__name__)
def test_both_sides_have_the_same_names_and_arguments(sync: type, other: type) -> None:
    def public(cls: type) -> dict[str, Any]:
        return {
            name: list(inspect.signature(member).parameters.values())
            for name, member in inspect.getmembers(cls, inspect.isfunction)
            if not name.startswith("_") and name not in ONLY_SYNC
        }

    names, others = public(sync), public(other)
    assert names.keys() == others.keys()
    for name, parameters in names.items():
        shapes = [[(p.name, p.kind, p.default) for p in side] for side in (parameters, others[name])]
        assert shapes[0] == shapes[1], name


def test_a_relation_to_a_model_of_another_store_is_refused() -> None:
    one, two = Store("memory:"), Store("memory:")

    class Here(Model, store=one):
        id: int = Key()

    with pytest.raises(DeclarationError, match="another store|kept in"):

        class There(Model, store=two):
            id: int = Key()
            here_id: int = Field(references=Here)

        two[There].count()
