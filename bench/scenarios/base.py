"""What a scenario is, and the checks that a contestant gives the right answer before its speed counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bench.data import FIELDS, Row
from bench.harness import Contestant, Pace, Result
from bench.protocols import OURS
from bench.targets import Target


class WrongAnswer(Exception):
    """A contestant's answer is not the expected one, so its time would mean nothing."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One race: its name (what `--only` matches), how to run it, what is promised about it, and the peers it cannot run without."""

    name: str
    run: Callable[[Pace], Result]
    targets: tuple[Target, ...] = ()
    peers: tuple[str, ...] = ()


def absent(reason: str, name: str = OURS) -> Contestant:
    """The visible gap where Holdall would stand."""
    return Contestant(name, None, missing=reason)


def for_each(call: Callable[[Any], object], arguments: Sequence[Any]) -> Callable[[], None]:
    """Give a function that calls `call` once for each argument; the loop costs every contestant the same few nanoseconds a call."""

    def run() -> None:
        for argument in arguments:
            call(argument)

    return run


def key_of(record: Any) -> str:
    """The key of whatever a contestant gives: an object, a dictionary or a tuple; a UUID or its text."""
    if isinstance(record, tuple):
        return str(record[0])
    return str(record["id"] if isinstance(record, dict) else record.id)


def expect(who: str, what: str, got: Iterable[Any], wanted: Iterable[Row | UUID], ordered: bool = False) -> None:
    """Raise WrongAnswer unless the records that `who` gave are the wanted ones (in that order, where order was asked)."""
    found = [key_of(each) for each in got]
    right = [str(each if isinstance(each, UUID) else each[0]) for each in wanted]
    if not ordered:
        found.sort()
        right.sort()
    if found != right:
        raise WrongAnswer(f"{who}, {what}: {len(found)} records came, {len(right)} were expected, or others or in another order.")


def expect_whole(who: str, record: Any, wanted: Row) -> None:
    """Raise WrongAnswer unless every field of the object has the record's value, of exactly its type. Peers are spared: some cannot."""
    for name, value in zip(FIELDS, wanted, strict=True):
        found = getattr(record, name)
        if found != value or type(found) is not type(value):
            raise WrongAnswer(f"{who}: field {name!r} is {found!r} where {value!r} was stored.")
