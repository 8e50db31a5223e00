"""Reading commands: get (one record by key, or a query) and list (a query)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from holdall.cli.failures import CHECK_FAILED, Failure, is_terminal, message
from holdall.cli.options import (
    fields_option,
    include_option,
    model_argument,
    program_argument,
    sort_option,
    store_option,
    where_option,
)
from holdall.cli.output import Format, format_option, write_many, write_one
from holdall.cli.program import Program, opened
from holdall.cli.records import build_query, read_key, shape

if TYPE_CHECKING:
    from holdall.model import Model

TERMINAL_ROWS = 100  # a table on a terminal shows so many rows unless --limit says otherwise

limit_option = click.option(
    "--limit", type=click.IntRange(min=0), help=f"At most so many. Without it, a table on a terminal stops at {TERMINAL_ROWS}."
)
offset_option = click.option("--offset", type=click.IntRange(min=0), default=0, help="Leave out the first so many.")
count_option = click.option("--count", is_flag=True, help="Only tell how many there are.")


@click.command(short_help="One record by its key, or the records that a query finds.")
@program_argument
@model_argument
@click.argument("key", required=False)
@where_option
@sort_option
@limit_option
@offset_option
@fields_option
@include_option
@count_option
@format_option
@store_option
def get(program: str, model: str, key: str | None, **options: Any) -> None:
    """One record by its KEY (exit code 1 if there is none), or the records that a query finds.

    \b
    holdall get shop.py Order --where total__gte=10 --sort -placed_at --limit 5
    holdall get shop.py Order --where customer__name=Ada --fields id,total,customer.name
    holdall get shop.py Order 0199f1c2-7b7e-7000-8000-5f3d8f4ab001 --include lines.product -o json
    """
    if key is None:
        _query(program, model, **options)
        return
    for name in ("where", "sort", "limit", "offset", "count"):
        if options[name]:
            raise Failure(f"--{name} does not go with a KEY.", hint="Leave out one of them.")
    with opened(program, options["url"]) as found:
        _one(found, model, key, options["fields"], options["include"], options["format_"])


@click.command("list", short_help="The records that a query finds, or all.")
@program_argument
@model_argument
@where_option
@sort_option
@limit_option
@offset_option
@fields_option
@include_option
@count_option
@format_option
@store_option
def list_(program: str, model: str, **options: Any) -> None:
    """The records that a query finds, or all of them.

    \b
    holdall list shop.py Customer --where name__icontains=ada -o csv
    """
    _query(program, model, **options)


def _one(program: Program, name: str, key: str, fields: Sequence[str], include: Sequence[str], format_: Format) -> None:
    model = program.model(name)
    entity = model.__entity__
    shown = shape(entity, fields, include)
    store = program.home
    record = store[model].get(read_key(entity, key))
    if record is None:
        raise Failure(f"There is no {name} with the key {key}.", code=CHECK_FAILED)
    if shown.includes:
        store.load([record], *shown.includes)
    write_one(format_, shown.columns, shown.row(record))


def _query(
    program: str,
    model: str,
    *,
    where: Sequence[str],
    sort: Sequence[str],
    limit: int | None,
    offset: int,
    fields: Sequence[str],
    include: Sequence[str],
    count: bool,
    format_: Format,
    url: str | None,
) -> None:
    with opened(program, url) as found:
        cls = found.model(model)
        query = build_query(found.home[cls].query(), where, sort)
        if offset:
            query = query.offset(offset)
        if count:
            click.echo(query.count() if limit is None else query.limit(limit).count())
            return
        shown = shape(cls.__entity__, fields, include)
        if shown.includes:
            query = query.include(*shown.includes)
        stop = TERMINAL_ROWS if limit is None and format_ == "table" and is_terminal(sys.stdout) else None
        records: Iterable[Model]
        if limit is not None:
            records = query.limit(limit).all()
        elif offset:
            records = query.all()
        else:
            records = query.stream()
        written = write_many(format_, shown.columns, (shown.row(record) for record in islice(records, stop)))
        if stop is not None and written == stop and (total := query.count()) > stop:
            message(f"{stop} of {total} records; --limit N for more.")
