"""Members: one declared field with everything known about it, and the checks of its options.

Owns the meaning of FieldSpec together with an annotation. Must not know relations, classes or engines.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from holdall.errors import DeclarationError
from holdall.model.describe import Described, describe
from holdall.model.keys import uuid7
from holdall.model.spec import MISSING, FieldSpec
from holdall.model.values import freezer, thawer
from holdall.schema import CONTAINERS, DECIMAL_DIGITS_MAX, NUMBERS, Field, Generated, Type, check_name

_LENGTH_KINDS = frozenset({"str", "bytes", "list", "set", "dict"})
_FORBIDDEN = frozenset({"save", "delete", "refresh", "aio"})


@dataclass(slots=True)
class Member:
    """A field of a model. `nullable` is about rows; `unset` says that it may be None in memory until the store fills it; `refers`
    that it is the key of another record."""

    name: str
    spec: FieldSpec
    described: Described
    annotation: Any
    where: str
    generated: Generated | None = None
    unset: bool = False
    refers: bool = False
    default: Any = MISSING
    default_factory: Callable[[], Any] | None = None

    @property
    def type(self) -> Type:
        """The schema type."""
        return self.described.type

    @property
    def nullable(self) -> bool:
        """Whether a row may hold null."""
        return self.described.nullable

    @property
    def none_allowed(self) -> bool:
        """Whether an object may hold None."""
        return self.described.nullable or self.unset

    @property
    def required(self) -> bool:
        """Whether the constructor must be given a value."""
        return self.default is MISSING and self.default_factory is None

    @property
    def settles(self) -> bool:
        """Whether saving puts the canonical value into the object. Containers stay the objects that they are: others may hold them."""
        return self.type.kind not in CONTAINERS

    def frozen(self, value: Any) -> Any:
        """The canonical form of a valid value."""
        if value is None and self.none_allowed:
            return None
        return freezer(self.type)(value)

    def thawed(self, value: Any) -> Any:
        """The Python form of a canonical value."""
        thaw = thawer(self.type, self.nullable)
        return value if value is None or thaw is None else thaw(value)

    def constraints(self) -> dict[str, Any]:
        """The options that Pydantic checks."""
        spec = self.spec
        names = ["max_length", "min_length", "ge", "gt", "le", "lt", "pattern", "max_digits", "decimal_places"]
        if spec.max_digits == spec.decimal_places:  # Pydantic counts the 0 of Decimal(0) as a digit before the point; freezing does not
            names.remove("max_digits")
        return {name: value for name in names if (value := getattr(spec, name)) is not None}


def make_member(name: str, annotation: Any, spec: FieldSpec, model: str) -> Member:
    """The member for a declaration; DeclarationError if its parts do not fit."""
    where = f"{model}.{name}"
    check_name(name, where)
    if name in _FORBIDDEN:
        raise DeclarationError(f"{where} would hide the method {name}() that every record has.", hint="Choose another name.")
    if name.startswith("_"):
        raise DeclarationError(f"{where}: a field's name does not begin with '_'.", hint="Write ClassVar[…] if it is no field.")
    described = describe(annotation, where)
    described = replace(described, type=_sized(described.type, spec))
    member = Member(name, spec, described, annotation, where, default=spec.default, default_factory=spec.default_factory)
    _check_options(member)
    _check_role(member)
    _check_default(member)
    return member


def _sized(type_: Type, spec: FieldSpec) -> Type:
    if type_.kind in ("str", "bytes") and spec.max_length is not None:
        return replace(type_, max_length=spec.max_length)
    if type_.kind == "decimal" and (spec.max_digits is not None or spec.decimal_places is not None):
        return replace(type_, digits=spec.max_digits, places=spec.decimal_places)
    return type_


def _wrong(member: Member, option: str, needs: str) -> DeclarationError:
    return DeclarationError(
        f"{member.where}: {option} does not go with {member.type.name}.", hint=f"It is for {needs}; remove it or change the type."
    )


def _check_options(member: Member) -> None:
    spec, type_ = member.spec, member.type
    plain = type_.codec is None or getattr(type_.codec, "identity", False)
    if (spec.max_length is not None or spec.min_length is not None) and not (type_.kind in _LENGTH_KINDS and plain):
        raise _wrong(member, "max_length or min_length", "str, bytes, list, set and dict")
    for option in ("max_length", "min_length"):
        length = getattr(spec, option)
        if length is not None and (type(length) is not int or length < 0):
            raise DeclarationError(f"{member.where}: {option} is a number of at least 0, not {length!r}.")
    if spec.pattern is not None and not (type_.kind == "str" and plain):
        raise _wrong(member, "pattern", "str")
    if (spec.max_digits is not None or spec.decimal_places is not None) and not (type_.kind == "decimal" and plain):
        raise _wrong(member, "max_digits or decimal_places", "Decimal")
    _check_bounds(member)
    _check_digits(member)
    if type_.kind in CONTAINERS and (spec.unique or spec.index or spec.references is not None or spec.role == "key"):
        what = "a key" if spec.role == "key" else "unique" if spec.unique else "index" if spec.index else "references"
        raise _wrong(member, what, "values that can be compared, not for containers")
    _check_stored_options(member)


def _check_stored_options(member: Member) -> None:
    spec, type_ = member.spec, member.type
    if spec.expires and (type_.kind != "datetime" or type_.codec is not None):
        raise _wrong(member, "expires", "datetime")
    if not spec.stored and (spec.unique or spec.index or spec.references is not None or spec.expires or spec.column):
        raise DeclarationError(f"{member.where} is not stored, so it cannot be unique, indexed, a reference, an expiry or a column.")
    if spec.on_delete is not None and spec.references is None:
        raise DeclarationError(
            f"{member.where}: on_delete says what happens with a reference, but there is none.", hint="Add references=…."
        )
    if spec.on_delete not in (None, "restrict", "cascade", "set_null"):
        raise DeclarationError(f"{member.where}: on_delete is 'restrict', 'cascade' or 'set_null', not {spec.on_delete!r}.")
    if spec.on_delete == "set_null" and not member.nullable:
        raise DeclarationError(
            f"{member.where}: on_delete='set_null' needs a field that can be null.", hint="Annotate it with | None, or use another rule."
        )
    if spec.column is not None:
        check_name(spec.column, f"{member.where}, column")


def _check_bounds(member: Member) -> None:
    spec, type_ = member.spec, member.type
    for option in ("ge", "gt", "le", "lt"):
        bound = getattr(spec, option)
        if bound is None:
            continue
        if not type_.orderable or type_.codec is not None or type_.kind in ("bool", "uuid", "bytes", "str"):
            raise _wrong(member, option, "numbers, dates and times")
        fits = type(bound) in (int, float, Decimal) if type_.kind in NUMBERS else isinstance(bound, _BOUND_TYPES.get(type_.kind, object))
        if type_.kind == "int" and type(bound) is not int:
            fits = False
        if not fits:
            raise DeclarationError(f"{member.where}: {option}={bound!r} cannot be compared with {type_.name}.")


_BOUND_TYPES: dict[str, Any] = {
    "datetime": dt.datetime,
    "local_datetime": dt.datetime,
    "date": dt.date,
    "time": dt.time,
    "timedelta": dt.timedelta,
}


def _check_digits(member: Member) -> None:
    digits, places = member.spec.max_digits, member.spec.decimal_places
    if digits is not None and not 1 <= digits <= DECIMAL_DIGITS_MAX:
        raise DeclarationError(f"{member.where}: max_digits is between 1 and {DECIMAL_DIGITS_MAX}, not {digits}.")
    if places is not None and not 0 <= places <= (digits or DECIMAL_DIGITS_MAX):
        raise DeclarationError(f"{member.where}: decimal_places is between 0 and max_digits, not {places}.")


def _check_role(member: Member) -> None:
    spec, type_ = member.spec, member.type
    if spec.role == "key":
        if member.nullable:
            raise DeclarationError(f"{member.where}: a key cannot be None.", hint="Remove | None.")
        if type_.kind in ("float", "json"):
            raise _wrong(member, "Key", "UUID, int, str and other exact values")
    if spec.role == "version" and (type_.kind != "int" or type_.codec is not None or member.nullable):
        raise DeclarationError(f"{member.where}: a Version is an int.", hint=f"Write {member.name}: int = Version().")
    if spec.role in ("created_at", "updated_at") and (type_.kind != "datetime" or type_.codec is not None):
        raise DeclarationError(f"{member.where}: CreatedAt and UpdatedAt are for datetime.", hint="Annotate it with datetime.")
    if spec.role in ("created_at", "updated_at", "always"):
        member.default, member.unset = None, not member.nullable


def settle_key(member: Member, composite: bool) -> None:
    """Whether and how a key is generated; known only when all fields of the model are. An empty text or bytes is no key (A9)."""
    spec, kind = member.spec, member.type.kind
    if kind in ("str", "bytes") and member.type.codec is None and not spec.min_length:
        spec = member.spec = replace(spec, min_length=1)
    given = spec.generated is False or composite or spec.references is not None or spec.default_factory is not None
    if spec.generated and (given or kind not in ("uuid", "int") or member.type.codec is not None):
        raise DeclarationError(
            f"{member.where}: this key cannot be generated.", hint="Only a single UUID or int key without reference or default is."
        )
    if given or member.type.codec is not None:
        return
    if kind == "uuid":
        member.generated, member.default_factory = "uuid7", uuid7
    elif kind == "int":
        member.generated, member.default, member.unset = "int", None, True


def _check_default(member: Member) -> None:
    spec = member.spec
    if spec.default is not MISSING and spec.default_factory is not None:
        raise DeclarationError(f"{member.where} has both default and default_factory.", hint="Keep one.")
    if spec.default_factory is not None and not callable(spec.default_factory):
        raise DeclarationError(f"{member.where}: default_factory is a function without arguments, not {spec.default_factory!r}.")
    if spec.role == "always" and not callable(spec.always):
        raise DeclarationError(f"{member.where}: Always takes a function without arguments, not {spec.always!r}.")
    default = spec.default
    if default is MISSING:
        if not spec.stored and member.required and member.nullable:
            member.default = None
        elif not spec.stored and member.required:
            raise DeclarationError(
                f"{member.where} is not stored, so a record that is read needs a value for it.",
                hint="Give it a default, or annotate | None.",
            )
        return
    if isinstance(default, list | dict | set | bytearray) or getattr(default, "__hash__", None) is None:
        raise DeclarationError(
            f"{member.where}: the default {default!r} can be changed, and all records would share it.",
            hint=f"Write Field(default_factory={type(spec.default).__name__}) or a function that makes it.",
        )
    if default is None and not member.none_allowed and member.type.kind != "json":  # JSON null is a value
        raise DeclarationError(f"{member.where}: the default is None, but the type is not optional.", hint="Annotate it with | None.")


def schema_field(member: Member, position: int) -> Field:
    """The stored field."""
    spec = member.spec
    return Field(
        name=member.name,
        column=spec.column or member.name,
        type=member.type,
        position=position,
        nullable=member.nullable,
        unique=spec.unique,
        index=spec.index,
        generated=member.generated,
        secret=spec.secret,
        expires=spec.expires,
        version=spec.role == "version",
        created_at=spec.role == "created_at",
        updated_at=spec.role == "updated_at",
        always=spec.always,
        description=spec.description,
    )
