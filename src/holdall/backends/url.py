"""The URL of a store, in parts. Must not know which backends there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

from holdall.errors import DeclarationError


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
