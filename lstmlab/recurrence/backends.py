"""Which backends there are, and which of them can run a cell."""

from __future__ import annotations

import enum

import jax

from lstmlab.cells.forms import AnyForm, Form, is_pointwise


class Backend(enum.StrEnum):
    """Ways to run a recurrence; all give the same numbers up to rounding."""

    AUTO = "auto"
    SCAN = "scan"
    FUSED = "fused"
    ASSOCIATIVE = "associative"
    CHUNKWISE = "chunkwise"
    PALLAS = "pallas"
    CUDNN = "cudnn"


BACKENDS: dict[Form, tuple[Backend, ...]] = {
    "pointwise": (Backend.FUSED, Backend.SCAN),
    "linear": (Backend.ASSOCIATIVE, Backend.FUSED, Backend.SCAN),
    "matrix": (Backend.CHUNKWISE, Backend.SCAN),
    "step": (Backend.SCAN,),
}
"""What can run a cell of each form on every device, the preferred backend first (on CPUs, linear cells prefer
``fused``)."""
NEEDS = {
    Backend.FUSED: "a step that is one linear map followed by a pointwise function, or linear in the state",
    Backend.ASSOCIATIVE: "a recurrence that is linear in the state",
    Backend.CHUNKWISE: "a matrix memory that is a sum of outer products under a scalar decay",
    Backend.PALLAS: "a step that is one dense or diagonal map followed by a pointwise function",
    Backend.CUDNN: "cell lstm and an NVIDIA GPU",
}


def backends(cell: AnyForm) -> tuple[Backend, ...]:
    """The backends that can run this cell on every device, the preferred one first."""
    return BACKENDS[cell.form]


def gpu_backends(cell: AnyForm) -> tuple[Backend, ...]:
    """The backends with kernels for GPUs that can run this cell here. ``pallas`` also runs on CPUs, interpreted."""
    return tuple(b for b in (Backend.PALLAS, Backend.CUDNN) if _refusal(cell, b) is None)


def resolve_backend(cell: AnyForm, backend: str | Backend = Backend.AUTO) -> Backend:
    """The backend that will run; raises ``ValueError`` for one that is unknown or cannot serve the cell."""
    try:
        backend = Backend(backend)
    except ValueError:
        raise ValueError(f"model.backend is '{backend}', but must be one of: {', '.join(Backend)}") from None
    can = backends(cell)
    if backend is Backend.AUTO:
        # A few cores have little to gain from parallel steps, which cost twice the work and a memory for each round.
        # Neither pallas nor cudnn is chosen by itself: none has been measured on a GPU yet.
        return Backend.FUSED if cell.form == "linear" and jax.default_backend() == "cpu" else can[0]
    if backend in can:
        return backend
    refusal = _refusal(cell, backend)
    if refusal is None:
        return backend
    but = f", but {refusal}" if refusal else ""
    raise ValueError(
        f"backend '{backend}' cannot run this cell: that takes {NEEDS[backend]}{but} (it runs on: {', '.join(can)})"
    )


def _refusal(cell: AnyForm, backend: Backend) -> str | None:
    """Why kernels cannot run the cell, as the end of a sentence, empty if its form says it; nothing if they can."""
    if not is_pointwise(cell):
        return ""
    # JAX's modules for kernels take a quarter of a second to import, which only those who ask for them should wait.
    if backend is Backend.PALLAS:
        from lstmlab.recurrence.pallas.check import pallas_refusal

        return pallas_refusal(cell)
    if backend is Backend.CUDNN:
        from lstmlab.recurrence.cudnn import cudnn_refusal

        return cudnn_refusal(cell)
    return ""
