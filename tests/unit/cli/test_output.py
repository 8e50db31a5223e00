"""Formats: what each of them writes, and that it can be read back."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import Any

import pytest

from holdall.cli.output import Column, Format, cell, write_many, write_one

COLUMNS = [Column("name", "str"), Column("total", "decimal"), Column("tags", "list")]
ROWS: list[list[Any]] = [["Ada", "12.50", ["a", "b"]], ['Bob, "B"\nJr', None, []], ["", "3.00", None]]


def written(monkeypatch: pytest.MonkeyPatch, format_: Format, rows: list[list[Any]] = ROWS) -> str:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    assert write_many(format_, COLUMNS, iter(rows)) == len(rows)
    return out.getvalue()


def test_json_is_a_list_of_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    text = written(monkeypatch, "json")
    assert [list(item.values()) for item in json.loads(text)] == ROWS
    assert written(monkeypatch, "json", []) == "[]\n"


def test_ndjson_is_one_object_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = written(monkeypatch, "ndjson").splitlines()
    assert [list(json.loads(line).values()) for line in lines] == ROWS
    assert written(monkeypatch, "ndjson", []) == ""


def test_csv_reads_back_and_tells_null_from_empty_text(monkeypatch: pytest.MonkeyPatch) -> None:
    text = written(monkeypatch, "csv")
    assert list(csv.reader(io.StringIO(text))) == [
        ["name", "total", "tags"], ["Ada", "12.50", '["a","b"]'], ['Bob, "B"\nJr', "", "[]"], ["", "3.00", ""],
    ]  # fmt: skip
    assert text.splitlines()[-1] == '"",3.00,'


def test_plain_table_is_aligned_and_shows_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    assert written(monkeypatch, "table").splitlines() == [
        "name          total  tags",
        'Ada           12.50  ["a","b"]',
        'Bob, "B"\\nJr   null  []',
        "               3.00  null",
    ]


def test_wide_characters_take_two_places(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = written(monkeypatch, "table", [["漢字", "1", []], ["abcd", "2", []]]).splitlines()
    assert lines[1:] == ["漢字      1  []", "abcd      2  []"]


def test_escape_sequences_in_data_do_not_reach_the_terminal() -> None:
    assert cell("\x1b[31mred\x1b[0m\r\x07") == "\\x1b[31mred\\x1b[0m\\r\\x07"
    assert cell("Zürich 漢字") == "Zürich 漢字"


def test_one_record_is_an_object_or_a_list_of_its_values(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    write_one("json", COLUMNS, ROWS[0])
    assert json.loads(out.getvalue()) == {"name": "Ada", "total": "12.50", "tags": ["a", "b"]}
    out.seek(0)
    out.truncate()
    write_one("table", COLUMNS, ROWS[0])
    assert out.getvalue().splitlines() == ["field  value", "name   Ada", "total  12.50", 'tags   ["a","b"]']
