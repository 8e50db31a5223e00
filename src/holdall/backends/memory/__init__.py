"""The memory backend: rows in this process, with indexes, constraints and multi-version transactions."""

from typing import Any

from holdall.backends.memory.backend import MemoryBackend
from holdall.backends.memory.options import read_hostility
from holdall.errors import DeclarationError

__all__ = ["MemoryBackend", "from_url"]


def from_url(url: Any) -> MemoryBackend:
    """The backend of 'memory:', from a URL's parts (registry.StoreURL); DeclarationError if it says more than a memory store can have."""
    if url.host or url.path or url.user or url.port:
        raise DeclarationError(
            "A memory store has no name, host or path.", hint="Write memory: and share the store object where the data is to be shared."
        )
    hostility = read_hostility(url.options)
    if hostility is not None:
        from holdall.backends.memory.hostile import HostileBackend

        return HostileBackend(url.options, hostility)
    return MemoryBackend(url.options)
