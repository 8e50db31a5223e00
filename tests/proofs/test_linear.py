"""The checker of linearizability, on histories made by hand, and against trying all orders."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from proofs._linear import Call, explained, step

START = (1, 0)


def calls(*parts: tuple[Any, ...]) -> list[Call]:
    """Calls from (began, ended, does, args, result)."""
    return [Call(at, 0, does, args, began, ended, result) for at, (began, ended, does, args, result) in enumerate(parts)]


GOOD = {
    "nothing": [],
    "one after the other": [
        (0, 1, "write", (5,), None), (2, 3, "read", (), (2, 5)), (4, 5, "cas", (2, 6), True), (6, 7, "read", (), (3, 6)),
    ],
    "a read beside a write sees it": [(0, 9, "write", (5,), None), (1, 2, "read", (), (2, 5))],
    "a read beside a write does not see it": [(0, 9, "write", (5,), None), (1, 2, "read", (), (1, 0))],
    "a failed cas after a write": [(0, 1, "write", (5,), None), (2, 3, "cas", (1, 6), False)],
    "a failed cas beside a write": [(0, 9, "write", (5,), None), (1, 2, "cas", (1, 6), False)],
    "writes in the order that reads tell": [
        (0, 9, "write", (5,), None), (0, 9, "write", (6,), None), (10, 11, "read", (), (3, 5)),
    ],
}  # fmt: skip

BAD = {
    "a stale read": [(0, 1, "write", (5,), None), (2, 3, "read", (), (1, 0))],
    "a read of what nobody wrote": [(0, 1, "read", (), (2, 7))],
    "two winners of one version": [(0, 9, "cas", (1, 5), True), (0, 9, "cas", (1, 6), True)],
    "a cas that had to win": [(0, 1, "cas", (1, 5), False)],
    "a cas that had to lose": [(0, 1, "write", (5,), None), (2, 3, "cas", (1, 6), True)],
    "a lost write": [(0, 1, "write", (5,), None), (2, 3, "write", (6,), None), (4, 5, "read", (), (2, 6))],
    "reads that go back": [(0, 9, "write", (5,), None), (1, 2, "read", (), (2, 5)), (3, 4, "read", (), (1, 0))],
    "a write that comes back": [
        (0, 1, "write", (5,), None), (2, 3, "write", (6,), None), (4, 5, "read", (), (3, 6)), (6, 7, "read", (), (3, 5)),
    ],
}  # fmt: skip


@pytest.mark.parametrize("parts", GOOD.values(), ids=GOOD.keys())
def test_what_can_have_been(parts: Any) -> None:
    assert explained(calls(*parts), START) == ""


@pytest.mark.parametrize("parts", BAD.values(), ids=BAD.keys())
def test_what_cannot_have_been(parts: Any) -> None:
    assert "none of these can be next" in explained(calls(*parts), START)


def by_all_orders(history: list[Call]) -> bool:
    for order in itertools.permutations(history):
        if any(one.ended < other.began for at, other in enumerate(order) for one in order[at + 1 :]):
            continue
        state: Any = START
        for call in order:
            state = step(state, call)
            if state is None:
                break
        else:
            return True
    return False


def test_it_agrees_with_trying_all_orders() -> None:
    rng = random.Random(5)
    verdicts = set()
    for _ in range(600):
        history = []
        for client in range(5):
            began = rng.randrange(12)
            does = rng.choice(["read", "write", "cas"])
            version = rng.randint(1, 3)
            args, result = {
                "read": ((), (version, rng.choice((0, 5, 6)))), "write": ((rng.choice((5, 6)),), None),
                "cas": ((version, rng.choice((5, 6))), rng.random() < 0.6),
            }[does]  # fmt: skip
            history.append(Call(client, 0, does, args, began, began + rng.randint(1, 8), result))  # type: ignore[arg-type]  # a Literal
        verdict = explained(history, START) == ""
        assert verdict == by_all_orders(history), [str(call) for call in history]
        verdicts.add(verdict)
    assert verdicts == {True, False}
