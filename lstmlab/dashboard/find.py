"""Run and sweep directories below the watched ones, as they are at the moment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lstmlab.dashboard.choose import natural
from lstmlab.dashboard.planned import SWEEP_FILE
from lstmlab.printable import escaped
from lstmlab.tracking.checksums import CONFIG_FILE
from lstmlab.tracking.written import NOT_SEARCHED


def find(directories: Sequence[Path]) -> tuple[dict[Path, str], list[Path]]:
    """Run directories, resolved, with the names under which they are shown, and sweep directories.

    What cannot be read, or vanishes meanwhile, is left out.
    """
    runs: dict[Path, str] = {}
    sweeps: list[Path] = []
    for directory in directories:
        root = directory.resolve()
        for place, folders, files in os.walk(root):
            folders[:] = sorted((each for each in folders if each not in NOT_SEARCHED), key=natural)
            path = Path(place)
            if CONFIG_FILE in files:
                runs.setdefault(path, _name(path, root, several=len(directories) > 1))
            if SWEEP_FILE in files and path not in sweeps:
                sweeps.append(path)
    return runs, sweeps


def _name(path: Path, root: Path, *, several: bool) -> str:
    below = path.relative_to(root).as_posix()
    if below == ".":
        return escaped(root.name)
    return escaped(f"{root.name}/{below}" if several else below)
