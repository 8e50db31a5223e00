"""From Python values to canonical ones (freeze) and back (thaw), compiled once per type.

Owns both directions for one value; rows are model.codegen's. Must not know models. `freezer` is exact where `Type.check` is generous:
check takes operands, which may be longer or more precise than the field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from holdall.schema import CONTAINERS, JSON_NULL, BadOperand, Type, canonical_decimal

Convert = Callable[[Any], Any]

# Kinds whose canonical form is the Python value itself, so that a container of them needs no work on its items.
PLAIN_KINDS = frozenset({"str", "int", "bool", "bytes", "date", "timedelta", "uuid"})


def is_text(type_: Type) -> bool:
    """Whether the codec only tidies text (Email, Phone): canonical and Python value are the same."""
    return type_.codec is not None and getattr(type_.codec, "identity", False)


def freezer(type_: Type) -> Convert:
    """The function from a Python value (not None) to the canonical one; it raises BadOperand."""
    codec = type_.codec
    if codec is not None:
        inner, encode = freezer(replace(type_, codec=None)), codec.encode

        def through(value: Any) -> Any:
            try:
                return inner(encode(value))
            except BadOperand:
                raise
            except (ValueError, TypeError, AttributeError) as error:
                raise BadOperand(str(error)) from None

        return through
    kind = type_.kind
    if kind == "decimal":
        return lambda value: _decimal(type_, value)
    if kind == "list":
        return _items(type_, list, tuple)
    if kind == "set":
        return _items(type_, set, frozenset)
    if kind == "dict":
        return _dict(type_)
    if kind == "record":
        return _record(type_)
    return type_.check


def _decimal(type_: Type, value: Any) -> Any:
    type_.check(value)
    return canonical_decimal(type_, Decimal(value))


def _items(type_: Type, python: type, canonical: Callable[[Any], Any]) -> Convert:
    freeze, nullable = freezer(item_type(type_)), type_.item_nullable
    allowed = (python, canonical)

    def convert(value: Any) -> Any:
        if not isinstance(value, allowed):  # type: ignore[arg-type]  # tuple and frozenset are classes
            return type_.check(value)  # explains what is wrong
        return canonical([None if item is None and nullable else freeze(item) for item in value])

    return convert


def _dict(type_: Type) -> Convert:
    freeze, nullable, text = freezer(item_type(type_)), type_.item_nullable, Type("str").check

    def convert(value: Any) -> Any:
        given = value  # stays Any: type checkers take the values of a bare dict for unknown
        if not isinstance(value, dict):
            return type_.check(value)
        return {text(key): None if item is None and nullable else freeze(item) for key, item in given.items()}

    return convert


def _record(type_: Type) -> Convert:
    parts = [(name, freezer(part), nullable) for name, part, nullable in type_.fields]

    def convert(value: Any) -> Any:
        result: dict[str, Any] = {}
        for name, freeze, nullable in parts:
            item = value[name]
            if item is None and nullable:
                result[name] = None
                continue
            try:
                result[name] = freeze(item)
            except BadOperand as error:
                raise BadOperand(f"{name}: {error}") from None
        return result

    return convert


def item_type(type_: Type) -> Type:
    """The element type of a list, set or dict."""
    assert type_.item is not None
    return type_.item


def thawer(type_: Type, nullable: bool = False) -> Convert | None:
    """The function from a canonical value (not None) to a Python one of its own; None if the value is the same."""
    if is_text(type_):
        return None
    codec = type_.codec
    if codec is not None:
        inner, decode = thawer(replace(type_, codec=None)), codec.decode
        if inner is None:
            return decode
        return lambda value: decode(inner(value))
    kind = type_.kind
    if kind == "json":
        return _thaw_nullable_json if nullable else _thaw_json
    if kind in ("list", "set"):
        return _thaw_items(type_, list if kind == "list" else set)
    if kind == "dict":
        return _thaw_dict(type_)
    if kind == "record":
        return _thaw_record(type_)
    return None


def _thaw_items(type_: Type, python: Callable[[Any], Any]) -> Convert:
    thaw = thawer(item_type(type_), type_.item_nullable)
    if thaw is None:
        return python
    return lambda value: python([None if item is None else thaw(item) for item in value])


def _thaw_dict(type_: Type) -> Convert:
    thaw = thawer(item_type(type_), type_.item_nullable)
    if thaw is None:
        return dict
    return lambda value: {key: None if item is None else thaw(item) for key, item in value.items()}


def _thaw_record(type_: Type) -> Convert:
    parts = [(name, thawer(part, nullable)) for name, part, nullable in type_.fields]

    def convert(value: Any) -> Any:
        return {name: value[name] if thaw is None or value[name] is None else thaw(value[name]) for name, thaw in parts}

    return convert


def _thaw_json(value: Any) -> Any:
    return None if value is JSON_NULL else copy_json(value)


def _thaw_nullable_json(value: Any) -> Any:
    return JSON_NULL if value is JSON_NULL else copy_json(value)


def copy_json(value: Any) -> Any:
    """A private copy of a JSON value."""
    kind = value.__class__
    if kind is dict:
        return {key: copy_json(item) for key, item in value.items()}
    if kind is list:
        return [copy_json(item) for item in value]
    return value


def is_plain_items(type_: Type) -> bool:
    """Whether it is a list, set or dict whose items are canonical as they are: freezing and thawing copy, and do no more."""
    item = type_.item
    return type_.codec is None and item is not None and item.codec is None and item.kind in PLAIN_KINDS and item.kind not in CONTAINERS
