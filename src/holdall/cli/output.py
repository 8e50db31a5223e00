"""Output: records as a table, JSON, NDJSON or CSV on stdout.

Owns how data looks. Rows come as an iterator and are written as they come, except a table on a terminal, which needs its widths first.
Must not know stores. On a terminal tables are drawn by Rich; elsewhere they are plain aligned text.

    format   none              text, numbers           containers
    table    null              as JSON without quotes  compact JSON
    json     null              JSON (Decimals as text) JSON
    ndjson   null              the same, one record a line
    csv      an empty field    RFC 4180; '' is ""       compact JSON
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO, Any, Literal

import click

from holdall.cli.failures import colourful, is_terminal

Format = Literal["table", "json", "ndjson", "csv"]
Row = Sequence[Any]  # JSON values, one for each column

PLAIN_WIDTH_ROWS = 500  # a plain table takes its widths from so many rows and then flows
_RIGHT = frozenset({"int", "float", "decimal"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, and the kind of its values where it matters (numbers stand to the right, keys are not broken)."""

    name: str
    kind: str = ""


def format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option -o of a command."""
    return click.option(
        "-o", "--output", "format_", type=click.Choice(["table", "json", "ndjson", "csv"]), default="table", show_default=True,
        help="How data is written.",
    )(function)  # fmt: skip


def write_many(format_: Format, columns: Sequence[Column], rows: Iterable[Row]) -> int:
    """Write many records; gives their number."""
    counted = _Counted(rows)
    _WRITERS[format_](columns, counted, sys.stdout)
    return counted.count


def write_one(format_: Format, columns: Sequence[Column], row: Row) -> None:
    """Write one record: a JSON object rather than a list of one, a table of names and values rather than one wide line."""
    if format_ == "json":
        sys.stdout.write(_json(dict(zip((column.name for column in columns), row, strict=True)), indent=2) + "\n")
    elif format_ == "table":
        _table((Column("field"), Column("value")), [(column.name, value) for column, value in zip(columns, row, strict=True)], sys.stdout)
    else:
        write_many(format_, columns, [row])


class _Counted:
    """An iterable that counts what it gave."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.count += 1
            yield row


def _json(value: Any, indent: int | None = None) -> str:
    import msgspec

    data = msgspec.json.encode(value)
    return (msgspec.json.format(data, indent=indent) if indent else data).decode()


def _write_json(columns: Sequence[Column], rows: Iterable[Row], out: IO[str]) -> None:
    names = [column.name for column in columns]
    before = "[\n"
    for row in rows:
        out.write(before + "  " + _json(dict(zip(names, row, strict=True)), indent=2).replace("\n", "\n  "))
        before = ",\n"
    out.write("[]\n" if before == "[\n" else "\n]\n")


def _write_ndjson(columns: Sequence[Column], rows: Iterable[Row], out: IO[str]) -> None:
    names = [column.name for column in columns]
    for row in rows:
        out.write(_json(dict(zip(names, row, strict=True))) + "\n")


def _write_csv(columns: Sequence[Column], rows: Iterable[Row], out: IO[str]) -> None:
    out.write(",".join(_csv_cell(column.name) for column in columns) + "\n")
    for row in rows:
        out.write(",".join([_csv_cell(value) for value in row]) + "\n")


def _csv_cell(value: Any) -> str:
    # Not csv.writer: before Python 3.12 it cannot write null and '' differently.
    if value is None:
        return ""
    text = value if isinstance(value, str) else _json(value)
    plain = text and not (text[0].isspace() or text[-1].isspace() or any(mark in text for mark in ',"\r\n'))
    return text if plain else '"' + text.replace('"', '""') + '"'


def _write_table(columns: Sequence[Column], rows: Iterable[Row], out: IO[str]) -> None:
    _table(columns, rows, out)


def _table(columns: Sequence[Column], rows: Iterable[Row], out: IO[str]) -> None:
    if is_terminal(out):
        _drawn(columns, rows, out)
    else:
        _plain(columns, rows, out)


_WRITERS: dict[str, Callable[[Sequence[Column], Iterable[Row], IO[str]], None]] = {
    "json": _write_json,
    "ndjson": _write_ndjson,
    "csv": _write_csv,
    "table": _write_table,
}


def cell(value: Any) -> str:
    """The text of a value in a table. Control characters are shown, not sent to the terminal."""
    if value is None:
        return "null"
    text = value if isinstance(value, str) else _json(value)
    return text if text.isprintable() else "".join(_visible(sign) for sign in text)


def _visible(sign: str) -> str:
    return sign if sign.isprintable() or sign == "\N{NO-BREAK SPACE}" else sign.encode("unicode_escape").decode()


def _plain(columns: Sequence[Column], rows: Iterable[Row], out: IO[str]) -> None:
    from rich.cells import cell_len

    source = iter(rows)
    first = [[cell(value) for value in row] for row in islice(source, PLAIN_WIDTH_ROWS)]
    widths = [max([cell_len(column.name), *(cell_len(row[i]) for row in first)]) for i, column in enumerate(columns)]
    for row in chain([[column.name for column in columns]], first, ([cell(value) for value in row] for row in source)):
        parts: list[str] = []
        for column, width, text in zip(columns, widths, row, strict=True):
            blank = " " * (width - cell_len(text))
            parts.append(blank + text if column.kind in _RIGHT else text + blank)
        out.write("  ".join(parts).rstrip() + "\n")


def _drawn(columns: Sequence[Column], rows: Iterable[Row], out: IO[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = colourful(out)
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold" if colours else "")
    for column in columns:
        table.add_column(
            Text(column.name), justify="right" if column.kind in _RIGHT else "left", overflow="fold", no_wrap=column.kind in _RIGHT
        )
    for row in rows:
        table.add_row(*(Text(cell(value), style="dim" if value is None and colours else "") for value in row))
    Console(file=out, no_color=not colours, highlight=False, soft_wrap=False).print(table)
