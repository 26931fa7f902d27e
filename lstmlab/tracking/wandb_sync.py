"""The command that uploads what W&B runs have left on disk."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from lstmlab.tracking.wandb_settings import variable
from lstmlab.tracking.written import NOT_SEARCHED


def sync_command(directories: Sequence[Path]) -> str | None:
    """The ``wandb sync`` that uploads all offline runs at or below the directories; ``None`` where there are none.

    ``wandb sync`` takes folders ``wandb`` that hold runs, and passes over runs that it has uploaded before. Folders of
    the same depth are one pattern for the shell, as ``DIR/*/wandb``. With ``WANDB_DIR`` all runs are below that.
    """
    elsewhere = variable("WANDB_DIR")
    roots = [Path(elsewhere)] if elsewhere else list(directories)
    patterns = dict.fromkeys(_pattern(root, folder) for root in roots for folder in _offline(root))
    return f"wandb sync {' '.join(sorted(patterns, key=lambda text: (len(text), text)))}" if patterns else None


def _offline(root: Path) -> Iterator[Path]:
    """The folders ``wandb`` at or below a directory that hold a run which has not been uploaded."""
    for path, folders, _ in os.walk(root):
        wandb = Path(path) / "wandb"
        if "wandb" in folders and any(map(_not_uploaded, wandb.glob("offline-run-*/*.wandb"))):
            yield wandb
        folders[:] = [name for name in folders if name not in NOT_SEARCHED]


def _not_uploaded(file: Path) -> bool:
    return not file.with_suffix(".wandb.synced").exists()


def _pattern(root: Path, folder: Path) -> str:
    depth = len(folder.relative_to(root).parts) - 1
    return "/".join([shlex.quote(root.as_posix()), *["*"] * depth, "wandb"])
