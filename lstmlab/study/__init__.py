"""What runs say: comparisons of cells, and which hyperparameters matter."""

from lstmlab.study.compare import Comparison, compare
from lstmlab.study.show import show_comparison
from lstmlab.study.write import write_comparison

__all__ = ["Comparison", "compare", "show_comparison", "write_comparison"]
