"""Unrolling a cell over a sequence."""

from lstmlab.recurrence.backends import Backend, backends, gpu_backends, resolve_backend
from lstmlab.recurrence.unroll import Unrolled, unroll

__all__ = ["Backend", "Unrolled", "backends", "gpu_backends", "resolve_backend", "unroll"]
