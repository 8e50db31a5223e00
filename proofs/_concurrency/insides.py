"""Insides: what must hold in the memory engine whenever nobody is using it.

Owns the comparison of indexes with rows. Must not know proofs.
"""

from __future__ import annotations

from typing import Any

from holdall.backends.memory.table import Table


def amiss(backend: Any) -> str:
    """What is wrong inside, in words; '' if nothing. To be asked when no transaction is open."""
    engine = backend._engine
    if engine._stamp & 1:
        return "the stamp is odd: a write is said to be under way"
    if engine._live.journal:
        return f"the journal has {len(engine._live.journal)} entries"
    if len(engine._open):
        return f"{len(engine._open)} transactions are open"
    engine._trim()
    if engine._log:
        return f"the log keeps {len(engine._log)} entries that nobody needs"
    for entity, table in engine.tables.items():
        wrong = indexes_differ(table)
        if wrong:
            return f"{entity.name}: {wrong}"
    return ""


def indexes_differ(table: Table) -> str:
    """Where an index does not say what the rows say; '' if nowhere."""
    rows = table.rows
    for ik, row in rows.items():
        if table.layout.row_ik(row) != ik:
            return f"the row {row} is kept under {ik}"
    for positions, unique in table._uniques.items():
        expected = {value: row for row in rows.values() if (value := unique.value_of(row)) is not None}
        if unique.rows != expected:
            return f"the unique index on {positions} has {unique.rows}, the rows are {expected}"
    for positions, hashed in table._hashes.items():
        buckets: dict[Any, dict[Any, Any]] = {}
        nulls: dict[Any, Any] = {}
        for ik, row in rows.items():
            value = hashed.value_of(row)
            if value is None:
                nulls[ik] = row
            else:
                buckets.setdefault(value, {})[ik] = row
        if hashed.buckets != buckets or hashed.nulls != nulls:
            return f"the index on {positions} has {hashed.buckets} and {hashed.nulls}, the rows are {buckets} and {nulls}"
    for positions, ordered in table._ordered.items():
        if list(ordered.entries()) != sorted(map(ordered.entry_of, rows.values())):
            return f"the ordered index on {positions} has {list(ordered.entries())}, the rows are {list(rows.values())}"
    return ""
