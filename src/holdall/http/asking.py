"""Asking: what a read wants, free of any dialect, and how it is put together from texts.

A dialect's parser fills `Pieces` (sort, fields, include, … as lists of texts, with the place each came from); `Asked` is the result: a
select, the cut, and a view that says which fields and relations an answer shows. All faults are collected. Must not know HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from holdall.errors import QueryError, near_name
from holdall.http.catalog import Catalog, Column, Resource, hidden
from holdall.http.problems import Fault, query_fault
from holdall.query import TRUE, Condition, Include, Order, Select, all_of, replace, text_order
from holdall.schema import Relation

LIMIT_DEFAULT, LIMIT_MAX = 50, 200
DEPTH_DEFAULT, DEPTH_MAX = 1, 3
OFFSET_MAX = 2**31 - 1
HOPS_MAX = 5  # relations that one condition may go through
CONDITIONS_MAX = 200
SORTS_MAX = 20

Count = Literal["exact", "estimated"]
Place = dict[str, str]  # {"parameter": "sort"} or {"pointer": "/sort"}


@dataclass(frozen=True, slots=True)
class View:
    """What an answer shows of a record: columns, and views of its loaded relations."""

    columns: tuple[Column, ...]
    relations: tuple[tuple[str, bool, View], ...] = ()  # name, to many, what is shown of them


@dataclass(frozen=True, slots=True)
class Asked:
    """A read, ready to be carried out."""

    resource: Resource
    select: Select
    view: View
    limit: int = LIMIT_DEFAULT
    cursor: str | None = None
    count: Count | None = None


@dataclass(slots=True)
class Pieces:
    """The parts of a read as a dialect found them. `place` says where a part stands in the request."""

    place: Callable[[str], Place]
    conditions: list[Condition] = field(default_factory=list[Condition])
    sort: list[str] = field(default_factory=list[str])
    fields: list[str] | None = None
    include: list[str] = field(default_factory=list[str])
    depth: int = DEPTH_DEFAULT
    limit: int = LIMIT_DEFAULT
    offset: int = 0
    cursor: str | None = None
    count: Count | None = None


class Node:
    """The view of one resource while it is being put together."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.names: dict[str, None] | None = None  # None: all fields
        self.fixed = False  # all fields, because `fields` names the relation itself
        self.to_many = False
        self.relations: dict[str, Node] = {}
        self.select: Select | None = None

    def enter(self, name: str) -> Node:
        """The node of a relation; QueryError if there is none of that name, or it leads to what is not offered."""
        found = self.relations.get(name)
        if found is None:
            relation = relation_of(self.resource, name)
            found = self.relations[name] = Node(self.resource.target(relation))
            found.to_many = relation.to_many
        return found

    def view(self) -> View:
        """The finished view."""
        columns = self.resource.columns
        shown = columns.values() if self.names is None else [columns[name] for name in columns if name in self.names]
        related = [(name, self.resource.relations[name].to_many, node.view()) for name, node in self.relations.items()]
        return View(tuple(shown), tuple(related))

    def includes(self) -> tuple[Include, ...]:
        """What is to be loaded for it."""
        return tuple(Include(self.resource.relations[name], node.includes(), node.select) for name, node in self.relations.items())


def relation_of(resource: Resource, name: str) -> Relation:
    """The relation of that name; QueryError with a near name if there is none."""
    relation = resource.relations.get(name)
    if relation is None:
        if name in resource.entity.relations:
            raise hidden(resource.entity, name)
        raise QueryError(
            f"{resource.name} has no relation '{name}'.", name=name, kind="unknown_field", hint=near_name(name, resource.relations)
        )
    return relation


def assemble(resource: Resource, pieces: Pieces, faults: list[Fault]) -> Asked | None:
    """The read that the pieces make; None if `faults` is not empty afterwards."""
    catalog = resource.catalog
    where = all_of(*pieces.conditions) if pieces.conditions else TRUE
    if len(pieces.conditions) > CONDITIONS_MAX or sum(1 for _ in catalog.tests(where)) > CONDITIONS_MAX:
        faults.append(Fault("too_many", f"A query has at most {CONDITIONS_MAX} conditions.", "Use in=… for lists of values."))
    orders = _orders(catalog, resource, pieces, faults)
    root = Node(resource)
    for text in pieces.include:
        _collect(faults, pieces.place("include"), _include, root, text, pieces.depth)
    if pieces.fields is not None:
        _fields(root, pieces, faults)
    if pieces.cursor is not None and pieces.offset:
        faults.append(Fault("bad_value", "offset does not go with cursor: the cursor says where to begin.", **pieces.place("offset")))
    if faults:
        return None
    select = Select(resource.entity, where, orders, offset=pieces.offset, includes=root.includes())
    return Asked(resource, select, root.view(), pieces.limit, pieces.cursor, pieces.count)


def _collect(faults: list[Fault], place: Place, read: Callable[[Node, str, int], None], root: Node, text: str, depth: int) -> None:
    try:
        read(root, text, depth)
    except QueryError as error:
        faults.append(query_fault(error, **place))


def _orders(catalog: Catalog, resource: Resource, pieces: Pieces, faults: list[Fault]) -> tuple[Order, ...]:
    orders: list[Order] = []
    if len(pieces.sort) > SORTS_MAX:
        faults.append(Fault("too_many", f"sort has at most {SORTS_MAX} fields.", **pieces.place("sort")))
        return ()
    for text in pieces.sort:
        try:
            order: Order = text_order(resource.entity, text)
            catalog.check_visible(order.expr, HOPS_MAX)
            orders.append(order)
        except QueryError as error:
            faults.append(query_fault(error, **pieces.place("sort")))
    return tuple(orders)


# Fields, as in: fields=id,name,customer.name


def _fields(root: Node, pieces: Pieces, faults: list[Fault]) -> None:
    place = pieces.place("fields")
    root.names = {}
    if not pieces.fields:
        faults.append(Fault("bad_value", "fields names no field.", "For example fields=id,name.", **place))
    for path in pieces.fields or ():
        _collect(faults, place, _field, root, path, pieces.depth)


def _field(root: Node, path: str, depth: int) -> None:
    names = path.replace("__", ".").split(".")
    node = root
    for level, name in enumerate(names[:-1], start=1):
        if name in node.resource.fields:
            raise QueryError(
                f"'{path}' is a part of {node.resource.name}.{name}.", name=path, hint="fields names whole fields.", kind="bad_value"
            )
        known = name in node.relations
        node = _deeper(node, name, level, depth, path)
        if not known:
            node.names = {}
    last = names[-1]
    if last in node.resource.relations:
        inner = _deeper(node, last, len(names), depth, path)
        inner.names, inner.fixed = None, True
    elif last in node.resource.fields:
        if not node.fixed:
            node.names = {**(node.names or {}), last: None}
    elif last in node.resource.entity.by_name:
        raise hidden(node.resource.entity, last)
    else:
        raise QueryError(
            f"{node.resource.name} has no field '{last}'.", name=last, kind="unknown_field", hint=near_name(last, node.resource.names)
        )


def _deeper(node: Node, name: str, level: int, depth: int, path: str) -> Node:
    inner = node.enter(name)
    if level > depth:
        hint = f"Add depth={level}." if level <= DEPTH_MAX else f"The depth is at most {DEPTH_MAX}."
        raise QueryError(f"'{path}' goes {level} relations deep; the depth is {depth}.", name=path, hint=hint, kind="too_deep")
    return inner


# Includes, as in: include=customer,lines(limit:5,sort:-qty).product

_STEP = re.compile(r"([^\W\d]\w*)(?:\(([^()]*)\))?")


def _include(root: Node, text: str, depth: int) -> None:
    node, rest, level = root, text.strip(), 0
    while True:
        found = _STEP.match(rest)
        if found is None:
            raise QueryError(
                f"{text!r} is not a relation to include.", name=text, kind="bad_value", hint="Write customer or lines(limit:5).product."
            )
        names = found[1].split("__")
        for name in names:
            level += 1
            node = _deeper(node, name, level, depth, text)
            node.names = None
        if found[2] is not None:
            _options(node, names[-1], found[2], text)
        rest = rest[found.end() :]
        if not rest:
            return
        if rest[0] != "." or len(rest) == 1:
            raise QueryError(
                f"{text!r} is not a relation to include.", name=text, kind="bad_value", hint="Write customer or lines(limit:5).product."
            )
        rest = rest[1:]


def _options(node: Node, relation: str, text: str, whole: str) -> None:
    """The options in lines(limit:5,sort:-qty): they cut the related records of each parent."""
    if not node.to_many:
        raise QueryError(f"'{whole}': {relation} leads to one record, so it has no options.", name=whole, kind="bad_value")
    select = node.select or Select(node.resource.entity)
    for option in text.split(","):
        name, _, value = (part.strip() for part in option.partition(":"))
        if name == "limit":
            select = replace(select, limit=whole_number(value, 1, LIMIT_MAX, "limit"))
        elif name == "offset":
            select = replace(select, offset=whole_number(value, 0, OFFSET_MAX, "offset"))
        elif name == "sort":
            order: Order = text_order(node.resource.entity, value)
            node.resource.catalog.check_visible(order.expr, HOPS_MAX)
            select = replace(select, order=(*select.order, order))
        else:
            raise QueryError(
                f"'{whole}': {relation}(…) has no option '{name}'.", name=name, kind="unknown_parameter",
                hint=near_name(name, ("limit", "offset", "sort")),
            )  # fmt: skip
    node.select = select


def whole_number(text: str, least: int, most: int, name: str) -> int:
    """The number in a text; QueryError if it is none between `least` and `most`."""
    if re.fullmatch(r"-?[0-9]{1,18}", text) is None:
        raise QueryError(f"{name} is a whole number, not {text[:40]!r}.", name=name, kind="bad_value")
    return in_range(int(text), least, most, name)


def in_range(number: int, least: int, most: int, name: str) -> int:
    """The number itself; QueryError if it is not between `least` and `most`."""
    if not least <= number <= most:
        raise QueryError(f"{name} is from {least} to {most}, not {number}.", name=name, kind="bad_value")
    return number
