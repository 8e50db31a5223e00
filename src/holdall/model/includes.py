"""Includes: which relations are to be loaded with records, from `Order.customer`, each(…).lines or "lines.product".

Owns the spelling and merging of includes. Must not load anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from holdall.errors import QueryError, near_name
from holdall.query import Include, RelationTerm, replace
from holdall.schema import Entity, Relation


def make_include(entity: Entity, relation: Any) -> Include:
    """The include for a relation of `entity`; QueryError with a near name for what is none."""
    path = text_path(entity, relation) if isinstance(relation, str) else _term_path(entity, relation)
    include = Include(path[-1])
    for step in reversed(path[:-1]):
        include = Include(step, (include,))
    return include


def text_path(entity: Entity, path: str) -> list[Relation]:
    """The relations along 'lines.product'."""
    found: list[Relation] = []
    here = entity
    for name in path.replace("__", ".").split("."):
        relation = here.relations.get(name)
        if relation is None:
            raise QueryError(
                f"{here.name} has no relation '{name}'.", hint=near_name(name, here.relations), name=name, kind="unknown_field"
            )
        found.append(relation)
        here = relation.target.entity
    return found


def _term_path(entity: Entity, term: Any) -> list[Relation]:
    if not isinstance(term, RelationTerm):
        raise QueryError(f"include() takes relations, such as Order.customer or 'lines.product', not {term!r}.")
    path: list[Relation] = []
    for steps, relation, _ in term._around:
        path += [*steps, relation]
    path += [*term._steps, term._relation]
    if path[0].owner.entity is not entity:
        raise QueryError(f"{path[0].owner.entity.name}.{path[0].name} is no relation of {entity.name}.")
    return path


def merge_includes(includes: Iterable[Include]) -> tuple[Include, ...]:
    """The same includes with each relation once; a later restriction of the same relation takes the place of an earlier one."""
    merged: dict[Relation, Include] = {}
    for include in includes:
        known = merged.get(include.relation)
        if known is None:
            merged[include.relation] = include
        else:
            children = merge_includes((*known.children, *include.children))
            merged[include.relation] = replace(known, children=children, select=include.select or known.select)
    return tuple(merged.values())
