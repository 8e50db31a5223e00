"""Store and AsyncStore: the two faces of one core.

Constructors do no I/O. `Store` drives programs with `run`, its async side `store.aio` with `arun`; what they do is in the programs.
"""

from __future__ import annotations

import datetime as dt
import inspect
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, Self, TypeVar, cast

from holdall.backends import Backend, Capabilities, Isolation, Raw
from holdall.backends.registry import backend_for
from holdall.errors import DeclarationError, HoldallError, ProgrammingError, QueryError, Unsupported
from holdall.model import AsyncCollection, Collection, Model, current, enter, leave
from holdall.model import models as all_models
from holdall.program import Program, arun, run
from holdall.store import each, loading, reads, set_writes, writes
from holdall.store.core import EVENTS, Clock, Core, Ready, Scope, doom, handle_of, make_ready, owner_here, system_clock, task_here
from holdall.store.retry import retrying, retrying_async
from holdall.store.transaction import AsyncTransaction, Transaction

M = TypeVar("M", bound=Model)
P = ParamSpec("P")
R = TypeVar("R")

OPERATIONS: dict[str, Callable[..., Program[Any]]] = {
    "get": reads.get,
    "get_many": reads.get_many,
    "all": reads.all_,
    "first": reads.first,
    "last": reads.last,
    "one": reads.one,
    "count": reads.count,
    "exists": reads.exists,
    "scalar": reads.scalar,
    "values": reads.values,
    "page": reads.page,
    "explain": reads.explain,
    "refresh": reads.refresh,
    "load": loading.load,
    "create": writes.create,
    "create_many": writes.create_many,
    "create_each": each.create_each,
    "insert_given": writes.insert_given,
    "save": writes.save,
    "upsert": writes.upsert,
    "delete": writes.delete,
    "update_where": set_writes.update_where,
    "delete_where": set_writes.delete_where,
}
_WITH_EVENTS = frozenset({"create", "create_many", "insert_given", "save", "delete"})
_WRITES = _WITH_EVENTS | {"create_each", "upsert", "update_where", "delete_where"}


class Store:
    """A place where models are kept.

    `where` is a URL (memory:, sqlite:///shop.db), a backend object, or a function that makes one. `models` are known beforehand
    (so that their tables can be made before a transaction), `records` are known rows, `clock` gives the current instant,
    `autoload` loads a relation on first touch for all records of the same result at once.
    """

    def __init__(
        self,
        where: str | Backend | Callable[[], Backend] = "memory:",
        *,
        models: Iterable[type[Model]] = (),
        records: Mapping[type[Model], Iterable[Mapping[str, Any]]] | None = None,
        clock: Clock = system_clock,
        autoload: bool = False,
    ) -> None:
        self._core = Core(backend_for(where), writes.create_graph, clock=clock, models=models, records=records, autoload=autoload)

    # Running

    def may_block(self) -> bool:
        """Whether blocking here stops nobody else: no event loop runs in this thread."""
        asyncio = sys.modules.get("asyncio")
        if asyncio is None:
            return True
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return True
        return False

    def get_record(self, model: type[M], key: Any) -> M | None:
        """The record with this key, or None: `run("get", …)` without its detours, because programs do nothing as often."""
        core = self._core
        ready = core.ready.get(model)
        if current.get() is None and ready is not None and key.__class__ is ready.plain_key and not core.expires and not core.autoload:
            (row,) = run(core.backend.fetch(ready.entity, (key,), None, None, None), core.perform)
            return None if row is None else model.__build__(row)
        scope = self._scope()
        if scope is None:
            return run(reads.get(core, None, model, key), core.perform)
        return self._within(scope, reads.get, (model, key), writing=False)

    def run(self, name: str, /, *args: Any) -> Any:
        """Do an operation by name, blocking; what collections and models call."""
        core = self._core
        frame = current.get()
        while frame is not None and frame.home is not self:
            frame = frame.outer
        if frame is not None and frame.tx is not None:
            return self._within(frame.tx, OPERATIONS[name], args, writing=name in _WRITES)
        if name in _WITH_EVENTS:
            ready = core.ready.get(args[0]) or run(make_ready(core, None, args[0]), core.perform)
            if ready.any:
                with self.transaction():
                    return self.run(name, *args)
        elif name == "create_each" and run(make_ready(core, None, args[0]), core.perform).any:
            batch = each.Items(*args)
            for place, record in batch.valid():
                try:
                    self.run("save", args[0], record)
                except HoldallError as error:
                    batch.failed(place, error)
            return batch.outcome()
        return run(OPERATIONS[name](core, None, *args), core.perform)

    async def arun(self, name: str, /, *args: Any) -> Any:
        """Do an operation by name, awaiting."""
        core, scope = self._core, self._scope()
        if scope is not None:
            return await self._awithin(scope, OPERATIONS[name], args, writing=name in _WRITES)
        if name in _WITH_EVENTS:
            ready = core.ready.get(args[0])
            if ready is None:
                ready = await arun(make_ready(core, None, args[0]), core.aperform)
            if ready.any:
                async with self.aio.transaction():
                    return await self.arun(name, *args)
        elif name == "create_each" and (await arun(make_ready(core, None, args[0]), core.aperform)).any:
            batch = each.Items(*args)
            for place, record in batch.valid():
                try:
                    await self.arun("save", args[0], record)
                except HoldallError as error:
                    batch.failed(place, error)
            return batch.outcome()
        return await arun(OPERATIONS[name](core, None, *args), core.aperform)

    def _within(self, scope: Scope, make: Callable[..., Program[R]], args: Sequence[Any], *, writing: bool) -> R:
        """Run a program in an open transaction; an error that reached the engine dooms it."""
        scope.check(owner_here(), writes=writing)
        try:
            return run(make(scope.core, scope, *args), scope.core.perform)
        except BaseException as error:
            doom(scope, error)
            raise

    async def _awithin(self, scope: Scope, make: Callable[..., Program[R]], args: Sequence[Any], *, writing: bool) -> R:
        scope.check(task_here(), writes=writing)
        try:
            return await arun(make(scope.core, scope, *args), scope.core.aperform)
        except BaseException as error:
            doom(scope, error)
            raise

    def _scope(self) -> Scope | None:
        """The innermost transaction of this store that is open here."""
        frame = current.get()
        while frame is not None and frame.home is not self:
            frame = frame.outer
        return None if frame is None else cast("Scope | None", frame.tx)

    def _drive(self, make: Callable[..., Program[R]], *args: Any) -> R:
        scope = self._scope()
        if scope is None:
            return run(make(self._core, None, *args), self._core.perform)
        return self._within(scope, make, args, writing=make is writes.save_all)

    def has_core(self, core: object) -> bool:
        """Whether that is what this store works on now."""
        return core is self._core

    # Use

    def __getitem__(self, model: type[M]) -> Collection[M]:
        """The records of a model in this store."""
        if not _is_model(model):
            raise ProgrammingError(f"store[…] takes a model class, not {model!r}.")
        return Collection(model, self)

    @property
    def aio(self) -> AsyncStore:
        """The awaited side of this store."""
        return AsyncStore(self)

    def now(self) -> dt.datetime:
        """The instant by the store's clock, in UTC."""
        return self._core.now()

    def describe(self) -> Capabilities:
        """What this store's backend keeps and how."""
        return self._core.backend.describe()

    @property
    def models(self) -> tuple[type[Model], ...]:
        """The models that the store was made with, and those declared with `store=` as this one."""
        bound = [model for model in all_models() if model.__store__ is self]
        return tuple(dict.fromkeys([*self._core.models, *bound]))

    def __enter__(self) -> Self:
        """Make this the ambient store of the block. Leaving the outermost block does not close the store."""
        enter(self, self._scope())
        return self

    def __exit__(self, *exc: object) -> None:
        leave(self)

    def open(self) -> Self:
        """Connect now rather than on first use; Unavailable if it cannot be reached."""
        run(_open(self._core), self._core.perform)
        return self

    def close(self) -> None:
        """Release connections and files; idempotent. The store cannot be used afterwards."""
        if not self._core.closed:
            run(_close(self._core), self._core.perform)

    def ping(self) -> None:
        """One round trip; Unavailable if it fails."""
        run(self._core.backend.ping(), self._core.perform)

    def ensure_schema(self, *models: type[Model]) -> None:
        """Create the tables of these models (or of the store's), or check that they fit; SchemaMismatch if they do not."""
        self._drive(writes.ensure_schema, models)

    def clear(self, *models: type[Model]) -> None:
        """Remove every record of these models, or of all models used in this store."""
        self._drive(writes.clear, models)

    def load(self, records: Sequence[Model], *relations: Any) -> None:
        """Load relations of records already read: one query for each relation, whatever the number of records."""
        if records:
            self.run("load", type(records[0]), list(records), relations)

    def save_all(self, records: Iterable[Model]) -> None:
        """Save records of any models in one unit of work: parents before children, all or none."""
        self._drive(writes.save_all, list(records))

    def transaction(self, *, isolation: Isolation | None = None, read_only: bool = False, timeout_s: float | None = None) -> Transaction:
        """A transaction as a `with` block; inside another one, a savepoint. Unsupported if the backend lacks the level."""
        check_options(self._core, isolation, timeout_s, nested=self._scope() is not None)
        return Transaction(self, isolation, read_only, timeout_s)

    def unit(self, *, retries: int = 5, isolation: Isolation | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
        """Decorate a function (async too): it runs in a transaction, and again from the start after a conflict, at most `retries` times."""

        def decorate(function: Callable[P, R]) -> Callable[P, R]:
            if inspect.iscoroutinefunction(function):
                return cast("Callable[P, R]", retrying_async(self, function, retries, isolation))
            return retrying(self, function, retries, isolation)

        return decorate

    def on(self, event: str, model: type[Model] | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate a handler of an event, for one model or all: @store.on("before_create", Order)."""
        if event not in EVENTS:
            from holdall.errors import near_name

            raise DeclarationError(f"There is no event '{event}'.", hint=near_name(event, EVENTS))

        def register(handler: Callable[..., Any]) -> Callable[..., Any]:
            self._core.handlers.setdefault((event, model), []).append(handler)
            for known in self._core.ready:
                self._core.ready[known] = Ready(self._core, known)
            return handler

        return register

    @contextmanager
    def replaced_by(self, where: str | Backend | Callable[[], Backend]) -> Generator[Self]:
        """Within the block this store works on another, empty backend, for everyone who uses it: for tests."""
        inner = Core(
            backend_for(where), writes.create_graph, clock=self._core.clock, models=self._core.models, autoload=self._core.autoload
        )
        inner.handlers = self._core.handlers
        outer, self._core = self._core, inner
        try:
            with self:
                yield self
        finally:
            self._core = outer
            if not inner.closed:
                run(inner.backend.close(), inner.perform)

    @property
    def native(self) -> Any:
        """The raw driver connection or client of the calling thread. Not portable."""
        return _raw(self._core).native()

    def sql(self, text: str, *parameters: Any, into: type[M] | None = None) -> list[Any]:
        """Run a statement in the engine's own language. Gives dicts, or records if `into` names a model whose columns come back."""
        return self._drive(_sql, text, parameters, into)

    def __repr__(self) -> str:
        return f"<Store {self._core.backend.name}>"


class AsyncStore:
    """The awaited side of a store: the same names, awaited. `async with store.aio:` makes it the ambient store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def _drive(self, make: Callable[..., Program[R]], *args: Any) -> R:
        store = self._store
        scope = store._scope()
        if scope is None:
            return await arun(make(store._core, None, *args), store._core.aperform)
        return await store._awithin(scope, make, args, writing=make is writes.save_all)

    def __getitem__(self, model: type[M]) -> AsyncCollection[M]:
        """The records of a model in this store."""
        if not _is_model(model):
            raise ProgrammingError(f"store[…] takes a model class, not {model!r}.")
        return AsyncCollection(model, self._store)

    def now(self) -> dt.datetime:
        """The instant by the store's clock, in UTC."""
        return self._store.now()

    @property
    def models(self) -> tuple[type[Model], ...]:
        """The models that the store was made with."""
        return self._store.models

    def describe(self) -> Capabilities:
        """What this store's backend keeps and how."""
        return self._store.describe()

    async def __aenter__(self) -> Self:
        """Make this the ambient store of the block."""
        enter(self._store, self._store._scope())
        return self

    async def __aexit__(self, *exc: object) -> None:
        leave(self._store)

    async def open(self) -> Self:
        """Connect now rather than on first use; Unavailable if it cannot be reached."""
        core = self._store._core
        await arun(_open(core), core.aperform)
        return self

    async def close(self) -> None:
        """Release connections and files; idempotent. The store cannot be used afterwards."""
        core = self._store._core
        if not core.closed:
            await arun(_close(core), core.aperform)

    async def ping(self) -> None:
        """One round trip; Unavailable if it fails."""
        core = self._store._core
        await arun(core.backend.ping(), core.aperform)

    async def ensure_schema(self, *models: type[Model]) -> None:
        """Create the tables of these models (or of the store's), or check that they fit; SchemaMismatch if they do not."""
        await self._drive(writes.ensure_schema, models)

    async def clear(self, *models: type[Model]) -> None:
        """Remove every record of these models, or of all models used in this store."""
        await self._drive(writes.clear, models)

    async def load(self, records: Sequence[Model], *relations: Any) -> None:
        """Load relations of records already read: one query for each relation, whatever the number of records."""
        if records:
            await self._store.arun("load", type(records[0]), list(records), relations)

    async def save_all(self, records: Iterable[Model]) -> None:
        """Save records of any models in one unit of work: parents before children, all or none."""
        await self._drive(writes.save_all, list(records))

    def transaction(
        self, *, isolation: Isolation | None = None, read_only: bool = False, timeout_s: float | None = None
    ) -> AsyncTransaction:
        """A transaction as an `async with` block; inside another one, a savepoint. Unsupported if the backend lacks the level."""
        check_options(self._store._core, isolation, timeout_s, nested=self._store._scope() is not None)
        return AsyncTransaction(self._store, isolation, read_only, timeout_s)

    def unit(
        self, *, retries: int = 5, isolation: Isolation | None = None
    ) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
        """Decorate an async function: it runs in a transaction, and again from the start after a conflict, at most `retries` times."""
        return lambda function: retrying_async(self._store, function, retries, isolation)

    def on(self, event: str, model: type[Model] | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate a handler of an event, for one model or all; it may be async."""
        return self._store.on(event, model)

    async def sql(self, text: str, *parameters: Any, into: type[M] | None = None) -> list[Any]:
        """Run a statement in the engine's own language. Gives dicts, or records if `into` names a model whose columns come back."""
        return await self._drive(_sql, text, parameters, into)

    def __repr__(self) -> str:
        return f"<AsyncStore {self._store._core.backend.name}>"


def _is_model(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, Model)


def _open(core: Core) -> Program[None]:
    if core.closed:
        raise ProgrammingError("This store is closed.", hint="Make a new Store.")
    yield from core.backend.open()
    core.opened = True


def check_options(core: Core, isolation: Isolation | None, timeout_s: float | None, *, nested: bool) -> None:
    """Unsupported if the backend has no such level (G1); ProgrammingError for a time that is none, or a level of a nested block's own."""
    if timeout_s is not None and not timeout_s > 0:
        raise ProgrammingError(f"timeout_s must be more than 0 seconds, not {timeout_s!r}.")
    if nested and timeout_s is not None:
        raise ProgrammingError("A nested transaction has the time of the outer one.", hint="Set timeout_s at the outermost block.")
    if nested:
        core.kept.need("savepoints", "A transaction inside a transaction")
    else:
        core.kept.need("transactions", "transaction()")
    if isolation is None:
        return
    if nested:
        raise ProgrammingError("A nested transaction has the isolation of the outer one.", hint="Ask for the level at the outermost block.")
    offered = core.kept.capabilities.isolation
    if isolation not in offered:
        names = ", ".join(sorted(level.name for level in offered)) or "none"
        raise Unsupported(f"{core.backend.name} does not offer {isolation.name}.", hint=f"It offers: {names}.")


def _close(core: Core) -> Program[None]:
    core.closed = True
    core.ready.clear()  # so that every use is checked again, and refused
    yield from core.backend.close()


def _raw(core: Core) -> Raw:
    core.kept.need("raw", "sql() and native")
    assert isinstance(core.backend, Raw), "a backend that declares raw has its calls"
    return core.backend


def _sql(core: Core, scope: Scope | None, text: str, parameters: Sequence[Any], into: type[Model] | None) -> Program[list[Any]]:
    raw = _raw(core)
    if not core.opened:
        yield from core.backend.open()
        core.opened = True
    handle = yield from handle_of(scope)
    try:
        names, rows = yield from raw.raw(text, parameters, handle)
    except BaseException as error:
        if scope is not None:  # the engine has seen the statement, whatever kind of error that gave
            scope.doomed = scope.doomed or error
        raise
    if into is None:
        return [dict(zip(names, row, strict=True)) for row in rows]
    entity = into.__entity__
    missing = [field.column for field in entity.fields if field.column not in names]
    if missing:
        raise QueryError(f"The statement gives no column {', '.join(missing)}, which {entity.name} needs.", hint="Select all its columns.")
    order = [names.index(field.column) for field in entity.fields]
    decode = getattr(raw, "decode_rows")(entity)  # noqa: B009 - an optional part of the Raw group
    return into.__build_many__(decode([tuple(row[index] for index in order) for row in rows]))
