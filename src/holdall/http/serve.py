"""Serving: runs an ASGI application with uvicorn until Ctrl-C. Owns the socket, and the refusal to open it to everyone by accident."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from holdall.errors import Unavailable, Unsupported
from holdall.http.guard import HostGuard

if TYPE_CHECKING:
    from starlette.types import ASGIApp

GRACE_S = 5


def serve(
    app: ASGIApp,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    on_started: Callable[[str], None] | None = None,
    allow_public: bool = False,
    access_log: bool = False,
) -> None:
    """Serve an application on http://host:port until Ctrl-C or SIGTERM, then end cleanly: requests under way are answered first.

    port 0 means a free one. on_started is called with the URL once requests are answered. A host other than the loopback is refused
    unless `allow_public` is true, because there is no authentication. Unavailable if the port is in use, Unsupported for a refused
    host; if the application is `api(…)`, whatever its store raises when it cannot be opened. All before anything is served.
    """
    loopback = is_loopback(host)
    if not loopback and not allow_public:
        raise Unsupported(
            f"Serving on {host} would let everyone who can reach this machine read and change the records: there is no authentication.",
            hint="Serve on 127.0.0.1, or say allow_public=True.",
        )
    listening = bind(host, port)
    try:
        engine = getattr(getattr(app, "state", None), "holdall", None)
        if engine is not None:
            engine.store.ensure_schema(*(resource.model for resource in engine.catalog))
        # A page in the user's browser can make a name of its own lead to 127.0.0.1; the Host header tells.
        guarded: Any = HostGuard(app, {host, "localhost", "127.0.0.1", "::1"}) if loopback else app
        _run(guarded, listening, url_of(listening, host), on_started, access_log)
    finally:
        listening.close()


def _run(app: Any, listening: socket.socket, url: str, on_started: Callable[[str], None] | None, access_log: bool) -> None:
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started and on_started is not None:
                on_started(url)

    config = uvicorn.Config(
        app, log_level="info" if access_log else "warning", access_log=access_log, server_header=False,
        timeout_graceful_shutdown=GRACE_S, lifespan="auto", ws="none",
    )  # fmt: skip
    server = Server(config)
    try:
        server.run(sockets=[listening])
    except (KeyboardInterrupt, asyncio.CancelledError):
        return
    if not server.started:
        raise Unavailable("The application could not be started.", hint="The reason is in the log above.")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; Unavailable, with what to do, if there is none to be had."""
    if not 0 <= port <= 65535:  # the C library would cut a larger number to another port
        raise Unavailable(f"There is no port {port}.", hint="Choose one from 1 to 65535, or 0 for a free one.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, OverflowError, UnicodeError) as error:
        raise Unavailable(f"Cannot serve on {host}:{port}: {error}.", hint="Give the address of an interface of this machine.") from None
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except (OSError, OverflowError) as error:
        listening.close()
        raise _unavailable(host, port, error) from None
    return listening


def _unavailable(host: str, port: int, error: Exception) -> Unavailable:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return Unavailable(f"Port {port} on {host} is in use.", hint=f"End what uses it, or choose another one, such as {port + 1}.")
    if number == errno.EACCES:
        return Unavailable(f"Port {port} on {host} may not be used by this user.", hint="Choose one above 1023, such as 8000.")
    if number == errno.EADDRNOTAVAIL:
        return Unavailable(f"{host} is no address of this machine.", hint="Serve on 127.0.0.1.")
    return Unavailable(f"Cannot serve on {host}:{port}: {error}.", hint="Choose another host or port.")


def url_of(listening: socket.socket, host: str) -> str:
    """The URL of a listening socket."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"
