"""From query nodes to Python source: expressions and conditions.

Owns the text of one generated function: what each node becomes. A condition becomes two pieces of source, one that is true where it is
definitely true and one that is true where it is definitely false; Not swaps them, so that nothing is three-valued at run time. Must not
run anything. Operands are never in the source: the n-th operand in walk order (see `shape`) is `p[n]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from holdall.errors import QueryError
from holdall.query import functions, reductions
from holdall.query.nodes import (
    Aggregate,
    And,
    Arith,
    Compare,
    Condition,
    Constant,
    Expr,
    FieldRef,
    Holds,
    IsNull,
    Match,
    Membership,
    Not,
    Or,
    Related,
    Value,
)
from holdall.schema import JSON_NULL, Entity, Relation, Type, container_text


class Code(NamedTuple):
    """Source of an expression. `simple`: so short that it may be written twice instead of being kept in a variable."""

    text: str
    type: Type
    nullable: bool
    simple: bool = True


class Both(NamedTuple):
    """Source of a condition: where it is definitely true, and where it is definitely false."""

    true: str
    false: str


class Row(NamedTuple):
    """A variable that holds a row of an entity."""

    variable: str
    entity: Entity


_YES, _NO = "True", "False"
_OPERATORS = {"eq": "==", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "same": "==", "not_same": "!="}
_OPPOSITES = {"eq": "ne", "ne": "eq", "lt": "gte", "gte": "lt", "gt": "lte", "lte": "gt", "same": "not_same", "not_same": "same"}
_NAMES: Mapping[str, Any] = {
    "fn": functions,
    "ag": reductions,
    **{name: getattr(functions, name) for name in ("json_eq", "json_lt", "json_lte", "json_gt", "json_gte", "json_path", "part_path")},
}


@dataclass
class Source:
    """What the functions generated for one query share: constants, operand numbers, and the entities looked up."""

    constants: dict[str, Any] = field(default_factory=lambda: {"JSON_NULL": JSON_NULL, **_NAMES})
    operand: int = 0
    timed: bool = False
    entities: set[Entity] = field(default_factory=set[Entity])
    functions: list[str] = field(default_factory=list[str])

    def constant(self, value: Any, prefix: str) -> str:
        """A name for an object in the generated module."""
        for name, known in self.constants.items():
            if known is value:
                return name
        name = f"{prefix}{len(self.constants)}"
        self.constants[name] = value
        return name


class Function:
    """One generated function `name(rows, p, t)` under construction: its opening lines, and the source of nodes inside it.

    `slots` replaces expressions by places of a group's tuple (after grouping), where the fields of rows are out of reach.
    """

    def __init__(self, source: Source, slots: Mapping[Expr, int] | None = None) -> None:
        self.source = source
        self.slots = slots
        self.head: list[str] = []
        self._count = 0
        self._timed = False

    def name(self, prefix: str) -> str:
        """A variable not used before in this function."""
        self._count += 1
        return f"{prefix}{self._count}"

    def operand(self, binding: str = "{}") -> str:
        """A variable holding the next operand, prepared once per call as `binding` says."""
        variable = f"p{self.source.operand}"
        self.head.append(f"{variable} = {binding.format(f'p[{self.source.operand}]')}")
        self.source.operand += 1
        return variable

    def live(self, variable: str, entity: Entity) -> str:
        """Source of 'this row is not expired', '' where rows of the entity never expire (H6)."""
        expiry = entity.expiry_field
        if expiry is None or not self.source.timed:
            return ""
        if not self._timed:  # `now` is the last operand, whatever its number turns out to be
            self._timed = True
            self.head.append("now = p[-1]")
        value = f"{variable}[{expiry.position}]"
        return f"{value} > now" if not expiry.nullable else f"({value} is None or {value} > now)"

    # Expressions

    def expr(self, node: Expr, row: Row) -> Code:
        """The source of an expression's value for a row."""
        if self.slots is not None and not isinstance(node, Value) and node in self.slots:
            self._skip(node)
            return Code(f"{row.variable}[{self.slots[node]}]", node.type, not (isinstance(node, Aggregate) and node.fn == "count"))
        if isinstance(node, Value):
            if node.value is None:
                return Code("None", node.type, True)
            return Code(self.operand(), node.type, False)
        if isinstance(node, Arith):
            return self._arith(node, row)
        if isinstance(node, Aggregate):
            raise QueryError(f"The aggregate {node.fn} cannot stand here.", hint="Aggregates belong in columns, having and their order.")
        if self.slots is not None:
            raise QueryError(
                f"'{node.name}' is neither grouped nor aggregated, so it has no one value per group.",
                hint=f"Add it to group_by, or aggregate it: max({node.name}).",
                name=node.name,
            )
        return self._field(node, row)

    def _skip(self, node: Expr) -> None:
        """Count the operands of an expression whose value is already there."""
        if isinstance(node, Value):
            self.source.operand += node.value is not None
        elif isinstance(node, Arith):
            self._skip(node.left)
            self._skip(node.right)
        elif isinstance(node, Aggregate) and node.expr is not None:
            self._skip(node.expr)

    def _arith(self, node: Arith, row: Row) -> Code:
        left, right = self.expr(node.left, row), self.expr(node.right, row)
        kind = "decimal" if node.type.kind == "decimal" else "int"
        return Code(f"fn.{kind}_{node.op}({left.text}, {right.text})", node.type, left.nullable or right.nullable, simple=False)

    def _field(self, node: FieldRef, row: Row) -> Code:
        variable, guards = self.steps(node.steps, row)
        text = f"{variable}[{node.field.position}]"
        nullable = node.field.nullable
        if node.keys:
            text, nullable = self._keys(node, text), True
        if guards:
            return Code(f"({text} if {guards} else None)", node.type, True, simple=False)
        return Code(text, node.type, nullable, simple=not node.keys)

    def _keys(self, node: FieldRef, text: str) -> str:
        """Follow keys: through dicts, records and lists by their types, and from the first JSON value on as JSON."""
        at, plain = node.field.type, 0
        for key in node.keys:
            if at.kind == "json":
                break
            plain += 1
            part = at.item if at.kind in ("dict", "list") else next((part for name, part, _ in at.fields if name == key), None)
            if part is None:
                raise QueryError(f"{at.name} has no part {key!r}.", name=node.name, kind="unknown_field")
            at = part
        outer, inner = node.keys[:plain], node.keys[plain:]
        if outer:
            text = f"part_path({text}, {outer!r})"
        return f"json_path({text}, {inner!r})" if inner else text

    def steps(self, steps: tuple[Relation, ...], row: Row) -> tuple[str, str]:
        """Follow to-one relations: the variable with the row at their end, and the source of 'there is one' ('' without steps)."""
        guards: list[str] = []
        variable, entity = row
        for relation in steps:
            target = relation.target.entity
            get = self._getter("one", target, relation.remote)
            found = self.name("s")
            guards.append(f"({found} := {get}({self._lookup(variable, entity, relation.local)})) is not None")
            live = self.live(found, target)
            if live:
                guards.append(live)
            variable, entity = found, target
        return variable, " and ".join(guards)

    def _getter(self, how: str, entity: Entity, names: tuple[str, ...]) -> str:
        """A variable with the lookup function of the tables for rows of an entity by these fields."""
        self.source.entities.add(entity)
        line = f"t.{how}({self.source.constant(entity, 'entity')}, {entity.positions(names)!r})"
        for known in self.head:
            if known.endswith(line):
                return known.split(" ", 1)[0]
        variable = self.name("get")
        self.head.append(f"{variable} = {line}")
        return variable

    def _lookup(self, variable: str, entity: Entity, names: tuple[str, ...]) -> str:
        fields = [entity.by_name[name] for name in names]
        return functions.lookup_code([(f"{variable}[{item.position}]", item.type, item.nullable) for item in fields])

    # Conditions

    def condition(self, node: Condition, row: Row) -> Both:
        """The source of where a condition is definitely true and definitely false."""
        return _CONDITIONS[node.__class__](self, node, row)

    def _twice(self, code: Code) -> tuple[str, str]:
        """The expression for its first use and for later ones (in a variable, unless it is short)."""
        if code.simple:
            return code.text, code.text
        variable = self.name("v")
        return f"({variable} := {code.text})", variable

    def _guarded(self, code: Code, make: Callable[[str], str], *, safe: bool = False) -> str:
        """`make(value)` where the value is not null. `safe`: make is false for None by itself."""
        if not code.nullable or safe:
            return make(code.text)
        first, later = self._twice(code)
        return f"({first} is not None and {make(later)})"

    def compare(self, node: Compare, row: Row) -> Both:
        left, right = self.expr(node.left, row), self.expr(node.right, row)
        return Both(self._compare(node.op, left, right), self._compare(_OPPOSITES[node.op], left, right))

    def _compare(self, op: str, left: Code, right: Code) -> str:
        make = self._comparison(op, left.type, right.type)
        nullable = left.nullable and right.nullable
        if op in ("same", "not_same"):
            return make(left.text, right.text) if make is _plain(op) else self._null_safe(op, left, right)
        if make is _plain(op) and op == "eq" and not nullable:
            return make(left.text, right.text)  # None == value is False already
        if not left.nullable and not right.nullable:
            return make(left.text, right.text)
        first_left, later_left = self._twice(left) if left.nullable else (left.text, left.text)
        first_right, later_right = self._twice(right) if right.nullable else (right.text, right.text)
        guards = [f"{first} is not None" for first, code in ((first_left, left), (first_right, right)) if code.nullable]
        return f"({' and '.join(guards)} and {make(later_left, later_right)})"

    def _null_safe(self, op: str, left: Code, right: Code) -> str:
        """'same' for values that Python's == does not compare as the contract does."""
        equal = self._comparison("eq", left.type, right.type)
        a, b = self.name("v"), self.name("v")
        text = f"(({b} := {right.text}) is None if ({a} := {left.text}) is None else ({b} := {right.text}) is not None and {equal(a, b)})"
        return text if op == "same" else f"(not {text})"

    def _comparison(self, op: str, left: Type, right: Type) -> Callable[[str, str], str]:
        """How two values that are not null are compared, as a function from their sources to source."""
        json = left.kind == "json" or right.kind == "json"
        if op in ("lt", "lte", "gt", "gte"):
            return (lambda a, b: f"json_{op}({a}, {b})") if json else _plain(op)
        if functions.plain_equality(left, right):
            return _plain(op)
        no = "" if op in ("eq", "same") else "not "
        if left.kind == right.kind == "json":
            return lambda a, b: f"{no}json_eq({a}, {b})"
        text = self.source.constant(container_text, "text")
        one, other = self.source.constant(left, "type"), self.source.constant(right, "type")
        return lambda a, b: f"{no}{text}({one}, {a}) == {text}({other}, {b})" if not no else f"{text}({one}, {a}) != {text}({other}, {b})"

    def membership(self, node: Membership, row: Row) -> Both:
        left = self.expr(node.left, row)
        if not node.values:
            inside, outside = _NO, _NO if node.with_null else _YES
        else:
            kind = node.type.kind
            if functions.hashable(node.type) and left.type.kind != "json":
                values, wrap = self.operand("frozenset({})"), "{}"
            elif kind == "json" or left.type.kind == "json":
                values, wrap = self.operand("fn.json_texts({})"), "fn.json_text({})"
            else:
                texts = self.source.constant(functions.texts_of(left.type), "texts")
                container = self.source.constant(functions.freezer(left.type), "freeze")
                values, wrap = self.operand(texts + "({})"), container + "({})"
            plain = wrap == "{}"
            inside = self._guarded(left, lambda value: f"{wrap.format(value)} in {values}", safe=plain)
            outside = _NO if node.with_null else self._guarded(left, lambda value: f"{wrap.format(value)} not in {values}")
        return Both(outside, inside) if node.negated else Both(inside, outside)

    def match(self, node: Match, row: Row) -> Both:
        left = self.expr(node.left, row)
        if left.type.kind == "json":
            left = Code(f"fn.json_str({left.text})", left.type, True, simple=False)
        op = node.op
        folded = op in ("icontains", "istartswith", "iendswith", "iexact")
        text = self.operand("fn.like({})" if op == "like" else "{}.casefold()" if folded else "{}")
        fold = ".casefold()" if folded else ""
        base = op.removeprefix("i") if folded else op

        def test(value: str, no: str = "") -> str:
            if base == "contains":
                return f"{text} {no and 'not '}in {value}{fold}"
            if base == "exact":
                return f"{value}{fold} {'!=' if no else '=='} {text}"
            if base == "like":
                return f"{text}({value}) is {'' if no else 'not '}None"
            return f"{no}{value}{fold}.{base}({text})"

        return Both(self._guarded(left, test), self._guarded(left, lambda value: test(value, "not ")))

    def is_null(self, node: IsNull, row: Row) -> Both:
        left = self.expr(node.left, row)
        yes, no = (f"{left.text} is None", f"{left.text} is not None") if left.nullable else (_NO, _YES)
        return Both(no, yes) if node.negated else Both(yes, no)

    def holds(self, node: Holds, row: Row) -> Both:
        left = self.expr(node.left, row)
        kind, item = left.type.kind, left.type.item
        if not node.items:  # all of nothing holds wherever there is a value; any of nothing never does
            here = f"{left.text} is not None" if left.nullable else _YES
            if kind == "json" and node.mode == "all":
                here = self._guarded(left, lambda value: f"{value}.__class__ is list")
                return Both(here, self._guarded(left, lambda value: f"{value}.__class__ is not list"))
            return Both(here, _NO) if node.mode == "all" else Both(_NO, here)
        if kind == "json":
            items = self.operand("fn.json_texts({})")

            def test(value: str) -> str:
                return f"fn.json_holds_{node.mode}({value}, {items})"
        else:
            if kind != "dict" and item is not None and not functions.hashable(item):
                items = self.operand(self.source.constant(functions.texts_of(item), "texts") + "({})")
                values = self.source.constant(functions.texts_of(item), "texts") + "({})"
            else:
                items, values = self.operand("frozenset({})"), "{}"
            method, no = ("issubset", "") if node.mode == "all" else ("isdisjoint", "not ")

            def test(value: str) -> str:
                return f"{no}{items}.{method}({values.format(value)})"

        return Both(self._guarded(left, test), self._guarded(left, lambda value: f"not {test(value)}".replace("not not ", "")))

    def related(self, node: Related, row: Row) -> Both:
        if self.slots is not None:
            raise QueryError(f"A condition on '{node.relation.name}' cannot stand in having.", hint="Put it into where.")
        relation, start = node.relation, self.name("r")
        test = self.name("related")
        target = relation.target.entity
        lines = [f"def {test}({start}):"]
        variable, guards = self.steps(node.steps, Row(start, row.entity))
        owner = node.steps[-1].target.entity if node.steps else row.entity
        every = node.quantifier == "every"
        if guards:
            lines += [f"    if not ({guards}):", f"        return {every or node.quantifier == 'none'}"]
        indent = "    "
        local = self._lookup(variable, owner, relation.local)
        if relation.through is not None:
            link, linked = self.name("x"), relation.through.entity
            lines.append(f"{indent}for {link} in {self._getter('many', linked, relation.through_local)}({local}):")
            indent += "    "
            live = self.live(link, linked)
            if live:
                lines += [f"{indent}if not ({live}):", f"{indent}    continue"]
            local = self._lookup(link, linked, relation.through_remote)
        item = self.name("x")
        lines.append(f"{indent}for {item} in {self._getter('many', target, relation.remote)}({local}):")
        live = self.live(item, target)
        inner = self.condition(node.inner, Row(item, target)).true
        found = f"not ({inner})" if every else inner
        lines += [f"{indent}    if {' and '.join(filter(None, (live, found if not live else f'({found})')))}:"]
        lines += [f"{indent}        return {node.quantifier == 'any'}", f"    return {node.quantifier != 'any'}"]
        self.head += lines
        return Both(f"{test}({row.variable})", f"not {test}({row.variable})")

    def both_of(self, node: And | Or, row: Row) -> Both:
        parts = [self.condition(item, row) for item in node.items]
        if isinstance(node, And):
            return Both(_join("and", [part.true for part in parts]), _join("or", [part.false for part in parts]))
        return Both(_join("or", [part.true for part in parts]), _join("and", [part.false for part in parts]))

    def negation(self, node: Not, row: Row) -> Both:
        inner = self.condition(node.item, row)
        return Both(inner.false, inner.true)

    def constant(self, node: Constant, row: Row) -> Both:  # noqa: ARG002  as its neighbours in the table
        return Both(str(node.value), str(not node.value))


def function_text(name: str, parameters: str, head: Iterable[str], body: Iterable[str]) -> str:
    """The source of a function."""
    return "\n".join([f"def {name}({parameters}):", *(f"    {line}" for line in (*head, *body))])


def _join(word: str, parts: list[str]) -> str:
    neutral, absorbing = (_YES, _NO) if word == "and" else (_NO, _YES)
    if absorbing in parts:
        return absorbing
    parts = [part for part in parts if part != neutral]
    if not parts:
        return neutral
    return parts[0] if len(parts) == 1 else "(" + f" {word} ".join(parts) + ")"


_PLAIN: dict[str, Callable[[str, str], str]] = {}


def _plain(op: str) -> Callable[[str, str], str]:
    """Python's own operator for op."""
    if op not in _PLAIN:
        _PLAIN[op] = lambda a, b: f"{a} {_OPERATORS[op]} {b}"
    return _PLAIN[op]


_CONDITIONS: dict[type, Callable[[Function, Any, Row], Both]] = {
    Compare: Function.compare,
    Membership: Function.membership,
    Match: Function.match,
    Holds: Function.holds,
    IsNull: Function.is_null,
    Related: Function.related,
    And: Function.both_of,
    Or: Function.both_of,
    Not: Function.negation,
    Constant: Function.constant,
}
