"""What a job says to the search that launched it."""

from __future__ import annotations

import math
import sys
from pathlib import Path

from hydra.core.utils import JobReturn, JobStatus

from lstmlab.launch import job


def objective_of_job(result: JobReturn, number: int) -> float:
    """The objective that a job returned; ``inf`` where it failed."""
    if result.status == JobStatus.COMPLETED:
        value = float(result.return_value)
        return value if math.isfinite(value) else math.inf
    # result.return_value would raise the job's exception.
    error = result._return_value
    # Expected errors are reported already; others are printed once, however many jobs have them.
    if str(error) not in job.failures.values():
        job.failures[Path(f"job {number}")] = str(error)
        print(f"lstmlab: job {number} failed: {type(error).__name__}: {error}", file=sys.stderr)
    return math.inf
