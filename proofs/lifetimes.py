"""Lifetimes: forks, changes of event loops, ends of threads and of the interpreter, garbage (proof 15).

Every scene runs in a process of its own, which must end in time, well, and with nothing lost or locked.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw

from proofs._lifetimes import SCENES
from proofs.harness import Budget, Finding, Outcome, Part, Proof

ROOT = Path(__file__).parents[1]
SCENE_S = 60.0
JOBS = 2

# Faults that are planted in a scene's process before it begins, and the scenes that must find them.
PLANTED = {
    "transactions without owners": (
        """
import holdall.store.core as c, holdall.store.store as s, holdall.store.transaction as t
for m in (c, s, t): m.owner_here = m.task_here = lambda *a: (0,)
""",
        ("a_transaction_of_another_loop_is_refused",),
    ),
    "no fork handler": (
        "import holdall.backends.sqlite.perform.performer as p; p.Performer.disown = lambda self: None",
        ("a_child_of_a_process_with_worker_threads",),
    ),
    "worker threads that keep the process": (
        """
import threading as t, holdall.backends.sqlite.perform.worker as w
class T(t.Thread):
    def __init__(self, **k): super().__init__(**{**k, 'daemon': False})
w.threading = type('x', (), {**vars(t), 'Thread': T})
""",
        ("exit_with_worker_threads",),
    ),
    "nobody finds abandoned transactions": (
        "import holdall.backends.sqlite.perform.session as p; p.Session.__del__ = lambda self: p.KEPT.append(self); p.KEPT = []",
        ("a_thread_dies_with_an_open_transaction", "a_loop_is_closed_with_an_open_transaction"),
    ),
}


def url_of(engine: str, folder: Path) -> str:
    """The store of a scene."""
    if engine == "sqlite":
        return f"sqlite:///{folder / 'scene.db'}?synchronous=off&busy_timeout_s=1"
    return "memory:" if engine == "memory" else "sqlite:///:memory:?busy_timeout_s=1"


def played(name: str, engine: str, plant: str = "", seconds: float = SCENE_S) -> str:
    """Play one scene; what is wrong, '' if nothing."""
    exits = SCENES[name][2]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        command = [sys.executable, "-X", "faulthandler", "-c", _program(plant), name, url_of(engine, folder)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "PYTHONWARNINGS": "ignore::DeprecationWarning"}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            said, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            said, errors = process.communicate()
            return f"it does not end: {said[-300:]} {errors[-1500:]}"
        if process.returncode != 0:
            return f"it ended with {process.returncode}: {errors[-1500:]}"
        lines = said.splitlines()
        if "OK" not in lines:
            return f"it did not come to its end: {said[-300:]} {errors[-1500:]}"
        bad = [line for line in errors.splitlines() if "Error" in line or "never awaited" in line or "was destroyed" in line]
        if bad and not (exits or "loop" in name):
            return f"it said on its way: {errors[-1500:]}"
        return _afterwards(folder / "scene.db") if engine == "sqlite" else ""


def _program(plant: str) -> str:
    return f"{plant}\nfrom proofs._lifetimes import main\nmain()\n"


def _afterwards(path: Path) -> str:
    """What another process finds in the file: whole, not locked, nothing that was not committed."""
    connection = apsw.Connection(str(path))
    try:
        connection.set_busy_timeout(50)
        found = connection.execute("SELECT text FROM lifetimes_things").fetchall()
        kept = [text for (text,) in found]
        if "lost" in kept or "never" in kept:
            return f"what was not committed is there: {kept}"
        if kept.count("one") != kept.count("two"):
            return "half of a transaction is there"
        if "known" not in kept and not any(len(text) == 200 or text == "both" for text in kept):
            return f"what was committed is lost: {kept}"
        connection.execute("BEGIN IMMEDIATE; INSERT INTO lifetimes_things VALUES (-1, 'probe'); COMMIT")
        (answer,) = connection.execute("PRAGMA integrity_check").fetchone() or ("nothing",)
    except apsw.Error as error:
        return f"the file cannot be used: {error}"
    finally:
        connection.close(True)
    return "" if answer == "ok" else f"the file is damaged: {answer}"


def matrix(budget: Budget) -> Outcome:
    """Every scene on every engine; a share of them, chosen by the seed, if the budget is smaller."""
    plans = [(name, engine) for name, (_, engines, _) in SCENES.items() for engine in sorted(engines)]
    budget.random("plans").shuffle(plans)
    outcome = Outcome(0, figures={"scenes": len(SCENES), "all there are": len(plans)})
    chosen = plans[: budget.count]
    started = time.monotonic()
    with ThreadPoolExecutor(JOBS) as pool:
        for (name, engine), wrong in zip(chosen, pool.map(lambda plan: "" if budget.over() else played(*plan) or "-", chosen), strict=True):
            outcome.done += bool(wrong)
            if wrong not in ("", "-"):
                outcome.found += 1
                script = f"python -m proofs._lifetimes {name} {url_of(engine, Path('/tmp'))!r}"
                outcome.findings.append(Finding(f"{name}, {engine}: {wrong}", budget.seed, script))
    outcome.figures |= {"exhaustive": outcome.done == len(plans), "seconds": round(time.monotonic() - started, 1)}
    return outcome


def planted(budget: Budget) -> Outcome:
    """Scenes with a fault planted: each must be found."""
    outcome = Outcome(0, figures={"faults": len(PLANTED)})
    missed: list[str] = []
    plans = list(itertools.chain.from_iterable(((fault, name) for name in names) for fault, (_, names) in PLANTED.items()))
    for fault, name in plans[: budget.count]:
        wrong = played(name, "sqlite", PLANTED[fault][0], 20.0)
        outcome.done += 1
        if wrong:
            outcome.found += 1
            outcome.findings.append(Finding(f"{fault}: {name}: {wrong[:300]}", budget.seed))
        else:
            missed.append(f"{fault}: {name}")
    outcome.figures["not found"] = missed
    return outcome


PROOF = Proof(
    15,
    "Fork, loop change, interpreter exit",
    "what the process says and how it ends; another process's view of the file",
    "safe reconnect or ProgrammingError",
    (
        Part("scenes on every engine", matrix, "processes", 200, 10, 900.0, 40.0),
        Part("planted faults", planted, "processes", 5, 1, 300.0, 40.0, control=True),
    ),
)
