"""What a search says of the runs that confirm its best settings: which setting, chosen among how many trials."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from lstmlab.tracking.files import RunError
from lstmlab.tracking.search_files import CONFIRM, FILE


@dataclass(frozen=True)
class Confirms:
    """The setting that a run confirms."""

    values: dict[str, str]
    """of the keys that were searched"""
    trials: int
    """among which the setting was the best on validation"""


def run_folder(index: int) -> str:
    """The directory below the sweep's of a run that confirms the choice of combination ``index``, as Hydra reads it."""
    return f"{CONFIRM}/{index}_${{cell.name}}_${{task.name}}_seed${{seed}}"


def confirms(directory: Path) -> Confirms | None:
    """The setting that the run in ``directory`` confirms; None for every other run.

    Raises ``RunError`` where the record of the search cannot be read.
    """
    directory = directory.resolve()
    path, index = directory.parents[1] / FILE, re.match(r"\d+", directory.name)
    if directory.parent.name != CONFIRM or index is None or not path.exists():
        return None
    try:
        entries = json.loads(path.read_text(encoding="utf-8")).get("confirmed", [])
        found = [entry for entry in entries if entry["index"] == int(index[0])]
        return Confirms(dict(found[0]["values"]), int(found[0]["trials"])) if found else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        raise RunError(f"{path} is not the record of a search") from None
