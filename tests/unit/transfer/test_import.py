"""Importing: what is accepted, what is refused and how, and that nothing is left half done."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import sys
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from holdall import Always, BelongsTo, CreatedAt, Field, HasMany, Json, Key, Model, Store, UpdatedAt, Version
from holdall.errors import BadFile, BadRow, HoldallError, ProgrammingError, Unsupported
from holdall.transfer import export_rows, import_rows


class Person(Model, unique=[("first", "last")]):
    id: int = Key()
    first: str = Field(max_length=8)
    last: str
    email: str | None = Field(default=None, unique=True)
    age: int | None = Field(default=None, ge=0)
    pay: Decimal = Field(default=Decimal(0), max_digits=8, decimal_places=2)


class Node(Model):
    name: str = Key()
    parent_name: str | None = Field(references="Node", default=None)
    parent: Node | None = BelongsTo("parent_name")
    children: list[Node] = HasMany("parent")


def load(store: Store, text: str | bytes, format_: str = "csv", model: type[Any] = Person, **options: Any) -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    return import_rows(store, model, io.BytesIO(data), format=format_, **options)


def names(store: Store) -> list[str]:
    return sorted(person.first for person in store[Person].all())


GOOD = "first,last,age\nAda,Lovelace,36\nAlan,Turing,\n"


def test_rows_are_typed_and_defaults_are_kept(store: Store) -> None:
    result = load(store, GOOD)
    assert (result.read, result.written, result.rejected, result.rejects) == (2, 2, 0, None)
    ada, alan = store[Person].query().order_by(Person.id).all()
    assert (ada.first, ada.age, ada.pay, ada.email) == ("Ada", 36, Decimal("0.00"), None)
    assert alan.age is None


@pytest.mark.parametrize(
    ("data", "format_"),
    [
        (GOOD.encode("utf-8-sig"), "csv"),
        (GOOD.encode("utf-16"), "csv"),
        (GOOD.replace("\n", "\r\n").encode(), "csv"),
        (GOOD.rstrip().encode(), "csv"),
        (GOOD.replace("\n", "\n\n").encode(), "csv"),
        (gzip.compress(GOOD.encode()), "csv"),
        (b'"first","last","age"\n"Ada","Lovelace","36"\n"Alan","Turing",""\n', "csv"),
        (b' [ {"first":"Ada","last":"Lovelace","age":36} , {"first":"Alan","last":"Turing"} ] ', "json"),
        (b'{"first":"Ada","last":"Lovelace","age":36}\n\n{"first":"Alan","last":"Turing","age":null}', "ndjson"),
    ],
)
def test_the_same_rows_from_many_files(store: Store, data: bytes, format_: str) -> None:
    assert load(store, data, format_).written == 2
    assert [(p.first, p.last, p.age) for p in store[Person].query().order_by(Person.first)] == [
        ("Ada", "Lovelace", 36),
        ("Alan", "Turing", None),
    ]


def test_a_path_says_its_format_also_in_a_zip(store: Store, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "people.zip", "w") as archive:
        archive.writestr("folder/people.csv", GOOD)
    assert import_rows(store, Person, tmp_path / "people.zip").written == 2
    (tmp_path / "more.jsonl.gz").write_bytes(gzip.compress(b'{"first":"Grace","last":"Hopper"}\n'))
    assert import_rows(store, Person, str(tmp_path / "more.jsonl.gz")).written == 1
    assert names(store) == ["Ada", "Alan", "Grace"]


def test_standard_input(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(GOOD.encode()))))  # type: ignore[arg-type]
    assert import_rows(store, Person, "-", format="csv").written == 2


def test_quoted_cells_hold_line_ends_and_quotes(store: Store) -> None:
    load(store, 'first,last\n"A\nd""a","x,y"\nB,6" pipe\n')
    assert [(p.first, p.last) for p in store[Person].query().order_by(Person.first)] == [('A\nd"a', "x,y"), ("B", '6" pipe')]


def test_words_for_null_count_only_without_quotes(store: Store) -> None:
    load(store, 'first,last,email,age\nNA2,x,NA,NA\n"NA","","NA",36\n', null=("", "NA"))
    two, one = store[Person].query().order_by("-first").all()
    assert (two.email, two.age) == (None, None)
    assert (one.first, one.last, one.email, one.age) == ("NA", "", "NA", 36)


def test_columns_are_renamed_and_left_out(store: Store) -> None:
    load(store, "Vorname;last;skip\nAda;L;1\n", delimiter=";", rename={"Vorname": "first", "skip": None})
    assert names(store) == ["Ada"]


@pytest.mark.parametrize(
    ("data", "format_", "said"),
    [
        (b"", "csv", ["the file is empty", "first, last"]),
        (b"frist,last\nA,B\n", "csv", ["line 1", "'frist'", "Did you mean 'first'?", "Missing: 'first'"]),
        (b"first,first,last\nA,B,C\n", "csv", ["'first' is given twice"]),
        (b"first;last\nA;B\n", "csv", ["separated by ';'", "delimiter=';'"]),
        (b"first,last\nA,B\n\xe9,C\n", "csv", ["line 3", "byte 1", "0xe9", "not UTF-8", "encoding="]),
        (b'first,last\nA,"B\nC,D\n', "csv", ["line 2", "never closed"]),
        (gzip.compress(GOOD.encode(), mtime=0)[:45], "csv", ["cut off"]),
        (gzip.compress(GOOD.encode(), mtime=0)[:-8] + bytes(8), "csv", ["cannot be read any further"]),
        (b"PK\x03\x04 not a zip", "csv", ["zip archive cannot be read"]),
        (b"", "json", ["is empty"]),
        (b'{"first": 1}', "json", ["no list of objects", '{"first'.replace('"', '"')]),
        (b'[{"first":"A","last":"B"},\n {"first" 1}]', "json", ["line 2", "row 2 is not JSON"]),
        (b'[{"first":"A","last":"B"}', "json", ["no end after row 1"]),
        (b'[{"first":"A","last":"B"}] x', "json", ["text after the end"]),
        (b'[{"first":"A","last":"B","age":NaN}]', "json", ["row 1", "NaN is not JSON"]),
        (b'[{"first":"A","last":"B"} {}]', "json", ["where ',' or ']' must be"]),
        (b"[" * 100_000, "json", ["nested too deeply"]),
    ],
)
@pytest.mark.parametrize("on_error", ["stop", "skip"])
def test_a_file_that_cannot_be_read_leaves_nothing(
    store: Store, tmp_path: Path, data: bytes, format_: str, said: list[str], on_error: str
) -> None:
    options: dict[str, Any] = {"rejects": tmp_path / "rejects"} if on_error == "skip" else {}
    with pytest.raises(BadFile) as caught:
        load(store, data, format_, on_error=on_error, batch_rows=1, **options)
    assert not isinstance(caught.value, BadRow)
    for part in said:
        assert part in str(caught.value)
    store.ensure_schema(Person)
    assert store[Person].count() == 0
    assert list(tmp_path.iterdir()) == []


def test_bad_row_tells_row_line_and_all_problems(store: Store) -> None:
    text = 'first,last,age,pay\n"A\nB",x,1,2\nAugustus-the-Long,y,-1,1.234\n'
    with pytest.raises(BadRow) as caught:
        load(store, text)
    error = caught.value
    assert (error.row, error.line) == (2, 4)
    assert {problem.path for problem in error.problems} == {("first",), ("age",), ("pay",)}
    assert "row 2 (line 4): 3 problems" in str(error)
    assert store[Person].count() == 0


@pytest.mark.parametrize(
    ("line", "format_", "field"),
    [
        ("A,B,x", "csv", "age"),
        ("A,B,1.5", "csv", "age"),
        ("A,B,1_000", "csv", "age"),
        ("A,B,٣", "csv", "age"),
        ("A,B," + "9" * 5000, "csv", "age"),
        ("A,B,9223372036854775808", "csv", "age"),
        ("A\0,B,1", "csv", "first"),
        ("A,B", "csv", None),
        ("A,B,1,2", "csv", None),
        ('"A"x,B,1', "csv", None),
        ("A,B\rC,1", "csv", None),
        ('{"first":"A","last":"B","age":"1"}', "ndjson", "age"),
        ('{"first":"A","last":"B","age":true}', "ndjson", "age"),
        ('{"first":"A","last":"B","age":1e400}', "ndjson", "age"),
        ('{"first":"A","last":"B","pay":1e999999999}', "ndjson", "pay"),
        ('{"first":"A","last":"B","agee":1}', "ndjson", "agee"),
        ('{"first":"\\ud800","last":"B"}', "ndjson", "first"),
        ('{"first":"A","last":"B","last":"C"}', "ndjson", None),
        ('{"first":"A","last":"B","age":' + "9" * 5000 + "}", "ndjson", None),
        ('{"first":"A","last":"B","age":NaN}', "ndjson", None),
        ("[1]", "ndjson", None),
        ("{", "ndjson", None),
        ('{"last":"B"}', "ndjson", "first"),
        ('{"first":null,"last":"B"}', "ndjson", "first"),
    ],
)
def test_bad_values_are_rejected_one_by_one(store: Store, tmp_path: Path, line: str, format_: str, field: str | None) -> None:
    first, last = ("Good,1,1", "Better,2,2") if format_ == "csv" else ('{"first":"Good","last":"1"}', '{"first":"Better","last":"2"}')
    text = "\n".join([*(["first,last,age"] if format_ == "csv" else []), first, line, last, ""])
    rejects = tmp_path / f"bad.{format_}"
    result = load(store, text, format_, on_error="skip", rejects=rejects)
    assert (result.read, result.written, result.rejected, result.rejects) == (3, 2, 1, str(rejects))
    assert names(store) == ["Better", "Good"]
    store.clear(Person)
    with pytest.raises(BadRow) as caught:
        load(store, text, format_)
    assert caught.value.row == 2
    assert [problem.path for problem in caught.value.problems] == [() if field is None else (field,)]
    if format_ == "csv" and "\0" not in line:
        (bad,) = csv.DictReader(io.StringIO(rejects.read_text()))
        assert (bad["_row"], bad["_line"]) == ("2", "3")
        assert caught.value.problems[0].message in bad["_problems"]
    elif format_ == "ndjson" and "ud800" not in line:
        assert json.loads(rejects.read_text())["_row"] == 2


def test_constraints_are_told_of_their_row(store: Store, tmp_path: Path) -> None:
    load(store, "first,last,email\nOld,x,old@x\n")
    text = "first,last,email\nA,x,a@x\nB,x,old@x\nC,x,c@x\nA,x,d@x\nE,x,e@x\n"
    with pytest.raises(BadRow) as caught:
        load(store, text)
    assert (caught.value.row, caught.value.problems[0].code) == (2, "unique")
    assert names(store) == ["Old"]
    rejects = tmp_path / "rejects.csv"
    result = load(store, text, on_error="skip", rejects=rejects)
    assert (result.written, result.rejected) == (3, 2)
    assert names(store) == ["A", "C", "E", "Old"]
    bad = list(csv.DictReader(io.StringIO(rejects.read_text())))
    assert [(row["_row"], row["first"], row["email"]) for row in bad] == [("2", "B", "old@x"), ("4", "A", "d@x")]
    assert "email" in bad[0]["_problems"]
    assert "first, last" in bad[1]["_problems"]


def test_a_corrected_rejects_file_is_imported_as_it_is(store: Store, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.csv"
    load(store, 'first,last,age\nA,"",x\nB,C,2\n', on_error="skip", rejects=rejects)
    rejects.write_text(rejects.read_text().replace("x", "1", 1))
    assert import_rows(store, Person, rejects).written == 1
    assert [(p.first, p.last, p.age) for p in store[Person].query().order_by(Person.first)] == [("A", "", 1), ("B", "C", 2)]


def test_the_first_bad_row_is_told_whatever_is_wrong_with_it(store: Store) -> None:
    with pytest.raises(BadRow) as caught:
        load(store, "first,last,age\nA,x,1\nA,x,2\nB,x,bad\n")
    assert (caught.value.row, caught.value.problems[0].code) == (2, "unique")


def test_rejects_stand_beside_the_source(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("first,last,age\nA,B,x\n")
    result = import_rows(store, Person, path, on_error="skip")
    assert result.rejects == str(tmp_path / "people.rejects.csv")
    path.write_text(GOOD)
    assert import_rows(store, Person, path, on_error="skip").rejects is None


def test_rows_may_come_before_the_rows_they_refer_to(store: Store) -> None:
    result = load(store, "name,parent_name\nleaf,branch\nloop,loop\nbranch,root\nother,branch\nroot,\n", model=Node)
    assert result.written == 5
    assert sorted(node.name for node in store[Node].where(Node.parent_name == "branch")) == ["leaf", "other"]
    load(store, "name,parent_name\nlate,root\n", model=Node)
    with pytest.raises(BadRow) as caught:
        load(store, "name,parent_name\nfine,root\norphan,nobody\n", model=Node)
    assert (caught.value.row, caught.value.problems[0].code) == (2, "foreign_key")
    assert store[Node].count() == 6


def test_progress_and_batches(store: Store) -> None:
    seen: list[tuple[int, int | None]] = []
    lines = "".join(f"N{number},x\n" for number in range(25))
    load(store, f"first,last\n{lines}", batch_rows=10, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(10, None), (20, None), (25, None), (25, 25)]


def test_an_interrupted_import_leaves_nothing(store: Store) -> None:
    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    store.ensure_schema(Person)
    with pytest.raises(KeyboardInterrupt):
        load(store, GOOD, batch_rows=1, progress=stop)
    assert store[Person].count() == 0


def test_inside_a_transaction_of_the_caller(store: Store) -> None:
    store.ensure_schema(Person)
    with pytest.raises(ZeroDivisionError), store.transaction():
        load(store, GOOD)
        assert store[Person].count() == 2
        raise ZeroDivisionError
    assert store[Person].count() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"on_error": "ignore"}, "'stop' or 'skip'"),
        ({"on_error": "skip"}, "rejects="),
        ({"rejects": "x.csv"}, "on_error='skip'"),
        ({"batch_rows": 0}, "at least 1"),
        ({"delimiter": "ab"}, "one character"),
        ({"encoding": "utf8000"}, "no encoding"),
        ({"format_": "xml"}, "no format 'xml'"),
        ({"format_": None}, "format="),
    ],
)
def test_options_that_cannot_be_meant(store: Store, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ProgrammingError, match=said):
        load(store, GOOD, **options)


def test_a_missing_file(store: Store, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(GOOD)
    with pytest.raises(BadFile, match="Did you mean 'people.csv'"):
        import_rows(store, Person, tmp_path / "peopel.csv")
    with pytest.raises(BadFile, match="no folder"):
        import_rows(store, Person, tmp_path / "no" / "people.csv")
    with pytest.raises(BadFile, match="is a folder"):
        import_rows(store, Person, tmp_path, format="csv")
    with pytest.raises(ProgrammingError, match="binary"):
        import_rows(store, Person, io.StringIO(GOOD), format="csv")  # type: ignore[arg-type]  # what is tested


def test_an_archive_must_hold_one_file(store: Store, tmp_path: Path) -> None:
    for count in (0, 2):
        with zipfile.ZipFile(tmp_path / "people.csv.zip", "w") as archive:
            for number in range(count):
                archive.writestr(f"{number}.csv", GOOD)
        with pytest.raises(BadFile, match=f"holds {count} files"):
            import_rows(store, Person, tmp_path / "people.csv.zip")


class Draft(Model):
    id: int = Key()
    note: Json | None = Field(default="empty")


def test_exports_appear_whole_or_not_at_all(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "drafts.ndjson"
    path.write_text("old")
    store[Draft].create(note="x" * 100_000)
    store[Draft].create(note=None)
    with pytest.raises(Unsupported, match="JSON cannot tell"):
        export_rows(store, Draft, path)
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["drafts.ndjson"]
    store[Draft].where(Draft.id == 1).delete()
    assert export_rows(store, Draft, path, format="csv").written == 1
    assert path.read_text() == "id,note\n2,\n"
    with pytest.raises(BadFile, match="no folder"):
        export_rows(store, Draft, tmp_path / "no" / "drafts.csv")
    with pytest.raises(BadFile, match="it is a folder"):
        export_rows(store, Draft, tmp_path, format="csv")


def test_a_full_disk_leaves_no_half_file(store: Store, tmp_path: Path) -> None:
    load(store, GOOD)
    with pytest.raises(BadFile, match="No space left"):
        export_rows(store, Person, "/dev/full", format="csv")


def test_exports_of_queries_and_compressed(store: Store, tmp_path: Path) -> None:
    load(store, GOOD)
    export_rows(store, store[Person].where(Person.age == 36), tmp_path / "one.json", columns=["first"])
    assert json.loads((tmp_path / "one.json").read_text()) == [{"first": "Ada"}]
    for name in ("a.ndjson.gz", "b.ndjson.gz"):
        export_rows(store, store[Person].query().order_by("-first"), tmp_path / name, columns=["first"])
    assert gzip.decompress((tmp_path / "a.ndjson.gz").read_bytes()) == b'{"first":"Alan"}\n{"first":"Ada"}\n'
    assert (tmp_path / "a.ndjson.gz").read_bytes() == (tmp_path / "b.ndjson.gz").read_bytes()
    with pytest.raises(HoldallError, match="Did you mean 'first'"):
        export_rows(store, Person, tmp_path / "x.csv", columns=["frist"])
    assert not (tmp_path / "x.csv").exists()


class Account(Model):
    id: int = Key()
    name: str
    password: str = Field(default="", secret=True)


def test_secrets_are_left_out_unless_asked_for(store: Store) -> None:
    store[Account].create(name="ada", password="hush")
    out = io.BytesIO()
    assert export_rows(store, Account, out, format="csv").left_out == ("password",)
    assert b"hush" not in out.getvalue()
    with pytest.raises(HoldallError, match="secret"):
        export_rows(store, Account, io.BytesIO(), format="csv", columns=["password"])
    export_rows(store, Account, out, format="csv", secrets=True)
    assert b"hush" in out.getvalue()


class Kept(Model):
    id: int = Key()
    name: str = Field(unique=True)
    editor: str = Always(lambda: "import")
    version: int = Version()
    created: dt.datetime = CreatedAt()
    updated: dt.datetime = UpdatedAt()


def test_what_the_store_fills_is_filled_where_the_file_gives_nothing(store: Store) -> None:
    load(store, "name,version,updated,editor\nold,7,2001-02-03T04:05:06Z,ada\nnew,,,\n", model=Kept)
    new, old = store[Kept].query().order_by(Kept.name).all()
    assert (old.version, old.updated, old.editor) == (7, dt.datetime(2001, 2, 3, 4, 5, 6, tzinfo=dt.UTC), "ada")
    assert (new.version, new.editor) == (1, "import")
    assert new.created == new.updated
    assert abs(store.now() - new.created) < dt.timedelta(minutes=1)


def test_handlers_see_every_record(store: Store) -> None:
    seen: list[tuple[str, int | None]] = []

    @store.on("before_create", Kept)
    def tidy(record: Kept) -> None:
        record.name = record.name.strip() + "!"

    @store.on("after_create", Kept)
    def note(record: Kept) -> None:
        seen.append((record.name, record.id))

    load(store, "name\n a\nb \n", model=Kept)
    assert [name for name, _ in seen] == ["a!", "b!"]
    assert all(isinstance(key, int) for _, key in seen)
    # The second batch is refused and tried again row by row; the handler must not work twice on one record.
    load(store, "name\nc\na\n", model=Kept, on_error="skip", rejects=io.BytesIO())
    assert sorted(record.name for record in store[Kept].all()) == ["a!", "b!", "c!"]


@pytest.mark.parametrize("cut", [40, 120])
def test_a_damaged_archive(store: Store, tmp_path: Path, cut: int) -> None:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("people.csv", GOOD)
    damaged = bytearray(whole.getvalue())
    if cut == 40:
        damaged[55] ^= 0xFF  # inside the compressed text
    else:
        del damaged[cut:]
    (tmp_path / "people.csv.zip").write_bytes(damaged)
    with pytest.raises(BadFile, match="cannot be read"):
        import_rows(store, Person, tmp_path / "people.csv.zip")
    store.ensure_schema(Person)
    assert store[Person].count() == 0


def test_other_encodings(store: Store) -> None:
    load(store, "first,last\nZoë,Ödön\n".encode("cp1252"), encoding="cp1252")
    assert names(store) == ["Zoë"]
    with pytest.raises(BadFile, match="ascii"):
        load(store, "first,last\nA,B\nZoë,x\n".encode(), encoding="ascii")
