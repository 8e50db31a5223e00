"""Formats: how values of one type are stored, and the generated code that turns whole rows to and from that form.

Owns `Format` and the generators of row encoders and decoders (one function per list of columns, printed source kept in `__source__`).
Must not know which engine stores what: that is each dialect's table of formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.types import UserDefinedType

Coder = Callable[[Any], Any]
Rows = list[tuple[Any, ...]]


class Storage(UserDefinedType[Any]):
    """A column type that is only a name: values are already in the engine's own form, so SQLAlchemy converts nothing."""

    cache_ok = True

    def __init__(self, spec: str) -> None:
        self.spec = spec

    def get_col_spec(self, **kw: Any) -> str:  # noqa: ARG002  as SQLAlchemy calls it
        """The type as it stands in CREATE TABLE."""
        return self.spec

    def literal_processor(self, dialect: Any) -> Any:  # noqa: ARG002  as SQLAlchemy calls it
        """How an encoded value is written into the text of a statement (CHECK constraints have no parameters)."""
        return sql_literal


def sql_literal(value: Any) -> str:
    """Standard SQL text of an encoded value: number, 'text', X'bytes' or NULL."""
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    if isinstance(value, int | float):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """How values of a type are stored.

    `tag`: values of two formats with the same tag compare directly in the engine. `encode` and `decode` turn a canonical value that is not
    None into the stored one and back (None: the same object). `operand`, when given, makes the encoder for an operand of a comparison,
    which may be a value that the column itself could not hold (a Decimal with more places).
    """

    tag: str
    storage: Storage
    encode: Coder | None = None
    decode: Coder | None = None
    operand: Callable[[str], Coder] | None = None

    def operand_coder(self, op: str) -> Coder | None:
        """The encoder of an operand that stands on the right of `op`."""
        return self.encode if self.operand is None else self.operand(op)


def make_function(name: str, source: str, names: dict[str, Any]) -> Any:
    """The function `name` defined by `source`; it can be printed: its attribute `__source__`."""
    exec(compile(source, f"<holdall {name}>", "exec"), names)  # noqa: S102  only our own source: values stay outside
    function = names[name]
    function.__source__ = source
    return function


def rows_decoder(columns: Sequence[tuple[Format, bool]]) -> Callable[[Any], Rows]:
    """A function from an iterable of stored rows to the list of canonical rows. `columns` are (format, whether it may be null)."""
    if all(format_.decode is None for format_, _ in columns):
        return list
    names: dict[str, Any] = {}
    return make_function("decode", _comprehension("decode", names, [(f.decode, nullable) for f, nullable in columns]), names)  # type: ignore[no-any-return]  # made by exec


def rows_encoder(columns: Sequence[tuple[Format, bool]]) -> Callable[[Iterable[tuple[Any, ...]]], Rows]:
    """A function from canonical rows to the list of stored rows."""
    if all(format_.encode is None for format_, _ in columns):
        return list
    names: dict[str, Any] = {}
    return make_function("encode", _comprehension("encode", names, [(f.encode, nullable) for f, nullable in columns]), names)  # type: ignore[no-any-return]  # made by exec


def _comprehension(name: str, names: dict[str, Any], coders: Sequence[tuple[Coder | None, bool]]) -> str:
    targets = "".join(f"v{n}, " for n in range(len(coders)))
    results = ""
    for n, (coder, nullable) in enumerate(coders):
        if coder is None:
            results += f"v{n}, "
            continue
        names[f"c{n}"] = coder
        results += f"None if v{n} is None else c{n}(v{n}), " if nullable else f"c{n}(v{n}), "
    return f"def {name}(rows):\n    return [({results}) for {targets}in rows]\n"


@dataclass(frozen=True, slots=True)
class Slot:
    """One placeholder of a statement: the parameter `index` of the query's shape, encoded, or a constant (index None)."""

    index: int | None
    coder: Coder | None = None
    constant: Any = None


def binder(slots: Sequence[Slot]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """A function from the parameters of a shape to the tuple that the driver binds. None is never encoded."""
    names: dict[str, Any] = {}
    parts = ""
    for n, slot in enumerate(slots):
        if slot.index is None:
            names[f"k{n}"] = slot.constant
            parts += f"k{n}, "
        elif slot.coder is None:
            parts += f"p[{slot.index}], "
        else:
            names[f"c{n}"] = slot.coder
            parts += f"c{n}(p[{slot.index}]), "
    return make_function("bind", f"def bind(p):\n    return ({parts})\n", names)  # type: ignore[no-any-return]  # made by exec
