"""Explaining all runs below some directories, with files for each run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from lstmlab.explain.findings import FILE
from lstmlab.explain.run import Explainer
from lstmlab.printable import escaped
from lstmlab.study.runs import Run, read_runs
from lstmlab.tracking.files import RunError

FOLDER = "explain"


def explain_directories(directories: Sequence[Path], names: Sequence[str], output: Path | None) -> None:
    """Explain every finished run at or below the directories, and write ``explain.json`` for each as soon as it is
    there.

    Raises ``RunError`` where there is no finished run, and for files that cannot be read.
    """
    explainer = Explainer(names, _say)
    runs = [run for run in read_runs(directories) if run.finished]
    if not runs:
        raise RunError(f"no finished run at or below {', '.join(map(str, directories))}")
    for number, run in enumerate(runs, 1):
        began = time.perf_counter()
        _say(f"run {number} of {len(runs)}: {_name(run)}")
        found = explainer.explain(run.directory)
        folder = _folder(run, number, output)
        folder.mkdir(parents=True, exist_ok=True)
        found.write(folder / FILE)
        _say(f"  {time.perf_counter() - began:.0f} s, written to {folder}: {FILE}")


def _folder(run: Run, number: int, output: Path | None) -> Path:
    if output is None:
        return run.directory / FOLDER
    return output / f"{number:02d}-{run.cell}-{run.task}-seed{run.seed}"


def _name(run: Run) -> str:
    return f"{run.cell} · {run.task} · seed {run.seed} ({run.directory})"


def _say(line: str) -> None:
    print(escaped(line), flush=True)
