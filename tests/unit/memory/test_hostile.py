"""The hostile memory store: legal surprises, decided by a seed; and the memory store that does without."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import pytest

from holdall import Field, Key, Model, Store, desc, one_of
from holdall.backends.memory import MemoryBackend
from holdall.backends.memory.hostile import LAG_MAX, HostileBackend
from holdall.backends.registry import backend_for
from holdall.errors import DeclarationError, SerializationFailure, Unsupported


class Leaf(Model, table="hostile_leaves"):
    id: int = Key()
    text: str = ""
    number: int = Field(default=0, index=True)


class Guest(Model, table="hostile_guests"):
    id: int = Key(generated=False)
    until: dt.datetime | None = Field(default=None, expires=True)


def _tale(seed: int, conflicts: float = 0.5) -> list[Any]:
    """Everything that a program saw."""
    store = Store(f"memory:?hostile=1&seed={seed}&conflicts={conflicts}")
    leaves = store[Leaf]
    told: list[Any] = [leaves.create(text=str(number), number=number % 3).id for number in range(12)]
    told.append([leaf.id for leaf in leaves.all()])
    told.append(leaves.where().group_by(Leaf.number).values(Leaf.number))
    told.append([leaves.where(Leaf.number == 1).consistency("eventual").count() for _ in range(10)])
    for number in range(8):
        try:
            with store.transaction():
                leaves.create(text="more", number=number)
            told.append("kept")
        except SerializationFailure as lost:
            told.append(str(lost))
    return told


def test_a_seed_decides_everything() -> None:
    assert _tale(7) == _tale(7)
    assert _tale(7) != _tale(8)


def test_the_seed_can_be_read() -> None:
    backend = backend_for("memory:?hostile=1&seed=42")
    assert isinstance(backend, HostileBackend)
    assert backend.hostility.seed == 42
    assert backend.describe().verified == ("hostile, seed 42, conflicts 0.05",)
    chosen = backend_for("memory:?hostile=1")
    assert isinstance(chosen, HostileBackend)
    assert f"seed {chosen.hostility.seed}" in chosen.describe().verified[0]


def test_what_has_no_order_is_shuffled() -> None:
    store = Store("memory:?hostile=1&seed=1")
    store[Leaf].create_many([{"text": str(number), "number": number} for number in range(20)])
    seen = {tuple(leaf.number for leaf in store[Leaf].all()) for _ in range(5)}
    assert len(seen) > 1
    assert {tuple(sorted(numbers)) for numbers in seen} == {tuple(range(20))}
    groups = {tuple(row["number"] for row in store[Leaf].where().group_by(Leaf.number).values(Leaf.number)) for _ in range(5)}
    assert len(groups) > 1
    ordered = {tuple(leaf.number for leaf in store[Leaf].where().order_by(desc(Leaf.number)).limit(7)) for _ in range(5)}
    assert ordered == {tuple(range(19, 12, -1))}


def test_generated_numbers_have_gaps_and_no_order_and_may_come_again() -> None:
    store = Store("memory:?hostile=1&seed=5")
    numbers = [store[Leaf].create().id for _ in range(50)]
    assert len(set(numbers)) == 50
    assert numbers != sorted(numbers)
    assert max(numbers) > 50
    store[Leaf].where(Leaf.number == 0).delete()
    again = [store[Leaf].create().id for _ in range(50)]
    assert len(set(again)) == 50
    assert set(again) & set(numbers), "at this seed some numbers come again"


def test_a_number_of_an_open_transaction_is_not_given_twice() -> None:
    store = Store("memory:?hostile=1&seed=5&conflicts=0")
    store.ensure_schema(Leaf)
    for _ in range(20):
        with store.transaction():
            mine = [store[Leaf].create().id for _ in range(5)]
        assert len(set(mine)) == 5
    assert store[Leaf].where().count() == 100


def test_commits_lose_now_and_then_and_leave_nothing() -> None:
    store = Store("memory:?hostile=1&seed=2&conflicts=0.5")
    kept, lost = 0, list[tuple[str, str, bool]]()
    for _ in range(40):
        try:
            with store.transaction():
                store[Leaf].create(text="x")
            kept += 1
        except SerializationFailure as error:
            lost.append((error.retry, error.effect, "seed 2" in str(error)))
    assert kept
    assert set(lost) == {("transaction", "none", True)}
    assert store[Leaf].where().count() == kept


def test_reading_and_writing_in_one_step_never_loses() -> None:
    store = Store("memory:?hostile=1&seed=2&conflicts=1")
    leaf = store[Leaf].create(text="x")
    leaf.text = "y"
    store[Leaf].save(leaf)
    store[Leaf].where(Leaf.text == "y").update(number=3)
    with store.transaction(read_only=True):
        assert store[Leaf].get(leaf.id).number == 3
    with store.transaction():
        assert store[Leaf].get(leaf.id).number == 3
    store[Leaf].delete(leaf)


def test_without_conflicts_nothing_loses() -> None:
    store = Store("memory:?hostile=1&seed=2&conflicts=0")
    for _ in range(100):
        with store.transaction():
            store[Leaf].create(text="x")


def test_eventual_reads_lag_and_strong_ones_do_not() -> None:
    store = Store("memory:?hostile=1&seed=3")
    assert not store.describe().support("read_your_writes")
    behind: set[int] = set()
    for number in range(1, 60):
        store[Leaf].create(text=str(number))
        assert store[Leaf].where().count() == number
        behind.add(number - store[Leaf].where().consistency("eventual").count())
    assert max(behind) == LAG_MAX
    assert min(behind) == 0
    with store.transaction():
        store[Leaf].create()
        assert store[Leaf].where().consistency("eventual").count() == 60


def test_expired_rows_stay_and_are_reported_by_nothing() -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    store = Store("memory:?hostile=1&seed=3", clock=lambda: now)
    until = now + dt.timedelta(hours=1)
    for number in range(700):
        store[Guest].create(id=number, until=until)
    now += dt.timedelta(hours=2)
    for number in range(1000, 1700):
        store[Guest].create(id=number)
    backend: Any = store._core.backend
    assert len(backend._engine.tables[Guest.__entity__].rows) == 1400
    assert store[Guest].where().count() == 700
    assert store[Guest].get(3) is None
    assert store[Guest].create(id=3, until=None).id == 3
    now += dt.timedelta(days=3)
    for number in range(2000, 3500):
        store[Guest].create(id=number)
    assert len(backend._engine.tables[Guest.__entity__].rows) == 700 + 1500 + 1


async def test_awaited_calls_let_others_go_first() -> None:
    store = Store("memory:?hostile=1&seed=3")
    order: list[int] = []

    async def add(number: int) -> None:
        await store.aio[Leaf].create(number=number)
        order.append(number)

    await asyncio.gather(*(add(number) for number in range(20)))
    assert order != sorted(order)
    assert sorted(order) == list(range(20))


@pytest.mark.parametrize(
    ("url", "says"),
    {
        "memory:?hostile=2": "hostile is 1",
        "memory:?hostile=1&seed=abc": "seed is a whole number",
        "memory:?hostile=1&seed=-1": "seed is a whole number",
        "memory:?hostile=1&conflicts=1.5": "conflicts is a number",
        "memory:?hostile=1&conflicts=often": "conflicts is a number",
        "memory:?hostile=1&conflicts=nan": "conflicts is a number",
        "memory:?seed=3": "of a hostile memory store only",
        "memory:?conflicts=0": "of a hostile memory store only",
        "memory:?hostle=1": "Did you mean 'hostile'",
        "memory:?without=jions": "Did you mean 'joins'",
        "memory:?without=raw": "it has none to begin with",
        "memory:?without=read_your_writes": "hostile=1",
        "memory:?without=reads_beside_writes": "leave out transactions instead",
    }.items(),
)
def test_options_that_cannot_be(url: str, says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        Store(url)


def test_the_plain_class_takes_no_hostility() -> None:
    with pytest.raises(DeclarationError, match="of a hostile memory store only"):
        MemoryBackend({"hostile": "1"})


def test_without_transactions_there_is_nothing_of_them() -> None:
    store = Store("memory:?without=transactions&hostile=1")
    declared = store.describe()
    assert not declared.isolation
    assert declared.default_isolation is None
    assert not any(declared.support(name) for name in ("transactions", "savepoints", "row_locks", "reads_beside_writes"))
    with pytest.raises(Unsupported):
        store.transaction()


def test_without_scans_only_what_an_index_serves_is_answered() -> None:
    store = Store("memory:?without=scan")
    leaves = store[Leaf]
    leaf = leaves.create(text="a", number=1)
    for scanning in (leaves.where(Leaf.text == "a"), leaves.where(), leaves.where((Leaf.text == "a") | (Leaf.number == 1))):
        with pytest.raises(Unsupported, match="No index serves this query on Leaf"):
            scanning.all()
        assert [found.id for found in scanning.allow_scan().all()] == [leaf.id]
    with pytest.raises(Unsupported, match=r"Declare an index: text = Field\(index=True\)"):
        leaves.where(Leaf.text == "a").update(number=2)
    with pytest.raises(Unsupported):
        leaves.where(Leaf.text == "a").delete()
    assert leaves.get(leaf.id).number == 1
    assert leaves.where(Leaf.number == 1).count() == 1
    assert leaves.where(Leaf.number > 0, Leaf.text == "a").count() == 1
    assert leaves.where(one_of(Leaf.id, [leaf.id])).count() == 1
    assert leaves.where(one_of(Leaf.text, [])).count() == 0
    assert leaves.where().order_by(Leaf.number).limit(5).all()
    assert leaves.where().page(5).items
    assert [found.id for found in leaves.where().stream()] == [leaf.id]
    assert leaves.where(Leaf.text == "a").explain().plan == "refused"
