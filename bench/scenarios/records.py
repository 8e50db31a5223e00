"""Making objects: from a backend's row, from unchecked values, and how long the import takes."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from bench.data import Plain, Row, as_dicts, rows
from bench.harness import Contestant, Pace, Result, race
from bench.protocols import OURS, load_ours, load_peer
from bench.scenarios.base import Scenario, absent, for_each
from bench.targets import Target

_DATACLASS = "dataclass, positional"
_BASE_MODEL = "Pydantic BaseModel"
_PYDANTIC = "import pydantic"
_COUNT = 1_000


def _plain(row: Row) -> Plain:
    """The reference with the call it takes to stand where the builder stands: one function, one row."""
    return Plain(*row)


def _builder(pace: Pace) -> Result:
    """Holdall's generated builder against `Plain(*row)`, both as one function of the row."""
    data = rows(_COUNT)
    ours, reason = load_ours()

    def inline() -> None:
        for row in data:
            Plain(*row)

    contestants = [Contestant(_DATACLASS, inline, _COUNT)]
    contestants.append(Contestant(OURS, for_each(ours.builder(), data), _COUNT) if ours else absent(reason))
    contestants.append(Contestant("dataclass, through a function", for_each(_plain, data), _COUNT))
    return race("row builder", "An object from a row, no validation", _DATACLASS, contestants, pace)


def _validated(pace: Pace) -> Result:
    """Construction from keyword arguments that are validated; all values have the right types already."""
    peer = load_peer("pydantic")
    data = as_dicts(rows(_COUNT))
    ours, reason = load_ours()

    def keywords(make: Callable[..., object]) -> Callable[[], None]:
        def run() -> None:
            for values in data:
                make(**values)

        return run

    contestants = [
        Contestant(_BASE_MODEL, keywords(peer.PydanticRecord), _COUNT),
        Contestant(OURS, keywords(ours.Record), _COUNT) if ours else absent(reason),
        Contestant("Pydantic dataclass", keywords(peer.PydanticDataclass), _COUNT),
        Contestant("dataclass, not validated", keywords(Plain), _COUNT),
    ]
    return race("validated construction", "An object from ten keyword arguments, validated", _BASE_MODEL, contestants, pace)


def _python(code: str) -> Any:
    """Run code in a new interpreter of this kind, on this core."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def _imports(pace: Pace) -> Result:
    """Whole interpreters, wall time, nothing subtracted: the start of Python itself is in every row.

    Pydantic loads its parts when they are first used, so the rows that also take the class out of the package are shown as well.
    """
    ours, reason = load_ours()
    codes = {
        _PYDANTIC: "import pydantic",
        OURS: "import holdall",
        "python alone": "pass",
        "from pydantic import BaseModel": "from pydantic import BaseModel",
        "from holdall import Model": "from holdall import Model",
    }
    contestants = [
        absent(reason, name) if "holdall" in code and not ours else Contestant(name, partial(_python, code), prepare=lambda: None)
        for name, code in codes.items()
    ]
    pace = dataclasses.replace(pace, rounds=5 if pace.quick else 15)
    return race("import", "A new interpreter that imports the package, wall time", _PYDANTIC, contestants, pace)


SCENARIOS = (
    Scenario("row builder", _builder, (Target("row builder", "row builder", OURS, _DATACLASS, "at most", 1.3),)),
    Scenario(
        "validated construction",
        _validated,
        (Target("validated construction", "validated construction", OURS, _BASE_MODEL, "at most", 0.8),),
        ("pydantic",),
    ),
    Scenario("import", _imports, (Target("import", "import", OURS, _PYDANTIC, "at most", 2.0),), ("pydantic",)),
)
