"""Writing on every backend, both colours: create, save, upsert, delete, set writes, constraints, graphs, expiry, events."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.store.shop import Customer, Employee, Label, Line, Note, Order, Product, Status, Trip
from tests.store.test_reading import shop

from holdall import (
    CheckViolation,
    ForeignKeyViolation,
    NotFound,
    ProgrammingError,
    QueryError,
    SizeLimit,
    UniqueViolation,
    ValidationError,
    VersionMismatch,
)


async def test_create_fills_keys_versions_and_times(s: Any, clock: Any) -> None:
    made = await shop(s)
    assert made["ada"].id.version == 7
    assert made["pen"].id != made["ink"].id
    assert made["orders"][0].version == 1
    note = await s[Note].create(text="x")
    assert note.created_at == note.updated_at == clock.instant


async def test_all_problems_at_once_and_nothing_written(s: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        await s[Customer].create(email="nonsense", name="x" * 81)
    assert {problem.path for problem in caught.value.problems} == {("email",), ("name",)}
    assert await s[Customer].count() == 0


async def test_save_writes_only_what_changed(s: Any, clock: Any) -> None:
    note = await s[Note].create(text="x")
    clock.forward(minutes=1)
    await s[Note].save(note)
    assert note.updated_at < clock.instant
    note.text = "y"
    await s[Note].save(note)
    assert note.updated_at == clock.instant
    assert (await s[Note].get(note.id)) == note


async def test_wrong_values_are_caught_at_save(s: Any) -> None:
    made = await shop(s)
    order = made["orders"][0]
    order.total = Decimal("1.001")
    order.status = "nonsense"
    with pytest.raises(ValidationError) as caught:
        await s[Order].save(order)
    assert {problem.path[0] for problem in caught.value.problems} == {"total", "status"}
    assert (await s[Order].get(order.id)).total == Decimal("12.50")


async def test_versions_are_compared_and_set(s: Any) -> None:
    made = await shop(s)
    one = await s[Order].get(made["orders"][0].id)
    two = await s[Order].get(made["orders"][0].id)
    one.total = Decimal(1)
    two.total = Decimal(2)
    await s[Order].save(one)
    assert one.version == 2
    with pytest.raises(VersionMismatch):
        await s[Order].save(two)
    with pytest.raises(VersionMismatch):
        await s[Order].delete(two)
    await s[Order].refresh(two)
    assert two.total == Decimal(1)
    two.total = Decimal(2)
    await s[Order].save(two)
    assert (await s[Order].get(two.id)).version == 3


async def test_unique_key_and_reference_violations_change_nothing(s: Any) -> None:
    made = await shop(s)
    with pytest.raises(UniqueViolation) as caught:
        await s[Customer].create(email="ada@example.com", name="Eve")
    assert caught.value.fields == ("email",)
    with pytest.raises(UniqueViolation) as caught:
        await s[Product].create(id=made["pen"].id, name="other", price=Decimal(1))
    assert caught.value.fields == ("id",)
    with pytest.raises(ForeignKeyViolation) as caught_reference:
        await s[Line].create(order_id=made["ada"].id, number=1, quantity=1)
    assert caught_reference.value.fields == ("order_id",)
    with pytest.raises(UniqueViolation):
        await s[Customer].create_many([{"email": "c@example.com", "name": "C"}, {"email": "bob@example.com", "name": "D"}])
    assert await s[Customer].count() == 2


async def test_deleting_follows_the_declared_rule(s: Any) -> None:
    made = await shop(s)
    await s[Product].delete(made["pen"])
    assert await s[Line].where(product_id__is_null=True).count() == 2
    await s[Customer].delete(made["ada"])
    assert await s[Order].count() == 1
    assert await s[Line].count() == 1
    boss = await s[Employee].create(name="boss")
    await s[Employee].create(name="e", boss=boss)
    with pytest.raises(ForeignKeyViolation):
        await s[Employee].delete(boss)
    assert await s[Employee].count() == 2


async def test_deleting_what_is_gone(s: Any) -> None:
    made = await shop(s)
    again = await s[Product].get(made["pen"].id)
    await s[Product].delete(made["pen"])
    with pytest.raises(NotFound):
        await s[Product].delete(again)
    again.price = Decimal(3)
    with pytest.raises(NotFound):
        await s[Product].save(again)
    with pytest.raises(NotFound):
        await s[Product].refresh(again)


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


async def test_upsert(s: Any) -> None:
    one = await s[Product].upsert(by="name", name="pen", price=Decimal(1))
    two = await s[Product].upsert(by="name", name="pen", price=Decimal(2))
    assert two.id == one.id
    assert (await s[Product].get(one.id)).price == Decimal(2)
    three = await s[Product].upsert(by="name", on_conflict="ignore", name="pen", price=Decimal(3))
    assert three.price == Decimal(2)
    with pytest.raises(QueryError, match="unique constraint"):
        await s[Product].upsert(by="price", name="x", price=Decimal(1))
    await s[Product].create(name="ink", price=Decimal(1))
    with pytest.raises(UniqueViolation):
        await s[Product].upsert(id=one.id, name="ink", price=Decimal(1))


async def test_linked_new_records_are_saved_together(s: Any) -> None:
    customer = Customer(email="eve@example.com", name="Eve")
    order = Order(customer=customer, total=Decimal(5), placed_at=s.now())
    order.lines.append(Line(number=1, quantity=2, product=Product(name="pad", price=Decimal(2))))
    await s[Order].save(order)
    found = await s[Customer].where(name="Eve").include("orders.lines.product").one()
    assert found.orders[0].lines[0].product.name == "pad"
    assert order.lines[0].product_id == found.orders[0].lines[0].product_id


async def test_a_graph_that_fails_leaves_nothing(s: Any) -> None:
    await shop(s)
    customer = Customer(email="ada@example.com", name="Eve")
    order = Order(customer=customer, total=Decimal(5), placed_at=s.now())
    with pytest.raises(UniqueViolation):
        await s[Order].save(order)
    assert await s[Order].count() == 3
    customer.email = "eve@example.com"
    await s[Order].save(order)
    assert await s[Order].count() == 4


async def test_cycles_are_written_in_two_steps(s: Any) -> None:
    one, two = Employee(name="one"), Employee(name="two")
    one.boss = two
    two.boss = one
    await s.save_all([one, two])
    found = await s[Employee].where(name="one").include(Employee.boss).one()
    assert found.boss.name == "two"
    assert found.boss.boss_id == found.id


async def test_many_to_many(s: Any) -> None:
    pen = await s[Product].create(name="pen", price=Decimal(1), labels=[Label(id="new"), Label(id="hot")])
    found = await s[Product].where(name="pen").include(Product.labels).one()
    assert sorted(label.id for label in found.labels) == ["hot", "new"]
    found.labels = [label for label in found.labels if label.id == "hot"]
    await s[Product].save(found)
    assert [label.id for label in (await s[Product].query().include("labels").one()).labels] == ["hot"]
    hot = await s[Label].where(id="hot").include("products").one()
    assert [product.id for product in hot.products] == [pen.id]
    assert await s[Product].where(labels__id="hot").count() == 1
    assert await s[Product].where(labels__id="new").count() == 0


async def test_undone_links_are_written_again(s: Any) -> None:
    pen = await s[Product].create(name="pen", price=Decimal(1), labels=[Label(id="new")])
    hot = await s[Label].create(id="hot")
    found = await s[Product].where(name="pen").include(Product.labels).one()
    with pytest.raises(RuntimeError):
        async with s.transaction():
            found.labels = [hot]
            await s[Product].save(found)
            raise RuntimeError
    await s[Product].save(found)
    again = await s[Product].where(id=pen.id).include("labels").one()
    assert [label.id for label in again.labels] == ["hot"]


async def test_default_filters(s: Any) -> None:
    await s[Note].create_many([{"text": "a"}, {"text": "b", "deleted": True}])
    assert await s[Note].count() == 1
    assert await s[Note].query().unfiltered().count() == 2
    assert await s[Note].query().unfiltered("live").count() == 2
    with pytest.raises(QueryError, match="default filter"):
        s[Note].query().unfiltered("nope")


async def test_events(s: Any, store: Any) -> None:
    seen: list[str] = []
    store.on("before_create", Product)(lambda product: seen.append(f"before {product.name}"))
    store.on("after_create_commit", Product)(lambda product: seen.append(f"committed {product.id is not None}"))
    store.on("after_update")(lambda record: seen.append(f"updated {type(record).__name__}"))
    store.on("before_delete", Product)(lambda product: seen.append("deleting"))
    pen = await s[Product].create(name="pen", price=Decimal(1))
    pen.price = Decimal(2)
    await s[Product].save(pen)
    await s[Product].save(pen)
    await s[Product].delete(pen)
    assert seen == ["before pen", "committed True", "updated Product", "deleting"]


async def test_an_event_that_raises_undoes_the_write(s: Any, store: Any) -> None:
    def refuse(product: Product) -> None:
        raise RuntimeError("no")

    store.on("after_create", Product)(refuse)
    with pytest.raises(RuntimeError):
        await s[Product].create(name="pen", price=Decimal(1))
    assert await s[Product].count() == 0


async def test_clear_one_model_or_all(s: Any) -> None:
    await shop(s)
    await s.clear(Line)
    assert await s[Line].count() == 0
    assert await s[Order].count() == 3
    await s.clear()
    assert await s[Customer].count() == 0


async def test_keys_cannot_be_changed(s: Any) -> None:
    made = await shop(s)
    made["pen"].id = 999
    with pytest.raises(ProgrammingError, match="key field 'id'"):
        await s[Product].save(made["pen"])


async def test_hours_are_kept_exactly(s: Any) -> None:
    made = await shop(s)
    found = await s[Order].where(placed_at=made["orders"][1].placed_at).one()
    assert found.placed_at - made["orders"][0].placed_at == timedelta(hours=1)


async def test_an_empty_key_is_refused(s: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        await s[Label].create(id="")
    assert [problem.path for problem in caught.value.problems] == [("id",)]
    assert await s[Label].count() == 0


async def test_an_undone_write_is_written_again(s: Any) -> None:
    pen = await s[Product].create(name="pen", price=Decimal(1))
    ink = Product(name="ink", price=Decimal(1))
    pad = None
    with pytest.raises(RuntimeError):
        async with s.transaction():
            pad = await s[Product].upsert(by="name", name="pad", price=Decimal(1))
            pen.price = Decimal(2)
            await s[Product].save(pen)
            await s[Product].save(ink)
            raise RuntimeError
    await s[Product].save(pen)
    await s[Product].save(ink)
    assert (await s[Product].get(pen.id)).price == Decimal(2)
    assert (await s[Product].get(ink.id)).name == "ink"
    await s[Product].save(pad)
    assert (await s[Product].get(pad.id)).name == "pad"
