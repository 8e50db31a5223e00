"""C5: operands are typed; comparing what is not of one sort is refused when the query is built, and nothing reaches the backend."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from holdall.errors import QueryError
from holdall.query import (
    agg,
    between,
    contains,
    contains_any,
    desc,
    icontains,
    iendswith,
    iexact,
    is_same,
    istartswith,
    like,
    not_,
    not_one_of,
    one_of,
)
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import numbers
from holdall.testing.models import text as models
from holdall.testing.models.numbers import DAY, NIL, Colour, Size
from holdall.testing.steps import found, never_begun, put, watched, whole
from holdall.testing.ways import FILTERS, refuses_filters

D = Decimal

# To type checkers a field is a plain value; here it stands for a term of a query.
Amount: Any = numbers.Amount
Count: Any = numbers.Count
Crate: Any = numbers.Crate
Sorts: Any = numbers.Sorts
Name: Any = models.Name
Pair: Any = models.Pair

LOCAL = DAY.replace(tzinfo=None)
ZONED = dt.time(0, tzinfo=dt.UTC)

# What each field is not compared with.
WRONG: dict[str, dict[str, Any]] = {
    "text": {
        "an int": 1,
        "a float": 1.0,
        "a Decimal": D(1),
        "a truth value": True,
        "bytes": b"a",
        "a UUID": NIL,
        "a date": DAY.date(),
        "a list": ["a"],
        "an Enum": Colour.RED,
    },
    "whole": {"text": "1", "a float": 1.0, "a Decimal": D(1), "bytes": b"1", "an instant": DAY, "a list": [1], "an IntEnum": Size.LARGE},
    "exact": {"text": "1.1", "a float": 1.5, "a truth value": True, "a date": DAY.date(), "a tuple": (1,)},
    "real": {"text": "1.0", "a Decimal": D(1), "a truth value": False, "a duration": dt.timedelta(1)},
    "flag": {"nothing as int": 0, "one": 1, "text": "true", "a float": 0.0},
    "raw": {"text": "a", "an int": 1, "a list of ints": [97]},
    "code": {"text": str(NIL), "an int": 0, "bytes": NIL.bytes, "its hexadecimal": NIL.hex},
    "day": {"an instant": DAY, "text": "2026-01-01", "an int": 0, "local time": LOCAL},
    "at": {"local time": LOCAL, "a date": DAY.date(), "text": "2026-01-01T00:00:00Z", "seconds": 0.0},
    "local": {"an instant": DAY, "a date": DAY.date(), "text": "2026-01-01T00:00:00"},
    "hour": {"a zoned time": ZONED, "text": "00:00", "an int": 0, "an instant": DAY},
    "span": {"seconds": 0, "text": "PT0S", "a float": 0.5, "a time": dt.time(0)},
    "colour": {"another word": "green", "its name": "RED", "an int": 1, "another Enum": Size.SMALL},
    "size": {"another number": 3, "text": "1", "a float": 1.0, "a truth value": True},
    "word": {"another word": "c", "an int": 1, "an Enum": Colour.RED},
    "data": {
        "a Decimal": D(1),
        "a UUID": NIL,
        "an instant": DAY,
        "bytes": b"a",
        "a set": {1},
        "an object with numbers for names": {1: "a"},
    },
    "texts": {"text": "a", "a list of ints": [1], "a set": {"a"}, "an object": {"a": "b"}},
    "ints": {"an int": 1, "a list of texts": ["1"], "a list of floats": [1.0], "a list of truth values": [True]},
    "labels": {"text": "a", "a set of ints": {1}, "an object": {"a": "b"}},
    "named": {"a list": ["a"], "text for an int": {"a": "b"}, "an int for a name": {1: 1}, "text": "a"},
    "part": {
        "text": "a",
        "an unknown part": {"nothing": 1},
        "text for an int": {"n": "1", "d": D(0), "x": 0.0, "flag": False},
        "a list": [1],
    },
}


@case("C5", each={f"{field} with {name}": (field, value) for field, values in WRONG.items() for name, value in values.items()})
async def what_is_of_another_sort_is_no_operand(k: Kit, field: str, value: Any) -> None:
    """Every comparison of the field with it is refused, in both spellings."""
    await refuses_filters(k, Sorts, field, value)


@case("C5", each=WRONG.keys())
async def one_wrong_operand_among_good_ones_is_refused(k: Kit, field: str) -> None:
    """In lists and ranges each operand is looked at."""
    good, wrong = getattr(Sorts(id=1), field), next(iter(WRONG[field].values()))
    store, watch = await watched(k, Sorts)
    term = getattr(Sorts, field)
    if good is not None:
        for act in (
            lambda: store[Sorts].where(one_of(term, [good, wrong])),
            lambda: store[Sorts].where(not_one_of(term, [good, None, wrong])),
            lambda: store[Sorts].where(between(term, good, wrong)),
            lambda: store[Sorts].where(between(term, wrong, good)),
            lambda: store[Sorts].where(not_((term == good) | (term != wrong))),
        ):
            await never_begun(watch, QueryError, act)
    wrong_lists: tuple[Any, ...] = (5, "ab", b"ab", None)
    for no_list in wrong_lists:
        await never_begun(watch, QueryError, lambda no_list=no_list: store[Sorts].where(one_of(term, no_list)))


@case("C5", each=WRONG.keys())
async def a_comparison_with_none_is_refused(k: Kit, field: str) -> None:
    """Null is asked for by is_null or is_same; the error says so."""
    store, watch = await watched(k, Sorts)
    term = getattr(Sorts, field)
    for act in (
        lambda: store[Sorts].where(term.__eq__(None)),
        lambda: store[Sorts].where(term.__ne__(None)),
        lambda: store[Sorts].where(**{field: None}),
    ):
        error = await never_begun(watch, QueryError, act)
        assert "is_null" in error.hint


KINDS: dict[str, str] = {
    "text": "text",
    "word": "text",
    "colour": "text",
    "whole": "number",
    "exact": "number",
    "size": "number",
    "real": "float",
    "flag": "bool",
    "raw": "bytes",
    "code": "uuid",
    "day": "date",
    "at": "instant",
    "local": "local",
    "hour": "time",
    "span": "duration",
    "data": "json",
    "texts": "list",
    "labels": "set",
    "named": "dict",
    "part": "record",
}


@case("C5", each=KINDS.keys())
async def fields_of_different_sorts_are_not_compared(k: Kit, field: str) -> None:
    """int goes with Decimal, and every other sort with itself only."""
    await put(k, Sorts, {"id": 1, "part": None})
    store, watch = await watched(k, Sorts)
    for other, kind in KINDS.items():
        one, two = getattr(Sorts, field), getattr(Sorts, other)
        if kind == KINDS[field]:
            assert await found(k, Sorts, is_same(one, one)) == [1]
            store[Sorts].where(one == two)
            continue
        for op in ("==", "!=", "<", ">=", "same"):
            await never_begun(watch, QueryError, lambda op=op, one=one, two=two: store[Sorts].where(FILTERS[op](one, two)))
            await never_begun(watch, QueryError, lambda op=op, one=one, two=two: store[Sorts].where(FILTERS[op](two, one)))


TEXT_TESTS: dict[str, Callable[[Any, Any], Any]] = {
    "startswith": lambda term, text: term.startswith(text),
    "endswith": lambda term, text: term.endswith(text),
    "like": like,
    "iexact": iexact,
    "icontains": icontains,
    "istartswith": istartswith,
    "iendswith": iendswith,
}


@case("C5", each=TEXT_TESTS.keys())
async def text_tests_are_for_text(k: Kit, op: str) -> None:
    """Neither the field nor the operand may be anything else."""
    store, watch = await watched(k, Sorts)
    make = TEXT_TESTS[op]
    for field, kind in KINDS.items():
        term = getattr(Sorts, field)
        if kind != "text":
            await never_begun(watch, QueryError, lambda term=term: store[Sorts].where(make(term, "1")))
            await never_begun(watch, QueryError, lambda field=field: store[Sorts].where(**{f"{field}__{op}": "1"}))
    for value in (1, 1.0, D(1), True, None, b"a", ["a"], NIL, Colour.RED if op == "like" else 5):
        await never_begun(watch, QueryError, lambda value=value: store[Sorts].where(make(Sorts.text, value)))
        await never_begun(watch, QueryError, lambda value=value: store[Sorts].where(**{f"text__{op}": value}))


ITEMS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "a list of texts": ("texts", (1, True, b"a", NIL, ["a"], D(1))),
    "a list of ints": ("ints", ("1", 1.0, True, D(1), [1])),
    "a set of texts": ("labels", (1, b"a", {"a"})),
    "names of a dict": ("named", (1, True, b"a")),
    "JSON": ("data", (D(1), NIL, b"a", DAY, {1})),
    "text": ("text", (1, True, b"a", ["a"])),
    "an int": ("whole", (1,)),
    "a Decimal": ("exact", (D(1),)),
    "a truth value": ("flag", (True,)),
    "bytes": ("raw", (b"a", 97)),
    "a record": ("part", ("n",)),
}


@case("C5", each=ITEMS)
async def items_are_typed(k: Kit, field: str, values: tuple[Any, ...]) -> None:
    """What is looked for in a container is of its items' sort; what holds no items is not looked into."""
    store, watch = await watched(k, Sorts)
    term = getattr(Sorts, field)
    for value in values:
        await never_begun(watch, QueryError, lambda value=value: store[Sorts].where(contains(term, value)))
        await never_begun(watch, QueryError, lambda value=value: store[Sorts].where(contains_any(term, [value])))
        await never_begun(watch, QueryError, lambda value=value: store[Sorts].where(**{f"{field}__has": value}))
        await never_begun(watch, QueryError, lambda value=value: store[Sorts].where(**{f"{field}__all": [value]}))


@case(
    "C5",
    each={
        "an int by text": (Count, "1"),
        "an int by a float": (Count, 1.0),
        "an int by a Decimal": (Count, D(1)),
        "an int by a tuple": (Count, (1,)),
        "text by an int": (Name, 1),
        "text by bytes": (Name, b"a"),
        "text by a UUID": (Name, UUID(int=1)),
        "two texts by one": (Pair, "ab"),
        "two texts by three": (Pair, ("a", "b", "c")),
        "two texts by text and int": (Pair, ("a", 1)),
        "two texts by a dict of others": (Pair, {"first": "a"}),
    },
)
async def keys_are_typed(k: Kit, model: Any, key: Any) -> None:
    """A key of another sort or number of parts is refused before the backend is asked."""
    store, watch = await watched(k, model)
    await never_begun(watch, QueryError, lambda: store[model].get(key))
    await never_begun(watch, QueryError, lambda: store[model].get_many([key]))


@case(
    "C5",
    each={
        "sum of text": (lambda: agg.sum(Sorts.text),),
        "average of text": (lambda: agg.avg(Sorts.text),),
        "sum of truth values": (lambda: agg.sum(Sorts.flag),),
        "average of dates": (lambda: agg.avg(Sorts.day),),
        "sum of durations": (lambda: agg.sum(Sorts.span),),
        "sum of JSON": (lambda: agg.sum(Sorts.data),),
        "least list": (lambda: agg.min(Sorts.texts),),
        "greatest JSON": (lambda: agg.max(Sorts.data),),
        "distinct lists": (lambda: agg.count(Sorts.texts, distinct=True),),
        "order of a list": (lambda: desc(Sorts.ints),),
        "order of a dict": (lambda: desc(Sorts.named),),
    },
)
async def what_has_no_sum_or_order_is_refused(k: Kit, make: Callable[[], Any]) -> None:
    """When the expression is built."""
    _, watch = await watched(k, Sorts)
    await never_begun(watch, QueryError, make)


@case("C5")
async def an_int_goes_where_a_decimal_or_a_float_is_asked(k: Kit) -> None:
    """It is exact there; the answer is that of the number."""
    await put(k, Sorts, {"id": 1, "exact": D("1.00"), "real": 1.0}, {"id": 2, "exact": D("1.5"), "real": 1.5})
    assert await found(k, Sorts, Sorts.exact == 1) == [1]
    assert await found(k, Sorts, Sorts.exact > 1) == [2]
    assert await found(k, Sorts, Sorts.real == 1) == [1]
    assert await found(k, Sorts, one_of(Sorts.real, [1, 2])) == [1]
    assert await found(k, Sorts, between(Sorts.exact, 1, D("1.5"))) == [1, 2]


JSONS: tuple[Any, ...] = (1, 2, 1.5, "1", "a", "", True, False, None, [], [1], ["1"], {}, {"a": 1})


@case(
    "C5",
    each={
        "a number": 1,
        "a fraction": 1.5,
        "text": "1",
        "empty text": "",
        "a truth value": True,
        "an empty list": [],
        "an object": {"a": 1},
    },
)
async def places_in_json_equal_only_their_own_sort(k: Kit, operand: Any) -> None:
    """JSON has no sorts to refuse by: what is of another one is unequal, and neither less nor greater."""
    await put(k, Crate, *({"id": at, "data": {"v": value}} for at, value in enumerate(JSONS)), {"id": 100})
    term = Crate.data["v"]
    equal = [at for at, value in enumerate(JSONS) if value == operand and type(value) is type(operand)]
    assert await found(k, Crate, term == operand) == equal
    assert await found(k, Crate, term != operand) == [at for at in range(len(JSONS)) if at not in equal]
    assert await found(k, Crate, one_of(term, [operand, "nothing else"])) == equal
    if isinstance(operand, str | int | float) and not isinstance(operand, bool):
        sorts = (str,) if isinstance(operand, str) else (int, float)
        alike: list[tuple[int, Any]] = [(at, value) for at, value in enumerate(JSONS) if type(value) in sorts]
        assert await found(k, Crate, term < operand) == [at for at, value in alike if value < operand]
        assert await found(k, Crate, term >= operand) == [at for at, value in alike if value >= operand]
        assert await found(k, Crate, not_(term < operand)) == [at for at, value in alike if value >= operand]
        assert await found(k, Crate, not_(term >= operand)) == [at for at, value in alike if value < operand]


@case("C5")
async def a_refused_query_leaves_the_store_as_it_was(k: Kit) -> None:
    """After refusals the same store goes on, and nothing was written."""
    await put(k, Amount, {"id": 1, "n": 1})
    for wrong in ("1", D("1.0"), True):
        with k.refused(QueryError, says="Amount.n"):
            k.store[Amount].where(Amount.n == wrong)
        with k.refused(QueryError, says="Amount.n"):
            k.store[Amount].where(n__gt=wrong)
    assert await found(k, Amount, Amount.n == 1) == [1]
    assert len(await whole(k, Amount)) == 1
