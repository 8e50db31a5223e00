"""The REST API of a store: an ASGI application on Starlette, and a way to serve it."""

from holdall.http.app import api
from holdall.http.serve import serve

__all__ = ["api", "serve"]
