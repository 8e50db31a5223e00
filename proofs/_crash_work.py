"""What the crash proofs write, and how they judge what is there afterwards.

A writer does units one after the other: single creates, batches, saves, writes by query, deletes, upserts, transactions over several models
with savepoints, and some that are undone. Units are planned in plain Python from a source of chance, so the state after each is known
without asking any store. Each writer has records of its own; one counter and its tickets are shared by all of them, so that a transaction
of one is whole only together with what all others see. Must not know how stores are crashed.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import apsw

from holdall import Field, Key, Model, one_of

TOTAL = "tickets"
ITEMS_MAX = 24  # per writer; at this number the plans delete


class CrashItem(Model, table="crash_items", index=[("owner", "value")]):
    """A record of one writer. `seq` is the unit that wrote it last."""

    id: str = Key()
    owner: int
    seq: int = Field(index=True)
    value: int
    text: str


class CrashPart(Model, table="crash_parts"):
    """A part of an item, that goes with it."""

    id: str = Key()
    item_id: str = Field(references=CrashItem, on_delete="cascade", index=True)
    place: int


class CrashTotal(Model, table="crash_totals"):
    """How many tickets were given out, by all writers."""

    name: str = Key()
    n: int


class CrashTicket(Model, table="crash_tickets", unique=[("owner", "seq")]):
    """One for each transaction that took one: their numbers are the order of the commits."""

    id: int = Key(generated=False)
    owner: int
    seq: int


MODELS = (CrashItem, CrashPart, CrashTotal, CrashTicket)

Items = dict[str, tuple[int, int, int, str]]  # id: owner, seq, value, text
Parts = dict[str, tuple[str, int]]  # id: item, place
Snapshot = tuple[tuple[Any, ...], tuple[Any, ...]]  # items and parts, sorted


@dataclass
class State:
    """What one writer's records are."""

    items: Items = field(default_factory=dict)
    parts: Parts = field(default_factory=dict)

    def copy(self) -> State:
        return State(dict(self.items), dict(self.parts))

    def frozen(self) -> Snapshot:
        return tuple((key, *row) for key, row in sorted(self.items.items())), tuple((key, *row) for key, row in sorted(self.parts.items()))

    def remove(self, keys: Sequence[str]) -> None:
        for key in keys:
            del self.items[key]
        self.parts = {key: row for key, row in self.parts.items() if row[0] not in keys}


@dataclass
class Unit:
    """Something that is there whole or not at all. `after` is the writer's state when it is."""

    seq: int
    kind: str
    args: dict[str, Any]
    after: State
    ticket: bool = False


class Plan:
    """The units of one writer, each made when it is asked for. Two plans with the same beginning give the same units."""

    def __init__(self, seed: object, owner: int, state: State | None = None, seq: int = 0, *, big: float = 0.1) -> None:
        self.random = random.Random(repr(seed))
        self.owner = owner
        self.state = State() if state is None else state.copy()
        self.seq = seq
        self.big = big

    def next(self) -> Unit:
        """The next unit; the plan goes on as if it had been done."""
        self.seq += 1
        keys = sorted(self.state.items)
        names = ["create", "batch", "upsert", "ticket", "ticket", "nested", "undone"]
        if len(keys) > 2:
            names += ["save", "bulk", "delete", "ticket"]
        kind = "delete" if len(keys) > ITEMS_MAX else self.random.choice(names)
        after = self.state.copy()
        args = getattr(self, f"_{kind}")(after, keys)
        unit = Unit(self.seq, kind, args, after, ticket=kind in ("ticket", "nested"))
        self.state = after
        return unit

    def _text(self) -> str:
        chance = self.random
        size = chance.randrange(1500, 9000) if chance.random() < self.big else chance.randrange(0, 60)
        return f"{self.owner}/{self.seq}/" + "".join(chance.choices(ascii_lowercase, k=size))

    def _item(self, after: State, place: int) -> dict[str, Any]:
        row = (self.owner, self.seq, self.random.randrange(1000), self._text())
        key = f"{self.random.randrange(10**6):06}-{self.owner}-{self.seq}-{place}"
        after.items[key] = row
        return {"id": key, **dict(zip(("owner", "seq", "value", "text"), row, strict=True))}

    def _create(self, after: State, keys: list[str]) -> dict[str, Any]:  # noqa: ARG002  as its neighbours
        return self._item(after, 0)

    def _batch(self, after: State, keys: list[str]) -> dict[str, Any]:  # noqa: ARG002  as its neighbours
        return {"items": [self._item(after, place) for place in range(self.random.randrange(2, 7))]}

    def _save(self, after: State, keys: list[str]) -> dict[str, Any]:
        key = self.random.choice(keys)
        row = (self.owner, self.seq, self.random.randrange(1000), self._text())
        after.items[key] = row
        return {"id": key, "seq": row[1], "value": row[2], "text": row[3]}

    def _bulk(self, after: State, keys: list[str]) -> dict[str, Any]:  # noqa: ARG002  as its neighbours
        below = self.random.randrange(200, 1000)
        for key, (owner, _, value, text) in list(after.items.items()):
            if value < below:
                after.items[key] = (owner, self.seq, value + 1, text)
        return {"owner": self.owner, "below": below, "seq": self.seq}

    def _delete(self, after: State, keys: list[str]) -> dict[str, Any]:
        gone = self.random.sample(keys, self.random.randrange(1, max(2, len(keys) // 2)))
        after.remove(gone)
        return {"ids": gone}

    def _upsert(self, after: State, keys: list[str]) -> dict[str, Any]:
        if keys and self.random.random() < 0.5:
            key = self.random.choice(keys)
            row = (self.owner, self.seq, self.random.randrange(1000), self._text())
            after.items[key] = row
            return {"id": key, **dict(zip(("owner", "seq", "value", "text"), row, strict=True))}
        return self._item(after, 0)

    def _ticket(self, after: State, keys: list[str]) -> dict[str, Any]:
        """Over all models: a new item with parts, a change, a removal, the counter and a ticket."""
        args: dict[str, Any] = {
            "owner": self.owner,
            "seq": self.seq,
            "item": self._item(after, 0),
            "parts": [],
            "change": None,
            "gone": None,
        }
        for place in range(self.random.randrange(3)):
            key = f"{args['item']['id']}/{place}"
            after.parts[key] = (args["item"]["id"], place)
            args["parts"].append({"id": key, "item_id": args["item"]["id"], "place": place})
        if keys and self.random.random() < 0.5:
            args["change"] = self._save(after, keys)
        left = [key for key in keys if args["change"] is None or key != args["change"]["id"]]
        if left and self.random.random() < 0.4:
            args["gone"] = self.random.choice(left)
            after.remove([args["gone"]])
        return args

    def _nested(self, after: State, keys: list[str]) -> dict[str, Any]:
        """As a ticket, with a savepoint whose batch is undone and one whose batch is kept."""
        args = self._ticket(after, keys)
        args["lost"] = self._batch(State(), keys)["items"]
        args["kept"] = [self._item(after, 10 + place) for place in range(2)]
        return args

    def _undone(self, after: State, keys: list[str]) -> dict[str, Any]:  # noqa: ARG002  as its neighbours
        return self._ticket(State(), []) | {"gone": self.random.choice(keys) if keys else None}


class Undone(Exception):
    """Raised in a block to undo it."""


def undo() -> None:
    raise Undone


async def perform(store: Any, unit: Unit) -> None:
    """Do a unit in a store of either colour (`holdall.testing.colours.coloured`)."""
    await _PERFORM[unit.kind](store, unit.args)


async def _do_create(store: Any, args: dict[str, Any]) -> None:
    await store[CrashItem].create(**args)


async def _do_batch(store: Any, args: dict[str, Any]) -> None:
    await store[CrashItem].create_many(args["items"])


async def _do_save(store: Any, args: dict[str, Any]) -> None:
    item = await store[CrashItem].get(args["id"])
    item.seq, item.value, item.text = args["seq"], args["value"], args["text"]
    await store[CrashItem].save(item)


async def _do_bulk(store: Any, args: dict[str, Any]) -> None:
    query = store[CrashItem].where(CrashItem.owner == args["owner"], CrashItem.value < args["below"])
    await query.update(value=CrashItem.value + 1, seq=args["seq"])


async def _do_delete(store: Any, args: dict[str, Any]) -> None:
    if len(args["ids"]) == 1:
        await store[CrashItem].delete(await store[CrashItem].get(args["ids"][0]))
    else:
        await store[CrashItem].where(one_of(CrashItem.id, args["ids"])).delete()


async def _do_upsert(store: Any, args: dict[str, Any]) -> None:
    await store[CrashItem].upsert(**args)


async def _write_ticket(store: Any, args: dict[str, Any]) -> None:
    total = await store[CrashTotal].get(TOTAL)
    await store[CrashItem].create(**args["item"])
    if total is None:
        total = await store[CrashTotal].create(name=TOTAL, n=1)
    else:
        total.n += 1
        await store[CrashTotal].save(total)
    if args["change"] is not None:
        await _do_save(store, args["change"])
    await store[CrashPart].create_many(args["parts"])
    await store[CrashTicket].create(id=total.n, owner=args["owner"], seq=args["seq"])
    if args["gone"] is not None:
        await store[CrashItem].where(CrashItem.id == args["gone"]).delete()


async def _do_ticket(store: Any, args: dict[str, Any]) -> None:
    async with store.transaction():
        await _write_ticket(store, args)


async def _do_nested(store: Any, args: dict[str, Any]) -> None:
    async with store.transaction():
        try:
            async with store.transaction():
                await store[CrashItem].create_many(args["lost"])
                undo()
        except Undone:
            pass
        await _write_ticket(store, args)
        async with store.transaction():
            await store[CrashItem].create_many(args["kept"])


async def _do_undone(store: Any, args: dict[str, Any]) -> None:
    try:
        async with store.transaction():
            await _write_ticket(store, args)
            undo()
    except Undone:
        pass


_PERFORM: Mapping[str, Callable[[Any, dict[str, Any]], Awaitable[None]]] = {
    "create": _do_create, "batch": _do_batch, "save": _do_save, "bulk": _do_bulk, "delete": _do_delete, "upsert": _do_upsert,
    "ticket": _do_ticket, "nested": _do_nested, "undone": _do_undone,
}  # fmt: skip
KINDS = frozenset(_PERFORM)


# What is there afterwards.


@dataclass(frozen=True)
class Found:
    """What a file holds, read without Holdall. `problem` says why it cannot be read, or what integrity_check tells."""

    problem: str = ""
    ready: bool = False
    items: tuple[Any, ...] = ()
    parts: tuple[Any, ...] = ()
    total: int = 0
    tickets: tuple[Any, ...] = ()


def look(path: Path, *, check: str = "integrity_check", alone: bool = True) -> Found:
    """Open the file as any program would, let SQLite recover it, and read it all. `alone` spares the shared memory of WAL."""
    connection: Any = None
    try:
        connection = apsw.Connection(str(path))
        connection.pragma("synchronous", "OFF")  # of this reader, whose writes nobody keeps
        if alone:
            connection.pragma("locking_mode", "EXCLUSIVE")
        said = connection.execute(f"PRAGMA {check}").fetchall()
        if said != [("ok",)]:
            return Found(problem=f"{check}: {said[:5]}")
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if not names & {model.__entity__.table for model in MODELS}:
            return Found()
        read = connection.execute
        items = tuple(read("SELECT id, owner, seq, value, text FROM crash_items ORDER BY id"))
        parts = tuple(read("SELECT id, item_id, place FROM crash_parts ORDER BY id"))
        totals = read("SELECT name, n FROM crash_totals").fetchall()
        tickets = tuple(read("SELECT id, owner, seq FROM crash_tickets ORDER BY id"))
        dangling = read("PRAGMA foreign_key_check").fetchall()
        if dangling or len(totals) > 1:
            return Found(problem=f"dangling references {dangling[:3]}, totals {totals}")
        return Found("", True, items, parts, totals[0][1] if totals else 0, tickets)
    except (apsw.Error, UnicodeDecodeError) as error:
        return Found(problem=f"{type(error).__name__}: {error}")
    finally:
        if connection is not None:
            connection.close(True)


@dataclass
class History:
    """All states that one writer went through. Index 0 is where it began, `tickets[i]` whether unit i took one."""

    states: list[Snapshot]
    tickets: list[bool]
    kinds: list[str]
    base: int = 0  # units of earlier writers with this number, before index 0
    earlier: tuple[int, ...] = ()  # their tickets

    @classmethod
    def begin(cls, state: State | None = None, base: int = 0, earlier: tuple[int, ...] = ()) -> History:
        return cls([(State() if state is None else state).frozen()], [False], [""], base, earlier)

    def add(self, unit: Unit) -> None:
        self.states.append(unit.after.frozen())
        self.tickets.append(unit.ticket)
        self.kinds.append(unit.kind)

    def tickets_at(self, index: int) -> tuple[int, ...]:
        """The units that have tickets when `index` units are there."""
        return self.earlier + tuple(self.base + place for place in range(1, index + 1) if self.tickets[place])


@dataclass
class Verdict:
    """'ok', 'lost' (an earlier whole state: acknowledged units are gone) or 'broken' (anything else). `at`: units there, by writer."""

    kind: str
    text: str = ""
    at: dict[int, int] = field(default_factory=dict)


def judge(found: Found, histories: Mapping[int, History], acknowledged: Mapping[int, int], started: Mapping[int, int]) -> Verdict:
    """Whether acknowledged ⊆ found ⊆ started, units whole and in order. Numbers of units are those of each history, from 0."""
    if found.problem:
        return Verdict("broken", found.problem)
    given = [ticket for ticket, _, _ in found.tickets]
    if given != list(range(1, found.total + 1)):
        return Verdict("broken", f"the counter says {found.total}, but the tickets are {given}")
    strangers = {row[1] for row in found.items} - set(histories)
    if strangers:
        return Verdict("broken", f"records of writers that there are not: {strangers}")
    verdict = Verdict("ok")
    for owner, history in histories.items():
        one = _judge_one(found, owner, history, acknowledged.get(owner, 0), started.get(owner, 0))
        verdict.at.update(one.at)
        if one.kind == "broken":
            return one
        if one.kind == "lost":
            verdict.kind, verdict.text = "lost", one.text
    return verdict


def _judge_one(found: Found, owner: int, history: History, acknowledged: int, started: int) -> Verdict:
    mine = tuple(row for row in found.items if row[1] == owner)
    keys = {row[0] for row in mine}
    state = (mine, tuple(row for row in found.parts if row[1] in keys))
    tickets = tuple(seq for _, who, seq in found.tickets if who == owner)
    same = [at for at, known in enumerate(history.states) if known == state and history.tickets_at(at) == tickets]
    if not same:
        near = [at for at, known in enumerate(history.states) if known == state]
        what = f"the records are those after unit {near[-1]}, the tickets {tickets} are not" if near else "no state there ever was"
        units = ", ".join(f"{at} {history.kinds[at]}" for at in range(max(1, acknowledged - 1), min(started, acknowledged + 2) + 1))
        what += f" ({acknowledged} acknowledged, {started} started: {units})"
        return Verdict("broken", f"writer {owner}: {what}; {_difference(state, history, acknowledged)}")
    allowed = [at for at in same if acknowledged <= at <= started]
    if allowed:
        return Verdict("ok", at={owner: allowed[-1]})
    if max(same) < acknowledged:
        lost = ", ".join(f"{at} {history.kinds[at]}" for at in range(max(same) + 1, acknowledged + 1))
        return Verdict("lost", f"writer {owner}: acknowledged units are gone: {lost}", {owner: max(same)})
    return Verdict("broken", f"writer {owner}: the state is that after unit {same}, but only {started} were started")


def _difference(state: Snapshot, history: History, acknowledged: int) -> str:
    known = history.states[min(acknowledged, len(history.states) - 1)]
    told = []
    for name, have, want in zip(("items", "parts"), state, known, strict=True):
        extra = [row[0] for row in have if row not in want][:4]
        missing = [row[0] for row in want if row not in have][:4]
        told.append(f"{name} beside the last acknowledged state: more or other {extra}, missing {missing}")
    return "; ".join(told)
