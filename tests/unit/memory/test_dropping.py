"""Dropping what a transaction of the memory backend has written or read: it loses, or goes on; nothing else breaks.

No case of the kit: where a writer locks, dropping waits for it.
"""

from __future__ import annotations

from typing import Any

import pytest

from holdall.backends import Insert
from holdall.backends.registry import backend_for
from holdall.errors import SerializationFailure
from holdall.program import run
from holdall.testing.models.rivalry import Crew, Remark, Sailor

CREW, SAILOR, REMARK = Crew.__entity__, Sailor.__entity__, Remark.__entity__


@pytest.fixture
def backend() -> Any:
    made: Any = backend_for("memory:")
    run(made.ensure_schema([CREW, SAILOR, REMARK]), made.perform)
    run(made.apply([Insert(CREW, [(1, "")]), Insert(SAILOR, [(1, 1)]), Insert(REMARK, [(1, 1)])], "atomic", None, None), made.perform)
    return made


def begun(backend: Any) -> Any:
    return run(backend.begin(backend.describe().default_isolation, False, None), backend.perform)


@pytest.mark.parametrize("anew", [False, True])
def test_who_wrote_to_a_dropped_table_loses(backend: Any, anew: bool) -> None:
    tx = begun(backend)
    run(backend.apply([Insert(REMARK, [(2, 2)])], "atomic", tx, None), backend.perform)
    run(backend.drop([REMARK]), backend.perform)
    if anew:
        run(backend.ensure_schema([REMARK]), backend.perform)
    with pytest.raises(SerializationFailure, match="dropped"):
        run(backend.commit(tx), backend.perform)
    if anew:
        assert run(backend.fetch(REMARK, [1, 2], None, None, None), backend.perform) == [None, None]


def test_who_wrote_elsewhere_commits(backend: Any) -> None:
    tx = begun(backend)
    assert run(backend.fetch(REMARK, [1], tx, None, None), backend.perform) == [(1, 1)]
    run(backend.apply([Insert(CREW, [(2, "")])], "atomic", tx, None), backend.perform)
    run(backend.drop([REMARK, SAILOR]), backend.perform)
    run(backend.commit(tx), backend.perform)
    assert run(backend.fetch(CREW, [2], None, None, None), backend.perform) == [(2, "")]
