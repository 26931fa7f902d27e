"""Comparisons of finished runs: which cell is better and by how much, and which hyperparameters matter."""

from lstmlab.study.compare import Comparison, compare
from lstmlab.study.importance import Importance, importance
from lstmlab.study.show import show_comparison
from lstmlab.study.write import write_comparison

__all__ = ["Comparison", "Importance", "compare", "importance", "show_comparison", "write_comparison"]
