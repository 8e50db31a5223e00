"""Rejects: the file of the rows that were not taken, in the format of the file they came from, with their problems.

It has the columns or keys of the source and three more: `_row` and `_line` (its place in the source) and `_problems`. An import leaves
these three out, so a corrected rejects file can be imported as it is. Always UTF-8. Made only if a row is rejected.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import msgspec

from holdall.errors import BadRow, ProgrammingError
from holdall.transfer.columns import REJECT_COLUMNS
from holdall.transfer.delimited import Quoted, record_writer
from holdall.transfer.files import Format, Source, open_output
from holdall.transfer.forms import is_object
from holdall.transfer.rows import RawRow

_exact = msgspec.json.Encoder(decimal_format="number").encode  # fractions were read as Decimal, to be written as they were


def _encode(value: Any) -> bytes:
    try:
        return _exact(value)
    except UnicodeEncodeError:  # a lone surrogate, which only escapes can write
        return json.dumps(value, default=float).encode()


def rejects_target(rejects: Source | None, source: Source) -> Source:
    """Where rejected rows go: what was asked for, or 'people.rejects.csv' beside 'people.csv'."""
    if rejects is not None:
        if isinstance(rejects, str | Path) and isinstance(source, str | Path) and Path(rejects).absolute() == Path(source).absolute():
            raise ProgrammingError("The rejects file would replace the file that is imported.", hint="Choose another name.")
        return rejects
    if not isinstance(source, str | Path) or source == "-":
        raise ProgrammingError("on_error='skip' needs a place for the rows that are left out.", hint="Pass rejects= with a path.")
    path = Path(source)
    while path.suffix.lower() in (".gz", ".zip"):
        path = path.with_suffix("")
    return path.with_suffix(f".rejects{path.suffix}")


class Rejects:
    """The rejects file, opened with the first row. Used as a context: it appears when the block ends well."""

    def __init__(self, target: Source, format_: Format, header: list[str], delimiter: str) -> None:
        self.target = target
        self.count = 0
        self._format = format_
        self._header = header
        self._line = record_writer(delimiter)
        self._stack = ExitStack()
        self._stream: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._stream is not None and kind is None and self._format == "json":
            self._stream.write(b"\n]\n")
        self._stack.__exit__(kind, error, trace)

    def add(self, row: RawRow, error: BadRow) -> None:
        """Write one rejected row."""
        first = self._stream is None
        if self._stream is None:
            self._stream = self._stack.enter_context(open_output(self.target))
        problems = "; ".join(str(problem) for problem in error.problems)
        if self._format == "csv":
            self._stream.write((self._line(self._titles()) if first else b"") + self._record(row, problems))
        else:
            data = _encode(self._object(row, problems))
            self._stream.write(data + b"\n" if self._format == "ndjson" else (b"[\n" if first else b",\n") + data)
        self.count += 1

    def _titles(self) -> list[str]:
        return [name for name in self._header if name not in REJECT_COLUMNS] + list(REJECT_COLUMNS)

    def _record(self, row: RawRow, problems: str) -> bytes:
        cells: list[str | None] = [text if text or type(text) is Quoted else None for text in row.content]
        width = len(self._header)
        if len(cells) > width:
            problems += f"; left over: {', '.join(repr(str(text or '')) for text in cells[width:])}"
        cells = (cells + [None] * width)[:width]
        own = [cell for name, cell in zip(self._header, cells, strict=True) if name not in REJECT_COLUMNS]
        return self._line([*own, str(row.number), None if row.line is None else str(row.line), problems])

    def _object(self, row: RawRow, problems: str) -> dict[str, Any]:
        values = {k: v for k, v in row.content.items() if k not in REJECT_COLUMNS} if is_object(row.content) else {"_value": row.content}
        return {**values, "_row": row.number, "_line": row.line, "_problems": problems}
