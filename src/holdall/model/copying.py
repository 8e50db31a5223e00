"""Copying: whether what one field holds is certain to be valid in another, for updates that never pass through an object.

Owns the comparison of two fields' rules. Must not know queries, stores or engines.
"""

from __future__ import annotations

from holdall.model.base import Model
from holdall.model.members import Member
from holdall.model.values import is_text
from holdall.schema import CONTAINERS


def unfit(model: type[Model], name: str, source: str | None) -> str:
    """Why field `name` cannot be set to field `source` of the same record (None: to a computed number); '' if it can.

    Bounds and digits of int and Decimal are not looked at: the store checks them on every write.
    """
    target = model.__shape__.by_name[name]
    if source is None:
        if target.type.codec is not None or target.type.choices is not None or target.described.extra:
            return f"a computed number need not be one of the values that {name} may have"
        return ""
    return "" if source == name else _unfit(target, model.__shape__.by_name[source])


def _unfit(target: Member, source: Member) -> str:
    into, of = target.spec, source.spec
    special = target.type.kind in CONTAINERS or target.type.codec is not None or target.type.choices is not None
    if (special and not _same(target, source)) or (target.described.extra and target.described.extra != source.described.extra):
        return f"{source.name} may hold values that {target.name} does not allow"
    if into.max_length is not None and (of.max_length is None or of.max_length > into.max_length):
        return f"{source.name} may be longer than {into.max_length}, the most that {target.name} takes"
    if into.min_length and (of.min_length or 0) < into.min_length:
        return f"{source.name} may be shorter than {into.min_length}, the least that {target.name} takes"
    if into.pattern is not None and of.pattern != into.pattern:
        return f"{source.name} need not match the pattern of {target.name}"
    if target.type.kind not in ("int", "decimal"):
        for option in ("ge", "gt", "le", "lt"):
            if getattr(into, option) is not None and getattr(of, option) != getattr(into, option):
                return f"{source.name} need not keep to the bounds of {target.name}"
    return ""


def _same(target: Member, source: Member) -> bool:
    """Whether both are declared with the same type."""
    if target.described.base != source.described.base:
        return False
    one, other = target.type.codec, source.type.codec
    if one is None or other is None or is_text(target.type) or is_text(source.type):
        return one is other
    return bool(one.python_type == other.python_type)
