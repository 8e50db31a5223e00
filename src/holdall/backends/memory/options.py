"""Options: what the URL of a memory store may say, read and checked.

Owns the names, their meaning and their refusals. Must not know tables, plans or how hostility is done.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from holdall.backends.capabilities import ABSENT, FEATURES, NATIVE, Isolation, Support, emulated
from holdall.errors import DeclarationError, near_name

OPTIONS: Mapping[str, str] = {
    "without": "features to do without, separated by commas: what depends on them is refused, as on a store that lacks them",
    "hostile": "1: where the contract is silent, do what is legal and unpleasant",
    "seed": "with hostile=1: the number that decides all chance; a new one for each store unless given",
    "conflicts": "with hostile=1: how often a transaction that could commit loses, from 0 (never) to 1 (always); 0.05 unless given",
}
_OF_HOSTILE = ("hostile", "seed", "conflicts")
CONFLICTS = 0.05
SEEDS = 2**32

_LOCKS = emulated("optimistic: nobody waits; commit raises SerializationFailure if a row locked here was written by another transaction")
_FEATURES: Mapping[str, Support] = {
    **dict.fromkeys(FEATURES, NATIVE),
    "row_locks": _LOCKS,
    "deferred_unique": ABSENT,
    "schema_inspection": ABSENT,
    "raw": ABSENT,
}
_LEFT_OUT = Support("absent", "left out by the store's URL")
# What goes with a feature that is left out.
_IMPLIED: Mapping[str, tuple[str, ...]] = {"transactions": ("savepoints", "row_locks", "reads_beside_writes")}
# What cannot be left out, and why.
_STAYS: Mapping[str, str] = {
    "deferred_unique": "it has none to begin with",
    "schema_inspection": "it has none to begin with",
    "raw": "it has none to begin with",
    "reads_beside_writes": "its transactions are states of the past, which stop nobody; leave out transactions instead",
    "read_your_writes": "it reads what was written last; with hostile=1, reads that ask for consistency 'eventual' may lag",
}


@dataclass(frozen=True, slots=True)
class Hostility:
    """How unpleasant a store is to be: from which seed, and how often commits lose."""

    seed: int
    conflicts: float

    @property
    def told(self) -> str:
        """The same, for people."""
        return f"hostile, seed {self.seed}, conflicts {self.conflicts:g}"


def read_features(given: Mapping[str, str]) -> Mapping[str, Support]:
    """The features of a memory store with these options; DeclarationError for what it cannot do without."""
    names = [name.strip() for name in given.get("without", "").split(",") if name.strip()]
    for name in names:
        if name not in FEATURES:
            raise DeclarationError(
                f"The memory backend cannot do without '{name}': there is no such feature.", hint=near_name(name, FEATURES)
            )
        if name in _STAYS:
            raise DeclarationError(f"The memory backend cannot do without '{name}': {_STAYS[name]}.")
    gone = [*names, *(implied for name in names for implied in _IMPLIED.get(name, ()))]
    return {**_FEATURES, **dict.fromkeys(gone, _LEFT_OUT)}


def levels(features: Mapping[str, Support]) -> frozenset[Isolation]:
    """The isolation levels of a memory store with these features."""
    return frozenset({Isolation.SNAPSHOT, Isolation.SERIALIZABLE}) if features["transactions"] else frozenset()


def check_plain(given: Mapping[str, str]) -> None:
    """DeclarationError for an option that there is not, or that only a hostile store has."""
    _check_names(given)
    for option in given:
        if option in _OF_HOSTILE:
            raise DeclarationError(f"'{option}' is of a hostile memory store only.", hint="Write memory:?hostile=1, or use HostileBackend.")


def _check_names(given: Mapping[str, str]) -> None:
    for option in given:
        if option not in OPTIONS:
            raise DeclarationError(f"The memory backend has no option '{option}'.", hint=near_name(option, OPTIONS))


def read_hostility(given: Mapping[str, str]) -> Hostility | None:
    """How hostile the store is to be; None for not at all. DeclarationError for values that cannot be."""
    _check_names(given)
    hostile = given.get("hostile")
    if hostile is None:
        return None
    if hostile != "1":
        raise DeclarationError(f"hostile is 1, not {hostile!r}.", hint="Write memory:?hostile=1, or leave it out.")
    text = given.get("seed")
    if text is None:
        seed = random.SystemRandom().randrange(SEEDS)
    elif text.isascii() and text.isdigit() and int(text) < SEEDS:
        seed = int(text)
    else:
        raise DeclarationError(f"seed is a whole number from 0 to {SEEDS - 1}, not {text!r}.")
    try:
        conflicts = float(given.get("conflicts", CONFLICTS))
    except ValueError:
        conflicts = -1.0
    if not 0 <= conflicts <= 1:
        raise DeclarationError(f"conflicts is a number from 0 (never) to 1 (always), not {given['conflicts']!r}.")
    return Hostility(seed, conflicts)
