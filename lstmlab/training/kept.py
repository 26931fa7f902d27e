"""The models of a run besides its best one: at initialisation, and in the checkpoints that it kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from lstmlab.config import Config, merge_traced, split_traced
from lstmlab.models import RecurrentModel
from lstmlab.tracking.files import RunError
from lstmlab.tracking.plain import one_line
from lstmlab.training.checkpoint import fill
from lstmlab.training.compiled import program_key
from lstmlab.training.functions import build_model, run_key

_PREFIX = "model."
_makers: dict[str, Any] = {}
"""compiled initialisations by the key of their programs, since runs of a sweep share them"""


def initial_model(config: Config) -> RecurrentModel:
    """The model before the first step, as the run with this configuration had it."""
    static, values = split_traced(config)
    key = program_key(config)
    if key not in _makers:

        def make(values: dict[str, Any]) -> RecurrentModel:
            merged = merge_traced(static, values)
            return build_model(merged, run_key(merged, "parameters"))

        _makers[key] = jax.jit(make)
    return _makers[key](values)


def kept_models(directory: Path, template: RecurrentModel) -> Iterator[tuple[int, RecurrentModel]]:
    """The step and the model of every checkpoint in a run directory, in order.

    Raises ``RunError`` that names a checkpoint that cannot be read.
    """
    folder = (directory / "checkpoints").resolve()
    steps = sorted(int(path.name) for path in folder.glob("*") if re.fullmatch(r"\d+", path.name) and path.is_dir())
    if not steps:
        return
    import orbax.checkpoint as ocp  # takes seconds to import

    for step in steps:
        path = folder / str(step) / "state"
        try:
            with ocp.StandardCheckpointer() as reader:
                found: dict[str, Any] = reader.restore(path)
            arrays = {name.removeprefix(_PREFIX): a for name, a in found.items() if name.startswith(_PREFIX)}
            model = fill(template, arrays)
        except Exception as error:  # of any kind: the library reads several formats
            raise RunError(f"{path.parent} cannot be read ({one_line(error)}): remove it to go without it") from None
        yield step, model
