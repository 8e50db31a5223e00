"""From Pydantic's errors to ours: one Problem for each, with a path, a stable code, and a near name for what is misspelt."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from holdall.errors import Problem, near_name

if TYPE_CHECKING:
    import pydantic

_CODES = {
    "missing_argument": "missing",
    "missing_keyword_only_argument": "missing",
    "unexpected_keyword_argument": "unknown_field",
}


def problems_of(error: pydantic.ValidationError, known: Collection[str], prefix: tuple[str | int, ...] = ()) -> list[Problem]:
    """All problems of a Pydantic error. `known` are the names that could have been meant; `prefix` leads to the value checked."""
    found: list[Problem] = []
    for item in error.errors(include_url=False, include_input=False):
        path = (*prefix, *item["loc"])
        code = _CODES.get(item["type"], item["type"])
        if code == "unknown_field" and path:
            found.append(unknown(str(path[-1]), known, path))
        else:
            found.append(Problem(path, code, _message(code, item)))
    return found


def _message(code: str, item: Mapping[str, Any]) -> str:
    if code == "missing":
        return "is required"
    text: str = item["msg"]
    return text.removeprefix("Value error, ").removeprefix("Assertion failed, ")


def unknown(name: str, known: Collection[str], path: tuple[str | int, ...] | None = None) -> Problem:
    """The problem of a name that is no field of the model."""
    if name in known:
        return Problem(path or (name,), "unknown_field", "is a relation, which cannot be given here; give its key")
    return Problem(path or (name,), "unknown_field", f"is not a field. {near_name(name, known)}".rstrip())
