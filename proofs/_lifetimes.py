"""The scenes of the proof of lifetimes: each is run in a process of its own: python -m proofs._lifetimes <scene> <url>.

A scene ends with OK on its last line, or says what is wrong. Owns what happens inside that process; must not know the proof.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from holdall import HoldallError, Key, Model, ProgrammingError, Store, TransactionConflict

FORK_S = 8  # after so many seconds a child that hangs is ended


class Thing(Model, table="lifetimes_things"):
    """A row."""

    id: int = Key(generated=False)
    text: str


class Later(Model, table="lifetimes_later"):
    """A row of a model that is first used late."""

    id: int = Key(generated=False)


Scene = Callable[[str], None]
SCENES: dict[str, tuple[Scene, frozenset[str], bool]] = {}  # name: function, engines, whether it ends without closing its store


def scene(*engines: str, exits: bool = False) -> Callable[[Scene], Scene]:
    """Register a scene for some engines."""

    def register(function: Scene) -> Scene:
        SCENES[function.__name__] = (function, frozenset(engines), exits)
        return function

    return register


ALL = ("memory", "sqlite", "sqlite_in_memory")
FILE = ("sqlite",)
SHARED = ("memory", "sqlite")


def made(url: str, *, rows: int = 1) -> Store:
    """A store with its table, and some rows."""
    store = Store(url)
    store.ensure_schema(Thing)
    for number in range(rows):
        store[Thing].create(id=number, text="known")
    return store


def texts(store: Store) -> list[str]:
    """What is in it."""
    return [thing.text for thing in store[Thing].query().order_by(Thing.id).all()]


def refused(call: Callable[[], Any], kind: type[BaseException] = ProgrammingError) -> None:
    """The call must raise that."""
    try:
        found = call()
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was not raised; it gave {found!r}")


def forked(child: Callable[[], Any]) -> None:
    """Run something in a forked child, which must end well and in time."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        told = b"ok"
        signal.alarm(FORK_S)
        try:
            child()
        except BaseException as error:  # noqa: BLE001 - told to the parent
            told = repr(error).encode()
        os.write(writing, told)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"the child was ended by signal {status}: it hangs"
    assert told == b"ok", f"in the child: {told.decode()}"


def in_time(call: Callable[[], Any], seconds: float = 5.0) -> Any:
    """What a call gives, in a thread of its own; AssertionError if it hangs."""
    found: list[Any] = []
    raised: list[BaseException] = []

    def work() -> None:
        try:
            found.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again below
            raised.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it hangs"
    if raised:
        raise raised[0]
    return found[0]


def soon(call: Callable[[], Any]) -> Any:
    """What a call gives in time; it may lose against what is still being undone, and is tried again then."""
    for _ in range(5):
        try:
            return in_time(call)
        except TransactionConflict:
            gc.collect()
    return in_time(call)


# Forks


@scene(*SHARED)
def a_child_uses_an_open_store(url: str) -> None:
    store = made(url)

    def child() -> None:
        assert texts(store) == ["known"]
        store[Thing].create(id=7, text="child")
        with store.transaction():
            store[Thing].create(id=8, text="child")
        assert texts(store) == ["known", "child", "child"]

    forked(child)
    assert texts(store) == (["known", "child", "child"] if url.startswith("sqlite") else ["known"])
    store[Thing].create(id=9, text="parent")


@scene("sqlite_in_memory")
def a_child_is_told_that_the_database_is_not_its_own(url: str) -> None:
    store = made(url)
    forked(lambda: refused(lambda: texts(store)))
    forked(lambda: refused(lambda: store[Thing].create(id=7, text="child")))
    assert texts(store) == ["known"]


@scene(*ALL)
def a_child_is_refused_the_transaction(url: str) -> None:
    store = made(url)
    with store.transaction():
        store[Thing].create(id=7, text="parent")
        forked(lambda: refused(lambda: store[Thing].create(id=8, text="child")))
        forked(lambda: refused(lambda: texts(store)))
        store[Thing].create(id=9, text="parent")
    assert texts(store) == ["known", "parent", "parent"]


@scene(*ALL)
def a_child_that_leaves_the_block_changes_nothing(url: str) -> None:
    store = made(url)
    block = store.transaction()
    block.__enter__()
    store[Thing].create(id=7, text="parent")

    def commits() -> None:
        try:
            block.__exit__(None, None, None)
        except HoldallError:
            return
        raise AssertionError("the child committed the parent's transaction")

    forked(commits)
    forked(lambda: block.__exit__(ValueError, ValueError("undone by the child"), None))
    store[Thing].create(id=8, text="parent")
    block.__exit__(None, None, None)
    assert texts(store) == ["known", "parent", "parent"]


@scene(*FILE)
def a_child_writes_while_the_parent_has_an_open_transaction(url: str) -> None:
    """It waits for the lock like any other process, and is told if it is not free in time."""
    store = made(url)
    other = Store(url.replace("busy_timeout_s=1", "busy_timeout_s=0.1"))
    other.ensure_schema(Thing)
    with store.transaction():
        store[Thing].create(id=7, text="parent")
        forked(lambda: refused(lambda: other[Thing].create(id=8, text="child"), HoldallError))
        forked(lambda: other[Thing].get(0))
    forked(lambda: other[Thing].create(id=8, text="child"))
    assert texts(store) == ["known", "parent", "child"]


@scene(*ALL)
def a_child_that_closes_the_store_leaves_the_parents_open(url: str) -> None:
    store = made(url)
    with store.transaction():
        store[Thing].create(id=7, text="parent")
        forked(store.close)
        store[Thing].create(id=8, text="parent")
    assert texts(store) == ["known", "parent", "parent"]


@scene(*ALL)
def a_child_collects_the_parents_store(url: str) -> None:
    holder = [made(url)]

    def child() -> None:
        holder.clear()
        gc.collect()

    with holder[0].transaction():
        holder[0][Thing].create(id=7, text="parent")
        forked(child)
        holder[0][Thing].create(id=8, text="parent")
    assert texts(holder[0]) == ["known", "parent", "parent"]


@scene(*ALL)
def a_fork_inside_an_event_loop(url: str) -> None:
    store = made(url)

    async def main() -> None:
        async with store.aio.transaction():
            await store.aio[Thing].create(id=7, text="parent")
            forked(lambda: refused(lambda: store.aio[Thing].create(id=8, text="child").send(None)))
            await store.aio[Thing].create(id=9, text="parent")

    asyncio.run(main())
    assert texts(store) == ["known", "parent", "parent"]


@scene(*SHARED)
def a_child_of_a_process_with_worker_threads(url: str) -> None:
    """Both colours work in it, and in the parent afterwards."""
    store = made(url)

    async def use(key: int) -> None:
        await asyncio.gather(*(store.aio[Thing].get(0) for _ in range(8)))
        async with store.aio.transaction():
            await store.aio[Thing].create(id=key, text="async")

    asyncio.run(use(1))

    def child() -> None:
        asyncio.run(use(2))
        store[Thing].create(id=3, text="sync")

    forked(child)
    asyncio.run(use(4))
    store[Thing].create(id=5, text="sync")
    assert len(texts(store)) >= 4


@scene(*SHARED)
def forks_while_other_threads_write(url: str) -> None:
    """Whatever lock a thread holds at the fork, the child has it free."""
    store = made(url, rows=0)
    over = threading.Event()

    def work(start: int) -> None:
        number = start
        while not over.is_set():
            with store.transaction():
                store[Thing].create(id=number, text="x" * 200)
            number += 1

    threads = [threading.Thread(target=work, args=(1_000_000 * (place + 1),), daemon=True) for place in range(3)]
    for thread in threads:
        thread.start()
    try:
        for number in range(25):
            if url.startswith("memory"):
                forked(lambda number=number: store[Thing].create(id=number, text="child"))  # type: ignore[misc]  # bound in the loop
            else:
                forked(lambda: len(texts(store)))
    finally:
        over.set()
        for thread in threads:
            thread.join(10)


@scene(*SHARED)
def forks_while_a_model_is_made_ready(url: str) -> None:
    """The lock under which a store makes models ready is free in the child too."""
    store = made(url)
    held = threading.Event()
    over = threading.Event()

    def work() -> None:
        with store._core.preparing:
            held.set()
            over.wait(10)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    held.wait(5)
    forked(lambda: store.ensure_schema(Later))
    over.set()
    thread.join(5)
    store.ensure_schema(Later)


# Event loops


@scene(*ALL)
def one_store_in_several_loops(url: str) -> None:
    store = made(url)
    for number in range(1, 4):

        async def main(number: int = number) -> None:
            await asyncio.gather(*(store.aio[Thing].get(0) for _ in range(10)))
            async with store.aio.transaction():
                await store.aio[Thing].create(id=number, text="loop")

        asyncio.run(main())
    assert texts(store) == ["known", "loop", "loop", "loop"]


@scene(*ALL)
def a_transaction_of_another_loop_is_refused(url: str) -> None:
    store = made(url)
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    block = [store.aio.transaction()]
    context = contextvars.copy_context()

    async def enter() -> None:
        await block[0].__aenter__()
        await store.aio[Thing].create(id=7, text="first")

    async def use() -> None:
        try:
            await store.aio[Thing].create(id=8, text="second")
        except ProgrammingError:
            return
        raise AssertionError("it was not refused")

    first.run_until_complete(first.create_task(enter(), context=context))
    second.run_until_complete(second.create_task(use(), context=context))
    first.close()
    second.close()
    block.clear()
    del context
    gc.collect()
    assert in_time(lambda: texts(store)) == ["known"]
    in_time(lambda: store[Thing].create(id=9, text="later"))


@scene(*ALL)
def a_loop_is_closed_with_an_open_transaction(url: str) -> None:
    """What its task left is undone, and the store goes on in both colours."""
    store = made(url)

    async def main() -> None:
        async with store.aio.transaction():
            await store.aio[Thing].create(id=7, text="lost")
            await asyncio.sleep(60)

    loop = asyncio.new_event_loop()
    task = loop.create_task(main())
    loop.run_until_complete(asyncio.wait([task], timeout=0.2))
    loop.close()
    del task, loop
    gc.collect()
    assert in_time(lambda: texts(store)) == ["known"]
    in_time(lambda: store[Thing].create(id=8, text="later"))

    async def again() -> None:
        async with store.aio.transaction():
            await store.aio[Thing].create(id=9, text="again")

    in_time(lambda: asyncio.run(again()))
    assert texts(store) == ["known", "later", "again"]


@scene(*ALL)
def a_loop_ends_with_open_tasks(url: str) -> None:
    """asyncio.run cancels what is left: transactions are undone."""
    store = made(url)

    async def work(key: int) -> None:
        async with store.aio.transaction():
            await store.aio[Thing].create(id=key, text="lost")
            await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(work(7))
        await asyncio.sleep(0.1)
        assert not task.done()

    asyncio.run(main())
    assert in_time(lambda: texts(store)) == ["known"]
    in_time(lambda: store[Thing].create(id=8, text="later"))


@scene(*ALL)
def a_loop_is_closed_in_the_middle_of_calls(url: str) -> None:
    """Statements under way end somewhere; nothing stays locked, and transactions are whole."""
    store = made(url)

    async def main(start: int) -> None:
        async with store.aio.transaction():
            for number in range(1000):
                await store.aio[Thing].create(id=start + number, text="whole")

    for turns in (1, 2, 3, 5, 8, 20):
        loop = asyncio.new_event_loop()
        tasks = [loop.create_task(main(10_000 * place)) for place in range(1, 4)]
        for _ in range(turns):
            loop.call_soon(loop.stop)
            loop.run_forever()
        loop.close()
        del tasks, loop
        gc.collect()
        found = soon(lambda: texts(store))
        assert found.count("known") == 1
        assert found.count("whole") % 1000 == 0, "half of a transaction is there"
        soon(lambda: store[Thing].where(Thing.text == "whole").delete())
        soon(lambda turns=turns: store[Thing].upsert(id=1, text=f"{turns}"))  # type: ignore[misc]  # bound in the loop
        store[Thing].where(Thing.id == 1).delete()


@scene(*ALL)
def two_loops_at_once(url: str) -> None:
    store = made(url, rows=0)

    async def main(start: int) -> None:
        for number in range(20):
            await store.aio[Thing].create(id=start + number, text="both")

    threads = [threading.Thread(target=lambda start=start: asyncio.run(main(start))) for start in (100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(texts(store)) == 40


# Threads and garbage


@scene(*ALL)
def a_thread_dies_with_an_open_transaction(url: str) -> None:
    """What it left is undone, and others write."""
    store = made(url)

    def work() -> None:
        block = store.transaction()
        block.__enter__()
        store[Thing].create(id=7, text="lost")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    gc.collect()
    assert in_time(lambda: texts(store)) == ["known"]
    in_time(lambda: store[Thing].create(id=8, text="later"))
    with store.transaction():
        store[Thing].create(id=9, text="later")
    assert texts(store) == ["known", "later", "later"]


@scene(*ALL)
def many_threads_die_with_open_transactions(url: str) -> None:
    """More than there is room for transactions."""
    store = made(url)

    def work() -> None:
        block = store.transaction(read_only=True)
        block.__enter__()
        store[Thing].get(0)

    for _ in range(80):
        in_time(work)
    in_time(lambda: store[Thing].create(id=8, text="later"))
    assert texts(store) == ["known", "later"]


@scene(*ALL)
def a_writer_waits_while_a_transaction_is_abandoned(url: str) -> None:
    """It need not wait for ever."""
    store = made(url)
    go = threading.Event()

    def work() -> None:
        block = store.transaction()
        block.__enter__()
        store[Thing].create(id=7, text="lost")
        go.set()
        time.sleep(0.3)

    thread = threading.Thread(target=work)
    thread.start()
    go.wait(5)
    if url.startswith("memory"):
        thread.join()
    in_time(lambda: store[Thing].create(id=8, text="later"), 8.0)
    thread.join()
    assert texts(store) == ["known", "later"]


@scene(*FILE)
def stores_that_nobody_closes(url: str) -> None:
    """Their connections, files and threads go with them."""
    made(url).close()
    before = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    for number in range(20):
        store = Store(url)
        asyncio.run(store.aio[Thing].get(0))  # type: ignore[arg-type]  # a coroutine
        store[Thing].get(0)
        if number % 2:
            block = store.transaction()
            block.__enter__()
            store[Thing].create(id=100 + number, text="lost")
            del block
            contextvars.copy_context()
            from holdall.model import current

            current.set(None)
        gone = weakref.ref(store)
        del store
        gc.collect()
        assert gone() is None, "the store is kept alive by something"
    for _ in range(100):
        after = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
        if after <= before:
            break
        time.sleep(0.02)
        gc.collect()
    assert after[0] <= before[0], f"{after[0] - before[0]} threads are left"
    assert after[1] <= before[1] + 1, f"{after[1] - before[1]} files are left open"
    assert texts(Store(url)) == ["known"]


# Ends of the interpreter


def _begun(url: str) -> tuple[Store, Any]:
    store = made(url)
    block = store.transaction()
    block.__enter__()
    store[Thing].create(id=7, text="lost")
    return store, block


_kept: list[Any] = []


@scene(*ALL, exits=True)
def exit_with_an_open_store(url: str) -> None:
    _kept.append(made(url))


@scene(*ALL, exits=True)
def exit_with_an_open_transaction(url: str) -> None:
    _kept.append(_begun(url))


@scene(*ALL, exits=True)
def exit_by_an_error_in_a_transaction(url: str) -> None:
    store = made(url)
    try:
        with store.transaction():
            store[Thing].create(id=7, text="lost")
            raise SystemExit(0)
    finally:
        print("OK", flush=True)


@scene(*ALL, exits=True)
def exit_with_worker_threads(url: str) -> None:
    store = made(url)

    async def main() -> None:
        await asyncio.gather(*(store.aio[Thing].get(0) for _ in range(20)))

    asyncio.run(main())
    _kept.append(store)


@scene(*ALL, exits=True)
def exit_with_an_open_transaction_of_a_loop(url: str) -> None:
    store = made(url)

    async def main() -> None:
        async with store.aio.transaction():
            await store.aio[Thing].create(id=7, text="lost")
            await asyncio.sleep(60)

    loop = asyncio.new_event_loop()
    task = loop.create_task(main())
    loop.run_until_complete(asyncio.wait([task], timeout=0.1))
    _kept.append((store, loop, task))


@scene(*ALL, exits=True)
def exit_while_a_daemon_thread_writes(url: str) -> None:
    store = made(url)

    def work() -> None:
        number = 100
        while True:
            with store.transaction():
                store[Thing].create(id=number, text="one")
                store[Thing].create(id=number + 1, text="two")
            number += 2

    threading.Thread(target=work, daemon=True).start()
    time.sleep(0.1)
    _kept.append(store)


@scene(*ALL, exits=True)
def exit_while_a_daemon_thread_waits_for_the_lock(url: str) -> None:
    store, block = _begun(url)

    def work() -> None:
        store[Thing].create(id=8, text="never")

    if not url.startswith("memory"):
        threading.Thread(target=work, daemon=True).start()
        time.sleep(0.1)
    _kept.append((store, block))


@scene(*ALL, exits=True)
def exit_with_another_thread_in_a_transaction(url: str) -> None:
    """A thread that is no daemon ends its work, which is kept."""
    store = made(url)
    begun = threading.Event()

    def work() -> None:
        with store.transaction():
            store[Thing].create(id=5, text="kept")
            begun.set()
            time.sleep(0.3)

    threading.Thread(target=work).start()
    begun.wait(5)


@scene(*ALL, exits=True)
def exit_of_a_forked_child(url: str) -> None:
    """A child that ends as programs do takes nothing of the parent's with it."""
    store = made(url)
    with store.transaction():
        store[Thing].create(id=5, text="kept")
        pid = os.fork()
        if pid == 0:
            signal.alarm(FORK_S)
            sys.exit(0)  # through all with blocks and exit handlers
        _, status = os.waitpid(pid, 0)
        assert status == 0, f"the child ended with {status}"
    _kept.append(store)


def main() -> None:
    """Run one scene."""
    function, _, _ = SCENES[sys.argv[1]]
    function(sys.argv[2])
    print("OK", flush=True)


if __name__ == "__main__":
    main()
