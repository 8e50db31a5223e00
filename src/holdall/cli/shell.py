"""The shell command: Python with a program's store and models at hand."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.options import program_argument, store_option
from holdall.cli.program import Program, opened

if TYPE_CHECKING:
    from collections.abc import Callable


@click.command(short_help="Python with the store and the models at hand.")
@program_argument
@click.option("-c", "code", metavar="CODE", help="Run this instead of asking for input.")
@click.option("--plain", is_flag=True, help="Python's own prompt, even if IPython is installed.")
@store_option
def shell(program: str, code: str | None, plain: bool, url: str | None) -> None:
    """Python with the store (ambient, and as `store`), the models and all of Holdall's names at hand.

    \b
    holdall shell shop.py -c "print(Order.where(total__gte=10).count())"
    """
    with opened(program, url) as found:
        names = namespace(found)
        if code is not None:
            _execute(code, names)
            return
        banner = f"{found.name}: {', '.join(found.models) or 'no models'}. Leave with Ctrl-D."
        terminal = sys.stdin.isatty()
        start = None if plain or not terminal else _ipython()
        if start is not None:
            start(names, banner)
            return
        _python(names, banner, terminal)


def namespace(program: Program) -> dict[str, Any]:
    """The names that the user finds there: Holdall's own, the models, the store."""
    import holdall

    names: dict[str, Any] = {name: getattr(holdall, name) for name in holdall.__all__}
    names.update(program.models)
    if program.store is not None:
        names["store"] = program.store
    return {"__name__": "__console__", "__doc__": None, **names}


def _execute(code: str, names: dict[str, Any]) -> None:
    """Run code as `python -c` does: errors show the user's own lines and end with 1."""
    import traceback

    try:
        exec(compile(code, "<-c>", "exec"), names)  # noqa: S102 - running the user's own code is what the command is for
    except (SystemExit, KeyboardInterrupt, BrokenPipeError):
        raise
    except BaseException as error:  # noqa: BLE001 - shown to the user as Python would
        trace = error.__traceback__
        error.__traceback__ = None if trace is None else trace.tb_next
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
        raise SystemExit(1) from None


def _ipython() -> Callable[[dict[str, Any], str], None] | None:
    """What starts IPython, or None if it is not installed."""
    try:
        embed = import_module("IPython.terminal.embed")
    except ImportError:
        return None

    def start(names: dict[str, Any], banner: str) -> None:
        embed.InteractiveShellEmbed(user_ns=names, banner1=f"{banner}\n", exit_msg="")()

    return start


def _python(names: dict[str, Any], banner: str, terminal: bool) -> None:
    import code

    if terminal:
        try:
            import readline
            import rlcompleter
        except ImportError:  # a Python without readline: no completion, all else works
            pass
        else:
            readline.set_completer(rlcompleter.Completer(names).complete)
            readline.parse_and_bind("tab: complete")
    else:
        sys.ps1 = sys.ps2 = ""  # what is piped in needs no prompts in its output
    code.interact(banner if terminal else "", local=names, exitmsg="")
