"""What a run has written beside its own few files, so that nothing else is ever removed from its directory."""

from __future__ import annotations

import re
from pathlib import Path

WRITTEN = ".written"
"""the list of samples, pictures and tables of a run: one path per line, relative to its directory"""
FOLDERS = ("samples", "pictures", "tables")
NOT_SEARCHED = frozenset((".hydra", "wandb", "tensorboard", "checkpoints", *FOLDERS))
"""folders inside a run directory that hold no runs; W&B and Hydra keep copies of the configuration in theirs"""
_STEP_IN_NAME = re.compile(r"-(\d{7,})\.\w+$")
_TEMPORARY = re.compile(
    r"\.(config\.yaml|summary\.json|metrics\.jsonl|task\.json|model\.npz|search\.json|wandb_run\.json)\.\d+\.tmp"
)


def note_written(directory: Path, path: Path) -> None:
    """Remember a file that the run is about to write."""
    with (directory / WRITTEN).open("a", encoding="utf-8") as stream:
        stream.write(path.relative_to(directory).as_posix() + "\n")


def begin_list(directory: Path) -> None:
    """From now on only what is noted counts as the run's."""
    (directory / WRITTEN).write_text("")


def remove_written_after(directory: Path, step: int) -> None:
    """Remove the samples, pictures and tables of later steps.

    Runs of earlier versions kept no list: of theirs, all files in the run's folders count that have a step in the name.
    """
    for path in _written(directory):
        found = _STEP_IN_NAME.search(path.name)
        if found and int(found[1]) > step:
            path.unlink(missing_ok=True)


def remove_leftovers(directory: Path) -> None:
    """Remove what a killed run left half written: temporary files under this package's own names."""
    for path in directory.iterdir():
        if _TEMPORARY.fullmatch(path.name) and path.is_file():
            path.unlink()


def _written(directory: Path) -> list[Path]:
    try:
        lines = (directory / WRITTEN).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return [path for folder in FOLDERS for path in (directory / folder).glob("*")]
    # The list may come from anybody: what lies outside the run's folders is not removed.
    paths = [Path(line) for line in lines if line.isprintable()]
    return [directory / path for path in paths if len(path.parts) == 2 and path.parts[0] in FOLDERS]
