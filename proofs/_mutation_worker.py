"""The process that tries plants: one child for each, forked from a process that has imported everything but Holdall.

Reads plants from stdin, one JSON object a line, and answers each with one: what killed it. Run by proofs.mutation.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from importlib import import_module
from typing import Any

from proofs._mutation_plant import Plant, Planter

SECONDS = 60  # a case that takes longer hangs


def try_plant(plant: Plant, groups: list[tuple[str, list[str]]], whole: bool) -> dict[str, Any]:
    """Run cases with the fault in it, up to the first that fails (`whole`: all, and tell all that do).

    `groups` are modules and ids of their cases, in the order of running. A module is imported when its turn comes: making all models of
    the kit takes longer than most faults live.
    """
    assert not any(name.partition(".")[0] == "holdall" for name in sys.modules), "imported before the fault was planted"
    planter = Planter(plant)
    sys.meta_path.insert(0, planter)
    from holdall.testing import Lab, Target

    if not planter.used:
        import_module(plant.module)
    registered = import_module("holdall.testing.case")._registered
    ran = 0
    failed: list[str] = []
    for colour in plant.colours:
        lab = Lab(Target.of(plant.on), colour)  # type: ignore[arg-type]  # one of the two
        declared = lab.capabilities()
        for module, ids in groups:
            import_module(module)
            for case in (registered[name] for name in ids):
                if not case.applies(declared):
                    continue
                ran += 1
                print(f"\n{case.id} [{colour}]", end="", flush=True)  # for whoever waits in vain
                signal.alarm(SECONDS)
                outcome = lab.run(case)
                if outcome.verdict == "failed":
                    if not whole:
                        return {"killed_by": f"{case.id} [{colour}]", "ran": ran, "text": outcome.text[-2000:]}
                    failed.append(case.id)
        lab.close()
    return {"killed_by": "", "ran": ran, "failed": failed}


def _child(asked: dict[str, Any], plant: Plant, pipe: int, log: int) -> None:
    os.dup2(log, 1)
    os.dup2(log, 2)
    signal.alarm(SECONDS)
    try:
        result = try_plant(plant, asked["groups"], asked["whole"])
    except BaseException:  # noqa: BLE001 - whatever it was, the parent is told
        result = {"error": traceback.format_exc()[-2000:]}
    with os.fdopen(pipe, "w") as out:
        json.dump(result, out)
    sys.stdout.flush()
    os._exit(0)


def in_child(asked: dict[str, Any]) -> dict[str, Any]:
    """Try a plant in a child of its own."""
    import tempfile

    plant = Plant(**{name: tuple(value) if isinstance(value, list) else value for name, value in asked["plant"].items()})

    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as log:
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _child(asked, plant, writing, log.fileno())
        os.close(writing)
        with os.fdopen(reading) as answer:
            text = answer.read()
        os.waitpid(pid, 0)
        if text:
            found: dict[str, Any] = json.loads(text)
            return found
        log.seek(0)
        last = log.read().decode(errors="replace").rpartition("\n")[2]
    if not last.endswith("]"):
        return {"error": f"the child ended: {last}"}
    return {"killed_by": f"{last} (hangs)", "ran": 0}


def main() -> None:
    """Answer until stdin ends."""
    import asyncio  # noqa: F401 - what takes long to import, once for all children
    import uuid  # noqa: F401

    import msgspec  # noqa: F401
    import pydantic
    import pydantic.dataclasses
    import sortedcontainers  # noqa: F401
    import tenacity  # noqa: F401

    pydantic.TypeAdapter(int)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(in_child(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
