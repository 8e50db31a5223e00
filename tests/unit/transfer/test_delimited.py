"""CSV, compared with the standard library: what it writes we read the same way, and it reads what we write."""

from __future__ import annotations

import csv
import io
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from holdall.transfer.delimited import Quoted, read_records, record_writer
from holdall.transfer.files import Input

cells = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)) | st.sampled_from('",;\n\r '), max_size=6)
tables = st.lists(st.lists(cells, min_size=2, max_size=4), max_size=4)


def read(data: bytes, delimiter: str = ",", nulls: tuple[str, ...] = ()) -> list[list[str]]:
    file = Input(io.BytesIO(data), "test", "csv", None)
    found = list(read_records(file, delimiter, frozenset(nulls)))
    assert all(not record.fault for record in found)
    return [[str(cell) for cell in record.cells] for record in found]


@given(tables, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_the_standard_library_writes(table: list[list[str]], delimiter: str, end: str, quoting: int) -> None:
    if end == "\n":  # then Python 3.11 does not quote carriage returns, which even its own reader cannot read back
        table = [[cell.replace("\r", "") for cell in row] for row in table]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=cast("csv._QuotingType", quoting)).writerows(table)
    assert read(out.getvalue().encode(), delimiter) == table


@given(st.lists(st.lists(st.none() | cells, min_size=2, max_size=4), max_size=4), st.sampled_from(",;\t|"))
def test_what_we_write(table: list[list[str | None]], delimiter: str) -> None:
    line = record_writer(delimiter)
    data = b"".join(line(row) for row in table)
    plain = [[cell or "" for cell in row] for row in table]
    assert list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter, strict=True)) == plain
    file = Input(io.BytesIO(data), "test", "csv", None)
    again = [record.cells for record in read_records(file, delimiter, frozenset([""]))]
    assert [[None if str(cell) == "" and type(cell) is not Quoted else str(cell) for cell in row] for row in again] == table


def test_a_quoted_word_for_null_is_no_null() -> None:
    file = Input(io.BytesIO(b'NA,"NA","",\n'), "test", "csv", None)
    (record,) = read_records(file, ",", frozenset(["", "NA"]))
    assert [cell in {"", "NA"} for cell in record.cells] == [True, False, False, True]
    assert [type(cell) is Quoted for cell in record.cells] == [False, True, True, False]


def test_lines_are_counted_as_editors_do() -> None:
    file = Input(io.BytesIO(b'a,b\n"x\ny",1\n\nz,2\n'), "test", "csv", None)
    assert [record.line for record in read_records(file, ",", frozenset())] == [1, 2, 4, 5]
