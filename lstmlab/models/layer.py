"""One recurrent layer: a cell in one or both directions, in a plain or a residual block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, PRNGKeyArray

from lstmlab.cells import Cell
from lstmlab.cells.maps import LinearMap, make_map
from lstmlab.cells.regularise import (
    CandidateDropout,
    Zoneout,
    candidate_masks,
    recurrent_dropout,
    weight_drop,
    zoneout_masks,
)
from lstmlab.models.dropout import NO_DROPOUT, Rates, fold
from lstmlab.recurrence import Unrolled, unroll

BLOCKS = ("plain", "residual")


class Run(NamedTuple):
    """How a layer is to cross time; the same for all layers of a model."""

    backend: str
    chunk: int | None
    lengths: Array | None = None
    resets: Array | None = None
    rates: Rates = NO_DROPOUT
    collect_gates: bool = False


class RecurrentLayer(nnx.Module):
    """A cell, optionally a second one that runs backwards, and the block around them.

    ``plain``: ``y = cell(x)``. ``residual``: ``y = x + cell(norm(x))`` (pre-norm); a linear map brings two
    directions, or outputs of another size, back to the width of ``x``.
    """

    forward: Cell
    backward: Cell | None
    norm: nnx.LayerNorm | None
    merge: LinearMap | None

    def __init__(
        self,
        make_cell: Callable[[PRNGKeyArray], Cell],
        *,
        key: PRNGKeyArray,
        bidirectional: bool,
        block: str,
    ) -> None:
        self.forward = make_cell(jax.random.fold_in(key, 0))
        self.backward = make_cell(jax.random.fold_in(key, 1)) if bidirectional else None
        width, residual = self.forward.input_size, block == "residual"
        self.norm = nnx.LayerNorm(width, rngs=nnx.Rngs(0)) if residual else None
        given = (2 if bidirectional else 1) * self.forward.output_size
        merge_key = jax.random.fold_in(key, 2)
        self.merge = (
            make_map("dense", given, (width,), key=merge_key, init="lecun_normal")
            if residual and (bidirectional or given != width)
            else None
        )

    def __call__(self, xs: Array, state: Any, run: Run, key: PRNGKeyArray | None) -> tuple[Array, Any, list[Any]]:
        """Outputs ``[time, batch, *spatial, width]``, final state(s), gates per direction."""
        inputs = xs if self.norm is None else self.norm(xs)
        cells = [self.forward] if self.backward is None else [self.forward, self.backward]
        states = [None] * len(cells) if state is None else list(state)
        runs = [_unroll(cell, inputs, states[i], run, fold(key, i), reverse=i == 1) for i, cell in enumerate(cells)]
        ys = jnp.concatenate([r.outputs for r in runs], axis=-1)
        if self.merge is not None:
            ys = self.merge(ys)
        if self.norm is not None:
            ys = xs + ys
        return ys, tuple(r.state for r in runs), [r.gates for r in runs]

    def initial_state(self, batch: int) -> Any:
        """Zero states, one per direction."""
        cells = [self.forward] if self.backward is None else [self.forward, self.backward]
        return tuple(cell.initial_state(batch) for cell in cells)


def _unroll(cell: Any, xs: Any, state: Any, run: Run, key: PRNGKeyArray | None, reverse: bool) -> Unrolled:
    """Unroll a cell under the regularisers that are switched on."""
    time, batch = xs.shape[:2]
    plain = cell
    # Weights first: a masked map is no kernel any more.
    if run.rates.weight is not None and key is not None:
        cell = weight_drop(cell, run.rates.weight, jax.random.fold_in(key, 12))
    if run.rates.recurrent is not None and key is not None:
        cell = recurrent_dropout(cell, run.rates.recurrent, jax.random.fold_in(key, 10), batch)
    if run.rates.candidate is not None and key is not None:
        masks = candidate_masks(plain, run.rates.candidate, jax.random.fold_in(key, 13), time, batch)
        cell, xs = CandidateDropout(cell), (xs, masks)
    if run.rates.zoneout is not None:
        keep = zoneout_masks(plain, run.rates.zoneout, fold(key, 11), time, batch)
        cell, xs = Zoneout(cell), (xs, keep)
    return unroll(
        cell, xs, state,
        lengths=run.lengths, resets=run.resets, reverse=reverse,
        backend=run.backend, chunk=run.chunk, collect_gates=run.collect_gates,
    )  # fmt: skip
