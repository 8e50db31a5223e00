"""The native dialect: what each method of each URL does, as holdall's own HTTP contract says.

Owns the routes below a collection and the shape of success bodies. A dialect is a parser (grammar), a renderer and a status map over
the engine; what this one does not have yet is answered with a problem document that says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

from starlette.requests import Request
from starlette.responses import Response

from holdall.errors import near_name
from holdall.http.asking import Asked
from holdall.http.catalog import Resource
from holdall.http.engine import Engine, Listing, Precondition, Row, absent, render, render_row, row_of
from holdall.http.forms import is_array, is_object
from holdall.http.grammar import Pairs, list_asked, nothing_asked, read_pairs, record_asked, search_asked, write_asked
from holdall.http.messages import (
    ANY,
    JSON,
    MERGE_PATCH,
    check_acceptable,
    check_no_body,
    check_no_headers,
    decoded_part,
    entity_tags,
    json_body,
    link_header,
    preferred_return,
    respond,
    root_path,
)
from holdall.http.problems import Fault, HttpError, error_of
from holdall.model import Model
from holdall.query import Select, replace
from holdall.schema import BadOperand, Relation

Handler = Callable[[Request], Awaitable[Response]]

COLLECTION = ("GET", "HEAD", "POST", "QUERY")
SEARCH = ("POST",)
RECORD = ("GET", "HEAD", "PUT", "PATCH", "DELETE")
RELATED = ("GET", "HEAD")
_CONDITIONAL = ("If-Match", "If-None-Match")


@dataclass(frozen=True, slots=True)
class Options:
    """What an API was told once. `body_bytes_max` limits request bodies; `require_if_match` refuses unconditional changes (428)."""

    body_bytes_max: int = 1_048_576
    require_if_match: bool = False


class Native:
    """The dialect on one engine."""

    def __init__(self, engine: Engine, options: Options) -> None:
        self.engine = engine
        self.options = options

    def route(self, parts: list[str], method: str) -> tuple[Mapping[str, Handler], Mapping[str, str]]:
        """The handlers of a path by method, and headers that go with OPTIONS; HttpError 404 if there is nothing."""
        resource = self.engine.catalog.by_path.get(decoded_part(parts[0], "The path"))
        if resource is None:
            hint = self.engine.catalog.near_path(parts[0])
            raise HttpError(404, "not_found", f"There is no collection '{parts[0][:80]}' here.", hint)
        if len(parts) == 1:
            return _Collection(self, resource).methods(), {"Accept-Query": JSON, "Accept-Post": JSON}
        if len(parts) == 2 and parts[1] == "search" and method == "POST":
            return {"POST": _Collection(self, resource).search}, {}
        if len(parts) == 2:
            return _Record(self, resource, parts[1]).methods(), {"Accept-Patch": f"{MERGE_PATCH}, {JSON}"}
        if len(parts) == 3:
            return _Related(self, resource, parts[1], decoded_part(parts[2], "The path")).methods(), {}
        raise HttpError(
            404, "not_found", "There is nothing at this path.", "A path is /collection, /collection/key or /collection/key/relation."
        )


def read_key(resource: Resource, part: str) -> Any:
    """The canonical key that a part of a path stands for; HttpError 404 if it cannot be one."""
    entity = resource.entity
    texts = [part] if len(entity.key) == 1 else part.split(",")
    if len(texts) != len(entity.key):
        raise HttpError(
            404, "not_found", f"The key of {resource.name} has {len(entity.key)} parts, not {len(texts)}.",
            f"Write /{resource.path}/{','.join('{' + name + '}' for name in entity.key)}.",
        )  # fmt: skip
    values: list[Any] = []
    for name, text in zip(entity.key, texts, strict=True):
        decoded = decoded_part(text, "The key in the path")
        try:
            values.append(entity.by_name[name].type.parse(decoded))
        except BadOperand as error:
            raise HttpError(404, "not_found", f"There is no such {resource.name}: {error}.") from None
    return values[0] if len(values) == 1 else tuple(values)


def precondition(request: Request) -> Precondition:
    """What If-Match and If-None-Match demand of a write."""
    if_match = entity_tags(request, "If-Match")
    if_none_match = entity_tags(request, "If-None-Match")
    if if_none_match is not None and (if_none_match != ANY or request.method != "PUT"):
        detail = "If-None-Match is taken as '*' with PUT, and with GET."
        raise HttpError(
            400, "bad_value", detail, "Use If-Match to write only what you have read.", [Fault("bad_value", detail, header="If-None-Match")]
        )
    tags = None if if_match is None or if_match == ANY else if_match
    return Precondition(tags, if_match is not None, if_none_match is not None)


class _Collection:
    """/orders and /orders/search."""

    def __init__(self, dialect: Native, resource: Resource) -> None:
        self.dialect = dialect
        self.engine = dialect.engine
        self.resource = resource

    def methods(self) -> Mapping[str, Handler]:
        return {"GET": self.list, "HEAD": self.list, "POST": self.create, "QUERY": self.search}

    async def list(self, request: Request) -> Response:
        check_no_body(request)
        pairs = read_pairs(request.scope["query_string"])
        asked = list_asked(self.resource, pairs)
        _check_format(request, pairs)
        listing = await self.engine.page(asked)
        path = f"{root_path(request)}/{quote(self.resource.path)}"
        return respond(request, 200, list_body(asked, listing), page_links(path, pairs, listing))

    async def search(self, request: Request) -> Response:
        pairs = read_pairs(request.scope["query_string"])
        nothing_asked(pairs)
        check_acceptable(request)
        body = await json_body(request, (JSON,), self.dialect.options.body_bytes_max, "Accept-Query")
        asked = search_asked(self.resource, body)
        return respond(request, 200, list_body(asked, await self.engine.page(asked)))

    async def create(self, request: Request) -> Response:
        dry_run = write_asked(read_pairs(request.scope["query_string"]))
        check_acceptable(request)
        check_no_headers(request, _CONDITIONAL, "does not go with POST")
        check_no_headers(request, ("Idempotency-Key",), "is not offered yet")
        data = await object_body(request, (JSON,), self.dialect.options, "Accept-Post")
        row = await self.engine.create(self.resource, data, dry_run)
        return written(request, self.resource, row, 201, dry_run)


class _Record:
    """/orders/{key}."""

    def __init__(self, dialect: Native, resource: Resource, part: str) -> None:
        self.dialect = dialect
        self.engine = dialect.engine
        self.resource = resource
        self.key = read_key(resource, part)

    def methods(self) -> Mapping[str, Handler]:
        return {"GET": self.get, "HEAD": self.get, "PUT": self.replace, "PATCH": self.change, "DELETE": self.remove}

    async def get(self, request: Request) -> Response:
        check_no_body(request)
        pairs = read_pairs(request.scope["query_string"])
        asked = record_asked(self.resource, pairs)
        _check_format(request, pairs)
        record = await self.engine.get(asked, self.key)
        return one(request, asked, record)

    async def replace(self, request: Request) -> Response:
        wanted, dry_run = self._write(request)
        data = await object_body(request, (JSON,), self.dialect.options, "Accept-Put")
        row, new = await self.engine.replace(self.resource, self.key, data, wanted, dry_run)
        return written(request, self.resource, row, 201 if new else 200, dry_run)

    async def change(self, request: Request) -> Response:
        wanted, dry_run = self._write(request)
        data = await object_body(request, (MERGE_PATCH, JSON), self.dialect.options, "Accept-Patch")
        row = await self.engine.change(self.resource, self.key, data, wanted, dry_run)
        return written(request, self.resource, row, 200, dry_run)

    async def remove(self, request: Request) -> Response:
        check_no_body(request)
        wanted, dry_run = self._write(request)
        await self.engine.remove(self.resource, self.key, wanted, dry_run)
        return respond(request, 204, None, {"Dry-Run": "true"} if dry_run else None)

    def _write(self, request: Request) -> tuple[Precondition, bool]:
        dry_run = write_asked(read_pairs(request.scope["query_string"]))
        check_acceptable(request)
        check_no_headers(request, ("Idempotency-Key",), "is not offered yet")
        wanted = precondition(request)
        versioned = self.resource.entity.version_field is not None
        if self.dialect.options.require_if_match and versioned and not wanted.exists and not wanted.absent:
            raise HttpError(
                428, "precondition_required", f"{request.method} needs If-Match here, so that no change of somebody else is lost.",
                "Send the ETag of the record that you have read.",
            )  # fmt: skip
        return wanted, dry_run


class _Related:
    """/orders/{key}/lines and /orders/{key}/customer."""

    def __init__(self, dialect: Native, resource: Resource, part: str, name: str) -> None:
        self.engine = dialect.engine
        self.resource = resource
        self.part = part
        self.key = read_key(resource, part)
        relation = resource.relations.get(name)
        if relation is None:
            raise HttpError(404, "not_found", f"{resource.name} has no relation '{name[:80]}' here.", near_name(name, resource.relations))
        self.relation: Relation = relation
        self.target = resource.target(relation)

    def methods(self) -> Mapping[str, Handler]:
        return {"GET": self.get, "HEAD": self.get}

    async def get(self, request: Request) -> Response:
        check_no_body(request)
        pairs = read_pairs(request.scope["query_string"])
        parent: Model | None = await self.engine.store.arun("get", self.resource.model, self.key)
        if parent is None:
            raise absent(self.resource, self.key)
        condition = self.engine.related(self.relation, parent)
        if self.relation.to_many:
            asked = list_asked(self.target, pairs, condition)
            _check_format(request, pairs)
            listing = await self.engine.page(asked)
            path = f"{root_path(request)}/{quote(self.resource.path)}/{self.part}/{quote(self.relation.name)}"
            return respond(request, 200, list_body(asked, listing), page_links(path, pairs, listing))
        asked = record_asked(self.target, pairs)
        _check_format(request, pairs)
        select: Select = replace(asked.select, where=condition)
        record: Model | None = await self.engine.store.arun("first", self.target.model, select)
        if record is None:
            raise HttpError(404, "not_found", f"This {self.resource.name} has no {self.relation.name}.")
        return one(request, asked, record)


# Bodies


async def object_body(request: Request, allowed: tuple[str, ...], options: Options, accept_header: str) -> dict[str, Any]:
    """The JSON object in a body; HttpError 4xx for anything else."""
    data = await json_body(request, allowed, options.body_bytes_max, accept_header)
    if is_object(data):
        return data
    hint = "Send one record at a time; lists are not offered yet." if is_array(data) else ""
    raise error_of([Fault("object", "The body must be a JSON object.", hint, pointer="")], 422)


def list_body(asked: Asked, listing: Listing) -> dict[str, Any]:
    """The body of a list."""
    page: dict[str, Any] = {
        "limit": asked.limit,
        "has_more": listing.next_cursor is not None,
        "next_cursor": listing.next_cursor,
        "prev_cursor": listing.prev_cursor,
    }
    if listing.total_kind is not None:
        page["total"] = listing.total
        page["total_kind"] = listing.total_kind
    return {"data": [render(asked.view, record) for record in listing.records], "page": page}


def page_links(path: str, pairs: Pairs, listing: Listing) -> dict[str, str]:
    """The Link header of a page; its targets are relative to the host."""
    kept = [f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs if name not in ("cursor", "offset")]
    links = [("first", _url(path, kept))]
    for rel, cursor in (("prev", listing.prev_cursor), ("next", listing.next_cursor)):
        if cursor is not None:
            links.append((rel, _url(path, [*kept, f"cursor={quote_plus(cursor)}"])))
    return {"Link": link_header(links)}


def _url(path: str, pairs: list[str]) -> str:
    return f"{path}?{'&'.join(pairs)}" if pairs else path


def one(request: Request, asked: Asked, record: Model) -> Response:
    """The answer with one record. With includes there is no ETag: a version says nothing about related records."""
    row = row_of(record)
    tag = None if asked.view.relations else asked.resource.etag(row)
    headers = {} if tag is None else {"ETag": tag}
    seen = entity_tags(request, "If-None-Match")
    if seen is not None and tag is not None and (seen == ANY or tag in {each.removeprefix("W/") for each in seen}):
        return respond(request, 304, None, headers)
    return respond(request, 200, render(asked.view, record), headers)


def written(request: Request, resource: Resource, row: Row, status: int, dry_run: bool) -> Response:
    """The answer to a successful write. A dry run never says that something was created."""
    body = render_row(resource.columns.values(), row)
    if dry_run:
        return respond(request, 200, body, {"Dry-Run": "true"})
    headers: dict[str, str] = {}
    tag = resource.etag(row)
    if tag is not None:
        headers["ETag"] = tag
    if status == 201:
        headers["Location"] = f"{root_path(request)}/{quote(resource.path)}/{resource.key_path(row)}"
    wish = preferred_return(request)
    if wish is not None:
        headers["Preference-Applied"] = f"return={wish}"
    if wish == "minimal":
        return respond(request, 201 if status == 201 else 204, None, headers)
    return respond(request, status, body, headers)


def _check_format(request: Request, pairs: Pairs) -> None:
    """HttpError 406 unless JSON is acceptable; `format` in the URL has the last word."""
    if not any(name == "format" for name, _ in pairs):
        check_acceptable(request)


__all__ = ["COLLECTION", "RECORD", "RELATED", "SEARCH", "Native", "Options", "read_key"]
