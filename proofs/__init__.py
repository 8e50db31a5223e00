"""Proofs: the evidence that docs/proof.md publishes. `python -m proofs` runs them to the full figures; the tests run a share of each."""
