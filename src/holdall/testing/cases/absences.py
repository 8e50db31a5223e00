"""What is absent is refused: capabilities that no letter of the contract is about."""

from __future__ import annotations

from holdall.errors import Unsupported
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.plain import Word


@case("G2", absent="raw")
async def statements_in_the_engines_language_are_refused(k: Kit) -> None:
    """Refused before anything runs, so that a transaction is not even begun by it."""
    await k.store[Word].create(id=1, text="a")
    with k.refused(Unsupported, says="raw") as caught:
        await k.store.sql("DELETE FROM words")
    assert caught.error.hint
    with k.refused(Unsupported, says="raw"):
        _ = k.home.native
    assert await k.store[Word].get(1) is not None


@case("H4", absent="scan")
async def a_query_that_no_index_serves_is_refused_unless_it_may_scan(k: Kit) -> None:
    await k.store[Word].create(id=1, text="a", number=7)
    await k.store[Word].create(id=2, text="b", number=8)
    unserved = k.store[Word].where(Word.text == "a")
    with k.refused(Unsupported) as caught:
        await unserved.all()
    assert caught.error.hint
    assert (await unserved.explain()).plan == "refused"
    assert [word.id for word in await unserved.allow_scan().all()] == [1]
    assert (await k.store[Word].get(2)).text == "b"
