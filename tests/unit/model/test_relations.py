"""Relations: what the schema says of them, and that both sides stay consistent in memory."""

from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from holdall import BelongsTo, Field, HasMany, HasOne, Key, ManyToMany, Model, NotLoaded, ProgrammingError, ValidationError
from holdall.model import linked_models, model_of


class Customer(Model):
    id: UUID = Key()
    name: str = ""
    orders: list[Order] = HasMany("customer")
    profile: Profile | None = HasOne()


class Profile(Model):
    id: UUID = Key()
    customer_id: UUID = Field(references=Customer, unique=True, on_delete="cascade")
    customer: Customer = BelongsTo("customer_id")


class Order(Model):
    id: UUID = Key()
    customer_id: UUID
    customer: Customer = BelongsTo("customer_id")
    total: Decimal = Decimal(0)
    lines: list[Line] = HasMany()


class Product(Model):
    id: int = Key()
    name: str = ""
    labels: list[Label] = ManyToMany()


class Label(Model):
    id: str = Key()
    products: list[Product] = ManyToMany()


class Line(Model):
    order_id: UUID = Key(references=Order, on_delete="cascade")
    number: int = Key()
    order: Order = BelongsTo("order_id")
    product_id: int | None = Field(default=None, references=Product, on_delete="set_null")
    product: Product | None = BelongsTo("product_id")


class Employee(Model):
    id: int = Key()
    boss_id: int | None = None
    boss: Employee | None = BelongsTo("boss_id")
    reports: list[Employee] = HasMany("boss")
    friends: list[Employee] = ManyToMany()


class Match(Model):
    id: int = Key()
    home_id: int
    home: Team = BelongsTo("home_id")
    away_id: int
    away: Team = BelongsTo("away_id")


class Team(Model):
    id: int = Key()
    at_home: list[Match] = HasMany("home")
    guests: list[Match] = HasMany("away_id")


class Student(Model):
    id: int = Key()
    courses: list[Course] = ManyToMany(through="Enrolment")


class Course(Model):
    id: int = Key()
    students: list[Student] = ManyToMany(through="Enrolment")


class Enrolment(Model):
    student_id: int = Key(references=Student)
    course_id: int = Key(references=Course)
    grade: int | None = None


def read(record: Any) -> Any:
    """The same record as if read from a store."""
    row = type(record).__freeze__(record)
    return type(record).__build__(row)


# The schema


def described(model: Any) -> dict[str, Any]:
    return {
        name: (relation.kind, relation.target.entity.name, relation.local, relation.remote, relation.optional, relation.inverse)
        for name, relation in model.__entity__.relations.items()
    }


def test_what_the_schema_says() -> None:
    assert described(Customer) == {
        "orders": ("has_many", "Order", ("id",), ("customer_id",), False, "customer"),
        "profile": ("has_one", "Profile", ("id",), ("customer_id",), True, "customer"),
    }
    assert described(Line) == {
        "order": ("belongs_to", "Order", ("order_id",), ("id",), False, "lines"),
        "product": ("belongs_to", "Product", ("product_id",), ("id",), True, None),
    }
    assert described(Team) == {
        "at_home": ("has_many", "Match", ("id",), ("home_id",), False, "home"),
        "guests": ("has_many", "Match", ("id",), ("away_id",), False, "away"),
    }
    assert described(Employee)["boss"] == ("belongs_to", "Employee", ("boss_id",), ("id",), True, "reports")
    assert described(Employee)["friends"] == ("many_to_many", "Employee", ("id",), ("id",), False, None)
    for model in (Customer, Line, Team, Employee, Student, Product):
        model.__linked__()


def test_references_written_and_implied() -> None:
    (implied,) = Order.__entity__.references
    assert (implied.fields, implied.target.entity, implied.target_fields, implied.on_delete) == (
        ("customer_id",), Customer.__entity__, ("id",), "restrict",
    )  # fmt: skip
    assert [(each.fields, each.on_delete) for each in Line.__entity__.references] == [
        (("order_id",), "cascade"),
        (("product_id",), "set_null"),
    ]


def test_the_hidden_link_is_made_once_for_both_sides() -> None:
    here, there = Product.__entity__.relations["labels"], Label.__entity__.relations["products"]
    assert here.through is not None
    assert there.through is not None
    link = here.through.entity
    assert there.through.entity is link
    assert (here.through_local, here.through_remote) == (there.through_remote, there.through_local)
    assert (here.inverse, there.inverse) == ("products", "labels")
    assert link.key == ("label_id", "product_id")
    assert [field.type.kind for field in link.fields] == ["str", "int"]
    assert [(each.fields, each.target.entity, each.on_delete) for each in link.references] == [
        (("label_id",), Label.__entity__, "cascade"),
        (("product_id",), Product.__entity__, "cascade"),
    ]
    friends = Employee.__entity__.relations["friends"]
    assert (friends.through_local, friends.through_remote) == (("from_employee_id",), ("to_employee_id",))
    with pytest.raises(LookupError):
        model_of(link)


def test_through_a_model() -> None:
    courses, students = Student.__entity__.relations["courses"], Course.__entity__.relations["students"]
    assert courses.through is not None
    assert courses.through.entity is Enrolment.__entity__
    assert (courses.through_local, courses.through_remote, courses.inverse) == (("student_id",), ("course_id",), "students")
    assert (students.through_local, students.through_remote) == (("course_id",), ("student_id",))
    student = Student(id=1)
    with pytest.raises(ProgrammingError, match="goes through Enrolment, which has data of its own"):
        student.courses.append(Course(id=2))


def test_linked_models_are_all_that_can_be_reached() -> None:
    assert {Student, Course, Enrolment} <= set(linked_models(Student))
    assert model_of(Student.__entity__) is Student


# Reading


def test_what_is_not_loaded_says_how_to_load_it() -> None:
    customer = read(Customer())
    for name in ("orders", "profile"):
        with pytest.raises(
            NotLoaded, match=rf"(?s)Customer\.{name}.*include\(Customer\.{name}\).*store\.load\(records, Customer\.{name}\)"
        ):
            getattr(customer, name)
    order = read(Order(customer=Customer()))
    with pytest.raises(NotLoaded):
        _ = order.customer
    with pytest.raises(NotLoaded):
        customer.orders = []
    with pytest.raises(NotLoaded):
        customer.profile = None
    assert not hasattr(order, "customer")


def test_a_null_reference_needs_no_loading() -> None:
    assert read(Employee(id=1)).boss is None


def test_new_records_have_all_their_children_in_memory() -> None:
    customer = Customer()
    assert customer.orders == []
    assert customer.profile is None
    assert Product().labels == []


# Consistency


def test_belongs_to_keeps_both_sides() -> None:
    ada, bob = Customer(name="Ada"), Customer(name="Bob")
    order = Order(customer=ada)
    assert order.customer is ada
    assert order.customer_id == ada.id
    assert ada.orders == [order]
    order.customer = bob
    assert order.customer_id == bob.id
    assert (ada.orders, bob.orders) == ([], [order])
    order.customer = bob
    assert bob.orders == [order]
    order.customer = None  # type: ignore[assignment]  # allowed in memory, refused when saved
    assert order.customer_id is None  # type: ignore[comparison-overlap]
    assert bob.orders == []
    with pytest.raises(ValidationError, match="customer_id: is required; set customer, or customer_id"):
        Order.__freeze__(order)


def test_a_loaded_parent_learns_of_a_new_child() -> None:
    ada = read(Customer())
    Order(customer=ada)
    with pytest.raises(NotLoaded):
        _ = ada.orders
    ada.__set_link__("orders", [])
    order = Order(customer=ada)
    assert ada.orders == [order]


def test_assigning_another_key_makes_the_parent_unknown() -> None:
    ada, bob = Customer(), Customer()
    order = Order(customer=ada)
    order.customer_id = bob.id
    with pytest.raises(NotLoaded):
        _ = order.customer
    order.customer_id = ada.id
    assert order.customer is ada


def test_lists_keep_both_sides() -> None:
    ada, bob = Customer(name="Ada"), Customer(name="Bob")
    orders = [Order(customer=bob) for _ in range(5)]
    assert bob.orders == orders
    one, two, three, four, five = orders
    ada.orders.append(one)
    assert (one.customer, one.customer_id) == (ada, ada.id)
    assert bob.orders == orders[1:]
    ada.orders.append(one)
    assert ada.orders == [one]
    ada.orders.extend([two, three])
    ada.orders.insert(0, four)
    ada.orders += [five]
    assert ada.orders == [four, one, two, three, five]
    assert bob.orders == []
    ada.orders.remove(one)
    assert one.customer_id is None  # type: ignore[comparison-overlap]
    assert ada.orders.pop() is five
    assert ada.orders.pop(0) is four
    ada.orders[0] = one
    assert (two.customer_id, one.customer) == (None, ada)
    ada.orders[1:] = [four, five]
    assert ada.orders == [one, four, five]
    assert three.customer_id is None  # type: ignore[comparison-overlap]
    del ada.orders[0]
    del ada.orders[:1]
    assert ada.orders == [five]
    ada.orders = [one, two]
    assert (five.customer_id, one.customer, two.customer) == (None, ada, ada)
    ada.orders *= 2
    assert ada.orders == [one, two]
    ada.orders.clear()
    assert (ada.orders, one.customer_id) == ([], None)
    with pytest.raises(ValueError, match="not in list"):
        ada.orders.remove(one)
    with pytest.raises(IndexError):
        ada.orders.pop()


def test_lists_go_by_identity() -> None:
    ada = Customer()
    order = Order(customer=ada)
    twin = copy.copy(order)
    assert twin == order
    ada.orders.append(twin)
    assert [id(each) for each in ada.orders] == [id(order), id(twin)]


def test_lists_take_records_of_their_model_only() -> None:
    ada = Customer()
    for change in (
        lambda: ada.orders.append(Product()),  # type: ignore[arg-type]
        lambda: ada.orders.extend([Product()]),  # type: ignore[list-item]
        lambda: ada.orders.insert(0, 3),  # type: ignore[arg-type]
        lambda: setattr(ada, "orders", [None]),
        lambda: setattr(ada, "orders", "abc"),
        lambda: setattr(ada, "profile", Product()),
        lambda: setattr(Order(customer=ada), "customer", 3),
    ):
        with pytest.raises(ValidationError, match="must be"):
            change()


def test_has_one_keeps_both_sides() -> None:
    ada, bob = Customer(), Customer()
    profile = Profile(customer=ada)
    assert ada.profile is profile
    bob.profile = profile
    assert (profile.customer, profile.customer_id, ada.profile) == (bob, bob.id, None)
    other = Profile(customer=bob)
    assert bob.profile is other
    assert profile.customer_id is None  # type: ignore[comparison-overlap]
    bob.profile = None
    assert other.customer_id is None  # type: ignore[comparison-overlap]
    bob.profile = other
    bob.profile = other
    assert other.customer is bob


def test_many_to_many_keeps_both_sides_and_knows_what_changed() -> None:
    pen, ink = Product(id=1), Product(id=2)
    red, blue = Label(id="red"), Label(id="blue")
    pen.labels.append(red)
    blue.products.extend([pen, ink])
    assert pen.labels == [red, blue]
    assert (ink.labels, red.products, blue.products) == ([blue], [pen], [pen, ink])
    ((relation, added, removed),) = pen.__link_changes__()
    assert (relation.name, added, removed) == ("labels", [red, blue], [])
    pen.__links_saved__("labels")
    assert pen.__link_changes__() == []
    assert red.__link_changes__() == []
    ((_, added, _),) = blue.__link_changes__()
    assert added == [ink]
    red.products.clear()
    assert pen.labels == [blue]
    ((_, added, removed),) = pen.__link_changes__()
    assert (added, removed) == ([], [red])
    ((_, added, removed),) = red.__link_changes__()
    assert (added, removed) == ([], [pen])
    red.__links_saved__("products")
    assert pen.__link_changes__() == []


def test_what_a_store_loads() -> None:
    ada = read(Customer())
    orders = [read(Order(customer=ada)) for _ in range(2)]
    ada.__set_link__("orders", orders)
    assert ada.orders == orders
    assert orders[0].customer is ada
    assert ada.__link_changes__() == []
    profile = read(Profile(customer_id=ada.id))
    ada.__set_link__("profile", profile)
    assert profile.customer is ada
    assert ada.__links__() == {"orders": orders, "profile": profile}
    other = read(Order(customer=ada))
    assert other.__links__() == {}
    other.__set_link__("customer", ada)
    assert other.__links__() == {"customer": ada}
    pen = read(Product(id=1))
    pen.__set_link__("labels", [Label(id="x")])
    assert pen.__link_changes__() == []


def test_reading_again_forgets_links() -> None:
    ada = Customer()
    order = Order(customer=ada)
    order.__reload__((order.id, ada.id, Decimal(7)))
    assert order.total == 7
    with pytest.raises(NotLoaded):
        _ = order.customer


# Constructors


def test_constructors_take_relations() -> None:
    customer = Customer(orders=[Order(), Order(total=Decimal(3))], profile=Profile())
    assert [order.customer for order in customer.orders] == [customer, customer]
    assert customer.profile is not None
    assert customer.profile.customer_id == customer.id
    product = Product(labels=[Label(id="a")])
    assert product.labels[0].products == [product]
    boss = Employee()
    employee = Employee(boss=boss)
    assert (employee.boss, employee.boss_id, boss.reports) == (boss, None, [employee])
    assert Employee(boss=None).boss is None


def test_keys_of_unsaved_parents_are_filled_in_later() -> None:
    boss, employee = Employee(), Employee()
    boss.reports.append(employee)
    assert employee.boss is boss
    employee.__resolve_links__()
    assert employee.boss_id is None
    boss.id = 7
    employee.__resolve_links__()
    assert employee.boss_id == 7
    assert employee.boss is boss
    line = Line(order=Order(customer=Customer()), number=1, product=Product())
    assert line.product is not None
    line.product.id = 3
    assert line.product.id == 3
    assert line.product_id == 3
    line.product = None
    assert line.product_id is None


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"customer": 3}, ("customer",)),
        ({"customer": Product(id=1)}, ("customer",)),
        ({"customer": None}, ("customer_id",)),
        ({"customer": Customer(), "customer_id": UUID(int=1)}, ("customer",)),
        ({"lines": 3, "customer": Customer()}, ("lines",)),
        ({"lines": [3], "customer": Customer()}, ("lines", 0)),
    ],
)
def test_wrong_relations_are_problems(values: dict[str, Any], path: tuple[Any, ...]) -> None:
    with pytest.raises(ValidationError) as caught:
        Order(**values, totel=1)
    assert [problem.path for problem in caught.value.problems] == [path, ("totel",)]


def test_both_the_key_and_the_parent_may_be_given_if_they_agree() -> None:
    ada = Customer()
    order = Order(customer=ada, customer_id=ada.id)
    assert order.customer is ada


def test_a_record_that_failed_validation_is_in_no_list() -> None:
    ada = Customer()
    with pytest.raises(ValidationError):
        Order(customer=ada, total="x")  # type: ignore[arg-type]
    assert ada.orders == []


def test_json_gives_keys_not_records() -> None:
    for read_json in (Order.__from_json__, Order.__check_json__):
        with pytest.raises(ValidationError, match="customer: is a relation.*give its key"):
            read_json({"customer_id": str(UUID(int=1)), "customer": {}})


# Copies


def test_copies_and_pickles() -> None:
    ada = Customer(name="Ada")
    Order(customer=ada, total=Decimal(1))
    Profile(customer=ada)
    for made in (pickle.loads(pickle.dumps(ada)), copy.deepcopy(ada)):
        assert made == ada
        assert made.orders == ada.orders
        assert made.orders[0] is not ada.orders[0]
        assert made.orders[0].customer is made
        assert made.profile.customer is made
        made.orders.clear()
        assert len(ada.orders) == 1
    twin = copy.copy(ada)
    assert twin == ada
    assert twin.orders == []
    loaded = read(ada)
    assert pickle.loads(pickle.dumps(loaded))._row == loaded._row
    assert copy.copy(loaded)._row is loaded._row
    with pytest.raises(NotLoaded):
        _ = copy.copy(loaded).orders


def test_relations_are_terms_of_queries_on_the_class() -> None:
    assert str(Order.customer) == "Order.customer"
    assert str(Order.customer.name) == "Order.customer.name"
    assert str(Customer.orders) == "Customer.orders"
    with pytest.raises(AttributeError, match="Did you mean 'orders'"):
        _ = Customer.ordres  # type: ignore[attr-defined]
