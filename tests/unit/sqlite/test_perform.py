"""Threads, tasks, processes and forks."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.port.entities import ALL, AUTHOR, LABEL, author, row
from tests.unit.sqlite.conftest import Sync

from holdall.backends import Insert, Isolation, Patch
from holdall.backends.sql import effects
from holdall.backends.sqlite import SQLiteBackend
from holdall.backends.sqlite.perform.gate import Gate
from holdall.errors import HoldallError, LockTimeout, ProgrammingError, TransactionDoomed, Unsupported
from holdall.program import arun
from holdall.query import Arith, Assignment, Value, key_ref
from holdall.schema import Type

INT = Type("int")
ONE_MORE = (Assignment(1, Arith("add", key_ref(LABEL, "rank"), Value(1, INT), INT)),)
SNAPSHOT = Isolation.SNAPSHOT


def label(name: str, rank: int = 0) -> Any:
    return Insert(LABEL, [row(LABEL, name=name, rank=rank)])


def test_many_threads_count_together(store: Sync) -> None:
    store.apply(label("x"))

    def work(_: int) -> None:
        for _ in range(20):
            store.apply(Patch(LABEL, "x", ONE_MORE))
            tx = store.begin(SNAPSHOT, False, None)
            ((_, rank),) = [store.get(LABEL, "x", tx)]
            store.apply(Patch(LABEL, "x", (Assignment(1, Value(rank + 1, INT)),)), tx=tx)
            store.commit(tx)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert store.get(LABEL, "x")[1] == 240


async def test_many_tasks_count_together(store: Sync) -> None:
    backend = store.backend

    async def go(program: Any) -> Any:
        return await arun(program, backend.aperform)

    await go(backend.apply((label("x"),), "atomic", None, None))

    async def work() -> None:
        for _ in range(5):
            await go(backend.apply((Patch(LABEL, "x", ONE_MORE),), "atomic", None, None))
            tx = await go(backend.begin(SNAPSHOT, False, None))
            ((_, rank),) = await go(backend.fetch(LABEL, ["x"], tx, None, None))
            await go(backend.apply((Patch(LABEL, "x", (Assignment(1, Value(rank + 1, INT)),)),), "atomic", tx, None))
            await go(backend.commit(tx))

    await asyncio.gather(*(work() for _ in range(30)))
    assert (await go(backend.fetch(LABEL, ["x"], None, None, None)))[0][1] == 300


def test_readers_see_the_state_at_their_beginning(path: str) -> None:
    store = Sync(SQLiteBackend(path))
    store.ensure_schema(ALL)
    store.apply(label("x"))
    reader = store.begin(SNAPSHOT, True, None)
    store.apply(Patch(LABEL, "x", ONE_MORE))
    assert store.get(LABEL, "x", reader)[1] == 0
    assert store.get(LABEL, "x")[1] == 1
    with pytest.raises(ProgrammingError, match="read-only"):
        store.apply(Patch(LABEL, "x", ONE_MORE), tx=reader)
    with pytest.raises(Unsupported, match="only be read"):
        store.raw("DELETE FROM labels", (), reader)
    store.rollback(reader)
    store.apply(Patch(LABEL, "x", ONE_MORE))  # the connection is writable again
    store.close()


def test_in_memory_readers_wait_for_the_writer() -> None:
    store = Sync(SQLiteBackend(None, {"busy_timeout_s": "0.1"}))
    store.ensure_schema(ALL)
    tx = store.begin(SNAPSHOT, False, None)
    store.apply(label("x"), tx=tx)
    with pytest.raises(LockTimeout):
        store.get(LABEL, "x")
    store.commit(tx)
    assert store.get(LABEL, "x") is not None
    reader = store.begin(SNAPSHOT, True, None)
    with pytest.raises(LockTimeout):
        store.apply(label("y"))
    assert store.get(LABEL, "y") is None
    store.commit(reader)
    store.apply(label("y"))
    store.close()


def test_an_uncommitted_transaction_is_invisible(path: str) -> None:
    store = Sync(SQLiteBackend(path))
    store.ensure_schema(ALL)
    tx = store.begin(SNAPSHOT, False, None)
    store.apply(label("x"), tx=tx)
    assert store.get(LABEL, "x") is None
    assert store.get(LABEL, "x", tx) is not None
    store.rollback(tx)
    assert store.get(LABEL, "x") is None
    store.rollback(tx)
    with pytest.raises(TransactionDoomed, match="ended"):
        store.get(LABEL, "x", tx)


def test_a_second_writer_waits_and_gives_up(store: Sync) -> None:
    tx = store.begin(SNAPSHOT, False, None)
    began = time.monotonic()
    with pytest.raises(LockTimeout):
        store.begin(SNAPSHOT, False, 0.1)
    assert 0.05 < time.monotonic() - began < 1.5
    store.rollback(tx)
    store.commit(store.begin(SNAPSHOT, False, 0.1))


OTHER = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("BEGIN IMMEDIATE; INSERT INTO labels VALUES ('theirs', 1)")
print("locked", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
print("done", flush=True)
sys.stdin.readline()
"""


def test_other_processes_lock_and_are_waited_for(path: str) -> None:
    store = Sync(SQLiteBackend(path, {"busy_timeout_s": "0.2"}))
    store.ensure_schema(ALL)
    with subprocess.Popen([sys.executable, "-c", OTHER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(LockTimeout, match="locked by another connection"):
            store.apply(label("ours"))
        with pytest.raises(LockTimeout):
            store.begin(SNAPSHOT, False, 0.05)
        assert store.get(LABEL, "theirs") is None
        patient = Sync(SQLiteBackend(path, {"busy_timeout_s": "20"}))
        thread = threading.Thread(target=lambda: patient.apply(label("ours")))
        thread.start()
        time.sleep(0.05)
        other.stdin.write("go\n")
        other.stdin.flush()
        assert other.stdout.readline() == "done\n"
        thread.join(20)
        other.stdin.write("end\n")
    assert store.get(LABEL, "ours") is not None
    assert store.get(LABEL, "theirs") is not None
    store.close()
    patient.close()


def in_child(work: Any) -> str:
    """What `work` returns or raises in a forked child."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = repr(work())
        except BaseException as error:  # noqa: BLE001  it is told to the parent
            answer = f"{type(error).__name__}: {error}"
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as file:
        answer = file.read()
    os.waitpid(pid, 0)
    return answer


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_connections_of_its_own(path: str) -> None:
    store = Sync(SQLiteBackend(path, {"busy_timeout_s": "1"}))
    store.ensure_schema(ALL)
    store.apply(label("x", 7))
    assert in_child(lambda: store.get(LABEL, "x")) == "('x', 7)"
    assert in_child(lambda: store.apply(label("child"))) == "[['child']]"
    assert store.get(LABEL, "child") is not None
    tx = store.begin(SNAPSHOT, False, None)
    store.apply(label("y"), tx=tx)
    assert "before a fork" in in_child(lambda: store.get(LABEL, "y", tx))
    assert in_child(lambda: store.rollback(tx)) == "None"
    assert "LockTimeout" in in_child(lambda: store.apply(label("z")))  # the parent's lock holds
    assert in_child(lambda: (store.close(), store.open(), store.get(LABEL, "x"))[-1]) == "('x', 7)"
    store.commit(tx)
    assert store.get(LABEL, "y") is not None
    store.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_cannot_see_an_in_memory_database() -> None:
    store = Sync(SQLiteBackend(None))
    store.ensure_schema(ALL)
    assert "the child cannot see it" in in_child(lambda: store.get(LABEL, "x"))
    store.apply(label("x"))
    store.close()


def test_a_closed_store(store: Sync) -> None:
    tx = store.begin(SNAPSHOT, False, None)
    store.apply(label("x"), tx=tx)
    store.close()
    store.close()
    with pytest.raises(ProgrammingError, match="closed"):
        store.get(LABEL, "x")
    with pytest.raises(TransactionDoomed):
        store.get(LABEL, "x", tx)
    store.rollback(tx)
    store.open()
    store.ensure_schema(ALL)
    assert store.get(LABEL, "x") is None
    store.apply(label("x"))


def test_a_transaction_used_by_two_threads_at_once(store: Sync) -> None:
    tx = store.begin(SNAPSHOT, False, None)
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n"
    thread = threading.Thread(target=lambda: store.raw(slow, (), tx))
    thread.start()
    time.sleep(0.02)
    seen: list[BaseException] = []
    while thread.is_alive() and not seen:
        try:
            store.get(LABEL, "x", tx)
        except HoldallError as error:
            seen.append(error)
    thread.join()
    assert not seen or isinstance(seen[0], ProgrammingError)
    store.rollback(tx)


def test_native_connections_are_one_per_thread(store: Sync) -> None:
    first = store.backend.native()
    assert store.backend.native() is first
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(store.backend.native).result() is not first
    assert first.pragma("foreign_keys") == 1


# Cancellation.

SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000000) SELECT count(*) FROM n"


async def test_a_cancelled_statement_leaves_nothing_open(store: Sync) -> None:
    backend = store.backend

    def body(session: Any) -> Any:
        yield from backend._items((label("x"),), "atomic", session, None)
        yield effects.Native(session, SLOW, ())

    task = asyncio.create_task(arun(backend.in_transaction(body), backend.aperform))
    await asyncio.sleep(0.1)
    assert not task.done()
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - began < 2
    assert store.get(LABEL, "x") is None
    store.apply(label("y"))
    assert not backend._performer._sessions


async def test_a_cancelled_read_gives_its_lane_back(store: Sync) -> None:
    backend = store.backend
    for _ in range(20):  # more than there are lanes
        task = asyncio.create_task(arun(backend.raw(SLOW, (), None), backend.aperform))
        await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await arun(backend.apply((label("y"),), "atomic", None, None), backend.aperform)


async def test_transactions_cancelled_at_any_moment_leave_nothing_open(store: Sync) -> None:
    backend = store.backend

    async def unit(n: int) -> None:
        tx = await arun(backend.begin(SNAPSHOT, False, None), backend.aperform)
        try:
            await arun(backend.apply((Insert(AUTHOR, [author(n)]),), "atomic", tx, None), backend.aperform)
        except BaseException:
            await arun(backend.rollback(tx), backend.aperform)
            raise
        await asyncio.shield(arun(backend.rollback(tx), backend.aperform))

    for n in range(1, 120):
        task = asyncio.create_task(unit(n))
        for _ in range(n % 12):
            await asyncio.sleep(0 if n % 3 else 0.0002)
        task.cancel()
        await asyncio.wait([task])
    for _ in range(200):
        if not backend._performer._sessions:
            break
        await asyncio.sleep(0.01)
    assert not backend._performer._sessions
    await arun(backend.apply((label("y"),), "atomic", None, None), backend.aperform)


def test_one_store_under_many_event_loops(store: Sync) -> None:
    backend = store.backend
    for n in range(5):
        asyncio.run(arun(backend.apply((label(str(n)),), "atomic", None, None), backend.aperform))
    assert store.get(LABEL, "4") is not None


# The gate.


def test_a_gate_is_fair() -> None:
    gate = Gate(1)
    assert gate.acquire(0)
    assert not gate.acquire(0.01)
    order: list[int] = []

    def wait(n: int) -> None:
        assert gate.acquire(10)
        order.append(n)
        gate.release()

    threads = []
    for n in range(8):
        thread = threading.Thread(target=wait, args=(n,))
        thread.start()
        threads.append(thread)
        while len(gate._waiters) <= n:
            time.sleep(0.001)
    gate.release()
    for thread in threads:
        thread.join(10)
    assert order == list(range(8))
    assert gate.acquire(0)


async def test_a_gate_passes_over_those_who_left() -> None:
    gate = Gate(1)
    assert await gate.acquire_async(0)
    assert not await gate.acquire_async(0.01)
    cancelled = asyncio.create_task(gate.acquire_async(10))
    stays = asyncio.create_task(gate.acquire_async(10))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.wait([cancelled])
    gate.release()
    assert await stays
    gate.release()
    assert gate._free == 1
