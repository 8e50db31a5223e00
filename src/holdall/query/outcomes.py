"""Outcomes: what a condition can come to, whatever the rows hold. Membership in nothing is false, and needs no engine to say so (B5).

Owns the folding of conditions without looking at rows. Must not know models or engines.
"""

from __future__ import annotations

from holdall.query.nodes import And, Compare, Condition, Constant, IsNull, Membership, Not, Or, Related

_TRUE, _FALSE, _UNKNOWN = 1, 2, 4
_ANY = _TRUE | _FALSE | _UNKNOWN


def never_true(condition: Condition) -> bool:
    """Whether no row at all can meet the condition."""
    return condition.__class__ is not Compare and not _possible(condition) & _TRUE


def _possible(condition: Condition) -> int:
    """The set of outcomes that are not ruled out, as bits."""
    if isinstance(condition, Constant):
        return _TRUE if condition.value else _FALSE
    if isinstance(condition, And | Or):
        # Or is And with true and false exchanged.
        swapped = isinstance(condition, Or)
        parts = [_exchange(_possible(item)) if swapped else _possible(item) for item in condition.items]
        both = _conjunction(parts)
        return _exchange(both) if swapped else both
    if isinstance(condition, Not):
        return _exchange(_possible(condition.item))
    if isinstance(condition, Membership):
        return _membership(condition)
    if isinstance(condition, Related):
        return _related(condition)
    return _TRUE | _FALSE if isinstance(condition, IsNull) else _ANY


def _conjunction(parts: list[int]) -> int:
    found = 0
    if all(part & _TRUE for part in parts):
        found |= _TRUE
    if any(part & _FALSE for part in parts):
        found |= _FALSE
    if any(part & _UNKNOWN for part in parts) and all(part & (_TRUE | _UNKNOWN) for part in parts):
        found |= _UNKNOWN
    return found


def _exchange(outcomes: int) -> int:
    return (outcomes & _UNKNOWN) | (_FALSE if outcomes & _TRUE else 0) | (_TRUE if outcomes & _FALSE else 0)


def _membership(node: Membership) -> int:
    null = _UNKNOWN if node.with_null else _FALSE  # what a value that is in the list nowhere comes to
    found = null | _TRUE | _UNKNOWN if node.values else null
    return _exchange(found) if node.negated else found


def _related(node: Related) -> int:
    """What holds of no rows at all (every, none) may always hold."""
    inner = _possible(node.inner)
    if node.quantifier == "any":
        return _TRUE | _FALSE if inner & _TRUE else _FALSE
    if node.quantifier == "none":
        return _TRUE | _FALSE if inner & _TRUE else _TRUE
    return _TRUE if inner == _TRUE else _TRUE | _FALSE
