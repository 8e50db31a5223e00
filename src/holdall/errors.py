"""The error tree: every failure Holdall raises on purpose, with what to do about it.

Owns the classes and their fixed facts (`code`, `retry`, `effect`). Must not know any engine, model or driver: drivers' errors are
mapped to these in each backend's `perform` module, once.

    HoldallError
    ├─ DeclarationError          a model or store declaration is wrong (raised when the class or store is made)
    ├─ QueryError                a query names or compares something that it cannot (raised when the query is built)
    ├─ ValidationError           values break the model's rules (before any I/O); lists all problems
    ├─ Unsupported               the backend cannot keep the promise asked for (before any I/O)
    ├─ SizeLimit                 a value or batch is over the backend's published limit (before any I/O)
    ├─ SchemaMismatch            the stored schema does not fit the models; lists the differences
    ├─ BadFile ── BadRow         a file to be imported cannot be read; one of its rows cannot be taken: lists all problems of the row
    ├─ ConstraintViolation ─┬─ UniqueViolation · ForeignKeyViolation · NotNullViolation · CheckViolation
    ├─ NotFound · MultipleFound · VersionMismatch · NotLoaded
    ├─ TransactionConflict ─┬─ SerializationFailure · Deadlock · LockTimeout
    ├─ TransactionDoomed
    ├─ Unavailable · OutcomeUnknown · DeadlineExceeded · Throttled
    ├─ PartialBatch              some items of a per-item batch failed; carries one result per item
    ├─ Corruption
    └─ ProgrammingError          the library is used in a way that can never work
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

Retry = Literal["never", "operation", "transaction"]
Effect = Literal["none", "applied", "unknown"]


class HoldallError(Exception):
    """Base of every error here.

    `code` is stable and machine-readable; `retry` says what may be repeated; `effect` says what the failed call did to the store;
    `hint` says what to do, in one sentence ('' when there is nothing to add).
    """

    code: ClassVar[str] = "error"
    retry: Retry = "never"
    effect: Effect = "none"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class DeclarationError(HoldallError):
    """A model, field, relation or store is declared wrongly."""

    code = "declaration"


class QueryError(HoldallError):
    """A query names an unknown field or operator, or compares things of different types.

    `name` is the offending name or path, as the user wrote it, when there is one.
    """

    code = "query"

    def __init__(self, message: str, *, hint: str = "", name: str = "", kind: str = "query") -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.kind = kind  # unknown_field, unknown_operator, bad_value, query: the wire code of the HTTP dialects


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one value: `path` leads to it (('email',), ('tags', 2)), `code` is stable, `message` is for people."""

    path: tuple[str | int, ...]
    code: str
    message: str

    def __str__(self) -> str:
        where = ".".join(str(step) for step in self.path)
        return f"{where}: {self.message}" if where else self.message


class ValidationError(HoldallError, ValueError):
    """Values break the rules of a model. `problems` lists all of them, not only the first."""

    code = "validation"

    def __init__(self, model: str, problems: Sequence[Problem]) -> None:
        self.model = model
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        super().__init__(f"{model}: {count} problem{'s' if count != 1 else ''}{lines}")


class Unsupported(HoldallError):
    """The backend lacks the capability that the call needs; nothing was done."""

    code = "unsupported"


class SizeLimit(HoldallError):
    """A value, row or batch exceeds a limit that the backend publishes; nothing was done."""

    code = "size_limit"


class SchemaMismatch(HoldallError):
    """The schema found in the store does not fit the models. `differences` holds one sentence each."""

    code = "schema_mismatch"

    def __init__(self, message: str, differences: Sequence[str], *, hint: str = "") -> None:
        self.differences = tuple(differences)
        super().__init__(message + "".join(f"\n  {line}" for line in self.differences), hint=f"\n{hint}" if hint else "")


class BadFile(HoldallError):
    """A file cannot be read as what it should be. `source` names it; `line` is where, from 1, and `row` the data row, where known."""

    code = "bad_file"

    def __init__(self, message: str, *, source: str = "", line: int | None = None, row: int | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.source = source
        self.line = line
        self.row = row


class BadRow(BadFile):
    """One row of a file cannot be taken. `problems` lists all of them, not only the first."""

    code = "bad_row"

    def __init__(self, source: str, row: int, line: int | None, problems: Sequence[Problem], *, hint: str = "") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        place = f"row {row} (line {line})" if line is not None else f"row {row}"
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        message = f"{source}, {place}: {count} problem{'s' if count != 1 else ''}{lines}"
        super().__init__(message, source=source, line=line, row=row, hint=f"\n{hint}" if hint else "")


class ConstraintViolation(HoldallError):
    """A declared constraint would be broken; the statement or batch changed nothing. `entity` and `fields` name it."""

    code = "constraint"

    def __init__(self, message: str, *, entity: str = "", fields: Sequence[str] = (), constraint: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.entity = entity
        self.fields = tuple(fields)
        self.constraint = constraint


class UniqueViolation(ConstraintViolation):
    """A key or unique constraint is taken. `fields` are the fields of the constraint."""

    code = "unique"


class ForeignKeyViolation(ConstraintViolation):
    """A reference would point at nothing, or a restricted parent still has children."""

    code = "foreign_key"


class NotNullViolation(ConstraintViolation):
    """A field that must have a value would be null."""

    code = "not_null"


class CheckViolation(ConstraintViolation):
    """A declared check over one or more fields would be false."""

    code = "check"


class NotFound(HoldallError):
    """No record matches where one was demanded."""

    code = "not_found"


class MultipleFound(HoldallError):
    """More than one record matches where one was demanded."""

    code = "multiple_found"


class VersionMismatch(HoldallError):
    """The record was changed by somebody else since it was read; nothing was written."""

    code = "version_mismatch"
    retry = "transaction"


class NotLoaded(HoldallError, AttributeError):
    """A relation is read that was not loaded."""

    code = "not_loaded"


class TransactionConflict(HoldallError):
    """The transaction lost against a concurrent one and is fully rolled back; run the whole unit of work again."""

    code = "conflict"
    retry = "transaction"


class SerializationFailure(TransactionConflict):
    """What was read or written was changed by a concurrent transaction."""

    code = "serialization_failure"


class Deadlock(TransactionConflict):
    """Two transactions waited for each other."""

    code = "deadlock"


class LockTimeout(TransactionConflict):
    """A lock was not free within the allowed time."""

    code = "lock_timeout"


class TransactionDoomed(HoldallError):
    """An earlier error ended the transaction; it can only be rolled back."""

    code = "transaction_doomed"


class Unavailable(HoldallError):
    """The engine cannot be reached or opened; nothing was done."""

    code = "unavailable"
    retry = "operation"


class OutcomeUnknown(HoldallError):
    """The reply to a write or commit was lost: it may have been applied or not."""

    code = "outcome_unknown"
    effect = "unknown"


class DeadlineExceeded(HoldallError):
    """The allowed time ran out before the call was done; nothing was applied."""

    code = "deadline_exceeded"
    retry = "operation"


class Throttled(HoldallError):
    """The engine asks to slow down; nothing was done."""

    code = "throttled"
    retry = "operation"


class PartialBatch(HoldallError):
    """Some items of a per-item batch failed. `results` has one entry per item, in order: None for success, else the error. `records` are
    the records that were saved, in order, with None where there is an error."""

    code = "partial_batch"
    effect: Effect = "applied"

    def __init__(self, message: str, results: Sequence[HoldallError | None], records: Sequence[Any] = (), *, hint: str = "") -> None:
        self.results = tuple(results)
        self.records = tuple(records)
        self.effect = "applied" if None in self.results else "none"
        super().__init__(message, hint=hint)


class Corruption(HoldallError):
    """Stored bytes cannot be what Holdall wrote, or the file is damaged."""

    code = "corruption"


class ProgrammingError(HoldallError):
    """The library is used in a way that can never work (a transaction crossing threads, a closed store, …)."""

    code = "programming"


def near_name(name: str, known: Iterable[str]) -> str:
    """A hint sentence with the nearest known name, or the list of known names when none is near ('' when there are none)."""
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    shown = ", ".join(names[:20])
    return f"Known: {shown}{', …' if len(names) > 20 else ''}." if names else ""
