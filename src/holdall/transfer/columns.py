"""Columns: how the values of one field are read from a file, null included.

Owns what counts as null. Must not know files, rows or stores.

    cell                                field can be null      field cannot
    a word for null, not quoted         null                   its default; without one, '' if it is empty and the field text;
                                                               else a problem
    a word for null, quoted             the text, in text and bytes fields; as not quoted in others, which have no such value
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from holdall.errors import near_name
from holdall.model import Model, thawer
from holdall.schema import BadOperand, Field
from holdall.transfer.delimited import Quoted
from holdall.transfer.forms import Convert, json_reader, text_reader

# What a rejects file says about a row, beside its values; left out when that file is corrected and imported.
REJECT_COLUMNS = ("_row", "_line", "_problems")
ABSENT: Any = type("Absent", (), {})()  # no value is given


class CannotBeNull(ValueError):
    """A cell is null where the field cannot be; `Column.from_cell` says more."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field as a column: `read_text` and `read_json` give canonical values, `thaw` makes of them what the constructor takes."""

    name: str
    kind: str
    nullable: bool
    required: bool
    absent_is_null: bool
    read_text: Convert
    read_json: Convert
    thaw: Convert | None
    plain: bool

    def from_json(self, value: Any) -> Any:
        """The constructor's value of a decoded JSON value; BadOperand if it is none."""
        return None if value is None and self.kind != "json" else self._thawed(self.read_json(value))

    def from_cell(self, cell: str, nulls: frozenset[str]) -> Any:
        """The constructor's value of a CSV cell, or ABSENT; BadOperand if it is none."""
        text, textual = str(cell), self.kind in ("str", "bytes")
        quoted = type(cell) is Quoted
        if (quoted and textual) or (not quoted and text not in nulls):
            return self._thawed(self.read_text(text))
        if self.nullable:
            return None
        if not self.required:
            return ABSENT
        if textual and not text:
            return self._thawed(self.read_text(text))
        raise BadOperand(f"is required, but {text!r} means null" if text else "is required, but the cell is empty")

    def quick(self, nulls: frozenset[str]) -> Convert:
        """The same for the cells that most rows hold; ValueError for the others."""
        nullable = self.nullable
        if self.plain:
            # The constructor checks the text itself.
            def text(cell: str) -> Any:
                if cell in nulls:
                    if nullable:
                        return None
                    raise CannotBeNull
                return cell

            return text
        read = self.read_text if self.thaw is None else self.through

        def value(cell: str) -> Any:
            if cell in nulls:
                if nullable:
                    return None
                raise CannotBeNull
            return read(cell)

        # Numbers, dates and the like repeat; texts do not as often, and may be long.
        return value if self.kind in ("str", "bytes", "json", "list", "set", "dict", "record") else lru_cache(8192)(value)

    def through(self, text: str) -> Any:
        """The constructor's value of a text that is not null."""
        return self._thawed(self.read_text(text))

    def _thawed(self, value: Any) -> Any:
        if self.thaw is None:
            return value
        try:
            return self.thaw(value)
        except (ValueError, TypeError, LookupError, ArithmeticError) as error:  # a codec of the user's own
            raise BadOperand(str(error)) from None


def column_of(model: type[Model], field: Field) -> Column:
    """The column of a field."""
    declared = model.__shape__.by_name[field.name]
    return Column(
        name=field.name,
        kind=field.type.kind,
        nullable=field.nullable,
        required=declared.required,
        # JSON cannot write null and JSON's own null apart; so the first is left out, where no default takes its place.
        absent_is_null=field.nullable and field.type.kind == "json" and (declared.required or declared.default is None),
        read_text=text_reader(field.type),
        read_json=json_reader(field.type),
        thaw=thawer(field.type, field.nullable),
        plain=field.type.kind == "str" and field.type.codec is None and field.type.choices is None,
    )


def unknown_field(name: str, model: type[Model]) -> str:
    """What to say of a key or column that is no field."""
    return f"is not a field of {model.__name__}. {near_name(name, model.__entity__.by_name)}".rstrip()
