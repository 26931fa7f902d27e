"""One recurrent layer: a cell in one or both directions, inside a block."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array

from lstmlab.arrays import Key, LengthsLike, MaskLike
from lstmlab.cells import Cell
from lstmlab.cells.regularise import recurrent_dropout, weight_drop
from lstmlab.cells.regularise_steps import CandidateDropout, Zoneout, candidate_masks, zoneout_masks
from lstmlab.cells.state import Gates, State
from lstmlab.models.blocks import BLOCKS, Block, Sequences
from lstmlab.models.dropout import NO_DROPOUT, Rates, fold
from lstmlab.models.model_settings import ModelSettings
from lstmlab.recurrence import Unrolled, unroll

LayerState: TypeAlias = tuple[State, ...]
"""One state per direction."""


class UnrollOptions(NamedTuple):
    """How cells are unrolled over time; the same for all layers of a stack."""

    backend: str
    chunk: int | None
    lengths: LengthsLike | None = None
    resets: MaskLike | None = None
    mask: MaskLike | None = None
    times: Array | None = None
    """of the steps, ``[time, batch]``"""
    rates: Rates = NO_DROPOUT
    variational_dropout: bool = False
    collect_gates: bool = False


class LayerOutput(NamedTuple):
    """What a layer returns."""

    outputs: Sequences
    """``[time, batch, *spatial, width]``"""
    state: LayerState
    """after the last step"""
    gates: list[Gates | None]
    """per direction, ``[time, batch, ...]`` each; ``None`` unless they are collected"""


class RecurrentLayer(nnx.Module):
    """A cell, optionally a second one that runs backwards, and the block around them.

    Args:
        settings: cell, block, directions and dtype.
        width: features of the layer's input.
        key: random key of all parameters.
        spatial: spatial axes of the states; empty unless the cell's maps are convolutions.
    """

    forward: Cell
    backward: Cell | None
    block: Block

    def __init__(self, settings: ModelSettings, width: int, *, key: Key, spatial: tuple[int, ...] = ()) -> None:
        block = BLOCKS[settings.block]

        def new_cell(direction: int) -> Cell:
            cell_key = jax.random.fold_in(key, direction)
            return settings.make_cell(block.expansion * width, key=cell_key, spatial=spatial)

        self.forward = new_cell(0)
        self.backward = new_cell(1) if settings.bidirectional else None
        cell_width = sum(cell.output_size for cell in self.cells)
        self.block = block(width, cell_width, key=jax.random.fold_in(key, 2), dtype=settings.dtype)

    def __call__(self, xs: Sequences, state: LayerState | None, options: UnrollOptions, key: Key | None) -> LayerOutput:
        """Run the layer over ``[time, batch, *spatial, features]``, from zero states if none are given."""
        states = [None] * len(self.cells) if state is None else list(state)
        unrolled: list[Unrolled] = []

        def run_cells(inputs: Sequences) -> Sequences:
            for direction, cell in enumerate(self.cells):
                unrolled.append(
                    _unroll(cell, inputs, states[direction], options, fold(key, direction), reverse=direction == 1)
                )
            return jnp.concatenate([one.outputs for one in unrolled], axis=-1)

        outputs = self.block(xs, run_cells)
        return LayerOutput(outputs, tuple(one.state for one in unrolled), [one.gates for one in unrolled])

    @property
    def cells(self) -> list[Any]:
        """The forward cell, then the backward one if there is one; cells, or what wraps them for diagnostics."""
        return [self.forward] if self.backward is None else [self.forward, self.backward]

    @property
    def state_size(self) -> int:
        """Numbers carried per sequence, in all directions."""
        return sum(cell.state_size for cell in self.cells)

    def initial_state(self, batch: int) -> LayerState:
        """Zero states, one per direction."""
        return tuple(cell.initial_state(batch) for cell in self.cells)


def _unroll(
    cell: Any, inputs: Sequences, state: State | None, options: UnrollOptions, key: Key | None, reverse: bool
) -> Unrolled:
    """Unroll a cell, or a probed one, with the regularisers that are switched on; only zoneout acts without a key."""
    time, batch = inputs.shape[:2]
    rates = options.rates
    # A wrapped cell takes masks beside its inputs.
    wrapped: Any = cell
    xs: Any = inputs
    # Weights first: a map under recurrent dropout has no kernel.
    if rates.weight is not None and key is not None:
        wrapped = weight_drop(wrapped, rates.weight, jax.random.fold_in(key, 12))
    if rates.recurrent is not None and key is not None:
        wrapped = recurrent_dropout(wrapped, rates.recurrent, jax.random.fold_in(key, 10), batch)
    if rates.candidate is not None and key is not None:
        masks = candidate_masks(cell, rates.candidate, jax.random.fold_in(key, 13), time, batch)
        wrapped, xs = CandidateDropout(wrapped), (xs, masks)
    if rates.zoneout is not None:
        keep = zoneout_masks(cell, rates.zoneout, fold(key, 11), time, batch)
        wrapped, xs = Zoneout(wrapped), (xs, keep)
    return unroll(
        wrapped, xs, state,
        lengths=options.lengths, resets=options.resets, mask=options.mask, times=options.times, reverse=reverse,
        backend=options.backend, chunk=options.chunk, collect_gates=options.collect_gates,
    )  # fmt: skip
