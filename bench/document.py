"""The page docs/performance.md from what a run measured: python -m bench.document FILE.json > docs/performance.md. Measures nothing."""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.report import number

HEAD = """# Performance

Every figure here comes from one run of one command, on one machine, on {date}:

```console
$ make bench ARGS="--json bench.json"
```

Machines differ and this one is noisy, so read the ratios, which are medians of rounds in which all contestants took turns on one processor.
What each side does, and how it was set up, is written beside it in `bench/`. "Hand-written" is the raw driver with prepared text, decoding
to the same Python types and building the same object positionally; every SQLite contestant has a file with WAL and synchronous=FULL; peers
are used as their documentation recommends for speed. The record has ten fields: uuid, two texts, int, Decimal, bool, datetime, list of
text, optional text, float.

"""


def page(measured: Mapping[str, Any]) -> str:
    """The whole page."""
    today = dt.datetime.now(dt.UTC).date().isoformat()
    parts = [HEAD.format(date=today), *_targets(measured), *_races(measured), *_setting(measured)]
    return "".join(parts)


def _targets(measured: Mapping[str, Any]) -> Iterator[str]:
    yield "## Targets\n\n| what | measured | target | |\n|---|---|---|---|\n"
    for target in measured["targets"]:
        wish = f"≤ {target['limit']:g} ×" if target["kind"] == "at most" else f"≥ {target['limit']:g} × faster"
        ratio = number(target["ratio"]) if target["ratio"] is not None else "-"
        yield f"| {target['name']} | {ratio} | {wish} | {target['verdict']} |\n"
    yield "\n"


def _races(measured: Mapping[str, Any]) -> Iterator[str]:
    yield "## Races\n\nMicroseconds, median of the rounds; the ratio is to the first named reference.\n\n"
    for scenario in measured["scenarios"]:
        yield f"### {scenario['title']}\n\n| | µs | ratio |\n|---|---|---|\n"
        for each in scenario["contestants"]:
            mark = " (reference)" if each["name"] == scenario["reference"] else ""
            ratio = number(each["ratio"]) if each.get("ratio") is not None else "-"
            yield f"| {each['name']}{mark} | {number(each['median_s'] * 1e6)} | {ratio} |\n"
        yield "\n"


def _setting(measured: Mapping[str, Any]) -> Iterator[str]:
    yield "## Setting\n\n"
    facts = {**measured["machine"], **measured["versions"], **measured["pace"]}
    yield "\n".join(f"- {name}: {value}" for name, value in facts.items()) + "\n"


if __name__ == "__main__":
    print(page(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), end="")
