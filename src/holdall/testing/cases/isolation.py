"""G1: isolation. The catalogue of anomalies, on every level that there is, and what a snapshot shows."""

from __future__ import annotations

from holdall.backends import Isolation
from holdall.testing.anomalies import ROWS, SCENARIOS, Scenario
from holdall.testing.case import case
from holdall.testing.kit import Kit
from holdall.testing.models.accounts import Account
from holdall.testing.rivals import play

ACCOUNT = Account.__entity__


async def interleaving(k: Kit, scenario: Scenario, level: Isolation) -> None:
    """An anomaly is not seen where the level forbids it; where it may be, the rows are still what those who committed wrote."""
    await k.ready(Account)
    await k.insert(ACCOUNT, *((key, value, None) for key, value in ROWS.items()))
    history = await play(k, scenario, dict.fromkeys(scenario.parties, level), ACCOUNT, lambda key, value: (key, value, None))
    if level in scenario.prevented_by:
        assert not scenario.shows(history), f"{scenario.story} {history}"
    for key, values in scenario.possible().items():
        assert history.final.get(key) in values, f"nobody who committed wrote {key}: {history.final.get(key)}. {history}"
    assert set(history.final) <= set(scenario.possible()), history


for _level in Isolation:
    for _scenario in SCENARIOS:
        case("G1", needs=[f"isolation.{_level.value}", *_scenario.needs], each={f"{_scenario.id}, {_level.value}": (_scenario, _level)})(
            interleaving
        )
