"""The registry: from the URL of a store to its backend.

Backends of others register a factory `(url: StoreURL) -> Backend` as an entry point of the group 'holdall.backends', named by scheme.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

from holdall.backends.port import Backend
from holdall.backends.url import StoreURL, parse_url
from holdall.errors import DeclarationError, near_name

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints


Factory = Callable[[StoreURL], Backend]

# scheme: module and function, and the extra that installs its driver
BUILT_IN: Mapping[str, tuple[str, str, str]] = {
    "memory": ("holdall.backends.memory", "from_url", ""),
    "sqlite": ("holdall.backends.sqlite", "from_url", "sqlite"),
}


def backend_for(where: str | Backend | Callable[[], Backend]) -> Backend:
    """The backend that a URL, an object or a function stands for. Does no I/O."""
    if isinstance(where, str):
        return _from_url(where)
    if isinstance(where, Backend):
        return where
    if callable(where):
        made = cast("object", where())  # whatever users' functions say they return
        if isinstance(made, Backend):
            return made
        raise DeclarationError(f"The function given as a store made {type(made).__name__}, which is no backend.")
    raise DeclarationError(f"A store needs a URL, a backend, or a function that makes one; got {type(where).__name__}.")


def _from_url(text: str) -> Backend:
    url = parse_url(text)
    built_in = BUILT_IN.get(url.scheme)
    if built_in is not None:
        module, function, extra = built_in
        try:
            factory = cast("Factory", getattr(import_module(module), function))
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("holdall"):
                raise
            raise DeclarationError(
                f"Stores of '{url.scheme}:' need {error.name}, which is not installed.", hint=f'Run: pip install "holdall[{extra}]".'
            ) from error
        return factory(url)
    others = _others()
    for entry in others:
        if entry.name == url.scheme:
            return cast("Factory", entry.load())(url)
    known = [*BUILT_IN, *(entry.name for entry in others)]
    raise DeclarationError(f"There is no backend for '{url.scheme}:'.", hint=near_name(url.scheme, known))


def _others() -> EntryPoints:
    """The backends that other packages register. Looked up only for schemes that are not built in: it reads every package's metadata."""
    from importlib.metadata import entry_points

    return entry_points(group="holdall.backends")
