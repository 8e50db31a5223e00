"""Scans: what a memory store that does without them (`memory:?without=scan`) refuses, and which index to declare instead.

Owns the judgement whether an index serves a query, as a key-value engine would see it. Must not know tables or how rows are found.
"""

from __future__ import annotations

from holdall.backends.memory.access import Ways
from holdall.backends.port import Refuse
from holdall.query import And, FieldRef, Membership, Select, references


class NeedsScan(Exception):
    """A query that no index serves; `refusal` says so to users."""

    def __init__(self, refusal: Refuse) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def refuse_scan(select: Select, ways: Ways) -> None:
    """NeedsScan if answering the query means to look at every record.

    A key, a unique value, a bucket or a range of an index serves; so does walking along one in the order asked for, up to a limit, when
    there is nothing to test on the way.
    """
    if ways.key or ways.unique or ways.keys or ways.buckets or ways.spans or ways.walk_sure:
        return
    conjuncts = select.where.items if isinstance(select.where, And) else (select.where,)
    if any(isinstance(item, Membership) and not item.values and not item.negated for item in conjuncts):
        return  # membership in nothing (B5)
    if select.limit is not None and not ways.total and not select.order and not select.group_by and not select.aggregated:
        return  # the first few of any
    entity = select.entity
    named = [ref.field for ref in references(select.where) if isinstance(ref, FieldRef) and not ref.steps and ref.entity is entity]
    named += [
        order.expr.field for order in select.order if isinstance(order.expr, FieldRef) and not order.expr.steps and select.limit is not None
    ]
    names = list(dict.fromkeys(field.name for field in named if field.type.orderable and field.name not in entity.key))
    declare = f"Declare an index: {names[0]} = Field(index=True). Or" if names else "Ask by key or by an indexed field. Or"
    raise NeedsScan(Refuse(f"No index serves this query on {entity.name}; every record would be read.", f"{declare} say allow_scan()."))
