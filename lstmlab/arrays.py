"""Array types by name, with their shapes: what public functions take and return.

Shapes read as in jaxtyping: ``batch time features``. Arrays of a whole sequence are batch-first in tasks and models,
time-major in :mod:`lstmlab.recurrence`.
"""

from __future__ import annotations

from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

Key = PRNGKeyArray
Scalar = Float[Array, ""]
Step = Int[Array, ""]
"""the number of an optimiser step, or of a batch"""
Lengths = Int[Array, " batch"]
"""valid steps of every sequence"""
Resets = Bool[Array, "batch time"]
"""true at the first step of a new segment, where the state starts afresh"""
TimeMajorResets = Bool[Array, "time batch"]
StepMask = Bool[Array, "time batch"]
RowWeights = Float[Array, " batch"]
"""0 for rows that only fill up a batch"""
RowNumbers = Int[Array, " batch"]
TokenIds = Int[Array, "batch time"]
