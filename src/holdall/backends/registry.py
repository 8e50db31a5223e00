"""The registry: from the URL of a store to its backend.

Backends of others register a factory `(url: StoreURL) -> Backend` as an entry point of the group 'holdall.backends', named by scheme.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from holdall.backends.port import Backend
from holdall.errors import DeclarationError, near_name

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints


@dataclass(frozen=True, slots=True)
class StoreURL:
    """A store's URL in parts. `path` is decoded, without the slash that separates it from the host; '' when there is none."""

    scheme: str
    user: str | None
    password: str | None
    host: str | None
    port: int | None
    path: str
    options: Mapping[str, str]

    def __repr__(self) -> str:  # the password stays out of logs and messages
        return f"<StoreURL {self.scheme}:{self.path}>"


Factory = Callable[[StoreURL], Backend]

# scheme: module and function, and the extra that installs its driver
BUILT_IN: Mapping[str, tuple[str, str, str]] = {
    "memory": ("holdall.backends.memory", "from_url", ""),
    "sqlite": ("holdall.backends.sqlite", "from_url", "sqlite"),
}


def parse_url(text: str) -> StoreURL:
    """The parts of 'sqlite:///path?option=value'; DeclarationError if it is none."""
    parts = urlsplit(text)
    if not parts.scheme:
        raise DeclarationError(
            f"{text!r} is not the URL of a store.", hint="For example memory: or sqlite:///shop.db (three slashes, then the path)."
        )
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
        port = parts.port
    except ValueError as error:
        raise DeclarationError(f"The store's URL cannot be read: {error}.", hint="Write options as ?name=value&name=value.") from None
    options = dict(pairs)
    if len(options) != len(pairs):
        raise DeclarationError("An option is given twice in the store's URL.")
    path = unquote(parts.path)
    return StoreURL(parts.scheme, parts.username, parts.password, parts.hostname, port, path.removeprefix("/"), options)


def backend_for(where: str | Backend | Callable[[], Backend]) -> Backend:
    """The backend that a URL, an object or a function stands for. Does no I/O."""
    if isinstance(where, str):
        return _from_url(where)
    if isinstance(where, Backend):
        return where
    if callable(where):
        made = where()
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
