"""python -m proofs: runs the proofs to their full figures and writes docs/proof.md.

Each part runs in a process of its own, so that none disturbs another and one that hangs is ended; its result is kept at once.
Exit code 0 if every part came out as it must, 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

from proofs.document import write_documents
from proofs.harness import Budget, Finding, Outcome, Part, Proof
from proofs.registry import all_proofs
from proofs.results import FILE, Record, load, record, save

CONTROL_S = 150.0
GRACE_S = 180.0  # a part asks for the time between units; one unit may take that much longer


def main() -> int:
    """Run what was asked for."""
    args = _arguments()
    chosen = _chosen(args)
    if args.list:
        for proof, part in chosen:
            control = "  (positive control)" if part.control else ""
            print(f"{proof.number:>3}  {part.name}: {part.target:,} {part.unit}{control}")
        return 0
    if args.inside:
        return _inside(*chosen[0], args)
    records = load(args.results)
    failed = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        waiting = {pool.submit(_outside, proof, part, args): (proof, part) for proof, part in chosen}
        for number, done in enumerate(as_completed(waiting), 1):
            proof, part = waiting[done]
            made = done.result()
            failed += not made.passed
            records[f"{proof.number}/{part.name}"] = made
            save(records, args.results)
            _tell(number, len(chosen), made)
    if not args.no_document:
        write_documents(records)
    print(f"{len(chosen) - failed} of {len(chosen)} parts came out as they must.")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proofs", description="The proofs of docs/proof.md, to their full figures.")
    parser.add_argument("--rows", default="", help="numbers of rows, separated by commas (all of them otherwise)")
    parser.add_argument("--parts", default="*", help="a pattern over the names of parts")
    parser.add_argument("--seed", type=int, default=0, help="the seed (one is drawn, and printed, otherwise)")
    parser.add_argument("--count", type=int, default=0, help="how many units each part is to do (its published aim otherwise)")
    parser.add_argument("--seconds", type=float, default=0.0, help="the limit of time for each part (its own otherwise)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="parts at once (as many as there are cores)")
    parser.add_argument("--results", type=Path, default=FILE, help="where the results are kept")
    parser.add_argument("--no-document", action="store_true", help="do not write docs/proof.md")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _chosen(args: argparse.Namespace) -> list[tuple[Proof, Part]]:
    rows = {int(row) for row in args.rows.split(",") if row}
    found = [(proof, part) for proof in all_proofs() for part in proof.parts]
    found = [(proof, part) for proof, part in found if (not rows or proof.number in rows)]
    exact = [(proof, part) for proof, part in found if part.name == args.parts]
    found = exact or [(proof, part) for proof, part in found if fnmatchcase(part.name, args.parts)]
    if not found and not args.list:
        sys.exit(f"There is no part {args.parts!r} in rows {args.rows or 'of any number'}; see python -m proofs --list.")
    return found


def _inside(proof: Proof, part: Part, args: argparse.Namespace) -> int:
    """Run one part here, and print its record."""
    started = time.perf_counter()
    outcome = part.run(Budget(args.seed, args.count or part.target, args.seconds or part.seconds))
    made = record(proof, part, outcome, time.perf_counter() - started, args.seed)
    print("\n" + json.dumps(asdict(made)))
    return 0


def _outside(proof: Proof, part: Part, args: argparse.Namespace) -> Record:
    """Run one part in a process of its own."""
    seed = args.seed or random.SystemRandom().randrange(1, 2**31)
    limit = args.seconds or part.seconds
    if part.control:  # it ends when it has found what it must find; cut short it would only be a false alarm
        limit = max(limit, min(part.seconds, CONTROL_S))
    command = [sys.executable, "-m", "proofs", "--inside", "--rows", str(proof.number), "--parts", part.name, "--seed", str(seed)]
    command += ["--count", str(args.count), "--seconds", str(limit)]
    started = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit + GRACE_S, check=False)
        if done.returncode == 0:
            return Record(**json.loads(done.stdout.strip().splitlines()[-1]))
        problem = done.stderr[-4000:]
    except subprocess.TimeoutExpired:
        problem = f"It did not end within {limit + GRACE_S:.0f} s."
    outcome = Outcome(0, 0, [Finding(f"The proof itself failed:\n{problem}", seed)])
    return record(proof, part, outcome, time.perf_counter() - started, seed)


def _tell(number: int, total: int, made: Record) -> None:
    what = "control found" if made.control else "found"
    verdict = "ok" if made.passed else "NOT AS IT MUST BE"
    print(
        f"[{number}/{total}] row {made.row}, {made.part}: {made.done:,} {made.unit}, {what} {made.found:,},"
        f" {made.seconds:.0f} s, seed {made.seed}: {verdict}",
        flush=True,
    )
    if not made.passed:
        for item in made.findings:
            print(item["what"], item["script"], sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())
