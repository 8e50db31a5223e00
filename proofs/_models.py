"""Models by chance: fields of any type, constraints and relations, as the text of their declarations and as the classes made from it.

What is tried is what is printed: the classes come from executing the very text that a script shows. Each field has a pool of a few values,
so that equal ones meet. Must not know programs or stores.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from itertools import count
from random import Random
from typing import Any

from holdall.schema import INT_MAX, INT_MIN, JSON_NULL, UTC, Entity, Type
from proofs._values import maker

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=UTC)
IMPORTS = """import datetime
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Literal
from uuid import UUID

from holdall import (
    BelongsTo, CreatedAt, Field, HasMany, HasOne, HoldallError, Json, Key, LocalDateTime, ManyToMany, Model, Store, UpdatedAt, Version, agg,
    asc, contains, contains_all, contains_any, desc, each, every, icontains, iendswith, iexact, is_not_null, is_null, is_same, istartswith,
    like, none, not_, not_one_of, one_of,
)
from holdall import JSON_NULL
"""
SHARED = """
class Colour(Enum):
    RED = "red"
    BLUE = "blue"
    EMPTY = ""


@dataclass
class Size:
    width: int
    note: str | None = None
"""
_TEXTS = ["a", "A", "b", "ß", "ss", "SS", "", "a%", "a_", "é", "e\u0301", "a ", "İ", "\\", "a\\_s", "x'"]
_ALIKE = (("a", "A", "a "), ("ß", "ss", "SS"), ("é", "e\u0301", "É"), ("", " ", "a"), ("İ", "i\u0307", "i"))
_SIZE = Type("record", fields=(("width", Type("int"), False), ("note", Type("str"), True)))


@dataclass(frozen=True)
class Kind:
    """A type of field: its annotation, options of Field that go with it, and how its values are made (as Python has them)."""

    annotation: str
    known: tuple[Any, ...]
    type: Type | None = None
    options: str = ""
    container: bool = False
    number: bool = False

    def pool(self, r: Random, size: int) -> list[Any]:
        """A few values, the first of them well known."""
        found = [r.choice(self.known) for _ in range(size)]
        if self.annotation == "str" and r.random() < 0.4:
            found = list(r.choice(_ALIKE))
        if self.type is not None:
            made = maker(self.type)
            found += [_python(made(r)) for _ in range(r.randrange(2))]
        return found


def _python(value: Any) -> Any:
    """A canonical value as users write it."""
    if isinstance(value, tuple):
        return list(value)
    return set(value) if isinstance(value, frozenset) else value


KINDS: dict[str, Kind] = {
    "str": Kind("str", tuple(_TEXTS), Type("str")),
    "int": Kind("int", (0, 1, 2, 3, -1, -2, 10, 2**53 + 1, INT_MAX, INT_MIN), Type("int"), number=True),
    "float": Kind("float", (0.0, 1.0, -1.0, 0.5, 1.5, 0.1, 1e300, 5e-324), Type("float")),
    "bool": Kind("bool", (True, False)),
    "bytes": Kind("bytes", (b"", b"\x00", b"a", b"ab", b"\xff"), Type("bytes")),
    "decimal": Kind("Decimal", tuple(map(Decimal, ("0", "1", "1.5", "-2", "0.001", "9" * 38))), Type("decimal"), number=True),
    "money": Kind("Decimal", tuple(map(Decimal, ("0.00", "1.00", "3.99", "-0.01", "9999999999.99"))),
                  Type("decimal", digits=12, places=2), "max_digits=12, decimal_places=2", number=True),
    "datetime": Kind("datetime.datetime", tuple(NOW + dt.timedelta(hours=n, microseconds=m) for n in (-1, 0, 1) for m in (0, 1)),
                     Type("datetime")),
    "local": Kind("LocalDateTime", tuple(dt.datetime(2020, 1, n) for n in (1, 2)), Type("local_datetime")),  # noqa: DTZ001  local has no zone
    "date": Kind("date", tuple(dt.date(2020, 1, n) for n in (1, 2, 3)), Type("date")),
    "time": Kind("time", (dt.time(1), dt.time(1, 0, 0, 1), dt.time(23)), Type("time")),
    "timedelta": Kind("timedelta", (dt.timedelta(0), dt.timedelta(1), dt.timedelta(-1), dt.timedelta(0, 0, 1)), Type("timedelta")),
    "uuid": Kind("UUID", tuple(uuid.UUID(int=n) for n in (0, 1, 2, 2**127)), Type("uuid")),
    "json": Kind("Json", (True, 1, 0, 1.5, "a", "1", "", [], [1, "a"], [[1]], {}, {"a": 1}, {"a": None, "b": "x"}, {"a": {"b": 2}},
                          {"a": [0]},                          {"a": "aA"}, {"a": True}, JSON_NULL), Type("json"), container=True),
    "list": Kind("list[str]", ([], ["a"], ["a", "b"], ["b", "a"], ["a", "a"]), container=True),
    "ints": Kind("list[int]", ([], [1], [1, 2], [2, 1], [2**53 + 1]), container=True),
    "set": Kind("set[str]", (set(), {"a"}, {"a", "b"}, {"ß"}), container=True),
    "dict": Kind("dict[str, int]", ({}, {"a": 1}, {"a": -1, "b": 2}, {"b": 1}), container=True),
    "enum": Kind("Colour", ("Colour.RED", "Colour.BLUE", "Colour.EMPTY")),
    "literal": Kind('Literal["x", "y"]', ("x", "y")),
    "record": Kind("Size", ("Size(width=1, note=None)", "Size(width=1, note='a')", "Size(width=2, note='')"), container=True),
}  # fmt: skip
_KEY_POOLS: dict[str, list[Any]] = {
    "int": [1, 2, 3, 4],
    "str": ["a", "A", "ß", "b "],
    "uuid": [uuid.UUID(int=n) for n in (1, 2, 2**64, 2**127)],
    "date": [dt.date(2020, 1, n) for n in (1, 2, 3)],
}
_EXPIRIES = tuple(NOW + dt.timedelta(minutes=20 * n) for n in range(-1, 9))


@dataclass(frozen=True)
class FieldPart:
    """One field: the right side of its declaration is Key, Field or a marker. `values` are what programs give it; none: the store's."""

    name: str
    kind: str
    nullable: bool = False
    options: tuple[str, ...] = ()
    marker: str = ""
    values: tuple[Any, ...] = ()
    default: str = ""

    @property
    def required(self) -> bool:
        """Whether a new record must be given it."""
        return self.marker == "Key" or not (self.default or self.marker or self.nullable)

    def source(self) -> str:
        """Its line in the class."""
        kind = KINDS[self.kind]
        annotation = f"{kind.annotation} | None" if self.nullable else kind.annotation
        if self.marker in ("Version", "CreatedAt", "UpdatedAt"):
            return f"    {self.name}: {annotation} = {self.marker}()"
        options = [*filter(None, [kind.options]), *self.options]
        if self.marker == "Key":
            return f"    {self.name}: {annotation} = Key({', '.join(options)})"
        default = self.default or ("None" if self.nullable else "")
        if default:
            options.append(
                f"default_factory=lambda: {default}" if KINDS[self.kind].container and default != "None" else f"default={default}"
            )
        return f"    {self.name}: {annotation}" + (f" = Field({', '.join(options)})" if options else "")


@dataclass(frozen=True)
class RelationPart:
    """One relation: its line, the model it leads to, and the field that holds the key (belongs_to)."""

    name: str
    line: str
    target: str
    kind: str
    key: str = ""
    needs: str = ""  # the relation on the other side, or the model of the links, without which it cannot be


@dataclass(frozen=True)
class ModelPart:
    """One model."""

    name: str
    fields: tuple[FieldPart, ...]
    relations: tuple[RelationPart, ...] = ()
    options: tuple[tuple[str, str], ...] = ()  # unique=, index=, checks=, filters=: name and text

    @property
    def keys(self) -> tuple[FieldPart, ...]:
        """The fields of the key."""
        return tuple(part for part in self.fields if part.marker == "Key")

    @property
    def settable(self) -> tuple[FieldPart, ...]:
        """What programs may give."""
        return tuple(part for part in self.fields if part.values)

    def by_name(self, name: str) -> FieldPart:
        """One field."""
        return next(part for part in self.fields if part.name == name)

    def source(self) -> str:
        """The class statement."""
        grouped: dict[str, list[str]] = {}
        for option, text in self.options:
            grouped.setdefault(option, []).append(text)
        shown = [
            f"{option}={{{', '.join(t)}}}" if option in ("checks", "filters") else f"{option}=[{', '.join(t)}]"
            for option, t in grouped.items()
        ]
        lines = [f"class {self.name}({', '.join(['Model', *shown])}):"]
        lines += [part.source() for part in self.fields]
        lines += [f"    {part.line}" for part in self.relations]
        return "\n".join(lines)


_numbers = count()


@dataclass
class Schema:
    """Some models that belong together, and the classes made of them."""

    models: tuple[ModelPart, ...]
    classes: dict[str, Any] = field(default_factory=dict)
    namespace: dict[str, Any] = field(default_factory=dict)

    def source(self) -> str:
        """All declarations."""
        return SHARED + "\n\n" + "\n\n\n".join(model.source() for model in self.models) + "\n"

    def make(self) -> Schema:
        """Execute the declarations, in a namespace of their own."""
        namespace: dict[str, Any] = {"__name__": f"proofs_schema_{next(_numbers)}"}
        exec(compile(IMPORTS, "<imports>", "exec", dont_inherit=True), namespace)
        exec(compile(self.source(), "<models>", "exec", dont_inherit=True), namespace)
        self.namespace = namespace
        self.classes = {model.name: namespace[model.name] for model in self.models}
        for cls in self.classes.values():
            cls.__linked__()
        return self

    def entities(self) -> list[Entity]:
        """The entities of all models and of the hidden links between them."""
        found: dict[Entity, None] = {}
        for cls in self.classes.values():
            found[cls.__entity__] = None
            for relation in cls.__entity__.relations.values():
                if relation.through is not None:
                    found[relation.through.entity] = None
        return list(found)

    def python(self, value: Any) -> Any:
        """A value of a pool, made: an Enum or a nested value stands there as its text."""
        if type(value) is str and value.startswith(("Colour.", "Size(")):
            return eval(value, self.namespace)
        return value

    def pools(self) -> dict[tuple[Entity, str], list[Any]]:
        """The canonical values that the fields of each entity are made of."""
        made: dict[tuple[Entity, str], list[Any]] = {}
        for model in self.models:
            entity = self.classes[model.name].__entity__
            for part in model.settable:
                type_ = entity.by_name[part.name].type
                made[entity, part.name] = [type_.check(self.python(value)) for value in part.values if value is not None]
        return made


def literal(value: Any) -> str:
    """The text of a value: what `eval` makes the same value of, with IMPORTS."""
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if type(value) is str and value.startswith(("Colour.", "Size(")):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ("," if len(value) == 1 else "") + ")"
    if isinstance(value, set | frozenset) and value:
        inner = "{" + ", ".join(sorted(map(literal, value))) + "}"
        return inner if isinstance(value, set) else f"frozenset({inner})"
    return repr(value)


# Making them


def random_schema(r: Random, models_max: int = 4) -> Schema:
    """Models by chance."""
    names = "ABCDE"[: r.randrange(1, models_max + 1)]
    models: dict[str, ModelPart] = {}
    for name in names:
        models[name] = _model(r, name, composite=bool(models) and r.random() < 0.2)
    for name in names:
        for _ in range(r.choice((0, 1, 1, 2)) if len(names) > 1 else r.choice((0, 1))):
            _refer(r, models, name)
    if len(names) > 1 and r.random() < 0.4:
        _link(r, models)
    for name in names:
        models[name] = _constrained(r, models[name])
    return Schema(tuple(models.values()))


def _model(r: Random, name: str, *, composite: bool) -> ModelPart:
    fields: list[FieldPart] = []
    for number in range(2 if composite else 1):
        kind = r.choice(("int", "str", "uuid", "int", "date") if composite else ("int", "int", "str", "uuid", "date"))
        options = ("generated=False",) if kind == "int" else ()
        fields.append(FieldPart(f"k{number}" if composite else "id", kind, options=options, marker="Key", values=tuple(_KEY_POOLS[kind])))
    fields += [_field(r, f"f{number}") for number in range(r.randrange(2, 6))]
    if r.random() < 0.3:
        fields.append(FieldPart("version", "int", marker="Version"))
    if r.random() < 0.2:
        fields.append(FieldPart("until", "datetime", nullable=True, options=("expires=True",), values=(*_EXPIRIES, None)))
    if r.random() < 0.15:
        fields.append(FieldPart("created", "datetime", marker="CreatedAt"))
        fields.append(FieldPart("changed", "datetime", marker="UpdatedAt"))
    return ModelPart(name, tuple(fields))


def _field(r: Random, name: str) -> FieldPart:
    kind = r.choice(("str", "str", "int", "int", "int", "money", *KINDS))
    nullable = r.random() < 0.45
    pool = KINDS[kind].pool(r, r.choice((2, 3, 4)))
    default = literal(r.choice(pool)) if r.random() < 0.25 else ""
    options = ["index=True"] if r.random() < 0.15 and not KINDS[kind].container else []
    if r.random() < 0.12 and kind in ("str", "int", "money", "date", "uuid", "enum", "decimal"):
        options.append("unique=True")
    if r.random() < 0.15 and kind == "int":
        options.append(f"ge={r.choice((-2, 0, 1))}")
        pool = [value for value in pool if value >= 1] or [1, 2, 3]
        default = ""
    return FieldPart(name, kind, nullable, tuple(options), values=(*pool, None) if nullable else tuple(pool), default=default)


def _refer(r: Random, models: dict[str, ModelPart], name: str) -> None:
    """A foreign key with its relation, and perhaps the relation back."""
    targets = [model for model in models.values() if len(model.keys) == 1]
    target = r.choice(targets)
    child = models[name]
    number = sum(part.kind == "belongs_to" for part in child.relations)
    key, relation = f"{target.name.lower()}{number}_id", f"{target.name.lower()}{number}"
    nullable = target.name == name or r.random() < 0.6
    rule = r.choice(("restrict", "cascade", "set_null") if nullable else ("restrict", "cascade"))
    if _expires(target):
        # When an expired record is removed is not promised, and so not what becomes of those that go or let go with it.
        rule = "restrict"
    one = r.random() < 0.15
    options = (f'references="{target.name}"', f'on_delete="{rule}"', *(("unique=True",) if one else ()))
    (parent,) = target.keys
    pool = (*parent.values, None, None) if nullable else parent.values
    part = FieldPart(key, parent.kind, nullable, options, values=pool)
    annotation = f'"{target.name} | None"' if nullable else f'"{target.name}"'
    belongs = RelationPart(relation, f'{relation}: {annotation} = BelongsTo("{key}")', target.name, "belongs_to", key)
    models[name] = replace(child, fields=(*child.fields, part), relations=(*child.relations, belongs))
    if r.random() < 0.8:
        target = models[target.name]
        back = f"{name.lower()}_of_{relation}"
        line = f'{back}: "{name} | None" = HasOne("{relation}")' if one else f'{back}: list["{name}"] = HasMany("{relation}")'
        made = RelationPart(back, line, name, "has_one" if one else "has_many", needs=relation)
        models[target.name] = replace(target, relations=(*target.relations, made))


def _expires(model: ModelPart) -> bool:
    return any(part.name == "until" for part in model.fields)


def _link(r: Random, models: dict[str, ModelPart]) -> None:
    """A plain many-to-many between two models, perhaps seen from both."""
    single = [model for model in models.values() if len(model.keys) == 1 and not _expires(model)]
    if len(single) < 2:
        return
    one, other = r.sample(single, 2)
    here, there = f"{other.name.lower()}_links", f"{one.name.lower()}_links"
    both = r.random() < 0.6
    made = RelationPart(here, f'{here}: list["{other.name}"] = ManyToMany()', other.name, "many_to_many", needs=there if both else "")
    models[one.name] = replace(one, relations=(*one.relations, made))
    if both:
        made = RelationPart(there, f'{there}: list["{one.name}"] = ManyToMany()', one.name, "many_to_many", needs=here)
        models[other.name] = replace(other, relations=(*other.relations, made))


def _constrained(r: Random, model: ModelPart) -> ModelPart:
    """With uniques, indexes, checks and default filters over several fields."""
    options: list[tuple[str, str]] = []
    groupable = [part for part in model.settable if not KINDS[part.kind].container and part.marker != "Key" and part.name != "until"]
    if len(groupable) > 1 and r.random() < 0.35:
        pair = r.sample(groupable, 2)
        options.append(("unique", f"({', '.join(repr(part.name) for part in pair)})"))
    if len(groupable) > 1 and r.random() < 0.3:
        options.append(("index", f"({', '.join(repr(part.name) for part in r.sample(groupable, 2))})"))
    ints = [part for part in model.fields if part.kind == "int" and part.values and part.marker != "Key"]
    texts = [part for part in model.fields if part.kind == "str" and part.values and part.marker != "Key"]
    if ints and r.random() < 0.3:
        text = f"m.{r.choice(ints).name} != {r.choice((2, 3))}"
        if len(ints) > 1 and r.random() < 0.5:
            one, other = r.sample(ints, 2)
            text = f"(m.{one.name} != m.{other.name}) | ({text})"
        options.append(("checks", f'"number": lambda m: {text}'))
    if texts and r.random() < 0.25:
        name = r.choice(texts).name
        text = r.choice((f"not_(icontains(m.{name}, 'SS'))", f"m.{name} != 'A'", f"not_(like(m.{name}, 'b%'))", f"m.{name} >= ''"))
        options.append(("checks", f'"text": lambda m: {text}'))
    if ints and r.random() < 0.15:
        options.append(("filters", f'"live": lambda m: is_null(m.{ints[0].name}) | (m.{ints[0].name} >= 0)'))
    return replace(model, options=tuple(options))
