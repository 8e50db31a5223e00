"""Files: opening what is to be imported, line by line, and writing what is exported so that a failure leaves no half file.

Owns compression, encodings, and the names of formats. Must not know rows, models or stores.

What is read: a path, '-' (standard input) or an open binary file; plain, gzip, or a zip archive that holds one file, told apart by their
first bytes. Text is UTF-8 (with or without a byte order mark), or what its byte order mark or `encoding` says.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import sys
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal, cast

from holdall.errors import BadFile, ProgrammingError, near_name

Format = Literal["csv", "json", "ndjson"]
FORMATS: tuple[Format, ...] = ("csv", "json", "ndjson")
EXTENSIONS: dict[str, Format] = {".csv": "csv", ".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson"}
LINE_BYTES_MAX = 64 * 1024 * 1024  # a longer line is not one: the file is of another kind

Source = str | Path | BinaryIO

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError)


def check_format(name: str) -> Format:
    """The format of that name; ProgrammingError with a near name if there is none."""
    for known in FORMATS:
        if known == name:
            return known
    raise ProgrammingError(f"There is no format '{name}'.", hint=near_name(name, FORMATS))


def format_of(name: str) -> Format | None:
    """The format that the extension of a file name says, also before .gz or .zip; None if it says none."""
    path = Path(name)
    while path.suffix.lower() in (".gz", ".zip"):
        path = path.with_suffix("")
    return EXTENSIONS.get(path.suffix.lower())


class Input:
    """An open file: `name` for messages, `format`, and its text by `lines` or `text`. Positions are counted in physical lines from 1."""

    def __init__(self, stream: IO[bytes], name: str, format_: Format, encoding: str | None) -> None:
        self.name = name
        self.format: Format = format_
        self._stream = stream
        self._encoding = encoding
        self.line = 0

    def bad(self, message: str, *, line: int | None = None, row: int | None = None, hint: str = "") -> BadFile:
        """The error that says where the file is wrong."""
        place = f"{self.name}, line {line}" if line else self.name
        return BadFile(f"{place}: {message}", source=self.name, line=line, row=row, hint=hint)

    def lines(self) -> Iterator[str]:
        """The lines with their line ends ('\\n' or '\\r\\n'); BadFile with the position where they cannot be read."""
        first = self._read(4)
        encoding, mark = next(((name, mark) for mark, name in _MARKS if first.startswith(mark)), (None, b""))
        encoding = self._encoding or encoding or "utf-8"
        if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
            yield from self._utf8(first.removeprefix(mark if mark == codecs.BOM_UTF8 else b""))
        else:
            yield from self._decoded(first, encoding)

    def text(self) -> str:
        """All of it."""
        return "".join(self.lines())

    def _read(self, count: int) -> bytes:
        data = b""
        with self._watched():
            while len(data) < count and (more := self._stream.read(count - len(data))):
                data += more
        return data

    @contextmanager
    def _watched(self) -> Generator[None]:
        try:
            yield
        except _BROKEN as error:
            why = str(error) or type(error).__name__
            if isinstance(error, EOFError):
                why = "it ends too early; it was cut off"
            raise self.bad(f"the file cannot be read any further: {why}.", line=self.line or None, hint="Get the file again.") from error

    def _utf8(self, rest: bytes) -> Iterator[str]:
        readline = self._stream.readline
        begin = rest
        while True:
            try:
                data = readline(LINE_BYTES_MAX)
            except _BROKEN:
                with self._watched():
                    raise
            if begin:
                # The first bytes were looked at for a mark; they may hold whole lines of their own.
                *whole, last = (begin + data).splitlines(keepends=True) if b"\n" in begin else [begin + data]
                begin = b""
                for line in whole:
                    yield self._line(line)
                data = last
            if not data:
                return
            yield self._line(data)

    def _line(self, data: bytes) -> str:
        self.line += 1
        if len(data) >= LINE_BYTES_MAX:
            raise self.bad(f"the line is longer than {LINE_BYTES_MAX >> 20} MiB.", line=self.line, hint="Is it a text file?")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise self.bad(
                f"byte {error.start + 1} of the line is 0x{data[error.start]:02x}, which is not UTF-8.",
                line=self.line,
                hint="Say which encoding it is, for example encoding='cp1252' or 'latin-1', or convert the file to UTF-8.",
            ) from None

    def _decoded(self, first: bytes, encoding: str) -> Iterator[str]:
        # newline="\n" leaves line ends as they are and splits at "\n" only.
        reader = io.TextIOWrapper(cast("IO[bytes]", io.BufferedReader(_Joined(first, self._stream))), encoding=encoding, newline="\n")
        while True:
            try:
                with self._watched():
                    line = reader.readline(LINE_BYTES_MAX)
            except UnicodeDecodeError as error:
                raise self.bad(f"the text after this line is not {encoding}: {error.reason}.", line=self.line or None) from None
            if not line:
                reader.detach()
                return
            self.line += 1
            yield line


class _Joined(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, first: bytes, rest: IO[bytes]) -> None:
        super().__init__()
        self._first = first
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._first or self._rest.read(len(buffer))
        self._first = b""
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def open_input(source: Source, format: str | None = None, encoding: str | None = None) -> Generator[Input]:
    """Open a file to be imported; BadFile if it cannot be, ProgrammingError if its format is not known."""
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise ProgrammingError(f"There is no encoding '{encoding}'.", hint="For example utf-8, utf-16, cp1252, latin-1.") from None
    with ExitStack() as stack:
        raw, name = _open(source, stack)
        stream, inner = _unpacked(raw, name, stack)
        found = check_format(format) if format is not None else format_of(inner) or format_of(name)
        if found is None:
            raise ProgrammingError(
                f"The format of {name} cannot be told from its name.", hint=f"Pass format= with one of {', '.join(FORMATS)}."
            )
        yield Input(stream, name, found, encoding)


def _open(source: Source, stack: ExitStack) -> tuple[io.BufferedReader, str]:
    if source == "-":
        return cast("io.BufferedReader", sys.stdin.buffer), "standard input"
    if not isinstance(source, str | Path):
        if _is_text(source) or not hasattr(source, "read"):
            raise ProgrammingError("import takes a path, '-' or a file opened in binary mode.", hint="open(path, 'rb')")
        name = getattr(source, "name", None)
        buffered = source if hasattr(source, "peek") else io.BufferedReader(_Joined(b"", source))
        return cast("io.BufferedReader", buffered), name if isinstance(name, str) else "the file"
    path = Path(source)
    try:
        return stack.enter_context(path.open("rb")), str(path)
    except FileNotFoundError:
        beside = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = near_name(path.name, beside) if path.parent.is_dir() else f"There is no folder {path.parent}."
        raise BadFile(f"There is no file {path}.", source=str(path), hint=hint if hint.startswith(("Did", "There")) else "") from None
    except IsADirectoryError:
        raise BadFile(f"{path} is a folder.", source=str(path), hint="Name the file in it.") from None
    except OSError as error:
        raise BadFile(f"{path} cannot be opened: {error.strerror}.", source=str(path)) from None


def _is_text(stream: object) -> bool:
    return isinstance(stream, io.TextIOBase)


def _unpacked(raw: io.BufferedReader, name: str, stack: ExitStack) -> tuple[IO[bytes], str]:
    """The bytes of the one file inside, and its name."""
    begin = raw.peek(4)[:4]
    if begin.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", stack.enter_context(gzip.GzipFile(fileobj=raw))), name
    if begin not in (b"PK\x03\x04", b"PK\x05\x06"):
        return raw, name
    try:
        archive = stack.enter_context(zipfile.ZipFile(raw if raw.seekable() else io.BytesIO(raw.read())))
        names = [item for item in archive.namelist() if not item.endswith("/") and not item.startswith("__MACOSX/")]
        if len(names) != 1:
            shown = f": {', '.join(names[:5])}{', …' if len(names) > 5 else ''}" if names else ""
            raise BadFile(
                f"{name}: the archive holds {len(names)} files, not one{shown}.", source=name, hint="Unpack it and name the file."
            )
        return stack.enter_context(archive.open(names[0])), names[0]
    except _BROKEN as error:
        raise BadFile(f"{name}: the zip archive cannot be read: {error}.", source=name, hint="Get the file again.") from error


@contextmanager
def open_output(target: Source) -> Generator[IO[bytes]]:
    """A binary file to write an export to: '-', an open binary file, or a path, which appears (or is replaced) only when all is written.

    A path that ends in .gz is compressed; the same content always gives the same bytes.
    """
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if not isinstance(target, str | Path):
        if _is_text(target) or not hasattr(target, "write"):
            raise ProgrammingError("export takes a path, '-' or a file opened in binary mode.", hint="open(path, 'wb')")
        yield target
        return
    path = Path(target)
    if path.suffix.lower() == ".zip":
        raise ProgrammingError("Zip archives are read, but not written.", hint="Write to a path that ends in .gz, or without either.")
    try:
        if path.is_dir():
            raise IsADirectoryError(None, "it is a folder")
        if path.exists() and not path.is_file():  # a pipe or a device cannot be replaced
            with path.open("wb") as stream:
                yield stream
            return
        with _replacing(path.resolve()) as stream:
            if path.suffix.lower() != ".gz":
                yield stream
                return
            with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed:
                yield cast("IO[bytes]", packed)
    except OSError as error:
        hint = "" if path.parent.is_dir() else f"There is no folder {path.parent}."
        raise BadFile(f"{path} cannot be written: {error.strerror or error}.", source=str(path), hint=hint) from error


@contextmanager
def _replacing(path: Path) -> Generator[IO[bytes]]:
    """A new file beside `path` that takes its place at the end, and is removed after an error."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        # 'xb': never write into what somebody else put there.
        with draft.open("xb") as stream:
            with suppress(OSError):
                draft.chmod(path.stat().st_mode & 0o777)
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except FileExistsError:
        raise
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
