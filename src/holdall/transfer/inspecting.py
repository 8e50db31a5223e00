"""Inspecting: the tables of an existing database as models, in Python source.

Owns what becomes of tables, keys, references and constraints (`read_models`). Must not know how the source is laid out: that is
`modelsource`. The shape of what a backend tells about its tables is documented at SQLiteBackend.inspect_schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdall.model import Model
from holdall.transfer.columntypes import ColumnType, column_type, python_default
from holdall.transfer.naming import camel, free, plural, singular, snake, stem

Table = Mapping[str, Any]
_PREPOSITIONS = ("_to", "_by", "_of", "_for", "_in", "_on", "_from", "_with")

# What the source uses, and what every model has: fields and classes of these names would hide it.
SOURCE_NAMES = frozenset(
    {"dt", "Decimal", "UUID", "Json", "LocalDateTime", "Model", "Field", "Key", "BelongsTo", "HasMany", "HasOne", "ManyToMany",
     "str", "int", "float", "bool", "bytes", "list", "store", "table", "unique", "index", "checks", "filters"}
)  # fmt: skip
RESERVED = SOURCE_NAMES | {name for name in dir(Model) if not name.startswith("_")} | {"save", "delete", "refresh", "aio"}


@dataclass(slots=True)
class FieldInfo:
    """A field to be written. `spec` is Field or Key; `options` are its arguments as source."""

    name: str
    column: str
    type: ColumnType
    nullable: bool
    key: bool
    options: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    comment: str = ""


@dataclass(slots=True)
class RelationInfo:
    """A relation to be written: `annotation` and `call` are source."""

    name: str
    annotation: str
    call: str


@dataclass(slots=True)
class ModelInfo:
    """A model to be written. `comments` say what could not be taken over."""

    name: str
    table: str
    fields: list[FieldInfo] = field(default_factory=list[FieldInfo])
    relations: list[RelationInfo] = field(default_factory=list[RelationInfo])
    uniques: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    indexes: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    comments: list[str] = field(default_factory=list[str])
    parents: list[str] = field(default_factory=list[str])  # tables that this one refers to
    by_column: dict[str, FieldInfo] = field(default_factory=dict[str, FieldInfo])
    table_as_is: bool = True

    @property
    def names(self) -> list[str]:
        """All names that are taken in the class."""
        return [*(item.name for item in self.fields), *(item.name for item in self.relations)]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the key."""
        return tuple(item.column for item in self.fields if item.key)


def read_models(tables: Iterable[Table]) -> tuple[list[ModelInfo], list[str]]:
    """The models of the tables, parents before children where they can be, and comments on what is none."""
    models: dict[str, ModelInfo] = {}
    left_out: list[str] = []
    usable: list[Table] = []
    for table in sorted(tables, key=lambda item: item["name"].casefold()):
        why = _unusable(table)
        if why:
            left_out.append(f"{table['kind'].capitalize()} {table['name']!r}: {why}.")
        else:
            usable.append(table)
    for table in usable:
        name = camel(table["name"])
        name = free(f"{name}Record" if name in RESERVED else name, [model.name for model in models.values()])
        models[table["name"].casefold()] = _model(name, table)
    links = [_references(models, models[table["name"].casefold()], table) for table in usable]
    _relations(models, [link for found in links for link in found])
    return _sorted(models), left_out


def _unusable(table: Table) -> str:
    """Why a table cannot be a model; '' if it can."""
    if table["kind"] != "table":
        return "only tables become models"
    if table.get("problem"):
        return f"it cannot be read: {table['problem']}"
    key = _key(table)
    if not key:
        return "it has no key: no PRIMARY KEY, and no unique columns that are never null"
    by_name = {column["name"]: column for column in table["columns"]}
    for name in key:
        type_ = column_type(by_name[name]["type"])
        if type_ is None or type_.python in ("float", "Json"):
            return f"its key '{name}' is {by_name[name]['type'] or 'of no declared type'}, which cannot be a key"
    return ""


def _key(table: Table) -> tuple[str, ...]:
    keyed = sorted((column for column in table["columns"] if column["pk"]), key=lambda column: column["pk"])
    if keyed:
        return tuple(column["name"] for column in keyed)
    never_null = {column["name"] for column in table["columns"] if not column["nullable"]}
    for unique in table["uniques"]:
        if set(unique["columns"]) <= never_null:
            return tuple(unique["columns"])
    return ()


def _model(name: str, table: Table) -> ModelInfo:
    model = ModelInfo(name, table["name"])
    key = _key(table)
    uniques = [tuple(unique["columns"]) for unique in table["uniques"]]
    for column in table["columns"]:
        type_ = column_type(column["type"])
        if column["generated"] or type_ is None:
            why = "computed by the database" if column["generated"] else f"{column['type'] or 'no declared type'}: no field type for it"
            model.comments.append(f"Column {column['name']!r} is left out ({why}).")
            continue
        made = snake(column["name"])
        made = free(f"{made}_" if made in RESERVED else made, model.names)
        item = FieldInfo(made, column["name"], type_, column["nullable"] and column["name"] not in key, column["name"] in key)
        if made != column["name"]:
            if _storable(column["name"]):
                item.options.append(("column", _text(column["name"])))
            else:
                item.comment = f"from the column {column['name']!r}"
        if item.key and len(key) == 1 and type_.python == "int" and (column["type"].upper() != "INTEGER" or table.get("without_rowid")):
            item.options.append(("generated", "False"))
        _options(item, column, uniques)
        model.fields.append(item)
        model.by_column[column["name"].casefold()] = item
    model.table_as_is = _storable(table["name"])
    if not model.table_as_is:
        model.comments.append(f"From the table {table['name']!r}, whose name is no identifier.")
        model.table = snake(table["name"])
    model.uniques = _groups(model, [group for group in uniques if set(group) != set(key)])
    _indexes(model, table)
    return model


def _options(item: FieldInfo, column: Mapping[str, Any], uniques: Sequence[tuple[str, ...]]) -> None:
    options = [(name, str(value)) for name, value in item.type.options]
    if item.key:  # Key has no digits
        options = [pair for pair in options if pair[0] == "max_length"]
        if item.type.python == "bytes":
            options = []
    item.options += options
    if not item.key:
        default = python_default(column["default"], item.type)
        if default is not None:
            item.options.append(("default", default))
        elif column["default"] is not None and str(column["default"]).upper() != "NULL":
            item.comment = f"the database's default is {column['default']}"
        elif item.nullable:
            item.options.append(("default", "None"))
        if (column["name"],) in uniques and item.type.python != "Json":
            item.options.append(("unique", "True"))


def _groups(model: ModelInfo, groups: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Those of several columns that are all fields, by field names."""
    found: list[tuple[str, ...]] = []
    for group in groups:
        items = [model.by_column.get(column.casefold()) for column in group]
        names = tuple(item.name for item in items if item is not None and item.type.python != "Json")
        if len(names) == len(group) > 1 and names not in found:
            found.append(names)
    return found


def _indexes(model: ModelInfo, table: Table) -> None:
    referring = {key["columns"][0].casefold() for key in table["foreign_keys"]}  # these get an index without being asked
    groups: list[Sequence[str]] = []
    for index in table["indexes"]:
        columns = index["columns"]
        if index["partial"] or None in columns:
            what = "with a condition" if index["partial"] else "over an expression"
            model.comments.append(f"{'Unique index' if index['unique'] else 'Index'} {index['name']!r} is left out ({what}).")
        elif not index["unique"] and len(columns) > 1:
            groups.append(columns)
        elif not index["unique"] and columns[0].casefold() not in referring:
            item = model.by_column.get(columns[0].casefold())
            served = (("unique", "True"), ("index", "True"))
            if item is not None and not item.key and item.type.python != "Json" and not any(pair in item.options for pair in served):
                item.options.append(("index", "True"))
    model.indexes = _groups(model, groups)


@dataclass(frozen=True, slots=True)
class Link:
    """One reference that can be declared: `field` of `child` refers to the key of `parent`."""

    child: ModelInfo
    field: FieldInfo
    parent: ModelInfo
    alone: bool  # at most one child for each parent


def _references(models: Mapping[str, ModelInfo], model: ModelInfo, table: Table) -> list[Link]:
    links: list[Link] = []
    for key in table["foreign_keys"]:
        parent = models.get(key["target"].casefold())
        shown = f"FOREIGN KEY ({', '.join(key['columns'])}) REFERENCES {key['target']} ({', '.join(map(str, key['target_columns']))})"
        item = model.by_column.get(key["columns"][0].casefold())
        if parent is None or item is None:
            model.comments.append(f"{shown} is left out: {'there is no such model' if parent is None else 'its column is'}.")
        elif len(key["columns"]) > 1:
            model.comments.append(f"{shown} is left out: a reference has one field.")
        elif tuple(name.casefold() for name in key["target_columns"]) != tuple(name.casefold() for name in parent.key):
            model.comments.append(f"{shown} is left out: that is not the key of {parent.name}.")
        elif any(link.field is item for link in links):
            model.comments.append(f"{shown} is left out: the field refers to something else already.")
        elif parent.by_column[parent.key[0].casefold()].type.python != item.type.python:
            model.comments.append(f"{shown} is left out: the columns are of different types.")
        else:
            rule = {"CASCADE": "cascade", "SET NULL": "set_null"}.get(key["on_delete"])
            if rule == "set_null" and not item.nullable:
                rule = None
            if key["on_delete"] == "SET DEFAULT":
                model.comments.append(f"{shown}: ON DELETE SET DEFAULT is not offered; deleting is refused.")
            target = parent.name if parent is not model else _text(model.name)
            item.options.append(("references", target))
            item.options = [pair for pair in item.options if pair != ("generated", "False")]
            if rule:
                item.options.append(("on_delete", _text(rule)))
            if parent is not model and parent.table not in model.parents:
                model.parents.append(parent.table)
            links.append(Link(model, item, parent, ("unique", "True") in item.options or model.key == (item.column,)))
    return links


def _relations(models: Mapping[str, ModelInfo], links: Sequence[Link]) -> None:
    """Both sides of every reference, and the shortcut over tables that only link."""
    for link in links:
        child, parent = link.child, link.parent
        several = sum(1 for other in links if other.child is child and other.parent is parent) > 1
        name = _parent_name(link)
        name = free(f"{name}_" if name in RESERVED else name, child.names)
        optional = " | None" if link.field.nullable else ""
        child.relations.append(
            RelationInfo(
                name, f'"{parent.name}{optional}"' if optional or parent is child else parent.name, f'BelongsTo("{link.field.name}")'
            )
        )
        back = free(_children_name(link, name, several), [*parent.names, *RESERVED])
        if link.alone:
            parent.relations.append(RelationInfo(back, f'"{child.name} | None"', f'HasOne("{name}")'))
        else:
            parent.relations.append(RelationInfo(back, f'list["{child.name}"]', f'HasMany("{name}")'))
    for model in models.values():
        model.relations.sort(key=lambda item: 0 if item.call.startswith("BelongsTo") else 1)
        own = [link for link in links if link.child is model]
        if len(own) == 2 and len(model.fields) == 2 == len(model.key) and own[0].parent is not own[1].parent:
            _shortcut(model, own[0], own[1])


def _shortcut(through: ModelInfo, one: Link, other: Link) -> None:
    here = free(plural(singular(snake(other.parent.name))), [*one.parent.names, *RESERVED])
    there = free(plural(singular(snake(one.parent.name))), [*other.parent.names, *RESERVED])
    call = f'ManyToMany("{{}}", through="{through.name}")'
    one.parent.relations.append(RelationInfo(here, f'list["{other.parent.name}"]', call.format(there)))
    other.parent.relations.append(RelationInfo(there, f'list["{one.parent.name}"]', call.format(here)))


def _parent_name(link: Link) -> str:
    """customer_id: customer. customer: the same, and the field becomes customer_id. reports_to: reports_to_employee."""
    field = link.field
    name = stem(field.name)
    if name and name not in link.child.names:
        return name
    plain = field.name.rstrip("_")
    if name or plain.endswith(_PREPOSITIONS) or f"{plain}_id" in link.child.names:
        return f"{plain}_{singular(snake(link.parent.name))}"
    if not any(option == "column" for option, _ in field.options) and not field.comment:
        field.options.append(("column", _text(field.column)))
    for groups in (link.child.uniques, link.child.indexes):
        groups[:] = [tuple(f"{plain}_id" if item == field.name else item for item in group) for group in groups]
    field.name = f"{plain}_id"
    return plain


def _children_name(link: Link, relation: str, several: bool) -> str:
    """artist_id: albums. parent_id of itself: children. reports_to of itself: reports. Two references to one table: home_matches."""
    own = singular(snake(link.child.name))
    if link.child is link.parent:
        if relation == "parent":
            return "children"
        return link.field.name.removesuffix("_to") if link.field.name.endswith("_to") else f"{relation}_of"
    if several:
        own = f"{relation.removesuffix('_' + singular(snake(link.parent.name)))}_{own}"
    return own if link.alone else plural(own)


def _sorted(models: Mapping[str, ModelInfo]) -> list[ModelInfo]:
    """Parents before children; where they refer to each other in a circle, by name."""
    left = sorted(models.values(), key=lambda model: model.name.casefold())
    done: list[ModelInfo] = []
    while left:
        waiting = {model.table for model in left}
        model = next((model for model in left if not waiting.intersection(model.parents)), left[0])
        left.remove(model)
        done.append(model)
        later = {other.name for other in left}
        for item in model.fields:  # what is declared further down is named by text
            item.options = [(name, _text(text) if name == "references" and text in later else text) for name, text in item.options]
        for relation in model.relations:
            if relation.annotation in later:
                relation.annotation = f'"{relation.annotation}"'
    return done


def _storable(name: str) -> bool:
    """Whether a stored name can be declared as it is."""
    return name.isidentifier() and "__" not in name and len(name.encode()) <= 63


def _text(value: str) -> str:
    return f'"{value}"'
