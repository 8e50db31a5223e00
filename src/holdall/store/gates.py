"""Gates: what a backend lacks is refused here, before anything runs, with the reason and a remedy.

Owns the one place where the store asks for a capability. What only a plan can tell (an index that is missing, a condition that the engine
cannot say) is the backend's own Refuse. Must not perform anything.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdall.backends import FEATURES, Backend, Capabilities
from holdall.errors import DeclarationError, Unsupported
from holdall.query import FieldRef, Select, references
from holdall.schema import Entity

_REMEDIES = {
    "transactions": "Write in one batch (create_many), or use a version field and save records one by one.",
    "savepoints": "Use one transaction; let its errors leave the block.",
    "atomic_batch": "Write the records one by one.",
    "set_writes": "Read the records and save or delete them one by one.",
    "aggregates": "Read the records and compute it.",
    "joins": "Read the related keys first, then use one_of(…).",
    "unique": "Drop unique=, or make the value the key.",
    "references": "Keep a plain field instead of references=.",
    "checks": "Check before saving, in a validator of the model.",
    "expiry": "Drop expires_after and expires=, and delete the records yourself.",
    "generated_int": "Use a UUID key, or set the key yourself: Key(generated=False).",
    "row_locks": "Leave out lock(); use a version field and save().",
    "raw": "Use queries.",
    "schema_inspection": "Write the models by hand.",
}


class Kept:
    """What a backend keeps, asked once: `lacks` are the absent features, `consistency` the levels of reads."""

    __slots__ = ("capabilities", "consistency", "lacks", "name")

    def __init__(self, backend: Backend) -> None:
        self.capabilities: Capabilities = backend.describe()
        self.name = backend.name
        self.consistency = self.capabilities.consistency
        self.lacks = frozenset(feature for feature in FEATURES if not self.capabilities.support(feature))

    def need(self, feature: str, what: str) -> None:
        """Unsupported if the feature is absent; `what` is what asked for it, as a user would say it."""
        if feature in self.lacks:
            note = self.capabilities.support(feature).note
            because = f" ({note})" if note else ""
            raise Unsupported(
                f"{what}: {self.name} does not offer '{feature}', {FEATURES[feature]}{because}.", hint=_REMEDIES.get(feature, "")
            )

    def check_select(self, select: Select) -> None:
        """Unsupported if a read asks for a lock, a consistency, aggregates or relations that the backend does not have."""
        if select.consistency not in self.consistency:
            offered = ", ".join(sorted(self.consistency)) or "none"
            raise Unsupported(
                f"{self.name} does not offer reads with consistency '{select.consistency}'.",
                hint=f"It offers: {offered}; say so with .consistency(…).",
            )
        if select.lock is not None:
            self.need("row_locks", "lock()")
        if "aggregates" in self.lacks and select.aggregated:
            self.need("aggregates", f"An aggregate over {select.entity.name}")
        if "joins" in self.lacks and _goes_through_relations(select):
            self.need("joins", f"A condition, order or column of {select.entity.name} through a relation")

    def check_entities(self, entities: Iterable[Entity]) -> None:
        """Unsupported if an entity declares what the backend does not keep."""
        if not self.lacks:
            return
        for entity in entities:
            for feature, what in _declares(entity):
                self.need(feature, what)


def check_tables(entities: Iterable[Entity]) -> None:
    """DeclarationError if two tables have names that differ in case only (F9): some engines would take them for one."""
    seen: dict[str, Entity] = {}
    for entity in entities:
        other = seen.setdefault(entity.table.casefold(), entity)
        if other.table != entity.table:
            raise DeclarationError(
                f"The tables of {other.name} and {entity.name}, '{other.table}' and '{entity.table}', are the same when case is ignored.",
                hint="Some engines cannot tell them apart; rename one with table=.",
            )


def _declares(entity: Entity) -> Iterable[tuple[str, str]]:
    name = entity.name
    if entity.uniques or any(field.unique for field in entity.fields):
        yield "unique", f"{name} declares values that are unique"
    if entity.references:
        yield "references", f"{name} declares a reference"
    if entity.checks:
        yield "checks", f"{name} declares the check '{entity.checks[0].name}'"
    if entity.expiry_field is not None:
        yield "expiry", f"{name}.{entity.expiry_field.name} is an instant of expiry"
    if entity.generated_field is not None and entity.generated_field.generated == "int":
        yield "generated_int", f"{name}.{entity.generated_field.name} is to be numbered by the store"


def _goes_through_relations(select: Select) -> bool:
    nodes = [select.where, select.having, *select.group_by, *(order.expr for order in select.order)]
    nodes += [column.expr for column in select.columns or ()]
    return any(not isinstance(ref, FieldRef) or ref.steps for node in nodes for ref in references(node))
