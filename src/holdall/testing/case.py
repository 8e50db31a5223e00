"""Cases: what the conformance kit is made of, and the registry that they are written into.

A case is an async function that takes a `Kit`, tagged with the promise it shows. It runs on every backend and in both colours, and never
asks on which: `needs` names the capabilities without which it has no meaning, `absent` the one whose absence it shows. Must not know how
cases are run.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from holdall.backends import FEATURES, Capabilities, Durability, Isolation
from holdall.errors import DeclarationError, near_name
from holdall.testing.promises import PROMISES

Body = Callable[..., Awaitable[None]]
# For isinstance: what is Any stays Any.
_MAPPING: type[Any] = Mapping
_TUPLE: type[Any] = tuple
LIMITS = ("parameters_max", "batch_items_max", "item_bytes_max", "key_bytes_max")

REQUIREMENTS: frozenset[str] = frozenset(
    [
        *FEATURES,
        *(f"isolation.{level.value}" for level in Isolation),
        *(f"consistency.{level}" for level in ("strong", "eventual")),
        *(f"durability.{level.value}" for level in Durability if level is not Durability.NONE),
        *(f"limit.{name}" for name in LIMITS),
    ]
)


def met(requirement: str, capabilities: Capabilities) -> bool:
    """Whether a backend that declares these capabilities meets a requirement."""
    kind, _, name = requirement.partition(".")
    if not name:
        return bool(capabilities.support(requirement))
    if kind == "isolation":
        return Isolation(name) in capabilities.isolation
    if kind == "consistency":
        return name in capabilities.consistency
    if kind == "durability":
        order = list(Durability)
        return order.index(capabilities.durability) >= order.index(Durability(name))
    return getattr(capabilities, name) is not None


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One case. `id` is 'A1.name' or 'A1.name[parameter]'; `module` says where it is written; `args` follow the kit."""

    id: str
    promise: str
    name: str
    module: str
    body: Body
    args: tuple[Any, ...]
    needs: frozenset[str]
    absent: str | None

    def missing(self, capabilities: Capabilities) -> frozenset[str]:
        """What of `needs` the backend lacks."""
        return frozenset(need for need in self.needs if not met(need, capabilities))

    def applies(self, capabilities: Capabilities) -> bool:
        """Whether the case has a meaning on a backend: what it needs is there, and what it shows the absence of is not."""
        if self.absent is not None and met(self.absent, capabilities):
            return False
        return not self.missing(capabilities)

    @property
    def doc(self) -> str:
        """What the case shows, in words."""
        return inspect.getdoc(self.body) or self.name.replace("_", " ")


_registered: dict[str, Case] = {}


def case(
    promise: str,
    *,
    needs: str | Sequence[str] = (),
    absent: str | None = None,
    each: Mapping[str, Any] | Iterable[Any] | None = None,
) -> Callable[[Body], Body]:
    """Register a function as a case of a promise; with `each`, as one case for each parameter.

    `needs` are names of REQUIREMENTS; `absent` is the one whose absence the case shows (such a case runs only where it is absent).
    `each` maps ids to parameters, or lists parameters whose repr is the id; a tuple is spread over the function's arguments.
    DeclarationError for an unknown promise or requirement, or an id that is taken.
    """
    wanted = frozenset((needs,) if isinstance(needs, str) else needs)
    if any(name == "savepoints" or name.startswith("isolation.") for name in wanted):
        wanted |= {"transactions"}
    for name in wanted | ({absent} if absent else set[str]()):
        if name not in REQUIREMENTS:
            raise DeclarationError(f"There is no capability '{name}'.", hint=near_name(name, REQUIREMENTS))
    if promise not in PROMISES:
        raise DeclarationError(f"There is no promise '{promise}'.", hint=near_name(promise, PROMISES))

    def register(body: Body) -> Body:
        for suffix, args in _parameters(each):
            made = Case(
                id=f"{promise}.{body.__name__}{suffix}", promise=promise, name=body.__name__, module=body.__module__,
                body=body, args=args, needs=wanted, absent=absent,
            )  # fmt: skip
            known = _registered.get(made.id)
            if known is not None and known.body.__code__ is not body.__code__:
                raise DeclarationError(f"The case {made.id} exists twice: in {known.module} and in {made.module}.")
            _registered[made.id] = made
        return body

    return register


def _parameters(each: Mapping[str, Any] | Iterable[Any] | None) -> list[tuple[str, tuple[Any, ...]]]:
    if each is None:
        return [("", ())]
    named: dict[str, Any] | list[tuple[str, Any]] = dict(each) if isinstance(each, _MAPPING) else [(repr(item), item) for item in each]
    made: list[tuple[str, tuple[Any, ...]]] = []
    for name, item in named.items() if isinstance(named, dict) else named:
        made.append((f"[{name}]", item if isinstance(item, _TUPLE) else (item,)))
    if len(dict(made)) != len(made):
        raise DeclarationError(f"Two parameters of a case have the same id: {sorted(name for name, _ in made)}.")
    return made


def all_cases(package: str = "holdall.testing.cases") -> list[Case]:
    """Every case written in a package (or module), by promise and id: the kit's own, unless told."""
    home = import_module(package)
    for module in iter_modules(getattr(home, "__path__", ())):
        import_module(f"{package}.{module.name}")
    promises = list(PROMISES)
    mine = [item for item in _registered.values() if item.module == package or item.module.startswith(f"{package}.")]
    return sorted(mine, key=lambda item: (promises.index(item.promise), item.id))
