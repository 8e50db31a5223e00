"""Rows: the records of a file as objects of a model, or all problems of a row.

Owns how the columns and keys of a file meet the fields of a model. Must not know stores.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, TypeVar

from holdall.errors import BadRow, Problem, ValidationError, near_name
from holdall.model import Model
from holdall.schema import BadOperand
from holdall.transfer.columns import ABSENT, REJECT_COLUMNS, Column, column_of, unknown_field
from holdall.transfer.delimited import near_delimiter, read_records
from holdall.transfer.files import Input
from holdall.transfer.forms import Convert, decode_json, decoder, is_object

M = TypeVar("M", bound=Model)


@dataclass(slots=True)
class RawRow:
    """One row of a file: its number among the data rows and its line, both from 1, and its cells or its decoded JSON.

    `fault` says why it cannot be taken apart ('' if it can).
    """

    number: int
    line: int | None
    content: Any
    fault: str = ""


class Reader(Generic[M]):
    """Reads the rows of one open file for one model. `header` are the columns of a CSV file, known once `rows` has begun."""

    def __init__(self, file: Input, model: type[M], nulls: frozenset[str], rename: Mapping[str, str | None], delimiter: str) -> None:
        self.file = file
        self.model = model
        self.nulls = nulls
        self.rename = dict(rename)
        self.delimiter = delimiter
        self.header: list[str] = []
        self.total: int | None = None
        self.given: set[str] = set()
        self._columns = {field.name: column_of(model, field) for field in model.__entity__.fields}
        self._cells: list[tuple[int, Column]] = []
        self._quick: list[tuple[str, Convert]] = []
        self._pick: Callable[[list[str]], Sequence[str]] = tuple
        for name, target in self.rename.items():
            if target is not None and target not in self._columns:
                why = unknown_field(target, model)
                raise file.bad(f"the column '{name}' is to become '{target}', which {why}")

    def rows(self) -> Iterator[RawRow]:
        """The rows; BadFile where the file cannot be read any further."""
        if self.file.format == "csv":
            return self._csv_rows()
        return self._ndjson_rows() if self.file.format == "ndjson" else self._json_rows()

    def take(self, row: RawRow) -> M:
        """The object of a row; BadRow with all its problems."""
        if row.fault:
            raise BadRow(self.file.name, row.number, row.line, [Problem((), "malformed", row.fault)])
        if self.header:
            try:
                return self.model(**{name: read(cell) for (name, read), cell in zip(self._quick, self._pick(row.content), strict=True)})
            except ValueError:
                values, problems = self._of_cells(row.content)  # the slow way, which says all that is wrong
        else:
            values, problems = self._of_object(row.content)
        failed = {problem.path[0] for problem in problems}
        try:
            made = self.model(**values)
        except ValidationError as error:
            problems += [item for item in error.problems if not (item.code == "missing" and item.path and item.path[0] in failed)]
        else:
            if not problems:
                return made
        raise BadRow(self.file.name, row.number, row.line, problems)

    def _target(self, name: str) -> str | None:
        """The field that a column or key is for; None if it is left out."""
        if name in REJECT_COLUMNS and name not in self._columns and name not in self.rename:
            return None
        return self.rename.get(name, name)

    # CSV.

    def _csv_rows(self) -> Iterator[RawRow]:
        records = read_records(self.file, self.delimiter, self.nulls)
        header = next(records, None)
        if header is None:
            raise self.file.bad("the file is empty.", hint=f"A CSV file begins with a line of column names: {', '.join(self._columns)}.")
        if header.fault:
            raise self.file.bad(f"the header {header.fault}.", line=1)
        self._match([str(name) for name in header.cells])
        width, number = len(header.cells), 0
        for record in records:
            cells = record.cells
            if cells == [""] and width > 1:
                continue  # a blank line
            number += 1
            if len(cells) != width and not record.fault:
                record.fault = f"has {len(cells)} cells, but the header has {width}"
            yield RawRow(number, record.line, cells, record.fault)

    def _match(self, header: list[str]) -> None:
        """Match the header with the fields; BadFile if a column is unknown, given twice, or missing."""
        self.header = header
        wrong: list[str] = []
        found: dict[str, str] = {}
        for index, name in enumerate(header):
            target = self._target(name)
            if target is None:
                continue
            if target not in self._columns:
                hint = near_delimiter(header, self.delimiter) or near_name(name, self._columns)
                wrong.append(f"The column '{name}' has no field. {hint}".rstrip() if name else f"Column {index + 1} has no name.")
            elif target in found:
                twice = f"The column '{name}' is given twice."
                wrong.append(twice if found[target] == name else f"The columns '{found[target]}' and '{name}' are both for '{target}'.")
            else:
                found[target] = name
                self._cells.append((index, self._columns[target]))
        if not any("separated by" in text for text in wrong):
            missing = [f"'{item.name}'" for item in self._columns.values() if item.required and item.name not in found]
            wrong += [f"Missing: {', '.join(missing)}."] if missing else []
            wrong += [f"There is no column '{name}' to rename. {near_name(name, header)}" for name in self.rename if name not in header]
        if wrong:
            lines = "".join(f"\n  {text}" for text in wrong)
            hint = "\nrename={'column': 'field'} renames a column, {'column': None} leaves it out."
            raise self.file.bad(f"the columns do not fit {self.model.__name__}:{lines}", line=1, hint=hint)
        self.given = set(found)
        self._quick = [(column.name, column.quick(self.nulls)) for _, column in self._cells]
        indexes = [index for index, _ in self._cells]
        if len(indexes) < len(header):
            self._pick = itemgetter(*indexes) if len(indexes) > 1 else lambda cells: [cells[index] for index in indexes]

    def _of_cells(self, cells: list[str]) -> tuple[dict[str, Any], list[Problem]]:
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for index, column in self._cells:
            try:
                value = column.from_cell(cells[index], self.nulls)
            except BadOperand as error:
                problems.append(Problem((column.name,), f"{column.kind}_value", str(error)))
            else:
                if value is not ABSENT:
                    values[column.name] = value
        return values, problems

    # JSON.

    def _ndjson_rows(self) -> Iterator[RawRow]:
        number = 0
        for text in self.file.lines():
            if text.isspace():
                continue
            number += 1
            try:
                content, fault = decode_json(text), ""
            except BadOperand as error:
                content, fault = text.rstrip("\r\n"), str(error)
            yield _object_row(RawRow(number, self.file.line, content, fault))

    def _json_rows(self) -> Iterator[RawRow]:
        text = self.file.text()
        position = _blank(text, 0)
        if text[position : position + 1] != "[":
            what = f"is no list of objects; it begins with {text[position : position + 20]!r}" if text[position:] else "is empty"
            raise self.file.bad(
                f"the file {what}.", hint='It must be [{"field": value, …}, …]; one object on each line is the format ndjson.'
            )
        position = _blank(text, position + 1)
        number, line, counted = 0, 1, 0
        more = text[position : position + 1] != "]"
        while more:
            number += 1
            line, counted = line + text.count("\n", counted, position), position
            content, position = self._element(text, position, line, number)
            yield _object_row(RawRow(number, line, content))
            position = _blank(text, position)
            mark = text[position : position + 1]
            if mark not in (",", "]"):
                line += text.count("\n", counted, position)
                why = f"{mark!r} after row {number}, where ',' or ']' must be" if mark else f"the list has no end after row {number}"
                raise self.file.bad(f"not JSON: {why}.", line=line)
            more = mark == ","
            position = _blank(text, position + 1) if more else position
        end = _blank(text, position + 1)
        if end != len(text):
            raise self.file.bad(f"there is text after the end of the list: {text[end : end + 20]!r}.", line=1 + text.count("\n", 0, end))

    def _element(self, text: str, position: int, line: int, number: int) -> tuple[Any, int]:
        try:
            return decoder.raw_decode(text, position)
        except json.JSONDecodeError as error:
            raise self.file.bad(f"row {number} is not JSON: {error.msg} (column {error.colno}).", line=error.lineno, row=number) from None
        except ValueError as error:
            raise self.file.bad(f"row {number} is not JSON: {error}.", line=line, row=number) from None
        except RecursionError:
            raise self.file.bad(f"row {number} is nested too deeply.", line=line, row=number) from None

    def _of_object(self, content: dict[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        seen: dict[str, str] = {}
        for key, given in content.items():
            target = self._target(key)
            if target is None:
                continue
            column = self._columns.get(target)
            if column is None:
                problems.append(Problem((key,), "unknown_field", unknown_field(key, self.model)))
            elif target in seen:
                problems.append(Problem((key,), "duplicate", f"'{seen[target]}' and '{key}' are both for '{target}'"))
            else:
                seen[target] = key
                try:
                    values[target] = column.from_json(given)
                except BadOperand as error:
                    problems.append(Problem((target,), f"{column.kind}_value", str(error)))
        for name, column in self._columns.items():
            if column.absent_is_null and name not in seen:
                values[name] = None
        return values, problems


def _blank(text: str, position: int) -> int:
    """The position after JSON's blanks."""
    while text[position : position + 1] in (" ", "\t", "\n", "\r"):
        position += 1
    return position


def _object_row(row: RawRow) -> RawRow:
    if not row.fault and not is_object(row.content):
        kinds: dict[type, str] = {list: "a list", str: "text", bool: "true or false", type(None): "null"}
        row.fault = f"is {kinds.get(row.content.__class__, 'a number')}, not an object"
    return row
