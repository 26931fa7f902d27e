"""One run, or a population of runs: from configuration to results."""

from lstmlab.training.member import RunFailed
from lstmlab.training.population import train_population
from lstmlab.training.run import train
from lstmlab.training.scheduler import Hooks, Outcome
from lstmlab.training.trained import Trained, load

__all__ = ["Hooks", "Outcome", "RunFailed", "Trained", "load", "train", "train_population"]
