"""Any writes, then any reads, on any two backends: the same results, the same errors, the same rows.

Each write is made of one number, so that a failing example shrinks to the few that matter. Time only goes on, as expired rows
may be removed at any moment after their instant.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.port.entities import ALL, AUTHOR, BOOK, BOOK_LABEL, DECIMAL, EMPLOYEE, INT, LABEL, NOW, PROFILE, REVIEW, SESSION
from tests.port.strategies import conditions, grouped_selects, selects

from holdall.backends import Native
from holdall.backends.memory import MemoryBackend
from holdall.backends.port import Delete, DeleteWhere, Insert, Patch, UpdateWhere, Upsert
from holdall.backends.sqlite import SQLiteBackend
from holdall.errors import HoldallError
from holdall.program import run
from holdall.query import TRUE, Arith, Assignment, Compare, IsNull, Match, Order, Related, Select, Value, key_ref, prepare
from holdall.schema import JSON_NULL, Entity

HOUR = dt.timedelta(hours=1)
BOOKS = [uuid.UUID(int=n) for n in (1, 2, 3, 4)]
NAMES = ["a", "A", "ß", "b", ""]
# What a field of each entity is made of; None stands for null, also where the field may not be null.
POOLS: dict[Entity, dict[str, list[Any]]] = {
    AUTHOR: {"id": [1, 2, 3], "email": ["x", "y", "z", "w"], "name": NAMES, "country": ["se", "de", None],
             "born": [dt.date(1900, 1, 1), None]},
    PROFILE: {"author_id": [1, 2, 3], "bio": [None, "a"], "score": [1, 2, -3]},
    BOOK: {
        "id": BOOKS, "title": ["s", "t", "u", ""], "author_id": [1, 2, 3], "editor_id": [None, 1, 2],
        "price": [Decimal("0.50"), Decimal("3.99")], "pages": [None, 1, 5, 2**62, 0],
        "rating": [None, 0.5, 1e300], "in_print": [True, False],
        "published": [None, dt.date(2020, 1, 2)],
        "added": [NOW, NOW + HOUR], "isbn": [None, "i", "j"], "tags": [(), ("a", "b")], "langs": [None, frozenset("ab")],
        "meta": [None, JSON_NULL, {"a": 1}, {"a": 1.5, "b": [True, None]}, 1, "1"], "size": [None, {"width": 1, "note": None}],
        "counts": [None, {}, {"a": 2}], "cover": [None, b"\x00"], "opens": [None, dt.time(1)], "reading": [None, dt.timedelta(-1)],
        "printed": [None, dt.datetime(2020, 1, 1)],  # noqa: DTZ001  local time has no zone
        "weight": [None, Decimal("1.5"), Decimal(-2)], "version": [1, 2, 2**63 - 1],
    },
    LABEL: {"name": ["x", "y", "z"], "rank": [0, 1, 2, 2**63 - 1]},
    BOOK_LABEL: {"book_id": BOOKS, "label": ["x", "y", "z"], "since": [None, dt.date(2020, 1, 1)]},
    REVIEW: {"id": [1, 2, 3, 4], "book_id": BOOKS, "stars": [0, 1, 5], "text": [None, "a"]},
    SESSION: {"token": ["p", "q", "r"], "user": [None, "u", "v"], "hits": [0, 1], "until": [None, *(NOW + HOUR * n for n in range(12))]},
    EMPLOYEE: {"id": [1, 2, 3, 4], "name": NAMES, "boss_id": [None, 1, 2, 3, 4]},
}  # fmt: skip


class Chance:
    """One write by one number."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.later = HOUR * self.random.choice([0, 0, 0, 1])
        self.atomicity = self.random.choice(["atomic", "atomic", "per_item"])
        self.batch = [self.write for _ in range(self.random.choice([1, 1, 1, 2, 3]))]

    def value(self, entity: Entity, name: str) -> Any:
        missing = self.random.random() < 0.02 and entity.by_name[name].generated is None  # numbers made by stores need not be the same
        return None if missing else self.random.choice(POOLS[entity][name])

    def row(self, entity: Entity) -> Any:
        return tuple(self.value(entity, field.name) for field in entity.fields)

    def key(self, entity: Entity) -> Any:
        parts = tuple(self.random.choice(POOLS[entity][name]) for name in entity.key)
        return parts[0] if len(parts) == 1 else parts

    def assignments(self, entity: Entity, *, keys: bool, uniques: bool = True) -> tuple[Assignment, ...]:
        held = {name for unique in entity.uniques for name in unique.fields} if not uniques else set()
        fields = [field for field in entity.fields if (keys or field.name not in entity.key) and field.name not in held]
        chosen = self.random.sample(fields, min(len(fields), self.random.choice([1, 1, 2, 3])))
        made = []
        for field in sorted(chosen, key=lambda f: f.position):
            ref = key_ref(entity, field.name)
            expr: Any = Value(self.value(entity, field.name), field.type)
            if field.type.kind == "int" and field.name not in entity.key and self.random.random() < 0.4:
                expr = Arith(self.random.choice(["add", "sub", "mul"]), ref, Value(self.random.choice([1, 2, -1, 2**61]), INT), INT)
            elif field.type.kind == "decimal" and self.random.random() < 0.5:
                amount = Value(self.random.choice([Decimal("0.01"), Decimal("0.001"), Decimal("1E+9")]), DECIMAL)
                expr = Arith(self.random.choice(["add", "sub", "mul"]), ref, amount, DECIMAL)
            made.append(Assignment(field.position, expr))
        return tuple(made)

    def where(self, entity: Entity) -> Any:
        chance = self.random.random()
        if chance < 0.2:
            return TRUE
        if entity is BOOK and chance < 0.3:
            return Related((), BOOK.relations["reviews"], self.random.choice(["any", "none", "every"]), IsNull(key_ref(REVIEW, "text")))
        field = self.random.choice([f for f in entity.fields if f.type.orderable])
        ref = key_ref(entity, field.name)
        if field.type.kind == "str" and chance < 0.6:
            return Match(ref, self.random.choice(["icontains", "startswith", "like"]), self.random.choice(["a", "SS", "%"]))
        operand = self.random.choice([v for v in POOLS[entity][field.name] if v is not None])
        return Compare(ref, self.random.choice(["eq", "ne", "lt", "gte", "not_same"]), Value(operand, field.type))

    def write(self, now: dt.datetime) -> Any:
        entity = self.random.choice(ALL)
        kind = self.random.choice(["insert", "insert", "insert", "patch", "patch", "delete", "upsert", "update", "delete_where"])
        if kind == "insert":
            return Insert(entity, [self.row(entity) for _ in range(self.random.choice([1, 1, 1, 2, 3]))])
        version = self.random.choice([None, None, 1]) if entity.version_field else None
        required = self.random.random() < 0.7
        if kind == "patch":
            return Patch(entity, self.key(entity), self.assignments(entity, keys=self.random.random() < 0.1), version, required)
        if kind == "delete":
            return Delete(entity, self.key(entity), version, required)
        if kind == "upsert":
            by = self.random.choice([entity.key, *(unique.fields for unique in entity.uniques)])
            others = [field.position for field in entity.fields if field.name not in (*by, *entity.key)]
            update = tuple(sorted(self.random.sample(others, min(len(others), self.random.choice([0, 1, 2])))))
            return Upsert(entity, self.row(entity), by, update)
        select = prepare(Select(entity, self.where(entity)), now)
        # Many rows that get one unique value and expire by it collide or not by the order in which they are changed.
        uniques = entity.expiry_field is None
        return DeleteWhere(select) if kind == "delete_where" else UpdateWhere(select, self.assignments(entity, keys=False, uniques=uniques))


class Pair:
    """Two backends that are told the same."""

    def __init__(self) -> None:
        self.backends: list[Any] = [MemoryBackend(), SQLITE]
        for backend in self.backends:
            run(backend.ensure_schema(ALL), backend.perform)
        run(SQLITE.reset(ALL), SQLITE.perform)
        self.now = NOW

    def both(self, make: Any) -> tuple[Any, Any]:
        found: list[Any] = []
        for backend in self.backends:
            try:
                found.append(plainly(run(make(backend), backend.perform)))
            except HoldallError as error:
                found.append(plainly(error))
        return found[0], found[1]

    def write(self, seed: int) -> Any:
        chance = Chance(seed)
        self.now += chance.later
        batch = [make(self.now) for make in chance.batch]
        one, other = self.both(lambda backend: backend.apply(batch, chance.atomicity, None, self.now))
        assert one == other, f"{one}\n{other}\n{batch}"
        return one

    def contents(self, entity: Entity) -> tuple[Any, Any]:
        select = prepare(Select(entity, order=tuple(Order(key_ref(entity, name)) for name in entity.key)), self.now)
        return self.ask(select)

    def ask(self, select: Select) -> tuple[Any, Any]:
        def select_on(backend: Any) -> Any:
            plan = backend.plan(select)
            assert isinstance(plan, Native)
            return backend.select(plan, None)

        return self.both(select_on)


SQLITE = SQLiteBackend(None)


def plainly(value: Any) -> Any:
    """Results with the types of values, and errors as what callers may rely on."""
    if isinstance(value, HoldallError):
        return (type(value).__name__, getattr(value, "entity", None))
    if isinstance(value, list | tuple):
        return [type(value).__name__, *map(plainly, value)]
    return (type(value).__name__, repr(value)) if not isinstance(value, frozenset | dict) else (type(value).__name__, value)


SETTINGS = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
seeds = st.lists(st.integers(0, 2**32), min_size=1, max_size=25)


@SETTINGS
@given(seeds)
def test_writes_agree(found: list[int]) -> None:
    pair = Pair()
    for seed in found:
        pair.write(seed)
        for entity in ALL:
            one, other = pair.contents(entity)
            assert one == other, entity


@SETTINGS
@given(st.lists(st.integers(0, 2**32), min_size=30, max_size=40), st.data())
def test_reads_after_writes_agree(found: list[int], data: Any) -> None:
    pair = Pair()
    for seed in found:
        pair.write(seed)
    for strategy in (selects(), grouped_selects(), conditions().map(lambda condition: Select(BOOK, condition))):
        select = data.draw(strategy)
        one, other = pair.ask(prepare(select, pair.now))
        if not select.order:
            one, other = sorted(one, key=repr), sorted(other, key=repr)
        assert one == other
