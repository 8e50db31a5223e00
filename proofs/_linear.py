"""Linear: whether what clients did to one versioned register can have happened one after the other, each between its call and its return.

Owns the search (Wing and Gong's, with Lowe's memory of what was tried). Must not know how histories are made.

The register holds (version, value). A read gives both; a write sets the value and counts the version up; a compare-and-set does so if the
version is the expected one, and fails if it is another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

State = tuple[int, int]


@dataclass(slots=True)
class Call:
    """One operation: `args` are () for a read, (value,) for a write, (expected version, value) for a compare-and-set.

    `result` is what a read gave, or whether a compare-and-set succeeded; None for a write.
    """

    client: int
    key: Any
    does: Literal["read", "write", "cas"]
    args: tuple[Any, ...]
    began: int
    ended: int = 0
    result: Any = None

    def __str__(self) -> str:
        done = "" if self.result is None else f" -> {self.result}"
        return f"client {self.client} [{self.began}, {self.ended}] {self.does}{self.args}{done}"


def step(state: State, call: Call) -> State | None:
    """The state after the call, if it can have had this result in this state."""
    version = state[0]
    if call.does == "read":
        return state if call.result == state else None
    if call.does == "write":
        return version + 1, call.args[0]
    expected, new = call.args
    if call.result:
        return (version + 1, new) if version == expected else None
    return None if version == expected else state


class _Event:
    __slots__ = ("call", "following", "match", "number", "previous")

    def __init__(self, call: Call | None, number: int) -> None:
        self.call = call
        self.number = number
        self.match: _Event | None = None  # of a call: its return
        self.previous: _Event | None = None
        self.following: _Event | None = None


def _line(calls: Sequence[Call]) -> _Event:
    """The calls and returns in order of time, as a chain behind a head."""
    events: list[tuple[int, int, _Event]] = []
    for number, call in enumerate(calls):
        begins, ends = _Event(call, number), _Event(None, number)
        begins.match = ends
        events += [(call.began, 0, begins), (call.ended, 1, ends)]
    events.sort(key=lambda event: event[:2])
    head = last = _Event(None, -1)
    for _, _, event in events:
        last.following, event.previous = event, last
        last = event
    return head


def _take_out(event: _Event) -> None:
    for one in (event, event.match):
        assert one is not None
        assert one.previous is not None
        one.previous.following = one.following
        if one.following is not None:
            one.following.previous = one.previous


def _put_back(event: _Event) -> None:
    for one in (event.match, event):
        assert one is not None
        assert one.previous is not None
        one.previous.following = one
        if one.following is not None:
            one.following.previous = one


def explained(calls: Sequence[Call], start: State) -> str:
    """'' if the calls on one register are linearizable; else where every order of them ends."""
    head = _line(calls)
    state, done = start, 0
    tried: set[tuple[int, State]] = set()
    stack: list[tuple[_Event, State]] = []
    deepest: tuple[int, State, list[Call]] = (-1, start, [])
    event = head.following
    while head.following is not None:
        assert event is not None
        call = event.call
        if call is not None:
            after = step(state, call)
            if after is not None:
                marked = done | 1 << event.number
                if (marked, after) not in tried:
                    tried.add((marked, after))
                    stack.append((event, state))
                    state, done = after, marked
                    _take_out(event)
                    event = head.following
                    continue
            event = event.following
            continue
        # A return whose call fits nowhere before it: something earlier was put in the wrong place.
        if len(stack) > deepest[0]:
            deepest = (len(stack), state, _waiting(head))
        if not stack:
            _, stuck, waiting = deepest
            return f"after {deepest[0]} calls the register is {stuck}, and none of these can be next:\n" + "\n".join(
                f"  {call}" for call in waiting
            )
        event, state = stack.pop()
        done &= ~(1 << event.number)
        _put_back(event)
        event = event.following
    return ""


def _waiting(head: _Event) -> list[Call]:
    """The calls that may be next: those before the first return."""
    found: list[Call] = []
    event = head.following
    while event is not None and event.call is not None:
        found.append(event.call)
        event = event.following
    return found
