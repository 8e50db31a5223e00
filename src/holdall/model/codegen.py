"""Generated code of a model: constructor, row builders, freezing. One function each, written for the fields at hand.

Pydantic is the authority on what is valid. What is written here is a fast lane: for values that are plainly right (exact type, within
the limits) the answer is known without asking; anything else takes the slow lane through Pydantic, in model.construct. The test
tests/unit/model/test_lanes.py holds both lanes to the same answers. `Shape.source` keeps the text for people to read.

Owns the text. Must not know relations, stores or engines.
"""

from __future__ import annotations

import datetime as dt
import linecache
import uuid
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow, Rounded
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from holdall.model.members import Member
from holdall.model.record import is_doubtful
from holdall.model.spec import MISSING
from holdall.model.values import freezer, is_plain_items, is_text, thawer
from holdall.schema import DECIMAL_DIGITS_MAX, INT_MAX, INT_MIN, UTC, BadOperand, Type, container_text


class _Bad:
    """The mark for a value that is not plainly valid."""

    def __repr__(self) -> str:
        return "<not valid>"


BAD: Any = _Bad()


def _utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Lane:
    """The text for one member: how to test a value, what an object holds of it, and what a row holds of it.

    `test` is true for a value that is certainly valid; it may leave the value that the object shall hold in a second variable. The
    first one stays as it was given, because Pydantic gets it if any test fails.
    """

    def __init__(self, member: Member, number: int, env: dict[str, Any]) -> None:
        self.name = member.name
        self.var = member.name  # no clash: all other names in the code begin with _
        self._number = number
        self._env = env
        self.python = self.var
        self.canonical = self.var
        self.made = f"_v{number}"
        self.test = self._test(member)
        if member.none_allowed:
            self.test = f"({self.var} is None or {self.test})"
            for attribute in ("python", "canonical"):
                text = getattr(self, attribute)
                if text != self.var:
                    setattr(self, attribute, f"(None if {self.var} is None else {text})")
        self.set_back = member.settles and self.python != self.var

    def bind(self, prefix: str, value: Any) -> str:
        """A name for a value in the generated code."""
        name = f"_{prefix}{self._number}"
        self._env[name] = value
        return name

    def _test(self, member: Member) -> str:
        type_, spec = member.type, member.spec
        if member.described.extra or spec.pattern is not None:
            return self._asked(member)
        if is_text(type_):
            return self._text_format(type_, _length(self.var, member))
        if type_.codec is not None and type_.choices is not None and type_.kind in ("str", "int"):
            self.canonical = f"{self.var}._value_"
            return f"_type({self.var}) is {self.bind('e', type_.codec.python_type)}"
        if type_.codec is not None and type_.codec.python_type in (IPv4Address, IPv6Address, IPv4Address | IPv6Address):
            self.canonical = f"_str({self.var})"
            return f"_isinstance({self.var}, {self.bind('e', type_.codec.python_type)})"
        if type_.codec is None and type_.kind == "json":
            return self._settled(type_, member.nullable)
        if type_.codec is None and type_.kind == "decimal":
            return self._decimal(member)
        if is_plain_items(type_):
            return self._items(member)
        if type_.codec is None and type_.kind in _SCALAR_TESTS:
            return self._scalar(member)
        return self._asked(member)

    def _asked(self, member: Member) -> str:
        """Pydantic is asked for this field alone."""
        from holdall.model.construct import field_check

        self.python = self.made
        self.canonical = f"{self.bind('f', freezer(member.type))}({self.made})"
        return f"({self.made} := {self.bind('n', field_check(member))}({self.var})) is not _BAD"

    def _text_format(self, type_: Type, length: str) -> str:
        normalise: Callable[[str], str] = getattr(type_.codec, "normalise")  # noqa: B009 - is_text said that it is a TextFormat

        def check(value: Any) -> Any:
            try:
                return normalise(value) if type(value) is str else BAD
            except ValueError:
                return BAD

        self.python = self.canonical = self.made
        return f"({self.made} := {self.bind('n', check)}({self.var})) is not _BAD{length}"

    def _settled(self, type_: Type, nullable: bool) -> str:
        freeze, thaw = freezer(type_), thawer(type_, nullable)

        def check(value: Any) -> Any:
            try:
                frozen = freeze(value)
            except BadOperand:
                return BAD
            return frozen if thaw is None else thaw(frozen)

        self.python = self.made
        self.canonical = f"{self.bind('f', freeze)}({self.made})"
        return f"({self.made} := {self.bind('n', check)}({self.var})) is not _BAD"

    def _decimal(self, member: Member) -> str:
        type_, var, made = member.type, self.var, self.made
        places = type_.places
        bounds = self._bounds(member, made)
        if places is None:
            self.python = self.canonical = made
            return f"({made} := {self.bind('n', _loose_decimal(type_))}({var})) is not _BAD{bounds}"
        quantum = self.bind("q", Decimal((0, (1,), -places)))
        most = Decimal((0, (9,) * (type_.digits or 38), -places))
        limit, negative = self.bind("m", most), self.bind("l", -most)
        zero = self.bind("z", Decimal((0, (0,), -places)))
        normal = self.bind("n", _scaled_decimal(type_))
        self.python = self.canonical = f"({made} or {zero})"
        exact = f"({made} := {var} if {var}.same_quantum({quantum}) else {normal}({var})) is not _BAD"
        return f"_type({var}) is _Decimal and {exact} and {negative} <= {made} <= {limit}{bounds}"

    def _bounds(self, member: Member, var: str) -> str:
        signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
        text = ""
        for option, sign in signs.items():
            bound = getattr(member.spec, option)
            if bound is not None:
                text += f" and {var} {sign} {self.bind(option, bound)}"
        return text

    def _items(self, member: Member) -> str:
        type_, var = member.type, self.var
        assert type_.item is not None
        item = _SCALAR_TESTS[type_.item.kind].format(v="v")
        env = {**self._env}
        if type_.item.choices is not None:
            env["_choices"] = type_.item.choices
            item += " and v in _choices"
        if type_.item_nullable:
            item = f"v is None or {item}"
        loop = f"for v in x{'.values()' if type_.kind == 'dict' else ''}:\n  if not ({item}): return False\n"
        if type_.kind == "dict":
            loop += f" for v in x:\n  if not ({_SCALAR_TESTS['str'].format(v='v')}): return False\n"
        exec(f"def all_valid(x):\n {loop} return True", env)  # noqa: S102 - text made here, from the kinds alone
        valid = self.bind("i", env["all_valid"])
        self.python = {"list": f"[*{var}]", "set": f"{{*{var}}}", "dict": f"{{**{var}}}"}[type_.kind]
        self.canonical = {"list": f"(*{var},)", "set": f"_frozenset({var})", "dict": f"{{**{var}}}"}[type_.kind]
        return f"_type({var}) is _{type_.kind} and {valid}({var}){_length(var, member)}"

    def _scalar(self, member: Member) -> str:
        type_, var = member.type, self.var
        test = _SCALAR_TESTS[type_.kind].format(v=var)
        if type_.choices is not None:
            return f"{test} and {var} in {self.bind('c', frozenset(type_.choices))}"
        if type_.kind == "float":
            self.python = self.canonical = f"({var} + 0.0)"
        return test + self._bounds(member, var) + _length(var, member)


_SCALAR_TESTS = {
    "str": "_type({v}) is _str and ({v}.isascii() or _utf8({v})) and '\\0' not in {v}",
    "int": f"_type({{v}}) is _int and {INT_MIN} <= {{v}} <= {INT_MAX}",
    "float": "_type({v}) is _float and -_INF < {v} < _INF",
    "bool": "({v} is True or {v} is False)",
    "bytes": "_type({v}) is _bytes",
    "datetime": "_type({v}) is _datetime and {v}.tzinfo is _UTC",
    "local_datetime": "_type({v}) is _datetime and {v}.tzinfo is None and not {v}.fold",
    "date": "_type({v}) is _date",
    "time": "_type({v}) is _time and {v}.tzinfo is None and not {v}.fold",
    "timedelta": "_type({v}) is _timedelta",
    "uuid": "_type({v}) is _UUID",
}


def _length(var: str, member: Member) -> str:
    spec = member.spec
    text = f" and _len({var}) <= {spec.max_length}" if spec.max_length is not None else ""
    return text + (f" and _len({var}) >= {spec.min_length}" if spec.min_length else "")


# Exact arithmetic over exactly the Decimals that are canonical: 38 digits, none of them below 10**-38. Whatever does not fit is refused.
_EXACT = Context(prec=DECIMAL_DIGITS_MAX, Emin=-1, Emax=DECIMAL_DIGITS_MAX - 1, traps=[Inexact, Rounded, InvalidOperation, Overflow])


def _loose_decimal(type_: Type) -> Callable[[Any], Any]:
    """For a Decimal without declared places: no trailing zeros, no exponent. As canonical_decimal, but by the C library."""
    if type_.digits is not None:  # max_digits without decimal_places: counting is Pydantic's
        return lambda _: BAD
    normalize, add, zero = _EXACT.normalize, _EXACT.add, Decimal(0)

    def check(value: Any) -> Any:
        if type(value) is not Decimal:
            return BAD
        try:
            value = add(normalize(value), zero)  # adding 0 writes out what normalize made 1E+2, and takes the sign off -0
        except ArithmeticError:
            return BAD
        return value if value.is_finite() else BAD

    return check


def _scaled_decimal(type_: Type) -> Callable[[Any], Any]:
    """For a Decimal that is not written with exactly the declared places: the same number that is, if there is one."""
    quantum = Decimal((0, (1,), -(type_.places or 0)))

    def check(value: Decimal) -> Any:
        try:
            value = value.quantize(quantum, context=_EXACT)
        except ArithmeticError:
            return BAD
        return value if value.is_finite() else BAD

    return check


def base_env() -> dict[str, Any]:
    """The names that generated code uses."""
    builtin = (type, len, str, int, float, bytes, list, set, dict, frozenset, isinstance)
    values = (dt.datetime, dt.date, dt.time, dt.timedelta, uuid.UUID, Decimal)
    named = {f"_{each.__name__}": each for each in (*builtin, *values)}
    return {**named, "_BAD": BAD, "_MISSING": MISSING, "_INF": float("inf"), "_UTC": UTC, "_utf8": _utf8, "_new": object.__new__}


def compile_text(text: str, env: dict[str, Any], title: str) -> None:
    """Run generated text in `env`; tracebacks and inspect find it."""
    filename = f"<holdall {title}>"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    exec(compile(text, filename, "exec"), env)  # noqa: S102 - text made here; users' names in it are checked identifiers


def constructor_text(
    lanes: list[Lane], members: list[Member], relations: list[str], parents: dict[str, str], env: dict[str, Any], fast: bool
) -> str:
    """__init__: keyword arguments, the fast lane, else the slow one. `parents` are the belongs_to relations with their foreign keys:
    a parent with a key is as good as the key, so it stays in the fast lane."""
    parameters: list[str] = []
    makes: list[str] = []
    links: list[str] = []
    known: list[str] = []
    for lane, member in zip(lanes, members, strict=True):
        default = "_MISSING"
        if member.default is None and lane.name in parents.values():
            nobody = "".join(f" and {name} is _MISSING" for name, field in parents.items() if field == lane.name)
            makes.append(f"    if {lane.name} is _MISSING{nobody}: {lane.name} = None")
        elif member.default is not MISSING:
            env[f"_d_{lane.name}"] = member.default
            default = f"_d_{lane.name}"
        elif member.default_factory is not None:
            env[f"_make_{lane.name}"] = member.default_factory
            makes.append(f"    if {lane.name} is _MISSING: {lane.name} = _make_{lane.name}()")
        parameters.append(f"{lane.name}={default}")
    parameters += [f"{name}=_MISSING" for name in relations]
    values = ", ".join(f"{name!r}: {name}" for name in [*(lane.name for lane in lanes), *relations])
    slow = f"_slow(_self, {{{values}}}, _unknown)"
    head = f"def __init__(_self, *, {', '.join([*parameters, ''])}**_unknown):\n"
    if not fast:
        return head + f"    {slow}\n"
    for place, name in enumerate(relations):
        if name not in parents:
            known.append(f"{name} is _MISSING")
            continue
        field, given = parents[name], f"_r{place}"
        makes.append(f"    {given} = {name} is not _MISSING and {field} is _MISSING")
        makes.append(f"    if {given}: {field} = _key_{name}({name})")
        known.append(f"({given} or {name} is _MISSING)")
        links.append(f"        if {given}: _link(_self, {name!r}, {name})")
    tests = " and ".join([*known, *(lane.test for lane in lanes)])
    body = [*makes, f"    if not _unknown and {tests}:"]
    body += [f"        _self.{lane.name} = {lane.python}" for lane in lanes]
    body += ["        _self._row = None", *links, "    else:", f"        {slow}"]
    return head + "\n".join(body) + "\n"


def builder_text(members: list[Member], env: dict[str, Any], unstored: list[Member]) -> str:
    """__build__ and __build_many__: objects from canonical rows, unchecked; `unstored` members get their defaults."""
    places: list[str] = []
    after: list[str] = []
    for member in unstored:
        made = f"_make_{member.name}" if member.default_factory else f"_d_{member.name}"
        env[made] = member.default_factory or member.default
        after.append(f"self.{member.name} = {made}{'()' if member.default_factory else ''}")
    for number, member in enumerate(members):
        name = member.name
        thaw = thawer(member.type, member.nullable)
        if thaw is None:
            places.append(f"self.{name}")
            continue
        places.append(f"v{number}")
        text = f"_t{number}(v{number})"
        if is_plain_items(member.type):
            text = {"list": f"[*v{number}]", "set": f"{{*v{number}}}", "dict": f"{{**v{number}}}"}[member.type.kind]
        env[f"_t{number}"] = thaw
        after.append(f"self.{name} = {f'None if v{number} is None else {text}' if member.none_allowed else text}")
    unpack = f"{', '.join(places)}, = row"
    one = ["self = _new(_cls)", unpack, *after, "self._row = row"]
    lines = ["def __build__(row):", *(f"    {line}" for line in one), "    return self", "", "def __build_many__(rows):"]
    lines += [
        "    built = []",
        "    for row in rows:",
        *(f"        {line}" for line in one),
        "        built.append(self)",
        "    return built",
    ]
    return "\n".join(lines) + "\n"


def freezer_text(lanes: list[Lane], members: list[Member], fast: bool) -> str:
    """__freeze__: the row of an object, checked; canonical values are set back on the object."""
    stored = [lane for lane, member in zip(lanes, members, strict=True) if member.spec.stored]
    row = ", ".join(lane.canonical for lane in stored)
    if not fast:
        return "def __freeze__(_self, _skip=None):\n    return _slow_freeze(_self)\n"
    lines = ["def __freeze__(_self, _skip=None):", "    try:"]
    lines += [f"        {lane.var} = _self.{lane.name}" for lane in lanes]
    lines += ["    except AttributeError:", "        return _slow_freeze(_self)"]
    tests: list[str] = []
    for lane, member in zip(lanes, members, strict=True):
        # The store fills what is unset before it freezes; only a generated number is still unknown then.
        filled = member.unset and member.generated != "int"
        tests.append(f"{lane.var} is not None and {lane.test}" if filled else lane.test)
    lines += [f"    if not ({' and '.join(tests)}):", "        return _slow_freeze(_self)"]
    lines += [f"    _self.{lane.name} = {lane.python}" for lane in lanes if lane.set_back]
    lines += [f"    return ({row},)"]
    return "\n".join(lines) + "\n"


def changes(members: list[Member]) -> Callable[[Any, tuple[Any, ...]], tuple[int, ...]]:
    """The function (object, new row) -> positions that differ from the row it was read from; all for a new object, and all but the key
    where the row is in doubt."""
    stored = [member for member in members if member.spec.stored]
    by_text = {place: member.type for place, member in enumerate(stored) if _holds_json(member.type)}
    keys = frozenset(place for place, member in enumerate(stored) if member.spec.role == "key")

    def changed(instance: Any, row: tuple[Any, ...]) -> tuple[int, ...]:
        old = instance._row
        if old is None:
            return tuple(range(len(row)))
        if is_doubtful(instance):
            return tuple([place for place, value in enumerate(row) if place not in keys or value != old[place]])
        if not by_text:
            return tuple([place for place, value in enumerate(row) if value is not old[place] and value != old[place]])
        return tuple([place for place, value in enumerate(row) if _differ(by_text.get(place), value, old[place])])

    return changed


def _holds_json(type_: Type) -> bool:
    return (
        type_.kind == "json"
        or (type_.item is not None and _holds_json(type_.item))
        or any(_holds_json(part) for _, part, _ in type_.fields)
    )


def _differ(type_: Type | None, value: Any, old: Any) -> bool:
    """Inside JSON, True is not 1: equality is that of the canonical text."""
    if type_ is None or value is None or old is None:
        return value is not old and value != old
    return container_text(type_, value) != container_text(type_, old)
