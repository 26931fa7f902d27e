"""Recurrent layers one above the other: the one loop over layers of all architectures."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import jax
from flax import nnx

from lstmlab.arrays import Key
from lstmlab.cells.base import Gates
from lstmlab.models.blocks import Sequences
from lstmlab.models.dropout import add_noise, fold, sequence_dropout
from lstmlab.models.layer import LayerState, RecurrentLayer, UnrollOptions
from lstmlab.models.model_settings import ModelSettings

StackState: TypeAlias = list[LayerState]
"""Per layer, one state per direction."""


class StackOutput(NamedTuple):
    """What every layer of a stack returns, from the bottom to the top."""

    outputs: list[Sequences]
    """``[time, batch, *spatial, width]`` each, after dropout"""
    state: StackState
    """after the last step"""
    gates: list[list[Gates | None]]
    """per layer and direction, ``[time, batch, ...]`` each; ``None`` unless they are collected"""


class Stack(nnx.List[RecurrentLayer]):
    """Layers that feed each other, with dropout after each of them.

    It is a list of its layers, so that their parameters are named ``layers.0.forward.input.kernel``.

    Args:
        settings: number of layers, and what each of them is made of.
        width: features of the first layer's inputs.
        key: random key of all parameters; layer ℓ takes ``fold_in(key, ℓ)``.
        spatial: spatial axes of the states; empty unless the cell's maps are convolutions.
    """

    def __init__(self, settings: ModelSettings, width: int, *, key: Key, spatial: tuple[int, ...] = ()) -> None:
        super().__init__()
        for index in range(settings.layers):
            layer = RecurrentLayer(settings, width, key=jax.random.fold_in(key, index), spatial=spatial)
            width = layer.block.width
            self.append(layer)

    def __call__(
        self,
        xs: Sequences,
        state: StackState | None,
        options: UnrollOptions,
        key: Key | None,
        *,
        first_number: int = 0,
    ) -> StackOutput:
        """Run all layers over ``[time, batch, *spatial, width]``, from zero states if none are given.

        The random numbers of layer ℓ = 0, 1, … come from ``fold_in(key, first_number + 2ℓ)``, those of the dropout
        after it from the number that follows. Without a key nothing is dropped.
        """
        result = StackOutput([], [], [])
        for index, layer in enumerate(self):
            number = first_number + 2 * index
            out = layer(xs, None if state is None else state[index], options, fold(key, number))
            xs = drop_outputs(out.outputs, options, fold(key, number + 1))
            result.outputs.append(xs)
            result.state.append(out.state)
            result.gates.append(out.gates)
        return result

    @property
    def widths(self) -> list[int]:
        """Features of every layer's output."""
        return [layer.block.width for layer in self]

    @property
    def state_size(self) -> int:
        """Numbers carried per sequence, in all layers and directions."""
        return sum(layer.state_size for layer in self)

    def initial_state(self, batch: int) -> StackState:
        """Zero states of all layers."""
        return [layer.initial_state(batch) for layer in self]


def drop_inputs(xs: Sequences, options: UnrollOptions, key: Key | None) -> Sequences:
    """Dropout and noise on the first layer's inputs, with ``fold_in(key, 0)`` and ``fold_in(key, 1)``."""
    dropped = sequence_dropout(xs, options.rates.input, fold(key, 0), variational=options.variational_dropout)
    return add_noise(dropped, options.rates.input_noise, fold(key, 1))


def drop_outputs(xs: Sequences, options: UnrollOptions, key: Key | None) -> Sequences:
    """Dropout after a layer."""
    return sequence_dropout(xs, options.rates.layer, key, variational=options.variational_dropout)
