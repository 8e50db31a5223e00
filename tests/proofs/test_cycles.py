"""The checker of histories, on histories made by hand: each known anomaly is found, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from proofs._cycles import Txn, check, forbidden

from holdall.backends import Isolation


def r(key: str, *numbers: int) -> Any:
    return ("read", key, numbers)


def a(key: str, number: int) -> Any:
    return ("append", key, number)


def seen(key: str, *numbers: int) -> Any:
    return ("seen", key, frozenset(numbers))


def add(key: str, number: int) -> Any:
    return ("add", key, number)


def history(*txns: Any) -> list[Txn]:
    """Transactions that all overlap; a first element 'fail' or 'unknown' is the outcome."""
    made = []
    for at, given in enumerate(txns):
        outcome, ops = (given[0], given[1:]) if given and isinstance(given[0], str) else ("ok", given)
        made.append(Txn(at, at, 1000 + at, outcome, list(ops)))  # type: ignore[arg-type]  # a Literal
    return made


def kinds(found: Any) -> set[str]:
    return {anomaly.kind for anomaly in found}


CLEAN = {
    "nothing": [],
    "one after the other": [[r("x"), a("x", 1)], [r("x", 1), a("x", 2)], [r("x", 1, 2)]],
    "reads of several states": [[a("x", 1)], [a("x", 2)], [r("x", 1)], [r("x", 1, 2)], [r("x")]],
    "a failed write that nobody saw": [["fail", a("x", 1)], [a("x", 2)], [r("x", 2)]],
    "an unknown write that somebody saw": [["unknown", a("x", 1)], [r("x", 1)]],
    "an unknown write that nobody saw": [["unknown", a("x", 1)], [r("x")]],
    "own appends": [[r("x"), a("x", 1), r("x", 1), a("x", 2), r("x", 1, 2)]],
    "own appends without a read before": [[a("x", 1)], [a("x", 2), r("x", 1, 2)]],
    "sets": [[add("s", 1)], [seen("s", 1), add("s", 2)], [seen("s", 1, 2)], [seen("s")]],
}

BAD: dict[str, tuple[set[str], list[Any]]] = {
    "G0": ({"G0"}, [[a("x", 1), a("y", 1)], [a("x", 2), a("y", 2)], [r("x", 1, 2), r("y", 2, 1)]]),
    "G1a": ({"G1a"}, [["fail", a("x", 1)], [r("x", 1)]]),
    "G1a in a set": ({"G1a"}, [["fail", add("s", 1)], [seen("s", 1)]]),
    "G1b": ({"G1b", "G-single"}, [[a("x", 1), a("x", 2)], [r("x", 1)], [r("x", 1, 2)]]),
    "G1c": ({"G1c"}, [[a("x", 1), r("y", 1)], [a("y", 1), r("x", 1)]]),
    "G1c with ww": ({"G1c"}, [[a("x", 1), r("y", 1)], [a("x", 2), a("y", 1)], [r("x", 1, 2)], [r("y", 1)]]),
    "lost update, both kept": ({"lost-update"}, [[r("x"), a("x", 1)], [r("x"), a("x", 2)], [r("x", 1, 2)]]),
    "lost update, one gone": ({"lost-append"}, [[r("x"), a("x", 1)], [r("x"), a("x", 2)], [r("x", 2)]]),
    "G-single": ({"G-single"}, [[a("x", 1), a("y", 1)], [r("x"), r("y", 1)], [r("x", 1)]]),
    "G-single over three": ({"G-single"}, [[r("x"), r("z", 1)], [a("x", 1), a("y", 1)], [r("y", 1), a("z", 1)], [r("x", 1)]]),
    "G-single in sets": ({"G-single"}, [[add("s", 1), add("t", 1)], [seen("s"), seen("t", 1)]]),
    "G-nonadjacent": (
        {"G-nonadjacent"},
        # long fork: two readers see two writes in opposite orders
        [[a("x", 1)], [a("y", 1)], [r("x", 1), r("y")], [r("x"), r("y", 1)], [r("x", 1), r("y", 1)]],
    ),
    "write skew": ({"G2-item"}, [[r("x"), r("y"), a("x", 1)], [r("x"), r("y"), a("y", 1)], [r("x", 1), r("y", 1)]]),
    "write skew through absence": ({"G2-item"}, [[r("x"), a("y", 1)], [r("y"), a("x", 1)], [r("x", 1), r("y", 1)]]),
    "phantoms": ({"G2"}, [[seen("s"), add("t", 1)], [seen("t"), add("s", 1)]]),
    "phantoms in one set": ({"G2"}, [[seen("s"), add("s", 1)], [seen("s"), add("s", 2)]]),
    "read-only anomaly": (
        {"G2-item"},
        # Fekete, O'Neil & O'Neil: only the reader makes it wrong
        [[r("x"), r("y"), a("x", 1)], [r("y"), a("y", 1)], [r("x"), r("y", 1)], [r("x", 1), r("y", 1)]],
    ),
    "a number from nowhere": ({"unwritten"}, [[r("x", 7)]]),
    "twice": ({"duplicate"}, [[a("x", 1)], [r("x", 1, 1)]]),
    "orders that do not agree": ({"incompatible-order"}, [[a("x", 1)], [a("x", 2)], [r("x", 1)], [r("x", 2, 1)]]),
    "an append that is gone": ({"lost-append"}, [[a("x", 1)], [r("x")]]),
    "own write unseen": ({"own-write"}, [[a("x", 1), r("x")], [r("x", 1)]]),
    "own write unseen in a set": ({"own-write"}, [[add("s", 1), seen("s")]]),
    "non-repeatable": ({"non-repeatable", "G-single"}, [[r("x"), r("x", 1)], [a("x", 1)]]),
    "a phantom in one transaction": ({"non-repeatable", "G-single"}, [[seen("s"), seen("s", 1)], [add("s", 1)]]),
}


@pytest.mark.parametrize("txns", CLEAN.values(), ids=CLEAN.keys())
def test_nothing_is_found_where_nothing_is_wrong(txns: Any) -> None:
    assert check(history(*txns)) == []


@pytest.mark.parametrize(("expected", "txns"), BAD.values(), ids=BAD.keys())
def test_known_anomalies_are_found(expected: set[str], txns: Any) -> None:
    found = check(history(*txns), realtime=False)
    assert expected <= kinds(found), [str(anomaly) for anomaly in found]
    if not expected & {"own-write", "duplicate", "unwritten", "G1a", "G1b", "incompatible-order"}:
        assert kinds(found) == expected, [str(anomaly) for anomaly in found]


def test_a_stale_read_is_an_anomaly_of_time_only() -> None:
    stale = [Txn(0, 0, 1, "ok", [a("x", 1)]), Txn(1, 2, 3, "ok", [r("x")]), Txn(2, 4, 5, "ok", [r("x", 1)])]
    assert check(stale, realtime=False) == []
    found = check(stale)
    assert kinds(found) == {"G-single-realtime"}
    assert forbidden(Isolation.SERIALIZABLE, found, realtime=True) == found
    assert forbidden(Isolation.SERIALIZABLE, found, realtime=False) == []


def test_a_write_out_of_time() -> None:
    late = [Txn(0, 0, 1, "ok", [a("x", 1)]), Txn(1, 2, 3, "ok", [a("x", 2)]), Txn(2, 4, 5, "ok", [r("x", 2, 1)])]
    assert kinds(check(late)) == {"G0-realtime"}


LEVELS = {
    "G0": Isolation.READ_COMMITTED,
    "G1a": Isolation.READ_COMMITTED,
    "G1b": Isolation.READ_COMMITTED,
    "G1c": Isolation.READ_COMMITTED,
    "lost update, both kept": Isolation.SNAPSHOT,
    "G-single": Isolation.SNAPSHOT,
    "G-nonadjacent": Isolation.SNAPSHOT,
    "write skew": Isolation.SERIALIZABLE,
    "phantoms": Isolation.SERIALIZABLE,
    "read-only anomaly": Isolation.SERIALIZABLE,
}


@pytest.mark.parametrize(("name", "weakest"), LEVELS.items(), ids=LEVELS.keys())
def test_each_level_forbids_from_which_on(name: str, weakest: Isolation) -> None:
    found = check(history(*BAD[name][1]), realtime=False)
    order = list(Isolation)
    for level in order:
        assert bool(forbidden(level, found, realtime=False)) == (order.index(level) >= order.index(weakest)), level
