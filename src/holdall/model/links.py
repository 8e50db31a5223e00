"""Links: what objects hold of each other in memory, and how both sides stay consistent.

Owns reading and assigning relations on objects, and the list of a to-many relation. A link is either loaded or not; a
foreign key that waits for the key of a parent that is not saved yet is pending. Must not know stores; an opt-in automatic load asks
the ambient one. Identity counts, never equality: two objects may stand for the same record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self, SupportsIndex

from holdall.errors import NotLoaded, Problem, ProgrammingError, ValidationError
from holdall.model.ambient import ambient_home
from holdall.model.record import Extras, extras_of
from holdall.model.spec import MISSING
from holdall.schema import Entity, Relation

Record = Any  # an object of any model; its class gives the relations


def links_of(record: Record) -> dict[str, Any]:
    """The loaded links of an object, by relation name."""
    return extras_of(record).links


def _pending_of(record: Record) -> dict[str, Any]:
    return extras_of(record).pending


def _relation(record: Record, name: str) -> Relation:
    relations: Mapping[str, Relation] = record.__entity__.relations
    return relations[name]


def _key(record: Record, relation: Relation) -> Any:
    """The key of the parent that a belongs_to of `relation` points at."""
    return getattr(record, relation.remote[0])


# Reading


def read_link(record: Record, name: str) -> Any:
    """What the relation leads to; NotLoaded, naming the ways to load it, if that is not known in memory."""
    relation = _relation(record, name)
    found = _held(record, relation)
    if found is not _UNKNOWN:
        return found
    batch = extras_of(record).batch
    if batch is not None:
        home = ambient_home(type(record))
        if not home.may_block():
            raise NotLoaded(
                f"{type(record).__name__}.{name} was not loaded, and loading it here would block the event loop.",
                hint=f"Load it with the query: .include({type(record).__name__}.{name}); or: await store.aio.load(records, …).",
            )
        home.run("load", type(record), [other for other in batch if type(other) is type(record)], (name,))
        found = _held(record, relation)
        if found is not _UNKNOWN:
            return found
    model = type(record).__name__
    raise NotLoaded(
        f"{model}.{name} was not loaded with this record.",
        hint=f"Load it with the query: .include({model}.{name}); or for records you have: store.load(records, {model}.{name}).",
    )


_UNKNOWN: Any = object()


def _held(record: Record, relation: Relation) -> Any:
    links = links_of(record)
    name = relation.name
    if relation.kind == "belongs_to":
        return _held_parent(record, relation, links)
    if name in links:
        return links[name]
    if record._row is not None:
        return _UNKNOWN
    if relation.kind == "has_one":
        return None
    links[name] = made = RelatedList(record, name)
    return made


def _held_parent(record: Record, relation: Relation, links: dict[str, Any]) -> Any:
    """The parent, as long as the foreign key still is its key: assigning another key makes the link unknown again."""
    field = relation.local[0]
    resolve_pending(record)
    key = getattr(record, field)
    if key is None:
        return _pending_of(record).get(field)
    parent = links.get(relation.name)
    known = extras_of(record).nowhere.get(relation.name) if parent is None else _key(parent, relation)
    return parent if known == key else _UNKNOWN


def resolve_pending(record: Record) -> None:
    """Copy keys that parents were given meanwhile into the foreign keys that wait for them."""
    extras: Extras | None = getattr(record, "_extras", None)
    if extras is None or not extras.pending:
        return
    pending = extras.pending
    for field, parent in list(pending.items()):
        key = parent.__key_value__()
        if key is not None:
            setattr(record, field, key)
            del pending[field]


def loaded_links(record: Record) -> dict[str, Any]:
    """Every relation that is known in memory, with what it leads to."""
    extras: Extras | None = getattr(record, "_extras", None)
    if extras is None or not extras.links:
        return {}
    found = [(name, _held(record, _relation(record, name))) for name in list(extras.links)]
    return {name: value for name, value in found if value is not _UNKNOWN}


# Assigning


def assign_link(record: Record, name: str, value: Any) -> None:
    """What `record.name = value` does, on both sides; ValidationError for something that is no record of the right model."""
    relation = _relation(record, name)
    if relation.to_many:
        if value is not _raw(record, name):
            to_many(record, name)[:] = list(_checked_items(record, relation, value))
        return
    check_record(record, relation, value, (name,))
    if relation.kind == "belongs_to":
        set_parent(record, relation, value)
    else:
        _set_child(record, relation, value)


def check_record(record: Record, relation: Relation, value: Any, path: tuple[str | int, ...]) -> None:
    """ValidationError unless the value is an object of the relation's target, or None for a to-one relation."""
    problem = wrong_record(relation, value, path)
    if problem is not None:
        raise ValidationError(type(record).__name__, [problem])


def wrong_record(relation: Relation, value: Any, path: tuple[str | int, ...], none: bool = True) -> Problem | None:
    """The problem of a value that is no record of the relation's target."""
    target = relation.target.entity
    if (value is None and none) or _entity_of(value) is target:
        return None
    article = "an" if target.name[:1] in "AEIO" else "a"
    return Problem(path, "relation", f"must be {article} {target.name}, not {type(value).__name__}")


def _entity_of(value: Any) -> Any:
    """The entity of a record; None for anything else, classes included."""
    return None if isinstance(value, type) else getattr(value, "__entity__", None)


def wrong_records(relation: Relation, items: Any) -> list[Problem]:
    """The problems of what is to be the list of a to-many relation."""
    name, records = relation.name, items
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        return [Problem((name,), "relation", f"must be a list of {relation.target.entity.name}")]
    found = [wrong_record(relation, item, (name, place), none=False) for place, item in enumerate(records)]
    return [problem for problem in found if problem is not None]


def parent_key(cls: Any, name: str) -> Callable[[Any], Any]:
    """The function that gives the key of a parent for the constructor's fast lane; MISSING sends what is unusual to the slow one."""
    entity: Entity | None = None
    key = ""

    def get(parent: Any) -> Any:
        nonlocal entity, key
        if entity is None:
            relation = _relation(cls, name)  # only now, because its other side may be declared later
            entity, key = relation.target.entity, relation.remote[0]
        if parent is None:
            return None
        if _entity_of(parent) is not entity:
            return MISSING
        found = getattr(parent, key)
        return MISSING if found is None else found

    return get


def _checked_items(record: Record, relation: Relation, items: Any) -> list[Any]:
    records: Any = items
    if hasattr(items, "__next__"):
        records = list(items)  # a generator can be gone through only once
    problems = wrong_records(relation, records)
    if problems:
        raise ValidationError(type(record).__name__, problems)
    return list(records)


def set_parent(child: Record, relation: Relation, parent: Record | None) -> None:
    """child.relation = parent: the foreign key, and the lists of the old and the new parent."""
    old = links_of(child).get(relation.name)
    _point_at(child, relation, parent)
    if relation.inverse is None:
        return
    if old is not None and old is not parent:
        _leave(old, relation.inverse, child)
    if parent is not None:
        _join(parent, relation.inverse, child)


def _point_at(child: Record, relation: Relation, parent: Record | None) -> None:
    """The child's own side only."""
    field = relation.local[0]
    _pending_of(child).pop(field, None)
    if parent is None:
        links_of(child).pop(relation.name, None)
        setattr(child, field, None)
        return
    key = _key(parent, relation)
    links_of(child)[relation.name] = parent
    setattr(child, field, key)
    if key is None:
        _pending_of(child)[field] = parent


def _set_child(parent: Record, relation: Relation, child: Record | None) -> None:
    """parent.relation = child for a has_one."""
    old = links_of(parent).get(relation.name)
    if old is child and relation.name in links_of(parent):
        return
    assert relation.inverse is not None
    if child is not None:
        set_parent(child, _relation(child, relation.inverse), parent)
    elif read_link(parent, relation.name) is not None:  # NotLoaded: whoever is there cannot be told to leave
        _point_at(old, _relation(old, relation.inverse), None)
    links_of(parent)[relation.name] = child


def _join(parent: Record, name: str, child: Record) -> None:
    """The child appears on the parent's side, if that side is known."""
    relation = _relation(parent, name)
    if relation.kind == "has_one":
        old = links_of(parent).get(name)
        links_of(parent)[name] = child
        if old is not None and old is not child:
            assert relation.inverse is not None
            _point_at(old, _relation(old, relation.inverse), None)
        return
    known = _raw(parent, name)
    if known is None and parent._row is None:
        known = to_many(parent, name)  # a parent that was never saved has all its children in memory
    if known is not None:
        known.take_in(child)


def _leave(parent: Record, name: str, child: Record) -> None:
    """The child disappears from the parent's side, if that side is known."""
    if _relation(parent, name).kind == "has_one":
        if links_of(parent).get(name) is child:
            links_of(parent)[name] = None
        return
    if (known := _raw(parent, name)) is not None:
        known.let_go(child)


def _raw(record: Record, name: str) -> RelatedList | None:
    found = links_of(record).get(name)
    return found if isinstance(found, RelatedList) else None


def to_many(record: Record, name: str) -> RelatedList:
    """The list of a to-many relation; NotLoaded if it is not known."""
    found = read_link(record, name)
    assert isinstance(found, RelatedList)
    return found


# Loading, and what changed since


def load_link(record: Record, name: str, value: Any) -> None:
    """What a store found the relation to lead to. The other side learns it too, where it then is certain."""
    relation = _relation(record, name)
    links = links_of(record)
    if not relation.to_many:
        links[name] = value
        if value is None and relation.kind == "belongs_to":
            extras_of(record).nowhere[name] = getattr(record, relation.local[0])
        if value is not None and relation.kind == "has_one" and relation.inverse is not None:
            links_of(value)[relation.inverse] = record
        return
    links[name] = RelatedList(record, name, value)
    if relation.kind == "has_many" and relation.inverse is not None:
        for child in value:
            links_of(child)[relation.inverse] = record


def link_changes(record: Record) -> list[tuple[Relation, list[Record], list[Record]]]:
    """(relation, added, removed) of each plain many-to-many list that differs from what the store holds."""
    found: list[tuple[Relation, list[Record], list[Record]]] = []
    for name, value in links_of(record).items():
        if isinstance(value, RelatedList) and value.plain_links:
            added, removed = value.changes()
            if added or removed:
                found.append((_relation(record, name), added, removed))
    return found


def links_saved(record: Record, name: str) -> Callable[[], None]:
    """The store now holds the list as it is; the lists on the other side that mirror it are up to date as well.

    Gives the function that takes this back, for a transaction that is undone.
    """
    known = _raw(record, name)
    if known is None:
        return lambda: None
    inverse = _relation(record, name).inverse
    added, removed = known.changes()
    before = [(known, known.settle())]
    if inverse is not None:
        for other, gone in [*((each, False) for each in added), *((each, True) for each in removed)]:
            if (mirror := _raw(other, inverse)) is not None:
                before.append((mirror, mirror.settle_one(record, gone)))

    def take_back() -> None:
        for each, stored in reversed(before):
            each.unsettle(stored)

    return take_back


class RelatedList(list[Any]):
    """The records of a to-many relation. A list in every respect, except that no record is in it twice and that each change is made on
    the other side as well."""

    __slots__ = ("_ids", "_stored", "name", "owner")

    def __init__(self, owner: Record, name: str, items: Iterable[Record] = ()) -> None:
        super().__init__(items)
        self.owner = owner
        self.name = name
        self._ids = set(map(id, self))
        self._stored: list[Record] = list(self)

    def __reduce__(self) -> Any:
        """Copied as what it is. The items are part of the state: append() of the copy would work on both sides."""
        return _empty_list, (), (self.owner, self.name, self._stored, list(self))

    def __setstate__(self, state: tuple[Any, str, list[Record], list[Record]]) -> None:
        self.owner, self.name, self._stored, items = state
        self._replace(items)

    @property
    def relation(self) -> Relation:
        """The relation that this is the list of."""
        return _relation(self.owner, self.name)

    @property
    def plain_links(self) -> bool:
        """Whether it stands for hidden link rows."""
        return self.relation.kind == "many_to_many" and not self._through_model()

    def _through_model(self) -> bool:
        return self.name in self.owner.__shape__.through

    # One side only

    def _replace(self, items: list[Record]) -> None:
        super().__setitem__(slice(None), items)
        self._ids = set(map(id, items))

    def take_in(self, record: Record) -> None:
        """Add without touching the other side."""
        if id(record) not in self._ids:
            super().append(record)
            self._ids.add(id(record))

    def let_go(self, record: Record) -> None:
        """Remove without touching the other side."""
        if id(record) in self._ids:
            self._replace([item for item in self if item is not record])

    def changes(self) -> tuple[list[Record], list[Record]]:
        """(added, removed) since the store's side was known."""
        stored = set(map(id, self._stored))
        return [item for item in self if id(item) not in stored], [item for item in self._stored if id(item) not in self._ids]

    def settle(self) -> list[Record]:
        """The store holds exactly this; gives what it held before."""
        before, self._stored = self._stored, list(self)
        return before

    def settle_one(self, record: Record, gone: bool) -> list[Record]:
        """The store holds, or no longer holds, this one link; gives what it held before."""
        before = self._stored
        rest = [item for item in before if item is not record]
        self._stored = rest if gone else [*rest, record]
        return before

    def unsettle(self, stored: list[Record]) -> None:
        """The store holds what it held before."""
        self._stored = stored

    # Both sides

    def _check_open(self, relation: Relation) -> None:
        if relation.kind == "many_to_many" and self._through_model():
            assert relation.through is not None
            through = relation.through.entity.name
            raise ProgrammingError(
                f"{type(self.owner).__name__}.{self.name} goes through {through}, which has data of its own.",
                hint=f"Create or delete a {through}.",
            )

    def _become(self, wanted: list[Record]) -> None:
        """Turn into `wanted`, record by record, on both sides."""
        relation = self.relation
        self._check_open(relation)
        _checked_items(self.owner, relation, wanted)
        before, had = list(self), set(self._ids)
        self._replace(list({id(item): item for item in wanted}.values()))
        for item in before:
            if id(item) not in self._ids:
                self._parted(relation, item)
        for item in list(self):
            if id(item) not in had:
                self._joined(relation, item)

    def _joined(self, relation: Relation, item: Record) -> None:
        if relation.inverse is None:
            return
        if relation.kind == "has_many":
            set_parent(item, _relation(item, relation.inverse), self.owner)
        else:
            _join(item, relation.inverse, self.owner)

    def _parted(self, relation: Relation, item: Record) -> None:
        if relation.inverse is None:
            return
        if relation.kind == "has_many":
            _point_at(item, _relation(item, relation.inverse), None)
        else:
            _leave(item, relation.inverse, self.owner)

    def _edited(self, edit: Callable[[list[Record]], Any]) -> Any:
        """Let an ordinary list do the work, then become what it is."""
        plain = list(self)
        result = edit(plain)
        self._become(plain)
        return result

    def append(self, item: Record, /) -> None:
        """Add a record, unless it is here already."""
        relation = self.relation
        self._check_open(relation)
        _checked_items(self.owner, relation, [item])
        if id(item) not in self._ids:
            self.take_in(item)
            self._joined(relation, item)

    def extend(self, items: Iterable[Record], /) -> None:
        """Add records."""
        self._edited(lambda plain: plain.extend(items))

    def insert(self, place: SupportsIndex, item: Record, /) -> None:
        """Add a record at a place."""
        self._edited(lambda plain: plain.insert(place, item))

    def remove(self, item: Record, /) -> None:
        """Take a record out; ValueError if it is not here."""
        place = next((place for place, each in enumerate(self) if each is item), None)
        self._edited(lambda plain: plain.remove(item) if place is None else plain.pop(place))

    def pop(self, place: SupportsIndex = -1, /) -> Record:
        """Take the record at a place out."""
        return self._edited(lambda plain: plain.pop(place))

    def clear(self) -> None:
        """Take all records out."""
        self._become([])

    def __setitem__(self, place: Any, value: Any, /) -> None:
        self._edited(lambda plain: plain.__setitem__(place, value))

    def __delitem__(self, place: SupportsIndex | slice, /) -> None:
        self._edited(lambda plain: plain.__delitem__(place))

    def __iadd__(self, items: Iterable[Record], /) -> Self:  # type: ignore[misc]  # a sum of this and a list is a plain list
        self.extend(items)
        return self

    def __imul__(self, times: SupportsIndex, /) -> Self:
        self._become([] if int(times) <= 0 else list(self))
        return self


def _empty_list() -> RelatedList:
    made = RelatedList.__new__(RelatedList)
    made._stored = []
    made._ids = set()
    return made
