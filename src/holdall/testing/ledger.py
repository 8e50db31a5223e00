"""The ledger: where a backend deviates from the contract, and why.

An entry is an assertion: the case must fail, and as the entry says. When the deviation is mended, the case passes and the entry itself
becomes the failure, so it goes. Capabilities that a backend declares absent are no deviations: their refusals are cases. Must not know how
cases are run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Deviation:
    """One deviation of one backend.

    `case` is the id of a case, or a pattern over ids with * (each case that it matches must deviate); `reason` says why it is so, for
    users; `shows` is a part of what the failing case says; `colour` is one of them, '' for both.
    """

    backend: str
    case: str
    reason: str
    shows: str
    colour: str = ""

    def covers(self, backend: str, case: str, colour: str) -> bool:
        """Whether the entry is about this case on this backend in this colour."""
        return self.backend == backend and self.colour in ("", colour) and (self.case == case or fnmatchcase(case, _literal(self.case)))


def _literal(pattern: str) -> str:
    """The pattern with the brackets of parameters taken as they are."""
    return pattern.replace("[", "[[]")


# Of the backends that come with Holdall. Those of others are given to `conformance` or `check` by their authors.
LEDGER: tuple[Deviation, ...] = ()


def find(ledger: Iterable[Deviation], backend: str, case: str, colour: str) -> Deviation | None:
    """The entry about a case on a backend, if there is one."""
    return next((entry for entry in ledger if entry.covers(backend, case, colour)), None)
