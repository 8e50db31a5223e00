"""C2: Decimal is exact to 38 digits; a scale that does not fit is refused, never rounded."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from holdall.errors import QueryError, SizeLimit, UniqueViolation, Unsupported
from holdall.query import agg, between, contains, contains_all, desc, is_same, not_one_of, one_of
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models import numbers, unique_numbers
from holdall.testing.models.numbers import Part
from holdall.testing.steps import found, never_begun, put, watched, whole
from holdall.testing.ways import WRITES, refuses_filters, refuses_writes

D = Decimal

# To type checkers a field is a plain value; here it stands for a term of a query.
Amount: Any = numbers.Amount
Crate: Any = numbers.Crate
Price: Any = numbers.Price
Serial: Any = unique_numbers.Serial

NINES = "9" * 38

# (field, given, text of what is kept)
KEPT: dict[str, tuple[str, str, str]] = {
    "nothing": ("free", "0", "0"),
    "minus nothing": ("free", "-0", "0"),
    "minus nothing with places": ("free", "-0.00", "0"),
    "zeros at the end": ("free", "1.10", "1.1"),
    "only zeros behind the point": ("free", "100.000", "100"),
    "zeros before the point": ("free", "100", "100"),
    "zeros in front": ("free", "000.5", "0.5"),
    "positive exponent": ("free", "1E+3", "1000"),
    "negative exponent": ("free", "12E-4", "0.0012"),
    "a tenth": ("free", "0.1", "0.1"),
    "negative": ("free", "-1.5", "-1.5"),
    "38 nines": ("free", NINES, NINES),
    "38 nines below nothing": ("free", f"-{NINES}", f"-{NINES}"),
    "38 nines behind the point": ("free", f"0.{NINES}", f"0.{NINES}"),
    "38 nines around the point": ("free", f"{NINES[:20]}.{NINES[20:]}", f"{NINES[:20]}.{NINES[20:]}"),
    "the smallest": ("free", "0." + "0" * 37 + "1", "1E-38"),
    "the smallest below nothing": ("free", "-1.0E-38", "-1E-38"),
    "a one and 37 zeros": ("free", "1E+37", "1" + "0" * 37),
    "beyond a double": ("free", "12345678901234567890.123456789", "12345678901234567890.123456789"),
    "beyond 64 bits": ("free", "18446744073709551616", "18446744073709551616"),
    "money": ("money", "1", "1.00"),
    "money of one place": ("money", "1.1", "1.10"),
    "money of many zeros": ("money", "1.1000000", "1.10"),
    "no money": ("money", "-0", "0.00"),
    "most money": ("money", "9999999999.99", "9999999999.99"),
    "least money": ("money", "-9999999999.99", "-9999999999.99"),
    "a cent": ("money", "0.01", "0.01"),
    "indexed": ("indexed", "2.50", "2.5"),
    "indexed and wide": ("indexed", NINES, NINES),
    "wide": ("wide", NINES, NINES),
    "wide with an exponent": ("wide", "1E+37", "1" + "0" * 37),
    "fine": ("fine", f"-0.{NINES}", f"-0.{NINES}"),
    "fine and nothing": ("fine", "0", "0E-38"),
    "fine and short": ("fine", "0.5", "0.5" + "0" * 37),
    "in the middle": ("mid", f"{NINES[:28]}.{NINES[:10]}", f"{NINES[:28]}.{NINES[:10]}"),
    "may be null": ("maybe", "3.140", "3.14"),
}


@case("C2", each=KEPT)
async def decimals_are_kept_in_one_form(k: Kit, field: str, given: str, wanted: str) -> None:
    """Written and read, found by value in any spelling of it, and the same object form from every way of writing."""
    amounts = k.store[Amount]
    await put(k, Amount, {"id": 1, field: D(given)}, {"id": 2, field: D("0.125") if field in ("fine", "free", "mid") else D(7)})
    await amounts.upsert(id=3, **{field: D(wanted)})
    record = await amounts.get(1)
    assert (type(getattr(record, field)), str(getattr(record, field))) == (D, wanted)
    assert str(getattr(await amounts.get(3), field)) == wanted
    term = getattr(Amount, field)
    for spelled in (given, wanted):
        assert await found(k, Amount, term == D(spelled)) == [1, 3]
        assert await found(k, Amount, one_of(term, [D(spelled), D("0.25")])) == [1, 3]
        assert await found(k, Amount, between(term, D(spelled), D(spelled))) == [1, 3]
        assert await found(k, Amount, is_same(term, D(spelled))) == [1, 3]


TOO_MUCH: dict[str, tuple[str, str]] = {
    "a third place": ("money", "1.001"),
    "a third place that would round up": ("money", "0.999"),
    "an exponent below": ("money", "1E-3"),
    "eleven digits before the point": ("money", "10000000000"),
    "a place in a wide one": ("wide", "0.1"),
    "39 digits in a wide one": ("wide", "1" + "0" * 38),
    "a digit before the point in a fine one": ("fine", "1"),
    "39 places": ("fine", "1E-39"),
    "39 digits": ("free", "1" * 39),
    "39 digits around the point": ("free", f"1.{NINES}"),
    "an exponent of 38": ("free", "1E+38"),
    "a huge exponent": ("free", "1E+1000000"),
    "a tiny exponent": ("free", "1E-1000000"),
    "an eleventh place": ("mid", "0.00000000001"),
    "29 digits before ten places": ("mid", "1" + "0" * 28),
    "not a number": ("free", "NaN"),
    "a signalling one": ("free", "sNaN"),
    "infinite": ("free", "Infinity"),
    "infinite below": ("money", "-Infinity"),
    "not a number of money": ("money", "NaN"),
    "infinite in an index": ("indexed", "Infinity"),
    "not a number that may be null": ("maybe", "NaN"),
}


@case(
    "C2", each={f"{name} by {way}": (field, text, way) for name, (field, text) in TOO_MUCH.items() for way in ("create", "save", "upsert")}
)
async def decimals_that_do_not_fit_are_refused(k: Kit, field: str, text: str, way: str) -> None:
    """Too many places or digits, and what is no number: nothing is rounded, cut or made null."""
    await refuses_writes(k, Amount, field, D(text), way)


@case("C2", each={way: way for way in WRITES})
async def no_way_of_writing_rounds(k: Kit, way: str) -> None:
    """One place too many, by every way there is."""
    await refuses_writes(k, Amount, "money", D("0.005"), way)


@case("C2", needs="set_writes", each=TOO_MUCH)
async def decimals_that_do_not_fit_are_refused_in_updates_by_query(k: Kit, field: str, text: str) -> None:
    """update() with such a value."""
    await refuses_writes(k, Amount, field, D(text), "update")


@case("C2", each=("NaN", "sNaN", "Infinity", "-Infinity", "1E+38", "1E-39", "1" * 39))
async def what_no_field_can_hold_is_no_operand(k: Kit, text: str) -> None:
    """Refused when the query is built."""
    await refuses_filters(k, Amount, "free", D(text))
    await refuses_filters(k, Amount, "money", D(text))


@case("C2", each={"create": "create", "save": "save", "upsert": "upsert"})
async def a_float_is_no_decimal(k: Kit, way: str) -> None:
    """It is not exact: refused as a value and as an operand, with the way out."""
    await refuses_writes(k, Amount, "free", 0.1, way)
    await refuses_writes(k, Amount, "money", 1.0, way)
    store, watch = await watched(k, Amount)
    for act in (lambda: store[Amount].where(Amount.free == 0.1), lambda: store[Amount].where(money__gte=1.0)):
        await never_begun(watch, QueryError, act, says="Decimal(")


SAME = ("1.1", "1.10", "1.100000", "11E-1", "0.11E+1")


@case("C2", each=SAME)
async def equal_decimals_are_one_value(k: Kit, given: str) -> None:
    """1.10 = 1.1: as an operand, a key, an item, and inside values."""
    await put(
        k, Amount, {"id": 1, "free": D(given), "money": D(given), "indexed": D(given)}, {"id": 2, "free": D("1.11"), "money": D("1.11")}
    )
    await put(k, Crate, {"id": 1, "decimals": [D(given)], "priced": {"p": D(given)}, "part": Part(0, D(given))})
    await put(k, Price, {"id": D(given), "rank": 1})
    for spelled in SAME:
        for term in (Amount.free, Amount.money, Amount.indexed):
            assert await found(k, Amount, term == D(spelled)) == [1], str(term)
            assert await found(k, Amount, term >= D(spelled), term <= D(spelled)) == [1], str(term)
        assert await found(k, Crate, contains(Crate.decimals, D(spelled))) == [1]
        assert await found(k, Crate, Crate.decimals == [D(spelled)]) == [1]
        assert await found(k, Crate, Crate.priced["p"] == D(spelled)) == [1]
        assert await found(k, Crate, Crate.part.d == D(spelled)) == [1]
        assert (await k.store[Price].get(D(spelled))).rank == 1
        with k.refused(UniqueViolation, fields=("id",)):
            await k.store[Price].create(id=D(spelled))


# Neighbours of 38 digits, and others that a double or an exact text comparison would confuse.
NEIGHBOURS: dict[str, tuple[str, str]] = {
    "last of 38 digits": ("1" * 37 + "1", "1" * 37 + "2"),
    "last of 38 places": (f"0.{'1' * 38}", f"0.{'1' * 37}2"),
    "last place of many": ("12345678901234567890.000000001", "12345678901234567890.000000002"),
    "below nothing": ("-0.00000000000000000000000000000000000002", "-0.00000000000000000000000000000000000001"),
    "around nothing": ("-1E-38", "1E-38"),
    "a tenth": ("0.1", "0.1000000000000000055511151231257827"),
    "beyond 2**53": ("9007199254740992", "9007199254740993"),
    "beyond 64 bits": ("18446744073709551615", "18446744073709551616"),
    "lengths": ("9", "10"),
    "lengths below nothing": ("-10", "-9"),
    "places": ("0.9", "0.10e1"),
    "a point": ("1.5", "1.05e1"),
    "signs": (f"-{NINES}", NINES),
    "a place more": ("1.1", "1.10000000000000000000000000000000001"),
}


@case("C2", each=NEIGHBOURS)
async def neighbouring_decimals_are_two_numbers(k: Kit, less: str, greater: str) -> None:
    """Equality, order, membership and ranges go to the last digit; as field, key and item."""
    one, other = D(less), D(greater)
    await put(k, Amount, {"id": 1, "free": other, "indexed": other, "maybe": other}, {"id": 2, "free": one, "indexed": one, "maybe": one})
    for term in (Amount.free, Amount.indexed, Amount.maybe):
        assert await found(k, Amount, term == one) == [2]
        assert await found(k, Amount, term != one) == [1]
        assert await found(k, Amount, term < other) == [2]
        assert await found(k, Amount, term <= one) == [2]
        assert await found(k, Amount, term > one) == [1]
        assert await found(k, Amount, term >= other) == [1]
        assert await found(k, Amount, one_of(term, [other])) == [1]
        assert await found(k, Amount, not_one_of(term, [other])) == [2]
        assert [record.id for record in await k.store[Amount].query().order_by(term).allow_scan().all()] == [2, 1]
        assert [record.id for record in await k.store[Amount].query().order_by(desc(term)).allow_scan().all()] == [1, 2]
    await put(k, Price, {"id": other}, {"id": one})
    page = await k.store[Price].query().allow_scan().page(5)
    assert [record.id for record in page] == [one, other]
    assert await found(k, Price, Price.id < other) == [one]


@case("C2", each=NEIGHBOURS)
async def neighbouring_decimals_inside_values_are_two_numbers(k: Kit, less: str, greater: str) -> None:
    """The same for places inside lists, dicts and records, and for items."""
    for at, number in ((1, D(greater)), (2, D(less))):
        await put(k, Crate, {"id": at, "decimals": [number], "priced": {"p": number}, "part": Part(0, number)})
    one, other = D(less), D(greater)
    for term in (Crate.decimals[0], Crate.priced["p"], Crate.part.d):
        assert await found(k, Crate, term == one) == [2], str(term)
        assert await found(k, Crate, term < other) == [2], str(term)
        assert await found(k, Crate, term >= other) == [1], str(term)
        assert await found(k, Crate, one_of(term, [other])) == [1], str(term)
        assert [record.id for record in await k.store[Crate].query().order_by(term).allow_scan().all()] == [2, 1], str(term)
    assert await found(k, Crate, contains(Crate.decimals, one)) == [2]
    assert await found(k, Crate, contains_all(Crate.decimals, [one, other])) == []


ORDERED = (
    "-" + NINES,
    "-10",
    "-9.5",
    "-9",
    "-1.05",
    "-1",
    "-0.5",
    "-1E-38",
    "0",
    "1E-38",
    "0.5",
    "1",
    "1.05",
    "1.1",
    "1.5",
    "9",
    "10",
    "10.5",
    "100",
    "9007199254740993",
    "1E+20",
    NINES,
)


@case("C2", each=("free", "indexed", "maybe"))
async def decimals_are_sorted_as_numbers(k: Kit, field: str) -> None:
    """Not as text nor by length, with the sign; also page by page."""
    await put(k, Amount, *({"id": at, field: D(text)} for at, text in enumerate(ORDERED[::-1])))
    wanted = [D(text) for text in ORDERED]
    query = k.store[Amount].query().order_by(field).allow_scan()
    assert [getattr(record, field) for record in await query.all()] == wanted
    assert [getattr(record, field) for record in await k.store[Amount].query().order_by(f"-{field}").allow_scan().limit(3).all()] == wanted[
        :-4:-1
    ]
    seen: list[D] = []
    page = await query.page(4)
    while True:
        seen += [getattr(record, field) for record in page]
        if page.next_cursor is None:
            break
        page = await query.page(4, page.next_cursor)
    assert seen == wanted
    assert await found(k, Amount, getattr(Amount, field) > 1) == [at for at, text in enumerate(ORDERED[::-1]) if D(text) > 1]


OPERANDS: dict[str, tuple[Any, Callable[[D], bool]]] = {
    "more places than the field": (D("1.005"), lambda value: value < D("1.005")),
    "more digits than the field": (D(123456789012345), lambda value: value < D(123456789012345)),
    "an int": (1, lambda value: value < 1),
    "a large int": (2**62, lambda value: value < 2**62),
    "nothing": (D("-0"), lambda value: value < 0),
    "far below": (D("-" + NINES), lambda value: value < D("-" + NINES)),
    "a tiny one": (D("1E-38"), lambda value: value < D("1E-38")),
}


@case("C2", each=OPERANDS)
async def operands_may_be_finer_than_the_field(k: Kit, operand: Any, less: Callable[[D], bool]) -> None:
    """An operand is compared as it is, never rounded to the field's places."""
    values = [D(text) for text in ("-5", "0", "1", "1.00", "1.01", "9999999999.99")]
    await put(k, Amount, *({"id": at, "money": value, "free": value, "wide": int(value)} for at, value in enumerate(values)))
    for name in ("money", "free", "wide"):
        kept = [value if name != "wide" else D(int(value)) for value in values]
        term = getattr(Amount, name)
        assert await found(k, Amount, term < operand) == [at for at, value in enumerate(kept) if less(value)], name
        assert await found(k, Amount, term >= operand) == [at for at, value in enumerate(kept) if not less(value)], name
        assert await found(k, Amount, term == operand) == [at for at, value in enumerate(kept) if value == operand], name
        assert await found(k, Amount, term != operand) == [at for at, value in enumerate(kept) if value != operand], name
        assert await found(k, Amount, one_of(term, [operand])) == [at for at, value in enumerate(kept) if value == operand], name
        assert await found(k, Amount, not_one_of(term, [operand])) == [at for at, value in enumerate(kept) if value != operand], name


@case("C2")
async def fields_of_different_scales_are_compared_as_numbers(k: Kit) -> None:
    """Decimal with Decimal, and int with Decimal."""
    rows = [("1.1", "1.10", 1), ("1.005", "1.01", 1), ("2", "2", 2), ("-0.001", "0", 0), (NINES, "9.99", 2**62), ("3", "2.99", 3)]
    await put(k, Amount, *({"id": at, "free": D(free), "money": D(money), "n": n} for at, (free, money, n) in enumerate(rows)))
    assert await found(k, Amount, Amount.free == Amount.money) == [0, 2]
    assert await found(k, Amount, Amount.free != Amount.money) == [1, 3, 4, 5]
    assert await found(k, Amount, Amount.free < Amount.money) == [1, 3]
    assert await found(k, Amount, Amount.money >= Amount.free) == [0, 1, 2, 3]
    assert await found(k, Amount, Amount.n == Amount.free) == [2, 5]
    assert await found(k, Amount, Amount.money > Amount.n) == [0, 1]
    assert await found(k, Amount, Amount.free >= Amount.n) == [0, 1, 2, 4, 5]


@case("C2", needs="unique")
async def equal_decimals_are_taken_once(k: Kit) -> None:
    """A unique Decimal compares numbers, not their spelling; an upsert meets its own."""
    await put(k, Serial, {"id": 1, "d": D("1.1"), "money": D("1.1")})
    for spelled in SAME:
        with k.refused(UniqueViolation, fields=("d",)):
            await k.store[Serial].create(id=2, d=D(spelled))
        with k.refused(UniqueViolation, fields=("money",)):
            await k.store[Serial].create(id=2, money=D(spelled))
        await k.store[Serial].upsert(by="d", id=9, d=D(spelled), rank=5)
    await put(k, Serial, {"id": 2, "d": D("1.1000000000000000000000000000000000001")})
    assert [(record.id, record.rank) for record in await whole(k, Serial)] == [(1, 5), (2, 0)]


@case("C2", needs="aggregates")
async def equal_decimals_are_one_group(k: Kit) -> None:
    """Groups, distinct values and distinct counts compare numbers."""
    await put(
        k, Amount, *({"id": at, "free": D(text), "money": D(text)} for at, text in enumerate((*SAME, "1.11", "2", "2.00", "-0", "0")))
    )
    for term in (Amount.free, Amount.money):
        query = k.store[Amount].query().allow_scan()
        rows = await query.group_by(term).order_by(term).values(d=term, n=agg.count())
        assert [(row["d"], row["n"]) for row in rows] == [(D(0), 2), (D("1.1"), 5), (D("1.11"), 1), (D(2), 2)]
        assert await query.values(n=agg.count(term, distinct=True), s=agg.sum(term, distinct=True)) == [{"n": 4, "s": D("4.21")}]
        assert [row["d"] for row in await query.distinct().order_by(term).values(d=term)] == [D(0), D("1.1"), D("1.11"), D(2)]


SUMS: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    # field, values, sum, average
    "tenths": ("free", ("0.1",) * 10, "1", "0.1"),
    "a cent at a time": ("money", ("0.01",) * 3, "0.03", "0.01"),
    "large and small": ("free", ("1E+20", "1E-15", "-1E+20"), "0.000000000000001", "0." + "0" * 15 + "3" * 38),
    "all 38 digits": ("free", (NINES[:-1] + "8", "1"), NINES, "5" + "0" * 37),
    "half to even below": ("money", ("0.01", "0.02"), "0.03", "0.015"),
    "thirds": ("money", ("1", "0", "0"), "1.00", "0." + "3" * 38),
    "two thirds": ("free", ("1", "1", "0"), "2", "0." + "6" * 37 + "7"),
    "below nothing": ("money", ("-1.50", "-2.25"), "-3.75", "-1.875"),
    "to nothing": ("money", ("-1.50", "1.50"), "0.00", "0"),
    "zeros at the end": ("free", ("1.25", "1.75"), "3", "1.5"),
    "wide": ("wide", ("1" + "0" * 35, "5"), "1" + "0" * 34 + "5", "5" + "0" * 33 + "2.5"),
    "fine": ("fine", ("1E-38", "2E-38"), "3E-38", "0." + "0" * 37 + "15"),
}


@case("C2", needs="aggregates", each=SUMS)
async def sums_and_averages_are_exact(k: Kit, field: str, values: tuple[str, ...], total: str, average: str) -> None:
    """A sum keeps the field's places; an average has 38 digits, half to even, and no zeros at the end."""
    await put(k, Amount, *({"id": at, field: D(value)} for at, value in enumerate(values)))
    term = getattr(Amount, field)
    query = k.store[Amount].query().allow_scan()
    found_total, found_average = await query.sum(term), await query.avg(term)
    assert (type(found_total), found_total) == (D, D(total))
    assert (type(found_average), found_average) == (D, D(average))
    assert found_total.as_tuple() == D(total).as_tuple(), (found_total, total)
    assert found_average.as_tuple() == D(average).as_tuple(), (found_average, average)
    rows = await query.group_by(Amount.n).values(s=agg.sum(term), a=agg.avg(term), least=agg.min(term), most=agg.max(term))
    assert rows == [{"s": D(total), "a": D(average), "least": min(map(D, values)), "most": max(map(D, values))}]


@case("C2", needs="aggregates", each={"above": (NINES, "1"), "below": (f"-{NINES}", "-1"), "a digit behind the point": (NINES, "0.1")})
async def a_sum_of_more_than_38_digits_is_an_error(k: Kit, one: str, other: str) -> None:
    """It is neither rounded nor turned into a float."""
    await put(k, Amount, {"id": 1, "free": D(one)}, {"id": 2, "free": D(other)})
    with k.refused(SizeLimit):
        await k.store[Amount].query().allow_scan().sum(Amount.free)
    with k.refused(SizeLimit):
        await k.store[Amount].query().allow_scan().group_by(Amount.n).values(s=agg.sum(Amount.free))


@case("C2", needs="aggregates")
async def a_sum_may_pass_38_digits_on_its_way(k: Kit) -> None:
    """Only the result must fit."""
    await put(k, Amount, *({"id": at, "free": D(text), "wide": D(text)} for at, text in enumerate((NINES, NINES, f"-{NINES}", "-1"))))
    for term in (Amount.free, Amount.wide):
        assert str(await k.store[Amount].query().allow_scan().sum(term)) == NINES[:-1] + "8"


@case("C2", each=(0.1, 1.0, True, "1.1"))
async def only_decimals_are_decimals(k: Kit, value: Any) -> None:
    """Floats, truth values and text are refused in lists, dicts and records; an int is taken, because it is exact."""
    for field, made in (("decimals", [value]), ("priced", {"p": value})):
        await refuses_writes(k, Crate, field, made, "create")
    store, watch = await watched(k, Crate)
    for act in (lambda: store[Crate].where(contains(Crate.decimals, value)), lambda: store[Crate].where(Crate.priced["p"] == value)):
        await never_begun(watch, QueryError, act)
    await put(k, Crate, {"id": 5, "decimals": [1], "priced": {"p": 2}})
    record = await k.store[Crate].get(5)
    assert [(type(number), number) for number in (record.decimals[0], record.priced["p"])] == [(D, 1), (D, 2)]


@case("C2")
async def json_holds_no_decimals(k: Kit) -> None:
    """JSON numbers are ints and doubles: a Decimal is refused as value and as operand rather than changed."""
    await refuses_writes(k, Crate, "data", {"a": D("1.1")}, "create")
    store, watch = await watched(k, Crate)
    await never_begun(watch, QueryError, lambda: store[Crate].where(Crate.data["a"] == D("1.1")))
    await never_begun(watch, QueryError, lambda: store[Crate].where(contains(Crate.data, D(1))))


@case("C2", absent="aggregates")
async def without_aggregates_sums_are_refused(k: Kit) -> None:
    """With reason and remedy; reading goes on."""
    await put(k, Amount, {"id": 1, "free": D("1.1")})
    for name in ("sum", "avg", "min", "max"):
        with k.refused(Unsupported, says="aggregates") as caught:
            await getattr(k.store[Amount].query(), name)(Amount.free)
        assert caught.error.hint
    assert await found(k, Amount, Amount.free == D("1.10")) == [1]
