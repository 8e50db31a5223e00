"""Results of hundreds of records (H1, H2, B1, B2, A3): an engine takes other ways there than it does for ten.

Every expectation is computed here from plain dicts, by Python's own sorting and comparing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.errors import UniqueViolation
from holdall.query import Compare, Value, asc, between, contains, desc, is_null, key_ref, one_of
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.crowds import RUNNER, Runner

COUNT = 330
Row = dict[str, Any]
STARTS = "kl\U0010ffff"
ENDS = ("", "a", "b\u00e9", "\u4e00", "\U0001f600", "z")


def row(number: int) -> Row:
    """The values of one record: many ties, nulls here and there, in no order."""
    mixed = number * 157 % COUNT
    return {
        "id": number,
        "place": mixed,
        "team": f"team {number % 4}",
        "rank": None if number % 6 == 0 else mixed // 7,
        "grade": None if number % 66 == 0 else mixed % 50,
        "name": f"{STARTS[number % 3]}{mixed % 20:02}{ENDS[number % len(ENDS)]}" if number % 11 else f"kl\U0010ffff{number}",
    }


async def many(k: Kit) -> dict[int, Row]:
    """The records, made; the same as dicts."""
    rows = {number: row(number) for number in range(1, COUNT + 1)}
    await k.store[Runner].create_many(list(rows.values()))
    return rows


def ranked(rows: list[Row], orders: list[tuple[str, bool, bool]]) -> list[int]:
    """The keys of rows sorted by (field, descending, nulls first), then by key."""
    found = sorted(rows, key=lambda item: item["id"])
    for field, descending, nulls_first in reversed(orders):
        nulls = [item for item in found if item[field] is None]
        valued = sorted((item for item in found if item[field] is not None), key=lambda item: item[field], reverse=descending)
        found = nulls + valued if nulls_first else valued + nulls
    return [item["id"] for item in found]


def terms(orders: list[tuple[str, bool, bool]]) -> list[Any]:
    """The same as order terms."""
    return [(desc if down else asc)(getattr(RUNNER, field), nulls="first" if first else "last") for field, down, first in orders]


FIELDS = ("id", "place", "rank", "grade", "name", "team")
ORDERS: dict[str, list[tuple[str, bool, bool]]] = {
    f"{field}{' descending' if down else ''}{' nulls first' if first else ''}": [(field, down, first)]
    for field in FIELDS
    for down in (False, True)
    for first in ((False, True) if field in ("rank", "grade") else (False,))
} | {
    "team and place": [("team", False, False), ("place", False, False)],
    "team and place, both descending": [("team", True, False), ("place", True, False)],
    "team, and place descending": [("team", False, False), ("place", True, False)],
    "team descending, and place": [("team", True, False), ("place", False, False)],
    "rank, and name descending": [("rank", False, False), ("name", True, False)],
    "rank nulls first, and grade descending": [("rank", False, True), ("grade", True, False)],
    "grade and rank, both nulls first": [("grade", False, True), ("rank", False, True)],
    "place by halves, and id descending": [("team", False, False), ("id", True, False)],
}


@case("H1", needs="atomic_batch", each={name: (orders,) for name, orders in ORDERS.items()})
async def the_first_of_many(k: Kit, orders: list[tuple[str, bool, bool]]) -> None:
    """Under a limit the same records come, in the same order, as without one."""
    rows = await many(k)
    query = k.store[Runner].query().order_by(*terms(orders))
    expected = ranked(list(rows.values()), orders)
    assert [item.id for item in await query.all()] == expected
    for limit in (1, 2, 5, 16, 40, 100):
        for offset in (0, 3, 30):
            found = [item.id for item in await query.limit(limit).offset(offset).all()]
            assert found == expected[offset : offset + limit], f"limit {limit}, offset {offset}"


TESTS: dict[str, tuple[Callable[[], Any], Callable[[Row], bool]]] = {
    "rank <": (lambda: RUNNER.rank < 5, lambda item: item["rank"] is not None and item["rank"] < 5),
    "rank <=": (lambda: RUNNER.rank <= 5, lambda item: item["rank"] is not None and item["rank"] <= 5),
    "rank >": (lambda: RUNNER.rank > 42, lambda item: item["rank"] is not None and item["rank"] > 42),
    "rank >=": (lambda: RUNNER.rank >= 42, lambda item: item["rank"] is not None and item["rank"] >= 42),
    "rank =": (lambda: RUNNER.rank == 7, lambda item: item["rank"] == 7),
    "rank null": (lambda: is_null(RUNNER.rank), lambda item: item["rank"] is None),
    "rank between": (lambda: between(RUNNER.rank, 10, 13), lambda item: item["rank"] is not None and 10 <= item["rank"] <= 13),
    "rank in": (lambda: one_of(RUNNER.rank, [3, 3, 99, 9]), lambda item: item["rank"] in (3, 9)),
    "rank > and <": (lambda: (RUNNER.rank > 10) & (RUNNER.rank < 12), lambda item: item["rank"] == 11),
    "rank nowhere": (lambda: (RUNNER.rank > 12) & (RUNNER.rank < 10), lambda item: False),
    "id <": (lambda: RUNNER.id < 30, lambda item: item["id"] < 30),
    "id >=": (lambda: RUNNER.id >= 300, lambda item: item["id"] >= 300),
    "id in": (lambda: one_of(RUNNER.id, [1, 5, 5, 900]), lambda item: item["id"] in (1, 5)),
    "team and place <": (
        lambda: (RUNNER.team == "team 1") & (RUNNER.place < 200),
        lambda item: item["team"] == "team 1" and item["place"] < 200,
    ),
    "team and place >=": (
        lambda: (RUNNER.team == "team 3") & (RUNNER.place >= 250),
        lambda item: item["team"] == "team 3" and item["place"] >= 250,
    ),
    "rank = and grade": (lambda: (RUNNER.rank == 7) & (RUNNER.grade > 2), lambda item: item["rank"] == 7 and (item["grade"] or 0) > 2),
    "rank < and name": (
        lambda: (RUNNER.rank < 9) & contains(RUNNER.name, "a"),
        lambda item: item["rank"] is not None and item["rank"] < 9 and "a" in item["name"],
    ),
}


def starting(start: str) -> tuple[Callable[[], Any], Callable[[Row], bool]]:
    """That the name begins with a text."""

    def meets(item: Row) -> bool:
        return str(item["name"]).startswith(start)

    return (lambda: RUNNER.name.startswith(start)), meets


for _start in ("k0", "k01b", "l1", "k", "kl\U0010ffff", "\U0010ffff", "\U0010ffff0", "k00\u4e00", "nobody"):
    TESTS[f"name startswith {_start!a}"] = starting(_start)


@case("B2", needs=("atomic_batch", "aggregates"), each=TESTS)
async def some_of_many(k: Kit, where: Callable[[], Any], meets: Callable[[Row], bool]) -> None:
    """Whichever index serves it, a condition finds what it means; also counted, cut and in order."""
    rows = await many(k)
    met = [item for item in rows.values() if meets(item)]
    query = k.store[Runner].where(where()).allow_scan()
    for _ in range(2):  # the second time from indexes that are there
        assert sorted(item.id for item in await query.all()) == sorted(item["id"] for item in met)
    assert await query.count() == len(met)
    for orders in (
        [("rank", True, False)],
        [("name", False, False)],
        [("id", True, False)],
        [("team", False, False), ("place", True, False)],
    ):
        expected = ranked(met, orders)
        for limit in (1, 4, 20):
            assert [item.id for item in await query.order_by(*terms(orders)).limit(limit).all()] == expected[:limit]


MIRRORED: dict[str, Callable[[int, int], bool]] = {
    "lt": lambda value, rank: value < rank,
    "lte": lambda value, rank: value <= rank,
    "gt": lambda value, rank: value > rank,
    "gte": lambda value, rank: value >= rank,
    "eq": lambda value, rank: value == rank,
}


@case("B2", needs="atomic_batch", each=[3, 44])
async def operands_on_the_left_of_many(k: Kit, value: int) -> None:
    """value < field is field > value."""
    await k.ready(Runner)
    rows = await many(k)
    field = key_ref(Runner.__entity__, "rank")
    for op, meets in MIRRORED.items():
        found = await k.rows(Runner.__entity__, Compare(Value(value, field.type), op, field))  # type: ignore[arg-type]  # one of them
        assert [item[0] for item in found] == [
            item["id"] for item in rows.values() if item["rank"] is not None and meets(value, item["rank"])
        ], op


async def _seen(k: Kit) -> dict[str, list[int]]:
    """The answers of several queries, each by an index of its own."""
    runners = k.store[Runner]
    return {
        "low": sorted([item.id for item in await runners.where(RUNNER.rank < 8).all()]),
        "high": sorted([item.id for item in await runners.where(RUNNER.rank >= 44).all()]),
        "none": sorted([item.id for item in await runners.where(is_null(RUNNER.rank)).all()]),
        "seven": sorted([item.id for item in await runners.where(RUNNER.rank == 7).all()]),
        "first": [item.id for item in await runners.query().order_by(RUNNER.rank).limit(9).all()],
        "last": [item.id for item in await runners.query().order_by(desc(RUNNER.rank, nulls="first")).limit(70).all()],
        "names": sorted([item.id for item in await runners.where(RUNNER.name.startswith("k0")).all()]),
    }


def _expected(rows: dict[int, Row]) -> dict[str, list[int]]:
    every = list(rows.values())
    return {
        "low": sorted(item["id"] for item in every if item["rank"] is not None and item["rank"] < 8),
        "high": sorted(item["id"] for item in every if item["rank"] is not None and item["rank"] >= 44),
        "none": sorted(item["id"] for item in every if item["rank"] is None),
        "seven": sorted(item["id"] for item in every if item["rank"] == 7),
        "first": ranked(every, [("rank", False, False)])[:9],
        "last": ranked(every, [("rank", True, True)])[:70],
        "names": sorted(item["id"] for item in every if item["name"].startswith("k0")),
    }


async def _change(k: Kit, rows: dict[int, Row], number: int, **values: Any) -> None:
    """Change one record, and its dict."""
    record = await k.store[Runner].get(number)
    for name, value in values.items():
        setattr(record, name, value)
    await k.store[Runner].save(record)
    rows[number].update(values)


async def _unrest(k: Kit, rows: dict[int, Row]) -> None:
    """Changes of every sort, with questions between them."""
    assert await _seen(k) == _expected(rows)
    await _change(k, rows, 5, rank=7)
    await _change(k, rows, 6, rank=7)
    await _change(k, rows, 7, rank=None, name="k0")
    await _change(k, rows, 8, rank=None)
    await _change(k, rows, 8, rank=45)
    assert await _seen(k) == _expected(rows)
    for number in (9, 10, 11):
        before = rows[number]["rank"]
        await _change(k, rows, number, rank=0)
        await _change(k, rows, number, rank=before)
        await _change(k, rows, number, grade=number)
    assert await _seen(k) == _expected(rows)
    await k.store[Runner].where(one_of(RUNNER.id, [5, 20, 21, 24])).delete()
    for number in (5, 20, 21, 24):
        del rows[number]
    await k.store[Runner].create(id=1000, rank=7, name="k01")
    rows[1000] = {**row(1), "id": 1000, "rank": 7, "name": "k01", "grade": None, "place": 0, "team": ""}
    assert await _seen(k) == _expected(rows)
    changed = await k.store[Runner].where(RUNNER.rank == 7).update(rank=0)
    assert changed == sum(item["rank"] == 7 for item in rows.values())
    for item in rows.values():
        item["rank"] = 0 if item["rank"] == 7 else item["rank"]
    assert await _seen(k) == _expected(rows)


@case("B2", needs=("atomic_batch", "set_writes"))
async def indexes_keep_up_with_changes(k: Kit) -> None:
    await _unrest(k, await many(k))


@case("B2", needs=("atomic_batch", "set_writes", "transactions"))
async def indexes_keep_up_with_changes_of_a_transaction(k: Kit) -> None:
    """Inside it by what it did so far, and after it."""
    rows = await many(k)
    async with k.store.transaction():
        await _unrest(k, rows)
    assert await _seen(k) == _expected(rows)


@case("G2", needs=("atomic_batch", "set_writes", "transactions"))
async def indexes_forget_what_was_undone(k: Kit) -> None:
    """A transaction that is undone leaves every answer as it was."""
    rows = await many(k)
    assert await _seen(k) == _expected(rows)
    with k.refused(UniqueViolation):
        async with k.store.transaction():
            await _unrest(k, {number: dict(item) for number, item in rows.items()})
            await k.store[Runner].create(id=1)
    assert await _seen(k) == _expected(rows)
