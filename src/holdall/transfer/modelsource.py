"""Model source: models that were read from a database as a Python module, laid out as the formatter would.

Owns layout: lines of at most 88 columns, so that the source is stable under any usual setting. Must not know databases.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from textwrap import wrap

from holdall.transfer.foreign import read_schema
from holdall.transfer.inspecting import FieldInfo, ModelInfo, RelationInfo, read_models

WIDTH = 88
_HOLDALL = ("BelongsTo", "Field", "HasMany", "HasOne", "Json", "Key", "LocalDateTime", "ManyToMany", "Model")


def inspect_models(url: str) -> str:
    """The source of a Python module with a model for every table of an existing database.

    url: of a store, such as sqlite:///chinook.sqlite. What cannot become a model or a field stands in a comment. Unavailable if the
    database cannot be opened; Unsupported if its backend has no schema to read.
    """
    models, left_out = read_models(read_schema(url))
    return model_source(models, left_out, url.partition("?")[0].rpartition("/")[2])


def model_source(models: Sequence[ModelInfo], left_out: Sequence[str], name: str) -> str:
    """The module."""
    bodies = [_class(model) for model in models]
    text = "\n\n\n".join(bodies)
    title = re.sub(r'["\\\x00-\x1f]', "?", name)[:60] or "an existing database"
    head = [f'"""Models of {title}, written by `holdall inspect`; yours to edit."""']
    imports = _imports(text)
    parts = ["\n".join(head), *imports, *(_comment(left_out) and [_comment(left_out)])]
    return "\n\n".join(parts) + (f"\n\n\n{text}\n" if bodies else "\n")


def _imports(text: str) -> list[str]:
    used = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    first = [line for name, line in (("dt", "import datetime as dt"),) if name in used]
    first += [line for name, line in (("Decimal", "from decimal import Decimal"), ("UUID", "from uuid import UUID")) if name in used]
    names = [name for name in _HOLDALL if name in used]
    if not names:
        return ["\n".join(first)] if first else []
    one = f"from holdall import {', '.join(names)}"
    second = one if len(one) <= WIDTH else "from holdall import (\n" + "".join(f"    {name},\n" for name in names) + ")"
    return [*(["\n".join(first)] if first else []), second]


def _comment(lines: Iterable[str], indent: str = "") -> str:
    width = WIDTH - len(indent) - 2
    return "\n".join(
        f"{indent}# {'  ' if number else ''}{part}"
        for line in lines
        for number, part in enumerate(wrap(line, width - 2, break_on_hyphens=False))
    )


def _class(model: ModelInfo) -> str:
    keywords = [f'table="{model.table}"']
    for name, groups in (("unique", model.uniques), ("index", model.indexes)):
        if groups:
            keywords.append(f"{name}=[{', '.join(_tuple(group) for group in groups)}]")
    head = f"class {model.name}(Model, {', '.join(keywords)}):"
    if len(head) > WIDTH:
        head = f"class {model.name}(\n    Model,\n" + "".join(f"{_keyword(item)}\n" for item in keywords) + "):"
    lines = [_comment(model.comments, "    ")] if model.comments else []
    lines += [_field(item) for item in model.fields]
    if model.relations:
        lines += ["", *(_relation(item) for item in model.relations)]
    return "\n".join([head, *lines])


def _keyword(item: str) -> str:
    line = f"    {item},"
    if len(line) <= WIDTH:
        return line
    name, _, groups = item.partition("=[")
    return f"    {name}=[\n" + "".join(f"        {group},\n" for group in re.findall(r"\([^)]*\)", groups)) + "    ],"


def _tuple(names: Sequence[str]) -> str:
    return f"({', '.join(f'{chr(34)}{name}{chr(34)}' for name in names)})"


def _field(item: FieldInfo) -> str:
    annotation = f"{item.type.python} | None" if item.nullable else item.type.python
    options = [("default", "None")] if item.options == [("default", "None")] else item.options
    comment = f"  # {item.comment}" if item.comment else ""
    begin = f"    {item.name}: {annotation}"
    if not item.key and not options:
        text = begin
    elif not item.key and options == [("default", "None")]:
        text = f"{begin} = None"
    else:
        text = _call(begin, "Key" if item.key else "Field", [f"{name}={value}" for name, value in _ordered(options)])
    if not comment:
        return text
    return text + comment if "\n" not in text and len(text + comment) <= WIDTH else f"{_comment([item.comment], '    ')}\n{text}"


def _ordered(options: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The column's name last: it matters least to a reader."""
    return [pair for pair in options if pair[0] != "column"] + [pair for pair in options if pair[0] == "column"]


def _relation(item: RelationInfo) -> str:
    begin = f"    {item.name}: {item.annotation}"
    name, _, arguments = item.call.partition("(")
    return _call(begin, name, arguments.removesuffix(")").split(", "))


def _call(begin: str, name: str, arguments: Sequence[str]) -> str:
    line = f"{begin} = {name}({', '.join(arguments)})"
    if len(line) <= WIDTH:
        return line
    return f"{begin} = {name}(\n" + "".join(f"        {argument},\n" for argument in arguments) + "    )"
