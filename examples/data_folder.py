"""Where the data of the examples is: in HOLDALL_DATA, else in ../shared/data beside this repository."""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def data_folder(name: str) -> Path | None:
    """The folder of one data set; None if it is not there."""
    given = os.environ.get("HOLDALL_DATA")
    folder = (Path(given) if given else REPOSITORY.parent / "shared" / "data") / name
    return folder if folder.is_dir() else None


def need_folder(name: str) -> Path:
    """The same for programs: they end with a message if it is not there."""
    folder = data_folder(name)
    if folder is None:
        raise SystemExit(f"There is no data '{name}'. Set HOLDALL_DATA to the folder that holds it.")
    return folder
