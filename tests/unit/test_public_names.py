"""Pins what each package offers: a public name appears, changes or goes only together with this table."""

import ast
import importlib
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"

# Every package whose __init__ defines __all__, with exactly those names, sorted. "holdall" is always listed: as long as
# it defines no __all__, it offers nothing.
PUBLIC: dict[str, list[str]] = {
    "holdall": [],
    "holdall.cli": ["main"],
}


def packages_with_all(src: Path) -> set[str]:
    """Dotted names of the packages below src whose __init__ assigns __all__."""
    found: set[str] = set()
    for init in src.rglob("__init__.py"):
        targets: list[ast.expr] = []
        for node in ast.parse(init.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign):
                targets += node.targets
            elif isinstance(node, ast.AnnAssign | ast.AugAssign):
                targets.append(node.target)
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            found.add(".".join(init.parent.relative_to(src).parts))
    return found


def differences(pinned: list[str], actual: list[str]) -> list[str]:
    """What is new, gone, or listed twice; empty when both lists offer the same names."""
    new = [f"not pinned: {name}" for name in sorted(set(actual) - set(pinned))]
    gone = [f"pinned but not offered: {name}" for name in sorted(set(pinned) - set(actual))]
    twice = [f"twice in __all__: {name}" for name in sorted(set(actual)) if actual.count(name) > 1]
    return new + gone + twice


def test_every_package_with_all_is_listed() -> None:
    assert packages_with_all(SRC) | {"holdall"} == set(PUBLIC)


@pytest.mark.parametrize("package", sorted(PUBLIC))
def test_names_are_the_pinned_ones_and_exist(package: str) -> None:
    module = importlib.import_module(package)
    names: list[str] = list(getattr(module, "__all__", []))
    assert differences(PUBLIC[package], names) == []
    assert [name for name in names if not hasattr(module, name)] == [], "offered, but cannot be imported"
    assert [name for name in names if name.startswith("_") and name != "__version__"] == []


def test_the_table_is_sorted() -> None:
    assert {package: sorted(names) for package, names in PUBLIC.items()} == PUBLIC


def test_a_difference_would_be_seen(tmp_path: Path) -> None:
    assert differences(["A", "B"], ["A", "C", "C"]) == [
        "not pinned: C",
        "pinned but not offered: B",
        "twice in __all__: C",
    ]
    for name, text in {"one": "__all__ = ['x']", "two": "__all__: list[str] = []", "three": "x = 1"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    assert packages_with_all(tmp_path) == {"one", "two"}
