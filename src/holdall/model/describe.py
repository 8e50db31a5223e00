"""From an annotation to a schema type, and to what Pydantic is to validate.

Owns the list of supported annotations. Must not know models (a nested Model value is recognised by `__entity__`), relations or engines.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import types
import typing
import uuid
from collections.abc import Mapping
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from holdall.errors import DeclarationError
from holdall.model.fieldtypes import CodecMark, KindMark, TextFormat
from holdall.schema import Kind, SimpleCodec, Type

SCALARS: Mapping[Any, Kind] = {
    str: "str",
    int: "int",
    float: "float",
    Decimal: "decimal",
    bool: "bool",
    bytes: "bytes",
    dt.datetime: "datetime",
    dt.date: "date",
    dt.time: "time",
    dt.timedelta: "timedelta",
    uuid.UUID: "uuid",
}
CONTAINER_KINDS: Mapping[Any, Kind] = {list: "list", set: "set", dict: "dict"}
SUPPORTED = (
    "str, int, float, Decimal, bool, bytes, datetime, LocalDateTime, date, time, timedelta, UUID, Enum, Literal, Email, Phone, Url, "
    "IPAddress, Json, list[…], set[…], dict[str, …], a dataclass, or any of them | None"
)
REMEDY = f"Use {SUPPORTED}; or Annotated[YourType, codec(encode=…, decode=…)] for a type of your own."


@dataclasses.dataclass(frozen=True, slots=True)
class Described:
    """One annotation: its type, whether None is allowed, and the parts of the annotation for Pydantic.

    `pre` and `post` are Annotated metadata that go before and after a field's constraints. `extra` is the user's own metadata; where
    there is any, only Pydantic can say what a valid value is.
    """

    type: Type
    nullable: bool
    base: Any
    pre: tuple[Any, ...] = ()
    post: tuple[Any, ...] = ()
    extra: tuple[Any, ...] = ()

    @property
    def transforms(self) -> bool:
        """Whether the user's metadata may run code of the user's, which can turn a value into another one."""
        return any(
            type(item).__module__.partition(".")[0] != "annotated_types" and hasattr(item, "__get_pydantic_core_schema__")
            for item in self.extra
        )

    def annotation(self, *constraints: Any) -> Any:
        """What Pydantic is to validate."""
        metadata = (*self.pre, *constraints, *self.extra, *self.post)
        made: Any = cast("Any", Annotated)[(self.base, *metadata)] if metadata else self.base
        return made | None if self.nullable else made


def describe(annotation: Any, where: str) -> Described:
    """The meaning of an annotation; DeclarationError (with `where`) if it is not supported."""
    annotation = _unaliased(annotation)
    if get_origin(annotation) is Annotated:
        base, *metadata = get_args(annotation)
        return _annotated(base, metadata, where)
    if get_origin(annotation) in (Union, types.UnionType):
        return _union(get_args(annotation), where)
    if get_origin(annotation) is Literal:
        return _literal(get_args(annotation), where)
    if get_origin(annotation) in (list, set, dict):
        return _container(annotation, where)
    if isinstance(annotation, type):
        return _class(cast("type[Any]", annotation), where)
    raise _unsupported(annotation, where)


def _unaliased(annotation: Any) -> Any:
    while True:
        if hasattr(annotation, "__supertype__"):  # NewType
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":  # type X = …
            annotation = annotation.__value__
        else:
            return annotation


_BARE = (list, set, dict, typing.List, typing.Set, typing.Dict)  # noqa: UP006 - as users may still write them


def _unsupported(annotation: Any, where: str) -> DeclarationError:
    name = getattr(annotation, "__name__", None) or repr(annotation)
    if annotation in _BARE:
        element = "dict[str, …]" if "dict" in repr(annotation).lower() else f"{annotation.__name__.lower()}[…]"
        return DeclarationError(f"{where}: {name} does not say what it holds.", hint=f"Write {element} with a type, or Json.")
    return DeclarationError(f"{where}: the type {name} is not supported.", hint=REMEDY)


def _annotated(base: Any, metadata: list[Any], where: str) -> Described:
    special = [item for item in metadata if isinstance(item, CodecMark | TextFormat | KindMark)]
    extra = tuple(item for item in metadata if not isinstance(item, CodecMark | TextFormat | KindMark))
    if len(special) > 1:
        raise DeclarationError(f"{where}: {special[0]!r} and {special[1]!r} cannot be combined.")
    if not special:
        found = describe(base, where)
        return dataclasses.replace(found, extra=(*found.extra, *extra))
    mark = special[0]
    if isinstance(mark, CodecMark):
        return dataclasses.replace(_coded(base, mark, where), extra=extra)
    if isinstance(mark, TextFormat):
        mark.check_installed(where)
        from pydantic import Strict

        return Described(Type("str", mark.name, codec=mark), False, str, (Strict(),), (mark,), extra)
    return Described(Type(mark.kind, mark.name), False, base, extra=extra)


def _coded(python_type: Any, mark: CodecMark, where: str) -> Described:
    from holdall.model.inputs import CodecInput

    base = describe(mark.base, f"{where}, base of its codec")
    if base.nullable or base.type.codec is not None:
        raise DeclarationError(f"{where}: the base of a codec must be a type without one, and not optional.")
    if not isinstance(python_type, type):
        raise DeclarationError(f"{where}: a codec is for a class, not for {python_type!r}.")
    coded = SimpleCodec(python_type, mark.encode, mark.decode)
    type_ = dataclasses.replace(base.type, codec=coded, python_name=python_type.__name__)
    return Described(type_, False, python_type, post=(CodecInput(coded, base.annotation()),))


def _union(members: tuple[Any, ...], where: str) -> Described:
    rest = [member for member in members if member is not types.NoneType]
    nullable = len(rest) < len(members)
    if set(rest) == {IPv4Address, IPv6Address}:
        found = _address(IPv4Address | IPv6Address, "IPAddress", ip_address)
    elif len(rest) == 1:
        found = describe(rest[0], where)
    else:
        names = " | ".join(getattr(member, "__name__", repr(member)) for member in rest)
        raise DeclarationError(f"{where}: a field has one type, not {names}.", hint=REMEDY)
    return dataclasses.replace(found, nullable=nullable or found.nullable)


def _address(python_type: Any, name: str, decode: Any) -> Described:
    from pydantic import Strict

    from holdall.model.inputs import CodecInput

    coded = SimpleCodec(python_type, str, decode)
    return Described(Type("str", name, codec=coded), False, python_type, post=(CodecInput(coded, Annotated[str, Strict()]),))


def _literal(values: tuple[Any, ...], where: str) -> Described:
    nullable = None in values
    values = tuple(value for value in values if value is not None)
    kinds: set[Any] = {type(value) for value in values}
    if len(kinds) != 1 or not kinds <= {str, int, bool}:
        raise DeclarationError(f"{where}: the values of a Literal must be all str, all int or all bool.", hint="Use an Enum, or Json.")
    (python_type,) = kinds
    name = f"Literal[{', '.join(map(repr, values))}]"
    from holdall.model.inputs import ExactInput

    return Described(Type(SCALARS[python_type], name, choices=values), nullable, Literal[values], post=(ExactInput(python_type),))


def _container(annotation: Any, where: str) -> Described:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        if _unaliased(arguments[0]) is not str:
            raise DeclarationError(f"{where}: the keys of a dict field must be str.", hint="Use dict[str, …], or a list of pairs.")
        item = describe(arguments[1], f"{where}, values of the dict")
        base: Any = dict[str, item.annotation()]  # type: ignore[misc]  # made at run time
    else:
        item = describe(arguments[0], f"{where}, items of the {origin.__name__}")
        base = origin[item.annotation()]
    if origin is set and (item.type.kind in ("json", "list", "set", "dict", "record")):
        raise DeclarationError(f"{where}: a set cannot hold {item.type.name}, which is not hashable.", hint="Use a list.")
    return Described(Type(CONTAINER_KINDS[origin], _named(annotation), item=item.type, item_nullable=_nullable_inside(item)), False, base)


def _nullable_inside(part: Described) -> bool:
    """Whether a part of a container can be null. JSON has a null of its own, and inside a container there is no second one (E2)."""
    return part.nullable and part.type.kind != "json"


def _named(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        base, *metadata = get_args(annotation)
        marks = [item for item in metadata if isinstance(item, TextFormat | KindMark)]
        return marks[0].name if marks else _named(base)
    arguments = get_args(annotation)
    if get_origin(annotation) in (list, set, dict):
        return f"{get_origin(annotation).__name__}[{', '.join(map(_named, arguments))}]"
    if get_origin(annotation) in (Union, types.UnionType):
        return " | ".join(map(_named, arguments))
    return "None" if annotation is types.NoneType else getattr(annotation, "__name__", repr(annotation))


def _class(cls: type[Any], where: str) -> Described:
    kind = SCALARS.get(cls)
    if kind is not None:
        return _scalar(cls, kind)
    if cls in (IPv4Address, IPv6Address):
        return _address(cls, cls.__name__, cls)
    if issubclass(cls, enum.Enum):
        return _enum(cls, where)
    if dataclasses.is_dataclass(cls):
        return _record(cls, where)
    raise _unsupported(cls, where)


def _scalar(cls: type, kind: Kind) -> Described:
    from pydantic import Strict

    from holdall.model.inputs import BytesInput, DecimalInput, FloatInput, TimeInput

    pre = (Strict(),) if kind in ("str", "int", "bool", "float") else ()
    inputs: dict[str, Any] = {"decimal": DecimalInput(), "bytes": BytesInput(), "float": FloatInput()}
    inputs |= dict.fromkeys(("datetime", "date", "time", "timedelta"), TimeInput())
    return Described(Type(kind), False, cls, pre, (inputs[kind],) if kind in inputs else ())


def _enum(cls: type[enum.Enum], where: str) -> Described:
    from holdall.model.inputs import ExactInput

    values = tuple(member.value for member in cls)
    kinds: set[Any] = {type(value) for value in values}
    if issubclass(cls, enum.Flag) or len(kinds) != 1 or not kinds <= set(SCALARS):
        raise DeclarationError(
            f"{where}: the members of {cls.__name__} must all have values of one simple type.",
            hint="Give every member a str or an int; keep a Flag in an int field.",
        )
    by_value = {member.value: member for member in cls}
    coded = SimpleCodec(cls, lambda member: member.value, by_value.__getitem__)
    (python_type,) = kinds
    type_ = Type(SCALARS[python_type], cls.__name__, choices=values, codec=coded)
    return Described(type_, False, cls, post=(ExactInput(python_type, cls),))


class RecordCodec:
    """The codec of a nested dataclass or Model value: its parts by name, and back."""

    def __init__(self, cls: Any, names: tuple[str, ...]) -> None:
        self.python_type = cls
        self.names = names
        self._direct = hasattr(cls, "__entity__")
        self._later = tuple(item.name for item in dataclasses.fields(cls) if not item.init)

    def encode(self, value: Any) -> dict[str, Any]:
        """The parts."""
        if not isinstance(value, self.python_type):
            raise TypeError(f"{type(value).__name__} is not {self.python_type.__name__}")
        return {name: getattr(value, name) for name in self.names}

    def decode(self, parts: dict[str, Any]) -> Any:
        """The object: a Model value as it was, a dataclass by its constructor."""
        if self._direct:
            made = self.python_type.__new__(self.python_type)
            made._row = None
            made.__dict__.update(parts)
            return made
        made = self.python_type(**{name: item for name, item in parts.items() if name not in self._later})
        for name in self._later:
            object.__setattr__(made, name, parts[name])
        return made


_being_described: list[type] = []


def _record(cls: Any, where: str) -> Described:
    if cls in _being_described:
        raise DeclarationError(f"{where}: {cls.__name__} holds itself.", hint="Use Json for the inner value, or a relation.")
    try:
        hints = typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError) as error:
        raise DeclarationError(f"{where}: the fields of {cls.__name__} cannot be read: {error}.") from None
    _being_described.append(cls)
    try:
        parts: list[tuple[str, Type, bool]] = []
        for item in dataclasses.fields(cls):
            found = describe(hints.get(item.name, item.type), f"{where}, {cls.__name__}.{item.name}")
            parts.append((item.name, found.type, _nullable_inside(found)))
    finally:
        _being_described.pop()
    names = tuple(name for name, _, _ in parts)
    return Described(Type("record", cls.__name__, fields=tuple(parts), codec=RecordCodec(cls, names)), False, cls)
