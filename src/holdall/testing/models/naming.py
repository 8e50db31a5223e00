"""Names of the kit's tables."""

from __future__ import annotations

import os
import secrets

# One namespace for each process that runs the kit. Given by the environment where several processes are to share tables.
PREFIX = os.environ.get("HOLDALL_NAMESPACE") or f"hc{secrets.token_hex(4)}_"


def named(name: str) -> str:
    """The table's name in this process's namespace."""
    return f"{PREFIX}{name}"
