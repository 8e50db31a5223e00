"""Exit codes: every error of the library has one, and the message names what happened."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from holdall import errors
from holdall.cli.failures import Failure, ReaderGone, exit_code, report


def classes(base: type[errors.HoldallError]) -> Iterator[type[errors.HoldallError]]:
    for cls in base.__subclasses__():
        if cls.__module__ == "holdall.errors":
            yield cls
            yield from classes(cls)


# What each error of the library means to a shell script.
CODES = {
    "NotFound": 1, "MultipleFound": 1,
    "QueryError": 2, "DeclarationError": 2,
    "Unavailable": 3, "OutcomeUnknown": 3, "DeadlineExceeded": 3, "Throttled": 3, "LockTimeout": 3,
}  # fmt: skip


@pytest.mark.parametrize("cls", sorted(set(classes(errors.HoldallError)), key=lambda cls: cls.__name__), ids=lambda cls: cls.__name__)
def test_every_error_of_the_library_has_a_code(cls: type[errors.HoldallError]) -> None:
    error = cls.__new__(cls)
    assert exit_code(error) == CODES.get(cls.__name__, 4)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Failure("x"), 2), (Failure("x", code=1), 1), (KeyboardInterrupt(), 130), (click.Abort(), 130), (click.UsageError("x"), 2),
        (BrokenPipeError(), 0), (ReaderGone(), 0), (PermissionError(13, "Permission denied", "x.csv"), 4), (ZeroDivisionError(), 70),
    ],
)  # fmt: skip
def test_other_errors(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_a_message_and_its_hint(capsys: pytest.CaptureFixture[str]) -> None:
    report(errors.QueryError("Order has no field 'totl'.", hint="Did you mean 'total'?"))
    assert capsys.readouterr() == ("", "holdall: Order has no field 'totl'.\n  Did you mean 'total'?\n")


def test_a_mistake_of_ours_shows_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(ZeroDivisionError("x")) == 70
    assert "ZeroDivisionError: x" in (text := capsys.readouterr().err)
    assert "mistake in Holdall" in text


def test_debug_shows_the_traceback_of_any_error(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDALL_DEBUG", "1")
    assert report(errors.QueryError("No.")) == 2
    assert "holdall.errors.QueryError: No." in capsys.readouterr().err
