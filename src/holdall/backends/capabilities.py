"""Capabilities: what a backend keeps natively, by emulation, or not at all, as data.

The planner, the conformance kit and the tables in the documentation read this one declaration. Unknown means ABSENT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal


class Isolation(Enum):
    """The named transaction levels (G1)."""

    READ_COMMITTED = "read_committed"
    SNAPSHOT = "snapshot"
    SERIALIZABLE = "serializable"


class Durability(Enum):
    """What an acknowledged write survives."""

    NONE = "none"
    PROCESS_CRASH = "process_crash"
    POWER_LOSS = "power_loss"


@dataclass(frozen=True, slots=True)
class Support:
    """How one capability is met; `note` says how an emulation works or why it is absent."""

    how: Literal["native", "emulated", "absent"]
    note: str = ""

    def __bool__(self) -> bool:
        return self.how != "absent"


NATIVE = Support("native")
ABSENT = Support("absent")


def emulated(note: str) -> Support:
    """A capability kept by other means, described in the note."""
    return Support("emulated", note)


FEATURES: Mapping[str, str] = {
    "transactions": "several calls in one transaction that others see whole or not at all",
    "savepoints": "nested transactions that can be undone alone",
    "atomic_batch": "a batch of writes that is applied whole or not at all",
    "set_writes": "update and delete by query in one step",
    "aggregates": "count, sum, avg, min, max and grouping in the engine",
    "joins": "conditions through relations in the engine",
    "unique": "unique constraints",
    "references": "references checked, with on_delete rules",
    "checks": "checks over several fields",
    "expiry": "records that become invisible at their instant",
    "generated_int": "integer keys made by the store",
    "scan": "queries that no index serves",
    "deferred_unique": "a bulk change of a unique field, checked at the end (F7)",
    "reads_beside_writes": "while a transaction writes, others read what was last committed, and a reader does not stop a writer",
    "row_locks": "reads that lock rows until the transaction ends",
    "read_your_writes": "a read after a write in the same store sees it",
    "schema_inspection": "reading the stored schema",
    "raw": "statements in the engine's own language",
}


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What `describe()` tells after connecting. `features` has an entry for each name of FEATURES; a missing one means ABSENT.

    Limits are None where the engine sets none. `engine` and `version` name what answered; `verified` lists what was checked at connect.
    """

    backend: str
    engine: str
    version: str
    durability: Durability
    isolation: frozenset[Isolation] = frozenset()
    default_isolation: Isolation | None = None
    consistency: frozenset[str] = frozenset({"strong"})
    features: Mapping[str, Support] = field(default_factory=dict[str, Support])
    parameters_max: int | None = None
    batch_items_max: int | None = None
    item_bytes_max: int | None = None
    key_bytes_max: int | None = None
    expiry_granularity_s: float = 0.0
    verified: tuple[str, ...] = ()

    def support(self, feature: str) -> Support:
        """How the feature is met; KeyError for a name that FEATURES does not have (a typing mistake, not a missing feature)."""
        FEATURES[feature]
        return self.features.get(feature, ABSENT)
