"""A fast share of every proof, positive controls included."""

from __future__ import annotations

import os
import random

import pytest
from proofs.harness import Budget, Part, Proof
from proofs.registry import all_proofs

SEED = int(os.environ.get("HOLDALL_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
PARTS = [pytest.param(proof, part, id=f"{proof.number}-{part.name}") for proof in all_proofs() for part in proof.parts]


def test_every_proof_has_a_positive_control() -> None:
    assert all(any(part.control for part in proof.parts) for proof in all_proofs())


@pytest.mark.parametrize(("proof", "part"), PARTS)
def test_part(proof: Proof, part: Part) -> None:
    outcome = part.run(Budget(SEED, part.fast, part.fast_seconds))
    said = "\n\n".join(f"{item.what}\nseed {item.seed}\n{item.script}" for item in outcome.findings[:3])
    again = f"python -m proofs --rows {proof.number} --parts {part.name!r} --seed {SEED} --count {part.fast}"
    assert part.passed(outcome), f"{outcome.found} found in {outcome.done} {part.unit} (control: {part.control}). Again: {again}\n{said}"
