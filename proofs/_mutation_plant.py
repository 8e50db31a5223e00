"""Plants: faults as small changes of source, and the import hook that puts them in.

Owns what a plant is, where its text must stand, and the planted import. Must not know the kit, nor any plant.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any


class Misplanted(Exception):
    """A plant that cannot be put in: its text is not (or not only once) where it should be, or what results is no Python."""


@dataclass(frozen=True)
class Plant:
    """One fault: in `module`, inside the function or class `where` ('' for anywhere), `old` becomes `new`.

    `old` must stand there exactly once. `promises` are those it breaks (of holdall.testing.PROMISES), `what` says in one line what is
    wrong then. `colours` are those in which it could show, `on` is the store on which it could.
    """

    id: str
    promises: tuple[str, ...]
    what: str
    module: str
    where: str
    old: str
    new: str
    colours: tuple[str, ...] = ("sync",)
    on: str = "memory:"

    def put_into(self, text: str) -> str:
        """The module's text with the fault in it; Misplanted if it does not fit any more, or if what results is no Python."""
        changed = self.changed(text)
        try:
            compile(changed, self.module, "exec")
        except SyntaxError as error:
            raise Misplanted(f"{self.id}: with the fault in it, {self.module} is no Python: {error}") from None
        return changed

    def changed(self, text: str) -> str:
        """The same, not compiled."""
        start, end = _place(text, self.where) if self.where else (0, len(text))
        part = text[start:end]
        count = part.count(self.old)
        if count != 1:
            raise Misplanted(f"{self.id}: {self.old!r} stands {count} times in {self.module} {self.where}, not once.")
        return f"{text[:start]}{part.replace(self.old, self.new)}{text[end:]}"


class Bed:
    """Where plants of one module are listed: `bed.plant(...)` for each."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.plants: list[Plant] = []

    def plant(
        self,
        id: str,
        promises: str,
        what: str,
        where: str,
        old: str,
        new: str,
        *,
        colours: Sequence[str] = ("sync",),
        on: str = "memory:",
    ) -> None:
        """List one fault; `promises` are ids with blanks between them."""
        short = ".".join(self.module.split(".")[-2:])
        self.plants.append(Plant(f"{short}.{id}", tuple(promises.split()), what, self.module, where, old, new, tuple(colours), on))


@lru_cache(maxsize=64)
def source_of(module: str) -> str:
    """The text of a module as it is."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise Misplanted(f"There is no module {module}.")
    return Path(spec.origin).read_text(encoding="utf-8")


@lru_cache(maxsize=1024)
def _place(text: str, where: str) -> tuple[int, int]:
    """The part of a module's text that is the function, class, method ('Class.method') or assigned name."""
    node: Any = _tree(text)
    for name in where.split("."):
        found = [each for each in node.body if _named(each) == name]
        if len(found) != 1:
            raise Misplanted(f"{where} stands {len(found)} times in its module, not once.")
        (node,) = found
    lines = text.splitlines(keepends=True)
    start = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
    return sum(map(len, lines[: start - 1])), sum(map(len, lines[: node.end_lineno]))


@lru_cache(maxsize=64)
def _tree(text: str) -> ast.Module:
    return ast.parse(text)


def _named(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


class Planter(MetaPathFinder):
    """Imports one module with a fault in it; `used` tells that it was imported."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.used = False

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        """The spec of the module to be planted; None for all others."""
        if fullname != self.plant.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Loader(fullname, spec.origin, self)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, planter: Planter) -> None:
        super().__init__(fullname, path)
        self._planter = planter

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002  as in Loader
        self._planter.used = True
        text = self._planter.plant.put_into(Path(self.path).read_text(encoding="utf-8"))
        return compile(text, self.path, "exec", dont_inherit=True)
