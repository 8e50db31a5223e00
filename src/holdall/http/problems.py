"""Problems: what went wrong, as RFC 9457 documents, and the status that each error of the library has.

Owns the list of codes, titles and statuses. Must not know routes, models or how a request is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from holdall.errors import (
    CheckViolation,
    ConstraintViolation,
    DeadlineExceeded,
    HoldallError,
    LockTimeout,
    NotFound,
    NotNullViolation,
    Problem,
    QueryError,
    SizeLimit,
    Throttled,
    TransactionConflict,
    Unavailable,
    Unsupported,
    ValidationError,
    VersionMismatch,
)

# code: title. The status belongs to the answer, because one code can mean different things in a query and in a body.
TITLES: Mapping[str, str] = {
    "bad_request": "Several things are wrong with the request",
    "bad_encoding": "Wrong percent-encoding",
    "bad_value": "Value not understood",
    "body_not_expected": "Body not expected",
    "check": "Check broken",
    "conflict": "Changed at the same time",
    "constraint": "Constraint broken",
    "deadline_exceeded": "Too slow",
    "duplicate_member": "Member given twice",
    "duplicate_parameter": "Parameter given twice",
    "forbidden_field": "Field not open to queries",
    "foreign_key": "Reference broken",
    "internal": "Internal error",
    "malformed_json": "Malformed JSON",
    "method_not_allowed": "Method not allowed",
    "misdirected": "Wrong host",
    "not_acceptable": "Format not offered",
    "not_found": "Not found",
    "not_null": "Value missing",
    "not_offered": "Not offered yet",
    "payload_too_large": "Body too large",
    "precondition_failed": "Precondition failed",
    "precondition_required": "Precondition required",
    "query": "Query not possible",
    "read_only": "Field cannot be written",
    "size_limit": "Too large for the store",
    "throttled": "Too many requests",
    "too_deep": "Nested too deep",
    "too_many": "Too many conditions",
    "unavailable": "Store not available",
    "unique": "Value already taken",
    "unknown_field": "Unknown field",
    "unknown_operator": "Unknown operator",
    "unknown_parameter": "Unknown parameter",
    "unsupported": "Not supported by the store",
    "unsupported_media_type": "Media type not supported",
    "validation": "Values not valid",
}
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a request, and where: in a `parameter` of the URL, a `header`, or at a JSON `pointer` in the body.

    With both, the pointer is into the JSON text of the parameter.
    """

    code: str
    detail: str
    hint: str = ""
    parameter: str | None = None
    pointer: str | None = None
    header: str | None = None

    def document(self) -> dict[str, Any]:
        """The fault as a member of `errors`."""
        place = {"parameter": self.parameter, "pointer": self.pointer, "header": self.header}
        made: dict[str, Any] = {name: value for name, value in place.items() if value is not None}
        made["code"] = self.code
        made["detail"] = self.detail
        if self.hint:
            made["hint"] = self.hint
        return made


@dataclass(eq=False)
class HttpError(Exception):
    """An answer that is no success. `errors` are its single faults, `headers` what the status demands (Allow, Retry-After, …)."""

    status: int
    code: str
    detail: str
    hint: str = ""
    errors: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def document(self, request_id: str, root: str = "") -> dict[str, Any]:
        """The RFC 9457 document. `root` is the path under which the API is mounted."""
        made: dict[str, Any] = {
            "type": f"{root}/docs#errors/{self.code.replace('_', '-')}",
            "title": TITLES.get(self.code, self.code.replace("_", " ").capitalize()),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.hint:
            made["hint"] = self.hint
        if self.errors:
            made["errors"] = [fault.document() for fault in self.errors]
        made["request_id"] = request_id
        return made


def error_of(faults: Sequence[Fault], status: int = 400) -> HttpError:
    """The one answer for all faults of a request (at least one)."""
    first = faults[0]
    if status == 422:
        count = f"{len(faults)} values are" if len(faults) > 1 else "A value is"
        return HttpError(422, "validation", f"{count} not valid; nothing was written.", errors=faults)
    if len(faults) == 1:
        return HttpError(status, first.code, first.detail, first.hint, faults)
    same = {fault.code for fault in faults}
    code = first.code if len(same) == 1 else "bad_request"
    return HttpError(status, code, " ".join(fault.detail for fault in faults[:3]), first.hint if len(same) == 1 else "", faults)


def query_fault(error: QueryError, *, parameter: str | None = None, pointer: str | None = None) -> Fault:
    """A query that cannot be built, as a fault of the place that it was read from."""
    code = error.kind if error.kind in TITLES else "query"
    return Fault(code, error.message, error.hint, parameter, pointer)


def body_faults(problems: Sequence[Problem]) -> list[Fault]:
    """The problems of a body."""
    return [Fault(problem.code, _sentence(problem), pointer=pointer_to(problem.path)) for problem in problems]


def _sentence(problem: Problem) -> str:
    """'email is required.': the last name of the path, and what is said of it."""
    message = problem.message
    if problem.path and message[:1].islower():
        message = f"{problem.path[-1]} {message}"
    return message if message.endswith((".", "?")) else f"{message}."


def pointer_to(path: Sequence[str | int]) -> str:
    """The RFC 6901 pointer of a path; '' for the whole document."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def http_error(error: HoldallError) -> HttpError:
    """The answer for an error of the library that came up while a request was carried out."""
    made = _by_kind(error)
    return made if made.hint or not error.hint else replace_hint(made, error.hint)


def replace_hint(error: HttpError, hint: str) -> HttpError:
    """The same answer with another hint."""
    return replace(error, hint=hint)


def _by_kind(error: HoldallError) -> HttpError:
    message = error.message
    match error:
        case ValidationError():
            return error_of(body_faults(error.problems), 422)
        case QueryError():
            return error_of([query_fault(error)])
        case Unsupported():
            return HttpError(400, "unsupported", message)
        case NotNullViolation() | CheckViolation():
            return HttpError(422, error.code, message, errors=_constraint_faults(error))
        case ConstraintViolation():
            return HttpError(409, error.code, message, errors=_constraint_faults(error))
        case SizeLimit():
            return HttpError(422, "size_limit", message)
        case NotFound():
            return HttpError(404, "not_found", message)
        case VersionMismatch():
            return HttpError(412, "precondition_failed", message, "Read the record again and repeat the change.")
        case TransactionConflict() | LockTimeout():
            return HttpError(503, "conflict", message, "Nothing was written; repeat the request.", headers={"Retry-After": "1"})
        case Throttled():
            return HttpError(429, "throttled", message, headers={"Retry-After": "1"})
        case Unavailable() | DeadlineExceeded():
            return HttpError(503, error.code, message, headers={"Retry-After": "1"})
        case _:
            return HttpError(500, error.code, message)


def _constraint_faults(error: ConstraintViolation) -> list[Fault]:
    return [Fault(error.code, error.message, pointer=pointer_to((name,))) for name in error.fields]
