"""Harness: what a proof is, how its parts are run, and what they come to.

A proof is one row of the table in docs/proof.md. Its parts are run one by one, each with a seed, a number of things to try and a limit of
time; a part that is a positive control must find what the others must not find: a checker that was never seen failing is no evidence.
Must not know any proof.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Budget:
    """How much a part is to do: `count` units (cases, steps, kills: what the part says), at most `seconds`, from `seed`."""

    seed: int
    count: int
    seconds: float
    started: float = field(default_factory=time.monotonic)

    def over(self) -> bool:
        """Whether the time is used up. Ask between units: what is begun is finished."""
        return time.monotonic() - self.started > self.seconds

    def random(self, *salt: Any) -> random.Random:
        """A source of chance that the seed (and the salt, whose repr counts) decides."""
        return random.Random(f"{self.seed}/{salt!r}")


@dataclass
class Finding:
    """One thing that should not be. `script` reproduces it: a shrunk program where the proof can make one, else how to run it again."""

    what: str
    seed: int
    script: str = ""


@dataclass
class Outcome:
    """What a part came to: units done, findings (the first few in full, `found` counts all), and figures worth telling, by name."""

    done: int
    found: int = 0
    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One line of a proof.

    `run` does it. `target` is the published aim in `unit`s for `python -m proofs`, `fast` the share that the tests run. `seconds` limits
    the full run, `fast_seconds` the share. A `control` must find something, anything else must find nothing. `engine` is what it ran on.
    """

    name: str
    run: Callable[[Budget], Outcome]
    unit: str
    target: int
    fast: int
    seconds: float = 600.0
    fast_seconds: float = 20.0
    control: bool = False
    engine: str = ""

    def passed(self, outcome: Outcome) -> bool:
        """Whether the outcome is what it must be: something was tried, and a control found something, anything else nothing."""
        return outcome.done > 0 and (outcome.found > 0) == self.control


@dataclass(frozen=True)
class Proof:
    """One row of the table: its number and title there, what it is judged by, and its parts. Every proof has a control."""

    number: int
    title: str
    oracle: str
    aim: str
    parts: Sequence[Part]
    notes: str = ""
