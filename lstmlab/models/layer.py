"""One recurrent layer: a cell in one or both directions, inside a block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, PRNGKeyArray

from lstmlab.cells import Cell
from lstmlab.cells.regularise import recurrent_dropout, weight_drop
from lstmlab.cells.wrappers import CandidateDropout, Zoneout, candidate_masks, zoneout_masks
from lstmlab.models.blocks import BLOCKS, Block
from lstmlab.models.dropout import NO_DROPOUT, Rates, fold
from lstmlab.recurrence import Unrolled, unroll


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

    Args:
        make_cell: a cell from its number of inputs and a random key.
        width: features of the layer's input.
        block: a name in :data:`~lstmlab.models.blocks.BLOCKS`.
        key: random key of all parameters.
        bidirectional: also make the cell that runs backwards.
        dtype: compute dtype of the block's products.
    """

    forward: Cell
    backward: Cell | None
    block: Block

    def __init__(
        self,
        make_cell: Callable[[int, PRNGKeyArray], Cell],
        width: int,
        block: str,
        *,
        key: PRNGKeyArray,
        bidirectional: bool,
        dtype: str | None = None,
    ) -> None:
        kind = BLOCKS[block]
        read = kind.factor * width
        self.forward = make_cell(read, jax.random.fold_in(key, 0))
        self.backward = make_cell(read, jax.random.fold_in(key, 1)) if bidirectional else None
        shown = (2 if bidirectional else 1) * self.forward.output_size
        self.block = kind(width, shown, key=jax.random.fold_in(key, 2), dtype=dtype)

    def __call__(self, xs: Array, state: Any, run: Run, key: PRNGKeyArray | None) -> tuple[Array, Any, list[Any]]:
        """Outputs ``[time, batch, *spatial, width]``, final state(s), gates per direction."""
        cells = [self.forward] if self.backward is None else [self.forward, self.backward]
        states = [None] * len(cells) if state is None else list(state)
        runs: list[Unrolled] = []

        def recur(inputs: Array) -> Array:
            for i, cell in enumerate(cells):
                runs.append(_unroll(cell, inputs, states[i], run, fold(key, i), reverse=i == 1))
            return jnp.concatenate([r.outputs for r in runs], axis=-1)

        ys = self.block(xs, recur)
        return ys, tuple(r.state for r in runs), [r.gates for r in runs]

    @property
    def state_size(self) -> int:
        """Numbers carried per sequence, in all directions."""
        return sum(cell.state_size for cell in (self.forward, self.backward) if cell is not None)

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
