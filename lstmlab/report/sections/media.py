"""What the models made: pictures, videos and texts of the runs shown, from their directories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lstmlab.report.blocks import Folded, Gallery, Lines, Picture, Section, Text
from lstmlab.report.collected import Collected
from lstmlab.report.pictures import Unusable, beginning, embedded, inside
from lstmlab.study.runs import Run
from lstmlab.study.tuning import Chosen

MOST_BYTES = 6 << 20
"""of all pictures of a report, as they are embedded"""
_MOST_OF_RUN = 6
"""pictures, and texts, of one run"""
_PICTURES, _TEXTS = (".png", ".gif"), (".txt",)
_STEP = re.compile(r"-\d+$")


def media(collected: Collected) -> Section:
    """The newest picture and text of each name, of the run of each row that is best on validation."""
    blocks: list[Any] = []
    left_out: list[str] = []
    room = MOST_BYTES
    for task, of_task in collected.tasks.items():
        for chosen in of_task:
            run = best_run(chosen)
            title = f"{task}, {chosen.entry.label}, seed {run.seed}"
            pictures, used = _pictures(run, title, room, left_out)
            room -= used
            own = [*([Gallery(pictures)] if pictures else []), *_texts(run, left_out)]
            if own:
                blocks.append(Folded(title, own))
    if left_out:
        blocks.append(Folded(f"{len(left_out)} files are not shown", [Lines(left_out[:50])]))
    return Section("samples", "Samples and pictures", blocks)


def best_run(chosen: Chosen) -> Run:
    """The run of a setting that is best on validation; the first one where validation is not recorded."""
    runs = chosen.setting.finished
    known = [run for run in runs if run.validation == run.validation]
    if not known:
        return runs[0]
    return (max if known[0].goal == "max" else min)(known, key=lambda run: run.validation)


def _pictures(run: Run, title: str, room: int, left_out: list[str]) -> tuple[list[Picture], int]:
    pictures: list[Picture] = []
    used = 0
    for path in _newest(run.directory, "pictures", _PICTURES):
        if len(pictures) == _MOST_OF_RUN:
            left_out.append(f"{path}: {_MOST_OF_RUN} pictures of one run are shown")
            continue
        try:
            address = embedded(path)
        except Unusable as error:
            left_out.append(str(error))
            continue
        if used + len(address) > room:
            left_out.append(f"{path}: the pictures of a report take at most {MOST_BYTES >> 20} MiB")
            continue
        used += len(address)
        pictures.append(Picture(address, f"{path.stem} of {title}", path.name))
    return pictures, used


def _texts(run: Run, left_out: list[str]) -> Iterator[Text]:
    paths = _newest(run.directory, "samples", _TEXTS)
    for path in paths[:_MOST_OF_RUN]:
        try:
            yield Text(beginning(path), path.name)
        except Unusable as error:
            left_out.append(str(error))


def _newest(directory: Path, folder: str, kinds: tuple[str, ...]) -> list[Path]:
    """Of every name the file of the last step; links out of the run directory are not followed."""
    newest: dict[str, Path] = {}
    for path in sorted((directory / folder).glob("*")):
        if path.suffix in kinds and path.is_file() and inside(directory, path):
            newest[_STEP.sub("", path.stem)] = path  # names sort by step
    return list(newest.values())
