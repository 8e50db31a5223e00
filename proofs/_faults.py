"""Planted faults: a backend that is wrong in one way, for the positive controls. Each is a layer in front of a right one.

Must not know which proof looks for it.
"""

from __future__ import annotations

import datetime as dt
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from holdall.backends import Insert, Native, Upsert
from holdall.backends.memory.writes import Writer
from holdall.errors import UniqueViolation
from holdall.query import (
    And,
    Compare,
    Condition,
    Constant,
    Match,
    Membership,
    Or,
    Related,
    Select,
    map_conditions,
    prepare,
    replace,
)
from holdall.testing.proxy import Through, through


class Misread(Through):
    """Answers another query than the one asked."""

    def plan(self, select: Select) -> Any:
        return self.inner.plan(self.changed(select))

    def changed(self, select: Select) -> Select:
        """The query with every condition in it changed."""
        return replace(select, where=self.inside(select.where))

    def inside(self, condition: Condition) -> Condition:
        """The condition with its leaves changed, also those of related records."""

        def leaf(item: Condition) -> Condition:
            return replace(item, inner=self.inside(item.inner)) if isinstance(item, Related) else self.leaf(item)

        return map_conditions(condition, leaf)

    def leaf(self, condition: Condition) -> Condition:
        return condition


class NullsFirst(Misread):
    """Nulls come first."""

    def changed(self, select: Select) -> Select:
        return replace(select, order=tuple(replace(item, nulls_first=True) for item in select.order))


class NotInForgetsNull(Misread):
    """NOT IN (…, null) keeps what is not in the rest."""

    def leaf(self, condition: Condition) -> Condition:
        return replace(condition, with_null=False) if isinstance(condition, Membership) else condition


class EqualityKnowsNull(Misread):
    """null = null is true."""

    def leaf(self, condition: Condition) -> Condition:
        return replace(condition, op="same") if isinstance(condition, Compare) and condition.op == "eq" else condition


class NotEqualKnowsNull(Misread):
    """null differs from everything."""

    def leaf(self, condition: Condition) -> Condition:
        return replace(condition, op="not_same") if isinstance(condition, Compare) and condition.op == "ne" else condition


class CaseIgnored(Misread):
    """LIKE and prefixes take upper and lower case for the same."""

    def leaf(self, condition: Condition) -> Condition:
        changed: Any = {"startswith": "istartswith", "contains": "icontains", "endswith": "iendswith"}
        return replace(condition, op=changed.get(condition.op, condition.op)) if isinstance(condition, Match) else condition


class EveryNeedsOne(Misread):
    """every(…) of nothing is false."""

    def leaf(self, condition: Condition) -> Condition:
        return condition

    def inside(self, condition: Condition) -> Condition:
        def leaf(item: Condition) -> Condition:
            if isinstance(item, Related) and item.quantifier == "every":
                return And((item, Related(item.steps, item.relation, "any", Constant(True))))
            return item

        return map_conditions(condition, leaf)


class RangeLosesItsEnd(Misread):
    """<= means <."""

    def leaf(self, condition: Condition) -> Condition:
        return replace(condition, op="lt") if isinstance(condition, Compare) and condition.op == "lte" else condition


class OneTooMany(Misread):
    """A limit lets one more through."""

    def changed(self, select: Select) -> Select:
        return replace(select, limit=select.limit + 1) if select.limit else select


class OrCountsTwice(Through):
    """A row that meets both sides of an 'or' comes twice, as from a union that keeps what is double."""

    def select(self, plan: Any, tx: Any) -> Any:
        rows = yield from self.inner.select(plan, tx)
        select = plan.select
        if isinstance(select.where, Or) and select.columns is None and select.limit is None:
            both = self.inner.plan(replace(select, where=And(select.where.items)))
            rows = [*rows, *(yield from self.inner.select(both, tx))]
        return rows


class UniqueIgnoresCase(Through):
    """Unique text is compared without case."""

    def apply(self, batch: Any, atomicity: Any, tx: Any, now: Any) -> Any:
        for item in batch:
            if isinstance(item, Insert):
                for unique in item.entity.uniques:
                    yield from self._check(item, unique.fields, tx, now)
        return (yield from self.inner.apply(batch, atomicity, tx, now))

    def _check(self, item: Insert, names: tuple[str, ...], tx: Any, now: Any) -> Any:
        positions = item.entity.positions(names)
        if all(item.entity.fields[position].type.kind != "str" for position in positions):
            return
        plan = self.inner.plan(prepare(Select(item.entity), now))
        assert isinstance(plan, Native)
        known = {_folded(row, positions) for row in (yield from self.inner.select(plan, tx))}
        if any(_folded(row, positions) in known and None not in _folded(row, positions) for row in item.rows):
            raise UniqueViolation("There is one already.", entity=item.entity.name, fields=names)


def _folded(row: Any, positions: Any) -> tuple[Any, ...]:
    values = [row[position] for position in positions]
    return tuple(value.casefold() if isinstance(value, str) else None if value is None else repr(value) for value in values)


class SavepointKeeps(Through):
    """Going back to a savepoint undoes nothing."""

    def rollback_to(self, tx: Any, savepoint: Any) -> Any:
        return self.inner.release(tx, savepoint)


class RollbackCommits(Through):
    """A transaction that is undone stays."""

    def rollback(self, tx: Any) -> Any:
        return self.inner.commit(tx)


class ExpiresLate(Through):
    """What expires at this very instant is still there."""

    def plan(self, select: Select) -> Any:
        return self.inner.plan(select if select.now is None else replace(select, now=select.now - dt.timedelta(microseconds=1)))


class VersionStays(Through):
    """An upsert does not count the version up."""

    def apply(self, batch: Any, atomicity: Any, tx: Any, now: Any) -> Any:
        results = yield from self.inner.apply(batch, atomicity, tx, now)
        for place, item in enumerate(batch):
            if isinstance(item, Upsert) and item.entity.version_field is not None and results[place][0] == "updated":
                status, row = results[place]
                at = item.entity.version_field.position
                results[place] = (status, (*row[:at], row[at] - 1, *row[at + 1 :]))
        return results


@contextmanager
def mutant(owner: Any, name: str, old: str, new: str) -> Iterator[None]:
    """A method of the memory backend with a piece of its text replaced, while the block lasts."""
    function = getattr(owner, name)
    text = textwrap.dedent(inspect.getsource(function))
    assert old in text, f"{owner.__name__}.{name} has changed: plant the fault anew"
    names: dict[str, Any] = {}
    exec(compile(text.replace(old, new), f"<{name}, with a fault>", "exec", dont_inherit=True), function.__globals__, names)
    setattr(owner, name, names[name])
    try:
        yield
    finally:
        setattr(owner, name, function)


@dataclass(frozen=True)
class Fault:
    """A fault by name: a layer in front of the backend, or a changed method of the memory backend (owner, name, old text, new text).

    `shows_on` is a pattern for declarations of models: on others the fault cannot show. `rare`: it takes many steps to meet it.
    """

    name: str
    layer: type[Through] | None = None
    mutation: tuple[Any, str, str, str] | None = None
    shows_on: str = ""
    rare: bool = False

    def plant(self) -> AbstractContextManager[None]:
        """Makes the mutation, if it is one."""
        return nullcontext() if self.mutation is None else mutant(*self.mutation)

    def over(self, backend: Any) -> Any:
        """The backend with the layer before it, if it is one."""
        return backend if self.layer is None else through(self.layer, backend)


def _layers(*kinds: type[Through]) -> tuple[Fault, ...]:
    return tuple(Fault(kind.__name__, kind) for kind in kinds)


READ_FAULTS = _layers(
    NotInForgetsNull, EqualityKnowsNull, NotEqualKnowsNull, CaseIgnored, EveryNeedsOne, RangeLosesItsEnd, OrCountsTwice, OneTooMany
)
_SELF_CASCADE = r'class (\w+)\(Model[^\0]*?references="\1", on_delete="cascade"'
FAULTS = (
    *_layers(NullsFirst, NotInForgetsNull, SavepointKeeps, RollbackCommits, OneTooMany),
    Fault("EveryNeedsOne", EveryNeedsOne, shows_on="HasMany|ManyToMany"),
    Fault("UniqueIgnoresCase", UniqueIgnoresCase, shows_on=r"f\d: str.*unique=True", rare=True),
    Fault("ExpiresLate", ExpiresLate, shows_on="expires=True"),
    Fault("VersionStays", VersionStays, shows_on=r"Version\("),
    Fault("CascadeStopsAfterOneLevel", None, (Writer, "remove", "waiting.append((child, child_ik))", "pass"), _SELF_CASCADE, rare=True),
    Fault("SetNullDoesNothing", None, (Writer, "_let_go", "values[position] = None", "pass"), "set_null", rare=True),
)
