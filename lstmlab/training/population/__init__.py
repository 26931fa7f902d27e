"""A population: many runs trained in one process, sharing compiled functions."""

from lstmlab.training.population.scheduler import Hooks, Outcome
from lstmlab.training.population.train_population import STRATEGIES, train_population

__all__ = ["STRATEGIES", "Hooks", "Outcome", "train_population"]
