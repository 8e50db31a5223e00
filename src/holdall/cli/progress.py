"""Progress: how far a long command is, on stderr. A bar by Rich on a terminal, a line every few seconds elsewhere.

Must not know what is counted. `Progress.step` is called with the units done and their total (None while it is not known).
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self

from holdall.cli.failures import colourful, is_terminal, message

LINE_EVERY_S = 5.0


class Progress:
    """Shows `what` as a context manager. `expected` is the number of rows (or other `units`) if it is known or guessed before."""

    def __init__(self, what: str, expected: int | None = None, units: str = "rows") -> None:
        self._what = what
        self._units = units
        self._expected = expected
        self._bar: Any = None
        self._task: Any = None
        self._begun = self._told = time.monotonic()

    def __enter__(self) -> Self:
        self._begun = self._told = time.monotonic()
        if is_terminal(sys.stderr):
            self._bar = _bar(self._units)
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._expected)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def step(self, done: int, total: int | None = None) -> None:
        """Tell how many rows are done."""
        expected = total if total is not None else self._expected
        if expected is not None and done > expected:
            expected = None  # the guess was too low
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=expected)
            return
        now = time.monotonic()
        if now - self._told >= LINE_EVERY_S:
            self._told = now
            message(f"{self._what}: {self._line(done, expected, now)}")

    def _line(self, done: int, expected: int | None, now: float) -> str:
        rate = done / max(now - self._begun, 1e-6)
        parts = [_of(done, expected, self._units), f"{rate:,.0f} {self._units}/s"]
        if expected is not None and rate > 0:
            parts.append(f"{_minutes((expected - done) / rate)} left")
        return ", ".join(parts)


def summary(done: int, seconds: float) -> str:
    """'336,776 rows in 4.2 s (80,184 rows/s)'."""
    rate = f" ({done / seconds:,.0f} rows/s)" if seconds > 0.05 and done else ""
    return f"{done:,} row{'' if done == 1 else 's'} in {seconds:.1f} s{rate}"


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02}" if whole >= 60 else f"{whole} s"


def _of(done: int, expected: int | None, units: str) -> str:
    return f"{done:,} {units}" if expected is None else f"{done:,} of {expected:,} {units}"


def _bar(units: str) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Task, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress
    from rich.progress import ProgressColumn as RichColumn
    from rich.text import Text

    class Rate(RichColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:,.0f} {units}/s" if task.speed else "")

    console = Console(stderr=True, no_color=not colourful(sys.stderr), highlight=False)
    return RichProgress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f} " + units), Rate(), TimeRemainingColumn(),
        console=console, transient=True,
    )  # fmt: skip
