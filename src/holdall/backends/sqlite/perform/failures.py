"""Failures: every error of apsw and SQLite as an error of Holdall, complete, once.

Owns the table below. Must not know what was being done, except for the entity that a write was about.

    SQLite result code (apsw class)                   becomes
    BUSY, LOCKED, PROTOCOL                            LockTimeout
    BUSY_SNAPSHOT, ABORT_ROLLBACK                     SerializationFailure
    CONSTRAINT_UNIQUE, _PRIMARYKEY, _ROWID            UniqueViolation
    CONSTRAINT_FOREIGNKEY                             ForeignKeyViolation
    CONSTRAINT_NOTNULL                                NotNullViolation
    CONSTRAINT_CHECK                                  CheckViolation
    CONSTRAINT_TRIGGER and other constraints          ConstraintViolation
    CONSTRAINT_DATATYPE                               ProgrammingError (a value that is not canonical)
    MISMATCH (a key becomes null)                     NotNullViolation
    CORRUPT, NOTADB, FORMAT                           Corruption
    CANTOPEN, PERM, AUTH, NOLFS, IOERR, FULL, NOMEM   Unavailable
    READONLY                                          Unsupported
    TOOBIG, RANGE (too many parameters)               SizeLimit
    INTERRUPT                                         DeadlineExceeded
    SCHEMA; ERROR 'no such table' or column           SchemaMismatch
    ERROR 'too large', 'too many', 'too complex'      SizeLimit
    ERROR, MISUSE, INTERNAL, NOTFOUND, EMPTY, …       ProgrammingError
    apsw's own (threads, closed, bindings, forks …)   ProgrammingError
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import apsw

from holdall.backends.sql.tables import columns_of, uniques_of
from holdall.errors import (
    CheckViolation,
    ConstraintViolation,
    Corruption,
    DeadlineExceeded,
    ForeignKeyViolation,
    HoldallError,
    LockTimeout,
    NotNullViolation,
    ProgrammingError,
    SchemaMismatch,
    SerializationFailure,
    SizeLimit,
    Unavailable,
    UniqueViolation,
    Unsupported,
)
from holdall.query import FieldRef, as_condition, references
from holdall.schema import Entity

_MISSING = re.compile(r"no such (table|column)|has no column named|no such index")
_OVERSIZE = re.compile(r"too large|too many|too complex|too big|too much data")


def failure(error: BaseException, entity: Entity | None = None, path: str = "") -> BaseException:
    """The error to raise instead of a driver's; errors of Holdall's own and of Python's run time are returned as they are."""
    if isinstance(error, HoldallError):
        return error
    if isinstance(error, apsw.Error):
        make = _BY_CODE.get(getattr(error, "extendedresult", 0)) or _BY_CLASS.get(type(error), _programming)
        return make(error, entity, path)
    if isinstance(error, OverflowError):
        return SizeLimit("A number is outside the range of a 64-bit integer.")
    if isinstance(error, TypeError | UnicodeError):
        return ProgrammingError(f"SQLite cannot take a parameter: {error}")
    return error


def undecodable(error: BaseException, text: str) -> BaseException:
    """The error for a row that was read but whose values cannot be what Holdall wrote."""
    if isinstance(error, ValueError | KeyError | TypeError | ArithmeticError | AttributeError):
        return Corruption(f"A stored value is not in Holdall's form: {error!r} (in: {text[:200]})")
    return failure(error)


def _where(path: str) -> str:
    return f" ({path})" if path else ""


def _programming(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    message = str(error)
    if isinstance(error, apsw.SQLError):
        if _MISSING.search(message):
            hint = "Create the tables with ensure_schema (holdall migrate)."
            return SchemaMismatch("The database does not have what the statement names:", [message], hint=hint)
        if _OVERSIZE.search(message):
            return SizeLimit(f"SQLite refuses the statement: {message}.", hint="Ask for less at a time.")
    return ProgrammingError(f"SQLite: {type(error).__name__}: {message}")


def _lock(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    return LockTimeout(
        f"The database{_where(path)} stayed locked by another connection: {error}.",
        hint="Run the unit of work again, or allow more time with ?busy_timeout_s=….",
    )


def _conflict(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    return SerializationFailure(f"Another connection changed the database since this transaction began: {error}.")


def _corrupt(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    if isinstance(error, apsw.NotADBError):
        return Corruption(f"The file{_where(path)} is not a SQLite database, or it is encrypted.", hint="Check the path of the store.")
    return Corruption(
        f"The database file{_where(path)} is damaged: {error}.", hint="Restore a backup; 'PRAGMA integrity_check' tells more."
    )


def _cant_open(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    return Unavailable(
        f"The database file{_where(path)} cannot be opened: {error}.", hint="Check that its folder exists and may be written to."
    )


def _unavailable(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    return Unavailable(f"SQLite cannot go on{_where(path)}: {error}.")


def _full(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    return Unavailable(f"The disk or the database{_where(path)} is full; nothing was changed.", hint="Free some space and try again.")


def _read_only(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    return Unsupported(
        f"The database{_where(path)} can only be read here: {error}.", hint="Check the file's permissions, or the transaction's read_only."
    )


def _oversize(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    return SizeLimit(f"A value or statement is larger than SQLite takes: {error}.")


def _interrupted(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    return DeadlineExceeded("The statement was interrupted; it changed nothing.")


def _schema(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    return SchemaMismatch("The database's schema was changed while a statement ran:", [str(error)], hint="Run it again.")


# Constraints. SQLite's messages: 'UNIQUE constraint failed: table.column, table.column', 'CHECK constraint failed: name', …


def _unique(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    detail = str(error).partition("constraint failed: ")[2]
    if entity is None:
        return UniqueViolation(f"A unique constraint is taken: {detail}", constraint=detail)
    groups = [("", entity.key), *uniques_of(entity)]
    for name, fields in groups:
        if detail == ", ".join(f"{entity.table}.{column}" for column in columns_of(entity, fields)):
            what = ", ".join(fields)
            return UniqueViolation(
                f"There is already a {entity.name} with this {what}.", entity=entity.name, fields=fields, constraint=name
            )
    return UniqueViolation(f"Another {entity.name} is in the way: {detail}", entity=entity.name, constraint=detail)


def _foreign_key(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    name = "" if entity is None else entity.name
    return ForeignKeyViolation(f"A reference of {name or 'a row'} would be broken.", entity=name)


def _not_null(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    table, _, column = str(error).partition("constraint failed: ")[2].rpartition(".")
    if entity is None or table != entity.table:  # ON DELETE SET NULL in another table
        return NotNullViolation(f"{table}.{column} must have a value.", entity=table, fields=(column,))
    fields = tuple(field.name for field in entity.fields if field.column == column)
    return NotNullViolation(f"{entity.name}.{fields[0] if fields else column} must have a value.", entity=entity.name, fields=fields)


def _mismatch(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    if entity is not None and len(entity.key) == 1:  # null for an INTEGER PRIMARY KEY in an UPDATE
        return NotNullViolation(f"{entity.name}.{entity.key[0]} must have a value.", entity=entity.name, fields=entity.key)
    return _programming(error, entity, path)


def _check(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    detail = str(error).partition("constraint failed: ")[2]
    if entity is None:
        return CheckViolation(f"A row breaks the check '{detail}'.", constraint=detail)
    named = (ref for check in entity.checks if check.name == detail for ref in references(as_condition(check.condition())))
    fields = tuple(dict.fromkeys(ref.field.name for ref in named if isinstance(ref, FieldRef)))
    return CheckViolation(f"{entity.name} breaks the check '{detail}'.", entity=entity.name, fields=fields, constraint=detail)


def _constraint(error: apsw.Error, entity: Entity | None, path: str) -> HoldallError:
    return ConstraintViolation(f"SQLite: {error}", entity="" if entity is None else entity.name)


_Maker = Callable[[Any, "Entity | None", str], HoldallError]
_BY_CODE: dict[int, _Maker] = {
    apsw.SQLITE_BUSY_SNAPSHOT: _conflict,
    apsw.SQLITE_ABORT_ROLLBACK: _conflict,
    apsw.SQLITE_CONSTRAINT_UNIQUE: _unique,
    apsw.SQLITE_CONSTRAINT_PRIMARYKEY: _unique,
    apsw.SQLITE_CONSTRAINT_ROWID: _unique,
    apsw.SQLITE_CONSTRAINT_FOREIGNKEY: _foreign_key,
    apsw.SQLITE_CONSTRAINT_NOTNULL: _not_null,
    apsw.SQLITE_CONSTRAINT_CHECK: _check,
    apsw.SQLITE_CONSTRAINT_DATATYPE: _programming,
}
_BY_CLASS: dict[type, _Maker] = {
    apsw.BusyError: _lock,
    apsw.LockedError: _lock,
    apsw.ProtocolError: _lock,
    apsw.AbortError: _conflict,
    apsw.ConstraintError: _constraint,
    apsw.CorruptError: _corrupt,
    apsw.NotADBError: _corrupt,
    apsw.FormatError: _corrupt,
    apsw.CantOpenError: _cant_open,
    apsw.PermissionsError: _cant_open,
    apsw.AuthError: _unavailable,
    apsw.NoLFSError: _unavailable,
    apsw.IOError: _unavailable,
    apsw.FullError: _full,
    apsw.NoMemError: _unavailable,
    apsw.ReadOnlyError: _read_only,
    apsw.TooBigError: _oversize,
    apsw.RangeError: _oversize,
    apsw.InterruptError: _interrupted,
    apsw.SchemaChangeError: _schema,
    apsw.MismatchError: _mismatch,
    apsw.SQLError: _programming,
    apsw.MisuseError: _programming,
    apsw.InternalError: _programming,
    apsw.NotFoundError: _programming,
    apsw.EmptyError: _programming,
    apsw.BindingsError: _programming,
    apsw.ConnectionClosedError: _programming,
    apsw.ConnectionNotClosedError: _programming,
    apsw.CursorClosedError: _programming,
    apsw.ExecTraceAbort: _programming,
    apsw.ExecutionCompleteError: _programming,
    apsw.ExtensionLoadingError: _programming,
    apsw.ForkingViolationError: _programming,
    apsw.IncompleteExecutionError: _programming,
    apsw.InvalidContextError: _programming,
    apsw.NoFTS5Error: _programming,
    apsw.ThreadingViolationError: _programming,
    apsw.VFSFileClosedError: _programming,
    apsw.VFSNotImplementedError: _programming,
}
