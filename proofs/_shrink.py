"""Shrinking: from a program that shows a fault to a short one on few models, by leaving out whatever is not needed to show it.

Works on any program, wherever it comes from; `fails` says whether what is left still shows the fault.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from holdall.query import And, Not, Or
from proofs._models import ModelPart, Schema
from proofs._programs import Block, Make, Program, Step, Tree, shown

Fails = Callable[[Schema, Program], bool]


def shrink(schema: Schema, program: Program, fails: Fails, seconds: float) -> tuple[Schema, Program]:
    """A schema and program that fail as well, from which nothing more can be left out (or time is up)."""
    until = time.monotonic() + seconds
    changed = True
    while changed and time.monotonic() < until:
        changed = False
        for smaller in (_fewer_steps, _simpler_steps):
            program, some = _repeat(program, smaller, lambda tried, at=schema: fails(at, tried), until)
            changed = changed or some
        while time.monotonic() < until:
            found = next((pair for pair in _fewer_parts(schema, program) if time.monotonic() > until or fails(*pair)), None)
            if found is None or time.monotonic() > until:
                break
            schema, program = found
            changed = True
    return schema, program


def _repeat(program: Program, smaller: Any, fails: Callable[[Program], bool], until: float) -> tuple[Program, bool]:
    """Take the first smaller program that fails, again and again."""
    changed, again = False, True
    while again and time.monotonic() < until:
        again = False
        for tried in smaller(program):
            if time.monotonic() > until:
                break
            if fails(tried):
                program, changed, again = tried, True, True
                break
    return program, changed


def _fewer_steps(program: Program) -> Iterator[Program]:
    """Without a run of steps, long runs first; then with a block's steps in its place; then the same inside blocks."""
    size = len(program)
    length = max(size // 2, 1)
    while length:
        for begin in range(size - length, -1, -length):
            yield program[:begin] + program[begin + length :]
        length //= 2
    for place, item in enumerate(program):
        if isinstance(item, Block):
            yield program[:place] + item.steps + program[place + 1 :]
            for inner in _fewer_steps(item.steps):
                yield (*program[:place], replace(item, steps=inner), *program[place + 1 :])


def _simpler_steps(program: Program) -> Iterator[Program]:
    """With a part of one parameter left out, or a block's options."""
    for place, item in enumerate(program):
        for simpler in _simpler_block(item) if isinstance(item, Block) else _simpler_step(item):
            yield (*program[:place], simpler, *program[place + 1 :])


def _simpler_block(block: Block) -> Iterator[Block]:
    if block.options:
        yield replace(block, options="")
    for steps in _simpler_steps(block.steps):
        yield replace(block, steps=steps)


def _simpler_step(step: Step) -> Iterator[Step]:
    if step.asks is not None:
        return  # what the third voice is asked must stay what the line asks
    for place, param in enumerate(step.params):
        for simpler in _simpler_param(param):
            yield replace(step, params=(*step.params[:place], simpler, *step.params[place + 1 :]))


def _simpler_param(param: Any) -> Iterator[Any]:
    if isinstance(param, Tree):
        node = param.node
        if isinstance(node, And | Or):
            yield from map(Tree, node.items)
        elif isinstance(node, Not):
            yield Tree(node.item)
    elif isinstance(param, Make):
        yield from (Make(param.model, values) for values in _simpler_param(param.values))
    elif isinstance(param, dict | list):
        yield from _shorter(param)
        for key, value in param.items() if isinstance(param, dict) else enumerate(param):
            for simpler in _simpler_param(value):
                made: Any = param.copy()
                made[key] = simpler
                yield made


def _shorter(param: Any) -> Iterator[Any]:
    """With one item less, but not empty. A key of a record stays: one that is not given is made anew each time."""
    if len(param) < 2:
        return
    if isinstance(param, dict):
        yield from ({key: value for key, value in param.items() if key != gone} for gone in param if gone not in ("id", "k0", "k1"))
    else:
        yield from (param[:place] + param[place + 1 :] for place in range(len(param)))


def _fewer_parts(schema: Schema, program: Program) -> Iterator[tuple[Schema, Program]]:
    """Without a model, a relation, a field or an option; the program bound to what is left. What no longer fits is passed over."""
    for models in _fewer_models(schema.models):
        try:
            smaller = Schema(models).make()
            yield smaller, rebound(program, smaller)
        except Exception:  # noqa: BLE001 - a schema or program that cannot be any more is no candidate
            continue


def _fewer_models(models: tuple[ModelPart, ...]) -> Iterator[tuple[ModelPart, ...]]:
    for gone in models:
        if len(models) > 1:
            left = [_without_relations(model, lambda part, gone=gone: part.target == gone.name) for model in models if model is not gone]
            yield tuple(left)
    for place, model in enumerate(models):
        for relation in model.relations:
            yield tuple(_without_relations(other, lambda part, gone=relation: part is gone or part.needs == gone.name) for other in models)
        for smaller in _smaller_model(model):
            yield (*models[:place], smaller, *models[place + 1 :])


def _without_relations(model: ModelPart, gone: Callable[[Any], bool]) -> ModelPart:
    lost = [part for part in model.relations if gone(part)]
    keys = {part.key for part in lost if part.key}
    return replace(
        model,
        relations=tuple(part for part in model.relations if part not in lost),
        fields=tuple(part for part in model.fields if part.name not in keys),
        options=tuple((name, text) for name, text in model.options if not any(key in text for key in keys)),
    )


def _smaller_model(model: ModelPart) -> Iterator[ModelPart]:
    for option in model.options:
        yield replace(model, options=tuple(other for other in model.options if other is not option))
    used = {part.key for part in model.relations}
    for item in model.fields:
        if item.marker != "Key" and item.name not in used:
            yield replace(model, fields=tuple(other for other in model.fields if other is not item))
    for place, item in enumerate(model.fields):
        for option in item.options:
            if not option.startswith(("references", "max_digits", "generated")):
                simpler = replace(item, options=tuple(other for other in item.options if other != option))
                yield replace(model, fields=(*model.fields[:place], simpler, *model.fields[place + 1 :]))


def rebound(program: Program, schema: Schema) -> Program:
    """The program with its trees made anew, for other classes of the same names."""
    made: list[Step | Block] = []
    for item in program:
        if isinstance(item, Block):
            made.append(replace(item, steps=rebound(item.steps, schema)))
        else:
            made.append(replace(item, params=tuple(_rebound(param, schema) for param in item.params), asks=None))
    return tuple(made)


def _rebound(param: Any, schema: Schema) -> Any:
    if isinstance(param, Tree):
        found = eval(shown(param), schema.namespace)
        return Tree(getattr(found, "_expr", found))
    if isinstance(param, dict):
        return {name: _rebound(value, schema) for name, value in param.items()}
    if isinstance(param, list):
        return [_rebound(value, schema) for value in param]
    if isinstance(param, Make):
        if param.model not in schema.classes:
            raise LookupError(param.model)
        known = schema.classes[param.model].__entity__
        values = {name: value for name, value in param.values.items() if name in known.by_name or name in known.relations}
        return Make(param.model, _rebound(values, schema))
    return param
