"""Resolving relations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from holdall.schema import Relation


class Relations(Mapping[str, Relation]):
    """The relations of an entity by name, each resolved when it is first asked for."""

    def __init__(self, cls: Any) -> None:
        self._names = tuple(cls.__declared__.relations)

    def __getitem__(self, name: str) -> Relation:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def check_linked(cls: Any) -> None:
    """Nothing yet."""
