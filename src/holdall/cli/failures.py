"""Failures: from whatever went wrong to a message on stderr and an exit code.

Owns the exit codes. Must not know any command.

    0    done
    1    a check failed: no record with that key, rows that were refused and set aside
    2    usage: an unknown command, option, model, field or operator; a program or store that cannot be read as one
    3    the store, or the port, cannot be reached or is busy
    4    refused: values break a rule, a constraint would be broken, the file is damaged or does not fit; nothing was changed
    70   a mistake in Holdall itself (sysexits' EX_SOFTWARE), with a traceback
    130  interrupted by Ctrl-C

A reader that goes away (`| head`) is no failure: quiet, and 0. HOLDALL_DEBUG=1 adds the traceback to any message.
"""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from typing import IO

import click

from holdall import errors

OK, CHECK_FAILED, USAGE, UNREACHABLE, REFUSED, MISTAKE, INTERRUPTED = 0, 1, 2, 3, 4, 70, 130

# The first class that fits decides.
_CODES: tuple[tuple[type[errors.HoldallError], int], ...] = (
    (errors.NotFound, CHECK_FAILED),
    (errors.MultipleFound, CHECK_FAILED),
    (errors.QueryError, USAGE),
    (errors.DeclarationError, USAGE),
    (errors.LockTimeout, UNREACHABLE),  # somebody else holds the store: later it may be free
    (errors.Unavailable, UNREACHABLE),
    (errors.OutcomeUnknown, UNREACHABLE),
    (errors.DeadlineExceeded, UNREACHABLE),
    (errors.Throttled, UNREACHABLE),
    (errors.HoldallError, REFUSED),
)


class Failure(Exception):
    """A failure of the command line itself: what happened, what to do about it, and the exit code."""

    def __init__(self, message: str, *, hint: str = "", code: int = USAGE) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


class ReaderGone(Exception):
    """Nobody reads stdout any more."""


def exit_code(error: BaseException) -> int:
    """The exit code for an error."""
    if isinstance(error, Failure):
        return error.code
    if isinstance(error, errors.HoldallError):
        return next(code for kind, code in _CODES if isinstance(error, kind))
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED
    if isinstance(error, click.ClickException):
        return USAGE
    if isinstance(error, ReaderGone | BrokenPipeError):
        return OK
    if isinstance(error, OSError):
        return REFUSED
    return MISTAKE


def report(error: BaseException) -> int:
    """Tell people on stderr what went wrong; gives the exit code."""
    code = exit_code(error)
    if isinstance(error, ReaderGone | BrokenPipeError):
        _forget_stdout()
        return code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        message("Interrupted.")
        return code
    if code == MISTAKE or os.environ.get("HOLDALL_DEBUG", "") not in ("", "0"):
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    if code == MISTAKE:
        problem("This is a mistake in Holdall, not in what you typed.", "Please report it with the lines above.")
    elif isinstance(error, click.exceptions.NoArgsIsHelpError):
        message(error.format_message())
    elif isinstance(error, Failure | errors.HoldallError):
        problem(error.message, error.hint.strip())
    elif isinstance(error, click.ClickException):
        usage = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx is not None else ""
        problem(error.format_message(), f"See: {usage} --help" if usage else "")
    elif isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        problem(f"{where}{error.strerror or error}.")
    return code


def problem(text: str, hint: str = "") -> None:
    """An error message, and on the next line what to do."""
    mark = "holdall:"
    click.echo(f"{click.style(mark, fg='red', bold=True) if colourful(sys.stderr) else mark} {text}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)


def message(text: str) -> None:
    """A message for people, on stderr."""
    click.echo(text, err=True)


def colourful(stream: IO[str]) -> bool:
    """Whether to colour what goes to that stream: a terminal that can, and NO_COLOR (https://no-color.org) is not set."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def is_terminal(stream: IO[str]) -> bool:
    """Whether people read that stream directly."""
    with suppress(ValueError):  # a closed stream
        return stream.isatty()
    return False


def _forget_stdout() -> None:
    """Point stdout nowhere, so that the interpreter's last flush does not complain about the reader that is gone."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
