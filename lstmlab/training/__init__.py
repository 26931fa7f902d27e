"""One run, or a population of runs: from configuration to results."""

from lstmlab.training.run import RunFailed, train
from lstmlab.training.trained import Trained, load

__all__ = ["RunFailed", "Trained", "load", "train"]
