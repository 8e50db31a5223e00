"""The conformance kit on the JSON files backend: `pytest` in this folder."""

from __future__ import annotations

from pathlib import Path

from json_files import JsonFiles

from holdall.testing import Target, conformance


def jsonfiles(folder: Path) -> Target:
    """A new folder for each run; several stores can work in it at once."""
    return Target("jsonfiles", lambda: JsonFiles(folder), lambda: JsonFiles(folder))


test_conformance = conformance(jsonfiles)
