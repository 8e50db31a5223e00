"""Pages beside the collections: the index, the OpenAPI document, the documentation page, and the health checks."""

from __future__ import annotations

import hashlib
import html
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cached_property
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from holdall.http.engine import Engine
from holdall.http.grammar import nothing_asked, read_pairs
from holdall.http.messages import JSON, accepts, check_no_body, respond, respond_bytes, root_path
from holdall.http.openapi import document
from holdall.http.problems import TITLES

HTML = "text/html; charset=utf-8"


class Pages:
    """What is served at the top of an API, beside its collections."""

    def __init__(self, engine: Engine, title: str, version: str, description: str) -> None:
        self.engine = engine
        self.title = title
        self.version = version
        self.description = description

    def route(self, parts: list[str]) -> Mapping[str, Any] | None:
        """The handlers of a path of one part; None if it is not one of the pages."""
        handler = {
            "": self._index, "openapi.json": self._openapi, "docs": self._docs, "livez": self._live, "readyz": self._ready,
        }.get(parts[0])  # fmt: skip
        return None if handler is None else {"GET": handler, "HEAD": handler}

    async def _index(self, request: Request) -> Response:
        _bare(request)
        root = root_path(request)
        accept = request.headers.get("accept")
        if accept is not None and accepts(accept, "text/html") > accepts(accept, JSON):
            return _page(request, self._index_html(root))
        return respond(request, 200, {
            "title": self.title, "version": self.version, "openapi": f"{root}/openapi.json", "docs": f"{root}/docs",
            "collections": {resource.path: f"{root}/{quote(resource.path)}" for resource in self.engine.catalog},
        })  # fmt: skip

    def _index_html(self, root: str) -> str:
        items = "".join(f'<li><a href="{root}/{quote(each.path)}">{html.escape(each.path)}</a></li>' for each in self.engine.catalog)
        title = html.escape(self.title)
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f"<style>{INDEX_STYLE}</style></head><body><h1>{title}</h1>"
            f'<p><a href="{root}/docs">Documentation</a> · <a href="{root}/openapi.json">OpenAPI</a></p><ul>{items}</ul></body></html>'
        )

    async def _openapi(self, request: Request) -> Response:
        _bare(request)
        return respond(request, 200, self.document(root_path(request)))

    def document(self, root: str) -> dict[str, Any]:
        """The OpenAPI document of the API mounted at `root`."""
        info = {"title": self.title, "version": self.version, **({"description": self.description} if self.description else {})}
        return {**self._document, "info": info, "servers": [{"url": root or "/"}]}

    @cached_property
    def _document(self) -> dict[str, Any]:
        return document(self.engine.catalog)

    async def _docs(self, request: Request) -> Response:
        _bare(request)
        rows = "".join(
            f'<tr id="errors/{code.replace("_", "-")}"><td><code>{code}</code></td><td>{html.escape(title)}</td></tr>'
            for code, title in TITLES.items()
        )
        text = (
            _docs_template().replace("{{title}}", html.escape(self.title)).replace("{{root}}", html.escape(root_path(request), quote=True))
        )
        return _page(request, text.replace("{{errors}}", rows))

    async def _live(self, request: Request) -> Response:
        _bare(request)
        return respond(request, 200, {"status": "ok"}, {"Cache-Control": "no-store"})

    async def _ready(self, request: Request) -> Response:
        _bare(request)
        await self.engine.ready()
        await self.engine.store.aio.ping()
        return respond(request, 200, {"status": "ok"}, {"Cache-Control": "no-store"})


INDEX_STYLE = "body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:40rem;padding:0 1rem;color-scheme:light dark}"


def _bare(request: Request) -> None:
    check_no_body(request)
    nothing_asked(read_pairs(request.scope["query_string"]))


def _docs_template() -> str:
    return files("holdall.http").joinpath("docs.html").read_text(encoding="utf-8")


def _page(request: Request, text: str) -> Response:
    """An HTML page that may run the scripts and use the styles that are written in it, and fetch from its own host; nothing else."""
    policy = (
        f"default-src 'none'; script-src {_hashes(text, 'script')}; style-src {_hashes(text, 'style')}; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return respond_bytes(request, 200, text.encode(), {"Content-Security-Policy": policy}, media_type=HTML)


def _hashes(text: str, tag: str) -> str:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
    digests = [b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in found]
    return " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
