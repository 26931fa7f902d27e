"""The backend ``pallas``: the whole loop over time in one kernel for GPUs."""

from lstmlab.recurrence.pallas.backend import pallas

__all__ = ["pallas"]
