"""Row 10: writers of a SQLite file are killed with kill -9, one or several at once, in both colours.

Owns the parts; the killing is done by `_kills_run` in a process of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from holdall import Durability
from proofs._crash_record import ENGINE, SETTINGS, Setting
from proofs._powercut import in_own_process
from proofs.harness import Budget, Finding, Outcome, Part, Proof

USUAL = [Setting("wal", "full")]
OTHERS = [setting for setting in SETTINGS if setting not in USUAL and setting.declared is not Durability.NONE]
NOT_EVEN_KILLS = [setting for setting in SETTINGS if setting.declared is Durability.NONE]


def _kills(settings: list[Setting], writers: int, fault: str, budget: Budget) -> Outcome:
    asked = {"seed": budget.seed, "kills": budget.count, "seconds": budget.seconds, "writers": writers, "fault": fault}
    asked["settings"] = [[setting.journal, setting.synchronous] for setting in settings]
    told = json.loads(in_own_process("kills", asked))
    again = f"python -m proofs._crash_run kills '{json.dumps(asked)}'"
    findings = [Finding(what, budget.seed, f"{story}\n{again}") for what, story in told["examples"]]
    figures = {
        "rounds": told["rounds"],
        "units acknowledged": told["acknowledged"],
        "units committed but not yet acknowledged": told["kept_unacknowledged"],
        "files left with a log or a hot journal": told["undone"],
        "killed at an exact operation on the files": told["at_operations"],
        "ms per kill": round(1000 * told["seconds"] / max(1, told["kills"]), 1),
    }
    return Outcome(told["kills"], told["found"], findings, figures)


def _run(settings: list[Setting], writers: int, fault: str = "") -> Callable[[Budget], Outcome]:
    return partial(_kills, settings, writers, fault)


def _part(name: str, run: Callable[[Budget], Outcome], target: int, fast: int, *, control: bool = False) -> Part:
    return Part(name, run, "kills", target, fast, seconds=900, control=control, engine=ENGINE)


PROOF = Proof(
    number=10,
    title="kill -9 of the embedded store",
    oracle="acknowledged ⊆ recovered ⊆ attempted; batches and transactions whole; quick_check each time, integrity_check every tenth time",
    aim="10,000 kills",
    parts=(
        _part("wal, full: one writer", _run(USUAL, 1), 3_000, 60),
        _part("wal, full: up to four writers", _run(USUAL, 4), 3_000, 60),
        _part("other settings: one writer", _run(OTHERS, 1), 3_000, 60),
        _part("other settings: up to four writers", _run(OTHERS, 4), 3_000, 60),
        _part("the journal only in memory", _run(NOT_EVEN_KILLS, 1), 500, 60, control=True),
        _part("acknowledged before the commit", _run(USUAL, 1, "early"), 500, 20, control=True),
        _part("batches written one by one", _run(USUAL, 2, "loose"), 500, 100, control=True),
    ),
    notes="""Writers do single creates, batches, saves, writes by query, deletes, upserts and transactions over four models with
savepoints, through the sync or the async store, and tell each unit on a pipe after it returned. They are killed a random moment after a
random acknowledgement, while they open the file, or before, within or after an exact operation of SQLite on its files, locks included. Of
several writers one is killed first, and the others must go on; then all are. Whatever they leave behind is taken over by the next writers
of the same file, half of the time without anybody having opened it in between. Controls: settings whose journal is only in memory (which
are declared to survive nothing), a writer that acknowledges before the commit, and one that writes batches without a transaction.""",
)
