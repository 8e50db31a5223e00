"""H5 where own writes are not always read: what an eventual read may lack, and what it may not."""

from __future__ import annotations

from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.plain import Word


@case("H5", absent="read_your_writes", needs="consistency.eventual")
async def an_eventual_read_invents_nothing(k: Kit) -> None:
    """It may lack what was written last; what it gives was written, once, and as it is given."""
    words = k.store[Word]
    for step in range(1, 16):
        await words.create(id=step, text=f"as of {step}")
        found = [(word.id, word.text) for word in await words.where(Word.id > 0).consistency("eventual").all()]
        assert len(set(found)) == len(found), f"the same twice: {found}"
        assert set(found) <= {(number, f"as of {number}") for number in range(1, step + 1)}, f"what was never written: {found}"


@case("H5", absent="read_your_writes")
async def a_strong_read_lacks_nothing_where_others_may_lag(k: Kit) -> None:
    words = k.store[Word]
    for step in range(1, 16):
        await words.create(id=step, text="a")
        assert await words.where(Word.text == "a").count() == step
        assert (await words.get(step)).id == step
        await words.where(Word.id == step).update(number=step)
        assert [word.number for word in await words.where(Word.id == step).all()] == [step]


@case("H5", absent="read_your_writes", needs=("transactions", "consistency.eventual"))
async def a_transaction_reads_its_own_writes_where_others_may_lag(k: Kit) -> None:
    words = k.store[Word]
    await words.create(id=1, text="a")
    async with k.store.transaction():
        for step in range(2, 8):
            await words.create(id=step, text="a")
            assert await words.where(Word.text == "a").consistency("eventual").count() == step
