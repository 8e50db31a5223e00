"""Documents: docs/proof.md and its lists, written from the results. `python -m proofs.document` writes them and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from proofs.harness import Part, Proof
from proofs.registry import all_proofs
from proofs.results import Record, load

DOCS = Path(__file__).parents[1] / "docs"

HEAD = """# Proof

What Holdall promises is in [the contract](contract.md), by id. This page is the evidence: what was tried, how often, and what was found.
It is written by `make prove` from what really ran (`proofs/results.json`); nothing on it is typed by hand but the explanations.

How to read it: each row of a table is one run, in a process of its own. **Done** is how many units were tried, **aim** how many we want.
Where done is less than the aim, the time that the run was given was over; the figure is what it is. **Found** must be 0, except in a
*positive control*: there the checker is pointed at something that is wrong on purpose (a weak setting, a planted fault, a level that allows
the anomaly), and must find it. A checker that was never seen failing is no evidence.

**Commit** is the tree that ran; where lines differ in it, they ran one after the other on the way to this release, and what changed in
between is in the history.

Run any line again: `python -m proofs --rows ROW --parts 'PART' --seed SEED --count DONE` (after `make test` has made the environment).
Runs with several threads or processes depend on the scheduler too: the seed decides what is tried, not when it is interrupted.
"""


def write_documents(records: dict[str, Record], folder: Path = DOCS) -> None:
    """Write docs/proof.md, and docs/proof-mutations.md if the mutation score is among the results."""
    (folder / "proof.md").write_text(render(records, all_proofs()), encoding="utf-8")
    plants = [plant for item in records.values() for plant in item.figures.get("plants", ())]
    if plants:
        (folder / "proof-mutations.md").write_text(render_plants(plants), encoding="utf-8")


def render(records: dict[str, Record], proofs: Iterable[Proof]) -> str:
    """The page as Markdown."""
    proofs = list(proofs)
    known = [records[key] for proof in proofs for part in proof.parts if (key := f"{proof.number}/{part.name}") in records]
    lines = [HEAD]
    if known:
        dates = sorted({item.date for item in known})
        spent = sum(item.seconds for item in known)
        lines.append(f"Run on {' and '.join(dates)}; {spent / 60:.0f} minutes of process time in all.\n")
        lines.append("Engines: " + "; ".join(sorted({item.engine for item in known})) + ".\n")
    lines += ["| row | proof | done | found | controls that found something |", "|---|---|---|---|---|"]
    lines += [_summary(proof, records) for proof in proofs]
    for proof in proofs:
        lines += ["", *_section(proof, records)]
    return "\n".join(lines).rstrip() + "\n"


def _summary(proof: Proof, records: dict[str, Record]) -> str:
    mine = [item for part in proof.parts if (item := records.get(f"{proof.number}/{part.name}")) is not None]
    plain = [item for item in mine if not item.control]
    done = ", ".join(f"{count:,} {unit}" for unit, count in _by_unit(plain).items()) or "not run"
    controls = [item for item in mine if item.control]
    seen = f"{sum(item.found > 0 for item in controls)} of {len(controls)}"
    return f"| {proof.number} | [{proof.title}](#{_anchor(proof)}) | {done} | {sum(item.found for item in plain):,} | {seen} |"


def _by_unit(records: Iterable[Record]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for item in records:
        counted[item.unit] = counted.get(item.unit, 0) + item.done
    return counted


def _anchor(proof: Proof) -> str:
    kept = "".join(letter for letter in f"{proof.number} {proof.title}".casefold() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


def _section(proof: Proof, records: dict[str, Record]) -> list[str]:
    lines = [f"## {proof.number} {proof.title}", "", f"Judged by: {proof.oracle}. Aim: {proof.aim}.", ""]
    if proof.notes:
        lines += [proof.notes, ""]
    lines += ["| part | done | aim | found | seconds | seed | commit |", "|---|---|---|---|---|---|---|"]
    lines += [_line(part, records.get(f"{proof.number}/{part.name}")) for part in proof.parts]
    for part in proof.parts:
        item = records.get(f"{proof.number}/{part.name}")
        told = {name: value for name, value in (item.figures if item else {}).items() if name != "plants"}
        if told:
            lines += ["", f"{part.name}: " + "; ".join(f"{name} {_figure(value)}" for name, value in told.items()) + "."]
    return lines


def _line(part: Part, item: Record | None) -> str:
    name = f"*{part.name} (positive control)*" if part.control else part.name
    if item is None:
        return f"| {name} | not run | {part.target:,} {part.unit} | | | | |"
    aim = f"{part.target:,} {part.unit}"
    found = f"{item.found:,}" if item.passed else f"**{item.found:,}: not as it must be**"
    return f"| {name} | {item.done:,} | {aim} | {found} | {item.seconds:,.0f} | {item.seed} | {item.commit} |"


def _figure(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_figure(inner)}" for key, inner in value.items())
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def render_plants(plants: list[dict[str, Any]]) -> str:
    """The list of planted faults, with the case that found each."""
    lines = [
        "# The planted faults", "",
        "The conformance kit is itself put to the test (row 3 of [the proof](proof.md)): each line is a fault that was planted in Holdall,",
        f"the promises that it breaks, and the first case of the kit that failed because of it. {len(plants)} faults.", "",
        "| fault | breaks | what was planted | found by |", "|---|---|---|---|",
    ]  # fmt: skip
    for plant in plants:
        killer = str(plant["killed_by"] or "**nothing**").replace("|", "\\|")
        lines.append(f"| {plant['id']} | {plant['promise']} | {str(plant['what']).replace('|', chr(92) + '|')} | {killer} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write_documents(load())
