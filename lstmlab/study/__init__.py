"""What runs say: comparisons of cells."""

from lstmlab.study.compare import COLUMNS, Comparison, compare, write_comparison

__all__ = ["COLUMNS", "Comparison", "compare", "write_comparison"]
