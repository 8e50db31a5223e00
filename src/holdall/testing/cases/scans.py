"""H1 to H3 at the port: scans page by page, rows by key, and reads inside a transaction that has written."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from holdall.query import TRUE, Compare, Condition, Order, Select, Value, key_ref
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.samples import INDEXED, Indexed

ENTITY = Indexed.__entity__


def row(number: int, **values: Any) -> tuple[Any, ...]:
    """The row of a record with this key and these values, the rest null."""
    return tuple({"id": number, **values}.get(field.name) for field in ENTITY.fields)


def at_least(name: str, value: Any) -> Condition:
    """name >= value."""
    ref = key_ref(ENTITY, name)
    return Compare(ref, "gte", Value(value, ref.type))


async def _forty(k: Kit) -> list[Any]:
    """Rows 0 to 39, with seven numbers and some nulls."""
    await k.ready(Indexed)
    rows = [row(number, whole=None if number % 8 == 7 else number % 8, text=f"t{number:02}") for number in range(40)]
    await k.insert(ENTITY, *rows)
    return rows


async def _scan(k: Kit, where: Condition, size: int, tx: Any = None) -> list[Any]:
    plan, found, cursor = k.plan(Select(ENTITY, where)), list[Any](), None
    for _ in range(200):
        rows, cursor = await k.do(k.backend.scan(plan, cursor, size, tx))
        assert len(rows) <= size
        found += rows
        if cursor is None:
            return found
    raise AssertionError("the scan never ends")


SCANNED: dict[str, tuple[Condition, list[int]]] = {
    "everything": (TRUE, list(range(40))),
    "some": (at_least("whole", 4), [number for number in range(40) if number % 8 in (4, 5, 6)]),
    "a range of keys": (at_least("id", 30), list(range(30, 40))),
    "none": (at_least("whole", 99), []),
}
SCANS = {f"{name}, pages of {size}": (where, expected, size) for name, (where, expected) in SCANNED.items() for size in (1, 7, 40, 1000)}


@case("H3", each=SCANS)
async def a_scan_gives_each_row_once(k: Kit, where: Condition, expected: list[int], size: int) -> None:
    """Whatever the size of its pages."""
    await _forty(k)
    found = await _scan(k, where, size)
    assert sorted(item[0] for item in found) == expected


@case("H3")
async def a_scan_while_others_write(k: Kit) -> None:
    """Rows that nobody touched come once; removed and new ones may come or not."""
    rows = await _forty(k)
    plan = k.plan(Select(ENTITY))
    page, cursor = await k.do(k.backend.scan(plan, None, 10, None))
    gone = [page[0][0], page[-1][0]]
    for key in gone:
        await k.delete(ENTITY, key)
    await k.insert(ENTITY, *(row(number, whole=1) for number in (*range(100, 120), -1, -2)))
    found = list(page)
    while cursor is not None:
        page, cursor = await k.do(k.backend.scan(plan, cursor, 10, None))
        found += page
        assert len(found) < 200, "the scan never ends"
    keys = [item[0] for item in found]
    assert len(keys) == len(set(keys)), "a row came twice"
    assert {item[0] for item in rows} <= set(keys), "a row was skipped"


@case("H3", needs="transactions")
async def a_scan_inside_a_transaction(k: Kit) -> None:
    """It sees what the transaction has written and removed, on every page."""
    await _forty(k)
    tx = await k.begin()
    await k.delete(ENTITY, 3, tx=tx)
    await k.insert(ENTITY, *(row(number, whole=1) for number in range(100, 120)), tx=tx)
    await k.patch(ENTITY, 5, tx=tx, whole=50)
    found = await _scan(k, TRUE, 8, tx)
    assert sorted(item[0] for item in found) == [number for number in (*range(40), *range(100, 120)) if number != 3]
    assert [item[0] for item in await _scan(k, at_least("whole", 50), 8, tx)] == [5]
    await k.rollback(tx)
    assert sorted(item[0] for item in await _scan(k, TRUE, 8)) == list(range(40))


@case("H1")
async def rows_by_key_come_in_the_order_asked(k: Kit) -> None:
    """Absent ones as None, repeated ones each time."""
    rows = await _forty(k)
    assert await k.fetch(ENTITY, 7, 99, 3, 7, 0) == [rows[7], None, rows[3], rows[7], rows[0]]
    assert await k.fetch(ENTITY) == []


WAYS: dict[str, tuple[tuple[str, bool, bool], ...]] = {
    "by number": (("whole", False, False),),
    "by number, down": (("whole", True, False),),
    "nulls first": (("whole", False, True), ("text", True, False)),
    "by text, down": (("text", True, False),),
    "by number and key, down": (("whole", False, False), ("id", True, False)),
}


@case("H1", needs="transactions", each=WAYS)
async def orders_and_cuts_inside_a_transaction_that_wrote(k: Kit, *way: tuple[str, bool, bool]) -> None:
    """What it wrote stands where it belongs, what it removed is gone, what it changed has moved: whole, cut and filtered."""
    rows = {item[0]: item for item in await _forty(k)}
    tx = await k.begin()
    await k.delete(ENTITY, 4, tx=tx)
    await k.patch(ENTITY, 8, tx=tx, whole=6, text="a")
    await k.patch(ENTITY, 9, tx=tx, whole=None)
    await k.insert(ENTITY, row(50, whole=3, text="t50"), row(51, text="b"), tx=tx)
    del rows[4]
    rows[8] = row(8, whole=6, text="a")
    rows[9] = row(9, text=rows[9][ENTITY.by_name["text"].position])
    rows[50], rows[51] = row(50, whole=3, text="t50"), row(51, text="b")
    expected = sorted(rows.values(), key=lambda item: item[0])
    for name, descending, nulls_first in reversed(way):
        by: Callable[[Any], Any] = itemgetter(ENTITY.by_name[name].position)
        known = sorted((item for item in expected if by(item) is not None), key=by, reverse=descending)
        nulls = [item for item in expected if by(item) is None]
        expected = nulls + known if nulls_first else known + nulls
    orders = tuple(Order(key_ref(ENTITY, name), descending, nulls_first) for name, descending, nulls_first in way)
    for limit, offset in ((None, 0), (6, 0), (6, 1), (1, 20), (100, 35), (5, 40), (0, 0)):
        end = None if limit is None else offset + limit
        assert await k.select(Select(ENTITY, TRUE, orders, limit, offset), tx) == expected[offset:end], (limit, offset)
    number: Callable[[Any], Any] = itemgetter(ENTITY.by_name["whole"].position)
    some = [item for item in expected if number(item) is not None and number(item) >= 3]
    assert await k.select(Select(ENTITY, at_least("whole", 3), orders, 9, 2), tx) == some[2:11]
    await k.rollback(tx)
    assert len(await k.rows(ENTITY)) == 40


@case("H1")
async def a_plan_tells_what_it_does(k: Kit) -> None:
    """In words, for explain()."""
    await k.ready(Indexed)
    steps = k.plan(Select(ENTITY, at_least("whole", 3))).steps
    assert steps
    assert all(steps)
    told = await k.store[Indexed].where(INDEXED.whole >= 3).order_by("-whole").explain()
    assert "whole >= 3" in str(told)
    assert "-whole" in str(told)
