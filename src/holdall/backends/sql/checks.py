"""Checks: the conditions of Entity.checks as the text of CHECK constraints.

Owns the rendering with literal operands, because DDL has no parameters. Must not know drivers, nor any engine by name. Three-valued logic
is the same in a CHECK: false refuses the row, true and unknown let it pass (B3). A condition that SQL's own operators cannot say uses the
registered functions of the dialect; programs that do not register them can read such a table but not write to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from holdall.backends.sql.builder import NULL, Builder, Scope
from holdall.backends.sql.dialect import Dialect, Element
from holdall.backends.sql.formats import Coder, sql_literal
from holdall.backends.sql.tables import Tables
from holdall.errors import DeclarationError
from holdall.query import Membership, Related, as_condition
from holdall.query.shape import condition_shape
from holdall.schema import Entity


class _Literals(Builder):
    """Builds a condition whose operands stand in the text."""

    def __init__(self, dialect: Dialect, params: Sequence[Any], where: str) -> None:
        super().__init__(dialect, Tables(dialect), None)
        self._params = params
        self._where = where

    def bind(self, index: int | None, coder: Coder | None = None, constant: Any = None) -> Element:
        value = constant if index is None else self._params[index]
        return sa.literal_column(sql_literal(value if coder is None or index is None else coder(value)))

    def membership(self, scope: Scope, node: Membership) -> Element:
        left, format_ = self.expr(scope, node.left)
        if not node.values:
            found: Element = NULL if node.with_null else sa.false()
        else:
            values = self._params[self.take()]
            coder = format_.operand_coder("eq")
            found = left.in_([sa.literal_column(sql_literal(value if coder is None else coder(value))) for value in values])
            if node.with_null:
                found = sa.or_(found, NULL)
        return ~found if node.negated else found

    def related(self, scope: Scope, node: Related) -> Element:  # noqa: ARG002  as in Builder
        raise _not_own(self._where)


def _not_own(where: str) -> DeclarationError:
    return DeclarationError(f"{where} looks at other records.", hint="A check may use the record's own fields only.")


def check_texts(entity: Entity, dialect: Dialect) -> list[tuple[str, str]]:
    """(name, SQL text) of every check of an entity; DeclarationError for one that follows relations."""
    made: list[tuple[str, str]] = []
    for check in entity.checks:
        condition = as_condition(check.condition())
        _, params = condition_shape(condition)
        where = f"The check '{check.name}' of {entity.name}"
        build = _Literals(dialect, params, where)
        scope = build.scope(entity, aliased=False)
        element = _literal(build, scope, condition)
        if scope.joins:
            raise _not_own(where)
        text = element.compile(dialect=dialect.engine, compile_kwargs={"include_table": False})
        made.append((check.name, str(text)))
    return made


def _literal(build: _Literals, scope: Scope, condition: Any) -> Element:
    element = build.condition(scope, condition)
    return element.self_group() if hasattr(element, "self_group") else element
