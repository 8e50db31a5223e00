"""Every error of apsw becomes one of Holdall's, and real failures do what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.port.entities import ALL, AUTHOR, BOOK, LABEL, NOW, author, book, row
from tests.unit.sqlite.conftest import Sync

from holdall import errors
from holdall.backends import Insert, Isolation
from holdall.backends.sqlite import SQLiteBackend
from holdall.backends.sqlite.perform import failures


def apsw_classes() -> list[type]:
    return [found for found in vars(apsw).values() if isinstance(found, type) and issubclass(found, apsw.Error) and found is not apsw.Error]


@pytest.mark.parametrize("kind", apsw_classes(), ids=lambda kind: kind.__name__)
def test_every_class_of_apsw_is_mapped(kind: type) -> None:
    assert kind in failures._BY_CLASS
    error = kind("some message")
    made = failures.failure(error, AUTHOR, "x.db")
    assert isinstance(made, errors.HoldallError)
    assert type(made) is not errors.HoldallError


@pytest.mark.parametrize("code", [value for name, value in vars(apsw).items() if name.startswith("SQLITE_") and isinstance(value, int)
                                  and value in apsw.mapping_result_codes and value not in (0, 100, 101, 27, 28)])  # fmt: skip
def test_every_result_code_is_mapped(code: int) -> None:
    made = failures.failure(apsw.exception_for(code), AUTHOR, "x.db")
    assert isinstance(made, errors.HoldallError)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (apsw.SQLITE_BUSY, errors.LockTimeout), (apsw.SQLITE_BUSY_SNAPSHOT, errors.SerializationFailure),
        (apsw.SQLITE_LOCKED, errors.LockTimeout),
        (apsw.SQLITE_CONSTRAINT_UNIQUE, errors.UniqueViolation), (apsw.SQLITE_CONSTRAINT_PRIMARYKEY, errors.UniqueViolation),
        (apsw.SQLITE_CONSTRAINT_ROWID, errors.UniqueViolation), (apsw.SQLITE_CONSTRAINT_NOTNULL, errors.NotNullViolation),
        (apsw.SQLITE_CONSTRAINT_FOREIGNKEY, errors.ForeignKeyViolation), (apsw.SQLITE_CONSTRAINT_CHECK, errors.CheckViolation),
        (apsw.SQLITE_CONSTRAINT_TRIGGER, errors.ConstraintViolation), (apsw.SQLITE_FULL, errors.Unavailable),
        (apsw.SQLITE_IOERR, errors.Unavailable),
        (apsw.SQLITE_CORRUPT, errors.Corruption), (apsw.SQLITE_NOTADB, errors.Corruption), (apsw.SQLITE_CANTOPEN, errors.Unavailable),
        (apsw.SQLITE_READONLY, errors.Unsupported), (apsw.SQLITE_TOOBIG, errors.SizeLimit), (apsw.SQLITE_NOMEM, errors.Unavailable),
        (apsw.SQLITE_INTERRUPT, errors.DeadlineExceeded), (apsw.SQLITE_IOERR_FSYNC, errors.Unavailable),
        (apsw.SQLITE_CONSTRAINT_DATATYPE, errors.ProgrammingError),
    ],
)  # fmt: skip
def test_result_codes(code: int, kind: type) -> None:
    made = failures.failure(apsw.exception_for(code), None, "x.db")
    assert type(made) is kind


def sync(path: str, **options: str) -> Sync:
    return Sync(SQLiteBackend(path, options))


def test_a_file_that_is_no_database(path: str) -> None:
    Path(path).write_bytes(b"This is a letter to my aunt. " * 100)
    with pytest.raises(errors.Corruption, match=r"test.db.*not a SQLite database"):
        sync(path).open()
    assert Path(path).read_bytes().startswith(b"This is a letter")
    assert [found.name for found in Path(path).parent.iterdir()] == ["test.db"]


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(errors.Unavailable, match="nowhere.*folder"):
        sync(str(tmp_path / "nowhere" / "test.db")).open()
    assert not list(tmp_path.iterdir())


def test_a_folder_instead_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(errors.Unavailable):
        sync(str(tmp_path)).open()


def test_a_damaged_file(path: str) -> None:
    store = sync(path, journal_mode="delete")
    store.ensure_schema(ALL)
    store.apply(Insert(AUTHOR, [author(n, name="x" * 3000) for n in range(1, 200)]))
    store.close()
    size = Path(path).stat().st_size
    with Path(path).open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * (size - 4096 * 4))
    with pytest.raises(errors.Corruption, match="damaged"):
        store = sync(path, journal_mode="delete")
        store.raw("SELECT * FROM authors", (), None)


def test_text_that_is_not_utf8_is_refused(path: str) -> None:
    connection = apsw.Connection(path)
    connection.execute("PRAGMA encoding = 'UTF-16'; CREATE TABLE t (a)")
    connection.close()
    with pytest.raises(errors.SchemaMismatch, match="UTF-16"):
        sync(path).open()


def test_a_full_database_changes_nothing(path: str) -> None:
    store = sync(path)
    store.ensure_schema(ALL)
    tx = store.begin(Isolation.SNAPSHOT, False, None)
    store.apply(Insert(AUTHOR, [author(1)]), tx=tx)
    tx.lane.connection.pragma("max_page_count", tx.lane.connection.pragma("page_count") + 5)
    with pytest.raises(errors.Unavailable, match="full"):
        store.apply(Insert(AUTHOR, [author(n, name="x" * 3000) for n in range(2, 400)]), tx=tx)
    # SQLite ends the transaction by itself: nothing more may run in it, or it would commit alone.
    with pytest.raises((errors.TransactionDoomed, errors.Unavailable)):
        store.apply(Insert(LABEL, [row(LABEL, name="x", rank=1)]), tx=tx)
        store.commit(tx)
    store.rollback(tx)
    assert store.raw("SELECT (SELECT count(*) FROM authors), (SELECT count(*) FROM labels)", (), None)[1] == [(0, 0)]


def test_a_full_disk_while_committing(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The VFS says that the disk is full; nothing was kept, and the store goes on when there is room again."""
    full = {"is": False}

    class File(apsw.VFSFile):
        def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802  as apsw calls it
            if full["is"]:
                raise apsw.FullError("no space")
            super().xWrite(data, offset)

        xwrite = xWrite

    class VFS(apsw.VFS):
        def __init__(self) -> None:
            super().__init__("holdall_full", "")

        def xOpen(self, name: Any, flags: Any) -> Any:  # noqa: N802  as apsw calls it
            return File("", name, flags)

    vfs = VFS()
    opened = apsw.Connection
    monkeypatch.setattr(apsw, "Connection", lambda *args, **kw: opened(*args, **kw, vfs="holdall_full"))
    store = sync(path, journal_mode="delete")
    store.ensure_schema(ALL)
    full["is"] = True
    with pytest.raises(errors.Unavailable, match="full"):
        store.apply(Insert(AUTHOR, [author(1)]))
    full["is"] = False
    assert store.get(AUTHOR, 1) is None
    store.apply(Insert(AUTHOR, [author(1)]))
    assert store.get(AUTHOR, 1) is not None
    store.close()
    del vfs


def test_a_commit_that_fails_in_the_disk_is_unknown(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {"is": False}

    class File(apsw.VFSFile):
        def xSync(self, flags: int) -> None:  # noqa: N802  as apsw calls it
            if broken["is"]:
                raise apsw.IOError("the cable was pulled")
            super().xSync(flags)

    class VFS(apsw.VFS):
        def __init__(self) -> None:
            super().__init__("holdall_broken", "")

        def xOpen(self, name: Any, flags: Any) -> Any:  # noqa: N802  as apsw calls it
            return File("", name, flags)

    vfs = VFS()
    opened = apsw.Connection
    monkeypatch.setattr(apsw, "Connection", lambda *args, **kw: opened(*args, **kw, vfs="holdall_broken"))
    store = sync(path, journal_mode="delete")
    store.ensure_schema(ALL)
    tx = store.begin(Isolation.SNAPSHOT, False, None)
    store.apply(Insert(AUTHOR, [author(1)]), tx=tx)
    broken["is"] = True
    with pytest.raises(errors.OutcomeUnknown):
        store.commit(tx)
    with pytest.raises(errors.OutcomeUnknown):
        store.apply(Insert(LABEL, [row(LABEL, name="alone", rank=1)]))
    broken["is"] = False
    store.rollback(tx)
    store.apply(Insert(LABEL, [row(LABEL, name="x", rank=1)]))
    store.close()
    del vfs


def test_a_file_opened_for_reading(path: str) -> None:
    writer = sync(path)
    writer.ensure_schema(ALL)
    writer.apply(Insert(AUTHOR, [author(1)]))
    reader = sync(path, mode="ro")
    reader.ensure_schema(ALL)
    assert reader.get(AUTHOR, 1) is not None
    with pytest.raises(errors.Unsupported, match="only be read"):
        reader.apply(Insert(AUTHOR, [author(2)]))
    reader.close()
    writer.close()


def test_a_missing_table_is_a_schema_mismatch(path: str) -> None:
    with pytest.raises(errors.SchemaMismatch, match="no such table: authors"):
        sync(path).get(AUTHOR, 1)


def test_stored_nonsense_is_corruption(store: Sync) -> None:
    store.apply(Insert(AUTHOR, [author(1)]), Insert(BOOK, [book()]))
    store.raw("UPDATE books SET added = 'yesterday'", (), None)
    with pytest.raises(errors.Corruption, match="yesterday"):
        from holdall.query import Select, prepare

        store.select(prepare(Select(BOOK), NOW))
    assert store.get(AUTHOR, 1) is not None  # nothing stays open


def test_numbers_beyond_64_bit(store: Sync) -> None:
    with pytest.raises(errors.SizeLimit):
        store.get(AUTHOR, 2**63)


def test_values_that_are_not_canonical(store: Sync) -> None:
    with pytest.raises(errors.ProgrammingError):
        store.apply(Insert(AUTHOR, [author(1, name=object())]))
    with pytest.raises(errors.ProgrammingError):
        store.apply(Insert(AUTHOR, [author(1, name=12.5, born=None, email=b"x")]))


def test_raw_statements(store: Sync) -> None:
    assert store.raw("SELECT 1 AS a, 'x' AS b", (), None) == (["a", "b"], [(1, "x")])
    assert store.raw("SELECT ? AS a WHERE 0", (1,), None) == (["a"], [])
    with pytest.raises(errors.ProgrammingError, match="syntax"):
        store.raw("SELEC 1", (), None)
    with pytest.raises(errors.Unsupported, match="rolled back"):
        store.raw("BEGIN", (), None)
    assert store.get(AUTHOR, 1) is None


def test_a_raw_commit_inside_a_transaction_is_noticed(store: Sync) -> None:
    tx = store.begin(Isolation.SNAPSHOT, False, None)
    with pytest.raises(errors.TransactionDoomed):
        store.raw("COMMIT", (), tx)
    with pytest.raises(errors.TransactionDoomed):
        store.apply(Insert(AUTHOR, [author(1)]), tx=tx)
    store.rollback(tx)
    assert store.get(AUTHOR, 1) is None
