"""The query grammar of the native dialect: from a query string, or the JSON body of a search, to what is asked.

All faults of a request are collected, each with its parameter or pointer; nothing is ignored. Must not know routes or stores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args
from urllib.parse import unquote_to_bytes

from holdall.errors import QueryError, near_name
from holdall.http.asking import (
    CONDITIONS_MAX,
    DEPTH_MAX,
    HOPS_MAX,
    LIMIT_MAX,
    OFFSET_MAX,
    Asked,
    Count,
    Pieces,
    assemble,
    in_range,
    whole_number,
)
from holdall.http.catalog import Resource
from holdall.http.forms import floats, is_array, is_object, read_json
from holdall.http.problems import Fault, HttpError, error_of, pointer_to, query_fault
from holdall.query import OPERATORS, Condition, Not, Term, all_of, any_of, json_condition, parse_path, text_lookup
from holdall.schema import Type

RESERVED = ("where", "q", "sort", "fields", "include", "depth", "limit", "cursor", "offset", "count", "format", "dry_run")
# What one operation takes beside conditions. The rest is refused by name.
LIST_PARAMETERS = ("where", "sort", "fields", "include", "depth", "limit", "cursor", "offset", "count", "format")
RECORD_PARAMETERS = ("fields", "include", "depth", "format")
WRITE_PARAMETERS = ("dry_run", "format")
SEARCH_MEMBERS = ("where", "sort", "fields", "include", "depth", "limit", "cursor", "offset", "count")
# Words of the contract that this version does not have yet.
LATER = ("q", "on_conflict", "by")
COUNTS = get_args(Count)
FORMATS = ("json", "ndjson", "csv", "msgpack")

Pairs = list[tuple[str, str]]

_WRONG_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def percent_decoded(raw: bytes, what: str, *, parameter: str | None = None) -> str:
    """The text of percent-encoded UTF-8; HttpError 400 if it is not that."""
    if _WRONG_PERCENT.search(raw) is None:
        try:
            return unquote_to_bytes(raw).decode()
        except UnicodeDecodeError:
            pass
    detail = f"{what} is not percent-encoded UTF-8."
    raise HttpError(
        400, "bad_encoding", detail, "Write a percent sign itself as %25.", [Fault("bad_encoding", detail, parameter=parameter)]
    )


def read_pairs(query: bytes) -> Pairs:
    """The parameters of a query string in order; HttpError 400 for wrong encoding."""
    pairs: Pairs = []
    for part in query.split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            decoded = percent_decoded(name, "The name of a parameter")
            pairs.append((decoded, percent_decoded(value, f"The value of '{decoded}'", parameter=decoded)))
    return pairs


# Parameters that are no conditions


def split_options(
    pairs: Pairs, allowed: Sequence[str], faults: list[Fault], *, conditions: bool
) -> tuple[dict[str, str], list[str], Pairs]:
    """Reserved parameters by name, the texts of `where`, and the rest, which are conditions if `conditions` are allowed at all."""
    options: dict[str, str] = {}
    wheres: list[str] = []
    rest: Pairs = []
    for name, value in pairs:
        if name == "where" and "where" in allowed:
            wheres.append(value)
        elif name in allowed:
            if name in options:
                faults.append(Fault("duplicate_parameter", f"'{name}' is given twice.", "Separate several values by commas.", name))
            options[name] = value
        elif name in RESERVED or name in LATER or not conditions:
            faults.append(_refused(name, allowed))
        else:
            rest.append((name, value))
    _check_format(options.get("format"), faults)
    return options, wheres, rest


def _refused(name: str, allowed: Sequence[str]) -> Fault:
    if name in LATER:
        return Fault("not_offered", f"'{name}' is not offered yet.", parameter=name)
    detail = f"'{name[:80]}' is not a parameter of this request."
    return Fault("unknown_parameter", detail, near_name(name, allowed), parameter=name)


def _check_format(value: str | None, faults: list[Fault]) -> None:
    if value is None or value == "json":
        return
    if value in FORMATS:
        raise HttpError(406, "not_acceptable", f"The format {value} is not offered yet.", "Use format=json.", [
            Fault("not_acceptable", f"The format {value} is not offered yet.", parameter="format")
        ])  # fmt: skip
    faults.append(Fault("bad_value", f"format is not {value[:40]!r}.", near_name(value, FORMATS), "format"))


def read_flag(options: Mapping[str, str], name: str, faults: list[Fault]) -> bool:
    """A parameter that is true or false; false when it is not there."""
    value = options.get(name)
    if value is None or value in ("false", "0"):
        return False
    if value not in ("true", "1"):
        faults.append(Fault("bad_value", f"{name} is true or false, not {value[:40]!r}.", parameter=name))
    return True


# A list, by its URL


def list_asked(resource: Resource, pairs: Pairs, base: Condition | None = None) -> Asked:
    """What a GET of a collection asks for; HttpError 400 with every fault."""
    faults: list[Fault] = []
    options, wheres, rest = split_options(pairs, LIST_PARAMETERS, faults, conditions=True)
    pieces = _pieces(options, faults)
    if base is not None:
        pieces.conditions.append(base)
    if len(rest) > CONDITIONS_MAX:
        raise error_of([Fault("too_many", f"A query has at most {CONDITIONS_MAX} conditions.", "Use in=… for lists of values.")])
    for name, value in rest:
        condition = _condition(resource, name, value, faults)
        if condition is not None:
            pieces.conditions.append(condition)
    for text in wheres:
        try:
            data = read_json(text.encode(), parameter="where")
        except HttpError as error:
            faults += error.errors
            continue
        pieces.conditions.append(Where(resource, faults, "where", "").read(data))
    return _finished(resource, pieces, faults)


def record_asked(resource: Resource, pairs: Pairs) -> Asked:
    """What a GET of one record asks for; HttpError 400 with every fault."""
    faults: list[Fault] = []
    options, _, _ = split_options(pairs, RECORD_PARAMETERS, faults, conditions=False)
    return _finished(resource, _pieces(options, faults), faults)


def write_asked(pairs: Pairs) -> bool:
    """Whether a write is a dry run; HttpError 400 with every fault."""
    faults: list[Fault] = []
    options, _, _ = split_options(pairs, WRITE_PARAMETERS, faults, conditions=False)
    dry_run = read_flag(options, "dry_run", faults)
    if faults:
        raise error_of(faults)
    return dry_run


def nothing_asked(pairs: Pairs) -> None:
    """HttpError 400 if there are any parameters at all."""
    faults: list[Fault] = []
    split_options(pairs, (), faults, conditions=False)
    if faults:
        raise error_of(faults)


def _finished(resource: Resource, pieces: Pieces, faults: list[Fault]) -> Asked:
    asked = assemble(resource, pieces, faults)
    if asked is None:
        raise error_of(faults)
    return asked


def _condition(resource: Resource, name: str, value: str, faults: list[Fault]) -> Condition | None:
    try:
        condition = text_lookup(resource.entity, name, value)
        resource.catalog.check_visible(condition, HOPS_MAX)
    except QueryError as error:
        fault = query_fault(error, parameter=name)
        if fault.code == "unknown_field" and not fault.hint.startswith("Did") and near_name(name, RESERVED).startswith("Did"):
            fault = Fault(fault.code, fault.detail, near_name(name, RESERVED), name)
        faults.append(fault)
        return None
    return condition


def _pieces(options: Mapping[str, str], faults: list[Fault]) -> Pieces:
    pieces = Pieces(lambda name: {"parameter": name})
    if "sort" in options:
        pieces.sort = options["sort"].split(",")
    if "fields" in options:
        pieces.fields = options["fields"].split(",") if options["fields"] else []
    if "include" in options:
        pieces.include = split_outside(options["include"])
    for name, least, most in (("depth", 0, DEPTH_MAX), ("limit", 1, LIMIT_MAX), ("offset", 0, OFFSET_MAX)):
        if name in options:
            try:
                setattr(pieces, name, whole_number(options[name], least, most, name))
            except QueryError as error:
                faults.append(query_fault(error, parameter=name))
    pieces.cursor = options.get("cursor")
    if "count" in options:
        pieces.count = _count(options["count"], faults, {"parameter": "count"})
    return pieces


def _count(value: Any, faults: list[Fault], place: dict[str, str]) -> Count | None:
    if value in COUNTS:
        return value  # type: ignore[no-any-return]  # one of the literals
    hint = near_name(value, COUNTS) if isinstance(value, str) else "Known: estimated, exact."
    faults.append(Fault("bad_value", f"count is exact or estimated, not {str(value)[:40]!r}.", hint, **place))
    return None


def split_outside(text: str) -> list[str]:
    """The parts between commas that are not in parentheses."""
    parts: list[str] = []
    depth = start = 0
    for place, character in enumerate(text):
        if character in "()":
            depth += 1 if character == "(" else -1
        elif character == "," and depth <= 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


# A list, by the JSON body of a search


def search_asked(resource: Resource, body: Any) -> Asked:
    """What the body of a QUERY asks for; HttpError 400 with every fault."""
    faults: list[Fault] = []
    if not is_object(body):
        raise error_of(
            [Fault("bad_value", "The body of a search is a JSON object.", 'For example {"where": {}, "limit": 10}.', pointer="")]
        )
    faults += [
        Fault(
            "unknown_parameter", f"'{name[:80]}' is not a part of a search.", near_name(name, SEARCH_MEMBERS), pointer=pointer_to((name,))
        )
        for name in body
        if name not in SEARCH_MEMBERS
    ]
    pieces = Pieces(lambda name: {"pointer": f"/{name}"})
    if "where" in body:
        pieces.conditions.append(Where(resource, faults, None, "/where").read(body["where"]))
    pieces.sort = _texts(body, "sort", faults) or []
    pieces.fields = _texts(body, "fields", faults)
    pieces.include = _texts(body, "include", faults) or []
    for name, least, most in (("depth", 0, DEPTH_MAX), ("limit", 1, LIMIT_MAX), ("offset", 0, OFFSET_MAX)):
        if name in body:
            _number(body[name], name, least, most, pieces, faults)
    cursor = body.get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        faults.append(Fault("bad_value", "cursor is a text that was given out here.", "Start at the first page.", pointer="/cursor"))
    elif cursor is not None:
        pieces.cursor = cursor
    if body.get("count") is not None:
        pieces.count = _count(body["count"], faults, {"pointer": "/count"})
    return _finished(resource, pieces, faults)


def _number(value: Any, name: str, least: int, most: int, pieces: Pieces, faults: list[Fault]) -> None:
    if type(value) is not int:
        faults.append(Fault("bad_value", f"{name} is a whole number.", f"From {least} to {most}.", pointer=f"/{name}"))
        return
    try:
        setattr(pieces, name, in_range(value, least, most, name))
    except QueryError as error:
        faults.append(query_fault(error, pointer=f"/{name}"))


def _texts(body: Mapping[str, Any], name: str, faults: list[Fault]) -> list[str] | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, str):
        return split_outside(value) if value else []
    if is_array(value) and all(isinstance(item, str) for item in value):
        return value
    faults.append(Fault("bad_value", f"{name} is a list of texts.", f'For example {{"{name}": ["name"]}}.', pointer=f"/{name}"))
    return None


class Where:
    """Reads a JSON condition and collects every fault in it, with pointers. `parameter` is set if it came in the URL."""

    def __init__(self, resource: Resource, faults: list[Fault], parameter: str | None, root: str) -> None:
        self.resource = resource
        self.faults = faults
        self.parameter = parameter
        self.root = root

    def read(self, data: Any) -> Condition:
        """The condition; it means nothing if faults were added."""
        return self._object(data, ())

    def _fault(self, error: QueryError, path: tuple[str | int, ...]) -> None:
        self.faults.append(query_fault(error, parameter=self.parameter, pointer=self.root + pointer_to(path)))

    def _object(self, data: Any, path: tuple[str | int, ...]) -> Condition:
        if not is_object(data):
            hint = 'For example {"age": {"gte": 18}}.'
            self._fault(QueryError(f"A condition is a JSON object, not {str(data)[:40]!r}.", kind="bad_value", hint=hint), path)
            return all_of()
        return all_of(*(self._member(name, value, (*path, name)) for name, value in data.items()))

    def _member(self, name: str, value: Any, path: tuple[str | int, ...]) -> Condition:
        if name in ("and", "or"):
            if not is_array(value):
                self._fault(QueryError(f"'{name}' takes a list of conditions.", kind="bad_value"), path)
                return all_of()
            items = [self._object(item, (*path, index)) for index, item in enumerate(value)]
            return all_of(*items) if name == "and" else any_of(*items)
        if name == "not":
            return Not(self._object(value, path))
        if is_object(value) and any(op in OPERATORS for op in value):
            return all_of(*(self._leaf(name, op, operand, (*path, op)) for op, operand in value.items()))
        return self._leaf(name, None, value, path)

    def _leaf(self, name: str, op: str | None, operand: Any, path: tuple[str | int, ...]) -> Condition:
        if op is not None and op not in OPERATORS:
            hint = near_name(op, OPERATORS)
            self._fault(QueryError(f"'{op[:80]}' is not an operator.", name=op, kind="unknown_operator", hint=hint), path)
            return all_of()
        try:
            target, _ = parse_path(self.resource.entity, name)
            if not (isinstance(target, Term) and _decimal(target._expr.type)):
                operand = floats(operand)
            condition = json_condition(self.resource.entity, {name: operand if op is None else {op: operand}})
            self.resource.catalog.check_visible(condition, HOPS_MAX)
        except QueryError as error:
            self._fault(error, path)
            return all_of()
        return condition


def _decimal(type_: Type) -> bool:
    return type_.kind == "decimal" or (type_.item is not None and _decimal(type_.item))
