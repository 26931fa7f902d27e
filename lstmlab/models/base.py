"""What all architectures have in common."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from flax import nnx
from jaxtyping import Array, Float

from lstmlab.arrays import Key, LengthsLike, MaskLike
from lstmlab.cells.base import Gates
from lstmlab.models.dropout import NO_DROPOUT, Rates
from lstmlab.models.layer import UnrollOptions
from lstmlab.models.model_settings import ModelSettings
from lstmlab.models.stack import Stack, StackState
from lstmlab.tasks import Features, Pairs, Tokens


class ModelOutput(NamedTuple):
    """What a model returns for a batch."""

    outputs: Float[Array, " batch *features"]
    """``[batch, time, *spatial, size]`` for the readout ``steps``, else ``[batch, *spatial, size]``"""
    state: StackState
    """per layer and direction, after the last step"""
    gates: list[list[Gates | None]] | None = None
    """per layer and direction, gate activations ``[time, batch, ...]`` by name; ``None`` unless they are collected"""


class RecurrentModel(nnx.Module):
    """Base of all architectures.

    Args:
        inputs: the form of the inputs.
        outputs: features of the head.
        settings: cell, layers and all else.

    Attributes:
        backend: what runs the recurrence, see :func:`lstmlab.recurrence.unroll`.
    """

    layers: Stack
    backend: str

    extra_settings: ClassVar[tuple[str, ...]] = ()
    """Keys of the section ``model`` that the constructor takes besides those of :class:`ModelSettings`."""

    def __init__(self, inputs: Tokens | Features | Pairs, outputs: Features, settings: ModelSettings) -> None:
        self.inputs, self.outputs = inputs, outputs
        self.readout, self.bidirectional = settings.readout, settings.bidirectional
        self.variational_dropout, self.chunk = settings.variational_dropout, settings.chunk

    def __call__(
        self,
        inputs: Any,
        state: StackState | None = None,
        *,
        lengths: LengthsLike | None = None,
        resets: MaskLike | None = None,
        mask: MaskLike | None = None,
        rates: Rates = NO_DROPOUT,
        key: Key | None = None,
        collect_gates: bool = False,
    ) -> ModelOutput:
        """Run a batch of sequences.

        Args:
            inputs: ``[batch, time, ...]``, or what the architecture reads instead.
            state: state before the first step; zero if not given.
            lengths: valid steps per sequence ``[batch]``; all if not given.
            resets: true where the state starts at zero again, ``[batch, time]``.
            mask: false at steps ``[batch, time]`` that the layers pass over, wherever they are: left padding, say. With
                ``lengths``, both must allow a step.
            rates: dropout rates and the like.
            key: switches dropout on; without it only zoneout acts, by its expectation.
            collect_gates: also return the gates' activations.

        Raises:
            ValueError: for an argument of another shape, lengths that are negative or beyond the last step, or tokens
                outside the vocabulary at steps that are read. The last two are seen outside ``jax.jit`` alone: inside,
                arrays have no values yet.
            TypeError: for an argument of another type.
        """
        raise NotImplementedError(f"{type(self).__name__} defines no call")

    @property
    def whole_sequence_reason(self) -> str:
        """Why the model cannot run step by step with its state passed on: one line for users; empty where it can."""
        return ""

    @property
    def carried_stack(self) -> Stack:
        """The layers whose state goes in and out."""
        return self.layers

    @property
    def state_size(self) -> int:
        """Numbers that one sequence carries from step to step, in all layers and directions."""
        return self.carried_stack.state_size

    def initial_state(self, batch: int) -> StackState:
        """Zero states of all layers."""
        return self.carried_stack.initial_state(batch)

    def _unroll_options(
        self,
        lengths: Array | None,
        resets: Array | None,
        rates: Rates,
        collect_gates: bool = False,
        mask: Array | None = None,
        times: Array | None = None,
    ) -> UnrollOptions:
        # Only the scan backend computes gates one by one.
        backend = "scan" if collect_gates else self.backend
        resets, mask, times = (None if a is None else a.T for a in (resets, mask, times))
        return UnrollOptions(
            backend, self.chunk, lengths, resets, mask, times, rates, self.variational_dropout, collect_gates
        )
