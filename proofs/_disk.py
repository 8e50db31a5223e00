"""A disk that can lose power: what may be on it at any moment, given what was done to it and what was synced.

What is promised by a sync is what POSIX promises and no more: syncing a file keeps its content, not its name; names (made or removed) are
kept by syncing the folder. Until then any part of what was done may be there and any other may not, in any order, with these limits: a
write changes no byte beside it (powersafe overwrite, as SQLite assumes on every disk), and bytes that were never written are zeros or
garbage. Must not know SQLite.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from proofs._vfs import Handle, Op

SECTOR = 512
Images = dict[str, bytes]


@dataclass
class Change:
    """A write, or (without data) a new size."""

    offset: int
    data: bytes | None


@dataclass
class Inode:
    """A file's content: what is surely there, and what was done since the last sync."""

    durable: bytes = b""
    pending: list[Change] = field(default_factory=list)

    def now(self) -> bytes:
        """The content as programs see it."""
        return _applied(self.durable, self.pending)


class Disk:
    """One folder."""

    def __init__(self, images: Mapping[str, bytes] | None = None) -> None:
        self._inodes: list[Inode] = []
        self._names: dict[str, list[int | None]] = {}  # first what is surely there, then all since the last sync of the folder
        self._handles: dict[Handle, Inode] = {}
        self._writing: Inode | None = None  # what the last op wrote to
        for name, content in (images or {}).items():
            self._names[name] = [self._made(content)]

    def _made(self, content: bytes = b"") -> int:
        self._inodes.append(Inode(content))
        return len(self._inodes) - 1

    def do(self, op: Op) -> bool:
        """Follow one op. False if it changes nothing that could be lost or kept (an open of a file that is there, a mark)."""
        self._writing = None
        if op.kind == "open":
            return self._open(op)
        if op.kind == "delete":
            self._names.setdefault(op.name, [None]).append(None)
        elif op.kind in ("write", "truncate", "sync"):
            assert op.handle is not None
            inode = self._handles[op.handle]
            if op.kind == "write":
                inode.pending.append(Change(op.offset, op.data))
                self._writing = inode
            elif op.kind == "truncate":
                inode.pending.append(Change(op.size, None))
            else:
                inode.durable, inode.pending = inode.now(), []
        else:
            return False
        if op.folder:
            self._names = {name: [history[-1]] for name, history in self._names.items() if history[-1] is not None}
        return True

    def _open(self, op: Op) -> bool:
        assert op.handle is not None
        history = self._names.setdefault(op.name, [None])
        made = history[-1] is None
        assert made == bool(op.size), f"the recording and the disk differ about {op}"
        if made:
            history.append(self._made())
        at = history[-1]
        assert at is not None
        self._handles[op.handle] = self._inodes[at]
        return made

    def waiting(self) -> bool:
        """Whether anything could still be lost."""
        return any(len(history) > 1 for history in self._names.values()) or any(inode.pending for inode in self._inodes)

    def images(self, model: str, chance: random.Random) -> Images:
        """What is found when the power comes back, by one of MODELS. 'all' and 'none' need no chance."""
        content, names = MODELS[model]
        found: Images = {}
        for name, history in self._names.items():
            at = history[-1] if names == "last" else history[0] if names == "first" else chance.choice(history)
            if at is not None:
                inode = self._inodes[at]
                found[name] = inode.now() if model == "killed" and inode is not self._writing else content(inode, chance)
        return found

    def told(self) -> str:
        """What is not sure, for a report."""
        files = {at: f"{len(inode.pending)} changes" for at, inode in enumerate(self._inodes) if inode.pending}
        names = {name: history for name, history in self._names.items() if len(history) > 1}
        return f"not synced: {files or 'no content'}; names {names or 'all synced'}"


def _applied(content: bytes, changes: Iterable[Change]) -> bytes:
    made = bytearray(content)
    for change in changes:
        _apply(made, change)
    return bytes(made)


def _apply(made: bytearray, change: Change) -> None:
    if change.data is None:
        _resize(made, change.offset)
        return
    if len(made) < change.offset:
        _resize(made, change.offset)
    made[change.offset : change.offset + len(change.data)] = change.data


def _resize(made: bytearray, size: int) -> None:
    if size < len(made):
        del made[size:]
    else:
        made.extend(bytes(size - len(made)))


def _all(inode: Inode, _: random.Random) -> bytes:
    return inode.now()


def _none(inode: Inode, _: random.Random) -> bytes:
    return inode.durable


def _torn(inode: Inode, chance: random.Random) -> bytes:
    """All, but the last write only to some byte."""
    if not inode.pending or inode.pending[-1].data is None:
        return inode.now()
    last = inode.pending[-1]
    assert last.data is not None
    return _applied(inode.durable, [*inode.pending[:-1], Change(last.offset, last.data[: chance.randrange(len(last.data))])])


def _subset(inode: Inode, chance: random.Random) -> bytes:
    """Each change or not."""
    share = chance.choice((0.15, 0.5, 0.85))
    return _applied(inode.durable, [change for change in inode.pending if chance.random() < share])


def _sectors(inode: Inode, chance: random.Random) -> bytes:
    """Each sector of each change or not, one of them perhaps only to some byte."""
    share = chance.choice((0.15, 0.5, 0.85, 0.97))
    made = bytearray(inode.durable)
    for change in inode.pending:
        if change.data is None:
            if chance.random() < share:
                _apply(made, change)
            continue
        at = 0
        while at < len(change.data):
            end = min(len(change.data), at + SECTOR - (change.offset + at) % SECTOR)
            if chance.random() < share:
                until = end if chance.random() < 0.95 else chance.randrange(at, end + 1)
                _apply(made, Change(change.offset + at, change.data[at:until]))
            at = end
    return bytes(made)


def _grown(inode: Inode, chance: random.Random) -> bytes:
    """The file has its new size, but not all that was written: zeros or garbage are there instead."""
    size = max([len(inode.durable), *(change.offset + len(change.data or b"") for change in inode.pending)])
    made = bytearray(inode.durable)
    fill = chance.choice((bytes, chance.randbytes))
    made.extend(fill(size - len(made)))
    share = chance.choice((0.15, 0.5, 0.85))
    for change in inode.pending:
        if chance.random() < share and change.data is not None:
            _apply(made, change)
    return bytes(made)


# How content is chosen, and which names are there. A killed process leaves 'all' behind, or 'killed' in the midst of the last op: programs
# end, the page cache stays.
MODELS: Mapping[str, tuple[Callable[[Inode, random.Random], bytes], str]] = {
    "all": (_all, "last"),
    "killed": (_torn, "last"),
    "none": (_none, "first"),
    "names": (_all, "any"),
    "contents": (_none, "any"),
    "torn": (_torn, "any"),
    "subset": (_subset, "any"),
    "sectors": (_sectors, "any"),
    "grown": (_grown, "any"),
}
SURVIVED = ("all", "killed")  # by these a process was killed; by any of them the power was cut
