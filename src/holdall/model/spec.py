"""What users write on the right of a field: Field, Key, Version, CreatedAt, UpdatedAt, Always.

Owns the options as data. Must not know how they are used; model.declare reads them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeVar, overload

from holdall.schema import OnDelete

T = TypeVar("T")
Role = Literal["plain", "key", "version", "created_at", "updated_at", "always"]
Bound = int | float | Decimal | dt.date | dt.datetime | dt.time | dt.timedelta | str


class Missing:
    """The mark for an argument that was not given."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<not given>"

    def __reduce__(self) -> str:
        return "MISSING"


MISSING: Any = Missing()


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """The options of one field."""

    role: Role = "plain"
    default: Any = MISSING
    default_factory: Callable[[], Any] | None = None
    unique: bool = False
    index: bool = False
    references: Any = None
    on_delete: OnDelete | None = None
    max_length: int | None = None
    min_length: int | None = None
    ge: Any = None
    gt: Any = None
    le: Any = None
    lt: Any = None
    pattern: str | None = None
    max_digits: int | None = None
    decimal_places: int | None = None
    stored: bool = True
    secret: bool = False
    expires: bool = False
    generated: bool | None = None
    always: Callable[[], Any] | None = None
    column: str | None = None
    description: str = ""

    @property
    def required(self) -> bool:
        """Whether it has no default of its own."""
        return self.default is MISSING and self.default_factory is None


PLAIN = FieldSpec()


@overload
def Field(
    *,
    default: T,
    unique: bool = ...,
    index: bool = ...,
    references: Any = ...,
    on_delete: OnDelete | None = ...,
    max_length: int | None = ...,
    min_length: int | None = ...,
    ge: Bound | None = ...,
    gt: Bound | None = ...,
    le: Bound | None = ...,
    lt: Bound | None = ...,
    pattern: str | None = ...,
    max_digits: int | None = ...,
    decimal_places: int | None = ...,
    stored: bool = ...,
    secret: bool = ...,
    expires: bool = ...,
    column: str | None = ...,
    description: str = ...,
) -> T: ...
@overload
def Field(
    *,
    default_factory: type[list[Any] | set[Any] | dict[str, Any]],  # what they hold is for the annotation to say
    unique: bool = ...,
    index: bool = ...,
    references: Any = ...,
    on_delete: OnDelete | None = ...,
    max_length: int | None = ...,
    min_length: int | None = ...,
    ge: Bound | None = ...,
    gt: Bound | None = ...,
    le: Bound | None = ...,
    lt: Bound | None = ...,
    pattern: str | None = ...,
    max_digits: int | None = ...,
    decimal_places: int | None = ...,
    stored: bool = ...,
    secret: bool = ...,
    expires: bool = ...,
    column: str | None = ...,
    description: str = ...,
) -> Any: ...
@overload
def Field(
    *,
    default_factory: Callable[[], T],
    unique: bool = ...,
    index: bool = ...,
    references: Any = ...,
    on_delete: OnDelete | None = ...,
    max_length: int | None = ...,
    min_length: int | None = ...,
    ge: Bound | None = ...,
    gt: Bound | None = ...,
    le: Bound | None = ...,
    lt: Bound | None = ...,
    pattern: str | None = ...,
    max_digits: int | None = ...,
    decimal_places: int | None = ...,
    stored: bool = ...,
    secret: bool = ...,
    expires: bool = ...,
    column: str | None = ...,
    description: str = ...,
) -> T: ...
@overload
def Field(
    *,
    unique: bool = ...,
    index: bool = ...,
    references: Any = ...,
    on_delete: OnDelete | None = ...,
    max_length: int | None = ...,
    min_length: int | None = ...,
    ge: Bound | None = ...,
    gt: Bound | None = ...,
    le: Bound | None = ...,
    lt: Bound | None = ...,
    pattern: str | None = ...,
    max_digits: int | None = ...,
    decimal_places: int | None = ...,
    stored: bool = ...,
    secret: bool = ...,
    expires: bool = ...,
    column: str | None = ...,
    description: str = ...,
) -> Any: ...
def Field(**options: Any) -> Any:
    """The options of a field: `name: str = Field(max_length=80)`.

    default, default_factory: the value when none is given; without one the field is required.
    unique, index: at most one record has the value; queries on it are to be fast.
    references, on_delete: the value is the key of a record of that model (the class, or its name); what happens here when that record
    is deleted: 'restrict' (the default: the deletion is refused), 'cascade' or 'set_null'.
    max_length, min_length, ge, gt, le, lt, pattern, max_digits, decimal_places: constraints, checked by Pydantic.
    stored=False: validated and kept in memory only. secret: never shown, filtered or sorted by outer layers, and not in repr().
    expires: from this instant the record is invisible. column: the stored name, if it differs.
    """
    try:
        return FieldSpec(**options)
    except TypeError as error:
        raise TypeError(str(error).replace("FieldSpec.__init__", "Field").replace("__init__", "Field")) from None


def Key(
    *,
    default_factory: Callable[[], Any] | None = None,
    generated: bool | None = None,
    references: Any = None,
    on_delete: OnDelete | None = None,
    max_length: int | None = None,
    min_length: int | None = None,
    pattern: str | None = None,
    ge: int | None = None,
    le: int | None = None,
    column: str | None = None,
    description: str = "",
) -> Any:
    """The key of a record, or one part of it: several Key fields make a composite key.

    A UUID is made by the client (UUIDv7), an int by the store when the record is saved (until then it is None); `generated=False` means
    that you give it. Text and the parts of composite keys are always given, or made by `default_factory`.
    """
    return FieldSpec(
        "key", default_factory=default_factory, generated=generated, references=references, on_delete=on_delete, max_length=max_length,
        min_length=min_length, pattern=pattern, ge=ge, le=le, column=column, description=description,
    )  # fmt: skip


def Version(*, column: str | None = None, description: str = "") -> Any:
    """An int that counts the writes of a record: saving a record that somebody else changed raises VersionMismatch."""
    return FieldSpec("version", default=1, column=column, description=description)


def CreatedAt(*, index: bool = False, column: str | None = None, description: str = "") -> Any:
    """A datetime set by the store's clock when the record is created."""
    return FieldSpec("created_at", index=index, column=column, description=description)


def UpdatedAt(*, index: bool = False, column: str | None = None, description: str = "") -> Any:
    """A datetime set by the store's clock whenever the record is written."""
    return FieldSpec("updated_at", index=index, column=column, description=description)


def Always(value: Callable[[], Any], *, index: bool = False, column: str | None = None, description: str = "") -> Any:
    """A field set by calling `value` whenever the record is saved: `editor: str = Always(current_user)`."""
    return FieldSpec("always", always=value, index=index, column=column, description=description)
