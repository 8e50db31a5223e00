"""docs/contract.md, written from promises, cases, ledger and declared capabilities. `python -m proofs.contract` writes it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from holdall.backends import FEATURES, Capabilities
from holdall.backends.registry import backend_for
from holdall.testing import LEDGER, PROMISES, all_cases

PAGE = Path(__file__).parents[1] / "docs" / "contract.md"
BACKENDS = {"memory": "memory:", "SQLite, a file": "sqlite:///contract.db", "SQLite, in memory": "sqlite:///:memory:"}
LETTERS = {
    "A": "Text", "B": "Null and logic", "C": "Numbers", "D": "Time", "E": "Structure and ids", "F": "Writes", "G": "Transactions",
    "H": "Reads and limits",
}  # fmt: skip

HEAD = """# The contract

What every store promises, whatever engine is underneath. A backend keeps a promise natively, emulates it, or **refuses the operation
before anything runs**; it never ignores, approximates or silently narrows one. Each promise has an id, and each id has cases in the
conformance kit: {cases:,} of them, every one on every backend, through the sync and the async side. How the kit itself is tested, and what
else was tried, is in [the proof](proof.md). `holdall check URL` runs the kit against [your own store](conformance.md).

This page is written from the kit and from what the backends declare (`python -m proofs.contract`).
"""


def render() -> str:
    """The page as Markdown."""
    counts = Counter(case.promise for case in all_cases())
    lines = [HEAD.format(cases=sum(counts.values()))]
    for letter, title in LETTERS.items():
        lines += [f"## {letter}. {title}", "", "| id | promise | cases |", "|---|---|---|"]
        lines += [f"| {promise} | {_cell(text)} | {counts[promise]} |" for promise, text in PROMISES.items() if promise[0] == letter]
        lines.append("")
    return "\n".join([*lines, *_differences(), "", *_capabilities()]) + "\n"


def _differences() -> list[str]:
    lines = [
        "## Differences", "",
        "Where a backend deviates from the contract, the ledger says so and why, and a test asserts the deviation: when it is mended, the",
        "entry has to go.", "",
    ]  # fmt: skip
    if not LEDGER:
        return [*lines, "There is none today: every case passes on every backend that offers what the case needs."]
    lines += ["| backend | case | why |", "|---|---|---|"]
    return lines + [f"| {entry.backend} | {_cell(entry.case)} | {_cell(entry.reason)} |" for entry in LEDGER]


def _capabilities() -> list[str]:
    declared = {name: backend_for(url).describe() for name, url in BACKENDS.items()}
    lines = [
        "## What each backend offers", "",
        "As declared, and held to it by the kit: what is declared must work, what is absent must be refused.", "",
        f"| feature | what it is | {' | '.join(declared)} |", f"|---|---|{'---|' * len(declared)}",
    ]  # fmt: skip
    for feature, text in FEATURES.items():
        lines.append(f"| {feature} | {_cell(text)} | {' | '.join(_support(kept, feature) for kept in declared.values())} |")
    lines.append(f"| isolation | levels of transactions | {' | '.join(_levels(kept) for kept in declared.values())} |")
    lines.append(
        f"| durability | what an acknowledged write survives | {' | '.join(kept.durability.value for kept in declared.values())} |"
    )
    lines.append(f"| consistency | of reads | {' | '.join(', '.join(sorted(kept.consistency)) for kept in declared.values())} |")
    return lines


def _support(kept: Capabilities, feature: str) -> str:
    support = kept.support(feature)
    return _cell(f"{support.how}: {support.note}" if support.note else support.how)


def _levels(kept: Capabilities) -> str:
    return ", ".join(sorted(level.value for level in kept.isolation)) or "none"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
