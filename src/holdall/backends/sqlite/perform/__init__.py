"""Performing effects on SQLite: the only place of this backend with connections, threads, locks and clocks."""

from holdall.backends.sqlite.perform.lane import Lane, Settings
from holdall.backends.sqlite.perform.performer import Performer, Session

__all__ = ["Lane", "Performer", "Session", "Settings"]
