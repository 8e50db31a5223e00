"""The models command: what a program declares, without touching its store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from holdall.cli.options import program_argument
from holdall.cli.output import Column, Format, format_option, write_many, write_one
from holdall.cli.program import load

if TYPE_CHECKING:
    from holdall.schema import Entity, Field, Relation


@click.command(short_help="The models of a program: fields, keys, relations.")
@program_argument
@click.argument("model", required=False)
@format_option
def models(program: str, model: str | None, format_: Format) -> None:
    """The models of PROGRAM with their fields and relations, or only MODEL. The store is not opened."""
    found = load(program)
    entities = [cls.__entity__ for cls in ([found.model(model)] if model else found.models.values())]
    if format_ in ("json", "ndjson"):
        described = [describe(entity) for entity in entities]
        names = ("name", "table", "key", "fields", "relations", "description")
        columns, rows = [Column(name) for name in names], [[item[name] for name in names] for item in described]
        if model:
            write_one(format_, columns, rows[0])
        else:
            write_many(format_, columns, rows)
        return
    lines = [line for entity in entities for line in _lines(entity)]
    write_many(format_, [Column("model"), Column("field"), Column("type"), Column("notes")], lines)


def describe(entity: Entity) -> dict[str, Any]:
    """An entity as JSON values."""
    return {
        "name": entity.name,
        "table": entity.table,
        "key": list(entity.key),
        "fields": [_field(entity, field) for field in entity.fields],
        "relations": [_relation(relation) for relation in entity.relations.values()],
        "description": entity.description,
    }


def _field(entity: Entity, field: Field) -> dict[str, Any]:
    reference = next((item for item in entity.references if field.name in item.fields), None)
    return {
        "name": field.name,
        "type": field.type.name,
        "nullable": field.nullable,
        "key": field.name in entity.key,
        "unique": field.unique,
        "index": field.index,
        "secret": field.secret,
        "version": field.version,
        "expires": field.expires,
        "max_length": field.type.max_length,
        "references": None if reference is None else reference.target.name,
        "on_delete": None if reference is None else reference.on_delete,
        "description": field.description,
    }


def _relation(relation: Relation) -> dict[str, Any]:
    return {
        "name": relation.name,
        "kind": relation.kind,
        "target": relation.target.name,
        "local": list(relation.local),
        "remote": list(relation.remote),
        "through": None if relation.through is None else relation.through.name,
    }


def _lines(entity: Entity) -> list[tuple[str, str, str, str]]:
    lines = [
        (entity.name, field.name, field.type.name + (" or null" if field.nullable else ""), _notes(entity, field))
        for field in entity.fields
    ]
    for relation in entity.relations.values():
        many = "list of " if relation.to_many else ""
        through = f" through {relation.through.name}" if relation.through is not None else ""
        by = f"by {', '.join(relation.local)}" if relation.kind == "belongs_to" else f"by {', '.join(relation.remote)}"
        lines.append((entity.name, relation.name, f"{many}{relation.target.name}", through.strip() or by))
    return lines


def _notes(entity: Entity, field: Field) -> str:
    shown = _field(entity, field)
    notes = [name for name in ("key", "unique", "index", "secret", "version", "expires") if shown[name]]
    if field.type.max_length is not None:
        notes.append(f"at most {field.type.max_length}")
    if field.type.choices:
        notes.append(f"one of {', '.join(map(str, field.type.choices))}")
    if shown["references"]:
        notes.append(f"references {shown['references']} ({shown['on_delete']})")
    return ", ".join(notes)
