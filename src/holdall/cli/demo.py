"""The demo command: an editable shop.py in a folder of its own, 1,000 rows, served, with curl lines to paste.

Owns the folder it writes. Must not touch what the user changed: an existing shop.py and existing data stay as they are.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import click

from holdall.cli.failures import REFUSED, Failure, message
from holdall.cli.program import Program, opened

SAMPLE = {"customer_id": "0199f1c2-7b7e-7000-8000-000000000001", "total": "12.50", "placed_at": "2026-11-21T12:00:00Z"}


@click.command(short_help="A shop with 1,000 rows and a REST API, to try and to edit.")
@click.option("--dir", "folder", default="holdall-demo", show_default=True, metavar="DIR", help="The folder; made if it is not there.")
@click.option("--no-serve", is_flag=True, help="Only write the program and the rows.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="The port; 8000, or a free one if that is taken.")
def demo(folder: str, no_serve: bool, port: int | None) -> None:
    """Write an editable shop.py into DIR, keep 1,000 generated rows in SQLite beside it, and serve them until Ctrl-C.

    Run again, it keeps your shop.py and your data.
    """
    path = prepare(Path(folder))
    with opened(str(path)) as program:
        seeded(program)
        if no_serve:
            us = own_name()
            message(f"Try: {us} get {shlex.quote(str(path))} Order --where total__gte=100 --sort -placed_at --limit 5")
            message(f"Serve it: {us} demo --dir {shlex.quote(folder)}")
            return
        from holdall.cli.serve import run_server

        lines = curl_lines(program)

        def show(base: str) -> None:
            click.echo("\n".join(line.replace("{base}", base) for line in lines))
            sys.stdout.flush()  # a file or pipe would get it at the end only

        run_server(program, port=port, after_start=show)


def own_name() -> str:
    """How to call this command line here: `holdall` where the shell finds it, else as it was called."""
    if shutil.which("holdall"):
        return "holdall"
    script = Path(sys.argv[0])
    return shlex.quote(str(script)) if script.name == "holdall" else f"{shlex.quote(sys.executable)} -m holdall"


def prepare(folder: Path) -> Path:
    """The path of shop.py in the folder, written if it is not there; Failure if the folder belongs to something else."""
    path = folder / "shop.py"
    if path.exists():
        message(f"{path} is kept as it is.")
        return path
    if folder.exists() and not folder.is_dir():
        raise Failure(f"{folder} is a file.", hint="Choose another folder with --dir.")
    try:
        if folder.is_dir() and any(_foreign(item) for item in folder.iterdir()):
            hint = "The demo wants a folder of its own: choose another with --dir."
            raise Failure(f"{folder} is not empty and holds no shop.py.", hint=hint)
        folder.mkdir(parents=True, exist_ok=True)
        from importlib.resources import files

        text = files("holdall.cli").joinpath("demo_shop.py").read_text(encoding="utf-8")
        beside = path.with_name(f".shop.py.{os.getpid()}")
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)  # all of it or nothing
    except OSError as error:
        why = error.strerror or str(error)
        raise Failure(f"{folder} cannot be written: {why}.", hint="Choose another folder with --dir.", code=REFUSED) from None
    message(f"Wrote {path}: four models, for you to edit.")
    return path


def _foreign(item: Path) -> bool:
    """Whether a file belongs to something else than a demo whose shop.py was removed to get a new one."""
    return item.suffix not in (".db", ".db-wal", ".db-shm") and item.name != "__pycache__" and not item.name.startswith(".")


def seeded(program: Program) -> None:
    """Put the rows into a store that holds none; all or nothing. A shop.py that does not take them any more is served without."""
    from holdall.cli.demo_rows import demo_rows
    from holdall.errors import ConstraintViolation, ValidationError

    store = program.home
    store.ensure_schema(*program.models.values())
    counts = {name: store[model].count() for name, model in program.models.items()}
    if any(counts.values()):
        message(f"The data is kept: {counted(counts)}.")
        return
    rows = demo_rows()
    missing = [name for name in rows if name not in program.models]
    if missing:
        message(f"shop.py was edited and has no {', '.join(missing)} any more: no rows are generated.")
        return
    try:
        with store.transaction():
            for name, items in rows.items():
                store[program.models[name]].create_many(items)
    except (ValidationError, ConstraintViolation) as error:
        message(f"shop.py was edited; the generated rows do not fit any more and are left out.\n{error}")
        return
    message(f"Generated {sum(map(len, rows.values())):,} rows: {counted({name: len(items) for name, items in rows.items()})}.")


def curl_lines(program: Program) -> list[str]:
    """Three commands that work when pasted, again and again: a list through a relation, a new record, a change. {base} is the URL.

    For a shop.py whose models are not the ones that were written, only what certainly works.
    """
    from holdall.cli.records import key_text
    from holdall.cli.serve import path_of

    store = program.home
    customers, orders = program.models.get("Customer"), program.models.get("Order")
    customer = store[customers].query().first() if customers is not None else None
    order = store[orders].query().first() if orders is not None else None
    if orders is None or customer is None or order is None or not _as_written(program):
        return [f"curl '{{base}}/{path_of(model)}?limit=3'" for model in list(program.models.values())[:3]]
    name = quote(str(getattr(customer, "name", "")), safe="")
    body = json.dumps({**SAMPLE, "customer_id": key_text(customer)})
    one = f"{path_of(orders)}/{quote(key_text(order), safe=',')}"
    return [
        f"curl '{{base}}/{path_of(orders)}?customer__name={name}&total__gte=10&sort=-placed_at&limit=3'",
        f"curl -X POST {{base}}/{path_of(orders)} -H 'Content-Type: application/json' -d {shlex.quote(body)}",
        f"""curl -X PATCH {{base}}/{one} -H 'Content-Type: application/merge-patch+json' -d '{{"status": "shipped"}}'""",
    ]


def _as_written(program: Program) -> bool:
    """Whether Order still has and needs what the lines give it."""
    from holdall.errors import ValidationError

    order = program.models["Order"]
    relation = order.__entity__.relations.get("customer")
    if relation is None or relation.target.entity is not program.models["Customer"].__entity__:
        return False
    try:
        order.__from_json__({**SAMPLE, "status": "shipped"})
        order.__from_json__(SAMPLE)
    except ValidationError:
        return False
    return True


def counted(counts: Mapping[str, int]) -> str:
    """'120 Customer, 40 Product'."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
