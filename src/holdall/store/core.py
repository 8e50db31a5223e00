"""Core: what the two colours of a store share: the backend, the clock, which models are ready, and the event handlers.

Also scopes: the state of an open transaction or savepoint. Must not perform effects; programs here and beside it only yield them.
"""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakSet, WeakValueDictionary

from holdall.backends import Backend, Isolation, Native, Refuse, Row, Transactions
from holdall.errors import (
    DeclarationError,
    HoldallError,
    MultipleFound,
    NotLoaded,
    OutcomeUnknown,
    ProgrammingError,
    QueryError,
    TransactionConflict,
    TransactionDoomed,
    Unsupported,
    ValidationError,
)
from holdall.model import Model, linked_models
from holdall.program import Call, Program
from holdall.query import TRUE, Aggregate, Select, never_true, prepare
from holdall.schema import Entity
from holdall.store.gates import Kept, check_tables

T = TypeVar("T")
Clock = Callable[[], dt.datetime]
# Errors raised before anything reached the engine: they leave a transaction as it was.
HARMLESS = (ValidationError, QueryError, Unsupported, DeclarationError, ProgrammingError, MultipleFound, NotLoaded)


def system_clock() -> dt.datetime:
    """The current instant, in UTC."""
    return dt.datetime.now(dt.UTC)


class Scope:
    """One open transaction, or one savepoint inside it (`outer` is what it is inside of)."""

    __slots__ = (
        "after_commit", "closed", "committed", "core", "doomed", "handle", "isolation", "outer", "owner", "read_only", "savepoint",
        "seen", "timeout_s", "undos", "wrote",
    )  # fmt: skip

    def __init__(
        self,
        core: Core,
        outer: Scope | None,
        owner: tuple[Any, ...],
        isolation: Isolation | None = None,
        read_only: bool = False,
        timeout_s: float | None = None,
    ) -> None:
        self.core = core
        self.outer = outer
        self.owner = owner
        self.isolation = isolation
        self.read_only = read_only
        self.timeout_s = timeout_s
        self.handle: Any = None
        self.savepoint: Any = None
        self.doomed: BaseException | None = None
        self.closed = False
        self.committed = False
        self.after_commit: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        self.undos: list[Callable[[], None]] = []
        self.wrote = False
        self.seen: WeakValueDictionary[int, Model] = WeakValueDictionary()  # by id: equal records are one and the same to a set

    def undo(self) -> None:
        """Tell the records written here that what they wrote is not stored after all, so that saving them again writes it; and those that
        were read after a write, that they may never have been stored so."""
        for take_back in reversed(self.undos):
            take_back()
        self.undos.clear()
        for record in list(self.seen.values()):
            record.__doubt__()
        self.seen.clear()

    def note(self, records: Iterable[Model]) -> None:
        """These records were read here: what they hold may be undone with what was written before."""
        scope: Scope | None = self
        while scope is not None and not (scope.wrote or scope.undos):
            scope = scope.outer
        if scope is not None:
            scope.seen.update((id(record), record) for record in records)

    @property
    def root(self) -> Scope:
        """The transaction itself."""
        scope = self
        while scope.outer is not None:
            scope = scope.outer
        return scope

    def check(self, owner: tuple[Any, ...], *, writes: bool = False) -> None:
        """ProgrammingError if used by another thread, task or process than began it (G7), or to write when it is read-only;
        TransactionDoomed after an error (G2)."""
        if self.owner != owner:
            raise ProgrammingError(
                "A transaction was used outside the thread, task or process that began it.",
                hint="Begin a transaction of its own there; hand over keys or records, not transactions.",
            )
        if self.closed:
            raise ProgrammingError("This transaction has already ended.", hint="Begin a new one.")
        scope: Scope | None = self
        while scope is not None:
            if scope.closed:
                raise ProgrammingError("The transaction around this one has already ended.", hint="Use 'with' blocks, properly nested.")
            if writes and scope.read_only:
                raise ProgrammingError("This transaction is read-only.", hint="Begin it without read_only=True to write.")
            if scope.doomed is not None:
                raise TransactionDoomed(
                    f"An earlier error ended this transaction: {scope.doomed!r}.",
                    hint="Leave the 'with' block and begin again; put what may fail into a nested transaction.",
                ) from scope.doomed
            scope = scope.outer


def owner_here(task: Any = None) -> tuple[Any, ...]:
    """Who is running: process, thread and asyncio task."""
    return (os.getpid(), threading.get_ident(), task)


def task_here() -> tuple[Any, ...]:
    """The same for code that runs in an event loop."""
    import asyncio

    try:
        task = asyncio.current_task()
    except RuntimeError:  # no loop runs here: in a process that was forked inside one
        task = None
    return owner_here(task)


class Core:
    """The state of a store. `records` are known rows, which `insert` puts in when their model is first used."""

    def __init__(
        self,
        backend: Backend,
        insert: Callable[[Core, Scope | None, Sequence[Model]], Program[None]],
        *,
        clock: Clock = system_clock,
        models: Iterable[type[Model]] = (),
        records: Mapping[type[Model], Iterable[Mapping[str, Any]]] | None = None,
        autoload: bool = False,
    ) -> None:
        self.backend = backend
        self.insert = insert
        self.perform = backend.perform
        self.aperform = backend.aperform
        self.clock = clock
        self.models = tuple(models)
        self.records = {model: list(rows) for model, rows in (records or {}).items()}
        self.autoload = autoload
        self.ready: dict[type[Model], Ready] = {}
        self.handlers: dict[tuple[str, Any], list[Callable[..., Any]]] = {}
        self.expires = False
        self.opened = False
        self.closed = False
        self.preparing = threading.RLock()
        _cores.add(self)
        self._kept: Kept | None = None

    @property
    def kept(self) -> Kept:
        """What the backend keeps; asked again once it is open."""
        kept = self._kept
        if kept is None:
            kept = Kept(self.backend)
            if self.opened:
                self._kept = kept
        return kept

    def now(self) -> dt.datetime:
        """The instant by the store's clock (D4), in UTC."""
        instant = self.clock()
        if instant.utcoffset() is None:
            raise ProgrammingError("The store's clock gave a datetime without a time zone.", hint="Return an aware datetime.")
        return instant.astimezone(dt.UTC)

    def visible_at(self) -> dt.datetime | None:
        """The instant against which expiry is judged; None if no model here expires."""
        return self.now() if self.expires else None

    def transactions(self) -> Transactions:
        """The backend's transactions; Unsupported if it has none."""
        self.kept.need("transactions", "A transaction")
        assert isinstance(self.backend, Transactions), "a backend that declares transactions has their calls"
        return self.backend


_cores: WeakSet[Core] = WeakSet()


def _forked() -> None:
    """In a child: no thread is left that could release a lock."""
    for core in list(_cores):
        core.preparing = threading.RLock()


os.register_at_fork(after_in_child=_forked)


class Ready:
    """What a store knows of a model that is ready: its entity and its event handlers, by event name; `any` says whether there are some.

    `stamped` says whether the store fills fields (version, times, expiry, always-set values) when it saves. `plain_key` is the class
    whose values are canonical keys as they are (UUID); None if keys must be looked at.
    """

    __slots__ = ("any", "by_event", "entity", "plain_key", "stamped")

    def __init__(self, core: Core, model: type[Model]) -> None:
        found: dict[str, list[Callable[..., Any]]] = {}
        for event in EVENTS:
            method = getattr(model, event, None) if event in dir(model) else None
            handlers = [*core.handlers.get((event, None), ()), *core.handlers.get((event, model), ())]
            if callable(method):
                handlers.insert(0, method)
            if handlers:
                found[event] = handlers
        self.by_event = found
        self.any = bool(found)
        self.entity = entity = model.__entity__
        self.stamped = any(
            field.version or field.created_at or field.updated_at or field.expires or field.always is not None for field in entity.fields
        )
        key = entity.by_name[entity.key[0]].type
        self.plain_key = UUID if len(entity.key) == 1 and key.kind == "uuid" and key.codec is None else None


EVENTS = (
    "before_create", "after_create", "before_update", "after_update", "before_delete", "after_delete",
    "after_create_commit", "after_update_commit", "after_delete_commit",
)  # fmt: skip


def make_ready(core: Core, scope: Scope | None, model: type[Model]) -> Program[Ready]:
    """Open the backend, link the model and its neighbours, see to their schema and insert known rows; once for each model."""
    with core.preparing:  # threads wait for each other here; the lock is this thread's as long as the program is
        if model not in core.ready:
            yield from _prepare(core, scope, model)
    return core.ready[model]


def _prepare(core: Core, scope: Scope | None, model: type[Model]) -> Program[None]:
    if core.closed:
        raise ProgrammingError("This store is closed.", hint="Make a new Store.")
    bound = model.__store__
    if bound is not None and not bound.has_core(core):
        raise ProgrammingError(f"{model.__name__} belongs to another store.", hint="Use that store, or declare the model without store=.")
    component = linked_models(model)
    for other in component:
        if other.__store__ is not None and other.__store__ is not bound:
            raise DeclarationError(
                f"{model.__name__} is related to {other.__name__}, which is kept in another store.",
                hint="Related models must share a store; keep a plain key field instead of a relation.",
            )
    if not core.opened:
        yield from core.backend.open()
        core.opened = True
    new = [other for other in component if other not in core.ready]
    if new and scope is not None and scope.root.handle is not None:
        raise Unsupported(
            f"{model.__name__} is used for the first time inside a transaction, and schema changes are refused there.",
            hint=f"Call store.ensure_schema({model.__name__}) before, or list it in Store(models=[…]).",
        )
    entities = all_entities(new)
    check_tables([*all_entities(core.ready), *entities])
    core.kept.check_entities(entities)
    yield from core.backend.ensure_schema(entities)
    if any(entity.expiry_field is not None for entity in entities):
        core.expires = True
    ready = {other: Ready(core, other) for other in new}
    known = {other: core.records[other] for other in new if other in core.records}
    if known:
        inside = copy(core)  # in which the models are ready already: everyone else waits until the rows are there
        inside.ready = {**core.ready, **ready}
        yield from core.insert(inside, None, [other(**values) for other, rows in known.items() for values in rows])
        for other in known:
            del core.records[other]
    core.ready.update(ready)


def all_entities(models: Iterable[type[Model]]) -> list[Entity]:
    """The entities of the models and of the hidden links between them, each once."""
    found: dict[Entity, None] = {}
    for model in models:
        found[model.__entity__] = None
        for relation in model.__entity__.relations.values():
            if relation.through is not None:
                found[relation.through.entity] = None
    return list(found)


def handle_of(scope: Scope | None) -> Program[Any]:
    """The backend's handle of the open transaction (begun on first use), or None outside one."""
    if scope is None:
        return None
    root = scope.root
    if root.handle is None:
        core = root.core
        core.kept.need("transactions", "A unit of several writes")
        isolation = root.isolation or core.kept.capabilities.default_isolation
        assert isolation is not None
        root.handle = yield from core.transactions().begin(isolation, root.read_only, root.timeout_s)
    # Savepoints are set on first use too, outermost first.
    pending: list[Scope] = []
    here = scope
    while here.outer is not None:
        if here.savepoint is None:
            pending.append(here)
        here = here.outer
    if pending:
        root.core.kept.need("savepoints", "A transaction inside a transaction")
    for inner in reversed(pending):
        inner.savepoint = yield from root.core.transactions().savepoint(root.handle)
    return root.handle


def rows_of(core: Core, scope: Scope | None, select: Select) -> Program[list[Row]]:
    """The rows (or columns) of a query, planned and then answered by the backend."""
    if select.lock is not None and scope is None:
        raise ProgrammingError(
            "lock() holds records until a transaction ends, and none is open here.", hint="Use it in 'with store.transaction():'."
        )
    core.kept.check_select(select)
    prepared = prepare(select, core.visible_at())
    plan = core.backend.plan(prepared)
    if type(plan) is Native:
        if never_true(prepared.where) and (prepared.having is TRUE or prepared.group_by):
            return _rows_of_nothing(prepared)
        handle = None if scope is None else (yield from handle_of(scope))
        return (yield from core.backend.select(plan, handle))
    if isinstance(plan, Refuse):
        raise Unsupported(plan.reason, hint=plan.remedy)
    raise Unsupported(
        f"{core.backend.name} can answer only a part of this query.",
        hint="Ask for less in one query; " + "; ".join(plan.steps),
    )


def _rows_of_nothing(select: Select) -> list[Row]:
    """The answer where no row can match (B5): none, or one of aggregates of nothing (B4)."""
    if not select.aggregated or select.group_by:
        return []
    row = tuple([0 if isinstance(column.expr, Aggregate) and column.expr.fn == "count" else None for column in select.columns or ()])
    return [row][select.offset : None if select.limit is None else select.offset + select.limit]


def atomically(core: Core, scope: Scope | None, body: Callable[[Scope], Program[T]]) -> Program[T]:
    """Run `body(scope)` in the open transaction, or in one of its own when there is none."""
    if scope is not None:
        return (yield from body(scope))
    own = Scope(core, None, ())
    try:
        result = yield from body(own)
    except BaseException as error:
        yield from end(own, error)
        raise
    yield from end(own, None)
    return result


def end(scope: Scope, error: BaseException | None) -> Program[None]:
    """Commit or undo a scope as its block ends."""
    scope.closed = True
    if scope.outer is None:
        yield from _end_transaction(scope, error)
    else:
        yield from _end_savepoint(scope, error)


def _end_transaction(scope: Scope, error: BaseException | None) -> Program[None]:
    core = scope.core
    if scope.handle is not None:
        transactions = core.transactions()
        if error is None and scope.doomed is None:
            try:
                yield from transactions.commit(scope.handle)
            except BaseException as failure:
                if not isinstance(failure, OutcomeUnknown):  # else the records may be stored
                    scope.undo()
                yield from _rolled_back(scope, failure)
                raise
        elif error is not None:
            scope.undo()
            yield from _rolled_back(scope, error)
        else:
            scope.undo()
            yield from transactions.rollback(scope.handle)
    if error is None and scope.doomed is not None:
        raise TransactionDoomed(
            f"The transaction was undone, because of an error inside it that was caught: {scope.doomed!r}.",
            hint="Put what may fail into a nested transaction.",
        ) from scope.doomed
    if error is None:
        scope.committed = True
        yield from _tell(scope.after_commit)


def _rolled_back(scope: Scope, error: BaseException) -> Program[None]:
    """Roll back because of an error that is going to be raised: one of the rollback's own (the connection is gone) must not hide it."""
    try:
        yield from scope.core.transactions().rollback(scope.handle)
    except HoldallError as failure:
        error.add_note(f"The rollback failed too: {failure!r}")


def _tell(handlers: Sequence[tuple[Callable[..., Any], tuple[Any, ...]]]) -> Program[None]:
    """Call every handler, also after one that failed; then raise the first one's error."""
    failed: Exception | None = None
    for function, args in handlers:
        try:
            yield Call(function, args)
        except Exception as error:  # noqa: BLE001 - handlers are users' code
            failed = failed or error
    if failed is not None:
        raise failed


def _end_savepoint(scope: Scope, error: BaseException | None) -> Program[None]:
    outer = scope.outer
    assert outer is not None
    if outer.doomed is not None:  # the whole transaction is lost, and will be undone with everything in it
        scope.undo()
        if error is None:
            raise TransactionDoomed(f"An earlier error ended this transaction: {outer.doomed!r}.") from outer.doomed
        return
    if scope.savepoint is not None:
        transactions = scope.core.transactions()
        handle = scope.root.handle
        try:
            if error is None and scope.doomed is None:
                yield from transactions.release(handle, scope.savepoint)
            else:
                scope.undo()
                yield from transactions.rollback_to(handle, scope.savepoint)
        except BaseException as failure:
            scope.undo()
            outer.doomed = error if isinstance(error, TransactionConflict) else failure
            if error is None or not isinstance(failure, Exception):
                raise
            error.add_note(f"Undoing the nested transaction failed too: {failure!r}")
    if error is None and scope.doomed is not None:
        raise TransactionDoomed(
            f"The nested transaction was undone, because of an error inside it that was caught: {scope.doomed!r}.",
            hint="Let the error leave the block, or nest deeper.",
        ) from scope.doomed
    if error is None:
        outer.after_commit += scope.after_commit
        outer.undos += scope.undos
        outer.wrote = outer.wrote or scope.wrote
        outer.seen.update(scope.seen)


def doom(scope: Scope, error: BaseException) -> None:
    """Note that an error ended the scope (G2). A conflict ends the whole transaction, whatever it is nested in (G4)."""
    if isinstance(error, HoldallError) and isinstance(error, HARMLESS):
        return
    ended: Scope | None = scope
    while ended is not None:
        ended.doomed = ended.doomed or error
        ended = ended.outer if isinstance(error, TransactionConflict) else None
