"""The compliance gate, by reflection: what must be true of the cases and of the ledger themselves."""

from __future__ import annotations

import inspect
from collections import Counter
from pathlib import Path

from proofs.contract import render as render_contract
from proofs.document import render as render_proof
from proofs.registry import all_proofs
from proofs.results import load

from holdall.backends.registry import BUILT_IN
from holdall.testing import COLOURS, LEDGER, PROMISES, all_cases

CASES = all_cases()
DOCS = Path(__file__).parents[2] / "docs"


def test_there_are_enough_cases_and_every_promise_has_some() -> None:
    counts = Counter(case.promise for case in CASES)
    assert {promise: counts[promise] for promise in PROMISES if counts[promise] < 3} == {}
    assert len(CASES) >= 1500


def test_what_cases_need_has_a_case_that_shows_its_absence() -> None:
    needed = {need for case in CASES for need in case.needs}
    shown = {case.absent for case in CASES if case.absent is not None}
    assert needed - shown == set()


def test_every_case_is_async_and_takes_the_kit() -> None:
    for case in CASES:
        assert inspect.iscoroutinefunction(case.body), case.id
        inspect.signature(case.body).bind(None, *case.args)


def test_no_case_asks_which_backend_it_is_on_or_catches_a_refusal() -> None:
    folder = Path(inspect.getfile(__import__("holdall.testing.cases", fromlist=["cases"]))).parent
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "except Unsupported" not in text, path.name
        assert ".backend.name" not in text, path.name
        assert "capabilities.backend" not in text, path.name


def test_ledger_entries_are_about_cases_that_exist() -> None:
    for entry in LEDGER:
        assert entry.backend in BUILT_IN or entry.backend in ("sqlite_in_memory", "memory_hostile"), entry
        assert any(entry.covers(entry.backend, case.id, colour) for case in CASES for colour in COLOURS), entry


def test_the_contract_page_is_up_to_date() -> None:
    assert (DOCS / "contract.md").read_text(encoding="utf-8") == render_contract(), "run: python -m proofs.contract"


def test_the_proof_page_says_what_the_results_say() -> None:
    assert (DOCS / "proof.md").read_text(encoding="utf-8") == render_proof(load(), all_proofs()), "run: python -m proofs.document"
