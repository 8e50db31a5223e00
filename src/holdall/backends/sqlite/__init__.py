"""SQLite, through apsw: one file, or one in-memory database."""

from holdall.backends.sqlite.backend import SQLiteBackend, from_url

__all__ = ["SQLiteBackend", "from_url"]
