"""Explaining all runs below some directories, with files for each run."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lstmlab.config import ConfigError
from lstmlab.config.schema import SECTIONS
from lstmlab.data.download import DataError
from lstmlab.explain.draw import draw_run, draw_runs
from lstmlab.explain.findings import FILE, RunFindings
from lstmlab.explain.publish import publish_findings
from lstmlab.explain.run import Explainer
from lstmlab.printable import escaped
from lstmlab.settings import settings_of
from lstmlab.study.groups import differing, with_values
from lstmlab.study.runs import Run, read_runs
from lstmlab.terminal import say
from lstmlab.tracking.files import RunError, file_names
from lstmlab.tracking.wandb_sync import sync_command

FOLDER = "explain"


def explain_directories(
    directories: Sequence[Path], names: Sequence[str], output: Path | None, kind: str, wandb: str | None = None
) -> None:
    """Explain every finished run at or below the directories, and write ``explain.json`` and figures for each as soon
    as they are there; then figures that lay the runs of each task side by side, if there are several.

    ``kind`` is that of the figures: png, svg or pdf. ``wandb`` is the W&B mode of the findings; none: that of each run.

    Raises ``RunError`` where there is no finished run; and, after all others, for runs whose files cannot be read.
    """
    explainer = Explainer(names, _say, _progress)
    runs = [run for run in read_runs(directories) if run.finished]
    if not runs:
        raise RunError(f"no finished run at or below {', '.join(map(str, directories))}")
    explained: list[tuple[Run, RunFindings]] = []
    failures, unpublished, published = [], [], False
    for number, run in enumerate(runs, 1):
        began = time.perf_counter()
        _say(f"run {number} of {len(runs)}: {_name(run)}")
        try:
            found = explainer.explain(run.directory)
        except (ConfigError, DataError, RunError) as error:
            failures.append(str(error))
            continue
        folder = _folder(run, number, output)
        folder.mkdir(parents=True, exist_ok=True)
        found.write(folder / FILE)
        figures = draw_run(found, folder, kind)
        explained.append((run, found))
        written = ", ".join([FILE, *(path.name for path in figures)])
        _say(f"  {time.perf_counter() - began:.0f} s, written to {folder}: {written}")
        try:
            published |= publish_findings(found, run.directory, folder, figures, wandb)
        except (ConfigError, RunError) as error:
            unpublished.append(str(error))
    if len(explained) > 1:
        folder = output or directories[0] / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        written = _draw_side_by_side(explained, folder, kind)
        if written:
            _say(f"side by side, written to {folder}: {', '.join(path.name for path in written)}")
    if published and (command := sync_command([output] if output else directories)):
        _say(f"to upload to W&B: {command}")
    if failures:
        raise RunError(f"{len(failures)} of {len(runs)} runs not explained: {'; '.join(failures)}")
    if unpublished:
        raise RunError(
            f"{len(unpublished)} of {len(runs)} runs explained but not sent to W&B: {'; '.join(unpublished)}"
        )


def _folder(run: Run, number: int, output: Path | None) -> Path:
    if output is None:
        return run.directory / FOLDER
    return output / f"{number:02d}-{run.cell}-{run.task}-seed{run.seed}"


def _draw_side_by_side(explained: Sequence[tuple[Run, RunFindings]], folder: Path, kind: str) -> list[Path]:
    """Figures for each task with several runs."""
    keys = differing([run for run, _ in explained])
    of_task = [key for key in keys if key.startswith(("task.", "data.")) and key != "task.name"]
    others = [key for key in keys if key not in of_task and key not in ("cell.name", "task.name")]
    tasks: dict[str, list[tuple[str, RunFindings]]] = {}
    for run, found in explained:
        task = with_values(run.task, {key: run.config[key] for key in of_task if key in run.config})
        values = {key.split(".", 1)[-1]: run.config[key] for key in others if not _is_default(run, key)}
        tasks.setdefault(task, []).append((with_values(run.cell, values), found))
    names = file_names(list(tasks))
    several = [(task, name) for task, name in zip(tasks, names, strict=True) if len(tasks[task]) > 1]
    return [path for task, name in several for path in draw_runs(tasks[task], folder, kind, task, name)]


def _is_default(run: Run, key: str) -> bool:
    """Whether a run does not have the key, or its default."""
    section, _, name = key.partition(".")
    setting = settings_of(SECTIONS[section]).get(name) if section in SECTIONS else None
    return key not in run.config or (setting is not None and run.config[key] == setting.default)


def _name(run: Run) -> str:
    return f"{run.cell} · {run.task} · seed {run.seed} ({run.directory})"


def _say(line: str) -> None:
    print(escaped(line), flush=True)


def _progress(line: str) -> None:
    say(escaped(line), sys.stderr)
