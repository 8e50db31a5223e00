"""Which models a store must know together: those that a model is related to, and those declared beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdall.model.registry import model_of, models, scope_of

if TYPE_CHECKING:
    from holdall.model.base import Model


def linked_models(model: type[Model]) -> list[type[Model]]:
    """The model, the models in its scope (a module, mostly), and all that they refer to; each linked and checked.

    Making the neighbours ready together lets a transaction begin with any of them: no schema change is needed inside it (F8).
    Models in the same scope that are bound to a store of their own are left to it.
    """
    scope = scope_of(model)
    # By name, so that of a class statement that ran more than once there (a module imported again, a function called twice) only the
    # last class counts: the earlier ones live until they are collected.
    beside = {other.__name__: other for other in models() if scope_of(other) == scope and other.__store__ is model.__store__}
    beside.pop(model.__name__, None)
    found: dict[type[Model], None] = {}
    queue = [model, *beside.values()]
    while queue:
        here = queue.pop(0)
        if here in found:
            continue
        found[here] = None
        here.__linked__()
        entity = here.__entity__
        targets = [reference.target.entity for reference in entity.references]
        targets += [relation.target.entity for relation in entity.relations.values()]
        queue += [model_of(target) for target in targets]
        queue += [target.model for target in here.__shape__.through.values()]
    return list(found)
