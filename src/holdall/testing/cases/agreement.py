"""What the differential proofs found: each fault of a backend, of the store or of the evaluator, once mended, as a case of its promise."""

from __future__ import annotations

from holdall.query import is_null
from holdall.schema import JSON_NULL
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.agreement import Holder, Note


@case("E2", each={"null": (None,), "JSON null": (JSON_NULL,)})
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
