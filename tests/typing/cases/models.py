"""Models as type checkers see them: constructors, fields, relations, queries. No plugin."""

import datetime as dt
import enum
from decimal import Decimal
from typing import Annotated, Any, Literal, assert_type
from uuid import UUID

from holdall import (
    Always,
    BelongsTo,
    CreatedAt,
    Email,
    Field,
    HasMany,
    HasOne,
    IPAddress,
    Json,
    Key,
    LocalDateTime,
    ManyToMany,
    Model,
    Phone,
    UpdatedAt,
    Url,
    Version,
    codec,
    desc,
    not_,
    one_of,
)


class Status(enum.Enum):
    OPEN = "open"
    PAID = "paid"


class Point:
    @staticmethod
    def parse(text: str) -> "Point":
        return Point()


class Customer(Model, table="clients", unique=[("name", "city")], checks={"named": lambda t: t.name != ""}):
    id: UUID = Key()
    email: Email = Field(unique=True)
    name: str = Field(max_length=80)
    city: str = "Berlin"
    phone: Phone | None = None
    orders: list["Order"] = HasMany("customer")
    profile: "Profile | None" = HasOne("customer")
    tags: list["Tag"] = ManyToMany()


class Profile(Model):
    id: int = Key()
    customer_id: UUID = Field(references=Customer, unique=True)
    customer: Customer = BelongsTo("customer_id")
    home: Url = "https://example.com"
    address: IPAddress | None = None
    place: Annotated[Point | None, codec(encode=str, decode=Point.parse)] = None


class Tag(Model):
    name: str = Key()


class Order(Model):
    id: UUID = Key()
    customer_id: UUID = Field(references=Customer, on_delete="cascade")
    customer: Customer = BelongsTo("customer_id")
    total: Decimal = Field(max_digits=12, decimal_places=2, ge=0)
    status: Status = Field(default=Status.OPEN, index=True)
    kind: Literal["a", "b"] = "a"
    placed_at: dt.datetime
    local: LocalDateTime | None = None
    labels: list[str] = Field(default_factory=list)
    meta: Json = Field(default_factory=dict)
    sizes: set[int] = Field(default_factory=set)
    made_of: list[str] = Field(default_factory=lambda: ["wood"])
    version: int = Version()
    made: dt.datetime = CreatedAt()
    changed: dt.datetime = UpdatedAt()
    editor: str = Always(lambda: "bob")


now = dt.datetime.now(dt.UTC)
ada = Customer(email="ada@example.com", name="Ada")
order = Order(customer_id=ada.id, total=Decimal(3), placed_at=now)
Order(customer_id=ada.id, customer=ada, total=Decimal(3), placed_at=now, labels=["x"], meta={"a": [1]}, kind="b", status=Status.PAID)
Customer(email="x@y.zz", name="x", orders=[order], id=ada.id, tags=[Tag(name="a")])

assert_type(ada.name, str)
assert_type(ada.email, str)
assert_type(ada.phone, str | None)
assert_type(ada.orders, list[Order])
assert_type(ada.profile, Profile | None)
assert_type(order.customer, Customer)
assert_type(order.customer.name, str)
assert_type(order.total, Decimal)
assert_type(order.status, Status)
assert_type(order.local, dt.datetime | None)
assert_type(order.version, int)

Order(customer_id=ada.id, total=Decimal(3), placed_at=now, totel=3)  # E: no parameter totel
Order(customer_id=ada.id, placed_at=now)  # E: total is missing
Order(customer_id=ada.id, total="3", placed_at=now)  # E: str is not Decimal
Order(customer_id=ada.id, total=Decimal(3), placed_at=now, kind="c")  # E: not one of the literals
Order(ada.id)  # E: keywords only
Customer(email=3, name="x")  # E: int is not str
order.totel  # E: no such attribute
order.total = "3"  # E: str is not Decimal
order.customer = order  # E: an Order is no Customer
ada.orders.append(ada)  # E: a Customer is no Order
Order.totel  # E: no such field

# Fields: what is written on the right must fit the annotation.


class Wrong(Model):
    id: UUID = Key()
    number: int = Field(default="x")  # E: str is not int
    words: list[int] = Field(default_factory=str)  # E: str is not list[int]
    text: str = Field(max_lenght=3)  # E: misspelt option


# Queries.

assert_type(Order.where(Order.total >= 3).all(), list[Order])
assert_type(Order.where(Order.customer.name == "Ada", total__gte=3).order_by(desc(Order.placed_at)).first(), Order | None)
assert_type(Order.where((Order.total >= 3) | (Order.status == Status.PAID)).one(), Order)
assert_type(Order.where(not_(Order.total >= 3), one_of(Order.kind, ["a"])).count(), int)
assert_type(Order.get(ada.id), Order | None)
assert_type(Order.create(customer=ada, total=Decimal(3), placed_at=now), Order)
assert_type(order.save(), Order)
for each in Order.where(Order.total >= 3).include(Order.customer).limit(3):
    assert_type(each, Order)

Order.where(Order.total >= "3")  # E: a Decimal is not compared with str
Order.where(Order.customer.nmae == "Ada")  # E: no such field
Order.where("total")  # E: text is no condition


async def awaited() -> None:
    assert_type(await Order.aio.where(Order.total >= 3).all(), list[Order])
    assert_type(await Order.aio.get(ada.id), Order | None)
    assert_type(await order.aio.save(), Order)


class Timed(Model, abstract=True):
    made: dt.datetime = CreatedAt()


class Note(Timed, expires_after=dt.timedelta(hours=1), filters={"live": lambda note: note.text != ""}):
    id: int = Key()
    text: str
    extra: Any = Field(stored=False, default=None)


assert_type(Note(text="x").made, dt.datetime)
Note()  # E: text is missing
