"""G2: savepoints, nested five deep: released, undone, and with errors caught at every depth."""

from __future__ import annotations

from typing import Any

from holdall.errors import Unsupported
from holdall.testing.case import case
from holdall.testing.cases.transactions import Undone
from holdall.testing.kit import Kit
from holdall.testing.models.accounts import Account
from holdall.testing.operations import START, begin, values

ACCOUNT = Account.__entity__
BOTH = ("transactions", "savepoints")
DEPTH = 5


async def nest(k: Kit, depth: int, raises_at: int, caught_at: int) -> None:
    """A block at this depth writes a row, nests, and writes another one; the error of one depth is caught in a block around it."""
    async with k.store.transaction():
        await k.store[Account].create(id=depth, value=1)
        if depth == raises_at:
            raise Undone
        if depth < DEPTH:
            try:
                await nest(k, depth + 1, raises_at, caught_at)
            except Undone:
                if depth != caught_at:
                    raise
        await k.store[Account].create(id=10 + depth, value=2)


@case("G2", needs=BOTH, each={f"{high} in {low}": (high, low) for high in range(2, DEPTH + 1) for low in range(1, high)})
async def an_error_undoes_the_blocks_between_it_and_who_catches_it(k: Kit, raises_at: int, caught_at: int) -> None:
    """What the blocks around had done, before and after, is kept."""
    await nest(k, 1, raises_at, caught_at)
    expected = dict.fromkeys(range(1, caught_at + 1), 1) | {10 + depth: 2 for depth in range(1, caught_at + 1)}
    assert await values(k.store) == expected


@case("G2", needs=BOTH, each=range(1, DEPTH + 1))
async def an_error_that_nobody_catches_undoes_everything(k: Kit, raises_at: int) -> None:
    with k.refused(Undone):
        await nest(k, 1, raises_at, 0)
    assert await values(k.store) == {}


@case("G2", needs=BOTH)
async def blocks_five_deep_are_kept_whole(k: Kit) -> None:
    await nest(k, 1, 0, 0)
    assert await values(k.store) == dict.fromkeys(range(1, 6), 1) | {10 + depth: 2 for depth in range(1, 6)}


@case("G2", needs=BOTH)
async def a_hundred_blocks_one_after_the_other(k: Kit) -> None:
    """Every other one is undone."""
    async with k.store.transaction():
        for number in range(0, 100, 2):
            async with k.store.transaction():
                await k.store[Account].create(id=number, value=number)
            with k.refused(Undone):
                async with k.store.transaction():
                    await k.store[Account].create(id=number + 1, value=number)
                    raise Undone
    assert await values(k.store) == {number: number for number in range(0, 100, 2)}


@case("G2", needs=BOTH)
async def an_empty_block_changes_nothing(k: Kit) -> None:
    await begin(k.store)
    async with k.store.transaction():
        async with k.store.transaction():
            pass
        with k.refused(Undone):
            async with k.store.transaction():
                raise Undone
        await k.store[Account].create(id=4, value=40)
        async with k.store.transaction():
            pass
    assert await values(k.store) == {**START, 4: 40}


@case("G2", needs=BOTH)
async def an_undone_block_gives_a_key_back(k: Kit) -> None:
    async with k.store.transaction():
        for value in (1, 2, 3):
            with k.refused(Undone):
                async with k.store.transaction():
                    await k.store[Account].create(id=1, value=value)
                    raise Undone
        async with k.store.transaction():
            await k.store[Account].create(id=1, value=4)
    assert await values(k.store) == {1: 4}


@case("G2", needs=BOTH)
async def an_undone_block_gives_back_each_older_state(k: Kit) -> None:
    """A row changed at every depth has, after each undo, the value of the block around."""
    await k.store[Account].create(id=1, value=0)
    accounts = k.store[Account]

    async def down(depth: int) -> None:
        with k.refused(Undone):
            async with k.store.transaction():
                account = await accounts.get(1)
                assert account.value == depth - 1
                account.value = depth
                await accounts.save(account)
                if depth < DEPTH:
                    await down(depth + 1)
                assert (await accounts.get(1)).value == depth
                assert [found.value for found in await accounts.where(Account.value >= 0).all()] == [depth]
                raise Undone

    async with k.store.transaction():
        await down(1)
        assert (await accounts.get(1)).value == 0
    assert await values(k.store) == {1: 0}


@case("G2", needs=BOTH)
async def a_block_that_removes_is_undone(k: Kit) -> None:
    await begin(k.store)
    async with k.store.transaction():
        account = await k.store[Account].get(1)
        account.value = 11
        await k.store[Account].save(account)
        with k.refused(Undone):
            async with k.store.transaction():
                await k.store[Account].delete(account)
                assert await k.store[Account].get(1) is None
                raise Undone
        assert (await k.store[Account].get(1)).value == 11
    assert await values(k.store) == {**START, 1: 11}


@case("G2", needs=("transactions",), absent="savepoints")
async def a_block_inside_a_block_is_refused(k: Kit) -> None:
    """With a reason and a remedy; the outer block goes on."""
    await k.store.ensure_schema(Account)
    async with k.store.transaction():
        await k.store[Account].create(id=1, value=1)
        with k.refused(Unsupported, says="savepoints") as caught:
            async with k.store.transaction():
                await k.store[Account].create(id=2, value=2)
        assert caught.error.hint
        await k.store[Account].create(id=3, value=3)
    assert await values(k.store) == {1: 1, 3: 3}


# The port


async def three(k: Kit) -> None:
    """The accounts of START, by the port."""
    await k.ready(Account)
    await k.insert(ACCOUNT, *((key, value, None) for key, value in START.items()))


async def seen(k: Kit, tx: Any = None) -> dict[int, int]:
    """The rows by key, as a query gives them; they must agree with what reading by key gives."""
    rows = {row[0]: row[1] for row in await k.rows(ACCOUNT, tx=tx)}
    by_key = await k.fetch(ACCOUNT, *range(1, 10), tx=tx)
    assert {row[0]: row[1] for row in by_key if row is not None} == rows
    return rows


@case("G2", needs=BOTH)
async def points_are_released_and_undone_in_turn(k: Kit) -> None:
    await three(k)
    tx = await k.begin()
    await k.patch(ACCOUNT, 1, tx=tx, value=11)
    outer = await k.savepoint(tx)
    await k.patch(ACCOUNT, 1, tx=tx, value=12)
    await k.insert(ACCOUNT, (4, 40, None), (5, 50, None), tx=tx)
    inner = await k.savepoint(tx)
    await k.delete(ACCOUNT, 2, tx=tx)
    await k.delete(ACCOUNT, 4, tx=tx)
    await k.rollback_to(tx, inner)
    assert await seen(k, tx) == {1: 12, 2: 20, 3: 30, 4: 40, 5: 50}
    inner = await k.savepoint(tx)
    await k.delete(ACCOUNT, 3, tx=tx)
    await k.release(tx, inner)
    assert await seen(k, tx) == {1: 12, 2: 20, 4: 40, 5: 50}
    await k.rollback_to(tx, outer)
    assert await seen(k, tx) == {1: 11, 2: 20, 3: 30}
    await k.insert(ACCOUNT, (4, 41, None), tx=tx)
    await k.commit(tx)
    assert await seen(k) == {1: 11, 2: 20, 3: 30, 4: 41}


@case("G2", needs=BOTH, each={"the outermost": 0, "the second": 1, "the third": 2, "the innermost": 3})
async def undoing_to_a_point_undoes_the_points_after_it(k: Kit, place: int) -> None:
    await three(k)
    tx = await k.begin()
    marks: list[Any] = []
    for number in range(4):
        marks.append(await k.savepoint(tx))
        await k.insert(ACCOUNT, (4 + number, number, None), tx=tx)
    await k.rollback_to(tx, marks[place])
    expected = {**START, **{4 + number: number for number in range(place)}}
    assert await seen(k, tx) == expected
    await k.commit(tx)
    assert await seen(k) == expected


@case("G2", needs=BOTH, each={"the outermost": 0, "the second": 1, "the innermost": 2})
async def releasing_a_point_keeps_what_came_after_it(k: Kit, place: int) -> None:
    await three(k)
    tx = await k.begin()
    marks: list[Any] = []
    for number in range(3):
        marks.append(await k.savepoint(tx))
        await k.insert(ACCOUNT, (4 + number, number, None), tx=tx)
    await k.release(tx, marks[place])
    assert await seen(k, tx) == {**START, 4: 0, 5: 1, 6: 2}
    if place:
        await k.rollback_to(tx, marks[0])
        assert await seen(k, tx) == START
    await k.commit(tx)
    assert await seen(k) == (START if place else {**START, 4: 0, 5: 1, 6: 2})


@case("G2", needs=BOTH)
async def a_rollback_undoes_what_points_kept(k: Kit) -> None:
    await three(k)
    tx = await k.begin()
    mark = await k.savepoint(tx)
    await k.insert(ACCOUNT, (4, 40, None), tx=tx)
    await k.release(tx, mark)
    await k.savepoint(tx)
    await k.delete(ACCOUNT, 1, tx=tx)
    await k.rollback(tx)
    assert await seen(k) == START
