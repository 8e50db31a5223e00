"""The serve command: a program's REST API until Ctrl-C, and the facts that people need when it starts.

Ending a server by Ctrl-C or SIGTERM is its normal end: exit code 0.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from holdall.cli.failures import UNREACHABLE, Failure, message
from holdall.cli.options import program_argument, store_option
from holdall.cli.program import Program, opened
from holdall.errors import Unavailable, Unsupported

if TYPE_CHECKING:
    from holdall.model import Model

PORT = 8000


@click.command(short_help="A REST API for the models of a program.")
@program_argument
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to serve on.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="The port; 0 for a free one.")
@click.option("--allow-public", is_flag=True, help="Serve on an address that others can reach, although there is no authentication.")
@click.option("--access-log", is_flag=True, help="A line on stderr for each request.")
@store_option
def serve(program: str, host: str, port: int, allow_public: bool, access_log: bool, url: str | None) -> None:
    """Serve a REST API for the models of PROGRAM, with OpenAPI and a page to read it, until Ctrl-C."""
    with opened(program, url) as found:
        run_server(found, host=host, port=port, allow_public=allow_public, access_log=access_log)


def run_server(
    program: Program,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    allow_public: bool = False,
    access_log: bool = False,
    after_start: Callable[[str], None] | None = None,
) -> None:
    """Serve until Ctrl-C. Without a port: 8000, or a free one if that is taken. `after_start` gets the URL once requests are answered.

    It runs inside the server's event loop, so it only writes; what it tells was asked before.
    """
    api, http_serve = _http()
    store = program.home
    if not program.models:
        raise Failure(f"{program.name} has no models to serve.", hint="Declare some: class Customer(Model): …")
    store.ensure_schema(*program.models.values())
    application = api(store, list(program.models.values()), title=PurePath(program.name).stem)

    facts = facts_of(program)

    def started(base: str) -> None:
        for line in facts:
            message(line.format(base=base))
        if after_start is not None:
            after_start(base)
        message("Ctrl-C ends the server.")

    def run(on: int) -> None:
        http_serve(application, host, on, on_started=started, allow_public=allow_public, access_log=access_log)

    try:
        with _terminable():
            if port is not None:
                run(port)
            else:
                _first_free(run)
    except Unsupported as error:
        raise Failure(error.message, hint="Serve on 127.0.0.1, or say --allow-public.", code=4) from None
    except Unavailable as error:
        raise Failure(error.message, hint=f"{error.hint} --port 0 takes a free one.".strip(), code=UNREACHABLE) from error
    message("The server has ended.")


@contextmanager
def _terminable() -> Generator[None]:
    """SIGTERM ends the server as Ctrl-C does. The server passes signals on when it has ended, and the default would then kill us before
    the store is closed."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def _first_free(run: Callable[[int], None]) -> None:
    try:
        run(PORT)
    except Unavailable as error:
        if "in use" not in error.message:
            raise
        message(f"{error.message} Taking a free one; --port N chooses.")
        run(0)


def _http() -> tuple[Callable[..., object], Callable[..., None]]:
    try:
        from holdall.http import api, serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("holdall"):
            raise
        raise Failure(f"Serving needs {error.name}, which is not installed.", hint='Run: pip install "holdall[serve]".') from None
    return api, serve


def facts_of(program: Program) -> list[str]:
    """What is served, and where, a line each; {base} stands for the URL."""
    store = program.home
    kept = store.describe()
    counts = {name: store[model].count() for name, model in program.models.items()}
    width = max(map(len, counts))
    digits = max(len(f"{count:,}") for count in counts.values())
    lines = [f"{_plain(program.name)} on {kept.engine} {kept.version}, durability {kept.durability.name}"]
    for name, model in program.models.items():
        lines.append(f"  {name:{width}}  {counts[name]:>{digits},} rows  {{base}}/{path_of(model)}")
    return [*lines, "  Docs     {base}/docs", "  OpenAPI  {base}/openapi.json"]


def _plain(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def path_of(model: type[Model]) -> str:
    """The first part of a model's URLs."""
    return model.__entity__.table
