"""H8: what stands inside containers inside containers belongs to the caller too."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.deep import CABINET, Cabinet

INSIDE: dict[str, tuple[str, Any, Callable[[Any], Any]]] = {
    # a field, its value, and what of it is changed in place
    "a list in a dict": ("drawers", {"a": [1], "b": []}, lambda value: value["a"].append(9)),
    "a dict of lists": ("drawers", {"a": [1]}, lambda value: value.update(c=[1])),
    "a dict in a list": ("rows", [{"a": 1}], lambda value: value[0].update(a=9)),
    "a list in a list": ("pairs", [[1, 2], []], lambda value: value[1].append(9)),
    "JSON in a dict": ("papers", {"a": {"b": [1]}}, lambda value: value["a"]["b"].append(9)),
    "a dict of JSON": ("papers", {"a": {"b": [1]}}, lambda value: value.pop("a")),
    "JSON in a list": ("sheets", [{"b": [1]}, None], lambda value: value[0]["b"].append(9)),
}


@case("H8", each=INSIDE)
async def parts_of_parts_belong_to_the_caller(k: Kit, name: str, value: Any, change: Callable[[Any], Any]) -> None:
    """Changing what was given, read by key, by query, as a column or again changes nothing that is stored."""
    cabinets = k.store[Cabinet]
    given = copy.deepcopy(value)
    made = await cabinets.create(id=1, **{name: given})
    change(given)
    change(getattr(made, name))
    for _ in range(2):
        record = await cabinets.get(1)
        assert getattr(record, name) == value
        change(getattr(record, name))
        (found,) = await cabinets.where(CABINET.id == 1).all()
        assert getattr(found, name) == value
        change(getattr(found, name))
        (column,) = await cabinets.query().column(getattr(CABINET, name))
        assert column == value
        change(column)
        await cabinets.refresh(record)
        assert getattr(record, name) == value
        change(getattr(record, name))
    assert getattr(await cabinets.get(1), name) == value
