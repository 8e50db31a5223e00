"""The transfer commands: import, export, inspect. The work is holdall.transfer's; here are options, progress and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import click

from holdall.cli.failures import CHECK_FAILED, Failure, message
from holdall.cli.options import model_argument, program_argument, sort_option, store_option, where_option
from holdall.cli.program import opened
from holdall.cli.progress import Progress, summary
from holdall.cli.records import build_query
from holdall.errors import ProgrammingError

FILE_FORMATS = ["csv", "json", "ndjson"]
GUESS_BYTES_MAX = 2**31  # larger files are not read twice only to know the time left


@click.command("import", short_help="Records from a CSV, JSON or NDJSON file.")
@program_argument
@model_argument
@click.argument("file", metavar="FILE|-")
@click.option("--format", "format_", type=click.Choice(FILE_FORMATS), help="By the extension of the file, if not given; needed for -.")
@click.option("--on-error", type=click.Choice(["stop", "skip"]), default="stop", show_default=True, help="What a bad row does.")
@click.option("--rejects", metavar="FILE", help="Where bad rows go with --on-error skip. Beside FILE if not given.")
@click.option("--null", "nulls", multiple=True, metavar="WORD", help="A word that means null in a CSV cell (NA), beside the empty cell.")
@click.option("--rename", multiple=True, metavar="COLUMN=FIELD", help="A column of another name; COLUMN= leaves the column out.")
@click.option("--delimiter", default=",", show_default=True, help="What separates CSV cells.")
@click.option("--encoding", help="UTF-8, or what the file's byte order mark says, if not given.")
@click.option("--batch-rows", type=click.IntRange(min=1), default=1000, show_default=True, help="Rows written at a time.")
@store_option
def import_(program: str, model: str, file: str, **options: Any) -> None:
    """Insert the rows of FILE as MODEL: all of them or none.

    A bad row ends the import (exit code 4), naming the row and all that is wrong with it. With --on-error skip bad rows go to a rejects
    file, the others are kept, and the exit code is 1 if there were any.

    \b
    holdall import shop.py Customer people.csv
    holdall import flights.py Flight flights.csv.gz --null NA --on-error skip
    """
    from holdall.transfer import import_rows

    if file != "-" and not Path(file).exists():
        raise Failure(f"There is no file {file}.")
    if file == "-" and options["format_"] is None:
        raise Failure("The format of what comes from stdin is not known.", hint=f"Say --format {' or '.join(FILE_FORMATS)}.")
    with opened(program, options["url"]) as found, _options_explained():
        cls = found.model(model)
        with Progress(f"Importing {model}", _guessed_rows(file, options["format_"])) as progress:
            result = import_rows(
                found.home,
                cls,
                file,
                format=options["format_"],
                on_error=options["on_error"],
                rejects=options["rejects"],
                null=("", *options["nulls"]),
                rename=_renamed(options["rename"]),
                delimiter=_delimiter(options["delimiter"]),
                encoding=options["encoding"],
                batch_rows=options["batch_rows"],
                progress=progress.step,
            )
        message(f"Imported {summary(result.written, result.seconds)} into {model}.")
        if result.rejected:
            where = f" and are in {result.rejects}" if result.rejects else ""
            raise Failure(f"{result.rejected:,} of {result.read:,} rows were refused{where}.", code=CHECK_FAILED)


@click.command(short_help="Records into a CSV, JSON or NDJSON file.")
@program_argument
@model_argument
@click.argument("file", metavar="[FILE|-]", default="-")
@click.option(
    "-o", "--output", "format_", type=click.Choice(FILE_FORMATS), help="By the extension of the file, if not given; ndjson for -."
)
@click.option("--fields", multiple=True, metavar="A,B", help="Only these fields, in this order.")
@where_option
@sort_option
@click.option("--secrets", is_flag=True, help="Also write secret fields.")
@click.option("--delimiter", default=",", show_default=True, help="What separates CSV cells.")
@store_option
def export(program: str, model: str, file: str, **options: Any) -> None:
    """Write the records of MODEL to FILE, or to stdout. `holdall import` reads all of it back exactly.

    FILE appears only when all is written. Without --where and --sort it is every record, in the order of the key.

    \b
    holdall export shop.py Order -o ndjson
    holdall export shop.py Order big.csv --where total__gte=100
    """
    from holdall.transfer import export_rows

    with opened(program, options["url"]) as found, _options_explained():
        cls = found.model(model)
        store = found.home
        what: Any = cls
        query = store[cls].query()
        if options["where"] or options["sort"]:
            what = query = build_query(query, options["where"], options["sort"])
        else:
            query = query.unfiltered()
        store.ensure_schema(cls)
        format_ = options["format_"] or ("ndjson" if file == "-" else None)
        columns = [name.strip() for text in options["fields"] for name in text.split(",") if name.strip()] or None
        if file == "-":
            sys.stdout.flush()  # what follows is written to the file below it
        with Progress(f"Exporting {model}", query.count()) as progress:
            result = export_rows(
                store,
                what,
                file,
                format=format_,
                columns=columns,
                secrets=options["secrets"],
                delimiter=_delimiter(options["delimiter"]),
                progress=progress.step,
            )
        message(f"Exported {summary(result.written, result.seconds)}.")
        if result.left_out:
            message(f"Secret fields are left out: {', '.join(result.left_out)}. --secrets writes them too.")


@click.command(short_help="Models written from a database that already exists.")
@click.argument("url", metavar="URL")
def inspect(url: str) -> None:
    """Print a Python program with models for the tables of an existing database.

    \b
    holdall inspect sqlite:///chinook.sqlite > models.py
    """
    from holdall.transfer import inspect_models

    click.echo(inspect_models(url), nl=False)


@contextmanager
def _options_explained() -> Generator[None]:
    """What the library calls a wrong use of its functions is a wrong option here."""
    try:
        yield
    except ProgrammingError as error:
        hint = "Say which it is: --format (import) or -o (export)." if "format" in error.message else ""
        raise Failure(error.message, hint=hint) from error


def _delimiter(text: str) -> str:
    return {"\\t": "\t", "tab": "\t"}.get(text, text)


def _renamed(texts: tuple[str, ...]) -> dict[str, str | None]:
    renamed: dict[str, str | None] = {}
    for text in texts:
        column, equals, field = text.partition("=")
        if not equals or not column:
            raise Failure(f"--rename {text}: there is no '='.", hint="Write --rename COLUMN=FIELD, or --rename COLUMN= to leave it out.")
        renamed[column] = field or None
    return renamed


def _guessed_rows(file: str, format_: Literal["csv", "json", "ndjson"] | None) -> int | None:
    """How many rows a plain CSV or NDJSON file has, by its lines; None if that cannot be told quickly."""
    path = Path(file)
    kind = format_ or {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}.get(path.suffix.lower())
    if file == "-" or kind not in ("csv", "ndjson") or not path.is_file() or path.stat().st_size > GUESS_BYTES_MAX:
        return None
    lines = 0
    try:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                lines += block.count(b"\n")
    except OSError:  # the import itself will tell
        return None
    return max(0, lines - 1) if kind == "csv" else lines
