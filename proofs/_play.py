"""Playing programs: on a store in either colour, with all that is seen kept; and the same as a script that can be pasted into a test.

HELPERS are what the lines of programs call. They are executed here and printed in scripts, so that both do the same.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from holdall import SERIALIZABLE, ConstraintViolation, HoldallError, Model, Store
from holdall.backends import Native
from holdall.model import current
from holdall.model.values import thawer
from holdall.program import arun, run
from holdall.query import Condition, Order, Select, Term, key_ref, prepare
from holdall.schema import Entity
from holdall.store.core import handle_of
from holdall.testing.colours import Colour, finish
from proofs._models import IMPORTS, NOW, Schema, literal
from proofs._naive import Naive
from proofs._programs import PLACE, Block, Make, Program, Step, Tree, Var, line, walk
from proofs._values import exact

HELPERS = '''
async def change(collection, record, values):
    """Set fields of a record and save it, if there is one."""
    if record is not None:
        for name, value in values.items():
            setattr(record, name, value)
        await collection.save(record)


async def remove(collection, record):
    """Delete a record, if there is one."""
    if record is not None:
        await collection.delete(record)


async def again(collection, record):
    """Read a record again, if there is one."""
    if record is not None:
        await collection.refresh(record)


async def link(store, model, record, name, others):
    """Set the list of a many-to-many and save it, if there is a record."""
    if record is not None:
        await store.load([record], getattr(model, name))
        setattr(record, name, [other for other in others if other is not None])
        await store[model].save(record)


async def pages(query, size):
    """All pages, forwards and back again."""
    cursor, found = None, []
    for _ in range(100):
        page = await query.page(size, cursor)
        found.append(list(page))
        cursor = page.next_cursor
        if cursor is None:
            break
    for _ in range(100):
        cursor = page.prev_cursor
        if cursor is None:
            return found
        page = await query.page(size, cursor)
        found.append(list(page))
    return found


def some(records):
    """Results in no order."""
    return ("in any order", records)


class Undo(Exception):
    """Ends a transaction that is to be undone."""
'''
SHOW = '''
def show(value):
    """A value as text that tells it from every other one: types and bits included."""
    if isinstance(value, Model):
        links = getattr(value, "_extras", None) and {name: show_link(other) for name, other in value._extras.links.items()}
        return f"{type(value).__name__}({show(vars(value))}, {show(links)})"
    if isinstance(value, ConstraintViolation):
        return "ConstraintViolation"  # which of several broken ones is told is not promised
    if isinstance(value, HoldallError):
        return f"{type(value).__name__}({getattr(value, 'entity', '')}, {getattr(value, 'fields', '')})"
    if isinstance(value, tuple) and value[:1] == ("in any order",):
        return show(sorted(map(show, value[1])))
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{show(key)}: {show(item)}" for key, item in value.items())) + "}"
    if isinstance(value, (list, tuple)):
        return type(value).__name__ + "[" + ", ".join(map(show, value)) + "]"
    if isinstance(value, (set, frozenset)):
        return type(value).__name__ + "{" + ", ".join(sorted(map(show, value))) + "}"
    return repr(value)


def show_link(other):
    """What a record is linked to: fields only, as links go both ways."""
    if other is None or isinstance(other, Model):
        return other and show(vars(other))
    return sorted(show(vars(item)) for item in other)
'''
_PLAIN_COLOUR = re.compile(r"\b(await|async) ")


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.instant = NOW

    def __call__(self) -> dt.datetime:
        return self.instant

    def forward(self, **by: float) -> None:
        """Move on."""
        self.instant += dt.timedelta(**by)


class Stage:
    """A schema with its lines compiled: shared by all plays of programs on it."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.entities = schema.entities()
        self.whole = {e: Select(e, order=tuple(Order(key_ref(e, name)) for name in e.key), without=frozenset("*")) for e in self.entities}
        self.plain = {e: all(f.type.orderable for f in e.fields) for e in self.entities}
        self._lines: dict[tuple[str, Colour], Any] = {}
        self._names: dict[Colour, dict[str, Any]] = {}
        for colour in ("sync", "async"):
            names = {**schema.namespace, "SERIALIZABLE": SERIALIZABLE}
            exec(compile(_coloured(HELPERS, colour), "<helpers>", "exec", dont_inherit=True), names)
            self._names[colour] = names  # type: ignore[index]  # the two literals
        self.undo: dict[Colour, type[Exception]] = {colour: names["Undo"] for colour, names in self._names.items()}

    def line(self, text: str, colour: Colour) -> Any:
        """The function of a step's line."""
        made = self._lines.get((text, colour))
        if made is None:
            body = PLACE.sub(lambda found: f"{found[1]}p[{found[2]}]", text)
            if re.match(r"v\.\w+ = ", body):
                body += f"\n    return {body.partition(' = ')[0]}"
            else:
                body = f"return {body}"
            code = _coloured(f"async def step(store, v, clock, p):\n    {body}\n", colour)
            exec(compile(code, f"<{text}>", "exec", dont_inherit=True), self._names[colour])
            made = self._lines[text, colour] = self._names[colour]["step"]
        return made

    def realise(self, param: Any, v: Any) -> Any:
        """A parameter as the line gets it."""
        kind = param.__class__
        if kind is Tree:
            return param.node if isinstance(param.node, Condition | Order) else Term(param.node)
        if kind is dict:
            return {name: self.realise(value, v) for name, value in param.items()}
        if kind is list:
            return [self.realise(value, v) for value in param]
        if kind is str:
            return self.schema.python(param)
        if kind is Make:
            return self.schema.classes[param.model](**self.realise(param.values, v))
        return getattr(v, param.name) if kind is Var else param


def _coloured(text: str, colour: Colour) -> str:
    return text if colour == "async" else _PLAIN_COLOUR.sub("", text)


class Play:
    """One run of a program on one store. `seen` has, for each step in order, what came of it and, after writes, all rows there are."""

    def __init__(self, stage: Stage, store: Store, clock: Clock, colour: Colour = "sync", third: bool = False) -> None:
        self.stage = stage
        self.home = store
        self.store: Any = store if colour == "sync" else store.aio
        self.backend: Any = store._core.backend
        self.clock = clock
        self.colour: Colour = colour
        self.third = third
        self.v = SimpleNamespace()
        for model in stage.schema.models:
            for number in range(3):
                setattr(self.v, f"{model.name.lower()}{number}", None)
        self.seen: list[Any] = []
        self.steps: list[Step | Block] = []  # what each of `seen` is about
        self.rows: dict[Entity, list[Any]] = {}
        self._plans: dict[Entity, Any] = {}
        self.differs: list[tuple[Step, Any, Any]] = []  # the read, what was said, what the third voice says
        self.asked = 0
        self.played = 0
        self.told_differently = 0  # violations of which the other store told another one that is broken too

    async def run(self, program: Program) -> Play:
        """Play it to its end."""
        await self.look()
        for item in program:
            await self.one(item, inside=False)
        await self.look()
        self.note(None, ("at the end", self.rows))
        return self

    def note(self, item: Any, what: Any) -> None:
        self.steps.append(item)
        self.seen.append(what)

    async def one(self, item: Step | Block, *, inside: bool) -> None:
        """A step or a block. What leaves the block that it stands in is raised again."""
        self.played += 1
        try:
            if item.__class__ is Block:
                await self.block(item)  # type: ignore[arg-type]  # the class was asked for
                return
            what = await self.step(item)  # type: ignore[arg-type]  # as above
        except Exception as error:
            self.note(item, failure(error))
            if item.__class__ is Block or item.writes:  # type: ignore[union-attr]  # as above
                await self.look()
                self.note(item, ("rows", self.rows))
            if inside and item.leaves:
                raise
            return
        self.note(item, what)
        if item.writes:  # type: ignore[union-attr]  # as above
            await self.look()
            self.note(item, ("rows", self.rows))

    async def step(self, step: Step) -> Any:
        """One line."""
        params = [self.stage.realise(param, self.v) for param in step.params]
        result = self.stage.line(step.text, self.colour)(self.store, self.v, self.clock, params)
        if self.colour == "async" and hasattr(result, "__await__"):
            result = await result
        if self.third and step.asks is not None:
            await self.ask(step)
        return snapshot(result)

    async def block(self, block: Block) -> None:
        """A transaction."""
        options = {"isolation": SERIALIZABLE} if "SERIALIZABLE" in block.options else {"read_only": True} if block.options else {}
        transaction = self.store.transaction(**options)
        if self.colour == "sync":
            with transaction:
                await self.inside(block)
        else:
            async with transaction:
                await self.inside(block)
        self.note(block, "committed")
        await self.look()
        self.note(block, ("rows", self.rows))

    async def inside(self, block: Block) -> None:
        for item in block.steps:
            await self.one(item, inside=True)
        if block.undone:
            raise self.stage.undo[self.colour]

    async def do(self, program: Any) -> Any:
        """A program of the port, in the open transaction's colour."""
        if self.colour == "sync":
            return run(program, self.backend.perform)
        return await arun(program, self.backend.aperform)

    async def handle(self) -> Any:
        """The open transaction; None if there is none. HoldallError if it is doomed."""
        frame = current.get()
        while frame is not None and frame.home not in (self.home, self.store):
            frame = frame.outer
        scope: Any = None if frame is None else frame.tx
        while scope is not None and scope.outer is not None and scope.doomed is None:
            scope = scope.outer
        if scope is None:
            return None
        if scope.doomed is not None:
            raise DoomedError
        return await self.do(handle_of(frame.tx))  # type: ignore[union-attr]  # there is one, as it has a scope

    async def look(self) -> None:
        """All rows of all entities, as the open transaction sees them."""
        try:
            tx = await self.handle()
        except DoomedError:
            self.rows = {}
            return
        now = self.home._core.visible_at()
        rows: dict[Entity, list[Any]] = {}
        for entity, select in self.stage.whole.items():
            plan = self._plans.get(entity)
            if plan is None or now is not None:
                plan = self._plans[entity] = self.backend.plan(prepare(select, now))
            rows[entity] = list(await self.do(self.backend.select(plan, tx)))
        self.rows = rows

    async def ask(self, step: Step) -> None:
        """The third voice: what a plain reading of the contract says to the same query, on the rows that there are."""
        assert step.asks is not None
        try:
            tx = await self.handle()
        except DoomedError:
            return
        select = prepare(step.asks, self.home._core.visible_at())
        plan = self.backend.plan(select)
        assert isinstance(plan, Native), plan
        found = await self.do(self.backend.select(plan, tx))
        expected = Naive(self.rows, select.now).select(select)
        one, other = exact([*found]), exact([*expected])
        if not select.order:
            one, other = sorted(map(repr, one[1])), sorted(map(repr, other[1]))
        self.asked += 1
        if one != other:
            self.differs.append((step, found, expected))


class DoomedError(Exception):
    """There is a transaction, but an error has ended it."""


def failure(error: BaseException) -> Any:
    """What callers may rely on of an error."""
    if isinstance(error, HoldallError):
        return ("raised", type(error).__name__, getattr(error, "entity", ""), getattr(error, "fields", ()))
    return ("raised", type(error).__name__, "" if type(error).__name__ == "Undo" else str(error), ())


def snapshot(value: Any) -> Any:
    """A result as it is now: records change when the program goes on."""
    if isinstance(value, Model):
        extras = getattr(value, "_extras", None)
        links = None if extras is None else {name: _linked(other) for name, other in extras.links.items()}
        return (type(value).__name__, dict(vars(value)), links)
    if value.__class__ is list:
        return [snapshot(item) for item in value]
    if value.__class__ is tuple and len(value) == 2 and value[0] == "in any order":
        return AnyOrder([snapshot(item) for item in value[1]])
    return value


def _linked(other: Any) -> Any:
    if other is None or isinstance(other, Model):
        return None if other is None else dict(vars(other))
    return sorted((dict(vars(item)) for item in other), key=lambda item: repr(exact(item)))


BROKEN = frozenset({"UniqueViolation", "ForeignKeyViolation", "CheckViolation", "NotNullViolation"})


class AnyOrder(list[Any]):
    """Results whose order says nothing."""


def alike(one: Any, other: Any) -> bool:
    """Whether two things that were seen are the same. Nearly always their text is."""
    if one.__class__ is tuple and len(one) == 2 and one[0] in ("rows", "at the end"):
        return one[0] == other[0] and _same_rows(one[1], other[1]) if other.__class__ is tuple and len(other) == 2 else False
    if repr(one) == repr(other):
        return True
    if one.__class__ is tuple and other.__class__ is tuple and one[:1] == other[:1] == ("raised",):
        return one[1] in BROKEN and other[1] in BROKEN  # which of several broken constraints is told is not promised
    if isinstance(one, AnyOrder) and isinstance(other, AnyOrder):
        return sorted(repr(exact(item)) for item in one) == sorted(repr(exact(item)) for item in other)
    return bool(exact(one) == exact(other))


def _same_rows(one: Any, other: Any) -> bool:
    return repr(one) == repr(other) or bool(
        one.keys() == other.keys() and all(exact(one[entity]) == exact(other[entity]) for entity in one)
    )


def difference(one: Play, other: Play) -> tuple[int, str] | None:
    """The first place at which two plays of one program differ, and how."""
    for place, (first, second) in enumerate(zip(one.seen, other.seen, strict=False)):
        if not alike(first, second):
            return place, f"{first!r}\n  against\n{second!r}"
        one.told_differently += first.__class__ is tuple and first[:1] == ("raised",) and first != second
    if len(one.seen) != len(other.seen):
        return min(len(one.seen), len(other.seen)), "one program went on longer than the other"
    return None


def play(stage: Stage, program: Program, make: Callable[[Clock], Store], colour: Colour = "sync", third: bool = False) -> Play:
    """Play a program on a store of its own, which is closed afterwards."""
    clock = Clock()
    store = make(clock)
    run(store._core.backend.open(), store._core.perform)
    if colour == "sync":
        try:
            store.ensure_schema(*stage.schema.classes.values())
            made: Play = finish(Play(stage, store, clock, colour, third).run(program))
        finally:
            store.close()
        return made

    async def inside() -> Play:
        try:
            await store.aio.ensure_schema(*stage.schema.classes.values())
            return await Play(stage, store, clock, colour, third).run(program)
        finally:
            await store.aio.close()

    return asyncio.run(inside())


# Scripts


def script(
    schema: Schema, program: Program, urls: tuple[str, str] = ("memory:", "sqlite:"), said: str = "", right: tuple[Step, str] | None = None
) -> str:
    """The program as a test of its own: models, stores, steps, and that both stores saw the same; with `right`, what a step must see.

    A store is made by `stores`, so that another one can be put there.
    """
    used = "".join(line(step) for step in walk(program))
    helpers = "".join(f"\n\n{text.rstrip()}\n" for text in HELPERS.split("\n\n\n") if _name(text) in used or "class Undo" in text)
    body = "\n".join(_lines(program, 1, right)) or "    pass"
    first = "".join(f"# {text}\n" for text in said.splitlines()[:12])
    variables = {f"{model.name.lower()}{number}": None for model in schema.models for number in range(3)}
    plain = f'''{first}{IMPORTS}
from types import SimpleNamespace

from holdall import SERIALIZABLE, ConstraintViolation

{schema.source().strip()}
{helpers}{SHOW}

class Clock:
    """Stands still until it is moved."""

    instant = {literal(NOW)}

    def __call__(self):
        return self.instant

    def forward(self, **by):
        self.instant += timedelta(**by)


def look(store):
    """All records there are, with their links."""
    found = {{}}
    for model in MODELS:
        links = [name for name, relation in model.__entity__.relations.items() if relation.through is not None]
        query = store[model].where().unfiltered().order_by(*model.__entity__.key)
        try:
            found[model.__name__] = show((query.include(*links) if links else query).all())
        except HoldallError as error:
            found[model.__name__] = show(error)
    return found


MODELS = [{", ".join(model.name for model in schema.models)}]


def program(store, clock, v, seen):
    """The steps. What comes of each is seen, and after it all records."""
{body}


def stores(clock):
    """The stores to be compared."""
    return [Store({urls[0]!r}, models=MODELS, clock=clock), Store({urls[1]!r}, models=MODELS, clock=clock)]


def test_found() -> None:
    seen = [[], []]
    for place in range(2):
        clock = Clock()
        with stores(clock)[place] as store:
            store.ensure_schema()
            v = SimpleNamespace(**{variables!r})
            program(store, clock, v, seen[place])
            seen[place].append(look(store))
    for one, other in zip(*seen):
        assert one == other
    assert len(seen[0]) == len(seen[1])
'''
    return _PLAIN_COLOUR.sub("", plain)


def third_script(stage: Stage, program: Program, step: Step, expected: list[Any], said: str) -> str:
    """The program on memory alone, with what a plain reading of the contract gives to one read of it."""
    names: dict[str, Any] = {
        **stage.schema.namespace,
        "Model": Model,
        "HoldallError": HoldallError,
        "ConstraintViolation": ConstraintViolation,
    }
    exec(compile(SHOW, "<show>", "exec", dont_inherit=True), names)
    right = names["show"](_presented(stage, step, expected))
    return script(stage.schema, program, ("memory:", "memory:"), said, (step, right))


def _presented(stage: Stage, step: Step, expected: list[Any]) -> Any:
    """Canonical rows as the read gives them."""
    assert step.asks is not None
    if ".count()" in step.text:
        return len(expected)
    columns = step.asks.columns
    if columns is None:
        cls = stage.schema.classes[step.asks.entity.name]
        found: list[Any] = [cls.__build__(row) for row in expected]
    else:
        thaws = [thawer(column.expr.type, True) or (lambda value: value) for column in columns]
        found = [
            {column.alias: None if value is None else thaw(value) for column, thaw, value in zip(columns, thaws, row, strict=True)}
            for row in expected
        ]
    return ("in any order", found) if step.text.startswith("some(") else found


def _name(text: str) -> str:
    found = re.search(r"def (\w+)", text)
    return f"{found[1]}(" if found else "-"


def _lines(program: Program, depth: int, right: tuple[Step, str] | None) -> list[str]:
    """The steps as statements."""
    pad = "    " * depth
    found: list[str] = []
    for item in program:
        if right is not None and item is right[0]:
            found.append(f"{pad}assert show({line(right[0])}) == {right[1]!r}")
            continue
        if isinstance(item, Block):
            found += [f"{pad}try:", f"{pad}    with store.transaction({item.options}):"]
            found += _lines(item.steps, depth + 2, right)
            if item.undone:
                found.append(f"{pad}        raise Undo")
            elif not item.steps:
                found.append(f"{pad}        pass")
        elif line(item).startswith("v."):
            text = line(item)
            found += [f"{pad}try:", f"{pad}    {text}", f"{pad}    seen.append(show({text.partition(' = ')[0]}))"]
        else:
            found += [f"{pad}try:", f"{pad}    seen.append(show({line(item)}))"]
        found += [
            f"{pad}except (HoldallError{', Undo' if isinstance(item, Block) else ''}) as error:",
            f"{pad}    seen.append(show(error))",
        ]
        if isinstance(item, Block) or item.writes:
            found.append(f"{pad}    seen.append(look(store))") if item.leaves and depth > 1 else None
        if item.leaves and depth > 1:
            found.append(f"{pad}    raise")
        if isinstance(item, Block) or item.writes:
            found.append(f"{pad}seen.append(look(store))")
    return found
