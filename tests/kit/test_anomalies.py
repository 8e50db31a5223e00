"""The catalogue of anomalies tells good histories from bad ones: stores without isolation show every anomaly, taking turns shows none."""

from __future__ import annotations

from typing import Any

import pytest

from holdall.testing.anomalies import LOST, ROWS, SCENARIOS, Ended, History, Scenario, Step


def write(rows: dict[int, int], step: Step) -> dict[int, int | None]:
    """What the step changes."""
    if step.does in ("put", "insert"):
        return {step.args[0]: step.args[1]}
    if step.does == "delete":
        return {step.args[0]: None}
    low, high, *by = step.args
    return {key: value + by[0] if by else None for key, value in rows.items() if low <= value <= high}


def read(rows: dict[int, int], step: Step) -> list[Any]:
    """What the step sees."""
    if step.does == "read":
        return [rows.get(key) for key in step.args]
    low, high = step.args
    return [(key, value) for key, value in sorted(rows.items()) if low <= value <= high]


def install(rows: dict[int, int], changes: dict[int, int | None]) -> dict[int, int | None]:
    """Make the changes; gives what undoes them."""
    old = {key: rows.get(key) for key in changes}
    for key, value in changes.items():
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value
    return old


def without_isolation(scenario: Scenario, *, copies: bool) -> History:
    """Everybody works on the same rows, or (`copies`) each on a copy whose changes are installed at the end, whatever others did."""
    rows = dict(ROWS)
    own = {party: dict(ROWS) if copies else rows for party in scenario.parties} | {"": rows}
    undo: dict[str, list[dict[int, int | None]]] = {party: [] for party in own}
    changed: dict[str, dict[int, int | None]] = {party: {} for party in own}
    ended: dict[str, Ended] = {"": "done"}
    history = History(ended=ended)
    for step in scenario.steps:
        mine = own[step.by]
        if step.writes:
            changes = write(mine, step)
            undo[step.by].append(install(mine, changes))
            changed[step.by] |= changes
        elif step.does in ("read", "find"):
            history.seen.setdefault(step.by, []).append(read(mine, step))
        else:
            ended[step.by] = "done" if step.does == "commit" else "undone"
            if step.does == "commit" and copies:
                install(rows, changed[step.by])
            elif step.does == "rollback" and not copies:
                for changes in reversed(undo[step.by]):
                    install(rows, changes)
    history.final = rows
    return history


def in_turn(scenario: Scenario) -> History:
    """The first party that writes wins; whoever works beside it loses before it has done anything."""
    rows = dict(ROWS)
    winner = next((step.by for step in scenario.steps if step.writes), "")
    history = History(ended={party: "done" if party == winner else "conflict" for party in (*scenario.parties, "")})
    undone = Step(winner, "rollback") in scenario.steps
    for step in scenario.steps:
        if step.by == winner and step.does in ("read", "find"):
            history.seen.setdefault(winner, []).append(read(rows, step))
        elif step.by == winner and step.writes and not undone:
            install(rows, write(rows, step))
    history.final = rows
    return history


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.id)
def test_an_anomaly_is_told_from_its_absence(scenario: Scenario) -> None:
    assert any(scenario.shows(without_isolation(scenario, copies=copies)) for copies in (False, True)), "it can never be seen"
    assert not scenario.shows(in_turn(scenario)), "it is seen where there is none"
    possible = scenario.possible()
    assert all(in_turn(scenario).final.get(key) in values for key, values in possible.items())


def test_the_catalogue_is_whole() -> None:
    assert {scenario.code for scenario in SCENARIOS} == {"G0", "G1a", "G1b", "G1c", "OTV", "PMP", "P4", "G-single", "G2-item", "G2"}
    assert len({scenario.id for scenario in SCENARIOS}) == len(SCENARIOS)
    assert History().saw("T1", 0) is LOST
