"""Unrolling a cell over a sequence."""

from lstmlab.recurrence.unroll import Backend, Unrolled, backends, resolve_backend, unroll

__all__ = ["Backend", "Unrolled", "backends", "resolve_backend", "unroll"]
