"""Column types: what Python type the declared type of a foreign column stands for, and its default.

Owns the reading of SQL type names as SQLite keeps them. Must not know tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

# Declared name: Python type. The rules of SQLite's affinity (below) answer for the rest.
_NAMES: dict[str, str] = {
    **dict.fromkeys(["BOOLEAN", "BOOL", "BIT"], "bool"),
    **dict.fromkeys(["NUMERIC", "DECIMAL", "NUMBER", "MONEY", "SMALLMONEY"], "Decimal"),
    **dict.fromkeys(["DATETIME", "DATETIME2", "SMALLDATETIME", "TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE"], "LocalDateTime"),
    **dict.fromkeys(["TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "DATETIMEOFFSET"], "dt.datetime"),
    "DATE": "dt.date",
    **dict.fromkeys(["TIME", "TIME WITHOUT TIME ZONE"], "dt.time"),
    **dict.fromkeys(["UUID", "GUID", "UNIQUEIDENTIFIER"], "UUID"),
    **dict.fromkeys(["JSON", "JSONB"], "Json"),
    **dict.fromkeys(["BYTEA", "BINARY", "VARBINARY", "IMAGE"], "bytes"),
    **dict.fromkeys(["STRING", "UUID TEXT"], "str"),
}
_AFFINITIES = (
    ("INT", "int"),
    ("CHAR", "str"),
    ("CLOB", "str"),
    ("TEXT", "str"),
    ("BLOB", "bytes"),
    ("REAL", "float"),
    ("FLOA", "float"),
    ("DOUB", "float"),
)
_DECLARED = re.compile(r"\s*([^()]*?)\s*(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)\s*(.*?)\s*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ColumnType:
    """The Python type as it is written, and the options of Field that belong to it."""

    python: str
    options: tuple[tuple[str, Any], ...] = ()


def column_type(declared: str) -> ColumnType | None:
    """What a declared type stands for; None if nothing here does."""
    found = _DECLARED.fullmatch(declared.upper())
    if found is None:
        return None
    name, first, second, after = found.groups()
    name = " ".join(f"{name} {after or ''}".split()).removesuffix(" UNSIGNED")
    if name == "TINYINT" and first == "1":
        return ColumnType("bool")
    python = _NAMES.get(name) or next((python for mark, python in _AFFINITIES if mark in name), None)
    if python is None:
        return None
    if python == "Decimal" and first is not None:
        digits, places = int(first), int(second or 0)
        if 1 <= digits <= 38 and places <= digits:
            return ColumnType(python, (("max_digits", digits), ("decimal_places", places)))
    if python in ("str", "bytes") and first is not None and int(first) > 0:
        return ColumnType(python, (("max_length", int(first)),))
    return ColumnType(python)


def python_default(sql: str | None, type_: ColumnType) -> str | None:
    """The Python source of a column's default; None if it is none, or more than a literal of the type."""
    if sql is None or sql.upper() == "NULL":
        return None
    text = sql.strip()
    while text.startswith("(") and text.endswith(")"):
        text = text[1:-1].strip()
    quoted = text[1:-1].replace("''", "'") if len(text) > 1 and text[0] == text[-1] == "'" else None
    if type_.python == "str":
        length = dict(type_.options).get("max_length")
        return _string(quoted) if quoted is not None and (length is None or len(quoted) <= length) and "\0" not in quoted else None
    plain = quoted if quoted is not None else text
    if type_.python == "bool":
        return {"1": "True", "0": "False", "TRUE": "True", "FALSE": "False"}.get(plain.upper())
    if re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", plain, re.ASCII) is None:
        return None
    return _number(plain, type_)


def _number(text: str, type_: ColumnType) -> str | None:
    if type_.python == "int":
        return str(int(text)) if re.fullmatch(r"[+-]?\d{1,18}", text) else None
    if type_.python == "float":
        return repr(float(text))
    if type_.python != "Decimal":
        return None
    options = dict(type_.options)
    try:
        value = Decimal(text)
        if "decimal_places" in options:
            exact = value.quantize(Decimal(1).scaleb(-options["decimal_places"]))
            if exact != value or len(exact.as_tuple().digits) > options["max_digits"]:
                return None
            value = exact
    except InvalidOperation:
        return None
    return f'Decimal("{value}")'


def _string(value: str) -> str:
    """Python source of a text, with double quotes as the formatter writes it."""
    text = repr(value)
    if text[0] == "'" and '"' not in value and "'" not in value:
        return f'"{text[1:-1]}"'
    return text


def quoted(value: str) -> str:
    """Python source of a text."""
    return _string(value)
