"""The models of a run that are explained: at initialisation, those kept during training, and the best."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lstmlab.models import RecurrentModel
from lstmlab.training import Trained
from lstmlab.training.kept import initial_model, kept_models


@dataclass(frozen=True)
class Checkpoint:
    """A model of a run."""

    name: str
    """``initialisation``, ``step N`` or ``best``"""
    step: int
    model: RecurrentModel

    @property
    def final(self) -> bool:
        """Whether this is the model that the run has chosen."""
        return self.name == "best"


def checkpoints(trained: Trained) -> Iterator[Checkpoint]:
    """The models of a finished run in order of steps; a kept one at the best model's step is that one.

    Raises ``RunError`` for a checkpoint that cannot be read.
    """
    best = Checkpoint("best", int(trained.summary.get("best_step", 0)), trained.model)
    yield Checkpoint("initialisation", 0, initial_model(trained.config))
    kept = [Checkpoint(f"step {step}", step, model) for step, model in kept_models(trained.directory, trained.model)]
    yield from sorted([best, *(one for one in kept if one.step != best.step)], key=lambda one: one.step)
