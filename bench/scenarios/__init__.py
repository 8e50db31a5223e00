"""Every scenario, in the order of the run. Growth is last: it holds a million records."""

from __future__ import annotations

from bench.scenarios import growth, memory, records, sqlite
from bench.scenarios.base import Scenario, WrongAnswer

ALL: tuple[Scenario, ...] = records.SCENARIOS + memory.SCENARIOS + sqlite.SCENARIOS + growth.SCENARIOS

__all__ = ["ALL", "Scenario", "WrongAnswer"]
