"""The sequence model: embedding or input map, recurrent layers, head."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from lstmlab.arrays import Given, Key, LengthsLike, MaskLike, TimeMajorMask
from lstmlab.models.base import ModelOutput, RecurrentModel
from lstmlab.models.blocks import Sequences, normalise, stream_norm
from lstmlab.models.check import check_masks, check_states, check_vocabulary, split_times
from lstmlab.models.dropout import NO_DROPOUT, Rates
from lstmlab.models.head import apply_head, check_tied, head_size, make_head, split_outputs
from lstmlab.models.inputs import embed_inputs, make_input_layer
from lstmlab.models.model_settings import ModelSettings
from lstmlab.models.stack import Stack, StackState, drop_inputs
from lstmlab.promotion import cast_numbers, parameter_type, standard_promotion
from lstmlab.tasks import Features, TimedSteps, Tokens


class SequenceModel(RecurrentModel):
    """A sequence model around any registered cell.

    Args:
        cell: name of a registered cell.
        inputs: tokens (embedded) or features (read as they are, or through a linear map).
        outputs: features of the head.
        key: random key of the initial parameters.
        settings: ``hidden_size`` and the other fields of :class:`~lstmlab.models.model_settings.ModelSettings`:
            ``layers``, ``bidirectional``, ``block``, ``embedding_size``, ``tied_embeddings``, ``readout``,
            ``variational_dropout``, ``backend``, ``chunk``, ``dtype``, ``init``, ``cell_options``.

    Raises:
        ValueError: when the parts do not fit, naming the configuration key.
    """

    inputs: Tokens | Features

    def __init__(self, cell: str, inputs: Tokens | Features, outputs: Features, *, key: Key, **settings: Any) -> None:
        model = ModelSettings(cell, **settings)
        if model.tied_embeddings:
            check_tied(inputs, outputs)
        super().__init__(inputs, outputs, model)
        keys = [jax.random.fold_in(key, number) for number in range(3)]
        self.spatial = model.spatial_shape(inputs)
        self.embedding, self.input_map, width = make_input_layer(model, inputs, key=keys[0], spatial=self.spatial)
        self.layers = Stack(model, width, key=keys[1], spatial=self.spatial)
        self.backend = model.resolve_backend(self.layers[0].forward)
        features = self.layers.widths[-1]
        self.final_norm = stream_norm(model.block, features)
        self.head = make_head(
            features, head_size(outputs, self.spatial), width if model.tied_embeddings else None,
            key=keys[2], dtype=model.dtype,
        )  # fmt: skip

    @standard_promotion
    def __call__(
        self,
        inputs: Given | TimedSteps,
        state: StackState | None = None,
        *,
        lengths: LengthsLike | None = None,
        resets: MaskLike | None = None,
        mask: MaskLike | None = None,
        rates: Rates = NO_DROPOUT,
        key: Key | None = None,
        collect_gates: bool = False,
    ) -> ModelOutput:
        """Run a batch of sequences, tokens ``[batch, time]`` or features ``[batch, time, *spatial, features]``, or a
        :class:`~lstmlab.tasks.TimedSteps` of these and the times of their steps.

        Outputs are ``[batch, time, *spatial, size]``, without the time axis unless the readout is ``steps``. For the
        other arguments see :meth:`RecurrentModel.__call__`.
        """
        inputs, times = split_times(inputs, self.inputs)
        batch, time = inputs.shape[:2]
        if time == 0 and self.readout != "steps":
            raise ValueError(f"inputs has shape {inputs.shape}: readout '{self.readout}' needs at least one step")
        check_states(state, self.layers)
        lengths, resets, mask = check_masks(lengths, resets, mask, batch, time)
        if isinstance(self.inputs, Tokens):
            check_vocabulary("inputs", inputs, self.inputs.size, lengths, mask)
        options = self._unroll_options(lengths, resets, rates, collect_gates, mask, times)
        inputs = cast_numbers(inputs, parameter_type(self))
        xs = embed_inputs(inputs, self.embedding, self.input_map, spatial=self.spatial)
        xs = drop_inputs(xs, options, key)
        out = self.layers(xs, state, options, key, first_number=2)
        ys = normalise(self.final_norm, self._head_inputs(out.outputs[-1], _valid(lengths, mask, time)))
        outputs = apply_head(self.head, ys, self.embedding)
        if self.readout == "steps":
            outputs = jnp.swapaxes(outputs, 0, 1)
        outputs = split_outputs(outputs, self.outputs, self.spatial)
        return ModelOutput(outputs, out.state, out.gates if collect_gates else None)

    @property
    def whole_sequence_reason(self) -> str:
        """The backward direction starts at the last step."""
        return "a bidirectional model needs the whole sequence: call the model on it" if self.bidirectional else ""

    def _head_inputs(self, xs: Sequences, valid: TimeMajorMask | None) -> Float[Array, "*shape"]:
        """What the readout takes from the top layer's outputs ``[time, batch, *spatial, width]``: all of it for
        ``steps``, else ``[batch, *spatial, width]``."""
        if self.readout == "steps":
            return xs
        if self.readout == "pooled":
            return _mean_over_time(xs, valid)
        rows = jnp.arange(xs.shape[1])
        last = xs[-1] if valid is None else xs[_last(valid), rows]
        if not self.bidirectional:
            return last
        # The backward direction has read the whole sequence when it arrives at the first step.
        first = xs[0] if valid is None else xs[jnp.argmax(valid, axis=0), rows]
        size = self.layers[-1].forward.output_size
        return jnp.concatenate([last[..., :size], first[..., size:]], axis=-1)


def _valid(lengths: Array | None, mask: Array | None, time: int) -> TimeMajorMask | None:
    """The steps that both allow; ``None`` for all."""
    within = None if lengths is None else jnp.arange(time)[:, None] < lengths
    if mask is None or within is None:
        return within if mask is None else mask.T
    return within & mask.T


def _last(valid: TimeMajorMask) -> Int[Array, " batch"]:
    """The last valid step; 0 for a sequence without any."""
    last = len(valid) - 1 - jnp.argmax(valid[::-1], axis=0)
    return jnp.where(jnp.any(valid, axis=0), last, 0)


def _mean_over_time(xs: Sequences, valid: TimeMajorMask | None) -> Float[Array, " batch *features"]:
    """The mean over the valid steps; 0 for a sequence without any."""
    if valid is None:
        return jnp.mean(xs, axis=0)
    mask = valid.reshape(valid.shape + (1,) * (xs.ndim - 2))
    return jnp.sum(xs, axis=0, where=mask) / jnp.maximum(jnp.sum(mask, axis=0), 1)
