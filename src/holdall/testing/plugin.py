"""The pytest plugin: for tests of applications the fixture `holdall_store`, for those of backends the counts of the conformance kit.

Owns the fixture and its options, and what is told in reports. Active wherever Holdall is installed (entry point 'holdall');
`-p holdall.testing.plugin` loads it from a folder. Must not know how the kit is run: `conformance` puts its reports into `REPORTS`.
"""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from holdall.backends import Backend
from holdall.backends.registry import backend_for
from holdall.backends.url import parse_url
from holdall.errors import DeclarationError
from holdall.store import Store
from holdall.testing.report import VERDICTS, Report

HOSTILE = "memory:?hostile=1"
SEEDS = 2**31

_NAMES = ("holdall", "holdall.testing.plugin")  # as an entry point, and as a module
_seed = pytest.StashKey[int]()
_url = pytest.StashKey[str]()
_told = pytest.StashKey[str]()
_PLURAL = {"deviation": "deviations"}
REPORTS = pytest.StashKey[list[Report]]()  # one for each target and colour that the kit ran on


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """The options; and a plugin that is loaded under one of its names is not loaded under the other."""
    for name in _NAMES:
        if pluginmanager.get_plugin(name) is None:
            pluginmanager.set_blocked(name)
    group = parser.getgroup("holdall")
    group.addoption(
        "--holdall-seed", type=int, metavar="N", help="the seed of the fixture holdall_store; a new one for each run unless given"
    )
    group.addoption("--holdall-store", metavar="URL", help=f"the store of the fixture holdall_store ({HOSTILE} unless given)")
    parser.addini("holdall_store", f"the store of the fixture holdall_store ({HOSTILE} unless given)")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed, once: workers of pytest-xdist are given the option as it is then."""
    given = config.getoption("holdall_seed")
    if given is None:
        given = int(os.environ.get("HOLDALL_SEED") or random.SystemRandom().randrange(1, SEEDS))
    if not 0 <= given < SEEDS:
        raise pytest.UsageError(f"--holdall-seed is a number from 0 to {SEEDS - 1}, not {given}.")
    config.option.holdall_seed = given
    url = config.getoption("holdall_store") or config.getini("holdall_store") or HOSTILE
    try:
        backend_for(url)
    except DeclarationError as error:
        raise pytest.UsageError(f"--holdall-store {url}: {error}") from error
    config.stash[_seed], config.stash[_url] = given, url


def pytest_report_header(config: pytest.Config) -> str:
    """The store and the seed of this run."""
    return f"holdall: --holdall-store {config.stash[_url]} --holdall-seed {config.stash[_seed]}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failing test's report says which store it had, and how to run it with the same one."""
    report = yield
    told = item.stash.get(_told, None)
    if told is not None and report.failed:
        report.sections.append(("holdall_store", told))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How many cases of the kit ended how, for each target and colour; for each promise too under -v."""
    reports = config.stash.get(REPORTS, list[Report]())
    if not reports:
        return
    terminalreporter.section("holdall conformance")
    for report in reports:
        counts = ", ".join(f"{report.count(verdict):,} {_PLURAL.get(verdict, verdict)}" for verdict in VERDICTS)
        terminalreporter.line(f"{report.target}: {counts}")
        if config.get_verbosity() > 0:
            for promise, sentence, found in report.promises():
                told = ", ".join(f"{count:,} {verdict}" for verdict, count in found.items() if count)
                terminalreporter.line(f"  {promise:4} {told:40} {sentence}")


@pytest.fixture
def holdall_app_store() -> Store | None:
    """The application's own store, for which `holdall_store` puts an empty one; None: there is only the ambient store.

    Override it in conftest.py: `@pytest.fixture` / `def holdall_app_store(): return shop.store`.
    """
    return None


@pytest.fixture
def holdall_store(request: pytest.FixtureRequest, holdall_app_store: Store | None) -> Iterator[Store]:
    """A store for one test, empty and hostile: where the contract is silent, it does what is legal and unpleasant.

    Models without a store of their own use it; the application's store works on it if `holdall_app_store` gives that. Async tests use
    `holdall_store.aio`, or models as they are.
    """
    config = request.config
    url = _seeded(config.stash[_url], config.stash[_seed], request.node.nodeid)
    request.node.stash[_told] = f"{url}\nagain: --holdall-seed {config.stash[_seed]}"
    backend = backend_for(url)
    with _standing(backend, holdall_app_store) as store:
        yield store
        if backend.name != "memory" and not store._core.closed and store._core.opened:
            store.clear()  # a place that lasts is left as it was found: empty


@contextmanager
def _standing(backend: Backend, app: Store | None) -> Generator[Store]:
    """The application's store on this backend, or a new store that is ambient."""
    if app is not None:
        with app.replaced_by(backend):
            yield app
        return
    store = Store(backend)
    try:
        with store:
            yield store
    finally:
        store.close()


def _seeded(url: str, seed: int, test: str) -> str:
    """The URL with a seed of the test's own, if it is a hostile store's without one: the same whichever other tests run."""
    options: Any = parse_url(url).options
    if "hostile" not in options or "seed" in options:
        return url
    return f"{url}&seed={seed ^ zlib.crc32(test.encode())}"
