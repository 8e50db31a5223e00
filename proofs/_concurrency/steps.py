"""Steps: what the clients of scenarios do, each a program on the port and a result that can be compared.

Must not know scenarios.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from holdall.backends import Insert, Patch
from holdall.program import Program
from holdall.query import TRUE, Aggregate, Arith, Column, Condition, Related, Select, Value, all_of, key_ref
from holdall.schema import Entity
from holdall.testing.kit import assignments
from proofs._concurrency.models import Account, Member, Person, Team
from proofs._concurrency.words import Port, compare

ACCOUNT, PERSON, TEAM, MEMBER = (model.__entity__ for model in (Account, Person, Team, Member))
TABLES = (ACCOUNT, PERSON, TEAM, MEMBER)  # parents before children
LINKS = ("stays", "goes", "lets_go")
INT = ACCOUNT.by_name["balance"].type
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)  # always

Step = tuple[Any, ...]


def _read(entity: Entity) -> Callable[..., Program[Any]]:
    def read(port: Port, tx: Any, name: str, op: str, value: Any) -> Program[Any]:
        return sorted((yield from port.select(Select(entity, compare(entity, name, op, value)), tx)))

    return read


def _fetch(port: Port, tx: Any, table: int, *keys: int) -> Program[Any]:
    return (yield from port.fetch(TABLES[table], *keys, tx=tx))


def _locked(port: Port, tx: Any, table: int, *keys: int) -> Program[Any]:
    return (yield from port.fetch(TABLES[table], *keys, tx=tx, lock=None if tx is None else "update"))


def _total(port: Port, tx: Any, branch: int) -> Program[Any]:
    total = Column("total", Aggregate("sum", key_ref(ACCOUNT, "balance"), False, INT))
    return (yield from port.select(Select(ACCOUNT, compare(ACCOUNT, "branch", "eq", branch), columns=(total,)), tx))


def _teams_with(port: Port, tx: Any, quantifier: Any, number: int) -> Program[Any]:
    related = Related((), TEAM.relations["staying"], quantifier, compare(MEMBER, "number", "gte", number))
    return sorted((yield from port.select(Select(TEAM, related), tx)))


def _pages(port: Port, tx: Any) -> Program[Any]:
    rows: list[Any] = []
    cursor = None
    plan = port.plan(Select(ACCOUNT, compare(ACCOUNT, "balance", "gte", 0)))
    while True:
        page, cursor = yield from port.backend.scan(plan, cursor, 1, tx)
        rows += page
        if cursor is None:
            return rows


def _transfer(port: Port, tx: Any, one: int, other: int, amount: int) -> Program[Any]:
    rows = yield from port.fetch(ACCOUNT, one, other, tx=tx)
    if None in rows or one == other:
        return rows
    changes = [
        Patch(ACCOUNT, row[0], assignments(ACCOUNT, balance=row[1] + sign * amount), None, False)
        for row, sign in zip(rows, (-1, 1), strict=True)
    ]
    yield from port.apply(*changes, tx=tx)
    return rows


def _deposit(port: Port, tx: Any, key: int, amount: int) -> Program[Any]:
    more = Arith("add", key_ref(ACCOUNT, "balance"), Value(amount, INT), INT)
    return (yield from port.patch(ACCOUNT, key, tx=tx, balance=more))


def _interest(port: Port, tx: Any, branch: int) -> Program[Any]:
    more = Arith("add", key_ref(ACCOUNT, "balance"), Value(1, INT), INT)
    return (yield from port.update_where(ACCOUNT, compare(ACCOUNT, "branch", "eq", branch), tx=tx, balance=more))


def _poor_move(port: Port, tx: Any, below: int, branch: int) -> Program[Any]:
    return (yield from port.update_where(ACCOUNT, compare(ACCOUNT, "balance", "lt", below), tx=tx, branch=branch))


def _insert(port: Port, tx: Any, table: int, *rows: Any) -> Program[Any]:
    return (yield from port.insert(TABLES[table], *rows, tx=tx))


def _two_inserts(port: Port, tx: Any, one: int, row: Any, other: int, row2: Any) -> Program[Any]:
    return (yield from port.apply(Insert(TABLES[one], [row]), Insert(TABLES[other], [row2]), tx=tx))


def _patch(port: Port, tx: Any, table: int, key: int, name: str, value: Any) -> Program[Any]:
    return (yield from port.patch(TABLES[table], key, tx=tx, **{name: value}))


def _delete(port: Port, tx: Any, table: int, key: int) -> Program[Any]:
    return (yield from port.delete(TABLES[table], key, tx=tx))


def _delete_where(port: Port, tx: Any, table: int, name: str, op: str, value: Any) -> Program[Any]:
    return (yield from port.delete_where(TABLES[table], compare(TABLES[table], name, op, value), tx=tx))


def _upsert(port: Port, tx: Any, table: int, row: Any, by: str, update: tuple[str, ...]) -> Program[Any]:
    return (yield from port.upsert(TABLES[table], row, (by,), update, tx=tx))


def _if_none(port: Port, tx: Any, name: str, key: int) -> Program[Any]:
    """Insert a person unless one of this age is there: a decision on what is absent."""
    found = yield from port.select(Select(PERSON, compare(PERSON, "age", "eq", key)), tx)
    if not found:
        yield from port.insert(PERSON, (key, name, key, None), tx=tx)
    return sorted(found)


def _empty_team(port: Port, tx: Any, key: int) -> Program[Any]:
    """Remove a team if nobody stays in it."""
    where = all_of(compare(TEAM, "id", "eq", key), Related((), TEAM.relations["staying"], "none", TRUE))
    return (yield from port.delete_where(TEAM, where, tx=tx))


def _between(low: int, high: int) -> Condition:
    return all_of(compare(ACCOUNT, "balance", "gte", low), compare(ACCOUNT, "balance", "lte", high))


def _find(port: Port, tx: Any, low: int, high: int) -> Program[Any]:
    return (yield from port.rows(ACCOUNT, _between(low, high), tx))


def _raise(port: Port, tx: Any, low: int, high: int, by: int) -> Program[Any]:
    more = Arith("add", key_ref(ACCOUNT, "balance"), Value(by, INT), INT)
    return (yield from port.update_where(ACCOUNT, _between(low, high), tx=tx, balance=more))


def _remove(port: Port, tx: Any, low: int, high: int) -> Program[Any]:
    return (yield from port.delete_where(ACCOUNT, _between(low, high), tx=tx))


STEPS: dict[str, Callable[..., Program[Any]]] = {
    "accounts": _read(ACCOUNT),
    "people": _read(PERSON),
    "members": _read(MEMBER),
    "fetch": _fetch,
    "locked": _locked,
    "total": _total,
    "teams_with": _teams_with,
    "pages": _pages,
    "transfer": _transfer,
    "deposit": _deposit,
    "interest": _interest,
    "poor_move": _poor_move,
    "insert": _insert,
    "two_inserts": _two_inserts,
    "patch": _patch,
    "delete": _delete,
    "delete_where": _delete_where,
    "upsert": _upsert,
    "if_none": _if_none,
    "empty_team": _empty_team,
    "find": _find,
    "raise": _raise,
    "remove": _remove,
}
ANY = tuple(name for name in STEPS if name not in ("find", "raise", "remove"))  # those are for given scenarios
READS = ("find", "accounts", "people", "members", "fetch", "locked", "total", "teams_with", "pages")
OF: dict[tuple[int, ...], tuple[str, ...]] = {
    (0,): ("accounts", "total", "pages", "transfer", "deposit", "interest", "poor_move", "upsert"),
    (1,): ("people", "upsert", "if_none"),
    (2, 3): ("members", "teams_with", "two_inserts", "empty_team"),
}
COMPOUND = ("transfer", "if_none", "pages")  # more than one call: no atomic thing without a transaction
