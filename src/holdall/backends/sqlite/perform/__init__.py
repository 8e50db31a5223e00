"""Performing effects on SQLite: the only place of this backend with connections, threads, locks and clocks."""

from holdall.backends.sqlite.perform.lane import ENGINE_VERSION, PARAMETERS_MAX, VALUE_BYTES_MAX, Lane, Settings, in_memory, on_file
from holdall.backends.sqlite.perform.performer import Performer
from holdall.backends.sqlite.perform.session import Session

__all__ = ["ENGINE_VERSION", "PARAMETERS_MAX", "VALUE_BYTES_MAX", "Lane", "Performer", "Session", "Settings", "in_memory", "on_file"]
