"""What the crash proofs do in a process of its own, because it forks: python -m proofs._crash_run WHAT JSON."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

from proofs._crash_record import Setting, record_many
from proofs._kills_run import run_kills


def _record(asked: dict[str, Any]) -> None:
    place = Path(asked["place"])
    setting = Setting(asked["journal"], asked["synchronous"])
    made = record_many(setting, asked["seed"], asked["units"], asked["writers"], place)
    (place / "recording").write_bytes(pickle.dumps(made))


def _kills(asked: dict[str, Any]) -> None:
    print(json.dumps(run_kills(asked)))


if __name__ == "__main__":
    {"record": _record, "kills": _kills}[sys.argv[1]](json.loads(sys.argv[2]))
