"""What a run has done between two rows of metrics."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lstmlab.training.functions import StepLog
from lstmlab.training.timer import Seconds


class Chunk(NamedTuple):
    """A chunk of training: the steps up to a row of metrics, and the validation that was due after them.

    Arrays are on the host. Of members that train together under ``vmap`` everything has a leading axis.
    """

    step: int
    """optimiser steps since the run began"""
    count: int
    """optimiser steps of this chunk"""
    log: StepLog
    seconds: Seconds
    validation: dict[str, Any] | None = None
    """metrics on the validation split, where a validation was due"""
    best_step: Any = None
    """the step of the best validation so far, where one was due"""
    position: dict[str, Any] | None = None
    """of the stream, where batches are streamed"""
    members: int = 1
    """how many runs shared the compiled call"""

    def row(self) -> dict[str, float]:
        """What the steps of one run add to its row of metrics."""
        return {
            "train/loss": float(np.mean(self.log.loss)),
            "train/gradient_norm": float(np.mean(self.log.gradient_norm)),
            # Through str(), so that 0.001 is logged rather than 0.0010000000474974513.
            "train/learning_rate": float(str(np.float32(self.log.learning_rate[-1]))),
            "time/steps_per_second": self.count / self.seconds["train"],
        }

    @property
    def finite(self) -> np.ndarray:
        """Per step whether loss and gradient are finite."""
        return np.isfinite(self.log.loss) & np.isfinite(self.log.gradient_norm)
