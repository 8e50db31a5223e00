"""What is the memory backend's own: plans, versions kept, threads, options, effects."""

from __future__ import annotations

import datetime as dt
import gc
import random
import threading
import uuid
from decimal import Decimal
from typing import Any

import pytest
from tests.port.entities import ALL, AUTHOR, BOOK, DATETIME, INT, LABEL, NOW, NULL, REVIEW, SESSION, STR, author, book, fields
from tests.port.kit import Kit, assignments, compare, eq

from holdall.backends import FEATURES, Backend, Durability, Isolation, Transactions
from holdall.backends.memory import MemoryBackend, from_url
from holdall.backends.memory import effects as fx
from holdall.backends.port import Insert, Patch
from holdall.backends.registry import backend_for, parse_url
from holdall.errors import (
    DeclarationError,
    ForeignKeyViolation,
    HoldallError,
    NotFound,
    ProgrammingError,
    SerializationFailure,
    TransactionConflict,
    UniqueViolation,
)
from holdall.program import Effect, run
from holdall.query import TRUE, Compare, Match, Membership, Order, Related, Select, Value, all_of, key_ref, prepare
from holdall.schema import Entity, EntityRef, Reference


@pytest.fixture
def kit() -> Kit:
    return Kit(MemoryBackend(), None)


def _steps(kit: Kit, where: Any = TRUE, *orders: str, limit: int | None = None) -> str:
    order = tuple(Order(key_ref(BOOK, name.lstrip("-")), name.startswith("-")) for name in orders)
    return "; ".join(kit.plan(Select(BOOK, where, order, limit)).steps)


def test_steps_name_the_way(kit: Kit) -> None:
    one = uuid.UUID(int=1)
    assert "by key (id)" in _steps(kit, all_of(eq(BOOK, "id", one), eq(BOOK, "title", "x")))
    assert "by each key (id)" in _steps(kit, Membership(key_ref(BOOK, "id"), (one,), BOOK.by_name["id"].type))
    assert "by unique (isbn)" in _steps(kit, eq(BOOK, "isbn", "x"))
    assert "by unique (author_id, title)" in _steps(kit, all_of(eq(BOOK, "title", "x"), eq(BOOK, "author_id", 1)))
    assert "hash index (pages)" in _steps(kit, eq(BOOK, "pages", 1))
    assert "hash index (editor_id)" in _steps(kit, eq(BOOK, "editor_id", 1))
    assert "range of ordered index (in_print, price)" in _steps(
        kit, all_of(eq(BOOK, "in_print", True), compare(BOOK, "price", "lt", Decimal(3)))
    )
    assert "walk ordered index (added)" in _steps(kit, TRUE, "-added", limit=3)
    assert "scan Book" in _steps(kit, compare(BOOK, "title", "ne", "x"))
    assert "range of ordered index (isbn)" in _steps(kit, Match(key_ref(BOOK, "isbn"), "startswith", "x"))


def test_describe_says_everything(kit: Kit) -> None:
    capabilities = kit.backend.describe()
    assert set(capabilities.features) == set(FEATURES)
    assert capabilities.durability is Durability.NONE
    assert capabilities.default_isolation is Isolation.SNAPSHOT
    assert isinstance(kit.backend, Backend)
    assert isinstance(kit.backend, Transactions)


def test_options_and_urls() -> None:
    assert isinstance(backend_for("memory:"), MemoryBackend)
    for bad in ("memory:?hostile=yes", "memory:name", "memory://host/"):
        with pytest.raises(DeclarationError):
            from_url(parse_url(bad))
    with pytest.raises(DeclarationError, match="hostile"):
        MemoryBackend({"hostile": "1"})


def test_entities_must_be_made_known() -> None:
    backend = MemoryBackend()
    for call in (
        lambda: backend.plan(prepare(Select(LABEL), None)),
        lambda: run(backend.fetch(LABEL, ["a"], None, None, None), backend.perform),
        lambda: run(backend.apply([Insert(LABEL, [("a", 1)])], "atomic", None, None), backend.perform),
    ):
        with pytest.raises(ProgrammingError, match="Label is not known"):
            call()
    run(backend.ensure_schema([AUTHOR]), backend.perform)
    with pytest.raises(ProgrammingError, match="Book is not known"):
        backend.plan(prepare(Select(AUTHOR, Related((), AUTHOR.relations["books"], "any", TRUE)), None))
    run(backend.ensure_schema([REVIEW]), backend.perform)
    backend.plan(prepare(Select(BOOK), None))  # reviews point at books


def test_effects_are_frozen_data() -> None:
    effect = fx.Commit(None)
    assert isinstance(effect, Effect)
    with pytest.raises(AttributeError):
        effect.tx = 1  # type: ignore[misc]


def test_a_program_asks_for_one_thing(kit: Kit) -> None:
    """So that a fault can be put before or after each: nothing happens outside perform."""
    program = kit.backend.apply([Insert(LABEL, [("a", 1)])], "atomic", None, None)
    assert isinstance(program.send(None), fx.Apply)
    program.close()
    assert kit.count(LABEL) == 0


def test_old_versions_go_with_the_last_who_needs_them(kit: Kit) -> None:
    engine = kit.backend._engine
    kit.insert(LABEL, ("a", 1))
    assert engine._log == []
    reader, later = kit.begin(), None
    for rank in range(5000):
        kit.patch(LABEL, "a", rank=rank)
        if rank == 2500:
            later = kit.begin()
    assert len(engine._log) == 5000
    kit.rollback(reader)
    assert len(engine._log) < 2600
    assert kit.get(LABEL, "a", "rank", tx=later) == 2500
    del later
    gc.collect()
    kit.rollback(kit.begin())
    assert engine._log == [], "a transaction that nobody holds any more needs nothing"


def test_a_transaction_changes_no_table_before_its_commit(kit: Kit) -> None:
    kit.insert(LABEL, *((f"{n}", n) for n in range(100)))
    tx = kit.begin()
    kit.delete_where(LABEL, TRUE, tx=tx)
    kit.insert(LABEL, *((f"{n}", -n) for n in range(50, 150)), tx=tx)
    assert kit.count(LABEL, tx=tx) == 100
    assert len(kit.backend._engine.tables[LABEL].rows) == 100
    assert kit.get(LABEL, "7", "rank") == 7
    kit.commit(tx)
    assert kit.count(LABEL) == 100
    assert kit.get(LABEL, "149", "rank") == -149


def _interleaved(seed: int) -> None:  # noqa: PLR0912  a story told in one piece
    """Random transactions over a few rows; a model keeps a copy of everything for each."""
    chance = random.Random(seed)
    kit = Kit(MemoryBackend(), None)
    committed: dict[str, int] = {}
    log: list[set[str]] = []
    open_: list[dict[str, Any]] = []
    for _ in range(250):
        action = chance.random()
        if action < 0.12 and len(open_) < 4:
            open_.append({"tx": kit.begin(), "view": dict(committed), "wrote": set(), "since": len(log), "marks": []})
            continue
        state = chance.choice([*open_, None])
        tx, view = (None, committed) if state is None else (state["tx"], state["view"])
        if action < 0.2 and state is not None:
            open_.remove(state)
            lost = any(keys & state["wrote"] for keys in log[state["since"] :])
            if chance.random() < 0.3:
                kit.rollback(tx)
            elif lost:
                with pytest.raises(SerializationFailure):
                    kit.commit(tx)
            else:
                kit.commit(tx)
                for key in state["wrote"]:
                    if key in view:
                        committed[key] = view[key]
                    else:
                        committed.pop(key, None)
                log.append(state["wrote"])
            continue
        if action < 0.26 and state is not None:
            if state["marks"] and chance.random() < 0.6:
                mark, saved, wrote = state["marks"].pop()
                kit.rollback_to(tx, mark)
                state["view"], state["wrote"] = saved, wrote
            else:
                state["marks"].append((kit.savepoint(tx), dict(view), set(state["wrote"])))
            continue
        if _write(kit, chance, chance.choice("abcdef"), tx, view, state, log):
            _check(kit, tx, view)
        else:
            open_.remove(state)
    assert {r[0]: r[1] for r in kit.rows(LABEL)} == committed


def _write(kit: Kit, chance: random.Random, key: str, tx: Any, view: dict[str, int], state: Any, log: list[set[str]]) -> bool:
    """One random write, also in the model; False if the transaction lost by it."""
    rank = chance.randrange(5)
    before = dict(view)
    try:
        kind = chance.choice(["insert", "patch", "delete", "where"])
        if kind == "insert":
            kit.insert(LABEL, (key, rank), tx=tx)
            view[key] = rank
        elif kind == "patch":
            kit.patch(LABEL, key, rank=rank, tx=tx)
            view[key] = rank
        elif kind == "delete":
            kit.delete(LABEL, key, tx=tx)
            del view[key]
        else:
            kit.update_where(LABEL, eq(LABEL, "rank", rank), rank=9, tx=tx)
            view.update({name: 9 for name, value in view.items() if value == rank})
    except (NotFound, UniqueViolation) as error:
        view.clear()
        view.update(before)
        assert (key in view) == isinstance(error, UniqueViolation)  # noqa: PT017  which of the two is the point
        return True
    except SerializationFailure:
        touched = {key} | {name for name, value in before.items() if value == rank}
        assert state is not None
        assert any(keys & touched for keys in log[state["since"] :]), "nobody else wrote what was written here"
        return False
    wrote = {key} if kind != "where" else {name for name, value in before.items() if value == rank}
    if state is None:
        log.append(wrote)
    else:
        state["wrote"] |= wrote
    return True


def _check(kit: Kit, tx: Any, view: dict[str, int]) -> None:
    assert {r[0]: r[1] for r in kit.rows(LABEL, tx=tx)} == view
    assert [row and row[1] for row in kit.fetch(LABEL, *"abcdef", tx=tx)] == [view.get(key) for key in "abcdef"]
    nines = kit.rows(LABEL, eq(LABEL, "rank", 9), tx)
    assert {r[0] for r in nines} == {key for key, value in view.items() if value == 9}


@pytest.mark.parametrize("seed", range(12))
def test_random_histories(seed: int) -> None:
    _interleaved(seed)


def test_threads_lose_nothing(kit: Kit) -> None:
    kit.insert(LABEL, ("n", 0), ("m", 0))
    conflicts: list[int] = []

    def work() -> None:
        lost = 0
        for _ in range(60):
            while True:
                tx = kit.begin()
                try:
                    n, m = kit.get(LABEL, "n", "rank", tx=tx), kit.get(LABEL, "m", "rank", tx=tx)
                    assert n == -m, "half a transaction was seen"
                    kit.patch(LABEL, "n", rank=n + 1, tx=tx)
                    kit.patch(LABEL, "m", rank=m - 1, tx=tx)
                    kit.commit(tx)
                    break
                except TransactionConflict:
                    lost += 1
        conflicts.append(lost)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kit.rows(LABEL) == [("m", -240), ("n", 240)]
    assert len(conflicts) == 4


def test_readers_never_see_half_a_batch(kit: Kit) -> None:
    kit.insert(LABEL, ("a", 0), ("b", 0))
    done = threading.Event()
    bad: list[Any] = []

    def read() -> None:
        while not done.is_set():
            a, b = kit.fetch(LABEL, "a", "b")
            rows = kit.rows(LABEL)
            if a[1] != b[1] or rows[0][1] != rows[1][1] or a[1] < 0:
                bad.append((a, b, rows))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for rank in range(1, 400):
        kit.apply(Patch(LABEL, "a", assignments(LABEL, rank=rank)), Patch(LABEL, "b", assignments(LABEL, rank=rank)))
        with pytest.raises(NotFound):
            kit.apply(Patch(LABEL, "a", assignments(LABEL, rank=-1)), Patch(LABEL, "none", assignments(LABEL, rank=0)))
    done.set()
    for thread in threads:
        thread.join()
    assert bad == []


def test_an_ordered_walk_gives_up_in_time(kit: Kit) -> None:
    """Where the order's index meets no matching rows for long, the scan takes over; the answer is the same."""
    kit.insert(AUTHOR, author(1))
    kit.insert(BOOK, *(book(title=f"t{n:04}", added=NOW + dt.timedelta(minutes=n), pages=n % 7 + 1) for n in range(500)))
    order = (Order(key_ref(BOOK, "added")),)
    for where in (
        Compare(key_ref(BOOK, "title"), "gte", Value("t0490", STR)),
        Compare(key_ref(BOOK, "title"), "gte", Value("t0003", STR)),
        all_of(Compare(key_ref(BOOK, "title"), "gte", Value("t0400", STR)), Compare(key_ref(BOOK, "pages"), "eq", Value(3, INT))),
    ):
        whole = kit.select(Select(BOOK, where, order))
        assert kit.select(Select(BOOK, where, order, limit=5)) == whole[:5]
        assert kit.select(Select(BOOK, where, order, limit=5, offset=2)) == whole[2:7]


def test_expired_rows_are_removed_in_the_end(kit: Kit) -> None:
    for hour in range(20):
        kit.now = NOW + dt.timedelta(hours=hour)
        kit.insert(SESSION, *((f"{hour}-{n}", None, 1, kit.now + dt.timedelta(hours=1)) for n in range(100)))
    assert len(kit.backend._engine.tables[SESSION].rows) < 1200


def test_every_error_tells_what_and_where(kit: Kit) -> None:
    kit.insert(AUTHOR, author(1, email="x"))
    with pytest.raises(HoldallError, match=r"already an Author with email='x'"):
        kit.insert(AUTHOR, author(2, email="x"))
    with pytest.raises(HoldallError, match=r"Book points with author_id=7 at an Author that does not exist. Create the Author first."):
        kit.insert(BOOK, book(author_id=7))


def test_all_entities_at_once() -> None:
    backend = MemoryBackend()
    run(backend.ensure_schema(ALL), backend.perform)
    run(backend.ensure_schema(ALL[::-1]), backend.perform)


def test_a_lost_write_is_told_at_once(kit: Kit) -> None:
    kit.insert(LABEL, ("a", 1))
    tx = kit.begin()
    kit.get(LABEL, "a", tx=tx)
    kit.patch(LABEL, "a", rank=2)
    with pytest.raises(SerializationFailure):
        kit.patch(LABEL, "a", rank=3, tx=tx)
    with pytest.raises(HoldallError, match="it lost against a concurrent one"):
        kit.get(LABEL, "a", tx=tx)


def test_a_failed_batch_inside_a_transaction_leaves_nothing(kit: Kit) -> None:
    kit.insert(LABEL, ("a", 1))
    tx = kit.begin()
    with pytest.raises(NotFound):
        kit.apply(Insert(LABEL, [("b", 1)]), Patch(LABEL, "x", assignments(LABEL, rank=1)), tx=tx)
    assert kit.rows(LABEL, tx=tx) == [("a", 1)]


def test_a_read_by_key_waits_while_a_write_is_under_way(kit: Kit) -> None:
    kit.insert(LABEL, ("a", 1))
    engine = kit.backend._engine
    found: list[Any] = []
    reader = threading.Thread(target=lambda: found.extend(kit.fetch(LABEL, "a")))
    with engine._lock:
        engine._stamp += 1
        engine.tables[LABEL].put("a", ("a", -1))
        reader.start()
        reader.join(0.05)
        assert found == [], "a half-done write was read"
        engine.tables[LABEL].put("a", ("a", 1))
        engine._stamp += 1
    reader.join()
    assert found == [("a", 1)]


def _tokens() -> tuple[Any, Any]:
    """A parent that expires, and a child that points at it."""
    parent = Entity(
        "Token", "tokens", fields(("id", STR), ("name", STR, {"unique": True}), ("until", DATETIME, {**NULL, "expires": True})), ("id",)
    )
    ref = Reference(("token",), EntityRef("Token", lambda: parent), ("id",), "restrict")
    return parent, Entity("Use", "uses", fields(("id", INT), ("token", STR)), ("id",), references=(ref,))


def test_expired_parents() -> None:
    token, use = _tokens()
    kit = Kit(MemoryBackend(), None)
    kit.do(kit.backend.ensure_schema([use]))
    kit.insert(token, ("t", "n", NOW + dt.timedelta(hours=1)))
    kit.insert(use, (1, "t"))
    kit.now = NOW + dt.timedelta(hours=2)
    with pytest.raises(ForeignKeyViolation):
        kit.insert(use, (2, "t"))
    with pytest.raises(ForeignKeyViolation):
        kit.insert(token, ("other", "n", None))  # the expired holder of the name cannot go: a row points at it
    kit.insert(token, ("t", "n", None))  # here the same key comes back at once
    kit.insert(use, (2, "t"))
    assert kit.count(use) == 2
