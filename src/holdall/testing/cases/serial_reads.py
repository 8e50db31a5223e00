"""G1: what a SERIALIZABLE transaction decided on must still be so when it commits: answers that shrink, relations, writes by query.

In each case one party notes what it saw, and the other changes that unless something was noted. One of them must lose.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from holdall.backends import Isolation
from holdall.query import Compare, Value, as_condition, key_ref
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.accounts import Account
from holdall.testing.models.kin import DOG, Dog, House, Person
from holdall.testing.rivals import Rival, one_wins

ACCOUNT, DOGS, PEOPLE = Account.__entity__, Dog.__entity__, Person.__entity__
Call = Callable[[Any], Awaitable[Any]]
NOTE = 100


def valued(value: int) -> Any:
    """value = that."""
    ref = key_ref(ACCOUNT, "value")
    return Compare(ref, "eq", Value(value, ref.type))


async def decide(k: Kit, see: Call, change: Call) -> None:
    """One sees and notes; the other changes if nothing was noted. Not both."""
    one, two = Rival(k, Isolation.SERIALIZABLE), Rival(k, Isolation.SERIALIZABLE)
    await one.begin()
    await two.begin()

    async def note(tx: Any) -> None:
        await see(tx)
        await k.insert(ACCOUNT, (NOTE, 0, None), tx=tx)

    async def unless_noted(tx: Any) -> None:
        if await k.fetch(ACCOUNT, NOTE, tx=tx) == [None]:
            await change(tx)

    await one.do(note)
    await two.finish(unless_noted)
    await one.finish()
    assert await one_wins(one, two) in (one, two)


CHANGES: dict[str, Callable[[Kit], Call]] = {
    "a row leaves the answer": lambda k: lambda tx: k.patch(ACCOUNT, 1, tx=tx, value=11),
    "a row enters the answer": lambda k: lambda tx: k.patch(ACCOUNT, 3, tx=tx, value=10),
    "a row is removed": lambda k: lambda tx: k.delete(ACCOUNT, 2, tx=tx),
    "a row is added": lambda k: lambda tx: k.insert(ACCOUNT, (4, 10, None), tx=tx),
    "all rows leave the answer": lambda k: lambda tx: k.update_where(ACCOUNT, valued(10), tx=tx, value=12),
}


@case("G1", needs="isolation.serializable", each=CHANGES)
async def an_answer_is_something_read(k: Kit, change: Callable[[Kit], Call]) -> None:
    await k.ready(Account)
    await k.insert(ACCOUNT, (1, 10, None), (2, 10, None), (3, 30, None))
    await decide(k, lambda tx: k.rows(ACCOUNT, valued(10), tx), change(k))


@case("G1", needs=("isolation.serializable", "set_writes"), each=["update", "delete"])
async def what_a_write_by_query_found_is_something_read(k: Kit, kind: str) -> None:
    """It matched nothing; afterwards there is something to match."""
    await k.ready(Account)
    await k.insert(ACCOUNT, (1, 10, None))

    async def see(tx: Any) -> None:
        if kind == "update":
            assert await k.update_where(ACCOUNT, valued(99), tx=tx, value=1) == 0
        else:
            assert await k.delete_where(ACCOUNT, valued(99), tx=tx) == 0

    await decide(k, see, lambda tx: k.patch(ACCOUNT, 1, tx=tx, value=99))


PATHS: dict[str, tuple[Callable[[], Any], str, int]] = {
    # a condition on dogs, and what of the record with key 1 changes
    "over one relation": (lambda: DOG.owner.name == "ada", "person", 1),
    "over two relations": (lambda: DOG.owner.house.street == "elm", "house", 1),
}


@case("G1", needs=("isolation.serializable", "references", "joins"), each=PATHS)
async def what_a_condition_looked_up_is_something_read(k: Kit, make: Callable[[], Any], what: str, key: int) -> None:
    """The records of another model, on which the answer depends."""
    await k.ready(Account, House, Person, Dog)
    await k.store[House].create(id=1, street="elm")
    await k.store[Person].create(id=1, name="ada", house_id=1)
    await k.store[Dog].create(id=1, name="rex", owner_id=1)

    async def see(tx: Any) -> None:
        assert len(await k.rows(DOGS, as_condition(make()), tx)) == 1

    async def change(tx: Any) -> None:
        if what == "person":
            await k.patch(PEOPLE, key, tx=tx, name="bob")
        else:
            await k.patch(House.__entity__, key, tx=tx, street="oak")

    await decide(k, see, change)
