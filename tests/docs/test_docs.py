"""Every Python block of the documentation runs.

The blocks of one file run in order, in one module, in an empty folder, and may `await`. A block with
`<!-- no-run -->` on the line before it is only compiled. Blocks in other languages are not looked at.
"""

import ast
import asyncio
import inspect
import sys
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
NO_RUN = "<!-- no-run -->"


class Block(NamedTuple):
    """A Python block: the line of its first statement, its text, and whether it is to be run."""

    line: int
    text: str
    runs: bool


def documents(root: Path) -> list[Path]:
    """The files whose blocks are promises to the reader."""
    return [path for path in [root / "README.md", *sorted((root / "docs").rglob("*.md"))] if path.exists()]


def blocks(text: str) -> list[Block]:
    """The Python blocks of a Markdown text, in order."""
    lines = text.splitlines()
    found: list[Block] = []
    for token in MarkdownIt("commonmark").parse(text):
        if token.type != "fence" or token.map is None or token.info.split()[:1] != ["python"]:
            continue
        fence = token.map[0]
        before = lines[fence - 1].strip() if fence else ""
        found.append(Block(fence + 2, token.content, before != NO_RUN))
    return found


def compiled(block: Block, path: Path) -> CodeType:
    """The block as code whose line numbers are those of the document."""
    padded = "\n" * (block.line - 1) + block.text
    return compile(padded, str(path), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)


def run_document(path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> int:
    """Runs the blocks of one file; answers how many ran. Raises what the first failing block raises."""
    codes = [(compiled(block, path), block.runs) for block in blocks(path.read_text(encoding="utf-8"))]
    # A real module: dataclasses and Pydantic look annotations up in sys.modules.
    module = ModuleType(f"docs_{path.stem.lower().replace('-', '_')}")
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(folder)
    with asyncio.Runner() as runner:  # one loop per file, for stores that live longer than one block
        for code, runs in codes:
            if not runs:
                continue
            answer = eval(code, module.__dict__)
            if inspect.iscoroutine(answer):
                runner.run(answer)
    return sum(runs for _, runs in codes)


@pytest.mark.parametrize("path", documents(ROOT), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_document(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run_document(path, monkeypatch, tmp_path)


SAMPLE = """\
# Title

```python
from __future__ import annotations
from dataclasses import dataclass, fields
from pathlib import Path
@dataclass
class A:
    other: A | None = None
```

Not Python, and not looked at:

```console
$ holdall demo
```

- In a list:
  ```python
  import asyncio
  await asyncio.sleep(0)
  Path("made.txt").write_text(fields(A)[0].name)
  ```

<!-- no-run -->
```python
raise SystemExit("only compiled")
```
"""


def test_blocks_share_a_module_and_run_in_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "sample.md"
    path.write_text(SAMPLE)
    folder = tmp_path / "cwd"
    folder.mkdir()
    assert run_document(path, monkeypatch, folder) == 2
    assert (folder / "made.txt").read_text() == "other"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("```python\nx = 1\n```\n\n```python\nassert x == 2\n```\n", AssertionError),
        ("```python\nawait missing()\n```\n", NameError),
        (f"{NO_RUN}\n```python\nx = = 1\n```\n", SyntaxError),
    ],
)
def test_a_broken_block_would_be_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, error: type[Exception]) -> None:
    path = tmp_path / "broken.md"
    path.write_text(text)
    with pytest.raises(error) as raised:
        run_document(path, monkeypatch, tmp_path)
    if error is AssertionError:
        assert raised.traceback[-1].lineno + 1 == 6, "the line is that of the document"
