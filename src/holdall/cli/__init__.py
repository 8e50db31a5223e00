"""The command line: `holdall`.

Owns how people reach a store from a shell: one file per group of commands, around `app` (which command), `program` (which store and
models), `output` (data, on stdout), `progress` and `failures` (messages, on stderr). Holds no logic of stores, transfers or servers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> int:
    """Run one command with `args` (those of the process if None); gives the exit code, and never raises."""
    try:
        from holdall.cli.app import holdall
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("holdall"):
            raise
        sys.stderr.write(f'holdall: the command line needs {error.name}, which is not installed. Run: pip install "holdall[cli]".\n')
        return 2
    return holdall.run(args)
