"""One run, or a population of runs: from configuration to results."""

from lstmlab.training.population import Hooks, Outcome, train_population
from lstmlab.training.recorder import RunFailed
from lstmlab.training.run import train
from lstmlab.training.trained import Trained, load

__all__ = ["Hooks", "Outcome", "RunFailed", "Trained", "load", "train", "train_population"]
