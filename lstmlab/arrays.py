"""Array types by name, with their shapes: what public functions take and return.

Shapes read as in jaxtyping: ``batch time features``. Arrays of a whole sequence are batch-first in tasks and models,
time-major in :mod:`lstmlab.recurrence`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

Key = PRNGKeyArray
Traceable: TypeAlias = float | np.floating | Float[Array, ""]
"""a number of the configuration that may also be a traced value, such as a dropout rate"""
Scalar = Float[Array, ""]
Step = Int[Array, ""]
"""the number of an optimiser step, or of a batch"""
Lengths = Int[Array, " batch"]
"""valid steps of every sequence"""
LengthsLike: TypeAlias = ArrayLike | Sequence[Any]
"""valid steps of every sequence, as callers may give them; checked where they are used"""
Resets = Bool[Array, "batch time"]
"""true at the first step of a new segment, where the state starts afresh"""
TimeMajorResets = Bool[Array, "time batch"]
MaskLike: TypeAlias = ArrayLike | Sequence[Any]
"""resets or valid steps of all sequences, as callers may give them; checked where they are used"""
TimeMajorMask = Bool[Array, "time batch"]
"""true where a sequence takes part in a step, false in the padding"""
RowMask = Bool[Array, " batch"]
TimeMajor = Float[Array, "time batch *features"]
"""one array for all steps of a batch of sequences; ``features`` may begin with spatial axes"""
TimeMajorTree: TypeAlias = PyTree
"""one or several arrays ``[time, batch, ...]``, such as an input and its masks; checked where they are used"""
Given: TypeAlias = Array | np.ndarray
"""an array as callers may give it; its shape is checked where it is used"""
Projected = PyTree[Array]
"""what a cell's ``project`` gives and its ``step`` takes: an array, or several in a tuple"""
RowWeights = Float[Array, " batch"]
"""0 for rows that only fill up a batch"""
RowNumbers = Int[Array, " batch"]
TokenIds = Int[Array, "batch time"]


def count(tree: PyTree) -> int:
    """Number of scalars in a tree of arrays or shapes, such as the parameters of a model."""
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree))
