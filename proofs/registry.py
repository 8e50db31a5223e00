"""Which proofs there are: every module beside this one that has PROOF or PROOFS."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import proofs
from proofs.harness import Proof

_NOT_PROOFS = {"harness", "registry", "results", "document", "contract", "__main__"}


def all_proofs() -> list[Proof]:
    """Every proof, by its number."""
    found: list[Proof] = []
    for module in iter_modules(proofs.__path__):
        if module.name not in _NOT_PROOFS and not module.name.startswith("_"):
            made = import_module(f"proofs.{module.name}")
            found += [made.PROOF] if hasattr(made, "PROOF") else list(getattr(made, "PROOFS", ()))
    return sorted(found, key=lambda proof: proof.number)
