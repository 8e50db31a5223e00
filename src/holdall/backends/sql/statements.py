"""Statements: whole SQL statements for queries, key reads and writes, as text with what is needed to bind and decode them.

Owns the compilation of one query shape to a `Statement`. Must not know drivers or connections, nor keep anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import DropTable

from holdall.backends.sql.builder import Builder, Scope
from holdall.backends.sql.dialect import Dialect, Element
from holdall.backends.sql.formats import Rows, Slot, binder, rows_decoder, rows_encoder
from holdall.backends.sql.tables import Tables
from holdall.query import Assignment, Expr, FieldRef, Select, Value
from holdall.schema import INT_MAX, Entity


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """SQL text; `bind` makes the driver's parameters of a shape's, `decode` canonical rows of the driver's."""

    text: str
    bind: Callable[[Sequence[Any]], tuple[Any, ...]]
    decode: Callable[[Any], Rows] = list


def at_most_int(value: int) -> int:
    """A limit or offset within the engine's integers; beyond it there can be no rows anyway."""
    return min(value, INT_MAX)


class Statements:
    """Compiles statements for one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.tables = Tables(dialect)

    # Reading.

    def select(self, select: Select, parameters: int) -> Statement:
        """The statement of a prepared select whose shape has that many parameters."""
        build = Builder(self.dialect, self.tables, None if select.now is None else parameters - 1)
        scope = build.scope(select.entity)
        where = build.condition(scope, select.where)
        columns, formats = self._columns(build, scope, select)
        groups = [build.expr(scope, expr)[0] for expr in select.group_by]
        having = build.condition(scope, select.having)
        terms = [build.expr(scope, order.expr)[0] for order in select.order]
        visible = build.visible(select.entity, scope.table)
        query = sa.select(*columns).select_from(scope.source).where(visible, where)
        if groups:
            query = query.group_by(*groups)
        if select.aggregated:
            query = query.having(having)
        if select.distinct and select.columns is not None:
            query = self._distinct(select, query, columns, terms)
        elif terms:
            query = query.order_by(*self._sorted(select, terms))
        if select.limit is not None:
            query = query.limit(build.bind(build.take(), at_most_int))
        elif select.offset and self.dialect.no_limit is not None:
            query = query.limit(sa.literal_column(self.dialect.no_limit))
        if select.offset:
            query = query.offset(build.bind(build.take(), at_most_int))
        return self._render(query, build, rows_decoder(formats))

    def _sorted(self, select: Select, terms: Sequence[Element]) -> list[Element]:
        made: list[Element] = []
        for order, element in zip(select.order, terms, strict=True):
            nullable = not isinstance(order.expr, FieldRef) or order.expr.nullable or bool(order.expr.steps)
            made += self.dialect.order(element, descending=order.descending, nulls_first=order.nulls_first, nullable=nullable)
        return made

    def _distinct(self, select: Select, query: Any, columns: Sequence[Element], terms: Sequence[Element]) -> Any:
        """Each row once, at the place of its first; with an order by something else than the columns, that takes a window."""
        if {order.expr for order in select.order} <= {column.expr for column in select.columns or ()}:
            return query.distinct().order_by(*self._sorted(select, terms))
        keys = [column.element if isinstance(column, sa.Label) else column for column in columns]
        place = sa.func.row_number().over(partition_by=keys, order_by=self._sorted(select, terms)).label("place")
        inner = query.add_columns(*(term.label(f"o{n}") for n, term in enumerate(terms)), place).subquery("d")
        outer = sa.select(*(inner.c[f"c{n}"] for n in range(len(columns)))).where(inner.c.place == sa.literal_column("1"))
        return outer.order_by(*self._sorted(select, [inner.c[f"o{n}"] for n in range(len(terms))]))

    def _columns(self, build: Builder, scope: Scope, select: Select) -> tuple[list[Element], list[Any]]:
        if select.columns is None:
            return self.whole(select.entity, scope.table)
        columns: list[Element] = []
        formats: list[Any] = []
        for number, column in enumerate(select.columns):
            element, format_ = build.expr(scope, column.expr)
            columns.append(element.label(f"c{number}"))
            formats.append((format_, True))
        return columns, formats

    def whole(self, entity: Entity, table: Any) -> tuple[list[Element], list[Any]]:
        """All columns of a table with their formats."""
        return (
            [table.c[field.column] for field in entity.fields],
            [(self.dialect.format(field.type), field.nullable) for field in entity.fields],
        )

    def by_key(self, entity: Entity, *, many: bool, timed: bool) -> Statement:
        """Rows by key. Parameters: the key's values (`many`: one tuple of values of the only key field), then now if `timed`."""
        count = 1 if many else len(entity.key)
        build = Builder(self.dialect, self.tables, count if timed else None)
        table = self.tables(entity)
        columns, formats = self.whole(entity, table)
        if many:
            field = entity.by_name[entity.key[0]]
            format_ = self.dialect.format(field.type)
            where = self.dialect.member(table.c[field.column], format_, build.binder(build.take()))
        else:
            where = self.key_is(build, entity, table)
        query = sa.select(*columns).where(where, build.visible(entity, table))
        return self._render(query, build, rows_decoder(formats))

    def by_fields(self, entity: Entity, names: Sequence[str]) -> Statement:
        """Rows by the values of some fields, whether expired or not. Parameters: the values."""
        build = Builder(self.dialect, self.tables, None)
        table = self.tables(entity)
        columns, formats = self.whole(entity, table)
        return self._render(sa.select(*columns).where(self.fields_are(build, entity, table, names)), build, rows_decoder(formats))

    def key_decoder(self, entity: Entity) -> Callable[[Any], Rows]:
        """The decoder of rows that are keys."""
        return rows_decoder([(self.dialect.format(entity.by_name[name].type), False) for name in entity.key])

    def key_is(self, build: Builder, entity: Entity, table: Any) -> Element:
        """key = the next parameters."""
        return self.fields_are(build, entity, table, entity.key)

    def fields_are(self, build: Builder, entity: Entity, table: Any, names: Sequence[str]) -> Element:
        """fields = the next parameters, in order."""
        terms: list[Element] = []
        for name in names:
            field = entity.by_name[name]
            terms.append(table.c[field.column] == build.bind(build.take(), _nullable(self.dialect.format(field.type).encode)))
        return sa.and_(*terms)

    # Writing.

    def insert(self, entity: Entity, returning: Sequence[str]) -> tuple[str, Callable[[Any], Rows]]:
        """INSERT of one row with all its columns, giving back the fields `returning`, and the encoder of rows."""
        table = self.tables(entity)
        names = {field.column: sa.bindparam(f"p{field.position}", type_=sa.types.NullType()) for field in entity.fields}
        query: Any = sa.insert(table).values(names)
        if returning:
            query = query.returning(*(table.c[entity.by_name[name].column] for name in returning))
        text, order, _ = self._text(query)
        assert order == [f"p{field.position}" for field in entity.fields]
        # A null where none may be is for the engine to refuse, so every encoder lets nulls through.
        return text, rows_encoder([(self.dialect.format(f.type), True) for f in entity.fields])

    def update_fields(
        self, entity: Entity, assignments: Sequence[Assignment], parameters: int, names: Sequence[str], *, versioned: bool = False,
        timed: bool = False, count: bool = False, returning: bool = False,
    ) -> Statement:  # fmt: skip
        """UPDATE of the row with these values in `names`. `count`: a version field that is not assigned counts up.

        Parameters: those of the assignments, the values, the version if `versioned`, now if `timed`.
        """
        before_now = parameters + len(names) + versioned
        build = Builder(self.dialect, self.tables, before_now if timed else None)
        scope = build.scope(entity, aliased=False)
        values = self._assigned(build, scope, assignments, count)
        where = [self.fields_are(build, entity, scope.table, names)]
        where += self._version_is(build, entity, scope.table, versioned)
        query: Any = sa.update(scope.table).where(*where, build.visible(entity, scope.table)).values(values)
        if returning:
            columns, formats = self.whole(entity, scope.table)
            return self._render(query.returning(*columns), build, rows_decoder(formats))
        return self._render(query, build)

    def delete_key(self, entity: Entity, *, versioned: bool, timed: bool) -> Statement:
        """DELETE by key. Parameters: the key's values, the version if `versioned`, now if `timed`."""
        build = Builder(self.dialect, self.tables, len(entity.key) + versioned if timed else None)
        table = self.tables(entity)
        where = [self.key_is(build, entity, table), *self._version_is(build, entity, table, versioned)]
        return self._render(sa.delete(table).where(*where, build.visible(entity, table)), build)

    def _version_is(self, build: Builder, entity: Entity, table: Any, versioned: bool) -> list[Element]:
        if not versioned:
            return []
        field = entity.version_field
        assert field is not None
        return [table.c[field.column] == build.bind(build.take())]

    def update_where(self, select: Select, assignments: Sequence[Assignment], select_parameters: int) -> Statement:
        """UPDATE of the rows of a select. Parameters: the select's (now last), then those of the assignments."""
        build, scope, where = self._set_write(select, select_parameters)
        build.skip_to(select_parameters)
        values = self._assigned(build, scope, assignments, True)
        return self._render(sa.update(scope.table).where(where).values(values), build)

    def delete_where(self, select: Select, select_parameters: int) -> Statement:
        """DELETE of the rows of a select; its parameters."""
        build, scope, where = self._set_write(select, select_parameters)
        return self._render(sa.delete(scope.table).where(where), build)

    def _set_write(self, select: Select, parameters: int) -> tuple[Builder, Scope, Element]:
        entity = select.entity
        build = Builder(self.dialect, self.tables, None if select.now is None else parameters - 1)
        scope = build.scope(entity, aliased=False)
        where = build.condition(scope, select.where)
        if not scope.joins:
            return build, scope, sa.and_(build.visible(entity, scope.table), where)
        # Conditions through relations need joins, which UPDATE and DELETE have not: choose the keys in a query of their own.
        build = Builder(self.dialect, self.tables, None if select.now is None else parameters - 1)
        inner = build.scope(entity)
        where = build.condition(inner, select.where)
        names = [entity.by_name[name].column for name in entity.key]
        chosen = (
            sa.select(*(inner.table.c[name] for name in names)).select_from(inner.source).where(build.visible(entity, inner.table), where)
        )
        scope = build.scope(entity, aliased=False)
        keys = [scope.table.c[name] for name in names]
        return build, scope, (keys[0] if len(keys) == 1 else sa.tuple_(*keys)).in_(chosen)

    def _assigned(self, build: Builder, scope: Scope, assignments: Sequence[Assignment], count: bool) -> dict[str, Any]:
        """SET of an UPDATE."""
        entity = scope.entity
        values: dict[str, Any] = {}
        for assignment in assignments:
            field = entity.fields[assignment.position]
            values[field.column] = self._assigned_value(build, scope, assignment.expr, field)
        version = entity.version_field
        if count and version is not None and version.column not in values:
            values[version.column] = self.dialect.count_up(scope.table.c[version.column])
        return values

    def _assigned_value(self, build: Builder, scope: Scope, expr: Expr, field: Any) -> Element:
        if isinstance(expr, Value):
            return sa.null() if expr.value is None else build.bind(build.take(), self.dialect.format(field.type).encode)
        return self.dialect.fit(build.expr(scope, expr), field.type)

    def delete_all(self, entity: Entity) -> str:
        """DELETE of all rows."""
        return self._text(sa.delete(self.tables(entity)))[0]

    def drop(self, entity: Entity) -> str:
        """DROP TABLE, if it is there."""
        return str(DropTable(self.tables(entity), if_exists=True).compile(dialect=self.dialect.engine)).strip()

    def insert_over_expired(self, entity: Entity, returning: Sequence[str]) -> tuple[str, Callable[[Sequence[Any]], tuple[Any, ...]]]:
        """INSERT of a row, in place of an expired one with the same key. Gives fields back, or nothing if a row is in the way that has not
        expired. Parameters: the row, then now."""
        build = Builder(self.dialect, self.tables, None)
        table = self.tables(entity)
        values = {field.column: build.bind(field.position, _nullable(self.dialect.format(field.type).encode)) for field in entity.fields}
        field = entity.expiry_field
        assert field is not None
        now = build.bind(len(entity.fields), self.dialect.format(field.type).encode)
        keys = [entity.by_name[name].column for name in entity.key]
        query = self.dialect.insert_over(table, values, keys, table.c[field.column] <= now).returning(
            *(table.c[entity.by_name[name].column] for name in returning)
        )
        statement = self._render(query, build)
        return statement.text, statement.bind

    def purge(self, entity: Entity) -> Statement:
        """DELETE of all expired rows. Parameter: now."""
        build = Builder(self.dialect, self.tables, None)
        table, field = self.tables(entity), entity.expiry_field
        assert field is not None
        now = build.bind(build.take(), self.dialect.format(field.type).encode)
        return self._render(sa.delete(table).where(table.c[field.column] <= now), build)

    def some_expired(self, entity: Entity) -> Statement:
        """SELECT of one row if any has expired. Parameter: now."""
        build = Builder(self.dialect, self.tables, None)
        table, field = self.tables(entity), entity.expiry_field
        assert field is not None
        now = build.bind(build.take(), self.dialect.format(field.type).encode)
        one: Element = sa.literal_column("1")
        return self._render(sa.select(one).where(table.c[field.column] <= now).limit(one), build)

    def conflicts(
        self, entity: Entity, groups: Sequence[Sequence[str]], any_key: bool
    ) -> tuple[str, Callable[[Sequence[Any]], tuple[Any, ...]]] | None:
        """DELETE of expired rows that have the same values as a new row in one of the groups of fields; None if there are no groups.
        `any_key`: also the one with the same key. Parameters: the row, then now."""
        if not groups:
            return None
        build = Builder(self.dialect, self.tables, None)
        table = self.tables(entity)
        field = entity.expiry_field
        assert field is not None

        def equal(names: Sequence[str]) -> Element:
            terms = [entity.by_name[name] for name in names]
            return sa.and_(*(table.c[f.column] == build.bind(f.position, _nullable(self.dialect.format(f.type).encode)) for f in terms))

        where = sa.or_(*(equal(names) for names in groups))
        if not any_key:  # the key of a new row may be null still: then no row has it
            where = sa.and_(where, equal(entity.key).is_not(sa.true()))
        now = build.bind(len(entity.fields), self.dialect.format(field.type).encode)
        statement = self._render(sa.delete(table).where(table.c[field.column] <= now, where), build)
        return statement.text, statement.bind

    # Text.

    def _render(self, query: Any, build: Builder, decode: Callable[[Any], Rows] = list) -> Statement:
        text, order, constants = self._text(query)
        # SQLAlchemy adds parameters of its own (OFFSET 0 after a LIMIT): they are constants.
        slots = [build.slots.get(name) or Slot(None, None, constants[name]) for name in order]
        return Statement(text, binder(slots), decode)

    def _text(self, query: Any) -> tuple[str, list[str], dict[str, Any]]:
        compiled = query.compile(dialect=self.dialect.engine, compile_kwargs={"render_postcompile": True})
        return str(compiled), list(compiled.positiontup or ()), dict(compiled.params)


def _nullable(coder: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    """The coder, with None staying None: = NULL is never true, as uniques want it (B3)."""
    return coder if coder is None else lambda value: None if value is None else coder(value)
