"""Programs by chance: reads, writes, transactions and the passing of time, on the models of a schema.

A step is a line of Python with places for its parameters: the line is compiled and run, and the same line is what a script shows. Must not
know backends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from msgspec import structs

from holdall.query import Arith, Column, Condition, FieldRef, Order, Select, Value, key_ref
from holdall.query.terms import DECIMAL, INT
from proofs._models import KINDS, NOW, ModelPart, RelationPart, Schema, literal
from proofs._source import source
from proofs._trees import Ground, Trees


@dataclass(frozen=True)
class Tree:
    """A condition, an expression or an order as a parameter."""

    node: Any


@dataclass(frozen=True)
class Make:
    """A new record as a parameter, not saved yet."""

    model: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Var:
    """A variable as a parameter: the record that an earlier step put there, or None."""

    name: str


@dataclass(frozen=True)
class Step:
    """One line. `$0`, `$1` … are its parameters. `writes`: the state is looked at afterwards. `leaves`: an error leaves the block that it
    happens in. `asks` is the query of a read, for the third voice."""

    text: str
    params: tuple[Any, ...] = ()
    writes: bool = False
    leaves: bool = False
    asks: Select | None = None


@dataclass(frozen=True)
class Block:
    """A transaction, or inside another one a savepoint. `undone`: it ends with an error of the program's own. `leaves` as for a step."""

    options: str
    steps: tuple[Step | Block, ...]
    undone: bool = False
    leaves: bool = False


Program = tuple[Step | Block, ...]
PLACE = re.compile(r"(\*\*|\*|)\$(\d)")


def count_steps(program: Program) -> int:
    """How many lines and blocks there are."""
    return sum(1 + (count_steps(item.steps) if isinstance(item, Block) else 0) for item in program)


def shown(param: Any) -> str:
    """A parameter as text."""
    if isinstance(param, Tree):
        return source(param.node)
    if isinstance(param, Make):
        return f"{param.model}({', '.join(f'{name}={shown(value)}' for name, value in param.values.items())})"
    if isinstance(param, Var):
        return f"v.{param.name}"
    if isinstance(param, dict):
        return "{" + ", ".join(f"{literal(key)}: {shown(value)}" for key, value in param.items()) + "}"
    if isinstance(param, list):
        return "[" + ", ".join(map(shown, param)) + "]"
    return literal(param)


def line(step: Step) -> str:
    """The step as one line of Python, in the awaited colour."""
    return PLACE.sub(lambda found: _spread(found[1], step.params[int(found[2])]), step.text)


def _spread(stars: str, param: Any) -> str:
    if stars == "**":
        return ", ".join(f"{name}={shown(value)}" for name, value in param.items())
    return ", ".join(map(shown, param)) if stars else shown(param)


class Programs:
    """Draws programs for one schema. `forms`: how many forms of reads and of writes by query each model has, whose operands change; 0: each
    is drawn anew. Most of the time goes into compiling queries, so that forms make programs a good deal faster."""

    def __init__(self, schema: Schema, forms: int = 0) -> None:
        self.schema = schema
        self.ground = Ground(schema.pools(), plain=True, now=NOW)
        self.forms = forms
        self._known: dict[str, list[Step]] = {}
        self.by_name = {model.name: model for model in schema.models}
        self.plain = [model for model in schema.models if len(model.keys) == 1]
        self.r: Random = Random(0)
        self.trees = Trees(self.ground, self.r)

    def draw(self, random: Random, size: int) -> Program:
        """A program of about `size` steps; the first ones fill the store."""
        self.r, self.trees = random, Trees(self.ground, random)
        steps: list[Step | Block] = []
        for model in self.schema.models:
            steps += [self.create(model) for _ in range(random.choice((1, 2, 3)))]
        while count_steps(tuple(steps)) < size:
            steps.append(self.block(2) if random.random() < 0.15 else self.step())
        return tuple(steps)

    def block(self, depth: int) -> Block:
        """A transaction with some steps."""
        steps: list[Step | Block] = []
        for _ in range(self.r.choice((1, 2, 3, 4))):
            inner = depth > 0 and self.r.random() < 0.3
            steps.append(self.block(depth - 1) if inner else self.step(leaving=self.r.random() < 0.5))
        options = self.r.choice((*[""] * 8, "read_only=True", "isolation=SERIALIZABLE")) if depth == 2 else ""
        return Block(options, tuple(steps), self.r.random() < 0.25, self.r.random() < 0.3)

    def step(self, *, leaving: bool = False) -> Step:
        """One step about any model."""
        model = self.r.choice(self.schema.models)
        drawn = self.r.random()
        made = self._formed(model, "read", self.read) if drawn < 0.35 else self.write(model) if drawn < 0.96 else self.forward()
        return Step(made.text, made.params, made.writes, leaving, made.asks) if leaving else made

    def forward(self) -> Step:
        """Time goes on."""
        return Step("clock.forward(minutes=$0)", (self.r.choice((10, 20, 40)),), writes=True)

    def var(self, model: ModelPart) -> str:
        """One of the variables for records of a model."""
        return f"{model.name.lower()}{self.r.randrange(3)}"

    # Values

    def value(self, model: ModelPart, name: str) -> Any:
        """A value of a field; once in a while one that it cannot have."""
        part = model.by_name(name)
        return None if self.r.random() < 0.005 else self.r.choice(part.values)

    def values(self, model: ModelPart, skip: frozenset[str] = frozenset()) -> dict[str, Any]:
        """What a new record is given."""
        return {
            part.name: self.value(model, part.name)
            for part in model.settable
            if part.name not in skip and (part.required or self.r.random() < 0.6)
        }

    def key(self, model: ModelPart) -> Any:
        """A key, of a record that may be there."""
        parts = tuple(self.r.choice(part.values) for part in model.keys)
        return parts[0] if len(parts) == 1 else parts

    def changes(self, model: ModelPart, *, expressions: bool) -> dict[str, Any]:
        """New values for some fields."""
        fields = [part for part in model.settable if part.marker != "Key"]
        if not fields:
            return {}
        chosen = self.r.sample(fields, min(len(fields), self.r.choice((1, 1, 2))))
        found: dict[str, Any] = {}
        for part in chosen:
            found[part.name] = self.value(model, part.name)
            if expressions and KINDS[part.kind].number and self.r.random() < 0.5:
                found[part.name] = Tree(self._expression(model, part.name))
        return found

    def _expression(self, model: ModelPart, name: str) -> Any:
        entity = self.schema.classes[model.name].__entity__
        ref = key_ref(entity, name)
        kind = DECIMAL if ref.type.kind == "decimal" else INT
        others = [key_ref(entity, part.name) for part in model.settable if part.kind == "int"]
        if self.ground.small(ref):  # it stays so, as reads reckon with it
            return Arith(self.r.choice(("add", "sub")), ref, Value(self.r.choice((1, 2, -1)), INT), kind)
        right: Any = Value(self.r.choice((1, 2, -1, 3, 2**61)), INT)
        if others and self.r.random() < 0.3:
            right = self.r.choice(others)
        return Arith(self.r.choice(("add", "sub", "mul")), ref, right, kind)

    # Writes

    def create(self, model: ModelPart) -> Step:
        """A new record, kept in a variable."""
        return Step(f"v.{self.var(model)} = await store[{model.name}].create(**$0)", (self.values(model),), writes=True)

    def _formed(self, model: ModelPart, what: str, make: Callable[[ModelPart], Step]) -> Step:
        """A step in one of its forms."""
        known = self._known.setdefault(f"{model.name} {what}", [])
        if len(known) < self.forms or not self.forms:
            known.append(make(model))
            return known[-1]
        form = self.r.choice(known)
        first = form.params[0] if form.params else None
        if not isinstance(first, Tree) or not isinstance(first.node, Condition):
            return form
        where = self.trees.varied(first.node)
        others = [
            {name: value if isinstance(value, Tree) else self.value(model, name) for name, value in param.items()}
            if what == "update"
            else param
            for param in form.params[1:]
        ]
        return replace(form, params=(Tree(where), *others), asks=form.asks and structs.replace(form.asks, where=where))

    def write(self, model: ModelPart) -> Step:
        """Any write."""
        name = model.name
        var = f"v.{self.var(model)}"
        which = self.r.choices(("create", "many", "get", "change", "remove", "again", "upsert", "update", "delete", "graph", "link"),
                               (20, 7, 10, 13, 8, 3, 8, 12, 6, 6, 4))[0]  # fmt: skip
        if which == "many":
            rows: list[Any] = [self.values(model) for _ in range(self.r.choice((0, 2, 3)))]
            return Step(f"await store[{name}].create_many($0)", (rows,), writes=True)
        simple = {
            "get": lambda: Step(f"{var} = await store[{name}].get($0)", (self.key(model),)),
            "change": lambda: Step(f"await change(store[{name}], {var}, $0)", (self.changes(model, expressions=False),), writes=True),
            "remove": lambda: Step(f"await remove(store[{name}], {var})", writes=True),
            "again": lambda: Step(f"await again(store[{name}], {var})", writes=True),
            "upsert": lambda: self.upsert(model),
            "update": lambda: self._formed(model, "update", self.update),
            "delete": lambda: self._formed(model, "delete", self.delete),
            "graph": lambda: self.graph(model),
            "link": lambda: self.link(model),
        }
        made = simple[which]() if which in simple else None
        return self.create(model) if made is None else made

    def update(self, model: ModelPart) -> Step:
        """Set-based, with values and arithmetic."""
        changes = self.changes(model, expressions=True)
        if not changes:
            return self.create(model)
        return Step(f"await store[{model.name}].where($0).update(**$1)", (self.condition(model), changes), writes=True)

    def delete(self, model: ModelPart) -> Step:
        """Set-based."""
        return Step(f"await store[{model.name}].where($0).delete()", (self.condition(model),), writes=True)

    def condition(self, model: ModelPart) -> Tree:
        """A condition about a model; often one that some record meets."""
        return Tree(self.trees.condition(self.schema.classes[model.name].__entity__, self.r.choice((0, 0, 1, 2))))

    def upsert(self, model: ModelPart) -> Step:
        """By the key, or by a unique constraint."""
        entity = self.schema.classes[model.name].__entity__
        by = self.r.choice([entity.key, *(unique.fields for unique in entity.uniques)])
        values = self.values(model)
        for name in by:
            values.setdefault(name, self.value(model, name))
        extra = ', on_conflict="ignore"' if self.r.random() < 0.3 else ""
        return Step(f"v.{self.var(model)} = await store[{model.name}].upsert(by=$0{extra}, **$1)", (list(by), values), writes=True)

    def graph(self, model: ModelPart) -> Step | None:
        """A new record with new ones beside it."""
        relations = [part for part in model.relations if part.kind != "has_one"]
        if not relations:
            return None
        relation = self.r.choice(relations)
        other = self.by_name[relation.target]
        skip: frozenset[str] = frozenset()
        linked: Any
        if relation.kind == "belongs_to":
            skip = frozenset({relation.key})
            linked = Var(self.var(other)) if self.r.random() < 0.3 else Make(other.name, self.values(other))
        else:
            back = frozenset({part.key for part in other.relations if part.name == relation.needs and part.key})
            linked = [Make(other.name, self.values(other, back)) for _ in range(self.r.choice((0, 1, 2)))]
        values = {**self.values(model, skip), relation.name: linked}
        return Step(f"v.{self.var(model)} = await store[{model.name}].create(**$0)", (values,), writes=True)

    def link(self, model: ModelPart) -> Step | None:
        """The list of a many-to-many, set and saved."""
        relations: list[RelationPart] = [part for part in model.relations if part.kind == "many_to_many"]
        if not relations:
            return None
        relation = self.r.choice(relations)
        other = self.by_name[relation.target]
        others = [Var(self.var(other)) for _ in range(self.r.choice((0, 1, 2)))]
        return Step(f"await link(store, {model.name}, v.{self.var(model)}, $0, $1)", (relation.name, others), writes=True)

    # Reads

    def read(self, model: ModelPart) -> Step:
        """Any read."""
        drawn, name = self.r.random(), model.name
        entity = self.schema.classes[name].__entity__
        if drawn < 0.1:
            return Step(f"await store[{name}].get_many($0)", ([self.key(model) for _ in range(3)],))
        where = self.trees.condition(entity, self.r.choice((0, 1, 2, 2)))
        query, params = f"store[{name}].where($0)", [Tree(where)]
        if drawn < 0.25:
            call = self.r.choice(("count()", "exists()", "first()", "last()", "one()"))
            return Step(f"await {query}.{call}", tuple(params), asks=Select(entity, where) if call == "count()" else None)
        if drawn < 0.4:
            return self._included(model, query, params)
        if drawn < 0.55:
            return self._grouped(model)
        if drawn < 0.7:
            return self._values(model)
        order = tuple(self.trees.order(entity) for _ in range(self.r.choice((0, 1, 1, 2))))
        if not order:
            return Step(f"some(await {query}.all())", tuple(params), asks=Select(entity, where))
        ordered = [Tree(item) for item in order]
        if drawn < 0.8:
            return Step(f"await pages({query}.order_by(*$1), $2)", (*params, ordered, self.r.choice((1, 2, 3))))
        limit, offset = self.r.choice((None, None, 0, 1, 2, 4)), self.r.choice((0, 0, 1, 3))
        cut = f"{'' if limit is None else f'.limit({limit})'}{f'.offset({offset})' if offset else ''}"
        asks = Select(entity, where, order, limit, offset)
        return Step(f"await {query}.order_by(*$1){cut}.all()", (*params, ordered), asks=asks)

    def _included(self, model: ModelPart, query: str, params: list[Any]) -> Step:
        """Records with what they are linked to."""
        paths = [relation.name for relation in model.relations]
        paths += [f"{relation.name}.{next_.name}" for relation in model.relations for next_ in self.by_name[relation.target].relations]
        if not paths:
            return Step(
                f"some(await {query}.all())", tuple(params), asks=Select(self.schema.classes[model.name].__entity__, params[0].node)
            )
        chosen = sorted({self.r.choice(paths) for _ in range(self.r.choice((1, 2)))})
        many = [relation for relation in model.relations if relation.kind in ("has_many", "many_to_many")]
        if many and self.r.random() < 0.3:
            relation = self.r.choice(many)
            target = self.by_name[relation.target]
            entity = self.schema.classes[target.name].__entity__
            extra = [self.condition(target), [Tree(self.trees.order(entity))], self.r.choice((0, 1, 2))]
            text = f"some(await {query}.include({relation.name!r}, where=$1, order_by=$2, limit=$3).all())"
            return Step(text, (*params, *extra))
        return Step(f"some(await {query}.include({', '.join(map(repr, chosen))}).all())", tuple(params))

    def _values(self, model: ModelPart) -> Step:
        """Columns, perhaps distinct, perhaps sorted and cut."""
        entity = self.schema.classes[model.name].__entity__
        select = self.trees.select(entity, 1)
        columns = select.columns or self.trees.columns(entity, groupable=select.distinct)
        order = select.order
        if select.distinct:  # cut what is distinct only where it is sorted by all that is shown
            columns = tuple(column for column in columns if isinstance(column.expr, FieldRef)) or (
                Column("c0", key_ref(entity, entity.key[0])),
            )
            order = tuple(Order(column.expr, self.r.random() < 0.5, self.r.random() < 0.3) for column in columns) if order else ()
        limit, offset = (select.limit, select.offset) if order else (None, 0)
        params: list[Any] = [Tree(select.where), {column.alias: Tree(column.expr) for column in columns}]
        text = f"store[{model.name}].where($0)"
        if order:
            params.append([Tree(item) for item in order])
            text += ".order_by(*$2)"
        text += ".distinct()" if select.distinct else ""
        text += f"{'' if limit is None else f'.limit({limit})'}{f'.offset({offset})' if offset else ''}"
        asks = Select(entity, select.where, order, limit, offset, columns, select.distinct)
        text = f"await {text}.values(**$1)"
        return Step(text if order else f"some({text})", tuple(params), asks=asks)

    def _grouped(self, model: ModelPart) -> Step:
        """Groups and aggregates."""
        entity = self.schema.classes[model.name].__entity__
        select = self.trees.grouped(entity)
        assert select.columns is not None
        params: list[Any] = [Tree(select.where), {column.alias: Tree(column.expr) for column in select.columns}]
        params += [[Tree(item) for item in select.order], [Tree(expr) for expr in select.group_by]]
        text = f"store[{model.name}].where($0)" + (".group_by(*$3)" if select.group_by else "")
        having = select.having
        if hasattr(having, "op"):
            params.append(Tree(having))
            text += ".having($4)"
        limit = "" if select.limit is None else f".limit({select.limit})"
        text += f".order_by(*$2){limit}{f'.offset({select.offset})' if select.offset else ''}"
        return Step(f"await {text}.values(**$1)", tuple(params), asks=select)


def walk(program: Program) -> Iterator[Step]:
    """Every step, in the order in which they stand."""
    for item in program:
        if isinstance(item, Block):
            yield from walk(item.steps)
        else:
            yield item
