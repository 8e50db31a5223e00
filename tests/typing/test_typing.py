"""The public API as type checkers see it: mypy --strict and pyright strict over tests/typing/cases.

A line that ends in `# E:` must be an error to both checkers; what follows the colon is for the reader. Every other line
must be clean in both. Keep what must fail on one line: the checkers disagree about the line of a longer statement.
`reveal_type` is not an error; use `assert_type`.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
CASES = Path(__file__).parent / "cases"

# Both checkers read everything anew, and on a busy machine that takes its time.
pytestmark = pytest.mark.timeout(400)


class Complaint(NamedTuple):
    """What a checker said about one line; a warning does not count where an error is expected."""

    file: str
    line: int
    error: bool
    message: str


def expected_lines(cases: Path) -> set[tuple[str, int]]:
    """File and line of each `# E:` comment (comments only: a string may contain it)."""
    found: set[tuple[str, int]] = set()
    for path in sorted(cases.rglob("*.py")):
        for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
            if token.type == tokenize.COMMENT and token.string.removeprefix("#").strip().startswith("E:"):
                found.add((path.relative_to(cases).as_posix(), token.start[0]))
    return found


def differences(checker: str, expected: set[tuple[str, int]], complaints: list[Complaint]) -> list[str]:
    """What must be put right, one line each: an error that is missing, a complaint nobody expected."""
    errors = {(each.file, each.line) for each in complaints if each.error}
    missing = [f"{file}:{line}: {checker} sees no error here" for file, line in sorted(expected - errors)]
    surplus = [f"{each.file}:{each.line}: {checker}: {each.message}" for each in complaints if (each.file, each.line) not in expected]
    return missing + surplus


def run(command: list[str], environment: dict[str, str]) -> str:
    """Standard output of a checker; codes above 1 mean that it could not do its work."""
    done = subprocess.run(command, env={**os.environ, **environment}, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def relative(path: str, cases: Path) -> str | None:
    """The path inside the cases, or None for a file elsewhere: src has its own checks."""
    full = (ROOT / path).resolve()
    return full.relative_to(cases.resolve()).as_posix() if full.is_relative_to(cases.resolve()) else None


def mypy(cases: Path, scratch: Path) -> list[Complaint]:
    """Complaints of mypy --strict about the cases."""
    config = scratch / "mypy.ini"
    config.write_text("[mypy]\n")  # without one, that of the project would be found, with its own files
    # A cache of its own: from a shared one mypy repeats old complaints under the path they were first found at.
    cache = scratch / "cache"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(config), "--output", "json"]
    command += ["--python-version", "3.11", "--cache-dir", str(cache), str(cases)]
    found: list[Complaint] = []
    for line in run(command, {"MYPYPATH": str(SRC)}).splitlines():
        if not line.startswith("{"):
            continue
        each = json.loads(line)
        file = relative(each["file"], cases)
        if file and each["severity"] != "note":
            text = f"{each['message']} [{each['code']}]"
            found.append(Complaint(file, each["line"], each["severity"] == "error", text))
    return found


def pyright(cases: Path, scratch: Path) -> list[Complaint]:
    """Complaints of pyright in strict mode about the cases."""
    # pyright looks only below the folder of its settings, and the repository is no place to write settings to.
    copy = Path(shutil.copytree(cases, scratch / "copy"))
    config = scratch / "pyrightconfig.json"
    settings = {
        "include": [copy.name],
        "extraPaths": [str(SRC)],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    config.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--project", str(config), "--pythonpath", sys.executable]
    found: list[Complaint] = []
    report = json.loads(run([*command, "--outputjson"], {}))
    assert report["summary"]["filesAnalyzed"] >= len(list(cases.rglob("*.py"))), "pyright must have found the cases"
    for each in report["generalDiagnostics"]:
        file = relative(each["file"], copy)
        if file and each["severity"] != "information":
            text = f"{each['message']} [{each.get('rule', 'syntax')}]"
            line = each["range"]["start"]["line"] + 1
            found.append(Complaint(file, line, each["severity"] == "error", text))
    return found


CHECKERS = {"mypy": mypy, "pyright": pyright}


@pytest.mark.parametrize("checker", sorted(CHECKERS))
def test_cases(checker: str, tmp_path: Path) -> None:
    assert expected_lines(CASES), "the cases must have been found"
    found = differences(checker, expected_lines(CASES), CHECKERS[checker](CASES, tmp_path))
    assert not found, "\n" + "\n".join(found)


SAMPLE = """\
from dataclasses import dataclass


@dataclass
class Point:
    x: int
    note: str = "# E: not a comment"


Point("1")  # E: str is not int, and both checkers say so
Point(1)  # E: nothing is wrong here
Point(x="1")
"""


@pytest.mark.parametrize("checker", sorted(CHECKERS))
def test_a_missing_and_an_unexpected_error_would_be_seen(checker: str, tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "sample.py").write_text(SAMPLE)
    expected = expected_lines(cases)
    assert expected == {("sample.py", 10), ("sample.py", 11)}
    missing, surplus = differences(checker, expected, CHECKERS[checker](cases, tmp_path))
    assert missing == f"sample.py:11: {checker} sees no error here"
    assert surplus.startswith(f"sample.py:12: {checker}: ")


def test_a_warning_is_not_the_expected_error() -> None:
    warning = Complaint("a.py", 3, error=False, message="perhaps")
    assert differences("pyright", {("a.py", 3)}, [warning]) == ["a.py:3: pyright sees no error here"]
    assert differences("pyright", set(), [warning]) == ["a.py:3: pyright: perhaps"]
