"""Lanes: one SQLite connection each, with a worker thread of its own once the asynchronous side uses it.

Owns opening and verifying a connection and running statements on it. Every method is blocking; a lane is
used by one caller at a time (the pool sees to it), from any thread. Must not know programs or pools.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import apsw

from holdall.backends.sqlite.perform.failures import failure, undecodable
from holdall.backends.sqlite.perform.functions import register
from holdall.backends.sqlite.perform.worker import Worker
from holdall.errors import HoldallError, OutcomeUnknown, SchemaMismatch, TransactionDoomed, Unsupported
from holdall.schema import Entity

T = TypeVar("T")
STATEMENTS_KEPT = 256
BUSY_PAUSE_S = 0.005
WATCH_STEPS = 20_000  # of the virtual machine between two looks at the clock, about two milliseconds
ENGINE_VERSION = apsw.sqlite_lib_version()
PARAMETERS_MAX = 32_766  # SQLITE_MAX_VARIABLE_NUMBER
VALUE_BYTES_MAX = 1_000_000_000  # SQLITE_MAX_LENGTH, of a value and of a row
Mode = Literal["write", "read", "unchecked"]
_BEGIN: dict[Mode, str] = {
    "write": "BEGIN IMMEDIATE",
    "read": "PRAGMA query_only = ON; BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1",  # a BEGIN alone sees nothing yet
    "unchecked": "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE",
}
_AFTER: dict[Mode, str] = {"read": "PRAGMA query_only = OFF", "unchecked": "PRAGMA foreign_keys = ON"}
# Errors after which SQLite cannot say whether a commit reached the disk.
_UNSURE = (apsw.IOError, apsw.CorruptError, apsw.NoMemError, apsw.InterruptError, apsw.InternalError)


@dataclass(frozen=True, slots=True)
class Settings:
    """How connections are opened; made from the options of the URL."""

    path: str
    flags: int
    memory: bool
    read_only: bool
    journal_mode: str
    synchronous: str
    busy_timeout_s: float
    cache_kib: int | None


def on_file(path: str, **options: Any) -> Settings:
    """Settings for a database file."""
    read_only = options["read_only"]
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    return Settings(path=path, flags=flags, memory=False, **options)


def in_memory(path: str, **options: Any) -> Settings:
    """Settings for a new in-memory database, which all connections with these settings share (SQLite's memdb VFS)."""
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
    return Settings(path=f"file:/holdall-{uuid.uuid4()}?vfs=memdb", flags=flags, memory=True, **options)


class Lane:
    """One connection."""

    __slots__ = ("_deadline", "_stopping", "_watched", "_worker", "closed", "connection", "cursor", "journal_mode", "settings")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.closed = False
        self._worker: Worker | None = None
        self._watched = self._stopping = False
        self._deadline: float | None = None
        try:
            # Any: apsw's stubs name a type that Python 3.11 has not, so all its methods are partly unknown to type checkers.
            self.connection: Any = apsw.Connection(settings.path, settings.flags, statementcachesize=STATEMENTS_KEPT)
            self.connection.set_busy_timeout(max(1, int(settings.busy_timeout_s * 1000)))
            self._configure_patiently()
        except Exception as error:
            if hasattr(self, "connection"):
                self.connection.close(True)
            raise failure(error, None, settings.path) from error
        self.cursor: Any = self.connection.cursor()

    def _configure_patiently(self) -> None:
        """Configure, waiting for other connections: SQLite itself does not wait to change the journal mode while another one writes."""
        until = time.monotonic() + self.settings.busy_timeout_s
        while True:
            try:
                return self._configure()
            except apsw.BusyError:
                if time.monotonic() > until:
                    raise
                time.sleep(BUSY_PAUSE_S)

    def _configure(self) -> None:
        connection, settings = self.connection, self.settings
        connection.pragma("schema_version")  # reads the file: one that is no database fails here
        if connection.pragma("encoding") != "UTF-8":
            raise SchemaMismatch(
                f"The database {settings.path} does not store text as UTF-8:",
                [f"its encoding is {connection.pragma('encoding')}, in which text does not sort by code point"],
                hint="Copy it into a new database.",
            )
        writable = not connection.readonly("main")
        if writable and not settings.memory:
            self.journal_mode = str(connection.pragma("journal_mode", settings.journal_mode)).lower()
            if self.journal_mode != settings.journal_mode:
                raise Unsupported(
                    f"SQLite keeps {settings.path} in journal mode {self.journal_mode} and refuses {settings.journal_mode}.",
                    hint="Network file systems cannot have wal; open it with ?journal_mode=delete.",
                )
        else:
            self.journal_mode = str(connection.pragma("journal_mode")).lower()
        connection.pragma("synchronous", settings.synchronous)
        connection.pragma("foreign_keys", "ON")
        if connection.pragma("foreign_keys") != 1:
            raise Unsupported("This build of SQLite does not check foreign keys.", hint="Install apsw from PyPI.")
        if settings.cache_kib is not None:
            connection.pragma("cache_size", -settings.cache_kib)
        connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 0)
        connection.config(apsw.SQLITE_DBCONFIG_DQS_DDL, 0)
        register(connection)

    # Statements. A failed one is reset at once, so that nothing stays open.

    def read(self, text: str, params: Sequence[Any], decode: Callable[[Any], T]) -> T:
        """The decoded rows of a query."""
        try:
            rows = self.cursor.execute(text, params)
        except Exception as error:
            raise self._failed(error, None) from error
        try:
            return decode(rows)
        except Exception as error:
            self._reset()
            raise undecodable(error, text) from error

    def read_many(self, text: str, rows: Sequence[Sequence[Any]], decode: Callable[[Any], T]) -> T:
        """The decoded rows of a query that is run once per item of `rows`."""
        try:
            found = self.cursor.executemany(text, rows)
        except Exception as error:
            raise self._failed(error, None) from error
        try:
            return decode(found)
        except Exception as error:
            self._reset()
            raise undecodable(error, text) from error

    def write(self, text: str, params: Sequence[Any], entity: Entity | None) -> int:
        """The number of rows that the statement matched."""
        try:
            self.cursor.execute(text, params)
        except Exception as error:
            raise self._failed(error, entity) from error
        return int(self.connection.changes())

    def write_returning(self, text: str, params: Sequence[Any], entity: Entity, decode: Callable[[Any], T]) -> T:
        """The decoded rows that a write gives back."""
        try:
            rows = self.cursor.execute(text, params).fetchall()
        except Exception as error:
            raise self._failed(error, entity) from error
        return decode(rows)

    def write_many(self, text: str, rows: Iterable[Sequence[Any]], entity: Entity) -> list[tuple[Any, ...]]:
        """Run the statement for each row; the rows that all of them give back."""
        try:
            made: list[tuple[Any, ...]] = self.cursor.executemany(text, rows).fetchall()
        except Exception as error:
            raise self._failed(error, entity) from error
        return made

    def control(self, text: str) -> None:
        """Run statements that give nothing."""
        try:
            self.cursor.execute(text).fetchall()
        except Exception as error:
            raise self._failed(error, None) from error

    def dangling(self) -> bool:
        """Whether references whose check was put off lead to nothing."""
        return bool(self.connection.status(apsw.SQLITE_DBSTATUS_DEFERRED_FKS)[0])

    def native(self, text: str, params: Sequence[Any]) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of a statement of the user's own."""
        names: list[str] = []

        def trace(cursor: apsw.Cursor, statement: str, bindings: Any) -> bool:
            names[:] = [column[0] for column in cursor.get_description()]
            return True

        cursor = self.connection.cursor()
        cursor.exec_trace = trace
        try:
            rows = cursor.execute(text, params).fetchall()
        except Exception as error:
            raise failure(error, None, self.settings.path) from error
        finally:
            cursor.close(True)
        return names, rows

    # Transactions.

    def begin(self, mode: Mode, wait_s: float, deadline: float | None) -> None:
        """Begin, waiting at most that long for other processes; a reading one sees the database as it is now until its end.

        Statements that are still running at the deadline (by time.monotonic) are interrupted.
        """
        usual = wait_s == self.settings.busy_timeout_s
        try:
            if not usual:
                self.connection.set_busy_timeout(max(1, int(wait_s * 1000)))
            self.control(_BEGIN[mode])
        except BaseException:
            self.rollback(mode)
            raise
        finally:
            if not usual:
                self.connection.set_busy_timeout(max(1, int(self.settings.busy_timeout_s * 1000)))
        if deadline is not None:
            self.watch()
            self._deadline = deadline

    def watch(self) -> None:
        """From now on look, while statements run, whether they are to stop."""
        if not self._watched:
            self.connection.set_progress_handler(self._is_over, WATCH_STEPS)
            self._watched = True

    def _is_over(self) -> bool:
        return self._stopping or (self._deadline is not None and time.monotonic() > self._deadline)

    def stop(self) -> None:
        """Interrupt what runs, or is about to run; may be called from another thread. `go_on` ends it."""
        self._stopping = True
        self.connection.interrupt()

    def go_on(self) -> None:
        """Let statements run again."""
        self._stopping = False

    def _after(self, mode: Mode) -> None:
        """Leave the connection as it was before the transaction."""
        self._deadline = None
        if mode != "write":
            self.cursor.execute(_AFTER[mode])

    def commit(self, mode: Mode) -> None:
        """Commit, or undo all and raise; OutcomeUnknown when SQLite cannot tell which."""
        try:
            self.cursor.execute("COMMIT")
        except apsw.Error as error:
            self.rollback(mode)
            if isinstance(error, _UNSURE) and mode != "read":
                raise OutcomeUnknown(f"The commit failed and may or may not have reached the disk: {error}.") from error
            raise failure(error, None, self.settings.path) from error
        self._after(mode)

    def rollback(self, mode: Mode) -> None:
        """Undo all; nothing to do when SQLite has done so itself."""
        self._reset()
        self._deadline = None
        if self.connection.in_transaction:
            self.cursor.execute("ROLLBACK")
        self._after(mode)

    def require_transaction(self) -> None:
        """TransactionDoomed if the transaction that this lane serves is over: the next statement would commit by itself (G5)."""
        if not self.connection.in_transaction:
            raise TransactionDoomed(
                "SQLite has ended the transaction after an error; nothing of it was kept.", hint="Roll it back and run it again."
            )

    def alone(self, method: Callable[..., T], *args: Any) -> T:
        """A statement that is a transaction of its own: its failure may be that of a commit."""
        try:
            return method(self, *args)
        except HoldallError as error:
            if isinstance(error.__cause__, apsw.IOError):
                raise OutcomeUnknown(f"The disk failed and the write may or may not have reached it: {error.__cause__}.") from error
            raise

    # Ends and failures.

    def _failed(self, error: BaseException, entity: Entity | None) -> BaseException:
        self._reset()
        return failure(error, entity, self.settings.path)

    def _reset(self) -> None:
        self.cursor.close(True)
        self.cursor = self.connection.cursor()

    def close(self) -> None:
        """Close the connection (an open transaction is rolled back) and let its thread end."""
        self.closed = True
        self.connection.close(True)
        if self._worker is not None:
            self._worker.stop()

    def __del__(self) -> None:
        if getattr(self, "_worker", None) is not None:  # the thread must not outlive a store that nobody closed
            self._worker.stop()  # type: ignore[union-attr]  # asked above

    @property
    def worker(self) -> Worker:
        """The lane's thread, started on first use."""
        if self._worker is None:
            self._worker = Worker()
            self.watch()
        return self._worker
