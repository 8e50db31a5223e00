"""JSON Schema (2020-12) of fields and records, as they are read, created and changed. Owns no paths; see openapi."""

from __future__ import annotations

import datetime as dt
from typing import Any

from holdall.http.catalog import Resource, is_read_only
from holdall.http.forms import is_array, plain_form
from holdall.schema import JSON_NULL, BadOperand, Field, Type

Schema = dict[str, Any]

# Formats are those of the OpenAPI format registry (spec.openapis.org/registry/format).
_BASES: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer", "format": "int64"},
    "float": {"type": "number", "format": "double"},
    "decimal": {"type": "string", "format": "decimal"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "contentEncoding": "base64"},
    "datetime": {"type": "string", "format": "date-time"},
    "local_datetime": {"type": "string", "format": "date-time-local"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time-local"},
    "timedelta": {"type": "string", "format": "duration"},
    "uuid": {"type": "string", "format": "uuid"},
    "json": {},
    "list": {"type": "array"},
    "set": {"type": "array", "uniqueItems": True},
    "dict": {"type": "object"},
    "record": {"type": "object"},
}
_FORMATS = {"Email": "email", "Phone": "phone", "Url": "uri", "IPv4Address": "ipv4", "IPv6Address": "ipv6", "IPAddress": "ip"}
_COMPARED: tuple[str, ...] = ("eq", "ne", "in", "nin", "is_null")
_ORDERED: tuple[str, ...] = ("gt", "gte", "lt", "lte", "between")
_TEXTS: tuple[str, ...] = ("contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "like")
_HELD: tuple[str, ...] = ("contains", "has", "any", "all")


def operators(type_: Type) -> list[str]:
    """The operators that a field of this type knows, eq first."""
    found = list(_COMPARED)
    if type_.orderable:
        found += _ORDERED
    if type_.kind == "str":
        found += _TEXTS
    if type_.kind in ("list", "set", "dict", "json"):
        found += _HELD
    return found


def type_schema(type_: Type, *, reading: bool) -> Schema:
    """The schema of a type. A Decimal is read as text; it may be written as a number too."""
    schema: Schema = dict(_BASES[type_.kind])
    if type_.kind == "decimal" and not reading:
        schema = {"type": ["string", "number"], "format": "decimal"}
    if type_.python_name in _FORMATS:
        schema["format"] = _FORMATS[type_.python_name]
    if type_.choices is not None:
        schema["enum"] = [plain_form(type_, choice) for choice in type_.choices]
    if type_.kind in ("list", "set", "dict") and type_.item is not None:
        inner = nullable(type_schema(type_.item, reading=reading), type_.item_nullable)
        schema["additionalProperties" if type_.kind == "dict" else "items"] = inner
    if type_.kind == "record":
        schema["properties"] = {name: nullable(type_schema(part, reading=reading), null) for name, part, null in type_.fields}
        schema["required"] = [name for name, _, _ in type_.fields] if reading else [name for name, _, null in type_.fields if not null]
        schema["additionalProperties"] = False
    return schema


def nullable(schema: Schema, allowed: bool) -> Schema:
    """The schema with null allowed too."""
    if not allowed or not schema:
        return schema
    kinds = schema.get("type")
    made: Schema = {**schema, "type": [*kinds, "null"] if is_array(kinds) else [kinds, "null"]}
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    return made


def field_schema(resource: Resource, field: Field, *, reading: bool) -> Schema:
    """The schema of a field, with its constraints, default and description."""
    schema = type_schema(field.type, reading=reading)
    member = resource.model.__shape__.by_name[field.name]
    spec = member.spec
    schema |= _lengths(field.type, spec)
    if field.type.kind in ("int", "float", "decimal"):
        bounds = {"minimum": spec.ge, "exclusiveMinimum": spec.gt, "maximum": spec.le, "exclusiveMaximum": spec.lt}
        found = {name: _bound(value) for name, value in bounds.items() if value is not None}
        # On text, JSON Schema ignores minimum and maximum: tools that know the format read them there too.
        schema |= {f"x-{name}": value for name, value in found.items()} if field.type.kind == "decimal" and reading else found
    if field.type.kind == "decimal":
        schema |= {
            f"x-{name}": value
            for name, value in (("max-digits", field.type.digits), ("decimal-places", field.type.places))
            if value is not None
        }
    if spec.pattern is not None:
        schema["pattern"] = spec.pattern
    if field.description:
        schema["description"] = field.description
    if not reading and not member.required and member.default is not None:
        default = _default(field, member.default)
        if default is not None:
            schema["default"] = default
    if is_read_only(field):
        schema["readOnly"] = True
    if field.secret:
        schema["writeOnly"] = True
    null = field.nullable
    return nullable(schema, null)


def _lengths(type_: Type, spec: Any) -> Schema:
    names = {"str": ("minLength", "maxLength"), "list": ("minItems", "maxItems"), "set": ("minItems", "maxItems")}
    least, most = names.get(type_.kind, ("minProperties", "maxProperties") if type_.kind == "dict" else ("", ""))
    return {name: value for name, value in ((least, spec.min_length), (most, spec.max_length)) if name and value is not None}


def _bound(value: Any) -> Any:
    number = float(value)
    return int(number) if number.is_integer() else number


def _default(field: Field, value: Any) -> Any:
    try:
        canonical = field.type.check(value)
    except BadOperand:
        return None
    return None if canonical is JSON_NULL or isinstance(canonical, dt.timedelta) else plain_form(field.type, canonical)


def read_schema(resource: Resource) -> Schema:
    """A record as it is answered. Relations are there when they were included."""
    properties = {name: field_schema(resource, field, reading=True) for name, field in resource.fields.items()}
    for name, relation in resource.relations.items():
        target = {"$ref": f"#/components/schemas/{resource.target(relation).name}"}
        properties[name] = {"type": "array", "items": target} if relation.to_many else {"anyOf": [target, {"type": "null"}]}
        properties[name]["description"] = relation.description or f"With include={name} only."
    return _object(resource, properties, list(resource.fields))


def create_schema(resource: Resource, *, key_in_url: bool = False) -> Schema:
    """The body of a create; with `key_in_url` that of a replace, which may leave the key out."""
    shape = resource.model.__shape__
    fields = [field for field in resource.entity.fields if not is_read_only(field)]
    properties = {field.name: field_schema(resource, field, reading=False) for field in fields}
    required = [field.name for field in fields if shape.by_name[field.name].required]
    if key_in_url:
        required = [name for name in required if name not in resource.entity.key]
    return _object(resource, properties, required)


def update_schema(resource: Resource) -> Schema:
    """A merge patch: any of the fields, but the key."""
    fields = [field for field in resource.entity.fields if not is_read_only(field) and field.name not in resource.entity.key]
    properties = {field.name: field_schema(resource, field, reading=False) for field in fields}
    for schema in properties.values():
        schema.pop("default", None)
    return _object(resource, properties, [])


def _object(resource: Resource, properties: Schema, required: list[str]) -> Schema:
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        made["required"] = required
    if resource.entity.description:
        made["description"] = resource.entity.description
    return made
