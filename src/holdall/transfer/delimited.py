"""Delimited: CSV text to records and back (RFC 4180).

Owns quoting. The standard library's reader cannot tell an empty cell from a quoted empty one before Python 3.13, which is how null and ''
differ here, nor say where a cell went wrong; hence this one. Must not know types, models or stores.

    cell          written as                                   read as
    null          nothing                                      nothing, if unquoted
    ''            ""                                           ""
    text          as it is; quoted if it holds the delimiter, a quote or a line end, or blanks at its ends
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from holdall.errors import ProgrammingError
from holdall.transfer.files import LINE_BYTES_MAX, Input

DELIMITERS = ",;\t|"


class Quoted(str):
    """A cell that was quoted and reads like a word for null: a value, where text can be one."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other


@dataclass(slots=True)
class Record:
    """One record: the physical line on which it begins, its cells, and what is wrong with its quoting ('' for nothing)."""

    line: int
    cells: list[str]
    fault: str = ""


def check_delimiter(delimiter: str) -> str:
    """The delimiter; ProgrammingError if it is not one character that can be one."""
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ProgrammingError(f"The delimiter must be one character other than a quote or a line end, not {delimiter!r}.")
    return delimiter


def read_records(file: Input, delimiter: str, nulls: frozenset[str]) -> Iterator[Record]:
    """The records of a file; a blank line is a record of one empty cell. BadFile if a quote is never closed."""
    lines = iter(file.lines())
    for line in lines:
        text = line[:-2] if line.endswith("\r\n") else line.removesuffix("\n")
        if '"' not in text:
            yield Record(file.line, text.split(delimiter), "holds a carriage return outside quotes" if "\r" in text else "")
        else:
            yield _quoted(file, lines, line, delimiter, nulls)


def _quoted(file: Input, lines: Iterator[str], line: str, delimiter: str, nulls: frozenset[str]) -> Record:
    """A record that holds quotes, and may go on over several lines."""
    record = Record(file.line, [])
    position = 0
    while True:
        if line.startswith('"', position):
            begin, line, end = _closing(file, lines, line, position + 1, record.line)
            text = line[begin:end].replace('""', '"')
            record.cells.append(Quoted(text) if text in nulls else text)
            position = end + 1
            if not line.startswith(delimiter, position) and line[position:] not in ("", "\n", "\r\n"):
                record.fault = f"cell {len(record.cells)} has text after its closing quote: {line[position : position + 20]!r}"
                return record
        else:
            end = line.find(delimiter, position)
            rest = line[position:] if end < 0 else line[position:end]
            if end < 0:
                rest = rest[:-2] if rest.endswith("\r\n") else rest.removesuffix("\n")
            if "\r" in rest:
                record.fault = "holds a carriage return outside quotes"
            record.cells.append(rest)
            position = len(line) if end < 0 else end
        if not line.startswith(delimiter, position):
            return record
        position += 1


def _closing(file: Input, lines: Iterator[str], line: str, begin: int, first: int) -> tuple[int, str, int]:
    """Where the quoted cell that starts at `begin` ends; the line grows by further ones if need be."""
    position = begin
    while True:
        end = line.find('"', position)
        if end < 0:
            more = next(lines, None)
            if more is None:
                raise file.bad("a quote that is opened here is never closed.", line=first, hint="Is a quote inside a text not doubled?")
            # What was read of this record before the cell is not needed any more.
            position, line, begin = len(line) - begin, line[begin:] + more, 0
            if len(line) > LINE_BYTES_MAX:
                raise file.bad(f"a quoted cell is longer than {LINE_BYTES_MAX >> 20} MiB.", line=first)
        elif line.startswith('"', end + 1):
            position = end + 2
        else:
            return begin, line, end


def near_delimiter(cells: list[str], delimiter: str) -> str:
    """A hint when the header is one cell that holds another delimiter; '' if not."""
    found = [other for other in DELIMITERS if other != delimiter and len(cells) == 1 and other in cells[0]]
    return f"The columns seem to be separated by {found[0]!r}: pass delimiter={found[0]!r}." if found else ""


def record_writer(delimiter: str) -> Callable[[Iterable[str | None]], bytes]:
    """A function from cells (None for null) to one line of CSV."""
    # Blanks at the ends are quoted, because spreadsheets cut them off.
    special = re.compile(rf'["\r\n{re.escape(delimiter)}]|^\s|\s\Z').search

    def cell(text: str | None) -> str:
        if text is None:
            return ""
        if not text or special(text) is not None or type(text) is Quoted:
            return '"' + str(text).replace('"', '""') + '"'
        return text

    def write(cells: Iterable[str | None]) -> bytes:
        return (delimiter.join([cell(text) for text in cells]) + "\n").encode()

    return write
