"""cuDNN's LSTM, for cells that can give it their weights (``cudnn_weights`` of a cell), on NVIDIA GPUs.

:mod:`jax.experimental.rnn` reads sequences batch-first and all weights in one vector.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Array

from lstmlab.cells.forms import CudnnForm, CudnnWeights, PointwiseForm
from lstmlab.cells.regularise_steps import Wrapped
from lstmlab.promotion import parameter_type
from lstmlab.recurrence.masks import StepMask, zero_padding


def cudnn_refusal(cell: PointwiseForm) -> str | None:
    """Why cuDNN cannot run the cell here, as the end of a sentence; nothing if it can."""
    if isinstance(cell, Wrapped):
        return "this one changes its state at every step, as zoneout and candidate dropout do"
    if jax.eval_shape(_weights, cell) is None:
        return "this cell, or one of its options or regularisers, is none that cuDNN computes"
    if parameter_type(cell) != np.float32:
        return f"cuDNN computes in float32 here, not in {parameter_type(cell)}"
    if importlib.util.find_spec("jax.experimental.rnn") is None:
        return "this release of JAX has no binding of cuDNN's LSTM"
    if not _has_cuda():
        return "there is no such GPU"
    return None


def cudnn(cell: PointwiseForm, xs: Any, state: Any, step_mask: StepMask, *, reverse: bool) -> tuple[Any, Array]:
    """Run the cell over inputs ``xs`` (time-major), whose masks stand for lengths: final state and outputs."""
    from jax.experimental import rnn  # not above: releases of JAX without it can do everything else

    time, batch, features = xs.shape
    weights = _weights(cell)
    assert weights is not None  # resolve_backend refuses other cells
    packed = pack_lstm(weights)
    lengths = jnp.full(batch, time) if step_mask.mask is None else step_mask.mask.sum(0)
    lengths = _refuse_vmap(lengths.astype(jnp.int32), jax.lax.stop_gradient(packed))
    xs = reversed_within(xs, lengths) if reverse else xs
    hidden = state.h.shape[-1]
    # cuDNN wants one step of every sequence: what empty ones give is not used.
    at_least_one = jnp.maximum(lengths, 1)
    ran: Any = rnn.lstm(
        xs.swapaxes(0, 1), state.h[None], state.c[None], packed, at_least_one, features, hidden, 1, 0.0, False
    )
    outputs, h, c = ran
    outputs = outputs.swapaxes(0, 1)
    empty = (lengths == 0)[:, None]
    final = type(state)(h=jnp.where(empty, state.h, h[0]), c=jnp.where(empty, state.c, c[0]))
    return final, zero_padding(reversed_within(outputs, lengths) if reverse else outputs, step_mask)


def _weights(cell: PointwiseForm) -> CudnnWeights | None:
    return cell.cudnn_weights() if isinstance(cell, CudnnForm) else None


def pack_lstm(weights: CudnnWeights) -> Array:
    """All weights of one layer in a vector, as :mod:`jax.experimental.rnn` wants them: input kernel, recurrent kernel,
    bias, and a second bias, which is zero here."""
    zeros = jnp.zeros_like(weights.bias)
    return jnp.concatenate([a.reshape(-1) for a in (weights.input, weights.recurrent, weights.bias, zeros)])


def reversed_within(xs: Array, lengths: Array) -> Array:
    """Sequences ``[time, batch, features]`` with their valid steps in reverse order; padding stays where it is."""
    steps = jnp.arange(xs.shape[0])[:, None]
    order = jnp.where(steps < lengths, lengths - 1 - steps, steps)
    return jnp.take_along_axis(xs, order[:, :, None], axis=0)


@custom_vmap
def _refuse_vmap(lengths: Array, weights: Array) -> Array:
    """The lengths as they are; cuDNN's LSTM cannot run for many models at once."""
    del weights
    return lengths


@_refuse_vmap.def_vmap
def _(size: int, batched: Any, lengths: Array, weights: Array) -> tuple[Array, bool]:
    raise ValueError(f"backend 'cudnn' cannot run {size} models at once, as jax.vmap and populations do: use 'auto'")


def _has_cuda() -> bool:
    if jax.default_backend() != "gpu":
        return False
    try:
        return bool(jax.devices("cuda"))
    except RuntimeError:  # a GPU of another make
        return False
