"""What the differential proofs found: each fault of a backend, of the store or of the evaluator, once mended, as a case of its promise."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from holdall.errors import ForeignKeyViolation, VersionMismatch
from holdall.query import is_null, not_one_of, one_of
from holdall.query.quantifiers import every
from holdall.schema import JSON_NULL
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.agreement import Holder, Note
from holdall.testing.models.agreement_expiring import Pass, Stamp, Visit
from holdall.testing.models.agreement_trees import Twig

HOUR = dt.timedelta(hours=1)


@case("E2", needs="aggregates", each={"null": (None,), "JSON null": (JSON_NULL,)})
async def inside_a_container_json_has_one_null(k: Kit, null: object) -> None:
    """A nullable JSON item of a dict, list or nested value holds JSON's own null, however it is written, and reads as None."""
    holders = k.store[Holder]
    made = await holders.create(id=1, by_name={"a": null, "b": 1}, items=[null, 1], note=Note(null))
    read = await holders.get(1)
    assert (read.by_name, read.items, read.note) == ({"a": None, "b": 1}, [None, 1], Note(None)), read
    assert all(value is None for value in (read.by_name["a"], read.items[0], read.note.data)), read
    ((_, by_name, items, note),) = await k.rows(Holder.__entity__)
    assert by_name["a"] is items[0] is note["data"] is JSON_NULL, (by_name, items, note)
    assert await holders.where(Holder.by_name == {"a": None, "b": 1}).count() == 1
    assert await holders.where(is_null(Holder.by_name["a"])).count() == 0, "JSON null is not missing"
    assert made._row == read._row


@case("F1", needs=("references", "set_writes"))
async def a_delete_counts_what_goes_with_another_match(k: Kit) -> None:
    """Matched is matched, also a record that a cascade takes away before its turn; what only the cascade takes is not counted."""
    twigs = k.store[Twig]
    for id, parent in ((1, None), (2, 1), (3, 2), (4, 3)):
        await twigs.create(id=id, parent_id=parent)
    assert await twigs.where(Twig.id <= 3).delete() == 3
    assert await twigs.count() == 0


@case("F3", needs=("references", "expiry"))
async def one_record_cannot_refer_to_an_expired_one(k: Kit) -> None:
    """Created alone, as the only write: the parent has expired, so there is none."""
    await k.store[Visit].create(id=1, until=k.clock() + HOUR)
    await k.store[Stamp].create(id=1, visit_id=1)
    k.clock.forward(hours=1)
    with k.refused(ForeignKeyViolation, fields=("visit_id",)):
        await k.store[Stamp].create(id=2, visit_id=1)
    assert await k.store[Stamp].get(2) is None


@case("F10", needs=("references", "expiry"))
async def a_stale_version_is_told_before_a_missing_parent(k: Kit) -> None:
    """Whoever saves what somebody else has changed learns that, whatever else is wrong with it."""
    stamps = k.store[Stamp]
    await stamps.create(id=1)
    mine, yours = await stamps.get(1), await stamps.get(1)
    await k.store[Visit].create(id=1)
    yours.visit_id = 1
    await stamps.save(yours)
    mine.visit_id = 99
    with k.refused(VersionMismatch):
        await stamps.save(mine)


@case("H6", needs=("references", "expiry", "atomic_batch"))
async def an_expired_record_of_a_batch_leaves_no_trace(k: Kit) -> None:
    """It gives way to the next one with its key, and what it referred to is not asked for."""
    visits = k.store[Visit]
    await visits.create_many([{"id": 1, "until": k.clock(), "before_id": 99}, {"id": 1}])
    assert [(visit.id, visit.until, visit.before_id) for visit in await visits.all()] == [(1, None, None)]


@case("H6", needs=("references", "expiry"), each={"created so": (True,), "changed so": (False,)})
async def a_record_that_refers_to_itself_may_expire(k: Kit, at_once: bool) -> None:
    """Its own expiry is no missing parent."""
    visits = k.store[Visit]
    if at_once:
        await visits.create(id=1, before_id=1, until=k.clock())
    else:
        visit = await visits.create(id=1)
        visit.before_id, visit.until = 1, k.clock()
        await visits.save(visit)
    assert await visits.get(1) is None
    await visits.create(id=1)
    assert await visits.count() == 1


@case("H6", needs=("expiry", "references"))
async def an_insert_gives_the_keys_of_records_that_may_expire(k: Kit) -> None:
    """As they were given, not as the engine keeps them."""
    await k.ready(Pass)
    one, other = UUID(int=1), UUID(int=2)
    assert await k.insert(Pass.__entity__, (one, None), (other, k.clock() + HOUR)) == [one, other]


@case("B2", needs=("references", "joins"))
async def every_takes_a_negation_as_a_whole(k: Kit) -> None:
    """A related record for which the negated condition is unknown does not meet it, so that not every one does."""
    twigs = k.store[Twig]
    for id, parent in ((1, None), (2, 1), (3, None), (4, 3)):
        await twigs.create(id=id, parent_id=parent, note="x" if id == 4 else None)
    found = await twigs.where(one_of(Twig.id, [1, 3]), not_one_of(every(Twig.twigs).note, ["a", "b"])).all()
    assert [twig.id for twig in found] == [3]
