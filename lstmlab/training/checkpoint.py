"""Checkpoints with Orbax: atomic, the newest kept, restored to the same bits."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from lstmlab.tracking.disk import check_room, disk_full
from lstmlab.tracking.files import RunError

_STEP = re.compile(r"\d+(\.orbax-checkpoint-tmp.*)?")
_INSIDE = {"state", "host", "_CHECKPOINT_METADATA", "commit_success.txt"}
"""what :meth:`Checkpoints.save` leaves in the folder of a step"""
_LATE = "Event loop is closed"
_PATIENCE = 10.0  # seconds for each thread that still writes when a checkpoint has failed


def named_leaves(tree: Any) -> dict[str, Any]:
    """The arrays of a tree under readable names, such as ``model.layers.0.forward.input.kernel``."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {_name(path): leaf for path, leaf in leaves}


def fill(template: Any, arrays: dict[str, Any]) -> Any:
    """The template with its leaves replaced by arrays of the same names and shapes.

    Raises ``ValueError`` naming the first leaf that is missing or has another shape.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(template)
    filled = []
    for path, leaf in leaves:
        name = _name(path)
        if name not in arrays:
            raise ValueError(f"the checkpoint holds no '{name}': it was made with another version")
        if tuple(arrays[name].shape) != tuple(leaf.shape):
            raise ValueError(
                f"the checkpoint's '{name}' has shape {tuple(arrays[name].shape)}, "
                f"but the configuration asks for {tuple(leaf.shape)}"
            )
        filled.append(jax.numpy.asarray(arrays[name], leaf.dtype))
    return jax.tree.unflatten(structure, filled)


class Checkpoints:
    """The checkpoints of one run directory: a state under its step number."""

    def __init__(self, directory: Path, *, start_over: bool = False) -> None:
        """Open the folder ``checkpoints``; ``start_over`` forgets what an earlier run left there."""
        # Orbax takes seconds to import: only runs that train pay for it.
        import orbax.checkpoint as ocp

        self._ocp = ocp
        folder = (directory / "checkpoints").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        for path in _steps_and_leftovers(folder):
            if start_over or not path.name.isdecimal():
                shutil.rmtree(path)
        # Of several processes only the first one comes here: Orbax must not wait for the others.
        alone = ocp.options.MultiprocessingOptions(primary_host=0, active_processes={0})
        options = ocp.CheckpointManagerOptions(
            max_to_keep=2, enable_async_checkpointing=False, create=False, multiprocessing_options=alone
        )
        self._manager = ocp.CheckpointManager(folder, options=options)

    @property
    def latest_step(self) -> int | None:
        """Step of the newest whole checkpoint, or ``None``."""
        return self._manager.latest_step()

    @property
    def newest(self) -> Path:
        """The folder of the newest checkpoint."""
        return self._folder / str(self.latest_step)

    def save(self, step: int, state: Any, host: dict[str, Any]) -> None:
        """Write the state and what the host loop knows (plain JSON values); atomic, and once per step."""
        if step == self.latest_step:
            return
        arrays = {k: np.asarray(v) for k, v in named_leaves(state).items()}
        args, needed = self._ocp.args, sum(array.nbytes for array in arrays.values())
        # Orbax writes in several threads: once one of them fails, the others print tracebacks at any time.
        check_room(self._folder.parent, needed)
        try:
            with _quiet():
                self._manager.save(step, args=args.Composite(state=args.StandardSave(arrays), host=args.JsonSave(host)))
        except Exception as error:
            full = disk_full(error, self._folder, needed)
            if full is None:
                raise
            raise full from None

    def restore(self, template: Any) -> tuple[Any, dict[str, Any]]:
        """The newest state, in the form of the template, and the host's values."""
        args = self._ocp.args
        with _quiet():
            found = self._manager.restore(
                self.latest_step,
                args=args.Composite(state=args.StandardRestore(), host=args.JsonRestore()),
            )
        return fill(template, found["state"]), found["host"]

    def close(self) -> None:
        """Wait for anything under way."""
        self._manager.close()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Orbax logs an error with its traceback before it raises it, and the threads that still write for a checkpoint
    that failed report later, each with a traceback of its own; the error that is raised says enough.
    """
    logger, hooks = logging.getLogger("absl"), (sys.excepthook, sys.unraisablehook)
    threads = set(threading.enumerate())
    logger.addFilter(_nothing)
    sys.excepthook, sys.unraisablehook = _without_late_reports(*hooks)
    try:
        yield
        sys.excepthook, sys.unraisablehook = hooks  # after an error, reports still come
    except Exception:
        for thread in set(threading.enumerate()) - threads:
            thread.join(_PATIENCE)
        raise
    finally:
        logger.removeFilter(_nothing)


def _without_late_reports(excepthook: Any, unraisablehook: Any) -> tuple[Any, Any]:
    """Python's two hooks for errors that nobody catches, deaf to those of TensorStore's threads."""

    def uncaught(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
        if str(error) != _LATE:
            excepthook(kind, error, traceback)

    def unraisable(report: Any) -> None:
        if str(report.exc_value) != _LATE:
            unraisablehook(report)

    return uncaught, unraisable


def _nothing(record: logging.LogRecord) -> bool:
    return False


def _steps_and_leftovers(folder: Path) -> list[Path]:
    """Checkpoints, and what a killed run left of one that it was writing. All else belongs to somebody else.

    Raises ``RunError`` for what has the name of a checkpoint, but is none: Orbax would take it for one.
    """
    found = []
    for path in sorted(folder.iterdir()):
        if not _STEP.fullmatch(path.name):
            continue
        if not path.is_dir() or {inside.name.split(".orbax-")[0] for inside in path.iterdir()} - _INSIDE:
            raise RunError(f"{path} is no checkpoint of a run, but has the name of one: move it elsewhere")
        found.append(path)
    return found


def _name(path: Any) -> str:
    parts = [str(getattr(p, "name", getattr(p, "key", getattr(p, "idx", p)))) for p in path]
    return ".".join(part for part in parts if part not in ("value", "raw_value"))
