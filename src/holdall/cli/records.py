"""Records: which values of a record are shown, and as what JSON values.

Owns --fields, --where, --sort and --include as a query, and the JSON form of a record. Secret fields are never shown, filtered, sorted by.
Must not know where the values are written to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdall.cli.failures import Failure
from holdall.cli.output import Column
from holdall.errors import near_name

if TYPE_CHECKING:
    from holdall.model import Model, Query
    from holdall.query import FieldRef
    from holdall.schema import Entity, Field, Type

Getter = Callable[["Model"], Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """What is shown of each record: the columns, how to get their values, and the relations these need ('' is none)."""

    columns: tuple[Column, ...]
    getters: tuple[Getter, ...]
    includes: tuple[str, ...]

    def row(self, record: Model) -> list[Any]:
        """The values of one record."""
        return [get(record) for get in self.getters]


def build_query(query: Query[Any], where: Sequence[str], sort: Sequence[str]) -> Query[Any]:
    """The query narrowed by NAME__OP=VALUE conditions and sorted by NAME or -NAME; QueryError with a near name for what is unknown."""
    from holdall.query import references, text_lookup

    entity = query.select.entity
    for text in where:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Failure(f"--where {text}: there is no '='.", hint="Write --where FIELD=VALUE or --where FIELD__OPERATOR=VALUE.")
        condition = text_lookup(entity, name.strip(), value)
        _no_secrets(references(condition), "filtered")
        query = query.where(condition)
    names = [name.strip() for text in sort for name in text.split(",") if name.strip()]
    if names:
        query = query.order_by(*names)
        _no_secrets([order.expr for order in query.select.order], "sorted by")
    return query


def _no_secrets(refs: Iterable[Any], what: str) -> None:
    for ref in refs:
        field: Field | None = getattr(ref, "field", None)
        if field is not None and field.secret:
            raise Failure(f"'{field.name}' is secret; it cannot be {what}.")


def shape(entity: Entity, fields: Sequence[str] = (), includes: Sequence[str] = ()) -> Shape:
    """What to show: the named fields (customer.name goes through a relation), or all that are not secret; then the included relations."""
    from holdall.model.includes import text_path

    names = [name.strip() for text in fields for name in text.split(",") if name.strip()]
    paths = [name.strip() for text in includes for name in text.split(",") if name.strip()]
    for path in paths:
        text_path(entity, path)  # unknown relations are told here
    if not names:
        names = [field.name for field in entity.fields if not field.secret]
    columns: list[Column] = []
    getters: list[Getter] = []
    needed = list(paths)
    for name in names:
        ref = _reference(entity, name)
        columns.append(Column(name, ref.type.kind))
        getters.append(_getter(ref))
        if ref.steps:
            needed.append(".".join(step.name for step in ref.steps))
    tree = _tree(paths)
    for name in tree:
        columns.append(Column(name, "relation"))
        getters.append(_relation_getter(name, tree[name]))
    return Shape(tuple(columns), tuple(getters), tuple(dict.fromkeys(needed)))


def _reference(entity: Entity, name: str) -> FieldRef:
    """The field that a path leads to."""
    from holdall.query import FieldRef, text_term

    if name in entity.relations:
        raise Failure(f"'{name}' is a relation of {entity.name}, not a field.", hint=f"Use --include {name}, or name a field: {name}.…")
    ref = text_term(entity, name)._expr  # pyright: ignore[reportPrivateUsage]  # the node inside a term; query.* reads it the same way
    if not isinstance(ref, FieldRef):
        raise Failure(f"'{name}' is not a field of {entity.name}.", hint=near_name(name, entity.by_name))
    _no_secrets([ref], "shown")
    return ref


def _tree(paths: Sequence[str]) -> dict[str, Any]:
    root: dict[str, Any] = {}
    for path in paths:
        here = root
        for name in path.replace("__", ".").split("."):
            here = here.setdefault(name, {})
    return root


def _getter(ref: FieldRef) -> Getter:
    position, type_, keys = ref.field.position, ref.field.type, ref.keys
    steps = [step.name for step in ref.steps]

    def get(record: Model) -> Any:
        here: Any = record
        for step in steps:
            here = getattr(here, step)
            if here is None:
                return None
        value = json_value(type_, _stored(here)[position])
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    return get


def _relation_getter(name: str, inner: dict[str, Any]) -> Getter:
    def get(record: Model) -> Any:
        found = getattr(record, name)
        if found is None:
            return None
        if isinstance(found, list):
            related: list[Model] = found  # pyright: ignore[reportUnknownVariableType]  # what a relation to many gives
            return [as_json(item, inner) for item in related]
        return as_json(found, inner)

    return get


def as_json(record: Model, tree: dict[str, Any] | None = None) -> dict[str, Any]:
    """All that may be shown of a record, with the relations of `tree` inside it."""
    row = _stored(record)
    shown = {field.name: json_value(field.type, row[field.position]) for field in record.__entity__.fields if not field.secret}
    for name, inner in (tree or {}).items():
        shown[name] = _relation_getter(name, inner)(record)
    return shown


def _stored(record: Model) -> tuple[Any, ...]:
    row = record._row  # pyright: ignore[reportPrivateUsage]  # the record as it was read, in canonical values
    assert row is not None
    return row


def json_value(type_: Type, value: Any) -> Any:
    """A canonical value as JSON: Decimals as exact text, instants with Z, durations in ISO 8601, bytes in base64, sets sorted."""
    import msgspec

    from holdall.schema import JSON_NULL

    kind = type_.kind
    if value is None or value is JSON_NULL:
        return None
    if kind in ("str", "int", "float", "bool", "json"):
        return value
    if kind == "decimal":
        return format(value, "f")
    if kind == "record":
        return {name: json_value(part, value[name]) for name, part, _ in type_.fields}
    if kind in ("list", "set", "dict"):
        assert type_.item is not None
        if kind == "dict":
            return {name: json_value(type_.item, item) for name, item in value.items()}
        items = [json_value(type_.item, item) for item in value]
        return items if kind == "list" else sorted(items, key=msgspec.json.encode)
    return msgspec.to_builtins(value)


def read_key(entity: Entity, text: str) -> Any:
    """The key that people type: one value, or 'a,b' (or a JSON list) for a composite key; Failure if it cannot be a key."""
    import msgspec

    from holdall.schema import BadOperand

    parts = [text]
    if len(entity.key) > 1:
        try:
            parts = [str(part) for part in msgspec.json.decode(text, type=list[Any])] if text.startswith("[") else text.split(",")
        except msgspec.DecodeError:
            parts = text.split(",")
        if len(parts) != len(entity.key):
            raise Failure(f"The key of {entity.name} has {len(entity.key)} parts: {','.join(entity.key)}.", hint=f"You gave {len(parts)}.")
    values: list[Any] = []
    for name, part in zip(entity.key, parts, strict=True):
        try:
            values.append(entity.by_name[name].type.parse(part))
        except BadOperand as error:
            raise Failure(f"{text!r} cannot be a key of {entity.name}: {name}: {error}.") from None
    return tuple(values) if len(values) > 1 else values[0]


def key_text(record: Model) -> str:
    """The key of a record as `read_key` takes it."""
    entity = record.__entity__
    row = _stored(record)
    return ",".join(str(json_value(entity.by_name[name].type, row[entity.by_name[name].position])) for name in entity.key)
