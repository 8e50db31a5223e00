"""B2: and, or, not over true, false and unknown; which records a condition keeps; and that no condition is lost on the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdall.errors import QueryError
from holdall.query import Q, agg, contains, is_null, not_, not_one_of, one_of
from holdall.testing.case import case
from holdall.testing.filling import fill
from holdall.testing.kit import Kit
from holdall.testing.models.samples import SAMPLE, Sample

# What a condition on SAMPLE.whole or SAMPLE.exact comes to for the record below: true, false or unknown.
LEFT: dict[str, Callable[[], Any]] = {
    "true": lambda: SAMPLE.whole == 1,
    "false": lambda: SAMPLE.whole == 2,
    "unknown": lambda: SAMPLE.real == 1.0,
}
RIGHT: dict[str, Callable[[], Any]] = {
    "true": lambda: SAMPLE.text == "a",
    "false": lambda: SAMPLE.text == "b",
    "unknown": lambda: SAMPLE.day == SAMPLE.day,
}
NAMES = ("true", "false", "unknown")


def _kleene_and(left: str, right: str) -> str:
    return "false" if "false" in (left, right) else "unknown" if "unknown" in (left, right) else "true"


def _kleene_or(left: str, right: str) -> str:
    return "true" if "true" in (left, right) else "unknown" if "unknown" in (left, right) else "false"


PAIRS = {f"{left}, {right}": (left, right) for left in NAMES for right in NAMES}


async def _is(k: Kit, condition: Any, expected: str) -> None:
    """The condition keeps the one record exactly if it is true, and its opposite exactly if it is false."""
    await k.store[Sample].create(id=1, whole=1, text="a")
    kept = [item.id for item in await k.store[Sample].where(condition).all()]
    left = [item.id for item in await k.store[Sample].where(not_(condition)).all()]
    assert (kept, left) == ([1] if expected == "true" else [], [1] if expected == "false" else []), f"not {expected}: {kept}, {left}"


@case("B2", each=PAIRS)
async def the_truth_table_of_and(k: Kit, left: str, right: str) -> None:
    """False wins, then unknown."""
    await _is(k, LEFT[left]() & RIGHT[right](), _kleene_and(left, right))


@case("B2", each=PAIRS)
async def the_truth_table_of_or(k: Kit, left: str, right: str) -> None:
    """True wins, then unknown."""
    await _is(k, LEFT[left]() | RIGHT[right](), _kleene_or(left, right))


@case("B2", each={name: name for name in NAMES})
async def the_truth_table_of_not(k: Kit, name: str) -> None:
    """True and false change places; unknown stays, however often it is denied."""
    opposite = {"true": "false", "false": "true"}.get(name, "unknown")
    await _is(k, not_(LEFT[name]()), opposite)
    found = await k.store[Sample].where(not_(not_(not_(LEFT[name]())))).all()
    assert len(found) == (opposite == "true")


@case("B2", each={name: name for name in NAMES})
async def conditions_of_three_parts(k: Kit, name: str) -> None:
    """Parentheses are kept: (a | b) & c is not a | (b & c), with any third part."""
    true, false, third = LEFT["true"](), RIGHT["false"](), LEFT[name]()
    await k.store[Sample].create(id=1, whole=1, text="a")
    shapes = {
        "(t | f) & x": ((true | false) & third, name == "true"),
        "t | (f & x)": (true | (false & third), True),
        "not (t & x)": (not_(true & third), name == "false"),
        "not (f | x)": (not_(false | third), name == "false"),
        "x & not x": (third & not_(third), False),
        "x | not x": (third | not_(third), name != "unknown"),
        "(f & x) | not (f & x)": ((false & third) | not_(false & third), True),
    }
    for said, (condition, expected) in shapes.items():
        assert await k.store[Sample].where(condition).exists() is expected, said


@case("B2", each={name: name for name in NAMES})
async def several_where_are_an_and(k: Kit, name: str) -> None:
    """where(a, b), where(a).where(b), where(a & b) and keywords say the same."""
    await k.store[Sample].create(id=1, whole=1, text="a")
    true, other = RIGHT["true"](), LEFT[name]()
    for query in (
        k.store[Sample].where(true, other),
        k.store[Sample].where(true).where(other),
        k.store[Sample].where(true & other),
        k.store[Sample].where(other, text="a"),
        k.store[Sample].query().where(other).where(text__in=["a"]),
    ):
        assert len(await query.all()) == (name == "true")


KEYWORDS: dict[str, tuple[dict[str, Any], set[int]]] = {
    "eq": ({"whole": 1}, {1}),
    "eq, spelled out": ({"whole__eq": 1}, {1}),
    "ne": ({"whole__ne": 1}, {2}),
    "gt": ({"whole__gt": 1}, {2}),
    "gte": ({"whole__gte": 1}, {1, 2}),
    "lt": ({"whole__lt": 2}, {1}),
    "lte": ({"whole__lte": 2}, {1, 2}),
    "in": ({"whole__in": [1, None]}, {1}),
    "nin": ({"whole__nin": [1]}, {2}),
    "nin with null": ({"whole__nin": [1, None]}, set()),
    "between": ({"whole__between": (1, 1)}, {1}),
    "is_null": ({"whole__is_null": True}, {3}),
    "is_null false": ({"whole__is_null": False}, {1, 2}),
    "contains": ({"text__contains": "b"}, {2}),
    "startswith": ({"text__startswith": "a"}, {1}),
    "icontains": ({"text__icontains": "B"}, {2}),
    "like": ({"text__like": "_"}, {1, 2}),
    "has": ({"items__has": "x"}, {1}),
    "any": ({"items__any": ["x", "y"]}, {1, 2}),
    "all": ({"items__all": ["x", "y"]}, set()),
}


@case("B2", each=KEYWORDS)
async def keywords_mean_what_terms_mean(k: Kit, lookups: dict[str, Any], expected: set[int]) -> None:
    """The spelling path__op=value, null included; alone, in Q, and denied: what is unknown meets neither."""
    await fill(k.store[Sample], [{"id": 1, "whole": 1, "text": "a", "items": ["x"]}, {"id": 2, "whole": 2, "text": "b", "items": ["y"]}])
    await k.store[Sample].create(id=3)
    for query in (k.store[Sample].where(**lookups), k.store[Sample].where(Q(**lookups)), k.store[Sample].where(~~Q(**lookups))):
        assert {item.id for item in await query.all()} == expected
    denied = {item.id for item in await k.store[Sample].where(not_(Q(**lookups))).all()}
    (name,) = lookups
    known = {1, 2, 3} if name.endswith("is_null") else set[int]() if name == "whole__nin" and None in lookups[name] else {1, 2}
    if name == "whole__nin" and None in lookups[name]:
        known = {1}  # 1 is in the list; whether 2 is, nobody knows
    if name == "whole__in":
        known = {1}
    assert denied == known - expected


@case("B2")
async def a_bare_bool_field_is_a_condition(k: Kit) -> None:
    """where(flag) keeps true only; where(~flag) false only."""
    await fill(k.store[Sample], [{"id": 1, "flag": True}, {"id": 2, "flag": False}, {"id": 3}])
    flag: Any = SAMPLE.flag
    assert [item.id for item in await k.store[Sample].where(flag).all()] == [1]
    assert [item.id for item in await k.store[Sample].where(~flag).all()] == [2]
    assert [item.id for item in await k.store[Sample].where(flag | ~flag).order_by("id").all()] == [1, 2]


@case("B2")
async def or_after_where_does_not_return_everything(k: Kit) -> None:
    """An alternative inside one call stays inside it."""
    await fill(k.store[Sample], [{"id": number, "whole": number, "text": "ab"[number % 2]} for number in range(1, 7)])
    found = await k.store[Sample].where(SAMPLE.text == "a").where((SAMPLE.whole == 2) | (SAMPLE.whole == 3)).all()
    assert [item.id for item in found] == [2]
    found = await k.store[Sample].where(Q(text="a") & (Q(whole=2) | Q(whole=6) | Q(whole=3))).order_by("id").all()
    assert [item.id for item in found] == [2, 6]


BROKEN: dict[str, Callable[[Any], Any]] = {
    "unknown operator": lambda c: c.where(whole__greater=1),
    "unknown field": lambda c: c.where(hole=1),
    "unknown field in Q": lambda c: c.where(Q(hole=1)),
    "unknown field in an or": lambda c: c.where(Q(whole=1) | Q(hole=1)),
    "operator that the type has not": lambda c: c.where(whole__startswith="a"),
    "a bool instead of a condition": lambda c: c.where(True),
    "comparison with None": lambda c: c.where(SAMPLE.whole == None),
    "keyword with None": lambda c: c.where(whole=None),
    "order with None": lambda c: c.where(SAMPLE.whole < None),
    "is_null with a number": lambda c: c.where(whole__is_null=1),
    "text as a list of values": lambda c: c.where(one_of(SAMPLE.text, "ab")),
    "between of three": lambda c: c.where(whole__between=(1, 2, 3)),
    "python's and": lambda c: c.where((SAMPLE.whole == 1) and (SAMPLE.text == "a")),
    "python's in": lambda c: c.where(SAMPLE.whole in [1, 2]),
    "an item that is no text": lambda c: c.where(contains(SAMPLE.items, 1)),
    "null in what a list holds": lambda c: c.where(contains(SAMPLE.items, None)),
    "unknown order": lambda c: c.query().order_by("hole"),
    "unknown order, descending": lambda c: c.query().order_by("-hole"),
}


@case("B2", each=BROKEN)
async def a_condition_that_cannot_be_is_refused_and_matches_nothing(k: Kit, make: Callable[[Any], Any]) -> None:
    """Never everything, never in silence: the query is refused before it is asked."""
    await k.store[Sample].create(id=1, whole=1, text="a")
    with k.refused(QueryError):
        await make(k.store[Sample]).all()


@case("B2", needs="set_writes")
async def an_update_by_query_changes_only_what_is_true(k: Kit) -> None:
    """Records for which the condition is unknown stay as they are, and are not counted."""
    await fill(k.store[Sample], [{"id": 1, "whole": 1}, {"id": 2, "whole": 2}, {"id": 3}])
    assert await k.store[Sample].where(SAMPLE.whole != 1).update(text="changed") == 1
    assert await k.store[Sample].where(not_one_of(SAMPLE.whole, [7, None])).update(text="never") == 0
    assert [(item.id, item.text) for item in await k.store[Sample].query().order_by("id").all()] == [(1, None), (2, "changed"), (3, None)]


@case("B2", needs="set_writes")
async def a_delete_by_query_removes_only_what_is_true(k: Kit) -> None:
    """Records for which the condition is unknown stay."""
    await fill(k.store[Sample], [{"id": 1, "whole": 1}, {"id": 2, "whole": 2}, {"id": 3}])
    assert await k.store[Sample].where(not_(SAMPLE.whole == 1)).delete() == 1
    assert await k.store[Sample].where(not_one_of(SAMPLE.whole, [7, None])).delete() == 0
    assert sorted(item.id for item in await k.store[Sample].all()) == [1, 3]
    assert await k.store[Sample].where(is_null(SAMPLE.whole)).delete() == 1
    assert [item.id for item in await k.store[Sample].all()] == [1]


@case("B2", needs="set_writes")
async def an_assignment_from_null_is_null(k: Kit) -> None:
    """Arithmetic with a null leaves a null; a null assigned is one."""
    await fill(k.store[Sample], [{"id": 1, "whole": 1, "exact": 5}, {"id": 2, "whole": 2}])
    assert await k.store[Sample].query().update(whole=SAMPLE.whole + 1, exact=SAMPLE.exact * 2) == 2
    rows = await k.store[Sample].query().order_by("id").values("id", "whole", "exact")
    assert [(row["id"], row["whole"], row["exact"]) for row in rows] == [(1, 2, 10), (2, 3, None)]
    assert await k.store[Sample].query().update(whole=None) == 2
    assert len(await k.store[Sample].where(is_null(SAMPLE.whole)).all()) == 2


@case("B2", needs="aggregates")
async def reads_of_every_kind_keep_only_what_is_true(k: Kit) -> None:
    """all, first, last, one, count, exists, values, column, page and stream agree about what is unknown."""
    await fill(k.store[Sample], [{"id": 1, "whole": 1}, {"id": 2, "whole": 2}, {"id": 3}])
    query = k.store[Sample].where(SAMPLE.whole != 1)
    assert [item.id for item in await query.all()] == [2]
    assert (await query.first()).id == (await query.last()).id == (await query.one()).id == 2
    assert (await query.count(), await query.exists()) == (1, True)
    assert await query.values("id") == [{"id": 2}]
    assert await query.column(SAMPLE.id) == [2]
    assert [item.id for item in await query.page(10)] == [2]
    assert [item.id async for item in query.stream()] == [2]
    unknown = k.store[Sample].where(not_one_of(SAMPLE.whole, [None]))
    assert (await unknown.count(), await unknown.exists(), await unknown.first(), await unknown.all()) == (0, False, None, [])


HAVING: dict[str, tuple[Callable[[], Any], list[str]]] = {
    "sum of nothing known": (lambda: agg.sum(SAMPLE.whole) >= 0, ["a"]),
    "its opposite": (lambda: not_(agg.sum(SAMPLE.whole) >= 0), []),
    "null sum": (lambda: is_null(agg.sum(SAMPLE.whole)), ["b"]),
    "count of nulls": (lambda: agg.count(SAMPLE.whole) == 0, ["b"]),
    "count of records": (lambda: agg.count() == 2, ["a", "b"]),
    "least, not in": (lambda: not_one_of(agg.min(SAMPLE.whole), [5, None]), []),
    "least, in": (lambda: one_of(agg.min(SAMPLE.whole), [1, None]), ["a"]),
    "or": (lambda: (agg.max(SAMPLE.whole) == 3) | is_null(agg.max(SAMPLE.whole)), ["a", "b"]),
}


@case("B2", needs="aggregates", each=HAVING)
async def having_keeps_only_groups_of_which_it_is_true(k: Kit, make: Callable[[], Any], expected: list[str]) -> None:
    """A group whose aggregate is null meets neither the condition nor its opposite."""
    values = [("a", 1), ("a", 3), ("b", None), ("b", None)]
    await fill(k.store[Sample], [{"id": number, "text": text, "whole": whole} for number, (text, whole) in enumerate(values)])
    found = await k.store[Sample].query().group_by(SAMPLE.text).having(make()).order_by("text").values("text")
    assert [row["text"] for row in found] == expected
