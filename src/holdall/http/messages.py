"""HTTP messages: reading headers and bodies of requests, and making responses. No dialect, no models.

Sources: RFC 9110 (preconditions, content negotiation), RFC 7240 (Prefer), RFC 8288 (Link), RFC 9457 (problems).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from holdall.http.forms import encode, read_json
from holdall.http.grammar import percent_decoded
from holdall.http.problems import MEDIA_TYPE, Fault, HttpError

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
ANY = frozenset({"*"})  # what `entity_tags` gives for the star

SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
    "Vary": "Accept",
}

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_ENTITY_TAG = re.compile(r'\s*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')


def request_id(request: Request) -> str:
    """The id of a request: the one it came with if that is harmless, else a new one. Made once."""
    found: str | None = request.scope.get("holdall.request_id")
    if found is None:
        given = request.headers.get("x-request-id", "")
        found = given if _REQUEST_ID.fullmatch(given) else os.urandom(9).hex()
        request.scope["holdall.request_id"] = found
    return found


def root_path(request: Request) -> str:
    """The path under which the API is mounted, percent-encoded; '' at the top."""
    return quote(request.scope.get("root_path", "").rstrip("/"))


def path_parts(request: Request) -> list[str]:
    """The parts of the path below the mount point, still percent-encoded; [''] for the top."""
    scope = request.scope
    raw: bytes | None = scope.get("raw_path")
    text = quote(scope["path"]) if raw is None else raw.partition(b"?")[0].decode("latin-1")
    mounted = scope.get("root_path", "").strip("/")
    skip = mounted.count("/") + 1 if mounted else 0
    return text.split("/")[1 + skip :] or [""]


def decoded_part(part: str, what: str) -> str:
    """One part of a path as text; HttpError 400 for wrong encoding."""
    return percent_decoded(part.encode("latin-1"), what)


# Responses


def respond(
    request: Request, status: int, data: Any = None, headers: Mapping[str, str] | None = None, *, media_type: str = JSON
) -> Response:
    """A response with `data` as JSON; no body for None or HEAD."""
    content = b"" if data is None else encode(data)
    return respond_bytes(request, status, content, headers, media_type=media_type if data is not None else None)


def respond_bytes(
    request: Request, status: int, content: bytes, headers: Mapping[str, str] | None = None, *, media_type: str | None
) -> Response:
    """A response with these bytes; for HEAD with their length only."""
    sent = {**SECURITY_HEADERS, "X-Request-Id": request_id(request), **(headers or {})}
    if media_type is not None:
        sent["Content-Type"] = media_type
    if request.method == "HEAD" and content:
        sent["Content-Length"] = str(len(content))
        return _Bare(status_code=status, headers=sent)
    return Response(content, status, sent)


class _Bare(Response):
    """A response to HEAD: the length of what GET would send, and nothing else."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        self.raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (headers or {}).items()]


def problem(request: Request, error: HttpError) -> Response:
    """The problem document of an error."""
    document = error.document(request_id(request), root_path(request))
    return respond(request, error.status, document, {**error.headers, "Cache-Control": "no-store"}, media_type=MEDIA_TYPE)


def link_header(links: Iterable[tuple[str, str]]) -> str:
    """A Link header of (relation, target) pairs (RFC 8288)."""
    return ", ".join(f'<{target}>; rel="{rel}"' for rel, target in links)


# Headers of requests


def media_type_of(text: str) -> tuple[str, dict[str, str]]:
    """The lower-case media type and its parameters."""
    kind, *rest = text.split(";")
    parameters: dict[str, str] = {}
    for part in rest:
        name, _, value = part.partition("=")
        parameters[name.strip().lower()] = value.strip().strip('"')
    return kind.strip().lower(), parameters


def accepts(header: str | None, media_type: str) -> float:
    """The weight that an Accept header gives to a media type; 0 if it is not accepted."""
    if header is None or header in ("*/*", media_type):
        return 1.0
    main = media_type.partition("/")[0]
    rank = {media_type: 3, f"{main}/*": 2, "*/*": 1}
    best, weight = 0, 0.0
    for part in header.split(","):
        kind, parameters = media_type_of(part)
        place = rank.get(kind, 0)
        if place > best:
            best, weight = place, _weight(parameters.get("q", "1"))
    return weight


def _weight(text: str) -> float:
    return float(text) if re.fullmatch(r"[01](\.\d{0,3})?", text) else 1.0


def check_acceptable(request: Request) -> None:
    """HttpError 406 unless JSON is acceptable."""
    header = request.headers.get("accept")
    if header and accepts(header, JSON) == 0:
        detail = "Answers are JSON; the Accept header asks for something else."
        raise HttpError(406, "not_acceptable", detail, f"Send Accept: {JSON}.", [Fault("not_acceptable", detail, header="Accept")])


def check_no_body(request: Request) -> None:
    """HttpError 400 if a request has a body that nobody would look at."""
    length = request.headers.get("content-length", "0").strip()
    if length.strip("0") or "transfer-encoding" in request.headers:
        raise HttpError(
            400, "body_not_expected", f"{request.method} takes no body here.", "Search with a body by QUERY, or by POST to …/search."
        )


def check_no_headers(request: Request, names: Sequence[str], why: str) -> None:
    """HttpError 400 if one of these headers is there."""
    faults = [Fault("not_offered", f"{name} {why}.", header=name) for name in names if name in request.headers]
    if faults:
        raise HttpError(400, "not_offered", faults[0].detail, "Leave it out.", faults)


def entity_tags(request: Request, name: str) -> frozenset[str] | None:
    """The tags of If-Match or If-None-Match; {'*'} for the star, None without the header, HttpError 400 if it is malformed."""
    values = request.headers.getlist(name)
    if not values:
        return None
    text = ", ".join(values).strip()
    if text == "*":
        return ANY
    tags: list[str] = []
    place = 0
    while place < len(text):
        found = _ENTITY_TAG.match(text, place)
        if found is None:
            detail = f"{name} holds no entity tags."
            raise HttpError(400, "bad_value", detail, 'Send the ETag of the record with its quotes, such as "3".', [
                Fault("bad_value", detail, header=name)
            ])  # fmt: skip
        tags.append(found[1])
        place = found.end()
    return frozenset(tags)


def preferred_return(request: Request) -> str | None:
    """'minimal' or 'representation' if the request prefers one (RFC 7240)."""
    for value in request.headers.getlist("prefer"):
        for part in value.split(","):
            name, _, wanted = part.partition(";")[0].partition("=")
            if name.strip().lower() == "return" and wanted.strip().strip('"') in ("minimal", "representation"):
                return wanted.strip().strip('"')
    return None


# Bodies


async def json_body(request: Request, allowed: Sequence[str], bytes_max: int, accept_header: str) -> Any:
    """The JSON of the body; HttpError 415, 413 or 400. `accept_header` names the header that tells which media types are taken."""
    given = request.headers.get("content-type")
    kind, parameters = media_type_of(given or "")
    if kind not in allowed or parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        detail = f"The body is {given[:80]!r}, which is not taken here." if given else "The request has no Content-Type."
        raise HttpError(
            415, "unsupported_media_type", detail, f"Send Content-Type: {allowed[0]}.",
            [Fault("unsupported_media_type", detail, header="Content-Type")], {accept_header: ", ".join(allowed)},
        )  # fmt: skip
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        detail = f"A body with Content-Encoding {encoding[:40]!r} is not taken."
        fault = Fault("unsupported_media_type", detail, header="Content-Encoding")
        raise HttpError(415, fault.code, detail, "Send it unpacked.", [fault], {"Accept-Encoding": "identity"})
    return read_json(await read_body(request, bytes_max))


async def read_body(request: Request, bytes_max: int) -> bytes:
    """The bytes of the body; HttpError 413 as soon as they are too many."""
    too_large = HttpError(413, "payload_too_large", f"The body is larger than {bytes_max} bytes.", "Send less at once.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and (len(length) > 18 or int(length) > bytes_max):
        raise too_large
    parts: list[bytes] = []
    total = 0
    async for part in request.stream():
        total += len(part)
        if total > bytes_max:
            raise too_large
        parts.append(part)
    return b"".join(parts)
