"""The rules of the house that no linter knows, each with a sample that breaks it.

Sizes, docstrings, reasons beside ignores, and the rooms in which asyncio, sockets, threads, clocks and drivers may
live.
"""

import ast
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import pytest

SRC = Path(__file__).parents[2] / "src"

MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70

# What only a few rooms may touch: the top-level module, and the kind it is.
OUTSIDE: dict[str, str] = {
    **dict.fromkeys(["asyncio", "anyio", "trio", "sniffio"], "async"),
    **dict.fromkeys(["socket", "ssl", "select", "selectors", "socketserver", "urllib3", "requests", "httpx"], "socket"),
    **dict.fromkeys(["threading", "_thread", "multiprocessing", "concurrent", "queue"], "thread"),
    **dict.fromkeys(["time", "sched"], "clock"),
    **dict.fromkeys(["apsw", "sqlite3", "aiosqlite", "psycopg", "psycopg2", "asyncpg", "pymysql", "mariadb"], "driver"),
    **dict.fromkeys(["aiomysql", "asyncmy", "redis", "boto3", "botocore", "aiobotocore", "aioboto3"], "driver"),
}

# Calls that read the clock without a forbidden import.
CLOCK_CALLS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


class Allowance(NamedTuple):
    """Modules (a pattern over dotted names, where * spans dots) and what they may touch, with the reason."""

    modules: str
    kinds: frozenset[str]
    reason: str


ALLOWED = [
    Allowance(
        "holdall.program.*run*",
        frozenset({"async", "thread", "clock"}),
        "the two drivers of programs: they wait, time out and wake",
    ),
    Allowance(
        "holdall.store.*",
        frozenset({"async", "thread", "clock"}),
        "the two facades: locks and tasks around units of work, and the clock that can be injected",
    ),
    Allowance(
        "holdall.backends.*.perform",
        frozenset({"async", "socket", "thread", "clock", "driver"}),
        "the only code that touches a socket, a file or an engine",
    ),
    Allowance(
        "holdall.backends.memory.*",
        frozenset({"thread"}),
        "its engine is this process: one lock makes it safe under threads",
    ),
    Allowance(
        "holdall.model.keys",
        frozenset({"thread", "clock"}),
        "a UUIDv7 holds the millisecond it was made in, and is greater than the one made before it in this process",
    ),
    Allowance(
        "holdall.cli.*",
        frozenset({"async", "clock"}),
        "the outermost layer: starts event loops and shows how long things took",
    ),
    Allowance(
        "holdall.testing.lab",
        frozenset({"async", "clock"}),
        "it runs cases, in an event loop for one colour, and says how long they took",
    ),
    Allowance(
        "holdall.testing.elsewhere",
        frozenset({"async", "thread"}),
        "its subject: other threads, tasks and event loops",
    ),
    Allowance(
        "holdall.testing.faults",
        frozenset({"async", "clock"}),
        "it delays and cancels what passes, in both colours",
    ),
    Allowance(
        "holdall.http.serve",
        frozenset({"async", "socket"}),
        "starts the server, and says so when the port is in use",
    ),
]


class Finding(NamedTuple):
    """One breach: where, and what is wrong."""

    module: str
    line: int
    problem: str


class Source(NamedTuple):
    """A module to be judged: its dotted name and its text."""

    name: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)


FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def sources(src: Path) -> list[Source]:
    """Every module below src; a package goes by its own name."""
    found: list[Source] = []
    for path in sorted(src.rglob("*.py")):
        parts = path.relative_to(src).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Source(name, path.read_text(encoding="utf-8")))
    return found


def allowed_kinds(module: str) -> frozenset[str]:
    """What a module may touch: `a.b.*` also covers the package `a.b` itself and everything in it."""
    kinds: frozenset[str] = frozenset()
    for rule in ALLOWED:
        names = (rule.modules, rule.modules + ".*", rule.modules.removesuffix(".*"))
        if any(fnmatchcase(module, name) for name in names):
            kinds |= rule.kinds
    return kinds


def module_too_long(source: Source) -> Iterator[Finding]:
    lines = len(source.text.splitlines())
    if lines > MODULE_LINES_MAX:
        yield Finding(source.name, 1, f"{lines} lines, at most {MODULE_LINES_MAX}: give a noun its own module")


def function_too_long(source: Source) -> Iterator[Finding]:
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTION):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield Finding(source.name, node.lineno, f"{node.name}: {lines} lines, at most {FUNCTION_LINES_MAX}")


def docstring_missing(source: Source) -> Iterator[Finding]:
    """A module always needs one; its functions and classes do when they are public and it is not a private module.

    Not the cases of the conformance kit: their names are sentences.
    """
    tree = source.tree
    if not ast.get_docstring(tree):
        yield Finding(source.name, 1, "no docstring: what does this module own, and what must it not know?")
    if any(part.startswith("_") for part in source.name.split(".")):
        return
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | FUNCTION) or node.name.startswith("_"):
            continue
        overloaded = any(ast.unparse(each).endswith("overload") for each in node.decorator_list)
        is_case = any(ast.unparse(each).startswith(("case(", "for_each_")) for each in node.decorator_list)
        if not overloaded and not is_case and not ast.get_docstring(node):
            yield Finding(source.name, node.lineno, f"{node.name}: public, but no docstring")


def touched(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Line, name and kind of each thing a module touches that only a few rooms may."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        elif isinstance(node, ast.Call):
            function = ast.unparse(node.func)
            if ".".join(function.split(".")[-2:]) in CLOCK_CALLS:
                yield node.lineno, f"{function}()", "clock"
            imports = function.endswith(("import_module", "__import__")) and node.args
            if imports and isinstance(node.args[0], ast.Constant):
                names = [str(node.args[0].value)]
        for name in names:
            kind = OUTSIDE.get(name.partition(".")[0])
            if kind:
                yield node.lineno, name, kind


def outside_touched(source: Source) -> Iterator[Finding]:
    allowed = allowed_kinds(source.name)
    for line, name, kind in touched(source.tree):
        if kind not in allowed:
            yield Finding(source.name, line, f"{name}: no {kind} in this room; yield an effect, or have it passed in")


IGNORE = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:\s*ignore|pragma:\s*no cover)\b(?P<rest>[^#\n]*(#[^\n]*)?)")
CODES = re.compile(r"^\s*:?\s*(\[[^\]]*\]|[A-Z]+[0-9]+(\s*,\s*[A-Z]+[0-9]+)*)?\s*")


def ignore_without_reason(source: Source) -> Iterator[Finding]:
    for number, line in enumerate(source.text.splitlines(), start=1):
        match = list(IGNORE.finditer(line))
        if match and not re.search(r"\w{2}", CODES.sub("", match[-1]["rest"], count=1)):
            yield Finding(source.name, number, f"{match[-1][1]} without a reason: write it behind the code")


RULES: list[Callable[[Source], Iterator[Finding]]] = [
    module_too_long,
    function_too_long,
    docstring_missing,
    outside_touched,
    ignore_without_reason,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_src_keeps_the_rule(rule: Callable[[Source], Iterator[Finding]]) -> None:
    modules = sources(SRC)
    assert "holdall" in [source.name for source in modules], "the rules must have found the sources"
    breaches = [f"{each.module}:{each.line}: {each.problem}" for source in modules for each in rule(source)]
    assert not breaches, "\n" + "\n".join(breaches)


LONG_BODY = "\n    x = 1" * 70

BAD: list[tuple[Callable[[Source], Iterator[Finding]], str, str]] = [
    (module_too_long, "holdall.query.plan", "x = 1\n" * 501),
    (function_too_long, "holdall.query.plan", f"def f():{LONG_BODY}"),
    (function_too_long, "holdall.query.plan", f"class A:\n  async def f(self):{LONG_BODY}"),
    (docstring_missing, "holdall.query.plan", "x = 1"),
    (docstring_missing, "holdall.query.plan", '"""Doc."""\ndef f(): ...'),
    (docstring_missing, "holdall.query.plan", '"""Doc."""\nclass A: ...'),
    (docstring_missing, "holdall.query._plan", "def f(): ..."),
    (outside_touched, "holdall", "import asyncio"),
    (outside_touched, "holdall.query.plan", "import asyncio.queues as q"),
    (outside_touched, "holdall.query.plan", "from time import monotonic"),
    (outside_touched, "holdall.model.key", "from concurrent.futures import Future"),
    (outside_touched, "holdall.model.key", "import datetime as d\nd.datetime.now()"),
    (outside_touched, "holdall.model.key", "from datetime import date\ndate.today()"),
    (outside_touched, "holdall.model.key", "def f():\n    import socket"),
    (outside_touched, "holdall.model.key", "import importlib\nimportlib.import_module('apsw')"),
    (outside_touched, "holdall.backends.sqlite.codec", "import apsw"),
    (outside_touched, "holdall.backends.memory.rows", "import time"),
    (outside_touched, "holdall.store.session", "import apsw"),
    (outside_touched, "holdall.program.effects", "import asyncio"),
    (outside_touched, "holdall.http.filters", "import socket"),
    (ignore_without_reason, "holdall", "x = 1  # noqa: S102"),
    (ignore_without_reason, "holdall", "x = 1  # noqa"),
    (ignore_without_reason, "holdall", "x = 1  # type: ignore[misc]"),
    (ignore_without_reason, "holdall", "x = 1  # pyright: ignore[reportX, reportY]"),
]

GOOD: list[tuple[Callable[[Source], Iterator[Finding]], str, str]] = [
    (module_too_long, "holdall.query.plan", "x = 1\n" * 500),
    (function_too_long, "holdall.query.plan", f"def f():{LONG_BODY.removesuffix('x = 1')}"),
    (
        docstring_missing,
        "holdall.query.plan",
        '"""Doc."""\ndef _f(): ...\nclass A:\n    """Doc."""\n    def f(self): ...',
    ),
    (docstring_missing, "holdall.query._plan", '"""Doc."""\ndef f(): ...'),
    (docstring_missing, "holdall.testing.cases.text", '"""Doc."""\n@case("A1")\nasync def a_is_not_b(k): ...'),
    (docstring_missing, "holdall.query", '"""Doc."""\n@overload\ndef f(): ...\ndef f():\n    """Doc."""'),
    (outside_touched, "holdall.model.key", "from datetime import datetime, time\ntime(1)\nstore.now()"),
    (outside_touched, "holdall.model.key", "from . import time\nfrom holdall.time import x"),
    (outside_touched, "holdall.program.run", "import asyncio, threading, time"),
    (outside_touched, "holdall.program.arun", "import asyncio"),
    (outside_touched, "holdall.store", "import asyncio"),
    (outside_touched, "holdall.store.aio.session", "import asyncio"),
    (outside_touched, "holdall.backends.sqlite.perform", "import apsw, threading, time"),
    (outside_touched, "holdall.backends.sqlite.perform.pool", "import apsw"),
    (outside_touched, "holdall.backends.memory.lock", "import threading"),
    (outside_touched, "holdall.cli.serve", "import asyncio, time"),
    (ignore_without_reason, "holdall", "x = 1  # noqa: S102, S103 - text made from checked names only"),
    (ignore_without_reason, "holdall", "x = 1  # type: ignore[misc]  # the metaclass answers"),
    (ignore_without_reason, "holdall", "x = 1  # type: ignore[a]  # pyright: ignore[reportX]  # as pydantic has it"),
]


@pytest.mark.parametrize(("rule", "name", "text"), BAD)
def test_a_breach_would_be_seen(rule: Callable[[Source], Iterator[Finding]], name: str, text: str) -> None:
    assert list(rule(Source(name, text)))


@pytest.mark.parametrize(("rule", "name", "text"), GOOD)
def test_what_is_right_passes(rule: Callable[[Source], Iterator[Finding]], name: str, text: str) -> None:
    assert list(rule(Source(name, text))) == []


def test_sources_are_named_as_they_are_imported(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    for path in ["a/__init__.py", "a/b/__init__.py", "a/b/c.py"]:
        (tmp_path / path).touch()
    assert [source.name for source in sources(tmp_path)] == ["a", "a.b", "a.b.c"]


def test_every_allowance_has_a_reason() -> None:
    assert all(len(rule.reason) > 20 and rule.kinds <= set(OUTSIDE.values()) for rule in ALLOWED)
