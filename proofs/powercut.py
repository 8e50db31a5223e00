"""Row 11: simulated power cuts of the SQLite store, in every journal mode, also while several processes write.

Owns the parts and what each counts as found; the work is in `_crash_record`, `_disk` and `_powercut`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from holdall import Durability
from proofs._crash_record import ENGINE, SETTINGS, Setting
from proofs._powercut import Tally, sweep_many, sweep_processes, sweep_recovery
from proofs.harness import Budget, Finding, Outcome, Part, Proof

STRONG = [setting for setting in SETTINGS if setting.declared is Durability.POWER_LOSS]
NOT_EVEN_KILLS = [setting for setting in SETTINGS if setting.declared is Durability.NONE]
OTHERS = [setting for setting in SETTINGS if setting not in NOT_EVEN_KILLS]

Count = Callable[[Tally], int]


def _bad(tally: Tally) -> int:
    return tally.bad()


def _broken(tally: Tally) -> int:
    return tally.broken


def _survived(tally: Tally) -> int:
    return tally.lost_survived + tally.broken_survived


def _outcome(tally: Tally, found: int, budget: Budget, **figures: Any) -> Outcome:
    figures |= {
        "cuts": tally.cuts,
        "acknowledged units lost": tally.lost,
        "damaged or not whole": tally.broken,
        "opened by Holdall": tally.reopened,
    }
    findings = [Finding(what, budget.seed, script) for what, script in tally.examples] if found else []
    return Outcome(tally.states, found, findings, figures)


def _many(settings: list[Setting], count: Count, budget: Budget) -> Outcome:
    tally = sweep_many(settings, budget.seed, budget.count, budget.over)
    return _outcome(tally, count(tally), budget, **{"most units lost at once": tally.worst})


def _processes(setting: Setting, budget: Budget) -> Outcome:
    tally = sweep_processes(setting, budget.seed, budget.count, budget.over, units=12)
    return _outcome(tally, tally.bad(), budget)


def _recovery(budget: Budget) -> Outcome:
    tally = sweep_recovery(STRONG, budget.seed, budget.count, budget.over)
    return _outcome(tally, tally.bad(), budget)


def _kills(settings: list[Setting], budget: Budget) -> Outcome:
    """Each setting its share; only what a killed process leaves behind is judged."""
    return _each(settings, budget, lambda _, tally: _survived(tally) > 0, only_survived=True)


def _declared(budget: Budget) -> Outcome:
    """Each setting its share; found are those that are declared safer than they were measured."""
    order = list(Durability)
    return _each(SETTINGS, budget, lambda setting, tally: order.index(setting.declared) > order.index(_measured(tally)))


def _measured(tally: Tally) -> Durability:
    return Durability.NONE if _survived(tally) else Durability.PROCESS_CRASH if tally.bad() else Durability.POWER_LOSS


def _each(settings: list[Setting], budget: Budget, wrong: Callable[[Setting, Tally], bool], *, only_survived: bool = False) -> Outcome:
    made = Outcome(0)
    for number, setting in enumerate(settings):
        if budget.over():
            break
        share = budget.count // len(settings)
        tally = sweep_many([setting], budget.seed + number, share, budget.over, only_survived=only_survived, units=40 if share > 500 else 8)
        made.done += tally.states
        made.figures[str(setting)] = f"declared {setting.declared.value}, {tally.bad():,} of {tally.states:,} states bad"
        if wrong(setting, tally):
            made.found += 1
            made.findings += [Finding(f"{setting}: {what}", budget.seed, script) for what, script in tally.examples[:1]]
    return made


def _part(name: str, run: Callable[[Budget], Outcome], target: int, fast: int, *, control: bool = False) -> Part:
    return Part(name, run, "states", target, fast, seconds=900, control=control, engine=ENGINE)


PROOF = Proof(
    number=11,
    title="Power cuts, simulated",
    oracle="acknowledged ⊆ recovered ⊆ attempted; units whole and in the order of their commits; integrity_check and foreign_key_check",
    aim="≥ 100,000 states in each journal mode",
    parts=(
        *(_part(f"{setting}: nothing acknowledged is lost", partial(_many, [setting], _bad), 100_000, 1_000) for setting in STRONG),
        _part("wal, full: several processes", partial(_processes, Setting("wal", "full")), 100_000, 600),
        _part("delete, extra: several processes", partial(_processes, Setting("delete", "extra")), 100_000, 600),
        _part("cut again during recovery", _recovery, 100_000, 600),
        _part("wal, normal: what is left is whole", partial(_many, [Setting("wal", "normal")], _broken), 100_000, 500),
        _part("every setting but memory survives killed processes", partial(_kills, OTHERS), 100_000, 800),
        _part("no setting is declared safer than it is", _declared, 100_000, 1_600),
        _part("wal, normal", partial(_many, [Setting("wal", "normal")], _bad), 20_000, 900, control=True),
        _part("wal, normal: several processes", partial(_processes, Setting("wal", "normal")), 20_000, 1_500, control=True),
        _part("wal, off", partial(_many, [Setting("wal", "off")], _bad), 20_000, 400, control=True),
        _part("delete, full", partial(_many, [Setting("delete", "full")], _bad), 20_000, 1_000, control=True),
        _part("truncate, normal", partial(_many, [Setting("truncate", "normal")], _bad), 20_000, 500, control=True),
        _part("persist, off", partial(_many, [Setting("persist", "off")], _bad), 20_000, 400, control=True),
        _part("memory: killed processes", partial(_kills, NOT_EVEN_KILLS), 20_000, 400, control=True),
    ),
    notes="""A store writes through a VFS that records every operation on its files. After each of them the power is cut: of what was not
synced, any part may be on the disk and any other not, by write, by sector of 512 bytes or to a byte within one; files may have grown
without their content; names that were made or removed may not be so until the folder is synced. SQLite opens what is left, and it must be
a state that the writers went through, at or after the last acknowledged commit. What is assumed of the disk is what SQLite assumes: a sync
that returned has happened, and a write changes no byte beside it. The controls are settings that are declared to be weaker; with these,
states are found in which commits are gone or the file is damaged.""",
)
