"""The sequence model: embedding or input map, recurrent layers, head."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from lstmlab.arrays import Key, Lengths, Resets
from lstmlab.models.base import ModelOutput, RecurrentModel
from lstmlab.models.blocks import Sequences, normalise, stream_norm
from lstmlab.models.dropout import NO_DROPOUT, Rates
from lstmlab.models.head import apply_head, check_tied, head_size, make_head, split_outputs
from lstmlab.models.inputs import embed_inputs, make_input_layer
from lstmlab.models.model_settings import ModelSettings
from lstmlab.models.stack import Stack, StackState, drop_inputs
from lstmlab.tasks import Features, Tokens


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

    def __call__(
        self,
        inputs: Array,
        state: StackState | None = None,
        *,
        lengths: Lengths | None = None,
        resets: Resets | None = None,
        rates: Rates = NO_DROPOUT,
        key: Key | None = None,
        collect_gates: bool = False,
    ) -> ModelOutput:
        """Run a batch of sequences, tokens ``[batch, time]`` or features ``[batch, time, *spatial, features]``.

        Outputs are ``[batch, time, *spatial, size]``, without the time axis unless the readout is ``steps``. For the
        other arguments see :meth:`RecurrentModel.__call__`.
        """
        options = self._unroll_options(lengths, resets, rates, collect_gates)
        xs = embed_inputs(inputs, self.embedding, self.input_map, spatial=self.spatial)
        xs = drop_inputs(xs, options, key)
        out = self.layers(xs, state, options, key, first_number=2)
        ys = normalise(self.final_norm, self._head_inputs(out.outputs[-1], lengths))
        outputs = apply_head(self.head, ys, self.embedding)
        if self.readout == "steps":
            outputs = jnp.swapaxes(outputs, 0, 1)
        outputs = split_outputs(outputs, self.outputs, self.spatial)
        return ModelOutput(outputs, out.state, out.gates if collect_gates else None)

    @property
    def whole_sequence_reason(self) -> str:
        """The backward direction starts at the last step."""
        return "a bidirectional model needs the whole sequence: call the model on it" if self.bidirectional else ""

    def _head_inputs(self, xs: Sequences, lengths: Lengths | None) -> Float[Array, "*shape"]:
        """What the readout takes from the top layer's outputs ``[time, batch, *spatial, width]``: all of it for
        ``steps``, else ``[batch, *spatial, width]``."""
        if self.readout == "steps":
            return xs
        if self.readout == "pooled":
            return _mean_over_time(xs, lengths)
        last = xs[-1] if lengths is None else xs[jnp.maximum(lengths, 1) - 1, jnp.arange(xs.shape[1])]
        if not self.bidirectional:
            return last
        # The backward direction has read the whole sequence when it arrives at the first step.
        size = self.layers[-1].forward.output_size
        return jnp.concatenate([last[..., :size], xs[0][..., size:]], axis=-1)


def _mean_over_time(xs: Sequences, lengths: Lengths | None) -> Float[Array, " batch *features"]:
    """The mean over the valid steps; 0 for a sequence without any."""
    if lengths is None:
        return jnp.mean(xs, axis=0)
    valid = jnp.arange(xs.shape[0])[:, None] < lengths
    mask = valid.reshape(valid.shape + (1,) * (xs.ndim - 2))
    return jnp.sum(xs, axis=0, where=mask) / jnp.maximum(jnp.sum(mask, axis=0), 1)
