"""The ASGI application: from a store and its models to something that a server can run, or another application can mount.

Owns dispatch by path and method, and that every answer (404, 405 and 500 included) is a problem document when it is no success.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from holdall.errors import DeclarationError, HoldallError
from holdall.http.catalog import Catalog
from holdall.http.engine import Engine
from holdall.http.messages import path_parts, problem, respond
from holdall.http.native import Handler, Native, Options
from holdall.http.pages import Pages
from holdall.http.problems import HttpError, http_error
from holdall.model import Model
from holdall.store import Store


def api(
    store: Store,
    models: Iterable[type[Model]] | Mapping[str, type[Model]] | None = None,
    *,
    title: str = "Holdall",
    version: str = "1",
    description: str = "",
    cursor_secret: str | bytes | None = None,
    body_bytes_max: int = 1_048_576,
    require_if_match: bool = False,
) -> Starlette:
    """The REST API of a store, as an ASGI application: `app = api(store, [Customer, Order])`.

    models: what is offered, under the names of their tables, or a mapping of paths to models; None means the models that the store was
    made with. title, version, description: what the OpenAPI document says. cursor_secret: signs cursors; without one they are valid until
    the process ends, so give one if several processes serve. body_bytes_max: larger request bodies are 413. require_if_match: changing a
    record of a model with a version needs If-Match (428 without). DeclarationError for models that cannot be served together.
    """
    chosen = store.models if models is None else models
    if not chosen and models is None:
        raise DeclarationError(
            "The API was given no models.", hint="Pass them: api(store, [Customer, Order]), or make Store(url, models=[…])."
        )
    catalog = Catalog(chosen)
    secret = secrets.token_bytes(32) if cursor_secret is None else cursor_secret
    engine = Engine(store, catalog, secret.encode() if isinstance(secret, str) else secret)
    front = Front(Native(engine, Options(body_bytes_max, require_if_match)), Pages(engine, title, version, description))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        await engine.ready()
        yield

    app = Starlette(routes=[front], lifespan=lifespan, exception_handlers={Exception: _internal})
    app.state.holdall = engine
    return app


async def _internal(request: Request, error: Exception) -> Response:
    """The answer for an error that nobody foresaw; the server logs it. What it says stays inside."""
    return problem(request, HttpError(500, "internal", "Something went wrong here; it was logged under this request's id."))


class Front(BaseRoute):
    """The one route of the application: it finds the handler of a path and method, and answers errors."""

    def __init__(self, dialect: Native, pages: Pages) -> None:
        self.dialect = dialect
        self.pages = pages

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Every HTTP request."""
        return (Match.FULL if scope["type"] == "http" else Match.NONE), {}

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        """Names of routes are not used here."""
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except HttpError as error:
            response = problem(request, error)
        except HoldallError as error:
            response = problem(request, http_error(error))
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        parts = path_parts(request)
        method = request.method
        own = self.pages.route(parts) if len(parts) == 1 else None
        nothing: Mapping[str, str] = {}
        handlers, hints = (own, nothing) if own is not None else self.dialect.route(parts, method)
        handler: Handler | None = handlers.get(method)
        if handler is not None:
            return await handler(request)
        allow = ", ".join([*handlers, "OPTIONS"])
        if method == "OPTIONS":
            return respond(request, 204, None, {"Allow": allow, **hints})
        raise HttpError(
            405, "method_not_allowed", f"{method[:40]} is not possible here.", f"Allowed: {allow}.", headers={"Allow": allow, **hints}
        )
