"""The guard of a server on the loopback: it answers only requests that were meant for it.

A web page elsewhere can have its own host name resolved to 127.0.0.1 (DNS rebinding) and would then be allowed to read the answers.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from holdall.http.messages import problem
from holdall.http.problems import Fault, HttpError


class HostGuard:
    """Wraps an application; a request whose Host header names none of `hosts` is 421."""

    def __init__(self, app: ASGIApp, hosts: AbstractSet[str]) -> None:
        self.app = app
        self.hosts = {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            request = Request(scope, receive)
            host = _host(request.headers.get("host", ""))
            if host not in self.hosts:
                detail = f"This server does not answer for the host {host[:80]!r}."
                error = HttpError(
                    421, "misdirected", detail, "Use the URL that it showed when it started.", [Fault("misdirected", detail, header="Host")]
                )
                await problem(request, error)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _host(header: str) -> str:
    """The host of a Host header, without port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()
