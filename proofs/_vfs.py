"""A VFS that records: everything SQLite does to its files passes through to the real ones and is written down, in order.

Recorded are opens (and whether they made the file), writes, truncations, syncs, deletions, and where SQLite's own unix layer syncs the
folder; the program adds marks of its own in between. Several processes that were forked after the recorder was made write one common
order. Shared memory of WAL passes through unseen: it does not survive a crash. Must not know what is written.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import apsw

BASE = "unix"
_KEPT = apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_WAL
_OPEN_FOLDER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.POINTER(ctypes.c_int))

Handle = tuple[int, int]  # the process, and a number in it


@dataclass(frozen=True, slots=True)
class Op:
    """One thing that was done. `number` is its place in the common order; what the other fields mean depends on `kind`.

    open      handle, name; size 1 if the file was made
    write     handle, offset, data
    truncate  handle, size
    sync      handle; folder: whether the folder was synced too
    delete    name; folder
    mark      data: what the program said
    """

    number: int
    kind: str
    handle: Handle | None = None
    name: str = ""
    offset: int = 0
    size: int = 0
    data: Any = None
    folder: bool = False

    def __str__(self) -> str:
        told = {
            "open": f"{self.name}{' (made)' if self.size else ''}",
            "write": f"{len(self.data or ())} bytes at {self.offset}",
            "truncate": f"to {self.size}",
            "mark": str(self.data),
        }.get(self.kind, self.name)
        who = f" {self.handle[1]}" if self.handle else ""
        return f"{self.number} {self.kind}{who} {told}{' and the folder' if self.folder else ''}"


class Recorder:
    """Records what SQLite does while it is entered: connections opened then, without a VFS of their own, use it. Their names are told
    without the folder. `ops` is what this process did."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("fork")
        self.order = context.Lock()
        self._next = context.Value(ctypes.c_longlong, 0, lock=False)
        self._handles = 0
        self._folder_synced = False
        self.ops: list[Op] = []
        self._vfs: _VFS | None = None

    def __enter__(self) -> Self:
        self._vfs = _VFS(self)
        self._original = self._vfs.xGetSystemCall("openDirectory")
        original = _OPEN_FOLDER(self._original)

        def open_folder(path: bytes, descriptor: Any) -> int:
            self._folder_synced = True  # it is opened for nothing else
            return int(original(path, descriptor))

        self._hook = _OPEN_FOLDER(open_folder)
        self._vfs.xSetSystemCall("openDirectory", ctypes.cast(self._hook, ctypes.c_void_p).value or 0)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._vfs is not None
        self._vfs.xSetSystemCall("openDirectory", self._original or 0)
        self._vfs.unregister()
        self._vfs = None

    def mark(self, *said: Any) -> None:
        """Write down what the program says, at this place in the order."""
        with self.order:
            self.note("mark", data=said)

    def note(self, kind: str, handle: Handle | None = None, name: str = "", **more: Any) -> None:
        """One op more; the caller holds `order`."""
        self._next.value += 1
        self.ops.append(Op(self._next.value, kind, handle, name, **more))

    def new_handle(self) -> Handle:
        self._handles += 1
        return os.getpid(), self._handles

    @contextlib.contextmanager
    def watching_folder(self) -> Iterator[list[bool]]:
        """Gives a list that holds, afterwards, whether the folder was synced."""
        self._folder_synced = False
        seen: list[bool] = []
        yield seen
        seen.append(self._folder_synced)


class _VFS(apsw.VFS):
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        super().__init__(f"recording-{id(recorder)}", BASE, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802  apsw's name, here and below
        if name is None or not flags[0] & _KEPT:
            return apsw.VFSFile(BASE, name, flags)
        with self._recorder.order:
            return _File(self._recorder, name, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802
        recorder = self._recorder
        with recorder.order:
            with recorder.watching_folder() as synced:
                super().xDelete(name, syncdir)
            recorder.note("delete", name=Path(name).name, folder=synced[0])


class _File(apsw.VFSFile):
    def __init__(self, recorder: Recorder, name: Any, flags: list[int]) -> None:
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        existed = path.exists()
        super().__init__(BASE, name, flags)
        self._recorder = recorder
        self._handle = recorder.new_handle()
        recorder.note("open", self._handle, path.name, size=int(not existed))

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        with self._recorder.order:
            super().xWrite(data, offset)
            self._recorder.note("write", self._handle, offset=offset, data=bytes(data))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        with self._recorder.order:
            super().xTruncate(newsize)
            self._recorder.note("truncate", self._handle, size=newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        recorder = self._recorder
        with recorder.order:
            with recorder.watching_folder() as synced:
                super().xSync(flags)
            recorder.note("sync", self._handle, folder=synced[0])
