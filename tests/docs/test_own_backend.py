"""docs/write-your-own-backend.md is examples/own_backend/json_files.py, explained."""

from __future__ import annotations

from pathlib import Path

from tests.docs.test_docs import blocks

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "write-your-own-backend.md"
PROGRAM = ROOT / "examples" / "own_backend" / "json_files.py"


def test_the_blocks_put_together_are_the_program() -> None:
    program = PROGRAM.read_text(encoding="utf-8")
    texts = [block.text.strip("\n") for block in blocks(PAGE.read_text(encoding="utf-8"))]
    before_use = texts[: next(index for index, text in enumerate(texts) if text.startswith("from decimal import Decimal"))]
    assert "\n\n\n".join(before_use) == program.strip("\n")
