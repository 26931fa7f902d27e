"""Encoder and forecaster: one stack of layers reads the past, a second one forecasts the future from its states."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from lstmlab.arrays import Given, Key, LengthsLike, MaskLike
from lstmlab.models.base import ModelOutput, RecurrentModel
from lstmlab.models.blocks import normalise, stream_norm
from lstmlab.models.check import check_masks, check_sequences, check_states
from lstmlab.models.dropout import NO_DROPOUT, Rates, fold
from lstmlab.models.head import apply_head, check_tied, head_size, make_head, split_outputs
from lstmlab.models.inputs import embed_inputs, make_input_layer
from lstmlab.models.model_settings import ModelSettings
from lstmlab.models.stack import Stack, StackState, drop_inputs
from lstmlab.promotion import cast_numbers, parameter_type, standard_promotion
from lstmlab.tasks import Features, Tokens

FORECASTER_KEY = 3
"""Folded into the key of the parameters; the encoder's parts take 0 to 2."""


class EncoderForecaster(RecurrentModel):
    r"""The encoding-forecasting network of Shi et al. 2015, arXiv:1506.04214, figure 3, around any cell.

    Layer ℓ of the forecaster has the cell of layer ℓ of the encoder with weights of its own, and starts from that
    layer's last state:

    .. math::
        s^\ell_t &= E^\ell(s^\ell_{t-1}, h^{\ell-1}_t), \quad h^0_t = x_t & t = 1 \dots T \\
        \hat s^\ell_0 &= s^\ell_T, \quad
        \hat s^\ell_k = F^\ell(\hat s^\ell_{k-1}, \hat h^{\ell-1}_k), \quad \hat h^0_k = u_k & k = 1 \dots K \\
        y_k &= W\,[\hat h^1_k; \dots; \hat h^L_k] + b

    The head reads the outputs of *all* layers of the forecaster, for convolutional cells by a 1×1 convolution. Inputs
    are a pair ``(x, u)``: the past ``[batch, T, *spatial, features]``, and the forecaster's inputs
    ``[batch, K, *spatial, features]``: zeros where nothing of the future is known, as in the paper. Outputs are
    ``[batch, K, *spatial, size]``; the state in and out is the encoder's.

    The constructor is that of :class:`SequenceModel`.

    Raises:
        ValueError: for token inputs, two directions, or a readout other than ``steps``.
    """

    inputs: Features

    def __init__(self, cell: str, inputs: Tokens | Features, outputs: Features, *, key: Key, **settings: Any) -> None:
        model = ModelSettings(cell, **settings)
        if isinstance(inputs, Tokens):
            raise ValueError("an encoder-forecaster reads features, but the task's inputs are tokens")
        if model.bidirectional:
            raise ValueError("model.bidirectional=true cannot forecast: a forecaster runs forward in time only")
        if model.readout != "steps":
            raise ValueError(f"model.readout is '{model.readout}', but an encoder-forecaster needs steps (or auto)")
        if model.tied_embeddings:
            check_tied(inputs, outputs)
        super().__init__(inputs, outputs, model)
        keys = [jax.random.fold_in(key, number) for number in range(FORECASTER_KEY + 1)]
        self.spatial = model.spatial_shape(inputs)
        _, self.input_map, width = make_input_layer(model, inputs, key=keys[0], spatial=self.spatial)
        self.layers = Stack(model, width, key=keys[1], spatial=self.spatial)
        # As the layers of a sequence model with the key FORECASTER_KEY.
        self.forecaster = Stack(model, width, key=jax.random.fold_in(keys[FORECASTER_KEY], 1), spatial=self.spatial)
        self.backend = model.resolve_backend(self.layers[0].forward)
        features = sum(self.forecaster.widths)
        self.final_norm = stream_norm(model.block, features)
        self.head = make_head(features, head_size(outputs, self.spatial), None, key=keys[2], dtype=model.dtype)

    @standard_promotion
    def __call__(
        self,
        inputs: tuple[Given, Given],
        state: StackState | None = None,
        *,
        lengths: LengthsLike | None = None,
        resets: MaskLike | None = None,
        mask: MaskLike | None = None,
        rates: Rates = NO_DROPOUT,
        key: Key | None = None,
        collect_gates: bool = False,
    ) -> ModelOutput:
        """Forecasts ``[batch, future, *spatial, size]`` from pairs (past, inputs of the forecaster), each ``[batch,
        steps, *spatial, features]``.

        State, lengths, resets and mask are the encoder's; gates are those of the encoder's layers, then the
        forecaster's.
        """
        pair = [check_sequences(part, self.inputs) for part in inputs]
        if pair[0].shape[0] != pair[1].shape[0]:
            raise ValueError(f"inputs have {pair[0].shape[0]} pasts, but {pair[1].shape[0]} futures: one for each")
        check_states(state, self.layers)
        lengths, resets, mask = check_masks(lengths, resets, mask, *pair[0].shape[:2])
        pair = cast_numbers(pair, parameter_type(self))
        past, future = (embed_inputs(part, None, self.input_map, spatial=self.spatial) for part in pair)
        options = self._unroll_options(lengths, resets, rates, collect_gates, mask)
        encoded = self.layers(drop_inputs(past, options, key), state, options, fold(key, 2))
        options = options._replace(lengths=None, resets=None, mask=None)
        forecast = self.forecaster(future, encoded.state, options, fold(key, 3))
        ys = normalise(self.final_norm, jnp.concatenate(forecast.outputs, axis=-1))
        outputs = split_outputs(jnp.swapaxes(apply_head(self.head, ys, None), 0, 1), self.outputs, self.spatial)
        return ModelOutput(outputs, encoded.state, encoded.gates + forecast.gates if collect_gates else None)

    @property
    def whole_sequence_reason(self) -> str:
        """It reads all of the past before it forecasts."""
        return "an encoder-forecaster needs the whole sequence: call the model on it"
