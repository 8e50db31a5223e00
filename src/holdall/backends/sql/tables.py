"""Tables: entities as sqlalchemy.Table, and their DDL.

Owns the translation of keys, uniques, indexes and references into DDL. Must not know how statements are run, nor any engine by name.
Constraint names are derived from table and column names; the columns of a reference and the expiry field get an index of their own,
because deleting a parent looks for its children and every clean-up looks for expired rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from holdall.backends.sql.dialect import Dialect
from holdall.schema import Entity, Reference

_ON_DELETE = {"cascade": "CASCADE", "set_null": "SET NULL", "restrict": None}


class Tables:
    """The tables of one dialect, each made once."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._made: WeakKeyDictionary[Entity, sa.Table] = WeakKeyDictionary()

    def __call__(self, entity: Entity) -> sa.Table:
        """The table of an entity: columns and key only, which is what queries need."""
        found = self._made.get(entity)
        if found is None:
            columns = [
                sa.Column(
                    field.column, self._dialect.format(field.type).storage, nullable=field.nullable, primary_key=field.name in entity.key
                )
                for field in entity.fields
            ]
            found = self._made[entity] = sa.Table(entity.table, sa.MetaData(), *columns)
        return found


def columns_of(entity: Entity, names: Sequence[str]) -> tuple[str, ...]:
    """The column names of some fields."""
    return tuple(entity.by_name[name].column for name in names)


def uniques_of(entity: Entity) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, fields) of every unique constraint besides the key, each set of fields once."""
    seen = {frozenset(entity.key)}
    wanted = [(unique.name, unique.fields) for unique in entity.uniques]
    wanted += [(f"uq_{entity.table}_{field.column}", (field.name,)) for field in entity.fields if field.unique]
    for name, fields in wanted:
        if frozenset(fields) not in seen:
            seen.add(frozenset(fields))
            yield name, fields


def indexes_of(entity: Entity) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, fields) of every index, without those that the key, a unique or an earlier index serves already."""
    served = [entity.key, *(fields for _, fields in uniques_of(entity))]
    for name, fields in _wanted_indexes(entity):
        if not any(other[: len(fields)] == fields for other in served):
            served.append(fields)
            yield name, fields


def _wanted_indexes(entity: Entity) -> Iterator[tuple[str, tuple[str, ...]]]:
    for index in entity.indexes:
        # Index names are shared by all tables of a database.
        yield index.name if index.name.startswith(entity.table) else f"{entity.table}_{index.name}", index.fields
    for field in entity.fields:
        if field.index:
            yield f"ix_{entity.table}_{field.column}", (field.name,)
    for reference in entity.references:
        yield f"ix_{entity.table}_{'_'.join(columns_of(entity, reference.fields))}", reference.fields
    if entity.expiry_field is not None:
        yield f"ix_{entity.table}_{entity.expiry_field.column}", (entity.expiry_field.name,)


def definition(entity: Entity, dialect: Dialect, checks: Sequence[tuple[str, str]]) -> sa.Table:
    """The whole table for CREATE TABLE, with constraints and indexes. `checks` are (name, SQL text)."""
    columns = [
        sa.Column(
            field.column,
            dialect.format(field.type).storage,
            nullable=field.nullable,
            primary_key=field.name in entity.key,
            autoincrement=False,
        )
        for field in entity.fields
    ]
    constraints: list[sa.Constraint] = [sa.UniqueConstraint(*columns_of(entity, fields), name=name) for name, fields in uniques_of(entity)]
    constraints += [_foreign_key(entity, reference) for reference in entity.references]
    constraints += [sa.CheckConstraint(sa.text(text.replace(":", "\\:")), name=name) for name, text in checks]
    metadata = sa.MetaData()
    for reference in entity.references:
        target = reference.target.entity
        if target is not entity and target.table not in metadata.tables:
            stub: list[sa.Column[Any]] = [sa.Column(name) for name in columns_of(target, reference.target_fields)]
            sa.Table(target.table, metadata, *stub)
    return sa.Table(entity.table, metadata, *columns, *constraints, **dialect.table_options())


def _foreign_key(entity: Entity, reference: Reference) -> sa.ForeignKeyConstraint:
    target = reference.target.entity
    return sa.ForeignKeyConstraint(
        columns_of(entity, reference.fields),
        [f"{target.table}.{column}" for column in columns_of(target, reference.target_fields)],
        ondelete=_ON_DELETE[reference.on_delete],
    )
