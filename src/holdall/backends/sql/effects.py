"""Effects of SQL backends: what programs ask a connection to do.

Owns the requests, as data. Must not know how they are performed. Plain slotted classes: a frozen dataclass takes five times as long to
make, and one is made for every statement. Nobody changes them after they are made. `tx` is a session that `Begin` gave, or None for a
statement that is a transaction of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from holdall.program import Effect
from holdall.schema import Entity

LOT_ROWS = 256  # how many rows are encoded at a time


class Open(Effect):
    """Connect and verify. Reply: None."""

    __slots__ = ()


class Close(Effect):
    """Release all connections. Reply: None."""

    __slots__ = ()


class Read(Effect):
    """Run a query. Reply: what `decode` makes of its rows."""

    __slots__ = ("decode", "params", "text", "tx")
    role = "read"

    def __init__(self, tx: Any, text: str, params: Sequence[Any], decode: Callable[[Any], Any]) -> None:
        self.tx = tx
        self.text = text
        self.params = params
        self.decode = decode


class ReadMany(Effect):
    """Run a query once per item of `rows`. Reply: what `decode` makes of all their rows, one after the other."""

    __slots__ = ("decode", "rows", "text", "tx")
    role = "read"

    def __init__(self, tx: Any, text: str, rows: Sequence[Sequence[Any]], decode: Callable[[Any], Any]) -> None:
        self.tx = tx
        self.text = text
        self.rows = rows
        self.decode = decode


class Write(Effect):
    """Run one statement that changes rows of `entity`. Reply: the number of rows it matched."""

    __slots__ = ("entity", "params", "text", "tx")
    role = "write"

    def __init__(self, tx: Any, text: str, params: Sequence[Any], entity: Entity | None) -> None:
        self.tx = tx
        self.text = text
        self.params = params
        self.entity = entity


class WriteReturning(Effect):
    """Run one statement that changes rows of `entity` and gives rows. Reply: what `decode` makes of them."""

    __slots__ = ("decode", "entity", "params", "text", "tx")
    role = "write"

    def __init__(self, tx: Any, text: str, params: Sequence[Any], entity: Entity, decode: Callable[[Any], Any]) -> None:
        self.tx = tx
        self.text = text
        self.params = params
        self.entity = entity
        self.decode = decode


class Encoded:
    """Rows in the engine's values, made in small lots as they are read: all at once they would be one more object for each row, which
    the garbage collector goes through again and again."""

    __slots__ = ("_encode", "_rows")

    def __init__(self, rows: Sequence[Sequence[Any]], encode: Callable[[Any], Sequence[Sequence[Any]]]) -> None:
        self._rows = rows
        self._encode = encode

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for start in range(0, len(self._rows), LOT_ROWS):
            yield from self._encode(self._rows[start : start + LOT_ROWS])


class WriteMany(Effect):
    """Run one statement once per item of `rows`, inside `tx`. Reply: all rows that the statements gave."""

    __slots__ = ("entity", "rows", "text", "tx")
    role = "write"

    def __init__(self, tx: Any, text: str, rows: Iterable[Sequence[Any]], entity: Entity) -> None:
        self.tx = tx
        self.text = text
        self.rows = rows
        self.entity = entity


class Begin(Effect):
    """Begin a transaction. `timeout_s`: how long it may take in all (None: as long as it likes). `unchecked`: references
    are not looked at in it. Reply: the session."""

    __slots__ = ("read_only", "timeout_s", "unchecked")
    role = "begin"

    def __init__(self, read_only: bool = False, timeout_s: float | None = None, unchecked: bool = False) -> None:
        self.read_only = read_only
        self.timeout_s = timeout_s
        self.unchecked = unchecked


class Commit(Effect):
    """End the session and keep all. Reply: None."""

    __slots__ = ("tx",)
    role = "commit"

    def __init__(self, tx: Any) -> None:
        self.tx = tx


class Rollback(Effect):
    """End the session and undo all; a session that has ended already is left alone. Reply: None."""

    __slots__ = ("tx",)
    role = "rollback"

    def __init__(self, tx: Any) -> None:
        self.tx = tx


class Control(Effect):
    """Run a statement that gives nothing (SAVEPOINT, DDL). Reply: None."""

    __slots__ = ("text", "tx")

    def __init__(self, tx: Any, text: str) -> None:
        self.tx = tx
        self.text = text


class Native(Effect):
    """Run a statement of the user's own. Reply: (column names, rows as the driver gives them)."""

    __slots__ = ("params", "text", "tx")
    role = "write"

    def __init__(self, tx: Any, text: str, params: Sequence[Any]) -> None:
        self.tx = tx
        self.text = text
        self.params = params


class Dangling(Effect):
    """Whether the session holds references to nothing whose check was put off. Reply: bool."""

    __slots__ = ("tx",)
    role = "read"

    def __init__(self, tx: Any) -> None:
        self.tx = tx
