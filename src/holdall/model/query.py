"""Query and AsyncQuery: what `Order.where(…)` gives. Building one does no I/O; its last call asks the store.

Owns how users spell queries. Every building method returns a new query. Must not know how a store works: it is reached through `Home`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

from holdall.errors import QueryError, near_name
from holdall.model.ambient import Home, ambient_home
from holdall.query import (
    TRUE,
    Aggregate,
    Column,
    Compare,
    Condition,
    Consistency,
    Expr,
    FieldRef,
    Lock,
    Order,
    Select,
    Term,
    Value,
    aggregate,
    all_of,
    as_condition,
    as_term,
    check_limits,
    expr_name,
    lookup,
    make_order,
    references,
    replace,
    resolve,
    text_order,
    text_term,
)

if TYPE_CHECKING:
    from holdall.model.base import Model

M = TypeVar("M", bound="Model")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """One page of a sorted result. The cursors lead to the neighbouring pages; None where there is none."""

    items: list[M]
    next_cursor: str | None
    prev_cursor: str | None

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return self.next_cursor is not None

    def __iter__(self) -> Iterator[M]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a query will be answered: its meaning, the steps, and the engine's own text with its parameters, if it has one."""

    query: str
    backend: str
    plan: Literal["native", "split", "refused"]
    steps: tuple[str, ...]
    native: str = ""

    def __str__(self) -> str:
        lines = [self.query, f"{self.backend}: {self.plan}", *(f"  {step}" for step in self.steps)]
        return "\n".join([*lines, *([self.native] if self.native else [])])


class QueryBase(Generic[M]):
    """What both colours share: building."""

    __slots__ = ("_home", "_model", "_select")

    def __init__(self, model: type[M], select: Select, home: Home | None) -> None:
        self._model = model
        self._select = select
        self._home = home

    @property
    def select(self) -> Select:
        """The query as frozen data."""
        return self._select

    @property
    def model(self) -> type[M]:
        """The class of the records."""
        return self._model

    def _with(self, **changes: Any) -> Self:
        return type(self)(self._model, replace(self._select, **changes), self._home)

    def _store(self) -> Home:
        return self._home if self._home is not None else ambient_home(self._model)

    def where(self, *conditions: Condition | bool, **lookups: Any) -> Self:
        """Only records that meet all conditions: where(Order.total >= 3, customer__name="Ada"). Repeated calls add up."""
        entity = self._select.entity
        found: list[Condition] = []
        for condition in conditions:
            # One field and one value, most often: nothing to resolve.
            if isinstance(condition, Compare) and isinstance(condition.right, Value):
                left = condition.left
                if isinstance(left, FieldRef) and left.entity is entity:
                    found.append(condition)
                    continue
            resolved = resolve(entity, as_condition(condition))
            self._check_root(resolved)
            found.append(resolved)
        for name, value in lookups.items():
            found.append(lookup(entity, name, value))
        if self._select.limit is not None or self._select.offset:
            raise QueryError("where() after limit() or offset() would filter what is already cut.", hint="Call where() before limit().")
        known = self._select.where
        return self._with(where=found[0] if known is TRUE and len(found) == 1 else all_of(known, *found))

    def order_by(self, *terms: Any) -> Self:
        """Sort by these: desc(Order.total), Order.customer.name, "-placed_at". Replaces an earlier order; none at all removes it."""
        return self._with(order=tuple(self._order(term) for term in terms))

    def _order(self, term: Any) -> Order:
        if isinstance(term, str):
            return text_order(self._select.entity, term)  # type: ignore[no-any-return]  # an operation by name
        order = term if isinstance(term, Order) else make_order(as_term(term, "order_by"))
        expr = order.expr
        if not isinstance(expr, FieldRef) or expr.entity is not self._select.entity:
            self._check_root(order)
        return order

    def limit(self, rows: int) -> Self:
        """At most so many; 0 gives none."""
        check_limits(rows, None)
        return self._with(limit=rows)

    def offset(self, rows: int) -> Self:
        """Leave out the first so many. Pages by cursor (`page`) are faster and steadier."""
        check_limits(None, rows)
        return self._with(offset=rows)

    def include(self, *relations: Any, where: Condition | bool | None = None, order_by: Any = None, limit: int | None = None) -> Self:
        """Load relations with the records, one query each: include(Order.customer, "lines.product").

        `where`, `order_by` and `limit` restrict the one relation given; the limit counts for each parent.
        """
        from holdall.model.includes import make_include, merge_includes

        made = [make_include(self._select.entity, relation) for relation in relations]
        if where is not None or order_by is not None or limit is not None:
            if len(made) != 1 or made[0].children:
                raise QueryError("where, order_by and limit of include() go with one relation.", hint="Call include() once for each.")
            target = made[0].relation.target.entity
            inner: QueryBase[Any] = QueryBase(self._model, Select(target), None)
            if where is not None:
                inner = inner.where(where)
            if order_by is not None:
                inner = inner.order_by(*(order_by if isinstance(order_by, list | tuple) else [order_by]))
            if limit is not None:
                inner = inner.limit(limit)
            made = [replace(made[0], select=inner.select)]
        return self._with(includes=merge_includes((*self._select.includes, *made)))

    def distinct(self) -> Self:
        """Leave out repeated results of `values`."""
        return self._with(distinct=True)

    def group_by(self, *terms: Any) -> Self:
        """Group records by these fields; `values` then gives one result for each group."""
        exprs: list[Expr] = []
        for term in terms:
            found = text_term(self._select.entity, term) if isinstance(term, str) else as_term(term, "group_by")
            self._check_root(found._expr)
            if not found._expr.type.groupable:
                raise QueryError(f"{found} is {found._expr.type.name}, which cannot be grouped by.", kind="bad_value")
            exprs.append(found._expr)
        return self._with(group_by=tuple(exprs))

    def having(self, *conditions: Condition | bool) -> Self:
        """Only groups that meet all conditions: having(agg.count() > 3)."""
        found = [as_condition(condition) for condition in conditions]
        return self._with(having=all_of(self._select.having, *found))

    def unfiltered(self, *names: str) -> Self:
        """Switch off the model's default filters of these names, or all of them."""
        known = self._select.entity.default_filters
        for name in names:
            if name not in known:
                raise QueryError(f"{self._select.entity.name} has no default filter '{name}'.", hint=near_name(name, known), name=name)
        return self._with(without=self._select.without | (frozenset(names) if names else frozenset({"*"})))

    def allow_scan(self) -> Self:
        """Let a key-value engine read every record where no index serves the query."""
        return self._with(allow_scan=True)

    def consistency(self, level: Consistency) -> Self:
        """'strong' or 'eventual' reads."""
        if level not in ("strong", "eventual"):
            raise QueryError(f"consistency is 'strong' or 'eventual', not {level!r}.", kind="bad_value")
        return self._with(consistency=level)

    def lock(self, mode: Lock = "update") -> Self:
        """Lock the records read until the transaction ends, where the engine can."""
        if mode not in ("update", "share"):
            raise QueryError(f"lock is 'update' or 'share', not {mode!r}.", kind="bad_value")
        return self._with(lock=mode)

    def _check_root(self, node: Any) -> None:
        entity = self._select.entity
        for ref in references(node):
            root = ref.entity if isinstance(ref, FieldRef) else (ref.steps[0] if ref.steps else ref.relation).owner.entity
            if root is not entity:
                name = expr_name(ref) if isinstance(ref, FieldRef) else f"{root.name}.{ref.relation.name}"
                raise QueryError(
                    f"{name} belongs to {root.name}, but the query is about {entity.name}.",
                    hint=f"Start at {entity.name} and go through its relations.", name=name,
                )  # fmt: skip

    def _columns(self, names: tuple[Any, ...], aliased: Mapping[str, Any]) -> tuple[Column, ...]:
        columns: list[Column] = []
        for alias, item in [*((None, name) for name in names), *aliased.items()]:
            term: Term = text_term(self._select.entity, item) if isinstance(item, str) else as_term(item, "values")
            self._check_root(term._expr)
            if term._around:
                raise QueryError(f"{term} has many values for each {self._select.entity.name}.", kind="bad_value")
            label = alias or (item if isinstance(item, str) else _label(term))
            if any(column.alias == label for column in columns):
                raise QueryError(f"values() has two columns named '{label}'.", hint="Give one a name: values(other=…).", name=label)
            columns.append(Column(label, term._expr))
        if not columns:
            raise QueryError("values() needs at least one column.", hint='For example values("name", total=agg.sum(Order.total)).')
        return tuple(columns)

    def _valued(self, names: tuple[Any, ...], aliased: Mapping[str, Any]) -> Select:
        select = replace(self._select, columns=self._columns(names, aliased))
        grouped = select.aggregated
        for column in select.columns or ():
            if grouped and not isinstance(column.expr, Aggregate) and column.expr not in select.group_by:
                raise QueryError(
                    f"'{column.alias}' has no single value for a group.", hint="Add it to group_by(), or aggregate it.", name=column.alias
                )
            if select.distinct and not isinstance(column.expr, Aggregate) and not column.expr.type.groupable:
                raise QueryError(f"'{column.alias}' is {column.expr.type.name}, which cannot be made distinct.", name=column.alias)
        for order in select.order:
            if grouped and not isinstance(order.expr, Aggregate) and order.expr not in select.group_by:
                raise QueryError(
                    f"{expr_name(order.expr)} has no single value for a group.", hint="Sort by a grouped field or an aggregate."
                )
        return select

    def _aggregate(self, fn: Any, term: Any) -> Select:
        made = aggregate(fn, text_term(self._select.entity, term) if isinstance(term, str) else term)
        self._check_root(made._expr)
        return replace(self._select, columns=(Column(fn, made._expr),), order=(), includes=())

    def _walk(self, page_rows: int) -> Generator[tuple[Select, int, str | None] | None, Page[M]]:
        """What to ask for next while streaming: a query, a page size and a cursor; is sent each page; None at the end."""
        remaining = self._select.limit
        select, cursor = replace(self._select, limit=None), None
        while remaining is None or remaining > 0:
            page = yield select, page_rows if remaining is None else min(page_rows, remaining), cursor
            cursor = page.next_cursor
            if cursor is None:
                break
            remaining = None if remaining is None else remaining - len(page.items)
            select = replace(select, offset=0)
        yield None

    def __repr__(self) -> str:
        from holdall.query import select_text

        return f"<{type(self).__name__} {select_text(self._select)}>"


def _label(term: Term) -> str:
    expr = term._expr
    if isinstance(expr, FieldRef):
        return expr.name
    if isinstance(expr, Aggregate):
        inner = expr.expr
        return f"{expr.fn}_{inner.name.replace('.', '_')}" if isinstance(inner, FieldRef) else expr.fn
    raise QueryError(f"{term} needs a name in values().", hint="Write values(name=…).")


class Query(QueryBase[M]):
    """A query whose last call blocks. Iterating reads it in pages; `all()` gives a list."""

    __slots__ = ()

    def all(self) -> list[M]:
        """All records."""
        return self._store().run("all", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    def first(self) -> M | None:
        """The first record in the given order (else by key), or None."""
        return self._store().run("first", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    def last(self) -> M | None:
        """The last record in the given order (else by key), or None."""
        return self._store().run("last", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    def one(self) -> M:
        """The only record; NotFound or MultipleFound otherwise."""
        return self._store().run("one", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    def count(self) -> int:
        """How many records."""
        return self._store().run("count", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    def exists(self) -> bool:
        """Whether there is any."""
        return self._store().run("exists", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    def sum(self, term: T) -> T | None:
        """The sum of a field; None for no values."""
        return self._store().run("scalar", self._model, self._aggregate("sum", term))  # type: ignore[no-any-return]  # an operation by name

    def avg(self, term: Any) -> Any:
        """The average: Decimal for int and Decimal fields, float for float; None for no values."""
        return self._store().run("scalar", self._model, self._aggregate("avg", term))

    def min(self, term: T) -> T | None:
        """The least value; None for none."""
        return self._store().run("scalar", self._model, self._aggregate("min", term))  # type: ignore[no-any-return]  # an operation by name

    def max(self, term: T) -> T | None:
        """The greatest value; None for none."""
        return self._store().run("scalar", self._model, self._aggregate("max", term))  # type: ignore[no-any-return]  # an operation by name

    def values(self, *names: Any, **aliased: Any) -> list[dict[str, Any]]:
        """One dict for each record, or for each group: values("name", "customer.name", total=agg.sum(Order.total))."""
        return self._store().run("values", self._model, self._valued(names, aliased))  # type: ignore[no-any-return]  # an operation by name

    def column(self, term: T) -> list[T]:
        """The values of one field."""
        rows = self._store().run("values", self._model, self._valued((), {"value": term}))
        return [row["value"] for row in rows]

    def page(self, size: int, cursor: str | None = None) -> Page[M]:
        """One page of `size` records, and cursors to its neighbours. Sorted by key if no order is given."""
        return self._store().run("page", self._model, self._select, size, cursor)  # type: ignore[no-any-return]  # an operation by name

    def stream(self, page_rows: int = 1000) -> Iterator[M]:
        """All records, read in pages; each page is a read of its own unless a transaction is open."""
        walk = self._walk(page_rows)
        ask = next(walk, None)
        while ask is not None:
            page: Page[M] = self._store().run("page", self._model, *ask, True)
            yield from page.items
            ask = walk.send(page)

    def __iter__(self) -> Iterator[M]:
        return self.stream()

    def update(self, **values: Any) -> int:
        """Change every matching record; values may be arithmetic: update(total=Order.total + 1). Gives the number matched."""
        return self._store().run("update_where", self._model, self._select, values)  # type: ignore[no-any-return]  # an operation by name

    def delete(self) -> int:
        """Remove every matching record; gives the number matched."""
        return self._store().run("delete_where", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    def explain(self) -> Explanation:
        """How the store would answer, without doing it."""
        return self._store().run("explain", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name


class AsyncQuery(QueryBase[M]):
    """A query whose last call is awaited; `async for` reads it in pages."""

    __slots__ = ()

    async def all(self) -> list[M]:
        """All records."""
        return await self._store().arun("all", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    async def first(self) -> M | None:
        """The first record in the given order (else by key), or None."""
        return await self._store().arun("first", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    async def last(self) -> M | None:
        """The last record in the given order (else by key), or None."""
        return await self._store().arun("last", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    async def one(self) -> M:
        """The only record; NotFound or MultipleFound otherwise."""
        return await self._store().arun("one", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    async def count(self) -> int:
        """How many records."""
        return await self._store().arun("count", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    async def exists(self) -> bool:
        """Whether there is any."""
        return await self._store().arun("exists", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    async def sum(self, term: T) -> T | None:
        """The sum of a field; None for no values."""
        return await self._store().arun("scalar", self._model, self._aggregate("sum", term))  # type: ignore[no-any-return]  # an operation by name

    async def avg(self, term: Any) -> Any:
        """The average: Decimal for int and Decimal fields, float for float; None for no values."""
        return await self._store().arun("scalar", self._model, self._aggregate("avg", term))

    async def min(self, term: T) -> T | None:
        """The least value; None for none."""
        return await self._store().arun("scalar", self._model, self._aggregate("min", term))  # type: ignore[no-any-return]  # an operation by name

    async def max(self, term: T) -> T | None:
        """The greatest value; None for none."""
        return await self._store().arun("scalar", self._model, self._aggregate("max", term))  # type: ignore[no-any-return]  # an operation by name

    async def values(self, *names: Any, **aliased: Any) -> list[dict[str, Any]]:
        """One dict for each record, or for each group: values("name", "customer.name", total=agg.sum(Order.total))."""
        return await self._store().arun("values", self._model, self._valued(names, aliased))  # type: ignore[no-any-return]  # an operation by name

    async def column(self, term: T) -> list[T]:
        """The values of one field."""
        rows = await self._store().arun("values", self._model, self._valued((), {"value": term}))
        return [row["value"] for row in rows]

    async def page(self, size: int, cursor: str | None = None) -> Page[M]:
        """One page of `size` records, and cursors to its neighbours. Sorted by key if no order is given."""
        return await self._store().arun("page", self._model, self._select, size, cursor)  # type: ignore[no-any-return]  # an operation by name

    async def stream(self, page_rows: int = 1000) -> AsyncIterator[M]:
        """All records, read in pages; each page is a read of its own unless a transaction is open."""
        walk = self._walk(page_rows)
        ask = next(walk, None)
        while ask is not None:
            page: Page[M] = await self._store().arun("page", self._model, *ask, True)
            for item in page.items:
                yield item
            ask = walk.send(page)

    def __aiter__(self) -> AsyncIterator[M]:
        return self.stream()

    async def update(self, **values: Any) -> int:
        """Change every matching record; values may be arithmetic: update(total=Order.total + 1). Gives the number matched."""
        return await self._store().arun("update_where", self._model, self._select, values)  # type: ignore[no-any-return]  # an operation by name

    async def delete(self) -> int:
        """Remove every matching record; gives the number matched."""
        return await self._store().arun("delete_where", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name

    async def explain(self) -> Explanation:
        """How the store would answer, without doing it."""
        return await self._store().arun("explain", self._model, self._select)  # type: ignore[no-any-return]  # an operation by name
