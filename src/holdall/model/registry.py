"""Which models exist: names to classes, entities to classes, and references to models that are declared later.

Owns the only list of models, by weak references: a class that nobody uses any more disappears. A name means, in this order, the model of
that name in the same scope (function or class body) as the one that refers to it, in the same module, or the only one anywhere.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from holdall.errors import DeclarationError, near_name
from holdall.schema import Entity, EntityRef

if TYPE_CHECKING:
    from holdall.model.base import Model

_by_name: dict[str, list[weakref.ref[type[Model]]]] = {}
_by_entity: weakref.WeakKeyDictionary[Entity, weakref.ref[type[Model]]] = weakref.WeakKeyDictionary()
_targets: weakref.WeakSet[Target] = weakref.WeakSet()

Scope = tuple[str, str]  # module, qualified name of what the class statement stands in


def scope_of(cls: type) -> Scope:
    """Where a class was declared."""
    return cls.__module__, cls.__qualname__.rpartition(".")[0]


class Target:
    """A model that another one refers to, by class or by name.

    A name means the first model of that name that is declared in the same scope from then on, or one that is there already. At the top
    of a module it can be replaced until it is used: a notebook cell that runs again means the new class.
    """

    __slots__ = ("__weakref__", "_model", "_used", "name", "place", "scope")

    def __init__(self, to: Any, scope: Scope, place: str, by_name: bool = False) -> None:
        self.scope = scope
        self.place = place
        self._model: type[Model] | None = None if isinstance(to, str) else to
        self.name: str = to if isinstance(to, str) else to.__name__
        self._used = self._model is not None and not (by_name and scope_of(self._model) == scope)
        if not self._used:
            _targets.add(self)

    def offer(self, cls: type[Model]) -> None:
        """A model was declared; it is the one meant if it has the name and stands in the same scope."""
        if self._used or cls.__name__ != self.name or scope_of(cls) != self.scope:
            return
        if self._model is None or "<locals>" not in self.scope[1]:
            self._model = cls

    @property
    def model(self) -> type[Model]:
        """The class; DeclarationError with a near name if there is none, or more than one."""
        if self._model is None:
            self._model = find(self.name, self.scope, self.place)
        if "__entity__" not in self._model.__dict__:
            name = self._model.__name__
            raise DeclarationError(f"{self.place}: {name} is abstract, so no record of it is kept.", hint="Name a model that is kept.")
        self._used = True
        return self._model

    def ref(self) -> EntityRef:
        """The same for the schema."""
        return EntityRef(self.name.rpartition(".")[2], lambda: self.model.__entity__)


def register(cls: type[Model]) -> None:
    """Make a model known."""
    known = _by_name.setdefault(cls.__name__, [])
    known[:] = [item for item in known if item() is not None]
    known.append(weakref.ref(cls))
    _by_entity[cls.__entity__] = weakref.ref(cls)
    for target in list(_targets):
        target.offer(cls)


def models() -> list[type[Model]]:
    """Every concrete model, in the order of declaration within a name."""
    return [cls for known in _by_name.values() for item in known if (cls := item()) is not None]


def model_of(entity: Entity) -> type[Model]:
    """The class of an entity; LookupError for one that has none (the hidden link of a plain ManyToMany)."""
    found = _by_entity.get(entity)
    cls = found() if found is not None else None
    if cls is None:
        raise LookupError(f"{entity.name} has no model class")
    return cls


def find(name: str, scope: Scope, place: str) -> type[Model]:
    """The model that `name` means in a scope; DeclarationError if there is none, or no way to choose."""
    last = name.rpartition(".")[2]
    known = [cls for item in _by_name.get(last, ()) if (cls := item()) is not None]
    if last != name:
        known = [cls for cls in known if f".{cls.__module__}.{cls.__qualname__}".endswith(f".{name}")]
    for narrower in (
        [cls for cls in known if scope_of(cls) == scope],
        [cls for cls in known if cls.__module__ == scope[0]],
    ):
        if narrower:
            return narrower[-1]
    if len({scope_of(cls) for cls in known}) == 1:
        return known[-1]
    if known:
        where = ", ".join(sorted(f"{cls.__module__}.{cls.__qualname__}" for cls in known))
        raise DeclarationError(f"{place}: there are several models named '{name}'.", hint=f"Name one with its module: {where}.")
    near = near_name(name, [cls.__name__ for cls in models()])
    raise DeclarationError(f"{place} refers to '{name}', but there is no such model.", hint=f"{near} Import its module first.".lstrip())
