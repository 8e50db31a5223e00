"""Writing commands: create, update, delete. Each is one transaction: all of it or nothing.

Values are typed by the model: `total=12.50` is a Decimal because Order.total is one. `name:=JSON` gives a JSON value, null included.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

import click

from holdall.cli.failures import CHECK_FAILED, REFUSED, Failure, message
from holdall.cli.options import model_argument, program_argument, store_option
from holdall.cli.output import Format, format_option, write_many, write_one
from holdall.cli.program import opened
from holdall.cli.records import key_text, read_key, shape
from holdall.errors import Problem, ValidationError, near_name

if TYPE_CHECKING:
    from holdall.model import Model
    from holdall.schema import Entity

values_argument = click.argument("values", nargs=-1, metavar="FIELD=VALUE… | -")


@click.command(short_help="Create a record from FIELD=VALUE, or records from JSON.")
@program_argument
@model_argument
@values_argument
@format_option
@store_option
def create(program: str, model: str, values: tuple[str, ...], format_: Format, url: str | None) -> None:
    """Create one record from FIELD=VALUE… and print it, or from JSON on stdin (-): an object, or a list of objects, all or none.

    \b
    holdall create shop.py Customer name=Ada email=ada@example.com
    holdall create shop.py Order total:=12.5 note:=null customer_id=0199f1c2-…
    echo '[{"name": "Ada", "email": "ada@example.com"}]' | holdall create shop.py Customer -
    """
    with opened(program, url) as found:
        cls = found.model(model)
        data = _input(cls.__entity__, values)
        made = _made(cls, data)
        store = found.home
        shown = shape(cls.__entity__)
        if isinstance(data, list):
            with store.transaction():
                for record in made:
                    store[cls].save(record)
            write_many(format_, shown.columns, (shown.row(record) for record in made))
        else:
            store[cls].save(made[0])
            write_one(format_, shown.columns, shown.row(made[0]))
        message(f"Created {len(made)} {model}{_s(len(made))}.")


@click.command(short_help="Change fields of one record.")
@program_argument
@model_argument
@click.argument("key")
@values_argument
@format_option
@store_option
def update(program: str, model: str, key: str, values: tuple[str, ...], format_: Format, url: str | None) -> None:
    """Change fields of the record with that KEY and print it; exit code 1 if there is none.

    \b
    holdall update shop.py Order 0199f1c2-7b7e-7000-8000-5f3d8f4ab001 total=3
    """
    with opened(program, url) as found:
        cls = found.model(model)
        entity = cls.__entity__
        data = _input(entity, values)
        if not isinstance(data, dict):
            raise Failure("update takes one JSON object.", hint='For example {"total": "3"}.')
        data = cast("dict[str, Any]", data)
        fixed = [name for name in data if name in entity.key]
        if fixed:
            raise Failure(f"'{fixed[0]}' is the key of {model} and cannot be changed.", hint="Create another record and delete this one.")
        changes = cls.__check_json__(data)
        store = found.home
        with store.transaction():
            record = _existing(store[cls].get(read_key(entity, key)), model, key)
            for name, value in changes.items():
                setattr(record, name, value)
            store[cls].save(record)
        shown = shape(entity)
        write_one(format_, shown.columns, shown.row(record))
        message(f"Changed {model} {key_text(record)}.")


@click.command(short_help="Delete records by key.")
@program_argument
@model_argument
@click.argument("keys", nargs=-1, required=True, metavar="KEY…")
@store_option
def delete(program: str, model: str, keys: tuple[str, ...], url: str | None) -> None:
    """Delete the records with these KEYs, all or none; exit code 1 if one is absent."""
    with opened(program, url) as found:
        cls = found.model(model)
        store = found.home
        wanted = [read_key(cls.__entity__, key) for key in keys]
        with store.transaction():
            for key, text in zip(wanted, keys, strict=True):
                store[cls].delete(_existing(store[cls].get(key), model, text))
        message(f"Deleted {len(keys)} {model}{_s(len(keys))}.")


def _s(count: int) -> str:
    return "" if count == 1 else " records"


def _existing(record: Model | None, model: str, key: str) -> Any:
    if record is None:
        raise Failure(f"There is no {model} with the key {key}.", code=CHECK_FAILED)
    return record


def _input(entity: Entity, values: Sequence[str]) -> Any:
    """What FIELD=VALUE arguments or the JSON on stdin say, as JSON values; unknown fields among the arguments are told all at once."""
    if list(values) == ["-"]:
        return _stdin()
    if not values:
        raise Failure("There are no values.", hint="Write FIELD=VALUE…, or - to read JSON from stdin.")
    data: dict[str, Any] = {}
    unknown: list[str] = []
    for text in values:
        name, equals, value = text.partition("=")
        as_json, name = name.endswith(":"), name.removesuffix(":")
        if not equals:
            raise Failure(f"{text!r} has no '='.", hint="Write FIELD=VALUE, or FIELD:=JSON for null, lists and objects.")
        if name in data:
            raise Failure(f"'{name}' is given twice.")
        if name not in entity.by_name:
            unknown.append(_unknown(entity, name))
            continue
        data[name] = _json(name, value) if as_json else _typed(entity, name, value)
    if unknown:
        raise Failure("\n  ".join(unknown))
    return data


def _unknown(entity: Entity, name: str) -> str:
    relation = entity.relations.get(name)
    if relation is not None and relation.kind == "belongs_to":
        return f"'{name}' is a relation of {entity.name}: give {' and '.join(relation.local)}."
    return f"{entity.name} has no field '{name}'. {near_name(name, entity.by_name)}"


def _typed(entity: Entity, name: str, text: str) -> Any:
    """Text as the model's JSON input; what does not read as the field's type is left to the model, which tells all problems at once."""
    from holdall.schema import BadOperand, NotJson, decode_json

    type_ = entity.by_name[name].type
    if type_.kind in ("list", "set", "dict", "record"):
        return _json(name, text)
    if type_.kind == "json":
        try:  # text that is no JSON is taken as a JSON string, as in conditions
            return decode_json(text)
        except NotJson:
            return text
        except BadOperand:
            return _json(name, text)
    if type_.kind in ("int", "float", "bool"):  # these are no text in JSON
        try:
            return type_.parse(text)
        except BadOperand:
            return text
    return text


def _json(name: str, text: str) -> Any:
    from holdall.schema import BadOperand, NotJson, decode_json

    try:
        return decode_json(text)
    except (NotJson, BadOperand) as error:
        raise Failure(f"{name}: {text!r} is not JSON: {error}.", hint=f'For example {name}:=\'["a", "b"]\' or {name}:=null.') from None


def _stdin() -> Any:
    from holdall.schema import BadOperand, NotJson, decode_json

    data = sys.stdin.buffer.read()
    if not data.strip():
        raise Failure("There is nothing on stdin.", hint="Give a JSON object or a list of them.")
    try:
        return decode_json(data)
    except (NotJson, BadOperand) as error:
        hint = "Give a JSON object or a list of them; 'holdall import' reads other formats."
        raise Failure(f"stdin is not JSON: {error}.", hint=hint, code=REFUSED) from None


def _made(cls: type[Model], data: Any) -> list[Any]:
    """New objects; ValidationError with the problems of all of them, each behind the place of its object in a list."""
    if not isinstance(data, list):
        return [cls.__from_json__(data)]
    made: list[Any] = []
    problems: list[Problem] = []
    items: list[Any] = data  # pyright: ignore[reportUnknownVariableType]  # decoded JSON
    for place, item in enumerate(items):
        try:
            made.append(cls.__from_json__(item))
        except ValidationError as error:
            problems += _behind(place, error.problems)
    if problems:
        raise ValidationError(cls.__name__, problems)
    return made


def _behind(place: int, problems: Iterable[Problem]) -> list[Problem]:
    return [Problem((place, *problem.path), problem.code, problem.message) for problem in problems]
