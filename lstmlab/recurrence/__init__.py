"""How a cell crosses time."""

from lstmlab.recurrence.unroll import Backend, Unrolled, backends, resolve_backend, unroll

__all__ = ["Backend", "Unrolled", "backends", "resolve_backend", "unroll"]
