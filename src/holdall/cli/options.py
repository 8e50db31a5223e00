"""Options: the arguments that several commands share. Must not know what they are used for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

program_argument: Decorator = click.argument("program", metavar="PROGRAM")
model_argument: Decorator = click.argument("model", metavar="MODEL")
store_option: Decorator = click.option(
    "--store", "url", metavar="URL", help="Use this store instead of the program's own (sqlite:///other.db)."
)
fields_option: Decorator = click.option(
    "--fields", multiple=True, metavar="A,B.C", help="Only these fields; customer.name goes through a relation."
)
include_option: Decorator = click.option(
    "--include", multiple=True, metavar="RELATION", help="Show related records too: customer, lines.product."
)
where_option: Decorator = click.option(
    "--where", multiple=True, metavar="FIELD__OP=VALUE", help="Only records that meet this, such as total__gte=10; repeated, all must hold."
)
sort_option: Decorator = click.option(
    "--sort", multiple=True, metavar="[-]FIELD", help="Sort by this; - for descending; commas for several."
)
