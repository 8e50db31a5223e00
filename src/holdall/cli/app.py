"""App: the `holdall` command, its groups of commands loaded when they are asked for, and the one place where errors end.

Must not know what any command does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn, cast

import click

from holdall.cli.failures import OK, Failure, ReaderGone, report
from holdall.errors import near_name

# Command: the module and the function that hold it. In the order of --help.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("holdall.cli.demo", "demo"),
    "serve": ("holdall.cli.serve", "serve"),
    "models": ("holdall.cli.models", "models"),
    "get": ("holdall.cli.read", "get"),
    "list": ("holdall.cli.read", "list_"),
    "create": ("holdall.cli.write", "create"),
    "update": ("holdall.cli.write", "update"),
    "delete": ("holdall.cli.write", "delete"),
    "import": ("holdall.cli.transfer", "import_"),
    "export": ("holdall.cli.transfer", "export"),
    "inspect": ("holdall.cli.transfer", "inspect"),
    "check": ("holdall.cli.check", "check"),
    "shell": ("holdall.cli.shell", "shell"),
}


class Commands(click.Group):
    """A group whose commands are imported when they are used, and whose errors become messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of --help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of that name, or None."""
        place = COMMANDS.get(cmd_name)
        return None if place is None else cast("click.Command", getattr(import_module(place[0]), place[1]))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with a near name for an unknown command."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise Failure(f"There is no command '{args[0]}'.", hint=near_name(args[0], COMMANDS))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and see to it that all of its data is written."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise ReaderGone from None  # click would end with 1
        return result

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]  # always exits
        """Run and exit, as click's tests and completion expect."""
        sys.exit(self.run(args, prog_name, **extra))

    def run(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> int:
        """Run and give the exit code."""
        extra["standalone_mode"] = False
        try:
            result = super().main(args, prog_name or "holdall", **extra)
        except SystemExit as end:
            return end.code if isinstance(end.code, int) else OK
        except BaseException as error:  # noqa: BLE001 - the one place where errors end
            return report(error)
        return result if isinstance(result, int) else OK


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"holdall {version('holdall')}")
    except PackageNotFoundError:
        click.echo("holdall (a source tree that is not installed)")
    ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version and exit.")
def holdall() -> None:
    """Declare a model once, keep it in any store.

    PROGRAM is a Python file (shop.py) or a module (shop); shop.py:store names one of several stores in it.
    Data goes to stdout, messages to stderr.
    """
